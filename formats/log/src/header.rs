//! The header of every record.
//!
//! Modelled on the header that the modelled system's log print shows, with 8-byte addresses.
//!
//! | Offset | Length | Field |
//! |---|---|---|
//! | 0 | 4 | total length, this header included |
//! | 4 | 4 | total length of the previous record of the data set, 0 for its first |
//! | 8 | 2 | type |
//! | 10 | 2 | subtype |
//! | 12 | 1 | resource manager, an EBCDIC letter |
//! | 13 | 1 | flags, zero |
//! | 14 | 1 | header length, 40 |
//! | 15 | 1 | release of the record format, 1 |
//! | 16 | 8 | URID, zero outside a unit of recovery |
//! | 24 | 8 | link: RBA of the unit's previous record, zero for its first |
//! | 32 | 8 | LRSN |

use format_types::{Lrsn, Rba, Urid};
use zerocopy::byteorder::big_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::{RecordError, RecordKind, ResourceManager};

/// Bytes of a record header.
pub const HEADER_LENGTH: usize = 40;

/// Longest record, header included. Long things (lists of a checkpoint) are split into several records.
pub const MAX_RECORD_LENGTH: usize = 64 * 1024;

/// Release of the record format that is written here.
pub const RELEASE: u8 = 1;

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Layout {
    total_length: U32,
    previous_length: U32,
    major: U16,
    minor: U16,
    resource_manager: u8,
    flags: u8,
    header_length: u8,
    release: u8,
    urid: U64,
    link: U64,
    lrsn: U64,
}

const _: () = assert!(size_of::<Layout>() == HEADER_LENGTH);

/// What stands in front of every record's body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordHeader {
    /// Bytes of the record, header included.
    pub total_length: u32,
    /// Bytes of the previous record of the same data set; zero for the first.
    pub previous_length: u32,
    /// Type and subtype.
    pub kind: RecordKind,
    /// Who wrote it.
    pub resource_manager: ResourceManager,
    /// Flags; zero in this version.
    pub flags: u8,
    /// Release of the record format.
    pub release: u8,
    /// The unit of recovery, or none.
    pub urid: Urid,
    /// RBA of the unit's previous record; zero for its first.
    pub link: Rba,
    /// When, as a rising number.
    pub lrsn: Lrsn,
}

impl RecordHeader {
    /// The 40 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; HEADER_LENGTH] {
        let layout = Layout {
            total_length: self.total_length.into(),
            previous_length: self.previous_length.into(),
            major: self.kind.major.into(),
            minor: self.kind.minor.into(),
            resource_manager: self.resource_manager.0,
            flags: self.flags,
            header_length: HEADER_LENGTH as u8,
            release: self.release,
            urid: self.urid.0.0.into(),
            link: self.link.0.into(),
            lrsn: self.lrsn.0.into(),
        };
        zerocopy::transmute!(layout)
    }

    /// Reads the header at the start of `bytes`; what follows is not looked at.
    ///
    /// # Errors
    /// Too few bytes, a newer release, or lengths that cannot be.
    pub fn decode(bytes: &[u8]) -> Result<Self, RecordError> {
        let (layout, _) = Layout::read_from_prefix(bytes)
            .map_err(|_| RecordError::Short { wanted: HEADER_LENGTH, found: bytes.len() })?;
        if layout.release != RELEASE {
            return Err(RecordError::Release(layout.release));
        }
        let total = layout.total_length.get();
        if usize::from(layout.header_length) != HEADER_LENGTH
            || (total as usize) < HEADER_LENGTH
            || total as usize > MAX_RECORD_LENGTH
        {
            return Err(RecordError::Length { header: layout.header_length, total });
        }
        if layout.flags != 0 {
            return Err(RecordError::Field { field: "flags", value: u64::from(layout.flags) });
        }
        Ok(Self {
            total_length: total,
            previous_length: layout.previous_length.get(),
            kind: RecordKind { major: layout.major.get(), minor: layout.minor.get() },
            resource_manager: ResourceManager(layout.resource_manager),
            flags: layout.flags,
            release: layout.release,
            urid: Urid(Rba(layout.urid.get())),
            link: Rba(layout.link.get()),
            lrsn: Lrsn(layout.lrsn.get()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_documentation_has_the_fields() {
        use std::mem::offset_of;
        let text = include_str!("../../../docs/formats/log.md");
        macro_rules! rows {
            ($($field:ident),+) => {
                vec![$((offset_of!(Layout, $field), stringify!($field))),+]
            };
        }
        let fields = rows!(
            total_length,
            previous_length,
            major,
            minor,
            resource_manager,
            flags,
            header_length,
            release,
            urid,
            link,
            lrsn
        );
        let ends = fields.iter().skip(1).map(|(offset, _)| *offset).chain([HEADER_LENGTH]);
        for ((offset, name), end) in fields.iter().zip(ends) {
            let row = format!("| {offset} | {} | `{name}` |", end - offset);
            assert!(text.contains(&row), "{row}");
        }
        assert!(text.contains(&format!("{MAX_RECORD_LENGTH} at most")));
        for kind in RecordKind::ALL {
            let row = format!("| {:04X} | {:04X} | {kind} |", kind.major, kind.minor);
            assert!(text.contains(&row), "{row}");
        }
        // The bodies are documented where they are written, and there, in the same words.
        let source = include_str!("body.rs");
        let rows = source
            .lines()
            .filter_map(|line| line.strip_prefix("//! | "))
            .filter(|row| !row.starts_with("Body"));
        let mut count = 0;
        for row in rows {
            assert!(text.contains(row), "{row}");
            count += 1;
        }
        assert!(count > 10);
    }

    #[test]
    fn fields_stand_where_the_table_says() {
        let header = RecordHeader {
            total_length: 0x0102_0304,
            previous_length: 0x0506_0708,
            kind: RecordKind { major: 0x0600, minor: 0x000C },
            resource_manager: ResourceManager::DATA,
            flags: 0,
            release: RELEASE,
            urid: Urid(Rba(0x1112_1314_1516_1718)),
            link: Rba(0x2122_2324_2526_2728),
            lrsn: Lrsn(0x3132_3334_3536_3738),
        };
        let mut wanted = vec![1, 2, 3, 4, 5, 6, 7, 8, 6, 0, 0, 0x0C, 0xC9, 0, 40, 1];
        wanted.extend(0x11..=0x18);
        wanted.extend(0x21..=0x28);
        wanted.extend(0x31..=0x38);
        assert_eq!(header.to_bytes().to_vec(), wanted);
    }

    #[test]
    fn impossible_headers_are_refused() {
        let good = RecordHeader {
            total_length: 48,
            previous_length: 0,
            kind: RecordKind::SWITCH,
            resource_manager: ResourceManager::LOG,
            flags: 0,
            release: RELEASE,
            urid: Urid::NONE,
            link: Rba::ZERO,
            lrsn: Lrsn(7),
        };
        assert_eq!(RecordHeader::decode(&good.to_bytes()), Ok(good));
        for len in 0..HEADER_LENGTH {
            assert!(RecordHeader::decode(&good.to_bytes()[..len]).is_err());
        }
        let mut newer = good.to_bytes();
        newer[15] = RELEASE + 1;
        assert_eq!(RecordHeader::decode(&newer), Err(RecordError::Release(RELEASE + 1)));
        for total in [0, 39, MAX_RECORD_LENGTH as u32 + 1, u32::MAX] {
            let bad = RecordHeader { total_length: total, ..good };
            assert!(RecordHeader::decode(&bad.to_bytes()).is_err(), "length {total}");
        }
    }
}
