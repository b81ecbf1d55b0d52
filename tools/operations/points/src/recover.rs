//! Recovery: check, restore, bring forward, clean up.

use std::path::{Path, PathBuf};
use std::time::Instant;

use engine_log::history;
use engine_page_store::take_over_copy;
use engine_queue_manager::{BringForward, CoreError, bring_forward, files};
use engine_storage::{SharedStorage, Storage};
use format_types::{LogHistory, PageSetId, Rba, RbaRange, Timestamp};

use crate::error::PointError;
use crate::list::read_bsds;
use crate::recovery_plan::RecoveryPlan;
use crate::restore::{Driver, clean_up, restore};
use crate::target::{PlannedCut, RecoveryTarget};

/// What is to be recovered.
#[derive(Debug, Clone)]
pub struct RecoverSettings {
    /// The queue manager's directory.
    pub dir: PathBuf,
    /// The recovery point's directory.
    pub from: PathBuf,
    /// The page sets; empty for all of the point.
    pub page_sets: Vec<PageSetId>,
    /// Buffer pool frames; none for the queue manager's own setting.
    pub frames: Option<usize>,
    /// How page sets are copied.
    pub driver: Driver,
    /// Ends after the checks.
    pub dry_run: bool,
}

/// A recovery that does not go to the end of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PointInTime {
    /// Where it ends.
    pub target: RecoveryTarget,
    /// What lies behind may be lost; without this the recovery ends after it was listed, with nothing touched.
    pub accept_loss: bool,
    /// Random bits of the log history that begins there.
    pub random: u64,
}

/// Stages of a recovery, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecoverStage {
    /// Reading the log that is needed: bytes of it.
    CheckingLog,
    /// Copying page sets: bytes of them.
    Restoring,
    /// Reading the log forward: bytes of it.
    BringingForward,
}

/// How far a recovery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecoverProgress {
    /// The stage.
    pub stage: RecoverStage,
    /// Done of it.
    pub done: u64,
    /// All of it.
    pub total: u64,
}

/// What was recovered.
#[derive(Debug, Clone, PartialEq)]
pub struct RecoverReport {
    /// Name of the point.
    pub point: String,
    /// Page sets restored.
    pub page_sets: Vec<PageSetId>,
    /// Page sets made anew, empty, and filled from the log: they were defined after the point was made.
    pub from_log: Vec<PageSetId>,
    /// Pages restored.
    pub pages: u64,
    /// Bytes restored.
    pub bytes: u64,
    /// Seconds that restoring took.
    pub restore_seconds: f64,
    /// Log that was checked beforehand.
    pub needed: RbaRange,
    /// Seconds that checking the log took.
    pub check_seconds: f64,
    /// Log that was read forward.
    pub forward: RbaRange,
    /// Log records in it.
    pub records: u64,
    /// Seconds that reading the log forward and applying it took.
    pub redo_seconds: f64,
    /// Seconds that bringing forward took in all: redo, the end of open units, writing and syncing every page, clean stop.
    pub forward_seconds: f64,
    /// From here on the log is needed after this recovery.
    pub restart_rba: Rba,
    /// Console messages of restart and stop.
    pub messages: Vec<String>,
    /// The cut, with what it loses; none when the recovery goes to the end of the log.
    pub cut: Option<PlannedCut>,
    /// The log history that begins at the cut, once it is made.
    pub history: Option<LogHistory>,
    /// Whether it was done: neither a dry run, nor a loss that was not accepted.
    pub recovered: bool,
}

/// Restores page sets from a recovery point and brings them forward to the end of the log by the queue manager's own restart.
///
/// Nothing is touched before the manifest, its owner, and every needed byte of log have been checked; nothing is replaced
/// before every page to be restored has verified. What is replaced is kept until the recovery is done. Killed at any moment, it can be
/// run again and finishes.
///
/// # Errors
/// What stands against it, or went wrong.
pub fn recover(
    storage: &SharedStorage,
    settings: &RecoverSettings,
    now: Timestamp,
    progress: &mut dyn FnMut(RecoverProgress),
) -> Result<RecoverReport, PointError> {
    recover_to(storage, settings, None, now, progress)
}

/// The same, to a point in time when one is given: page sets are restored from a copy that ended before it; then the log is cut there,
/// which archives and keeps what is behind, and begins a new log history; then they are brought forward, units in flight at the cut
/// backed out. What is lost is found first, and nothing is touched when that is not accepted.
///
/// Interrupted before the cut it leaves the old state, after it the new one; run again it finishes.
///
/// # Errors
/// What stands against it, or went wrong.
pub fn recover_to(
    storage: &SharedStorage,
    settings: &RecoverSettings,
    end: Option<PointInTime>,
    now: Timestamp,
    progress: &mut dyn FnMut(RecoverProgress),
) -> Result<RecoverReport, PointError> {
    // Without a queue manager there, taking its lock would make a file.
    read_bsds(storage, &settings.dir)?;
    let _lock = lock(storage.as_ref(), &settings.dir)?;
    let started = Instant::now();
    let mut tell = |stage, done, total| progress(RecoverProgress { stage, done, total });
    let plan = RecoveryPlan::make_to(
        storage,
        &settings.dir,
        &settings.from,
        &settings.page_sets,
        end.map(|end| end.target),
        &mut |done, total| {
            tell(RecoverStage::CheckingLog, done, total);
        },
    )?;
    let check_seconds = started.elapsed().as_secs_f64();
    let mut report = RecoverReport {
        point: plan.point.manifest.name.clone(),
        page_sets: plan.page_sets.iter().map(|copy| copy.page_set).collect(),
        from_log: plan.made_anew.iter().map(|made| made.entry.page_set).collect(),
        pages: 0,
        bytes: 0,
        restore_seconds: 0.0,
        needed: plan.needed,
        check_seconds,
        forward: RbaRange::new(plan.needed.start, plan.needed.start),
        records: 0,
        redo_seconds: 0.0,
        forward_seconds: 0.0,
        restart_rba: plan.needed.start,
        messages: Vec::new(),
        cut: plan.cut.clone(),
        history: None,
        recovered: false,
    };
    if settings.dry_run || end.is_some_and(|end| !end.accept_loss) {
        return Ok(report);
    }
    let started = Instant::now();
    let restored = restore(storage, &plan, settings.driver, &mut |done, total| {
        tell(RecoverStage::Restoring, done, total);
    })?;
    report.pages = restored.pages();
    report.bytes = restored.bytes();
    report.restore_seconds = started.elapsed().as_secs_f64();
    if let (Some(end), Some(cut)) = (end, &plan.cut) {
        report.history = Some(match &cut.made {
            Some(history) => history.clone(),
            None => {
                let made = history::cut(storage, &settings.dir, cut.cut, end.random, now)
                    .map_err(|error| halfway(error.into()))?;
                report.messages = made.messages;
                made.history
            }
        });
    }
    take_over(storage, &plan).map_err(halfway)?;

    let started = Instant::now();
    // From the first word of the forward pass to its last: before it the log's end is made sound, after it the pages are written.
    let (mut first, mut last) = (None, None);
    let mut reading = |step: engine_recovery::RestartProgress| {
        if step.phase == engine_recovery::RestartPhase::Forward {
            last = Some(Instant::now());
            first = first.or(last);
        }
        tell(RecoverStage::BringingForward, step.at.since(step.from), step.to.since(step.from));
    };
    let options =
        BringForward { read_from: Some(plan.needed.start), frames: settings.frames, progress: &mut reading };
    let forward = bring_forward(storage, &settings.dir, options, now).map_err(restart_failed)?;
    report.forward = forward.forward;
    report.records = forward.records;
    report.restart_rba = forward.restart_rba;
    report.messages.extend(forward.messages);
    report.redo_seconds =
        first.zip(last).map_or(0.0, |(first, last)| last.duration_since(first).as_secs_f64());
    report.forward_seconds = started.elapsed().as_secs_f64();
    clean_up(storage, &plan).map_err(halfway)?;
    report.recovered = true;
    Ok(report)
}

/// Stamps restored page sets of an older history with the current one: the manifest says that their copies ended before it was cut.
fn take_over(storage: &SharedStorage, plan: &RecoveryPlan) -> Result<(), PointError> {
    let bsds = read_bsds(storage, &plan.dir)?;
    let (history, relatives) = (bsds.history(), bsds.relatives());
    for copy in &plan.page_sets {
        let copy_end = plan.point.manifest.end;
        take_over_copy(storage, &plan.dir, copy.page_set, history, &relatives, copy_end)?;
    }
    for made in &plan.made_anew {
        take_over_copy(storage, &plan.dir, made.entry.page_set, history, &relatives, made.at)?;
    }
    Ok(())
}

fn lock(storage: &dyn Storage, dir: &Path) -> Result<Box<dyn engine_storage::FileLock>, PointError> {
    let path = dir.join(files::LOCK);
    let lock = storage.lock(&path).map_err(|e| PointError::storage("locking", &path, e))?;
    lock.ok_or_else(|| PointError::InUse(dir.to_owned()))
}

fn halfway(error: PointError) -> PointError {
    PointError::Halfway(Box::new(error))
}

fn restart_failed(error: CoreError) -> PointError {
    PointError::Restart { error }
}
