//! Printed reports that people already have: CSQJU004, DISPLAY USAGE, LOG, CFSTRUCT, CFSTATUS and CONN, job logs, IDCAMS, CSQJU003.
//!
//! # Purpose
//! Scripts parse these reports by message identifier, word and column. What is written here has the identifiers, the wording and the
//! columns that those scripts know. What a site brings down is read: [`Text::decode`] makes lines of a file, [`read`] makes reports of
//! the lines.
//!
//! # Picture
//! ```text
//! CSQI010I QM1 Page set usage ...
//! Page Buffer   Total   Unused  Persistent NonPersist Expansion    Encr-
//!  set  pool    pages    pages  data pages data pages        count   ypt
//! _  0     0     1078     1045          33          0 USER       0   NO
//!  End of page set report
//! ```
//!
//! # Fields
//! Each module gives the columns of its report. RBAs that are written have 16 upper-case hexadecimal digits; 12 are read too. Page
//! counts are decimal. Times that are written are UTC; those that are read are in the time zone of whoever printed them.
//!
//! # Validity rule
//! A report starts with its message identifier or title and ends with its last line. A line between the two that looks like an entry
//! and does not read is an error with file, line and column; it is never skipped and never guessed at. What may stand between
//! reports is listed with [`Section`]'s module and in `docs/formats/listings.md`.
//!
//! # Torn tail
//! A report without its last line is incomplete, and an error.
//!
//! # Non-goals
//! Time zones, and whether what several reports say fits together: the caller knows the site.

#![cfg_attr(not(test), deny(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::unreachable))]

mod attributes;
mod carriage;
mod catalog;
mod catalog_reader;
mod catalog_writer;
mod completion;
mod console;
mod cursor;
mod display;
mod ebcdic;
mod echoed_command;
mod error;
mod field;
mod idcams;
mod idcams_print;
mod idcams_reader;
mod job_log;
mod listcat;
mod log_display;
mod log_inventory;
mod log_map;
mod log_map_header;
mod log_map_list;
mod log_map_reader;
mod log_map_row;
mod log_map_tail;
mod log_map_writer;
mod log_status;
mod message;
mod print_clock;
mod printed_time;
mod report_writer;
mod sections;
mod statements;
mod stretch;
mod structure;
mod sysprint;
mod text;
mod threads;
mod time;
mod usage;
mod usage_reader;

pub use attributes::{Attribute, details, not_found};
pub use catalog::{
    CatalogDate, CatalogEntry, CatalogListing, CatalogTotals, CatalogVolume, Completeness, DeviceType,
    EntryKind, NotListed, VolumePlace,
};
pub use completion::{abnormal_completion, normal_completion};
pub use display::{Displayed, DisplayedObject};
pub use ebcdic::Encoding;
pub use echoed_command::EchoedDisplay;
pub use error::ListingError;
pub use field::AddressWidth;
pub use idcams::{
    entry_not_found, function_completed, function_terminated, processing_complete, records_processed,
};
pub use idcams_print::{
    Copied, CopyEnd, Deletion, DeletionResult, IdcamsFunction, IdcamsOutcome, IdcamsPrint,
};
pub use job_log::{FullArchiveVolume, LogEvent};
pub use listcat::{LinearDataSet, Listcat, RbaExtent, Space, SpaceType, listcat};
pub use log_display::{DisplayedCopy, DisplayedLog, DisplayedParameter};
pub use log_inventory::{InventoryOperation, InventoryResult, InventoryStatement, LogInventoryChange};
pub use log_map::{
    ActiveLog, ActiveStatus, ArchiveCommand, ArchiveVolume, ConditionalRestart, LogMap, LogMapHeader, LogRow,
    QueuedCheckpoint, RestartField,
};
pub use log_map_writer::LogMapLayout;
pub use log_status::{CopyStatus, LogParameter, LogStatus, OffloadState, log_parameters, log_status};
pub use print_clock::{PrintClock, Printed};
pub use printed_time::PrintedTime;
pub use sections::{Report, Section, read, read_in_stretches};
pub use stretch::{Stretch, StretchRead};
pub use structure::{BackupRange, Connection, ConnectionState, ConnectionUnit, Structure, StructureBackup};
pub use sysprint::Sysprint;
pub use text::{Line, Text};
pub use threads::{
    Thread, active_threads, archive_log_quiesce_active, in_doubt_threads, thread_report_complete,
    thread_report_follows,
};
pub use time::{date, date_and_time, julian_date};
pub use usage::{
    DataSetRow, buffer_pool_attributes, data_set_usage, page_set_usage, recovery_parts, restart_rbas,
};
pub use usage_reader::{
    BufferPoolRow, DataSetUsageRow, LogAddress, PageSetCondition, PageSetPages, PageSetRow, SmdsBufferRow,
    SmdsRow,
};
