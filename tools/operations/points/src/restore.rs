//! Putting copies in the place of page sets, so that a kill at any moment loses neither.

use std::path::{Path, PathBuf};

use engine_page_store::{CreateJob, CreateStep, StoreIdentity, page_set_path};
use engine_storage::{OpenMode, SharedStorage, durable};
use format_manifest::CopiedPageSet;
use format_types::PageSetId;
use operation_copy::{
    CopyReport, CopyStep, FileSource, FileTarget, ImageCopy, PageSetReader, copy_pipelined,
};

use crate::error::PointError;
use crate::origin::MadeAnew;
use crate::recovery_plan::RecoveryPlan;
use crate::verify::copy_problem;

/// Ends the name of a copy that is not whole yet.
const RESTORING: &str = "restoring";

/// Ends the name of what a restored page set replaced, until the recovery is done.
const REPLACED: &str = "replaced";

/// Damaged pages named in a refusal.
const NAMED: usize = 10;

/// Whether copying uses threads of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Driver {
    /// Reading, writing and syncing side by side.
    Threads,
    /// One step after the other, the same every time: for the simulator.
    Steps,
}

/// What was restored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restoration {
    /// Page sets, with what their copies are.
    pub page_sets: Vec<(PageSetId, CopyReport)>,
}

impl Restoration {
    /// Pages restored.
    #[must_use]
    pub fn pages(&self) -> u64 {
        self.page_sets.iter().map(|(_, report)| report.records).sum()
    }

    /// Bytes restored.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.page_sets.iter().map(|(_, report)| report.length).sum()
    }
}

/// Copies the page sets of `plan` beside those they replace, every page verified, and makes those anew that come from the log, then
/// renames. What is replaced is kept as
/// `PSIDnn.replaced` until [`clean_up`]; one that is there already is what an earlier, killed attempt replaced, and stays.
///
/// Order: copies are written and synced under temporary names; the directory is synced; old page sets get out of the way; the directory is
/// synced; copies get their names; the directory is synced. The caller holds the directory's lock.
///
/// # Errors
/// When a page of a copy does not verify, each is named and no page set was touched; or when storage refuses.
pub fn restore(
    storage: &SharedStorage,
    plan: &RecoveryPlan,
    driver: Driver,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Restoration, PointError> {
    let copied = copy_all(storage, plan, driver, progress);
    if copied.is_err() {
        for page_set in plan.ids() {
            // The first error tells more than one of cleaning up; the next attempt clears what stays.
            let _ = storage.remove(&beside(&plan.dir, page_set, RESTORING));
        }
    }
    let page_sets = copied?;
    let sync = || storage.sync_dir(&plan.dir).map_err(|e| PointError::storage("syncing", &plan.dir, e));
    sync()?;
    for page_set in plan.ids() {
        set_aside(storage, &plan.dir, page_set)?;
    }
    sync()?;
    for page_set in plan.ids() {
        let to = page_set_path(&plan.dir, page_set);
        let from = beside(&plan.dir, page_set, RESTORING);
        storage.rename(&from, &to).map_err(|e| PointError::storage("renaming to", &to, e))?;
    }
    sync()?;
    Ok(Restoration { page_sets })
}

/// Removes what was replaced: the recovery is done.
///
/// # Errors
/// When storage refuses.
pub fn clean_up(storage: &SharedStorage, plan: &RecoveryPlan) -> Result<(), PointError> {
    for page_set in plan.ids() {
        let path = beside(&plan.dir, page_set, REPLACED);
        durable::remove_if_there(storage.as_ref(), &path)
            .map_err(|e| PointError::storage("removing", &path, e))?;
    }
    storage.sync_dir(&plan.dir).map_err(|e| PointError::storage("syncing", &plan.dir, e))
}

/// What a recovery that has not come to its end left in `dir`: a file that it made or set aside.
pub(crate) fn unfinished(storage: &SharedStorage, dir: &Path) -> Result<Option<PathBuf>, PointError> {
    let names = storage.list(dir).map_err(|e| PointError::storage("reading directory", dir, e))?;
    let left = names.into_iter().find(|name| {
        let name = name.to_string_lossy();
        let ending =
            name.strip_prefix("PSID").and_then(|rest| rest.split_once('.')).map(|(_, ending)| ending);
        matches!(ending, Some(RESTORING | REPLACED))
    });
    Ok(left.map(|name| dir.join(name)))
}

fn beside(dir: &Path, page_set: PageSetId, what: &str) -> PathBuf {
    page_set_path(dir, page_set).with_extension(what)
}

fn set_aside(storage: &SharedStorage, dir: &Path, page_set: PageSetId) -> Result<(), PointError> {
    let path = page_set_path(dir, page_set);
    let aside = beside(dir, page_set, REPLACED);
    let there = |path: &Path| storage.exists(path).map_err(|e| PointError::storage("looking for", path, e));
    if there(&path)? && !there(&aside)? {
        storage.rename(&path, &aside).map_err(|e| PointError::storage("setting aside", &path, e))?;
    }
    Ok(())
}

fn copy_all(
    storage: &SharedStorage,
    plan: &RecoveryPlan,
    driver: Driver,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Vec<(PageSetId, CopyReport)>, PointError> {
    let total = plan.bytes();
    let mut before = 0;
    let mut reports = Vec::new();
    let mut damage = Vec::new();
    for copy in &plan.page_sets {
        let report = copy_one(storage, plan, copy, driver, &mut |done| progress(before + done, total))?;
        before += copy.length;
        for damaged in &report.damaged {
            damage.push(format!("page set {} page {:08X}: {}", copy.page_set, damaged.number, damaged.why));
        }
        if report.damaged_count == 0
            && let Some(problem) = copy_problem(&plan.point, copy, &report)
        {
            damage.push(problem);
        }
        reports.push((copy.page_set, report));
    }
    if damage.is_empty() {
        for made in &plan.made_anew {
            make_one(storage, plan, made)?;
        }
        return Ok(reports);
    }
    let more = damage.len().saturating_sub(NAMED);
    let mut why = damage.iter().take(NAMED).cloned().collect::<Vec<_>>().join("; ");
    if more > 0 {
        why.push_str(&format!("; and {more} more, which recpoint verify names"));
    }
    Err(PointError::Damaged { point: plan.point.manifest.name.clone(), why })
}

/// Makes a page set that is empty.
fn make_one(storage: &SharedStorage, plan: &RecoveryPlan, made: &MadeAnew) -> Result<(), PointError> {
    let manifest = &plan.point.manifest;
    let MadeAnew { entry, at, history } = made;
    let identity = StoreIdentity {
        queue_manager: manifest.queue_manager_id,
        name: manifest.queue_manager.clone(),
        history: *history,
    };
    let to = beside(&plan.dir, entry.page_set, RESTORING);
    durable::remove_if_there(storage.as_ref(), &to).map_err(|e| PointError::storage("clearing", &to, e))?;
    let (pages, expand) = (entry.initial_pages, entry.expand);
    let job = CreateJob::new(storage, &plan.dir, &identity, entry.page_set, pages, expand, *at);
    let mut job = job.named(to);
    loop {
        if let CreateStep::Done(outcome) = job.step() {
            return Ok(outcome.result?);
        }
    }
}

fn copy_one(
    storage: &SharedStorage,
    plan: &RecoveryPlan,
    copy: &CopiedPageSet,
    driver: Driver,
    progress: &mut dyn FnMut(u64),
) -> Result<CopyReport, PointError> {
    let from = plan.point.directory.join(&copy.file);
    let to = beside(&plan.dir, copy.page_set, RESTORING);
    durable::remove_if_there(storage.as_ref(), &to).map_err(|e| PointError::storage("clearing", &to, e))?;
    let source = storage.open(&from, OpenMode::Read).map_err(|e| PointError::storage("opening", &from, e))?;
    let target = storage.open(&to, OpenMode::CreateNew).map_err(|e| PointError::storage("making", &to, e))?;
    let source = FileSource::new(source, from.display().to_string());
    let mut reader = PageSetReader::new(source, Some(copy.page_set)).at_rest();
    let mut target = FileTarget::new(target, to.display().to_string());
    match driver {
        Driver::Threads => {
            let early = target.file();
            Ok(copy_pipelined(&mut reader, &mut target, Some(&early), &mut |done, _| progress(done))?)
        }
        Driver::Steps => {
            let mut machine = ImageCopy::new(reader, target);
            loop {
                match machine.step()? {
                    CopyStep::Done(report) => return Ok(report),
                    CopyStep::More => progress(machine.progress().0),
                    // Nobody writes a recovery point: waiting helps nothing.
                    CopyStep::Pause(_) => {}
                }
            }
        }
    }
}
