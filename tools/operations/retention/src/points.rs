//! Recovery points, as selection and needs look at them.

use format_inventory::{Inventory, Point};
use format_types::{PageSetId, PointMethod, PointState, Rba, RbaRange, Timestamp};
use jiff::civil::Date;

use crate::InventoryError;
use crate::logs::{Logs, meets};
use crate::planted::{self, Defect};

/// A set of page sets.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct PageSets(u128);

impl PageSets {
    pub(crate) fn insert(&mut self, page_set: PageSetId) {
        self.0 |= 1 << page_set.number();
    }

    pub(crate) fn contains(self, page_set: PageSetId) -> bool {
        self.0 & 1 << page_set.number() != 0
    }

    pub(crate) const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    pub(crate) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The numbers of the page sets in it, 0 to 99.
    pub(crate) fn numbers(self) -> impl Iterator<Item = usize> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let number = rest.trailing_zeros();
            rest &= rest.wrapping_sub(1);
            (number < 128).then_some(number as usize)
        })
    }

    /// The page sets of today.
    pub(crate) fn today(inventory: &Inventory<'_>) -> Self {
        let mut sets = Self::default();
        inventory.now.page_sets.iter().for_each(|set| sets.insert(set.psid));
        sets
    }
}

/// The calendar's periods that a time lies in, UTC: day, week, month, year.
pub(crate) type Periods = [i32; 4];

/// Days, weeks from Monday, months and years, counted so that later ones are higher.
pub(crate) fn periods(at: Timestamp) -> Periods {
    let days = i32::try_from(at.0 / 86_400_000_000).unwrap_or(i32::MAX);
    let epoch = Date::constant(1970, 1, 1);
    let date = epoch.saturating_add(jiff::Span::new().try_days(days).unwrap_or_default());
    let year = i32::from(date.year());
    // 1970-01-01 was a Thursday.
    [days, (days.saturating_add(3)) / 7, year * 12 + i32::from(date.month()), year]
}

/// A recovery point.
#[derive(Debug, Clone)]
pub(crate) struct PointView {
    /// Its place in the inventory.
    pub(crate) place: usize,
    /// The history of its RBAs.
    pub(crate) history: usize,
    /// When it was made.
    pub(crate) at: Timestamp,
    /// Its periods of the calendar.
    pub(crate) periods: Periods,
    /// The page sets in it.
    pub(crate) page_sets: PageSets,
    /// Whether it lies on the line that is written.
    pub(crate) on_line: bool,
    /// Every page of it verified.
    pub(crate) verified: bool,
    /// It counts for nothing.
    pub(crate) damaged: bool,
    /// Made at rest.
    pub(crate) full: bool,
    /// Its page sets need the log from here on.
    pub(crate) page_sets_from: Rba,
    /// Its units of recovery need the log from here on.
    pub(crate) units_from: Option<Rba>,
    /// Structures needed the log from here on when it was made.
    pub(crate) structures_from: Option<Rba>,
    /// One past the last RBA of its copies.
    pub(crate) end: Rba,
    /// All log to the end of its line is there.
    pub(crate) whole_line: bool,
    /// All log to the end of its copies is there.
    pub(crate) whole_copy: bool,
    /// It lacks log to the end of its line, and plans deleted it: nothing brings it back.
    pub(crate) lost_line: bool,
    /// It lacks log to the end of its copies, and plans deleted it.
    pub(crate) lost_copy: bool,
    /// The hold on it, if there is one.
    pub(crate) hold: Option<usize>,
}

impl PointView {
    /// Log from here on is needed to recover it.
    pub(crate) fn needed_from(&self) -> Rba {
        self.units_from.map_or(self.page_sets_from, |units| units.min(self.page_sets_from))
    }

    /// Log from here on is kept for it: the system recovery RBA recorded when it was made.
    pub(crate) fn kept_from(&self) -> Rba {
        self.structures_from.map_or(self.needed_from(), |from| from.min(self.needed_from()))
    }

    /// Whether a recovery to the end of the log that is written can begin with it.
    pub(crate) fn is_sound(&self) -> bool {
        self.verified && self.whole_line && self.on_line
    }
}

/// The lowest recovery RBA of the page sets today.
pub(crate) fn page_sets_today(inventory: &Inventory<'_>) -> Rba {
    inventory.now.page_sets.iter().map(|set| set.recovery_rba).min().unwrap_or(inventory.now.log_end)
}

/// The oldest unit of recovery today.
pub(crate) fn units_today(inventory: &Inventory<'_>) -> Option<Rba> {
    inventory.now.units.iter().map(format_inventory::UnitNow::from).min()
}

/// What structures need today; a structure that was never backed up needs all log.
pub(crate) fn structures_today(inventory: &Inventory<'_>) -> Option<Rba> {
    inventory.now.structures.iter().map(|structure| structure.rba.unwrap_or(Rba::ZERO)).min()
}

fn view(
    place: usize,
    point: &Point,
    inventory: &Inventory<'_>,
    logs: &Logs,
    at: Timestamp,
) -> Result<PointView, InventoryError> {
    let history = logs.lines.place(&point.history)?;
    let mut page_sets = PageSets::default();
    point.page_sets.iter().for_each(|set| page_sets.insert(set.psid));
    let parts = &point.system_recovery;
    let copies = point.page_sets.iter().map(|set| set.recovery_rba).min();
    let recorded = parts.page_sets.as_ref().map(|part| part.rba);
    let mut page_sets_from = copies.into_iter().chain(recorded).min().unwrap_or(point.start);
    let mut units_from = parts.units.as_ref().map(|part| part.rba);
    let mut structures_from = parts.structures.as_ref().map(|part| part.rba);
    if planted::active(Defect::TodaysValueUsed) {
        page_sets_from = page_sets_today(inventory);
        units_from = units_today(inventory);
        structures_from = structures_today(inventory);
    }
    if planted::active(Defect::StructurePartDropped) {
        structures_from = None;
    }
    let end = point.end.plus(1);
    let mut view = PointView {
        place,
        history,
        at: point.at,
        periods: periods(point.at),
        page_sets,
        on_line: logs.lines.is_on(logs.lines.current, history, end),
        verified: point.state == PointState::Verified,
        damaged: point.state == PointState::Damaged,
        full: point.method == PointMethod::Full,
        page_sets_from,
        units_from,
        structures_from,
        end,
        whole_line: true,
        whole_copy: true,
        lost_line: false,
        lost_copy: false,
        hold: inventory
            .holds
            .iter()
            .position(|hold| hold.point == point.name && hold.until.is_none_or(|until| at < until)),
    };
    let line = view.line(logs);
    let lacks = |end: Rba, ranges: &[Vec<RbaRange>]| {
        let needed = RbaRange::new(view.needed_from(), end);
        logs.lines.pieces(line, needed).any(|piece| meets(&ranges[piece.history], piece.range))
    };
    let (whole_line, whole_copy) = (!lacks(Rba::MAX, &logs.missing), !lacks(end, &logs.missing));
    let lost =
        [(whole_line, Rba::MAX), (whole_copy, end)].map(|(whole, end)| !whole && !lacks(end, &logs.gaps));
    (view.whole_line, view.whole_copy) = (whole_line, whole_copy);
    [view.lost_line, view.lost_copy] = lost;
    Ok(view)
}

impl PointView {
    /// The line that it is recovered along: the one that is written where it lies on it, else its own.
    pub(crate) fn line(&self, logs: &Logs) -> usize {
        if self.on_line { logs.lines.current } else { self.history }
    }
}

/// All points, newest first.
pub(crate) fn views(
    inventory: &Inventory<'_>,
    logs: &Logs,
    at: Timestamp,
) -> Result<Vec<PointView>, InventoryError> {
    let points = inventory.points.iter().enumerate();
    let mut views: Vec<PointView> =
        points.map(|(place, point)| view(place, point, inventory, logs, at)).collect::<Result<_, _>>()?;
    views.sort_by_key(|view| {
        let point = &inventory.points[view.place];
        std::cmp::Reverse((view.at, point.start, view.place))
    });
    Ok(views)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn periods_follow_the_calendar() {
        let at = |text: &str| periods(format_inventory::parse_time(text).unwrap());
        let (sunday, monday) = (at("2026-11-22T23:59:59Z"), at("2026-11-23T00:00:00Z"));
        assert_eq!((monday[0] - sunday[0], monday[1] - sunday[1], monday[2] - sunday[2]), (1, 1, 0));
        let (old, new) = (at("2026-12-31T23:59:59Z"), at("2027-01-01T00:00:00Z"));
        assert_eq!((new[1] - old[1], new[2] - old[2], new[3] - old[3]), (0, 1, 1));
    }

    #[test]
    fn page_sets_are_a_set() {
        let mut sets = PageSets::default();
        for number in [0, 3, 99] {
            sets.insert(PageSetId::new(number).unwrap());
        }
        assert_eq!(sets.numbers().collect::<Vec<_>>(), [0, 3, 99]);
        assert!(sets.contains(PageSetId::new(99).unwrap()) && !sets.contains(PageSetId::new(1).unwrap()));
        assert!(PageSets::default().is_empty() && sets.and(sets) == sets);
    }
}
