//! Storage with one file whose syncs fail while another file is there: a device that breaks and is repaired.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine_storage::{
    FileLock, NameFacts, OpenMode, RealStorage, SharedFile, SharedStorage, Storage, StorageFile,
};

/// Real storage, but for the syncs of one file.
pub(crate) struct FailingSyncs {
    real: SharedStorage,
    failing: PathBuf,
    flag: PathBuf,
}

impl FailingSyncs {
    /// Syncs of the file `failing` fail while there is a file `flag`.
    pub(crate) fn shared(failing: &Path, flag: &Path) -> SharedStorage {
        Arc::new(Self { real: RealStorage::shared(), failing: failing.to_owned(), flag: flag.to_owned() })
    }
}

impl Storage for FailingSyncs {
    fn open(&self, path: &Path, mode: OpenMode) -> io::Result<SharedFile> {
        let file = self.real.open(path, mode)?;
        if path == self.failing {
            return Ok(Arc::new(FailingFile { real: file, flag: self.flag.clone() }));
        }
        Ok(file)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.real.exists(path)
    }

    fn look(&self, path: &Path) -> io::Result<Option<NameFacts>> {
        self.real.look(path)
    }

    fn list(&self, dir: &Path) -> io::Result<Vec<PathBuf>> {
        self.real.list(dir)
    }

    fn look_into(&self, dir: &Path) -> io::Result<Vec<(PathBuf, NameFacts)>> {
        self.real.look_into(dir)
    }

    fn create_dir(&self, dir: &Path) -> io::Result<()> {
        self.real.create_dir(dir)
    }

    fn remove_dir(&self, dir: &Path) -> io::Result<()> {
        self.real.remove_dir(dir)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.real.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.real.remove(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.real.sync_dir(dir)
    }

    fn lock(&self, path: &Path) -> io::Result<Option<Box<dyn FileLock>>> {
        self.real.lock(path)
    }
}

struct FailingFile {
    real: SharedFile,
    flag: PathBuf,
}

impl StorageFile for FailingFile {
    fn len(&self) -> io::Result<u64> {
        self.real.len()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.real.read_at(offset, buffer)
    }

    fn write_at(&self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.real.write_at(offset, bytes)
    }

    fn set_len(&self, len: u64) -> io::Result<()> {
        self.real.set_len(len)
    }

    fn allocate(&self, len: u64) -> io::Result<()> {
        self.real.allocate(len)
    }

    fn sync(&self) -> io::Result<()> {
        if self.flag.exists() {
            return Err(io::Error::other("the device fails, as the rehearsal wants"));
        }
        self.real.sync()
    }

    fn next_data(&self, offset: u64) -> io::Result<Option<(u64, u64)>> {
        self.real.next_data(offset)
    }

    fn identity(&self) -> io::Result<(u64, u64)> {
        self.real.identity()
    }
}
