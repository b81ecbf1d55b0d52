//! Why a recovery point was not made, read or restored.

use std::io;
use std::path::{Path, PathBuf};

use engine_log::LogError;
use engine_queue_manager::CoreError;
use engine_queue_manager::client::ClientError;
use format_manifest::ManifestError;
use format_types::{ConditionCode, PageSetId, RbaRange};
use operation_copy::CopyError;

/// What went wrong.
#[derive(Debug, thiserror::Error)]
pub enum PointError {
    /// The directory of the point to be made is there already.
    #[error("HWT510E {} is there already: a recovery point is made in a new directory; nothing was done", .0.display())]
    Exists(PathBuf),
    /// The directory that the point is to be made in is missing.
    #[error("HWT524E {} is not there: a recovery point is made in a directory that exists; nothing was done", .0.display())]
    NoParent(PathBuf),
    /// The name cannot be one.
    #[error(
        "HWT511E '{0}' cannot be the name of a recovery point: 1 to 64 letters, digits, '.', '_' or '-' are wanted"
    )]
    Name(String),
    /// There is no manifest.
    #[error("HWT512E {} is no recovery point: {why}", path.display())]
    NotAPoint {
        /// The directory.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// The manifest does not read.
    #[error("HWT513E {}: {error}. The recovery point cannot be used; take another", path.display())]
    Manifest {
        /// The manifest.
        path: PathBuf,
        /// Why.
        error: ManifestError,
    },
    /// The point belongs to another queue manager or another history.
    #[error("HWT514E recovery point {point} is not of this queue manager: {why}; nothing was touched")]
    Foreign {
        /// The point's name.
        point: String,
        /// How they differ.
        why: String,
    },
    /// The point is damaged.
    #[error(
        "HWT515E recovery point {point} is damaged: {why}. Nothing was touched; take another recovery point"
    )]
    Damaged {
        /// The point's name.
        point: String,
        /// What is damaged: each page set and page.
        why: String,
    },
    /// Log is missing.
    #[error("HWT516E log {range} can be read from no data set ({why}), and recovery point {point} needs the log from \
        {} to {}; nothing was touched. Bring back {what}, or take a later recovery point", needed.start, needed.last())]
    LogMissing {
        /// The point's name.
        point: String,
        /// The first stretch that is missing.
        range: RbaRange,
        /// All that is needed.
        needed: RbaRange,
        /// What is wrong.
        why: String,
        /// The data sets that would hold it.
        what: String,
    },
    /// The log ends before the point.
    #[error(
        "HWT517E the log ends at {log_end}, recovery point {point} reaches to {point_end}: its pages may be beyond \
            the log; nothing was touched. Bring back the log, or take an earlier recovery point"
    )]
    LogTooShort {
        /// The point's name.
        point: String,
        /// End of the log.
        log_end: format_types::Rba,
        /// End of the point.
        point_end: format_types::Rba,
    },
    /// Another process owns the directory.
    #[error("HWT518E {} is in use: its queue manager is running, or another program has it; nothing was touched. Stop \
        it first with 'qmgr stop'", .0.display())]
    InUse(PathBuf),
    /// There is no queue manager.
    #[error("HWT413E NO QUEUE MANAGER IN {}: it has no BSDS; check the directory's name", .0.display())]
    NoQueueManager(PathBuf),
    /// A page set was asked for that the point does not have.
    #[error("HWT519E recovery point {point} holds no page set {page_set}; nothing was touched")]
    NotInPoint {
        /// The point's name.
        point: String,
        /// The page set.
        page_set: PageSetId,
    },
    /// A page set was asked for that the queue manager does not have.
    #[error(
        "HWT523E page set {page_set} is not one of this queue manager: it was deleted since the recovery point was \
            made; nothing was touched"
    )]
    NotDefined {
        /// The page set.
        page_set: PageSetId,
    },
    /// A page set that is not to be restored cannot be used.
    #[error(
        "HWT520E page set {page_set} is not to be restored, and cannot be used as it is: {why}; nothing was touched. \
            Restore it too with --psid {page_set}, or restore all"
    )]
    OtherPageSet {
        /// The page set.
        page_set: PageSetId,
        /// Why.
        why: String,
    },
    /// Storage refused.
    #[error("HWT521S {what} {} failed: {error}", path.display())]
    Storage {
        /// What was done.
        what: &'static str,
        /// To what.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A copy failed.
    #[error(transparent)]
    Copy(#[from] CopyError),
    /// The log failed.
    #[error(transparent)]
    Log(#[from] LogError),
    /// The restart failed.
    #[error(
        "{error}. The page sets are restored and not brought forward; what they replaced is kept as PSIDnn.replaced. \
            Repair the cause, then run recover again"
    )]
    Restart {
        /// Why.
        error: CoreError,
    },
    /// The queue manager refused or vanished.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The log could not be archived in time.
    #[error(
        "HWT522E the log could not be archived within {seconds} s: {last}. The recovery point was given up; make room \
            in the active logs (is offload working?), then try again"
    )]
    Archive {
        /// The time given.
        seconds: u64,
        /// The last refusal.
        last: String,
    },
}

impl PointError {
    pub(crate) fn storage(what: &'static str, path: &Path, error: io::Error) -> Self {
        Self::Storage { what, path: path.to_owned(), error }
    }

    /// How bad it is.
    #[must_use]
    pub fn code(&self) -> ConditionCode {
        match self {
            Self::Storage { .. } | Self::Restart { .. } => ConditionCode::Severe,
            Self::Copy(error) => error.code(),
            Self::Client(error) => error.code(),
            _ => ConditionCode::Refused,
        }
    }
}
