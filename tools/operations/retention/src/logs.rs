//! The log data sets, sorted, and what log they hold between them.

use format_inventory::{Inventory, LogKind};
use format_types::{PointState, Rba, RbaRange};

use crate::InventoryError;
use crate::lines::Lines;

/// A log data set, as much of it as decides.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Row {
    /// Its log.
    pub(crate) range: RbaRange,
    /// Its bytes.
    pub(crate) bytes: u64,
    /// Its place in the inventory.
    pub(crate) log: u32,
    /// The place of its history.
    pub(crate) history: u16,
    /// Log copy.
    pub(crate) copy: u8,
    /// An active log.
    pub(crate) active: bool,
    /// The queue manager's inventory has it.
    pub(crate) registered: bool,
    /// The data set is there.
    pub(crate) present: bool,
    /// What is known of its content.
    pub(crate) state: PointState,
}

impl Row {
    /// Whether recovery can read it.
    fn is_valid(&self) -> bool {
        self.present && self.registered && self.state != PointState::Damaged
    }
}

/// The data sets by history and RBA, and the log in them.
#[derive(Debug)]
pub(crate) struct Logs {
    pub(crate) lines: Lines,
    /// By history, first RBA, copy.
    pub(crate) rows: Vec<Row>,
    /// Of each history: log that is in a verified data set of copy 1, in order.
    verified_copy1: Vec<Vec<RbaRange>>,
    /// Of each history: log that is in a valid data set of copy 1, in order.
    valid_copy1: Vec<Vec<RbaRange>>,
    /// Of each history: log that is in no valid data set, up to its end.
    pub(crate) missing: Vec<Vec<RbaRange>>,
    /// The same without what plans deleted.
    pub(crate) gaps: Vec<Vec<RbaRange>>,
}

/// How far data sets of copy 1 are looked for that have the log of one of copy 2.
const NEIGHBOURS: usize = 64;

/// Adds a range to ranges in order of their starts, joining those that touch.
fn join(ranges: &mut Vec<RbaRange>, range: RbaRange) {
    match ranges.last_mut() {
        Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
        _ => ranges.push(range),
    }
}

/// The first of `ranges`, in order, that ends after `at`.
fn after(ranges: &[RbaRange], at: Rba) -> usize {
    ranges.partition_point(|range| range.end <= at)
}

/// Whether one of `ranges` meets `range`.
pub(crate) fn meets(ranges: &[RbaRange], range: RbaRange) -> bool {
    ranges.get(after(ranges, range.start)).is_some_and(|found| found.start < range.end)
}

/// The parts of `ranges` inside `range`.
pub(crate) fn within(ranges: &[RbaRange], range: RbaRange) -> impl Iterator<Item = RbaRange> {
    let found = ranges.iter().skip(after(ranges, range.start));
    found
        .take_while(move |found| found.start < range.end)
        .map(move |found| RbaRange::new(found.start.max(range.start), found.end.min(range.end)))
}

/// What is in `whole` and not in `ranges`.
fn without(whole: RbaRange, ranges: &[RbaRange]) -> Vec<RbaRange> {
    let mut at = whole.start;
    let mut rest = Vec::new();
    for range in within(ranges, whole) {
        if range.start > at {
            rest.push(RbaRange::new(at, range.start));
        }
        at = at.max(range.end);
    }
    if at < whole.end {
        rest.push(RbaRange::new(at, whole.end));
    }
    rest
}

impl Logs {
    pub(crate) fn new(inventory: &Inventory<'_>) -> Result<Self, InventoryError> {
        let lines = Lines::new(inventory)?;
        let rows = rows(inventory, &lines)?;
        let histories = lines.count();
        let mut covered = vec![Vec::new(); histories];
        let mut verified_copy1 = covered.clone();
        let mut valid_copy1 = covered.clone();
        let mut ends = lines.first.clone();
        for row in &rows {
            let history = usize::from(row.history);
            ends[history] = ends[history].max(row.range.end);
            if row.is_valid() {
                join(&mut covered[history], row.range);
                if row.copy == 1 {
                    join(&mut valid_copy1[history], row.range);
                    if row.state == PointState::Verified {
                        join(&mut verified_copy1[history], row.range);
                    }
                }
            }
        }
        let current = lines.current;
        let listed = ends[current];
        let lists_active = rows.iter().any(|row| row.active && usize::from(row.history) == current);
        if !lists_active && listed < inventory.now.log_end {
            // Inventories of archives alone: what is not archived yet is in the active log.
            join(&mut covered[current], RbaRange::new(listed, inventory.now.log_end));
        }
        ends[current] = inventory.now.log_end;
        for (history, end) in ends.iter_mut().enumerate() {
            *end = lines.cuts_in(history).fold(*end, Rba::max);
        }
        let missing: Vec<_> = (0..histories)
            .map(|history| without(RbaRange::new(lines.first[history], ends[history]), &covered[history]))
            .collect();
        let mut holes = vec![Vec::new(); histories];
        let mut recorded: Vec<_> = inventory.holes.iter().collect();
        recorded.sort_by_key(|hole| hole.start);
        for hole in recorded {
            let range = RbaRange::new(hole.start, hole.end.plus(1));
            join(&mut holes[lines.place(&hole.history)?], range);
        }
        let gaps = missing
            .iter()
            .zip(&holes)
            .map(|(missing, holes)| missing.iter().flat_map(|range| without(*range, holes)).collect())
            .collect();
        Ok(Self { lines, rows, verified_copy1, valid_copy1, missing, gaps })
    }

    /// Whether copy 1 has all of `row` in data sets that are there and verified.
    pub(crate) fn is_verified_in_copy1(&self, row: &Row) -> bool {
        holds(&self.verified_copy1[usize::from(row.history)], row.range)
    }

    /// Whether copy 1 has all of `row` in data sets that are there and not known to be damaged.
    pub(crate) fn is_in_copy1(&self, row: &Row) -> bool {
        holds(&self.valid_copy1[usize::from(row.history)], row.range)
    }

    /// The rows of copy 1 with log of `row` that are there and not verified.
    pub(crate) fn unverified_in_copy1(&self, row: &Row) -> Vec<usize> {
        let place = |row: &Row| (row.history, row.range.start);
        let behind = self.rows.partition_point(|other| place(other) < (row.history, row.range.end));
        let before = self.rows.iter().enumerate().take(behind).rev().take(NEIGHBOURS);
        let of_copy1 = before.filter(|(_, other)| other.copy == 1 && other.history == row.history);
        of_copy1
            .filter(|(_, other)| other.range.meets(&row.range) && other.is_valid())
            .filter(|(_, other)| other.state != PointState::Verified)
            .map(|(place, _)| place)
            .collect()
    }
}

/// Whether one of `ranges` holds all of `range`.
fn holds(ranges: &[RbaRange], range: RbaRange) -> bool {
    ranges
        .get(after(ranges, range.start))
        .is_some_and(|found| found.start <= range.start && range.end <= found.end)
}

fn rows(inventory: &Inventory<'_>, lines: &Lines) -> Result<Vec<Row>, InventoryError> {
    let mut rows = Vec::with_capacity(inventory.logs.len());
    // Neighbours are nearly always of the same history.
    let (mut last, mut place) = ("", lines.count());
    for (index, log) in inventory.logs.iter().enumerate() {
        if place == lines.count() || log.history != last {
            place = lines.place(&log.history)?;
            last = &log.history;
        }
        rows.push(Row {
            range: log.range(),
            bytes: log.bytes,
            log: u32::try_from(index).map_err(|_| InventoryError::TooLong)?,
            history: u16::try_from(place).map_err(|_| InventoryError::TooLong)?,
            copy: log.copy,
            active: log.kind == LogKind::Active,
            registered: log.registered,
            present: log.present,
            state: log.state,
        });
    }
    // Stable: inventories come in order, or as a few runs in order.
    rows.sort_by_key(|row| (row.history, row.range.start, row.copy));
    Ok(rows)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn range(start: u64, end: u64) -> RbaRange {
        RbaRange::new(Rba(start), Rba(end))
    }

    #[test]
    fn ranges_are_joined_met_and_subtracted() {
        let mut ranges = Vec::new();
        for (start, end) in [(0, 4), (4, 8), (6, 7), (10, 12)] {
            join(&mut ranges, range(start, end));
        }
        assert_eq!(ranges, [range(0, 8), range(10, 12)]);
        assert!(
            meets(&ranges, range(7, 9)) && !meets(&ranges, range(8, 10)) && !meets(&ranges, range(12, 20))
        );
        assert!(holds(&ranges, range(1, 8)) && !holds(&ranges, range(7, 11)));
        assert_eq!(without(range(2, 14), &ranges), [range(8, 10), range(12, 14)]);
        assert_eq!(within(&ranges, range(7, 11)).collect::<Vec<_>>(), [range(7, 8), range(10, 11)]);
    }
}
