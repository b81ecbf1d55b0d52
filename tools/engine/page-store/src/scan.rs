//! Reading all records of a page set, and clearing it of what does not survive a restart.

use std::ops::Range;
use std::sync::Arc;

use format_pageset::space_map;
use format_pageset::{PageState, PageType, page, slotted};
use format_types::{PAGE_SIZE, PageAddress, PageNumber, PageSetId};

use crate::error::PageError;
use crate::space::maps;
use crate::store::{PageStore, RUN_PAGES, RecordAddress, verify};
use crate::write_ahead::{PageLog, WriteAhead};

/// Pages freed by one call of [`PageStore::free_nonpersistent`]: about 32 KiB of log.
const FREED_AT_ONCE: usize = 512;

impl PageStore {
    /// Shows `visit` all records of the object and persistent pages in use, page by page. Pages that are in use and hold nothing are
    /// remembered for [`Self::free_nonpersistent`]. Pages that are not in the pool are read 256 KiB at a time, past it.
    ///
    /// # Errors
    /// When a page is damaged, or is not what the space map says.
    pub fn scan(
        &mut self,
        log: &mut dyn WriteAhead,
        page_set: PageSetId,
        visit: &mut dyn FnMut(RecordAddress, PageType, &[u8]),
    ) -> Result<(), PageError> {
        let mut empty = Vec::new();
        self.scan_between(log, page_set, 0..u32::MAX, &mut empty, visit)?;
        self.set_mut(page_set)?.empty = empty;
        Ok(())
    }

    /// The same of some pages.
    pub(crate) fn scan_between(
        &mut self,
        log: &mut dyn WriteAhead,
        page_set: PageSetId,
        pages: Range<u32>,
        empty: &mut Vec<PageNumber>,
        visit: &mut dyn FnMut(RecordAddress, PageType, &[u8]),
    ) -> Result<(), PageError> {
        self.load_space(log, page_set)?;
        let used = self.set(page_set)?.used();
        for (map, covered) in maps(used) {
            if map.0 >= pages.end || map.0 + covered <= pages.start {
                continue;
            }
            let frame = self.fetch_map(log, page_set, map)?;
            let mut wanted = Vec::new();
            for index in pages.start.saturating_sub(map.0)..covered.min(pages.end - map.0) {
                let state = space_map::state(self.pool.page(frame), index);
                let state = state.ok_or(PageError::MapState(PageAddress::new(page_set, map)))?;
                if matches!(state, PageState::Object | PageState::Persistent) {
                    wanted.push((PageNumber(map.0 + index), state));
                }
            }
            let mut rest = wanted.as_slice();
            while let Some((first, _)) = rest.first() {
                let last = first.0 + RUN_PAGES as u32;
                let count = rest.iter().take_while(|(page, _)| page.0 < last).count();
                let (run, after) = rest.split_at(count);
                self.scan_run(page_set, run, empty, visit)?;
                rest = after;
            }
        }
        Ok(())
    }

    /// Shows the records of some pages that lie within 256 KiB.
    fn scan_run(
        &mut self,
        page_set: PageSetId,
        run: &[(PageNumber, PageState)],
        empty: &mut Vec<PageNumber>,
        visit: &mut dyn FnMut(RecordAddress, PageType, &[u8]),
    ) -> Result<(), PageError> {
        let (Some((first, _)), Some((last, _))) = (run.first(), run.last()) else { return Ok(()) };
        let in_pool = |store: &Self, page| store.pool.peek(PageAddress::new(page_set, page));
        let mut buffer = std::mem::take(&mut self.run);
        buffer.clear();
        if run.iter().any(|(page, _)| in_pool(self, *page).is_none()) {
            buffer.resize((last.0 - first.0 + 1) as usize * PAGE_SIZE, 0);
            let file = Arc::clone(&self.online(page_set)?.file);
            file.read_at(first.offset(), &mut buffer).map_err(PageError::io(page_set, "reading pages"))?;
        }
        for (page, state) in run {
            let at = PageAddress::new(page_set, *page);
            let bytes = match in_pool(self, *page) {
                Some(frame) => self.pool.page(frame),
                None => {
                    let start = (page.0 - first.0) as usize * PAGE_SIZE;
                    let bytes = buffer.get(start..start + PAGE_SIZE).unwrap_or_default();
                    let header = verify(bytes, at).map_err(|damage| PageError::Damaged { at, damage })?;
                    self.check_rba(&header)?;
                    bytes.try_into().map_err(|_| PageError::BeyondUsed { at, used: 0 })?
                }
            };
            let found = page::page_type(bytes).unwrap_or(PageType::Free);
            if found != state.page_type() {
                return Err(PageError::WrongType { at, found, expected: *state });
            }
            let mut any = false;
            for (slot, record) in slotted::iter(bytes) {
                any = true;
                visit(RecordAddress { page_set, page: *page, slot }, found, record);
            }
            if !any {
                empty.push(*page);
            }
        }
        self.run = buffer;
        Ok(())
    }

    /// Frees all nonpersistent pages, and those that the last [`Self::scan`] found in use but empty: for a restart, when nobody uses the
    /// page set yet. Frees a bounded number of pages, so that the caller can see to room in the log, and says how many: call it until
    /// it says zero.
    ///
    /// # Errors
    /// When a map page is damaged, or the log or the storage refuses.
    pub fn free_nonpersistent(
        &mut self,
        log: &mut dyn PageLog,
        page_set: PageSetId,
    ) -> Result<u64, PageError> {
        self.load_space(log, page_set)?;
        *self.online(page_set)?.inserting(PageType::NonPersistent) = None;
        let used = self.set(page_set)?.used();
        let mut freed = 0;
        for (map, covered) in maps(used) {
            let frame = self.fetch_map(log, page_set, map)?;
            let bytes = self.pool.page(frame);
            let mut pages: Vec<PageNumber> = (0..covered)
                .filter(|index| space_map::state(bytes, *index) == Some(PageState::NonPersistent))
                .map(|index| PageNumber(map.0 + index))
                .take(FREED_AT_ONCE)
                .collect();
            freed += pages.len() as u64;
            self.release(log, page_set, &mut pages, true)?;
            if freed > 0 {
                return Ok(freed);
            }
        }
        let current = self.set(page_set)?.inserting;
        let mut pages = Vec::new();
        while pages.len() < FREED_AT_ONCE
            && let Some(page) = self.online(page_set)?.empty.pop()
        {
            let at = PageAddress::new(page_set, page);
            let in_use = self.state_of(log, at)? != PageState::Free && !current.contains(&Some(page));
            let frame = self.fetch(log, at)?;
            if in_use && slotted::records(self.pool.page(frame)) == 0 {
                pages.push(page);
            }
        }
        freed += pages.len() as u64;
        self.release(log, page_set, &mut pages, false)?;
        Ok(freed)
    }
}
