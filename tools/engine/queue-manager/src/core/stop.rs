//! The end of a queue manager: quiesce, write everything, say from where the log is needed.

use engine_recovery::Checkpoint;
use format_log::Body;
use format_protocol::Reply;
use format_types::UnitState;

use super::{Core, State};
use crate::CoreError;

impl Core {
    /// Begins to stop: no new work is taken; with `force`, units under way are backed out.
    pub fn stop(&mut self, force: bool) {
        if self.state == State::Running {
            self.state = State::Quiescing;
            self.say("CSQ3104I", "CSQYASCP STOP QMGR - TERMINATION IN PROGRESS");
        }
        if force {
            let works: Vec<_> = self
                .works
                .iter()
                .filter(|(_, work)| work.state == UnitState::InFlight)
                .map(|(id, _)| *id)
                .collect();
            for connection in self.connections.values_mut() {
                connection.work = None;
            }
            for work in works {
                self.begin_backout(work, None);
            }
        }
    }

    /// Stops once nothing is under way.
    pub(super) fn stop_when_quiet(&mut self) -> Result<(), CoreError> {
        let quiet = self.state == State::Quiescing
            && self.works.values().all(|work| work.state == UnitState::InDoubt || work.stalled)
            && self.commits.is_empty()
            && self.prepares.is_empty()
            && self.parked.is_empty()
            && self.checkpoint.is_none()
            && self.jobs.is_empty()
            && self.jobs_out == 0;
        if quiet { self.shut_down() } else { Ok(()) }
    }

    /// Writes everything and ends. Syncs are made here and now: nobody is left to be kept waiting.
    pub(super) fn shut_down(&mut self) -> Result<(), CoreError> {
        self.store.write_all(&mut self.log)?;
        let units = self.checkpoint_units();
        Checkpoint::run_now(&mut self.log, &mut self.store, units, self.now)?;
        self.append_system(&Body::CleanStop)?;
        let stop = self.log.sync_now()?;
        for page_set in self.store.online_page_sets() {
            // Both slots of page zero say "closed cleanly": a reader believes it only then.
            for _ in 0..2 {
                self.store.stamp_page_zero(page_set, stop, stop, Some(stop))?;
                if let Some(job) = self.store.begin_sync(page_set) {
                    self.store.finish_sync(job.run())?;
                }
            }
        }
        self.log.update_bsds(|bsds| {
            bsds.clean_stop = Some(stop);
            bsds.highest_written = stop;
        })?;
        let lines = self.stop_lines();
        self.messages.extend(lines.iter().cloned());
        self.state = State::Stopped;
        for connection in std::mem::take(&mut self.stop_waits) {
            self.reply(connection, Reply::Stopping { lines: lines.clone() });
        }
        Ok(())
    }

    fn stop_lines(&self) -> Vec<String> {
        let name = &self.log.bsds().name;
        let recovery = self.usage().system_recovery;
        vec![
            format!(
                "CSQI024I {name} CSQIDUSE Restart RBA for system as configured={}",
                recovery.restart_rba()
            ),
            format!(
                "CSQI025I {name} CSQIDUSE Restart RBA including offline page sets={}",
                recovery.restart_rba_with_offline()
            ),
            format!("CSQ3100I {name} CSQ3EC0X - SUBSYSTEM {name} TERMINATION COMPLETE"),
        ]
    }
}
