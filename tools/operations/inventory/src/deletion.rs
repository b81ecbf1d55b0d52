//! The files of marked archives, deleted one by one: each only when it is what the BSDS says.

use std::collections::HashSet;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};

use engine_log::{NotTheArchive, bsds_name_beside, check_archive, check_bsds_copy};
use engine_storage::{SharedStorage, durable};
use format_bsds::{ArchiveLog, Bsds};
use format_types::QueueManagerId;

/// What became of an archive's file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Fate {
    /// It is deleted.
    Deleted,
    /// It was not there.
    Missing,
    /// It stays: why.
    Stays(String),
}

/// What became of an archive, and why the copy of the BSDS beside it stays, should it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deleted {
    pub(crate) fate: Fate,
    pub(crate) beside: Option<String>,
}

/// The copies of the BSDS beside archives that must stay although their archives go: of each log copy the newest, for a BSDS that is lost
/// is made anew from it. Newer archives have none when it could not be written.
pub(crate) fn last_inventories(
    storage: &SharedStorage,
    dir: &Path,
    bsds: &Bsds,
    doomed: &[&ArchiveLog],
) -> Vec<String> {
    let goes: HashSet<&str> = doomed.iter().map(|archive| archive.name.as_str()).collect();
    let newest = |copy: u8| {
        let mut archives: Vec<&ArchiveLog> =
            bsds.archives.iter().filter(|archive| archive.copy == copy).collect();
        archives.sort_unstable_by(|a, b| b.name.cmp(&a.name));
        // A start writes one beside the newest archive that the BSDS does not name.
        let named = |(place, archive): &(usize, &ArchiveLog)| *place == 0 || !archive.bsds_name.is_empty();
        archives.into_iter().enumerate().filter(named).find_map(|(_, archive)| {
            let beside = bsds_name_beside(&archive.name)?;
            check_bsds_copy(storage.as_ref(), &dir.join(&beside), bsds.queue_manager)
                .is_ok()
                .then_some((goes.contains(archive.name.as_str()), beside))
        })
    };
    (1..=2).filter_map(newest).filter(|(goes, _)| *goes).map(|(_, beside)| beside).collect()
}

/// Deletes the files of `archives` of `queue_manager` in `dir` with so many threads; nothing is synced. What does not say of itself
/// that it is that archive stays, no link is followed, and the copies of the BSDS named in `stay` stay. `progress` hears of archives done.
pub(crate) fn delete(
    storage: &SharedStorage,
    dir: &Path,
    queue_manager: QueueManagerId,
    archives: &[&ArchiveLog],
    stay: &[String],
    threads: usize,
    progress: &(dyn Fn(usize) + Sync),
) -> Vec<Deleted> {
    let next = AtomicUsize::new(0);
    let work = || {
        let mut done = Vec::new();
        loop {
            let number = next.fetch_add(1, Ordering::Relaxed);
            let Some(archive) = archives.get(number) else { return done };
            done.push((number, delete_one(storage, dir, queue_manager, archive, stay)));
            progress(number + 1);
        }
    };
    let mut all: Vec<(usize, Deleted)> = if threads <= 1 {
        work()
    } else {
        std::thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            let joined = threads.into_iter().map(|thread| match thread.join() {
                Ok(done) => done,
                Err(panic) => std::panic::resume_unwind(panic),
            });
            joined.flatten().collect()
        })
    };
    all.sort_unstable_by_key(|(number, _)| *number);
    all.into_iter().map(|(_, deleted)| deleted).collect()
}

fn delete_one(
    storage: &SharedStorage,
    dir: &Path,
    queue_manager: QueueManagerId,
    archive: &ArchiveLog,
    stay: &[String],
) -> Deleted {
    let path = dir.join(&archive.name);
    let fate = match check_archive(storage.as_ref(), &path, queue_manager, archive) {
        Ok(()) => match durable::remove_if_there(storage.as_ref(), &path) {
            Ok(true) => Fate::Deleted,
            Ok(false) => Fate::Missing,
            Err(error) => Fate::Stays(error.to_string()),
        },
        Err(NotTheArchive::Missing) => Fate::Missing,
        Err(other) => Fate::Stays(other.to_string()),
    };
    let gone = !matches!(fate, Fate::Stays(_));
    let beside = if gone && !archive.bsds_name.is_empty() && !stay.contains(&archive.bsds_name) {
        delete_beside(storage, &dir.join(&archive.bsds_name), queue_manager)
    } else {
        None
    };
    Deleted { fate, beside }
}

/// The copy of the BSDS that was written with an archive; why it stays.
fn delete_beside(storage: &SharedStorage, path: &Path, queue_manager: QueueManagerId) -> Option<String> {
    match check_bsds_copy(storage.as_ref(), path, queue_manager) {
        Ok(()) => durable::remove_if_there(storage.as_ref(), path).err().map(|error| error.to_string()),
        Err(NotTheArchive::Missing) => None,
        Err(other) => Some(other.to_string()),
    }
}
