//! Units of work: what a connection does between two commits.

use engine_page_store::{RecordAddress, UnitLink};
use engine_recovery::Action;
use format_log::{Body, CheckpointUnit};
use format_protocol::Reply;
use format_types::{ObjectName, Rba, UnitState, UnitUsage, Urid};

use super::{ConnectionId, Core};
use crate::CoreError;
use crate::queue::Place;

/// Number of a unit of work inside this run of the queue manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct WorkId(pub(crate) u64);

/// An effect on a queue's index that the end of the unit settles.
#[derive(Debug, Clone)]
pub(crate) enum Operation {
    /// A message was put.
    Put { queue: ObjectName, place: Place },
    /// A message was got.
    Got { queue: ObjectName, place: Place, head: RecordAddress, persistent: bool, length: u32 },
    /// A record is to be deleted that no queue shows any more: of an object, or of a message that a unit before the last start got.
    Delete { head: RecordAddress, key: u64, length: u32 },
}

/// A unit of work. It is a unit of recovery once it has logged something.
#[derive(Debug)]
pub(crate) struct Work {
    /// Where it stands in the log; none while it has logged nothing.
    pub(crate) link: Option<UnitLink>,
    pub(crate) state: UnitState,
    pub(crate) connection: String,
    pub(crate) operations: Vec<Operation>,
    /// Records put on pages, oldest first, with the RBA of their log records (zero: not logged).
    pub(crate) inserted: Vec<(RecordAddress, Rba)>,
    /// Heads of the chains that it is to delete, with their keys, when a restart left it.
    pub(crate) intents: Vec<(RecordAddress, u64)>,
    /// Where backing out goes on, for checkpoints.
    pub(crate) undo_next: Rba,
    /// The record that committed it said that nothing remains to be deleted.
    pub(crate) complete: bool,
    /// Its end waits for an offline page set; START PSID or the next start carries it out.
    pub(crate) stalled: bool,
    /// To be sent when its end has been carried out.
    pub(crate) reply: Option<(ConnectionId, Reply)>,
    /// The coordinator's name of it, once prepared.
    pub(crate) xid: Vec<u8>,
    /// It was reported to run for long.
    pub(crate) long_running: bool,
}

impl Work {
    pub(crate) fn new(connection: String) -> Self {
        Self {
            link: None,
            state: UnitState::InFlight,
            connection,
            operations: Vec::new(),
            inserted: Vec::new(),
            intents: Vec::new(),
            undo_next: Rba::ZERO,
            complete: false,
            stalled: false,
            reply: None,
            xid: Vec::new(),
            long_running: false,
        }
    }

    /// The link of a unit that logs nothing.
    pub(crate) fn link_or_none(&self) -> UnitLink {
        self.link.unwrap_or(UnitLink { urid: Urid::NONE, last: Rba::ZERO })
    }

    /// Whether something persistent is to be deleted when it commits.
    pub(crate) fn deletes_persistent(&self) -> bool {
        self.operations.iter().any(|operation| {
            matches!(operation, Operation::Got { persistent: true, .. } | Operation::Delete { .. })
        })
    }

    /// What DISPLAY USAGE shows of it; none while it has logged nothing.
    pub(crate) fn usage(&self) -> Option<UnitUsage> {
        let link = self.link?;
        Some(UnitUsage { urid: link.urid, state: self.state, connection: self.connection.clone() })
    }

    /// What a checkpoint lists of it; none for a unit whose last record is in the log already, though perhaps not on disk: whoever can
    /// read the list can read that record before it.
    pub(crate) fn checkpoint_unit(&self) -> Option<CheckpointUnit> {
        let link = self.link.filter(|_| !(self.state == UnitState::InCommit && self.complete))?;
        Some(CheckpointUnit {
            urid: link.urid,
            last: link.last,
            state: self.state,
            undo_next: self.undo_next,
            connection: self.connection.clone(),
        })
    }

    /// What it did and is to do, from what a restart read from its chain.
    pub(crate) fn take_actions(&mut self, actions: &[Action]) {
        for action in actions {
            match action {
                Action::Inserted { at, rba } => self.inserted.push((*at, *rba)),
                Action::Intent { head, key } => self.intents.push((*head, *key)),
            }
        }
    }
}

impl Core {
    /// A unit of work of its own for `connection`.
    pub(super) fn new_work(&mut self, connection: ConnectionId) -> WorkId {
        let application =
            self.connections.get(&connection).map_or_else(String::new, |known| known.application.clone());
        self.insert_work(Work::new(application))
    }

    pub(super) fn insert_work(&mut self, work: Work) -> WorkId {
        self.next_work += 1;
        let id = WorkId(self.next_work);
        self.works.insert(id, work);
        id
    }

    /// The unit of work that `connection` is in; a new one when it is in none.
    pub(super) fn current_work(&mut self, connection: ConnectionId) -> WorkId {
        if let Some(id) = self.connections.get(&connection).and_then(|known| known.work) {
            return id;
        }
        let id = self.new_work(connection);
        if let Some(known) = self.connections.get_mut(&connection) {
            known.work = Some(id);
        }
        id
    }

    /// Logs BEGIN UR for a unit that is about to log its first change.
    pub(crate) fn begin_logging(&mut self, id: WorkId) -> Result<UnitLink, CoreError> {
        let work = self
            .works
            .get_mut(&id)
            .ok_or_else(|| CoreError::Contradiction("a unit of work is missing".into()))?;
        if let Some(link) = work.link {
            return Ok(link);
        }
        let body = Body::BeginUr { connection: &work.connection, at: self.now };
        let range = self.log.append(Urid::NONE, Rba::ZERO, &body)?;
        let link = UnitLink { urid: Urid(range.start), last: range.start };
        work.link = Some(link);
        Ok(link)
    }

    /// The units of recovery, oldest first.
    pub(super) fn unit_usages(&self) -> Vec<UnitUsage> {
        let mut units: Vec<UnitUsage> = self.works.values().filter_map(Work::usage).collect();
        units.sort_unstable_by_key(|unit| unit.urid);
        units
    }

    pub(super) fn checkpoint_units(&self) -> Vec<CheckpointUnit> {
        let mut units: Vec<CheckpointUnit> = self.works.values().filter_map(Work::checkpoint_unit).collect();
        units.sort_unstable_by_key(|unit| unit.urid);
        units
    }
}
