//! Forgetting recovery points, and holding them against it.
//!
//! Order: the BSDS ceases to name the point, in both copies; then, when that is wanted, its files go, the manifest first: a directory
//! without one is no recovery point, so whatever a kill leaves can be taken for none.

use std::path::{Path, PathBuf};
use std::time::Duration;

use engine_queue_manager::{BsdsChanged, change_bsds, foresee_change};
use engine_storage::{SharedStorage, durable};
use format_bsds::{Bsds, RecoveryPointEntry};
use format_manifest::MANIFEST_FILE;
use format_protocol::Request;
use format_types::Timestamp;

use crate::error::PointError;
use crate::list::read_bsds;
use crate::point::Point;
use crate::restore::unfinished;
use crate::verify::file_problem;

/// Name that the queue manager sees.
const APPLICATION: &str = "RECPOINT";

/// A queue manager's inventory, to be changed whether the queue manager runs or not.
#[derive(Clone, Copy)]
pub struct Registry<'a> {
    /// Where its files are.
    pub storage: &'a SharedStorage,
    /// Its directory.
    pub dir: &'a Path,
    /// Bounds every wait.
    pub timeout: Duration,
    /// The time.
    pub now: Timestamp,
}

impl Registry<'_> {
    pub(crate) fn change(&self, request: &Request) -> Result<BsdsChanged, PointError> {
        Ok(change_bsds(self.storage, self.dir, request, APPLICATION, self.timeout, self.now)?)
    }

    /// Holds a point for a reason until a time, or until it is released.
    ///
    /// # Errors
    /// When there is no such point, the reason is none, the time has gone by, or the BSDS cannot be changed.
    pub fn hold(
        &self,
        point: &str,
        reason: &str,
        until: Option<Timestamp>,
    ) -> Result<BsdsChanged, PointError> {
        self.change(&Request::HoldPoint { point: point.to_owned(), reason: reason.to_owned(), until })
    }

    /// Ends all holds on a point.
    ///
    /// # Errors
    /// When it is not held, or the BSDS cannot be changed.
    pub fn release(&self, point: &str) -> Result<BsdsChanged, PointError> {
        self.change(&Request::ReleasePoint { point: point.to_owned() })
    }

    /// What forgetting a point would mean; nothing is changed.
    ///
    /// # Errors
    /// Why it is not to be forgotten: it is held, the last verified one that covers a page set, has the newest DEFINE statements, or a
    /// recovery is not finished; or, when its files are to go, they are not the point's.
    pub fn plan_forget(&self, point: &str, delete_files: bool) -> Result<ForgetPlan, PointError> {
        let Self { storage, dir, now, .. } = *self;
        let bsds = read_bsds(storage, dir)?;
        let entry = bsds.recovery_points.iter().rev().find(|entry| entry.name == point).cloned();
        let entry = entry.ok_or_else(|| PointError::NotKnown(point.to_owned()))?;
        if let Some(left) = unfinished(storage, dir)? {
            return Err(PointError::RecoveryUnfinished { point: point.to_owned(), left });
        }
        let definitions = newest_definitions(storage, &bsds);
        if definitions.as_deref() == Some(point) {
            return Err(PointError::NewestDefinitions(point.to_owned()));
        }
        let request = Request::ForgetPoint { point: point.to_owned(), definitions };
        foresee_change(&bsds, &request, now)?;
        let files = match delete_files {
            true => Some(files_of(storage, &entry)?),
            false => None,
        };
        Ok(ForgetPlan { entry, request, files })
    }

    /// Forgets the point of `plan`, and removes its files when that was planned.
    ///
    /// # Errors
    /// What stands against it by now. When the point is forgotten and its files cannot be removed, the report says so.
    pub fn forget(&self, plan: &ForgetPlan) -> Result<Forgotten, PointError> {
        let changed = self.change(&plan.request)?;
        let left = match &plan.files {
            Some(files) if !files.names.is_empty() => remove(self.storage, files)
                .unwrap_or_else(|error| Some(format!("its files could not all be deleted: {error}"))),
            _ => None,
        };
        Ok(Forgotten { changed, left })
    }
}

/// What forgetting a point means.
#[derive(Debug, Clone)]
pub struct ForgetPlan {
    /// Its entry in the BSDS.
    pub entry: RecoveryPointEntry,
    /// The change.
    pub(crate) request: Request,
    /// Its files, when they are to be removed.
    pub files: Option<PointFiles>,
}

/// The files of a point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointFiles {
    /// The directory.
    pub directory: PathBuf,
    /// Their names, the manifest's first; none when the directory is gone.
    pub names: Vec<String>,
    /// Bytes in them.
    pub bytes: u64,
}

/// What was forgotten.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forgotten {
    /// The change of the BSDS.
    pub changed: BsdsChanged,
    /// What is still there of files that were to go, and why.
    pub left: Option<String>,
}

/// The point with the newest DEFINE statements that are whole.
fn newest_definitions(storage: &SharedStorage, bsds: &Bsds) -> Option<String> {
    let whole = |entry: &&RecoveryPointEntry| {
        let point = Point::open(storage, Path::new(&entry.directory)).ok();
        point.is_some_and(|point| {
            is_the_point(&point, entry)
                && file_problem(storage, &point, &point.manifest.definitions).is_none()
        })
    };
    let mut entries: Vec<&RecoveryPointEntry> = bsds.recovery_points.iter().collect();
    entries.sort_by_key(|entry| entry.at);
    entries.into_iter().rev().find(whole).map(|entry| entry.name.clone())
}

fn is_the_point(point: &Point, entry: &RecoveryPointEntry) -> bool {
    point.manifest.name == entry.name && point.manifest.at == entry.at
}

/// Only what the manifest names is the point's.
fn files_of(storage: &SharedStorage, entry: &RecoveryPointEntry) -> Result<PointFiles, PointError> {
    let directory = PathBuf::from(&entry.directory);
    let there = storage.exists(&directory);
    if !there.map_err(|e| PointError::storage("looking for", &directory, e))? {
        return Ok(PointFiles { directory, names: Vec::new(), bytes: 0 });
    }
    let point = Point::open(storage, &directory).map_err(|error| PointError::NotItsFiles {
        path: directory.clone(),
        why: format!("what of them is the recovery point's is not known ({error})"),
    })?;
    if !is_the_point(&point, entry) {
        return Err(PointError::NotItsFiles {
            why: format!("recovery point {} is there now", point.manifest.name),
            path: directory,
        });
    }
    let manifest = &point.manifest;
    let names = std::iter::once(MANIFEST_FILE.to_owned())
        .chain(manifest.page_sets.iter().map(|copy| copy.file.clone()))
        .chain([manifest.bsds.file.clone(), manifest.definitions.file.clone()])
        .chain(manifest.log.iter().flatten().map(|piece| piece.file.clone()))
        .collect();
    let bytes = manifest.page_sets.iter().map(|copy| copy.length).sum::<u64>()
        + manifest.log.iter().flatten().map(|piece| piece.length).sum::<u64>();
    Ok(PointFiles { directory, names, bytes })
}

/// Removes them, and the directory when nothing else is in it; says what else is.
fn remove(storage: &SharedStorage, files: &PointFiles) -> Result<Option<String>, PointError> {
    let directory = &files.directory;
    for (number, name) in files.names.iter().enumerate() {
        let path = directory.join(name);
        durable::remove_if_there(storage.as_ref(), &path)
            .map_err(|e| PointError::storage("removing", &path, e))?;
        if number == 0 {
            storage.sync_dir(directory).map_err(|e| PointError::storage("syncing", directory, e))?;
        }
    }
    let others =
        storage.list(directory).map_err(|e| PointError::storage("reading directory", directory, e))?;
    if let Some(other) = others.first() {
        return Ok(Some(format!(
            "{} stays: {} in it is not the point's",
            directory.display(),
            other.display()
        )));
    }
    storage.remove_dir(directory).map_err(|e| PointError::storage("removing directory", directory, e))?;
    Ok(None)
}
