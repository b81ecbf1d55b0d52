//! Images of page set 01 of queue manager QM1: 64 pages, the first four of them with a record.

use format_pageset::{PageBytes, PageType, PageZero, page, page_zero, slotted};
use format_types::{
    Expand, HistoryId, PAGE_SIZE, PageAddress, PageNumber, PageSetId, QueueManagerId, Rba, crc32c,
};

use crate::Verdict::{Damaged, Refused, Whole};
use crate::{Kind, Specimen, Verdict, flipped, patched};

const PAGES: u32 = 64;

/// Byte offset of the version in a slot of page zero.
const VERSION_OFFSET: usize = 8;

fn zero() -> PageZero {
    PageZero {
        queue_manager: QueueManagerId(0x1111),
        name: "QM1".parse().expect("a name"),
        page_set: PageSetId::new(1).expect("below 100"),
        history: HistoryId { number: 1, random: 0x2222 },
        recovery_rba: Rba(0x4000),
        highest_synced: Rba(0x8000),
        pages_used: PAGES,
        extents: 1,
        expansions: 0,
        expand: Expand::User,
        initial_pages: PAGES,
        closed_cleanly: None,
    }
}

fn data_page(page_set: PageSetId, number: u32, text: &[u8]) -> PageBytes {
    let mut bytes = [0; PAGE_SIZE];
    let address = PageAddress::new(page_set, PageNumber(number));
    page::format(&mut bytes, address, PageType::Persistent, Rba(0x1000), Rba(0x2000));
    slotted::insert(&mut bytes, 0, text).expect("a short record fits");
    page::seal(&mut bytes);
    bytes
}

/// The whole image.
pub(crate) fn image() -> Vec<u8> {
    let page_set = PageSetId::new(1).expect("below 100");
    let mut image = page_zero::encode_page(&zero(), 1).to_vec();
    for number in 1..PAGES {
        let bytes = match number {
            2..6 => data_page(page_set, number, format!("record of page {number}").as_bytes()),
            _ => page::fresh(page_set, PageNumber(number), Rba(0x1000)),
        };
        image.extend_from_slice(&bytes);
    }
    image
}

/// Page zero with another version in both slots, sealed.
fn newer() -> Vec<u8> {
    let mut page = image();
    for offset in page_zero::SLOT_OFFSETS {
        let slot = offset..offset + page_zero::SLOT_SIZE;
        page[offset + VERSION_OFFSET + 1] = 2;
        let crc_at = slot.end - 4;
        let crc = crc32c(&page[slot.start..crc_at]);
        page[crc_at..slot.end].copy_from_slice(&crc.to_be_bytes());
    }
    page
}

pub(crate) fn specimens() -> Vec<Specimen> {
    let whole = image();
    let page = |number: u32| number as usize * PAGE_SIZE;
    let slots = page_zero::SLOT_OFFSETS;
    let other = data_page(PageSetId::new(2).expect("below 100"), 3, b"of page set 02");
    let rewritten = data_page(PageSetId::new(1).expect("below 100"), 4, &[b'x'; 3000]);
    let mut grown = whole.clone();
    grown.resize(page(PAGES + 16), 0);
    let new = |name: &str, verdict: Verdict, damage, bytes| {
        Specimen::new(Kind::PageSet, name, verdict, damage, bytes)
    };
    vec![
        new("whole", Whole, "nothing is wrong", whole.clone()),
        new("with-tail", Whole, "an expansion was interrupted: HI-A is above HI-U", grown),
        new(
            "slot-0-damaged",
            Damaged,
            "slot 0 of page zero is damaged, slot 1 serves",
            flipped(&whole, slots[0] + 40),
        ),
        new(
            "slot-1-damaged",
            Damaged,
            "slot 1 of page zero is damaged, slot 0 serves",
            flipped(&whole, slots[1] + 40),
        ),
        new(
            "page-zero-damaged",
            Refused,
            "both slots of page zero are damaged",
            flipped(&flipped(&whole, slots[0] + 40), slots[1] + 40),
        ),
        new("bit-flipped", Damaged, "a bit of page 3 is flipped", flipped(&whole, page(3) + 2000)),
        new(
            "free-page-flipped",
            Damaged,
            "a bit of free page 20 is flipped",
            flipped(&whole, page(20) + 4095),
        ),
        new(
            "page-torn",
            Damaged,
            "page 4 is half an older and half a newer version",
            patched(&whole, page(4), &rewritten[..2048]),
        ),
        new(
            "page-misdirected",
            Damaged,
            "page 4 was written where page 3 belongs",
            patched(&whole, page(3), &whole[page(4)..page(5)]),
        ),
        new("page-foreign", Damaged, "page 3 belongs to page set 02", patched(&whole, page(3), &other)),
        new("page-zeroed", Damaged, "page 5 is all zeros", patched(&whole, page(5), &[0; PAGE_SIZE])),
        new("truncated", Refused, "it ends below HI-U", whole[..page(40)].to_vec()),
        new("cut-inside-a-page", Refused, "it ends inside a page", whole[..page(40) + 100].to_vec()),
        new("newer", Refused, "it was written by a newer version", newer()),
        new("empty", Refused, "it is empty", Vec::new()),
        new("text", Refused, "it is a text and no page set", b"This is no page set.\n".repeat(200)),
        new("random", Refused, "it is as long as a page set and has nothing of one", noise(page(PAGES))),
    ]
}

/// Bytes that look like nothing.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x9E37_79B9_u32;
    (0..length)
        .map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use format_pageset::verify_page;

    use super::*;

    /// Pages below HI-U that do not verify; none when page zero cannot be used or pages are missing.
    fn damage(bytes: &[u8]) -> Option<usize> {
        let read = page_zero::decode(bytes.get(..PAGE_SIZE)?).ok()?;
        let address = |n: u32| PageAddress::new(read.zero.page_set, PageNumber(n));
        let mut damaged = usize::from(!read.is_intact());
        for n in 1..read.zero.pages_used {
            let page = bytes.get(n as usize * PAGE_SIZE..(n as usize + 1) * PAGE_SIZE)?;
            damaged += usize::from(verify_page(page, address(n)).is_err());
        }
        Some(damaged)
    }

    #[test]
    fn the_decoders_agree_with_the_labels() {
        for specimen in specimens() {
            let expected = match specimen.verdict {
                Whole => Some(0),
                Damaged => Some(1),
                Refused => None,
            };
            assert_eq!(damage(&specimen.bytes), expected, "{}", specimen.name);
        }
    }
}
