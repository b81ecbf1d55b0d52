//! Frames, requests and replies between programs and a queue manager.
//!
//! # Purpose
//! Programs talk to a running queue manager over a Unix socket in its directory. One request is answered by one reply, in order;
//! a connection has at most one unit of recovery.
//!
//! # Picture
//! ```text
//! +----------------+-----+------------------------------+
//! | length (u32)   | tag | fields in their order        |
//! +----------------+-----+------------------------------+
//!   bytes behind it  u8    length - 1 bytes
//! ```
//!
//! # Fields
//! | kind | bytes |
//! |---|---|
//! | number | 1, 2, 4 or 8 bytes, big-endian |
//! | truth | one byte, 0 or 1 |
//! | optional field | one byte 0 (absent) or 1, then the field |
//! | text, bytes, list | count (u32), then the UTF-8 bytes, the bytes, the items |
//! | fixed array (message identifier) | its bytes |
//! | name, RBA, time, identity | as the text or number that it is |
//! | choice (state, condition code, EXPAND) | one byte, see `choices` |
//!
//! Tags stand in [`Request`] and [`Reply`]; they are never used again for something else. The first request of a connection is
//! [`Request::Hello`] with [`VERSION`]; a server refuses a version that it does not speak.
//!
//! # Validity rule
//! A frame's length is 1 to [`MAXIMUM_FRAME`]. Each field must lie inside the frame and the last one must end it; truths, choices and
//! names are checked; a count is believed only as far as bytes follow. Anything else is a [`ProtocolError`], after which the
//! connection is closed: there is no way to find the next frame.
//!
//! # Torn tail
//! A connection that ends inside a frame has sent no request. Nothing is done for it; an open unit of recovery is backed out.
//!
//! # Order of writes
//! A reply that acknowledges something is sent after the log that proves it is durable, never before.
//!
//! # Non-goals
//! No checksum and no encryption: both ends are on one machine, and the socket belongs to one user. No streaming of messages beyond
//! one frame.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable))]

mod choices;
mod field;
mod frame;
mod point;
mod reply;
mod request;
mod usage;

pub use frame::{FRAME_HEADER, MAXIMUM_FRAME, ProtocolError, frame_length, read_ahead, split_frame};
pub use point::{PointMethod, PointRegistration, PointState};
pub use reply::Reply;
pub use request::Request;

/// Version of the protocol that this code speaks.
pub const VERSION: u16 = 1;

/// Bytes of a message identifier.
pub const MESSAGE_ID_SIZE: usize = 24;
