//! Page sets of another log history: taken over once it is shown that they hold nothing from behind the cut.
//!
//! After a cut, page RBAs above it could be taken for those of the new history, and changes be left out because a page seems to have
//! them. So a page set whose page zero names another history is looked through, page by page, the tail of the file that is not in use
//! included; or the copy that it was restored from is known to have ended at or before the cut. Then page zero is stamped with the new
//! history, and synced, before any redo. A page set with a page from behind the cut is refused, and the page named.

use std::path::Path;

use engine_storage::{OpenMode, SharedStorage, StorageFile};
use format_pageset::page_zero::{ReadPageZero, encode_slot, other_slot, slot_offset};
use format_pageset::{PageZero, verify_page};
use format_types::{HistoryId, PAGE_SIZE, PageAddress, PageNumber, PageSetId, Rba};

use crate::create::page_set_path;
use crate::error::PageError;
use crate::open::read_page_zero;
use crate::store::{PageStore, RUN_PAGES};

/// Other histories, each with the RBA up to where its log is that of the current history too.
pub type Relatives = [(HistoryId, Rba)];

impl PageStore {
    /// Tells of histories whose page sets may be opened, and up to where each shares the current history's log.
    pub fn set_relatives(&mut self, relatives: Vec<(HistoryId, Rba)>) {
        self.relatives = relatives;
    }

    /// Takes a page set over when it is of a related history; leaves alone what is refused for another reason anyway.
    pub(crate) fn take_over(
        &mut self,
        page_set: PageSetId,
        file: &dyn StorageFile,
        read: ReadPageZero,
    ) -> Result<ReadPageZero, PageError> {
        let zero = &read.zero;
        let ours = zero.queue_manager == self.identity.queue_manager && zero.page_set == page_set;
        let reach =
            self.relatives.iter().find(|(id, _)| ours && *id == zero.history).map(|(_, reach)| *reach);
        let Some(reach) = reach else { return Ok(read) };
        let from = zero.history;
        check_pages(file, page_set, zero.pages_used, reach)?;
        let taken = restamp(file, page_set, read, self.identity.history, reach)?;
        self.messages.push(format!(
            "HWT292I PAGE SET {page_set} OF LOG HISTORY {from} TAKEN OVER BY {}: it holds nothing from behind RBA {reach}",
            self.identity.history
        ));
        Ok(taken)
    }
}

/// Takes over a page set that was just restored from a copy that ended at `copy_end`, before it is opened: no page needs to be looked
/// at when the copy ended before the cut. Says whether there was anything to do.
///
/// # Errors
/// When the page set cannot be used, its history is not related to `history`, or it has a page from behind the cut.
pub fn take_over_copy(
    storage: &SharedStorage,
    dir: &Path,
    page_set: PageSetId,
    history: HistoryId,
    relatives: &Relatives,
    copy_end: Rba,
) -> Result<bool, PageError> {
    let (file, read) = open_at_rest(storage, dir, page_set, OpenMode::ReadWrite)?;
    let found = read.zero.history;
    if found == history {
        return Ok(false);
    }
    let Some(&(_, reach)) = relatives.iter().find(|(id, _)| *id == found) else {
        return Err(PageError::OtherHistory {
            page_set,
            path: page_set_path(dir, page_set),
            found,
            expected: history,
        });
    };
    if copy_end > reach {
        check_pages(file.as_ref(), page_set, read.zero.pages_used, reach)?;
    }
    restamp(file.as_ref(), page_set, read, history, reach)?;
    Ok(true)
}

/// Shows that a page set which nobody has open holds nothing from above `reach`, and gives what its page zero says.
///
/// # Errors
/// The first page that is beyond it or cannot be believed; or the page set cannot be used at all.
pub fn check_reach(
    storage: &SharedStorage,
    dir: &Path,
    page_set: PageSetId,
    reach: Rba,
) -> Result<PageZero, PageError> {
    let (file, read) = open_at_rest(storage, dir, page_set, OpenMode::Read)?;
    check_pages(file.as_ref(), page_set, read.zero.pages_used, reach)?;
    Ok(read.zero)
}

fn open_at_rest(
    storage: &SharedStorage,
    dir: &Path,
    page_set: PageSetId,
    mode: OpenMode,
) -> Result<(engine_storage::SharedFile, ReadPageZero), PageError> {
    let path = page_set_path(dir, page_set);
    let file = storage.open(&path, mode).map_err(|e| {
        if e.kind() == std::io::ErrorKind::NotFound {
            PageError::Missing { page_set, path: path.clone() }
        } else {
            PageError::io(page_set, "opening the page set")(e)
        }
    })?;
    let bytes = file.len().map_err(PageError::io(page_set, "looking at the page set"))?;
    let read = read_page_zero(file.as_ref(), bytes, page_set)?;
    let read = read.map_err(|source| PageError::PageZero { page_set, path: path.clone(), source })?;
    let used = read.zero.pages_used;
    if bytes < u64::from(used) * PAGE_SIZE as u64 {
        return Err(PageError::Truncated { page_set, path, bytes, used });
    }
    Ok((file, read))
}

/// Every page but page zero was last changed at or below `reach`. Behind the pages in use, what is no page counts for nothing.
fn check_pages(file: &dyn StorageFile, page_set: PageSetId, used: u32, reach: Rba) -> Result<(), PageError> {
    let bytes = file.len().map_err(PageError::io(page_set, "looking at the page set"))?;
    let there = u32::try_from(bytes / PAGE_SIZE as u64).unwrap_or(u32::MAX);
    let mut buffer = Vec::new();
    let mut next = 1;
    while next < there {
        let count = (there - next).min(RUN_PAGES as u32);
        buffer.resize(count as usize * PAGE_SIZE, 0);
        file.read_at(PageNumber(next).offset(), &mut buffer)
            .map_err(PageError::io(page_set, "reading pages"))?;
        for (number, bytes) in (next..).zip(buffer.chunks(PAGE_SIZE)) {
            let at = PageAddress::new(page_set, PageNumber(number));
            match verify_page(bytes, at) {
                Ok(header) if header.page_rba > reach => {
                    return Err(PageError::BehindCut { at, rba: header.page_rba, cut: reach });
                }
                Ok(_) => {}
                Err(damage) if number < used => {
                    return Err(PageError::CannotBeShown { at, damage, cut: reach });
                }
                Err(_) => {}
            }
        }
        next += count;
    }
    Ok(())
}

/// Stamps page zero, in the slot that is not the valid one, and syncs it.
fn restamp(
    file: &dyn StorageFile,
    page_set: PageSetId,
    read: ReadPageZero,
    history: HistoryId,
    reach: Rba,
) -> Result<ReadPageZero, PageError> {
    let zero = PageZero {
        history,
        // All that was changed below the cut is in it, wherever beyond it page zero was stamped.
        recovery_rba: read.zero.recovery_rba.min(reach),
        highest_synced: read.zero.highest_synced.min(reach),
        closed_cleanly: None,
        ..read.zero
    };
    let (slot, sequence) = (other_slot(read.slot), read.sequence + 1);
    file.write_at(slot_offset(slot), &encode_slot(&zero, slot, sequence))
        .and_then(|()| file.sync())
        .map_err(PageError::io(page_set, "stamping page zero with the new history"))?;
    Ok(ReadPageZero { zero, slot, sequence, damage: read.damage })
}
