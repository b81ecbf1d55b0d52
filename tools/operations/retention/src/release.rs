//! The smallest set of facts after which a data set goes.
//!
//! Everything that holds today (page sets, units, structures, what is under way) is released by one fact each. Recovery points are
//! released by giving them up, or by newer verified ones that take their places in the policy; both are tried, because giving one up may
//! make the policy keep an older one. The candidates are: no new point, one, two ... as many as the policy counts; for each of them, the
//! points that hold the log are given up as soon as the policy would keep them.

use std::cell::Cell;

use format_types::{Rba, RbaRange};

use crate::evaluation::Evaluation;
use crate::fact::Fact;
use crate::logs::meets;
use crate::needs::{self, RESTART_CHECKPOINTS, Subject};
use crate::places::Places;
use crate::points::{PageSets, PointView};
use crate::selection::{Imagined, Keeps, Loses};

/// What releases a data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Release {
    /// These facts.
    By(Vec<Fact>),
    /// Only giving up more points than were to be looked at.
    TooMany,
    /// Nothing.
    Never,
}

/// New points that are tried one by one; beyond, only the number that leaves nothing to be given up.
const TRIED: u32 = 8;

/// Log of one history whose release is wanted.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wanted {
    pub(crate) history: usize,
    pub(crate) range: RbaRange,
    /// Only what is not of points holds it.
    pub(crate) today: bool,
}

/// A way to release points.
struct Way {
    /// Facts that must come before new points.
    before_new: usize,
    margin: bool,
    /// Only the margin of a restart needs more checkpoints, and stays.
    checkpoints: bool,
    new: u32,
    /// Points whose hold ends.
    let_go: Vec<usize>,
    given_up: Vec<usize>,
}

impl Way {
    fn size(&self) -> usize {
        let rules = usize::from(self.margin) + usize::from(self.checkpoints);
        self.given_up.len() + self.let_go.len() + rules + self.new as usize + self.before_new
    }
}

struct Search<'e, 'i> {
    evaluation: &'e Evaluation<'i>,
    wanted: &'e [Wanted],
    begins: Vec<Rba>,
    /// The margin of a restart holds it, and nothing else that checkpoints move on.
    margin_of_restart: bool,
    /// Checkpoints are among the facts whatever becomes of points.
    checkpoints: bool,
    /// What releases today's needs.
    facts: &'e [Fact],
    /// What must be so, beside that, before a new point of the kind that the policy wants can be made.
    before_new: &'e [Fact],
    /// Points that are given up at most.
    most: usize,
    /// A way was left because it gives up more.
    cut: Cell<bool>,
    /// The points that hold the log that is wanted, with the policy's margin and without one.
    holding: [Holding; 2],
}

/// The points that hold what is wanted.
#[derive(Debug, Default)]
struct Holding {
    /// When they are kept to recover to the end of their lines.
    to_end: Places,
    /// When they are kept to recover to the end of their copies only.
    to_copy: Places,
}

/// The facts that release `wanted`, with at most `most` points given up.
pub(crate) fn release(evaluation: &Evaluation<'_>, wanted: &[Wanted], most: usize) -> Release {
    let inventory = evaluation.inventory;
    let mut facts = Vec::new();
    let (mut checkpoints, mut margin_of_restart) = (false, false);
    let mut points = false;
    // Too few points are kept: new ones help, and so may giving one up in whose place the policy keeps others.
    let mut too_few = false;
    for subject in subjects(evaluation, wanted, &mut points) {
        match subject {
            Subject::NoPolicy => return Release::Never,
            Subject::NoPoint | Subject::NoFull | Subject::Uncovered(_) => too_few = true,
            // They are asked for by themselves.
            Subject::Point(..) => {}
            Subject::PageSet(place) => {
                let offline = inventory.now.page_sets.get(place).filter(|set| !set.online);
                facts.extend(offline.map(|set| Fact::Online { page_set: set.psid }));
                checkpoints = true;
            }
            Subject::Checkpoint(number) if number > RESTART_CHECKPOINTS => margin_of_restart = true,
            Subject::Checkpoint(_) => checkpoints = true,
            Subject::Unit(place) => {
                facts.extend(inventory.now.units.get(place).map(|unit| Fact::UnitEnds { urid: unit.urid }));
            }
            Subject::Structure(place) => {
                let structure = inventory.now.structures.get(place);
                facts.extend(structure.map(|found| Fact::StructureBackup { structure: found.name.clone() }));
            }
            Subject::InProgress(place) => {
                let under_way = inventory.in_progress.get(place);
                facts.extend(under_way.map(|found| Fact::Ends { name: found.name.clone() }));
            }
        }
    }
    let mut count = evaluation.policy.checkpoints();
    let margin_of_restart = margin_of_restart && !checkpoints;
    if points || too_few {
        let begins = needs::checkpoints(inventory);
        let today = std::mem::take(&mut facts);
        let facts_of_today = today.as_slice();
        // A full point holds no undecided work: whatever unit is active must have ended, be it that it holds nothing that is wanted.
        let units = inventory.now.units.iter().filter(|_| evaluation.policy.back_to_full);
        let units = units.map(|unit| Fact::UnitEnds { urid: unit.urid });
        let before_new: Vec<Fact> = units.filter(|fact| !today.contains(fact)).collect();
        let mut search = Search {
            evaluation,
            wanted,
            begins,
            margin_of_restart,
            checkpoints,
            facts: facts_of_today,
            before_new: &before_new,
            most,
            cut: Cell::new(false),
            holding: Default::default(),
        };
        search.holding = [search.find_holding(false), Holding::default()];
        if evaluation.policy.margin().is_some() {
            search.holding[1] = search.find_holding(true);
        }
        let Some(way) = search.best() else {
            return if search.cut.get() { Release::TooMany } else { Release::Never };
        };
        checkpoints |= way.checkpoints;
        if way.margin {
            count = RESTART_CHECKPOINTS;
        }
        facts = search.facts(&way);
        facts.extend(today);
    } else {
        checkpoints |= margin_of_restart;
    }
    if checkpoints {
        facts.push(Fact::Checkpoints { count });
    }
    facts.sort();
    facts.dedup();
    Release::By(facts)
}

/// Who holds `wanted` beside points, each once; `points` becomes true when points do.
fn subjects(evaluation: &Evaluation<'_>, wanted: &[Wanted], points: &mut bool) -> Vec<Subject> {
    let needs = &evaluation.needs;
    let subject = |holder: u32| needs.holders[holder as usize].subject;
    let today = wanted.iter().flat_map(|wanted| needs.held_today[wanted.history].holders(wanted.range));
    let mut holders: Vec<u32> = today.collect();
    holders.sort_unstable();
    holders.dedup();
    let mut by_points = wanted.iter().filter(|wanted| !wanted.today);
    *points |= by_points.any(|wanted| {
        let mut holders = needs.held[wanted.history].holders(wanted.range);
        holders.any(|holder| matches!(subject(holder), Subject::Point(..)))
    });
    holders.into_iter().map(subject).collect()
}

impl Search<'_, '_> {
    /// Checkpoints that complete before a new point is made.
    fn more_checkpoints(&self, margin: bool) -> u32 {
        let more = self.checkpoints || self.margin_of_restart && !margin;
        let count = self.evaluation.policy.margin().filter(|_| !margin).unwrap_or(0).max(RESTART_CHECKPOINTS);
        if more { count } else { 0 }
    }

    /// The system recovery RBA that a point made after all this records.
    fn recorded_then(&self, margin: bool) -> Rba {
        let (now, facts) = (&self.evaluation.inventory.now, self.facts);
        let more = self.more_checkpoints(margin);
        let ended = |urid| {
            let fact = Fact::UnitEnds { urid };
            facts.contains(&fact) || self.before_new.contains(&fact)
        };
        let online = |psid| facts.contains(&Fact::Online { page_set: psid });
        let sets = now.page_sets.iter().filter(|set| !(set.online && more > 0 || online(set.psid)));
        let units = now.units.iter().filter(|unit| !ended(unit.urid));
        let structures = now.structures.iter().filter(|structure| {
            !facts.contains(&Fact::StructureBackup { structure: structure.name.clone() })
        });
        let structures = structures.map(|structure| structure.rba.unwrap_or(Rba::ZERO));
        let sets = sets.map(|set| set.recovery_rba);
        let all = sets.chain(units.map(format_inventory::UnitNow::from)).chain(structures);
        let end = now.log_end.plus(u64::from(more));
        all.min().unwrap_or(end).min(end)
    }

    fn best(&self) -> Option<Way> {
        let counted = self.most_new();
        let margins: &[bool] =
            if self.evaluation.policy.margin().is_some() { &[false, true] } else { &[false] };
        let mut best: Option<Way> = None;
        for &margin in margins {
            let new_helps = self.new_is_sound(margin) && (margin || !self.new_margin_holds());
            let counted = if new_helps { counted } else { 0 };
            let enough = self.enough_new(counted, margin);
            // What needs no giving up comes first: it bounds what the others may take.
            let few = enough.into_iter().chain(0..=counted.min(TRIED)).chain([counted]);
            for new in few {
                let limit = best.as_ref().map_or(usize::MAX, Way::size);
                if self.at_least(margin, new) >= limit {
                    continue;
                }
                if let Some(way) = self.way(margin, new, limit)
                    && way.size() < limit
                {
                    best = Some(way);
                }
            }
        }
        best
    }

    /// As many new points as the policy counts: more change nothing.
    fn most_new(&self) -> u32 {
        let policy = self.evaluation.policy;
        let periods = [policy.daily, policy.weekly, policy.monthly, policy.yearly];
        let one = periods.iter().any(Option::is_some) || policy.back_to_full || policy.window.is_some();
        policy.keep_last.unwrap_or(0).max(u32::from(one)).max(1)
    }

    /// The smallest number of new points after which none needs to be given up, by halving.
    fn enough_new(&self, most: u32, margin: bool) -> Option<u32> {
        let enough = |new: u32| {
            let (kept, holding) = (self.evaluation.kept_after(new), self.holding(margin));
            !holding.to_end.meets(&kept.to_end_by_policy) && !holding.to_copy.meets(&kept.to_copy_by_policy)
        };
        if !enough(most) {
            return None;
        }
        let (mut low, mut high) = (0, most);
        while low < high {
            let middle = low + (high - low) / 2;
            if enough(middle) { high = middle } else { low = middle + 1 }
        }
        Some(low)
    }

    /// A lower bound of what a way takes: everything that still holds the log must be given up.
    fn at_least(&self, margin: bool, new: u32) -> usize {
        let (kept, holding) = (self.evaluation.kept_after(new), self.holding(margin));
        let holding = holding.to_end.in_both(&kept.to_end) + holding.to_copy.in_both(&kept.to_copy);
        new as usize + self.before_new(new) + usize::from(margin) + holding
    }

    /// How many facts must come before `new` new points.
    fn before_new(&self, new: u32) -> usize {
        if new > 0 { self.before_new.len() } else { 0 }
    }

    /// Whether `way` gives up the newest point and makes no other: it has the newest definitions, and stays until another one has.
    fn lacks_a_newer(&self, way: &Way) -> bool {
        let newest = self.evaluation.points.iter().position(|view| !view.damaged);
        way.new == 0 && newest.is_some_and(|newest| way.given_up.contains(&newest))
    }

    /// With `new` new points: which ones are to be given up; none when it does not work, or takes as many facts as `limit`.
    fn way(&self, margin: bool, new: u32, limit: usize) -> Option<Way> {
        let checkpoints = self.margin_of_restart && !margin;
        let (let_go, given_up) = (Vec::new(), Vec::new());
        let before_new = self.before_new(new);
        let mut way = Way { before_new, margin, checkpoints, new, let_go, given_up };
        let kept = self.evaluation.selection().choose_but(Imagined { new }, |place, keeps| {
            let loses = if !self.holds(place, keeps, margin) || !keeps.any() {
                return Some(Loses::Nothing);
            } else if keeps.by_policy() {
                way.given_up.push(place);
                Loses::Everything
            } else {
                Loses::Hold
            };
            if keeps.hold {
                way.let_go.push(place);
            }
            if way.size() >= limit {
                return None;
            }
            if way.given_up.len() > self.most {
                self.cut.set(true);
                return None;
            }
            Some(loses)
        })?;
        (self.leaves_enough(&kept, new) && !self.lacks_a_newer(&way)).then_some(way)
    }

    /// Whether a new point would have all the log that it needs.
    fn new_is_sound(&self, margin: bool) -> bool {
        let logs = self.evaluation.logs;
        let needed = RbaRange::new(self.recorded_then(margin), Rba::MAX);
        let mut pieces = logs.lines.pieces(logs.lines.current, needed);
        !pieces.any(|piece| meets(&logs.missing[piece.history], piece.range))
    }

    /// Whether the margin of a new point holds what is wanted.
    fn new_margin_holds(&self) -> bool {
        let Some(count) = self.evaluation.policy.margin() else { return false };
        let end = self.evaluation.inventory.now.log_end;
        let more = (0..u64::from(self.more_checkpoints(false))).rev().map(|number| end.plus(number));
        let begins: Vec<Rba> = more.chain(self.begins.iter().copied()).collect();
        let from = needs::margin_from(&begins, self.recorded_then(false), count).unwrap_or(Rba::ZERO);
        self.met(self.evaluation.logs.lines.current, from, Rba::MAX)
    }

    /// Whether a point with that need holds what is wanted.
    fn met(&self, line: usize, from: Rba, to: Rba) -> bool {
        self.wanted.iter().filter(|wanted| !wanted.today).any(|wanted| self.meets(wanted, line, from, to))
    }

    fn meets(&self, wanted: &Wanted, line: usize, from: Rba, to: Rba) -> bool {
        let lines = &self.evaluation.logs.lines;
        let first = lines.first[wanted.history].max(from);
        let held = RbaRange::new(first, to.min(lines.limit(line, wanted.history)));
        held.meets(&wanted.range)
    }

    /// Whether a point that is kept so holds what is wanted.
    fn holds(&self, place: usize, keeps: &Keeps, margin: bool) -> bool {
        let holding = self.holding(margin);
        let places = if keeps.consistent_only { &holding.to_copy } else { &holding.to_end };
        places.contains(place)
    }

    /// The points that hold what is wanted, with the policy's margin or without it.
    fn holding(&self, margin: bool) -> &Holding {
        let [with, without] = &self.holding;
        if margin { without } else { with }
    }

    fn find_holding(&self, margin: bool) -> Holding {
        let evaluation = self.evaluation;
        let count = evaluation.policy.margin().filter(|_| !margin);
        let from = |point: &PointView| {
            let from = match count {
                Some(count) => {
                    needs::margin_from(&self.begins, point.kept_from(), count).unwrap_or(Rba::ZERO)
                }
                None => Rba::MAX,
            };
            from.min(point.kept_from())
        };
        let points = &evaluation.points;
        let met = |place: usize, to: &dyn Fn(&PointView) -> Rba| {
            let point = points.get(place);
            point.is_some_and(|point| self.met(point.line(evaluation.logs), from(point), to(point)))
        };
        Holding {
            to_end: Places::of(points.len(), |place| met(place, &|_| Rba::MAX)),
            to_copy: Places::of(points.len(), |place| met(place, &|point| point.end)),
        }
    }

    /// Whether what stays kept still covers all page sets, so that nothing else holds what is wanted.
    fn leaves_enough(&self, kept: &[Keeps], new: u32) -> bool {
        if new > 0 {
            return true;
        }
        let (evaluation, policy) = (self.evaluation, self.evaluation.policy);
        let points = &evaluation.points;
        let covered: PageSets = needs::covered(points, kept);
        let line = evaluation.logs.lines.current;
        let bare = evaluation.inventory.now.page_sets.iter().any(|set| {
            let from = set.created.unwrap_or(Rba::ZERO);
            let mut wanted = self.wanted.iter();
            !covered.contains(set.psid) && wanted.any(|wanted| self.meets(wanted, line, from, Rba::MAX))
        });
        needs::has_sound(points, kept)
            && !bare
            && (!policy.back_to_full || needs::has_full(points, kept, policy))
    }

    fn facts(&self, way: &Way) -> Vec<Fact> {
        let evaluation = self.evaluation;
        let name = |place: &usize| {
            let view = &evaluation.points[*place];
            evaluation.inventory.points[view.place].name.clone()
        };
        let mut facts: Vec<Fact> =
            way.let_go.iter().map(|place| Fact::HoldEnds { point: name(place) }).collect();
        facts.extend(way.given_up.iter().map(|place| Fact::GivenUp { point: name(place) }));
        if way.margin {
            facts.push(Fact::NoMargin);
        }
        if way.new > 0 {
            facts.extend_from_slice(self.before_new);
            facts.push(Fact::NewPoints { count: way.new, full: evaluation.policy.back_to_full });
        }
        facts
    }
}
