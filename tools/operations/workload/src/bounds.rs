//! Which commits of a journal happened, by the RBA that the queue manager was recovered to and by the cuts of its log.

use format_bsds::Line;
use format_types::{HistoryId, Rba};

/// What bounds the commits of journals.
#[derive(Debug, Default)]
pub(crate) struct Bounds {
    /// The queue manager was recovered to this RBA by the newest cut.
    pub(crate) to_rba: Option<Rba>,
    /// The line of its log.
    pub(crate) line: Option<Line>,
}

impl Bounds {
    /// Commits of a journal of `history` at or above the answer did not happen; none when all did.
    pub(crate) fn of(&self, history: Option<HistoryId>) -> Option<Rba> {
        let (Some(history), Some(line)) = (history, &self.line) else { return self.to_rba };
        let parts = line.parts();
        let Some(place) = parts.iter().position(|part| part.history == history) else {
            // What is not on the line any more did not happen at all.
            return Some(Rba::ZERO);
        };
        let Some(newest) = parts.len().checked_sub(2).filter(|newest| place <= *newest) else {
            // It is of the current history, which began at the cut: unless there was none at that RBA.
            let first = parts.last().map_or(Rba::ZERO, |part| part.first);
            return self.to_rba.filter(|to| parts.len() == 1 || *to > first);
        };
        let older = parts.get(place..newest).unwrap_or_default().iter().map(|part| part.cut);
        let last = self.to_rba.or(parts.get(newest).map(|part| part.cut));
        older.chain(last).min()
    }
}

#[cfg(test)]
mod tests {
    use format_types::LogHistory;

    use super::*;

    fn id(number: u32) -> HistoryId {
        HistoryId { number, random: 1 }
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

    #[test]
    fn without_a_history_the_rba_asked_for_bounds_every_journal() {
        let bounds = Bounds { to_rba: Some(Rba(7)), line: None };
        assert_eq!(bounds.of(None), Some(Rba(7)));
        assert_eq!(bounds.of(Some(id(1))), Some(Rba(7)));
        assert_eq!(Bounds::default().of(Some(id(1))), None);
    }

    #[test]
    fn the_rba_asked_for_stands_for_the_newest_cut_and_the_inventory_for_the_others() {
        let line = line(&[(1, None, 0), (2, Some((1, 0x2100)), 0x3000), (3, Some((2, 0x5100)), 0x6000)]);
        let asked = Bounds { to_rba: Some(Rba(0x5080)), line: Some(line.clone()) };
        assert_eq!(asked.of(Some(id(1))), Some(Rba(0x2100)));
        assert_eq!(asked.of(Some(id(2))), Some(Rba(0x5080)));
        assert_eq!(asked.of(Some(id(3))), None);
        assert_eq!(asked.of(Some(id(9))), Some(Rba::ZERO));
        let known = Bounds { to_rba: None, line: Some(line) };
        assert_eq!(known.of(Some(id(1))), Some(Rba(0x2100)));
        assert_eq!(known.of(Some(id(2))), Some(Rba(0x5100)));
    }

    #[test]
    fn a_history_that_was_never_cut_there_is_bounded_all_the_same() {
        let line = line(&[(1, None, 0)]);
        let bounds = Bounds { to_rba: Some(Rba(0x5080)), line: Some(line) };
        assert_eq!(bounds.of(Some(id(1))), Some(Rba(0x5080)));
        let whole = Bounds { to_rba: Some(Rba::ZERO), line: bounds.line };
        assert_eq!(whole.of(Some(id(1))), Some(Rba::ZERO));
    }

    #[test]
    fn of_a_history_that_is_off_the_line_nothing_happened() {
        let line = line(&[(1, None, 0), (2, Some((1, 0x2100)), 0x3000), (3, Some((1, 0x1800)), 0x2000)]);
        let bounds = Bounds { to_rba: Some(Rba(0x1700)), line: Some(line) };
        assert_eq!(bounds.of(Some(id(2))), Some(Rba::ZERO));
        assert_eq!(bounds.of(Some(id(1))), Some(Rba(0x1700)));
    }
}
