//! Printed reports that people already have: DISPLAY USAGE, DISPLAY LOG, DISPLAY of objects, LISTCAT.
//!
//! # Purpose
//! Scripts parse these reports by message identifier, word and column. What is written here has the identifiers, the wording and the
//! columns that those scripts know; what is read here is what they read.
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
//! Each module gives the columns of its report. RBAs are 16 upper-case hexadecimal digits; 12 are read too. Page counts are decimal.
//! Times are UTC.
//!
//! # Validity rule
//! A report starts with its message identifier and ends with its last line. A line between the two that looks like an entry and does
//! not read is an error with line and column; it is never skipped and never guessed at.
//!
//! # Torn tail
//! A report without its last line is incomplete, and an error.
//!
//! # Non-goals
//! Page headings, carriage control and console prefixes of captured listings: what reads captured listings strips them first.

mod attributes;
mod carriage;
mod completion;
mod console;
mod cursor;
mod ebcdic;
mod error;
mod field;
mod idcams;
mod listcat;
mod log_map;
mod log_map_header;
mod log_map_reader;
mod log_map_row;
mod log_map_tail;
mod log_map_writer;
mod log_status;
mod printed_time;
mod sections;
mod sysprint;
mod text;
mod threads;
mod time;
mod usage;
mod usage_reader;

pub use attributes::{Attribute, details, not_found};
pub use completion::{abnormal_completion, normal_completion};
pub use ebcdic::Encoding;
pub use error::ListingError;
pub use field::AddressWidth;
pub use idcams::{
    entry_not_found, function_completed, function_terminated, processing_complete, records_processed,
};
pub use listcat::{LinearDataSet, Listcat, RbaExtent, Space, SpaceType, listcat};
pub use log_map::{
    ActiveLog, ActiveStatus, ArchiveCommand, ArchiveVolume, ConditionalRestart, LogMap, LogMapHeader, LogRow,
    QueuedCheckpoint, RestartField,
};
pub use log_map_writer::LogMapLayout;
pub use log_status::{CopyStatus, LogParameter, LogStatus, OffloadState, log_parameters, log_status};
pub use printed_time::PrintedTime;
pub use sections::{Report, Section, read};
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
pub use usage_reader::{BufferPoolRow, DataSetUsageRow, PageSetPages, PageSetRow, UsageListing, read_usage};
