//! Random small inventories and policies.

use std::borrow::Cow;

use format_inventory::{
    History, Hold, Hole, InProgress, InProgressKind, Inventory, LogDataSet, LogKind, Now, PageSetNow, Part,
    Point, PointPageSet, RecordedParts, StructureNow, UnitNow, parse_time,
};
use format_types::{PageSetId, PointMethod, PointState, Rba, Timestamp};
use operation_retention::{Policy, Span};

/// Numbers from a seed (splitmix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// 0 to `below` - 1.
    pub(crate) fn below(&mut self, below: u64) -> u64 {
        self.next() % below.max(1)
    }

    /// True in `percent` of a hundred cases.
    pub(crate) fn chance(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    fn between(&mut self, low: u64, high: u64) -> Rba {
        Rba(low + self.below(high.saturating_sub(low).max(1)))
    }
}

/// The time of all inventories here.
pub(crate) fn now() -> Timestamp {
    parse_time("2026-11-22T12:00:00Z").unwrap()
}

const CI: u64 = 0x1000;

fn state(dice: &mut Dice, trouble: bool) -> PointState {
    match dice.below(100) {
        0..12 if trouble => PointState::Damaged,
        0..30 if trouble => PointState::Unverified,
        _ => PointState::Verified,
    }
}

fn logs(
    dice: &mut Dice,
    history: &str,
    (first, end): (u64, u64),
    current: bool,
    trouble: bool,
    to: &mut Vec<LogDataSet<'static>>,
) {
    let copies = 1 + u8::from(dice.chance(60));
    // Some inventories list archives alone: all log so far is archived.
    let actives = end.is_multiple_of(0x100);
    for copy in 1..=copies {
        let mut at = first;
        while at < end {
            let length = 0x200 + dice.below(0x1800);
            let stop = if at + length + 0x200 > end { end } else { at + length };
            let active = current && stop == end && actives;
            to.push(LogDataSet {
                name: Cow::Owned(format!("H{history}.COPY{copy}.A{at:07X}")),
                kind: if active { LogKind::Active } else { LogKind::Archive },
                copy,
                history: Cow::Owned(history.to_owned()),
                start: Rba(at),
                end: Rba(stop - 1),
                bytes: stop - at,
                present: !(trouble && !active && dice.chance(6)),
                state: if active { PointState::Unverified } else { state(dice, dice.0.is_multiple_of(2)) },
                registered: !(trouble && !active && dice.chance(3)),
                volume: None,
                catalogued: true,
                lrsn: None,
                time: None,
            });
            at = stop;
        }
    }
}

fn point(dice: &mut Dice, number: u64, history: &str, (low, high): (u64, u64), trouble: bool) -> Point {
    let start = dice.between(low, high);
    let back = |dice: &mut Dice, reach: u64| Rba(start.0.saturating_sub(dice.below(reach)));
    let page_sets_rba = back(dice, 0x1800);
    let psids = if dice.chance(85) { vec![0, 1] } else { vec![dice.below(2) as u8] };
    let part = |rba: Rba, holder: &str| Part { rba, holder: holder.to_owned() };
    let copies = psids
        .into_iter()
        .filter_map(PageSetId::new)
        .map(|psid| PointPageSet { psid, recovery_rba: Rba(page_sets_rba.0 + dice.below(0x100)) });
    let page_sets = copies.collect();
    Point {
        name: format!("P{number}"),
        method: if dice.chance(25) { PointMethod::Full } else { PointMethod::Fuzzy },
        state: state(dice, trouble),
        at: Timestamp(now().0 - dice.below(40 * 24) * 3_600_000_000),
        history: history.to_owned(),
        start,
        end: Rba(start.0 + dice.below(0x100)),
        page_sets,
        system_recovery: RecordedParts {
            page_sets: Some(part(page_sets_rba, "page set 00")),
            structures: dice.chance(50).then(|| part(back(dice, 0x4000), "S1")),
            units: dice.chance(50).then(|| part(back(dice, 0x2800), "unit")),
        },
    }
}

/// An inventory of one to three histories, with log of some 20 control intervals.
pub(crate) fn inventory(dice: &mut Dice) -> Inventory<'static> {
    let trouble = dice.chance(40);
    let (mut histories, mut all, mut points) = (Vec::new(), Vec::new(), Vec::new());
    let count = 1 + dice.below(3);
    let (mut first, mut cut_from) = (0, None);
    let mut log_end = 0;
    for number in 1..=count {
        let name = number.to_string();
        let current = number == count;
        let end = first + 0x4000 + dice.below(0xA000);
        let end = end | 1;
        let (parent, cut) = match cut_from {
            None => (None, None),
            Some((parent, cut)) => (Some(parent), Some(Rba(cut))),
        };
        histories.push(History { id: name.clone(), parent, cut });
        let archived = current && dice.chance(20);
        let log_end_here = if current { end.div_ceil(CI) * CI + u64::from(archived) * 0x77 } else { end };
        logs(dice, &name, (first, log_end_here), current, trouble, &mut all);
        log_end = if archived { log_end_here } else { log_end_here - dice.below(0x100) };
        for _ in 0..dice.below(5) {
            points.push(point(dice, points.len() as u64, &name, (first, end), trouble));
        }
        let cut = first + 0x1000 + dice.below(end - first - 0x1000);
        cut_from = Some((name, cut));
        first = cut.div_ceil(CI) * CI;
    }
    // Nobody says in which order things come.
    for place in (1..all.len()).rev() {
        all.swap(place, dice.below(place as u64 + 1) as usize);
    }
    let names: Vec<String> = points.iter().map(|point| point.name.clone()).collect();
    let mut inventory = Inventory {
        version: 1,
        queue_manager: "QM1".parse().unwrap(),
        histories,
        logs: all,
        points,
        now: today(dice, log_end, trouble),
        holds: Vec::new(),
        in_progress: Vec::new(),
        holes: Vec::new(),
    };
    if let Some(point) = names.first().filter(|_| dice.chance(25)) {
        let until = dice.chance(50).then(|| Timestamp(now().0 + 1_000_000 * dice.below(5)));
        inventory.holds.push(Hold { point: point.clone(), reason: "test".to_owned(), until });
    }
    if dice.chance(30) {
        let kind = if dice.chance(50) { InProgressKind::Backup } else { InProgressKind::Recovery };
        let history = dice.chance(50).then(|| "1".to_owned());
        let rba = dice.between(0, log_end);
        inventory.in_progress.push(InProgress { kind, name: "B1".to_owned(), history, rba });
    }
    if trouble && dice.chance(40) {
        let start = dice.between(0, log_end / 2);
        let end = Rba(start.0 + dice.below(0x3000));
        inventory.holes.push(Hole { history: "1".to_owned(), start, end });
    }
    snap(dice, &mut inventory);
    inventory
}

/// Mistakes at the ends of data sets show where needs begin exactly there.
fn snap(dice: &mut Dice, inventory: &mut Inventory<'_>) {
    let ends: Vec<Rba> = inventory.logs.iter().flat_map(|log| [log.start, log.end]).collect();
    let mut snap = |rba: &mut Rba| {
        let end = ends[dice.below(ends.len() as u64) as usize];
        if dice.chance(25) && end < inventory.now.log_end {
            *rba = end;
        }
    };
    for point in &mut inventory.points {
        let parts = &mut point.system_recovery;
        let parts = [&mut parts.page_sets, &mut parts.structures, &mut parts.units];
        parts.into_iter().flatten().for_each(|part| snap(&mut part.rba));
    }
    inventory.now.page_sets.iter_mut().for_each(|set| snap(&mut set.recovery_rba));
    inventory.now.structures.iter_mut().filter_map(|found| found.rba.as_mut()).for_each(&mut snap);
    inventory.in_progress.iter_mut().for_each(|under_way| snap(&mut under_way.rba));
}

fn today(dice: &mut Dice, log_end: u64, trouble: bool) -> Now {
    let back = |dice: &mut Dice, reach: u64| Rba(log_end.saturating_sub(dice.below(reach)));
    let sets = [0, 1].into_iter().filter_map(PageSetId::new);
    let page_sets = sets
        .map(|psid| PageSetNow {
            psid,
            recovery_rba: back(dice, 0x2000),
            online: !dice.chance(15),
            created: dice.chance(40).then(|| Rba(dice.below(0x4000))),
            system_value: false,
        })
        .collect();
    let structures = (0..dice.below(3)).map(|number| StructureNow {
        name: format!("S{number}"),
        rba: (!(trouble && dice.chance(15))).then(|| back(dice, 0x6000)),
    });
    let structures = structures.collect();
    let units = (0..dice.below(3)).map(|number| UnitNow {
        urid: Rba(back(dice, 0x3000).0.saturating_sub(number)),
        state: "in-flight".to_owned(),
        shunted: dice.chance(20).then(|| back(dice, 0x4000)),
    });
    let units = units.collect();
    Now {
        log_end: Rba(log_end),
        checkpoints: (0..dice.below(9)).map(|_| back(dice, 0xC000)).collect(),
        page_sets,
        structures,
        units,
        at: Some(now()),
        history: None,
        rba_limit: None,
        rates: None,
    }
}

/// A policy of some parts.
pub(crate) fn policy(dice: &mut Dice) -> Policy {
    let mut policy = Policy::default();
    let some =
        |dice: &mut Dice, percent: u64, most: u64| dice.chance(percent).then(|| 1 + dice.below(most) as u32);
    policy.keep_last = some(dice, 60, 3);
    policy.daily = some(dice, 15, 3);
    policy.weekly = some(dice, 15, 2);
    policy.monthly = some(dice, 10, 2);
    policy.yearly = some(dice, 5, 2);
    policy.newer_than = some(dice, 15, 20).map(|days| Span::seconds(u64::from(days) * 86_400));
    policy.window = some(dice, 25, 20).map(|days| Span::seconds(u64::from(days) * 86_400));
    policy.consistent_only = policy.window.is_some() && dice.chance(60);
    policy.min_archives = some(dice, 15, 6);
    policy.margin = some(dice, 20, 4);
    policy.back_to_full = dice.chance(10);
    policy.copy2_shorter = dice.chance(25);
    policy
}
