//! ARCHIVE LOG: truncate the current active log, switch, offload; at once, or at a moment without units of recovery.
//!
//! MODE(QUIESCE) holds back requests that would begin a unit and lets those under way end. When none is left the log is switched, in the
//! same step, and work goes on; when time is up before that, nothing is archived and work goes on. Units in doubt, and those that wait
//! for an offline page set, do not count: nobody ends them within seconds.

use format_protocol::{Reply, Request};
use format_types::{ConditionCode, Rba, UnitState};

use super::message::refused;
use super::request::Outcome;
use super::{ArchiveWait, ConnectionId, Core, State};
use crate::CoreError;

/// Seconds that a quiesce takes at most when none are given, as QUIESCE of CSQ6ARVP.
pub(crate) const QUIESCE_SECONDS: u16 = 5;

/// An ARCHIVE LOG MODE(QUIESCE) under way.
#[derive(Debug)]
pub(super) struct Quiesce {
    /// In microseconds of [`engine_log::LogManager::elapsed`]: a clock that steps back must not keep work waiting.
    until: u64,
    /// Who waits for its end.
    waiting: Option<(ConnectionId, Waiting)>,
}

/// How a quiesce is answered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waiting {
    /// As a request of a program; it may wait for the offload too.
    Request { offload: bool },
    /// As a command.
    Command,
    /// At once: what becomes of it is said on the console.
    Nobody,
}

impl Core {
    /// ARCHIVE LOG at once.
    pub(crate) fn archive_log(&mut self, connection: ConnectionId, wait: bool) -> Result<Outcome, CoreError> {
        if self.quiesce.is_some() {
            return Ok(refused("CSQJ318I", "ARCHIVE LOG COMMAND ALREADY IN PROGRESS".to_owned()));
        }
        let Some(end) = self.switch_log()? else { return Ok(last_available()) };
        let lines = self.archived_lines();
        if wait {
            self.archive_waits.push(ArchiveWait { connection, end, lines });
            return Ok(Outcome::Later);
        }
        Ok(Outcome::Reply(Reply::LogArchived { end, lines }))
    }

    /// Switches to the next data set; where the last one ended, or none when there is no next one.
    fn switch_log(&mut self) -> Result<Option<Rba>, CoreError> {
        match self.log.switch() {
            Ok(()) => {}
            Err(engine_log::LogError::LastAvailable) => return Ok(None),
            Err(error) => return Err(error.into()),
        }
        // Not the furthest of all: data sets may still name log that a cut left behind.
        let begun = self.log.bsds().current_active(1).and_then(|log| log.range);
        Ok(Some(begun.map_or(Rba::ZERO, |range| range.start)))
    }

    fn archived_lines(&self) -> Vec<String> {
        let name = &self.log.bsds().name;
        vec![format!("CSQJ311I {name} CSQJC005 LOG ARCHIVE (OFFLOAD) TASK INITIATED"), self.completed()]
    }

    fn completed(&self) -> String {
        format!("CSQ9022I {} CSQJC001 ' ARCHIVE LOG' NORMAL COMPLETION", self.log.bsds().name)
    }

    /// ARCHIVE LOG MODE(QUIESCE).
    pub(crate) fn archive_log_quiesced(
        &mut self,
        connection: ConnectionId,
        seconds: u16,
        waiting: Waiting,
    ) -> Outcome {
        if self.state == State::Quiescing {
            let (id, text) = self.stop_in_progress();
            return refused(id, text.to_owned());
        }
        if self.quiesce.is_some() {
            return refused("CSQJ318I", "ARCHIVE LOG COMMAND ALREADY IN PROGRESS".to_owned());
        }
        if !self.log.can_switch() {
            return last_available();
        }
        let text = format!("ARCHIVE LOG QUIESCE STARTED FOR MAXIMUM OF {seconds} SECONDS");
        self.say("CSQJ312I", &text);
        self.quiesce = Some(Quiesce {
            until: self.log.elapsed() + u64::from(seconds) * 1_000_000,
            waiting: (waiting != Waiting::Nobody).then_some((connection, waiting)),
        });
        if waiting != Waiting::Nobody {
            return Outcome::Later;
        }
        let name = &self.log.bsds().name;
        let lines = vec![format!("CSQJ312I {name} CSQJC001 {text}"), self.completed()];
        Outcome::Reply(Reply::Lines { code: ConditionCode::Done, lines })
    }

    /// Whether ARCHIVE LOG MODE(QUIESCE) is under way.
    pub(crate) fn is_quiesced(&self) -> bool {
        self.quiesce.is_some()
    }

    /// Whether a request would begin a unit of recovery and has to wait for a quiesce to end.
    pub(super) fn waits_for_quiesce(&self, connection: ConnectionId, request: &Request) -> bool {
        let in_unit = || self.connections.get(&connection).is_some_and(|known| known.work.is_some());
        self.quiesce.is_some()
            && match request {
                Request::Put { syncpoint, .. } | Request::Get { syncpoint, .. } => !(*syncpoint && in_unit()),
                _ => false,
            }
    }

    /// Units that a quiesce waits for.
    fn outstanding_units(&self) -> usize {
        let works = self.works.values().filter(|work| work.state != UnitState::InDoubt && !work.stalled);
        works.count() + self.prepares.len()
    }

    /// Ends a quiesce once no unit is left, or its time is up, or the queue manager stops.
    pub(super) fn step_quiesce(&mut self) -> Result<(), CoreError> {
        let Some(quiesce) = &self.quiesce else { return Ok(()) };
        let until = quiesce.until;
        let outstanding = self.outstanding_units();
        if self.state == State::Quiescing {
            let (id, text) = self.stop_in_progress();
            self.end_quiesce(Err((id, text.to_owned())));
        } else if outstanding == 0 {
            let switched = self.switch_log()?;
            self.end_quiesce(switched.ok_or_else(|| ("CSQJ319I", LAST_AVAILABLE.to_owned())));
        } else if self.log.elapsed() >= until {
            let at = format_listing::date_and_time(self.now);
            let text = format!(
                "QUIESCE PERIOD EXPIRED WITH {outstanding} OUTSTANDING URS AT {at}. ARCHIVE LOG PROCESSING TERMINATED"
            );
            self.end_quiesce(Err(("CSQJ317I", text)));
        }
        Ok(())
    }

    /// Lets work go on, and tells whoever waits what became of the quiesce: where the log was cut, or why it was not.
    fn end_quiesce(&mut self, ended: Result<Rba, (&'static str, String)>) {
        let waiting = self.quiesce.take().and_then(|quiesce| quiesce.waiting);
        let name = self.log.bsds().name.clone();
        match &ended {
            Ok(_) => self.say("CSQJ311I", "CSQJC005 LOG ARCHIVE (OFFLOAD) TASK INITIATED"),
            Err((id, text)) => self.say(id, text),
        }
        let Some((connection, how)) = waiting else { return };
        let reply = match (ended, how) {
            (Ok(end), Waiting::Request { offload: true }) => {
                let lines = self.archived_lines();
                self.archive_waits.push(ArchiveWait { connection, end, lines });
                return;
            }
            (Ok(end), Waiting::Request { .. }) => Reply::LogArchived { end, lines: self.archived_lines() },
            (Ok(_), _) => Reply::Lines { code: ConditionCode::Done, lines: self.archived_lines() },
            (Err((id, text)), Waiting::Request { .. }) => {
                Reply::Error { code: ConditionCode::Refused, id: id.to_owned(), text }
            }
            (Err((id, text)), _) => Reply::Lines {
                code: ConditionCode::Partial,
                lines: vec![
                    format!("{id} {name} CSQJC001 {text}"),
                    format!("CSQ9023E {name} CSQJC001 ' ARCHIVE LOG' ABNORMAL COMPLETION"),
                ],
            },
        };
        self.reply(connection, reply);
    }

    /// Nobody waits for a connection that is gone; the quiesce itself goes on.
    pub(super) fn forget_quiesce_of(&mut self, connection: ConnectionId) {
        if let Some(quiesce) = &mut self.quiesce {
            quiesce.waiting = quiesce.waiting.filter(|(waiting, _)| *waiting != connection);
        }
    }

    /// CANCEL OFFLOAD: what is under way is given up and begun again, from the oldest log that is not archived; a pause after failures
    /// ends.
    pub(crate) fn cancel_offload(&mut self) -> Vec<String> {
        let cancelled = self.log.cancel_offload();
        self.offload_failures = 0;
        self.offload_not_before = 0;
        let name = &self.log.bsds().name;
        if cancelled {
            Vec::new()
        } else {
            vec![format!("HWT446I {name} CSQJC001 NO OFFLOAD IS UNDER WAY: nothing was cancelled")]
        }
    }

    /// The same as a request.
    pub(super) fn cancel_offload_for_program(&mut self) -> Outcome {
        let mut lines = self.cancel_offload();
        lines.push(self.completed());
        Outcome::Reply(Reply::LogArchived { end: self.log.bsds().highest_offloaded, lines })
    }

    fn stop_in_progress(&self) -> (&'static str, &'static str) {
        if self.forced {
            ("CSQJ315I", "STOP QMGR FORCE IN PROGRESS")
        } else {
            ("CSQJ316I", "SYSTEM QUIESCE ALREADY IN PROGRESS")
        }
    }
}

const LAST_AVAILABLE: &str = "CURRENT ACTIVE LOG DATA SET IS THE LAST AVAILABLE ACTIVE LOG DATA SET. ARCHIVE LOG \
                              PROCESSING WILL BE TERMINATED";

fn last_available() -> Outcome {
    refused("CSQJ319I", LAST_AVAILABLE.to_owned())
}
