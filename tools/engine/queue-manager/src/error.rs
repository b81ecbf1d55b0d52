//! What ends or refuses a queue manager.

use std::path::PathBuf;

use engine_log::LogError;
use engine_page_store::PageError;
use engine_recovery::RecoveryError;
use format_types::PageSetId;

/// Why a queue manager could not be created, started or kept running.
#[derive(Debug, thiserror::Error)]
pub enum CoreError {
    /// The log manager failed.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The data manager or buffer manager failed.
    #[error(transparent)]
    Page(#[from] PageError),
    /// The recovery manager failed.
    #[error(transparent)]
    Recovery(#[from] RecoveryError),
    /// A file operation failed.
    #[error("HWT410E {what} {} FAILED: {source}", path.display())]
    Io {
        /// What was attempted, as a verb in capitals.
        what: &'static str,
        /// On what.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The directory to be created is there and not empty.
    #[error("HWT411E {} IS NOT EMPTY: nothing was created; name a new directory", .0.display())]
    NotEmpty(PathBuf),
    /// Another process owns the directory.
    #[error("HWT412E {} IS IN USE: its queue manager is running, or another program has it; stop that first", .0.display())]
    InUse(PathBuf),
    /// There is no queue manager in the directory.
    #[error("HWT413E NO QUEUE MANAGER IN {}: it has no BSDS; check the directory's name", .0.display())]
    NotThere(PathBuf),
    /// An option is out of its range.
    #[error("HWT414E {0}")]
    Setting(String),
    /// A page set could not be brought forward.
    #[error("HWT470S PAGE SET {page_set} WENT OFFLINE WHILE IT WAS BROUGHT FORWARD: {why}")]
    WentOffline {
        /// The page set.
        page_set: PageSetId,
        /// What was said of it.
        why: String,
    },
    /// Something on pages contradicts itself.
    #[error("HWT415S {0}")]
    Contradiction(String),
}
