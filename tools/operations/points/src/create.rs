//! Making a recovery point of a running queue manager, over its socket.

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use engine_queue_manager::client::{Client, ClientError};
use engine_storage::{SharedStorage, durable};
use format_manifest::Manifest;
use format_protocol::{Reply, Request};
use format_types::{ConditionCode, PointMethod, Rba, Timestamp};

use crate::copy::{CopiedSet, copy_page_set};
use crate::error::PointError;
use crate::full::resolve;
use crate::include_log::LogInclusion;
use crate::plan::{PointPlan, check_free};
use crate::publish::{publish_with_log, registration};

/// Page sets copied at the same time.
const PARALLEL: usize = 3;

/// Pause before the log is asked again to be archived.
const RETRY: Duration = Duration::from_millis(100);

/// The refusal of ARCHIVE LOG that passes: the next active log is being offloaded.
const LAST_AVAILABLE: &str = "CSQJ319I";

/// Refusal of ARCHIVE LOG while somebody's ARCHIVE LOG MODE(QUIESCE) is under way.
const ALREADY_IN_PROGRESS: &str = "CSQJ318I";

/// What is to be made.
#[derive(Debug, Clone)]
pub struct CreateSettings {
    /// The queue manager's directory.
    pub dir: PathBuf,
    /// The directory that the point will be; must not be there, its parent must.
    pub to: PathBuf,
    /// The point's name; none for the directory's.
    pub name: Option<String>,
    /// Bounds every wait for an answer, and the time that archiving the log may take.
    pub timeout: Duration,
    /// Copy the log that the point needs into it, so that it can be moved.
    pub include_log: bool,
}

/// How far it is: bytes copied of bytes in use, over all page sets. The total grows while page sets are begun.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PointProgress {
    /// Bytes copied.
    pub done: u64,
    /// Bytes to be copied, as far as known.
    pub total: u64,
}

/// What was made.
#[derive(Debug, Clone, PartialEq)]
pub struct CreatedPoint {
    /// The directory, absolute.
    pub directory: PathBuf,
    /// Its manifest.
    pub manifest: Manifest,
    /// Pages read again because they were caught half-written.
    pub reread: u64,
    /// Damaged pages: page set, page, reason.
    pub damaged: Vec<CopiedSet>,
    /// Seconds that copying took.
    pub copy_seconds: f64,
    /// Seconds that all of it took.
    pub seconds: f64,
    /// How often archiving the log had to wait for an active log.
    pub archive_retries: u32,
    /// What ARCHIVE LOG printed.
    pub archive_messages: Vec<String>,
}

impl CreatedPoint {
    /// 8 when the point is damaged, else 0.
    #[must_use]
    pub fn code(&self) -> ConditionCode {
        if self.damaged.is_empty() { ConditionCode::Done } else { ConditionCode::Partial }
    }
}

/// Makes a fuzzy recovery point: registers the backup (which records usage and holds the log), copies the page sets side by side, archives
/// the log last, and publishes all by one rename; then the BSDS names it.
///
/// # Errors
/// When it could not be made; the backup is then given up, and nothing is left under the point's name.
pub fn create_point(
    storage: &SharedStorage,
    settings: &CreateSettings,
    now: Timestamp,
    progress: &(dyn Fn(PointProgress) + Sync),
) -> Result<CreatedPoint, PointError> {
    let started = Instant::now();
    let (directory, name) = resolve(&settings.to, settings.name.as_deref())?;
    check_free(storage, &directory)?;
    let parent = durable::directory_of(&directory);
    if !storage.exists(parent).map_err(|e| PointError::storage("looking for", parent, e))? {
        return Err(PointError::NoParent(parent.to_owned()));
    }
    let mut client = Client::connect(&settings.dir, &format!("RECPOINT {name}"), settings.timeout)?;
    let Reply::Backup { usage, start, history, page_sets } =
        client.call(&Request::RegisterBackup { name: name.clone() })?
    else {
        return Err(ClientError::Unexpected("REGISTER BACKUP").into());
    };
    let plan = PointPlan {
        name,
        directory: directory.clone(),
        source: settings.dir.clone(),
        queue_manager: client.name().clone(),
        queue_manager_id: client.id(),
        history,
        method: PointMethod::Fuzzy,
        at: now,
        start,
        page_sets,
        system_recovery: usage.system_recovery,
    };
    let made = make(storage, settings, &plan, &mut client, progress);
    if made.is_err() && !matches!(made, Err(PointError::Exists(_))) {
        // The first error tells more; a killed attempt leaves the same behind, and the next one clears it.
        let _ = plan.abandon(storage);
        let _ = client.call(&Request::AbandonBackup);
    }
    let Made { manifest, copied, copy_seconds, archive } = made?;
    let entry = registration(&plan, &manifest);
    client.call(&Request::FinishBackup { entry })?;
    Ok(CreatedPoint {
        directory,
        manifest,
        reread: copied.iter().map(|set| set.report.reread).sum(),
        damaged: copied.into_iter().filter(|set| set.report.damaged_count > 0).collect(),
        copy_seconds,
        seconds: started.elapsed().as_secs_f64(),
        archive_retries: archive.retries,
        archive_messages: archive.lines,
    })
}

struct Made {
    manifest: Manifest,
    copied: Vec<CopiedSet>,
    copy_seconds: f64,
    archive: Archived,
}

fn make(
    storage: &SharedStorage,
    settings: &CreateSettings,
    plan: &PointPlan,
    client: &mut Client,
    progress: &(dyn Fn(PointProgress) + Sync),
) -> Result<Made, PointError> {
    plan.begin(storage)?;
    let started = Instant::now();
    let copied = copy_side_by_side(storage, plan, progress)?;
    let copy_seconds = started.elapsed().as_secs_f64();
    let Reply::Definitions(definitions) = client.call(&Request::Definitions)? else {
        return Err(ClientError::Unexpected("DEFINITIONS").into());
    };
    let archive = archive_log(client, settings.timeout)?;
    // All log that is needed is archived by now, so none of it is written over while it is copied.
    let log = match settings.include_log {
        true => Some(LogInclusion::begin(storage, plan, &copied, archive.end)?.run(&mut |_, _| {})?),
        false => None,
    };
    let manifest = publish_with_log(storage, plan, &copied, &definitions, archive.end, log)?;
    Ok(Made { manifest, copied, copy_seconds, archive })
}

/// Copies the page sets with a few threads, each taking the next one.
pub(crate) fn copy_side_by_side(
    storage: &SharedStorage,
    plan: &PointPlan,
    progress: &(dyn Fn(PointProgress) + Sync),
) -> Result<Vec<CopiedSet>, PointError> {
    let next = AtomicUsize::new(0);
    // Bytes done and expected of each page set.
    let parts = Mutex::new(vec![(0, 0); plan.page_sets.len()]);
    let work = || {
        let mut copied = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(page_set) = plan.page_sets.get(number) else { return Ok(copied) };
            let mut tell = |done, expected: Option<u64>| {
                let mut parts = parts.lock().unwrap_or_else(PoisonError::into_inner);
                if let Some(part) = parts.get_mut(number) {
                    *part = (done, expected.unwrap_or(done));
                }
                let (done, total) = parts.iter().fold((0, 0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
                drop(parts);
                progress(PointProgress { done, total });
            };
            match copy_page_set(storage, plan, *page_set, &mut tell) {
                Ok(set) => copied.push(set),
                Err(error) => {
                    // The others need not begin another one.
                    next.store(usize::MAX / 2, Ordering::Relaxed);
                    return Err(error);
                }
            }
        }
    };
    std::thread::scope(|scope| {
        let threads: Vec<_> = (0..PARALLEL.min(plan.page_sets.len())).map(|_| scope.spawn(work)).collect();
        let mut all = Vec::new();
        for thread in threads {
            match thread.join() {
                Ok(copied) => all.extend(copied?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(all)
    })
}

pub(crate) struct Archived {
    pub(crate) end: Rba,
    pub(crate) lines: Vec<String>,
    pub(crate) retries: u32,
}

/// Archives the log; while the current active log is the last available one, waits for the offload and tries again.
pub(crate) fn archive_log(client: &mut Client, timeout: Duration) -> Result<Archived, PointError> {
    let started = Instant::now();
    let mut retries = 0;
    loop {
        let request = Request::ArchiveLog { quiesce: None, wait_offload: true, cancel_offload: false };
        match client.call(&request) {
            Ok(Reply::LogArchived { end, lines }) => return Ok(Archived { end, lines, retries }),
            Ok(_) => return Err(ClientError::Unexpected("ARCHIVE LOG").into()),
            Err(ClientError::Refused { id, text, .. })
                if id.starts_with(LAST_AVAILABLE) || id.starts_with(ALREADY_IN_PROGRESS) =>
            {
                if started.elapsed() >= timeout {
                    let last = format!("{id} {text}");
                    return Err(PointError::Archive { seconds: timeout.as_secs(), last });
                }
                retries += 1;
                std::thread::sleep(RETRY);
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// Refuses what cannot be a point's name.
pub(crate) fn check_name(name: &str) -> Result<(), PointError> {
    let good = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    if (1..=64).contains(&name.len()) && name.bytes().all(good) {
        Ok(())
    } else {
        Err(PointError::Name(name.to_owned()))
    }
}
