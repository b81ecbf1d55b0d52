//! A tree of directories and files in memory, and what paths mean in it.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::io;
use std::path::{Component, Path, PathBuf};

use crate::blocks::Blocks;
use crate::contract::{NameFacts, NameKind};

/// Names a file or directory for as long as the tree lives; never used again for another.
pub(crate) type NodeId = u64;

pub(crate) const ROOT: NodeId = 0;

pub(crate) type Entries = BTreeMap<OsString, NodeId>;

#[derive(Debug, Clone)]
pub(crate) enum Node {
    File(Blocks),
    Directory(Entries),
}

/// One change of one name of a directory: from now on it means `to`, or nothing.
#[derive(Debug, Clone)]
pub(crate) struct NameChange {
    pub(crate) dir: NodeId,
    pub(crate) name: OsString,
    pub(crate) to: Option<NodeId>,
}

/// Directories and files. Relative and absolute paths both begin at the root.
#[derive(Debug, Clone)]
pub(crate) struct Tree {
    nodes: BTreeMap<NodeId, Node>,
    next: NodeId,
}

impl Default for Tree {
    fn default() -> Self {
        Self { nodes: BTreeMap::from([(ROOT, Node::Directory(Entries::new()))]), next: ROOT + 1 }
    }
}

impl Tree {
    /// A node of no directory yet.
    pub(crate) fn add(&mut self, node: Node) -> NodeId {
        let id = self.next;
        self.next += 1;
        self.nodes.insert(id, node);
        id
    }

    /// The same node as another tree has under `id`, without its contents.
    pub(crate) fn add_empty(&mut self, id: NodeId, directory: bool) {
        let node = if directory { Node::Directory(Entries::new()) } else { Node::File(Blocks::default()) };
        self.nodes.insert(id, node);
        self.next = self.next.max(id + 1);
    }

    pub(crate) fn find(&self, path: &Path) -> io::Result<NodeId> {
        let mut at = ROOT;
        for part in path.components() {
            match part {
                Component::RootDir | Component::CurDir => {}
                Component::Normal(name) => {
                    at = *self.entries(at)?.get(name).ok_or(io::ErrorKind::NotFound)?;
                }
                Component::ParentDir | Component::Prefix(_) => {
                    return Err(io::Error::new(io::ErrorKind::InvalidInput, "'..' has no meaning here"));
                }
            }
        }
        Ok(at)
    }

    /// The directory that holds, or would hold, the last name of `path`.
    pub(crate) fn place(&self, path: &Path) -> io::Result<(NodeId, OsString)> {
        let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
        let dir = self.find(path.parent().unwrap_or(Path::new("")))?;
        self.entries(dir)?;
        Ok((dir, name))
    }

    pub(crate) fn entries(&self, id: NodeId) -> io::Result<&Entries> {
        match self.nodes.get(&id) {
            Some(Node::Directory(entries)) => Ok(entries),
            Some(Node::File(_)) => Err(io::ErrorKind::NotADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    pub(crate) fn file(&self, id: NodeId) -> io::Result<&Blocks> {
        match self.nodes.get(&id) {
            Some(Node::File(blocks)) => Ok(blocks),
            Some(Node::Directory(_)) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    pub(crate) fn file_mut(&mut self, id: NodeId) -> io::Result<&mut Blocks> {
        match self.nodes.get_mut(&id) {
            Some(Node::File(blocks)) => Ok(blocks),
            Some(Node::Directory(_)) => Err(io::ErrorKind::IsADirectory.into()),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }

    /// What a path stands for; none when nothing does.
    pub(crate) fn look(&self, path: &Path) -> Option<NameFacts> {
        let id = self.find(path).ok()?;
        Some(match self.file(id) {
            Ok(file) => NameFacts { kind: NameKind::File, len: file.len() },
            Err(_) => NameFacts { kind: NameKind::Directory, len: 0 },
        })
    }

    pub(crate) fn is_dir(&self, id: NodeId) -> bool {
        matches!(self.nodes.get(&id), Some(Node::Directory(_)))
    }

    pub(crate) fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        Ok(self.entries(self.find(dir)?)?.keys().map(PathBuf::from).collect())
    }

    /// Lets a name mean something else. Directories that are gone are passed over.
    pub(crate) fn change(&mut self, change: &NameChange) {
        if let Some(Node::Directory(entries)) = self.nodes.get_mut(&change.dir) {
            match change.to {
                Some(id) => entries.insert(change.name.clone(), id),
                None => entries.remove(&change.name),
            };
        }
    }

    /// The change that gives `path` to a new node; the path must be free.
    pub(crate) fn creation(&self, path: &Path) -> io::Result<(NodeId, OsString)> {
        let (dir, name) = self.place(path)?;
        if self.entries(dir)?.contains_key(&name) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        Ok((dir, name))
    }

    /// The change that takes a file's (or an empty directory's) name away.
    pub(crate) fn removal(&self, path: &Path, directory: bool) -> io::Result<NameChange> {
        let (dir, name) = self.place(path)?;
        let id = *self.entries(dir)?.get(&name).ok_or(io::ErrorKind::NotFound)?;
        match (self.is_dir(id), directory) {
            (true, false) => return Err(io::ErrorKind::IsADirectory.into()),
            (false, true) => return Err(io::ErrorKind::NotADirectory.into()),
            (true, true) if !self.entries(id)?.is_empty() => {
                return Err(io::ErrorKind::DirectoryNotEmpty.into());
            }
            _ => {}
        }
        Ok(NameChange { dir, name, to: None })
    }

    /// The changes that rename `from` to `to`; none when both are the same thing already.
    pub(crate) fn renaming(&self, from: &Path, to: &Path) -> io::Result<Vec<NameChange>> {
        let (from_dir, from_name) = self.place(from)?;
        let (to_dir, to_name) = self.place(to)?;
        let id = *self.entries(from_dir)?.get(&from_name).ok_or(io::ErrorKind::NotFound)?;
        if let Some(&there) = self.entries(to_dir)?.get(&to_name) {
            if there == id {
                return Ok(Vec::new());
            }
            match (self.is_dir(id), self.is_dir(there)) {
                (false, true) => return Err(io::ErrorKind::IsADirectory.into()),
                (true, false) => return Err(io::ErrorKind::NotADirectory.into()),
                (true, true) if !self.entries(there)?.is_empty() => {
                    return Err(io::ErrorKind::DirectoryNotEmpty.into());
                }
                _ => {}
            }
        }
        Ok(vec![
            NameChange { dir: from_dir, name: from_name, to: None },
            NameChange { dir: to_dir, name: to_name, to: Some(id) },
        ])
    }

    /// Drops all that no name leads to.
    pub(crate) fn sweep(&mut self) {
        let mut reached = BTreeSet::new();
        let mut waiting = vec![ROOT];
        while let Some(id) = waiting.pop() {
            if reached.insert(id)
                && let Ok(entries) = self.entries(id)
            {
                waiting.extend(entries.values().copied());
            }
        }
        self.nodes.retain(|id, _| reached.contains(id));
    }

    /// Blocks that the files reached by names take.
    pub(crate) fn used(&self) -> u64 {
        let mut waiting = vec![ROOT];
        let mut used = 0;
        while let Some(id) = waiting.pop() {
            match self.nodes.get(&id) {
                Some(Node::Directory(entries)) => waiting.extend(entries.values().copied()),
                Some(Node::File(blocks)) => used += blocks.used(),
                None => {}
            }
        }
        used
    }
}
