//! The recovery points that a queue manager knows.

use std::path::Path;

use engine_storage::SharedStorage;
use format_bsds::{Hold, RecoveryPointEntry};

use crate::error::PointError;

/// The entries in the BSDS, oldest first, whether the queue manager runs or not.
///
/// # Errors
/// When neither BSDS copy can be read.
pub fn list_points(storage: &SharedStorage, dir: &Path) -> Result<Vec<RecoveryPointEntry>, PointError> {
    Ok(read_bsds(storage, dir)?.recovery_points)
}

/// A recovery point that the BSDS names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KnownPoint {
    /// Its entry.
    pub entry: RecoveryPointEntry,
    /// Whether it is on the line of the log: one that reaches behind a cut cannot be recovered from any more.
    pub on_the_line: bool,
    /// Holds on it, those that have ended among them.
    pub holds: Vec<Hold>,
}

/// The entries in the BSDS, oldest first, with what else it says of each.
///
/// # Errors
/// When neither BSDS copy can be read.
pub fn known_points(storage: &SharedStorage, dir: &Path) -> Result<Vec<KnownPoint>, PointError> {
    let bsds = read_bsds(storage, dir)?;
    let line = bsds.line();
    let known = |entry: RecoveryPointEntry| KnownPoint {
        on_the_line: line.holds(entry.history, entry.end),
        holds: bsds.holds.iter().filter(|hold| hold.point == entry.name).cloned().collect(),
        entry,
    };
    Ok(bsds.recovery_points.iter().cloned().map(known).collect())
}

/// The BSDS of the queue manager in `dir`.
pub(crate) fn read_bsds(storage: &SharedStorage, dir: &Path) -> Result<format_bsds::Bsds, PointError> {
    let mut there = false;
    for name in engine_log::BSDS_NAMES {
        there |= storage.exists(&dir.join(name)).map_err(|e| PointError::storage("looking for", dir, e))?;
    }
    if !there {
        return Err(PointError::NoQueueManager(dir.to_owned()));
    }
    Ok(engine_log::read_bsds(storage, dir)?)
}
