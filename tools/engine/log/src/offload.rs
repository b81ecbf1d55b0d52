//! Offload: full active logs become archives.
//!
//! Order of writes: the archives are written under temporary names, synced, read back and compared, and given their names, durably;
//! then both copies of the BSDS name them; then, and not before, the active logs become reusable. An interrupted offload leaves
//! archives that no BSDS names: the next one takes other names.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};

use engine_storage::OpenMode;
use engine_storage::planted::{self, Defect};
use format_bsds::{ActiveLog, ArchiveLog, Bsds, encode_file, least_capacity};
use format_log::ci::CiTrailer;
use format_types::{CI_SIZE, HistoryId, Rba, RbaRange};

use crate::chunks::Chunks;
use crate::compare::Comparer;
use crate::copies::note_whole;
use crate::data_sets::DataSets;
use crate::names::{archive_bsds_name, archive_name};
use crate::offload_job::{OffloadFailure, OffloadJob, OffloadOutcome, Phase};
use crate::offload_target::{Target, remove_quietly};
use crate::{LogError, LogManager, messages};

/// Offloads of a log manager.
#[derive(Default)]
pub(crate) struct Offloads {
    under_way: Option<UnderWay>,
    tickets: u64,
    /// Attempts that failed since the last success or switch.
    failures: u32,
    /// Archive numbers below this are not used: a cancelled job may still write under them.
    lowest_number: u32,
    /// Cancelled jobs that may still write to active logs, and the log in those.
    cancelled: Vec<(Weak<AtomicBool>, RbaRange)>,
    /// Data sets that could not be read, by the RBA where they start: how often, and when to try again.
    unreadable: BTreeMap<Rba, (u32, u64)>,
}

/// An offload that was handed out.
struct UnderWay {
    ticket: u64,
    number: u32,
    name: String,
    range: RbaRange,
    /// It writes to active logs, too.
    completes: bool,
    cancelled: Weak<AtomicBool>,
}

impl Offloads {
    /// A data set became full, so there is something new to do.
    pub(crate) fn notice_switch(&mut self) {
        self.failures = 0;
    }

    /// Notes that the data set whose log starts at `start` could not be read.
    fn postpone(&mut self, start: Rba, now: u64) {
        let (attempts, until) = self.unreadable.entry(start).or_default();
        *attempts += 1;
        let pause = LEAST_PAUSE.saturating_mul(1 << (*attempts - 1).min(16)).min(LONGEST_PAUSE);
        *until = now.saturating_add(pause);
    }
}

/// How long a data set that cannot be read is left alone after the first attempt, in microseconds; twice as long after each further one.
const LEAST_PAUSE: u64 = 10_000_000;

/// How long at most.
const LONGEST_PAUSE: u64 = 600_000_000;

/// Archive numbers looked at for one whose names are free.
const NUMBERS_TRIED: usize = 10_000;

impl LogManager {
    /// Hands out the offload of the oldest full data set that is not archived; none when there is none, or one is under way. One that
    /// could not be read is passed over for a while.
    pub fn next_offload(&mut self) -> Option<OffloadJob> {
        if self.offloads.under_way.is_some() || self.failed.is_some() {
            return None;
        }
        self.offloads.cancelled.retain(|(job, _)| job.strong_count() > 0);
        let (now, offloads) = (self.elapsed, &self.offloads);
        let due = |log: &ActiveLog| {
            let Some(range) = log.range else { return false };
            offloads.unreadable.get(&range.start).is_none_or(|(_, until)| now >= *until)
                && offloads.cancelled.iter().all(|(_, busy)| *busy != range)
        };
        let log = oldest_full(&self.bsds, self.data_set, due)?.clone();
        let range = log.range?;
        let number = self.free_archive_number(&log, range)?;
        let copies = if self.bsds.settings.dual_archive { 2 } else { 1 };
        let mut targets: Vec<Target> = (1..=copies)
            .map(|copy| Target::archive(copy, self.dir.join(archive_name(copy, number))))
            .collect();
        let history = log.history;
        for log in self.bsds.active_logs.iter().filter(|log| holds(log, history, range)) {
            if let Some(from) = self.bsds.lacks_from(log).filter(|_| self.bsds.settings.dual_active) {
                let from = from.ci_start().since(range.start);
                targets.push(Target::completion(log.copy, self.dir.join(&log.name), from));
            }
        }
        let cancelled = Arc::new(AtomicBool::new(false));
        self.offloads.tickets += 1;
        let ticket = self.offloads.tickets;
        self.offloads.under_way = Some(UnderWay {
            ticket,
            number,
            name: log.name.clone(),
            range,
            completes: targets.iter().any(|target| !target.is_archive()),
            cancelled: Arc::downgrade(&cancelled),
        });
        let sets = DataSets::of(&self.storage, &self.dir, &self.bsds);
        Some(OffloadJob {
            storage: self.storage.clone(),
            dir: self.dir.clone(),
            comparer: self.bsds.settings.dual_active.then(|| Comparer::of_actives(sets.again())),
            chunks: Chunks::new(sets),
            cancelled,
            ticket,
            range,
            name: log.name,
            number,
            history: log.history,
            now: self.now,
            bsds_image: encode_file(&self.bsds, least_capacity(&self.bsds)).unwrap_or_default(),
            targets,
            at: range.start,
            lrsns: None,
            phase: Phase::Copy,
            findings: 0,
            messages: Vec::new(),
        })
    }

    /// Whether full data sets wait to be archived, one under way included.
    #[must_use]
    pub fn offload_waiting(&self) -> bool {
        self.offload_under_way() || oldest_full(&self.bsds, self.data_set, |_| true).is_some()
    }

    /// Whether an offload was handed out and not finished.
    #[must_use]
    pub const fn offload_under_way(&self) -> bool {
        self.offloads.under_way.is_some()
    }

    /// Offloads that failed since the last success or switch.
    #[must_use]
    pub const fn offload_failures(&self) -> u32 {
        self.offloads.failures
    }

    /// Full data sets that are not archived, over all data sets of a copy: "full logs to offload - n of m".
    #[must_use]
    pub fn full_logs(&self) -> (usize, usize) {
        let full = self.bsds.actives(1).filter(|log| is_full(log, &self.bsds, self.data_set)).count();
        (full, self.bsds.actives(1).count())
    }

    /// Cancels the offload under way; false when there is none. Its job stops at its next step and removes what it wrote under temporary
    /// names; what it says later is no longer listened to. The next offload begins anew under other names.
    pub fn cancel_offload(&mut self) -> bool {
        let Some(under_way) = self.offloads.under_way.take() else { return false };
        self.offloads.lowest_number = under_way.number + 1;
        if let Some(cancelled) = under_way.cancelled.upgrade() {
            cancelled.store(true, Ordering::Release);
            if under_way.completes {
                // Until it is gone, the data set must not be used again: it may yet write there.
                self.offloads.cancelled.push((under_way.cancelled, under_way.range));
            }
        }
        self.messages.push(messages::offload_cancelled(&under_way.name));
        true
    }

    /// Takes in what became of an offload: the archives are named in both copies of the BSDS, and then the active logs are reusable.
    /// After a failure [`next_offload`](Self::next_offload) tries again under another name; when that is sensible is the caller's to say.
    ///
    /// # Errors
    /// When the BSDS cannot be written.
    pub fn finish_offload(&mut self, outcome: OffloadOutcome) -> Result<(), LogError> {
        let known = self.offloads.under_way.take_if(|under_way| under_way.ticket == outcome.ticket);
        if known.is_none() {
            self.remove_archives(outcome.result.unwrap_or_default());
            return Ok(());
        }
        self.check()?;
        self.messages.extend(outcome.messages);
        let OffloadOutcome { range, number, name, completed, .. } = outcome;
        let next = number + 1;
        let mut reusable = false;
        let mut stopped = false;
        match outcome.result {
            Ok(archives) => {
                self.messages.extend(archives.iter().map(messages::archived));
                let archived = self.archived_below(range);
                self.update_bsds(|bsds| {
                    bsds.archives.extend(archives);
                    bsds.next_archive = bsds.next_archive.max(next);
                    bsds.highest_offloaded = bsds.highest_offloaded.max(archived);
                })?;
                self.offloads.failures = 0;
                self.offloads.unreadable.remove(&range.start);
                self.messages.push(messages::offload_ended());
                self.warned = 0;
                reusable = true;
            }
            Err(OffloadFailure::NoArchive(why)) => {
                self.messages.push(messages::offload_failed(&name, &why));
                self.offloads.failures += 1;
            }
            Err(OffloadFailure::Unreadable { why, lasting }) => {
                self.messages.push(messages::offload_failed(&name, &why));
                if lasting {
                    self.messages.push(messages::unreadable(&name, &why));
                }
                self.offloads.failures += 1;
                self.offloads.postpone(range.start, self.elapsed);
                stopped = lasting;
            }
            Err(OffloadFailure::Cancelled) => {}
        }
        let writing = self.writing();
        let history = self.bsds.history();
        let mut whole = Vec::new();
        let mut names = Vec::new();
        self.update_bsds(|bsds| {
            bsds.next_archive = bsds.next_archive.max(next);
            for log in bsds.active_logs.iter_mut().filter(|log| holds(log, history, range)) {
                log.status.reusable |= reusable;
                log.status.stopped = stopped;
                if completed.contains(&log.copy) {
                    log.status.incomplete = false;
                    names.push(log.name.clone());
                }
            }
            whole = note_whole(bsds, writing);
        })?;
        self.messages.extend(names.iter().map(|name| messages::completed(name)));
        self.say_whole(whole);
        Ok(())
    }

    /// The RBA below which all log is archived once `range` is.
    fn archived_below(&self, range: RbaRange) -> Rba {
        let waiting = self.bsds.actives(1).filter(|log| is_full(log, &self.bsds, self.data_set));
        let waiting = waiting.filter_map(|log| log.range).filter(|other| *other != range);
        let waiting = waiting.filter(|other| other.end > self.bsds.highest_offloaded);
        waiting.map(|other| other.start).min().unwrap_or(self.data_set.start)
    }

    /// Removes archives that a cancelled offload has given their names after all; no BSDS names them.
    fn remove_archives(&self, archives: Vec<ArchiveLog>) {
        let named = |name: &str| self.bsds.archives.iter().any(|known| known.name == name);
        for archive in archives.into_iter().filter(|archive| !named(&archive.name)) {
            remove_quietly(&self.storage, &self.dir.join(&archive.name));
            if !archive.bsds_name.is_empty() {
                remove_quietly(&self.storage, &self.dir.join(&archive.bsds_name));
            }
        }
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
        let first = self.bsds.next_archive.max(self.offloads.lowest_number);
        (first..u32::MAX).take(NUMBERS_TRIED).find(|&number| !taken(number))
    }
}

/// The same RBAs in two histories are two places.
fn holds(log: &ActiveLog, history: HistoryId, range: RbaRange) -> bool {
    log.history == history && log.range == Some(range)
}

/// A full data set that offload is to take. What a cut left behind and could not archive is its own archive: it is read as it is, and
/// the line behind the cut, which an offload would read, is not what it holds.
fn is_full(log: &ActiveLog, bsds: &Bsds, current: RbaRange) -> bool {
    if log.history != bsds.history() {
        return false;
    }
    let unarchived = !log.status.is_available() || planted::active(Defect::EarlyReusable);
    unarchived && !log.status.new && log.range.is_some_and(|range| range.end <= current.start)
}

fn oldest_full(bsds: &Bsds, current: RbaRange, due: impl Fn(&ActiveLog) -> bool) -> Option<&ActiveLog> {
    let archived = |log: &ActiveLog| log.range.is_some_and(|range| range.end <= bsds.highest_offloaded);
    bsds.actives(1)
        .filter(|log| is_full(log, bsds, current) && !(log.status.reusable && archived(log)) && due(log))
        .min_by_key(|log| log.range.map(|range| range.start))
}
