//! What a get may return: the first message, and what may have become first meanwhile.

use super::{Broken, Model, Number, Operation, Phase, Place, QueueNumber, Seen, UnitNumber};

impl Model {
    /// A get, to be committed by itself, was asked for on `queue`.
    pub(crate) fn getting(&mut self, unit: UnitNumber, queue: QueueNumber) {
        let heads = self.heads(queue, unit);
        if let Some(unit) = self.units.get_mut(&unit) {
            unit.phase = Phase::Committing;
            unit.asked = self.log_end;
            unit.asked_at = self.clock;
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
    pub(super) fn heads(&self, queue: QueueNumber, asking: UnitNumber) -> Vec<Number> {
        let others = self
            .units
            .iter()
            .filter(|(number, unit)| **number != asking && !unit.may_have_got.is_empty())
            .count();
        let mut heads: Vec<Number> =
            self.in_order(queue, |place| place == Place::There).into_iter().take(others + 1).collect();
        // What a unit got that is backing out may be back already.
        heads.extend(self.units.values().filter(|unit| unit.returns()).flat_map(|unit| {
            unit.operations.iter().filter_map(|operation| match operation {
                Operation::Got(number) => Some(*number),
                Operation::Put(_) => None,
            })
        }));
        heads
    }

    /// Messages of `queue` in the queue's order.
    pub(super) fn in_order(&self, queue: QueueNumber, wanted: impl Fn(Place) -> bool) -> Vec<Number> {
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
        let backing = self
            .units
            .iter()
            .find(|(_, unit)| unit.returns() && unit.operations.contains(&Operation::Got(number)));
        let backing = backing.map(|(number, _)| *number);
        if place != Some(Place::There) && backing.is_none() {
            return Err(format!("a get returned message {number}, which is {place:?}"));
        }
        if !allowed {
            let before = self.in_order(queue, |place| place == Place::There);
            let before: Vec<Number> =
                before.into_iter().take_while(|other| *other != number).take(8).collect();
            return Err(format!(
                "a get of queue {queue} returned message {number}, which is not first: {before:?} are before it"
            ));
        }
        if let Some(backing) = backing.and_then(|unit| self.units.get_mut(&unit)) {
            backing.operations.retain(|operation| *operation != Operation::Got(number));
            backing.given_back = true;
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
        let others = self
            .units
            .iter()
            .any(|(number, other)| *number != unit && (!other.may_have_got.is_empty() || other.returns()));
        if let Some(first) = self.in_order(queue, |place| place == Place::There).first()
            && !others
        {
            return Err(format!("a get of queue {queue} found nothing, but message {first} is there"));
        }
        Ok(())
    }
}
