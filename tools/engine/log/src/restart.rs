//! Opening a log for writing: whatever was unsynced when it was last written is made durable or is gone.

use std::path::Path;

use engine_storage::{OpenMode, SharedFile, SharedStorage, StorageFile, durable};
use format_bsds::{ActiveLog, Bsds};
use format_log::LogIdentity;
use format_log::ci::{self, CiTrailer, Merged};
use format_types::{CI_SIZE, Rba, RbaRange, Timestamp};

use crate::bsds_files::{BsdsFiles, read_pair};
use crate::buffer::LogBuffer;
use crate::chunks::{CHUNK, Chunks, Need, Unreadable, ahead, merge};
use crate::create::{make_data_set, write_zeros};
use crate::data_sets::{CI, DataSets};
use crate::end::{self, Current, LogEnd};
use crate::offload::Offloads;
use crate::sync::CopyWriter;
use crate::{LogError, LogManager, messages};

/// What is known of one copy while the log is being opened.
struct Copy {
    /// 1 or 2.
    number: u8,
    /// The current data set.
    name: String,
    file: Option<SharedFile>,
    /// Why it cannot be written.
    failed: Option<String>,
}

pub(crate) fn open(storage: &SharedStorage, dir: &Path, now: Timestamp) -> Result<LogManager, LogError> {
    let pair = read_pair(storage, dir)?;
    let mut bsds = pair.bsds.clone();
    let mut messages = Vec::new();
    let found = end::find(storage, dir, &bsds)?;
    remove_temporary_files(storage, dir)?;
    let current = Current::open(storage, dir, &bsds)?;
    let mut copies = open_copies(storage, dir, &bsds, found.end, &mut messages)?;
    let tail = settle(&current, &found, &mut copies, end::buffer_limit(&bsds))?;
    note_copies(&mut bsds, &copies, &found, &mut messages)?;
    release_archived(&mut bsds, found.data_set);
    bsds.highest_written = bsds.highest_written.max(found.end);
    let bsds_files = BsdsFiles::open(storage, dir, &pair, &mut bsds, &mut messages)?;

    let identity = LogIdentity { queue_manager: bsds.queue_manager, history: bsds.history() };
    let instance = bsds.current_active(1).map_or(0, |log| log.instance);
    let open_ci = found.end.ci_offset() > 0 && ci::has_room(found.end.ci_offset());
    let start = if open_ci { found.end.ci_start() } else { found.end.ci_ceiling() };
    let mut buffer = LogBuffer::new(identity, instance, start);
    if let Some(tail) = tail.filter(|_| open_ci) {
        buffer.resume(&tail.bytes, tail.used, tail.first_record);
    }
    for copy in &copies {
        if copy.failed.is_none() {
            messages.push(messages::current(copy.number, &copy.name, found.data_set));
        }
    }
    messages.push(messages::commencing(found.end));
    let [first, second] = writers(copies);
    let mut manager = LogManager {
        storage: storage.clone(),
        dir: dir.to_owned(),
        bsds_files,
        bsds,
        copies: [first, second],
        data_set: found.data_set,
        buffer,
        scratch: Vec::new(),
        now,
        lrsn: found.last_lrsn,
        previous_length: found.last_length,
        end: found.end,
        written: found.end,
        synced: found.end,
        sync_under_way: false,
        records: 0,
        switches: 0,
        offloads: Offloads::default(),
        messages,
        warned: 0,
        failed: None,
    };
    if found.end == found.data_set.start {
        manager.append_switch_record()?;
    }
    Ok(manager)
}

/// Files of the log that an interrupted run left under temporary names.
fn remove_temporary_files(storage: &SharedStorage, dir: &Path) -> Result<(), LogError> {
    let names = storage.list(dir).map_err(|error| LogError::at("list", dir, error))?;
    for name in names.iter().filter_map(|path| path.file_name()?.to_str()) {
        let ours = ["BSDS0", "LOGCOPY", "ARCHLOG"].iter().any(|start| name.starts_with(start));
        if ours && name.ends_with(durable::TEMPORARY_SUFFIX) {
            let path = dir.join(name);
            durable::remove_if_there(storage.as_ref(), &path)
                .map_err(|error| LogError::at("remove", &path, error))?;
        }
    }
    Ok(())
}

/// Full data sets whose archive the BSDS names: the crash came before they were marked.
fn release_archived(bsds: &mut Bsds, current: RbaRange) {
    for log in &mut bsds.active_logs {
        let full = log.range.filter(|range| range.end <= current.start && !log.status.is_available());
        let archived =
            bsds.archives.iter().any(|archive| Some(archive.range) == full && archive.history == log.history);
        if archived && !log.status.stopped {
            log.status.reusable = true;
        }
    }
}

/// Opens the files of both copies. Data sets that are missing or too short are made anew, and filled from the other copy where they hold
/// log that is not archived; so is what a stopped copy lacks.
fn open_copies(
    storage: &SharedStorage,
    dir: &Path,
    bsds: &Bsds,
    end: Rba,
    messages: &mut Vec<String>,
) -> Result<Vec<Copy>, LogError> {
    let mut copies = Vec::new();
    for number in 1..=bsds.copies() {
        let name = bsds.current_active(number).map(|log| log.name.clone()).unwrap_or_default();
        let stopped = bsds.copy_stopped.get(usize::from(number) - 1).copied().flatten();
        let mut copy = Copy { number, name, file: None, failed: None };
        for log in bsds.actives(number) {
            let done = complete(storage, dir, bsds, log, stopped, end, messages);
            match done {
                Ok(file) if log.name == copy.name => copy.file = Some(file),
                Ok(_) => {}
                // Without the other copy there is nothing to fall back on.
                Err(error @ (LogError::Damage { .. } | LogError::NotInInventory(_))) => return Err(error),
                Err(error) => {
                    copy.failed.get_or_insert(error.to_string());
                }
            }
        }
        copies.push(copy);
    }
    all_failed(&copies)?;
    Ok(copies)
}

fn all_failed(copies: &[Copy]) -> Result<(), LogError> {
    if copies.iter().any(|copy| copy.failed.is_none()) {
        return Ok(());
    }
    let why = copies
        .iter()
        .map(|copy| format!("copy {}: {}", copy.number, copy.failed.clone().unwrap_or_default()));
    Err(LogError::CopiesLost(why.collect::<Vec<_>>().join("; ")))
}

/// Opens a data set, and makes it whole if it is not.
fn complete(
    storage: &SharedStorage,
    dir: &Path,
    bsds: &Bsds,
    log: &ActiveLog,
    stopped: Option<Rba>,
    end: Rba,
    messages: &mut Vec<String>,
) -> Result<SharedFile, LogError> {
    let path = dir.join(&log.name);
    let failed = |what: &str, error| LogError::at(what, &path, error);
    // What must be in it: log that is not archived. The control interval in which the log ends is settled together with the other
    // copy's.
    let held = log.range.filter(|_| !log.status.is_available());
    let held = held.map(|range| RbaRange::new(range.start, range.end.min(end.ci_start())));
    let why = match storage.open(&path, OpenMode::ReadWrite) {
        Ok(file) => {
            let length = file.len().map_err(|error| failed("look at", error))?;
            if length >= log.size {
                let lacking = held.zip(stopped);
                let lacking =
                    lacking.map(|(held, from)| RbaRange::new(held.start.max(from.ci_start()), held.end));
                if let Some(lacking) = lacking.filter(|lacking| !lacking.is_empty()) {
                    fill(storage, dir, bsds, log, lacking, file.as_ref())?;
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
    let filled = made.and_then(|file| match held.filter(|held| !held.is_empty()) {
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

/// Copies what a data set lacks from wherever it can be read.
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
        file.write_at(from.since(start), &bytes).map_err(|error| LogError::at("write", &path, error))?;
    }
    file.sync().map_err(|error| LogError::at("sync", &path, error))
}

/// Makes the copies of the current data set equal from the last synced RBA to the end, zeroes what may have been written beyond, and
/// syncs. Whatever the system believes to have on disk is written again, for a sync that failed has made it forget. Returns the
/// control interval in which the log ends.
fn settle(
    current: &Current,
    found: &LogEnd,
    copies: &mut [Copy],
    unsynced: u64,
) -> Result<Option<Merged>, LogError> {
    let range = current.range;
    let last = found.end.ci_start();
    let mut tail = None;
    let mut at = found.synced.ci_start().max(range.start);
    let after = found.end.ci_ceiling();
    while at < after {
        let chunk = RbaRange::new(at, at.plus(CHUNK as u64).min(after));
        let versions = current.read(chunk);
        let mut bytes = Vec::with_capacity(chunk.len() as usize);
        while at < chunk.end {
            // What is written back must be what was read.
            if let Some(why) = versions.refused(at) {
                return Err(LogError::Damage { rba: at, why });
            }
            let mut merged = merge(&versions.of(at), at, &current.checksum);
            let whole =
                if at == last { merged.used >= found.end.ci_offset() } else { !ci::has_room(merged.used) };
            if !whole {
                // The end was found with a copy that does not answer now.
                return Err(LogError::Damage { rba: at, why: versions.complaints(current, at) });
            }
            if at == last {
                // Pieces of a record that was never whole are no part of the log.
                merged.used = found.end.ci_offset();
                merged.bytes[merged.used..].fill(0);
                merged.first_record = merged.first_record.filter(|&first| usize::from(first) < merged.used);
            }
            let trailer = CiTrailer {
                rba: at,
                identity: current.place.identity,
                instance: current.place.instance.unwrap_or(0),
                used: merged.used as u16,
                first_record: merged.first_record,
                synced: found.synced,
                closed: at < last || !ci::has_room(merged.used),
            };
            let mut whole: [u8; CI_SIZE] = merged.bytes;
            trailer.put(&mut whole);
            bytes.extend_from_slice(&whole);
            if at == last {
                tail = Some(merged);
            }
            at = at.plus(CI);
        }
        for_each(copies, |file| file.write_at(chunk.start.since(range.start), &bytes));
    }
    let zeros = RbaRange::new(after, after.plus(unsynced).min(range.end));
    let offset = |rba: Rba| rba.since(range.start);
    for_each(copies, |file| write_zeros(file, offset(zeros.start), offset(zeros.end)));
    for_each(copies, |file| file.sync());
    all_failed(copies)?;
    Ok(tail)
}

/// Does something to the current data set of every copy that has not failed.
fn for_each(copies: &mut [Copy], work: impl Fn(&dyn StorageFile) -> std::io::Result<()>) {
    for copy in copies {
        if copy.failed.is_some() {
            continue;
        }
        let outcome = match &copy.file {
            Some(file) => work(file.as_ref()),
            None => Err(std::io::ErrorKind::NotFound.into()),
        };
        copy.failed = outcome.err().map(|error| error.to_string());
    }
}

/// Writes into the BSDS which copies are whole now and which are not.
fn note_copies(
    bsds: &mut Bsds,
    copies: &[Copy],
    found: &LogEnd,
    messages: &mut Vec<String>,
) -> Result<(), LogError> {
    all_failed(copies)?;
    for copy in copies {
        let Some(stopped) = bsds.copy_stopped.get_mut(usize::from(copy.number) - 1) else { continue };
        match (&copy.failed, *stopped) {
            (None, Some(_)) => {
                *stopped = None;
                messages.push(messages::copy_completed(copy.number));
            }
            (None, None) => {}
            (Some(why), before) => {
                let until = before.unwrap_or(found.synced);
                *stopped = Some(until);
                messages.push(messages::copy_failed(copy.number, why));
                messages.push(messages::copy_stopped(copy.number, until));
            }
        }
    }
    Ok(())
}

fn writers(copies: Vec<Copy>) -> [Option<CopyWriter>; 2] {
    let mut writers = [None, None];
    for copy in copies {
        let index = usize::from(copy.number) - 1;
        if let (None, Some(file)) = (copy.failed, copy.file) {
            writers[index] = Some(CopyWriter::new(file));
        }
    }
    writers
}
