//! The ledger as a file that several programs may want to write to.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use engine_storage::{FileLock, SharedStorage, durable};
use format_inventory::{DocumentError, Ledger, LedgerPoint};

/// Far above any ledger: what is longer is none.
const LONGEST: u64 = 256 << 20;

/// Pause before a ledger that another program is writing is tried again.
const PAUSE: Duration = Duration::from_millis(20);

/// Why a point was not registered. The ledger is as it was.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The storage's.
    #[error("HWT908E THE LEDGER {path} CANNOT BE READ OR WRITTEN: {source}")]
    Io {
        /// The ledger.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// It is no ledger.
    #[error("HWT908E THE LEDGER {path} CANNOT BE USED: {source}")]
    Document {
        /// The file.
        path: PathBuf,
        /// Why.
        source: DocumentError,
    },
    /// Another program is writing it.
    #[error(
        "HWT909E THE LEDGER {0} IS BEING WRITTEN by another program; try again, or wait longer with --timeout"
    )]
    InUse(PathBuf),
    /// Its queue manager has a point of that name.
    #[error("HWT921E {queue_manager} HAS A POINT {name} ALREADY, in {path}; choose another name")]
    NameTaken {
        /// The queue manager.
        queue_manager: String,
        /// The point.
        name: String,
        /// The ledger.
        path: PathBuf,
    },
}

fn lock(storage: &SharedStorage, path: &Path, timeout: Duration) -> Result<Box<dyn FileLock>, LedgerError> {
    let mut name = path.as_os_str().to_owned();
    name.push(".lock");
    let started = Instant::now();
    loop {
        let locked = storage.lock(Path::new(&name));
        match locked.map_err(|source| LedgerError::Io { path: path.to_owned(), source })? {
            Some(lock) => return Ok(lock),
            None if started.elapsed() < timeout => std::thread::sleep(PAUSE),
            None => return Err(LedgerError::InUse(path.to_owned())),
        }
    }
}

/// Adds `point` to the ledger at `path`, which is made when it is not there: durably and as a whole, or not at all. The ledger is locked
/// meanwhile, by a file beside it; `timeout` bounds the wait for another program.
///
/// # Errors
/// When the ledger cannot be read or written, or has the point already.
pub fn add_to_ledger(
    storage: &SharedStorage,
    path: &Path,
    point: LedgerPoint,
    timeout: Duration,
) -> Result<(), LedgerError> {
    let _lock = lock(storage, path, timeout)?;
    let io = |source| LedgerError::Io { path: path.to_owned(), source };
    let document = |source| LedgerError::Document { path: path.to_owned(), source };
    let mut ledger = if storage.exists(path).map_err(io)? {
        let bytes = durable::read_file(storage.as_ref(), path, LONGEST).map_err(io)?;
        Ledger::parse(&bytes).map_err(document)?
    } else {
        Ledger::default()
    };
    if ledger.points.iter().any(|known| known.is_named(&point.queue_manager, &point.name)) {
        return Err(LedgerError::NameTaken {
            queue_manager: point.queue_manager.as_str().to_owned(),
            name: point.name,
            path: path.to_owned(),
        });
    }
    ledger.points.push(point);
    let text = ledger.to_json().map_err(document)?;
    durable::write_file(storage.as_ref(), path, text.as_bytes()).map_err(io)
}
