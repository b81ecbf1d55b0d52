//! The sequences of syncs that make a file or a name survive a power cut.
//!
//! Each function is done, durably, when it returns; its docs list the syncs. An interrupted one leaves the old state or the new,
//! and doing it again finishes.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use crate::contract::{OpenMode, Storage};

/// Ends the name of a file that is not whole yet.
pub const TEMPORARY_SUFFIX: &str = ".tmp";

/// The name under which `path` is written before it is whole: beside it, so that the rename stays in one directory.
#[must_use]
pub fn temporary_name(path: &Path) -> PathBuf {
    let mut name: OsString = path.file_name().unwrap_or_default().to_owned();
    name.push(TEMPORARY_SUFFIX);
    path.with_file_name(name)
}

/// The directory that holds `path`; empty for the working directory.
#[must_use]
pub fn directory_of(path: &Path) -> &Path {
    path.parent().unwrap_or(Path::new(""))
}

/// Writes a whole file, replacing one of that name: what reads `path` sees all of the old bytes or all of the new, also after a
/// power cut. A temporary file that an earlier attempt left is replaced.
///
/// Syncs: the temporary file, before it gets its name; then the directory.
///
/// # Errors
/// The storage's. The temporary file is then removed if possible; `path` is as it was, or, when only the directory's sync
/// failed, perhaps already new.
pub fn write_file(storage: &dyn Storage, path: &Path, bytes: &[u8]) -> io::Result<()> {
    let temporary = temporary_name(path);
    if let Err(e) = write_synced(storage, &temporary, bytes) {
        // The first error tells more than one of cleaning up.
        let _ = storage.remove(&temporary);
        return Err(e);
    }
    rename(storage, &temporary, path)
}

/// Writes a whole new file and syncs its bytes, but not its name.
fn write_synced(storage: &dyn Storage, path: &Path, bytes: &[u8]) -> io::Result<()> {
    remove_if_there(storage, path)?;
    let file = storage.open(path, OpenMode::CreateNew)?;
    file.write_at(0, bytes)?;
    file.sync()
}

/// Renames a file whose bytes are synced already, replacing one of the new name.
///
/// Syncs: the directory of the new name; then, when it is another, that of the old one. A cut between the two leaves the file
/// under one name or both, never under none.
///
/// # Errors
/// The storage's.
pub fn rename(storage: &dyn Storage, from: &Path, to: &Path) -> io::Result<()> {
    storage.rename(from, to)?;
    storage.sync_dir(directory_of(to))?;
    if directory_of(from) != directory_of(to) {
        storage.sync_dir(directory_of(from))?;
    }
    Ok(())
}

/// Removes a file.
///
/// Syncs: the directory.
///
/// # Errors
/// `NotFound`, or the storage's.
pub fn remove(storage: &dyn Storage, path: &Path) -> io::Result<()> {
    storage.remove(path)?;
    storage.sync_dir(directory_of(path))
}

/// Removes a file that may be missing; says whether it was there. The directory is not synced.
///
/// # Errors
/// The storage's, `NotFound` excepted.
pub fn remove_if_there(storage: &dyn Storage, path: &Path) -> io::Result<bool> {
    match storage.remove(path) {
        Ok(()) => Ok(true),
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(e) => Err(e),
    }
}

/// Makes a directory.
///
/// Syncs: the parent.
///
/// # Errors
/// `AlreadyExists`, or the storage's.
pub fn create_dir(storage: &dyn Storage, dir: &Path) -> io::Result<()> {
    storage.create_dir(dir)?;
    storage.sync_dir(directory_of(dir))
}

/// Reads a whole file of at most `limit` bytes.
///
/// # Errors
/// `FileTooLarge` above the limit, or the storage's.
pub fn read_file(storage: &dyn Storage, path: &Path, limit: u64) -> io::Result<Vec<u8>> {
    let file = storage.open(path, OpenMode::Read)?;
    let len = file.len()?;
    let size = usize::try_from(len).ok().filter(|_| len <= limit).ok_or_else(|| {
        let text = format!("read {}: it has {len} bytes, at most {limit} are taken", path.display());
        io::Error::new(io::ErrorKind::FileTooLarge, text)
    })?;
    let mut bytes = vec![0; size];
    file.read_at(0, &mut bytes)?;
    Ok(bytes)
}
