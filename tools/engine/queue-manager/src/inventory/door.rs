//! Getting a change into the BSDS, whether the queue manager runs or not.

use std::path::Path;
use std::time::{Duration, Instant};

use engine_log::{BSDS_NAMES, BsdsAtRest, LogError, LogReader};
use engine_recovery::{RecoveryError, status};
use engine_storage::SharedStorage;
use format_bsds::Bsds;
use format_protocol::{Reply, Request};
use format_types::{ConditionCode, Rba, Timestamp};

use super::{Circumstances, Refusal, change, needed_from};
use crate::client::{Client, ClientError};
use crate::{CoreError, files};

/// Pause before a directory that somebody has is tried again.
const TRY_AGAIN: Duration = Duration::from_millis(20);

/// What was changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BsdsChanged {
    /// By the running queue manager; else in its files.
    pub live: bool,
    /// Sequence of the BSDS.
    pub sequence: u64,
    /// Digest of its facts afterwards, see [`Bsds::facts`].
    pub facts: u64,
    /// What was changed, each with a message identifier.
    pub lines: Vec<String>,
    /// What the log manager said, where the files were changed.
    pub messages: Vec<String>,
}

/// Why nothing was changed.
#[derive(Debug, thiserror::Error)]
pub enum ChangeError {
    /// The queue manager does not answer; or the change was refused, by it or where it is down.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The files cannot be changed.
    #[error(transparent)]
    Core(#[from] CoreError),
}

impl From<LogError> for ChangeError {
    fn from(error: LogError) -> Self {
        Self::Core(error.into())
    }
}

impl From<RecoveryError> for ChangeError {
    fn from(error: RecoveryError) -> Self {
        Self::Core(error.into())
    }
}

impl ChangeError {
    /// The condition code that this deserves.
    #[must_use]
    pub fn code(&self) -> ConditionCode {
        match self {
            Self::Client(error) => error.code(),
            Self::Core(_) => ConditionCode::Refused,
        }
    }
}

/// Makes the change that `request` asks for ([`Request::HoldPoint`] to [`Request::SettleArchives`]) in the BSDS of the queue manager in
/// `dir`: the running one is asked, as `application`; where none runs, the files are changed under the directory's lock. `timeout` bounds
/// every wait, also that for a queue manager which is starting or ending.
///
/// # Errors
/// When it is refused ([`ClientError::Refused`], either way), the queue manager does not answer, or its files cannot be changed. After
/// [`ClientError::Timeout`] and [`ClientError::Broken`] it is unknown whether it was made; it may be asked for again.
pub fn change_bsds(
    storage: &SharedStorage,
    dir: &Path,
    request: &Request,
    application: &str,
    timeout: Duration,
    now: Timestamp,
) -> Result<BsdsChanged, ChangeError> {
    let started = Instant::now();
    loop {
        match Client::connect(dir, application, timeout) {
            Ok(mut client) => {
                return match client.call(request)? {
                    Reply::BsdsChanged { sequence, facts, lines } => {
                        Ok(BsdsChanged { live: true, sequence, facts, lines, messages: Vec::new() })
                    }
                    _ => Err(ClientError::Unexpected("A CHANGE OF THE BSDS").into()),
                };
            }
            Err(ClientError::NotRunning { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        match change_at_rest(storage, dir, request, now) {
            Err(ChangeError::Core(CoreError::InUse(_))) if started.elapsed() < timeout => {
                std::thread::sleep(TRY_AGAIN);
            }
            changed => return changed,
        }
    }
}

/// What the change would say of a queue manager whose inventory is `bsds`. What a restart needs is not looked at.
///
/// # Errors
/// When it would be refused.
pub fn foresee_change(bsds: &Bsds, request: &Request, now: Timestamp) -> Result<Vec<String>, ClientError> {
    change(&mut bsds.clone(), request, &Circumstances { now, needed_from: Rba::MAX }).map_err(refused)
}

fn refused(refusal: Refusal) -> ClientError {
    let Refusal { id, text } = refusal;
    ClientError::Refused { code: ConditionCode::Refused, id: id.to_owned(), text }
}

/// The same in the files of a queue manager that is down. Killed at any moment, the change is made or not made.
///
/// # Errors
/// As those of [`change_bsds`]; [`CoreError::InUse`] when the directory's lock is somebody's; and when the end of the log cannot be found,
/// for then nothing shows that this is not a BSDS from before.
pub fn change_at_rest(
    storage: &SharedStorage,
    dir: &Path,
    request: &Request,
    now: Timestamp,
) -> Result<BsdsChanged, ChangeError> {
    let io = |what, path: &Path, source| CoreError::Io { what, path: path.to_owned(), source };
    let mut there = false;
    for name in BSDS_NAMES {
        let path = dir.join(name);
        there |= storage.exists(&path).map_err(|error| io("LOOK FOR", &path, error))?;
    }
    if !there {
        // Taking its lock would make a file.
        return Err(CoreError::NotThere(dir.to_owned()).into());
    }
    let path = dir.join(files::LOCK);
    let lock = storage.lock(&path).map_err(|error| io("LOCK", &path, error))?;
    let _lock = lock.ok_or_else(|| CoreError::InUse(dir.to_owned()))?;
    change_under_lock(&mut BsdsAtRest::read(storage, dir)?, storage, dir, request, now)
}

/// The same in a BSDS that was read already, that of `dir`, by whoever has the directory's lock since: so that several changes, and what
/// is done between them, are nobody else's chance.
///
/// # Errors
/// As those of [`change_at_rest`].
pub fn change_under_lock(
    at_rest: &mut BsdsAtRest,
    storage: &SharedStorage,
    dir: &Path,
    request: &Request,
    now: Timestamp,
) -> Result<BsdsChanged, ChangeError> {
    let mut reader = LogReader::with_bsds(storage, dir, at_rest.bsds().clone());
    // Page sets are looked at only where a deletion asks what a restart needs.
    let usage = match request {
        Request::MarkArchives { .. } => Some(status::at_rest_by(&mut reader, storage, dir)?.system_recovery),
        _ => {
            reader.find_end()?;
            None
        }
    };
    let applied = |bsds: &mut Bsds| {
        let needed_from = usage.as_ref().map_or(Rba::ZERO, |usage| needed_from(bsds, usage));
        Ok::<_, ChangeError>(change(bsds, request, &Circumstances { now, needed_from }).map_err(refused)?)
    };
    let (lines, messages) = at_rest.update(applied)?;
    let bsds = at_rest.bsds();
    Ok(BsdsChanged { live: false, sequence: bsds.sequence, facts: bsds.facts(), lines, messages })
}
