//! The recovery points that a queue manager knows.

use std::path::Path;

use engine_storage::SharedStorage;
use format_bsds::RecoveryPointEntry;

use crate::error::PointError;

/// The entries in the BSDS, oldest first, whether the queue manager runs or not.
///
/// # Errors
/// When neither BSDS copy can be read.
pub fn list_points(storage: &SharedStorage, dir: &Path) -> Result<Vec<RecoveryPointEntry>, PointError> {
    Ok(read_bsds(storage, dir)?.recovery_points)
}

/// The same, each with whether it is on the line of the log: one that reaches behind a cut cannot be recovered from any more.
///
/// # Errors
/// When neither BSDS copy can be read.
pub fn points_by_line(
    storage: &SharedStorage,
    dir: &Path,
) -> Result<Vec<(RecoveryPointEntry, bool)>, PointError> {
    let bsds = read_bsds(storage, dir)?;
    let line = bsds.line();
    let with_line = |entry: RecoveryPointEntry| {
        let holds = line.holds(entry.history, entry.end);
        (entry, holds)
    };
    Ok(bsds.recovery_points.into_iter().map(with_line).collect())
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
