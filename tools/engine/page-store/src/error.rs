//! Errors of the page store.

use std::io;
use std::path::PathBuf;

use engine_log::LogError;
use format_pageset::{PageDamage, PageState, PageType, PageZeroError, RecordDamage};
use format_types::{HistoryId, PageAddress, PageSetId, QueueManagerId, QueueManagerName, Rba};

use crate::apply::ApplyError;
use crate::store::RecordAddress;

/// What went wrong with a page set or a page.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// There is no such file.
    #[error("HWT301E PAGE SET {page_set}: {} is missing; restore it from a recovery point", path.display())]
    Missing {
        /// The page set.
        page_set: PageSetId,
        /// Its file.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("HWT302E PAGE SET {page_set}: {operation} failed: {source}")]
    Io {
        /// The page set.
        page_set: PageSetId,
        /// What was tried.
        operation: &'static str,
        /// The file system's answer.
        source: io::Error,
    },
    /// Page zero cannot be used: not a page set, both slots damaged, or a newer format.
    #[error("HWT303E PAGE SET {page_set}: {}: {source}", path.display())]
    PageZero {
        /// The page set.
        page_set: PageSetId,
        /// Its file.
        path: PathBuf,
        /// Why.
        source: PageZeroError,
    },
    /// The page set belongs to another queue manager.
    #[error(
        "HWT304E PAGE SET {page_set}: {} belongs to queue manager {found_name} ({found}), not to {expected_name} ({expected}); \
         a page set cannot move to another queue manager", path.display()
    )]
    Foreign {
        /// The page set.
        page_set: PageSetId,
        /// Its file.
        path: PathBuf,
        /// Owner that the file names.
        found_name: QueueManagerName,
        /// The owner's identity.
        found: QueueManagerId,
        /// This queue manager.
        expected_name: QueueManagerName,
        /// Its identity.
        expected: QueueManagerId,
    },
    /// The file holds another page set.
    #[error("HWT305E PAGE SET {page_set}: {} holds page set {found}; restore the right image", path.display())]
    WrongNumber {
        /// The page set.
        page_set: PageSetId,
        /// Its file.
        path: PathBuf,
        /// The page set that the file holds.
        found: PageSetId,
    },
    /// The page set belongs to another line of log.
    #[error(
        "HWT306E PAGE SET {page_set}: {} belongs to log history {found}, the log is {expected}; restore a page set of this history",
        path.display()
    )]
    OtherHistory {
        /// The page set.
        page_set: PageSetId,
        /// Its file.
        path: PathBuf,
        /// History that the file names.
        found: HistoryId,
        /// History of the log.
        expected: HistoryId,
    },
    /// A page holds what a cut left behind.
    #[error(
        "HWT293E PAGE {at} was last changed at RBA {rba}, behind the cut at {cut}: it holds what is no longer on the log's line; \
         restore page set {} from a recovery point that ended before the cut", .at.page_set
    )]
    BehindCut {
        /// The page.
        at: PageAddress,
        /// Its page RBA.
        rba: Rba,
        /// Up to where it may have been changed.
        cut: Rba,
    },
    /// A page cannot be believed, so nobody knows what it holds.
    #[error(
        "HWT294E PAGE {at}: {damage}; so it cannot be shown that nothing in it is from behind the cut at {cut}; restore page set {} \
         from a recovery point that ended before the cut", .at.page_set
    )]
    CannotBeShown {
        /// The page.
        at: PageAddress,
        /// What is wrong with it.
        damage: PageDamage,
        /// Up to where it may have been changed.
        cut: Rba,
    },
    /// The page set has seen more log than there is.
    #[error(
        "CSQI053E PAGE SET {page_set} HAS AN OUT-OF-RANGE RBA: {what} is {rba}, the log ends at {log_end}; the log or the BSDS \
         is older than the page set: restore the log that belongs to it"
    )]
    BeyondLog {
        /// The page set.
        page_set: PageSetId,
        /// What names the RBA: page zero, or a page.
        what: String,
        /// That RBA.
        rba: Rba,
        /// End of the log.
        log_end: Rba,
    },
    /// The file ends before its last usable page.
    #[error(
        "HWT307E PAGE SET {page_set}: {} has {bytes} bytes, {used} pages of 4096 are in use: it was truncated; restore it from a \
         recovery point", path.display()
    )]
    Truncated {
        /// The page set.
        page_set: PageSetId,
        /// Its file.
        path: PathBuf,
        /// Bytes in the file.
        bytes: u64,
        /// Pages that page zero says are in use.
        used: u32,
    },
    /// The page set is open already, or its file exists already.
    #[error("HWT308E PAGE SET {page_set}: {} is there already", path.display())]
    AlreadyThere {
        /// The page set.
        page_set: PageSetId,
        /// Its file.
        path: PathBuf,
    },
    /// No such page set is open.
    #[error("HWT309E PAGE SET {0} is not defined or not open")]
    NotOpen(PageSetId),
    /// The page set was taken offline after an error; its recovery RBA is frozen.
    #[error("CSQI005I PAGE SET {page_set} OFFLINE. RECOVERY RBA = {recovery_rba}")]
    Offline {
        /// The page set.
        page_set: PageSetId,
        /// Log from here on is needed to bring it back.
        recovery_rba: Rba,
    },
    /// A page that is not whole, or not the one that belongs there.
    #[error("HWT310S PAGE {at}: {damage}; restore page set {} from a recovery point", .at.page_set)]
    Damaged {
        /// The page.
        at: PageAddress,
        /// What is wrong.
        damage: PageDamage,
    },
    /// Redo found no image of a damaged page.
    #[error(
        "HWT311S PAGE {at} is damaged ({damage}) and the log has no image of it; the record at RBA {rba} cannot be applied; \
         {pages} pages are damaged so; restore page set {} from a recovery point", .at.page_set
    )]
    Unrepaired {
        /// The page.
        at: PageAddress,
        /// What is wrong.
        damage: PageDamage,
        /// The first record that needs its content.
        rba: Rba,
        /// How many pages are in this state.
        pages: usize,
    },
    /// A page beyond the usable ones was named.
    #[error("HWT312S PAGE {at} lies beyond the {used} usable pages of its page set")]
    BeyondUsed {
        /// The page.
        at: PageAddress,
        /// Usable pages.
        used: u32,
    },
    /// A record does not fit the page that it is for.
    #[error(
        "HWT313S PAGE {at}: the record at RBA {rba} cannot be applied: {source}; the log and the page set disagree"
    )]
    Apply {
        /// The page.
        at: PageAddress,
        /// The record.
        rba: Rba,
        /// Why.
        source: ApplyError,
    },
    /// The space map and a page disagree.
    #[error("HWT314S PAGE {at} is {found}, the space map says {expected:?}", found = .found.name())]
    WrongType {
        /// The page.
        at: PageAddress,
        /// What it is.
        found: PageType,
        /// What the map says.
        expected: PageState,
    },
    /// A space map page holds a state that does not exist.
    #[error("HWT315S PAGE {0}: a state in the space map does not exist")]
    MapState(PageAddress),
    /// A record that should be there is not.
    #[error("HWT316S RECORD {0}: it is not there")]
    NoRecord(RecordAddress),
    /// A record cannot be read.
    #[error("HWT317S RECORD {at}: {damage}; restore page set {} from a recovery point", .at.page_set)]
    Record {
        /// Where.
        at: RecordAddress,
        /// What is wrong.
        damage: RecordDamage,
    },
    /// A message's chain of fragments is broken.
    #[error("HWT318S MESSAGE {key:016X} at {at}: its chain of fragments is broken")]
    BrokenChain {
        /// The head.
        at: RecordAddress,
        /// The message's key.
        key: u64,
    },
    /// A record is longer than a page.
    #[error("HWT319E a record of {0} bytes does not fit on a page")]
    TooLong(usize),
    /// Not enough free pages; nothing was changed.
    #[error("HWT320W PAGE SET {page_set} IS FULL: {wanted} pages wanted, {free} are free")]
    Full {
        /// The page set.
        page_set: PageSetId,
        /// Pages wanted.
        wanted: u32,
        /// Pages free.
        free: u32,
    },
    /// The log refused.
    #[error(transparent)]
    Log(#[from] LogError),
}

impl PageError {
    /// Adds page set and operation to an I/O error.
    pub(crate) fn io(page_set: PageSetId, operation: &'static str) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { page_set, operation, source }
    }
}
