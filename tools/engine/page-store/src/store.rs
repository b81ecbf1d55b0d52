//! The store: page sets, frames, and how pages come in and go out.

use std::collections::HashMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use engine_storage::SharedStorage;
use engine_storage::planted::{self, Defect};
use format_pageset::{PageDamage, PageHeader, page, verify_page};
use format_types::{
    HistoryId, PAGE_SIZE, PageAddress, PageNumber, PageSetId, QueueManagerId, QueueManagerName, Rba, Urid,
};

use crate::checkpoint::CheckpointState;
use crate::error::PageError;
use crate::page_set::{PageSet, PageSetStatus};
use crate::pool::{BufferPool, Candidate, FrameId};
use crate::redo::DamagedPages;
use crate::write_ahead::WriteAhead;

/// Neighbouring pages written or read at once: 256 KiB.
pub(crate) const RUN_PAGES: usize = 64;

/// Who owns the page sets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoreIdentity {
    /// The queue manager.
    pub queue_manager: QueueManagerId,
    /// Its name.
    pub name: QueueManagerName,
    /// The line of log that the page sets belong to.
    pub history: HistoryId,
}

/// Where a record is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RecordAddress {
    /// The page set.
    pub page_set: PageSetId,
    /// The page.
    pub page: PageNumber,
    /// The slot on it.
    pub slot: u16,
}

impl RecordAddress {
    /// The page that the record is on.
    #[must_use]
    pub const fn page_address(&self) -> PageAddress {
        PageAddress::new(self.page_set, self.page)
    }
}

impl fmt::Display for RecordAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.page_address(), self.slot)
    }
}

/// A unit of recovery's place in the log: what its next record links to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UnitLink {
    /// The unit.
    pub urid: Urid,
    /// Its last record; every append moves it.
    pub last: Rba,
}

/// The page sets of a queue manager behind a buffer pool.
pub struct PageStore {
    pub(crate) storage: SharedStorage,
    pub(crate) dir: PathBuf,
    pub(crate) identity: StoreIdentity,
    /// Other histories whose page sets may be taken over, and up to where.
    pub(crate) relatives: Vec<(HistoryId, Rba)>,
    pub(crate) pool: BufferPool,
    pub(crate) sets: Vec<Option<PageSet>>,
    /// The page set on its way back that the step under way may reach.
    pub(crate) reached: Option<PageSetId>,
    /// No page may have a page RBA above this: the end of the log, as far as it is known here.
    pub(crate) log_limit: Rba,
    pub(crate) checkpoint: CheckpointState,
    pub(crate) damaged: DamagedPages,
    pub(crate) messages: Vec<String>,
    /// Bytes of the record being built.
    pub(crate) scratch: Vec<u8>,
    /// Bytes of a run of pages being written or read.
    pub(crate) run: Vec<u8>,
}

impl PageStore {
    /// A store without page sets, with a pool of `frames` pages of 4096 bytes (8 at least), all allocated at once.
    #[must_use]
    pub fn new(storage: SharedStorage, dir: &Path, frames: usize, identity: StoreIdentity) -> Self {
        Self {
            storage,
            dir: dir.to_owned(),
            identity,
            relatives: Vec::new(),
            pool: BufferPool::new(frames),
            sets: (0..100).map(|_| None).collect(),
            reached: None,
            log_limit: Rba::ZERO,
            checkpoint: CheckpointState::default(),
            damaged: HashMap::default(),
            messages: Vec::new(),
            scratch: Vec::with_capacity(PAGE_SIZE),
            run: Vec::with_capacity(RUN_PAGES * PAGE_SIZE),
        }
    }

    /// Lines for the console that came up since the last call.
    pub fn take_messages(&mut self) -> Vec<String> {
        std::mem::take(&mut self.messages)
    }

    /// The open page sets, offline ones included, in order.
    #[must_use]
    pub fn page_sets(&self) -> Vec<PageSetStatus> {
        self.sets
            .iter()
            .flatten()
            .map(|set| PageSetStatus { page_set: set.id, recovery_rba: set.recovery_rba, online: set.online })
            .collect()
    }

    /// Whether a page set is open and can be used.
    #[must_use]
    pub fn is_online(&self, page_set: PageSetId) -> bool {
        self.set(page_set).is_ok_and(|set| set.online)
    }

    pub(crate) fn set(&self, page_set: PageSetId) -> Result<&PageSet, PageError> {
        let set = self.sets.get(usize::from(page_set.number())).and_then(Option::as_ref);
        set.ok_or(PageError::NotOpen(page_set))
    }

    pub(crate) fn set_mut(&mut self, page_set: PageSetId) -> Result<&mut PageSet, PageError> {
        let set = self.sets.get_mut(usize::from(page_set.number())).and_then(Option::as_mut);
        set.ok_or(PageError::NotOpen(page_set))
    }

    /// The page set, if it can be used.
    pub(crate) fn online(&mut self, page_set: PageSetId) -> Result<&mut PageSet, PageError> {
        let reached = self.reached == Some(page_set);
        let set = self.set_mut(page_set)?;
        if set.online || (set.returning && reached) {
            Ok(set)
        } else {
            Err(PageError::Offline { page_set, recovery_rba: set.recovery_rba })
        }
    }

    /// The page set, if it can be used or is coming back.
    pub(crate) fn reachable(&mut self, page_set: PageSetId) -> Result<&mut PageSet, PageError> {
        let set = self.set_mut(page_set)?;
        if set.online || set.returning {
            Ok(set)
        } else {
            Err(PageError::Offline { page_set, recovery_rba: set.recovery_rba })
        }
    }

    /// Ends the use of a page set after an error that leaves its file in an unknown state. Its pages are dropped, its recovery RBA stays
    /// as it is durable: the log brings back everything since.
    pub(crate) fn take_offline(&mut self, page_set: PageSetId, why: &str) {
        let Ok(set) = self.set_mut(page_set) else { return };
        if !set.online && !set.returning {
            return;
        }
        set.online = false;
        set.returning = false;
        set.space = None;
        set.inserting = [None; 3];
        let rba = set.recovery_rba;
        self.pool.discard_set(page_set);
        self.damaged.retain(|at, _| at.page_set != page_set);
        self.messages.push(format!(
            "HWT321E PAGE SET {page_set}: {why}; it is not used any more until START PSID({page_set}) or the next start"
        ));
        self.messages.push(format!("CSQI005I PAGE SET {page_set} OFFLINE. RECOVERY RBA = {rba}"));
    }

    /// Takes a page set offline because of what was found wrong with it. Errors that speak of more than this page set are given back:
    /// those of the log, and that of a page which has seen more log than there is.
    ///
    /// # Errors
    /// Those.
    pub fn give_up(&mut self, page_set: PageSetId, why: PageError) -> Result<(), PageError> {
        match why {
            PageError::Offline { .. } => Ok(()),
            PageError::Log(_) | PageError::BeyondLog { .. } | PageError::NotOpen(_) => Err(why),
            why => {
                self.take_offline(page_set, &why.to_string());
                Ok(())
            }
        }
    }

    /// Brings a page in: finds it or reads and verifies it. A damaged one takes its page set offline: what was on it is not known.
    pub(crate) fn fetch(&mut self, log: &mut dyn WriteAhead, at: PageAddress) -> Result<FrameId, PageError> {
        self.fetch_or_damage(log, at).map_err(|error| self.offline_if_damaged(error))
    }

    /// An error as it is, but that of a damaged page takes its page set offline.
    pub(crate) fn offline_if_damaged(&mut self, error: PageError) -> PageError {
        let PageError::Damaged { at, .. } = &error else { return error };
        let page_set = at.page_set;
        self.take_offline(page_set, &error.to_string());
        PageError::Offline { page_set, recovery_rba: self.recovery_rba(page_set) }
    }

    /// The same for those to whom a damaged page is no surprise: it changes nothing.
    pub(crate) fn fetch_or_damage(
        &mut self,
        log: &mut dyn WriteAhead,
        at: PageAddress,
    ) -> Result<FrameId, PageError> {
        if let Some(frame) = self.pool.find(at) {
            return Ok(frame);
        }
        let frame = self.room_for(log, at)?;
        let file = Arc::clone(&self.online(at.page_set)?.file);
        let bytes = self.pool.page_mut(frame);
        if let Err(e) = file.read_at(at.page.offset(), bytes) {
            // Nobody else is to suffer from it, and nothing of it was changed: what the log has since is not lost.
            self.take_offline(at.page_set, &format!("reading page {} failed: {e}", at.page));
            let recovery_rba = self.set(at.page_set)?.recovery_rba;
            return Err(PageError::Offline { page_set: at.page_set, recovery_rba });
        }
        let bytes = self.pool.page_mut(frame);
        let header = verify(bytes, at).map_err(|damage| PageError::Damaged { at, damage })?;
        self.check_rba(&header)?;
        self.pool.assign(frame, at);
        Ok(frame)
    }

    /// A frame for a page that is about to be replaced as a whole, and whether the page was in it; its bytes are unknown otherwise.
    pub(crate) fn fetch_blank(
        &mut self,
        log: &mut dyn WriteAhead,
        at: PageAddress,
    ) -> Result<(FrameId, bool), PageError> {
        if let Some(frame) = self.pool.find(at) {
            return Ok((frame, true));
        }
        let frame = self.room_for(log, at)?;
        self.pool.assign(frame, at);
        Ok((frame, false))
    }

    /// Refuses a page that has seen more log than there is.
    pub(crate) fn check_rba(&self, header: &PageHeader) -> Result<(), PageError> {
        if header.page_rba <= self.log_limit {
            return Ok(());
        }
        Err(PageError::BeyondLog {
            page_set: header.address.page_set,
            what: format!("the RBA of page {}", header.address.page),
            rba: header.page_rba,
            log_end: self.log_limit,
        })
    }

    /// An empty frame for a page that may be brought in.
    fn room_for(&mut self, log: &mut dyn WriteAhead, at: PageAddress) -> Result<FrameId, PageError> {
        let used = self.online(at.page_set)?.used();
        if at.page == PageNumber::ZERO || at.page.0 >= used {
            return Err(PageError::BeyondUsed { at, used });
        }
        let frame = self.victim(log)?;
        // Writing the victim may have taken this very page set offline.
        self.online(at.page_set)?;
        Ok(frame)
    }

    /// Empties a frame: the clock's hand takes the first that was not used lately, and prefers pages that need no sync of the log.
    fn victim(&mut self, log: &mut dyn WriteAhead) -> Result<FrameId, PageError> {
        let mut unsynced = None;
        let synced = written_through(log);
        // Two rounds: the first may do no more than take second chances away.
        for _ in 0..self.pool.len() * 2 {
            let frame = self.pool.advance();
            match self.pool.candidate(frame) {
                Candidate::Empty => return Ok(frame),
                Candidate::Referenced => {}
                Candidate::Clean => {
                    self.pool.discard(frame);
                    return Ok(frame);
                }
                Candidate::Dirty(rba) if rba <= synced => {
                    self.write_around(frame, synced);
                    self.pool.discard(frame);
                    return Ok(frame);
                }
                Candidate::Dirty(rba) => unsynced = unsynced.or(Some((frame, rba))),
            }
        }
        // After two rounds every frame was seen without its second chance.
        let (frame, rba) = unsynced.unwrap_or((0, Rba::ZERO));
        log.sync_to(rba)?;
        self.write_around(frame, written_through(log));
        self.pool.discard(frame);
        Ok(frame)
    }

    /// Writes a dirty page, and with it its dirty neighbours that were not used lately and may be written.
    fn write_around(&mut self, frame: FrameId, synced: Rba) {
        let Some(at) = self.pool.address(frame) else { return };
        let neighbour = |pool: &BufferPool, distance: i64| {
            let frame = pool.neighbour(at, distance)?;
            let ready = pool.dirty_rba(frame).is_some()
                && !pool.is_referenced(frame)
                && page::page_rba(pool.page(frame)) <= synced;
            ready.then_some(frame)
        };
        let mut frames: Vec<FrameId> =
            (1..RUN_PAGES as i64 / 2).map_while(|d| neighbour(&self.pool, -d)).collect();
        frames.reverse();
        frames.push(frame);
        let room = (RUN_PAGES - frames.len()) as i64;
        frames.extend((1..=room).map_while(|d| neighbour(&self.pool, d)));
        self.write_run(&frames);
    }

    /// Writes the dirty pages of these frames, which follow each other in one page set. An error takes the page set offline.
    pub(crate) fn write_run(&mut self, frames: &[FrameId]) {
        let Some(at) = frames.first().and_then(|frame| self.pool.address(*frame)) else { return };
        self.run.clear();
        let mut lowest = Rba::MAX;
        for frame in frames {
            let bytes = self.pool.page_mut(*frame);
            page::seal(bytes);
            self.run.extend_from_slice(bytes);
            lowest = lowest.min(self.pool.dirty_rba(*frame).unwrap_or(Rba::MAX));
        }
        let Some(set) = self.sets.get_mut(usize::from(at.page_set.number())).and_then(Option::as_mut) else {
            return;
        };
        let written = set.file.write_at(at.page.offset(), &self.run);
        // Even a failed write may have changed the file.
        set.note_written(lowest);
        match written {
            Ok(()) => {
                for frame in frames {
                    self.pool.mark_clean(*frame);
                }
            }
            Err(e) => self.take_offline(at.page_set, &format!("writing page {} failed: {e}", at.page)),
        }
    }
}

/// Up to where the log is durable, as far as the write-ahead rule is concerned.
pub(crate) fn written_through(log: &dyn WriteAhead) -> Rba {
    if planted::active(Defect::WriteAheadBroken) { Rba::MAX } else { log.synced() }
}

/// Verifies a page that was read.
pub(crate) fn verify(bytes: &[u8], at: PageAddress) -> Result<PageHeader, PageDamage> {
    if planted::active(Defect::ChecksumNotChecked) {
        return page::read_header(bytes, at);
    }
    verify_page(bytes, at)
}
