//! Audit: what is in the queues against what the journals say.

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::time::Duration;

use engine_queue_manager::client::{Client, ClientError};
use engine_storage::RealStorage;
use format_journal::Entry;
use format_protocol::{Reply, Request};
use format_types::{ConditionCode, ObjectName, Rba};
use serde::Serialize;

use crate::body::{self, Proof};
use crate::bounds::Bounds;
use crate::error::WorkloadError;
use crate::expectation::{Expectation, Expected, MessageId};
use crate::journal;

/// Findings described at most; further ones are only counted.
const DESCRIBED: usize = 50;

/// Unexpected messages classified one by one at most; further ones count as foreign.
const CLASSIFIED: usize = 100_000;

/// What an audit looks at.
#[derive(Debug, Clone)]
pub struct AuditSettings {
    /// The queue manager's directory; it must be running.
    pub dir: PathBuf,
    /// Journals of all loads that used the queues, oldest first.
    pub journals: Vec<PathBuf>,
    /// The queue manager was recovered to this RBA: of loads before that cut, only units that committed below it happened. Cuts before
    /// that one are taken from the queue manager's inventory.
    pub to_rba: Option<Rba>,
    /// Bounds every wait for an answer.
    pub timeout: Duration,
}

/// What an audit found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct AuditReport {
    /// Units acknowledged.
    pub acknowledged_units: u64,
    /// Puts in them.
    pub acknowledged_puts: u64,
    /// Gets in them.
    pub acknowledged_gets: u64,
    /// Units left out: committed at or behind the RBA asked for, or behind a cut of the log.
    pub beyond: u64,
    /// Units whose outcome the load never learned.
    pub unknown_units: u64,
    /// Of those, units that happened.
    pub unknown_happened: u64,
    /// Connections of all loads.
    pub connections: u64,
    /// Messages in the queues.
    pub present: u64,
    /// Acknowledged puts whose message is missing.
    pub lost: u64,
    /// Messages that are there twice.
    pub duplicated: u64,
    /// Messages out of the queue's or their connection's order.
    pub reordered: u64,
    /// Messages with another body, or in another queue.
    pub altered: u64,
    /// Messages that were got, or whose put was backed out or never committed.
    pub resurrected: u64,
    /// Messages that no load put.
    pub foreign: u64,
    /// Unknown units of which a part happened.
    pub torn_units: u64,
    /// Messages of a load that was killed before it could write its journal: put, and perhaps acknowledged.
    pub unjournalled: u64,
    /// What was found, the first of it in words.
    pub findings: Vec<String>,
}

impl AuditReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_clean(&self) -> bool {
        self.lost == 0
            && self.duplicated == 0
            && self.reordered == 0
            && self.altered == 0
            && self.resurrected == 0
            && self.foreign == 0
            && self.torn_units == 0
            && self.acknowledged_units > 0
            && self.unknown_units <= self.connections
    }

    /// 0 when clean, else 8.
    #[must_use]
    pub const fn code(&self) -> ConditionCode {
        if self.is_clean() { ConditionCode::Done } else { ConditionCode::Partial }
    }

    /// The report in lines for people.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = vec![
            format!(
                "HWT610I ACKNOWLEDGED UNITS {}, PUTS {}, GETS {}, UNKNOWN UNITS {} ({} HAPPENED)",
                self.acknowledged_units,
                self.acknowledged_puts,
                self.acknowledged_gets,
                self.unknown_units,
                self.unknown_happened
            ),
            format!("HWT611I MESSAGES IN THE QUEUES {}", self.present),
            format!(
                "HWT612I LOST {}, DUPLICATED {}, REORDERED {}, ALTERED {}, RESURRECTED {}, FOREIGN {}, TORN UNITS {}",
                self.lost,
                self.duplicated,
                self.reordered,
                self.altered,
                self.resurrected,
                self.foreign,
                self.torn_units
            ),
        ];
        if self.beyond > 0 {
            lines.push(format!(
                "HWT613I UNITS BEHIND THE RBA ASKED FOR, OR OFF THE LOG'S LINE {}",
                self.beyond
            ));
        }
        if self.unjournalled > 0 {
            lines.push(format!(
                "HWT614W MESSAGES OF A LOAD THAT WAS KILLED, NOT IN ITS JOURNAL {}",
                self.unjournalled
            ));
        }
        lines.extend(self.findings.iter().map(|finding| format!("HWT615E {finding}")));
        if self.acknowledged_units == 0 {
            lines.push("HWT616E NOTHING WAS ACKNOWLEDGED: THE AUDIT SHOWS NOTHING".to_owned());
        }
        if self.unknown_units > self.connections {
            lines.push(format!(
                "HWT617E {} UNKNOWN UNITS OF {} CONNECTIONS: A CONNECTION HAS ONE AT MOST",
                self.unknown_units, self.connections
            ));
        }
        let verdict = if self.is_clean() { "HWT618I AUDIT CLEAN" } else { "HWT619E AUDIT NOT CLEAN" };
        lines.push(verdict.to_owned());
        lines
    }
}

/// Browses the queues of the journals and compares.
///
/// # Errors
/// When a journal is damaged or the queue manager does not answer. What is wrong with the messages is no error but in the report.
pub fn run_audit(settings: &AuditSettings) -> Result<AuditReport, WorkloadError> {
    let bsds = engine_log::read_bsds(&RealStorage::shared(), &settings.dir)?;
    let bounds = Bounds { to_rba: settings.to_rba, line: Some(bsds.line()) };
    let expectation = Expectation::read(&settings.journals, &bounds)?;
    let mut client = Client::connect(&settings.dir, "AUDIT", settings.timeout)?;
    let mut audit = Audit::new(expectation);
    for queue in audit.expectation.queues() {
        browse(&mut client, &queue, &mut |message| audit.look(&queue, message))?;
    }
    audit.finish(settings)
}

/// A message as it was browsed.
struct Browsed {
    id: MessageId,
    key: u64,
    priority: u8,
    body: Vec<u8>,
}

fn browse(
    client: &mut Client,
    queue: &ObjectName,
    look: &mut dyn FnMut(&Browsed),
) -> Result<(), WorkloadError> {
    let mut after = None;
    loop {
        match client.call(&Request::Browse { queue: queue.clone(), after })? {
            Reply::Message { message_id, key, priority, body, .. } => {
                look(&Browsed { id: message_id, key, priority, body });
                after = Some((priority, key));
            }
            Reply::NoMessage => return Ok(()),
            _ => return Err(ClientError::Unexpected("BROWSE").into()),
        }
    }
}

/// A message that no journal speaks of.
struct Unexpected {
    id: MessageId,
    proof: Option<Proof>,
    what: String,
}

/// Order is kept by queue, load, connection and priority.
type Line = (ObjectName, u64, u32, u8);

struct Audit {
    expectation: Expectation,
    report: AuditReport,
    unexpected: Vec<Unexpected>,
    place: Option<(ObjectName, u8, u64)>,
    sequences: HashMap<Line, u64>,
}

impl Audit {
    fn new(expectation: Expectation) -> Self {
        let report = AuditReport {
            acknowledged_units: expectation.units,
            acknowledged_puts: expectation.puts,
            acknowledged_gets: expectation.gets,
            beyond: expectation.beyond,
            unknown_units: expectation.unknown.len() as u64,
            connections: expectation.journals.iter().map(|facts| u64::from(facts.connections)).sum(),
            duplicated: expectation.given_twice,
            ..AuditReport::default()
        };
        Self { expectation, report, unexpected: Vec::new(), place: None, sequences: HashMap::new() }
    }

    fn find(&mut self, text: impl FnOnce() -> String) {
        if self.report.findings.len() < DESCRIBED {
            self.report.findings.push(text());
        }
    }

    fn look(&mut self, queue: &ObjectName, message: &Browsed) {
        self.report.present += 1;
        self.check_place(queue, message);
        let proof = body::prove(&message.body);
        let expected = match self.expectation.present.get_mut(&message.id) {
            Some(expected) => {
                let before = *expected;
                expected.seen = true;
                Some(before)
            }
            None => self.expectation.unknown.found(&message.id, proof.as_ref()),
        };
        match expected {
            Some(expected) => self.compare(queue, message, &expected),
            None => self.keep_unexpected(queue, message, proof),
        }
    }

    /// The queue's order: priority falls, keys rise within a priority.
    fn check_place(&mut self, queue: &ObjectName, message: &Browsed) {
        if let Some((before, priority, key)) = &self.place
            && before == queue
            && (message.priority > *priority || (message.priority == *priority && message.key <= *key))
        {
            self.report.reordered += 1;
            self.find(|| {
                format!("reordered: {} does not follow the queue's order", name(queue, &message.id))
            });
        }
        self.place = Some((queue.clone(), message.priority, message.key));
    }

    fn compare(&mut self, queue: &ObjectName, message: &Browsed, expected: &Expected) {
        if expected.seen {
            self.report.duplicated += 1;
            self.find(|| format!("duplicated: {}", name(queue, &message.id)));
            return;
        }
        let Some(proof) = self.expectation.proof(expected) else { return };
        let elsewhere = expected.queue != u16::MAX && self.expectation.queue(expected) != Some(queue);
        if elsewhere || body::body(&proof) != message.body {
            self.report.altered += 1;
            let what = if elsewhere { "it is in another queue" } else { "its body is another" };
            self.find(|| format!("altered: {}: {what}", name(queue, &message.id)));
        }
        let line = (queue.clone(), proof.load, proof.connection, message.priority);
        let before = self.sequences.insert(line, proof.sequence);
        if before.is_some_and(|before| before >= proof.sequence) {
            self.report.reordered += 1;
            self.find(|| {
                format!("reordered: {} comes before an older one of its connection", name(queue, &message.id))
            });
        }
    }

    fn keep_unexpected(&mut self, queue: &ObjectName, message: &Browsed, proof: Option<Proof>) {
        let what = name(queue, &message.id);
        if self.unexpected.len() < CLASSIFIED {
            self.unexpected.push(Unexpected { id: message.id, proof, what });
        } else {
            self.report.foreign += 1;
        }
    }

    fn finish(mut self, settings: &AuditSettings) -> Result<AuditReport, WorkloadError> {
        let lost: Vec<(MessageId, Expected)> = self
            .expectation
            .present
            .iter()
            .filter(|(_, expected)| !expected.seen)
            .map(|(id, expected)| (*id, *expected))
            .collect();
        self.report.lost = lost.len() as u64;
        for (id, expected) in lost.iter().take(DESCRIBED) {
            let queue = self.expectation.queue(expected).map_or_else(|| "?".to_owned(), ToString::to_string);
            let (connection, sequence) = (expected.connection, expected.sequence);
            self.find(|| {
                format!(
                    "lost: message {} of queue {queue}, connection {connection}, sequence {sequence}",
                    hex(id)
                )
            });
        }
        if !self.unexpected.is_empty() {
            self.classify(settings)?;
        }
        let unknown = std::mem::take(&mut self.expectation.unknown);
        for evidence in unknown.judge() {
            if evidence.happened && evidence.undone {
                self.report.torn_units += 1;
                self.find(|| {
                    format!(
                        "torn: a part of unknown unit {} of connection {} happened",
                        evidence.unit, evidence.connection
                    )
                });
            }
            self.report.unknown_happened += u64::from(evidence.happened);
        }
        Ok(self.report)
    }

    /// Reads the journals again to say where unexpected messages come from.
    fn classify(&mut self, settings: &AuditSettings) -> Result<(), WorkloadError> {
        let unexpected = std::mem::take(&mut self.unexpected);
        let ids: HashSet<MessageId> = unexpected.iter().map(|message| message.id).collect();
        let proofs: HashSet<(u64, u32, u64)> = unexpected
            .iter()
            .filter_map(|message| message.proof)
            .map(|p| (p.load, p.connection, p.sequence))
            .collect();
        let mut got = HashSet::new();
        let mut acknowledged = HashSet::new();
        for (path, facts) in settings.journals.iter().zip(&self.expectation.journals) {
            let mut reader = journal::open(path)?;
            let (load, bound) = (facts.load, facts.bound);
            let damaged = |error| WorkloadError::Journal { path: path.clone(), error };
            while let Some(entry) = reader.next_entry().map_err(damaged)? {
                let Entry::Acknowledged { commit, unit } = entry else { continue };
                if bound.is_some_and(|bound| commit >= bound) {
                    continue;
                }
                got.extend(unit.gets.iter().filter(|id| ids.contains(*id)).copied());
                let puts = unit.puts.iter().map(|put| (load, unit.connection, put.sequence));
                acknowledged.extend(puts.filter(|put| proofs.contains(put)));
            }
        }
        for message in unexpected {
            let put = message.proof.map(|p| (p.load, p.connection, p.sequence));
            if got.contains(&message.id) {
                self.report.resurrected += 1;
                self.find(|| format!("resurrected: {} was got", message.what));
            } else if put.is_some_and(|put| acknowledged.contains(&put)) {
                self.report.duplicated += 1;
                self.find(|| format!("duplicated: {} under another identifier", message.what));
            } else if self.of_a_killed_load(message.proof) {
                self.report.unjournalled += 1;
            } else if message
                .proof
                .is_some_and(|p| self.expectation.journals.iter().any(|j| j.load == p.load))
            {
                self.report.resurrected += 1;
                self.find(|| format!("resurrected: {} was never committed", message.what));
            } else {
                self.report.foreign += 1;
                self.find(|| format!("foreign: {} was put by nobody whose journal is here", message.what));
            }
        }
        Ok(())
    }

    /// Whether a message may be one that a load had acknowledged when it was killed, before it could write so.
    fn of_a_killed_load(&self, proof: Option<Proof>) -> bool {
        proof.is_some_and(|proof| {
            let facts = self.expectation.journals.iter().find(|facts| facts.load == proof.load);
            facts.is_some_and(|facts| {
                let highest = facts.highest.get(proof.connection as usize);
                !facts.ended && highest.is_some_and(|highest| proof.sequence > *highest)
            })
        })
    }
}

fn name(queue: &ObjectName, id: &MessageId) -> String {
    format!("message {} of queue {queue}", hex(id))
}

fn hex(id: &MessageId) -> String {
    id.iter().map(|byte| format!("{byte:02X}")).collect()
}

#[cfg(test)]
#[path = "audit_tests.rs"]
mod tests;
