//! The bootstrap data set (BSDS): where the log is, and what must be known before any log is read.
//!
//! # Purpose
//! An inventory of active and archive logs with their RBA ranges, the queue of checkpoints, the histories of the log, backups in
//! progress, recovery points and holds. Two copies, `BSDS01` and `BSDS02`.
//!
//! # Picture
//! ```text
//! file  | slot 0 | slot 1 |          two slots of equal capacity, a multiple of 4096 bytes
//! slot  | header, 32 bytes | image | zeros |
//! ```
//! The header ([`slot`]) carries the sequence number and the checksum; the image ([`Bsds`]) is the whole inventory, field
//! after field. Image `n` goes into slot `n % 2`.
//!
//! # Validity
//! A slot counts when its checksum is right, its header says the slot and capacity that it has, and all behind the image is zero. The
//! highest sequence of a queue manager's valid slots is the truth.
//!
//! # Torn tail
//! A torn write spoils the slot that was being written; the other one holds the image before.
//!
//! # Order of writes
//! Copy 1's slot is written and synced, then copy 2's, before anything relies on the change: whatever single file is lost or torn,
//! the other one has the last image that anything relied on. A file that has become too small is written anew with twice the
//! capacity under a temporary name, synced, and renamed: copy 1, then copy 2.
//!
//! # Non-goals
//! Entries are never dropped by themselves: an archive is forgotten only when somebody says so. It is marked as being deleted before
//! its file is removed, and what it held is noted as a hole once it is gone.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable))]

mod archive;
mod facts;
mod holes;
mod image;
mod inventory;
mod line;
mod points;
pub mod slot;

pub use archive::ArchiveLog;
pub use holes::Hole;
pub use image::BsdsError;
pub use inventory::{
    ActiveLog, ActiveStatus, Bsds, CheckpointEntry, ConditionalRestart, PageSetEntry, Settings,
};
pub use line::{Line, LinePart};
pub use points::{BackupInProgress, Hold, PointMethod, PointState, RecoveryPointEntry};
pub use slot::{
    BsdsFile, SlotDamage, decode_file, decode_slot, encode_file, encode_slot, is_bsds, least_capacity,
};
