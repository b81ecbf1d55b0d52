//! Why a load or an audit did not run.

use std::io;
use std::path::PathBuf;

use engine_queue_manager::client::ClientError;
use format_journal::JournalError;
use format_types::ConditionCode;

/// A load or an audit that could not run to its end.
#[derive(Debug, thiserror::Error)]
pub enum WorkloadError {
    /// The journal is there already.
    #[error("HWT601E {} is there already: a journal is never overwritten; give another name, or remove it", .0.display())]
    JournalExists(PathBuf),
    /// The journal cannot be read or written.
    #[error("HWT602S {}: the journal cannot be read or written: {error}", path.display())]
    JournalFile {
        /// The journal.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The journal is damaged.
    #[error("HWT603E {}: {error}. Without a sound journal nothing can be said of the messages", path.display())]
    Journal {
        /// The journal.
        path: PathBuf,
        /// Where and why.
        error: JournalError,
    },
    /// The queue manager did not do what was asked.
    #[error("{0}")]
    Client(#[from] ClientError),
    /// The queue manager's inventory cannot be read.
    #[error(transparent)]
    Log(#[from] engine_log::LogError),
    /// A queue could not be defined.
    #[error("HWT604E queue {queue} could not be defined: {why}")]
    Define {
        /// The queue.
        queue: String,
        /// What the command printed.
        why: String,
    },
    /// The settings make no sense.
    #[error("HWT605E {0}")]
    Settings(String),
}

impl WorkloadError {
    /// How bad it is.
    #[must_use]
    pub fn code(&self) -> ConditionCode {
        match self {
            Self::JournalFile { .. } => ConditionCode::Severe,
            Self::Client(error) => error.code(),
            _ => ConditionCode::Refused,
        }
    }
}
