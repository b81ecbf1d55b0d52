//! Facts that let log go, and what the world looks like once they are so.

use std::borrow::Cow;
use std::fmt;

use format_inventory::{Inventory, LogDataSet, LogKind, Now, Part, Point, PointPageSet, RecordedParts};
use format_types::{PageSetId, PointMethod, PointState, Rba, Timestamp};

use crate::points::{page_sets_today, structures_today, units_today};
use crate::policy::Policy;

/// A fact that is not so yet, and would let log go. They are listed in the order in which they can be made so.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fact {
    /// A page set is brought online. What is brought forward of it is on disk only after checkpoints.
    Online {
        /// Which.
        page_set: PageSetId,
    },
    /// So many complete checkpoints more: page sets that are online are written to disk meanwhile.
    Checkpoints {
        /// How many.
        count: u32,
    },
    /// A unit of recovery ends.
    UnitEnds {
        /// Its first RBA.
        urid: Rba,
    },
    /// A structure is backed up.
    StructureBackup {
        /// Which.
        structure: String,
    },
    /// A backup or recovery ends.
    Ends {
        /// Its name.
        name: String,
    },
    /// A hold ends.
    HoldEnds {
        /// The point.
        point: String,
    },
    /// The policy asks for no margin.
    NoMargin,
    /// Verified recovery points of all page sets are made.
    NewPoints {
        /// How many.
        count: u32,
        /// At rest, once every unit of recovery has ended.
        full: bool,
    },
    /// A verified recovery point of one page set is made.
    PageSetBackup {
        /// Which.
        page_set: PageSetId,
    },
    /// A recovery point is given up; the newest one only when there is a newer one by then.
    GivenUp {
        /// The point.
        point: String,
    },
    /// More archives are written.
    Archives {
        /// The log copy.
        copy: u8,
        /// How many.
        count: u32,
    },
    /// A data set of copy 1 is verified.
    Verified {
        /// Its name.
        name: String,
    },
}

impl fmt::Display for Fact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = |count: &u32| if *count == 1 { "" } else { "s" };
        match self {
            Self::Checkpoints { count } => write!(f, "{count} more complete checkpoint{}", plural(count)),
            Self::Online { page_set } => write!(f, "page set {page_set} is brought online"),
            Self::UnitEnds { urid } => write!(f, "unit of recovery {urid} ends"),
            Self::StructureBackup { structure } => write!(f, "a backup of structure {structure}"),
            Self::Ends { name } => write!(f, "{name} ends"),
            Self::HoldEnds { point } => write!(f, "the hold on recovery point {point} ends"),
            Self::GivenUp { point } => write!(f, "recovery point {point} is given up"),
            Self::NoMargin => f.write_str("the policy asks for no --margin"),
            Self::NewPoints { count, full } => {
                let full = if *full { " full" } else { "" };
                let s = plural(count);
                write!(f, "{count} new verified{full} recovery point{s} of all page sets")
            }
            Self::PageSetBackup { page_set } => write!(f, "a verified backup of page set {page_set}"),
            Self::Archives { copy, count } => {
                write!(f, "{count} more archive{} of copy {copy}", plural(count))
            }
            Self::Verified { name } => write!(f, "{name} of copy 1 is verified"),
        }
    }
}

/// Bytes of an archive that is imagined.
const ARCHIVE: u64 = 0x10_0000;

/// A verified recovery point of `page_sets` made now.
fn new_point(inventory: &Inventory<'_>, at: Timestamp, full: bool, page_sets: Vec<PointPageSet>) -> Point {
    let end = inventory.now.log_end;
    let part = |rba: Rba| Part { rba, holder: "as things are then".to_owned() };
    let history = inventory.now.history.clone();
    let last = inventory.histories.last().map(|history| history.id.clone());
    let mut number = inventory.points.len();
    let name = loop {
        number += 1;
        let name = format!("NEW{number}");
        if inventory.points.iter().all(|point| point.name != name) {
            break name;
        }
    };
    Point {
        name,
        method: if full { PointMethod::Full } else { PointMethod::Fuzzy },
        state: PointState::Verified,
        at,
        history: history.or(last).unwrap_or_default(),
        start: end,
        end,
        page_sets,
        system_recovery: RecordedParts {
            page_sets: Some(part(page_sets_today(inventory))),
            structures: structures_today(inventory).map(part),
            units: units_today(inventory).map(part),
        },
    }
}

fn copies(now: &Now, wanted: impl Fn(PageSetId) -> bool) -> Vec<PointPageSet> {
    let wanted = now.page_sets.iter().filter(|set| wanted(set.psid));
    wanted.map(|set| PointPageSet { psid: set.psid, recovery_rba: set.recovery_rba }).collect()
}

/// Makes `facts` so, in the inventory and the policy: first what happens to today's needs, then new points, then
/// older ones are given up. `at` is the time of the plan.
pub fn perform(facts: &[Fact], inventory: &mut Inventory<'_>, policy: &mut Policy, at: Timestamp) {
    let mut ordered: Vec<&Fact> = facts.iter().collect();
    // New points record how things are then, so what changes that comes first. More archives move the end of the log. Checkpoints write
    // the page sets that are online by then.
    ordered.sort_by_key(|fact| match fact {
        Fact::Archives { .. } | Fact::HoldEnds { .. } | Fact::Online { .. } => 0,
        Fact::Checkpoints { .. } => 1,
        Fact::NewPoints { .. } | Fact::PageSetBackup { .. } => 3,
        Fact::GivenUp { .. } => 4,
        _ => 2,
    });
    ordered.into_iter().for_each(|fact| perform_one(fact, inventory, policy, at));
}

/// Log goes on by `bytes`: into the active log data sets, where any are listed.
fn go_on(inventory: &mut Inventory<'_>, bytes: u64) {
    inventory.now.log_end = inventory.now.log_end.plus(bytes);
    let last = inventory.histories.last().map(|history| history.id.clone());
    let history = inventory.now.history.clone().or(last).unwrap_or_default();
    for copy in [1, 2] {
        let active = inventory
            .logs
            .iter_mut()
            .filter(|log| log.kind == LogKind::Active && log.copy == copy && log.history == history);
        if let Some(newest) = active.max_by_key(|log| log.end) {
            newest.end = newest.end.max(inventory.now.log_end.minus(1));
        }
    }
}

fn is_held(inventory: &Inventory<'_>, point: &str, at: Timestamp) -> bool {
    let mut holds = inventory.holds.iter().filter(|hold| hold.point == point);
    holds.any(|hold| hold.until.is_none_or(|until| at < until))
}

/// Whether `point` is the newest one that counts for something.
fn is_newest(inventory: &Inventory<'_>, point: &str) -> bool {
    let points = inventory.points.iter().filter(|point| point.state != PointState::Damaged);
    // Of equal ones the one further down the list is the newer.
    points.max_by_key(|point| (point.at, point.start)).is_some_and(|newest| newest.name == point)
}

fn perform_one(fact: &Fact, inventory: &mut Inventory<'_>, policy: &mut Policy, at: Timestamp) {
    let end = inventory.now.log_end;
    match fact {
        Fact::Checkpoints { count } => {
            inventory.now.checkpoints.extend((0..u64::from(*count)).map(|number| end.plus(number)));
            go_on(inventory, u64::from(*count));
            let end = inventory.now.log_end;
            let online = inventory.now.page_sets.iter_mut().filter(|set| set.online);
            online.for_each(|set| set.recovery_rba = end);
        }
        Fact::Online { page_set } => {
            for set in inventory.now.page_sets.iter_mut().filter(|set| set.psid == *page_set) {
                set.online = true;
            }
        }
        Fact::UnitEnds { urid } => inventory.now.units.retain(|unit| unit.urid != *urid),
        Fact::StructureBackup { structure } => {
            let named = inventory.now.structures.iter_mut().filter(|found| found.name == *structure);
            named.for_each(|found| found.rba = Some(end));
        }
        Fact::Ends { name } => inventory.in_progress.retain(|under_way| under_way.name != *name),
        Fact::HoldEnds { point } => inventory.holds.retain(|hold| hold.point != *point),
        // What is held cannot be given up, nor can the newest: it has the newest definitions.
        Fact::GivenUp { point } if is_held(inventory, point, at) || is_newest(inventory, point) => {}
        Fact::GivenUp { point } => inventory.points.retain(|found| found.name != *point),
        Fact::NoMargin => policy.margin = Some(0),
        // A full point holds no undecided work: while units are active none is made.
        Fact::NewPoints { full: true, .. } if !inventory.now.units.is_empty() => {}
        Fact::NewPoints { count, full } => {
            for _ in 0..*count {
                let point = new_point(inventory, at, *full, copies(&inventory.now, |_| true));
                inventory.points.push(point);
            }
        }
        Fact::PageSetBackup { page_set } => {
            let point = new_point(inventory, at, false, copies(&inventory.now, |psid| psid == *page_set));
            inventory.points.push(point);
        }
        Fact::Archives { copy, count } => add_archives(inventory, *copy, *count),
        Fact::Verified { name } => {
            let named = inventory.logs.iter_mut().filter(|log| log.copy == 1 && log.name == *name);
            named.for_each(|log| log.state = PointState::Verified);
        }
    }
}

fn add_archives(inventory: &mut Inventory<'_>, copy: u8, count: u32) {
    let last = inventory.histories.last().map(|history| history.id.clone());
    let history = inventory.now.history.clone().or(last).unwrap_or_default();
    let listed = inventory.logs.iter().filter(|log| log.history == history).map(|log| log.range().end);
    let start = listed.max().unwrap_or(inventory.now.log_end);
    for number in 0..u64::from(count) {
        let start = start.plus(number * ARCHIVE);
        inventory.logs.push(LogDataSet {
            name: Cow::Owned(format!("NEW.COPY{copy}.N{number:07}")),
            kind: LogKind::Archive,
            copy,
            history: Cow::Owned(history.clone()),
            start,
            end: start.plus(ARCHIVE - 1),
            bytes: ARCHIVE,
            present: true,
            state: PointState::Unverified,
            registered: true,
            volume: None,
            catalogued: true,
            lrsn: None,
            time: None,
        });
    }
    inventory.now.log_end = inventory.now.log_end.max(start.plus(u64::from(count) * ARCHIVE));
}
