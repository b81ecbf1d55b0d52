//! Making a new queue manager.

use std::path::Path;

use engine_log::{LogManager, NewLog};
use engine_page_store::{PageStore, StoreIdentity};
use engine_storage::SharedStorage;
use format_bsds::{PageSetEntry, Settings};
use format_types::{
    CI_SIZE, Expand, HistoryId, PAGE_SIZE, PageSetId, QueueManagerId, QueueManagerName, Rba, Timestamp,
};

use crate::{Core, CoreError, StartOptions, command};

/// A queue manager to be made.
#[derive(Debug, Clone)]
pub struct NewQueueManager {
    /// Its name.
    pub name: QueueManagerName,
    /// Number of page sets, 00 upward; 2 to 100.
    pub page_sets: u8,
    /// Bytes of each page set.
    pub page_set_size: u64,
    /// How page sets grow.
    pub expand: Expand,
    /// Bytes of each active log data set.
    pub log_size: u64,
    /// Active log data sets of each copy, 2 to 310.
    pub active_logs: u16,
    /// Whether the active log has two copies.
    pub dual_logs: bool,
    /// Whether archives have two copies.
    pub dual_archives: bool,
    /// Bytes of the buffer pool.
    pub buffer_pool: u64,
    /// Log records between checkpoints.
    pub log_load: u32,
    /// Random bits: its identity, and those of its first log history.
    pub random: [u64; 2],
}

/// Smallest active log data set: 64 control intervals.
const SMALLEST_LOG: u64 = 256 << 10;
/// Largest active log data set: 4 GiB, as z/OS allows.
const LARGEST_LOG: u64 = 4 << 30;
/// Smallest page set.
const SMALLEST_PAGE_SET: u64 = 16 * PAGE_SIZE as u64;
/// Largest page set: 64 GiB.
const LARGEST_PAGE_SET: u64 = 64 << 30;
/// Smallest buffer pool: 64 pages.
const SMALLEST_POOL: u64 = 64 * PAGE_SIZE as u64;

/// Where a queue manager is made, in its directory, before its files get their places.
const MAKING: &str = "MAKING";

impl NewQueueManager {
    fn check(&self) -> Result<(), CoreError> {
        let between = |what: &str, value: u64, low: u64, high: u64| {
            if (low..=high).contains(&value) {
                Ok(())
            } else {
                Err(CoreError::Setting(format!("{what} {value} IS OUT OF RANGE: {low} to {high} is allowed")))
            }
        };
        between("PAGE SETS", u64::from(self.page_sets), 2, 100)?;
        between("PAGE SET SIZE", self.page_set_size, SMALLEST_PAGE_SET, LARGEST_PAGE_SET)?;
        between("LOG SIZE", self.log_size, SMALLEST_LOG, LARGEST_LOG)?;
        between("ACTIVE LOGS", u64::from(self.active_logs), 2, 310)?;
        between("BUFFER POOL", self.buffer_pool, SMALLEST_POOL, 1 << 40)?;
        between("LOG LOAD", u64::from(self.log_load), 200, 16_000_000)
    }
}

/// Makes a queue manager in `dir`, which must be missing or empty: BSDS, logs, page sets, and the objects every queue manager has.
/// Durable when it returns.
///
/// # Errors
/// When a setting is out of range, `dir` is not empty, or files cannot be written; what was made is then removed.
pub fn create(
    storage: &SharedStorage,
    dir: &Path,
    new: &NewQueueManager,
    now: Timestamp,
) -> Result<(), CoreError> {
    new.check()?;
    let io = |what| move |source| CoreError::Io { what, path: dir.to_owned(), source };
    let made_dir = !storage.exists(dir).map_err(io("LOOK FOR"))?;
    if made_dir {
        storage.create_dir(dir).map_err(io("CREATE DIRECTORY"))?;
        let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
        storage.sync_dir(parent).map_err(io("SYNC PARENT OF"))?;
    } else if !storage.list(dir).map_err(io("READ DIRECTORY"))?.is_empty() {
        return Err(CoreError::NotEmpty(dir.to_owned()));
    }
    let making = dir.join(MAKING);
    storage.create_dir(&making).map_err(io("CREATE DIRECTORY"))?;
    let made = fill(storage, &making, new, now).and_then(|()| publish(storage, &making, dir));
    if made.is_err() {
        // Half a queue manager is worse than none; what cannot be removed is named by the error that is already on its way.
        for path in storage.list(&making).unwrap_or_default() {
            let _ = storage.remove(&making.join(path));
        }
        let _ = storage.remove_dir(&making);
        for path in storage.list(dir).unwrap_or_default() {
            let _ = storage.remove(&dir.join(path));
        }
        if made_dir {
            let _ = storage.remove_dir(dir);
        }
    }
    made
}

/// Gives the files of a whole queue manager their place, the BSDS last: a directory without one is no queue manager, so that none is ever
/// started that is half made.
fn publish(storage: &SharedStorage, making: &Path, dir: &Path) -> Result<(), CoreError> {
    let io = |what, path: &Path| {
        let path = path.to_owned();
        move |source| CoreError::Io { what, path, source }
    };
    let sync = || storage.sync_dir(dir).map_err(io("SYNC DIRECTORY", dir));
    let names = storage.list(making).map_err(io("READ DIRECTORY", making))?;
    let is_bsds = |name: &Path| name.to_string_lossy().starts_with("BSDS");
    let (last, first): (Vec<_>, Vec<_>) = names.into_iter().partition(|name| is_bsds(name));
    for names in [first, last] {
        for name in names {
            let from = making.join(&name);
            storage.rename(&from, &dir.join(&name)).map_err(io("RENAME", &from))?;
        }
        sync()?;
    }
    storage.remove_dir(making).map_err(io("REMOVE DIRECTORY", making))?;
    sync()
}

fn fill(storage: &SharedStorage, dir: &Path, new: &NewQueueManager, now: Timestamp) -> Result<(), CoreError> {
    let initial_pages = u32::try_from(new.page_set_size / PAGE_SIZE as u64).unwrap_or(u32::MAX);
    let ids: Vec<PageSetId> = (0..new.page_sets).filter_map(PageSetId::new).collect();
    let identity = StoreIdentity {
        queue_manager: QueueManagerId(new.random[0]),
        name: new.name.clone(),
        history: HistoryId { number: 1, random: new.random[1] },
    };
    let log = NewLog {
        name: new.name.clone(),
        queue_manager: identity.queue_manager,
        history: identity.history,
        settings: Settings {
            dual_active: new.dual_logs,
            dual_archive: new.dual_archives,
            log_data_set_size: new.log_size / CI_SIZE as u64 * CI_SIZE as u64,
            log_load: new.log_load,
            buffer_pool_pages: u32::try_from(new.buffer_pool / PAGE_SIZE as u64).unwrap_or(u32::MAX),
        },
        active_logs: u32::from(new.active_logs),
        page_sets: ids
            .iter()
            .map(|page_set| PageSetEntry {
                page_set: *page_set,
                initial_pages,
                expand: new.expand,
                defined: Some((identity.history, Rba::ZERO)),
            })
            .collect(),
        now,
    };
    LogManager::create(storage, dir, &log)?;
    for page_set in ids {
        PageStore::create_page_set(storage, dir, &identity, page_set, initial_pages, new.expand, Rba::ZERO)?;
    }
    let options = StartOptions { index: true, read_from: None, frames: Some(64), progress: &mut |_| {} };
    let mut core = Core::start(storage, dir, options, now)?;
    command::define_defaults(&mut core)?;
    core.stop(true);
    core.run_to_stop()
}
