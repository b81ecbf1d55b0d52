//! The order of a queue: an index in memory over the messages on pages.
//!
//! Order is priority (9 first), then key; keys rise with every put. The index is rebuilt at start from the pages themselves, so
//! there is nothing on disk that it could disagree with.

use std::collections::BTreeMap;

use engine_page_store::RecordAddress;
use format_types::PageSetId;

/// Whether a message may be seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Visibility {
    /// For everybody.
    Committed,
    /// Put by a unit of recovery that has not ended.
    BeingPut,
    /// Got by a unit of recovery that has not ended.
    BeingGot,
}

/// A message of a queue.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) head: RecordAddress,
    pub(crate) visibility: Visibility,
    pub(crate) persistent: bool,
}

/// Place of a message in its queue: 9 minus its priority, then its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place {
    below_top: u8,
    pub(crate) key: u64,
}

impl Place {
    pub(crate) fn new(priority: u8, key: u64) -> Self {
        Self { below_top: 9u8.saturating_sub(priority), key }
    }

    #[cfg(test)]
    fn priority(self) -> u8 {
        9 - self.below_top.min(9)
    }
}

/// The messages of one queue, in order.
#[derive(Debug, Default)]
pub(crate) struct QueueIndex {
    entries: BTreeMap<Place, Entry>,
}

impl QueueIndex {
    pub(crate) fn insert(&mut self, place: Place, entry: Entry) {
        self.entries.insert(place, entry);
    }

    pub(crate) fn remove(&mut self, place: Place) -> Option<Entry> {
        self.entries.remove(&place)
    }

    pub(crate) fn set(&mut self, place: Place, visibility: Visibility) {
        if let Some(entry) = self.entries.get_mut(&place) {
            entry.visibility = visibility;
        }
    }

    /// Messages on the queue, uncommitted ones included: CURDEPTH.
    pub(crate) fn depth(&self) -> usize {
        self.entries.len()
    }

    /// The first message that may be seen, behind `after` when given.
    pub(crate) fn first(&self, after: Option<Place>) -> Option<(Place, Entry)> {
        use std::ops::Bound::{Excluded, Unbounded};
        let from = after.map_or(Unbounded, Excluded);
        self.entries
            .range((from, Unbounded))
            .find(|(_, entry)| entry.visibility == Visibility::Committed)
            .map(|(place, entry)| (*place, *entry))
    }

    /// The visible message with `key`, whatever its priority.
    pub(crate) fn with_key(&self, key: u64) -> Option<(Place, Entry)> {
        (0..=9)
            .map(|priority| Place::new(priority, key))
            .find_map(|place| self.entries.get(&place).map(|entry| (place, *entry)))
            .filter(|(_, entry)| entry.visibility == Visibility::Committed)
    }

    /// Whether any message, committed or not, lies on a page set.
    pub(crate) fn is_on(&self, page_set: PageSetId) -> bool {
        self.entries.values().any(|entry| entry.head.page_set == page_set)
    }

    /// Forgets all messages that lie on a page set.
    pub(crate) fn forget(&mut self, page_set: PageSetId) {
        self.entries.retain(|_, entry| entry.head.page_set != page_set);
    }

    pub(crate) fn has_uncommitted(&self) -> bool {
        self.entries.values().any(|entry| entry.visibility != Visibility::Committed)
    }
}

#[cfg(test)]
mod tests {
    use format_types::PageNumber;

    use super::*;

    fn entry(visibility: Visibility) -> Entry {
        let head = RecordAddress { page_set: PageSetId::ZERO, page: PageNumber(1), slot: 0 };
        Entry { head, visibility, persistent: true }
    }

    #[test]
    fn higher_priority_first_then_first_in_first_out_and_only_what_may_be_seen() {
        let mut queue = QueueIndex::default();
        for (priority, key, visibility) in [
            (0, 1, Visibility::Committed),
            (5, 2, Visibility::Committed),
            (5, 3, Visibility::Committed),
            (9, 4, Visibility::BeingPut),
            (9, 5, Visibility::BeingGot),
        ] {
            queue.insert(Place::new(priority, key), entry(visibility));
        }
        let mut seen = Vec::new();
        let mut after = None;
        while let Some((place, _)) = queue.first(after) {
            seen.push((place.priority(), place.key));
            after = Some(place);
        }
        assert_eq!(seen, [(5, 2), (5, 3), (0, 1)]);
        assert!(queue.with_key(4).is_none() && queue.with_key(3).is_some());
        assert_eq!(queue.depth(), 5);
    }
}
