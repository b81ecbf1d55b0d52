//! A recovery point as a program registers it with the queue manager, and archives as it names them.

use format_types::{ArchiveReference, HistoryId, PageSetId, Rba, SystemRecovery, Timestamp};

pub use format_types::{PointMethod, PointState};

use crate::field::{choice_field, struct_field};

choice_field!(PointMethod, "method of a recovery point" { 1 => Fuzzy, 2 => Full });
choice_field!(PointState, "state of a recovery point" { 1 => Verified, 2 => Unverified, 3 => Damaged });

/// What the BSDS is to keep of a finished recovery point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointRegistration {
    /// Its name; the same name registered the backup.
    pub name: String,
    /// The directory that it is published in, absolute.
    pub directory: String,
    /// How it was made.
    pub method: PointMethod,
    /// What is known of its bytes.
    pub state: PointState,
    /// When its backup was registered.
    pub at: Timestamp,
    /// The history of the log that it belongs to.
    pub history: HistoryId,
    /// End of the log when the backup was registered.
    pub start: Rba,
    /// End of the log when the last page had been copied.
    pub end: Rba,
    /// Per page set the recovery RBA of page zero as it was copied.
    pub page_sets: Vec<(PageSetId, Rba)>,
    /// The system recovery RBA when the backup was registered.
    pub system_recovery: SystemRecovery,
}

struct_field!(ArchiveReference { copy, name, history, range });
struct_field!(PointRegistration {
    name,
    directory,
    method,
    state,
    at,
    history,
    start,
    end,
    page_sets,
    system_recovery,
});
