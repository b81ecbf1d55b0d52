//! What the store knows of one open page set.

use std::sync::Arc;

use engine_storage::SharedFile;
use format_pageset::{PageType, PageZero};
use format_types::{PageNumber, PageSetId, Rba, RbaRange};

use crate::space::Space;
use crate::sync_gate::SyncGate;

/// A page zero that was written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stamp {
    pub(crate) slot: u8,
    pub(crate) recovery_rba: Rba,
}

/// What a sync under way will make durable.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Syncing {
    /// Lowest first-change RBA of the pages written before it.
    pub(crate) lowest: Option<Rba>,
    /// Page zero written before it.
    pub(crate) stamp: Option<Stamp>,
}

/// A growth whose log record may not be durable yet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Raised {
    /// The record.
    pub(crate) at: RbaRange,
    /// Pages usable, extents and expansions before it.
    pub(crate) before: (u32, u16, u16),
}

/// Whether and how the page set is growing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Growth {
    /// It may.
    Possible,
    /// Pages are being formatted.
    Running,
    /// Not until EXPAND is altered: it failed, or the limits are reached.
    Disabled,
}

/// An open page set.
pub(crate) struct PageSet {
    pub(crate) id: PageSetId,
    pub(crate) file: SharedFile,
    /// All syncs of the file go through it.
    pub(crate) gate: Arc<SyncGate>,
    /// What page zero says next, recovery RBA, highest RBA and closing aside: those are filled in when it is stamped.
    pub(crate) zero: PageZero,
    /// Sequence number of the last page zero written.
    pub(crate) sequence: u64,
    /// The durable slot of page zero.
    pub(crate) durable_slot: u8,
    /// Recovery RBA in the durable slot.
    pub(crate) recovery_rba: Rba,
    /// Recovery RBA when it was opened: redo of records below it has nothing to do.
    pub(crate) redo_from: Rba,
    pub(crate) online: bool,
    /// It is being brought back: not online yet, and reached by those who do that alone.
    pub(crate) returning: bool,
    /// Something was written since the last sync began.
    pub(crate) written: bool,
    /// Lowest first-change RBA of the pages written since the last sync began.
    pub(crate) unsynced: Option<Rba>,
    /// Page zero written since the last sync began.
    pub(crate) stamped: Option<Stamp>,
    pub(crate) syncing: Option<Syncing>,
    pub(crate) space: Option<Space>,
    /// Current insert pages of object, persistent and nonpersistent records.
    pub(crate) inserting: [Option<PageNumber>; 3],
    pub(crate) growth: Growth,
    /// Growth that page zero may not tell of yet, oldest first.
    pub(crate) raised: Vec<Raised>,
    /// A request found too few free pages.
    pub(crate) shortage: bool,
    /// Pages in use that hold nothing, found by a scan.
    pub(crate) empty: Vec<PageNumber>,
}

impl PageSet {
    /// Pages formatted and usable.
    pub(crate) fn used(&self) -> u32 {
        self.zero.pages_used
    }

    /// A page, or many, first changed at `rba` was written.
    pub(crate) fn note_written(&mut self, rba: Rba) {
        self.written = true;
        self.unsynced = Some(self.unsynced.map_or(rba, |lowest| lowest.min(rba)));
    }

    /// The current insert page for a type of page.
    pub(crate) fn inserting(&mut self, page_type: PageType) -> &mut Option<PageNumber> {
        let class = match page_type {
            PageType::Object => 0,
            PageType::NonPersistent => 2,
            _ => 1,
        };
        &mut self.inserting[class]
    }
}

/// A page set as others may know it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageSetStatus {
    /// The page set.
    pub page_set: PageSetId,
    /// Recovery RBA in the durable page zero; frozen when offline.
    pub recovery_rba: Rba,
    /// Whether it can be used.
    pub online: bool,
}
