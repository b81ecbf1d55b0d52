//! What storage promises.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Storage shared between the threads at the edge of a queue manager.
pub type SharedStorage = Arc<dyn Storage>;

/// A file shared between the threads at the edge of a queue manager.
pub type SharedFile = Arc<dyn StorageFile>;

/// How a file is opened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OpenMode {
    /// It must be there; reads only.
    Read,
    /// The same, and its name is no symbolic link: `InvalidInput` when it is one.
    ReadNoFollow,
    /// It must be there; reads and writes.
    ReadWrite,
    /// It must not be there; reads and writes. The directory entry is durable only after [`Storage::sync_dir`].
    CreateNew,
}

impl OpenMode {
    /// Whether the file may be written.
    #[must_use]
    pub const fn writes(self) -> bool {
        matches!(self, Self::ReadWrite | Self::CreateNew)
    }
}

/// What a name stands for, links not followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NameKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Link,
    /// A device, a socket, a pipe.
    Other,
}

/// What is known of a name without opening it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameFacts {
    /// What it stands for.
    pub kind: NameKind,
    /// Bytes in it.
    pub len: u64,
}

/// A kernel lock, held until dropped. The end of the process ends it too, so a lock never outlives its owner.
pub trait FileLock: Send + Sync {}

/// A file of fixed positions: no cursor, no append.
pub trait StorageFile: Send + Sync {
    /// Bytes in the file.
    ///
    /// # Errors
    /// When the file system refuses.
    fn len(&self) -> io::Result<u64>;

    /// Whether the file has no bytes.
    ///
    /// # Errors
    /// When the file system refuses.
    fn is_empty(&self) -> io::Result<bool> {
        self.len().map(|len| len == 0)
    }

    /// Fills `buffer` from `offset`.
    ///
    /// # Errors
    /// `UnexpectedEof` when the file ends first, else the file system's.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;

    /// Writes all of `bytes` at `offset`, extending the file when needed. Durable only after a successful [`sync`](Self::sync).
    ///
    /// # Errors
    /// When not all bytes could be written; any part of them may have been.
    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Makes the file `len` bytes long, cutting it or adding zeros.
    ///
    /// # Errors
    /// When the file system refuses.
    fn set_len(&self, len: u64) -> io::Result<()>;

    /// Reserves space so that writes below `len` need no more of it, and makes the file at least `len` bytes long.
    ///
    /// # Errors
    /// `StorageFull` when there is no room; the file is left as it was or with zeros at its end.
    fn allocate(&self, len: u64) -> io::Result<()>;

    /// Makes all that was written before the call durable (`fdatasync`: data and the length). After an error nothing is known of
    /// what was written since the last success, and the call must not be made again in the hope of a better answer.
    ///
    /// # Errors
    /// When the device or file system refuses.
    fn sync(&self) -> io::Result<()>;

    /// The next stretch at or after `offset` that holds data, as (start, end); none when only a hole is left. A storage that has
    /// no holes says that all is data.
    ///
    /// # Errors
    /// When the file system refuses.
    fn next_data(&self, offset: u64) -> io::Result<Option<(u64, u64)>>;

    /// Something that is equal for two handles of the same file, and differs between files.
    ///
    /// # Errors
    /// When the file system refuses.
    fn identity(&self) -> io::Result<(u64, u64)>;
}

/// Directories of files.
pub trait Storage: Send + Sync {
    /// Opens a file.
    ///
    /// # Errors
    /// `NotFound`, `AlreadyExists`, `PermissionDenied`, `IsADirectory` ..., as the mode says.
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<SharedFile>;

    /// Whether something has this name.
    ///
    /// # Errors
    /// When the file system refuses to say.
    fn exists(&self, path: &Path) -> io::Result<bool>;

    /// What `path` stands for, itself and not what a link leads to; none when there is nothing of that name.
    ///
    /// # Errors
    /// When the file system refuses to say.
    fn look(&self, path: &Path) -> io::Result<Option<NameFacts>>;

    /// The names in a directory, sorted; without `.` and `..`.
    ///
    /// # Errors
    /// When it is no directory or may not be read.
    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>>;

    /// The same with what each name stands for, as by [`Self::look`], and cheaper than that for each. Names that go meanwhile are left out.
    ///
    /// # Errors
    /// When it is no directory or may not be read, or the file system refuses to say.
    fn look_into(&self, dir: &Path) -> io::Result<Vec<(PathBuf, NameFacts)>> {
        let mut found = Vec::new();
        for name in self.list(dir)? {
            if let Some(facts) = self.look(&dir.join(&name))? {
                found.push((name, facts));
            }
        }
        Ok(found)
    }

    /// Makes one directory; durable after [`Self::sync_dir`] of its parent.
    ///
    /// # Errors
    /// `AlreadyExists`, or the file system's.
    fn create_dir(&self, dir: &Path) -> io::Result<()>;

    /// Removes an empty directory.
    ///
    /// # Errors
    /// When it is not empty, or the file system's.
    fn remove_dir(&self, dir: &Path) -> io::Result<()>;

    /// Renames `from` to `to`, replacing a file there; atomic, durable after [`Self::sync_dir`].
    ///
    /// # Errors
    /// When the file system refuses.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file; durable after [`Self::sync_dir`]. Never follows a link.
    ///
    /// # Errors
    /// `NotFound`, or the file system's.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes the entries of `dir` durable.
    ///
    /// # Errors
    /// When the device or file system refuses.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Takes the exclusive lock named by `path` (created when missing), without waiting; none when another process or handle holds
    /// it.
    ///
    /// # Errors
    /// When the file cannot be created or opened.
    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn FileLock>>>;
}
