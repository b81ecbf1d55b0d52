//! The recovery log: control intervals, segments, record headers and record bodies.
//!
//! # Purpose
//! One byte stream that says everything that happened to the page sets, in order. An RBA is the offset of a byte in that stream,
//! control interval trailers included, so the control interval (CI) at RBA `r` of a data set that starts at RBA `s` lies at file
//! offset `r - s`. Archives are the same CIs, sequential.
//!
//! # Picture
//! ```text
//! data set   | CI | CI | CI | ...                         4096 bytes each
//! CI         | segment | segment | ... | zeros | trailer  trailer: last 64 bytes, in the last 512-byte sector
//! segment    | crc, length, flags, zero | payload         one record, or a piece of one cut at the end of a CI
//! record     | header, 40 bytes | body                    the payloads of its segments, in order
//! ```
//!
//! Layouts stand in one place each: [`ci`] the trailer and the walk over a CI, [`segment`] the segment, [`RecordHeader`] and
//! [`Body`] the record.
//!
//! # Rules
//! - The first segment of a record holds its whole header: a record starts only where 48 bytes of a CI are left; what remains is
//!   zero. A segment is written once and never extended.
//! - A record lies in one data set: one that does not fit in what is left of a data set starts the next one, so a data set begins
//!   with a record (a [`Body::Switch`]), and nothing at a data set's end waits for the next one.
//! - A record's RBA is that of its first segment's header; its end is the byte after its last segment.
//!
//! # Validity
//! A segment counts when its checksum over queue manager, history, its RBA and its bytes is right. Bytes of an earlier use of the
//! data set, of another queue manager or of an abandoned history never do.
//! A CI in the middle of the log also needs its trailer, says that it is *closed*, and has nothing but zeros between
//! the last segment and the trailer ([`ci::verify_closed`]). An older, partly filled version of a CI is not closed, so a lost
//! rewrite is noticed.
//!
//! # Torn tail
//! At the end of the log the trailer is not needed: the log reaches to the furthest valid segment of either copy that completes a
//! record. A gap below the *synced RBA* of some later trailer is damage, any other gap is the end.
//!
//! # Order of writes
//! Whole CIs, rewritten while partly filled with their old bytes unchanged: sectors of the old and the new version mixed in any
//! way hold every old segment. The next data set is begun only when all before it is synced and the BSDS names it.
//!
//! # Non-goals
//! No compression, no encryption, no record that spans data sets, no update in place of a closed CI.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable))]

mod body;
mod checkpoint;
pub mod ci;
mod header;
mod identity;
mod kind;
pub mod segment;

pub use body::{Body, PageClass, Record, RecordError};
pub use checkpoint::{CheckpointPageSet, CheckpointUnit, split_units};
pub use header::{HEADER_LENGTH, MAX_RECORD_LENGTH, RELEASE, RecordHeader};
pub use identity::LogIdentity;
pub use kind::{RecordKind, ResourceManager};
