//! The file that a copy is written to before it gets its name.

use std::io;
use std::path::{Path, PathBuf};

use engine_storage::{FileLock, OpenMode, SharedFile, SharedStorage, durable};

/// A new file under a temporary name. It is locked, so that what a killed run left behind can be told from what another run is
/// writing.
pub(crate) struct NewFile {
    storage: SharedStorage,
    path: PathBuf,
    temporary: PathBuf,
    pub(crate) file: SharedFile,
    _lock: Box<dyn FileLock>,
    published: bool,
}

impl NewFile {
    /// Makes the temporary file beside `path`.
    ///
    /// # Errors
    /// `ResourceBusy` when another run is writing it, or storage's.
    pub(crate) fn create(storage: &SharedStorage, path: &Path) -> io::Result<Self> {
        let temporary = durable::temporary_name(path);
        let busy = || io::Error::new(io::ErrorKind::ResourceBusy, "another run is writing it");
        if storage.exists(&temporary)? {
            let left_behind = storage.lock(&temporary)?;
            if left_behind.is_none() {
                return Err(busy());
            }
            durable::remove_if_there(storage.as_ref(), &temporary)?;
        }
        let file = storage.open(&temporary, OpenMode::CreateNew)?;
        let lock = storage.lock(&temporary)?.ok_or_else(busy)?;
        if storage.open(&temporary, OpenMode::Read)?.identity()? != file.identity()? {
            return Err(busy());
        }
        let (storage, path) = (storage.clone(), path.to_owned());
        Ok(Self { storage, path, temporary, file, _lock: lock, published: false })
    }

    /// Gives the file, synced before, its name; durable when it returns.
    pub(crate) fn publish(mut self) -> io::Result<()> {
        durable::rename(self.storage.as_ref(), &self.temporary, &self.path)?;
        self.published = true;
        Ok(())
    }
}

impl Drop for NewFile {
    fn drop(&mut self) {
        if !self.published {
            // A copy that did not end is worth nothing; what stays is cleared by the next run.
            let _ = self.storage.remove(&self.temporary);
        }
    }
}
