//! Bodies of records: what happened.
//!
//! Layouts (big-endian; `place` is page set u8, zero u8, slot u16, page u32):
//!
//! | Body | Fields |
//! |---|---|
//! | begin UR | time u64, connection name |
//! | insert | place, record as it lies on the page |
//! | delete intent | place, key u64 |
//! | delete | place |
//! | compensate | place, undo-next u64 |
//! | prepare | xid |
//! | begin phase 2 | time u64, complete u8 |
//! | end UR, begin abort, end abort, clean stop | nothing |
//! | format | place, page type u8 |
//! | page image | place, 4096 bytes |
//! | space map | place of the map page, first page u32, count u16, state u8 |
//! | used raised | page set u8, from u32, to u32, extents u16, expansions u16 |
//! | open, close page set | page set u8, recovery RBA u64 |
//! | begin checkpoint, switch | BSDS sequence u64 |
//! | checkpoint units | per unit: URID, last, undo-next u64 each, state u8, name behind a u16 length |
//! | checkpoint page sets | per page set: page set u8, online u8, recovery RBA u64 |
//! | end checkpoint | RBA of its begin u64 |

use format_types::{Cursor, PAGE_SIZE, PageAddress, PageNumber, PageSetId, Rba, Timestamp};

use crate::checkpoint::{
    boolean, kept_connection, page_set, put_page_sets, put_units, take_page_sets, take_units, text,
};
use crate::{
    CheckpointPageSet, CheckpointUnit, HEADER_LENGTH, RELEASE, RecordHeader, RecordKind, ResourceManager,
};

/// Why bytes are not a record.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RecordError {
    /// The bytes end too early.
    #[error("the record ends after {found} bytes where {wanted} are needed")]
    Short {
        /// Bytes needed.
        wanted: usize,
        /// Bytes there.
        found: usize,
    },
    /// Bytes follow the last field.
    #[error("{0} bytes follow the record's last field")]
    Long(usize),
    /// A record format of a newer release.
    #[error(
        "the record is of release {0} of the record format, this program knows release 1; use a newer program"
    )]
    Release(u8),
    /// Lengths that cannot be.
    #[error("header length {header} and total length {total} cannot be")]
    Length {
        /// The header's length as it says.
        header: u8,
        /// The record's length as it says.
        total: u32,
    },
    /// A kind that is not known.
    #[error("type {:04X} subtype {:04X} is not known", .0.major, .0.minor)]
    Kind(RecordKind),
    /// A field with an impossible value.
    #[error("{field} is {value:#X}, which cannot be")]
    Field {
        /// The field.
        field: &'static str,
        /// Its value.
        value: u64,
    },
    /// A name that is not UTF-8.
    #[error("a name is not UTF-8 text")]
    Text,
}

/// What lies on a data page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PageClass {
    /// Object definitions.
    Object,
    /// Persistent messages.
    Persistent,
    /// Nonpersistent messages.
    NonPersistent,
}

/// What a record says. Borrowed from the record's bytes where it can be long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Body<'a> {
    /// A unit of recovery begins; its URID is this record's RBA.
    BeginUr {
        /// Who works.
        connection: &'a str,
        /// When.
        at: Timestamp,
    },
    /// A record was put on a page. Undo: delete it.
    Insert {
        /// The page.
        at: PageAddress,
        /// The slot.
        slot: u16,
        /// The record's bytes.
        record: &'a [u8],
    },
    /// The unit will delete a message when it commits. Changes no page.
    DeleteIntent {
        /// Page of the message's head.
        at: PageAddress,
        /// Slot of the message's head.
        slot: u16,
        /// The message's key.
        key: u64,
    },
    /// A record was deleted in phase 2. Redo-only.
    Delete {
        /// The page.
        at: PageAddress,
        /// The slot.
        slot: u16,
    },
    /// An insert was undone. Redo-only.
    Compensate {
        /// The page.
        at: PageAddress,
        /// The slot.
        slot: u16,
        /// The unit's next record to undo; zero when none is left.
        undo_next: Rba,
    },
    /// The unit is prepared.
    Prepare {
        /// The coordinator's name of it.
        xid: &'a [u8],
    },
    /// The unit is committed.
    BeginPhase2 {
        /// Nothing remains to be done, so no `EndUr` follows.
        complete: bool,
        /// When.
        at: Timestamp,
    },
    /// The committed unit's deletions are made.
    EndUr,
    /// The unit is being backed out.
    BeginAbort,
    /// The unit is backed out.
    EndAbort,
    /// A page was made empty and of a type.
    Format {
        /// The page.
        at: PageAddress,
        /// Its type from now on.
        page_type: u8,
    },
    /// A page before its first change since it was clean.
    PageImage {
        /// The page.
        at: PageAddress,
        /// All its 4096 bytes.
        image: &'a [u8],
    },
    /// A run of pages changed state.
    SpaceMap {
        /// The space map page that says so.
        map: PageAddress,
        /// First page of the run.
        first: PageNumber,
        /// Their state from now on.
        state: u8,
        /// Pages in the run.
        count: u16,
    },
    /// More pages are usable.
    UsedRaised {
        /// The page set.
        page_set: PageSetId,
        /// Pages usable before.
        from: u32,
        /// Pages usable from now on.
        to: u32,
        /// Extents from now on.
        extents: u16,
        /// Expansions from now on.
        expansions: u16,
    },
    /// A page set was opened.
    OpenPageSet {
        /// The page set.
        page_set: PageSetId,
        /// Its recovery RBA then.
        recovery_rba: Rba,
    },
    /// A page set was closed.
    ClosePageSet {
        /// The page set.
        page_set: PageSetId,
        /// Its recovery RBA then.
        recovery_rba: Rba,
    },
    /// A checkpoint begins.
    BeginCheckpoint {
        /// Sequence of the BSDS at that time.
        bsds_sequence: u64,
    },
    /// Units active at a checkpoint; see [`crate::split_units`].
    CheckpointUnits {
        /// The units.
        units: Vec<CheckpointUnit>,
    },
    /// Page sets at a checkpoint.
    CheckpointPageSets {
        /// The page sets: identifier, recovery RBA, online.
        sets: Vec<CheckpointPageSet>,
    },
    /// A checkpoint is complete.
    EndCheckpoint {
        /// RBA of its begin record.
        begin: Rba,
    },
    /// First record of a log data set.
    Switch {
        /// Sequence of the BSDS that names the data set.
        bsds_sequence: u64,
    },
    /// The queue manager stopped cleanly.
    CleanStop,
}

/// A record: header and body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<'a> {
    /// The header.
    pub header: RecordHeader,
    /// The body.
    pub body: Body<'a>,
}

impl<'a> Record<'a> {
    /// Reads a whole record.
    ///
    /// # Errors
    /// When the bytes are not exactly one record.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, RecordError> {
        let header = RecordHeader::decode(bytes)?;
        let total = header.total_length as usize;
        if bytes.len() < total {
            return Err(RecordError::Short { wanted: total, found: bytes.len() });
        }
        if bytes.len() > total {
            return Err(RecordError::Long(bytes.len() - total));
        }
        let body = Body::decode(header.kind, bytes.get(HEADER_LENGTH..).unwrap_or_default())?;
        if header.resource_manager != body.resource_manager() {
            return Err(RecordError::Field {
                field: "resource manager",
                value: u64::from(header.resource_manager.0),
            });
        }
        Ok(Self { header, body })
    }

    /// Appends the record's bytes. The header's lengths, kind and resource manager are taken from the body.
    pub fn to_bytes(&self, out: &mut Vec<u8>) {
        let start = out.len();
        out.resize(start + HEADER_LENGTH, 0);
        self.body.to_bytes(out);
        let header = RecordHeader {
            total_length: u32::try_from(out.len() - start).unwrap_or(u32::MAX),
            kind: self.body.kind(),
            resource_manager: self.body.resource_manager(),
            flags: 0,
            release: RELEASE,
            ..self.header
        };
        out[start..start + HEADER_LENGTH].copy_from_slice(&header.to_bytes());
    }
}

fn put_place(at: PageAddress, slot: u16, out: &mut Vec<u8>) {
    let mut place = [0; 8];
    place[0] = at.page_set.number();
    place[2..4].copy_from_slice(&slot.to_be_bytes());
    place[4..8].copy_from_slice(&at.page.0.to_be_bytes());
    out.extend_from_slice(&place);
}

fn take_place(cursor: &mut Cursor<'_>) -> Result<(PageAddress, u16), RecordError> {
    let page_set = page_set(cursor)?;
    let zero = cursor.u8()?;
    if zero != 0 {
        return Err(RecordError::Field { field: "reserved byte of a place", value: u64::from(zero) });
    }
    let slot = cursor.u16()?;
    Ok((PageAddress::new(page_set, PageNumber(cursor.u32()?)), slot))
}

fn take_page(cursor: &mut Cursor<'_>) -> Result<PageAddress, RecordError> {
    match take_place(cursor)? {
        (at, 0) => Ok(at),
        (_, slot) => Err(RecordError::Field { field: "slot of a whole page", value: u64::from(slot) }),
    }
}

impl<'a> Body<'a> {
    /// The kind that says how the body is laid out.
    #[must_use]
    pub const fn kind(&self) -> RecordKind {
        match self {
            Self::BeginUr { .. } => RecordKind::BEGIN_UR,
            Self::Insert { .. } => RecordKind::INSERT,
            Self::DeleteIntent { .. } => RecordKind::DELETE_INTENT,
            Self::Delete { .. } => RecordKind::DELETE,
            Self::Compensate { .. } => RecordKind::COMPENSATE,
            Self::Prepare { .. } => RecordKind::PREPARE,
            Self::BeginPhase2 { .. } => RecordKind::BEGIN_PHASE_2,
            Self::EndUr => RecordKind::END_UR,
            Self::BeginAbort => RecordKind::BEGIN_ABORT,
            Self::EndAbort => RecordKind::END_ABORT,
            Self::Format { .. } => RecordKind::FORMAT,
            Self::PageImage { .. } => RecordKind::PAGE_IMAGE,
            Self::SpaceMap { .. } => RecordKind::SPACE_MAP,
            Self::UsedRaised { .. } => RecordKind::USED_RAISED,
            Self::OpenPageSet { .. } => RecordKind::OPEN_PAGE_SET,
            Self::ClosePageSet { .. } => RecordKind::CLOSE_PAGE_SET,
            Self::BeginCheckpoint { .. } => RecordKind::BEGIN_CHECKPOINT,
            Self::CheckpointUnits { .. } => RecordKind::CHECKPOINT_UNITS,
            Self::CheckpointPageSets { .. } => RecordKind::CHECKPOINT_PAGE_SETS,
            Self::EndCheckpoint { .. } => RecordKind::END_CHECKPOINT,
            Self::Switch { .. } => RecordKind::SWITCH,
            Self::CleanStop => RecordKind::CLEAN_STOP,
        }
    }

    /// The component that writes such records.
    #[must_use]
    pub const fn resource_manager(&self) -> ResourceManager {
        match self {
            Self::Insert { .. }
            | Self::DeleteIntent { .. }
            | Self::Delete { .. }
            | Self::Compensate { .. } => ResourceManager::DATA,
            Self::Format { .. }
            | Self::PageImage { .. }
            | Self::SpaceMap { .. }
            | Self::UsedRaised { .. }
            | Self::OpenPageSet { .. }
            | Self::ClosePageSet { .. } => ResourceManager::BUFFER,
            Self::Switch { .. } | Self::CleanStop => ResourceManager::LOG,
            _ => ResourceManager::RECOVERY,
        }
    }

    /// The page that redo of this record touches; none when it touches no single page.
    #[must_use]
    pub const fn page(&self) -> Option<PageAddress> {
        match self {
            Self::Insert { at, .. }
            | Self::Delete { at, .. }
            | Self::Compensate { at, .. }
            | Self::Format { at, .. }
            | Self::PageImage { at, .. } => Some(*at),
            Self::SpaceMap { map, .. } => Some(*map),
            _ => None,
        }
    }

    /// Appends the body's bytes.
    pub fn to_bytes(&self, out: &mut Vec<u8>) {
        match self {
            Self::BeginUr { connection, at } => {
                out.extend_from_slice(&at.0.to_be_bytes());
                out.extend_from_slice(kept_connection(connection).as_bytes());
            }
            Self::Insert { at, slot, record } => {
                put_place(*at, *slot, out);
                out.extend_from_slice(record);
            }
            Self::DeleteIntent { at, slot, key } => {
                put_place(*at, *slot, out);
                out.extend_from_slice(&key.to_be_bytes());
            }
            Self::Delete { at, slot } => put_place(*at, *slot, out),
            Self::Compensate { at, slot, undo_next } => {
                put_place(*at, *slot, out);
                out.extend_from_slice(&undo_next.0.to_be_bytes());
            }
            Self::Prepare { xid } => out.extend_from_slice(xid),
            Self::BeginPhase2 { complete, at } => {
                out.extend_from_slice(&at.0.to_be_bytes());
                out.push(u8::from(*complete));
            }
            Self::EndUr | Self::BeginAbort | Self::EndAbort | Self::CleanStop => {}
            Self::Format { at, page_type } => {
                put_place(*at, 0, out);
                out.push(*page_type);
            }
            Self::PageImage { at, image } => {
                put_place(*at, 0, out);
                out.extend_from_slice(image);
            }
            Self::SpaceMap { map, first, state, count } => {
                put_place(*map, 0, out);
                out.extend_from_slice(&first.0.to_be_bytes());
                out.extend_from_slice(&count.to_be_bytes());
                out.push(*state);
            }
            Self::UsedRaised { page_set, from, to, extents, expansions } => {
                out.push(page_set.number());
                out.extend_from_slice(&from.to_be_bytes());
                out.extend_from_slice(&to.to_be_bytes());
                out.extend_from_slice(&extents.to_be_bytes());
                out.extend_from_slice(&expansions.to_be_bytes());
            }
            Self::OpenPageSet { page_set, recovery_rba } | Self::ClosePageSet { page_set, recovery_rba } => {
                out.push(page_set.number());
                out.extend_from_slice(&recovery_rba.0.to_be_bytes());
            }
            Self::BeginCheckpoint { bsds_sequence } | Self::Switch { bsds_sequence } => {
                out.extend_from_slice(&bsds_sequence.to_be_bytes());
            }
            Self::CheckpointUnits { units } => put_units(units, out),
            Self::CheckpointPageSets { sets } => put_page_sets(sets, out),
            Self::EndCheckpoint { begin } => out.extend_from_slice(&begin.0.to_be_bytes()),
        }
    }

    /// Reads a body of `kind`.
    ///
    /// # Errors
    /// When the bytes are not exactly such a body.
    pub fn decode(kind: RecordKind, bytes: &'a [u8]) -> Result<Self, RecordError> {
        let mut cursor = Cursor::new(bytes);
        let body = Self::take(kind, &mut cursor)?;
        if cursor.is_empty() { Ok(body) } else { Err(RecordError::Long(cursor.rest().len())) }
    }

    fn take(kind: RecordKind, cursor: &mut Cursor<'a>) -> Result<Self, RecordError> {
        Ok(match kind {
            RecordKind::BEGIN_UR => {
                let at = Timestamp(cursor.u64()?);
                Self::BeginUr { connection: text(take_rest(cursor)?)?, at }
            }
            RecordKind::INSERT => {
                let (at, slot) = take_place(cursor)?;
                Self::Insert { at, slot, record: take_rest(cursor)? }
            }
            RecordKind::DELETE_INTENT => {
                let (at, slot) = take_place(cursor)?;
                Self::DeleteIntent { at, slot, key: cursor.u64()? }
            }
            RecordKind::DELETE => {
                let (at, slot) = take_place(cursor)?;
                Self::Delete { at, slot }
            }
            RecordKind::COMPENSATE => {
                let (at, slot) = take_place(cursor)?;
                Self::Compensate { at, slot, undo_next: Rba(cursor.u64()?) }
            }
            RecordKind::PREPARE => Self::Prepare { xid: take_rest(cursor)? },
            RecordKind::BEGIN_PHASE_2 => {
                let at = Timestamp(cursor.u64()?);
                Self::BeginPhase2 { complete: boolean(cursor, "complete")?, at }
            }
            RecordKind::END_UR => Self::EndUr,
            RecordKind::BEGIN_ABORT => Self::BeginAbort,
            RecordKind::END_ABORT => Self::EndAbort,
            RecordKind::FORMAT => Self::Format { at: take_page(cursor)?, page_type: cursor.u8()? },
            RecordKind::PAGE_IMAGE => {
                Self::PageImage { at: take_page(cursor)?, image: cursor.bytes(PAGE_SIZE)? }
            }
            RecordKind::SPACE_MAP => {
                let map = take_page(cursor)?;
                let first = PageNumber(cursor.u32()?);
                let count = cursor.u16()?;
                Self::SpaceMap { map, first, state: cursor.u8()?, count }
            }
            RecordKind::USED_RAISED => Self::UsedRaised {
                page_set: page_set(cursor)?,
                from: cursor.u32()?,
                to: cursor.u32()?,
                extents: cursor.u16()?,
                expansions: cursor.u16()?,
            },
            RecordKind::OPEN_PAGE_SET => {
                Self::OpenPageSet { page_set: page_set(cursor)?, recovery_rba: Rba(cursor.u64()?) }
            }
            RecordKind::CLOSE_PAGE_SET => {
                Self::ClosePageSet { page_set: page_set(cursor)?, recovery_rba: Rba(cursor.u64()?) }
            }
            RecordKind::BEGIN_CHECKPOINT => Self::BeginCheckpoint { bsds_sequence: cursor.u64()? },
            RecordKind::CHECKPOINT_UNITS => Self::CheckpointUnits { units: take_units(cursor)? },
            RecordKind::CHECKPOINT_PAGE_SETS => Self::CheckpointPageSets { sets: take_page_sets(cursor)? },
            RecordKind::END_CHECKPOINT => Self::EndCheckpoint { begin: Rba(cursor.u64()?) },
            RecordKind::SWITCH => Self::Switch { bsds_sequence: cursor.u64()? },
            RecordKind::CLEAN_STOP => Self::CleanStop,
            other => return Err(RecordError::Kind(other)),
        })
    }
}

fn take_rest<'a>(cursor: &mut Cursor<'a>) -> Result<&'a [u8], RecordError> {
    let left = cursor.rest().len();
    Ok(cursor.bytes(left)?)
}
