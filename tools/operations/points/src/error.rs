//! Why a recovery point was not made, read or restored.

use std::io;
use std::path::{Path, PathBuf};

use engine_log::{LogError, LogGap};
use engine_queue_manager::client::ClientError;
use engine_queue_manager::{ChangeError, CoreError};
use engine_recovery::RecoveryError;
use format_manifest::ManifestError;
use format_types::{ConditionCode, HistoryId, PageSetId, Rba, RbaRange, Timestamp};
use operation_copy::CopyError;

use crate::loss::Loss;

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
    /// The point reaches behind a cut.
    #[error(
        "HWT525E recovery point {point} is off the line: it ends at RBA {point_end} in log history {history}, and {why}; nothing was \
            touched. Take a recovery point that ended before the cut, or one made since"
    )]
    OffTheLine {
        /// The point's name.
        point: String,
        /// End of the log at its end.
        point_end: Rba,
        /// Its history.
        history: HistoryId,
        /// What became of that.
        why: String,
    },
    /// The target lies where there is no log.
    #[error(
        "HWT526E the log ends at RBA {end}, and the recovery is to end at {target}; nothing was touched. Without --to-rba it goes to the \
            end of the log"
    )]
    TargetBehindEnd {
        /// The target.
        target: Rba,
        /// End of the log.
        end: Rba,
    },
    /// The point's copy ended behind the target.
    #[error(
        "HWT527E recovery point {point} does not serve RBA {target}: its copy ended at {point_end}, so its pages may hold what is behind \
            the target; nothing was touched. Take an earlier recovery point"
    )]
    PointTooLate {
        /// The point's name.
        point: String,
        /// End of the log when its copy ended.
        point_end: Rba,
        /// The target.
        target: Rba,
    },
    /// The target time is from before the point was begun.
    #[error(
        "HWT903E recovery point {point} does not serve {}: it was begun at {}, so it may hold what was committed between; nothing was \
            touched. Take an earlier recovery point, or --to-rba", time_text(*time), time_text(*begun)
    )]
    TimeBeforePoint {
        /// The point's name.
        point: String,
        /// When it was begun.
        begun: Timestamp,
        /// The time asked for.
        time: Timestamp,
    },
    /// The target time is not before any commit.
    #[error(
        "HWT528E no commit in the log is later than {}: {}, the log ends at RBA {end}; nothing was touched. Without --to-time the \
            recovery goes to the end of the log", time_text(*time), latest_text(*latest)
    )]
    NoLaterCommit {
        /// The time asked for.
        time: Timestamp,
        /// Time of the latest commit that was found.
        latest: Option<Timestamp>,
        /// End of the log.
        end: Rba,
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
    /// Log was deleted on purpose.
    #[error(
        "HWT500E log {range} was deleted on purpose: recovery point {point} recovers to the end of its copies and no further; nothing was \
            touched. Add --to-rba X'{point_end}', or take a later recovery point"
    )]
    LogDeleted {
        /// The point's name.
        point: String,
        /// The first stretch that is not there.
        range: RbaRange,
        /// End of its copies.
        point_end: Rba,
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
    /// A page set failed.
    #[error(transparent)]
    PageSet(#[from] engine_page_store::PageError),
    /// The restart failed.
    #[error(
        "{error}. The page sets are restored and not brought forward; what they replaced is kept as PSIDnn.replaced. \
            Repair the cause, then run recover again"
    )]
    Restart {
        /// Why.
        error: CoreError,
    },
    /// It failed on the way, with the page sets restored already.
    #[error(
        "{0}. The page sets are restored and not brought forward; what they replaced is kept as PSIDnn.replaced. Repair the cause, then run recover again"
    )]
    Halfway(Box<PointError>),
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
    /// Applications did not leave.
    #[error(
        "HWT581E applications were still connected after {seconds} s: {who}. Nothing was stopped, the queue manager runs on and no recovery \
            point was made. Have them end (ALTER QLOCAL(..) PUT(DISABLED) keeps putters out), or give a longer --timeout"
    )]
    Applications {
        /// The time given.
        seconds: f64,
        /// Their names.
        who: String,
    },
    /// Units of recovery are in doubt.
    #[error(
        "HWT582E units of recovery are unresolved: {units}. A full recovery point holds no undecided work; no point was made and nothing was \
            stopped. See DISPLAY THREAD(*) TYPE(INDOUBT) in {}, resolve each with RESOLVE INDOUBT(name) ACTION(COMMIT|BACKOUT) NID(nid), \
            or make a fuzzy point over them with --allow-in-doubt", dir.display()
    )]
    InDoubt {
        /// The queue manager's directory.
        dir: PathBuf,
        /// The units.
        units: String,
    },
    /// A page set is offline.
    #[error(
        "HWT583E page set {page_set} is offline, its changes from {from} on are in the log alone; no recovery point was made and nothing was \
            stopped. Bring the page set back first, or make a fuzzy point"
    )]
    PageSetOffline {
        /// The page set.
        page_set: PageSetId,
        /// Its recovery RBA.
        from: Rba,
    },
    /// The queue manager is down and was not stopped cleanly.
    #[error(
        "HWT584E the queue manager in {} is down and was not stopped cleanly: its log ends at {log_end} without a clean stop, and its page \
            sets lack changes that are in the log alone. No recovery point was made. Start it with 'qmgr start', then make the point again",
        dir.display()
    )]
    NotStoppedCleanly {
        /// The queue manager's directory.
        dir: PathBuf,
        /// End of its log.
        log_end: Rba,
    },
    /// A page set was not closed by the clean stop.
    #[error(
        "HWT585E page set {page_set} was not closed by the clean stop at {stop}: its recovery RBA is {from}, it is missing, damaged or was \
            offline. No recovery point was made. Bring it back (qmgr start, recover), then make the point again"
    )]
    NotClosed {
        /// The page set.
        page_set: PageSetId,
        /// Its recovery RBA; zero when page zero does not read.
        from: Rba,
        /// The clean stop.
        stop: Rba,
    },
    /// The point is whole, and the BSDS does not name it.
    #[error(
        "HWT586E the recovery point in {} is whole, but the BSDS could not be told of it: {error}. It can be used by its directory; \
            recpoint list does not show it", directory.display()
    )]
    NotRegistered {
        /// The point.
        directory: PathBuf,
        /// Why.
        error: String,
    },
    /// The name is taken.
    #[error(
        "HWT587E a recovery point {0} is known already: choose another name with --name; nothing was done"
    )]
    NameTaken(String),
    /// The machine had ended.
    #[error("HWT588E the making of recovery point {0} has ended already: begin another one")]
    Over(String),
    /// The objects' definitions cannot be read.
    #[error("HWT589E the definitions of the objects could not be read: {error}. No recovery point was made")]
    Definitions {
        /// Why.
        error: CoreError,
    },
    /// The state of a queue manager that is down cannot be read.
    #[error(transparent)]
    Recovery(#[from] RecoveryError),
    /// What is lost is not accepted.
    #[error("HWT563E nothing was done: {0}. If that is to be so, run it again with --accept-loss")]
    LossNotAccepted(Loss),
    /// A queue manager could not be made anew.
    #[error("{error}. Nothing was made in {}, and what is there was not touched", dir.display())]
    NotMade {
        /// The directory.
        dir: PathBuf,
        /// Why.
        error: Box<PointError>,
    },
    /// The restart of a queue manager that is being made failed.
    #[error("HWT565E the page sets could not be brought forward: {error}")]
    RestartAnew {
        /// Why.
        error: CoreError,
    },
    /// There is no queue manager to recover, and the point has no log to make one from.
    #[error(
        "HWT566E there is no queue manager in {}, and recovery point {point} holds no log to make one from; nothing was done. Check the \
            directory's name; or name the directory of its archives with --archives, or take a point made with --include-log", dir.display()
    )]
    HoldsNoLog {
        /// The point.
        point: String,
        /// The directory.
        dir: PathBuf,
    },
    /// No archive is there.
    #[error(
        "HWT567E {} holds no archive log of queue manager {queue_manager}: files named ARCHLOGn.Annnnnnn are wanted, with the BSDS copies \
            ARCHLOGn.Bnnnnnnn beside them; nothing was done", dir.display()
    )]
    NoArchives {
        /// The directory of archives.
        dir: PathBuf,
        /// The queue manager.
        queue_manager: String,
    },
    /// The archives end before the point.
    #[error(
        "HWT568E the archives in {} end at {end}, recovery point {point} reaches to {point_end}: its pages may be beyond them; nothing was \
            done. Bring the archives that follow, or take an earlier recovery point", dir.display()
    )]
    ArchivesTooShort {
        /// The point.
        point: String,
        /// The directory of archives.
        dir: PathBuf,
        /// Their end.
        end: Rba,
        /// End of the point.
        point_end: Rba,
    },
    /// The point needs log.
    #[error(
        "HWT569E recovery point {point} is fuzzy: its pages are of different moments, and only the log from {needed} to {end} brings them to \
            one. Without that log it cannot be recovered; nothing was done. Take a full recovery point, or one that holds its log"
    )]
    NotFull {
        /// The point.
        point: String,
        /// Log that it needs.
        needed: Rba,
        /// Its end.
        end: Rba,
    },
    /// The logs are not lost.
    #[error(
        "HWT570E the log in {} can be read from the recovery point to its end at {end}: nothing needs to be given up, and nothing was done. \
            Run recover without --logs-lost", dir.display()
    )]
    LogIsThere {
        /// The queue manager's directory.
        dir: PathBuf,
        /// End of the log.
        end: Rba,
    },
    /// Something is in the directory.
    #[error(
        "HWT571E {} is there and not empty: a queue manager is made in a directory that is not there or is empty; nothing was done. \
            Move it away, or name another directory", .0.display()
    )]
    DirectoryTaken(PathBuf),
    /// What a point's directory holds is not the point that the BSDS names.
    #[error("HWT597E the files in {} are not deleted: {why}; nothing was done. Forget the point without --delete-files", path.display())]
    NotItsFiles {
        /// The directory.
        path: PathBuf,
        /// Why.
        why: String,
    },
    /// A recovery was interrupted.
    #[error(
        "HWT485E RECOVERY POINT {point} IS NOT FORGOTTEN: a recovery is not finished, {} is there; run recover again to its end", left.display()
    )]
    RecoveryUnfinished {
        /// The point.
        point: String,
        /// What the recovery left.
        left: PathBuf,
    },
    /// It has what the queue manager's objects could be defined from again.
    #[error(
        "HWT487E RECOVERY POINT {0} IS NOT FORGOTTEN: it has the newest DEFINE statements that can be read; make another one first"
    )]
    NewestDefinitions(String),
    /// No such point.
    #[error("HWT481E RECOVERY POINT {0} IS NOT KNOWN: recpoint list shows those that are")]
    NotKnown(String),
    /// The BSDS was not changed.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// Active logs are missing or not as they were.
    #[error(
        "HWT572E {}. With both copies of the BSDS lost nothing says whether that file held log that is nowhere else. Nothing was written. \
            Bring the file back as it was last; or, if you know that it held none, or the loss of it is to be accepted, run it again with \
            --accept-loss",
        .0.join("; ")
    )]
    LogsMissing(Vec<String>),
    /// Needed log is in no file that can be read.
    #[error(
        "HWT564E {}. Nothing was written. Bring back or repair the files that hold it; or, if it is lost for good and that is to be \
            accepted, run it again with --accept-loss",
        listed(.0)
    )]
    LogGaps(Vec<LogGap>),
}

fn listed(gaps: &[LogGap]) -> String {
    gaps.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

impl PointError {
    pub(crate) fn storage(what: &'static str, path: &Path, error: io::Error) -> Self {
        Self::Storage { what, path: path.to_owned(), error }
    }

    /// How bad it is.
    #[must_use]
    pub fn code(&self) -> ConditionCode {
        match self {
            Self::Storage { .. } | Self::Restart { .. } | Self::Halfway(_) => ConditionCode::Severe,
            Self::NotMade { error, .. } => error.code(),
            Self::Copy(error) => error.code(),
            Self::Client(error) => error.code(),
            Self::Change(error) => error.code(),
            _ => ConditionCode::Refused,
        }
    }
}

fn time_text(time: Timestamp) -> String {
    i64::try_from(time.0)
        .ok()
        .and_then(|micros| jiff::Timestamp::from_microsecond(micros).ok())
        .map_or_else(|| format!("{} us since 1970", time.0), |time| time.to_string())
}

fn latest_text(latest: Option<Timestamp>) -> String {
    latest.map_or_else(
        || "there is none".to_owned(),
        |latest| format!("the latest is of {}", time_text(latest)),
    )
}
