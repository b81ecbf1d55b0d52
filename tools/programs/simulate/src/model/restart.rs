//! What must be there after a restart, and what became of the units that nobody was answered about.

use std::collections::BTreeSet;

use format_types::Rba;

use super::reading::describe;
use super::{Broken, Model, Number, Operation, Phase, Place, QueueNumber, Seen, Settled, UnitNumber};

impl Model {
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
        let (unknown, asked) = self.settle_units(&found, in_doubt, &mut settled)?;
        self.settle_gets(&unknown, asked, &found, &mut settled)?;
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
        let known: BTreeSet<&str> = self
            .units
            .values()
            .filter(|unit| unit.phase == Phase::InDoubt)
            .map(|unit| unit.connection.as_str())
            .collect();
        if let Some(other) = in_doubt.iter().find(|connection| !known.contains(connection.as_str())) {
            return Err(format!("a unit of {other} is in doubt, but it ended or was never prepared"));
        }
        // What was not committed, or did not outlive the restart, gives its key away.
        let there = self.messages.values().filter(|(_, place)| *place == Place::There);
        self.highest_key = there.filter_map(|(message, _)| message.key).max().unwrap_or_default();
        Ok(settled)
    }

    fn drop_nonpersistent(&mut self) {
        self.drop_nonpersistent_of(|_| true);
    }

    /// The nonpersistent messages of some queues are gone.
    pub(crate) fn drop_nonpersistent_of(&mut self, queues: impl Fn(QueueNumber) -> bool) {
        let dropped: BTreeSet<Number> = self
            .messages
            .iter_mut()
            .filter(|(_, (message, _))| !message.persistent && queues(message.queue))
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

    /// Ends all units but those in doubt; gives back what the unanswered single gets may have got, and where the log ended when the
    /// first of them was asked for.
    fn settle_units(
        &mut self,
        found: &BTreeSet<Number>,
        in_doubt: &BTreeSet<String>,
        settled: &mut Settled,
    ) -> Result<(Vec<BTreeSet<Number>>, Rba), Broken> {
        let mut gets = Vec::new();
        let mut asked = Rba::MAX;
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
                Phase::Resolving(_) if in_doubt.contains(&unit.connection) => {
                    self.phase(number, Phase::InDoubt);
                    settled.in_doubt += 1;
                }
                Phase::Resolving(commit) => {
                    settled.resolved += 1;
                    if commit {
                        self.committed(number, None);
                    } else {
                        self.backed_out(number);
                    }
                }
                Phase::Working | Phase::BackingOut | Phase::Preparing => {
                    settled.undone += u64::from(!unit.operations.is_empty());
                    self.backed_out(number);
                }
                Phase::Committing if !unit.operations.is_empty() => {
                    if self.is_committed(number, found)? {
                        settled.committed += 1;
                        self.committed(number, None);
                    } else {
                        settled.backed_out += 1;
                        self.backed_out(number);
                    }
                }
                Phase::Committing => {
                    if let Some(unit) = self.units.remove(&number)
                        && !unit.may_have_got.is_empty()
                    {
                        asked = asked.min(unit.asked);
                        gets.push(unit.may_have_got);
                    }
                }
            }
        }
        Ok((gets, asked))
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
        asked: Rba,
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
            self.note_get(number, asked);
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
