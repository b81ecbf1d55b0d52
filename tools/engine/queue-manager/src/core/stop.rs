//! The end of a queue manager: quiesce, write everything, say from where the log is needed.

use engine_recovery::Checkpoint;
use format_log::Body;
use format_protocol::Reply;
use format_types::{ConditionCode, QueueManagerName, SystemRecovery, UnitState};

use super::{Core, State, error_reply};
use crate::CoreError;

impl Core {
    /// Begins to stop: no new work is taken; with `force`, units under way are backed out.
    pub fn stop(&mut self, force: bool) {
        if self.state == State::Running {
            self.state = State::Quiescing;
            self.say("CSQ3104I", "CSQYASCP STOP QMGR - TERMINATION IN PROGRESS");
        }
        if force && self.state == State::Quiescing {
            self.forced = true;
            let works: Vec<_> = self
                .works
                .iter()
                .filter(|(_, work)| work.state == UnitState::InFlight)
                .map(|(id, _)| *id)
                .collect();
            for connection in self.connections.values_mut() {
                // Whoever commits next must not be told that what it did is committed.
                connection.backed_out |= connection.work.take().is_some();
            }
            for work in works {
                self.begin_backout(work, None);
            }
        }
    }

    /// Stops once nothing is under way.
    pub(super) fn stop_when_quiet(&mut self) -> Result<(), CoreError> {
        if self.state != State::Quiescing || !self.jobs.is_empty() || self.jobs_out > 0 {
            return Ok(());
        }
        if self.forced && self.endings_want_log {
            // Nothing is being offloaded now: who knows when there will be room.
            while let Some(id) = self.endings.front().copied() {
                self.stall(id, "THE LOG, WHICH IS FULL: see that it can be offloaded");
            }
        }
        let quiet = self.works.values().all(|work| work.state == UnitState::InDoubt || work.stalled)
            && self.commits.is_empty()
            && self.prepares.is_empty()
            && self.parked.is_empty()
            && self.checkpoint.is_none();
        if quiet { self.shut_down() } else { Ok(()) }
    }

    /// Writes everything and ends. Syncs are made here and now: nobody is left to be kept waiting.
    pub(super) fn shut_down(&mut self) -> Result<(), CoreError> {
        self.stop_returns();
        self.report_unresolved();
        self.store.write_all(&mut self.log)?;
        let units = self.checkpoint_units();
        Checkpoint::run_now(&mut self.log, &mut self.store, units, self.now)?;
        self.append_system(&Body::CleanStop)?;
        let stop = self.log.sync_now()?;
        let online = self.store.online_page_sets();
        for page_set in online.iter().copied() {
            // Both slots of page zero say "closed cleanly": a reader believes it only then.
            for _ in 0..2 {
                self.or_offline(|core| {
                    core.store.stamp_page_zero(page_set, stop, stop, Some(stop))?;
                    core.store.sync_now(page_set)
                })?;
            }
        }
        let closed = self.store.online_page_sets() == online;
        self.log.update_bsds(|bsds| {
            // What is in page zero is not to be believed where its sync failed.
            bsds.clean_stop = closed.then_some(stop);
            bsds.highest_written = stop;
        })?;
        let lines = self.stop_lines();
        self.messages.extend(lines.iter().cloned());
        self.state = State::Stopped;
        for wait in std::mem::take(&mut self.archive_waits) {
            let text =
                "THE QUEUE MANAGER STOPPED before the log was offloaded: the next start goes on with it";
            self.reply(wait.connection, error_reply(ConditionCode::Partial, "HWT441W", text));
        }
        for connection in std::mem::take(&mut self.stop_waits) {
            self.reply(connection, Reply::Stopping { lines: lines.clone() });
        }
        Ok(())
    }

    fn stop_lines(&self) -> Vec<String> {
        let name = &self.log.bsds().name;
        let mut lines = restart_rba_messages(name, &self.usage().system_recovery);
        lines.push(format!("CSQ3100I {name} CSQ3EC0X - SUBSYSTEM {name} TERMINATION COMPLETE"));
        lines
    }
}

/// What a stop prints of the log that is needed from then on: CSQI024I, without offline page sets, and CSQI025I, with them.
#[must_use]
pub fn restart_rba_messages(name: &QueueManagerName, recovery: &SystemRecovery) -> Vec<String> {
    vec![
        format!("CSQI024I {name} CSQIDUSE Restart RBA for system as configured={}", recovery.restart_rba()),
        format!(
            "CSQI025I {name} CSQIDUSE Restart RBA including offline page sets={}",
            recovery.restart_rba_with_offline()
        ),
    ]
}
