//! A log begun anew in a new history: where the log is not here up to its end, and what is here ends at a cut.
//!
//! Order of writes: the active logs are made, full of zeros, and synced; then the directory; then the BSDS, copy 1 and copy 2. Until the
//! BSDS is there the directory is no queue manager.

use std::path::Path;

use engine_storage::{SharedStorage, durable};
use format_bsds::{ActiveStatus, Bsds, encode_file, least_capacity};
use format_types::{Rba, Timestamp};

use crate::LogError;
use crate::bsds_files::BsdsFiles;
use crate::create::make_data_set;
use crate::history::begin_history;
use crate::names::bsds_name_beside;

/// How far the sequence of a BSDS goes up when it is made from an older one: updates that are not known were made since.
pub(crate) const SEQUENCE_GAP: u64 = 1 << 16;

/// A log that is to be begun anew.
#[derive(Debug, Clone)]
pub struct NewHistory {
    /// The inventory to go on from. Its archives are kept as they are named.
    pub base: Bsds,
    /// The log that is here begins at this RBA; checkpoints before it are forgotten.
    pub from: Rba,
    /// It ends at this RBA: all behind it is given up.
    pub cut: Rba,
    /// Random bits of the new history.
    pub random: u64,
    /// The time.
    pub now: Timestamp,
}

impl NewHistory {
    /// The inventory under which the log goes on, all its active logs new but the one that is written first.
    fn bsds(&self) -> Result<Bsds, LogError> {
        let mut bsds = self.base.clone();
        bsds.sequence = bsds.sequence.saturating_add(SEQUENCE_GAP);
        bsds.copy_stopped = [None, None];
        for log in &mut bsds.active_logs {
            log.range = None;
            log.status = ActiveStatus { new: true, ..ActiveStatus::default() };
        }
        begin_history(&mut bsds, self.cut, self.random, self.now)?;
        bsds.checkpoints.retain(|entry| entry.begin >= self.from);
        Ok(bsds)
    }

    /// Makes active logs and both copies of the BSDS in `dir`, where there are none; durable when it returns.
    ///
    /// # Errors
    /// When the inventory names no active log or the active logs differ in size, or storage refuses.
    pub fn begin(&self, storage: &SharedStorage, dir: &Path) -> Result<Bsds, LogError> {
        let mut bsds = self.bsds()?;
        if bsds.actives(1).count() < 2 {
            return Err(LogError::Inventory("it names fewer than two active logs".to_owned()));
        }
        for log in &bsds.active_logs {
            let path = dir.join(&log.name);
            let failed = |what, error| LogError::at(what, &path, error);
            durable::remove_if_there(storage.as_ref(), &path).map_err(|error| failed("clear", error))?;
            make_data_set(storage, &path, log.size).map_err(|error| failed("make", error))?;
        }
        storage.sync_dir(dir).map_err(|error| LogError::at("sync directory", dir, error))?;
        write_copies_beside_newest_archives(storage, dir, &mut bsds)?;
        BsdsFiles::create(storage, dir, &bsds)?;
        Ok(bsds)
    }
}

/// Writes a copy of the BSDS beside the newest archive of each copy, in the place of one that may be there: it is the first that knows
/// the history which has just begun, and the only one until the next offload, should both copies of the BSDS be lost. Archives of either
/// copy may be carried elsewhere alone.
///
/// # Errors
/// When storage refuses.
pub(crate) fn write_copies_beside_newest_archives(
    storage: &SharedStorage,
    dir: &Path,
    bsds: &mut Bsds,
) -> Result<(), LogError> {
    let mut beside = Vec::new();
    for copy in 1..=2 {
        let archives = bsds.archives.iter_mut().filter(|log| log.copy == copy);
        let Some(newest) = archives.max_by_key(|log| log.name.clone()) else { continue };
        let Some(beside_it) = bsds_name_beside(&newest.name) else { continue };
        newest.bsds_name = beside_it;
        beside.push(dir.join(&newest.bsds_name));
    }
    let Some(image) = encode_file(bsds, least_capacity(bsds)) else { return Ok(()) };
    for path in beside {
        durable::write_file(storage.as_ref(), &path, &image)
            .map_err(|error| LogError::at("write", &path, error))?;
    }
    Ok(())
}
