//! Holes in what a log map lists.

use std::collections::BTreeSet;

use format_listing::{ActiveLog, ActiveStatus, ArchiveVolume, LogMap, LogRow};
use format_types::{Rba, RbaRange};

/// Log that a copy has in no data set, though it has log before and behind it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Hole {
    pub(crate) copy: u8,
    pub(crate) range: RbaRange,
}

/// What the data sets of each copy hold, active and archive. An active log that may be used again has its archive.
fn ranges(map: &LogMap, index: usize) -> Vec<RbaRange> {
    let actives = map.active.get(index).into_iter().flatten();
    let actives =
        actives.filter(|log| !log.status.contains(&ActiveStatus::Reusable)).map(|log| log.row.range());
    let archives = map.archives.get(index).into_iter().flatten().map(|volume| volume.row.range());
    let mut ranges: Vec<RbaRange> = actives.chain(archives).filter(|range| !range.is_empty()).collect();
    ranges.sort_by_key(|range| (range.start, range.end));
    ranges
}

/// The holes of both copies. A copy that begins above the other one lacks what is below, and one that ends before `end` what is behind.
/// A site
/// may write archives, or active logs, in one copy alone: a copy that has none of a kind, where TWOARCH
/// or TWOACTV does not say that it must, lacks none.
pub(crate) fn holes(map: &LogMap, end: Rba) -> Vec<Hole> {
    let copies = [ranges(map, 0), ranges(map, 1)];
    let lowest = copies.iter().filter_map(|ranges| ranges.first()).map(|range| range.start).min();
    let archived = map.archives.iter().flatten().map(|volume| volume.row.range().end).max();
    let says = |name: &str| map.header.parameters.iter().any(|(parameter, yes)| parameter == name && *yes);
    let (two_archives, two_actives) = (says("TWOARCH"), says("TWOACTV"));
    let mut holes = Vec::new();
    let of_copies = copies.iter().zip(&map.active).zip(&map.archives);
    for (copy, ((ranges, active), archives)) in (1..).zip(of_copies) {
        let begin = if archives.is_empty() && !two_archives {
            ranges.first().map(|range| range.start)
        } else {
            lowest
        };
        let end = if active.is_empty() && !two_actives { archived.unwrap_or(end) } else { end };
        let Some(mut at) = begin.filter(|_| !ranges.is_empty()) else { continue };
        for range in ranges {
            if range.start > at {
                holes.push(Hole { copy, range: RbaRange::new(at, range.start) });
            }
            at = at.max(range.end);
        }
        if at < end {
            holes.push(Hole { copy, range: RbaRange::new(at, end) });
        }
    }
    holes
}

/// A data set whose log cannot be: an archive without any, or ends that are not those of control intervals.
pub(crate) fn impossible(map: &LogMap) -> Option<&LogRow> {
    let odd = |row: &&LogRow| {
        let range = row.range();
        range.start.ci_start() != range.start || range.end.ci_start() != range.end
    };
    let mut archives = map.archives.iter().flatten().map(|volume| &volume.row);
    let mut actives = map.active.iter().flatten().map(|log| &log.row);
    archives.find(|row| row.range().is_empty() || odd(row)).or_else(|| actives.find(odd))
}

/// A data set that is listed for both copies, or as an active log and as an archive: each holds one copy of one stretch of log.
pub(crate) fn twice(map: &LogMap) -> Option<&str> {
    let [active_1, active_2] = &map.active;
    let [archives_1, archives_2] = &map.archives;
    let mut lists = [active_names(active_1), active_names(active_2), names(archives_1), names(archives_2)];
    // Names of one series differ behind the last point. Copies that have no series in common have no name in common.
    let mut known: BTreeSet<&str> = BTreeSet::new();
    let apart = lists.iter().all(|list| {
        let own = series(list);
        let apart = own.is_disjoint(&known);
        known.extend(own);
        apart
    });
    if apart {
        return None;
    }
    for list in &mut lists {
        list.sort_unstable();
        // Of an archive there is a row for each volume.
        list.dedup();
    }
    let mut all = lists.concat();
    all.sort_unstable();
    all.windows(2).find_map(|pair| match pair {
        [one, other] if one == other => Some(*one),
        _ => None,
    })
}

fn active_names(logs: &[ActiveLog]) -> Vec<&str> {
    logs.iter().map(|log| log.row.data_set.as_str()).collect()
}

fn names(volumes: &[ArchiveVolume]) -> Vec<&str> {
    volumes.iter().map(|volume| volume.row.data_set.as_str()).collect()
}

/// The names without what stands behind their last point.
fn series<'n>(names: &[&'n str]) -> BTreeSet<&'n str> {
    let mut found = BTreeSet::new();
    let mut last = None;
    for name in names {
        let series = name.rsplit_once('.').map_or("", |(series, _)| series);
        if last.replace(series) != Some(series) {
            found.insert(series);
        }
    }
    found
}

/// Two archives of a copy that hold partly the same log: their names, for a message.
pub(crate) fn overlap(map: &LogMap) -> Option<[&str; 2]> {
    map.archives.iter().find_map(|volumes| {
        let mut rows: Vec<_> = volumes.iter().map(|volume| &volume.row).collect();
        rows.sort_by_key(|row| (row.start, row.last));
        let pairs = rows.windows(2).filter_map(|pair| <&[_; 2]>::try_from(pair).ok());
        let mut wrong = pairs.filter(|[a, b]| b.start <= a.last && (a.start, a.last) != (b.start, b.last));
        wrong.next().map(|[a, b]| [a.data_set.as_str(), b.data_set.as_str()])
    })
}
