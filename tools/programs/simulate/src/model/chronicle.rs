//! What was committed where in the log, and what must therefore be there when the log is cut.
//!
//! Of a unit whose commit was answered the RBA of the committing record is known. Of others a stretch is known: from the end of the log
//! when the end of the unit was asked for, to the end of the log when it was known to have come, or when the queue manager was gone.

use format_types::Rba;

use super::clock::Moment;
use super::{Model, Number, Operation, Phase, Place, Unit};

/// Where a record lies: it begins at `from` or later and ends at `to` or earlier. A cut keeps the records that begin below it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Stretch {
    pub(crate) from: Rba,
    pub(crate) to: Rba,
}

impl Stretch {
    /// Which side of a cut it is on.
    fn side(self, cut: Rba) -> Side {
        if self.to <= cut {
            Side::Below
        } else if self.from >= cut {
            Side::Above
        } else {
            Side::Unknown
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Side {
    Below,
    Above,
    Unknown,
}

/// A unit that ended.
#[derive(Debug, Clone)]
pub(super) struct Deed {
    /// What of it outlives a restart.
    operations: Vec<Operation>,
    connection: String,
    prepared: Option<Stretch>,
    ended: End,
    pub(super) moment: Moment,
    pub(super) commit: bool,
}

#[derive(Debug, Clone, Copy)]
enum End {
    /// The record begins exactly there.
    At(Rba),
    Within(Stretch),
}

impl End {
    /// Which side of a cut it is on.
    fn side(self, cut: Rba) -> Side {
        match self {
            Self::At(rba) if rba < cut => Side::Below,
            Self::At(_) => Side::Above,
            Self::Within(stretch) => stretch.side(cut),
        }
    }
}

impl Model {
    /// Notes the end of a unit.
    pub(super) fn note_end(&mut self, unit: Unit, commit: bool, rba: Option<Rba>) {
        let persistent = |operation: &Operation| {
            let (Operation::Put(number) | Operation::Got(number)) = operation;
            self.messages.get(number).is_some_and(|(message, _)| message.persistent)
        };
        let operations = if unit.prepared.is_some() { unit.in_doubt } else { unit.operations };
        let operations: Vec<Operation> = operations.into_iter().filter(persistent).collect();
        let ended = match rba.filter(|rba| *rba != Rba::ZERO) {
            Some(rba) => End::At(rba),
            None => End::Within(Stretch { from: unit.asked, to: self.log_end }),
        };
        if !operations.is_empty() || unit.prepared.is_some() {
            let (connection, prepared) = (unit.connection, unit.prepared);
            let moment = Moment { asked: unit.asked_at, known: self.clock };
            self.chronicle.push(Deed { operations, connection, prepared, ended, moment, commit });
        }
    }

    /// Notes that a message was got by one of several gets that nobody was answered about, the first of them asked at `asked`.
    pub(super) fn note_get(&mut self, number: Number, asked: Rba) {
        let ended = End::Within(Stretch { from: asked, to: self.log_end });
        let operations = vec![Operation::Got(number)];
        let connection = String::new();
        let moment = Moment { asked: 0, known: self.clock };
        self.chronicle.push(Deed { operations, connection, prepared: None, ended, moment, commit: true });
    }

    /// RBAs of the records that committed units, in order: what programs were told, and may want to recover to.
    pub(crate) fn commits(&self) -> Vec<Rba> {
        let at = |deed: &Deed| match deed.ended {
            End::At(rba) => Some(rba),
            End::Within(_) => None,
        };
        let mut commits: Vec<Rba> = self.chronicle.iter().filter_map(at).collect();
        commits.sort_unstable();
        commits
    }

    /// What must be there when the log is cut at `cut` and the queue manager is started: to be checked as after any restart. None when a
    /// unit may be in more states there than the model has names for.
    pub(crate) fn cut(&self, cut: Rba) -> Option<Self> {
        let mut model = Self {
            messages: self.messages.clone(),
            next_message: self.next_message,
            next_unit: self.next_unit,
            log_end: cut,
            clock: self.clock,
            ..Self::default()
        };
        model.messages.values_mut().for_each(|(_, place)| *place = Place::Gone);
        let mut open = Vec::new();
        for deed in &self.chronicle {
            match deed.ended.side(cut) {
                Side::Below => model.chronicle.push(deed.clone()),
                side => open.extend(deed.open_at(cut, side)?),
            }
        }
        for unit in self.units.values() {
            open.extend(unit.open_at(cut)?);
        }
        model.do_deeds();
        // Of two units that got the same message the one that got it first had given it back by then: it comes last here.
        open.sort_by_key(|unit| {
            let prepared = unit.prepared.map(|prepared| std::cmp::Reverse(prepared.from));
            (unit.phase == Phase::Resolving(false), prepared)
        });
        for mut unit in open {
            // What others got, and did not give back below the cut, this one had given back.
            unit.operations.retain(|operation| match operation {
                Operation::Put(_) => true,
                Operation::Got(number) => model.is_there(*number),
            });
            for operation in &unit.operations {
                match operation {
                    Operation::Put(number) => model.set(*number, Place::BeingPut),
                    Operation::Got(number) => model.set(*number, Place::BeingGot),
                }
            }
            model.next_unit += 1;
            model.units.insert(model.next_unit, unit);
        }
        Some(model)
    }

    fn is_there(&self, number: Number) -> bool {
        self.messages.get(&number).is_some_and(|(_, place)| *place == Place::There)
    }

    /// Puts messages where the units of the chronicle left them.
    fn do_deeds(&mut self) {
        let committed: Vec<Operation> = self
            .chronicle
            .iter()
            .filter(|deed| deed.commit)
            .flat_map(|deed| deed.operations.iter().copied())
            .collect();
        for operation in &committed {
            if let Operation::Put(number) = operation {
                self.set(*number, Place::There);
            }
        }
        for operation in &committed {
            if let Operation::Got(number) = operation {
                self.set(*number, Place::Gone);
            }
        }
    }
}

impl Deed {
    /// Which side of a cut its end is on.
    pub(super) fn side(&self, cut: Rba) -> Side {
        self.ended.side(cut)
    }

    /// The unit as it is at a cut that its end is not below: still open, perhaps. The outer none when that is more than one thing.
    fn open_at(&self, cut: Rba, end: Side) -> Option<Option<Unit>> {
        let phase = match (self.prepared.map(|prepared| prepared.side(cut)), end) {
            (None | Some(Side::Above), Side::Above) => return Some(None),
            (None, _) if self.commit => Phase::Committing,
            (Some(Side::Below), Side::Above) => Phase::InDoubt,
            (Some(Side::Below), _) => Phase::Resolving(self.commit),
            (Some(Side::Unknown), Side::Above) => Phase::Preparing,
            _ => return None,
        };
        let asked = match (self.prepared, self.ended) {
            (Some(prepared), _) if phase == Phase::Preparing => prepared.from,
            (_, End::At(rba)) => rba,
            (_, End::Within(stretch)) => stretch.from,
        };
        let prepared = self.prepared.filter(|_| matches!(phase, Phase::InDoubt | Phase::Resolving(_)));
        Some(Some(Unit {
            operations: self.operations.clone(),
            in_doubt: self.operations.clone(),
            phase,
            connection: self.connection.clone(),
            may_have_got: std::collections::BTreeSet::new(),
            asked,
            asked_at: self.moment.asked,
            prepared,
            in_jeopardy: false,
            given_back: false,
        }))
    }
}

impl Unit {
    /// This unit, which nobody was told the end of, at a cut. The outer none when that is more than one thing.
    fn open_at(&self, cut: Rba) -> Option<Option<Self>> {
        let asked_below = self.asked < cut;
        let prepared = self.prepared.map(|prepared| prepared.side(cut));
        let phase = match (self.phase, prepared) {
            // Its backing out waits for something; it was asked for while the unit was in doubt.
            (Phase::BackingOut, Some(_)) => Phase::Resolving(false),
            (phase, _) => phase,
        };
        let keep = match (phase, prepared) {
            (Phase::Working | Phase::BackingOut, _) => false,
            (Phase::Committing | Phase::Preparing, _) => asked_below,
            (Phase::InDoubt | Phase::Resolving(_), Some(Side::Above)) => false,
            (Phase::InDoubt, Some(Side::Below)) => true,
            (Phase::Resolving(_), Some(Side::Below)) if asked_below => true,
            (Phase::Resolving(_), Some(Side::Below)) => {
                let operations = self.in_doubt.clone();
                return Some(Some(Self { phase: Phase::InDoubt, operations, ..self.clone() }));
            }
            (Phase::InDoubt, Some(Side::Unknown)) => {
                let asked = self.prepared.map_or(self.asked, |prepared| prepared.from);
                return Some(Some(Self { phase: Phase::Preparing, prepared: None, asked, ..self.clone() }));
            }
            _ => return None,
        };
        let operations =
            if self.prepared.is_some() { self.in_doubt.clone() } else { self.operations.clone() };
        Some(keep.then(|| Self { phase, operations, ..self.clone() }))
    }
}
