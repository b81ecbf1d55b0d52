//! The documents of log retention: what there is (the inventory), and what is to go (the plan).
//!
//! # Purpose
//! Any scheduler can say in an *inventory* which log data sets, recovery points, structures and units of recovery a queue manager has;
//! a *plan* says of each log data set whether it is kept or deleted, and who keeps it.
//!
//! # Form
//! One JSON document each, UTF-8. Fields that are not known are refused: a field that somebody relies on must not be overlooked. RBAs
//! are strings of 16 hexadecimal digits; the `start` and `end` of ranges are both *inclusive*, as `STARTRBA` and `ENDRBA` are. Times are
//! RFC 3339 with an offset. A history's `cut` is the first RBA of its parent that does not belong to its line. `log_end` is where the
//! next log record goes. `version` is 1 and may be left out; a newer one is refused by name.
//!
//! # Validity
//! What one field says is checked here: digits, times, ranges in order, names of page sets. What fields say of each other (histories
//! that exist, points that are held) is checked where the inventory is used.
//!
//! # Torn tail
//! A document that was cut short is no document: JSON ends with its last brace.
//!
//! # Non-goals
//! No checksum inside: people write inventories. A plan names the digest of the inventory that it was made from.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable))]

mod hex;
mod inventory;
mod layout;
mod ledger;
mod pieces;
mod plan;
mod shared;
mod stretches;
mod time;

pub use inventory::{
    DocumentError, History, Hold, Hole, InProgress, InProgressKind, Inventory, LogDataSet, LogKind,
    LrsnRange, Now, PageSetNow, Part, Point, PointPageSet, Rates, RecordedParts, StructureNow, TimeRange,
    UnitNow, VERSION,
};
pub use layout::write;
pub use ledger::{CopiedBy, CopiedPageSet, Evidence, Ledger, LedgerPoint, RestartRbas};
pub use pieces::Piece;
pub use plan::{
    AbsentEntry, ActionEntry, DeleteEntry, GapEntry, HolderEntry, HolderKind, Inputs, KeepEntry, Plan,
    PointEntry, Totals, WarningEntry,
};
pub use shared::Shared;
pub use stretches::{Stretch, StretchRead};
pub use time::{format_time, parse_time};
