//! Offload: full active logs become archives.
//!
//! Order of writes: the archives are written under temporary names, synced, read back and compared, and given their names, durably;
//! then both copies of the BSDS name them; then, and not before, the active logs become reusable. An interrupted offload leaves
//! archives that no BSDS names: the next one takes other names.

use std::path::{Path, PathBuf};

use engine_storage::planted::{self, Defect};
use engine_storage::{OpenMode, SharedFile, SharedStorage, durable};
use format_bsds::{ActiveLog, ArchiveLog, Bsds, encode_file, least_capacity};
use format_log::RecordHeader;
use format_log::ci::{self, CiTrailer};
use format_log::segment::{FIRST, SEGMENT_HEADER};
use format_types::{CI_SIZE, Crc32c, HistoryId, Lrsn, Rba, RbaRange, Timestamp};

use crate::chunks::{CHUNK, Chunks, Need, Unreadable, ahead};
use crate::data_sets::{CI, DataSets};
use crate::names::{archive_bsds_name, archive_name};
use crate::{LogError, LogManager, messages};

/// Offloads of a log manager.
#[derive(Default)]
pub(crate) struct Offloads {
    under_way: bool,
    /// The last attempt failed; nothing is tried again before the next call that asks for it.
    failures: u32,
}

impl Offloads {
    /// A data set became full, so there is something new to do.
    pub(crate) fn notice_switch(&mut self) {
        self.failures = 0;
    }
}

/// Copies one full data set into its archives; an owned value that any thread may work on.
pub struct OffloadJob {
    storage: SharedStorage,
    dir: PathBuf,
    chunks: Chunks,
    range: RbaRange,
    name: String,
    number: u32,
    history: HistoryId,
    now: Timestamp,
    bsds_image: Vec<u8>,
    targets: Vec<Target>,
    at: Rba,
    crc: Crc32c,
    start_lrsn: Option<Lrsn>,
    end_lrsn: Lrsn,
    phase: Phase,
    messages: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Phase {
    Copy,
    /// Of the archive with this place in the list.
    ReadBack(usize),
}

/// An archive that is being written.
struct Target {
    copy: u8,
    path: PathBuf,
    file: Option<SharedFile>,
    crc: Crc32c,
    failed: Option<String>,
}

/// What a step of an offload came to.
pub enum OffloadStep {
    /// There is more to do.
    More,
    /// It is done, or has failed.
    Done(OffloadOutcome),
}

/// What became of an offload.
#[derive(Debug)]
pub struct OffloadOutcome {
    range: RbaRange,
    name: String,
    number: u32,
    result: Result<Vec<ArchiveLog>, OffloadFailure>,
    messages: Vec<String>,
}

#[derive(Debug)]
enum OffloadFailure {
    /// The active logs cannot be read: neither copy has it.
    Unreadable(String),
    /// No archive could be written, or the active logs not be read this time.
    NoArchive(String),
}

impl OffloadOutcome {
    /// Whether at least one archive was written.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.result.is_ok()
    }

    /// The log that was to be offloaded.
    #[must_use]
    pub const fn range(&self) -> RbaRange {
        self.range
    }
}

/// Archive numbers looked at for one whose names are free.
const NUMBERS_TRIED: usize = 10_000;

impl LogManager {
    /// Hands out the offload of the oldest full data set that is not archived; none when there is none, or one is under way.
    pub fn next_offload(&mut self) -> Option<OffloadJob> {
        if self.offloads.under_way || self.failed.is_some() {
            return None;
        }
        let log = oldest_full(&self.bsds, self.data_set)?.clone();
        let range = log.range?;
        let number = self.free_archive_number(&log, range)?;
        let copies = if self.bsds.settings.dual_archive { 2 } else { 1 };
        let capacity = least_capacity(&self.bsds);
        self.offloads.under_way = true;
        Some(OffloadJob {
            storage: self.storage.clone(),
            dir: self.dir.clone(),
            chunks: Chunks::new(DataSets::of(&self.storage, &self.dir, &self.bsds)),
            range,
            name: log.name,
            number,
            history: log.history,
            now: self.now,
            bsds_image: encode_file(&self.bsds, capacity).unwrap_or_default(),
            targets: (1..=copies)
                .map(|copy| Target {
                    copy,
                    path: self.dir.join(archive_name(copy, number)),
                    file: None,
                    crc: Crc32c::new(),
                    failed: None,
                })
                .collect(),
            at: range.start,
            crc: Crc32c::new(),
            start_lrsn: None,
            end_lrsn: Lrsn::default(),
            phase: Phase::Copy,
            messages: Vec::new(),
        })
    }

    /// Whether full data sets wait to be archived, one under way included.
    #[must_use]
    pub fn offload_waiting(&self) -> bool {
        self.offloads.under_way || oldest_full(&self.bsds, self.data_set).is_some()
    }

    /// Whether an offload was handed out and not finished.
    #[must_use]
    pub const fn offload_under_way(&self) -> bool {
        self.offloads.under_way
    }

    /// Offloads that failed since the last success or switch.
    #[must_use]
    pub const fn offload_failures(&self) -> u32 {
        self.offloads.failures
    }

    /// Full data sets that are not archived, over all data sets of a copy: "full logs to offload - n of m".
    #[must_use]
    pub fn full_logs(&self) -> (usize, usize) {
        let full = self.bsds.actives(1).filter(|log| is_full(log, self.data_set)).count();
        (full, self.bsds.actives(1).count())
    }

    /// Forgets the offload that was handed out; its job was abandoned. The next one starts anew.
    pub fn cancel_offload(&mut self) {
        self.offloads.under_way = false;
    }

    /// Takes in what became of an offload: the archives are named in both copies of the BSDS, and then the active logs are reusable.
    /// After a failure [`next_offload`](Self::next_offload) tries again under another name; when that is sensible is the caller's to say.
    ///
    /// # Errors
    /// When the BSDS cannot be written.
    pub fn finish_offload(&mut self, outcome: OffloadOutcome) -> Result<(), LogError> {
        self.offloads.under_way = false;
        self.check()?;
        self.messages.extend(outcome.messages);
        let OffloadOutcome { range, number, name, .. } = outcome;
        match outcome.result {
            Ok(archives) => {
                self.messages.extend(archives.iter().map(messages::archived));
                self.update_bsds(|bsds| {
                    bsds.archives.extend(archives);
                    bsds.next_archive = bsds.next_archive.max(number + 1);
                    bsds.highest_offloaded = bsds.highest_offloaded.max(range.end);
                })?;
                self.update_bsds(|bsds| mark(bsds, range, |log| log.status.reusable = true))?;
                self.offloads.failures = 0;
                self.messages.push(messages::offload_ended());
                if self.warned > 0 {
                    self.warned = 0;
                }
            }
            Err(OffloadFailure::NoArchive(why)) => {
                self.messages.push(messages::offload_failed(&name, &why));
                self.offloads.failures += 1;
                self.update_bsds(|bsds| bsds.next_archive = bsds.next_archive.max(number + 1))?;
            }
            Err(OffloadFailure::Unreadable(why)) => {
                self.messages.push(messages::offload_failed(&name, &why));
                self.offloads.failures += 1;
                self.update_bsds(|bsds| mark(bsds, range, |log| log.status.stopped = true))?;
            }
        }
        Ok(())
    }

    /// The first number from the BSDS's on whose names are free. An archive that the BSDS does not name may be one of a newer BSDS, so it
    /// is not replaced; except one of this very data set, left by an offload that was interrupted. None when storage does not say
    /// which names are free.
    fn free_archive_number(&self, log: &ActiveLog, range: RbaRange) -> Option<u32> {
        let is_remains = |path: &Path| {
            let mut bytes = [0; CI_SIZE];
            let read = self.storage.open(path, OpenMode::Read).and_then(|file| file.read_at(0, &mut bytes));
            let trailer = read.ok().and_then(|()| CiTrailer::take(&bytes).ok());
            trailer.is_some_and(|trailer| {
                trailer.identity.queue_manager == self.bsds.queue_manager
                    && trailer.identity.history == log.history
                    && trailer.rba == range.start
                    && trailer.instance == log.instance
            })
        };
        let taken = |number: u32| {
            (1..=2).any(|copy| {
                let archive = self.dir.join(archive_name(copy, number));
                let beside = self.dir.join(archive_bsds_name(copy, number));
                let is_there = |path: &Path| self.storage.exists(path).unwrap_or(false);
                (is_there(&archive) || is_there(&beside)) && !is_remains(&archive)
            })
        };
        (self.bsds.next_archive..u32::MAX).take(NUMBERS_TRIED).find(|&number| !taken(number))
    }
}

/// Both copies of the data set that holds `range`.
fn mark(bsds: &mut Bsds, range: RbaRange, change: impl Fn(&mut ActiveLog)) {
    for log in bsds.active_logs.iter_mut().filter(|log| log.range == Some(range)) {
        change(log);
    }
}

fn is_full(log: &ActiveLog, current: RbaRange) -> bool {
    let unarchived = !log.status.is_available() || planted::active(Defect::EarlyReusable);
    unarchived
        && !log.status.new
        && !log.status.stopped
        && log.range.is_some_and(|range| range.end <= current.start)
}

fn oldest_full(bsds: &Bsds, current: RbaRange) -> Option<&ActiveLog> {
    let archived = |log: &ActiveLog| log.range.is_some_and(|range| range.end <= bsds.highest_offloaded);
    bsds.actives(1)
        .filter(|log| is_full(log, current) && !(log.status.reusable && archived(log)))
        .min_by_key(|log| log.range.map(|range| range.start))
}

impl OffloadJob {
    /// Does about 1 MiB of the work.
    #[must_use]
    pub fn step(&mut self) -> OffloadStep {
        let done = match self.phase {
            Phase::Copy => self.copy(),
            Phase::ReadBack(target) => self.read_back(target),
        };
        if let Some(Err(failure)) = done {
            self.remove_temporary_files();
            return OffloadStep::Done(self.outcome(Err(failure)));
        }
        if self.targets.iter().all(|target| target.failed.is_some()) {
            let failures = self.targets.iter().filter_map(|target| target.failed.clone());
            let why = failures.collect::<Vec<_>>().join("; ");
            self.remove_temporary_files();
            return OffloadStep::Done(self.outcome(Err(OffloadFailure::NoArchive(why))));
        }
        if done.is_none() {
            return OffloadStep::More;
        }
        let archives = self.publish();
        let outcome = if archives.is_empty() {
            let failures = self.targets.iter().filter_map(|target| target.failed.clone());
            Err(OffloadFailure::NoArchive(failures.collect::<Vec<_>>().join("; ")))
        } else {
            Ok(archives)
        };
        OffloadStep::Done(self.outcome(outcome))
    }

    /// The log that is being offloaded.
    #[must_use]
    pub const fn range(&self) -> RbaRange {
        self.range
    }

    /// Gives the work up, and removes what was written.
    pub fn abandon(self) {
        self.remove_temporary_files();
    }

    fn outcome(&mut self, result: Result<Vec<ArchiveLog>, OffloadFailure>) -> OffloadOutcome {
        if result.is_ok() {
            for target in &self.targets {
                if let Some(why) = &target.failed {
                    self.messages.push(messages::archive_copy_failed(target.copy, why));
                }
            }
        }
        OffloadOutcome {
            range: self.range,
            name: self.name.clone(),
            number: self.number,
            result,
            messages: std::mem::take(&mut self.messages),
        }
    }

    /// Copies a chunk to every archive; done when none is left.
    fn copy(&mut self) -> Option<Result<(), OffloadFailure>> {
        let mut bytes = Vec::with_capacity(CHUNK);
        let from = self.at;
        while self.at < self.range.end && bytes.len() < CHUNK {
            let ahead = ahead(self.at, self.range.end);
            let used = match self.chunks.prepare(self.at, Need::Whole, ahead) {
                Ok(used) => used,
                Err(unreadable) => return Some(Err(refusal(&unreadable))),
            };
            bytes.extend_from_slice(self.chunks.ci(self.at));
            self.note_lrsns(used);
            self.at = self.at.plus(CI);
        }
        self.crc.update(&bytes);
        let offset = from.since(self.range.start);
        for target in &mut self.targets {
            target.write(&self.storage, offset, &bytes);
        }
        if self.at < self.range.end {
            return None;
        }
        for target in &mut self.targets {
            target.sync();
        }
        self.phase = Phase::ReadBack(0);
        self.at = self.range.start;
        None
    }

    fn note_lrsns(&mut self, used: usize) {
        let ci_bytes = self.chunks.ci(self.at);
        let mut offset = 0;
        while offset < used {
            let Some(&[_, _, _, _, high, low, flags, _]) =
                ci_bytes.get(offset..).and_then(<[u8]>::first_chunk::<SEGMENT_HEADER>)
            else {
                break;
            };
            let start = offset + SEGMENT_HEADER;
            if flags & FIRST != 0
                && let Some(Ok(header)) = ci_bytes.get(start..).map(RecordHeader::decode)
            {
                self.start_lrsn.get_or_insert(header.lrsn);
                self.end_lrsn = header.lrsn;
            }
            offset = start + usize::from(u16::from_be_bytes([high, low]));
            if !ci::has_room(offset) {
                break;
            }
        }
    }

    /// Reads a chunk of an archive back; done when all archives are compared.
    fn read_back(&mut self, number: usize) -> Option<Result<(), OffloadFailure>> {
        let Some(target) = self.targets.get_mut(number) else { return Some(Ok(())) };
        let length = self.range.end.since(self.at).min(CHUNK as u64);
        if target.failed.is_none() && length > 0 {
            let mut bytes = vec![0; length as usize];
            match target.read(self.at.since(self.range.start), &mut bytes) {
                Ok(()) => target.crc.update(&bytes),
                Err(why) => target.failed = Some(why),
            }
        }
        self.at = self.at.plus(length);
        if self.at >= self.range.end || target.failed.is_some() {
            if target.failed.is_none() && target.crc.finish() != self.crc.finish() {
                target.failed =
                    Some(format!("{}: what was written reads back otherwise", target.path.display()));
            }
            self.phase = Phase::ReadBack(number + 1);
            self.at = self.range.start;
        }
        None
    }

    /// Gives the archives their names, with a copy of the BSDS beside each.
    fn publish(&mut self) -> Vec<ArchiveLog> {
        let mut archives = Vec::new();
        let storage = self.storage.as_ref();
        for target in &mut self.targets {
            if target.failed.is_some() {
                // What is left under a temporary name is removed by the next start, too.
                let _ = durable::remove_if_there(storage, &durable::temporary_name(&target.path));
                continue;
            }
            let renamed = durable::rename(storage, &durable::temporary_name(&target.path), &target.path);
            if let Err(error) = renamed {
                let _ = durable::remove_if_there(storage, &durable::temporary_name(&target.path));
                target.failed = Some(format!("rename {}: {error}", target.path.display()));
                continue;
            }
            let mut bsds_name = archive_bsds_name(target.copy, self.number);
            let path = self.dir.join(&bsds_name);
            if let Err(error) = durable::write_file(storage, &path, &self.bsds_image) {
                self.messages.push(messages::bsds_copy_failed(&bsds_name, &error.to_string()));
                bsds_name.clear();
            }
            archives.push(ArchiveLog {
                copy: target.copy,
                name: file_name(&target.path),
                history: self.history,
                range: self.range,
                start_lrsn: self.start_lrsn.unwrap_or(self.end_lrsn),
                end_lrsn: self.end_lrsn,
                written_at: self.now,
                unit: "DISK".to_owned(),
                volume: String::new(),
                bsds_name,
            });
        }
        archives
    }

    fn remove_temporary_files(&self) {
        for target in &self.targets {
            // Nothing relies on it: the next attempt and the next start remove it as well.
            let _ = durable::remove_if_there(self.storage.as_ref(), &durable::temporary_name(&target.path));
        }
    }
}

fn refusal(unreadable: &Unreadable) -> OffloadFailure {
    let why = format!("RBA {}: {}", unreadable.rba, unreadable.why());
    // A read that was refused may succeed another time; bytes that are wrong stay wrong.
    if unreadable.refused { OffloadFailure::NoArchive(why) } else { OffloadFailure::Unreadable(why) }
}

fn file_name(path: &Path) -> String {
    path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default()
}

impl Target {
    fn write(&mut self, storage: &SharedStorage, offset: u64, bytes: &[u8]) {
        if self.failed.is_some() {
            return;
        }
        let temporary = durable::temporary_name(&self.path);
        let written = match &self.file {
            Some(file) => file.write_at(offset, bytes),
            None => durable::remove_if_there(storage.as_ref(), &temporary)
                .and_then(|_| storage.open(&temporary, OpenMode::CreateNew))
                .and_then(|file| self.file.insert(file).write_at(offset, bytes)),
        };
        self.failed = written.err().map(|error| error.to_string());
    }

    fn sync(&mut self) {
        if self.failed.is_none() {
            self.failed = match &self.file {
                Some(file) => file.sync().err().map(|error| error.to_string()),
                None => Some("nothing was written".to_owned()),
            };
        }
    }

    fn read(&self, offset: u64, bytes: &mut [u8]) -> Result<(), String> {
        debug_assert_eq!(bytes.len() % CI_SIZE, 0, "archives are whole control intervals");
        match &self.file {
            Some(file) => file.read_at(offset, bytes).map_err(|error| error.to_string()),
            None => Err("nothing was written".to_owned()),
        }
    }
}
