//! What must be true: the messages that a perfect queue manager would hold.
//!
//! The model sees what programs see, requests and replies, and nothing else. A unit of recovery whose commit was asked for and not
//! answered may be wholly there or wholly absent after a restart; every other outcome is fixed. A committed persistent message is
//! there once, in order, unaltered; a committed get never comes back; nonpersistent messages never survive; nothing else appears.

use std::collections::{BTreeMap, BTreeSet};

use crate::body;

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
}

#[derive(Debug)]
struct Unit {
    operations: Vec<Operation>,
    phase: Phase,
    /// Name that the queue manager knows its connection by.
    connection: String,
    /// For a get committed by itself and not answered: the messages that it may have got.
    may_have_got: BTreeSet<Number>,
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
}

/// The promise, broken.
pub(crate) type Broken = String;

/// The model.
#[derive(Debug, Default)]
pub(crate) struct Model {
    messages: BTreeMap<Number, (Message, Place)>,
    units: BTreeMap<UnitNumber, Unit>,
    next_message: Number,
    next_unit: UnitNumber,
    highest_key: u64,
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

    /// A get, to be committed by itself, was asked for on `queue`.
    pub(crate) fn getting(&mut self, unit: UnitNumber, queue: QueueNumber) {
        let heads = self.heads(queue, unit);
        if let Some(unit) = self.units.get_mut(&unit) {
            unit.phase = Phase::Committing;
            unit.may_have_got.extend(heads);
        }
    }

    /// Something changed what may be seen while gets are unanswered: they may have got what is first now.
    pub(crate) fn refresh(&mut self, unanswered: &[(UnitNumber, QueueNumber)]) {
        for (unit, queue) in unanswered {
            let heads = self.heads(*queue, *unit);
            if let Some(unit) = self.units.get_mut(unit) {
                unit.may_have_got.extend(heads);
            }
        }
    }

    /// The messages that a get by `asking` may get: the first one, and as many more as other units may have taken meanwhile.
    fn heads(&self, queue: QueueNumber, asking: UnitNumber) -> Vec<Number> {
        let others = self
            .units
            .iter()
            .filter(|(number, unit)| **number != asking && !unit.may_have_got.is_empty())
            .count();
        let mut heads: Vec<Number> =
            self.in_order(queue, |place| place == Place::There).into_iter().take(others + 1).collect();
        // What a unit got that is backing out may be back already.
        heads.extend(self.units.values().filter(|unit| unit.phase == Phase::BackingOut).flat_map(|unit| {
            unit.operations.iter().filter_map(|operation| match operation {
                Operation::Got(number) => Some(*number),
                Operation::Put(_) => None,
            })
        }));
        heads
    }

    /// Messages of `queue` in the queue's order.
    fn in_order(&self, queue: QueueNumber, wanted: impl Fn(Place) -> bool) -> Vec<Number> {
        let mut found: Vec<(u8, u64, Number)> = self
            .messages
            .iter()
            .filter(|(_, (message, place))| message.queue == queue && wanted(*place))
            .map(|(number, (message, _))| (9 - message.priority, message.key.unwrap_or(u64::MAX), *number))
            .collect();
        found.sort_unstable();
        found.into_iter().map(|(_, _, number)| number).collect()
    }

    /// A get of `unit` was answered with a message of `queue`.
    ///
    /// # Errors
    /// When that message may not be got, or is altered.
    pub(crate) fn got(
        &mut self,
        unit: UnitNumber,
        queue: QueueNumber,
        seen: &Seen,
    ) -> Result<Number, Broken> {
        let number = self.check(queue, seen)?;
        let allowed = match self.units.get(&unit) {
            Some(unit) if !unit.may_have_got.is_empty() => unit.may_have_got.contains(&number),
            _ => self.heads(queue, unit).contains(&number),
        };
        let place = self.messages.get(&number).map(|(_, place)| *place);
        let backing = self.units.iter().find(|(_, unit)| {
            unit.phase == Phase::BackingOut && unit.operations.contains(&Operation::Got(number))
        });
        let backing = backing.map(|(number, _)| *number);
        if place != Some(Place::There) && backing.is_none() {
            return Err(format!("a get returned message {number}, which is {place:?}"));
        }
        if !allowed {
            return Err(format!("a get of queue {queue} returned message {number}, which is not first"));
        }
        if let Some(backing) = backing.and_then(|unit| self.units.get_mut(&unit)) {
            backing.operations.retain(|operation| *operation != Operation::Got(number));
        }
        self.set(number, Place::BeingGot);
        if let Some(unit) = self.units.get_mut(&unit) {
            unit.may_have_got.clear();
            unit.operations.push(Operation::Got(number));
        }
        Ok(number)
    }

    /// A get of `unit` was answered with nothing.
    ///
    /// # Errors
    /// When there was something, and nobody else may have taken it.
    pub(crate) fn got_nothing(&mut self, unit: UnitNumber, queue: QueueNumber) -> Result<(), Broken> {
        let others = self.units.iter().any(|(number, other)| {
            *number != unit && (!other.may_have_got.is_empty() || other.phase == Phase::BackingOut)
        });
        if let Some(first) = self.in_order(queue, |place| place == Place::There).first()
            && !others
        {
            return Err(format!("a get of queue {queue} found nothing, but message {first} is there"));
        }
        Ok(())
    }

    /// Sets how far a unit is.
    pub(crate) fn phase(&mut self, unit: UnitNumber, phase: Phase) {
        if let Some(unit) = self.units.get_mut(&unit) {
            unit.phase = phase;
        }
    }

    /// A unit was answered that it is committed.
    pub(crate) fn committed(&mut self, unit: UnitNumber) {
        let Some(unit) = self.units.remove(&unit) else { return };
        for operation in unit.operations {
            match operation {
                Operation::Put(number) => self.set(number, Place::There),
                Operation::Got(number) => self.set(number, Place::Gone),
            }
        }
    }

    /// A unit has been backed out.
    pub(crate) fn backed_out(&mut self, unit: UnitNumber) {
        let Some(unit) = self.units.remove(&unit) else { return };
        for operation in unit.operations {
            match operation {
                Operation::Put(number) => self.set(number, Place::Gone),
                Operation::Got(number) => self.set(number, Place::There),
            }
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

    /// The number of a message that was read, if it is a message of this run, on its queue, as it was put.
    ///
    /// # Errors
    /// When it is not.
    pub(crate) fn check(&mut self, queue: QueueNumber, seen: &Seen) -> Result<Number, Broken> {
        let number = body::number(&seen.body)
            .filter(|number| self.messages.contains_key(number))
            .ok_or_else(|| format!("queue {queue} holds a message that nobody put, key {:016X}", seen.key))?;
        let Some((message, _)) = self.messages.get(&number) else { return Ok(number) };
        if message.queue != queue {
            return Err(format!("message {number} is on queue {queue}, it was put to {}", message.queue));
        }
        if seen.body != body::of(number, message.length) {
            return Err(format!(
                "message {number} is altered: {} bytes, key {:016X}",
                seen.body.len(),
                seen.key
            ));
        }
        if seen.priority != message.priority || seen.persistent != message.persistent {
            return Err(format!("message {number} has another priority or persistence than it was put with"));
        }
        if message.key.is_some_and(|key| key != seen.key) || seen.key <= message.key_above {
            return Err(format!("message {number} has key {:016X}, not its own {:?}", seen.key, message.key));
        }
        Ok(number)
    }

    /// Compares what a browse of a whole queue saw, while nothing was under way.
    ///
    /// # Errors
    /// When it is not exactly what must be there, in order.
    pub(crate) fn compare(&mut self, queue: QueueNumber, seen: &[Seen]) -> Result<(), Broken> {
        let found = self.read(queue, seen)?;
        let expected = self.in_order(queue, |place| place == Place::There);
        if found == expected {
            return Ok(());
        }
        Err(describe(queue, &expected, &found))
    }

    /// Numbers of the messages read, checked one by one and for order.
    fn read(&mut self, queue: QueueNumber, seen: &[Seen]) -> Result<Vec<Number>, Broken> {
        let mut found = Vec::with_capacity(seen.len());
        for message in seen {
            found.push(self.check(queue, message)?);
        }
        let order = |seen: &Seen| (9 - seen.priority.min(9), seen.key);
        if let Some(pair) = seen.windows(2).find(|pair| order(&pair[0]) >= order(&pair[1])) {
            return Err(format!(
                "queue {queue} is out of order: key {:016X} of priority {} before key {:016X} of priority {}",
                pair[0].key, pair[0].priority, pair[1].key, pair[1].priority
            ));
        }
        Ok(found)
    }

    /// After a restart: decides what became of the units that were under way, from what the queues hold and which units are in
    /// doubt, and checks everything else.
    ///
    /// # Errors
    /// When the promise is broken.
    pub(crate) fn restarted(
        &mut self,
        queues: &[Vec<Seen>],
        in_doubt: &BTreeSet<String>,
    ) -> Result<Settled, Broken> {
        let mut found = BTreeSet::new();
        for (queue, seen) in queues.iter().enumerate() {
            for (number, message) in self.read(queue, seen)?.into_iter().zip(seen) {
                if !found.insert(number) {
                    return Err(format!("message {number} is there twice"));
                }
                if !message.persistent {
                    return Err(format!("nonpersistent message {number} survived a restart"));
                }
                if let Some((ours, _)) = self.messages.get_mut(&number) {
                    ours.key = Some(message.key);
                }
            }
        }
        self.drop_nonpersistent();
        let mut settled = Settled::default();
        let unknown = self.settle_units(&found, in_doubt, &mut settled)?;
        self.settle_gets(&unknown, &found, &mut settled)?;
        for (queue, _) in queues.iter().enumerate() {
            let expected = self.in_order(queue, |place| place == Place::There);
            let there: Vec<Number> =
                expected.iter().copied().filter(|number| found.contains(number)).collect();
            if there.len() != expected.len() {
                return Err(describe(queue, &expected, &there));
            }
        }
        for number in &found {
            if let Some((_, place)) = self.messages.get(number).filter(|(_, place)| *place != Place::There) {
                return Err(format!("message {number} is on its queue, but must be {place:?}"));
            }
        }
        // What was not committed, or did not outlive the restart, gives its key away.
        let there = self.messages.values().filter(|(_, place)| *place == Place::There);
        self.highest_key = there.filter_map(|(message, _)| message.key).max().unwrap_or_default();
        Ok(settled)
    }

    fn drop_nonpersistent(&mut self) {
        let dropped: BTreeSet<Number> = self
            .messages
            .iter_mut()
            .filter(|(_, (message, _))| !message.persistent)
            .map(|(number, (_, place))| {
                *place = Place::Gone;
                *number
            })
            .collect();
        for unit in self.units.values_mut() {
            unit.operations.retain(|operation| {
                let (Operation::Put(number) | Operation::Got(number)) = operation;
                !dropped.contains(number)
            });
            unit.may_have_got.retain(|number| !dropped.contains(number));
        }
    }

    /// Ends all units but those in doubt; gives back what the unanswered single gets may have got.
    fn settle_units(
        &mut self,
        found: &BTreeSet<Number>,
        in_doubt: &BTreeSet<String>,
        settled: &mut Settled,
    ) -> Result<Vec<BTreeSet<Number>>, Broken> {
        let mut gets = Vec::new();
        let numbers: Vec<UnitNumber> = self.units.keys().copied().collect();
        for number in numbers {
            let Some(unit) = self.units.get(&number) else { continue };
            match unit.phase {
                Phase::InDoubt if in_doubt.contains(&unit.connection) => settled.in_doubt += 1,
                Phase::InDoubt if unit.operations.is_empty() => {
                    // It did nothing that outlives a restart.
                    self.units.remove(&number);
                }
                Phase::InDoubt => {
                    return Err(format!("in-doubt unit of {} is gone after a restart", unit.connection));
                }
                Phase::Preparing if in_doubt.contains(&unit.connection) => {
                    self.phase(number, Phase::InDoubt);
                    settled.in_doubt += 1;
                }
                Phase::Working | Phase::BackingOut | Phase::Preparing => {
                    settled.undone += u64::from(!unit.operations.is_empty());
                    self.backed_out(number);
                }
                Phase::Committing if !unit.operations.is_empty() => {
                    if self.is_committed(number, found)? {
                        settled.committed += 1;
                        self.committed(number);
                    } else {
                        settled.backed_out += 1;
                        self.backed_out(number);
                    }
                }
                Phase::Committing => {
                    if let Some(unit) = self.units.remove(&number)
                        && !unit.may_have_got.is_empty()
                    {
                        gets.push(unit.may_have_got);
                    }
                }
            }
        }
        Ok(gets)
    }

    /// Whether an unanswered unit is there; an error when only a part of it is.
    fn is_committed(&self, number: UnitNumber, found: &BTreeSet<Number>) -> Result<bool, Broken> {
        let Some(unit) = self.units.get(&number) else { return Ok(false) };
        let done = |operation: &&Operation| match operation {
            Operation::Put(number) => found.contains(number),
            Operation::Got(number) => !found.contains(number),
        };
        let count = unit.operations.iter().filter(done).count();
        if count != 0 && count != unit.operations.len() {
            return Err(format!(
                "a unit of {} operations whose commit was not answered is there in part: {count} of them; {:?}",
                unit.operations.len(),
                unit.operations
            ));
        }
        Ok(count != 0)
    }

    /// Gives each missing message to a single get that was not answered and may have got it, if that can be done for all.
    fn settle_gets(
        &mut self,
        gets: &[BTreeSet<Number>],
        found: &BTreeSet<Number>,
        settled: &mut Settled,
    ) -> Result<(), Broken> {
        let missing: Vec<Number> = self
            .messages
            .iter()
            .filter(|(number, (_, place))| *place == Place::There && !found.contains(number))
            .map(|(number, _)| *number)
            .collect();
        let mut taken: Vec<Option<Number>> = vec![None; gets.len()];
        for number in &missing {
            if !assign(*number, gets, &mut taken, &mut BTreeSet::new()) {
                let place = self.message(*number);
                return Err(format!("message {number} is lost: {place:?}"));
            }
        }
        for number in missing {
            self.set(number, Place::Gone);
            settled.committed += 1;
        }
        settled.backed_out += taken.iter().filter(|taken| taken.is_none()).count() as u64;
        Ok(())
    }
}

/// Finds a get for `number`, moving other messages to other gets where that helps (an augmenting path).
fn assign(
    number: Number,
    gets: &[BTreeSet<Number>],
    taken: &mut Vec<Option<Number>>,
    tried: &mut BTreeSet<usize>,
) -> bool {
    for (get, may) in gets.iter().enumerate() {
        if !may.contains(&number) || !tried.insert(get) {
            continue;
        }
        let holder = taken.get(get).copied().flatten();
        if holder.is_none_or(|other| assign(other, gets, taken, tried)) {
            if let Some(slot) = taken.get_mut(get) {
                *slot = Some(number);
            }
            return true;
        }
    }
    false
}

fn describe(queue: QueueNumber, expected: &[Number], found: &[Number]) -> Broken {
    let missing: Vec<&Number> = expected.iter().filter(|number| !found.contains(number)).take(8).collect();
    let extra: Vec<&Number> = found.iter().filter(|number| !expected.contains(number)).take(8).collect();
    format!(
        "queue {queue} holds {} messages, {} are expected; lost {missing:?}, not expected {extra:?}",
        found.len(),
        expected.len()
    )
}

#[cfg(test)]
#[path = "model_tests.rs"]
mod tests;
