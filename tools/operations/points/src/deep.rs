//! Proving a recovery point by recovering from it: on a queue manager made of it in a scratch directory, with the real recovery and the
//! real start. The point, and the queue manager that it was made of, are only read; that one may run.

use std::path::{Path, PathBuf};
use std::time::Instant;

use engine_queue_manager::{Core, CoreError, StartOptions};
use engine_storage::SharedStorage;
use format_types::{PageSetId, PointState, RbaRange, Timestamp};
use operation_copy::CopyError;
use serde::Serialize;

use crate::anew::{AnewPlan, AnewSettings, AnewSource, beside, make_anew};
use crate::error::PointError;
use crate::list::read_bsds;
use crate::point::Point;
use crate::recover::RecoverProgress;
use crate::restore::Driver;

/// How often the log is looked up again because it was archived and used again meanwhile.
const ATTEMPTS: u32 = 5;

/// How the name of a scratch directory goes on after that of the point; 16 hexadecimal digits follow.
const ENDING: &str = ".deep-";
/// How the name of the file beside it goes on, which is locked as long as the directory is in use.
const LOCK: &str = ".lock";

/// Where and how.
#[derive(Debug, Clone)]
pub struct DeepSettings {
    /// The directory that the scratch queue manager is made in; none for the one that the point is in. It must be there.
    pub scratch: Option<PathBuf>,
    /// How page sets are copied.
    pub driver: Driver,
    /// 64 random bits: for the name of the scratch directory and the history that begins in it.
    pub random: u64,
}

/// What a recovery from the point came to.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct DeepReport {
    /// The scratch directory; it is gone again unless `left` says otherwise.
    pub scratch: PathBuf,
    /// Pages restored.
    pub pages: u64,
    /// Log that was read forward.
    pub forward: Option<RbaRange>,
    /// Log records in it.
    pub records: u64,
    /// Page sets that were online after the start.
    pub page_sets: Vec<PageSetId>,
    /// Seconds that all of it took.
    pub seconds: f64,
    /// Why it failed; none when it did not.
    pub failure: Option<String>,
    /// What is known of the point by it: damaged when the point is to blame, unverified when something else failed.
    pub state: PointState,
    /// Why the scratch directory could not be removed.
    pub left: Option<String>,
}

/// Recovers from `point` in a scratch directory, as far as the log of `queue_manager` goes or, without one, to the end of the log that the
/// point holds; starts the queue manager that comes out of it, which reads every message, and stops it; removes it.
///
/// # Errors
/// When the directory for it is not there. What goes wrong with the recovery is in the report.
pub fn verify_deep(
    storage: &SharedStorage,
    point: &Point,
    queue_manager: Option<&Path>,
    settings: &DeepSettings,
    now: Timestamp,
    progress: &mut dyn FnMut(RecoverProgress),
) -> Result<DeepReport, PointError> {
    let started = Instant::now();
    let place = match &settings.scratch {
        Some(parent) => {
            if !storage.exists(parent).map_err(|e| PointError::storage("looking for", parent, e))? {
                return Err(PointError::NoParent(parent.clone()));
            }
            parent.join(point.directory.file_name().unwrap_or_default())
        }
        None => point.directory.clone(),
    };
    // What is in the way of somebody else's scratch directory is no fault of this point.
    let _ = remove_dead(storage, &place);
    let scratch = beside(&place, &format!("{ENDING}{:016x}", settings.random));
    let lock_file = beside(&scratch, LOCK);
    let source = match queue_manager.filter(|dir| read_bsds(storage, dir).is_ok()) {
        Some(dir) => AnewSource::Log(dir.to_owned()),
        None => AnewSource::Point,
    };
    let mut report = DeepReport {
        scratch: scratch.clone(),
        pages: 0,
        forward: None,
        records: 0,
        page_sets: Vec::new(),
        seconds: 0.0,
        failure: None,
        state: PointState::Verified,
        left: None,
    };
    let anew = AnewSettings {
        dir: scratch.clone(),
        from: point.directory.clone(),
        source,
        accept_loss: true,
        frames: None,
        driver: settings.driver,
        dry_run: false,
        random: settings.random,
    };
    let locked = storage.lock(&lock_file).map_err(|error| PointError::storage("locking", &lock_file, error));
    let proved = locked.and_then(|lock| {
        let proved = prove(storage, &anew, now, &mut report, progress);
        report.left = remove(storage, &scratch, &lock_file).err().map(|error| error.to_string());
        drop(lock);
        proved
    });
    if let Err(error) = proved {
        report.state = blame(&error);
        report.failure = Some(error.to_string());
    }
    report.seconds = started.elapsed().as_secs_f64();
    Ok(report)
}

fn prove(
    storage: &SharedStorage,
    anew: &AnewSettings,
    now: Timestamp,
    report: &mut DeepReport,
    progress: &mut dyn FnMut(RecoverProgress),
) -> Result<(), PointError> {
    let mut attempts = 0;
    let made = loop {
        attempts += 1;
        let plan = AnewPlan::make(storage, anew, &mut |_, _| {})?;
        match make_anew(storage, &plan, anew, now, progress) {
            // The log of a queue manager that runs may be archived, and its data set used again, while it is copied.
            Err(PointError::NotMade { error, .. })
                if matches!(*error, PointError::Log(_)) && attempts < ATTEMPTS => {}
            made => break made?,
        }
    };
    report.pages = made.pages;
    report.forward = Some(made.forward);
    report.records = made.records;
    let restart = |error: CoreError| PointError::RestartAnew { error };
    let options = StartOptions { index: true, read_from: None, frames: None, progress: &mut |_| {} };
    let mut core = Core::start(storage, &anew.dir, options, now).map_err(restart)?;
    let usage = core.usage();
    core.stop(true);
    core.run_to_stop().map_err(restart)?;
    report.page_sets = usage.page_sets.iter().filter(|set| set.online).map(|set| set.page_set).collect();
    match usage.page_sets.iter().find(|set| !set.online) {
        None => Ok(()),
        Some(set) => {
            let said = core.take_messages();
            let why = said.into_iter().find(|line| line.starts_with("HWT321E"));
            let why = why.unwrap_or_else(|| "it could not be used".to_owned());
            Err(restart(CoreError::WentOffline { page_set: set.page_set, why }))
        }
    }
}

/// What a failure says of the point: only what its own files are shown to be is its fault.
fn blame(error: &PointError) -> PointState {
    match error {
        PointError::NotMade { error, .. } => blame(error),
        PointError::Damaged { .. } | PointError::Manifest { .. } => PointState::Damaged,
        PointError::Copy(CopyError::PageZero { .. } | CopyError::Truncated { .. }) => PointState::Damaged,
        _ => PointState::Unverified,
    }
}

/// Removes the scratch directories of runs that were ended before they could: those whose lock nobody holds. Others are at work.
fn remove_dead(storage: &SharedStorage, place: &Path) -> Result<(), PointError> {
    let parent = place.parent().unwrap_or(Path::new("."));
    let start = beside(place, ENDING);
    let start = start.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let names = storage.list(parent).map_err(|error| PointError::storage("listing", parent, error))?;
    for name in names.iter().filter_map(|name| name.file_name()?.to_str()) {
        let number = name.strip_prefix(start).and_then(|rest| rest.strip_suffix(LOCK));
        if !number.is_some_and(|text| text.len() == 16 && text.bytes().all(|b| b.is_ascii_hexdigit())) {
            continue;
        }
        let lock_file = parent.join(name);
        let lock = storage.lock(&lock_file).map_err(|e| PointError::storage("locking", &lock_file, e))?;
        if let (Some(_dead), Some(scratch)) = (lock, name.strip_suffix(LOCK)) {
            remove(storage, &parent.join(scratch), &lock_file)?;
        }
    }
    Ok(())
}

/// Removes a queue manager that was made here, and what an attempt to make it left; at the end the lock, which says that it is there.
fn remove(storage: &SharedStorage, scratch: &Path, lock_file: &Path) -> Result<(), PointError> {
    for dir in [scratch.to_owned(), beside(scratch, ".making")] {
        if !storage.exists(&dir).map_err(|e| PointError::storage("looking for", &dir, e))? {
            continue;
        }
        let failed = |error| PointError::storage("removing", &dir, error);
        for name in storage.list(&dir).map_err(failed)? {
            storage.remove(&dir.join(&name)).map_err(failed)?;
        }
        storage.remove_dir(&dir).map_err(failed)?;
    }
    storage.remove(lock_file).map_err(|error| PointError::storage("removing", lock_file, error))
}
