//! The one function that applies a log record to a page, in normal work and in redo alike.

use format_log::Body;
use format_pageset::slotted::{self, SlotError};
use format_pageset::space_map::{self, RunError};
use format_pageset::{PageBytes, PageDamage, PageState, PageType, page};
use format_types::{PAGE_SIZE, RbaRange};

/// Why a record does not fit a page.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ApplyError {
    /// The slot is taken, vacant, or there is no room.
    #[error(transparent)]
    Slot(#[from] SlotError),
    /// The space map does not cover the run.
    #[error(transparent)]
    Run(#[from] RunError),
    /// The page is of another type.
    #[error("the page has type {0:02X}")]
    WrongType(u8),
    /// The record names a page type that does not exist.
    #[error("page type {0:02X} does not exist")]
    UnknownType(u8),
    /// The record names a page state that does not exist.
    #[error("page state {0} does not exist")]
    UnknownState(u8),
    /// The image is not one of this page.
    #[error("the image is not of this page: {0}")]
    Image(PageDamage),
    /// The record changes no page.
    #[error("the record changes no page")]
    NoPage,
}

/// Applies the record at `at` to its page and sets the page RBA to the record's end. Depends on the page's bytes and the record alone.
///
/// `Format` and `PageImage` replace the page whatever it holds; every other record needs the page as it was before.
///
/// # Errors
/// When the record does not fit the page; the page is unchanged then.
pub fn apply(bytes: &mut PageBytes, at: RbaRange, body: &Body<'_>) -> Result<(), ApplyError> {
    match body {
        Body::Insert { slot, record, .. } => {
            need_slots(bytes)?;
            slotted::insert(bytes, *slot, record)?;
        }
        Body::Delete { slot, .. } | Body::Compensate { slot, .. } => {
            need_slots(bytes)?;
            slotted::remove(bytes, *slot)?;
        }
        Body::Format { at: address, page_type } => {
            let page_type = PageType::from_code(*page_type).ok_or(ApplyError::UnknownType(*page_type))?;
            page::format(bytes, *address, page_type, at.start, at.end);
        }
        Body::PageImage { at: address, image } => {
            page::read_header(image, *address).map_err(ApplyError::Image)?;
            let image: &PageBytes =
                (*image).try_into().map_err(|_| ApplyError::Image(PageDamage::Length(image.len())))?;
            *bytes = *image;
        }
        Body::SpaceMap { map, first, state, count } => {
            if page::page_type(bytes) != Some(PageType::Map) {
                return Err(ApplyError::WrongType(bytes[4]));
            }
            let state = PageState::from_code(*state).ok_or(ApplyError::UnknownState(*state))?;
            space_map::set_run(bytes, map.page, *first, *count, state)?;
        }
        _ => return Err(ApplyError::NoPage),
    }
    page::set_page_rba(bytes, at.end);
    Ok(())
}

fn need_slots(bytes: &PageBytes) -> Result<(), ApplyError> {
    if page::page_type(bytes).is_some_and(PageType::is_slotted) {
        Ok(())
    } else {
        Err(ApplyError::WrongType(bytes[4]))
    }
}

/// Whether a record replaces its page whatever the page holds.
pub(crate) const fn replaces(body: &Body<'_>) -> bool {
    matches!(body, Body::Format { .. } | Body::PageImage { .. })
}

const _: () = assert!(PAGE_SIZE == 4096);

#[cfg(test)]
mod tests {
    use format_types::{PageAddress, PageNumber, PageSetId, Rba};

    use super::*;

    fn range(start: u64) -> RbaRange {
        RbaRange::new(Rba(start), Rba(start + 100))
    }

    #[test]
    fn every_kind_of_record_changes_the_page_and_its_rba() {
        let at = PageAddress::new(PageSetId::ZERO, PageNumber(2));
        let mut page = [0xEE; PAGE_SIZE];
        let page_type = PageType::Persistent.code();
        apply(&mut page, range(1000), &Body::Format { at, page_type }).unwrap();
        assert_eq!(page::page_rba(&page), Rba(1100));
        apply(&mut page, range(1100), &Body::Insert { at, slot: 0, record: b"first" }).unwrap();
        let image = page;
        apply(&mut page, range(1200), &Body::Insert { at, slot: 1, record: b"second" }).unwrap();
        assert_eq!(slotted::iter(&page).count(), 2);
        apply(&mut page, range(1300), &Body::Delete { at, slot: 0 }).unwrap();
        apply(&mut page, range(1400), &Body::Compensate { at, slot: 1, undo_next: Rba(1) }).unwrap();
        assert_eq!(slotted::records(&page), 0);
        assert_eq!(page::page_rba(&page), Rba(1500));
        apply(&mut page, range(1500), &Body::PageImage { at, image: &image }).unwrap();
        assert_eq!(slotted::record(&page, 0), Some(&b"first"[..]));
        assert_eq!(page::page_rba(&page), Rba(1600));
    }

    #[test]
    fn records_that_do_not_fit_change_nothing() {
        let at = PageAddress::new(PageSetId::ZERO, PageNumber(2));
        let mut page = [0; PAGE_SIZE];
        page::format(&mut page, at, PageType::Free, Rba(0), Rba(7));
        let before = page;
        let other = PageAddress::new(PageSetId::ZERO, PageNumber(3));
        for body in [
            Body::Insert { at, slot: 0, record: b"x" },
            Body::Delete { at, slot: 0 },
            Body::Format { at, page_type: 1 },
            Body::PageImage { at, image: b"short" },
            Body::PageImage { at: other, image: &before },
            Body::SpaceMap { map: at, first: PageNumber(4), state: 1, count: 1 },
            Body::EndUr,
        ] {
            assert!(apply(&mut page, range(50), &body).is_err(), "{body:?}");
            assert_eq!(page, before);
        }
    }
}
