//! Storage that loses, tears and refuses, from a seed.
//!
//! Two images are kept. The *live* one is what programs see. The *durable* one is what a power cut would leave at least: a file's
//! changes reach it by a sync of the file, a name's by a sync of its directory. At a power cut each change in between is kept,
//! lost, or torn (any mix of old and new 512-byte sectors), each unsynced name kept or lost; then the live image is the durable
//! one, and handles of before are dead.
//!
//! A sync that fails ends its changes' chance to become durable: the system takes them for clean, and the next sync succeeds
//! without them, as systems do ("fsyncgate"). Only writing the bytes again brings them back.
//!
//! The same seed and the same calls give the same outcomes. Non-goals: links, permissions, several devices.

mod counters;
mod image;
mod state;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use counters::{Counters, OperationKind};
pub use image::Image;
use state::{State, Verdict, power_is_off};

use crate::context::Context;
use crate::contract::{FileLock, NameFacts, OpenMode, SharedFile, SharedStorage, Storage, StorageFile};
use crate::memory::new_device;
use crate::tree::NodeId;

/// How often storage fails by itself. Rates are times in a million.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct FaultRates {
    /// EIO on a read.
    pub read_error: u32,
    /// EIO on a write; a first part of it may have been done.
    pub write_error: u32,
    /// A write that says it was done and was not, but for the file's length.
    pub silent_write: u32,
    /// A failed sync of a file or directory.
    pub sync_error: u32,
    /// EIO on a creation, rename or removal.
    pub name_error: u32,
    /// `StorageFull` on a write or reservation that needs more space, whatever `capacity` says.
    pub full: u32,
    /// A racing read ([`Control::racing`]) sees a block, written lately, half-written.
    pub torn_read: u32,
    /// Bytes that the storage holds at most; `StorageFull` beyond.
    pub capacity: Option<u64>,
    /// When given, so many calls fail (`capacity` and `torn_read` excepted), and no more.
    pub times: Option<u64>,
    /// So many calls that would fail are let through before (`capacity` and `torn_read` excepted).
    pub skip: u64,
    /// When given, only files whose name holds this text fail (`capacity` and `torn_read` excepted).
    pub only: Option<String>,
}

impl FaultRates {
    fn concerns(&self, path: &Path) -> bool {
        if self.times == Some(0) {
            return false;
        }
        match &self.only {
            None => true,
            Some(part) => path.file_name().is_some_and(|name| name.to_string_lossy().contains(part.as_str())),
        }
    }
}

#[derive(Debug)]
struct Shared {
    device: u64,
    state: Mutex<State>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // A panic elsewhere must not hide what the storage holds from the harness that reports it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Storage in memory with faults. Without rates, stops and crashes it behaves as memory does.
#[derive(Debug, Clone)]
pub struct FaultyStorage {
    shared: Arc<Shared>,
    racing: bool,
}

impl FaultyStorage {
    /// An empty, durable root directory; all later chance follows from `seed`.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        let shared = Shared { device: new_device(), state: Mutex::new(State::new(seed)) };
        Self { shared: Arc::new(shared), racing: false }
    }

    /// This storage, ready to be shared.
    #[must_use]
    pub fn shared(&self) -> SharedStorage {
        Arc::new(self.clone())
    }

    /// The handle that rules over it.
    #[must_use]
    pub fn control(&self) -> Control {
        Control { shared: Arc::clone(&self.shared) }
    }

    /// Cuts the power and switches it on again; see [`Control::crash`].
    pub fn crash(&self) {
        self.control().crash();
    }

    /// Lets a call in, does it, and forgets to say so if the power went meanwhile.
    fn call<T>(
        &self,
        kind: OperationKind,
        path: &Path,
        work: impl FnOnce(&mut State) -> io::Result<T>,
    ) -> io::Result<T> {
        let mut state = self.shared.state();
        let verdict = state.enter(kind, path)?;
        let done = work(&mut state);
        if verdict == Verdict::DoUnheard { Err(power_is_off()) } else { done }
    }
}

/// Rules over a [`FaultyStorage`]: sets its faults, cuts its power, reads its totals.
#[derive(Debug, Clone)]
pub struct Control {
    shared: Arc<Shared>,
}

impl Control {
    /// Sets how often storage fails from now on.
    pub fn set_rates(&self, rates: FaultRates) {
        self.shared.state().rates = rates;
    }

    /// How often storage fails now.
    #[must_use]
    pub fn rates(&self) -> FaultRates {
        self.shared.state().rates.clone()
    }

    /// Sets a second set of faults, beside the first: what one file or one disk does for a while or for ever, whatever else goes wrong.
    /// Crashes do not end it. Its faults are counted among all and by themselves ([`Counters::lasting_faults`]).
    pub fn set_lasting(&self, rates: FaultRates) {
        self.shared.state().lasting = rates;
    }

    /// The second set of faults.
    #[must_use]
    pub fn lasting(&self) -> FaultRates {
        self.shared.state().lasting.clone()
    }

    /// Changing operations done so far (writes, syncs, creations, renames ...; crashes do not set the number back).
    #[must_use]
    pub fn operations(&self) -> u64 {
        self.shared.state().operations
    }

    /// Stops the machine at changing operation number `operation` (the first is 1): that operation fails, done or not, and every
    /// later call fails, until [`crash`](Self::crash).
    pub fn stop_at(&self, operation: Option<u64>) {
        self.shared.state().stop_at = operation;
    }

    /// Whether the machine has stopped and waits for the power cut.
    #[must_use]
    pub fn stopped(&self) -> bool {
        self.shared.state().stopped
    }

    /// Cuts the power and switches it on again: what was not durable is kept, lost or torn, handles and locks of before are dead,
    /// a stop is over. Fault rates stay.
    pub fn crash(&self) {
        self.shared.state().crash();
    }

    /// Ends the process alone (`kill -9`): handles and locks of before are dead, but what it wrote stays with the system, durable
    /// or not.
    pub fn kill(&self) {
        self.shared.state().kill();
    }

    /// Totals of operations and faults.
    #[must_use]
    pub fn counters(&self) -> Counters {
        self.shared.state().counters.clone()
    }

    /// The same storage as another process sees it that reads while the owner writes. A read of a file lasts from the handle's
    /// read before (or its opening) until now: of a block written meanwhile any sectors may still be old, at the rate of
    /// [`FaultRates::torn_read`]. Reading again tells the truth, unless the block was written again.
    #[must_use]
    pub fn racing(&self) -> SharedStorage {
        Arc::new(FaultyStorage { shared: Arc::clone(&self.shared), racing: true })
    }

    /// Damages bytes where they lie: each is combined with its byte of `flip` by exclusive or.
    ///
    /// # Errors
    /// `NotFound`.
    pub fn rot(&self, path: &Path, offset: u64, flip: &[u8]) -> io::Result<()> {
        self.shared.state().rot(path, offset, flip)
    }
}

struct FaultyFile {
    storage: FaultyStorage,
    id: NodeId,
    incarnation: u64,
    writable: bool,
    path: PathBuf,
    /// For a racing reader: number of the last write when it began to read.
    since: AtomicU64,
}

struct FaultyLock {
    shared: Arc<Shared>,
    id: NodeId,
    incarnation: u64,
}

impl FileLock for FaultyLock {}

impl Drop for FaultyLock {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        if state.incarnation == self.incarnation {
            state.locked.remove(&self.id);
        }
    }
}

impl Storage for FaultyStorage {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<SharedFile> {
        let new = mode == OpenMode::CreateNew;
        let (kind, operation) =
            if new { (OperationKind::Create, "create") } else { (OperationKind::Open, "open") };
        let opened = self.call(kind, path, |state| {
            let id = if new { state.create(path, false)? } else { state.live.find(path)? };
            state.live.file(id)?;
            Ok(FaultyFile {
                storage: self.clone(),
                id,
                incarnation: state.incarnation,
                writable: mode.writes(),
                path: path.to_owned(),
                since: AtomicU64::new(state.writes),
            })
        });
        Ok(Arc::new(opened.at(operation, path)?))
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.call(OperationKind::Look, path, |state| Ok(state.live.find(path).is_ok())).at("look for", path)
    }

    fn look(&self, path: &Path) -> io::Result<Option<NameFacts>> {
        self.call(OperationKind::Look, path, |state| Ok(state.live.look(path))).at("look for", path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        self.call(OperationKind::Look, dir, |state| state.live.list(dir)).at("list", dir)
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.call(OperationKind::CreateDir, dir, |state| state.create(dir, true).map(drop))
            .at("create directory", dir)
    }

    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        self.call(OperationKind::RemoveDir, dir, |state| {
            let change = state.live.removal(dir, true)?;
            state.rename(vec![change]);
            Ok(())
        })
        .at("remove directory", dir)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.call(OperationKind::Rename, from, |state| {
            let changes = state.live.renaming(from, to)?;
            state.rename(changes);
            Ok(())
        })
        .at("rename", from)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.call(OperationKind::Remove, path, |state| {
            let change = state.live.removal(path, false)?;
            state.rename(vec![change]);
            Ok(())
        })
        .at("remove", path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.call(OperationKind::SyncDir, dir, |state| {
            let id = state.live.find(dir)?;
            state.live.entries(id)?;
            state.sync_dir(id);
            Ok(())
        })
        .at("sync directory", dir)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn FileLock>>> {
        let taken = self.call(OperationKind::Lock, path, |state| {
            let id = match state.live.find(path) {
                Ok(id) => id,
                Err(_) => state.create(path, false)?,
            };
            state.live.file(id)?;
            Ok(state.locked.insert(id).then_some((id, state.incarnation)))
        });
        let shared = Arc::clone(&self.shared);
        Ok(taken
            .at("lock", path)?
            .map(|(id, incarnation)| Box::new(FaultyLock { shared, id, incarnation }) as Box<dyn FileLock>))
    }
}

impl FaultyFile {
    fn call<T>(
        &self,
        kind: OperationKind,
        operation: &'static str,
        work: impl FnOnce(&mut State) -> io::Result<T>,
    ) -> io::Result<T> {
        if self.storage.shared.state().incarnation != self.incarnation {
            return Err(io::Error::other("the handle is of before the crash")).at(operation, &self.path);
        }
        if kind.changes() && kind != OperationKind::Sync && !self.writable {
            return Err(io::ErrorKind::PermissionDenied.into()).at(operation, &self.path);
        }
        self.storage.call(kind, &self.path, work).at(operation, &self.path)
    }
}

impl StorageFile for FaultyFile {
    fn len(&self) -> io::Result<u64> {
        self.call(OperationKind::Look, "look at", |state| Ok(state.live.file(self.id)?.len()))
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.call(OperationKind::Read, "read", |state| {
            if self.storage.racing {
                let since = self.since.swap(state.writes, Ordering::Relaxed);
                state.race(self.id, since, offset, buffer)
            } else {
                state.live.file(self.id)?.read(offset, buffer)
            }
        })
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.call(OperationKind::Write, "write", |state| state.write(self.id, &self.path, offset, bytes))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.call(OperationKind::SetLen, "set length of", |state| state.set_len(self.id, len))
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        self.call(OperationKind::Allocate, "allocate", |state| state.reserve(self.id, &self.path, len))
    }

    fn sync(&self) -> io::Result<()> {
        self.call(OperationKind::Sync, "sync", |state| state.sync(self.id, &self.path))
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<(u64, u64)>> {
        self.call(OperationKind::Look, "find data in", |state| {
            Ok(state.live.file(self.id)?.next_data(offset))
        })
    }

    fn identity(&self) -> io::Result<(u64, u64)> {
        self.call(OperationKind::Look, "look at", |_| Ok((self.storage.shared.device, self.id)))
    }
}
