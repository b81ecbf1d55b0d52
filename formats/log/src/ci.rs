//! Control intervals.
//!
//! Segments from offset 0, zeros, and in the last 64 bytes the trailer. The trailer lies in the last 512-byte sector, so a torn
//! write leaves an old trailer or the new one, never half of each.
//!
//! | Offset | Length | Field |
//! |---|---|---|
//! | 4032 | 4 | eye-catcher `HWCI` |
//! | 4036 | 2 | version, 1 |
//! | 4038 | 2 | flags: 0001 closed |
//! | 4040 | 8 | RBA of the control interval |
//! | 4048 | 8 | queue manager |
//! | 4056 | 4 | history, number |
//! | 4060 | 8 | history, random |
//! | 4068 | 4 | instance of the data set |
//! | 4072 | 2 | bytes used |
//! | 4074 | 2 | offset of the first record that starts here, FFFF none |
//! | 4076 | 8 | synced RBA: log below it was durable in every working copy when this was written |
//! | 4084 | 8 | zero |
//! | 4092 | 4 | CRC-32C of the trailer's first 60 bytes |

use format_types::{CI_SIZE, HistoryId, QueueManagerId, Rba, crc32c, first_nonzero};
use zerocopy::byteorder::big_endian::{U16, U32, U64};
use zerocopy::{FromBytes, Immutable, IntoBytes, KnownLayout, Unaligned};

use crate::segment::{SEGMENT_HEADER, Segment, SegmentChecksum, SegmentDamage};
use crate::{HEADER_LENGTH, LogIdentity};

/// Bytes of the trailer.
pub const TRAILER: usize = 64;

/// Bytes of a control interval before its trailer.
pub const CI_DATA: usize = CI_SIZE - TRAILER;

/// Least room in which a record may start: a segment header and a record header.
pub const LEAST_ROOM: usize = SEGMENT_HEADER + HEADER_LENGTH;

/// Version of the control interval that is written here.
pub const VERSION: u16 = 1;

const EYE_CATCHER: [u8; 4] = *b"HWCI";
const CLOSED: u16 = 1;
const NO_RECORD: u16 = 0xFFFF;

#[derive(FromBytes, IntoBytes, Immutable, KnownLayout, Unaligned)]
#[repr(C)]
struct Layout {
    eye_catcher: [u8; 4],
    version: U16,
    flags: U16,
    rba: U64,
    queue_manager: U64,
    history_number: U32,
    history_random: U64,
    instance: U32,
    used: U16,
    first_record: U16,
    synced: U64,
    zero: U64,
    crc: U32,
}

const _: () = assert!(size_of::<Layout>() == TRAILER);

/// What the trailer of a control interval says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CiTrailer {
    /// RBA of the control interval.
    pub rba: Rba,
    /// Whose log it is.
    pub identity: LogIdentity,
    /// How often the data set had been begun when this was written; tells stale control intervals of a reused data set.
    pub instance: u32,
    /// Bytes of segments.
    pub used: u16,
    /// Offset of the first record that starts here.
    pub first_record: Option<u16>,
    /// The log below it was durable when this was written.
    pub synced: Rba,
    /// Nothing will be added: full, or the last of a data set that is done with.
    pub closed: bool,
}

/// Where a control interval is expected.
#[derive(Debug, Clone, Copy)]
pub struct CiPlace {
    /// Its RBA.
    pub rba: Rba,
    /// Whose log it is.
    pub identity: LogIdentity,
    /// Instance of its data set; none for archives, which keep that of the data set they were copied from.
    pub instance: Option<u32>,
}

/// Why a control interval cannot be believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CiDamage {
    /// Not 4096 bytes.
    #[error("it is {0} bytes long")]
    Size(usize),
    /// All zeros: never written.
    #[error("nothing was ever written there")]
    Empty,
    /// No trailer.
    #[error("it has no trailer")]
    NoTrailer,
    /// The trailer's checksum is wrong.
    #[error("its trailer's checksum does not match")]
    Checksum,
    /// Written by a newer program.
    #[error("it is of version {0}, this program knows version 1; use a newer program")]
    NewerVersion(u16),
    /// The trailer's fields cannot be.
    #[error("its trailer's fields cannot be")]
    Trailer,
    /// It belongs elsewhere: stale, or misdirected.
    #[error("it is the control interval of RBA {0}, left over or misdirected")]
    OtherRba(Rba),
    /// Another queue manager's.
    #[error("it belongs to queue manager {0}")]
    OtherQueueManager(QueueManagerId),
    /// Another history's.
    #[error("it belongs to log history {0}")]
    OtherHistory(HistoryId),
    /// Of another use of the data set.
    #[error("it is of instance {0} of its data set, left over from an earlier use")]
    OtherInstance(u32),
    /// A segment is bad.
    #[error("the segment at offset {offset:#X}: {why}")]
    Segment {
        /// Where.
        offset: usize,
        /// Why.
        why: SegmentDamage,
    },
    /// Segments end elsewhere than the trailer says.
    #[error("its segments end at {walked:#X}, its trailer says {used:#X}")]
    Used {
        /// Where they end.
        walked: usize,
        /// What the trailer says.
        used: u16,
    },
    /// Bytes that should be zero are not.
    #[error("unused byte {0:#X} is not zero")]
    Unused(usize),
    /// Partly filled where only a finished one can stand: an older version, so a write was lost.
    #[error("it is only partly filled; its last version was never written")]
    NotClosed,
}

impl CiTrailer {
    /// The 64 bytes.
    #[must_use]
    pub fn to_bytes(&self) -> [u8; TRAILER] {
        let layout = Layout {
            eye_catcher: EYE_CATCHER,
            version: VERSION.into(),
            flags: if self.closed { CLOSED } else { 0 }.into(),
            rba: self.rba.0.into(),
            queue_manager: self.identity.queue_manager.0.into(),
            history_number: self.identity.history.number.into(),
            history_random: self.identity.history.random.into(),
            instance: self.instance.into(),
            used: self.used.into(),
            first_record: self.first_record.unwrap_or(NO_RECORD).into(),
            synced: self.synced.0.into(),
            zero: 0.into(),
            crc: 0.into(),
        };
        let mut bytes: [u8; TRAILER] = zerocopy::transmute!(layout);
        let crc = crc32c(&bytes[..TRAILER - 4]);
        bytes[TRAILER - 4..].copy_from_slice(&crc.to_be_bytes());
        bytes
    }

    /// Writes the trailer into its control interval.
    ///
    /// # Panics
    /// When `ci` is not 4096 bytes long.
    pub fn put(&self, ci: &mut [u8]) {
        ci[CI_DATA..CI_SIZE].copy_from_slice(&self.to_bytes());
    }

    /// The trailer of `ci`, believed for itself: it says what it says, wherever it stands.
    ///
    /// # Errors
    /// When there is no valid trailer.
    pub fn take(ci: &[u8]) -> Result<Self, CiDamage> {
        if ci.len() != CI_SIZE {
            return Err(CiDamage::Size(ci.len()));
        }
        let bytes = ci.get(CI_DATA..).unwrap_or_default();
        let layout = Layout::read_from_bytes(bytes).map_err(|_| CiDamage::Size(ci.len()))?;
        if layout.eye_catcher != EYE_CATCHER {
            let empty = first_nonzero(ci).is_none();
            return Err(if empty { CiDamage::Empty } else { CiDamage::NoTrailer });
        }
        if crc32c(bytes.get(..TRAILER - 4).unwrap_or_default()) != layout.crc.get() {
            return Err(CiDamage::Checksum);
        }
        if layout.version.get() > VERSION {
            return Err(CiDamage::NewerVersion(layout.version.get()));
        }
        let first_record = Some(layout.first_record.get()).filter(|&offset| offset != NO_RECORD);
        let used = layout.used.get();
        let flags = layout.flags.get();
        if layout.version.get() != VERSION
            || flags & !CLOSED != 0
            || layout.zero.get() != 0
            || usize::from(used) > CI_DATA
            || first_record.is_some_and(|offset| offset >= used)
        {
            return Err(CiDamage::Trailer);
        }
        Ok(Self {
            rba: Rba(layout.rba.get()),
            identity: LogIdentity {
                queue_manager: QueueManagerId(layout.queue_manager.get()),
                history: HistoryId {
                    number: layout.history_number.get(),
                    random: layout.history_random.get(),
                },
            },
            instance: layout.instance.get(),
            used,
            first_record,
            synced: Rba(layout.synced.get()),
            closed: flags & CLOSED != 0,
        })
    }

    /// The trailer of `ci` if it belongs at `place`.
    ///
    /// # Errors
    /// When there is no valid trailer, or it belongs elsewhere.
    pub fn take_at(ci: &[u8], place: &CiPlace) -> Result<Self, CiDamage> {
        let trailer = Self::take(ci)?;
        if trailer.identity.queue_manager != place.identity.queue_manager {
            return Err(CiDamage::OtherQueueManager(trailer.identity.queue_manager));
        }
        if trailer.rba != place.rba {
            return Err(CiDamage::OtherRba(trailer.rba));
        }
        if trailer.identity.history != place.identity.history {
            return Err(CiDamage::OtherHistory(trailer.identity.history));
        }
        if place.instance.is_some_and(|instance| instance != trailer.instance) {
            return Err(CiDamage::OtherInstance(trailer.instance));
        }
        Ok(trailer)
    }
}

/// Whether a record can start at `offset`.
#[must_use]
pub const fn has_room(offset: usize) -> bool {
    offset + LEAST_ROOM <= CI_DATA
}

/// The valid segments of a control interval from offset 0, up to the first place where none is.
#[derive(Debug, Clone)]
pub struct Segments<'a, 'c> {
    ci: &'a [u8],
    rba: Rba,
    checksum: &'c SegmentChecksum,
    offset: usize,
    ended: Option<SegmentDamage>,
}

impl<'a, 'c> Segments<'a, 'c> {
    /// The segments of `ci`, which lies at `rba` of the log of `checksum`.
    #[must_use]
    pub const fn new(ci: &'a [u8], rba: Rba, checksum: &'c SegmentChecksum) -> Self {
        Self { ci, rba, checksum, offset: 0, ended: None }
    }

    /// Offset after the last segment that was returned.
    #[must_use]
    pub const fn offset(&self) -> usize {
        self.offset
    }

    /// Why no further segment came; none when there is no room for one.
    #[must_use]
    pub const fn ended(&self) -> Option<SegmentDamage> {
        self.ended
    }
}

impl<'a> Iterator for Segments<'a, '_> {
    type Item = Segment<'a>;

    fn next(&mut self) -> Option<Segment<'a>> {
        // A short continuation may stand alone, so offset 0 is always looked at.
        if self.ended.is_some() || (self.offset > 0 && !has_room(self.offset)) {
            return None;
        }
        match self.checksum.take(self.ci, self.rba, self.offset) {
            Ok(segment) => {
                self.offset = segment.end();
                Some(segment)
            }
            Err(why) => {
                self.ended = Some(why);
                None
            }
        }
    }
}

/// Verifies all 4096 bytes of a control interval that may still be open.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn verify(ci: &[u8], place: &CiPlace, checksum: &SegmentChecksum) -> Result<CiTrailer, CiDamage> {
    let trailer = CiTrailer::take_at(ci, place)?;
    let mut segments = Segments::new(ci, place.rba, checksum);
    let mut first_record = None;
    for segment in segments.by_ref() {
        if segment.first && first_record.is_none() {
            first_record = u16::try_from(segment.offset).ok();
        }
    }
    let walked = segments.offset();
    if walked != usize::from(trailer.used) {
        return Err(match segments.ended() {
            Some(why) if walked < usize::from(trailer.used) => CiDamage::Segment { offset: walked, why },
            _ => CiDamage::Used { walked, used: trailer.used },
        });
    }
    let unused = ci.get(walked..CI_DATA).unwrap_or_default();
    if let Some(at) = first_nonzero(unused) {
        return Err(CiDamage::Unused(walked + at));
    }
    if first_record != trailer.first_record || (!trailer.closed && !has_room(walked)) {
        return Err(CiDamage::Trailer);
    }
    Ok(trailer)
}

/// Verifies all 4096 bytes of a control interval that lies before the end of the log.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn verify_closed(ci: &[u8], place: &CiPlace, checksum: &SegmentChecksum) -> Result<CiTrailer, CiDamage> {
    let trailer = verify(ci, place, checksum)?;
    if trailer.closed { Ok(trailer) } else { Err(CiDamage::NotClosed) }
}

/// What the copies of a control interval hold together.
#[derive(Debug, Clone)]
pub struct Merged {
    /// The segments, then zeros; no trailer.
    pub bytes: [u8; CI_SIZE],
    /// Bytes of segments.
    pub used: usize,
    /// Offset of the first record that starts here.
    pub first_record: Option<u16>,
}

impl Merged {
    /// Takes, place by place, the segment from the first copy that has it valid. All copies are given the same bytes, so two valid
    /// segments of one place are equal.
    #[must_use]
    pub fn of(copies: &[&[u8]], rba: Rba, checksum: &SegmentChecksum) -> Self {
        let mut merged = Self { bytes: [0; CI_SIZE], used: 0, first_record: None };
        while merged.used == 0 || has_room(merged.used) {
            let found = copies.iter().find_map(|ci| {
                let segment = checksum.take(ci, rba, merged.used).ok()?;
                Some((ci.get(merged.used..segment.end())?, segment.first))
            });
            let Some((bytes, first)) = found else { break };
            if let Some(room) = merged.bytes.get_mut(merged.used..merged.used + bytes.len()) {
                room.copy_from_slice(bytes);
            }
            if first && merged.first_record.is_none() {
                merged.first_record = u16::try_from(merged.used).ok();
            }
            merged.used += bytes.len();
        }
        merged
    }
}

#[cfg(test)]
#[path = "ci_tests.rs"]
mod tests;
