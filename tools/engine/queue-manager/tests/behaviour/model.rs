//! What must be on the queues, by the replies that programs got.

use std::collections::{BTreeMap, BTreeSet};

/// Number of a message; its body tells it.
pub(crate) type Number = u32;

/// What became of a message, as far as replies tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    /// Put by a unit that is open.
    BeingPut,
    /// On its queue since this step.
    There(u64),
    /// Got by a unit that is open.
    BeingGot,
    /// Gone for good, or never came.
    Gone,
    /// Its unit's outcome is not known.
    Unknown,
}

#[derive(Debug, Clone)]
pub(crate) struct Message {
    pub(crate) queue: usize,
    pub(crate) priority: u8,
    pub(crate) persistent: bool,
    pub(crate) length: usize,
    pub(crate) key: Option<u64>,
    pub(crate) state: State,
}

/// What a unit of recovery did.
#[derive(Debug, Clone, Default)]
pub(crate) struct Unit {
    pub(crate) puts: Vec<Number>,
    pub(crate) gets: Vec<Number>,
}

impl Unit {
    pub(crate) fn is_empty(&self) -> bool {
        self.puts.is_empty() && self.gets.is_empty()
    }
}

/// A message as a browse shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Seen {
    pub(crate) number: Number,
    pub(crate) priority: u8,
    pub(crate) key: u64,
    pub(crate) length: usize,
}

#[derive(Debug, Default)]
pub(crate) struct Model {
    pub(crate) messages: BTreeMap<Number, Message>,
    /// Units whose commit was asked for and not answered.
    unknown: Vec<Unit>,
    keys: BTreeSet<u64>,
    /// Keys of this run lie above it.
    floor: u64,
}

impl Model {
    pub(crate) fn set(&mut self, number: Number, state: State) {
        if let Some(message) = self.messages.get_mut(&number) {
            message.state = state;
        }
    }

    pub(crate) fn new_key(&mut self, number: Number, key: u64) {
        assert!(self.keys.insert(key), "key {key:016X} was used before");
        assert!(key > self.floor, "key {key:016X} is below one of an earlier run, {:016X}", self.floor);
        self.messages.get_mut(&number).unwrap().key = Some(key);
    }

    pub(crate) fn committed(&mut self, unit: &Unit, now: u64) {
        unit.puts.iter().for_each(|number| self.set(*number, State::There(now)));
        unit.gets.iter().for_each(|number| self.set(*number, State::Gone));
    }

    pub(crate) fn backed_out(&mut self, unit: &Unit, now: u64) {
        unit.puts.iter().for_each(|number| self.set(*number, State::Gone));
        unit.gets.iter().for_each(|number| self.set(*number, State::There(now)));
    }

    pub(crate) fn outcome_unknown(&mut self, unit: Unit) {
        for number in unit.puts.iter().chain(&unit.gets) {
            self.set(*number, State::Unknown);
        }
        if !unit.is_empty() {
            self.unknown.push(unit);
        }
    }

    /// A message was got. `asked` is when, if nobody else gets from the queue: what was there before and since, and comes first, must not
    /// be passed over.
    pub(crate) fn got(&mut self, queue: usize, seen: &Seen, asked: Option<u64>, now: u64) {
        let message = self.messages.get(&seen.number).expect("a message that nobody put").clone();
        assert_eq!((message.queue, message.length), (queue, seen.length), "message {}", seen.number);
        assert_eq!(message.priority, seen.priority);
        match message.state {
            State::There(_) => {}
            State::Unknown => self.settle_by(seen.number, now),
            state => panic!("message {} was got though it is {state:?}", seen.number),
        }
        let place = (9 - seen.priority, seen.key);
        let passed = self.messages.iter().find(|(_, other)| {
            matches!(other.state, State::There(since) if Some(since) < asked)
                && other.queue == queue
                && other.key.is_some_and(|key| (9 - other.priority, key) < place)
        });
        assert!(passed.is_none(), "{} was got before {passed:?}", seen.number);
    }

    /// A message of an unknown unit was seen on its queue: put, it was committed; got, it was backed out.
    fn settle_by(&mut self, number: Number, now: u64) {
        let at = self
            .unknown
            .iter()
            .position(|unit| unit.puts.contains(&number) || unit.gets.contains(&number))
            .expect("an unknown message has an unknown unit");
        let unit = self.unknown.remove(at);
        if unit.puts.contains(&number) { self.committed(&unit, now) } else { self.backed_out(&unit, now) }
    }

    /// A new run has begun, whose queues hold `seen`. Of each queue, so many messages may have been got by gets that were not answered.
    pub(crate) fn restarted(&mut self, seen: &[Vec<Seen>], mut may_lack: Vec<usize>, now: u64) {
        let mut got_unheard = |queue: usize| {
            let left = may_lack.get_mut(queue).filter(|left| **left > 0);
            left.map(|left| *left -= 1).is_some()
        };
        let there: BTreeMap<Number, (usize, &Seen)> = seen
            .iter()
            .enumerate()
            .flat_map(|(queue, seen)| seen.iter().map(move |seen| (seen.number, (queue, seen))))
            .collect();
        assert_eq!(there.len(), seen.iter().map(Vec::len).sum::<usize>(), "a message is there twice");
        for unit in std::mem::take(&mut self.unknown) {
            let is_there = |number: &&Number| there.contains_key(number);
            let durable = |number: &&Number| self.messages[number].persistent;
            let puts: Vec<bool> = unit.puts.iter().filter(durable).map(|number| is_there(&number)).collect();
            let gets: Vec<bool> = unit.gets.iter().filter(durable).map(|number| is_there(&number)).collect();
            let any = puts.iter().any(|there| *there);
            let committed = gets.iter().all(|there| !there) && (any || puts.is_empty() || !gets.is_empty());
            let backed_out = puts.iter().all(|there| !there) && gets.iter().all(|there| *there);
            assert!(committed || backed_out, "half of a unit is there: {unit:?} {puts:?} {gets:?}");
            // What is lacking of a committed one shows below.
            if committed { self.committed(&unit, now) } else { self.backed_out(&unit, now) }
        }
        for (number, message) in &mut self.messages {
            message.state = match message.state {
                State::There(_) | State::BeingGot if message.persistent => State::There(now),
                _ => State::Gone,
            };
            match (message.state, there.get(number)) {
                (State::There(_), Some((queue, seen))) => {
                    assert_eq!((*queue, seen.length), (message.queue, message.length), "message {number}");
                    assert_eq!(seen.priority, message.priority, "message {number}");
                    assert!(
                        message.key.is_none_or(|key| key == seen.key),
                        "message {number} has another key"
                    );
                    message.key = Some(seen.key);
                    self.keys.insert(seen.key);
                }
                (State::There(_), None) if got_unheard(message.queue) => message.state = State::Gone,
                (State::There(_), None) => panic!("message {number} is lost: {message:?}"),
                (_, Some(_)) => panic!("message {number} came back: {message:?}"),
                (_, None) => {}
            }
        }
        for seen in seen {
            let places: Vec<_> = seen.iter().map(|seen| (9 - seen.priority, seen.key)).collect();
            assert!(places.is_sorted(), "out of order: {places:?}");
        }
        assert!(there.keys().all(|number| self.messages.contains_key(number)), "a message that nobody put");
        self.floor = self.keys.last().copied().unwrap_or_default();
    }
}
