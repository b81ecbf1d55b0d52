//! What a recovery will do, and whether it can: all that is checked before anything is touched.

use std::path::{Path, PathBuf};

use engine_log::{LogError, LogReader, Missing, history};
use engine_page_store::page_set_path;
use engine_storage::{OpenMode, SharedStorage};
use format_bsds::Bsds;
use format_manifest::CopiedPageSet;
use format_pageset::{PageZero, page_zero};
use format_types::{PAGE_SIZE, PageSetId, PointState, Rba, RbaRange};

use crate::error::PointError;
use crate::list::read_bsds;
use crate::origin::{MadeAnew, Origin, origin};
use crate::point::Point;
use crate::target::{PlannedCut, RecoveryTarget, check_staying, plan_cut};

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
    let needed = log_needed(&mut reader, point)?;
    check_range(&reader, needed, progress)
}

/// The log that `point` needs: from its recorded system recovery RBA to the end of the log.
pub(crate) fn log_needed(reader: &mut LogReader, point: &Point) -> Result<RbaRange, PointError> {
    let manifest = &point.manifest;
    check_line(reader.bsds(), point)?;
    let end = reader.find_end()?.end;
    if end < manifest.end {
        return Err(PointError::LogTooShort {
            point: manifest.name.clone(),
            log_end: end,
            point_end: manifest.end,
        });
    }
    Ok(RbaRange::new(manifest.log_needed_from(), end))
}

/// Whether `gap` lies behind the end of the point's copies and was deleted on purpose: the point recovers to that end all the same.
pub(crate) fn deleted_behind(reader: &LogReader, point: &Point, gap: RbaRange) -> bool {
    let hole = |(history, stretch): &(_, RbaRange)| {
        let deleted: u64 = reader.bsds().holes_in(*history, *stretch).map(|hole| hole.len()).sum();
        deleted == stretch.len()
    };
    gap.start >= point.manifest.end && reader.stretches(gap).iter().all(hole)
}

/// Reads and verifies every control interval of `needed`.
pub(crate) fn check_range(
    reader: &LogReader,
    needed: RbaRange,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<LogCheck, PointError> {
    let mut tell = |done, total| {
        progress(done, total);
        true
    };
    let checked = check_range_while(reader, needed, SLICE, &mut tell)?;
    Ok(checked.unwrap_or(LogCheck { needed, missing: Vec::new() }))
}

/// The same as long as `go_on` says so, which is told of bytes checked and of all after each `slice` of bytes; none when it was ended.
pub(crate) fn check_range_while(
    reader: &LogReader,
    needed: RbaRange,
    slice: u64,
    go_on: &mut dyn FnMut(u64, u64) -> bool,
) -> Result<Option<LogCheck>, PointError> {
    let mut missing: Vec<Missing> = Vec::new();
    let mut at = needed.start;
    while at < needed.end {
        let until = at.ci_start().plus(slice).min(needed.end);
        for gap in reader.missing(RbaRange::new(at, until))? {
            match missing.last_mut() {
                Some(last) if last.range.end == gap.range.start && last.data_sets == gap.data_sets => {
                    last.range.end = gap.range.end;
                }
                _ => missing.push(gap),
            }
        }
        at = until;
        if !go_on(at.since(needed.start), needed.len()) {
            return Ok(None);
        }
    }
    Ok(Some(LogCheck { needed, missing }))
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
    /// Page sets that are made anew, empty, and filled from the log: they were defined after the point was made.
    pub made_anew: Vec<MadeAnew>,
    /// The log to be read: from the point's recorded system recovery RBA to the end, or to the cut.
    pub needed: RbaRange,
    /// The cut that is made first, when the recovery does not go to the end of the log.
    pub cut: Option<PlannedCut>,
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
        Self::make_to(storage, dir, from, wanted, None, progress)
    }

    /// The same for a recovery that ends at `target`; to the end of the log without one.
    ///
    /// # Errors
    /// What stands against it.
    pub fn make_to(
        storage: &SharedStorage,
        dir: &Path,
        from: &Path,
        wanted: &[PageSetId],
        target: Option<RecoveryTarget>,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Self, PointError> {
        let bsds = read_bsds(storage, dir)?;
        let point = Point::open(storage, from)?;
        check_owner(&bsds, &point)?;
        check_line(&bsds, &point)?;
        if point.manifest.state == PointState::Damaged {
            let why = "pages did not verify when it was made".to_owned();
            return Err(PointError::Damaged { point: point.manifest.name.clone(), why });
        }
        let mut reader = LogReader::with_bsds(storage, dir, bsds.clone());
        let (end, damage) = match reader.find_end() {
            // What is behind the target need not be readable.
            Err(LogError::Damage { rba, why }) if target.is_some() => (rba, Some((rba, why))),
            found => (found?.end, None),
        };
        if end < point.manifest.end {
            return Err(PointError::LogTooShort {
                point: point.manifest.name.clone(),
                log_end: end,
                point_end: point.manifest.end,
            });
        }
        let damaged = damage.is_some();
        let mut cut = target.map(|target| plan_cut(&mut reader, &point, end, target)).transpose()?;
        if let Some(cut) = &mut cut {
            cut.lost.unreadable = cut.lost.unreadable.take().or(damage);
        }
        let new_cut = cut.as_ref().filter(|cut| cut.made.is_none());
        if let Some(cut) = new_cut {
            history::check_cut(storage, dir, &bsds, cut.cut, damaged)?;
        }
        let (page_sets, made_anew) = choose(&bsds, &point, wanted, new_cut.map(|cut| cut.cut))?;
        let mut lowest = point.manifest.log_needed_from();
        for entry in &bsds.page_sets {
            let copied = page_sets.iter().any(|copy| copy.page_set == entry.page_set);
            if !copied && !made_anew.iter().any(|made| made.entry.page_set == entry.page_set) {
                let zero = read_staying(storage, dir, entry.page_set)?;
                let reach = new_cut.map(|cut| cut.cut);
                check_staying(storage, dir, &bsds, entry.page_set, zero.history, reach)?;
                lowest = lowest.min(zero.recovery_rba);
            }
        }
        for copy in &page_sets {
            check_copy_is_there(storage, &point, copy)?;
        }
        let to = new_cut.map_or(end, |cut| cut.cut);
        let LogCheck { needed, missing } = check_range(&reader, RbaRange::new(lowest, to), progress)?;
        if let Some(gap) = missing.first() {
            if deleted_behind(&reader, &point, gap.range) {
                return Err(PointError::LogDeleted {
                    point: point.manifest.name.clone(),
                    range: gap.range,
                    point_end: point.manifest.end,
                });
            }
            let what = if gap.data_sets.is_empty() { "it".to_owned() } else { gap.data_sets.join(" or ") };
            return Err(PointError::LogMissing {
                point: point.manifest.name.clone(),
                range: gap.range,
                needed,
                why: gap.why.clone(),
                what,
            });
        }
        Ok(Self { dir: dir.to_owned(), point, page_sets, made_anew, needed, cut })
    }

    /// Bytes to be restored.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.page_sets.iter().map(|copy| copy.length).sum()
    }

    /// The page sets that are restored or made anew.
    pub fn ids(&self) -> impl Iterator<Item = PageSetId> {
        let made = self.made_anew.iter().map(|made| made.entry.page_set);
        self.page_sets.iter().map(|copy| copy.page_set).chain(made)
    }
}

/// The copies to be restored, and the page sets to be made anew. A page set that was deleted since is not restored unasked, and refused
/// when asked for; and refused where the log is cut, for it may have been there at the target.
fn choose(
    bsds: &Bsds,
    point: &Point,
    wanted: &[PageSetId],
    cut: Option<Rba>,
) -> Result<(Vec<CopiedPageSet>, Vec<MadeAnew>), PointError> {
    let manifest = &point.manifest;
    let defined = |page_set: PageSetId| bsds.page_sets.iter().any(|entry| entry.page_set == page_set);
    if let Some(page_set) = wanted.iter().copied().find(|page_set| !defined(*page_set)) {
        return Err(match manifest.page_set(page_set) {
            Some(_) => PointError::NotDefined { page_set },
            None => PointError::NotInPoint { point: manifest.name.clone(), page_set },
        });
    }
    let deleted = manifest.page_sets.iter().find(|copy| !defined(copy.page_set));
    if let Some(copy) = deleted.filter(|_| cut.is_some() && wanted.is_empty()) {
        return Err(PointError::NotDefined { page_set: copy.page_set });
    }
    let line = bsds.line();
    let (mut copies, mut made) = (Vec::new(), Vec::new());
    for entry in &bsds.page_sets {
        if wanted.is_empty() || wanted.contains(&entry.page_set) {
            match origin(&line, entry, manifest, cut) {
                Origin::Copy(copy) => copies.push(copy),
                Origin::Log(anew) => made.push(anew),
            }
        }
    }
    Ok((copies, made))
}

pub(crate) fn check_owner(bsds: &Bsds, point: &Point) -> Result<(), PointError> {
    let manifest = &point.manifest;
    let foreign = |why: String| PointError::Foreign { point: manifest.name.clone(), why };
    if manifest.queue_manager_id != bsds.queue_manager {
        return Err(foreign(format!(
            "it was made of {} ({}), this is {} ({})",
            manifest.queue_manager, manifest.queue_manager_id, bsds.name, bsds.queue_manager
        )));
    }
    Ok(())
}

/// Refuses a point that reaches behind a cut: what it holds is in part what was given up.
pub(crate) fn check_line(bsds: &Bsds, point: &Point) -> Result<(), PointError> {
    let manifest = &point.manifest;
    let line = bsds.line();
    if line.holds(manifest.history, manifest.end) {
        return Ok(());
    }
    let why = match line.reach(manifest.history) {
        Some(reach) => format!("that history was cut at {reach}"),
        None => format!("no log of that history is on the line of history {}", bsds.history()),
    };
    Err(PointError::OffTheLine {
        point: manifest.name.clone(),
        point_end: manifest.end,
        history: manifest.history,
        why,
    })
}

/// Page zero of a page set that is not restored. It must be usable as it is: the restart opens all of them.
fn read_staying(storage: &SharedStorage, dir: &Path, page_set: PageSetId) -> Result<PageZero, PointError> {
    let path = page_set_path(dir, page_set);
    let mut page = vec![0; PAGE_SIZE];
    let read = storage.open(&path, OpenMode::Read).and_then(|file| file.read_at(0, &mut page));
    let found = read.map_err(|error| error.to_string());
    let found = found.and_then(|()| page_zero::decode(&page).map_err(|error| error.to_string()));
    found.map(|read| read.zero).map_err(|why| PointError::OtherPageSet { page_set, why })
}

pub(crate) fn check_copy_is_there(
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
