//! Storage on the machine's file systems.

use std::fs::{File, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustix::fs::{FallocateFlags, FlockOperation, OFlags, SeekFrom};

use crate::context::{self, Context};
use crate::contract::{FileLock, NameFacts, NameKind, OpenMode, SharedFile, Storage, StorageFile};

/// Zeros written at a time where the file system cannot reserve space.
const ZEROS: usize = 1 << 20;

/// Mode of new files before the process's umask: message data is nobody else's business.
const FILE_MODE: u32 = 0o640;

/// Mode of new directories before the process's umask.
const DIRECTORY_MODE: u32 = 0o750;

/// Files and directories of this machine.
///
/// Reads and writes are positioned, whole, and repeated when a signal interrupts them. Descriptors are closed on `exec`. What is
/// neither a regular file nor a block device is refused, so that a FIFO of a page set's name stops nobody.
#[derive(Debug, Clone, Copy, Default)]
pub struct RealStorage;

impl RealStorage {
    /// The machine's storage.
    #[must_use]
    pub fn new() -> Self {
        Self
    }

    /// The machine's storage, ready to be shared.
    #[must_use]
    pub fn shared() -> Arc<dyn Storage> {
        Arc::new(Self)
    }
}

#[derive(Debug)]
struct RealFile {
    file: File,
    path: PathBuf,
}

fn name_facts(found: &Metadata) -> NameFacts {
    let kind = found.file_type();
    let kind = match (kind.is_file(), kind.is_dir(), kind.is_symlink()) {
        (true, _, _) => NameKind::File,
        (_, true, _) => NameKind::Directory,
        (_, _, true) => NameKind::Link,
        _ => NameKind::Other,
    };
    NameFacts { kind, len: found.len() }
}

fn flags(extra: OFlags) -> i32 {
    // The kernel's flags are a C int; all of these are low bits.
    (OFlags::CLOEXEC | OFlags::NOCTTY | OFlags::NONBLOCK | extra).bits().cast_signed()
}

fn retry<T>(mut call: impl FnMut() -> rustix::io::Result<T>) -> io::Result<T> {
    loop {
        match call() {
            Err(rustix::io::Errno::INTR) => {}
            other => return other.map_err(io::Error::from),
        }
    }
}

/// What the kernel says of a link that is not to be followed.
fn is_loop(error: &io::Error) -> bool {
    error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error())
}

fn open_file(path: &Path, mode: OpenMode) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).custom_flags(flags(OFlags::empty())).mode(FILE_MODE);
    match mode {
        OpenMode::Read => {}
        OpenMode::ReadNoFollow => {
            options.custom_flags(flags(OFlags::NOFOLLOW));
        }
        OpenMode::ReadWrite => {
            options.write(true);
        }
        OpenMode::CreateNew => {
            options.write(true).create_new(true);
        }
    }
    let file = match options.open(path) {
        Err(error) if mode == OpenMode::ReadNoFollow && is_loop(&error) => {
            return Err(io::Error::new(
                io::ErrorKind::InvalidInput,
                "a symbolic link, which is not followed",
            ));
        }
        opened => opened?,
    };
    let kind = file.metadata()?.file_type();
    if kind.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if !kind.is_file() && !std::os::unix::fs::FileTypeExt::is_block_device(&kind) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    Ok(file)
}

impl Storage for RealStorage {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<SharedFile> {
        let operation = if mode == OpenMode::CreateNew { "create" } else { "open" };
        let file = open_file(path, mode).at(operation, path)?;
        Ok(Arc::new(RealFile { file, path: path.to_owned() }))
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        match std::fs::symlink_metadata(path) {
            Ok(_) => Ok(true),
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Ok(false),
            Err(e) => Err(e).at("look for", path),
        }
    }

    fn look(&self, path: &Path) -> io::Result<Option<NameFacts>> {
        let found = match std::fs::symlink_metadata(path) {
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Ok(None);
            }
            found => found.at("look for", path)?,
        };
        Ok(Some(name_facts(&found)))
    }

    fn look_into(&self, dir: &Path) -> io::Result<Vec<(PathBuf, NameFacts)>> {
        let mut found = Vec::new();
        for entry in std::fs::read_dir(dir).at("list", dir)? {
            let entry = entry.at("list", dir)?;
            // By the open directory: the way to it is not gone again for each name.
            match entry.metadata() {
                Err(e) if e.kind() == io::ErrorKind::NotFound => {}
                facts => {
                    let facts = facts.map_err(|error| context::at("look for", &entry.path(), error))?;
                    found.push((PathBuf::from(entry.file_name()), name_facts(&facts)));
                }
            }
        }
        found.sort_unstable_by(|(a, _), (b, _)| a.as_os_str().cmp(b.as_os_str()));
        Ok(found)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        let read = || -> io::Result<Vec<PathBuf>> {
            let mut names = Vec::new();
            for entry in std::fs::read_dir(dir)? {
                names.push(PathBuf::from(entry?.file_name()));
            }
            // Comparing them as paths would take them apart.
            names.sort_unstable_by(|a: &PathBuf, b| a.as_os_str().cmp(b.as_os_str()));
            Ok(names)
        };
        read().at("list", dir)
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        std::fs::DirBuilder::new().mode(DIRECTORY_MODE).create(dir).at("create directory", dir)
    }

    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        std::fs::remove_dir(dir).at("remove directory", dir)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        std::fs::rename(from, to).at("rename", from)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        // unlink(2) removes a link itself, never what it names.
        std::fs::remove_file(path).at("remove", path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        // An empty path is how `Path::parent` names the working directory.
        let place = if dir.as_os_str().is_empty() { Path::new(".") } else { dir };
        let open = || OpenOptions::new().read(true).custom_flags(flags(OFlags::DIRECTORY)).open(place);
        open().and_then(|handle| handle.sync_all()).at("sync directory", dir)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn FileLock>>> {
        let open = || {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false).mode(0o600);
            options.custom_flags(flags(OFlags::NOFOLLOW)).open(path)
        };
        let file = open().at("lock", path)?;
        match retry(|| rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)) {
            Ok(()) => Ok(Some(Box::new(RealLock { _file: file }))),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(None),
            Err(e) => Err(e).at("lock", path),
        }
    }
}

/// Closing the descriptor lets the lock go.
struct RealLock {
    _file: File,
}

impl FileLock for RealLock {}

impl RealFile {
    fn reserve(&self, len: u64) -> io::Result<()> {
        let before = self.file.metadata()?.size();
        let reserved = retry(|| rustix::fs::fallocate(&self.file, FallocateFlags::empty(), 0, len));
        match reserved {
            Err(e) if e.kind() == io::ErrorKind::Unsupported => {}
            other => return other,
        }
        // The file system has no reservation: real zeros past the end are the next best.
        let zeros = vec![0_u8; ZEROS];
        let mut at = before;
        while at < len {
            let part = usize::try_from(len - at).unwrap_or(ZEROS).min(ZEROS);
            let written = zeros.get(..part).map_or(Ok(()), |zeros| self.file.write_all_at(zeros, at));
            if let Err(e) = written {
                // The first error tells more than one of cutting the zeros off again.
                let _ = self.file.set_len(before);
                return Err(e);
            }
            at += part as u64;
        }
        Ok(())
    }

    fn find_data(&self, offset: u64) -> io::Result<Option<(u64, u64)>> {
        let len = self.file.metadata()?.size();
        if offset >= len {
            return Ok(None);
        }
        // The descriptor's cursor is nobody's: all reads and writes are positioned.
        let start = match rustix::fs::seek(&self.file, SeekFrom::Data(offset)) {
            Ok(start) => start,
            Err(rustix::io::Errno::NXIO) => return Ok(None),
            Err(rustix::io::Errno::INVAL | rustix::io::Errno::OPNOTSUPP) => return Ok(Some((offset, len))),
            Err(e) => return Err(e.into()),
        };
        let end = rustix::fs::seek(&self.file, SeekFrom::Hole(start)).unwrap_or(len);
        Ok(Some((start, end.max(start))))
    }
}

impl StorageFile for RealFile {
    fn len(&self) -> io::Result<u64> {
        self.file.metadata().map(|m| m.size()).at("look at", &self.path)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset).at("read", &self.path)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, offset).at("write", &self.path)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.file.set_len(len).at("set length of", &self.path)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        if len == 0 {
            return Ok(());
        }
        self.reserve(len).at("allocate", &self.path)
    }

    fn sync(&self) -> io::Result<()> {
        // Never `retry` here: a sync that failed is not asked again, whatever the reason.
        self.file.sync_data().at("sync", &self.path)
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<(u64, u64)>> {
        self.find_data(offset).at("find data in", &self.path)
    }

    fn identity(&self) -> io::Result<(u64, u64)> {
        self.file.metadata().map(|m| (m.dev(), m.ino())).at("look at", &self.path)
    }
}
