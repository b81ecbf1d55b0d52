//! The buffer pool: a fixed number of frames, and which page is in which.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use format_pageset::{PageBytes, page};
use format_types::{PAGE_SIZE, PageAddress, PageNumber, PageSetId, Rba};

/// Fewest frames that the store works with.
pub(crate) const MIN_FRAMES: usize = 8;

/// Spreads page addresses; the table's keys come from us alone, so no defence against chosen keys is needed.
#[derive(Default)]
pub(crate) struct PageHasher(u64);

impl Hasher for PageHasher {
    fn finish(&self) -> u64 {
        self.0 ^ (self.0 >> 32)
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, value: u64) {
        self.0 = (self.0 ^ value).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }
}

/// Index of a frame.
pub(crate) type FrameId = usize;

#[derive(Debug, Clone, Copy, Default)]
struct Frame {
    page: Option<PageAddress>,
    /// RBA at which the page was first changed since it was clean.
    dirty: Option<Rba>,
    /// An image or format record of the page lies at or above `dirty` in the log.
    imaged: bool,
    /// Used since the hand passed.
    referenced: bool,
}

/// What the clock's hand finds.
pub(crate) enum Candidate {
    /// The frame holds no page.
    Empty,
    /// The page was used lately; it gets its second chance.
    Referenced,
    /// The page can be dropped.
    Clean,
    /// The page must be written first; its page RBA.
    Dirty(Rba),
}

/// The pool.
pub(crate) struct BufferPool {
    pages: Vec<PageBytes>,
    frames: Vec<Frame>,
    lookup: HashMap<u64, u32, BuildHasherDefault<PageHasher>>,
    hand: usize,
    dirty: usize,
}

fn key(at: PageAddress) -> u64 {
    u64::from(at.page_set.number()) << 32 | u64::from(at.page.0)
}

impl BufferPool {
    /// A pool of empty frames. Room for all pages is reserved at once, and taken when the hand first comes to a frame: a large pool costs
    /// nothing until it is used.
    pub(crate) fn new(frames: usize) -> Self {
        let frames = frames.clamp(MIN_FRAMES, u32::MAX as usize);
        Self {
            pages: Vec::with_capacity(frames),
            frames: vec![Frame::default(); frames],
            lookup: HashMap::with_capacity_and_hasher(frames, BuildHasherDefault::default()),
            hand: 0,
            dirty: 0,
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.frames.len()
    }

    pub(crate) fn dirty_frames(&self) -> usize {
        self.dirty
    }

    /// The frame that holds a page; counts as a use.
    pub(crate) fn find(&mut self, at: PageAddress) -> Option<FrameId> {
        let frame = *self.lookup.get(&key(at))? as usize;
        self.frames[frame].referenced = true;
        Some(frame)
    }

    /// The frame that holds a page; does not count as a use.
    pub(crate) fn peek(&self, at: PageAddress) -> Option<FrameId> {
        self.lookup.get(&key(at)).map(|frame| *frame as usize)
    }

    pub(crate) fn page(&self, frame: FrameId) -> &PageBytes {
        &self.pages[frame]
    }

    pub(crate) fn page_mut(&mut self, frame: FrameId) -> &mut PageBytes {
        &mut self.pages[frame]
    }

    /// The page in a frame.
    pub(crate) fn address(&self, frame: FrameId) -> Option<PageAddress> {
        self.frames[frame].page
    }

    /// RBA at which the page was first changed since it was clean; none when it is clean.
    pub(crate) fn dirty_rba(&self, frame: FrameId) -> Option<Rba> {
        self.frames[frame].dirty
    }

    pub(crate) fn is_referenced(&self, frame: FrameId) -> bool {
        self.frames[frame].referenced
    }

    pub(crate) fn is_imaged(&self, frame: FrameId) -> bool {
        self.frames[frame].imaged
    }

    /// Remembers that the log holds an image or a format record of the page for this dirty period.
    pub(crate) fn set_imaged(&mut self, frame: FrameId) {
        self.frames[frame].imaged = true;
    }

    /// The page was changed at `rba`; the first change since it was clean counts.
    pub(crate) fn mark_dirty(&mut self, frame: FrameId, rba: Rba) {
        let frame = &mut self.frames[frame];
        match &mut frame.dirty {
            Some(first) => *first = (*first).min(rba),
            None => {
                frame.dirty = Some(rba);
                self.dirty += 1;
            }
        }
    }

    /// The page was written.
    pub(crate) fn mark_clean(&mut self, frame: FrameId) {
        let frame = &mut self.frames[frame];
        if frame.dirty.take().is_some() {
            self.dirty -= 1;
        }
        frame.imaged = false;
    }

    /// Puts a page into an empty frame.
    pub(crate) fn assign(&mut self, frame: FrameId, at: PageAddress) {
        self.frames[frame] = Frame { page: Some(at), dirty: None, imaged: false, referenced: true };
        self.lookup.insert(key(at), frame as u32);
    }

    /// Empties a frame, whatever it holds.
    pub(crate) fn discard(&mut self, frame: FrameId) {
        self.mark_clean(frame);
        if let Some(at) = self.frames[frame].page.take() {
            self.lookup.remove(&key(at));
        }
        self.frames[frame].referenced = false;
    }

    /// Empties all frames with pages of a page set.
    pub(crate) fn discard_set(&mut self, page_set: PageSetId) {
        for frame in 0..self.frames.len() {
            if self.frames[frame].page.is_some_and(|at| at.page_set == page_set) {
                self.discard(frame);
            }
        }
    }

    /// Moves the clock's hand one frame on, and says which frame it left.
    pub(crate) fn advance(&mut self) -> FrameId {
        let frame = self.hand;
        self.hand = if frame + 1 == self.frames.len() { 0 } else { frame + 1 };
        if frame >= self.pages.len() {
            self.pages.resize(frame + 1, [0; PAGE_SIZE]);
        }
        frame
    }

    /// What can be done with a frame; takes its second chance away.
    pub(crate) fn candidate(&mut self, frame: FrameId) -> Candidate {
        let state = &mut self.frames[frame];
        if state.page.is_none() {
            Candidate::Empty
        } else if state.referenced {
            state.referenced = false;
            Candidate::Referenced
        } else if state.dirty.is_none() {
            Candidate::Clean
        } else {
            Candidate::Dirty(page::page_rba(&self.pages[frame]))
        }
    }

    /// All dirty pages with the RBA of their first change.
    pub(crate) fn dirty_pages(&self) -> impl Iterator<Item = (PageAddress, Rba)> {
        self.frames.iter().filter_map(|frame| Some((frame.page?, frame.dirty?)))
    }

    /// The lowest RBA at which a page of a page set was first changed since it was clean.
    pub(crate) fn lowest_dirty(&self, page_set: PageSetId) -> Option<Rba> {
        self.dirty_pages().filter(|(at, _)| at.page_set == page_set).map(|(_, rba)| rba).min()
    }

    /// The frame of the page `distance` pages from another one, if it is there.
    pub(crate) fn neighbour(&self, at: PageAddress, distance: i64) -> Option<FrameId> {
        let page = u32::try_from(i64::from(at.page.0) + distance).ok()?;
        self.peek(PageAddress::new(at.page_set, PageNumber(page)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(page: u32) -> PageAddress {
        PageAddress::new(PageSetId::ZERO, PageNumber(page))
    }

    #[test]
    fn pages_are_found_until_discarded() {
        let mut pool = BufferPool::new(0);
        assert_eq!(pool.len(), MIN_FRAMES);
        pool.assign(3, at(77));
        pool.mark_dirty(3, Rba(500));
        pool.mark_dirty(3, Rba(600));
        assert_eq!(pool.find(at(77)), Some(3));
        assert_eq!(pool.neighbour(at(78), -1), Some(3));
        assert_eq!((pool.dirty_frames(), pool.lowest_dirty(PageSetId::ZERO)), (1, Some(Rba(500))));
        pool.discard_set(PageSetId::ZERO);
        assert_eq!((pool.find(at(77)), pool.dirty_frames()), (None, 0));
    }

    #[test]
    fn a_used_page_gets_a_second_chance() {
        let mut pool = BufferPool::new(8);
        pool.assign(0, at(5));
        assert_eq!(pool.advance(), 0);
        assert!(matches!(pool.candidate(0), Candidate::Referenced));
        assert!(matches!(pool.candidate(0), Candidate::Clean));
        pool.mark_dirty(0, Rba(9));
        assert!(matches!(pool.candidate(0), Candidate::Dirty(Rba(0))));
        assert!(matches!(pool.candidate(1), Candidate::Empty));
    }

    #[test]
    fn the_hash_spreads_neighbouring_pages() {
        use std::collections::HashSet;
        let hash = |page: u32| {
            let mut hasher = PageHasher::default();
            hasher.write_u64(key(at(page)));
            hasher.finish()
        };
        let low: HashSet<u64> = (0..4096).map(|page| hash(page) & 0xFFF).collect();
        let high: HashSet<u64> = (0..4096).map(|page| hash(page) >> 57).collect();
        assert!(low.len() > 2400 && high.len() > 100, "{} {}", low.len(), high.len());
    }
}
