//! The rule once more, byte by byte and from names alone: slow, and written without a look at the library.

use std::collections::{BTreeMap, BTreeSet};

use format_inventory::{Inventory, LogDataSet, LogKind, Point};
use format_types::{PageSetId, PointMethod, PointState, Rba, Timestamp};
use jiff::tz::TimeZone;
use operation_retention::Policy;

pub(crate) struct Reference<'a> {
    inventory: &'a Inventory<'a>,
    policy: &'a Policy,
    at: Timestamp,
    /// Bytes at which anything can change.
    bytes: BTreeSet<u64>,
}

/// A point that is kept.
#[derive(Clone, Copy)]
struct Kept<'a> {
    point: &'a Point,
    /// Recovers to the end of its copies only.
    short: bool,
}

impl<'a> Reference<'a> {
    pub(crate) fn new(inventory: &'a Inventory<'a>, policy: &'a Policy, at: Timestamp) -> Self {
        let mut bytes = BTreeSet::new();
        let mut add = |rba: Rba| bytes.extend([rba.0.saturating_sub(1), rba.0, rba.0 + 1]);
        inventory.logs.iter().for_each(|log| [log.start, log.end].map(&mut add).into_iter().collect());
        for point in &inventory.points {
            let _ = [point.start, point.end].map(&mut add);
            point.page_sets.iter().for_each(|set| add(set.recovery_rba));
            let parts = &point.system_recovery;
            let parts = [&parts.page_sets, &parts.structures, &parts.units];
            parts.into_iter().flatten().for_each(|part| add(part.rba));
        }
        for history in &inventory.histories {
            if let Some(cut) = history.cut {
                add(cut);
                add(Rba(cut.0.div_ceil(4096) * 4096));
            }
        }
        inventory.holes.iter().for_each(|hole| [hole.start, hole.end].map(&mut add).into_iter().collect());
        add(inventory.now.log_end);
        Self { inventory, policy, at, bytes }
    }

    fn current(&self) -> &'a str {
        &self.inventory.histories.last().unwrap().id
    }

    /// Whether byte `rba` of `history` belongs to the line that ends in `line`.
    fn on(&self, line: &str, history: &str, rba: u64) -> bool {
        let entry = self.inventory.histories.iter().find(|entry| entry.id == line).unwrap();
        let first = entry.cut.map_or(0, |cut| cut.0.div_ceil(4096) * 4096);
        if line == history {
            return rba >= first;
        }
        match (&entry.parent, entry.cut) {
            (Some(parent), Some(cut)) => rba < cut.0 && self.on(parent, history, rba),
            _ => false,
        }
    }

    fn line(&self, point: &'a Point) -> &'a str {
        if self.on(self.current(), &point.history, point.end.0) || self.ends_at_cut(point) {
            self.current()
        } else {
            &point.history
        }
    }

    /// A point may lie in the control interval that its history begins with.
    fn ends_at_cut(&self, point: &Point) -> bool {
        point.history == self.current()
    }

    fn is_valid(log: &LogDataSet<'_>) -> bool {
        log.present && log.registered && log.state != PointState::Damaged
    }

    fn has(&self, history: &str, rba: u64) -> bool {
        let mut logs = self.inventory.logs.iter().filter(|log| log.history == history);
        logs.any(|log| Self::is_valid(log) && log.start.0 <= rba && rba <= log.end.0)
    }

    /// The last byte of `history` that a line may need.
    fn last(&self, history: &str) -> u64 {
        let cuts = self.inventory.histories.iter().filter(|entry| entry.parent.as_deref() == Some(history));
        let listed = self.inventory.logs.iter().filter(|log| log.history == history).map(|log| log.end.0 + 1);
        let end = if history == self.current() { Some(self.inventory.now.log_end.0) } else { listed.max() };
        cuts.filter_map(|entry| entry.cut.map(|cut| cut.0)).chain(end).max().unwrap_or(0)
    }

    /// The bytes from `from` to `to` of a line that are in no data set: history and RBA.
    fn missing(&self, line: &str, from: u64, to: u64) -> Vec<(&'a str, u64)> {
        let mut missing = Vec::new();
        for history in &self.inventory.histories {
            let last = self.last(&history.id);
            for &rba in self.bytes.iter().filter(|rba| (from..=to).contains(*rba) && **rba < last) {
                if self.on(line, &history.id, rba) && !self.has(&history.id, rba) {
                    missing.push((history.id.as_str(), rba));
                }
            }
        }
        missing
    }

    fn is_lost(&self, missing: &[(&str, u64)]) -> bool {
        let in_hole = |(history, rba): &(&str, u64)| {
            let mut holes = self.inventory.holes.iter();
            holes.any(|hole| hole.history == *history && hole.start.0 <= *rba && *rba <= hole.end.0)
        };
        !missing.is_empty() && missing.iter().all(in_hole)
    }

    fn needed_from(point: &Point) -> u64 {
        let parts = &point.system_recovery;
        let parts = [&parts.page_sets, &parts.units].into_iter().flatten().map(|part| part.rba.0);
        parts.chain(point.page_sets.iter().map(|set| set.recovery_rba.0)).min().unwrap_or(point.start.0)
    }

    fn kept_from(point: &Point) -> u64 {
        let structures = point.system_recovery.structures.as_ref().map(|part| part.rba.0);
        structures.into_iter().chain([Self::needed_from(point)]).min().unwrap()
    }

    fn missing_of(&self, point: &'a Point, short: bool) -> Vec<(&'a str, u64)> {
        let to = if short { point.end.0 } else { u64::MAX };
        self.missing(self.line(point), Self::needed_from(point), to)
    }

    fn is_sound(&self, point: &'a Point, short: bool) -> bool {
        point.state == PointState::Verified
            && self.line(point) == self.current()
            && self.missing_of(point, short).is_empty()
    }

    fn order(&self, point: &Point) -> (u64, u64, usize) {
        let place = self.inventory.points.iter().position(|other| other.name == point.name).unwrap();
        (point.at.0, point.start.0, place)
    }

    fn newer(&self, point: &Point) -> Vec<&'a Point> {
        let order = self.order(point);
        self.inventory.points.iter().filter(|other| self.order(other) > order).collect()
    }

    fn in_window(&self, point: &Point) -> bool {
        self.policy.window.is_some_and(|window| point.at.0 + window.micros > self.at.0)
    }

    fn today(&self) -> Vec<PageSetId> {
        self.inventory.now.page_sets.iter().map(|set| set.psid).collect()
    }

    fn covers(point: &Point, psid: PageSetId) -> bool {
        point.page_sets.iter().any(|set| set.psid == psid)
    }

    /// Whether the window's recovery begins with it.
    fn is_base(&self, point: &'a Point) -> bool {
        let missing = self.missing_of(point, false);
        let fit = point.state != PointState::Damaged
            && self.line(point) == self.current()
            && !self.is_lost(&missing)
            && self.policy.window.is_some()
            && !self.in_window(point);
        let newer = self.newer(point);
        fit && self.today().into_iter().any(|psid| {
            Self::covers(point, psid)
                && !newer.iter().any(|other| {
                    !self.in_window(other) && self.is_sound(other, false) && Self::covers(other, psid)
                })
        })
    }

    fn is_short(&self, point: &'a Point) -> bool {
        self.policy.consistent_only && !self.in_window(point) && !self.is_base(point)
    }

    /// Plans deleted log behind its copies, and none of what they need.
    fn is_island(&self, point: &'a Point) -> bool {
        self.is_lost(&self.missing_of(point, false)) && self.missing_of(point, true).is_empty()
    }

    fn period(at: Timestamp, kind: usize) -> (i32, i32, i32) {
        let time = jiff::Timestamp::from_microsecond(at.0 as i64).unwrap().to_zoned(TimeZone::UTC);
        let (year, month, day) = (i32::from(time.year()), i32::from(time.month()), i32::from(time.day()));
        let week = time.date().iso_week_date();
        match kind {
            0 => (year, month, day),
            1 => (i32::from(week.year()), i32::from(week.week()), 0),
            2 => (year, month, 0),
            _ => (year, 0, 0),
        }
    }

    fn chosen(&self, point: &'a Point) -> bool {
        let policy = self.policy;
        let short = self.is_short(point);
        let lost = self.is_lost(&self.missing_of(point, short)) && (short || !self.is_island(point));
        if point.state == PointState::Damaged || lost {
            return false;
        }
        let newer: Vec<_> = self
            .newer(point)
            .into_iter()
            .filter(|other| self.is_sound(other, self.is_short(other)))
            .collect();
        let fewer = |count: Option<u32>, wanted: &dyn Fn(&Point) -> bool| {
            count.is_some_and(|count| {
                self.today().into_iter().filter(|psid| Self::covers(point, *psid)).any(|psid| {
                    let counted = newer.iter().filter(|other| Self::covers(other, psid) && wanted(other));
                    counted.count() < count as usize
                })
            })
        };
        let by_period = [policy.daily, policy.weekly, policy.monthly, policy.yearly];
        let mut by_period = by_period.into_iter().enumerate();
        let all = policy.keep_last.is_none()
            && policy.newer_than.is_none()
            && policy.window.is_none()
            && !policy.back_to_full
            && by_period.clone().all(|(_, count)| count.is_none());
        all || fewer(policy.keep_last, &|_| true)
            || fewer(policy.back_to_full.then_some(1), &|other| other.method == PointMethod::Full)
            || policy.newer_than.is_some_and(|span| point.at.0 + span.micros > self.at.0)
            || self.in_window(point)
            || self.is_base(point)
            || by_period.any(|(kind, count)| {
                let taken: BTreeSet<_> = newer.iter().map(|other| Self::period(other.at, kind)).collect();
                let own = Self::period(point.at, kind);
                count.is_some_and(|count| taken.len() < count as usize && !taken.contains(&own))
            })
    }

    fn is_held(&self, point: &Point) -> bool {
        let mut holds = self.inventory.holds.iter().filter(|hold| hold.point == point.name);
        holds.any(|hold| hold.until.is_none_or(|until| self.at < until))
    }

    fn kept(&self) -> Vec<Kept<'a>> {
        let points = self.inventory.points.iter();
        let kept = points.filter(|point| self.chosen(point) || self.is_held(point));
        kept.map(|point| Kept { point, short: self.is_short(point) || self.is_island(point) }).collect()
    }

    /// The starting place of a margin before `rba`; zero when nobody knows.
    fn margin(&self, rba: u64) -> u64 {
        let Some(count) = self.policy.margin.filter(|count| *count > 0) else { return rba };
        let known: BTreeSet<u64> = self.inventory.now.checkpoints.iter().map(|begin| begin.0).collect();
        let before: Vec<u64> = known.into_iter().filter(|begin| *begin <= rba).rev().collect();
        before.get(count as usize - 1).copied().unwrap_or(0).min(rba)
    }

    /// What is held of points: line, first and last byte.
    fn of_points(&self) -> Vec<(&'a str, u64, u64)> {
        let kept = self.kept();
        let ranges = kept.iter().map(|kept| {
            let to = if kept.short { kept.point.end.0 } else { u64::MAX };
            (self.line(kept.point), self.margin(Self::kept_from(kept.point)), to)
        });
        ranges.collect()
    }

    /// What else is held: line, first byte; none means everything.
    fn of_today(&self) -> Option<Vec<(&'a str, u64)>> {
        let (now, current) = (&self.inventory.now, self.current());
        let kept = self.kept();
        let sound: Vec<_> =
            kept.iter().filter(|kept| !kept.short && self.is_sound(kept.point, false)).collect();
        let full = kept.iter().filter(|kept| kept.point.method == PointMethod::Full).any(|kept| {
            let to_copy = kept.short && self.policy.consistent_only;
            self.is_sound(kept.point, to_copy)
        });
        if self.policy.is_empty() || sound.is_empty() || self.policy.back_to_full && !full {
            return None;
        }
        let mut held = Vec::new();
        for set in &now.page_sets {
            held.push((current, set.recovery_rba.0));
            if !sound.iter().any(|kept| Self::covers(kept.point, set.psid)) {
                held.push((current, set.created.map_or(0, |rba| rba.0)));
            }
        }
        held.extend(now.units.iter().map(|unit| (current, unit.urid.0)));
        held.extend(now.units.iter().filter_map(|unit| Some((current, unit.shunted?.0))));
        held.extend(now.structures.iter().map(|found| (current, found.rba.map_or(0, |rba| rba.0))));
        let begins: BTreeSet<u64> = now.checkpoints.iter().map(|begin| begin.0).collect();
        let wanted = self.policy.margin.unwrap_or(0).max(2) as usize;
        held.extend(begins.into_iter().rev().take(wanted).map(|begin| (current, begin)));
        for under_way in &self.inventory.in_progress {
            let history = under_way.history.as_deref().unwrap_or(current);
            let near = self.on(current, history, under_way.rba.0);
            // Just below the first byte of the history that is written is of that history, too.
            let line = if near || history == current { current } else { history };
            let id = &self.inventory.histories.iter().find(|entry| entry.id == line).unwrap().id;
            held.push((id, under_way.rba.0));
        }
        Some(held)
    }

    fn is_verified_in_copy1(&self, log: &LogDataSet<'_>) -> bool {
        let mut bytes = self.bytes.range(log.start.0..=log.end.0);
        bytes.all(|rba| {
            self.inventory.logs.iter().any(|other| {
                other.copy == 1
                    && other.history == log.history
                    && Self::is_valid(other)
                    && other.state == PointState::Verified
                    && (other.start.0..=other.end.0).contains(rba)
            })
        })
    }

    /// The names of all archives that go.
    pub(crate) fn deleted(&self) -> BTreeSet<String> {
        let (points, today) = (self.of_points(), self.of_today());
        let mut deleted = BTreeSet::new();
        let Some(today) = today else { return deleted };
        let mut newest: BTreeMap<u8, Vec<(usize, u64, &LogDataSet<'_>)>> = BTreeMap::new();
        for log in &self.inventory.logs {
            if log.kind != LogKind::Archive || !log.registered || !log.present {
                continue;
            }
            let place = self.inventory.histories.iter().position(|entry| entry.id == log.history).unwrap();
            newest.entry(log.copy).or_default().push((place, log.start.0, log));
            let short = self.policy.copy2_shorter && log.copy == 2 && self.is_verified_in_copy1(log);
            let (from, to) = (log.start.0, log.end.0);
            let mut near: BTreeSet<u64> = self.bytes.range(from..=to).copied().collect();
            near.extend(today.iter().map(|(_, rba)| *rba).filter(|rba| (from..=to).contains(rba)));
            near.extend(points.iter().map(|(_, rba, _)| *rba).filter(|rba| (from..=to).contains(rba)));
            let held = near.iter().any(|rba| {
                let on = |line: &str| self.on(line, &log.history, *rba);
                today.iter().any(|(line, from)| rba >= from && on(line))
                    || !short && points.iter().any(|(line, from, to)| rba >= from && rba <= to && on(line))
            });
            if !held {
                deleted.insert(log.name.to_string());
            }
        }
        for logs in newest.values_mut() {
            logs.sort_by_key(|(place, start, _)| (*place, *start));
            for (_, _, log) in logs.iter().rev().take(self.policy.min_archives.unwrap_or(0) as usize) {
                deleted.remove(&*log.name);
            }
        }
        deleted
    }

    /// The places that a kept point needs and no data set has: line, history, RBA.
    // Each test file uses its part of the reference.
    #[allow(dead_code)]
    pub(crate) fn broken(&self) -> Vec<(String, String, u64)> {
        let kept = self.kept();
        let missing = kept.iter().flat_map(|kept| {
            let places = self.missing_of(kept.point, kept.short).into_iter();
            places.map(|(history, rba)| (kept.point.name.clone(), history.to_owned(), rba))
        });
        missing.collect()
    }
}
