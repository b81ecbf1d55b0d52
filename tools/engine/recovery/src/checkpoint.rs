//! A checkpoint, taken a step at a time while work goes on.
//!
//! Order, with the reason: BEGIN with the active units and the page sets is one uninterrupted stretch of log, so that analysis can
//! start there knowing all units. Pages that are due are written and the page sets synced *before* page zero is stamped with the
//! recovery RBA that this allows, and synced again *before* END and the BSDS say so: whoever reads a recovery RBA anywhere can rely on
//! the pages being on disk.

use engine_log::LogManager;
use engine_page_store::{PageError, PageStore, PageSyncJob, PageSyncOutcome};
use format_bsds::CheckpointEntry;
use format_log::{Body, CheckpointUnit, split_units};
use format_types::{PageSetId, Rba, Timestamp, Urid};

use crate::RecoveryError;

/// Most page sets in one checkpoint record, so that no record grows without bound.
const ENTRIES_PER_RECORD: usize = 64;

/// Pages written by one step.
const PAGES_PER_STEP: usize = 64;

/// How far a checkpoint is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckpointPhase {
    /// Pages that are due are being written.
    Writing,
    /// The page sets are being synced so that page zero may say so.
    SyncingPages,
    /// The page sets are being synced so that page zero itself is durable.
    SyncingPageZero,
    /// END CHECKPOINT waits to be synced.
    Ending,
    /// Registered in the BSDS.
    Done,
}

/// A checkpoint under way.
#[derive(Debug)]
pub struct Checkpoint {
    begin: Rba,
    end: Rba,
    phase: CheckpointPhase,
    /// Page sets whose sync is not handed out yet.
    to_sync: Vec<PageSetId>,
    /// Page sets whose sync is under way.
    syncing: usize,
}

impl Checkpoint {
    /// Logs BEGIN CHECKPOINT with the active units and the page sets, and tells the buffer manager.
    ///
    /// # Errors
    /// When the log cannot take the records.
    pub fn begin(
        log: &mut LogManager,
        store: &mut PageStore,
        units: Vec<CheckpointUnit>,
    ) -> Result<Self, RecoveryError> {
        let bsds_sequence = log.bsds().sequence;
        let begin = log.append(Urid::NONE, Rba::ZERO, &Body::BeginCheckpoint { bsds_sequence })?.start;
        for part in split_units(units) {
            log.append(Urid::NONE, Rba::ZERO, &part)?;
        }
        append_page_sets(log, store)?;
        store.begin_checkpoint(begin);
        Ok(Self { begin, end: begin, phase: CheckpointPhase::Writing, to_sync: Vec::new(), syncing: 0 })
    }

    /// RBA of BEGIN CHECKPOINT.
    #[must_use]
    pub fn begin_rba(&self) -> Rba {
        self.begin
    }

    /// How far it is.
    #[must_use]
    pub fn phase(&self) -> CheckpointPhase {
        self.phase
    }

    /// Whether a step would do something now, rather than wait for a sync.
    #[must_use]
    pub fn can_step(&self, log: &LogManager) -> bool {
        match self.phase {
            CheckpointPhase::Writing => true,
            CheckpointPhase::SyncingPages | CheckpointPhase::SyncingPageZero => {
                !self.to_sync.is_empty() || self.syncing == 0
            }
            CheckpointPhase::Ending => log.synced() >= self.end,
            CheckpointPhase::Done => false,
        }
    }

    /// The log must be synced up to here before the checkpoint can go on; none when it waits for no log.
    #[must_use]
    pub fn wants_log(&self) -> Option<Rba> {
        (self.phase == CheckpointPhase::Ending).then_some(self.end)
    }

    /// Does the next piece of work. Sync jobs that it wants run are added to `jobs`; their outcomes come back by
    /// [`Self::page_synced`].
    ///
    /// # Errors
    /// When a page or the log cannot be written.
    pub fn step(
        &mut self,
        log: &mut LogManager,
        store: &mut PageStore,
        now: Timestamp,
        jobs: &mut Vec<PageSyncJob>,
    ) -> Result<(), RecoveryError> {
        match self.phase {
            CheckpointPhase::Writing => {
                if store.write_due(log, PAGES_PER_STEP)? {
                    self.start_syncs(store, CheckpointPhase::SyncingPages);
                }
            }
            CheckpointPhase::SyncingPages | CheckpointPhase::SyncingPageZero => {
                while let Some(page_set) = self.to_sync.pop() {
                    if let Some(job) = store.begin_sync(page_set) {
                        self.syncing += 1;
                        jobs.push(job);
                    }
                }
                if self.syncing == 0 {
                    self.all_synced(log, store)?;
                }
            }
            CheckpointPhase::Ending => {
                if log.synced() >= self.end {
                    let entry = CheckpointEntry { begin: self.begin, end: self.end, at: now };
                    let written = log.synced();
                    log.update_bsds(|bsds| {
                        bsds.checkpoints.push(entry);
                        let surplus = bsds.checkpoints.len().saturating_sub(100);
                        bsds.checkpoints.drain(..surplus);
                        bsds.highest_written = bsds.highest_written.max(written);
                    })?;
                    self.phase = CheckpointPhase::Done;
                }
            }
            CheckpointPhase::Done => {}
        }
        Ok(())
    }

    fn start_syncs(&mut self, store: &PageStore, phase: CheckpointPhase) {
        self.to_sync = store.online_page_sets();
        self.phase = phase;
    }

    fn all_synced(&mut self, log: &mut LogManager, store: &mut PageStore) -> Result<(), RecoveryError> {
        if self.phase == CheckpointPhase::SyncingPages {
            for page_set in store.online_page_sets() {
                // Not the end of the log: what is unsynced may be gone after a crash, and page zero must never be beyond the log.
                or_offline(store.stamp_page_zero(page_set, log.synced(), log.synced(), None))?;
            }
            self.start_syncs(store, CheckpointPhase::SyncingPageZero);
        } else {
            append_page_sets(log, store)?;
            self.end = log.append(Urid::NONE, Rba::ZERO, &Body::EndCheckpoint { begin: self.begin })?.end;
            self.phase = CheckpointPhase::Ending;
        }
        Ok(())
    }

    /// Takes the outcome of a page set's sync in.
    ///
    /// # Errors
    /// When the page store cannot record it.
    pub fn page_synced(
        &mut self,
        store: &mut PageStore,
        outcome: PageSyncOutcome,
    ) -> Result<(), RecoveryError> {
        self.syncing = self.syncing.saturating_sub(1);
        or_offline(store.finish_sync(outcome))
    }

    /// Runs the whole checkpoint here and now, syncs included: at the end of a restart and of a stop.
    ///
    /// # Errors
    /// When a page or the log cannot be written or synced.
    pub fn run_now(
        log: &mut LogManager,
        store: &mut PageStore,
        units: Vec<CheckpointUnit>,
        now: Timestamp,
    ) -> Result<Self, RecoveryError> {
        let mut checkpoint = Self::begin(log, store, units)?;
        let mut jobs = Vec::new();
        while checkpoint.phase != CheckpointPhase::Done {
            if checkpoint.wants_log().is_some() {
                log.sync_now()?;
            }
            checkpoint.step(log, store, now, &mut jobs)?;
            for job in jobs.drain(..) {
                checkpoint.page_synced(store, job.run())?;
            }
        }
        Ok(checkpoint)
    }
}

/// A page set that goes offline is left out, with its recovery RBA frozen; the checkpoint of the others goes on.
pub(crate) fn or_offline(result: Result<(), PageError>) -> Result<(), RecoveryError> {
    match result {
        Ok(()) | Err(PageError::Offline { .. }) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn append_page_sets(log: &mut LogManager, store: &PageStore) -> Result<(), RecoveryError> {
    let sets: Vec<(PageSetId, Rba, bool)> =
        store.usage().iter().map(|set| (set.page_set, set.recovery_rba, set.online)).collect();
    for part in sets.chunks(ENTRIES_PER_RECORD) {
        log.append(Urid::NONE, Rba::ZERO, &Body::CheckpointPageSets { sets: part.to_vec() })?;
    }
    Ok(())
}
