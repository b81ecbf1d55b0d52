//! Redo: the log's records are applied to pages that may have some of them already.

use std::collections::HashMap;

use engine_storage::StorageFile;
use format_log::{Body, Record};
use format_pageset::page::{self, MAX_PAGES};
use format_pageset::space_map;
use format_pageset::{PageDamage, verify_page};
use format_types::{PAGE_SIZE, PageAddress, PageNumber, PageSetId, Rba, RbaRange};

use crate::apply::replaces;
use crate::create::{FORMAT_PAGES, write_fresh};
use crate::error::PageError;
use crate::pool::FrameId;
use crate::store::PageStore;
use crate::write_ahead::WriteAhead;

/// Pages that were damaged when redo needed them, with the first record that could not be applied.
///
/// Such a record is no error yet: when a page was durable and clean at the time its recovery RBA was taken, redo visits it with
/// records that it has already, and only then comes to the image that was logged before the change whose write was torn.
pub(crate) type DamagedPages = HashMap<PageAddress, (Rba, PageDamage)>;

impl PageStore {
    /// Applies one record of the log, if its page does not have it yet; records that change no page do nothing, nor do those of
    /// page sets that are deleted, are offline or do not need them.
    ///
    /// Every page visited is dirty afterwards, even when it had the record: what is in the file need not be on the disk.
    /// A damaged page is left alone until a `Format` or `PageImage` record replaces it; [`Self::finish_redo`] tells when none did.
    ///
    /// # Errors
    /// When a page is beyond the log or does not fit the record, or the storage refuses.
    pub fn redo(
        &mut self,
        log: &mut dyn WriteAhead,
        at: RbaRange,
        record: &Record<'_>,
    ) -> Result<(), PageError> {
        if let Body::UsedRaised { page_set, to, extents, expansions, .. } = record.body {
            return self.redo_used_raised(at, page_set, to, (extents, expansions));
        }
        let Some(address) = record.body.page() else { return Ok(()) };
        // The log may speak of page sets that were deleted since.
        let Ok(set) = self.online(address.page_set) else { return Ok(()) };
        if at.end <= set.redo_from {
            return Ok(());
        }
        if space_map::is_map(address.page) {
            // Counted again when it is needed.
            set.space = None;
        }
        let Some(frame) = self.fetch_for_redo(log, at, address, replaces(&record.body))? else {
            return Ok(());
        };
        if replaces(&record.body) {
            self.pool.mark_dirty(frame, at.start);
            self.pool.set_imaged(frame);
        }
        if page::page_rba(self.pool.page(frame)) >= at.end {
            self.pool.mark_dirty(frame, at.start);
            return Ok(());
        }
        self.apply_in(frame, at, &record.body)
    }

    /// The frame of the page that a record is for; none when the page is damaged and the record needs its content.
    fn fetch_for_redo(
        &mut self,
        log: &mut dyn WriteAhead,
        at: RbaRange,
        address: PageAddress,
        replaced: bool,
    ) -> Result<Option<FrameId>, PageError> {
        if replaced {
            self.damaged.remove(&address);
            let (frame, was_there) = self.fetch_blank(log, address)?;
            if !was_there {
                // Older than any record, whatever the frame held before.
                page::set_page_rba(self.pool.page_mut(frame), Rba::ZERO);
            }
            return Ok(Some(frame));
        }
        if !self.damaged.is_empty() && self.damaged.contains_key(&address) {
            return Ok(None);
        }
        match self.fetch_or_damage(log, address) {
            Ok(frame) => Ok(Some(frame)),
            Err(PageError::Damaged { at: page, damage }) => {
                self.damaged.insert(page, (at.start, damage));
                Ok(None)
            }
            // It has just gone offline, and needs its log some other time.
            Err(PageError::Offline { .. }) => Ok(None),
            Err(e) => Err(e),
        }
    }

    /// Ends redo: no page may be damaged still, and the space maps are counted.
    ///
    /// # Errors
    /// [`PageError::Unrepaired`] names the damaged page with the earliest record; or a map page is damaged.
    pub fn finish_redo(&mut self, log: &mut dyn WriteAhead) -> Result<(), PageError> {
        let pages = self.damaged.len();
        let first = self.damaged.iter().min_by_key(|(at, (rba, _))| (*rba, **at));
        if let Some((at, (rba, damage))) = first {
            return Err(PageError::Unrepaired { at: *at, damage: damage.clone(), rba: *rba, pages });
        }
        self.make_redone_durable(log)?;
        for status in self.page_sets() {
            if status.online {
                match self.load_space(log, status.page_set) {
                    Ok(_) | Err(PageError::Offline { .. }) => {}
                    Err(e) => return Err(e),
                }
            }
        }
        Ok(())
    }

    /// Writes and syncs what redo changed. Redo logs no images: a page that was written in the middle of redo and changed by it again
    /// has its image below its first change since, and no recovery RBA may pass that image before the page is durable.
    fn make_redone_durable(&mut self, log: &mut dyn WriteAhead) -> Result<(), PageError> {
        self.write_all(log)?;
        for status in self.page_sets() {
            match self.sync_now(status.page_set) {
                Ok(()) | Err(PageError::Offline { .. }) => {}
                Err(e) => return Err(e),
            }
        }
        Ok(())
    }

    /// More pages became usable: those in the file that are whole stay as they are, the others are formatted.
    fn redo_used_raised(
        &mut self,
        at: RbaRange,
        page_set: PageSetId,
        to: u32,
        (extents, expansions): (u16, u16),
    ) -> Result<(), PageError> {
        let Ok(set) = self.online(page_set) else { return Ok(()) };
        let used = set.used();
        if at.end <= set.redo_from || to <= used || to > MAX_PAGES {
            return Ok(());
        }
        if let Err(e) = format_missing(set.file.as_ref(), page_set, used, to) {
            self.take_offline(page_set, &format!("extending it to {to} pages failed: {e}"));
            return Ok(());
        }
        set.note_written(at.start);
        set.zero.pages_used = to;
        set.zero.extents = extents;
        set.zero.expansions = expansions;
        set.space = None;
        Ok(())
    }
}

/// Formats those pages of `from..to` that are not whole pages of this page set.
fn format_missing(file: &dyn StorageFile, page_set: PageSetId, from: u32, to: u32) -> std::io::Result<()> {
    // What lies behind the end of the file needs no look: reading room that was just allocated costs as much as reading data.
    let there = u32::try_from(file.len()? / PAGE_SIZE as u64).unwrap_or(u32::MAX);
    file.allocate(u64::from(to) * PAGE_SIZE as u64)?;
    let mut buffer = Vec::new();
    let mut fresh = Vec::new();
    let mut next = from;
    while next < to {
        if next >= there {
            let count = FORMAT_PAGES.min(to - next);
            write_fresh(file, page_set, next, count, Rba::ZERO, &mut fresh)?;
            next += count;
            continue;
        }
        let count = FORMAT_PAGES.min(to - next);
        buffer.resize(count as usize * PAGE_SIZE, 0);
        file.read_at(PageNumber(next).offset(), &mut buffer)?;
        let whole: Vec<bool> = (next..)
            .zip(buffer.chunks(PAGE_SIZE))
            .map(|(number, bytes)| verify_page(bytes, PageAddress::new(page_set, PageNumber(number))).is_ok())
            .collect();
        if whole.iter().all(|whole| !whole) {
            write_fresh(file, page_set, next, count, Rba::ZERO, &mut fresh)?;
        } else {
            for (number, _) in (next..).zip(&whole).filter(|(_, whole)| !**whole) {
                write_fresh(file, page_set, number, 1, Rba::ZERO, &mut fresh)?;
            }
        }
        next += count;
    }
    Ok(())
}
