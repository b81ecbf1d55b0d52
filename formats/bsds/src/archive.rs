//! Entries of archive logs.

use format_types::{ArchiveReference, HistoryId, Lrsn, RbaRange, Timestamp};

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
    /// It is being deleted: its file may be gone at any moment, and is no damage when it is.
    pub deleting: bool,
}

impl ArchiveLog {
    /// Whether it is the one that `reference` names.
    #[must_use]
    pub fn is(&self, reference: &ArchiveReference) -> bool {
        self.name == reference.name
            && self.copy == reference.copy
            && self.history == reference.history
            && self.range == reference.range
    }

    /// What names it.
    #[must_use]
    pub fn reference(&self) -> ArchiveReference {
        ArchiveReference {
            copy: self.copy,
            name: self.name.clone(),
            history: self.history,
            range: self.range,
        }
    }
}
