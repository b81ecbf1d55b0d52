//! Buffer manager and data manager: page sets, space maps, messages and objects on pages, and the one redo function.
//!
//! [`PageStore`] owns the page sets of a queue manager and a buffer pool of a fixed number of frames. Everything that changes a page
//! builds a log record, appends it to the log and applies it to the page with [`apply`]; restart applies the same records
//! with the same function ([`PageStore::redo`]). What the store promises:
//!
//! - *Write-ahead*: a page is written only when the log is durable up to its page RBA ([`WriteAhead`]).
//! - *Torn pages are repaired*: the first change of a page since it was last written logs an image of it, a fresh page its format.
//! - *Recovery RBA*: the lowest RBA at which a page was first changed and is not yet durable; written but unsynced pages count.
//! - *Free space*: a page is formatted (logged), then taken into use in the space map (logged), then filled; so the map never names a
//!   class that a page does not have, wherever the log ends.
//! - *Nonpersistent messages* are not logged; their pages' allocation and freeing is.
//!
//! Nothing here starts a thread. Syncs and the formatting of extents are jobs: owned values that an edge thread runs
//! ([`PageSyncJob`], [`ExpandJob`]).

mod apply;
mod change;
mod checkpoint;
mod create;
mod error;
mod expansion;
mod history;
mod messages;
mod open;
mod page_set;
mod pool;
mod redo;
mod returning;
mod scan;
mod space;
mod store;
mod sync_gate;
mod usage;
mod write_ahead;

pub use apply::{ApplyError, apply};
pub use checkpoint::{PageSyncJob, PageSyncOutcome};
pub use create::{CreateJob, CreateOutcome, CreateStep, page_set_path};
pub use error::PageError;
pub use expansion::{ExpandFailure, ExpandJob, ExpandOutcome, ExpandStep, MAX_EXTENTS};
pub use history::{Relatives, check_reach, take_over_copy};
pub use messages::Inserted;
pub use open::OpenedPageSet;
pub use page_set::PageSetStatus;
pub use store::{PageStore, RecordAddress, StoreIdentity, UnitLink};
pub use usage::usage_at_rest;
pub use write_ahead::{LogAtRest, PageLog, WriteAhead};
