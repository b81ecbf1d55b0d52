//! Page sets: what their bytes mean.
//!
//! A page set is a linear data set of 4096-byte pages, 64 GiB at most, numbered 00 to 99:
//!
//! ```text
//!   page 0      page zero: two slots that are rewritten in turn (`page_zero`)
//!   page 1      space map of pages 1 to 8128 (`space_map`)
//!   page 2 ..   free, object, persistent and nonpersistent pages (`page`, `slotted`)
//!   page 8129   space map of pages 8129 to 16256, and so on
//! ```
//!
//! Object, persistent and nonpersistent pages are slotted: records are addressed by page and slot (`slotted`). A record is an object
//! definition (`object`) or a fragment of a message (`message`); both begin with the same sixteen bytes (`record`).
//!
//! Nothing here reads files. All numbers are big-endian. Nothing panics on damaged input.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable))]

pub mod message;
pub mod object;
pub mod page;
pub mod page_zero;
pub mod record;
pub mod slotted;
pub mod space_map;

pub use message::{Fragment, MessageHead};
pub use object::{ObjectRecord, QueueDefinition, StorageClassDefinition};
pub use page::{PageBytes, PageDamage, PageHeader, PageType, verify_page};
pub use page_zero::{PageZero, PageZeroError, ReadPageZero};
pub use record::{RecordDamage, RecordPrefix, SlotAddress};
pub use space_map::PageState;
