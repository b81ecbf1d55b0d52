//! Copying the page sets of a recovery point.

use std::collections::VecDeque;
use std::time::Duration;

use engine_page_store::page_set_path;
use engine_storage::{OpenMode, SharedStorage};
use format_types::PageSetId;
use operation_copy::{
    CopyError, CopyReport, CopyStep, FileSource, FileTarget, PageSetCopy, PageSetReader, copy_pipelined,
};

use crate::error::PointError;
use crate::plan::PointPlan;

/// A page set that was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopiedSet {
    /// Which.
    pub page_set: PageSetId,
    /// What came of it.
    pub report: CopyReport,
}

/// What one step did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PointStep {
    /// There is more to do.
    More,
    /// There is more to do, but a page was caught half-written: the next step should wait this long.
    Pause(Duration),
    /// All page sets are copied and synced.
    Done(Vec<CopiedSet>),
}

/// Copies the page sets one after the other, in small steps.
pub struct PointCopy {
    storage: SharedStorage,
    plan: PointPlan,
    waiting: VecDeque<PageSetId>,
    current: Option<(PageSetId, PageSetCopy)>,
    copied: Vec<CopiedSet>,
}

impl PointCopy {
    /// Begins: makes the temporary directory.
    ///
    /// # Errors
    /// When the point's directory is there already, or storage refuses.
    pub fn begin(storage: &SharedStorage, plan: PointPlan) -> Result<Self, PointError> {
        plan.begin(storage)?;
        let waiting = plan.page_sets.iter().copied().collect();
        Ok(Self { storage: storage.clone(), plan, waiting, current: None, copied: Vec::new() })
    }

    /// The plan.
    #[must_use]
    pub const fn plan(&self) -> &PointPlan {
        &self.plan
    }

    /// Copies about a mebibyte, or begins or ends a page set.
    ///
    /// # Errors
    /// When a page set cannot be read or the copy not be written.
    pub fn step(&mut self) -> Result<PointStep, PointError> {
        let Some((page_set, copy)) = &mut self.current else {
            let Some(page_set) = self.waiting.pop_front() else {
                return Ok(PointStep::Done(std::mem::take(&mut self.copied)));
            };
            let (reader, target) = open(&self.storage, &self.plan, page_set)?;
            self.current = Some((page_set, PageSetCopy::new(reader, target)));
            return Ok(PointStep::More);
        };
        match copy.step()? {
            CopyStep::More => Ok(PointStep::More),
            CopyStep::Pause(pause) => Ok(PointStep::Pause(pause)),
            CopyStep::Done(report) => {
                check_owner(&self.plan, *page_set, &report)?;
                self.copied.push(CopiedSet { page_set: *page_set, report });
                self.current = None;
                Ok(PointStep::More)
            }
        }
    }
}

/// Copies one page set of a plan that has begun, with threads. `progress` hears of bytes copied and expected.
///
/// # Errors
/// As [`PointCopy::step`].
pub fn copy_page_set(
    storage: &SharedStorage,
    plan: &PointPlan,
    page_set: PageSetId,
    progress: &mut dyn FnMut(u64, Option<u64>),
) -> Result<CopiedSet, PointError> {
    let (mut reader, mut target) = open(storage, plan, page_set)?;
    let early = target.file();
    let report = copy_pipelined(&mut reader, &mut target, Some(&early), progress)?;
    check_owner(plan, page_set, &report)?;
    Ok(CopiedSet { page_set, report })
}

fn open(
    storage: &SharedStorage,
    plan: &PointPlan,
    page_set: PageSetId,
) -> Result<(PageSetReader<FileSource>, FileTarget), PointError> {
    let from = page_set_path(&plan.source, page_set);
    let to = plan.temporary().join(PointPlan::page_set_file(page_set));
    let source = storage.open(&from, OpenMode::Read).map_err(|e| PointError::storage("opening", &from, e))?;
    let target = storage.open(&to, OpenMode::CreateNew).map_err(|e| PointError::storage("making", &to, e))?;
    let reader = PageSetReader::new(FileSource::new(source, from.display().to_string()), Some(page_set));
    Ok((reader, FileTarget::new(target, to.display().to_string())))
}

/// A page set of somebody else in the queue manager's directory is no backup of it.
fn check_owner(plan: &PointPlan, page_set: PageSetId, report: &CopyReport) -> Result<(), PointError> {
    let Some(facts) = &report.page_set else { return Ok(()) };
    if facts.queue_manager_id != plan.queue_manager_id {
        let why = format!("it belongs to queue manager {} ({})", facts.queue_manager, facts.queue_manager_id);
        let name = page_set_path(&plan.source, page_set).display().to_string();
        return Err(CopyError::Foreign { name, why }.into());
    }
    Ok(())
}
