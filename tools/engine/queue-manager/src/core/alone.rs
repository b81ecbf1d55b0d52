//! Who else uses the queue manager, and a stop that harms none of them: for a full backup.

use format_protocol::Reply;
use format_types::{UnitState, UnitUsage};

use super::request::Outcome;
use super::{ConnectionId, Core};

impl Core {
    /// Names of the connections beside `asking`, one for each.
    fn others(&self, asking: ConnectionId) -> Vec<String> {
        self.connections
            .iter()
            .filter(|(id, _)| **id != asking)
            .map(|(_, known)| known.application.clone())
            .collect()
    }

    /// Units of recovery that end neither by themselves nor by a connection, oldest first: in doubt, or waiting for a page set.
    fn unresolved(&self) -> Vec<UnitUsage> {
        let waits = |state: UnitState, stalled: bool| state == UnitState::InDoubt || stalled;
        let works = self.works.values().filter(|work| waits(work.state, work.stalled));
        let mut units: Vec<UnitUsage> = works.filter_map(super::work::Work::usage).collect();
        units.sort_unstable_by_key(|unit| unit.urid);
        units
    }

    /// Who uses the queue manager beside `asking`.
    pub(super) fn applications(&self, asking: ConnectionId) -> Reply {
        Reply::Applications { connected: self.others(asking), unresolved: self.unresolved() }
    }

    /// Stops if nobody else is connected and, unless told so, nothing is unresolved. The answer and the stop are one step: whoever connects
    /// later is refused, and nobody was refused before.
    pub(super) fn stop_when_alone(&mut self, asking: ConnectionId, allow_unresolved: bool) -> Outcome {
        let settled = allow_unresolved || self.unresolved().is_empty();
        if !settled || !self.others(asking).is_empty() {
            return Outcome::Reply(self.applications(asking));
        }
        self.stop(false);
        self.stop_waits.push(asking);
        Outcome::Later
    }
}
