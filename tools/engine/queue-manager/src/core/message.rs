//! Put, get and browse.

use engine_page_store::{PageError, UnitLink};
use format_log::Body;
use format_pageset::MessageHead;
use format_protocol::Reply;
use format_types::{ConditionCode, ObjectName, PageAddress, PageSetId, Rba, Urid};

use super::request::{Outcome, Shortage};
use super::work::Operation;
use super::{ConnectionId, Core, message_id};
use crate::queue::{Entry, Place, Visibility};
use crate::{CoreError, MAXIMUM_MESSAGE, MAXUMSGS};

/// A put as asked for.
pub(super) struct Put<'a> {
    pub(super) queue: ObjectName,
    pub(super) priority: Option<u8>,
    pub(super) persistent: Option<bool>,
    pub(super) syncpoint: bool,
    pub(super) body: &'a [u8],
}

impl Core {
    /// Bytes of log that a message of `length` bytes may need, with what ends its unit.
    pub(super) fn log_for_message(length: usize, persistent: bool) -> u64 {
        let fragments = (length / 3900 + 2) as u64;
        // Per fragment: format record, insert header; once: page images of the current insert page and of a space map, unit records.
        fragments * if persistent { 256 } else { 128 }
            + if persistent { length as u64 } else { 0 }
            + (16 << 10)
    }

    /// Puts a message.
    pub(super) fn put(&mut self, connection: ConnectionId, put: Put<'_>) -> Result<Outcome, CoreError> {
        let Some(queue) = self.catalog.queues.get(&put.queue) else {
            return Ok(unknown_queue(&put.queue));
        };
        let definition = &queue.definition;
        if !definition.put_enabled {
            return Ok(refused(
                "HWT421E",
                format!("PUT INHIBITED for queue {} (MQRC 2051): ALTER QLOCAL({0}) PUT(ENABLED)", put.queue),
            ));
        }
        let limit = (definition.max_message_length as usize).min(MAXIMUM_MESSAGE);
        if put.body.len() > limit {
            return Ok(refused(
                "HWT422E",
                format!(
                    "MESSAGE OF {} BYTES is too big for queue {} (MQRC 2030): MAXMSGL is {limit}",
                    put.body.len(),
                    put.queue
                ),
            ));
        }
        if queue.index.depth() >= definition.max_depth as usize {
            return Ok(refused(
                "HWT423E",
                format!("QUEUE {} IS FULL (MQRC 2053): MAXDEPTH is {}", put.queue, definition.max_depth),
            ));
        }
        let persistent = put.persistent.unwrap_or(definition.default_persistence);
        let priority = put.priority.unwrap_or(definition.default_priority);
        if priority > 9 {
            return Ok(refused("HWT424E", format!("PRIORITY {priority} is outside 0 to 9 (MQRC 2050)")));
        }
        if persistent && self.log_for_deletion(put.body.len()) > self.log_at_most() {
            return Ok(refused(
                "HWT434E",
                format!(
                    "THE LOG IS TOO SMALL for a message of {} bytes: its active data sets hold {}",
                    put.body.len(),
                    self.log.capacity()
                ),
            ));
        }
        let (queue_id, page_set) = (definition.id, queue.page_set);
        if let Some(full) = self.unit_is_full(connection, put.syncpoint) {
            return Ok(full);
        }
        if let Some(waits) = self.wants_log(Self::log_for_message(put.body.len(), persistent)) {
            return Ok(waits);
        }
        if !self.store.has_room(&mut self.log, page_set, persistent, put.body.len())? {
            if self.expansions_under_way.contains(&page_set) || self.begin_expansion(page_set)? {
                return Ok(Outcome::Park(Shortage::PageSet));
            }
            return Ok(refused(
                "HWT425E",
                format!(
                    "PAGE SET {page_set} IS FULL (MQRC 2192): get messages from it, or ALTER PSID({page_set}) EXPAND(USER)"
                ),
            ));
        }

        let key = self.next_key()?;
        let message_id = message_id::message_id(self.log.bsds(), key);
        let head = MessageHead {
            key,
            queue: queue_id,
            priority,
            persistent,
            put_time: self.now,
            message_id,
            length: put.body.len() as u32,
        };
        let id = if put.syncpoint { self.current_work(connection) } else { self.new_work(connection) };
        let mut link =
            if persistent { self.begin_logging(id)? } else { UnitLink { urid: Urid::NONE, last: Rba::ZERO } };
        let inserted = match self.store.insert_message(&mut self.log, &mut link, page_set, &head, put.body) {
            Ok(inserted) => inserted,
            Err(PageError::Full { .. }) => {
                if !put.syncpoint {
                    self.begin_backout(id, None);
                }
                if self.begin_expansion(page_set)? {
                    return Ok(Outcome::Park(Shortage::PageSet));
                }
                return Ok(refused("HWT425E", format!("PAGE SET {page_set} IS FULL (MQRC 2192)")));
            }
            Err(error @ PageError::Offline { .. }) => {
                self.abandon(id, link, &error);
                return Err(error.into());
            }
            Err(error) => return Err(error.into()),
        };
        let place = Place::new(priority, key);
        if let Some(queue) = self.catalog.queues.get_mut(&put.queue) {
            queue
                .index
                .insert(place, Entry { head: inserted.head, visibility: Visibility::BeingPut, persistent });
        }
        if let Some(work) = self.works.get_mut(&id) {
            if persistent {
                work.link = Some(link);
            }
            work.inserted.extend(inserted.records);
            work.operations.push(Operation::Put { queue: put.queue, place });
        }
        if put.syncpoint {
            return Ok(Outcome::Reply(Reply::Put { message_id, key, commit: Rba::ZERO }));
        }
        self.commit(id, Some(connection), |commit| Reply::Put { message_id, key, commit })?;
        Ok(Outcome::Later)
    }

    /// Gets a message.
    pub(super) fn get(
        &mut self,
        connection: ConnectionId,
        name: &ObjectName,
        syncpoint: bool,
        message_id: Option<[u8; 24]>,
    ) -> Result<Outcome, CoreError> {
        let Some(queue) = self.catalog.queues.get(name) else {
            return Ok(unknown_queue(name));
        };
        if !queue.definition.get_enabled {
            return Ok(refused(
                "HWT426E",
                format!("GET INHIBITED for queue {name} (MQRC 2016): ALTER QLOCAL({name}) GET(ENABLED)"),
            ));
        }
        self.need_online(queue.page_set)?;
        self.need_known(queue)?;
        let found = match message_id {
            None => queue.index.first(None),
            Some(wanted) => {
                message_id::key_of(self.log.bsds(), &wanted).and_then(|key| queue.index.with_key(key))
            }
        };
        let Some((place, entry)) = found else { return Ok(Outcome::Reply(Reply::NoMessage)) };
        if let Some(full) = self.unit_is_full(connection, syncpoint) {
            return Ok(full);
        }
        if let Some(waits) = self.wants_log(4096) {
            return Ok(waits);
        }
        let (head, body) = self.read(entry, place.key)?;
        if message_id.is_some_and(|wanted| wanted != head.message_id) {
            // The message that had this identifier was cut off with its log, and its key given out again.
            return Ok(Outcome::Reply(Reply::NoMessage));
        }
        let id = if syncpoint { self.current_work(connection) } else { self.new_work(connection) };
        if entry.persistent {
            let link = self.begin_logging(id)?;
            let intent = Body::DeleteIntent {
                at: PageAddress::new(entry.head.page_set, entry.head.page),
                slot: entry.head.slot,
                key: place.key,
            };
            let range = self.log.append(link.urid, link.last, &intent)?;
            if let Some(work) = self.works.get_mut(&id) {
                work.link = Some(UnitLink { urid: link.urid, last: range.start });
            }
        }
        if let Some(queue) = self.catalog.queues.get_mut(name) {
            queue.index.set(place, Visibility::BeingGot);
        }
        if let Some(work) = self.works.get_mut(&id) {
            work.operations.push(Operation::Got {
                queue: name.clone(),
                place,
                head: entry.head,
                persistent: entry.persistent,
                length: head.length,
            });
        }
        if syncpoint {
            return Ok(Outcome::Reply(message_reply(&head, Rba::ZERO, body)));
        }
        self.commit(id, Some(connection), |commit| message_reply(&head, commit, body))?;
        Ok(Outcome::Later)
    }

    /// Reads the first message behind `after`.
    pub(super) fn browse(
        &mut self,
        name: &ObjectName,
        after: Option<(u8, u64)>,
    ) -> Result<Outcome, CoreError> {
        let Some(queue) = self.catalog.queues.get(name) else {
            return Ok(unknown_queue(name));
        };
        self.need_online(queue.page_set)?;
        self.need_known(queue)?;
        let after = after.map(|(priority, key)| Place::new(priority, key));
        let Some((place, entry)) = queue.index.first(after) else {
            return Ok(Outcome::Reply(Reply::NoMessage));
        };
        let (head, body) = self.read(entry, place.key)?;
        Ok(Outcome::Reply(message_reply(&head, Rba::ZERO, body)))
    }

    /// A queue whose page set is offline may hold more than is known: that it has no message must not be said.
    fn need_online(&self, page_set: PageSetId) -> Result<(), CoreError> {
        if self.store.is_online(page_set) {
            return Ok(());
        }
        Err(self.is_offline(page_set))
    }

    pub(super) fn is_offline(&self, page_set: PageSetId) -> CoreError {
        PageError::Offline { page_set, recovery_rba: self.store.recovery_rba(page_set) }.into()
    }

    fn read(&mut self, entry: Entry, key: u64) -> Result<(MessageHead, Vec<u8>), CoreError> {
        self.store.read_message(&mut self.log, entry.head, key)?.ok_or_else(|| {
            CoreError::Contradiction(format!(
                "MESSAGE {key:016X} IS NOT WHERE ITS QUEUE SAYS: page set {} page {} slot {} holds something else; recover the page set",
                entry.head.page_set, entry.head.page, entry.head.slot
            ))
        })
    }

    /// A refusal when the unit of recovery has as many operations as it may have.
    fn unit_is_full(&self, connection: ConnectionId, syncpoint: bool) -> Option<Outcome> {
        let work = self.connections.get(&connection)?.work.filter(|_| syncpoint)?;
        let work = self.works.get(&work)?;
        (work.operations.len() >= MAXUMSGS).then(|| {
            refused(
                "HWT428E",
                format!(
                    "UNIT OF RECOVERY HAS {MAXUMSGS} UNCOMMITTED MESSAGES (MQRC 2024): commit more often"
                ),
            )
        })
    }
}

fn message_reply(head: &MessageHead, commit: Rba, body: Vec<u8>) -> Reply {
    Reply::Message {
        message_id: head.message_id,
        key: head.key,
        priority: head.priority,
        persistent: head.persistent,
        put_time: head.put_time,
        commit,
        body,
    }
}

fn unknown_queue(name: &ObjectName) -> Outcome {
    refused("HWT420E", format!("QUEUE {name} IS NOT KNOWN (MQRC 2085): DEFINE QLOCAL({name}) first"))
}

pub(super) fn refused(id: &str, text: String) -> Outcome {
    Outcome::Reply(Reply::Error { code: ConditionCode::Refused, id: id.to_owned(), text })
}
