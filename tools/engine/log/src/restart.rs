//! Opening a log for writing: whatever was unsynced when it was last written is made durable or is gone.

use std::path::Path;

use engine_storage::{SharedFile, SharedStorage, StorageFile, durable};
use format_bsds::Bsds;
use format_log::LogIdentity;
use format_log::ci::{self, CiTrailer, Merged};
use format_types::{CI_SIZE, Rba, RbaRange, Timestamp};

use crate::bsds_files::{BsdsFiles, read_pair};
use crate::buffer::LogBuffer;
use crate::chunks::{CHUNK, merge};
use crate::completion;
use crate::create::write_zeros;
use crate::data_sets::CI;
use crate::end::{self, Current, LogEnd};
use crate::new_history::write_copies_beside_newest_archives;
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
    /// Data sets that could not be made whole.
    wanting: Vec<String>,
}

pub(crate) fn open(storage: &SharedStorage, dir: &Path, now: Timestamp) -> Result<LogManager, LogError> {
    let pair = read_pair(storage, dir)?;
    let mut bsds = pair.bsds.clone();
    let mut messages = Vec::new();
    if pair.faults.iter().any(Option::is_some) {
        end::refuse_unseen_data_sets(storage, dir, &bsds)?;
    }
    let found =
        end::find(storage, dir, &bsds).map_err(|error| completion::name_all(storage, dir, &bsds, error))?;
    completion::refuse_unless_possible(storage, dir, &bsds, found.end)?;
    remove_temporary_files(storage, dir)?;
    let current = Current::open(storage, dir, &bsds)?;
    let mut copies = open_copies(storage, dir, &bsds, found.end, &mut messages)?;
    let tail = settle(&current, &found, &mut copies, end::buffer_limit(&bsds))?;
    note_copies(&mut bsds, &copies, &found, &mut messages)?;
    release_archived(&mut bsds, found.data_set);
    bsds.highest_written = bsds.highest_written.max(found.end);
    let bsds_files = BsdsFiles::open(storage, dir, &pair.faults, &mut bsds, &mut messages)?;

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
    let [first, second] = writers(copies, found.data_set.start);
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
        elapsed: 0,
        lrsn: found.last_lrsn,
        previous_length: found.last_length,
        end: found.end,
        written: found.end,
        synced: found.end,
        sync_under_way: false,
        records: 0,
        switches: 0,
        offloads: Offloads::default(),
        truncation_due: false,
        kept_back: 0,
        messages,
        warned: 0,
        failed: None,
    };
    // The cut that began the history may have been interrupted before it wrote one, and offloads may have failed to: without it nothing
    // would say what the history was cut from, should both copies of the BSDS be lost before the next offload.
    if lacks_copies_that_know_the_cut(&manager.bsds) {
        let beside = write_copies_beside_newest_archives(storage, dir, &mut manager.bsds.clone());
        manager.messages.extend(beside.err().map(|error| messages::bsds_copy_not_written(&error)));
    }
    if found.end == found.data_set.start {
        manager.begin_for_certain()?;
    }
    Ok(manager)
}

/// Whether archives of one copy have no copy of the BSDS beside them that was written with log of the history which a cut has begun.
fn lacks_copies_that_know_the_cut(bsds: &Bsds) -> bool {
    let Some(history) = bsds.histories.last().filter(|history| history.parent.is_some()) else {
        return false;
    };
    (1..=2).any(|copy| {
        let mut archives = bsds.archives.iter().filter(|archive| archive.copy == copy).peekable();
        archives.peek().is_some()
            && archives.all(|archive| archive.history != history.id || archive.bsds_name.is_empty())
    })
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
        let Some(full) = full else { continue };
        let holds = |archive: RbaRange| archive.start <= full.start && archive.end >= full.end;
        let mut archives = bsds.archives.iter().filter(|archive| !archive.deleting);
        let archived = archives.any(|archive| holds(archive.range) && archive.history == log.history);
        if archived {
            log.status.reusable = true;
            log.status.stopped = false;
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
        let mut copy = Copy { number, name, file: None, failed: None, wanting: Vec::new() };
        for log in bsds.actives(number).filter(|log| !bsds.is_left_behind(log)) {
            match completion::complete(storage, dir, bsds, log, end, messages) {
                Ok(file) if log.name == copy.name => copy.file = Some(file),
                Ok(_) => {}
                // Without the other copy there is nothing to fall back on.
                Err(error @ (LogError::Damage { .. } | LogError::NotInInventory(_))) => return Err(error),
                Err(error) => {
                    copy.failed.get_or_insert(error.to_string());
                    copy.wanting.push(log.name.clone());
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
    let history = bsds.history();
    for copy in copies {
        let mut until = found.synced;
        let logs = bsds.active_logs.iter_mut();
        let logs = logs.filter(|log| log.copy == copy.number && log.history == history);
        for log in logs.filter(|log| !log.status.is_available()) {
            let wanting = copy.wanting.contains(&log.name);
            if copy.failed.is_none() {
                log.status.incomplete = false;
            } else if wanting || log.range == Some(found.data_set) {
                log.status.incomplete = true;
            }
            if let Some(range) = log.range.filter(|_| wanting) {
                until = until.min(range.start);
            }
        }
        let Some(stopped) = bsds.copy_stopped.get_mut(usize::from(copy.number) - 1) else { continue };
        match (&copy.failed, *stopped) {
            (None, Some(_)) => {
                *stopped = None;
                messages.push(messages::copy_completed(copy.number));
                messages.push(messages::dual_again(copy.number, found.data_set.start));
            }
            (None, None) => {}
            (Some(why), before) => {
                let until = before.map_or(until, |before| before.min(until));
                *stopped = Some(until);
                messages.push(messages::copy_failed(copy.number, why));
                messages.push(messages::copy_stopped(copy.number, until));
            }
        }
    }
    Ok(())
}

fn writers(copies: Vec<Copy>, begun: Rba) -> [Option<CopyWriter>; 2] {
    let mut writers = [None, None];
    for copy in copies {
        let index = usize::from(copy.number) - 1;
        if let (None, Some(file)) = (copy.failed, copy.file) {
            writers[index] = Some(CopyWriter::new(file, begun));
        }
    }
    writers
}
