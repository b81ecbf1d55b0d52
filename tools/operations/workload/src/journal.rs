//! The journal's file, shared by the connections of a load.

use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use engine_storage::{OpenMode, RealStorage, SharedFile, Storage, durable};
use format_journal::{Entry, Header, Reader, encode_entry, encode_header};

use crate::error::WorkloadError;

/// Appends lines in the order in which acknowledgements arrive.
pub(crate) struct JournalFile {
    path: PathBuf,
    inner: Mutex<Inner>,
}

struct Inner {
    file: SharedFile,
    offset: u64,
    line: u64,
}

impl JournalFile {
    /// A new journal with its header.
    pub(crate) fn create(path: &Path, header: &Header) -> Result<Self, WorkloadError> {
        let storage = RealStorage::new();
        let failed = |error| WorkloadError::JournalFile { path: path.to_owned(), error };
        let file = match storage.open(path, OpenMode::CreateNew) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(WorkloadError::JournalExists(path.to_owned()));
            }
            other => other.map_err(failed)?,
        };
        let text = encode_header(header);
        file.write_at(0, text.as_bytes()).map_err(failed)?;
        file.sync().map_err(failed)?;
        storage.sync_dir(durable::directory_of(path)).map_err(failed)?;
        let inner = Inner { file, offset: text.len() as u64, line: 1 };
        Ok(Self { path: path.to_owned(), inner: Mutex::new(inner) })
    }

    /// Appends a line; it is in the file when the call returns, so that it outlives the load's process.
    pub(crate) fn append(&self, entry: &Entry) -> Result<(), WorkloadError> {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        let text = encode_entry(inner.line + 1, entry);
        inner.file.write_at(inner.offset, text.as_bytes()).map_err(|error| self.failed(error))?;
        inner.line += 1;
        inner.offset += text.len() as u64;
        Ok(())
    }

    /// Makes the journal durable.
    pub(crate) fn sync(&self) -> Result<(), WorkloadError> {
        let inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.file.sync().map_err(|error| self.failed(error))
    }

    fn failed(&self, error: io::Error) -> WorkloadError {
        WorkloadError::JournalFile { path: self.path.clone(), error }
    }
}

/// Opens a journal for reading.
pub(crate) fn open(path: &Path) -> Result<Reader<SequentialFile>, WorkloadError> {
    let failed = |error| WorkloadError::JournalFile { path: path.to_owned(), error };
    let file = RealStorage::new().open(path, OpenMode::Read).map_err(failed)?;
    let length = file.len().map_err(failed)?;
    let input = SequentialFile { file, offset: 0, length };
    Reader::open(input).map_err(|error| WorkloadError::Journal { path: path.to_owned(), error })
}

/// A stored file read from its start to the end that it had when it was opened.
pub(crate) struct SequentialFile {
    file: SharedFile,
    offset: u64,
    length: u64,
}

impl Read for SequentialFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.length - self.offset).unwrap_or(usize::MAX);
        let part = left.min(buffer.len());
        let Some(buffer) = buffer.get_mut(..part) else { return Ok(0) };
        if part > 0 {
            self.file.read_at(self.offset, buffer)?;
            self.offset += part as u64;
        }
        Ok(part)
    }
}
