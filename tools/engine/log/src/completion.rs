//! Making the data sets of one copy whole from the other, before a log is written.

use std::path::Path;

use engine_storage::{OpenMode, SharedFile, SharedStorage, StorageFile, durable};
use format_bsds::{ActiveLog, Bsds};
use format_types::{Crc32c, Rba, RbaRange};

use crate::chunks::{CHUNK, Chunks, Need, Unreadable, ahead};
use crate::create::make_data_set;
use crate::data_sets::{CI, DataSets};
use crate::{LogError, messages, missing};

/// What must be in a data set: log of the line that is not archived. The control interval in which the log ends is settled together with
/// the other copy's.
fn held(bsds: &Bsds, log: &ActiveLog, end: Rba) -> Option<RbaRange> {
    let range = log.range.filter(|_| !log.status.is_available())?;
    let range = bsds.line().clip(log.history, range)?;
    Some(RbaRange::new(range.start, range.end.min(end.ci_start()))).filter(|held| held.start < held.end)
}

/// What of it the file cannot have, according to the BSDS and the length of the file.
fn lacking(bsds: &Bsds, log: &ActiveLog, held: RbaRange, whole_file: bool) -> Option<RbaRange> {
    if !whole_file {
        return Some(held);
    }
    let from = bsds.lacks_from(log)?.ci_start().max(held.start);
    Some(RbaRange::new(from, held.end)).filter(|lacking| lacking.start < lacking.end)
}

/// The length of a data set's file; none when there is no file.
fn length(storage: &SharedStorage, path: &Path) -> Result<Option<u64>, LogError> {
    match storage.open(path, OpenMode::Read).and_then(|file| file.len()) {
        Ok(length) => Ok(Some(length)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(LogError::at("look at", path, error)),
    }
}

/// Refuses to begin when a data set lacks log that is nowhere else, before anything is changed.
pub(crate) fn refuse_unless_possible(
    storage: &SharedStorage,
    dir: &Path,
    bsds: &Bsds,
    end: Rba,
) -> Result<(), LogError> {
    for log in &bsds.active_logs {
        let Some(held) = held(bsds, log, end) else { continue };
        // What cannot be looked at is not completed either.
        let Ok(length) = length(storage, &dir.join(&log.name)) else { continue };
        let whole_file = length.is_some_and(|length| length >= log.size);
        let Some(lacking) = lacking(bsds, log, held, whole_file) else { continue };
        let nowhere = missing::find(Chunks::new(DataSets::of(storage, dir, bsds)), lacking);
        let Some(first) = nowhere.first() else { continue };
        let start = |log: &ActiveLog| log.range.map(|range| range.start);
        let same = |other: &&ActiveLog| other.history == log.history && start(other) == start(log);
        let pair = || bsds.active_logs.iter().filter(same);
        let names = pair().map(|other| other.name.clone()).collect::<Vec<_>>().join(", ");
        let why = format!("{}; it should be in {names}", first.why);
        let short = pair().find_map(|log| Some((log.copy, bsds.lacks_from(log)?)));
        return Err(match short {
            Some((copy, lacks)) => {
                let stopped = bsds.copy_stopped.get(usize::from(copy) - 1).copied().flatten();
                LogError::CopyStopped { copy, rba: stopped.unwrap_or(lacks), why }
            }
            None => LogError::Damage { rba: first.range.start, why },
        });
    }
    Ok(())
}

/// Adds to an error about the current data set which others are gone that hold log not yet archived, so that all can be restored at once.
pub(crate) fn name_all(storage: &SharedStorage, dir: &Path, bsds: &Bsds, mut error: LogError) -> LogError {
    if let LogError::CopyStopped { why, .. } | LogError::Missing(why) = &mut error {
        let held = bsds.active_logs.iter().filter(|log| !log.status.is_available() && log.range.is_some());
        for log in held {
            if !why.contains(&log.name)
                && let Ok(None) = length(storage, &dir.join(&log.name))
            {
                why.push_str(&format!("; {} is missing, too", log.name));
            }
        }
    }
    error
}

/// Opens a data set, and makes it whole if it is not.
pub(crate) fn complete(
    storage: &SharedStorage,
    dir: &Path,
    bsds: &Bsds,
    log: &ActiveLog,
    end: Rba,
    messages: &mut Vec<String>,
) -> Result<SharedFile, LogError> {
    let path = dir.join(&log.name);
    let failed = |what: &str, error| LogError::at(what, &path, error);
    let held = held(bsds, log, end);
    let why = match storage.open(&path, OpenMode::ReadWrite) {
        Ok(file) => {
            let length = file.len().map_err(|error| failed("look at", error))?;
            if length >= log.size {
                if let Some(lacking) = held.and_then(|held| lacking(bsds, log, held, true)) {
                    fill(storage, dir, bsds, log, lacking, file.as_ref())?;
                    messages.push(messages::completed(&log.name));
                }
                return Ok(file);
            }
            format!("it was only {length} bytes long")
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => error.to_string(),
        Err(error) => return Err(failed("open", error)),
    };
    // It gets its name when it is whole; until then the next start finds it as wanting as this one.
    let temporary = durable::temporary_name(&path);
    durable::remove_if_there(storage.as_ref(), &temporary)
        .map_err(|error| failed("remove the remains of", error))?;
    make_data_set(storage, &temporary, log.size).map_err(|error| failed("make", error))?;
    let made = storage.open(&temporary, OpenMode::ReadWrite).map_err(|error| failed("open", error));
    let filled = made.and_then(|file| match held {
        Some(held) => fill(storage, dir, bsds, log, held, file.as_ref()),
        None => Ok(()),
    });
    if let Err(error) = filled {
        // The first error tells more than one of cleaning up.
        let _ = durable::remove_if_there(storage.as_ref(), &temporary);
        return Err(error);
    }
    durable::rename(storage.as_ref(), &temporary, &path).map_err(|error| failed("rename", error))?;
    messages.push(messages::recreated(&log.name, &why));
    storage.open(&path, OpenMode::ReadWrite).map_err(|error| failed("open", error))
}

/// Copies what a data set lacks from wherever it can be read, syncs it, and reads it back.
fn fill(
    storage: &SharedStorage,
    dir: &Path,
    bsds: &Bsds,
    log: &ActiveLog,
    lacking: RbaRange,
    file: &dyn StorageFile,
) -> Result<(), LogError> {
    let path = dir.join(&log.name);
    let start = log.range.map_or(Rba::ZERO, |range| range.start);
    let mut chunks = Chunks::new(DataSets::of(storage, dir, bsds));
    let mut written = Crc32c::new();
    let mut at = lacking.start;
    let mut bytes = Vec::with_capacity(CHUNK);
    while at < lacking.end {
        let from = at;
        bytes.clear();
        while at < lacking.end && bytes.len() < CHUNK {
            chunks.prepare(at, Need::Whole, ahead(at, lacking.end)).map_err(Unreadable::into_error)?;
            bytes.extend_from_slice(chunks.ci(at));
            at = at.plus(CI);
        }
        written.update(&bytes);
        file.write_at(from.since(start), &bytes).map_err(|error| LogError::at("write", &path, error))?;
    }
    file.sync().map_err(|error| LogError::at("sync", &path, error))?;
    let mut found = Crc32c::new();
    let mut at = lacking.start;
    while at < lacking.end {
        let length = lacking.end.since(at).min(CHUNK as u64);
        bytes.resize(length as usize, 0);
        file.read_at(at.since(start), &mut bytes).map_err(|error| LogError::at("read", &path, error))?;
        found.update(&bytes);
        at = at.plus(length);
    }
    if found.finish() == written.finish() {
        return Ok(());
    }
    let why = std::io::Error::other("what was written reads back otherwise");
    Err(LogError::at("complete", &path, why))
}
