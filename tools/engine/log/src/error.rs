//! What goes wrong with a log.

use std::io;
use std::path::Path;

use format_log::RecordError;
use format_types::{HistoryId, Rba, RbaRange};

/// What went wrong, where, and what to do about it.
#[derive(Debug, thiserror::Error)]
pub enum LogError {
    /// Storage refused. Its message says the operation and the path.
    #[error("HWT201E {what}: {source}")]
    Storage {
        /// What was being done.
        what: String,
        /// The storage's answer.
        source: io::Error,
    },
    /// Neither copy of the BSDS serves.
    #[error(
        "HWT202E neither copy of the BSDS can be used: {first}; {second}. \
         Restore one of them, or make them anew with 'recover QMGR --rebuild-bsds'"
    )]
    Bsds {
        /// What is wrong with copy 1.
        first: String,
        /// What is wrong with copy 2.
        second: String,
    },
    /// A copy of the BSDS was written by a newer program.
    #[error("HWT203E {name} is of a newer format version: {why}")]
    NewerBsds {
        /// The copy.
        name: String,
        /// What it says.
        why: String,
    },
    /// The BSDS is older than the log.
    #[error(
        "HWT204E the BSDS is stale: its sequence is {bsds}, \
         but the log at RBA {rba} in {data_set} was written under sequence {found}. \
         Put the newer copy of the BSDS back"
    )]
    StaleBsds {
        /// Sequence of the BSDS.
        bsds: u64,
        /// Higher sequence found.
        found: u64,
        /// Where.
        rba: Rba,
        /// In which data set.
        data_set: String,
    },
    /// Log that must be there cannot be read.
    #[error(
        "HWT205E the log is damaged at RBA {rba}: {why}. Restore one of the data sets, or recover to an RBA before the damage"
    )]
    Damage {
        /// First byte that cannot be read.
        rba: Rba,
        /// For each data set that should hold it: its name and what is wrong.
        why: String,
    },
    /// The only copy there is stopped being written before the log ended.
    #[error(
        "HWT206E active log copy {copy} was stopped at RBA {rba} and is not the whole log; the other copy is missing: {why}. \
         Restore the other copy"
    )]
    CopyStopped {
        /// The copy that is there.
        copy: u8,
        /// It is complete below this.
        rba: Rba,
        /// Why the other one cannot be used.
        why: String,
    },
    /// Data sets that hold log not yet archived are gone.
    #[error(
        "HWT207E active log data sets cannot be used, and they hold log that is not archived: {0}. Restore one copy of them"
    )]
    Missing(String),
    /// No copy of the log can be written any more.
    #[error(
        "HWT208S no copy of the active log can be written any more: {0}. The queue manager ends; start it again when the cause is gone"
    )]
    CopiesLost(String),
    /// All active logs are full.
    #[error("CSQJ111A OUT OF SPACE IN ACTIVE LOG DATA SETS")]
    Full,
    /// No data set to switch to.
    #[error(
        "CSQJ319I CURRENT ACTIVE LOG DATA SET IS THE LAST AVAILABLE ACTIVE LOG DATA SET. ARCHIVE LOG PROCESSING WILL BE TERMINATED"
    )]
    LastAvailable,
    /// A record longer than any may be.
    #[error("HWT209S a log record of {length} bytes is longer than any may be")]
    RecordTooLong {
        /// Its bytes.
        length: usize,
    },
    /// No record begins there.
    #[error("HWT210E no log record begins at RBA {0}")]
    NoRecord(Rba),
    /// Bytes with a right checksum that are no record.
    #[error("HWT211E the log record at RBA {rba} cannot be read: {source}")]
    Record {
        /// Where.
        rba: Rba,
        /// Why.
        source: RecordError,
    },
    /// Log that no inventory entry covers.
    #[error("HWT212E log from RBA {} to {} is in no data set that the BSDS names", .0.start, .0.last())]
    NotInInventory(RbaRange),
    /// A log that cannot be made.
    #[error("HWT213E {0}")]
    Settings(String),
    /// The log manager failed before.
    #[error("HWT214S the log manager has ended: {0}")]
    Ended(String),
    /// A cut where there is no log.
    #[error(
        "HWT290E the log ends at RBA {end}, and cannot be cut at {cut}: name an RBA that is not behind its end"
    )]
    CutBeyondEnd {
        /// Where it was to be cut.
        cut: Rba,
        /// Where it ends.
        end: Rba,
    },
    /// The tail that a cut leaves behind could not be kept.
    #[error(
        "HWT291E log {range} could not be archived, and is to be kept before the log goes on in a new history: {why}. Nothing was cut; \
         make room for archives, then do it again"
    )]
    TailNotArchived {
        /// The log.
        range: RbaRange,
        /// Why.
        why: String,
    },
    /// A cut has no active data sets in which the new history could begin.
    #[error(
        "HWT295E the log cannot be cut: no pair of active log data sets is left that a new log history could begin in, for each holds log \
         that is archived nowhere and cannot be archived. Nothing was cut; restore a copy of one of them, so that it can be archived"
    )]
    NoPlaceToBegin,
    /// There is no log to go by.
    #[error(
        "HWT238E no active log here holds log of the queue manager's current history: there is nothing that a BSDS could be made from"
    )]
    NoLog,
    /// A copy of the BSDS serves.
    #[error(
        "HWT239E the BSDS is there and can be used, its sequence is {sequence}: it is not made anew. If one copy is bad, the next start \
         repairs it from the other"
    )]
    GoodBsds {
        /// Its sequence.
        sequence: u64,
    },
    /// Files of log contradict each other.
    #[error(
        "HWT236E files of log contradict each other: {0}. Take away the one that does not belong there, then try again"
    )]
    Ambiguous(String),
    /// Log of a history that no inventory describes.
    #[error(
        "HWT237E {name} holds log of history {history}, and no copy of the BSDS that is there says what that was cut from. \
         Put a copy of the BSDS made since beside it, as ARCHLOG1.Bnnnnnnn, or take the file away to leave its log out"
    )]
    UnknownHistory {
        /// The file.
        name: String,
        /// The history.
        history: HistoryId,
    },
    /// The BSDS says what cannot be.
    #[error("HWT215E the BSDS cannot be right: {0}. Restore the BSDS")]
    Inventory(String),
}

impl LogError {
    /// Storage refused while `what` was being done.
    pub(crate) fn storage(what: impl Into<String>, source: io::Error) -> Self {
        Self::Storage { what: what.into(), source }
    }

    /// Storage refused something done to `path`.
    pub(crate) fn at(what: &str, path: &Path, source: io::Error) -> Self {
        Self::storage(format!("{what} {}", path.display()), source)
    }

    /// Whether the log manager can go on after it.
    #[must_use]
    pub const fn is_final(&self) -> bool {
        matches!(self, Self::CopiesLost(_) | Self::Ended(_) | Self::Bsds { .. })
    }
}
