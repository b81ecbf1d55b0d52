//! What must be true: the messages that a perfect queue manager would hold.
//!
//! The model sees what programs see, requests and replies, and nothing else. A unit of recovery whose commit was asked for and not
//! answered may be wholly there or wholly absent after a restart; every other outcome is fixed. A committed persistent message is
//! there once, in order, unaltered; a committed get never comes back; nonpersistent messages never survive; nothing else appears.
//!
//! It also keeps a chronicle of what was committed where in the log, so that it can say what must be there when the log is cut.

mod chronicle;
mod clock;
mod gets;
mod reading;
mod restart;

use std::collections::{BTreeMap, BTreeSet};

use format_types::Rba;

use chronicle::Deed;
pub(crate) use chronicle::Stretch;

/// Number of a message in this run; its body carries it.
pub(crate) type Number = u64;

/// Number of a unit of recovery in this run.
pub(crate) type UnitNumber = u64;

/// A queue's number in this run.
pub(crate) type QueueNumber = usize;

/// A message that was asked to be put.
#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) queue: QueueNumber,
    pub(crate) priority: u8,
    pub(crate) persistent: bool,
    pub(crate) length: usize,
    /// Keys of messages put later are higher than this.
    key_above: u64,
    key: Option<u64>,
}

/// What a unit did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operation {
    Put(Number),
    Got(Number),
}

/// How far a unit is, as its program knows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    /// At work.
    Working,
    /// Asked to commit; no answer yet.
    Committing,
    /// Asked to back out, or left by its program; no answer yet or none to come.
    BackingOut,
    /// Asked to prepare; no answer yet.
    Preparing,
    /// Prepared.
    InDoubt,
    /// In doubt, and its coordinator asked to commit it (true) or to back it out; no answer yet.
    Resolving(bool),
}

impl Phase {
    /// Whether what was got may be back on its queue already.
    fn returns(self) -> bool {
        matches!(self, Self::BackingOut | Self::Resolving(false))
    }
}

#[derive(Debug, Clone)]
struct Unit {
    operations: Vec<Operation>,
    phase: Phase,
    /// Name that the queue manager knows its connection by.
    connection: String,
    /// For a get committed by itself and not answered: the messages that it may have got.
    may_have_got: BTreeSet<Number>,
    /// End of the log when its phase last changed.
    asked: Rba,
    /// The queue manager's clock then.
    asked_at: u64,
    /// Where the record lies that put it in doubt.
    prepared: Option<Stretch>,
    /// What it had done by then: while it backs out later, others may get what it got.
    in_doubt: Vec<Operation>,
    /// A page set that it used went offline: it is backed out, perhaps, before its program hears of it.
    in_jeopardy: bool,
    /// Others got what it had got: it can end in one way only.
    given_back: bool,
}

impl Unit {
    /// Whether what it got may be back on its queue already.
    fn returns(&self) -> bool {
        self.phase.returns() || (self.phase == Phase::Working && self.in_jeopardy)
    }
}

/// Where a message is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    /// Put by a unit that has not ended.
    BeingPut,
    /// On its queue for everybody.
    There,
    /// Got by a unit that has not ended.
    BeingGot,
    /// Gone, or never there.
    Gone,
}

/// A message as a browse returned it.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    pub(crate) key: u64,
    pub(crate) priority: u8,
    pub(crate) persistent: bool,
    pub(crate) body: Vec<u8>,
}

/// What became of the units that a restart ended.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Settled {
    /// Unanswered units found committed.
    pub(crate) committed: u64,
    /// Unanswered units found backed out.
    pub(crate) backed_out: u64,
    /// Units at work, or backing out, that left nothing.
    pub(crate) undone: u64,
    /// In-doubt units that were kept.
    pub(crate) in_doubt: u64,
    /// In-doubt units whose end was asked for and not answered, and had come.
    pub(crate) resolved: u64,
}

/// The promise, broken.
pub(crate) type Broken = String;

/// The model.
#[derive(Debug, Default, Clone)]
pub(crate) struct Model {
    messages: BTreeMap<Number, (Message, Place)>,
    units: BTreeMap<UnitNumber, Unit>,
    next_message: Number,
    next_unit: UnitNumber,
    highest_key: u64,
    /// End of the log, as last seen.
    pub(crate) log_end: Rba,
    /// The queue manager's clock, in microseconds.
    clock: u64,
    /// Units that ended and left something that outlives a restart, oldest first.
    chronicle: Vec<Deed>,
}

impl Model {
    /// A message that is about to be put.
    pub(crate) fn new_message(
        &mut self,
        queue: QueueNumber,
        priority: u8,
        persistent: bool,
        length: usize,
    ) -> Number {
        self.next_message += 1;
        let message = Message { queue, priority, persistent, length, key_above: self.highest_key, key: None };
        self.messages.insert(self.next_message, (message, Place::Gone));
        self.next_message
    }

    /// A unit that begins; `connection` is unique to it if it may become in doubt.
    pub(crate) fn new_unit(&mut self, connection: &str) -> UnitNumber {
        self.next_unit += 1;
        let unit = Unit {
            operations: Vec::new(),
            phase: Phase::Working,
            connection: connection.to_owned(),
            may_have_got: BTreeSet::new(),
            asked: self.log_end,
            asked_at: self.clock,
            prepared: None,
            in_doubt: Vec::new(),
            in_jeopardy: false,
            given_back: false,
        };
        self.units.insert(self.next_unit, unit);
        self.next_unit
    }

    /// The message, if that number was given to one.
    pub(crate) fn message(&self, number: Number) -> Option<&Message> {
        self.messages.get(&number).map(|(message, _)| message)
    }

    /// Operations that a unit has done.
    pub(crate) fn operations(&self, unit: UnitNumber) -> usize {
        self.units.get(&unit).map_or(0, |unit| unit.operations.len())
    }

    /// Messages that everybody may see, over all queues.
    pub(crate) fn depth(&self) -> usize {
        self.messages.values().filter(|(_, place)| *place == Place::There).count()
    }

    /// A put is about to be part of `unit`: from now on the message may exist.
    pub(crate) fn putting(&mut self, unit: UnitNumber, number: Number) {
        self.set(number, Place::BeingPut);
        if let Some(unit) = self.units.get_mut(&unit) {
            unit.operations.push(Operation::Put(number));
        }
    }

    /// A put was answered with its key.
    ///
    /// # Errors
    /// When keys do not rise.
    pub(crate) fn put_answered(&mut self, number: Number, key: u64) -> Result<(), Broken> {
        self.highest_key = self.highest_key.max(key);
        let Some((message, _)) = self.messages.get_mut(&number) else { return Ok(()) };
        if key <= message.key_above {
            return Err(format!(
                "message {number} got key {key:016X}, not above {:016X} of a message put before it",
                message.key_above
            ));
        }
        message.key = Some(key);
        Ok(())
    }

    /// A put was refused: the message is no part of its unit.
    pub(crate) fn put_refused(&mut self, unit: UnitNumber, number: Number) {
        self.set(number, Place::Gone);
        if let Some(unit) = self.units.get_mut(&unit) {
            unit.operations.retain(|operation| *operation != Operation::Put(number));
        }
    }

    /// Sets how far a unit is.
    pub(crate) fn phase(&mut self, unit: UnitNumber, phase: Phase) {
        let (log_end, clock) = (self.log_end, self.clock);
        if let Some(unit) = self.units.get_mut(&unit) {
            if phase == Phase::InDoubt && unit.prepared.is_none() {
                unit.prepared = Some(Stretch { from: unit.asked, to: log_end });
                unit.in_doubt.clone_from(&unit.operations);
            }
            // Its records may be in the log from when its backout was asked for.
            let goes_on = (unit.phase, phase) == (Phase::Resolving(false), Phase::BackingOut);
            unit.phase = phase;
            if !goes_on {
                (unit.asked, unit.asked_at) = (log_end, clock);
            }
        }
    }

    /// The units in doubt.
    pub(crate) fn in_doubt(&self) -> Vec<UnitNumber> {
        let in_doubt = self.units.iter().filter(|(_, unit)| unit.phase == Phase::InDoubt);
        in_doubt.map(|(number, _)| *number).collect()
    }

    /// The units that have not ended, for people.
    pub(crate) fn open_units(&self) -> Vec<String> {
        let line = |unit: &Unit| format!("{} {:?} {:?}", unit.connection, unit.phase, unit.operations);
        self.units.values().map(line).collect()
    }

    /// Whether a unit waits for what was asked of it while it was in doubt.
    pub(crate) fn is_resolving(&self) -> bool {
        self.units.values().any(|unit| matches!(unit.phase, Phase::Resolving(_)))
    }

    /// What the queue manager calls the connection of a unit.
    pub(crate) fn connection(&self, unit: UnitNumber) -> &str {
        self.units.get(&unit).map_or("", |unit| &unit.connection)
    }

    /// A unit was answered that it is committed, by a record at `rba` where that is known.
    pub(crate) fn committed(&mut self, unit: UnitNumber, rba: Option<Rba>) {
        let Some(unit) = self.units.remove(&unit) else { return };
        for operation in &unit.operations {
            match operation {
                Operation::Put(number) => self.set(*number, Place::There),
                Operation::Got(number) => self.set(*number, Place::Gone),
            }
        }
        self.note_end(unit, true, rba);
    }

    /// The page set of some queues went offline.
    pub(crate) fn page_set_lost(&mut self, queues: impl Fn(QueueNumber) -> bool) {
        let messages = &self.messages;
        let is_there = |operation: &Operation| {
            let (Operation::Put(number) | Operation::Got(number)) = operation;
            messages.get(number).is_some_and(|(message, _)| queues(message.queue))
        };
        for unit in self.units.values_mut().filter(|unit| unit.phase == Phase::Working) {
            unit.in_jeopardy |= unit.operations.iter().any(is_there);
        }
    }

    /// Whether others got what the unit had got: it is backed out, whatever its program was told.
    pub(crate) fn is_given_back(&self, unit: UnitNumber) -> bool {
        self.units.get(&unit).is_some_and(|unit| unit.given_back)
    }

    /// A unit has been backed out.
    pub(crate) fn backed_out(&mut self, unit: UnitNumber) {
        let Some(unit) = self.units.remove(&unit) else { return };
        for operation in &unit.operations {
            match operation {
                Operation::Put(number) => self.set(*number, Place::Gone),
                Operation::Got(number) => self.set(*number, Place::There),
            }
        }
        if unit.prepared.is_some() {
            self.note_end(unit, false, None);
        }
    }

    /// Ends the units that back out with nobody waiting: nothing is under way any more.
    pub(crate) fn quiet(&mut self) {
        let backing: Vec<UnitNumber> = self
            .units
            .iter()
            .filter(|(_, unit)| unit.phase == Phase::BackingOut)
            .map(|(number, _)| *number)
            .collect();
        backing.into_iter().for_each(|unit| self.backed_out(unit));
    }

    fn set(&mut self, number: Number, place: Place) {
        if let Some((_, at)) = self.messages.get_mut(&number) {
            *at = place;
        }
    }
}

#[cfg(test)]
mod tests;
