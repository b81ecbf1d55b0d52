//! The process around the core: a lock, a socket, and threads for whatever waits.
//!
//! One thread owns the core and the sockets: a request costs no change of thread. Two threads wait for the log copies' syncs, one for page
//! set syncs, one offloads, one formats extents; they send their outcomes and wake the first. All requests that have arrived are taken
//! before the next log sync is asked for, and `gather` says how long that waits for programs that are about to come back: that is the
//! whole of group commit.

mod connection;
mod descriptors;
mod edge;
mod gather;
mod poll;
mod workers;

use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use engine_log::SyncPartOutcome;
use engine_storage::SharedStorage;
use format_types::Timestamp;

use crate::{Core, CoreError, JobDone, StartOptions, State, files};
use edge::Edge;
use poll::{EventSender, Poll};
use workers::Workers;

/// What other threads tell the one that owns the core.
enum Event {
    /// A job is done.
    Done(JobDone),
    /// One copy of the log is synced.
    LogPart(SyncPartOutcome),
    /// The process was asked to end; the second time it is meant.
    Terminate,
}

/// The time now.
#[must_use]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}

/// Runs the queue manager in `dir` until it is stopped. `say` is given the console's lines, `ready` is called when requests are taken.
///
/// # Errors
/// When it cannot be started (nothing is then changed beyond what a restart changes), or when it had to end.
pub fn run(
    storage: &SharedStorage,
    dir: &Path,
    say: &mut dyn FnMut(&str),
    ready: &mut dyn FnMut(),
) -> Result<(), CoreError> {
    let lock = lock(storage, dir)?;
    let mut progress = |_| {};
    let options = StartOptions { index: true, read_from: None, frames: None, progress: &mut progress };
    let mut core = Core::start(storage, dir, options, now())?;
    for line in core.take_messages() {
        say(&line);
    }
    let socket = Socket::bind(dir)?;
    let pid = dir.join(files::PID);
    std::fs::write(&pid, format!("{}\n", std::process::id())).map_err(|source| CoreError::Io {
        what: "WRITE",
        path: pid.clone(),
        source,
    })?;

    let (poll, events) = Poll::new()?;
    let workers = Workers::start(&events)?;
    watch_signals(&events)?;
    let mut edge = Edge::new(&mut core, poll, workers, socket.listener(dir)?)?;
    ready();
    edge.run(say);
    let state = core.state();
    let _ = std::fs::remove_file(&pid);
    drop(socket);
    if state == State::Failed {
        // Jobs may be under way still: nobody else may open the files before they end with the process.
        std::mem::forget(lock);
        return Err(CoreError::Contradiction("THE QUEUE MANAGER ENDED: see the messages before".to_owned()));
    }
    Ok(())
}

/// Takes the lock of a queue manager's directory.
///
/// # Errors
/// When the directory is missing or another process holds the lock.
pub fn lock(storage: &SharedStorage, dir: &Path) -> Result<Box<dyn engine_storage::FileLock>, CoreError> {
    let path = dir.join(files::LOCK);
    if !storage.exists(dir).unwrap_or(false) {
        return Err(CoreError::NotThere(dir.to_owned()));
    }
    match storage.lock(&path) {
        Ok(Some(lock)) => Ok(lock),
        Ok(None) => Err(CoreError::InUse(dir.to_owned())),
        Err(source) => Err(CoreError::Io { what: "LOCK", path, source }),
    }
}

/// The socket file; removed when dropped.
struct Socket {
    path: PathBuf,
}

impl Socket {
    fn bind(dir: &Path) -> Result<Self, CoreError> {
        let path = dir.join(files::SOCKET);
        // The lock is held, so a socket that is there belongs to a process that is gone.
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(CoreError::Io { what: "REMOVE", path, source: error })
            }
            _ => Ok(Self { path }),
        }
    }

    fn listener(&self, dir: &Path) -> Result<UnixListener, CoreError> {
        use std::os::fd::AsRawFd;
        let io = |source| CoreError::Io { what: "LISTEN ON", path: self.path.clone(), source };
        let handle = std::fs::File::open(dir).map_err(io)?;
        // Socket addresses hold about 107 bytes; the descriptor's name is short wherever the directory is.
        let short = PathBuf::from(format!("/proc/self/fd/{}/{}", handle.as_raw_fd(), files::SOCKET));
        let before = rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o177));
        let listener = UnixListener::bind(&short);
        rustix::process::umask(before);
        listener.map_err(io)
    }
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

fn watch_signals(events: &EventSender) -> Result<(), CoreError> {
    let events = events.clone();
    let mut signals =
        signal_hook::iterator::Signals::new([signal_hook::consts::SIGTERM, signal_hook::consts::SIGINT])
            .map_err(|source| CoreError::Io {
                what: "WATCH SIGNALS FOR",
                path: PathBuf::from(files::PID),
                source,
            })?;
    spawn("signals", move || {
        for _ in signals.forever() {
            if !events.send(Event::Terminate) {
                return;
            }
        }
    })
}

fn spawn(name: &str, body: impl FnOnce() + Send + 'static) -> Result<(), CoreError> {
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(body)
        .map(|_| ())
        .map_err(|source| CoreError::Io { what: "START THREAD", path: PathBuf::from(name), source })
}
