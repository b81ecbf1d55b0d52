//! The manifest of a recovery point.
//!
//! # Purpose
//! Says what a recovery point holds, of which queue manager and log history, how much log is needed to bring it forward, and how
//! to tell that no byte of it has changed since it was made. A directory with a valid manifest is a recovery point; one without is
//! not.
//!
//! # Picture
//! ```text
//! {
//!   "manifest": "highwater recovery point",
//!   "version": 1,
//!   "name": "T1",
//!   ... further fields, JSON ...
//!   "definitions": { ... },
//!   "checksum": "0A1B2C3D"}<LF>
//! ```
//! The file is one JSON document whose last line is exactly 26 bytes: two spaces, `"checksum": "`, eight upper-case hexadecimal
//! digits, `"}`, line feed.
//!
//! # Fields
//! | field | meaning |
//! |---|---|
//! | `manifest` | always [`EYE_CATCHER`] |
//! | `version` | format version, [`VERSION`]; a newer one is refused by name |
//! | `name` | name of the point |
//! | `queue_manager`, `queue_manager_id` | whose page sets these are |
//! | `history` | log history that all RBAs here lie in |
//! | `method`, `state` | `fuzzy` or `full`; `verified`, `unverified` or `damaged` |
//! | `at` | when it was begun, microseconds since 1970-01-01 UTC |
//! | `start`, `end` | end of the log when the copying began, and behind the last page copied |
//! | `page_sets[]` | `page_set`, `file`, `recovery_rba` as copied, `pages`, `length`, `checksum` (of the image), `damaged_pages` |
//! | `system_recovery` | the system recovery RBA when the point was begun: its parts with their holders |
//! | `bsds`, `definitions` | `file`, `length`, `checksum` of the BSDS copy and of the DEFINE statements |
//! | `log[]` | missing, or the log that the point needs: `file`, `history`, `start`, `end`, `length`, `checksum` of each piece |
//!
//! RBAs are strings of 16 hexadecimal digits, checksums strings of 8. Unknown fields are refused.
//!
//! # Validity rule
//! The last line has the form above, its checksum is the CRC-32C of every byte before that line, the version is known, and every
//! field reads. Lower-case digits, a missing line feed and bytes behind it are refused, so every single-bit flip and every
//! truncation is detected.
//!
//! # Torn tail
//! There is none: the file is written whole under a temporary name, synced, and published together with its directory by one
//! rename. A manifest without its last line is damaged.
//!
//! # Order of writes
//! Copies, BSDS copy and definitions are synced first, then the manifest, then the directory, then the directory is renamed to
//! its final name, then its parent is synced. So a directory under the final name is always complete.
//!
//! # Non-goals
//! No signature: the checksums protect against accidents, not against an adversary.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable))]

mod document;

pub use document::{
    CopiedFile, CopiedLog, CopiedPageSet, EYE_CATCHER, MANIFEST_FILE, Manifest, ManifestError, VERSION,
};
