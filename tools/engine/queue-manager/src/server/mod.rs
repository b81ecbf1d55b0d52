//! The process around the core: a lock, a socket, and threads for whatever waits.
//!
//! One thread owns the core. A thread per connection reads requests and writes replies; two threads wait for the log copies' syncs, one
//! for page set syncs, one offloads, one formats extents. They meet in one channel of events, and every batch of events that has
//! arrived is taken before the next log sync is asked for: that is the whole of group commit.

mod connection;
mod workers;

use std::collections::HashMap;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, SyncSender, channel};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use engine_log::{SyncOutcome, SyncPartOutcome};
use engine_storage::SharedStorage;
use format_protocol::{Reply, Request};
use format_types::Timestamp;

use crate::{ConnectionId, Core, CoreError, Job, JobDone, StartOptions, State, files};
use workers::Workers;

/// What reaches the thread that owns the core.
enum Event {
    /// A program has connected; its replies go there.
    Connected(Token, SyncSender<Reply>),
    /// A request of a connection.
    Request(Token, Request),
    /// The connection is gone.
    Disconnected(Token),
    /// A job is done.
    Done(JobDone),
    /// One copy of the log is synced.
    LogPart(SyncPartOutcome),
    /// The process was asked to end; the second time it is meant.
    Terminate,
}

/// A connection as the threads know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Token(u64);

/// Most events taken before the core is let to work.
const BATCH: usize = 256;

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
    let _lock = lock(storage, dir)?;
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

    let (events, inbox) = channel();
    let workers = Workers::start(&events)?;
    let unsent = Arc::new(AtomicUsize::new(0));
    connection::accept(socket.listener(dir)?, events.clone(), unsent.clone())?;
    watch_signals(&events)?;
    ready();
    let mut edge = Edge {
        core: &mut core,
        inbox,
        workers,
        connections: HashMap::new(),
        unsent,
        log_parts: Vec::new(),
        log_parts_out: 0,
    };
    edge.run(say);
    // Replies on their way are written before the process may end.
    let until = Instant::now() + Duration::from_secs(2);
    while edge.unsent.load(Ordering::Acquire) > 0 && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(2));
    }
    let state = edge.core.state();
    let _ = std::fs::remove_file(&pid);
    drop(socket);
    if state == State::Failed {
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

fn watch_signals(events: &Sender<Event>) -> Result<(), CoreError> {
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
            if events.send(Event::Terminate).is_err() {
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

/// The thread that owns the core.
struct Edge<'a> {
    core: &'a mut Core,
    inbox: Receiver<Event>,
    workers: Workers,
    connections: HashMap<Token, (ConnectionId, SyncSender<Reply>)>,
    /// Replies handed to connection threads and not written yet.
    unsent: Arc<AtomicUsize>,
    log_parts: Vec<SyncPartOutcome>,
    log_parts_out: usize,
}

impl Edge<'_> {
    fn run(&mut self, say: &mut dyn FnMut(&str)) {
        let mut tokens: HashMap<ConnectionId, Token> = HashMap::new();
        let mut terminations = 0;
        let mut busy = true;
        loop {
            let first = if busy {
                self.inbox.try_recv().ok()
            } else {
                match self.inbox.recv_timeout(Duration::from_secs(1)) {
                    Ok(event) => Some(event),
                    Err(RecvTimeoutError::Timeout) => None,
                    Err(RecvTimeoutError::Disconnected) => return,
                }
            };
            self.core.set_time(now());
            let mut next = first;
            let mut taken = 0;
            while let Some(event) = next {
                self.take(event, &mut tokens, &mut terminations);
                taken += 1;
                next = if taken < BATCH { self.inbox.try_recv().ok() } else { None };
            }
            busy = self.core.work();
            busy |= self.hand_out_jobs();
            for (connection, reply) in self.core.take_replies() {
                if let Some((_, replies)) =
                    tokens.get(&connection).and_then(|token| self.connections.get(token))
                {
                    self.unsent.fetch_add(1, Ordering::AcqRel);
                    if replies.send(reply).is_err() {
                        self.unsent.fetch_sub(1, Ordering::AcqRel);
                    }
                }
            }
            for line in self.core.take_messages() {
                say(&line);
            }
            if matches!(self.core.state(), State::Stopped | State::Failed) {
                return;
            }
        }
    }

    fn take(&mut self, event: Event, tokens: &mut HashMap<ConnectionId, Token>, terminations: &mut u32) {
        match event {
            Event::Connected(token, replies) => {
                let id = self.core.connect();
                tokens.insert(id, token);
                self.connections.insert(token, (id, replies));
            }
            Event::Request(token, request) => {
                if let Some((id, _)) = self.connections.get(&token) {
                    self.core.request(*id, request);
                }
            }
            Event::Disconnected(token) => {
                if let Some((id, _)) = self.connections.remove(&token) {
                    tokens.remove(&id);
                    self.core.disconnect(id);
                }
            }
            Event::Done(done) => self.core.finish(done),
            Event::LogPart(part) => {
                self.log_parts.push(part);
                if self.log_parts.len() == self.log_parts_out {
                    self.log_parts_out = 0;
                    let outcome = SyncOutcome::from_parts(std::mem::take(&mut self.log_parts));
                    self.core.finish(JobDone::LogSync(outcome));
                }
            }
            Event::Terminate => {
                *terminations += 1;
                self.core.stop(*terminations > 1);
            }
        }
    }

    /// Hands jobs to the threads; true when one was run here and the core can go on at once.
    fn hand_out_jobs(&mut self) -> bool {
        let mut ran = false;
        for job in self.core.take_jobs() {
            match job {
                Job::LogSync(job) => {
                    let parts = job.into_parts();
                    // With one program connected nobody else's request is kept waiting by a sync made here, and two changes of
                    // thread are saved.
                    if self.connections.len() <= 1 && parts.len() == 1 {
                        let outcome =
                            SyncOutcome::from_parts(parts.iter().map(engine_log::SyncPart::run).collect());
                        self.core.finish(JobDone::LogSync(outcome));
                        ran = true;
                    } else {
                        self.log_parts_out = parts.len();
                        for (at, part) in parts.into_iter().enumerate() {
                            self.workers.sync_log(at, part);
                        }
                    }
                }
                job => self.workers.run(job),
            }
        }
        ran
    }
}
