//! The line of a log history: it with its ancestors, each up to the cut where its child began.
//!
//! The same RBA in two histories is two places. Of all the log that an inventory names, only what is on the line of the current
//! history is this queue manager's past; the tail that a cut abandoned is kept, and read by nobody who asks for the line.

use format_types::{HistoryId, LogHistory, Rba, RbaRange};

use crate::Bsds;

/// What a history contributes to a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LinePart {
    /// The history.
    pub history: HistoryId,
    /// First RBA written in it.
    pub first: Rba,
    /// Records at or above this are not on the line; [`Rba::MAX`] for the youngest history.
    pub cut: Rba,
    /// First RBA of the next part: the cut rounded up to a control interval; [`Rba::MAX`] for the youngest history.
    pub until: Rba,
}

impl LinePart {
    /// Control intervals of the history that hold records of the line; the last one may hold others behind the cut.
    #[must_use]
    pub const fn range(&self) -> RbaRange {
        RbaRange::new(self.first, self.until)
    }
}

/// A history with its ancestors up to their cuts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// Oldest first; never empty.
    parts: Vec<LinePart>,
}

impl Line {
    /// The line of `history`. Of a history that is not in the list: an empty stretch at the start of the log.
    #[must_use]
    pub fn of(histories: &[LogHistory], history: HistoryId) -> Self {
        let mut parts = Vec::new();
        let (mut id, mut cut, mut until) = (history, Rba::MAX, Rba::MAX);
        // A chain without a loop is no longer than the list.
        for _ in 0..histories.len() {
            let Some(entry) = histories.iter().find(|entry| entry.id == id) else { break };
            parts.push(LinePart { history: id, first: entry.first, cut, until });
            let Some((parent, at)) = entry.parent else { break };
            (id, cut, until) = (parent, at, entry.first);
        }
        if parts.is_empty() {
            parts.push(LinePart { history, first: Rba::ZERO, cut: Rba::ZERO, until: Rba::ZERO });
        }
        parts.reverse();
        Self { parts }
    }

    /// The parts, oldest first. A part may be empty: its history was cut where it began.
    #[must_use]
    pub fn parts(&self) -> &[LinePart] {
        &self.parts
    }

    /// Where the line begins.
    #[must_use]
    pub fn start(&self) -> Rba {
        self.parts.first().map_or(Rba::ZERO, |part| part.first)
    }

    /// Up to where the log of `history` is on the line: records at or above it are not. None when no part of it is.
    #[must_use]
    pub fn reach(&self, history: HistoryId) -> Option<Rba> {
        let at = self.parts.iter().position(|part| part.history == history)?;
        self.parts.get(at..)?.iter().map(|part| part.cut).min()
    }

    /// Whether everything that `history` had below `end` is on the line.
    #[must_use]
    pub fn holds(&self, history: HistoryId, end: Rba) -> bool {
        self.reach(history).is_some_and(|reach| end <= reach)
    }

    /// Up to where this line and `other` are the same log; none when they have nothing in common.
    #[must_use]
    pub fn shared(&self, other: &Self) -> Option<Rba> {
        let pairs = self.parts.iter().zip(&other.parts);
        let common = pairs.take_while(|(here, there)| here.history == there.history);
        common.last().map(|(here, there)| here.cut.min(there.cut))
    }

    /// The part of `range` of `history` that is on the line; none when nothing is.
    #[must_use]
    pub fn clip(&self, history: HistoryId, range: RbaRange) -> Option<RbaRange> {
        let part = self.parts.iter().find(|part| part.history == history)?;
        let clipped = RbaRange::new(range.start.max(part.first), range.end.min(part.until));
        (!clipped.is_empty()).then_some(clipped)
    }

    /// Stretches inside control intervals of the line that are not on it: from each cut to the first RBA of the next history.
    #[must_use]
    pub fn abandoned(&self) -> Vec<RbaRange> {
        let gap = |part: &LinePart| RbaRange::new(part.cut, part.until);
        self.parts.iter().map(gap).filter(|gap| !gap.is_empty()).collect()
    }

    /// Where a history that is to keep what is below `cut` branches off: the history whose records those are, and the cut in it. A cut
    /// at or before the first record of a history leaves nothing of it, so the branch is from the history before.
    #[must_use]
    pub fn branch(&self, cut: Rba) -> Option<(HistoryId, Rba)> {
        let mut cut = cut;
        for (number, part) in self.parts.iter().enumerate().rev() {
            cut = cut.min(part.cut);
            if cut > part.first || number == 0 {
                return Some((part.history, cut.max(part.first)));
            }
        }
        None
    }
}

impl Bsds {
    /// The line of the current history.
    #[must_use]
    pub fn line(&self) -> Line {
        Line::of(&self.histories, self.history())
    }

    /// Every other history, with the RBA up to where its line is the current one too: what it changed below that is on the line.
    #[must_use]
    pub fn relatives(&self) -> Vec<(HistoryId, Rba)> {
        let line = self.line();
        let others = self.histories.iter().map(|entry| entry.id).filter(|id| *id != self.history());
        others.filter_map(|id| Some((id, Line::of(&self.histories, id).shared(&line)?))).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(number: u32) -> HistoryId {
        HistoryId { number, random: u64::from(number) * 1000 }
    }

    /// Number, parent with cut, first RBA.
    type Entry = (u32, Option<(u32, u64)>, u64);

    /// The line of the last of these histories.
    fn line(histories: &[Entry]) -> Line {
        let entry = |&(number, parent, first): &Entry| LogHistory {
            id: id(number),
            parent: parent.map(|(parent, cut)| (id(parent), Rba(cut))),
            first: Rba(first),
        };
        let histories: Vec<LogHistory> = histories.iter().map(entry).collect();
        Line::of(&histories, histories.last().unwrap().id)
    }

    fn range(start: u64, end: u64) -> RbaRange {
        RbaRange::new(Rba(start), Rba(end))
    }

    #[test]
    fn a_line_goes_through_the_ancestors_up_to_their_cuts() {
        let line = line(&[(1, None, 0), (2, Some((1, 0x2100)), 0x3000), (3, Some((2, 0x3800)), 0x4000)]);
        assert_eq!(line.abandoned(), [range(0x2100, 0x3000), range(0x3800, 0x4000)]);
        assert_eq!(line.reach(id(1)), Some(Rba(0x2100)));
        assert!(line.holds(id(1), Rba(0x2100)) && !line.holds(id(1), Rba(0x2101)));
        assert!(line.holds(id(3), Rba(0x90000)) && !line.holds(id(4), Rba(0)));
        let whole = range(0x1000, 0x9000);
        assert_eq!(line.clip(id(1), whole), Some(range(0x1000, 0x3000)));
        assert_eq!(line.clip(id(2), whole), Some(range(0x3000, 0x4000)));
        assert_eq!(line.clip(id(3), whole), Some(range(0x4000, 0x9000)));
        assert_eq!(line.clip(id(2), range(0x4000, 0x9000)), None);
    }

    #[test]
    fn a_branch_from_an_ancestor_leaves_what_lies_between_off_the_line() {
        let line = line(&[(1, None, 0), (2, Some((1, 0x2100)), 0x3000), (3, Some((1, 0x1800)), 0x2000)]);
        assert_eq!(line.reach(id(2)), None);
        assert_eq!(line.clip(id(2), range(0x3000, 0x4000)), None);
        assert_eq!(line.clip(id(1), range(0, 0x9000)), Some(range(0, 0x2000)));
        assert_eq!(line.reach(id(1)), Some(Rba(0x1800)));
    }

    #[test]
    fn two_lines_share_what_lies_before_the_first_cut_of_either() {
        let parent = line(&[(1, None, 0)]);
        let child = line(&[(1, None, 0), (2, Some((1, 0x2100)), 0x3000)]);
        let other = line(&[(1, None, 0), (3, Some((1, 0x1800)), 0x2000)]);
        assert_eq!(child.shared(&parent), Some(Rba(0x2100)));
        assert_eq!(child.shared(&other), Some(Rba(0x1800)));
        assert_eq!(child.shared(&child), Some(Rba::MAX));
        assert_eq!(child.shared(&line(&[(4, None, 0)])), None);
    }

    #[test]
    fn a_cut_where_a_history_begins_branches_from_the_one_before() {
        let line = line(&[(1, None, 0), (2, Some((1, 0x2100)), 0x3000)]);
        assert_eq!(line.branch(Rba(0x3001)), Some((id(2), Rba(0x3001))));
        assert_eq!(line.branch(Rba(0x3000)), Some((id(1), Rba(0x2100))));
        assert_eq!(line.branch(Rba(0x2800)), Some((id(1), Rba(0x2100))));
        assert_eq!(line.branch(Rba(0x2000)), Some((id(1), Rba(0x2000))));
        assert_eq!(line.branch(Rba(0)), Some((id(1), Rba(0))));
    }

    #[test]
    fn an_unknown_history_has_an_empty_line() {
        let line = Line::of(&[], id(7));
        assert_eq!((line.start(), line.reach(id(7))), (Rba(0), Some(Rba(0))));
        assert_eq!(line.clip(id(7), range(0, 0x1000)), None);
    }
}
