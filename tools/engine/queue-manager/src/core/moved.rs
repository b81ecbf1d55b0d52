//! Queues whose messages lie on more than one page set: their storage class was moved, or they were moved to another class.
//!
//! The messages of such a queue stay where they are. While one of those page sets is offline and was not looked through since the start,
//! nobody knows what of the queue lies there: whether it has a message, and which is its first, is not said then. Definitions name the
//! page sets that were moved from, for as long as messages may lie there.

use format_pageset::{QueueDefinition, StorageClassDefinition};
use format_types::PageSetId;

use super::Core;
use crate::CoreError;
use crate::catalog::Queue;

impl Core {
    /// Refuses when messages of `queue` may lie on a page set that was not looked through.
    pub(super) fn need_known(&self, queue: &Queue) -> Result<(), CoreError> {
        if self.unindexed.is_empty() {
            return Ok(());
        }
        let class = self.catalog.classes.get(&queue.definition.stgclass);
        let of_class = class.map(|class| class.definition.moved_from.as_slice()).unwrap_or_default();
        let moved_from = queue.definition.moved_from.iter().chain(of_class);
        match moved_from.copied().find(|page_set| self.unindexed.contains(page_set)) {
            Some(page_set) => Err(self.is_offline(page_set)),
            None => Ok(()),
        }
    }

    /// The page sets that a queue about to be defined so was moved from, as far as messages of it may lie there still.
    pub(crate) fn page_sets_left_by_queue(&self, definition: &QueueDefinition) -> Vec<PageSetId> {
        let Some(queue) = self.catalog.queues.get(&definition.name) else { return Vec::new() };
        let mut left = queue.definition.moved_from.clone();
        if definition.stgclass != queue.definition.stgclass {
            left.push(queue.page_set);
            if let Some(class) = self.catalog.classes.get(&queue.definition.stgclass) {
                left.extend(&class.definition.moved_from);
            }
        }
        let now = self.catalog.classes.get(&definition.stgclass).map(|class| class.definition.page_set);
        left.retain(|page_set| now != Some(*page_set) && self.may_hold(queue, *page_set));
        in_order(left)
    }

    /// The page sets that a storage class about to be defined so was moved from, as far as messages of its queues may lie there still.
    pub(crate) fn page_sets_left_by_class(&self, definition: &StorageClassDefinition) -> Vec<PageSetId> {
        let Some(class) = self.catalog.classes.get(&definition.name) else { return Vec::new() };
        let mut left = class.definition.moved_from.clone();
        left.push(class.definition.page_set);
        let queues = || self.catalog.queues.values().filter(|q| q.definition.stgclass == definition.name);
        left.retain(|page_set| {
            *page_set != definition.page_set && queues().any(|queue| self.may_hold(queue, *page_set))
        });
        in_order(left)
    }

    /// Whether messages of a queue may lie on a page set: some do, or nobody knows.
    fn may_hold(&self, queue: &Queue, page_set: PageSetId) -> bool {
        self.has_page_set(page_set) && (!self.store.is_online(page_set) || queue.index.is_on(page_set))
    }
}

fn in_order(mut page_sets: Vec<PageSetId>) -> Vec<PageSetId> {
    page_sets.sort_unstable();
    page_sets.dedup();
    page_sets
}
