//! Checkpoints: what is written when, what a sync makes durable, and the recovery RBA.

use std::io;
use std::sync::Arc;

use engine_storage::SharedFile;
use engine_storage::planted::{self, Defect};
use format_pageset::page_zero::{encode_slot, other_slot, slot_offset};
use format_pageset::{PageZero, page};
use format_types::{PageAddress, PageSetId, Rba};

use crate::error::PageError;
use crate::page_set::{Stamp, Syncing};
use crate::store::{PageStore, RUN_PAGES, written_through};
use crate::sync_gate::SyncGate;
use crate::write_ahead::WriteAhead;

/// Where the checkpoints are.
#[derive(Debug, Default)]
pub(crate) struct CheckpointState {
    /// Begin of the checkpoint before the last.
    previous: Rba,
    /// Begin of the last checkpoint.
    current: Rba,
    /// Pages first changed below this are to be written.
    threshold: Rba,
    /// The pages to be written, highest first; none until they are listed.
    due: Option<Vec<PageAddress>>,
}

/// The sync of one page set: run it on any thread, then give the outcome to [`PageStore::finish_sync`].
pub struct PageSyncJob {
    page_set: PageSetId,
    file: SharedFile,
    gate: Arc<SyncGate>,
}

/// What came of a [`PageSyncJob`].
#[derive(Debug)]
pub struct PageSyncOutcome {
    page_set: PageSetId,
    gate: Arc<SyncGate>,
    result: io::Result<()>,
}

impl PageSyncJob {
    /// The page set.
    #[must_use]
    pub fn page_set(&self) -> PageSetId {
        self.page_set
    }

    /// Syncs; blocks until the device answers.
    #[must_use]
    pub fn run(&self) -> PageSyncOutcome {
        let result = self.gate.sync(&self.file);
        PageSyncOutcome { page_set: self.page_set, gate: Arc::clone(&self.gate), result }
    }
}

impl PageSyncOutcome {
    /// The page set.
    #[must_use]
    pub fn page_set(&self) -> PageSetId {
        self.page_set
    }

    /// The gate that the sync went through; it is that of one opening of the page set.
    pub(crate) fn gate(&self) -> &Arc<SyncGate> {
        &self.gate
    }
}

impl PageStore {
    /// A checkpoint begins at `begin` of the log: pages dirty since before the previous one are due to be written.
    pub fn begin_checkpoint(&mut self, begin: Rba) {
        let state = &mut self.checkpoint;
        state.previous = state.current;
        state.current = begin;
        state.threshold = state.previous;
        state.due = None;
    }

    /// All dirty pages are due to be written: before a clean stop.
    pub fn begin_write_all(&mut self) {
        self.checkpoint.threshold = Rba::MAX;
        self.checkpoint.due = None;
    }

    /// Writes up to about `budget` of the pages that are due, neighbours together, and says whether none is left. Syncs the log in line
    /// when a page needs it. Written pages are durable only after the page set's sync.
    ///
    /// # Errors
    /// The log's. A page set that cannot be written goes offline, which is no error.
    pub fn write_due(&mut self, log: &mut dyn WriteAhead, budget: usize) -> Result<bool, PageError> {
        let threshold = self.checkpoint.threshold;
        let mut due = match self.checkpoint.due.take() {
            Some(due) => due,
            None => {
                let dirty = self.pool.dirty_pages().filter(|(_, first)| *first < threshold);
                let mut due: Vec<PageAddress> = dirty.map(|(at, _)| at).collect();
                due.sort_unstable_by(|a, b| b.cmp(a));
                due
            }
        };
        let mut written = 0;
        while written < budget.max(1) {
            let Some(at) = due.pop() else { break };
            let still_due = |store: &Self, at: PageAddress| {
                let frame = store.pool.peek(at)?;
                store.pool.dirty_rba(frame).filter(|first| *first < threshold).map(|_| frame)
            };
            // Evicted, or written with a neighbour, since the list was made.
            let Some(frame) = still_due(self, at) else { continue };
            let mut run = vec![frame];
            while let Some(next) = due.last().copied()
                && next.page_set == at.page_set
                && next.page.0 == at.page.0 + run.len() as u32
                && run.len() < RUN_PAGES
                && let Some(frame) = still_due(self, next)
            {
                due.pop();
                run.push(frame);
            }
            let highest = run.iter().map(|frame| page::page_rba(self.pool.page(*frame))).max();
            let highest = highest.unwrap_or(Rba::ZERO);
            if highest > written_through(log)
                && let Err(e) = log.sync_to(highest)
            {
                return Err(e.into());
            }
            self.write_run(&run);
            written += run.len();
        }
        let done = due.is_empty();
        self.checkpoint.due = if done { None } else { Some(due) };
        if done {
            // What becomes dirty from now on is not due.
            self.checkpoint.threshold = Rba::ZERO;
        }
        Ok(done)
    }

    /// Writes all dirty pages, in line.
    ///
    /// # Errors
    /// As [`Self::write_due`].
    pub fn write_all(&mut self, log: &mut dyn WriteAhead) -> Result<(), PageError> {
        self.begin_write_all();
        while !self.write_due(log, RUN_PAGES * 16)? {}
        Ok(())
    }

    /// A sync of a page set, if anything was written since the last one began, and none is under way. None for offline page sets.
    pub fn begin_sync(&mut self, page_set: PageSetId) -> Option<PageSyncJob> {
        let set = self.online(page_set).ok()?;
        if set.syncing.is_some() || !set.written {
            return None;
        }
        set.written = false;
        set.syncing = Some(Syncing { lowest: set.unsynced.take(), stamp: set.stamped.take() });
        Some(PageSyncJob { page_set, file: set.file.clone(), gate: Arc::clone(&set.gate) })
    }

    /// Takes the outcome of a sync in: what was written before it began is durable. After a failure nothing is known of what was
    /// written, and a second sync may say yes wrongly: the page set goes offline.
    ///
    /// # Errors
    /// [`PageError::Offline`] when the sync failed or the page set went offline meanwhile; [`PageError::NotOpen`].
    pub fn finish_sync(&mut self, outcome: PageSyncOutcome) -> Result<(), PageError> {
        let page_set = outcome.page_set;
        let set = self.reachable(page_set)?;
        if !Arc::ptr_eq(&set.gate, &outcome.gate) {
            // Of a file that was closed since: it says nothing of this one.
            return Ok(());
        }
        let Some(syncing) = set.syncing.take() else { return Ok(()) };
        if let Err(e) = outcome.result {
            set.syncing = Some(syncing);
            self.take_offline(page_set, &format!("a sync failed: {e}"));
            return self.reachable(page_set).map(drop);
        }
        if let Some(stamp) = syncing.stamp {
            set.durable_slot = stamp.slot;
            set.recovery_rba = stamp.recovery_rba;
        }
        Ok(())
    }

    /// Syncs a page set in line, if there is anything to sync.
    ///
    /// # Errors
    /// As [`Self::finish_sync`].
    pub fn sync_now(&mut self, page_set: PageSetId) -> Result<(), PageError> {
        match self.begin_sync(page_set) {
            Some(job) => self.finish_sync(job.run()),
            None => self.online(page_set).map(drop),
        }
    }

    /// Writes page zero, into the slot that is not the durable one, with the recovery RBA that holds after the last sync: the lowest RBA
    /// at which a page was changed that is not durable yet; `log_end`, or `highest_synced` if that is lower, when there is none. It is
    /// durable after the next sync that begins after this; only then is it the [`Self::recovery_rba`].
    ///
    /// # Errors
    /// [`PageError::Offline`], also when the write failed.
    pub fn stamp_page_zero(
        &mut self,
        page_set: PageSetId,
        highest_synced: Rba,
        log_end: Rba,
        closed_cleanly: Option<Rba>,
    ) -> Result<(), PageError> {
        let dirty = self.pool.lowest_dirty(page_set);
        let set = self.online(page_set)?;
        // Nor may page zero tell of pages that the durable log knows nothing of.
        set.raised.retain(|raised| raised.at.end > highest_synced);
        let raised = set.raised.first().copied();
        let mut lowest = [
            dirty,
            set.unsynced,
            set.syncing.and_then(|syncing| syncing.lowest),
            raised.map(|raised| raised.at.start),
        ];
        if planted::active(Defect::RecoveryRbaBeforeSync) {
            lowest = [dirty, None, None, None];
        }
        // Never above the durable log: what a crash cuts off must not be what a page set is said to have.
        let log_end = log_end.min(highest_synced);
        let recovery_rba = lowest.into_iter().flatten().fold(log_end, Rba::min);
        let slot = other_slot(set.durable_slot);
        let sequence = set.sequence + 1;
        set.zero.highest_synced = highest_synced.max(set.zero.highest_synced);
        let used = (set.zero.pages_used, set.zero.extents, set.zero.expansions);
        let (pages_used, extents, expansions) = raised.map_or(used, |raised| raised.before);
        let zero =
            PageZero { recovery_rba, closed_cleanly, pages_used, extents, expansions, ..set.zero.clone() };
        let written = set.file.write_at(slot_offset(slot), &encode_slot(&zero, slot, sequence));
        set.sequence = sequence;
        set.written = true;
        set.stamped = Some(Stamp { slot, recovery_rba });
        if let Err(e) = written {
            self.take_offline(page_set, &format!("writing page zero failed: {e}"));
        }
        self.online(page_set).map(drop)
    }

    /// The recovery RBA in the durable page zero: every change below it is in the page set on disk. Zero for a page set that is not
    /// open.
    #[must_use]
    pub fn recovery_rba(&self, page_set: PageSetId) -> Rba {
        self.set(page_set).map_or(Rba::ZERO, |set| set.recovery_rba)
    }
}
