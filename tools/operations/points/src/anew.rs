//! A queue manager made anew from a recovery point, where the log does not go on to the end that the original had: at another site from
//! archives, from a point that holds its log, or from a full point when the logs are lost.
//!
//! Everything is made in a directory of its own beside, `QM1.making`: page sets, log, BSDS, brought forward and stopped cleanly. Then it
//! gets its name by one rename. So there is the old state or the new, and an attempt that was killed is cleared by the next. Where a
//! queue manager's logs are lost its directory is there: it is renamed first, to `QM1.lost`, and kept with all that is in it.
//!
//! The log goes on in a new history, cut where the log that is here ends: nothing proves that this is the end that the original
//! reached, or the original may still write.

use std::path::{Path, PathBuf};
use std::time::Instant;

use engine_log::{LogReader, NewHistory, archive_name};
use engine_queue_manager::{BringForward, bring_forward, files};
use engine_storage::{FileLock, OpenMode, SharedStorage, durable};
use format_bsds::{ArchiveLog, Bsds, RecoveryPointEntry};
use format_types::{PageSetId, Rba, RbaRange, Timestamp};

use crate::error::PointError;
use crate::loss::Loss;
use crate::point::Point;
use crate::recover::{RecoverProgress, RecoverStage};
use crate::recovery_plan::RecoveryPlan;
use crate::restore::{Driver, clean_up, restore};

/// Ends the name of a directory that is not a queue manager yet.
const MAKING: &str = ".making";

/// Ends the name of a directory whose logs were lost.
const LOST: &str = ".lost";

/// Where the log that is needed comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AnewSource {
    /// From the point itself, which holds it.
    Point,
    /// From the archives and BSDS copies in a directory.
    Archives(PathBuf),
    /// From nowhere: the point is a full one and needs none.
    LogsLost,
    /// From the log of the queue manager in a directory, which goes on there and may be running.
    Log(PathBuf),
}

/// What is to be made.
#[derive(Debug, Clone)]
pub struct AnewSettings {
    /// The directory that the queue manager is to be in.
    pub dir: PathBuf,
    /// The recovery point's directory.
    pub from: PathBuf,
    /// Where its log comes from.
    pub source: AnewSource,
    /// That everything behind the end of what is here is lost is accepted.
    pub accept_loss: bool,
    /// Buffer pool frames; none for the queue manager's own setting.
    pub frames: Option<usize>,
    /// How page sets are copied.
    pub driver: Driver,
    /// Ends after the checks.
    pub dry_run: bool,
    /// 64 random bits for the new history.
    pub random: u64,
}

/// A queue manager that can be made anew: all that was found out before anything is written.
#[derive(Debug, Clone)]
pub struct AnewPlan {
    /// The directory that it will be in.
    pub dir: PathBuf,
    /// Where the directory of that name is kept; none when there is none, or it is empty.
    pub kept_as: Option<PathBuf>,
    /// The point.
    pub point: Point,
    /// What is given up by it.
    pub loss: Loss,
    /// The log that is read: from the point's recorded system recovery RBA to the cut.
    pub needed: RbaRange,
    /// Page sets to be restored.
    pub page_sets: Vec<PageSetId>,
    /// Page sets that are made empty and filled from the log: they were defined after the point.
    pub from_log: Vec<PageSetId>,
    /// The inventory to go on from.
    pub(crate) base: Bsds,
    /// Where the log is read, and under which inventory; none when none is needed.
    pub(crate) log: Option<(PathBuf, Bsds)>,
    /// The copies behind `page_sets`.
    pub(crate) restore: RecoveryPlan,
}

/// What was made.
#[derive(Debug, Clone, PartialEq)]
pub struct AnewReport {
    /// Pages restored.
    pub pages: u64,
    /// Bytes restored.
    pub bytes: u64,
    /// Seconds that restoring took.
    pub restore_seconds: f64,
    /// Log that was read forward.
    pub forward: RbaRange,
    /// Log records in it.
    pub records: u64,
    /// Seconds that bringing forward took in all.
    pub forward_seconds: f64,
    /// From here on the log is needed after this recovery.
    pub restart_rba: Rba,
    /// Console messages of restart and stop.
    pub messages: Vec<String>,
}

/// Makes the queue manager of `plan`.
///
/// # Errors
/// When loss is not accepted, a page of a copy does not verify, log cannot be read, or storage refuses. Nothing is then in the queue
/// manager's directory that was not there before.
pub fn make_anew(
    storage: &SharedStorage,
    plan: &AnewPlan,
    settings: &AnewSettings,
    now: Timestamp,
    progress: &mut dyn FnMut(RecoverProgress),
) -> Result<AnewReport, PointError> {
    if plan.loss.must_be_accepted && !settings.accept_loss {
        return Err(PointError::LossNotAccepted(plan.loss.clone()));
    }
    // Who has a queue manager there must not start it meanwhile.
    let _owner = match &plan.kept_as {
        Some(_) => Some(lock(storage, &plan.dir)?),
        None => None,
    };
    let making = beside(&plan.dir, MAKING);
    let (made, _lock) = begin(storage, &making, &plan.dir)?;
    let done = fill(storage, plan, settings, &making, now, progress);
    let report = match done {
        Ok(report) => report,
        Err(error) => {
            // The first error tells more than one of cleaning up; what stays the next attempt clears.
            let _ = clear(storage, &making, true).and_then(|()| remove_dir(storage, &making, made));
            return Err(PointError::NotMade { dir: plan.dir.clone(), error: Box::new(error) });
        }
    };
    publish(storage, plan, &making)?;
    Ok(report)
}

/// The directory of a name beside `dir`.
pub(crate) fn beside(dir: &Path, ending: &str) -> PathBuf {
    let mut name = dir.file_name().unwrap_or_default().to_owned();
    name.push(ending);
    dir.with_file_name(name)
}

/// Where a directory that must make way is kept: a name that is free.
pub(crate) fn place_to_keep(storage: &SharedStorage, dir: &Path) -> Result<PathBuf, PointError> {
    let names = std::iter::once(LOST.to_owned()).chain((2..1000).map(|number| format!("{LOST}{number}")));
    for name in names {
        let path = beside(dir, &name);
        if !storage.exists(&path).map_err(|e| PointError::storage("looking for", &path, e))? {
            return Ok(path);
        }
    }
    Err(PointError::Exists(beside(dir, LOST)))
}

fn lock(storage: &SharedStorage, dir: &Path) -> Result<Box<dyn FileLock>, PointError> {
    let path = dir.join(files::LOCK);
    let lock = storage.lock(&path).map_err(|e| PointError::storage("locking", &path, e))?;
    lock.ok_or_else(|| PointError::InUse(dir.to_owned()))
}

/// Makes the directory, or clears what a killed attempt left in it; its lock keeps two attempts apart.
fn begin(
    storage: &SharedStorage,
    making: &Path,
    dir: &Path,
) -> Result<(bool, Box<dyn FileLock>), PointError> {
    let there = storage.exists(making).map_err(|e| PointError::storage("looking for", making, e))?;
    if !there {
        storage.create_dir(making).map_err(|e| PointError::storage("making directory", making, e))?;
    }
    let lock = lock(storage, making).map_err(|error| match error {
        PointError::InUse(_) => PointError::InUse(dir.to_owned()),
        other => other,
    })?;
    clear(storage, making, false)?;
    Ok((!there, lock))
}

fn clear(storage: &SharedStorage, making: &Path, all: bool) -> Result<(), PointError> {
    let failed = |error| PointError::storage("clearing directory", making, error);
    for name in storage.list(making).map_err(failed)? {
        if all || name.as_os_str() != files::LOCK {
            storage.remove(&making.join(name)).map_err(failed)?;
        }
    }
    Ok(())
}

fn remove_dir(storage: &SharedStorage, making: &Path, _made: bool) -> Result<(), PointError> {
    storage.remove_dir(making).map_err(|e| PointError::storage("removing directory", making, e))
}

/// Everything that a queue manager consists of.
fn fill(
    storage: &SharedStorage,
    plan: &AnewPlan,
    settings: &AnewSettings,
    making: &Path,
    now: Timestamp,
    progress: &mut dyn FnMut(RecoverProgress),
) -> Result<AnewReport, PointError> {
    let mut tell = |stage, done, total| progress(RecoverProgress { stage, done, total });
    let started = Instant::now();
    let copies = RecoveryPlan { dir: making.to_owned(), ..plan.restore.clone() };
    let restored = restore(storage, &copies, settings.driver, &mut |done, total| {
        tell(RecoverStage::Restoring, done, total);
    })?;
    clean_up(storage, &copies)?;
    let restore_seconds = started.elapsed().as_secs_f64();

    let started = Instant::now();
    let mut base = plan.base.clone();
    copy_log(storage, plan, making, &mut base, now)?;
    let cut = plan.needed.end;
    NewHistory { base, from: plan.needed.start, cut, random: settings.random, now }.begin(storage, making)?;
    let mut reading = |step: engine_recovery::RestartProgress| {
        tell(RecoverStage::BringingForward, step.at.since(step.from), step.to.since(step.from));
    };
    let options =
        BringForward { read_from: Some(plan.needed.start), frames: settings.frames, progress: &mut reading };
    let forward =
        bring_forward(storage, making, options, now).map_err(|error| PointError::RestartAnew { error })?;
    Ok(AnewReport {
        pages: restored.pages(),
        bytes: restored.bytes(),
        restore_seconds,
        forward: forward.forward,
        records: forward.records,
        forward_seconds: started.elapsed().as_secs_f64(),
        restart_rba: forward.restart_rba,
        messages: forward.messages,
    })
}

/// Copies the log that is needed as archives of their own, and names them in the inventory.
fn copy_log(
    storage: &SharedStorage,
    plan: &AnewPlan,
    making: &Path,
    base: &mut Bsds,
    now: Timestamp,
) -> Result<(), PointError> {
    let Some((dir, inventory)) = &plan.log else { return Ok(()) };
    let reader = LogReader::with_bsds(storage, dir, inventory.clone());
    for (history, range) in reader.stretches(plan.needed) {
        let name = archive_name(1, base.next_archive);
        let path = making.join(&name);
        let file = storage.open(&path, OpenMode::CreateNew);
        let file = file.map_err(|e| PointError::storage("making", &path, e))?;
        let mut copy = reader.extract(history, range, file);
        let done = loop {
            if let Some(done) = copy.step()? {
                break done;
            }
        };
        base.next_archive += 1;
        base.archives.push(ArchiveLog {
            copy: 1,
            name,
            history,
            range: done.range,
            start_lrsn: done.start_lrsn,
            end_lrsn: done.end_lrsn,
            written_at: now,
            unit: "DISK".to_owned(),
            volume: String::new(),
            bsds_name: String::new(),
            deleting: false,
        });
    }
    Ok(())
}

/// Gives the queue manager its name.
fn publish(storage: &SharedStorage, plan: &AnewPlan, making: &Path) -> Result<(), PointError> {
    storage.sync_dir(making).map_err(|e| PointError::storage("syncing", making, e))?;
    if let Some(kept) = &plan.kept_as {
        durable::rename(storage.as_ref(), &plan.dir, kept)
            .map_err(|e| PointError::storage("keeping", &plan.dir, e))?;
    }
    // An empty directory makes way by itself; a lock's file may be left in it.
    durable::remove_if_there(storage.as_ref(), &plan.dir.join(files::LOCK))
        .map_err(|e| PointError::storage("clearing directory", &plan.dir, e))?;
    durable::rename(storage.as_ref(), making, &plan.dir)
        .map_err(|e| PointError::storage("naming", &plan.dir, e))
}

/// What the BSDS keeps of the point that a queue manager is made from: it may be newer than the copy of the BSDS that is gone on from.
pub(crate) fn name_point(base: &mut Bsds, point: &Point) {
    let manifest = &point.manifest;
    if base.recovery_points.iter().any(|entry| entry.name == manifest.name && entry.at == manifest.at) {
        return;
    }
    base.recovery_points.push(RecoveryPointEntry {
        name: manifest.name.clone(),
        directory: point.directory.to_string_lossy().into_owned(),
        method: manifest.method,
        state: manifest.state,
        at: manifest.at,
        history: manifest.history,
        start: manifest.start,
        end: manifest.end,
        page_sets: manifest.page_sets.iter().map(|copy| (copy.page_set, copy.recovery_rba)).collect(),
        system_recovery: manifest.system_recovery.clone(),
        verified_at: None,
    });
}
