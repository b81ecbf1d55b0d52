//! Active units of recovery.

use std::collections::BTreeMap;

use engine_page_store::{RecordAddress, UnitLink};
use format_types::{Rba, UnitState, Urid};

/// Something a unit of recovery did that its end must settle.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// A record was put on a page; undone by deleting it.
    Inserted {
        /// Where it lies.
        at: RecordAddress,
        /// The log record that put it there; zero when it was not logged (nonpersistent).
        rba: Rba,
    },
    /// A chain is to be deleted at commit; undone by forgetting the intent.
    Intent {
        /// The chain's first record.
        head: RecordAddress,
        /// The key that all its records carry.
        key: u64,
    },
}

/// An active unit of recovery.
#[derive(Debug, Clone)]
pub struct Unit {
    /// Its identifier and the RBA of its last record.
    pub link: UnitLink,
    /// Its state.
    pub state: UnitState,
    /// The connection that it belongs to.
    pub connection: String,
    /// What it did, oldest first. Empty after a restart until its chain is read.
    pub actions: Vec<Action>,
    /// Where backing out goes on; zero when nothing is left to undo.
    pub undo_next: Rba,
    /// The coordinator's name of it, where it is prepared. Empty after a restart until its chain is read.
    pub xid: Vec<u8>,
}

/// The active units of recovery that have logged something, by URID.
#[derive(Debug, Default)]
pub struct UnitTable {
    units: BTreeMap<Urid, Unit>,
}

impl UnitTable {
    /// An empty table.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds or replaces a unit.
    pub fn insert(&mut self, unit: Unit) {
        self.units.insert(unit.link.urid, unit);
    }

    /// Takes a unit out.
    pub fn remove(&mut self, urid: Urid) -> Option<Unit> {
        self.units.remove(&urid)
    }

    /// A unit.
    #[must_use]
    pub fn get(&self, urid: Urid) -> Option<&Unit> {
        self.units.get(&urid)
    }

    /// A unit, to be changed.
    pub fn get_mut(&mut self, urid: Urid) -> Option<&mut Unit> {
        self.units.get_mut(&urid)
    }

    /// All units, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = &Unit> {
        self.units.values()
    }

    /// All units, to be changed, oldest first.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut Unit> {
        self.units.values_mut()
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.units.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.units.is_empty()
    }

    /// How many are in `state`.
    #[must_use]
    pub fn count(&self, state: UnitState) -> usize {
        self.units.values().filter(|unit| unit.state == state).count()
    }

    /// The URIDs in `state`, oldest first.
    #[must_use]
    pub fn in_state(&self, state: UnitState) -> Vec<Urid> {
        self.units.values().filter(|unit| unit.state == state).map(|unit| unit.link.urid).collect()
    }
}
