//! Writing the buffer out, and making it durable.

use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use engine_storage::SharedFile;
use engine_storage::planted::{self, Defect};
use format_types::{Rba, RbaRange};

use crate::{LogError, LogManager};

/// Remembers that a copy's sync failed. All syncs of a copy go through it, one after the other: the system reports a lost write to one
/// caller only, and whoever asks next must not take silence for success.
#[derive(Default)]
pub(crate) struct SyncGate(Mutex<Option<String>>);

impl SyncGate {
    fn sync(&self, file: &SharedFile) -> Result<(), String> {
        if planted::active(Defect::AcknowledgedBeforeSync) {
            return Ok(());
        }
        let mut failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = &*failed {
            return Err(why.clone());
        }
        let mut outcome: io::Result<()> = file.sync();
        if outcome.is_err() && planted::active(Defect::SyncRetried) {
            outcome = file.sync();
        }
        outcome.map_err(|error| {
            let why = error.to_string();
            *failed = Some(why.clone());
            why
        })
    }
}

/// A copy that is being written: one data set of it.
pub(crate) struct CopyWriter {
    pub(crate) file: SharedFile,
    pub(crate) gate: Arc<SyncGate>,
    /// Which data set of the log this is: what becomes known late of an earlier one no longer matters.
    pub(crate) begun: Rba,
}

impl CopyWriter {
    /// Of the data set whose log starts at `begun`.
    pub(crate) fn new(file: SharedFile, begun: Rba) -> Self {
        Self { file, gate: Arc::default(), begun }
    }

    pub(crate) fn sync(&self) -> Result<(), String> {
        self.gate.sync(&self.file)
    }
}

/// The sync of what was written, one part for each copy.
pub struct SyncJob {
    parts: Vec<SyncPart>,
}

/// The sync of one copy; runs on any thread, beside the other copy's.
pub struct SyncPart {
    copy: u8,
    begun: Rba,
    target: Rba,
    file: SharedFile,
    gate: Arc<SyncGate>,
}

/// What became of one part.
#[derive(Debug)]
pub struct SyncPartOutcome {
    copy: u8,
    begun: Rba,
    target: Rba,
    result: Result<(), String>,
}

/// What became of a sync.
#[derive(Debug)]
pub struct SyncOutcome {
    parts: Vec<SyncPartOutcome>,
}

impl SyncJob {
    /// Runs all parts, one after the other.
    #[must_use]
    pub fn run(&self) -> SyncOutcome {
        SyncOutcome::from_parts(self.parts.iter().map(SyncPart::run).collect())
    }

    /// The log below this is durable when the job has succeeded.
    #[must_use]
    pub fn target(&self) -> Rba {
        self.parts.first().map_or(Rba::ZERO, |part| part.target)
    }

    /// The parts, to be run side by side.
    #[must_use]
    pub fn into_parts(self) -> Vec<SyncPart> {
        self.parts
    }
}

impl SyncPart {
    /// Syncs the copy.
    #[must_use]
    pub fn run(&self) -> SyncPartOutcome {
        let &Self { copy, begun, target, .. } = self;
        SyncPartOutcome { copy, begun, target, result: self.gate.sync(&self.file) }
    }
}

impl SyncOutcome {
    /// Of all parts of one job.
    #[must_use]
    pub fn from_parts(parts: Vec<SyncPartOutcome>) -> Self {
        Self { parts }
    }

    /// Whether every copy was synced.
    #[must_use]
    pub fn is_success(&self) -> bool {
        self.parts.iter().all(|part| part.result.is_ok())
    }
}

impl LogManager {
    /// Writes the buffer to every copy.
    fn write_out(&mut self) -> Result<(), LogError> {
        if !self.buffer.is_dirty() {
            return Ok(());
        }
        let rewrites = self.written.ci_offset() > 0;
        let (rba, bytes) = self.buffer.unwritten(self.synced);
        let offset = rba.since(self.data_set.start);
        let mut failures = Vec::new();
        for (copy, writer) in (1u8..).zip(&self.copies) {
            let Some(writer) = writer else { continue };
            if rewrites && planted::active(Defect::OldBytesChangedInCi) {
                let blank = vec![0; format_types::CI_SIZE.min(bytes.len())];
                let _ = writer.file.write_at(offset, &blank);
            }
            if let Err(error) = writer.file.write_at(offset, bytes) {
                failures.push((copy, error.to_string()));
            }
        }
        self.buffer.written();
        self.written = self.end;
        self.give_up(failures)
    }

    /// Writes out what is in the buffer and hands out the sync that makes it durable; none when nothing is unsynced, or a sync is under
    /// way. Records may be appended meanwhile.
    ///
    /// # Errors
    /// When no copy could be written.
    pub fn begin_sync(&mut self) -> Result<Option<SyncJob>, LogError> {
        self.check()?;
        if self.sync_under_way {
            return Ok(None);
        }
        self.truncate_after_failure()?;
        if self.end <= self.synced {
            return Ok(None);
        }
        self.write_out()?;
        let target = self.end;
        let parts: Vec<SyncPart> = (1u8..)
            .zip(&self.copies)
            .filter_map(|(copy, writer)| {
                let writer = writer.as_ref()?;
                let (file, gate) = (writer.file.clone(), Arc::clone(&writer.gate));
                Some(SyncPart { copy, begun: writer.begun, target, file, gate })
            })
            .collect();
        self.sync_under_way = true;
        Ok(Some(SyncJob { parts }))
    }

    /// Takes in what became of the sync, and returns the RBA below which the log is now durable. A copy whose sync failed is given up:
    /// the BSDS says so, durably, before this returns; and the log goes on in the next data set, where there is one.
    ///
    /// # Errors
    /// When no copy is left.
    pub fn finish_sync(&mut self, outcome: SyncOutcome) -> Result<Rba, LogError> {
        self.sync_under_way = false;
        self.check()?;
        let mut failures = Vec::new();
        let mut target = Rba::ZERO;
        for part in outcome.parts {
            target = target.max(part.target);
            if let Err(why) = part.result
                && part.begun == self.data_set.start
            {
                failures.push((part.copy, why));
            }
        }
        // Of a data set that is done with: all of it was synced before the next one was begun.
        self.give_up(failures)?;
        self.synced = self.synced.max(target);
        self.truncate_after_failure()?;
        Ok(self.synced)
    }

    /// Writes and syncs all that was appended, here and now.
    ///
    /// # Errors
    /// When no copy is left.
    pub fn sync_now(&mut self) -> Result<Rba, LogError> {
        self.check()?;
        if self.end <= self.synced && !self.buffer.is_dirty() {
            return Ok(self.synced);
        }
        self.write_out()?;
        let mut failures = Vec::new();
        for (copy, writer) in (1u8..).zip(&self.copies) {
            if let Some(writer) = writer
                && let Err(why) = writer.sync()
            {
                failures.push((copy, why));
            }
        }
        self.give_up(failures)?;
        self.synced = self.end;
        Ok(self.synced)
    }

    /// The stretch that is not durable yet.
    #[must_use]
    pub fn unsynced(&self) -> RbaRange {
        RbaRange::new(self.synced, self.end)
    }
}
