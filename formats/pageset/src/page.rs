//! The page header: what every page but page zero begins with.
//!
//! **Purpose.** Tells whether the 4096 bytes at hand are the page that was asked for, whole, and how far the log is in it.
//!
//! ```text
//!   0        4    5    6      8          12         16              24              32                 4096
//!   +--------+----+----+------+----------+----------+---------------+---------------+-------------------+
//!   | CRC    |type|vers| set  | number   | reserved | page RBA      | allocation RBA| body ...          |
//!   +--------+----+----+------+----------+----------+---------------+---------------+-------------------+
//! ```
//!
//! | offset | bytes | field |
//! |---|---|---|
//! | 0 | 4 | CRC-32C of bytes 4 to 4095 |
//! | 4 | 1 | page type: 10 free, 11 space map, 12 object, 13 persistent, 14 nonpersistent (hexadecimal) |
//! | 5 | 1 | format version, 1 |
//! | 6 | 2 | page set, 0 to 99 |
//! | 8 | 4 | page number |
//! | 12 | 4 | reserved, zero |
//! | 16 | 8 | page RBA: end of the last log record that changed the page |
//! | 24 | 8 | allocation RBA: start of the log record that formatted the page |
//!
//! **Validity.** A page is valid when its CRC agrees, its version is known, its type is one of the table and page set and number are
//! those that were asked for: the CRC finds torn and rotten pages, set and number find misdirected writes.
//!
//! **Torn pages** (any mix of old and new 512-byte sectors) fail the CRC. They are repaired from the log: the first change of a page
//! since it was last written is preceded by an image of it, and fresh pages by a format record.
//!
//! **Order of writes.** A page is written only when the log is durable up to its page RBA, or a crash could leave a change on
//! disk that no log explains.
//!
//! **Not meant for** finding out who changed a page, or for repairing one without its log.

use format_types::{PAGE_SIZE, PageAddress, PageNumber, PageSetId, Rba, crc32c};
use zerocopy::byteorder::big_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

/// A page in memory.
pub type PageBytes = [u8; PAGE_SIZE];

/// Bytes of the page header.
pub const HEADER_SIZE: usize = 32;

/// The page format written today.
pub const VERSION: u8 = 1;

/// Pages that a page set can have at most: 64 GiB.
pub const MAX_PAGES: u32 = 16 * 1024 * 1024;

/// What a page holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PageType {
    /// Nothing.
    Free = 0x10,
    /// The states of 8128 pages.
    Map = 0x11,
    /// Object definitions.
    Object = 0x12,
    /// Fragments of persistent messages.
    Persistent = 0x13,
    /// Fragments of nonpersistent messages.
    NonPersistent = 0x14,
}

impl PageType {
    /// The type with this code.
    #[must_use]
    pub const fn from_code(code: u8) -> Option<Self> {
        match code {
            0x10 => Some(Self::Free),
            0x11 => Some(Self::Map),
            0x12 => Some(Self::Object),
            0x13 => Some(Self::Persistent),
            0x14 => Some(Self::NonPersistent),
            _ => None,
        }
    }

    /// The code, as in the header.
    #[must_use]
    pub const fn code(self) -> u8 {
        self as u8
    }

    /// Whether pages of this type hold records in slots.
    #[must_use]
    pub const fn is_slotted(self) -> bool {
        matches!(self, Self::Object | Self::Persistent | Self::NonPersistent)
    }

    /// The name, for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Free => "free",
            Self::Map => "space map",
            Self::Object => "object",
            Self::Persistent => "persistent",
            Self::NonPersistent => "nonpersistent",
        }
    }
}

/// The header as it lies on disk.
#[derive(FromBytes, IntoBytes, KnownLayout, Immutable, Unaligned, Clone, Copy)]
#[repr(C)]
struct RawHeader {
    crc: U32,
    page_type: u8,
    version: u8,
    page_set: U16,
    page: U32,
    reserved: U32,
    page_rba: U64,
    allocation_rba: U64,
}

const _: () = assert!(size_of::<RawHeader>() == HEADER_SIZE);

/// The header of a page, checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageHeader {
    /// What the page holds.
    pub page_type: PageType,
    /// Where it belongs.
    pub address: PageAddress,
    /// End of the last log record that changed it.
    pub page_rba: Rba,
    /// Start of the log record that formatted it; zero when it was formatted outside the log (an extent, a new page set).
    pub allocation_rba: Rba,
}

/// Why bytes are not the page that was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PageDamage {
    /// There are not 4096 bytes.
    #[error("{0} bytes instead of 4096")]
    Length(usize),
    /// All bytes are zero: the page was never written, or its write was lost.
    #[error("all zeros: never written, or the write was lost")]
    Zeros,
    /// The bytes changed since the page was sealed, or only some of its sectors were written.
    #[error("checksum is {computed:08X}, {stored:08X} is stored: torn or changed")]
    Checksum {
        /// The checksum in the header.
        stored: u32,
        /// The checksum of the bytes.
        computed: u32,
    },
    /// A format that this program does not know.
    #[error("page format version {0}, {VERSION} is the newest known: use a newer program")]
    Version(u8),
    /// A type that does not exist.
    #[error("page type {0:02X} does not exist")]
    Type(u8),
    /// Another page lies here: a misdirected write.
    #[error(
        "page {found_page:08X} of page set {found_set} lies there: a misdirected write or a foreign image"
    )]
    Address {
        /// The page set in the header.
        found_set: u16,
        /// The page number in the header.
        found_page: u32,
    },
}

/// Checks the whole page: checksum, version, type, page set and page number.
///
/// # Errors
/// What is wrong, when something is.
pub fn verify_page(page: &[u8], expected: PageAddress) -> Result<PageHeader, PageDamage> {
    let (raw, rest) = split(page)?;
    let computed = crc32c(rest);
    let stored = raw.crc.get();
    if stored != computed {
        if page.iter().all(|b| *b == 0) {
            return Err(PageDamage::Zeros);
        }
        return Err(PageDamage::Checksum { stored, computed });
    }
    check(raw, expected)
}

/// Checks the header alone, without the checksum: for pages that were verified when they were read.
///
/// # Errors
/// What is wrong, when something is.
pub fn read_header(page: &[u8], expected: PageAddress) -> Result<PageHeader, PageDamage> {
    let (raw, _) = split(page)?;
    check(raw, expected)
}

fn split(page: &[u8]) -> Result<(&RawHeader, &[u8]), PageDamage> {
    if page.len() != PAGE_SIZE {
        return Err(PageDamage::Length(page.len()));
    }
    match (RawHeader::ref_from_prefix(page), page.get(4..)) {
        (Ok((raw, _)), Some(rest)) => Ok((raw, rest)),
        _ => Err(PageDamage::Length(page.len())),
    }
}

fn check(raw: &RawHeader, expected: PageAddress) -> Result<PageHeader, PageDamage> {
    if raw.version != VERSION {
        return Err(PageDamage::Version(raw.version));
    }
    let page_type = PageType::from_code(raw.page_type).ok_or(PageDamage::Type(raw.page_type))?;
    let set = raw.page_set.get();
    if set != u16::from(expected.page_set.number()) || raw.page.get() != expected.page.0 {
        return Err(PageDamage::Address { found_set: set, found_page: raw.page.get() });
    }
    Ok(PageHeader {
        page_type,
        address: expected,
        page_rba: Rba(raw.page_rba.get()),
        allocation_rba: Rba(raw.allocation_rba.get()),
    })
}

/// The type in the header, if it is one; nothing else is checked.
#[must_use]
pub fn page_type(page: &PageBytes) -> Option<PageType> {
    PageType::from_code(page[4])
}

/// The page RBA in the header; nothing is checked.
#[must_use]
pub fn page_rba(page: &PageBytes) -> Rba {
    RawHeader::ref_from_prefix(page).map_or(Rba::ZERO, |(raw, _)| Rba(raw.page_rba.get()))
}

/// Sets the page RBA: the end of the record that changed the page. The checksum is wrong until [`seal`].
pub fn set_page_rba(page: &mut PageBytes, rba: Rba) {
    if let Ok((raw, _)) = RawHeader::mut_from_prefix(page) {
        raw.page_rba = U64::new(rba.0);
    }
}

/// Computes the checksum and stores it in the header: the last step before a page is written.
pub fn seal(page: &mut PageBytes) {
    let crc = crc32c(&page[4..]);
    page[..4].copy_from_slice(&crc.to_be_bytes());
}

/// Makes an empty page of a type: header, and an empty body as the type wants it. The checksum is wrong until [`seal`].
pub fn format(page: &mut PageBytes, address: PageAddress, page_type: PageType, allocation: Rba, rba: Rba) {
    page.fill(0);
    if let Ok((raw, _)) = RawHeader::mut_from_prefix(page) {
        *raw = RawHeader {
            crc: U32::ZERO,
            page_type: page_type.code(),
            version: VERSION,
            page_set: U16::new(u16::from(address.page_set.number())),
            page: U32::new(address.page.0),
            reserved: U32::ZERO,
            page_rba: U64::new(rba.0),
            allocation_rba: U64::new(allocation.0),
        };
    }
    match page_type {
        PageType::Free => {}
        PageType::Map => crate::space_map::initialise(page),
        PageType::Object | PageType::Persistent | PageType::NonPersistent => crate::slotted::initialise(page),
    }
}

/// A fresh page that no log record made, sealed: free, or a space map where one belongs. New page sets and extents consist of them.
#[must_use]
pub fn fresh(page_set: PageSetId, number: PageNumber, rba: Rba) -> PageBytes {
    let mut page = [0; PAGE_SIZE];
    let page_type = if crate::space_map::is_map(number) { PageType::Map } else { PageType::Free };
    format(&mut page, PageAddress::new(page_set, number), page_type, Rba::ZERO, rba);
    seal(&mut page);
    page
}

#[cfg(test)]
mod tests {
    use std::mem::offset_of;

    use super::*;

    #[test]
    fn the_documentation_has_the_fields() {
        let text = include_str!("../../../docs/formats/pageset.md");
        macro_rules! rows {
            ($($field:ident),+) => {
                vec![$((offset_of!(RawHeader, $field), stringify!($field))),+]
            };
        }
        let fields = rows!(crc, page_type, version, page_set, page, reserved, page_rba, allocation_rba);
        let ends = fields.iter().skip(1).map(|(offset, _)| *offset).chain([HEADER_SIZE]);
        for ((offset, name), end) in fields.iter().zip(ends) {
            let row = format!("| {offset} | {} | `{name}` |", end - offset);
            assert!(text.contains(&row), "{row}");
        }
        for page_type in [0x10, 0x11, 0x12, 0x13, 0x14].map(|code| PageType::from_code(code).unwrap()) {
            let state = crate::PageState::from(page_type).code();
            let row = format!("| {:02X} | {} | {state} |", page_type.code(), page_type.name());
            assert!(text.contains(&row), "{row}");
        }
        let slotted = [crate::slotted::DIRECTORY, crate::slotted::MAX_RECORD];
        let messages = [crate::message::MAX_HEAD_BODY, crate::message::MAX_REST_BODY];
        assert!(text.contains(&format!("at most {MAX_PAGES} of them")));
        assert!(text.contains(&format!("| {} + 4n | 2 |", slotted[0])));
        assert!(text.contains(&format!("the longest record has {} bytes", slotted[1])));
        assert!(text.contains(&format!("up to {} bytes of the body", messages[0])));
        assert!(text.contains(&format!("holds up to {} bytes", messages[1])));
        assert!(text.contains(&format!("every {} pages", crate::space_map::COVERED)));
    }

    fn address() -> PageAddress {
        PageAddress::new(PageSetId::new(7).unwrap(), PageNumber(0x0102_0304))
    }

    fn sample() -> PageBytes {
        let mut page = [0; PAGE_SIZE];
        format(&mut page, address(), PageType::Persistent, Rba(0x1111), Rba(0x0A0B_0C0D_0E0F_1011));
        crate::slotted::insert(&mut page, 0, b"some record").unwrap();
        seal(&mut page);
        page
    }

    #[test]
    fn header_fields_lie_where_the_table_says() {
        let page = sample();
        assert_eq!(page[..4], crc32c(&page[4..]).to_be_bytes());
        assert_eq!(page[4], 0x13);
        assert_eq!(page[5], 1);
        assert_eq!(page[6..8], [0, 7]);
        assert_eq!(page[8..12], [1, 2, 3, 4]);
        assert_eq!(page[12..16], [0; 4]);
        assert_eq!(page[16..24], [0x0A, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F, 0x10, 0x11]);
        assert_eq!(page[24..32], [0, 0, 0, 0, 0, 0, 0x11, 0x11]);
        let header = verify_page(&page, address()).unwrap();
        assert_eq!(header.page_type, PageType::Persistent);
        assert_eq!(header.page_rba, Rba(0x0A0B_0C0D_0E0F_1011));
        assert_eq!(header.allocation_rba, Rba(0x1111));
        assert_eq!(page_rba(&page), header.page_rba);
    }

    #[test]
    fn every_single_bit_flip_is_detected() {
        let good = sample();
        let mut page = good;
        for bit in 0..PAGE_SIZE * 8 {
            page[bit / 8] ^= 1 << (bit % 8);
            assert!(verify_page(&page, address()).is_err(), "bit {bit}");
            page[bit / 8] ^= 1 << (bit % 8);
        }
        assert_eq!(page, good);
    }

    #[test]
    fn every_truncation_is_detected() {
        let page = sample();
        for length in 0..PAGE_SIZE {
            assert_eq!(verify_page(&page[..length], address()), Err(PageDamage::Length(length)));
        }
    }

    #[test]
    fn every_mix_of_old_and_new_sectors_is_detected() {
        let old = sample();
        let mut new = old;
        for (sector, chunk) in new.chunks_mut(512).enumerate() {
            chunk[100] ^= sector as u8 + 1;
        }
        set_page_rba(&mut new, Rba(0x0A0B_0C0D_0E0F_2000));
        seal(&mut new);
        for mix in 0u32..256 {
            let mut page = old;
            for sector in (0..8).filter(|s| mix & (1 << s) != 0) {
                page[sector * 512..][..512].copy_from_slice(&new[sector * 512..][..512]);
            }
            assert_eq!(verify_page(&page, address()).is_ok(), mix == 0 || mix == 255, "mix {mix:02X}");
        }
    }

    #[test]
    fn a_page_in_the_wrong_place_is_named() {
        let page = sample();
        let other = PageAddress::new(PageSetId::new(8).unwrap(), address().page);
        assert_eq!(
            verify_page(&page, other),
            Err(PageDamage::Address { found_set: 7, found_page: 0x0102_0304 })
        );
        let other = PageAddress::new(address().page_set, PageNumber(5));
        assert!(matches!(verify_page(&page, other), Err(PageDamage::Address { .. })));
        assert_eq!(verify_page(&[0; PAGE_SIZE], address()), Err(PageDamage::Zeros));
    }

    #[test]
    fn newer_versions_and_unknown_types_are_refused_by_name() {
        let mut page = sample();
        page[5] = 2;
        seal(&mut page);
        assert_eq!(verify_page(&page, address()), Err(PageDamage::Version(2)));
        let mut page = sample();
        page[4] = 0x20;
        seal(&mut page);
        assert_eq!(verify_page(&page, address()), Err(PageDamage::Type(0x20)));
    }

    #[test]
    fn fresh_pages_are_free_or_maps() {
        let set = PageSetId::ZERO;
        for (number, page_type) in [(1, PageType::Map), (2, PageType::Free), (8129, PageType::Map)] {
            let page = fresh(set, PageNumber(number), Rba(9));
            let header = verify_page(&page, PageAddress::new(set, PageNumber(number))).unwrap();
            assert_eq!((header.page_type, header.page_rba), (page_type, Rba(9)));
        }
    }
}
