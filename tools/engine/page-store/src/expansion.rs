//! Page sets grow: an extent is formatted in the background, then its pages are used.

use std::io;
use std::sync::Arc;

use engine_storage::SharedFile;
use format_log::Body;
use format_pageset::page::MAX_PAGES;
use format_types::{Expand, PAGE_SIZE, PageSetId, Rba};

use crate::change::NO_UNIT;
use crate::create::{FORMAT_PAGES, write_fresh};
use crate::error::PageError;
use crate::page_set::{Growth, PageSet, Raised};
use crate::store::PageStore;
use crate::sync_gate::SyncGate;
use crate::write_ahead::PageLog;

/// Extents that a page set can have.
pub const MAX_EXTENTS: u16 = 123;

/// The formatting of an extent: step it on any thread, then give the outcome to [`PageStore::finish_expansion`].
pub struct ExpandJob {
    page_set: PageSetId,
    file: SharedFile,
    gate: Arc<SyncGate>,
    from: u32,
    next: u32,
    to: u32,
    allocated: bool,
    buffer: Vec<u8>,
}

/// What a step came to.
#[derive(Debug)]
pub enum ExpandStep {
    /// There is more to do.
    More,
    /// It is over.
    Done(ExpandOutcome),
}

/// What came of an expansion.
#[derive(Debug)]
pub struct ExpandOutcome {
    page_set: PageSetId,
    gate: Arc<SyncGate>,
    from: u32,
    to: u32,
    result: Result<(), ExpandFailure>,
}

impl ExpandOutcome {
    /// The page set.
    #[must_use]
    pub fn page_set(&self) -> PageSetId {
        self.page_set
    }

    /// Whether the extent is formatted and durable.
    #[must_use]
    pub fn succeeded(&self) -> bool {
        self.result.is_ok()
    }
}

/// Why an expansion failed.
#[derive(Debug, thiserror::Error)]
pub enum ExpandFailure {
    /// The pages could not be written; the page set goes on as it is.
    #[error("writing failed: {0}")]
    Write(io::Error),
    /// The sync failed: with it, pages written before may be lost.
    #[error("the sync failed: {0}")]
    Sync(io::Error),
}

impl ExpandJob {
    /// The page set.
    #[must_use]
    pub fn page_set(&self) -> PageSetId {
        self.page_set
    }

    /// First page that becomes usable, and the one after the last.
    #[must_use]
    pub fn pages(&self) -> (u32, u32) {
        (self.from, self.to)
    }

    /// Formats the next 1 MiB; after the last, syncs.
    pub fn step(&mut self) -> ExpandStep {
        match self.advance() {
            Ok(true) => self.done(Ok(())),
            Ok(false) => ExpandStep::More,
            Err(failure) => self.done(Err(failure)),
        }
    }

    fn done(&self, result: Result<(), ExpandFailure>) -> ExpandStep {
        let gate = Arc::clone(&self.gate);
        ExpandStep::Done(ExpandOutcome {
            page_set: self.page_set,
            gate,
            from: self.from,
            to: self.to,
            result,
        })
    }

    fn advance(&mut self) -> Result<bool, ExpandFailure> {
        if !self.allocated {
            // A full disk shows now, not in the middle.
            self.file.allocate(u64::from(self.to) * PAGE_SIZE as u64).map_err(ExpandFailure::Write)?;
            self.allocated = true;
            return Ok(false);
        }
        if self.next < self.to {
            let count = FORMAT_PAGES.min(self.to - self.next);
            write_fresh(self.file.as_ref(), self.page_set, self.next, count, Rba::ZERO, &mut self.buffer)
                .map_err(ExpandFailure::Write)?;
            self.next += count;
            return Ok(false);
        }
        self.gate.sync(&self.file).map_err(ExpandFailure::Sync)?;
        Ok(true)
    }
}

/// How many pages the next extent of a page set has.
fn extent_pages(set: &PageSet) -> u32 {
    match set.zero.expand {
        Expand::User => set.zero.initial_pages.max(1),
        Expand::System => (set.used() / 10).max(1),
        Expand::None => 0,
    }
}

impl PageStore {
    /// A page set that is nine tenths full, or was found too full for a request, and may grow.
    #[must_use]
    pub fn wants_expansion(&self) -> Option<PageSetId> {
        let wants = |set: &&PageSet| {
            let full = set.space.as_ref().is_some_and(|space| {
                let in_use = u64::from(set.used().saturating_sub(space.free()));
                in_use * 10 >= u64::from(set.used()) * 9
            });
            let may = set.online && set.growth == Growth::Possible && set.zero.expand != Expand::None;
            may && (full || set.shortage)
        };
        self.sets.iter().flatten().find(wants).map(|set| set.id)
    }

    /// Begins to expand a page set by one extent: USER by its size at creation, SYSTEM by a tenth of its size. Pages that an interrupted
    /// expansion left behind the usable ones are formatted again and used, beside the new extent. None when it may not grow.
    ///
    /// # Errors
    /// When the page set is offline or not open, or its file does not tell its length.
    pub fn begin_expansion(&mut self, page_set: PageSetId) -> Result<Option<ExpandJob>, PageError> {
        let set = self.online(page_set)?;
        if set.growth != Growth::Possible || set.zero.expand == Expand::None {
            return Ok(None);
        }
        let from = set.used();
        let bytes = set.file.len().map_err(PageError::io(page_set, "looking at the page set"))?;
        let there = u32::try_from(bytes / PAGE_SIZE as u64).unwrap_or(MAX_PAGES).clamp(from, MAX_PAGES);
        let to = there.saturating_add(extent_pages(set)).min(MAX_PAGES);
        if set.zero.extents >= MAX_EXTENTS || to == from {
            set.growth = Growth::Disabled;
            self.messages.push(format!(
                "CSQP016E PAGE SET {page_set} HAS REACHED THE MAXIMUM NUMBER OF EXTENTS. IT CANNOT BE EXTENDED AGAIN"
            ));
            return Ok(None);
        }
        set.growth = Growth::Running;
        let (file, gate) = (set.file.clone(), Arc::clone(&set.gate));
        self.messages.push(format!("CSQP017I EXPANSION STARTED FOR PAGE SET {page_set}"));
        if there > from {
            let pages = there - from;
            self.messages.push(format!(
                "CSQI032I NEW EXTENT(S) OF {pages} PAGES DISCOVERED ON PAGE SET {page_set} WILL NOW BE FORMATTED"
            ));
        }
        Ok(Some(ExpandJob {
            page_set,
            file,
            gate,
            from,
            next: from,
            to,
            allocated: false,
            buffer: Vec::new(),
        }))
    }

    /// Takes the outcome of an expansion in: logs that the pages are usable, and uses them. A failure ends expansion until EXPAND is
    /// altered, and nothing else; but after a failed sync the page set goes offline.
    ///
    /// # Errors
    /// The log's; [`PageError::Offline`].
    pub fn finish_expansion(
        &mut self,
        log: &mut dyn PageLog,
        outcome: ExpandOutcome,
    ) -> Result<(), PageError> {
        let ExpandOutcome { page_set, gate, from, to, result } = outcome;
        let set = self.online(page_set)?;
        if !Arc::ptr_eq(&set.gate, &gate) {
            // Of a file that was closed since: what it formatted is a tail that the next expansion uses.
            return Ok(());
        }
        if let Err(failure) = result {
            set.growth = Growth::Disabled;
            let lost = matches!(failure, ExpandFailure::Sync(_));
            self.messages.push(format!(
                "CSQP014E EXPANSION FAILED FOR PAGE SET {page_set}. FUTURE REQUESTS TO EXTEND IT WILL BE REJECTED"
            ));
            self.messages
                .push(format!("HWT323W PAGE SET {page_set}: {failure}; ALTER PSID EXPAND allows it again"));
            if lost {
                self.take_offline(page_set, &failure.to_string());
            }
            return self.online(page_set).map(drop);
        }
        set.growth = Growth::Possible;
        let (extents, expansions) =
            (set.zero.extents.saturating_add(1), set.zero.expansions.saturating_add(1));
        let body = Body::UsedRaised { page_set, from, to, extents, expansions };
        let at = self.append(log, &mut NO_UNIT.clone(), &body)?;
        let set = self.online(page_set)?;
        let before = (set.zero.pages_used, set.zero.extents, set.zero.expansions);
        set.raised.push(Raised { at, before });
        set.zero.pages_used = to;
        set.zero.extents = extents;
        set.zero.expansions = expansions;
        set.shortage = false;
        if let Some(space) = &mut set.space {
            space.raise(from, to);
        }
        self.messages
            .push(format!("CSQI031I THE NEW EXTENT OF PAGE SET {page_set} HAS FORMATTED SUCCESSFULLY"));
        Ok(())
    }

    /// Sets how a page set grows, and allows it to grow again after a failure. In page zero when that is stamped next.
    pub fn alter_expand(&mut self, page_set: PageSetId, expand: Expand) {
        if let Ok(set) = self.set_mut(page_set) {
            set.zero.expand = expand;
            if set.growth == Growth::Disabled {
                set.growth = Growth::Possible;
            }
        }
    }
}
