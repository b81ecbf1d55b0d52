//! What was typed means this: the two ends of the copy, and whether they may be used so.

use std::fs::{File, FileType, OpenOptions};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use console::Failure;
use engine_storage::{FileLock, OpenMode, SharedFile, SharedStorage};
use operation_copy::{FileSource, ImageKind, RECOGNISED_BY, Source, StreamSource, recognise};

use crate::args::Arguments;

/// Name of the kernel lock in a queue manager's directory.
const LOCK: &str = "LOCK";

/// The end that is read.
pub(crate) struct Input {
    /// For messages.
    pub(crate) name: String,
    /// What it is.
    pub(crate) kind: ImageKind,
    /// Whether somebody may be writing it.
    pub(crate) live: bool,
    /// Where bytes come from.
    pub(crate) source: Box<dyn Source>,
    /// Bytes in it, where known.
    pub(crate) length: Option<u64>,
    file: Option<SharedFile>,
}

/// The end that is written.
pub(crate) enum Target {
    /// Standard output.
    Standard,
    /// A pipe or device that is there.
    Stream(PathBuf, File),
    /// A file, to be made anew. The lock of its directory's owner is held meanwhile, when it is a data set of a queue manager.
    File {
        /// Its path, links followed.
        path: PathBuf,
        /// Whether it replaces one.
        replaces: bool,
        /// The owner's lock.
        _owner: Option<Box<dyn FileLock>>,
    },
}

impl Target {
    /// For messages.
    pub(crate) fn name(&self) -> String {
        match self {
            Self::Standard => "-".to_owned(),
            Self::Stream(path, _) | Self::File { path, .. } => path.display().to_string(),
        }
    }
}

fn refused(id: &str, text: String) -> Failure {
    Failure::refused(id, text)
}

fn is_standard(path: &Path) -> bool {
    path.as_os_str() == "-"
}

/// Opens the input and looks at what it is.
pub(crate) fn input(arguments: &Arguments, storage: &SharedStorage) -> Result<Input, Failure> {
    let path = &arguments.infile;
    let name = path.display().to_string();
    let unreadable = |error: io::Error| refused("HWT530E", format!("{name} cannot be read: {error}"));
    if is_standard(path) {
        // Not std's own handle: that one reads in small pieces.
        let descriptor = io::stdin().as_fd().try_clone_to_owned().map_err(unreadable)?;
        return stream(File::from(descriptor), name.clone()).map_err(unreadable);
    }
    let kind = std::fs::metadata(path).map_err(unreadable)?.file_type();
    if is_stream(kind) {
        return stream(File::open(path).map_err(unreadable)?, name.clone()).map_err(unreadable);
    }
    let file = storage.open(path, OpenMode::Read).map_err(unreadable)?;
    let length = file.len().map_err(unreadable)?;
    let mut start = vec![0; usize::try_from(length).unwrap_or(usize::MAX).min(RECOGNISED_BY)];
    file.read_at(0, &mut start).map_err(unreadable)?;
    Ok(Input {
        kind: recognise(&start),
        live: owner_runs(path, storage),
        source: Box::new(FileSource::new(file.clone(), name.clone())),
        length: Some(length),
        file: Some(file),
        name,
    })
}

fn stream<R: io::Read + Send + 'static>(input: R, name: String) -> io::Result<Input> {
    let mut source = StreamSource::new(input, name.clone());
    let kind = recognise(source.peek(RECOGNISED_BY)?);
    Ok(Input { name, kind, live: false, source: Box::new(source), length: None, file: None })
}

fn is_stream(kind: FileType) -> bool {
    kind.is_fifo() || kind.is_char_device() || kind.is_socket()
}

/// Whether a queue manager runs in the directory of `path`. When that cannot be told, it may.
fn owner_runs(path: &Path, storage: &SharedStorage) -> bool {
    let Some(lock) = std::fs::canonicalize(path).ok().map(|path| path.with_file_name(LOCK)) else {
        return true;
    };
    lock.exists() && !matches!(storage.lock(&lock), Ok(Some(_)))
}

/// Checks the output: not the input itself, not a data set that its owner has open, nothing overwritten unasked.
pub(crate) fn target(
    arguments: &Arguments,
    input: &Input,
    storage: &SharedStorage,
) -> Result<Target, Failure> {
    let path = &arguments.outfile;
    if is_standard(path) {
        return Ok(Target::Standard);
    }
    let name = path.display();
    let unusable = |error: io::Error| refused("HWT531E", format!("{name} cannot be written: {error}"));
    let there = match std::fs::metadata(path) {
        Ok(metadata) => Some(metadata),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(unusable(error)),
    };
    if let Some(metadata) = &there
        && (is_stream(metadata.file_type()) || metadata.file_type().is_block_device())
    {
        let file = OpenOptions::new().write(true).open(path).map_err(unusable)?;
        return Ok(Target::Stream(path.clone(), file));
    }
    if there.as_ref().is_some_and(std::fs::Metadata::is_dir) {
        return Err(refused("HWT531E", format!("{name} cannot be written: it is a directory"))
            .hint("name a file in it"));
    }
    let real = resolve(path).map_err(unusable)?;
    if there.is_some() {
        let outfile = storage.open(&real, OpenMode::Read).map_err(unusable)?;
        let itself = input.file.as_ref().is_some_and(
            |infile| matches!((infile.identity(), outfile.identity()), (Ok(one), Ok(other)) if one == other),
        );
        if itself {
            return Err(refused("HWT532E", format!("{name} is the infile itself: nothing was copied"))
                .hint("name another outfile"));
        }
    }
    let owner = owner_lock(&real, storage)?;
    if let Some(metadata) = there.filter(|metadata| metadata.len() > 0 && !arguments.reuse) {
        let text = format!("{name} is there already and has {} bytes: nothing was copied", metadata.len());
        return Err(refused("HWT534E", text).hint("--reuse replaces it"));
    }
    Ok(Target::File { replaces: std::fs::metadata(&real).is_ok(), path: real, _owner: owner })
}

/// The path with links followed; its last part need not be there.
fn resolve(path: &Path) -> io::Result<PathBuf> {
    match std::fs::canonicalize(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?;
            let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
            Ok(std::fs::canonicalize(parent.unwrap_or(Path::new(".")))?.join(name))
        }
        other => other,
    }
}

/// Takes the owner's lock when `path` is a data set of a queue manager's directory.
fn owner_lock(path: &Path, storage: &SharedStorage) -> Result<Option<Box<dyn FileLock>>, Failure> {
    let lock = path.with_file_name(LOCK);
    if !is_data_set(path) || !lock.exists() {
        return Ok(None);
    }
    match storage.lock(&lock) {
        Ok(Some(held)) => Ok(Some(held)),
        Ok(None) => {
            let text =
                format!("{} is open: its queue manager is running; nothing was copied", path.display());
            Err(refused("HWT533E", text)
                .hint("stop the queue manager with 'qmgr stop', or name another outfile"))
        }
        Err(error) => {
            Err(refused("HWT533E", format!("whether {} is open cannot be told: {error}", path.display())))
        }
    }
}

/// Whether a file of this name belongs to a queue manager.
fn is_data_set(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    ["PSID", "BSDS", "LOGCOPY", "ARCHLOG"].iter().any(|prefix| name.starts_with(prefix))
}
