//! The log manager: its state, and what it says of it.

use std::path::{Path, PathBuf};

use engine_storage::SharedStorage;
use format_bsds::Bsds;
use format_types::{Lrsn, Rba, RbaRange, Timestamp};

use crate::bsds_files::BsdsFiles;
use crate::buffer::LogBuffer;
use crate::offload::Offloads;
use crate::sync::CopyWriter;
use crate::{LogError, restart};

/// Bytes that a data set may lose at its end, because no record spans two.
const LOSS: u64 = 2 * crate::data_sets::CI;

/// The writer of a log; there is one for a queue manager, and it alone writes the log and the BSDS.
pub struct LogManager {
    pub(crate) storage: SharedStorage,
    pub(crate) dir: PathBuf,
    pub(crate) bsds_files: BsdsFiles,
    pub(crate) bsds: Bsds,
    /// The copies that are being written.
    pub(crate) copies: [Option<CopyWriter>; 2],
    /// The log that the current data set has room for.
    pub(crate) data_set: RbaRange,
    pub(crate) buffer: LogBuffer,
    /// A record's bytes while it is being put together.
    pub(crate) scratch: Vec<u8>,
    pub(crate) now: Timestamp,
    /// Microseconds that have gone by, whatever the clock was set to meanwhile.
    pub(crate) elapsed: u64,
    pub(crate) lrsn: Lrsn,
    pub(crate) previous_length: u32,
    /// After the last record.
    pub(crate) end: Rba,
    /// The last record that was written to the files ends here.
    pub(crate) written: Rba,
    pub(crate) synced: Rba,
    pub(crate) sync_under_way: bool,
    pub(crate) records: u64,
    pub(crate) switches: u64,
    pub(crate) offloads: Offloads,
    /// A copy has failed: the data set is to be ended where it is.
    pub(crate) truncation_due: bool,
    /// Log that must be left when a data set is ended early.
    pub(crate) kept_back: u64,
    pub(crate) messages: Vec<String>,
    /// Percentage at which CSQJ110E was last given; CSQJ111A after 100.
    pub(crate) warned: u64,
    pub(crate) failed: Option<String>,
}

impl LogManager {
    /// Opens the log of the queue manager in `dir` for writing: finds its end, repairs the BSDS, makes both copies equal and durable up
    /// to the end, and zeroes what was unsynced beyond. The caller holds the queue manager's lock.
    ///
    /// # Errors
    /// Damage below the end, a stale or unusable BSDS, a missing copy that cannot be replaced.
    pub fn open(storage: &SharedStorage, dir: &Path, now: Timestamp) -> Result<Self, LogError> {
        restart::open(storage, dir, now)
    }

    /// The BSDS as it is on disk.
    #[must_use]
    pub const fn bsds(&self) -> &Bsds {
        &self.bsds
    }

    /// Changes the BSDS. It is durable in copy 1, then in copy 2, when this returns.
    ///
    /// # Errors
    /// When neither copy could be written: the log manager has ended.
    pub fn update_bsds<R>(&mut self, change: impl FnOnce(&mut Bsds) -> R) -> Result<R, LogError> {
        self.check()?;
        let mut bsds = self.bsds.clone();
        bsds.sequence += 1;
        bsds.highest_written = bsds.highest_written.max(self.synced);
        let answer = change(&mut bsds);
        if let Err(error) = self.bsds_files.write(&bsds, &mut self.messages) {
            self.failed = Some(error.to_string());
            return Err(error);
        }
        self.bsds = bsds;
        Ok(answer)
    }

    /// Sets the time that LRSNs come from. It may step back: LRSNs rise all the same, and what waits does not wait longer.
    pub fn set_time(&mut self, now: Timestamp) {
        self.elapsed += now.0.saturating_sub(self.now.0);
        self.now = now;
    }

    /// Microseconds that have gone by since the log was opened; steps back of the clock are left out.
    #[must_use]
    pub const fn elapsed(&self) -> u64 {
        self.elapsed
    }

    /// RBA after the last record.
    #[must_use]
    pub const fn end(&self) -> Rba {
        self.end
    }

    /// The log below this is durable in every working copy.
    #[must_use]
    pub const fn synced(&self) -> Rba {
        self.synced
    }

    /// Bytes of log that are not durable yet.
    #[must_use]
    pub const fn unsynced_bytes(&self) -> u64 {
        self.end.since(self.synced)
    }

    /// Most bytes that are ever unsynced. An append that would exceed it syncs first, so callers stay below it.
    #[must_use]
    pub fn buffer_limit(&self) -> u64 {
        crate::end::buffer_limit(&self.bsds)
    }

    /// Records appended since the log was opened.
    #[must_use]
    pub const fn records(&self) -> u64 {
        self.records
    }

    /// Data sets begun since the log was opened; a checkpoint is due when it rises.
    #[must_use]
    pub const fn switches(&self) -> u64 {
        self.switches
    }

    /// Whether a sync was handed out and not finished.
    #[must_use]
    pub const fn sync_under_way(&self) -> bool {
        self.sync_under_way
    }

    /// LRSN of the last record.
    #[must_use]
    pub const fn last_lrsn(&self) -> Lrsn {
        self.lrsn
    }

    /// Bytes of log, trailers included, that can be appended before the log is full: the rest of the current data set and all of those
    /// that are available. Each data set may lose its last 8 KiB, because no record spans two.
    #[must_use]
    pub fn space_left(&self) -> u64 {
        self.data_set.end.since(self.end).saturating_sub(LOSS) + self.space_elsewhere()
    }

    /// What of it lies in other data sets than the current one.
    pub(crate) fn space_elsewhere(&self) -> u64 {
        let available = self.bsds.actives(1).filter(|log| log.status.is_available());
        available.map(|log| log.size.saturating_sub(LOSS)).sum()
    }

    /// Bytes of all active data sets of one copy.
    #[must_use]
    pub fn capacity(&self) -> u64 {
        self.bsds.actives(1).map(|log| log.size).sum()
    }

    /// How full the current data set is, in percent.
    #[must_use]
    pub fn percent_full(&self) -> u64 {
        self.end.since(self.data_set.start) * 100 / self.data_set.len().max(1)
    }

    /// Lines for the console since the last call.
    pub fn take_messages(&mut self) -> Vec<String> {
        std::mem::take(&mut self.messages)
    }

    /// Refuses to go on after a final failure.
    pub(crate) fn check(&self) -> Result<(), LogError> {
        match &self.failed {
            Some(why) => Err(LogError::Ended(why.clone())),
            None => Ok(()),
        }
    }

    /// Ends the log manager: nothing is written any more.
    pub(crate) fn fail(&mut self, why: String) -> LogError {
        self.failed = Some(why.clone());
        LogError::CopiesLost(why)
    }
}
