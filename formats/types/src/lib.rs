//! The numbers and names of the field.
//!
//! Every meaningful number is a type of its own, printed and read in the notation that people of the field use: an RBA is sixteen
//! upper-case hexadecimal digits, a page set is two decimal digits. Nothing here reads files.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable))]

mod archive;
mod checksum;
mod condition;
mod cursor;
mod history;
mod identity;
mod names;
mod page;
mod point;
mod rba;
mod time;
mod usage;
mod zeros;

pub use archive::ArchiveReference;
pub use checksum::{Crc32c, crc32c, crc32c_combine_parts, digest64};
pub use condition::ConditionCode;
pub use cursor::{Cursor, ShortInput, put_bytes16, put_bytes32};
pub use history::{HistoryId, LogHistory, LogPlace};
pub use identity::QueueManagerId;
pub use names::{DataSetName, NameError, ObjectName, QueueManagerName, StructureName, VolumeSerial};
pub use page::{CI_SIZE, PAGE_SIZE, PageAddress, PageNumber, PageSetId};
pub use point::{PointMethod, PointState};
pub use rba::{ParseRbaError, Rba, RbaRange, Urid};
pub use time::{Lrsn, Timestamp};
pub use usage::{
    BufferPoolUsage, DataSetUsage, Expand, PageSetUsage, RecoveryPart, SystemRecovery, UnitState, UnitUsage,
    UsageReport,
};
pub use zeros::first_nonzero;
