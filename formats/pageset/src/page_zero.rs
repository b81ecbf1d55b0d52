//! Page zero: what a page set says of itself.
//!
//! **Purpose.** Tells whose page set this is, which line of log belongs to it, from which RBA that log is needed, and how many of
//! its pages are formatted.
//!
//! ```text
//!   0             512                  2048           2560                 4096
//!   +-------------+--------------------+--------------+--------------------+
//!   | slot 0      | zeros              | slot 1       | zeros              |
//!   +-------------+--------------------+--------------+--------------------+
//! ```
//!
//! | offset in slot | bytes | field |
//! |---|---|---|
//! | 0 | 8 | eye-catcher `HWPAGSET` |
//! | 8 | 2 | format version, 1 |
//! | 10 | 1 | slot, 0 or 1 |
//! | 11 | 1 | EXPAND: 1 USER, 2 SYSTEM, 3 NONE |
//! | 12 | 4 | queue manager name, padded with blanks |
//! | 16 | 8 | sequence number; the higher of two valid slots holds |
//! | 24 | 8 | queue manager identity |
//! | 32 | 8 | log history, random bits |
//! | 40 | 4 | log history, number |
//! | 44 | 2 | page set, 0 to 99 |
//! | 46 | 2 | extents |
//! | 48 | 8 | recovery RBA: every change below it is in the page set on disk |
//! | 56 | 8 | highest RBA of the log known to be durable when this was written |
//! | 64 | 8 | RBA at which the page set was closed cleanly |
//! | 72 | 1 | 1 when it was closed cleanly, else 0 |
//! | 73 | 1 | reserved, zero |
//! | 74 | 2 | expansions so far |
//! | 76 | 4 | pages used: formatted and usable (HI-U-RBA over 4096) |
//! | 80 | 4 | pages at creation |
//! | 84 | 424 | reserved, zero |
//! | 508 | 4 | CRC-32C of bytes 0 to 507 of the slot |
//!
//! Eye-catcher, version and checksum keep their places in every later version.
//!
//! **Validity.** A slot is valid when its checksum, eye-catcher and slot number are right. Page zero is intact when both slots are
//! valid and all bytes outside them are zero; it is usable when one slot is valid. There is no checksum over the page.
//!
//! **Torn writes.** The slots lie in separate sectors and only one is written at a time, so that the other stays as it was.
//!
//! **Order of writes.** The slot that is not the durable one is written, after all pages below its recovery RBA are durable; then
//! the page set is synced. The same slot is written again until a sync succeeded, so that one durable slot is there always.
//!
//! **Not meant for** anything that changes with every message: it is rewritten at checkpoints only.

use format_types::{Expand, HistoryId, PAGE_SIZE, PageSetId, QueueManagerId, QueueManagerName, Rba, crc32c};
use zerocopy::byteorder::big_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::page::PageBytes;

/// Bytes of a slot: one sector.
pub const SLOT_SIZE: usize = 512;

/// What a page set begins with.
pub const EYE_CATCHER: [u8; 8] = *b"HWPAGSET";

/// The format written today.
pub const VERSION: u16 = 1;

/// Offsets of the two slots in the page.
pub const SLOT_OFFSETS: [usize; 2] = [0, 2048];

const CRC_OFFSET: usize = SLOT_SIZE - 4;

/// What page zero says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageZero {
    /// The queue manager that owns the page set.
    pub queue_manager: QueueManagerId,
    /// Its name.
    pub name: QueueManagerName,
    /// Which page set this is.
    pub page_set: PageSetId,
    /// The line of log that belongs to it.
    pub history: HistoryId,
    /// Every change below this RBA is in the page set on disk.
    pub recovery_rba: Rba,
    /// Highest RBA of the log known to be durable when this was written.
    pub highest_synced: Rba,
    /// Pages formatted and usable, page zero included.
    pub pages_used: u32,
    /// Extents that it consists of.
    pub extents: u16,
    /// How often it was expanded.
    pub expansions: u16,
    /// How it grows.
    pub expand: Expand,
    /// Pages at creation; EXPAND(USER) grows by as many.
    pub initial_pages: u32,
    /// Where the log ended when the page set was closed cleanly; none while it is open.
    pub closed_cleanly: Option<Rba>,
}

/// Something wrong in page zero that leaves a usable slot.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageZeroDamage {
    /// A slot is torn or changed; the other one serves.
    #[error("slot {slot} of page zero is damaged: {why}")]
    Slot {
        /// 0 or 1.
        slot: u8,
        /// What is wrong with it.
        why: SlotDamage,
    },
    /// A byte outside the slots is not zero.
    #[error("byte {offset} of page zero is not zero")]
    Filler {
        /// Offset in the page.
        offset: usize,
    },
}

/// Why a slot is not valid.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SlotDamage {
    /// It does not begin as a slot does.
    #[error("no eye-catcher")]
    EyeCatcher,
    /// Its bytes changed.
    #[error("checksum is {computed:08X}, {stored:08X} is stored")]
    Checksum {
        /// The checksum in the slot.
        stored: u32,
        /// The checksum of the bytes.
        computed: u32,
    },
    /// A field holds what cannot be there, though the checksum agrees.
    #[error("{0} is out of range")]
    Field(&'static str),
}

/// Why page zero cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageZeroError {
    /// There are not 4096 bytes.
    #[error("page zero has {0} bytes instead of 4096")]
    Length(usize),
    /// Neither slot begins as one.
    #[error("not a page set: page zero has no eye-catcher")]
    NotAPageSet,
    /// Both slots are torn or changed.
    #[error("both slots of page zero are damaged: {0}; {1}")]
    BothDamaged(SlotDamage, SlotDamage),
    /// Written by a newer program.
    #[error("page set format version {0}, {VERSION} is the newest known: use a newer program")]
    NewerVersion(u16),
}

/// Page zero as it was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadPageZero {
    /// What the valid slot with the higher sequence number says.
    pub zero: PageZero,
    /// That slot, 0 or 1.
    pub slot: u8,
    /// Its sequence number.
    pub sequence: u64,
    /// What is wrong beside it; empty when page zero is intact.
    pub damage: Vec<PageZeroDamage>,
}

impl ReadPageZero {
    /// Whether both slots are valid and everything else is zero.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.damage.is_empty()
    }
}

#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
struct RawSlot {
    eye_catcher: [u8; 8],
    version: U16,
    slot: u8,
    expand: u8,
    name: [u8; 4],
    sequence: U64,
    queue_manager: U64,
    history_random: U64,
    history_number: U32,
    page_set: U16,
    extents: U16,
    recovery_rba: U64,
    highest_synced: U64,
    closed_at: U64,
    closed: u8,
    reserved: u8,
    expansions: U16,
    pages_used: U32,
    initial_pages: U32,
    unused: [u8; 424],
    crc: U32,
}

const _: () = assert!(size_of::<RawSlot>() == SLOT_SIZE);
const _: () = assert!(SLOT_OFFSETS[1].is_multiple_of(512) && SLOT_OFFSETS[1] + SLOT_SIZE <= PAGE_SIZE);

/// Offset of a slot in the page set.
#[must_use]
pub const fn slot_offset(slot: u8) -> u64 {
    SLOT_OFFSETS[(slot & 1) as usize] as u64
}

/// The slot to write while `slot` is the durable one.
#[must_use]
pub const fn other_slot(slot: u8) -> u8 {
    (slot & 1) ^ 1
}

/// The bytes of a slot, sealed.
#[must_use]
pub fn encode_slot(zero: &PageZero, slot: u8, sequence: u64) -> [u8; SLOT_SIZE] {
    let mut name = [b' '; 4];
    for (to, from) in name.iter_mut().zip(zero.name.as_str().bytes()) {
        *to = from;
    }
    let mut raw = RawSlot {
        eye_catcher: EYE_CATCHER,
        version: U16::new(VERSION),
        slot: slot & 1,
        expand: expand_code(zero.expand),
        name,
        sequence: U64::new(sequence),
        queue_manager: U64::new(zero.queue_manager.0),
        history_random: U64::new(zero.history.random),
        history_number: U32::new(zero.history.number),
        page_set: U16::new(u16::from(zero.page_set.number())),
        extents: U16::new(zero.extents),
        recovery_rba: U64::new(zero.recovery_rba.0),
        highest_synced: U64::new(zero.highest_synced.0),
        closed_at: U64::new(zero.closed_cleanly.unwrap_or(Rba::ZERO).0),
        closed: u8::from(zero.closed_cleanly.is_some()),
        reserved: 0,
        expansions: U16::new(zero.expansions),
        pages_used: U32::new(zero.pages_used),
        initial_pages: U32::new(zero.initial_pages),
        unused: [0; 424],
        crc: U32::ZERO,
    };
    let crc = crc32c(&raw.as_bytes()[..CRC_OFFSET]);
    raw.crc = U32::new(crc);
    let mut bytes = [0; SLOT_SIZE];
    bytes.copy_from_slice(raw.as_bytes());
    bytes
}

/// A whole page zero with both slots saying the same: for a new page set, or to restamp one. Slot 1 holds, with `sequence` + 1.
#[must_use]
pub fn encode_page(zero: &PageZero, sequence: u64) -> PageBytes {
    let mut page = [0; PAGE_SIZE];
    for (slot, offset) in (0u8..).zip(SLOT_OFFSETS) {
        let bytes = encode_slot(zero, slot, sequence.saturating_add(u64::from(slot)));
        page[offset..offset + SLOT_SIZE].copy_from_slice(&bytes);
    }
    page
}

/// Reads page zero: the valid slot with the higher sequence number.
///
/// # Errors
/// When no slot can be used, and why.
pub fn decode(page: &[u8]) -> Result<ReadPageZero, PageZeroError> {
    if page.len() != PAGE_SIZE {
        return Err(PageZeroError::Length(page.len()));
    }
    let first = decode_slot(page, 0)?;
    let second = decode_slot(page, 1)?;
    let mut damage = Vec::new();
    let (zero, slot, sequence) = match (first, second) {
        (Ok(first), Ok(second)) => {
            if second.1 > first.1 {
                (second.0, 1, second.1)
            } else {
                (first.0, 0, first.1)
            }
        }
        (Ok(first), Err(why)) => {
            damage.push(PageZeroDamage::Slot { slot: 1, why });
            (first.0, 0, first.1)
        }
        (Err(why), Ok(second)) => {
            damage.push(PageZeroDamage::Slot { slot: 0, why });
            (second.0, 1, second.1)
        }
        (Err(SlotDamage::EyeCatcher), Err(SlotDamage::EyeCatcher)) => return Err(PageZeroError::NotAPageSet),
        (Err(first), Err(second)) => return Err(PageZeroError::BothDamaged(first, second)),
    };
    let in_slot = |offset: usize| SLOT_OFFSETS.iter().any(|s| (*s..*s + SLOT_SIZE).contains(&offset));
    let filler = page.iter().enumerate().find(|(offset, byte)| **byte != 0 && !in_slot(*offset));
    if let Some((offset, _)) = filler {
        damage.push(PageZeroDamage::Filler { offset });
    }
    Ok(ReadPageZero { zero, slot, sequence, damage })
}

/// A valid slot with its sequence number, or why it is none; a newer version ends the reading.
#[allow(clippy::type_complexity)]
fn decode_slot(page: &[u8], slot: u8) -> Result<Result<(PageZero, u64), SlotDamage>, PageZeroError> {
    let at = SLOT_OFFSETS[usize::from(slot & 1)];
    let Some(bytes) = page.get(at..at + SLOT_SIZE) else {
        return Err(PageZeroError::Length(page.len()));
    };
    let (Ok(raw), Some(covered)) = (RawSlot::ref_from_bytes(bytes), bytes.get(..CRC_OFFSET)) else {
        return Err(PageZeroError::Length(page.len()));
    };
    if raw.eye_catcher != EYE_CATCHER {
        return Ok(Err(SlotDamage::EyeCatcher));
    }
    let (stored, computed) = (raw.crc.get(), crc32c(covered));
    if stored != computed {
        return Ok(Err(SlotDamage::Checksum { stored, computed }));
    }
    if raw.version.get() > VERSION {
        return Err(PageZeroError::NewerVersion(raw.version.get()));
    }
    Ok(checked(raw, slot).map(|zero| (zero, raw.sequence.get())).map_err(SlotDamage::Field))
}

fn checked(raw: &RawSlot, slot: u8) -> Result<PageZero, &'static str> {
    if raw.version.get() != VERSION {
        return Err("the version");
    }
    if raw.slot != slot {
        return Err("the slot number");
    }
    let name = std::str::from_utf8(&raw.name).map_err(|_| "the queue manager name")?;
    let page_set = u8::try_from(raw.page_set.get()).ok().and_then(PageSetId::new);
    let closed_cleanly = match raw.closed {
        0 => None,
        1 => Some(Rba(raw.closed_at.get())),
        _ => return Err("the closed-cleanly flag"),
    };
    let pages_used = raw.pages_used.get();
    if !(2..=crate::page::MAX_PAGES).contains(&pages_used) {
        return Err("the number of pages used");
    }
    Ok(PageZero {
        queue_manager: QueueManagerId(raw.queue_manager.get()),
        name: name.trim_end_matches(' ').parse().map_err(|_| "the queue manager name")?,
        page_set: page_set.ok_or("the page set number")?,
        history: HistoryId { number: raw.history_number.get(), random: raw.history_random.get() },
        recovery_rba: Rba(raw.recovery_rba.get()),
        highest_synced: Rba(raw.highest_synced.get()),
        pages_used,
        extents: raw.extents.get(),
        expansions: raw.expansions.get(),
        expand: expand_from_code(raw.expand).ok_or("EXPAND")?,
        initial_pages: raw.initial_pages.get(),
        closed_cleanly,
    })
}

const fn expand_code(expand: Expand) -> u8 {
    match expand {
        Expand::User => 1,
        Expand::System => 2,
        Expand::None => 3,
    }
}

const fn expand_from_code(code: u8) -> Option<Expand> {
    match code {
        1 => Some(Expand::User),
        2 => Some(Expand::System),
        3 => Some(Expand::None),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use super::*;

    #[test]
    fn the_documentation_has_the_fields() {
        let text = include_str!("../../../docs/formats/pageset.md");
        let text = text.split("## Page zero").nth(1).unwrap();
        macro_rules! rows {
            ($($field:ident),+) => {
                vec![$((offset_of!(RawSlot, $field), stringify!($field))),+]
            };
        }
        #[rustfmt::skip]
        let fields = rows!(
            eye_catcher, version, slot, expand, name, sequence, queue_manager, history_random, history_number, page_set,
            extents, recovery_rba, highest_synced, closed_at, closed, reserved, expansions, pages_used, initial_pages, unused, crc
        );
        let ends = fields.iter().skip(1).map(|(offset, _)| *offset).chain([SLOT_SIZE]);
        for ((offset, name), end) in fields.iter().zip(ends) {
            let row = format!("| {offset} | {} | `{name}` |", end - offset);
            assert!(text.contains(&row), "{row}");
        }
        let [first, second] = SLOT_OFFSETS;
        assert!(text.contains(&format!("slots of {SLOT_SIZE} bytes, at offsets {first} and {second}")));
        assert!(text.contains(std::str::from_utf8(&EYE_CATCHER).unwrap()));
    }

    fn sample() -> PageZero {
        PageZero {
            queue_manager: QueueManagerId(0x0102_0304_0506_0708),
            name: "QM1".parse().unwrap(),
            page_set: PageSetId::new(42).unwrap(),
            history: HistoryId { number: 3, random: 0xA1A2_A3A4_A5A6_A7A8 },
            recovery_rba: Rba(0x1000),
            highest_synced: Rba(0x2000),
            pages_used: 4096,
            extents: 2,
            expansions: 1,
            expand: Expand::System,
            initial_pages: 2048,
            closed_cleanly: Some(Rba(0x3000)),
        }
    }

    /// Slot 0 older, slot 1 newer, with different recovery RBAs.
    fn page() -> (PageBytes, PageZero, PageZero) {
        let older = sample();
        let newer = PageZero { recovery_rba: Rba(0x1800), closed_cleanly: None, ..sample() };
        let mut page = encode_page(&older, 10);
        page[2048..2560].copy_from_slice(&encode_slot(&newer, 1, 11));
        (page, older, newer)
    }

    #[test]
    fn fields_lie_where_the_table_says() {
        let bytes = encode_slot(&sample(), 1, 0x77);
        assert_eq!(&bytes[..8], b"HWPAGSET");
        assert_eq!(bytes[8..12], [0, 1, 1, 2]);
        assert_eq!(&bytes[12..16], b"QM1 ");
        assert_eq!(bytes[16..24], [0, 0, 0, 0, 0, 0, 0, 0x77]);
        assert_eq!(bytes[24..32], [1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(bytes[32..40], [0xA1, 0xA2, 0xA3, 0xA4, 0xA5, 0xA6, 0xA7, 0xA8]);
        assert_eq!(bytes[40..48], [0, 0, 0, 3, 0, 42, 0, 2]);
        assert_eq!(bytes[48..56], 0x1000u64.to_be_bytes());
        assert_eq!(bytes[56..64], 0x2000u64.to_be_bytes());
        assert_eq!(bytes[64..72], 0x3000u64.to_be_bytes());
        assert_eq!(bytes[72..76], [1, 0, 0, 1]);
        assert_eq!(bytes[76..84], [0, 0, 0x10, 0, 0, 0, 8, 0]);
        assert!(bytes[84..508].iter().all(|b| *b == 0));
        assert_eq!(bytes[508..], crc32c(&bytes[..508]).to_be_bytes());
    }

    #[test]
    fn the_newer_slot_holds() {
        let (page, older, newer) = page();
        let read = decode(&page).unwrap();
        assert_eq!((read.zero, read.slot, read.sequence), (newer, 1, 11));
        assert!(read.damage.is_empty());
        let mut page = page;
        page[..512].copy_from_slice(&encode_slot(&older, 0, 12));
        let read = decode(&page).unwrap();
        assert_eq!((read.zero, read.slot, read.sequence), (older, 0, 12));
    }

    #[test]
    fn every_single_bit_flip_is_seen_and_leaves_a_usable_slot() {
        let (good, older, newer) = page();
        let mut page = good;
        for bit in 0..PAGE_SIZE * 8 {
            page[bit / 8] ^= 1 << (bit % 8);
            let read = decode(&page).unwrap();
            assert_eq!(read.damage.len(), 1, "bit {bit}");
            let hit_newer = (2048..2560).contains(&(bit / 8));
            assert_eq!(&read.zero, if hit_newer { &older } else { &newer }, "bit {bit}");
            page[bit / 8] ^= 1 << (bit % 8);
        }
    }

    #[test]
    fn every_truncation_is_detected() {
        let (page, ..) = page();
        for length in 0..PAGE_SIZE {
            assert_eq!(decode(&page[..length]), Err(PageZeroError::Length(length)));
        }
    }

    #[test]
    fn two_damaged_slots_are_an_error_and_strange_bytes_no_page_set() {
        let (mut page, ..) = page();
        page[100] ^= 1;
        page[2048 + 17] ^= 1;
        assert!(matches!(decode(&page), Err(PageZeroError::BothDamaged(..))));
        assert_eq!(decode(&[0; PAGE_SIZE]), Err(PageZeroError::NotAPageSet));
        assert_eq!(decode(&[0xFF; PAGE_SIZE]), Err(PageZeroError::NotAPageSet));
    }

    #[test]
    fn a_newer_version_is_refused_by_number() {
        let (mut page, ..) = page();
        page[9] = 9;
        let crc = crc32c(&page[..508]);
        page[508..512].copy_from_slice(&crc.to_be_bytes());
        assert_eq!(decode(&page), Err(PageZeroError::NewerVersion(9)));
    }

    #[test]
    fn a_slot_in_the_other_ones_place_is_damage() {
        let (mut page, ..) = page();
        page.copy_within(2048..2560, 0);
        let read = decode(&page).unwrap();
        let expected = SlotDamage::Field("the slot number");
        assert_eq!(read.damage, [PageZeroDamage::Slot { slot: 0, why: expected }]);
    }
}
