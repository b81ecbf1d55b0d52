//! What a recovery that makes a queue manager anew will do, and whether it can: at another site, from a point that holds its log, or
//! after the logs were lost. Nothing is written here.

use std::path::{Path, PathBuf};

use engine_log::{LogFileKind, LogReader, LogSurvey};
use engine_queue_manager::files;
use engine_storage::{SharedStorage, Storage};
use format_bsds::Bsds;
use format_types::{HistoryId, PointMethod, PointState, Rba, RbaRange};

use crate::anew::{AnewPlan, AnewSettings, AnewSource, name_point, place_to_keep};
use crate::error::PointError;
use crate::include_log::{bsds_of, time_before, with_pieces};
use crate::list::read_bsds;
use crate::loss::Loss;
use crate::origin::{Origin, origin};
use crate::point::Point;
use crate::recovery_plan::{RecoveryPlan, check_copy_is_there, check_owner, check_range, log_needed};

impl AnewPlan {
    /// Finds out what is to be done, and checks that it can be: the point, whose it is, every copy, and every byte of log. `progress`
    /// hears of files or bytes looked at and in all.
    ///
    /// # Errors
    /// What stands against it.
    pub fn make(
        storage: &SharedStorage,
        settings: &AnewSettings,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Self, PointError> {
        let point = Point::open(storage, &settings.from)?;
        if point.manifest.state == PointState::Damaged {
            let why = "pages did not verify when it was made".to_owned();
            return Err(PointError::Damaged { point: point.manifest.name.clone(), why });
        }
        let of_point = bsds_of(storage, &point)?;
        let mut plan = match &settings.source {
            AnewSource::Point => from_point(storage, settings, point, of_point)?,
            AnewSource::Archives(dir) => other_site(storage, settings, point, of_point, dir, progress)?,
            AnewSource::LogsLost => logs_lost(storage, settings, point, of_point, progress)?,
            AnewSource::Log(dir) => copy_of_original(storage, settings, point, dir)?,
        };
        for copy in &plan.restore.page_sets {
            check_copy_is_there(storage, &plan.point, copy)?;
        }
        if let Some((dir, inventory)) = &plan.log {
            let reader = LogReader::with_bsds(storage, dir, inventory.clone());
            refuse_missing(&reader, &plan.point, plan.needed, progress)?;
            plan.loss.last = time_before(&reader, plan.needed.end);
        }
        name_point(&mut plan.base, &plan.point);
        Ok(plan)
    }
}

/// The plan that all three have in common.
fn plan(
    settings: &AnewSettings,
    point: Point,
    base: Bsds,
    log: Option<(PathBuf, Bsds)>,
    cut: Rba,
    loss: Loss,
) -> AnewPlan {
    let manifest = &point.manifest;
    let needed = RbaRange::new(manifest.log_needed_from().min(cut), cut);
    // A page set that was deleted since is not restored; one that was defined since comes from the log.
    let line = base.line();
    let (mut copies, mut made_anew) = (Vec::new(), Vec::new());
    for entry in &base.page_sets {
        match origin(&line, entry, manifest, Some(cut)) {
            Origin::Copy(copy) => copies.push(copy),
            Origin::Log(made) => made_anew.push(made),
        }
    }
    AnewPlan {
        dir: settings.dir.clone(),
        kept_as: None,
        loss,
        needed,
        page_sets: copies.iter().map(|copy| copy.page_set).collect(),
        from_log: made_anew.iter().map(|made| made.entry.page_set).collect(),
        base,
        log,
        restore: RecoveryPlan {
            dir: settings.dir.clone(),
            point: point.clone(),
            page_sets: copies,
            made_anew,
            needed,
            cut: None,
        },
        point,
    }
}

/// Every control interval of the log that is needed must be there.
fn refuse_missing(
    reader: &LogReader,
    point: &Point,
    needed: RbaRange,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(), PointError> {
    let found = check_range(reader, needed, progress)?;
    let Some(gap) = found.missing.first() else { return Ok(()) };
    let what = if gap.data_sets.is_empty() { "it".to_owned() } else { gap.data_sets.join(" or ") };
    Err(PointError::LogMissing {
        point: point.manifest.name.clone(),
        range: gap.range,
        needed,
        why: gap.why.clone(),
        what,
    })
}

/// From a point that holds its log.
fn from_point(
    storage: &SharedStorage,
    settings: &AnewSettings,
    point: Point,
    base: Bsds,
) -> Result<AnewPlan, PointError> {
    refuse_taken(storage, &settings.dir)?;
    let manifest = &point.manifest;
    let Some(pieces) = &manifest.log else {
        return Err(PointError::HoldsNoLog { point: manifest.name.clone(), dir: settings.dir.clone() });
    };
    let inventory = with_pieces(&base, manifest, pieces);
    let cut = manifest.end;
    let loss = Loss {
        after: cut,
        last: None,
        logs: false,
        page_sets: Vec::new(),
        unusable: Vec::new(),
        must_be_accepted: false,
    };
    let log = Some((point.directory.clone(), inventory)).filter(|_| !pieces.is_empty());
    Ok(plan(settings, point, base, log, cut, loss))
}

/// From archives and the copies of the BSDS beside them.
fn other_site(
    storage: &SharedStorage,
    settings: &AnewSettings,
    point: Point,
    of_point: Bsds,
    archives: &Path,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<AnewPlan, PointError> {
    refuse_taken(storage, &settings.dir)?;
    let manifest = &point.manifest;
    let mut survey = LogSurvey::of(storage, archives, progress)?;
    // Control intervals of an active log are proof of nothing without the BSDS that knows where its copies stopped.
    survey.files.retain(|file| file.kind == LogFileKind::Archive);
    let ours = |file: &engine_log::LogFile| {
        file.content.is_some_and(|content| content.identity.queue_manager == manifest.queue_manager_id)
    };
    if !survey.files.iter().any(ours) && manifest.method != PointMethod::Full {
        return Err(PointError::NoArchives {
            dir: archives.to_owned(),
            queue_manager: format!("{} ({})", manifest.queue_manager, manifest.queue_manager_id),
        });
    }
    survey.inventories.add(format!("the BSDS copy of recovery point {}", manifest.name), of_point);
    let newest = survey.inventories.newest(Some(manifest.queue_manager_id))?;
    let Some(mut base) = newest.map(|(_, bsds)| bsds.clone()) else {
        return Err(PointError::NoQueueManager(archives.to_owned()));
    };
    survey.add_archives(&mut base, manifest.at)?;
    let line = base.line();
    if !line.holds(manifest.history, manifest.end) {
        return Err(PointError::Foreign {
            point: manifest.name.clone(),
            why: format!(
                "it ends at {} in log history {}, which the line of the newest BSDS copy, history {}, does not hold",
                manifest.end,
                manifest.history,
                base.history()
            ),
        });
    }
    let is_there = |name: &str| survey.files.iter().any(|file| file.name == name);
    let ends = base.archives.iter().filter(|archive| is_there(&archive.name)).filter_map(|archive| {
        let end = line.clip(archive.history, archive.range)?.end;
        Some(line.reach(archive.history).map_or(end, |reach| end.min(reach)))
    });
    let mut cut = ends.max().unwrap_or(Rba::ZERO);
    if manifest.method == PointMethod::Full {
        // It is whole in itself: where no archive goes on from it, it ends the log.
        cut = cut.max(manifest.end);
    }
    if cut < manifest.end {
        return Err(PointError::ArchivesTooShort {
            point: manifest.name.clone(),
            dir: archives.to_owned(),
            end: cut,
            point_end: manifest.end,
        });
    }
    let inventory = Bsds { active_logs: Vec::new(), ..base.clone() };
    let unusable = std::mem::take(&mut survey.unusable);
    let loss =
        Loss { after: cut, last: None, logs: false, page_sets: Vec::new(), unusable, must_be_accepted: true };
    let needed = manifest.log_needed_from() < cut;
    let log = Some((archives.to_owned(), inventory)).filter(|_| needed);
    Ok(plan(settings, point, base, log, cut, loss))
}

/// From the log of the queue manager that the point was made of; only a copy comes out of it.
fn copy_of_original(
    storage: &SharedStorage,
    settings: &AnewSettings,
    point: Point,
    dir: &Path,
) -> Result<AnewPlan, PointError> {
    refuse_taken(storage, &settings.dir)?;
    let bsds = read_bsds(storage, dir)?;
    check_owner(&bsds, &point)?;
    let mut reader = LogReader::with_bsds(storage, dir, bsds);
    let needed = log_needed(&mut reader, &point)?;
    // What is not known to be durable may be half-written.
    let synced = reader.find_end()?.synced.max(point.manifest.end);
    // The record behind it is looked for only to keep whole records.
    let end = reader.cut_at(synced, needed.end).unwrap_or(synced);
    // Where the log behind the point was deleted on purpose, it goes to the end of its copies.
    let deleted =
        |(history, stretch): (HistoryId, RbaRange)| reader.bsds().holes_in(history, stretch).next().is_some();
    let behind = RbaRange::new(point.manifest.end, end);
    let cut = if reader.stretches(behind).into_iter().any(deleted) { point.manifest.end } else { end };
    let base = reader.bsds().clone();
    let loss = Loss {
        after: cut,
        last: None,
        logs: false,
        page_sets: Vec::new(),
        unusable: Vec::new(),
        must_be_accepted: false,
    };
    let log = Some((dir.to_owned(), base.clone())).filter(|_| point.manifest.log_needed_from() < cut);
    Ok(plan(settings, point, base, log, cut, loss))
}

/// From a full point, with a log begun anew.
fn logs_lost(
    storage: &SharedStorage,
    settings: &AnewSettings,
    point: Point,
    of_point: Bsds,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<AnewPlan, PointError> {
    let manifest = &point.manifest;
    if manifest.method != PointMethod::Full || manifest.log_needed_from() < manifest.end {
        return Err(PointError::NotFull {
            point: manifest.name.clone(),
            needed: manifest.log_needed_from(),
            end: manifest.end,
        });
    }
    let mut kept_as = None;
    let mut base = of_point.clone();
    if is_taken(storage, &settings.dir)? {
        refuse_running(storage, &settings.dir)?;
        if let Ok(bsds) = engine_log::read_bsds(storage, &settings.dir) {
            if bsds.queue_manager != manifest.queue_manager_id {
                return Err(PointError::Foreign {
                    point: manifest.name.clone(),
                    why: format!(
                        "it was made of {} ({}), this is {} ({})",
                        manifest.queue_manager, manifest.queue_manager_id, bsds.name, bsds.queue_manager
                    ),
                });
            }
            if let Ok(plain) = RecoveryPlan::make(storage, &settings.dir, &settings.from, &[], progress) {
                return Err(PointError::LogIsThere { dir: settings.dir.clone(), end: plain.needed.end });
            }
            if bsds.line().holds(manifest.history, manifest.end) {
                base = bsds;
            } else {
                return Err(PointError::Foreign {
                    point: manifest.name.clone(),
                    why: format!(
                        "its log history {} is not on the line of {}",
                        manifest.history,
                        bsds.history()
                    ),
                });
            }
        } else {
            refuse_foreign_page_sets(storage, &settings.dir, &point)?;
        }
        kept_as = Some(place_to_keep(storage, &settings.dir)?);
    }
    // Everything is as it was at the point, the page sets defined then among it.
    let later = base.page_sets.iter().map(|entry| entry.page_set);
    let given_up = later.filter(|page_set| manifest.page_set(*page_set).is_none()).collect();
    base.page_sets =
        of_point.page_sets.into_iter().filter(|entry| manifest.page_set(entry.page_set).is_some()).collect();
    let cut = manifest.end;
    let loss = Loss {
        after: cut,
        last: None,
        logs: true,
        page_sets: given_up,
        unusable: Vec::new(),
        must_be_accepted: true,
    };
    let mut plan = plan(settings, point, base, None, cut, loss);
    plan.kept_as = kept_as;
    Ok(plan)
}

/// Whether something is in the directory.
fn is_taken(storage: &SharedStorage, dir: &Path) -> Result<bool, PointError> {
    if !storage.exists(dir).map_err(|e| PointError::storage("looking for", dir, e))? {
        return Ok(false);
    }
    let names = storage.list(dir).map_err(|e| PointError::storage("reading directory", dir, e))?;
    Ok(names.iter().any(|name| name.as_os_str() != files::LOCK))
}

fn refuse_taken(storage: &SharedStorage, dir: &Path) -> Result<(), PointError> {
    if is_taken(storage, dir)? { Err(PointError::DirectoryTaken(dir.to_owned())) } else { Ok(()) }
}

/// A page set of somebody else says that the directory is somebody else's, where no BSDS does.
fn refuse_foreign_page_sets(storage: &SharedStorage, dir: &Path, point: &Point) -> Result<(), PointError> {
    for witness in crate::rebuild::page_set_witnesses(storage, dir)? {
        if witness.queue_manager != point.manifest.queue_manager_id {
            return Err(PointError::Foreign {
                point: point.manifest.name.clone(),
                why: format!(
                    "page set {} here belongs to {} ({})",
                    witness.entry.page_set, witness.name, witness.queue_manager
                ),
            });
        }
    }
    Ok(())
}

/// Looks whether somebody holds the directory's lock, without making the lock's file.
fn refuse_running(storage: &SharedStorage, dir: &Path) -> Result<(), PointError> {
    let path = dir.join(files::LOCK);
    if !storage.exists(&path).map_err(|e| PointError::storage("looking for", &path, e))? {
        return Ok(());
    }
    let storage: &dyn Storage = storage.as_ref();
    match storage.lock(&path).map_err(|e| PointError::storage("locking", &path, e))? {
        Some(_) => Ok(()),
        None => Err(PointError::InUse(dir.to_owned())),
    }
}
