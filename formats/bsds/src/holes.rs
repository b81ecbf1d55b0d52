//! Log that was deleted on purpose.

use format_types::{HistoryId, Rba, RbaRange};

use crate::{ArchiveLog, Bsds};

/// A stretch of log that was in archives which were deleted because nothing needed them any more.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hole {
    /// The history of the log.
    pub history: HistoryId,
    /// The stretch, whole control intervals.
    pub range: RbaRange,
}

impl Bsds {
    /// Drops the archives that `gone` picks and notes as holes what no other data set has: neither another archive, one that is being
    /// deleted included, nor an active log that is still to be archived. Gives the archives that were dropped.
    pub fn drop_archives(&mut self, mut gone: impl FnMut(&ArchiveLog) -> bool) -> Vec<ArchiveLog> {
        let (dropped, kept): (Vec<ArchiveLog>, Vec<ArchiveLog>) =
            std::mem::take(&mut self.archives).into_iter().partition(|archive| gone(archive));
        self.archives = kept;
        self.holes.extend(dropped.iter().map(|log| Hole { history: log.history, range: log.range }));
        self.fill_holes();
        dropped
    }

    /// Takes out of the holes what a data set has after all, and joins those that touch.
    pub fn fill_holes(&mut self) {
        let mut order: Vec<HistoryId> = self.histories.iter().map(|entry| entry.id).collect();
        for hole in &self.holes {
            if !order.contains(&hole.history) {
                order.push(hole.history);
            }
        }
        let mut holes = Vec::new();
        for history in order {
            let known = self.holes.iter().filter(|hole| hole.history == history).map(|hole| hole.range);
            let known = joined(known.collect());
            if known.is_empty() {
                continue;
            }
            let archived = self.archives.iter().filter(|log| log.history == history).map(|log| log.range);
            let active = self.active_logs.iter().filter(|log| log.history == history);
            let unarchived = active.filter(|log| !log.status.is_available()).filter_map(|log| log.range);
            let left = without(known, &joined(archived.chain(unarchived).collect()));
            holes.extend(left.into_iter().map(|range| Hole { history, range }));
        }
        self.holes = holes;
    }

    /// What of `range` of the log of `history` was deleted on purpose.
    pub fn holes_in(&self, history: HistoryId, range: RbaRange) -> impl Iterator<Item = RbaRange> {
        self.holes
            .iter()
            .filter(move |hole| hole.history == history && hole.range.meets(&range))
            .map(move |hole| RbaRange::new(hole.range.start.max(range.start), hole.range.end.min(range.end)))
    }
}

/// The same bytes in as few ranges as possible, in their order.
fn joined(mut ranges: Vec<RbaRange>) -> Vec<RbaRange> {
    ranges.retain(|range| !range.is_empty());
    ranges.sort_unstable_by_key(|range| (range.start, range.end));
    let mut joined: Vec<RbaRange> = Vec::new();
    for range in ranges {
        match joined.last_mut() {
            Some(last) if range.start <= last.end => last.end = last.end.max(range.end),
            _ => joined.push(range),
        }
    }
    joined
}

/// `ranges` without `others`; both joined.
fn without(ranges: Vec<RbaRange>, others: &[RbaRange]) -> Vec<RbaRange> {
    let mut left = Vec::new();
    for range in ranges {
        let mut at: Rba = range.start;
        let first = others.partition_point(|other| other.end <= at);
        for other in others.iter().skip(first).take_while(|other| other.start < range.end) {
            if at < other.start {
                left.push(RbaRange::new(at, other.start));
            }
            at = at.max(other.end);
        }
        if at < range.end {
            left.push(RbaRange::new(at, range.end));
        }
    }
    left
}

#[cfg(test)]
#[path = "holes_tests.rs"]
mod tests;
