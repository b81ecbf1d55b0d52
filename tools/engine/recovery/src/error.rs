//! What can stop a recovery.

use engine_log::LogError;
use engine_page_store::PageError;
use format_types::{PageSetId, Rba, Urid};

/// Why the recovery manager could not go on.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// The log manager failed.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The data manager or buffer manager failed.
    #[error(transparent)]
    Page(#[from] PageError),
    /// A unit's chain of records leads somewhere it cannot.
    #[error(
        "HWT401E UNIT OF RECOVERY {urid} CANNOT BE FOLLOWED: record at RBA {rba} {why}; the log is damaged there: recover from a \
         recovery point with an intact log copy"
    )]
    BrokenChain {
        /// The unit.
        urid: Urid,
        /// Where its chain breaks.
        rba: Rba,
        /// What was found.
        why: &'static str,
    },
    /// Log needed for a page set is below the start of what the log can supply.
    #[error(
        "HWT402E PAGE SET {page_set} NEEDS LOG FROM RBA {needed}, WHICH IS NOT AVAILABLE: {why}; restore a newer copy of the page \
         set or bring the archive log back"
    )]
    LogNotAvailable {
        /// The page set that needs it.
        page_set: PageSetId,
        /// From where.
        needed: Rba,
        /// Why it is not there.
        why: String,
    },
    /// The log stayed full during a restart.
    #[error(
        "CSQJ111A OUT OF SPACE IN ACTIVE LOG DATA SETS: restart cannot write its records and no data set could be offloaded; {0}"
    )]
    NoLogSpace(String),
}
