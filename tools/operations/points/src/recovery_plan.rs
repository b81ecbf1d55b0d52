//! What a recovery will do, and whether it can: all that is checked before anything is touched.

use std::path::{Path, PathBuf};

use engine_log::{LogReader, Missing};
use engine_page_store::page_set_path;
use engine_storage::{OpenMode, SharedStorage};
use format_bsds::Bsds;
use format_manifest::CopiedPageSet;
use format_pageset::page_zero;
use format_types::{HistoryId, PAGE_SIZE, PageSetId, PointState, Rba, RbaRange};

use crate::error::PointError;
use crate::list::read_bsds;
use crate::point::Point;

/// Log checked between two reports of progress.
const SLICE: u64 = 64 << 20;

/// The log that a point needs, and what of it cannot be had.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogCheck {
    /// From the point's recorded system recovery RBA to the end of the log.
    pub needed: RbaRange,
    /// Stretches that can be read from no data set.
    pub missing: Vec<Missing>,
}

/// Reads and verifies every control interval that the point needs, in either copy.
///
/// # Errors
/// When the log's end cannot be found, or it ends before the point.
pub fn check_log(reader: LogReader, point: &Point) -> Result<LogCheck, PointError> {
    check_log_with(reader, point, &mut |_, _| {})
}

pub(crate) fn check_log_with(
    mut reader: LogReader,
    point: &Point,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<LogCheck, PointError> {
    let manifest = &point.manifest;
    let end = reader.find_end()?.end;
    if end < manifest.end {
        return Err(PointError::LogTooShort {
            point: manifest.name.clone(),
            log_end: end,
            point_end: manifest.end,
        });
    }
    let needed = RbaRange::new(manifest.log_needed_from(), end);
    let mut missing: Vec<Missing> = Vec::new();
    let mut at = needed.start;
    while at < needed.end {
        let until = at.ci_start().plus(SLICE).min(needed.end);
        for gap in reader.missing(RbaRange::new(at, until))? {
            match missing.last_mut() {
                Some(last) if last.range.end == gap.range.start && last.data_sets == gap.data_sets => {
                    last.range.end = gap.range.end;
                }
                _ => missing.push(gap),
            }
        }
        at = until;
        progress(at.since(needed.start), needed.len());
    }
    Ok(LogCheck { needed, missing })
}

/// A recovery that can be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecoveryPlan {
    /// The queue manager's directory.
    pub dir: PathBuf,
    /// The point.
    pub point: Point,
    /// The copies to be restored.
    pub page_sets: Vec<CopiedPageSet>,
    /// The log to be read: from the point's recorded system recovery RBA to the end.
    pub needed: RbaRange,
}

impl RecoveryPlan {
    /// Checks that page sets `wanted` (all of the point when empty) can be restored and brought forward: the manifest, whose it is, the
    /// page sets that stay, and every byte of log. Touches nothing. `progress` hears of log checked and log in all.
    ///
    /// # Errors
    /// What stands against it.
    pub fn make(
        storage: &SharedStorage,
        dir: &Path,
        from: &Path,
        wanted: &[PageSetId],
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Self, PointError> {
        let bsds = read_bsds(storage, dir)?;
        let point = Point::open(storage, from)?;
        check_owner(&bsds, &point)?;
        if point.manifest.state == PointState::Damaged {
            let why = "pages did not verify when it was made".to_owned();
            return Err(PointError::Damaged { point: point.manifest.name.clone(), why });
        }
        let page_sets = choose(&bsds, &point, wanted)?;
        for entry in &bsds.page_sets {
            if !page_sets.iter().any(|copy| copy.page_set == entry.page_set) {
                check_staying(storage, dir, entry.page_set)?;
            }
        }
        for copy in &page_sets {
            check_copy_is_there(storage, &point, copy)?;
        }
        let reader = LogReader::with_bsds(storage, dir, bsds);
        let LogCheck { needed, missing } = check_log_with(reader, &point, progress)?;
        if let Some(gap) = missing.first() {
            let what = if gap.data_sets.is_empty() { "it".to_owned() } else { gap.data_sets.join(" or ") };
            return Err(PointError::LogMissing {
                point: point.manifest.name.clone(),
                range: gap.range,
                needed,
                why: gap.why.clone(),
                what,
            });
        }
        Ok(Self { dir: dir.to_owned(), point, page_sets, needed })
    }

    /// Bytes to be restored.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.page_sets.iter().map(|copy| copy.length).sum()
    }
}

/// The copies to be restored. A page set that was deleted since is not restored unasked, and refused when asked for.
fn choose(bsds: &Bsds, point: &Point, wanted: &[PageSetId]) -> Result<Vec<CopiedPageSet>, PointError> {
    let defined = |page_set: PageSetId| bsds.page_sets.iter().any(|entry| entry.page_set == page_set);
    if wanted.is_empty() {
        let copies = point.manifest.page_sets.iter().filter(|copy| defined(copy.page_set));
        return Ok(copies.cloned().collect());
    }
    let mut ids = wanted.to_vec();
    ids.sort_unstable();
    ids.dedup();
    ids.into_iter()
        .map(|page_set| match point.manifest.page_set(page_set) {
            Some(copy) if defined(page_set) => Ok(copy.clone()),
            Some(_) => Err(PointError::NotDefined { page_set }),
            None => Err(PointError::NotInPoint { point: point.manifest.name.clone(), page_set }),
        })
        .collect()
}

fn check_owner(bsds: &Bsds, point: &Point) -> Result<(), PointError> {
    let manifest = &point.manifest;
    let foreign = |why: String| PointError::Foreign { point: manifest.name.clone(), why };
    if manifest.queue_manager_id != bsds.queue_manager {
        return Err(foreign(format!(
            "it was made of {} ({}), this is {} ({})",
            manifest.queue_manager, manifest.queue_manager_id, bsds.name, bsds.queue_manager
        )));
    }
    if on_the_line(bsds, manifest.history, manifest.end) {
        Ok(())
    } else {
        Err(foreign(format!(
            "it ends at {} in log history {}, which this queue manager's history {} does not hold",
            manifest.end,
            manifest.history,
            bsds.history()
        )))
    }
}

/// Whether the log up to `end` of `history` is a part of the current history or of what it was cut from.
fn on_the_line(bsds: &Bsds, history: HistoryId, end: Rba) -> bool {
    let mut id = bsds.history();
    let mut reach = Rba::MAX;
    // A chain without a loop is no longer than the list.
    for _ in 0..=bsds.histories.len() {
        if id == history {
            return end <= reach;
        }
        let Some((parent, cut)) =
            bsds.histories.iter().find(|entry| entry.id == id).and_then(|entry| entry.parent)
        else {
            return false;
        };
        id = parent;
        reach = reach.min(cut);
    }
    false
}

/// A page set that is not restored must be usable as it is: the restart opens all of them.
fn check_staying(storage: &SharedStorage, dir: &Path, page_set: PageSetId) -> Result<(), PointError> {
    let path = page_set_path(dir, page_set);
    let mut page = vec![0; PAGE_SIZE];
    let read = storage.open(&path, OpenMode::Read).and_then(|file| file.read_at(0, &mut page));
    let problem = match read {
        Err(error) => Some(error.to_string()),
        Ok(()) => page_zero::decode(&page).err().map(|error| error.to_string()),
    };
    match problem {
        Some(why) => Err(PointError::OtherPageSet { page_set, why }),
        None => Ok(()),
    }
}

fn check_copy_is_there(
    storage: &SharedStorage,
    point: &Point,
    copy: &CopiedPageSet,
) -> Result<(), PointError> {
    let path = point.directory.join(&copy.file);
    let length = storage.open(&path, OpenMode::Read).and_then(|file| file.len());
    let why = match length {
        Err(error) => format!("page set {}: {error}", copy.page_set),
        Ok(length) if length != copy.length => {
            format!("page set {} has {length} bytes, the manifest says {}", copy.page_set, copy.length)
        }
        Ok(_) => return Ok(()),
    };
    Err(PointError::Damaged { point: point.manifest.name.clone(), why })
}
