//! A BSDS made anew from log, archives and page sets, when both its copies are lost.

use std::path::{Path, PathBuf};

use engine_log::{
    LogGap, LogSurvey, PageSetWitness, RebuiltBsds, rebuild_bsds, refuse_good_bsds, write_rebuilt_bsds,
};
use engine_page_store::page_set_path;
use engine_queue_manager::files;
use engine_storage::{OpenMode, SharedStorage};
use format_bsds::PageSetEntry;
use format_pageset::page_zero;
use format_types::{PAGE_SIZE, PageSetId, Timestamp};

use crate::error::PointError;

/// What is to be done.
#[derive(Debug, Clone)]
pub struct RebuildSettings {
    /// The queue manager's directory.
    pub dir: PathBuf,
    /// That log in active logs which are missing may be lost is accepted, and that needed log can be read nowhere.
    pub accept_loss: bool,
    /// Ends after it is known what the BSDS would be.
    pub dry_run: bool,
}

/// Makes the BSDS of the queue manager in `settings.dir` anew. Nothing but the two files is written, and nothing that can be read is
/// replaced; the next start is an ordinary one. `progress` hears of files looked at and files in all.
///
/// # Errors
/// When a copy of the BSDS can be used, files contradict each other or are somebody else's, or an active log or log that is needed is
/// missing and that is not accepted. Nothing was written then.
pub fn rebuild(
    storage: &SharedStorage,
    settings: &RebuildSettings,
    now: Timestamp,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<RebuiltBsds, PointError> {
    let dir = &settings.dir;
    if !storage.exists(dir).map_err(|e| PointError::storage("looking for", dir, e))? {
        return Err(PointError::NoQueueManager(dir.clone()));
    }
    refuse_good_bsds(storage, dir)?;
    // In a directory that is no queue manager's, taking the lock would leave a file.
    let survey = LogSurvey::of(storage, dir, progress)?;
    if survey.files.is_empty() {
        return Err(engine_log::LogError::NoLog.into());
    }
    let path = dir.join(files::LOCK);
    let lock = storage.lock(&path).map_err(|e| PointError::storage("locking", &path, e))?;
    let _lock = lock.ok_or_else(|| PointError::InUse(dir.clone()))?;
    let survey = LogSurvey::of(storage, dir, progress)?;
    let witnesses = page_set_witnesses(storage, dir)?;
    let rebuilt = rebuild_bsds(storage, dir, &survey, &witnesses, now)?;
    if settings.dry_run {
        return Ok(rebuilt);
    }
    if !rebuilt.missing.is_empty() && !settings.accept_loss {
        return Err(PointError::LogsMissing(rebuilt.missing));
    }
    let lost: Vec<LogGap> = rebuilt.gaps.iter().filter(|gap| gap.is_loss()).cloned().collect();
    if !lost.is_empty() && !settings.accept_loss {
        return Err(PointError::LogGaps(lost));
    }
    write_rebuilt_bsds(storage, dir, &rebuilt.bsds)?;
    Ok(rebuilt)
}

/// What the page sets in `dir` say of themselves. One whose page zero cannot be used says nothing: it is recovered afterwards.
pub(crate) fn page_set_witnesses(
    storage: &SharedStorage,
    dir: &Path,
) -> Result<Vec<PageSetWitness>, PointError> {
    let mut witnesses = Vec::new();
    for page_set in (0..100).filter_map(PageSetId::new) {
        let path = page_set_path(dir, page_set);
        if !storage.exists(&path).map_err(|e| PointError::storage("looking for", &path, e))? {
            continue;
        }
        let file =
            storage.open(&path, OpenMode::Read).map_err(|e| PointError::storage("opening", &path, e))?;
        let mut page = vec![0; PAGE_SIZE];
        let Some(zero) = file.read_at(0, &mut page).ok().and_then(|()| page_zero::decode(&page).ok()) else {
            continue;
        };
        let zero = zero.zero;
        let initial_pages = zero.initial_pages;
        witnesses.push(PageSetWitness {
            entry: PageSetEntry { page_set, initial_pages, expand: zero.expand, defined: None },
            queue_manager: zero.queue_manager,
            name: zero.name,
            history: zero.history,
            highest_synced: zero.highest_synced,
            recovery_rba: zero.recovery_rba,
        });
    }
    Ok(witnesses)
}
