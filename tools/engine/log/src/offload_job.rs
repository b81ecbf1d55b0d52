//! The copying of one full data set into its archives, a step at a time.
//!
//! Each control interval is taken from whichever copy has it valid; both copies are read and compared, and what is found is said.
//! A copy of the data set that lacks log is completed on the way, so that there are two again even while no archive can be written.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use engine_storage::{SharedStorage, durable};
use format_bsds::ArchiveLog;
use format_log::RecordHeader;
use format_log::ci;
use format_log::segment::{FIRST, SEGMENT_HEADER};
use format_types::{HistoryId, Lrsn, Rba, RbaRange, Timestamp};

use crate::chunks::{CHUNK, Chunks, Need, Unreadable, ahead};
use crate::compare::{Comparer, CopyFault};
use crate::data_sets::CI;
use crate::messages;
use crate::names::archive_bsds_name;
use crate::offload_target::Target;

/// Findings about the copies that are said one by one.
const FINDINGS_SAID: u64 = 10;

/// Copies one full data set into its archives; an owned value that any thread may work on.
pub struct OffloadJob {
    pub(crate) storage: SharedStorage,
    pub(crate) dir: PathBuf,
    pub(crate) chunks: Chunks,
    /// None where there is one copy.
    pub(crate) comparer: Option<Comparer>,
    /// Shared with the log manager, which may cancel it, and knows by it when the job is gone.
    pub(crate) cancelled: Arc<AtomicBool>,
    pub(crate) ticket: u64,
    pub(crate) range: RbaRange,
    pub(crate) name: String,
    pub(crate) number: u32,
    pub(crate) history: HistoryId,
    pub(crate) now: Timestamp,
    pub(crate) bsds_image: Vec<u8>,
    pub(crate) targets: Vec<Target>,
    pub(crate) at: Rba,
    pub(crate) lrsns: Option<(Lrsn, Lrsn)>,
    pub(crate) phase: Phase,
    pub(crate) findings: u64,
    pub(crate) messages: Vec<String>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Copy,
    /// Of the target with this place in the list.
    ReadBack(usize),
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
    pub(crate) ticket: u64,
    pub(crate) range: RbaRange,
    pub(crate) name: String,
    pub(crate) number: u32,
    pub(crate) result: Result<Vec<ArchiveLog>, OffloadFailure>,
    /// Copies of the active log that are whole now.
    pub(crate) completed: Vec<u8>,
    pub(crate) messages: Vec<String>,
}

#[derive(Debug)]
pub(crate) enum OffloadFailure {
    /// Neither copy of the active log has all of it. Lasting when bytes are wrong; another time they may be readable when storage
    /// refused to read them.
    Unreadable { why: String, lasting: bool },
    /// No archive could be written.
    NoArchive(String),
    /// It was cancelled.
    Cancelled,
}

impl OffloadOutcome {
    /// Whether at least one archive was written.
    #[must_use]
    pub const fn is_success(&self) -> bool {
        self.result.is_ok()
    }

    /// Whether it was cancelled, and so neither succeeded nor failed.
    #[must_use]
    pub const fn is_cancelled(&self) -> bool {
        matches!(self.result, Err(OffloadFailure::Cancelled))
    }

    /// The log that was to be offloaded.
    #[must_use]
    pub const fn range(&self) -> RbaRange {
        self.range
    }
}

impl OffloadJob {
    /// Does about 1 MiB of the work.
    #[must_use]
    pub fn step(&mut self) -> OffloadStep {
        if self.cancelled.load(Ordering::Acquire) {
            return self.end(Err(OffloadFailure::Cancelled));
        }
        match self.phase {
            Phase::Copy => {
                if let Err(unreadable) = self.copy() {
                    return self.end(Err(refusal(&unreadable)));
                }
            }
            Phase::ReadBack(target) if target < self.targets.len() => self.read_back(target),
            Phase::ReadBack(_) => {
                let archives = self.publish();
                let outcome = if archives.is_empty() { Err(self.no_archive()) } else { Ok(archives) };
                return self.end(outcome);
            }
        }
        if self.targets.iter().all(|target| target.failed.is_some()) {
            let failure = self.no_archive();
            return self.end(Err(failure));
        }
        OffloadStep::More
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

    fn no_archive(&self) -> OffloadFailure {
        let failures = self.targets.iter().filter(|target| target.is_archive());
        let failures = failures.filter_map(|target| target.failed.clone());
        OffloadFailure::NoArchive(failures.collect::<Vec<_>>().join("; "))
    }

    fn end(&mut self, result: Result<Vec<ArchiveLog>, OffloadFailure>) -> OffloadStep {
        let mut completed = Vec::new();
        if self.findings > FINDINGS_SAID {
            self.messages.push(messages::more_findings(self.findings - FINDINGS_SAID));
        }
        // What was not read back to its end counts for nothing.
        let compared = matches!(self.phase, Phase::ReadBack(at) if at >= self.targets.len());
        for target in &self.targets {
            match &target.failed {
                None if !target.is_archive() && compared => completed.push(target.copy),
                Some(why) if !target.is_archive() => {
                    self.messages.push(messages::not_completed(&target.name(), why));
                }
                Some(why) if result.is_ok() => {
                    self.messages.push(messages::archive_copy_failed(target.copy, why));
                }
                _ => {}
            }
        }
        if result.is_err() {
            self.remove_temporary_files();
        }
        OffloadStep::Done(OffloadOutcome {
            ticket: self.ticket,
            range: self.range,
            name: self.name.clone(),
            number: self.number,
            result,
            completed,
            messages: std::mem::take(&mut self.messages),
        })
    }

    /// Copies a chunk to every target.
    fn copy(&mut self) -> Result<(), Unreadable> {
        let from = self.at;
        let stretch = ahead(from, self.range.end);
        let mut bytes = Vec::with_capacity(CHUNK);
        while self.at < stretch.end {
            let used = self.chunks.prepare(self.at, Need::Whole, stretch)?;
            bytes.extend_from_slice(self.chunks.ci(self.at));
            self.note_lrsns(used);
            self.at = self.at.plus(CI);
        }
        self.compare(stretch);
        let offset = from.since(self.range.start);
        for target in &mut self.targets {
            target.write(&self.storage, offset, &bytes);
        }
        if self.at >= self.range.end {
            for target in &mut self.targets {
                target.sync(&self.storage);
            }
            self.phase = Phase::ReadBack(0);
            self.at = self.range.start;
        }
        Ok(())
    }

    /// Says what is wrong with one copy, or where the copies differ.
    fn compare(&mut self, stretch: RbaRange) {
        let (findings, messages) = (&mut self.findings, &mut self.messages);
        let Some(comparer) = &mut self.comparer else { return };
        comparer.compare(stretch, stretch.end, &mut |fault: CopyFault| {
            *findings += 1;
            if *findings > FINDINGS_SAID {
                return;
            }
            let CopyFault { rba, data_set, why, differs_from, .. } = fault;
            messages.push(match differs_from {
                Some(other) => messages::copies_differ(rba, &other, &data_set),
                None => messages::damaged_in_one_copy(&data_set, rba, &why),
            });
        });
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
                let first = self.lrsns.map_or(header.lrsn, |(first, _)| first);
                self.lrsns = Some((first, header.lrsn));
            }
            offset = start + usize::from(u16::from_be_bytes([high, low]));
            if !ci::has_room(offset) {
                break;
            }
        }
    }

    /// Reads a chunk of a target back; at its end goes on with the next one.
    fn read_back(&mut self, number: usize) {
        let Some(target) = self.targets.get_mut(number) else { return };
        let length = self.range.end.since(self.at).min(CHUNK as u64);
        target.read_back(&self.storage, self.at.since(self.range.start), length);
        self.at = self.at.plus(length);
        if self.at >= self.range.end || target.failed.is_some() {
            target.compare(&self.storage);
            self.phase = Phase::ReadBack(number + 1);
            self.at = self.range.start;
        }
    }

    /// Gives the archives their names, with a copy of the BSDS beside each.
    fn publish(&mut self) -> Vec<ArchiveLog> {
        let mut archives = Vec::new();
        let (start_lrsn, end_lrsn) = self.lrsns.unwrap_or_default();
        for target in self.targets.iter_mut().filter(|target| target.is_archive()) {
            if target.failed.is_some() || !target.publish(&self.storage) {
                continue;
            }
            let mut bsds_name = archive_bsds_name(target.copy, self.number);
            let path = self.dir.join(&bsds_name);
            if let Err(error) = durable::write_file(self.storage.as_ref(), &path, &self.bsds_image) {
                self.messages.push(messages::bsds_copy_failed(&bsds_name, &error.to_string()));
                bsds_name.clear();
            }
            archives.push(ArchiveLog {
                copy: target.copy,
                name: target.name(),
                history: self.history,
                range: self.range,
                start_lrsn,
                end_lrsn,
                written_at: self.now,
                unit: "DISK".to_owned(),
                volume: String::new(),
                bsds_name,
                deleting: false,
            });
        }
        archives
    }

    fn remove_temporary_files(&self) {
        for target in &self.targets {
            target.remove_temporary(&self.storage);
        }
    }
}

fn refusal(unreadable: &Unreadable) -> OffloadFailure {
    let why = format!("RBA {}: {}", unreadable.rba, unreadable.why());
    OffloadFailure::Unreadable { why, lasting: !unreadable.refused }
}
