//! Space maps: the state of every page.
//!
//! **Purpose.** Says which pages are free and what the others hold, so that a free one is found and all messages are found
//! without reading free pages.
//!
//! ```text
//!   0           32      33                                                4096
//!   +-----------+---+---+---+---+-- ~ ------------------------------------+
//!   | header    |0|1|2|3|4|5| four bits a page, the lower page in the high half |
//!   +-----------+---+---+---+---+-- ~ ------------------------------------+
//! ```
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 32 | page header (`page`), type 11 |
//! | 32 | 4064 | states of 8128 pages: 0 free, 1 object, 2 persistent, 3 nonpersistent, 4 space map |
//!
//! Map page k lies at page 1 + 8128k and covers pages 1 + 8128k to 8128(k + 1), itself included. Page zero is covered by none. Pages
//! from the end of the used ones on are free in the map and not usable.
//!
//! **Validity.** The page's checksum; other values than 0 to 4 are damage. **Torn pages**: as for every page.
//!
//! **Order of writes.** Every transition is logged, as a run of pages that get one state. A page's format record comes before the
//! transition that takes it into use, so that the map never names a class that the page does not have.
//!
//! **Not meant for** telling how full a page is.

use format_types::PageNumber;

use crate::page::{HEADER_SIZE, PageBytes, PageType};

/// Pages that one map page covers, itself included.
pub const COVERED: u32 = 8128;

const _: () = assert!(HEADER_SIZE + COVERED as usize / 2 == format_types::PAGE_SIZE);

/// What the map says of a page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PageState {
    /// It may be taken into use.
    Free = 0,
    /// It holds object definitions.
    Object = 1,
    /// It holds persistent messages.
    Persistent = 2,
    /// It holds nonpersistent messages.
    NonPersistent = 3,
    /// It is a space map.
    Map = 4,
}

impl PageState {
    /// All states, by code.
    pub const ALL: [Self; 5] = [Self::Free, Self::Object, Self::Persistent, Self::NonPersistent, Self::Map];

    /// The state with this code.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0 => Some(Self::Free),
            1 => Some(Self::Object),
            2 => Some(Self::Persistent),
            3 => Some(Self::NonPersistent),
            4 => Some(Self::Map),
            _ => None,
        }
    }

    /// The code, as in the map.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// The type that pages of this state have.
    #[must_use]
    pub const fn page_type(self) -> PageType {
        match self {
            Self::Free => PageType::Free,
            Self::Object => PageType::Object,
            Self::Persistent => PageType::Persistent,
            Self::NonPersistent => PageType::NonPersistent,
            Self::Map => PageType::Map,
        }
    }
}

impl From<PageType> for PageState {
    fn from(page_type: PageType) -> Self {
        match page_type {
            PageType::Free => Self::Free,
            PageType::Map => Self::Map,
            PageType::Object => Self::Object,
            PageType::Persistent => Self::Persistent,
            PageType::NonPersistent => Self::NonPersistent,
        }
    }
}

/// A run of pages that the map does not cover, or that would change the map's own state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("space map {map} cannot hold the state of {count} pages from page {first} on")]
pub struct RunError {
    /// The map page.
    pub map: PageNumber,
    /// First page of the run.
    pub first: PageNumber,
    /// Pages in the run.
    pub count: u16,
}

/// Whether a map page belongs at this place.
#[must_use]
pub const fn is_map(page: PageNumber) -> bool {
    page.0 != 0 && (page.0 - 1).is_multiple_of(COVERED)
}

/// The map page that covers a page; none for page zero.
#[must_use]
pub const fn map_of(page: PageNumber) -> Option<PageNumber> {
    if page.0 == 0 { None } else { Some(PageNumber((page.0 - 1) / COVERED * COVERED + 1)) }
}

/// How many map pages a page set of `pages` pages has.
#[must_use]
pub const fn maps_in(pages: u32) -> u32 {
    if pages <= 1 { 0 } else { (pages - 1).div_ceil(COVERED) }
}

/// Map page number `index` of a page set, counted from 0.
#[must_use]
pub const fn map_at(index: u32) -> PageNumber {
    PageNumber(index * COVERED + 1)
}

/// Makes the body of a page an empty map: all free but the map itself. The header is left alone.
pub fn initialise(page: &mut PageBytes) {
    page[HEADER_SIZE..].fill(0);
    page[HEADER_SIZE] = PageState::Map.code() << 4;
}

/// The state of the page `index` pages after the map page; none when it is none of the five, or not covered.
#[must_use]
pub fn state(page: &PageBytes, index: u32) -> Option<PageState> {
    if index >= COVERED {
        return None;
    }
    let byte = page.get(HEADER_SIZE + index as usize / 2)?;
    PageState::from_code(if index.is_multiple_of(2) { byte >> 4 } else { byte & 15 })
}

/// Sets the state of `count` pages from `first` on, in the map page with number `map`.
///
/// # Errors
/// When the map does not cover them all, or the run holds the map page itself; nothing is changed then.
pub fn set_run(
    page: &mut PageBytes,
    map: PageNumber,
    first: PageNumber,
    count: u16,
    to: PageState,
) -> Result<(), RunError> {
    let start = first.0.checked_sub(map.0).filter(|start| *start > 0);
    let range = start.map(|start| start..start.saturating_add(u32::from(count)));
    let range = range.filter(|range| range.end <= COVERED).ok_or(RunError { map, first, count })?;
    for index in range {
        if let Some(byte) = page.get_mut(HEADER_SIZE + index as usize / 2) {
            *byte = if index.is_multiple_of(2) {
                *byte & 0x0F | to.code() << 4
            } else {
                *byte & 0xF0 | to.code()
            };
        }
    }
    Ok(())
}

/// The first free page among those `from..to` pages after the map page.
#[must_use]
pub fn find_free(page: &PageBytes, from: u32, to: u32) -> Option<u32> {
    let to = to.min(COVERED);
    let mut index = from;
    while index < to {
        let byte = page.get(HEADER_SIZE + index as usize / 2)?;
        if index.is_multiple_of(2) && byte & 0xF0 != 0 && byte & 0x0F != 0 {
            index += 2;
            continue;
        }
        if state(page, index) == Some(PageState::Free) {
            return Some(index);
        }
        index += 1;
    }
    None
}

/// How many of the first `covered` pages of the map are in each state, by code; the last number counts impossible states.
#[must_use]
pub fn count_states(page: &PageBytes, covered: u32) -> [u32; 6] {
    let mut counts = [0; 6];
    for index in 0..covered.min(COVERED) {
        counts[state(page, index).map_or(5, |state| usize::from(state.code()))] += 1;
    }
    counts
}

#[cfg(test)]
mod tests {
    use format_types::{PAGE_SIZE, PageAddress, PageSetId, Rba};
    use proptest::prelude::*;

    use super::*;

    fn empty() -> PageBytes {
        let mut page = [0; PAGE_SIZE];
        let address = PageAddress::new(PageSetId::ZERO, PageNumber(1));
        crate::page::format(&mut page, address, PageType::Map, Rba::ZERO, Rba::ZERO);
        page
    }

    #[test]
    fn places_are_pinned() {
        assert!(is_map(PageNumber(1)) && is_map(PageNumber(8129)) && is_map(PageNumber(16257)));
        assert!(!is_map(PageNumber(0)) && !is_map(PageNumber(2)) && !is_map(PageNumber(8128)));
        assert_eq!(map_of(PageNumber(0)), None);
        assert_eq!(map_of(PageNumber(1)), Some(PageNumber(1)));
        assert_eq!(map_of(PageNumber(8128)), Some(PageNumber(1)));
        assert_eq!(map_of(PageNumber(8129)), Some(PageNumber(8129)));
        for (pages, maps) in [(0, 0), (1, 0), (2, 1), (8129, 1), (8130, 2), (16257, 2), (16258, 3)] {
            assert_eq!(maps_in(pages), maps, "{pages}");
        }
        assert_eq!(map_at(2), PageNumber(16257));
        let mut page = empty();
        assert_eq!(page[32..34], [0x40, 0]);
        set_run(&mut page, PageNumber(1), PageNumber(2), 2, PageState::Persistent).unwrap();
        assert_eq!(page[32..34], [0x42, 0x20]);
        set_run(&mut page, PageNumber(1), PageNumber(8128), 1, PageState::NonPersistent).unwrap();
        assert_eq!(page[4095], 0x03);
    }

    #[test]
    fn runs_outside_the_map_or_over_it_are_refused() {
        let mut page = empty();
        for (first, count) in [(0, 1), (1, 1), (8129, 1), (8128, 2), (2, 8128)] {
            let run = set_run(&mut page, PageNumber(1), PageNumber(first), count, PageState::Object);
            assert!(run.is_err(), "{first} {count}");
        }
        assert_eq!(page, empty());
    }

    proptest! {
        #[test]
        fn behaves_as_an_array(
            runs in proptest::collection::vec((1u32..COVERED, 1u16..600, 0u8..4), 0..40), from in 0u32..COVERED
        ) {
            let mut page = empty();
            let mut model = vec![PageState::Free; COVERED as usize];
            model[0] = PageState::Map;
            for (first, count, code) in runs {
                let to = PageState::from_code(code).unwrap();
                let fits = first + u32::from(count) <= COVERED;
                prop_assert_eq!(set_run(&mut page, PageNumber(1), PageNumber(first + 1), count, to).is_ok(), fits);
                if fits {
                    model[first as usize..][..usize::from(count)].fill(to);
                }
            }
            for (index, expected) in model.iter().enumerate() {
                prop_assert_eq!(state(&page, index as u32), Some(*expected));
            }
            let expected = model.iter().skip(from as usize).position(|s| *s == PageState::Free);
            prop_assert_eq!(find_free(&page, from, COVERED), expected.map(|at| at as u32 + from));
            let counts = count_states(&page, COVERED);
            for state in PageState::ALL {
                let expected = model.iter().filter(|s| **s == state).count() as u32;
                prop_assert_eq!(counts[usize::from(state.code())], expected);
            }
        }
    }
}
