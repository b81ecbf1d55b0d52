//! Units whose outcome the load never learned: all of one happened, or nothing.

use std::collections::{HashMap, HashSet};

use format_journal::Unit;

use crate::body::Proof;
use crate::expectation::{Expected, MessageId, expected};

/// What speaks for and against a unit.
#[derive(Debug, Clone, Default)]
pub(crate) struct Evidence {
    pub(crate) journal: u16,
    pub(crate) connection: u32,
    pub(crate) unit: u64,
    /// A put of it is there, or a message that it got is gone.
    pub(crate) happened: bool,
    /// A put of it is missing, or a message that it got is there.
    pub(crate) undone: bool,
}

#[derive(Debug)]
struct Message {
    unit: usize,
    expected: Expected,
}

/// All unknown units, and the messages that hang on them.
#[derive(Debug, Default)]
pub(crate) struct UnknownUnits {
    units: Vec<Evidence>,
    /// Messages that they put.
    puts: HashMap<MessageId, Message>,
    /// Messages that they put whose identifier the server never named: load, connection, sequence.
    unnamed: HashMap<(u64, u32, u64), (usize, bool)>,
    /// Who got what.
    gets: HashMap<MessageId, usize>,
    /// Messages of acknowledged puts that they may have got.
    may_be_got: HashMap<MessageId, Message>,
}

impl UnknownUnits {
    pub(crate) fn add(&mut self, journal: u16, load: u64, unit: Unit) {
        let number = self.units.len();
        self.units.push(Evidence {
            journal,
            connection: unit.connection,
            unit: unit.unit,
            ..Evidence::default()
        });
        for put in &unit.puts {
            match put.message_id {
                Some(id) => {
                    let expected = expected(journal, unit.connection, put);
                    self.puts.insert(id, Message { unit: number, expected });
                }
                None => {
                    self.unnamed.insert((load, unit.connection, put.sequence), (number, false));
                }
            }
        }
        for id in unit.gets {
            self.gets.insert(id, number);
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.units.len()
    }

    /// Messages that unknown units may have got.
    pub(crate) fn gets(&self) -> impl Iterator<Item = MessageId> + '_ {
        self.gets.keys().copied()
    }

    /// An acknowledged unit got `id`: an unknown one that wanted it did not.
    pub(crate) fn got_by_another(&mut self, id: &MessageId) {
        if let Some(evidence) = self.gets.get(id).and_then(|unit| self.units.get_mut(*unit)) {
            evidence.undone = true;
        }
    }

    pub(crate) fn may_be_got(&mut self, id: MessageId, expected: Expected) {
        if let Some(unit) = self.gets.get(&id) {
            self.may_be_got.insert(id, Message { unit: *unit, expected });
        }
    }

    /// Puts whose message was got by an acknowledged unit happened, and their messages are gone.
    pub(crate) fn settle_puts(&mut self, got: &mut HashSet<MessageId>) {
        let units = &mut self.units;
        self.puts.retain(|id, message| {
            let gone = got.remove(id);
            if gone && let Some(evidence) = units.get_mut(message.unit) {
                evidence.happened = true;
            }
            !gone
        });
    }

    /// A message is there that an unknown unit put, or may have got: gives what it must be. None when it is no such message. The
    /// flag in the value says that it was seen before.
    pub(crate) fn found(&mut self, id: &MessageId, proof: Option<&Proof>) -> Option<Expected> {
        if let Some(message) = self.puts.get_mut(id) {
            if let Some(evidence) = self.units.get_mut(message.unit) {
                evidence.happened = true;
            }
            let before = message.expected;
            message.expected.seen = true;
            return Some(before);
        }
        if let Some(message) = self.may_be_got.get_mut(id) {
            if let Some(evidence) = self.units.get_mut(message.unit) {
                evidence.undone = true;
            }
            let before = message.expected;
            message.expected.seen = true;
            return Some(before);
        }
        let proof = proof?;
        let (unit, seen) = self.unnamed.get_mut(&(proof.load, proof.connection, proof.sequence))?;
        let evidence = self.units.get_mut(*unit)?;
        evidence.happened = true;
        let before = *seen;
        *seen = true;
        Some(Expected {
            journal: evidence.journal,
            queue: u16::MAX,
            connection: proof.connection,
            sequence: proof.sequence,
            length: proof.length,
            seen: before,
        })
    }

    /// All evidence, after every queue was looked through: what was not seen speaks too.
    pub(crate) fn judge(mut self) -> Vec<Evidence> {
        for message in self.puts.values().filter(|message| !message.expected.seen) {
            if let Some(evidence) = self.units.get_mut(message.unit) {
                evidence.undone = true;
            }
        }
        for message in self.may_be_got.values().filter(|message| !message.expected.seen) {
            if let Some(evidence) = self.units.get_mut(message.unit) {
                evidence.happened = true;
            }
        }
        self.units
    }
}
