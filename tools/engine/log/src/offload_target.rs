//! A file that an offload writes: an archive, or an active log that is completed.

use std::path::{Path, PathBuf};

use engine_storage::planted::{self, Defect};
use engine_storage::{OpenMode, SharedFile, SharedStorage, durable};
use format_types::Crc32c;

/// A file that is being written with the log of one data set.
pub(crate) struct Target {
    /// Copy 1 or 2.
    pub(crate) copy: u8,
    /// The name that it will have, or has.
    pub(crate) path: PathBuf,
    /// For an active log: it lacks what lies from this offset on.
    lacks_from: Option<u64>,
    file: Option<SharedFile>,
    written: Crc32c,
    found: Crc32c,
    /// Why it is given up.
    pub(crate) failed: Option<String>,
}

impl Target {
    /// An archive, written under a temporary name.
    pub(crate) fn archive(copy: u8, path: PathBuf) -> Self {
        Self {
            copy,
            path,
            lacks_from: None,
            file: None,
            written: Crc32c::new(),
            found: Crc32c::new(),
            failed: None,
        }
    }

    /// An active log that lacks what lies from the offset `lacks_from` on.
    pub(crate) fn completion(copy: u8, path: PathBuf, lacks_from: u64) -> Self {
        Self { lacks_from: Some(lacks_from), ..Self::archive(copy, path) }
    }

    /// Whether it is an archive.
    pub(crate) fn is_archive(&self) -> bool {
        self.lacks_from.is_none()
    }

    /// Its name, without the directory.
    pub(crate) fn name(&self) -> String {
        self.path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
    }

    /// Where its bytes are until it is done.
    fn working_path(&self) -> PathBuf {
        if self.is_archive() { durable::temporary_name(&self.path) } else { self.path.clone() }
    }

    /// The part of a stretch that concerns it.
    fn part(&self, offset: u64, length: u64) -> (u64, usize) {
        let from = self.lacks_from.unwrap_or(0).clamp(offset, offset + length);
        (from, (from - offset) as usize)
    }

    /// Writes what lies at `offset` of the data set.
    pub(crate) fn write(&mut self, storage: &SharedStorage, offset: u64, bytes: &[u8]) {
        let (offset, skip) = self.part(offset, bytes.len() as u64);
        let bytes = bytes.get(skip..).unwrap_or_default();
        if self.failed.is_some() || bytes.is_empty() {
            return;
        }
        self.written.update(bytes);
        let opened = match &self.file {
            Some(file) => Ok(file),
            None => self.open(storage).map(|file| &*self.file.insert(file)),
        };
        let written = opened.and_then(|file| file.write_at(offset, bytes));
        if let Err(error) = written {
            self.give_up(storage, error.to_string());
        }
    }

    fn open(&self, storage: &SharedStorage) -> std::io::Result<SharedFile> {
        let path = self.working_path();
        if self.is_archive() {
            durable::remove_if_there(storage.as_ref(), &path)?;
            return storage.open(&path, OpenMode::CreateNew);
        }
        storage.open(&path, OpenMode::ReadWrite)
    }

    /// Makes what was written durable.
    pub(crate) fn sync(&mut self, storage: &SharedStorage) {
        if self.failed.is_some() {
            return;
        }
        let synced = match &self.file {
            Some(file) => file.sync().map_err(|error| error.to_string()),
            None if self.is_archive() => Err("nothing was written".to_owned()),
            None => Ok(()),
        };
        if let Err(why) = synced {
            self.give_up(storage, why);
            return;
        }
        // What was written is read back by its name, as others will.
        self.file = None;
    }

    /// Reads back what was written at `offset` of the data set, `length` bytes.
    pub(crate) fn read_back(&mut self, storage: &SharedStorage, offset: u64, length: u64) {
        let (offset, skip) = self.part(offset, length);
        let mut bytes = vec![0; length as usize - skip];
        if self.failed.is_some() || bytes.is_empty() {
            return;
        }
        let opened = match &self.file {
            Some(file) => Ok(file),
            None => storage.open(&self.working_path(), OpenMode::Read).map(|file| &*self.file.insert(file)),
        };
        match opened.and_then(|file| file.read_at(offset, &mut bytes)) {
            Ok(()) => self.found.update(&bytes),
            Err(error) => self.give_up(storage, error.to_string()),
        }
    }

    /// Compares what was read back with what was written.
    pub(crate) fn compare(&mut self, storage: &SharedStorage) {
        if planted::active(Defect::ArchiveNotReadBack) && self.is_archive() {
            return;
        }
        if self.failed.is_none() && self.found.finish() != self.written.finish() {
            self.give_up(storage, format!("{}: what was written reads back otherwise", self.path.display()));
        }
    }

    /// Gives an archive its name, durably.
    pub(crate) fn publish(&mut self, storage: &SharedStorage) -> bool {
        let renamed = durable::rename(storage.as_ref(), &self.working_path(), &self.path);
        if let Err(error) = renamed {
            // It may have its name, but not for certain after a power cut.
            let _ = durable::remove_if_there(storage.as_ref(), &self.path);
            let why = format!("rename {}: {error}", self.path.display());
            self.give_up(storage, why);
        }
        self.failed.is_none()
    }

    /// Gives it up; what there is of an archive makes room for others.
    fn give_up(&mut self, storage: &SharedStorage, why: String) {
        self.failed = Some(why);
        self.file = None;
        self.remove_temporary(storage);
    }

    /// Removes what an archive was written to under its temporary name.
    pub(crate) fn remove_temporary(&self, storage: &SharedStorage) {
        if self.is_archive() {
            remove_quietly(storage, &self.working_path());
        }
    }
}

/// Removes a file on which nothing relies: the next attempt and the next start remove it as well.
pub(crate) fn remove_quietly(storage: &SharedStorage, path: &Path) {
    let _ = durable::remove_if_there(storage.as_ref(), path);
}
