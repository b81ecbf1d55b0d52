//! What a file in an archive's place says of itself: whose log its first control interval is; and whose a copy of the BSDS is.

use std::io;
use std::path::Path;

use engine_storage::{OpenMode, SharedFile, Storage};
use format_bsds::{ArchiveLog, slot};
use format_log::LogIdentity;
use format_log::ci::{CiDamage, CiPlace, CiTrailer};
use format_types::{CI_SIZE, QueueManagerId, Rba};

/// The first control interval of a file that may be an archive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchiveHeader {
    /// Whose log it is.
    pub identity: LogIdentity,
    /// RBA of its first byte.
    pub start: Rba,
    /// Bytes in the file.
    pub length: u64,
}

/// Why a file is not the archive that an inventory names.
#[derive(Debug, thiserror::Error)]
pub enum NotTheArchive {
    /// There is none.
    #[error("it is not there")]
    Missing,
    /// It cannot be opened or read: a symbolic link, no regular file, no permission, a bad sector.
    #[error("{0}")]
    Unreadable(io::Error),
    /// It holds something else.
    #[error("{0}")]
    Other(#[from] CiDamage),
    /// It is no copy of the queue manager's BSDS.
    #[error("it is no copy of the BSDS of queue manager {0}")]
    OtherBsds(QueueManagerId),
}

fn open(storage: &dyn Storage, path: &Path) -> Result<SharedFile, NotTheArchive> {
    match storage.open(path, OpenMode::ReadNoFollow) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(NotTheArchive::Missing),
        opened => opened.map_err(NotTheArchive::Unreadable),
    }
}

fn first_interval(file: &SharedFile) -> Result<[u8; CI_SIZE], NotTheArchive> {
    let mut bytes = [0; CI_SIZE];
    match file.read_at(0, &mut bytes) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {
            let length = file.len().map_err(NotTheArchive::Unreadable)?;
            Err(CiDamage::Size(usize::try_from(length).unwrap_or(CI_SIZE)).into())
        }
        read => read.map_err(NotTheArchive::Unreadable).map(|()| bytes),
    }
}

impl ArchiveHeader {
    /// Reads it. A symbolic link is not followed.
    ///
    /// # Errors
    /// When there is no such file, it cannot be read, or does not begin with log.
    pub fn read(storage: &dyn Storage, path: &Path) -> Result<Self, NotTheArchive> {
        let file = open(storage, path)?;
        let length = file.len().map_err(NotTheArchive::Unreadable)?;
        let bytes = first_interval(&file)?;
        let trailer = CiTrailer::take(&bytes)?;
        Ok(Self { identity: trailer.identity, start: trailer.rba, length })
    }
}

/// Makes sure that the file at `path` is the archive that the inventory of `queue_manager` names: its first control interval is the one
/// of that queue manager, history and RBA. A symbolic link is not followed.
///
/// # Errors
/// What stands there instead.
pub fn check_archive(
    storage: &dyn Storage,
    path: &Path,
    queue_manager: QueueManagerId,
    archive: &ArchiveLog,
) -> Result<(), NotTheArchive> {
    let bytes = first_interval(&open(storage, path)?)?;
    let identity = LogIdentity { queue_manager, history: archive.history };
    CiTrailer::take_at(&bytes, &CiPlace { rba: archive.range.start, identity, instance: None })?;
    Ok(())
}

/// Makes sure that the file at `path` is a copy of the BSDS of `queue_manager`, by the beginnings of its slots. A symbolic link is not
/// followed.
///
/// # Errors
/// What stands there instead.
pub fn check_bsds_copy(
    storage: &dyn Storage,
    path: &Path,
    queue_manager: QueueManagerId,
) -> Result<(), NotTheArchive> {
    let file = open(storage, path)?;
    let length = file.len().map_err(NotTheArchive::Unreadable)?;
    // One slot of a file that is written once is empty.
    for start in [0, length / 2] {
        let mut bytes = [0; slot::OWNER_SIZE];
        match file.read_at(start, &mut bytes) {
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => {}
            read => read.map_err(NotTheArchive::Unreadable)?,
        }
        if slot::owner(&bytes) == Some(queue_manager) {
            return Ok(());
        }
    }
    Err(NotTheArchive::OtherBsds(queue_manager))
}
