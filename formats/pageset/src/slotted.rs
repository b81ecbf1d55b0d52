//! Slotted pages: records of different lengths on one page, each addressed by a slot that never moves.
//!
//! **Purpose.** Holds object definitions and message fragments; a log record names page and slot, and the same function applied to
//! the same page gives the same bytes, in normal work and in redo.
//!
//! ```text
//!   32        40                                                                            4096
//!   +---------+--------+--------+-- ~ --+---------------------+---------- ~ ----------------+
//!   | counts  | slot 0 | slot 1 |       |  free               |  records, the last added first |
//!   +---------+--------+--------+-- ~ --+---------------------+---------- ~ ----------------+
//! ```
//!
//! | offset in page | bytes | field |
//! |---|---|---|
//! | 32 | 2 | slots in the directory, vacant ones included |
//! | 34 | 2 | records |
//! | 36 | 2 | offset of the lowest record; 4096 when there is none |
//! | 38 | 2 | bytes of all records together |
//! | 40 + 4n | 2 | slot n: offset of its record in the page; zero when vacant |
//! | 42 + 4n | 2 | slot n: bytes of its record; zero when vacant |
//!
//! **Validity.** The page's checksum covers all. Beyond it every access is checked against the page, so that a page that was sealed
//! with nonsense gives errors, never a panic; [`check`] verifies the whole structure.
//!
//! **Rules that make redo exact.** Vacant slots at the end of the directory are cut off. A record goes just below the lowest one;
//! when the gap is too small but the page has room, records are first moved together at the end of the page in the order of their
//! slots. A removed record that is the lowest gives its bytes back at once.
//!
//! **Torn pages, order of writes**: as for every page (`page`). **Not meant for** records larger than [`MAX_RECORD`]: those are
//! cut into fragments.

use format_types::PAGE_SIZE;

use crate::page::{HEADER_SIZE, PageBytes};

/// Offset of the first slot.
pub const DIRECTORY: usize = HEADER_SIZE + 8;

/// Bytes of a slot.
pub const SLOT_SIZE: usize = 4;

/// The longest record that fits into an empty page.
pub const MAX_RECORD: usize = PAGE_SIZE - DIRECTORY - SLOT_SIZE;

const COUNT: usize = HEADER_SIZE;
const LIVE: usize = HEADER_SIZE + 2;
const LOWEST: usize = HEADER_SIZE + 4;
const BYTES: usize = HEADER_SIZE + 6;

/// Why a slot cannot be filled or emptied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SlotError {
    /// The slot holds a record already.
    #[error("slot {0} holds a record already")]
    Occupied(u16),
    /// The slot holds no record.
    #[error("slot {0} holds no record")]
    Vacant(u16),
    /// The slot lies beyond the end of the directory.
    #[error("slot {slot} is not the next after the {slots} that there are")]
    Gap {
        /// The slot wanted.
        slot: u16,
        /// Slots in the directory.
        slots: u16,
    },
    /// The page has no room for the record.
    #[error("{wanted} bytes wanted, {free} are free")]
    NoRoom {
        /// Bytes of record and slot.
        wanted: usize,
        /// Bytes free on the page.
        free: usize,
    },
    /// A record of no bytes.
    #[error("a record has at least one byte")]
    Empty,
    /// The directory contradicts itself.
    #[error("the slot directory is inconsistent: {0}")]
    Structure(&'static str),
}

fn field(page: &PageBytes, at: usize) -> u16 {
    match page.get(at..at + 2) {
        Some(&[a, b]) => u16::from_be_bytes([a, b]),
        _ => 0,
    }
}

fn set_field(page: &mut PageBytes, at: usize, value: u16) {
    if let Some(bytes) = page.get_mut(at..at + 2) {
        bytes.copy_from_slice(&value.to_be_bytes());
    }
}

fn slot_at(slot: u16) -> usize {
    DIRECTORY + usize::from(slot) * SLOT_SIZE
}

/// Offset and length of the record in a slot; none when it is vacant or absent.
fn entry(page: &PageBytes, slot: u16) -> Option<(usize, usize)> {
    if slot >= slots(page) {
        return None;
    }
    let (offset, length) = (field(page, slot_at(slot)), field(page, slot_at(slot) + 2));
    (offset != 0).then_some((usize::from(offset), usize::from(length)))
}

/// Makes the body of a page an empty one. The header is left alone.
pub fn initialise(page: &mut PageBytes) {
    page[HEADER_SIZE..].fill(0);
    set_field(page, LOWEST, PAGE_SIZE as u16);
}

/// Slots in the directory, vacant ones included.
#[must_use]
pub fn slots(page: &PageBytes) -> u16 {
    field(page, COUNT)
}

/// Records on the page.
#[must_use]
pub fn records(page: &PageBytes) -> u16 {
    field(page, LIVE)
}

/// Bytes that neither records nor the directory use. A new record may need [`SLOT_SIZE`] of them beside its own.
#[must_use]
pub fn free_bytes(page: &PageBytes) -> usize {
    PAGE_SIZE.saturating_sub(slot_at(slots(page)) + usize::from(field(page, BYTES)))
}

/// The record in a slot; none when the slot is vacant or there is no such slot.
#[must_use]
pub fn record(page: &PageBytes, slot: u16) -> Option<&[u8]> {
    let (offset, length) = entry(page, slot)?;
    page.get(offset..offset + length)
}

/// All records with their slots, in the order of the slots.
pub fn iter(page: &PageBytes) -> impl Iterator<Item = (u16, &[u8])> {
    (0..slots(page)).filter_map(|slot| record(page, slot).map(|bytes| (slot, bytes)))
}

/// The slot that a record of `length` bytes would get: the lowest vacant one, else a new one; none when there is no room.
#[must_use]
pub fn slot_for(page: &PageBytes, length: usize) -> Option<u16> {
    let count = slots(page);
    let vacant =
        if records(page) < count { (0..count).find(|slot| entry(page, *slot).is_none()) } else { None };
    let wanted = if vacant.is_some() { length } else { length + SLOT_SIZE };
    (wanted <= free_bytes(page)).then_some(vacant.unwrap_or(count))
}

/// Puts a record into a vacant slot, or into the next new one.
///
/// # Errors
/// When the slot is taken or too far, or there is no room; the page is unchanged then.
pub fn insert(page: &mut PageBytes, slot: u16, record: &[u8]) -> Result<(), SlotError> {
    let count = slots(page);
    if record.is_empty() {
        return Err(SlotError::Empty);
    }
    if slot > count {
        return Err(SlotError::Gap { slot, slots: count });
    }
    if entry(page, slot).is_some() {
        return Err(SlotError::Occupied(slot));
    }
    let new_slot = slot == count;
    let wanted = record.len() + if new_slot { SLOT_SIZE } else { 0 };
    let free = free_bytes(page);
    if wanted > free {
        return Err(SlotError::NoRoom { wanted, free });
    }
    let directory_end = slot_at(if new_slot { count + 1 } else { count });
    if usize::from(field(page, LOWEST)) < directory_end + record.len() {
        compact(page)?;
    }
    let lowest = usize::from(field(page, LOWEST));
    let offset = lowest.checked_sub(record.len()).filter(|offset| *offset >= directory_end);
    let offset = offset.ok_or(SlotError::Structure("the free space is not where it should be"))?;
    let target =
        page.get_mut(offset..lowest).ok_or(SlotError::Structure("the lowest record lies outside"))?;
    target.copy_from_slice(record);
    // All of these fit: offset and lengths are below 4096.
    set_field(page, slot_at(slot), offset as u16);
    set_field(page, slot_at(slot) + 2, record.len() as u16);
    if new_slot {
        set_field(page, COUNT, count + 1);
    }
    set_field(page, LIVE, records(page).saturating_add(1));
    set_field(page, LOWEST, offset as u16);
    set_field(page, BYTES, field(page, BYTES).saturating_add(record.len() as u16));
    Ok(())
}

/// Empties a slot.
///
/// # Errors
/// When it holds no record; the page is unchanged then.
pub fn remove(page: &mut PageBytes, slot: u16) -> Result<(), SlotError> {
    let (offset, length) = entry(page, slot).ok_or(SlotError::Vacant(slot))?;
    if records(page) <= 1 {
        initialise(page);
        return Ok(());
    }
    set_field(page, slot_at(slot), 0);
    set_field(page, slot_at(slot) + 2, 0);
    if usize::from(field(page, LOWEST)) == offset {
        set_field(page, LOWEST, (offset + length).min(PAGE_SIZE) as u16);
    }
    set_field(page, LIVE, records(page).saturating_sub(1));
    set_field(page, BYTES, field(page, BYTES).saturating_sub(length as u16));
    let mut count = slots(page);
    while count > 0 && entry(page, count - 1).is_none() {
        count -= 1;
        set_field(page, COUNT, count);
    }
    Ok(())
}

/// Moves all records together at the end of the page, in the order of their slots.
fn compact(page: &mut PageBytes) -> Result<(), SlotError> {
    let old = *page;
    let count = slots(&old);
    let mut lowest = PAGE_SIZE;
    for slot in 0..count {
        let Some((_, length)) = entry(&old, slot) else { continue };
        let bytes = record(&old, slot).ok_or(SlotError::Structure("a record lies outside the page"))?;
        let at = lowest.checked_sub(length).filter(|at| *at >= slot_at(count));
        let at = at.ok_or(SlotError::Structure("the records are longer than the page"))?;
        if let Some(target) = page.get_mut(at..lowest) {
            target.copy_from_slice(bytes);
        }
        set_field(page, slot_at(slot), at as u16);
        lowest = at;
    }
    if let Some(gap) = page.get_mut(slot_at(count)..lowest) {
        gap.fill(0);
    }
    set_field(page, LOWEST, lowest as u16);
    Ok(())
}

/// Checks the whole structure: counts, bounds, and that no records overlap.
///
/// # Errors
/// What is inconsistent.
pub fn check(page: &PageBytes) -> Result<(), SlotError> {
    let count = slots(page);
    let directory_end = slot_at(count);
    let lowest = usize::from(field(page, LOWEST));
    if directory_end > PAGE_SIZE || lowest < directory_end || lowest > PAGE_SIZE {
        return Err(SlotError::Structure("the directory and the records overlap"));
    }
    let mut ranges: Vec<(usize, usize)> = (0..count).filter_map(|slot| entry(page, slot)).collect();
    if ranges.len() != usize::from(records(page)) {
        return Err(SlotError::Structure("the number of records is wrong"));
    }
    if ranges.iter().map(|(_, length)| length).sum::<usize>() != usize::from(field(page, BYTES)) {
        return Err(SlotError::Structure("the number of bytes is wrong"));
    }
    if count > 0 && entry(page, count - 1).is_none() {
        return Err(SlotError::Structure("the last slot is vacant"));
    }
    ranges.sort_unstable();
    let mut end = lowest;
    for (offset, length) in ranges {
        if length == 0 || offset < end || offset + length > PAGE_SIZE {
            return Err(SlotError::Structure("records overlap or lie outside"));
        }
        end = offset + length;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use format_types::{PageAddress, PageNumber, PageSetId, Rba};
    use proptest::prelude::*;

    use super::*;
    use crate::page::{self, PageType};

    fn empty() -> PageBytes {
        let mut page = [0; PAGE_SIZE];
        let address = PageAddress::new(PageSetId::ZERO, PageNumber(2));
        page::format(&mut page, address, PageType::Persistent, Rba::ZERO, Rba::ZERO);
        page
    }

    #[test]
    fn constants_are_pinned() {
        assert_eq!(MAX_RECORD, 4052);
        let mut page = empty();
        assert_eq!(page[32..40], [0, 0, 0, 0, 0x10, 0, 0, 0]);
        insert(&mut page, 0, &[7; 10]).unwrap();
        insert(&mut page, 1, &[8; 6]).unwrap();
        assert_eq!(page[32..40], [0, 2, 0, 2, 0x0F, 0xF0, 0, 16]);
        assert_eq!(page[40..48], [0x0F, 0xF6, 0, 10, 0x0F, 0xF0, 0, 6]);
        assert_eq!(page[0xFF0..0xFF6], [8; 6]);
    }

    #[test]
    fn the_longest_record_fits_exactly() {
        let mut page = empty();
        assert_eq!(slot_for(&page, MAX_RECORD + 1), None);
        assert_eq!(slot_for(&page, MAX_RECORD), Some(0));
        insert(&mut page, 0, &[1; MAX_RECORD]).unwrap();
        assert_eq!(free_bytes(&page), 0);
        assert_eq!(slot_for(&page, 1), None);
        check(&page).unwrap();
        remove(&mut page, 0).unwrap();
        assert_eq!(page, empty());
    }

    #[test]
    fn wrong_slots_are_refused_and_change_nothing() {
        let mut page = empty();
        insert(&mut page, 0, b"a").unwrap();
        let before = page;
        assert_eq!(insert(&mut page, 0, b"b"), Err(SlotError::Occupied(0)));
        assert_eq!(insert(&mut page, 2, b"b"), Err(SlotError::Gap { slot: 2, slots: 1 }));
        assert_eq!(insert(&mut page, 1, b""), Err(SlotError::Empty));
        assert_eq!(remove(&mut page, 1), Err(SlotError::Vacant(1)));
        assert!(matches!(insert(&mut page, 1, &[0; 4096]), Err(SlotError::NoRoom { .. })));
        assert_eq!(page, before);
    }

    #[derive(Debug, Clone)]
    enum Step {
        Insert(usize, u8),
        Remove(usize),
    }

    fn steps() -> impl Strategy<Value = Vec<Step>> {
        let step = prop_oneof![
            3 => (1usize..900, any::<u8>()).prop_map(|(length, fill)| Step::Insert(length, fill)),
            2 => (0usize..64).prop_map(Step::Remove),
        ];
        proptest::collection::vec(step, 0..200)
    }

    proptest! {
        #[test]
        fn behaves_as_a_map_from_slot_to_record(steps in steps()) {
            let mut page = empty();
            let mut model = BTreeMap::<u16, Vec<u8>>::new();
            for step in steps {
                match step {
                    Step::Insert(length, fill) => {
                        let used: usize = model.values().map(Vec::len).sum();
                        let slots = model.keys().next_back().map_or(0, |slot| slot + 1);
                        let vacant = (0..slots).find(|slot| !model.contains_key(slot));
                        let after = slots + u16::from(vacant.is_none());
                        let fits = DIRECTORY + usize::from(after) * SLOT_SIZE + used + length <= PAGE_SIZE;
                        let slot = slot_for(&page, length);
                        prop_assert_eq!(slot, fits.then(|| vacant.unwrap_or(slots)));
                        if let Some(slot) = slot {
                            let bytes = vec![fill; length];
                            insert(&mut page, slot, &bytes).unwrap();
                            model.insert(slot, bytes);
                        }
                    }
                    Step::Remove(nth) => {
                        if let Some(slot) = model.keys().nth(nth).copied() {
                            remove(&mut page, slot).unwrap();
                            model.remove(&slot);
                        }
                    }
                }
                check(&page).unwrap();
                let found: BTreeMap<u16, Vec<u8>> = iter(&page).map(|(slot, r)| (slot, r.to_vec())).collect();
                prop_assert_eq!(&found, &model);
            }
        }

        #[test]
        fn nonsense_never_panics(
            bytes in proptest::collection::vec(any::<u8>(), 64..256), slot in 0u16..2000, length in 1usize..4096
        ) {
            let mut page = empty();
            page[32..32 + bytes.len()].copy_from_slice(&bytes);
            let _ = check(&page);
            let _ = iter(&page).count();
            let _ = slot_for(&page, length);
            let mut changed = page;
            let _ = insert(&mut changed, slot, &vec![1; length]);
            let _ = remove(&mut changed, slot);
            let small = u16::from(bytes[0]);
            let _ = insert(&mut page, small, &vec![1; length]);
            let _ = remove(&mut page, small);
        }
    }
}
