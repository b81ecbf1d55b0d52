//! A full point: page sets copied from a queue manager that has stopped cleanly, so that a recovery from them needs no log before the
//! point's end.
//!
//! The machine holds the lock of the queue manager's directory from its beginning to its end: nobody starts the queue manager while
//! it copies, and nobody else may remove log. So there is nothing to be registered beforehand, and a machine that is killed leaves
//! nothing but a directory `NAME.making`, which the next attempt clears. The order is: copies, manifest, the rename that publishes
//! the point, and last the entry in the BSDS.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use engine_log::{LogError, update_bsds_at_rest};
use engine_queue_manager::{definitions_at_rest, files};
use engine_recovery::status::at_rest;
use engine_storage::{FileLock, SharedStorage, durable};
use format_bsds::{Bsds, RecoveryPointEntry};
use format_manifest::Manifest;
use format_types::{PointMethod, Timestamp, UsageReport};

use crate::copy::{CopiedSet, PointCopy, PointStep};
use crate::create::{CreatedPoint, PointProgress, check_name, copy_side_by_side};
use crate::error::PointError;
use crate::include_log::LogInclusion;
use crate::list::read_bsds;
use crate::plan::{PointPlan, check_free};
use crate::publish::{publish_stopped, registration};
use crate::quiesce::in_doubt;

/// Pause before the lock of a queue manager that is ending is tried again.
const TRY_AGAIN: Duration = Duration::from_millis(5);

/// What is to be made.
#[derive(Debug, Clone)]
pub struct FullSettings {
    /// The queue manager's directory.
    pub dir: PathBuf,
    /// The directory that the point will be, absolute where it is a file system's; must not be there, its parent must.
    pub to: PathBuf,
    /// The point's name.
    pub name: String,
    /// Make it over units of recovery in doubt; it is then a fuzzy one.
    pub allow_in_doubt: bool,
    /// Copy the log that it needs into it.
    pub include_log: bool,
}

/// Refuses what can be refused before a queue manager is stopped for it.
pub(crate) fn check_request(storage: &SharedStorage, settings: &FullSettings) -> Result<(), PointError> {
    check_name(&settings.name)?;
    check_free(storage, &settings.to)?;
    let parent = durable::directory_of(&settings.to);
    if !storage.exists(parent).map_err(|e| PointError::storage("looking for", parent, e))? {
        return Err(PointError::NoParent(parent.to_owned()));
    }
    let bsds = read_bsds(storage, &settings.dir)?;
    if bsds.recovery_points.iter().any(|point| point.name == settings.name) {
        return Err(PointError::NameTaken(settings.name.clone()));
    }
    Ok(())
}

/// What one step did.
#[derive(Debug)]
pub enum FullStep {
    /// There is more to do.
    More,
    /// There is more to do; the next step should wait this long.
    Pause(Duration),
    /// The point is made and the BSDS names it.
    Done(Box<FinishedPoint>),
}

/// A full point that was made.
#[derive(Debug, Clone, PartialEq)]
pub struct FinishedPoint {
    /// Its manifest.
    pub manifest: Manifest,
    /// The page sets that were copied.
    pub copied: Vec<CopiedSet>,
    /// What the update of the BSDS said.
    pub messages: Vec<String>,
}

enum Stage {
    Copying(Box<PointCopy>),
    Publishing(Vec<CopiedSet>),
    Registering(Box<Manifest>, Vec<CopiedSet>),
    Over,
}

/// Makes a full point in small steps; see the module.
pub struct FullPoint {
    storage: SharedStorage,
    plan: PointPlan,
    stopped: Vec<String>,
    bsds: Bsds,
    include_log: bool,
    stage: Stage,
    _lock: Box<dyn FileLock>,
}

impl FullPoint {
    /// Takes the directory's lock, checks that the queue manager was stopped cleanly with all its page sets, and begins. `stopped` is what
    /// the stop printed; where that is not known any more, the files say the same.
    ///
    /// # Errors
    /// When the queue manager runs, was not stopped cleanly, left units in doubt (unless they are allowed) or a page set offline; or when
    /// the point's directory or name is taken. Nothing is left behind.
    pub fn begin(
        storage: &SharedStorage,
        settings: &FullSettings,
        stopped: &[String],
        now: Timestamp,
    ) -> Result<Self, PointError> {
        check_request(storage, settings)?;
        let path = settings.dir.join(files::LOCK);
        let lock = storage.lock(&path).map_err(|e| PointError::storage("locking", &path, e))?;
        let lock = lock.ok_or_else(|| PointError::InUse(settings.dir.clone()))?;
        let bsds = read_bsds(storage, &settings.dir)?;
        let usage = at_rest(storage, &settings.dir)?;
        check_stopped(settings, &bsds, &usage)?;
        let plan = PointPlan {
            name: settings.name.clone(),
            directory: settings.to.clone(),
            source: settings.dir.clone(),
            queue_manager: bsds.name.clone(),
            queue_manager_id: bsds.queue_manager,
            history: bsds.history(),
            method: if usage.units.is_empty() { PointMethod::Full } else { PointMethod::Fuzzy },
            at: now,
            start: usage.log_end,
            page_sets: bsds.page_sets.iter().map(|set| set.page_set).collect(),
            system_recovery: usage.system_recovery.clone(),
        };
        let stopped =
            if stopped.is_empty() { stop_messages(&bsds, &usage) } else { restart_rbas_of(stopped) };
        let copy = Box::new(PointCopy::begin(storage, plan.clone())?);
        Ok(Self {
            storage: storage.clone(),
            plan,
            stopped,
            bsds,
            include_log: settings.include_log,
            stage: Stage::Copying(copy),
            _lock: lock,
        })
    }

    /// The same, waiting at most `timeout` for a queue manager that is ending to let go of its directory.
    ///
    /// # Errors
    /// As [`Self::begin`].
    pub fn begin_when_free(
        storage: &SharedStorage,
        settings: &FullSettings,
        stopped: &[String],
        now: Timestamp,
        timeout: Duration,
    ) -> Result<Self, PointError> {
        let started = Instant::now();
        loop {
            match Self::begin(storage, settings, stopped, now) {
                Err(PointError::InUse(_)) if started.elapsed() < timeout => std::thread::sleep(TRY_AGAIN),
                begun => return begun,
            }
        }
    }

    /// The plan.
    #[must_use]
    pub const fn plan(&self) -> &PointPlan {
        &self.plan
    }

    /// Copies all page sets side by side, with threads; the steps that follow publish and register.
    ///
    /// # Errors
    /// When a page set cannot be read or the copy not be written; nothing is left behind.
    pub fn copy_with_threads(&mut self, progress: &(dyn Fn(PointProgress) + Sync)) -> Result<(), PointError> {
        if matches!(self.stage, Stage::Copying(_)) {
            let copied = copy_side_by_side(&self.storage, &self.plan, progress);
            self.stage = Stage::Publishing(self.or_give_up(copied)?);
        }
        Ok(())
    }

    /// Copies about a mebibyte, or does the next thing.
    ///
    /// # Errors
    /// When storage refuses; nothing is left behind, unless the point was published already and only the BSDS could not be told.
    pub fn step(&mut self) -> Result<FullStep, PointError> {
        match std::mem::replace(&mut self.stage, Stage::Over) {
            Stage::Copying(mut copy) => {
                let stepped = copy.step();
                match self.or_give_up(stepped)? {
                    PointStep::More => {
                        self.stage = Stage::Copying(copy);
                        Ok(FullStep::More)
                    }
                    PointStep::Pause(pause) => {
                        self.stage = Stage::Copying(copy);
                        Ok(FullStep::Pause(pause))
                    }
                    PointStep::Done(copied) => {
                        self.stage = Stage::Publishing(copied);
                        Ok(FullStep::More)
                    }
                }
            }
            Stage::Publishing(copied) => {
                let published = self.publish(&copied);
                let manifest = self.or_give_up(published)?;
                self.stage = Stage::Registering(Box::new(manifest), copied);
                Ok(FullStep::More)
            }
            Stage::Registering(manifest, copied) => {
                let entry = entry(&self.plan, &manifest);
                let named = |bsds: &mut Bsds| {
                    bsds.recovery_points.push(entry);
                    Ok::<(), LogError>(())
                };
                let updated = update_bsds_at_rest(&self.storage, &self.plan.source, named);
                let ((), _, messages) = updated.map_err(|error| PointError::NotRegistered {
                    directory: self.plan.directory.clone(),
                    error: error.to_string(),
                })?;
                Ok(FullStep::Done(Box::new(FinishedPoint { manifest: *manifest, copied, messages })))
            }
            Stage::Over => Err(PointError::Over(self.plan.name.clone())),
        }
    }

    fn publish(&self, copied: &[CopiedSet]) -> Result<Manifest, PointError> {
        for set in copied {
            let copied_at = set.report.page_set.as_ref().map(|facts| facts.recovery_rba);
            // The lock is held, so nothing can have changed since; a copy that says otherwise is not of what was checked.
            if let Some(from) = copied_at.filter(|rba| *rba != self.plan.start) {
                return Err(PointError::NotClosed { page_set: set.page_set, from, stop: self.plan.start });
            }
        }
        let definitions = definitions_at_rest(&self.storage, &self.plan.source, &self.bsds)
            .map_err(|error| PointError::Definitions { error })?;
        let log = match self.include_log {
            true => {
                let inclusion = LogInclusion::begin(&self.storage, &self.plan, copied, self.plan.start)?;
                Some(inclusion.run(&mut |_, _| {})?)
            }
            false => None,
        };
        publish_stopped(&self.storage, &self.plan, copied, &definitions, &self.stopped, log)
    }

    /// An attempt that failed leaves nothing behind, as far as storage allows; what stays the next attempt clears.
    fn or_give_up<T>(&self, result: Result<T, PointError>) -> Result<T, PointError> {
        if result.is_err() {
            let _ = self.plan.abandon(&self.storage);
        }
        result
    }
}

/// Makes the point to its end, page sets side by side. `stopped` is what the stop before it printed, empty when it was down already.
///
/// # Errors
/// As [`FullPoint::begin`] and [`FullPoint::step`].
pub fn create_full_point(
    storage: &SharedStorage,
    settings: &FullSettings,
    stopped: &[String],
    timeout: Duration,
    now: Timestamp,
    progress: &(dyn Fn(PointProgress) + Sync),
) -> Result<CreatedPoint, PointError> {
    let started = Instant::now();
    let mut machine = FullPoint::begin_when_free(storage, settings, stopped, now, timeout)?;
    let copying = Instant::now();
    machine.copy_with_threads(progress)?;
    let copy_seconds = copying.elapsed().as_secs_f64();
    loop {
        match machine.step()? {
            FullStep::More => {}
            FullStep::Pause(pause) => std::thread::sleep(pause),
            FullStep::Done(finished) => {
                let FinishedPoint { manifest, copied, .. } = *finished;
                return Ok(CreatedPoint {
                    directory: settings.to.clone(),
                    manifest,
                    reread: copied.iter().map(|set| set.report.reread).sum(),
                    damaged: copied.into_iter().filter(|set| set.report.damaged_count > 0).collect(),
                    copy_seconds,
                    seconds: started.elapsed().as_secs_f64(),
                    archive_retries: 0,
                    archive_messages: Vec::new(),
                });
            }
        }
    }
}

fn check_stopped(settings: &FullSettings, bsds: &Bsds, usage: &UsageReport) -> Result<(), PointError> {
    let stop = usage.log_end;
    if bsds.clean_stop != Some(stop) {
        return Err(PointError::NotStoppedCleanly { dir: settings.dir.clone(), log_end: stop });
    }
    if let Some(set) = usage.page_sets.iter().find(|set| set.recovery_rba != stop) {
        return Err(PointError::NotClosed { page_set: set.page_set, from: set.recovery_rba, stop });
    }
    if !usage.units.is_empty() && !settings.allow_in_doubt {
        return Err(in_doubt(&settings.dir, &usage.units));
    }
    Ok(())
}

/// What the stop printed, from the files that it left.
fn stop_messages(bsds: &Bsds, usage: &UsageReport) -> Vec<String> {
    engine_queue_manager::restart_rba_messages(&bsds.name, &usage.system_recovery)
}

/// The two lines of a stop's messages that say from where log is needed.
fn restart_rbas_of(stopped: &[String]) -> Vec<String> {
    stopped.iter().filter(|line| line.starts_with("CSQI02")).cloned().collect()
}

fn entry(plan: &PointPlan, manifest: &Manifest) -> RecoveryPointEntry {
    let point = registration(plan, manifest);
    RecoveryPointEntry {
        name: point.name,
        directory: point.directory,
        method: point.method,
        state: point.state,
        at: point.at,
        history: point.history,
        start: point.start,
        end: point.end,
        page_sets: point.page_sets,
        system_recovery: point.system_recovery,
        verified_at: None,
    }
}

/// The absolute directory and the name that `to` and `name` stand for.
///
/// # Errors
/// When the current directory is unknown, or the name cannot be one.
pub fn resolve(to: &Path, name: Option<&str>) -> Result<(PathBuf, String), PointError> {
    let directory = std::path::absolute(to).map_err(|e| PointError::storage("finding", to, e))?;
    let name = name.map_or_else(
        || directory.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        str::to_owned,
    );
    check_name(&name)?;
    Ok((directory, name))
}
