//! What a checkpoint lists.

use format_types::{Cursor, PageSetId, Rba, ShortInput, UnitState, Urid, put_bytes16};

use crate::{Body, RecordError};

/// An active unit of recovery at a checkpoint.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CheckpointUnit {
    /// The unit.
    pub urid: Urid,
    /// RBA of its last record.
    pub last: Rba,
    /// Its state.
    pub state: UnitState,
    /// While it is backed out: the next record to undo; zero when none is left.
    pub undo_next: Rba,
    /// The connection that it belongs to; cut to 255 bytes when written.
    pub connection: String,
}

/// A page set at a checkpoint: its identifier, its recovery RBA, and whether it is online.
pub type CheckpointPageSet = (PageSetId, Rba, bool);

/// Longest connection name kept, in bytes.
const MAX_CONNECTION: usize = 255;

/// Units that go into one record at most: with the longest names they stay below the longest record.
const UNITS_PER_RECORD: usize = 200;

/// Bodies that list `units`, as many as are needed: at least one.
#[must_use]
pub fn split_units(units: Vec<CheckpointUnit>) -> Vec<Body<'static>> {
    if units.len() <= UNITS_PER_RECORD {
        return vec![Body::CheckpointUnits { units }];
    }
    units.chunks(UNITS_PER_RECORD).map(|part| Body::CheckpointUnits { units: part.to_vec() }).collect()
}

/// The part of a connection name that is kept.
pub(crate) fn kept_connection(name: &str) -> &str {
    let end = (0..=name.len().min(MAX_CONNECTION)).rev().find(|&at| name.is_char_boundary(at)).unwrap_or(0);
    name.get(..end).unwrap_or_default()
}

fn state_code(state: UnitState) -> u8 {
    match state {
        UnitState::InFlight => 1,
        UnitState::InDoubt => 2,
        UnitState::InCommit => 3,
        UnitState::InBackout => 4,
    }
}

fn state_of(code: u8) -> Result<UnitState, RecordError> {
    Ok(match code {
        1 => UnitState::InFlight,
        2 => UnitState::InDoubt,
        3 => UnitState::InCommit,
        4 => UnitState::InBackout,
        other => return Err(RecordError::Field { field: "unit state", value: u64::from(other) }),
    })
}

pub(crate) fn put_units(units: &[CheckpointUnit], out: &mut Vec<u8>) {
    for unit in units {
        out.extend_from_slice(&unit.urid.0.0.to_be_bytes());
        out.extend_from_slice(&unit.last.0.to_be_bytes());
        out.extend_from_slice(&unit.undo_next.0.to_be_bytes());
        out.push(state_code(unit.state));
        put_bytes16(out, kept_connection(&unit.connection).as_bytes());
    }
}

pub(crate) fn take_units(cursor: &mut Cursor<'_>) -> Result<Vec<CheckpointUnit>, RecordError> {
    let mut units = Vec::new();
    while !cursor.is_empty() {
        let urid = Urid(Rba(cursor.u64()?));
        let last = Rba(cursor.u64()?);
        let undo_next = Rba(cursor.u64()?);
        let state = state_of(cursor.u8()?)?;
        let connection = text(cursor.bytes16()?)?.to_owned();
        units.push(CheckpointUnit { urid, last, state, undo_next, connection });
    }
    Ok(units)
}

pub(crate) fn put_page_sets(sets: &[CheckpointPageSet], out: &mut Vec<u8>) {
    for (page_set, recovery, online) in sets {
        out.push(page_set.number());
        out.push(u8::from(*online));
        out.extend_from_slice(&recovery.0.to_be_bytes());
    }
}

pub(crate) fn take_page_sets(cursor: &mut Cursor<'_>) -> Result<Vec<CheckpointPageSet>, RecordError> {
    let mut sets = Vec::new();
    while !cursor.is_empty() {
        let page_set = page_set(cursor)?;
        let online = boolean(cursor, "online")?;
        sets.push((page_set, Rba(cursor.u64()?), online));
    }
    Ok(sets)
}

pub(crate) fn page_set(cursor: &mut Cursor<'_>) -> Result<PageSetId, RecordError> {
    let number = cursor.u8()?;
    PageSetId::new(number).ok_or(RecordError::Field { field: "page set", value: u64::from(number) })
}

pub(crate) fn boolean(cursor: &mut Cursor<'_>, field: &'static str) -> Result<bool, RecordError> {
    match cursor.u8()? {
        0 => Ok(false),
        1 => Ok(true),
        other => Err(RecordError::Field { field, value: u64::from(other) }),
    }
}

pub(crate) fn text(bytes: &[u8]) -> Result<&str, RecordError> {
    std::str::from_utf8(bytes).map_err(|_| RecordError::Text)
}

impl From<ShortInput> for RecordError {
    fn from(short: ShortInput) -> Self {
        Self::Short { wanted: short.offset + short.wanted, found: short.offset + short.left }
    }
}
