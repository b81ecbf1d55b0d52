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
    /// A data set is that of two points.
    #[error("HWT921E {what} IS IN POINT {name} OF {queue_manager} ALREADY, in {path}: {why}")]
    DataSetTaken {
        /// The data set, and what the new point has it for.
        what: String,
        /// The point that has it.
        name: String,
        /// Its queue manager.
        queue_manager: String,
        /// The ledger.
        path: PathBuf,
        /// What that means, and what to do.
        why: &'static str,
    },
}

const ONE_COPY: &str = "one copy makes one point, and a copy that was written again is no copy of then; where that point's copy was \
                        overwritten, or its page set deleted, take the point out of the ledger, else give the output of this backup";
const ONE_OWNER: &str = "a page set belongs to one queue manager; give the output of this backup, or the ledger of another system";

/// What `point` says of a data set that `known` contradicts, and why.
fn contradiction(known: &LedgerPoint, point: &LedgerPoint) -> Option<(String, &'static str)> {
    let foreign = known.queue_manager != point.queue_manager;
    let pairs = point.page_sets.iter().flat_map(|new| known.page_sets.iter().map(move |old| (new, old)));
    pairs.into_iter().find_map(|(new, old)| {
        if new.copy == old.copy || new.copy == old.data_set {
            return Some((format!("{}, THE COPY OF PAGE SET {},", new.copy, new.psid), ONE_COPY));
        }
        let data_set = || format!("{}, PAGE SET {},", new.data_set, new.psid);
        if new.data_set == old.copy {
            return Some((data_set(), ONE_COPY));
        }
        (foreign && new.data_set == old.data_set).then(|| (data_set(), ONE_OWNER))
    })
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

/// The ledger at `path`; an empty one where there is none.
///
/// # Errors
/// When it cannot be read.
pub fn read_ledger(storage: &SharedStorage, path: &Path) -> Result<Ledger, LedgerError> {
    let io = |source| LedgerError::Io { path: path.to_owned(), source };
    if !storage.exists(path).map_err(io)? {
        return Ok(Ledger::default());
    }
    let bytes = durable::read_file(storage.as_ref(), path, LONGEST).map_err(io)?;
    Ledger::parse(&bytes).map_err(|source| LedgerError::Document { path: path.to_owned(), source })
}

/// Adds `point` to the ledger at `path`, which is made when it is not there: durably and as a whole, or not at all. The ledger is locked
/// meanwhile, by a file beside it; `timeout` bounds the wait for another program.
///
/// # Errors
/// When the ledger cannot be read or written, has the point already, or has one of its copies or data sets in a point that contradicts it.
pub fn add_to_ledger(
    storage: &SharedStorage,
    path: &Path,
    point: LedgerPoint,
    timeout: Duration,
) -> Result<(), LedgerError> {
    let _lock = lock(storage, path, timeout)?;
    let io = |source| LedgerError::Io { path: path.to_owned(), source };
    let document = |source| LedgerError::Document { path: path.to_owned(), source };
    let mut ledger = read_ledger(storage, path)?;
    if ledger.points.iter().any(|known| known.is_named(&point.queue_manager, &point.name)) {
        return Err(LedgerError::NameTaken {
            queue_manager: point.queue_manager.as_str().to_owned(),
            name: point.name,
            path: path.to_owned(),
        });
    }
    for known in &ledger.points {
        if let Some((what, why)) = contradiction(known, &point) {
            return Err(LedgerError::DataSetTaken {
                what,
                name: known.name.clone(),
                queue_manager: known.queue_manager.as_str().to_owned(),
                path: path.to_owned(),
                why,
            });
        }
    }
    ledger.points.push(point);
    let text = ledger.to_json().map_err(document)?;
    durable::write_file(storage.as_ref(), path, text.as_bytes()).map_err(io)
}
