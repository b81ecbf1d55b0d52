//! Making the log of a new queue manager.

use std::io;
use std::path::Path;

use engine_storage::{OpenMode, SharedStorage, StorageFile, durable};
use format_bsds::{ActiveLog, ActiveStatus, Bsds, PageSetEntry, Settings};
use format_log::MAX_RECORD_LENGTH;
use format_types::{
    CI_SIZE, HistoryId, LogHistory, QueueManagerId, QueueManagerName, Rba, RbaRange, Timestamp,
};

use crate::bsds_files::BsdsFiles;
use crate::names::{BSDS_NAMES, active_name};
use crate::{LogError, LogManager};

/// Least bytes of an active log data set: several of the longest records.
const LEAST_SIZE: u64 = 4 * MAX_RECORD_LENGTH as u64;

/// Most active log data sets of one copy, as the modelled system has it.
const MOST_LOGS: u32 = 310;

/// What a new log is made of.
#[derive(Debug, Clone)]
pub struct NewLog {
    /// Name of the queue manager.
    pub name: QueueManagerName,
    /// Its random identity.
    pub queue_manager: QueueManagerId,
    /// The first history: number 1 and random bits.
    pub history: HistoryId,
    /// Settings; the size of data sets is rounded up to whole control intervals.
    pub settings: Settings,
    /// Active log data sets of each copy, at least 2.
    pub active_logs: u32,
    /// Page sets.
    pub page_sets: Vec<PageSetEntry>,
    /// The time.
    pub now: Timestamp,
}

impl LogManager {
    /// Makes active logs, full of zeros, and both copies of the BSDS in `dir`, which must be there; all is durable when this
    /// returns. The BSDS comes last: a directory without one is no queue manager yet.
    ///
    /// # Errors
    /// Settings that cannot be, files that are there already, or storage that refuses.
    pub fn create(storage: &SharedStorage, dir: &Path, new: &NewLog) -> Result<(), LogError> {
        let size = new.settings.log_data_set_size.next_multiple_of(CI_SIZE as u64);
        if size < LEAST_SIZE {
            return Err(LogError::Settings(format!(
                "active logs of {size} bytes are too small: at least {LEAST_SIZE} bytes are wanted"
            )));
        }
        if !(2..=MOST_LOGS).contains(&new.active_logs) {
            return Err(LogError::Settings(format!(
                "{} active logs of each copy cannot be: 2 to {MOST_LOGS} are wanted",
                new.active_logs
            )));
        }
        for name in BSDS_NAMES {
            let path = dir.join(name);
            if storage.exists(&path).map_err(|error| LogError::at("look for", &path, error))? {
                return Err(LogError::Settings(format!("{} is there already", path.display())));
            }
        }
        let bsds = first_bsds(new, size);
        for log in &bsds.active_logs {
            let path = dir.join(&log.name);
            make_data_set(storage, &path, size).map_err(|error| LogError::at("make", &path, error))?;
        }
        storage.sync_dir(dir).map_err(|error| LogError::at("sync directory", dir, error))?;
        BsdsFiles::create(storage, dir, &bsds)
    }
}

fn first_bsds(new: &NewLog, size: u64) -> Bsds {
    let copies = if new.settings.dual_active { 2 } else { 1 };
    let first = RbaRange::new(Rba::ZERO, Rba(size));
    let log = |copy: u8, number: u32| {
        let current = number == 1;
        ActiveLog {
            copy,
            name: active_name(copy, number),
            size,
            range: current.then_some(first),
            status: ActiveStatus { new: !current, ..ActiveStatus::default() },
            instance: u32::from(current),
            history: new.history,
        }
    };
    Bsds {
        sequence: 1,
        queue_manager: new.queue_manager,
        name: new.name.clone(),
        created: new.now,
        settings: Settings { log_data_set_size: size, ..new.settings.clone() },
        histories: vec![LogHistory { id: new.history, parent: None, first: Rba::ZERO }],
        active_logs: (1..=copies).flat_map(|c| (1..=new.active_logs).map(move |n| log(c, n))).collect(),
        copy_stopped: [None, None],
        archives: Vec::new(),
        next_archive: 1,
        highest_written: Rba::ZERO,
        highest_offloaded: Rba::ZERO,
        checkpoints: Vec::new(),
        clean_stop: None,
        conditional_restarts: Vec::new(),
        backups_in_progress: Vec::new(),
        recovery_points: Vec::new(),
        holds: Vec::new(),
        page_sets: new.page_sets.clone(),
        holes: Vec::new(),
    }
}

/// Makes a data set of zeros that are really written, so that no later sync has to record that space came into use. Its directory
/// is not synced.
pub(crate) fn make_data_set(storage: &SharedStorage, path: &Path, size: u64) -> io::Result<()> {
    let file = storage.open(path, OpenMode::CreateNew)?;
    let made =
        file.allocate(size).and_then(|()| write_zeros(file.as_ref(), 0, size)).and_then(|()| file.sync());
    if made.is_err() {
        // The first error tells more than one of cleaning up.
        let _ = durable::remove_if_there(storage.as_ref(), path);
    }
    made
}

/// Writes zeros from `from` to `to`, 1 MiB at a time.
pub(crate) fn write_zeros(file: &dyn StorageFile, from: u64, to: u64) -> io::Result<()> {
    let zeros = vec![0; usize::try_from(to.saturating_sub(from)).unwrap_or(usize::MAX).min(1 << 20)];
    let mut at = from;
    while at < to {
        let length = (to - at).min(zeros.len() as u64);
        file.write_at(at, &zeros[..length as usize])?;
        at += length;
    }
    Ok(())
}
