//! Verified copying of live images.
//!
//! A copy is a reader that verifies ([`PageSetReader`], [`RecordReader`]) and a target ([`FileTarget`], [`StreamTarget`]). They run
//! as a machine of small steps ([`ImageCopy`], [`PageSetCopy`]), so that many copies, and whoever writes the source, can take
//! turns; or with threads of their own ([`copy_pipelined`]) where speed is wanted.
//!
//! A copy of a page set taken while its owner writes is *fuzzy*: its pages are of different moments, and the log from the recovery
//! RBA in its page zero brings them all to one. That holds because page zero is read first and never again, and because no page
//! is believed that was caught half-written.

mod any;
mod bsds;
mod copy;
mod error;
mod kind;
mod log;
mod page_set;
mod pipeline;
mod report;
mod reread;
mod source;
mod target;

pub use any::AnyReader;
pub use bsds::BsdsReader;
pub use copy::{CHUNK, CopyStep, ImageCopy, ImageReader, ReadStep};
pub use error::CopyError;
pub use kind::{RECOGNISED_BY, recognise};
pub use log::RecordReader;
pub use page_set::{PageSetCopy, PageSetReader};
pub use pipeline::copy_pipelined;
pub use report::{CopyReport, DamagedRecord, ImageKind, NAMED_AT_MOST, PageSetFacts};
pub use source::{FileSource, Source, StreamSource};
pub use target::{FileTarget, NoTarget, StreamTarget, Target};
