//! Entries of backups, recovery points and holds.

use format_types::{HistoryId, PageSetId, Rba, SystemRecovery, Timestamp};

pub use format_types::{PointMethod, PointState};

/// A backup that has begun and not ended; it holds the log from then on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BackupInProgress {
    /// Its name.
    pub name: String,
    /// When it began.
    pub started: Timestamp,
    /// System recovery RBA at that time.
    pub system_recovery_rba: Rba,
    /// End of the log at that time.
    pub start_rba: Rba,
}

/// A recovery point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveryPointEntry {
    /// Its name.
    pub name: String,
    /// Where it is.
    pub directory: String,
    /// How it was made.
    pub method: PointMethod,
    /// What is known of it.
    pub state: PointState,
    /// When it was made.
    pub at: Timestamp,
    /// The history that its RBAs belong to.
    pub history: HistoryId,
    /// End of the log at its start.
    pub start: Rba,
    /// End of the log at its end.
    pub end: Rba,
    /// Recovery RBA of each page set as copied.
    pub page_sets: Vec<(PageSetId, Rba)>,
    /// The system recovery RBA at that time.
    pub system_recovery: SystemRecovery,
    /// When it was last found whole: its pages and the log that it needs. None while it was not looked at since it was made.
    pub verified_at: Option<Timestamp>,
}

/// A recovery point that must not be given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hold {
    /// The point's name.
    pub point: String,
    /// Why.
    pub reason: String,
    /// Until when; none for ever.
    pub until: Option<Timestamp>,
}

impl Hold {
    /// Whether it still holds at `now`.
    #[must_use]
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.until.is_none_or(|until| now < until)
    }
}
