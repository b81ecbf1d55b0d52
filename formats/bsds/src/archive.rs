//! Entries of archive logs.

use format_types::{HistoryId, Lrsn, RbaRange, Timestamp};

/// An archive log data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ArchiveLog {
    /// Copy 1 or 2.
    pub copy: u8,
    /// Its name.
    pub name: String,
    /// The history that it belongs to.
    pub history: HistoryId,
    /// The log it holds.
    pub range: RbaRange,
    /// LRSN of its first record.
    pub start_lrsn: Lrsn,
    /// LRSN of its last record.
    pub end_lrsn: Lrsn,
    /// When it was written.
    pub written_at: Timestamp,
    /// Unit, as the inventory of the modelled system has it; `DISK` here.
    pub unit: String,
    /// Volume; empty on disk.
    pub volume: String,
    /// Name of the copy of the BSDS written with it; empty when that failed.
    pub bsds_name: String,
}
