//! What the queues must hold, by the journals.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use format_journal::{Entry, Put, Unit};
use format_types::{ObjectName, Rba};

use crate::body::Proof;
use crate::bounds::Bounds;
use crate::error::WorkloadError;
use crate::journal;
use crate::unknown::UnknownUnits;

/// A message identifier.
pub(crate) type MessageId = [u8; 24];

/// A message that must be in a queue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Expected {
    /// Place of its journal in the list.
    pub(crate) journal: u16,
    /// Place of its queue in the journal's list.
    pub(crate) queue: u16,
    pub(crate) connection: u32,
    pub(crate) sequence: u64,
    pub(crate) length: u32,
    pub(crate) seen: bool,
}

/// What is known of one journal beside its units.
#[derive(Debug)]
pub(crate) struct JournalFacts {
    pub(crate) load: u64,
    pub(crate) queues: Vec<ObjectName>,
    pub(crate) connections: u32,
    pub(crate) ended: bool,
    /// Commits at or above it did not happen.
    pub(crate) bound: Option<Rba>,
    /// Highest sequence acknowledged, by connection: a killed load may have put beyond it.
    pub(crate) highest: Vec<u64>,
}

/// Everything that the journals say, brought down to what must be there now.
#[derive(Debug, Default)]
pub(crate) struct Expectation {
    pub(crate) journals: Vec<JournalFacts>,
    /// Put and not got, by acknowledged units.
    pub(crate) present: HashMap<MessageId, Expected>,
    /// Got by acknowledged units, their puts in no acknowledged unit.
    pub(crate) got_only: HashSet<MessageId>,
    pub(crate) unknown: UnknownUnits,
    pub(crate) units: u64,
    pub(crate) puts: u64,
    pub(crate) gets: u64,
    /// Units left out because they committed at or behind the RBA asked for, or behind a cut.
    pub(crate) beyond: u64,
    /// Message identifiers that two acknowledged puts were given.
    pub(crate) given_twice: u64,
}

impl Expectation {
    /// Reads the journals, oldest load first. Units that committed where `bounds` say that nothing happened are left out.
    pub(crate) fn read(paths: &[PathBuf], bounds: &Bounds) -> Result<Self, WorkloadError> {
        let mut all = Self::default();
        for (path, number) in paths.iter().zip(0u16..) {
            all.read_one(path, number, bounds)?;
        }
        all.settle_unknown_gets();
        Ok(all)
    }

    fn read_one(&mut self, path: &Path, number: u16, bounds: &Bounds) -> Result<(), WorkloadError> {
        let mut reader = journal::open(path)?;
        let header = reader.header().clone();
        let bound = bounds.of(header.history);
        let mut facts = JournalFacts {
            load: header.load,
            queues: header.queues,
            connections: header.connections,
            ended: false,
            bound,
            highest: vec![0; header.connections as usize],
        };
        let damaged = |error| WorkloadError::Journal { path: path.to_owned(), error };
        while let Some(entry) = reader.next_entry().map_err(damaged)? {
            match entry {
                Entry::Acknowledged { commit, unit } => {
                    if let (Some(highest), Some(put)) =
                        (facts.highest.get_mut(unit.connection as usize), unit.puts.last())
                    {
                        *highest = put.sequence.max(*highest);
                    }
                    if bound.is_some_and(|bound| commit >= bound) {
                        self.beyond += 1;
                    } else {
                        self.acknowledged(number, &unit);
                    }
                }
                // Of what is off the line, nothing happened whatever became of it.
                Entry::Unknown(_) if bound == Some(Rba::ZERO) => self.beyond += 1,
                Entry::Unknown(unit) => self.unknown.add(number, facts.load, unit),
                Entry::End { .. } => {}
            }
        }
        facts.ended = reader.ended();
        self.journals.push(facts);
        Ok(())
    }

    fn acknowledged(&mut self, journal: u16, unit: &Unit) {
        self.units += 1;
        self.puts += unit.puts.len() as u64;
        self.gets += unit.gets.len() as u64;
        for put in &unit.puts {
            let Some(id) = put.message_id else { continue };
            if self.got_only.remove(&id) {
                continue;
            }
            if self.present.insert(id, expected(journal, unit.connection, put)).is_some() {
                self.given_twice += 1;
            }
        }
        for id in &unit.gets {
            self.unknown.got_by_another(id);
            if self.present.remove(id).is_none() {
                self.got_only.insert(*id);
            }
        }
    }

    /// Messages that an unknown unit may have got are neither sure to be there nor sure to be gone.
    fn settle_unknown_gets(&mut self) {
        let ids: Vec<MessageId> = self.unknown.gets().collect();
        for id in ids {
            if let Some(message) = self.present.remove(&id) {
                self.unknown.may_be_got(id, message);
            }
        }
        // A message put by an unknown unit and got by an acknowledged one: the put did happen.
        self.unknown.settle_puts(&mut self.got_only);
    }

    /// The body that a message must have.
    pub(crate) fn proof(&self, message: &Expected) -> Option<Proof> {
        let facts = self.journals.get(usize::from(message.journal))?;
        Some(Proof {
            load: facts.load,
            connection: message.connection,
            sequence: message.sequence,
            length: message.length,
        })
    }

    /// The queue that a message must be in.
    pub(crate) fn queue(&self, message: &Expected) -> Option<&ObjectName> {
        self.journals.get(usize::from(message.journal))?.queues.get(usize::from(message.queue))
    }

    /// All queues of all journals, each once.
    pub(crate) fn queues(&self) -> Vec<ObjectName> {
        let mut queues: Vec<ObjectName> =
            self.journals.iter().flat_map(|facts| facts.queues.clone()).collect();
        queues.sort();
        queues.dedup();
        queues
    }
}

/// The message that `put` made.
pub(crate) fn expected(journal: u16, connection: u32, put: &Put) -> Expected {
    Expected {
        journal,
        queue: put.queue,
        connection,
        sequence: put.sequence,
        length: put.length,
        seen: false,
    }
}
