//! The objects that a queue manager knows, with where their records lie on page set 00.

use std::collections::BTreeMap;

use engine_page_store::RecordAddress;
use format_pageset::{ObjectRecord, QueueDefinition, StorageClassDefinition};
use format_types::{ObjectName, PageSetId};

use crate::queue::QueueIndex;

/// A queue: its definition, where that lies, and its messages in order.
#[derive(Debug)]
pub(crate) struct Queue {
    pub(crate) definition: QueueDefinition,
    pub(crate) at: RecordAddress,
    /// Page set of its storage class.
    pub(crate) page_set: PageSetId,
    pub(crate) index: QueueIndex,
}

/// A storage class and where its definition lies.
#[derive(Debug)]
pub(crate) struct StorageClass {
    pub(crate) definition: StorageClassDefinition,
    pub(crate) at: RecordAddress,
}

/// All objects, by name.
#[derive(Debug, Default)]
pub(crate) struct Catalog {
    pub(crate) queues: BTreeMap<ObjectName, Queue>,
    pub(crate) classes: BTreeMap<ObjectName, StorageClass>,
    /// Queue identifier to name.
    by_id: BTreeMap<u64, ObjectName>,
}

impl Catalog {
    /// Takes in an object record found on, or just put on, a page.
    pub(crate) fn insert(&mut self, at: RecordAddress, record: ObjectRecord) {
        match record {
            ObjectRecord::Queue(definition) => {
                let page_set = self
                    .classes
                    .get(&definition.stgclass)
                    .map_or(PageSetId::ZERO, |class| class.definition.page_set);
                let name = definition.name.clone();
                self.by_id.insert(definition.id, name.clone());
                let index = self.queues.remove(&name).map(|queue| queue.index).unwrap_or_default();
                self.queues.insert(name, Queue { definition, at, page_set, index });
            }
            ObjectRecord::StorageClass(definition) => {
                let name = definition.name.clone();
                for queue in self.queues.values_mut().filter(|queue| queue.definition.stgclass == name) {
                    queue.page_set = definition.page_set;
                }
                self.classes.insert(name, StorageClass { definition, at });
            }
        }
    }

    pub(crate) fn remove_queue(&mut self, name: &ObjectName) {
        if let Some(queue) = self.queues.remove(name) {
            self.by_id.remove(&queue.definition.id);
        }
    }

    pub(crate) fn remove_class(&mut self, name: &ObjectName) {
        self.classes.remove(name);
    }

    pub(crate) fn queue_with_id(&mut self, id: u64) -> Option<&mut Queue> {
        let name = self.by_id.get(&id)?;
        self.queues.get_mut(name)
    }
}
