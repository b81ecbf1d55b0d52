//! Units of recovery that go on for long: they hold the log, so whoever looks after it is told of them.

use format_types::{Rba, UnitState, Urid};

use super::Core;
use crate::command;

/// Data sets begun since its first record at which a unit counts as long-running.
const LONG: usize = 2;

impl Core {
    /// After a switch of the log: CSQJ160I for each unit that spans several data sets by now, CSQJ161I when that was said before.
    pub(super) fn report_long_running(&mut self) {
        let switches = self.log.switches();
        if switches == self.switches_reported {
            return;
        }
        self.switches_reported = switches;
        let bsds = self.log.bsds();
        let actives = bsds.actives(1).filter_map(|log| log.range);
        let archives = bsds.archives.iter().map(|archive| archive.range);
        let mut begins: Vec<Rba> =
            actives.chain(archives).filter(|range| !range.is_empty()).map(|range| range.start).collect();
        begins.sort_unstable();
        begins.dedup();
        let mut found: Vec<(Urid, String, usize, bool)> = Vec::new();
        for work in self.works.values_mut() {
            let Some(link) = work.link else { continue };
            let spans = begins.len() - begins.partition_point(|begin| *begin <= link.urid.0);
            if spans >= LONG {
                let again = std::mem::replace(&mut work.long_running, true);
                found.push((link.urid, work.connection.clone(), spans, again));
            }
        }
        found.sort_unstable();
        for (urid, connection, spans, again) in found {
            if again {
                let text = format!(
                    "UOW UNRESOLVED AFTER {spans} OFFLOADS, URID={urid} CONNECTION NAME={connection}"
                );
                self.say("CSQJ161I", &text);
            } else {
                let text = format!("LONG-RUNNING UOW FOUND, URID={urid} CONNECTION NAME={connection}");
                self.say("CSQJ160I", &text);
            }
        }
    }

    /// At a checkpoint and at the stop: the units that are in doubt, as DISPLAY CONN shows them, and those that run for long.
    pub(super) fn report_unresolved(&mut self) {
        if self.works.values().any(|work| work.state == UnitState::InDoubt) {
            let lines = command::unresolved_connections(self);
            self.messages.extend(lines);
        }
        let mut long: Vec<(Urid, String)> = self
            .works
            .values()
            .filter(|work| work.long_running && work.state != UnitState::InDoubt)
            .map(|work| (work.link_or_none().urid, work.connection.clone()))
            .collect();
        long.sort_unstable();
        for (urid, connection) in long {
            let text = format!(
                "LONG-RUNNING UNIT OF RECOVERY {urid} of connection {connection}: it holds the log from there on; see that it ends"
            );
            self.say("HWT444W", &text);
        }
    }
}
