//! The journal of a load: what was acknowledged, and what is unknown.
//!
//! # Purpose
//! Written by a load outside the queue manager, so that an audit can say afterwards which messages must be there and which must
//! not. A unit of recovery gets its line only after its commit was acknowledged; a unit whose acknowledgement never came because
//! the server vanished is written as unknown.
//!
//! # Picture
//! ```text
//! HWJ1 load=<16 hex> seed=<16 hex> connections=<n> queues=<name>,<name>... history=<n>-<16 hex> *<crc><LF>
//! U <connection> <unit> <commit RBA> P <queue>:<message id>:<sequence>:<length> ... G <message id> ... *<crc><LF>
//! X <connection> <unit> P ... G ... *<crc><LF>
//! E <acknowledged units> <unknown units> *<crc><LF>
//! ```
//!
//! # Fields
//! | field | meaning |
//! |---|---|
//! | `load` | identity of the load, random; part of every body that it puts |
//! | `seed` | seed of the load's decisions, to run it again |
//! | `connections` | connections of the load, 1 to 4,096; numbered from 0 |
//! | `queues` | names of the queues; puts name them by their place in this list, from 0 |
//! | `history` | log history that all commit RBAs of the load are of; left out where it is not known |
//! | connection, unit | decimal; units of a connection are numbered from 1 and rise |
//! | commit RBA | 16 hexadecimal digits, as the server acknowledged it |
//! | message id | 48 upper-case hexadecimal digits; `-` in an unknown unit when the server never named it |
//! | sequence | decimal; number of the put in its connection, rising |
//! | length | decimal; bytes of the body |
//! | crc | 8 upper-case hexadecimal digits: CRC-32C over the line's number (8 bytes big-endian, the header is 1) and its text before ` *` |
//!
//! # Validity rule
//! Every line ends with its checksum, which covers the line's number too: a line altered, removed, added or moved is detected. The
//! header is first, nothing follows the end line.
//!
//! # Torn tail
//! A last line without line feed is what a killed load leaves: it is left out, and [`Reader::torn`] says so. Anything else that
//! does not read is an error that names its line.
//!
//! # Order of writes
//! Lines are appended in the order in which acknowledgements arrived, which need not be the order of commit RBAs: a get may stand
//! before the put of the message that it got.
//!
//! # Several loads
//! One file for each load, and a load ends with its queue manager, so a journal never spans a cut of the log. RBAs above a cut are used
//! again by the history that begins there; the header's history tells whose they are.
//!
//! # Non-goals
//! No bodies: they are made again from load, connection, sequence and length. No units that were backed out: they must leave
//! nothing behind, and what has no line is foreign.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable))]

mod entry;
mod reader;

pub use entry::{
    Entry, Header, MAX_CONNECTIONS, MAX_LINE, MAX_QUEUES, Put, Unit, encode_entry, encode_header,
};
pub use reader::{JournalError, Reader};
