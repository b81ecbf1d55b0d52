//! Free pages: finding them, taking them into use, giving them back.

use engine_storage::StorageFile;
use format_log::Body;
use format_pageset::space_map::{self, COVERED};
use format_pageset::{PageState, PageType, page};
use format_types::{PAGE_SIZE, PageAddress, PageNumber, PageSetId};

use crate::change::NO_UNIT;
use crate::error::PageError;
use crate::page_set::PageSet;
use crate::pool::FrameId;
use crate::store::{PageStore, verify};
use crate::write_ahead::{PageLog, WriteAhead};

/// What the space maps of a page set say together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Space {
    /// Pages by state, as the codes of the states count.
    pub(crate) counts: [u32; 5],
    /// Free pages by map page.
    free: Vec<u32>,
    /// Where the next search begins.
    cursor: u32,
}

impl Space {
    fn new() -> Self {
        Self { counts: [0; 5], free: Vec::new(), cursor: 2 }
    }

    /// Free pages.
    pub(crate) fn free(&self) -> u32 {
        self.counts[usize::from(PageState::Free.code())]
    }

    /// Takes the next map page in; false when it holds an impossible state.
    fn add(&mut self, map: &format_pageset::PageBytes, covered: u32) -> bool {
        let counts = space_map::count_states(map, covered);
        for (sum, count) in self.counts.iter_mut().zip(counts) {
            *sum += count;
        }
        self.free.push(counts[usize::from(PageState::Free.code())]);
        counts[5] == 0
    }

    /// Reads the map pages from the file; none when one is damaged, which redo may repair.
    pub(crate) fn read(set: &PageSet) -> Option<Self> {
        Self::read_from(set.file.as_ref(), set.id, set.used())
    }

    /// Reads the map pages of a page set with `used` usable pages; none when one is damaged.
    pub(crate) fn read_from(file: &dyn StorageFile, page_set: PageSetId, used: u32) -> Option<Self> {
        let mut space = Self::new();
        let mut bytes = [0; PAGE_SIZE];
        for (map, covered) in maps(used) {
            let at = PageAddress::new(page_set, map);
            file.read_at(map.offset(), &mut bytes).ok()?;
            let header = verify(&bytes, at).ok()?;
            if header.page_type != PageType::Map || !space.add(&bytes, covered) {
                return None;
            }
        }
        Some(space)
    }

    fn moved(&mut self, map_index: usize, from: PageState, to: PageState) {
        let counts = &mut self.counts;
        counts[usize::from(from.code())] = counts[usize::from(from.code())].saturating_sub(1);
        counts[usize::from(to.code())] += 1;
        if let Some(free) = self.free.get_mut(map_index) {
            if from == PageState::Free {
                *free = free.saturating_sub(1);
            }
            if to == PageState::Free {
                *free += 1;
            }
        }
    }

    /// More pages are usable: free ones, and the maps among them.
    pub(crate) fn raise(&mut self, from: u32, to: u32) {
        for number in from..to {
            let state = if space_map::is_map(PageNumber(number)) { PageState::Map } else { PageState::Free };
            self.counts[usize::from(state.code())] += 1;
            let index = ((number - 1) / COVERED) as usize;
            if self.free.len() <= index {
                self.free.resize(index + 1, 0);
            }
            if state == PageState::Free {
                self.free[index] += 1;
            }
        }
    }
}

/// The map pages of a page set with `used` usable pages, and how many usable pages each covers.
pub(crate) fn maps(used: u32) -> impl Iterator<Item = (PageNumber, u32)> {
    (0..space_map::maps_in(used)).map(move |index| {
        let map = space_map::map_at(index);
        (map, COVERED.min(used - map.0))
    })
}

impl PageStore {
    /// Reads the space maps of a page set if that was not done since they were last in doubt.
    pub(crate) fn load_space(
        &mut self,
        log: &mut dyn WriteAhead,
        page_set: PageSetId,
    ) -> Result<&mut Space, PageError> {
        let set = self.online(page_set)?;
        if set.space.is_none() {
            let mut space = Space::new();
            for (map, covered) in maps(set.used()) {
                let frame = self.fetch_map(log, page_set, map)?;
                if !space.add(self.pool.page(frame), covered) {
                    return Err(PageError::MapState(PageAddress::new(page_set, map)));
                }
            }
            self.set_mut(page_set)?.space = Some(space);
        }
        self.set_mut(page_set)?.space.as_mut().ok_or(PageError::NotOpen(page_set))
    }

    /// Brings a map page in.
    pub(crate) fn fetch_map(
        &mut self,
        log: &mut dyn WriteAhead,
        page_set: PageSetId,
        map: PageNumber,
    ) -> Result<FrameId, PageError> {
        let at = PageAddress::new(page_set, map);
        let frame = self.fetch(log, at)?;
        match page::page_type(self.pool.page(frame)) {
            Some(PageType::Map) => Ok(frame),
            found => {
                let found = found.unwrap_or(PageType::Free);
                Err(PageError::WrongType { at, found, expected: PageState::Map })
            }
        }
    }

    /// What the space map says of a page.
    pub(crate) fn state_of(
        &mut self,
        log: &mut dyn WriteAhead,
        at: PageAddress,
    ) -> Result<PageState, PageError> {
        let map = space_map::map_of(at.page).unwrap_or(PageNumber(1));
        let frame = self.fetch_map(log, at.page_set, map)?;
        let index = at.page.0.saturating_sub(map.0);
        let state = space_map::state(self.pool.page(frame), index);
        state.ok_or(PageError::MapState(PageAddress::new(at.page_set, map)))
    }

    /// Fails when fewer than `wanted` pages are free; remembers the shortage.
    pub(crate) fn need_free(
        &mut self,
        log: &mut dyn WriteAhead,
        page_set: PageSetId,
        wanted: u32,
    ) -> Result<(), PageError> {
        let free = self.load_space(log, page_set)?.free();
        if free < wanted {
            self.set_mut(page_set)?.shortage = true;
            return Err(PageError::Full { page_set, wanted, free });
        }
        Ok(())
    }

    /// The next `wanted` free pages, from where the last search ended; takes nothing into use.
    fn find_free(
        &mut self,
        log: &mut dyn WriteAhead,
        page_set: PageSetId,
        wanted: usize,
    ) -> Result<Vec<PageNumber>, PageError> {
        let mut found = Vec::with_capacity(wanted);
        let cursor = self.load_space(log, page_set)?.cursor;
        let used = self.set(page_set)?.used();
        let count = space_map::maps_in(used);
        let first = (cursor.clamp(2, used.max(3) - 1) - 1) / COVERED;
        // The map where the search begins comes again at the end, for what lies before the cursor.
        for step in 0..=count {
            if found.len() == wanted {
                break;
            }
            let index = (first + step) % count;
            let map = space_map::map_at(index);
            let free = self.load_space(log, page_set)?.free.get(index as usize).copied().unwrap_or_default();
            if free == 0 {
                continue;
            }
            let covered = COVERED.min(used - map.0);
            let start = cursor.saturating_sub(map.0);
            let (mut from, to) = match step {
                0 => (start, covered),
                _ if step == count => (0, start.min(covered)),
                _ => (0, covered),
            };
            let frame = self.fetch_map(log, page_set, map)?;
            while let Some(at) = space_map::find_free(self.pool.page(frame), from, to) {
                found.push(PageNumber(map.0 + at));
                from = at + 1;
                if found.len() == wanted {
                    break;
                }
            }
        }
        if let Some(last) = found.last() {
            let next = if last.0 + 1 >= used { 2 } else { last.0 + 1 };
            self.load_space(log, page_set)?.cursor = next;
        }
        if found.len() < wanted {
            let wanted = u32::try_from(wanted).unwrap_or(u32::MAX);
            return Err(PageError::Full { page_set, wanted, free: found.len() as u32 });
        }
        Ok(found)
    }

    /// Takes pages into use: each is formatted, then the map says so. Both are logged, in this order, so that the map is never ahead of
    /// the pages.
    pub(crate) fn allocate(
        &mut self,
        log: &mut dyn PageLog,
        page_set: PageSetId,
        wanted: usize,
        page_type: PageType,
    ) -> Result<Vec<PageNumber>, PageError> {
        let pages = self.find_free(log, page_set, wanted)?;
        for page in &pages {
            self.format(log, PageAddress::new(page_set, *page), page_type)?;
        }
        self.set_states(log, page_set, &pages, page_type.into())?;
        Ok(pages)
    }

    /// Gives pages back that hold nothing any more. Nonpersistent ones are formatted first: the log knows nothing of what they held.
    pub(crate) fn release(
        &mut self,
        log: &mut dyn PageLog,
        page_set: PageSetId,
        pages: &mut Vec<PageNumber>,
        nonpersistent: bool,
    ) -> Result<(), PageError> {
        if pages.is_empty() {
            return Ok(());
        }
        pages.sort_unstable();
        pages.dedup();
        if nonpersistent {
            for page in pages.iter() {
                self.format(log, PageAddress::new(page_set, *page), PageType::Free)?;
            }
        }
        self.set_states(log, page_set, pages, PageState::Free)
    }

    /// Logs and makes the transition of pages to a state, in runs.
    pub(crate) fn set_states(
        &mut self,
        log: &mut dyn PageLog,
        page_set: PageSetId,
        pages: &[PageNumber],
        to: PageState,
    ) -> Result<(), PageError> {
        self.load_space(log, page_set)?;
        let mut rest = pages;
        while let Some(first) = rest.first().copied() {
            let map = space_map::map_of(first).unwrap_or(PageNumber(1));
            let follows = |(n, page): (u32, &PageNumber)| page.0 == first.0 + n && page.0 < map.0 + COVERED;
            let count = (0u32..).zip(rest).take_while(|(n, page)| follows((*n, page))).count().max(1);
            let frame = self.fetch_map(log, page_set, map)?;
            let index = first.0 - map.0;
            let before: Vec<_> = (index..index + count as u32)
                .map(|index| space_map::state(self.pool.page(frame), index).unwrap_or(to))
                .collect();
            let body = Body::SpaceMap {
                map: PageAddress::new(page_set, map),
                first,
                state: to.code(),
                count: count as u16,
            };
            self.change(log, &mut NO_UNIT.clone(), frame, &body)?;
            let space = self.load_space(log, page_set)?;
            for from in before {
                space.moved(((map.0 - 1) / COVERED) as usize, from, to);
            }
            rest = rest.get(count..).unwrap_or_default();
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn raising_counts_maps_and_free_pages() {
        let mut space = Space::new();
        space.raise(1, 100);
        assert_eq!((space.counts[4], space.free(), &space.free[..]), (1, 98, &[98][..]));
        space.raise(100, 8131);
        assert_eq!((space.counts[4], space.free(), &space.free[..]), (2, 8128, &[8127, 1][..]));
        assert_eq!(maps(8131).collect::<Vec<_>>(), [(PageNumber(1), 8128), (PageNumber(8129), 2)]);
    }
}
