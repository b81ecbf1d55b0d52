//! Segments: the pieces that records are cut into.
//!
//! | Offset | Length | Field |
//! |---|---|---|
//! | 0 | 4 | CRC-32C over queue manager, history, RBA of the segment, and the segment's bytes 4 to its end |
//! | 4 | 2 | length of the payload, not zero |
//! | 6 | 1 | flags: 80 first of its record, 40 last of its record |
//! | 7 | 1 | zero |
//! | 8 | n | payload |
//!
//! A first segment holds the record's whole header; a segment that is not the first of its record stands at offset 0 of its control
//! interval, one that is not the last reaches to the trailer.
//!
//! The checksum begins with 28 bytes that are not stored: queue manager u64, history number u32, history random u64, RBA u64. A
//! segment found anywhere else than where it was written, by anybody else, or in another history, is no segment.

use format_types::{Crc32c, Rba};

use crate::ci::CI_DATA;
use crate::{HEADER_LENGTH, LogIdentity};

/// Bytes of a segment's header.
pub const SEGMENT_HEADER: usize = 8;

/// Flag: the record begins here.
pub const FIRST: u8 = 0x80;

/// Flag: the record ends here.
pub const LAST: u8 = 0x40;

/// A segment of a control interval, proven by its checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Segment<'a> {
    /// Offset of its header in the control interval.
    pub offset: usize,
    /// Its record begins here.
    pub first: bool,
    /// Its record ends here.
    pub last: bool,
    /// Its piece of the record.
    pub payload: &'a [u8],
}

impl Segment<'_> {
    /// Offset after its last byte.
    #[must_use]
    pub const fn end(&self) -> usize {
        self.offset + SEGMENT_HEADER + self.payload.len()
    }
}

/// Why no segment is at a place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SegmentDamage {
    /// Nothing was written there: the header is zero.
    #[error("nothing is written there")]
    Nothing,
    /// The header cannot be.
    #[error("its header cannot be")]
    Header,
    /// The checksum does not match.
    #[error("its checksum does not match")]
    Checksum,
}

/// Computes checksums of segments of one log.
#[derive(Debug, Clone)]
pub struct SegmentChecksum {
    prefix: [u8; 28],
}

impl SegmentChecksum {
    /// For the log of `identity`.
    #[must_use]
    pub fn new(identity: LogIdentity) -> Self {
        let mut prefix = [0; 28];
        prefix[..8].copy_from_slice(&identity.queue_manager.0.to_be_bytes());
        prefix[8..12].copy_from_slice(&identity.history.number.to_be_bytes());
        prefix[12..20].copy_from_slice(&identity.history.random.to_be_bytes());
        Self { prefix }
    }

    /// The checksum of the segment at `rba`; `after_crc` is the segment without its first four bytes.
    #[must_use]
    pub fn of(&self, rba: Rba, after_crc: &[u8]) -> u32 {
        let mut prefix = self.prefix;
        prefix[20..28].copy_from_slice(&rba.0.to_be_bytes());
        let mut crc = Crc32c::new();
        crc.update(&prefix);
        crc.update(after_crc);
        crc.finish()
    }

    /// Writes a segment into `ci` at `offset`: header and payload. Returns the offset after it.
    ///
    /// # Panics
    /// When it does not fit before the trailer, or the payload is empty; the writer cuts records so that it does.
    pub fn put(&self, ci: &mut [u8], ci_rba: Rba, offset: usize, flags: u8, payload: &[u8]) -> usize {
        let end = offset + SEGMENT_HEADER + payload.len();
        assert!(
            end <= CI_DATA && !payload.is_empty(),
            "a segment lies between the start and the trailer of its CI"
        );
        let bytes = &mut ci[offset..end];
        bytes[4..6].copy_from_slice(&(payload.len() as u16).to_be_bytes());
        bytes[6] = flags;
        bytes[7] = 0;
        bytes[SEGMENT_HEADER..].copy_from_slice(payload);
        let crc = self.of(ci_rba.plus(offset as u64), &bytes[4..]);
        bytes[..4].copy_from_slice(&crc.to_be_bytes());
        end
    }

    /// The segment at `offset` of the control interval at `ci_rba`, if one is there.
    ///
    /// # Errors
    /// When nothing was written there, or what is there is no segment of this log at this place.
    pub fn take<'a>(&self, ci: &'a [u8], ci_rba: Rba, offset: usize) -> Result<Segment<'a>, SegmentDamage> {
        let header: [u8; SEGMENT_HEADER] =
            ci.get(offset..).and_then(<[u8]>::first_chunk).copied().ok_or(SegmentDamage::Header)?;
        let [c0, c1, c2, c3, l0, l1, flags, zero] = header;
        if header == [0; SEGMENT_HEADER] {
            return Err(SegmentDamage::Nothing);
        }
        let length = usize::from(u16::from_be_bytes([l0, l1]));
        let end = offset + SEGMENT_HEADER + length;
        let (first, last) = (flags & FIRST != 0, flags & LAST != 0);
        let shape = if first { length >= HEADER_LENGTH } else { offset == 0 && length > 0 };
        let cut_at_the_end = last || end == CI_DATA;
        if zero != 0 || flags & !(FIRST | LAST) != 0 || end > CI_DATA || !shape || !cut_at_the_end {
            return Err(SegmentDamage::Header);
        }
        let after_crc = ci.get(offset + 4..end).ok_or(SegmentDamage::Header)?;
        if self.of(ci_rba.plus(offset as u64), after_crc) != u32::from_be_bytes([c0, c1, c2, c3]) {
            return Err(SegmentDamage::Checksum);
        }
        Ok(Segment { offset, first, last, payload: after_crc.get(4..).unwrap_or_default() })
    }
}
