//! Storage in memory.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::blocks::Blocks;
use crate::context::Context;
use crate::contract::{FileLock, NameFacts, OpenMode, SharedFile, Storage, StorageFile};
use crate::tree::{NameChange, Node, NodeId, Tree};

/// Gives every storage in memory a device number of its own.
static DEVICES: AtomicU64 = AtomicU64::new(1);

/// A device number that no other storage in memory of this process has.
pub(crate) fn new_device() -> u64 {
    DEVICES.fetch_add(1, Ordering::Relaxed)
}

#[derive(Debug, Default)]
struct State {
    tree: Tree,
    locked: BTreeSet<NodeId>,
}

#[derive(Debug)]
struct Shared {
    device: u64,
    state: Mutex<State>,
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // Every change of the state is whole before anything in it can panic.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Directories and files in memory; nothing fails and nothing outlives it. Cloning shares it.
#[derive(Debug, Clone)]
pub struct MemoryStorage {
    shared: Arc<Shared>,
}

impl Default for MemoryStorage {
    fn default() -> Self {
        Self { shared: Arc::new(Shared { device: new_device(), state: Mutex::default() }) }
    }
}

impl MemoryStorage {
    /// An empty root directory.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An empty root directory, ready to be shared.
    #[must_use]
    pub fn shared() -> Arc<dyn Storage> {
        Arc::new(Self::default())
    }
}

struct MemoryFile {
    shared: Arc<Shared>,
    id: NodeId,
    writable: bool,
    path: PathBuf,
}

struct MemoryLock {
    shared: Arc<Shared>,
    id: NodeId,
}

impl FileLock for MemoryLock {}

impl Drop for MemoryLock {
    fn drop(&mut self) {
        self.shared.state().locked.remove(&self.id);
    }
}

fn create(tree: &mut Tree, path: &Path, node: Node) -> io::Result<NodeId> {
    let (dir, name) = tree.creation(path)?;
    let id = tree.add(node);
    tree.change(&NameChange { dir, name, to: Some(id) });
    Ok(id)
}

impl Storage for MemoryStorage {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<SharedFile> {
        let mut state = self.shared.state();
        let id = if mode == OpenMode::CreateNew {
            create(&mut state.tree, path, Node::File(Blocks::default())).at("create", path)?
        } else {
            let id = state.tree.find(path).at("open", path)?;
            state.tree.file(id).at("open", path)?;
            id
        };
        let shared = Arc::clone(&self.shared);
        Ok(Arc::new(MemoryFile { shared, id, writable: mode.writes(), path: path.to_owned() }))
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        Ok(self.shared.state().tree.find(path).is_ok())
    }

    fn look(&self, path: &Path) -> io::Result<Option<NameFacts>> {
        Ok(self.shared.state().tree.look(path))
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        self.shared.state().tree.list(dir).at("list", dir)
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        let node = Node::Directory(std::collections::BTreeMap::new());
        create(&mut self.shared.state().tree, dir, node).at("create directory", dir).map(drop)
    }

    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        let tree = &mut self.shared.state().tree;
        let change = tree.removal(dir, true).at("remove directory", dir)?;
        tree.change(&change);
        Ok(())
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let tree = &mut self.shared.state().tree;
        for change in tree.renaming(from, to).at("rename", from)? {
            tree.change(&change);
        }
        Ok(())
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let tree = &mut self.shared.state().tree;
        let change = tree.removal(path, false).at("remove", path)?;
        tree.change(&change);
        Ok(())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        let tree = &self.shared.state().tree;
        tree.find(dir).and_then(|id| tree.entries(id).map(drop)).at("sync directory", dir)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn FileLock>>> {
        let mut state = self.shared.state();
        let id = match state.tree.find(path) {
            Ok(id) => id,
            Err(_) => create(&mut state.tree, path, Node::File(Blocks::default())).at("lock", path)?,
        };
        state.tree.file(id).at("lock", path)?;
        if !state.locked.insert(id) {
            return Ok(None);
        }
        Ok(Some(Box::new(MemoryLock { shared: Arc::clone(&self.shared), id })))
    }
}

impl MemoryFile {
    fn change(&self, operation: &'static str, change: impl FnOnce(&mut Blocks)) -> io::Result<()> {
        if !self.writable {
            return Err(io::ErrorKind::PermissionDenied.into()).at(operation, &self.path);
        }
        self.shared.state().tree.file_mut(self.id).map(change).at(operation, &self.path)
    }
}

impl StorageFile for MemoryFile {
    fn len(&self) -> io::Result<u64> {
        self.shared.state().tree.file(self.id).map(Blocks::len).at("look at", &self.path)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let state = self.shared.state();
        state.tree.file(self.id).and_then(|file| file.read(offset, buffer)).at("read", &self.path)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.change("write", |file| file.write(offset, bytes, |_, _| {}))
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.change("set length of", |file| file.set_len(len))
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        self.change("allocate", |file| file.reserve(len))
    }

    fn sync(&self) -> io::Result<()> {
        self.shared.state().tree.file(self.id).map(drop).at("sync", &self.path)
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<(u64, u64)>> {
        let state = self.shared.state();
        state.tree.file(self.id).map(|file| file.next_data(offset)).at("find data in", &self.path)
    }

    fn identity(&self) -> io::Result<(u64, u64)> {
        Ok((self.shared.device, self.id))
    }
}
