//! The end of a unit: deletions of what it got, or compensations of what it put.
//!
//! Done in small steps, each of which needs little log; when the log is full an ending waits for an offload and goes on.

use engine_page_store::{PageError, UnitLink};
use format_log::Body;
use format_protocol::Reply;
use format_types::{Rba, UnitState, Urid};

use super::work::{Operation, Work, WorkId};
use super::{ConnectionId, Core};
use crate::CoreError;
use crate::queue::Visibility;

/// Log that one step of an ending may write for a short message: page images of a data page and a space map page, and small records.
/// Kept back from puts, so that endings, checkpoints and a stop work while puts wait. Less where the log itself is small.
const ENDING_RESERVE: u64 = 128 << 10;

/// Log that the last record of a unit may need.
const LAST_RECORD: u64 = 4 << 10;

/// Steps done at once, so that other requests are taken in between.
const STEPS_AT_ONCE: usize = 256;

impl Core {
    /// Log that the deletion of a message of `length` bytes may write: a page image for each fragment, and small records.
    pub(super) fn log_for_deletion(&self, length: usize) -> u64 {
        self.ending_reserve() + (length / 3900) as u64 * 4608
    }

    /// Log that the deletion of a nonpersistent message of `length` bytes may write: its pages are given back.
    fn log_for_freeing(&self, length: usize) -> u64 {
        self.ending_reserve() + (length / 3900) as u64 * 160
    }

    /// Log kept back for endings and checkpoints.
    pub(super) fn ending_reserve(&self) -> u64 {
        ENDING_RESERVE.min(self.log.capacity() / 16)
    }

    /// The most log that anything may ask for in one step: what is left at worst when all that can be offloaded is.
    pub(super) fn log_at_most(&self) -> u64 {
        self.log.capacity() / 5 * 2
    }

    /// Whether the log's buffer takes `bytes` more before a sync. An empty one takes anything: appending syncs in line then.
    pub(super) fn buffer_takes(&self, bytes: u64) -> bool {
        let unsynced = self.log.unsynced().len();
        unsynced == 0 || unsynced + bytes <= self.log.buffer_limit()
    }

    /// Backs `id` out; `reply` goes to the connection when that is done.
    pub(crate) fn begin_backout(&mut self, id: WorkId, reply: Option<(ConnectionId, Reply)>) {
        let Some(work) = self.works.get_mut(&id) else {
            if let Some((connection, reply)) = reply {
                self.reply(connection, reply);
            }
            return;
        };
        if work.state != UnitState::InFlight {
            // In doubt it waits for its coordinator; committing or backing out already, it is past changing.
            return;
        }
        self.set_backing_out(id, reply);
        self.or_fail(Self::carry_out_endings);
    }

    /// From now on `id` is backed out.
    pub(super) fn set_backing_out(&mut self, id: WorkId, reply: Option<(ConnectionId, Reply)>) {
        let Some(work) = self.works.get_mut(&id) else { return };
        work.state = UnitState::InBackout;
        work.reply = reply;
        work.undo_next = work.link.map_or(Rba::ZERO, |link| link.last);
        self.endings.push_back(id);
    }

    /// Carries out endings while the log has room, a bounded piece of them; true when more could follow at once.
    pub(super) fn carry_out_endings(&mut self) -> Result<bool, CoreError> {
        self.endings_want_log = false;
        for _ in 0..STEPS_AT_ONCE {
            let Some(id) = self.endings.front().copied() else { return Ok(false) };
            match self.ending_step(id) {
                Ok(true) => {}
                Ok(false) => {
                    self.endings_want_log = true;
                    return Ok(false);
                }
                Err(CoreError::Page(PageError::Offline { page_set, .. })) => {
                    let what = format!(
                        "PAGE SET {page_set}, WHICH IS OFFLINE: repair it, then START PSID({page_set})"
                    );
                    self.stall(id, &what);
                }
                Err(error) => return Err(error),
            }
        }
        Ok(!self.endings.is_empty())
    }

    /// Leaves the ending of `id` to START PSID or to the next start. The unit holds its log until then.
    pub(super) fn stall(&mut self, id: WorkId, what: &str) {
        self.endings.retain(|ending| *ending != id);
        let Some(work) = self.works.get_mut(&id) else { return };
        work.stalled = true;
        let (urid, reply) = (work.link_or_none().urid, work.reply.take());
        if work.checkpoint_unit().is_some() {
            self.say("HWT438W", &format!("UNIT OF RECOVERY {urid} WAITS FOR {what}"));
        } else {
            // As far as the log goes it has ended: what is left is nonpersistent, and ends with this run.
            if work.state == UnitState::InBackout {
                self.forget_operations(id);
            }
            self.works.remove(&id);
        }
        if let Some((connection, reply)) = reply {
            self.reply(connection, reply);
        }
    }

    /// Gives a unit up in the middle of a change: its page set has just gone offline, so what was done cannot be undone before that is
    /// back. `link` leads to the last record of it.
    pub(crate) fn abandon(&mut self, id: WorkId, link: UnitLink, why: &PageError) {
        self.note_link(id, link);
        if let Some(work) = self.works.get_mut(&id) {
            work.state = UnitState::InBackout;
        }
        for connection in self.connections.values_mut().filter(|known| known.work == Some(id)) {
            connection.work = None;
            connection.backed_out = true;
        }
        self.stall(id, &format!("START PSID OR THE NEXT START: {why}"));
    }

    /// Log that the next step of a unit's ending may need.
    fn log_for_step(&self, work: &Work) -> u64 {
        let last_record = if work.link.is_some() && !work.complete { LAST_RECORD } else { 0 };
        let room = match (work.state, work.operations.last()) {
            (UnitState::InBackout, _) if !work.inserted.is_empty() => self.ending_reserve(),
            (UnitState::InBackout, _) | (_, None) => last_record,
            (_, Some(Operation::Put { .. })) => 0,
            (_, Some(Operation::Delete { length, .. } | Operation::Got { length, persistent: true, .. })) => {
                self.log_for_deletion(*length as usize)
            }
            (_, Some(Operation::Got { length, persistent: false, .. })) => {
                self.log_for_freeing(*length as usize)
            }
        };
        // Never more than there will be when all that can be offloaded is.
        room.min(self.log_at_most())
    }

    /// One step of the ending of `id`; false when there is no room in the log for it now.
    fn ending_step(&mut self, id: WorkId) -> Result<bool, CoreError> {
        let Some(work) = self.works.get(&id) else {
            self.endings.pop_front();
            return Ok(true);
        };
        let room = self.log_for_step(work);
        if room > 0 && (self.log.space_left() < room || !self.buffer_takes(room)) {
            self.log_sync_wanted = true;
            return Ok(false);
        }
        let Some(work) = self.works.get_mut(&id) else { return Ok(true) };
        let mut link = work.link_or_none();
        if work.state == UnitState::InBackout {
            if let Some((at, rba)) = work.inserted.pop() {
                let undo_next = work.inserted.iter().rev().map(|(_, rba)| *rba).find(|rba| *rba != Rba::ZERO);
                let undo_next = undo_next.unwrap_or(link.urid.0);
                work.undo_next = undo_next;
                let before = link;
                let done = self.store.compensate(&mut self.log, &mut link, at, undo_next);
                self.note_link(id, link);
                if matches!(done, Err(PageError::Offline { .. }))
                    && link == before
                    && let Some(work) = self.works.get_mut(&id)
                {
                    // Nothing says that it was undone, so it is still to be.
                    work.inserted.push((at, rba));
                }
                done?;
                return Ok(true);
            }
            self.forget_operations(id);
            self.end(id, &Body::EndAbort)?;
            return Ok(true);
        }
        match work.operations.pop() {
            Some(Operation::Put { .. }) => {}
            Some(operation) => {
                let (head, key) = match &operation {
                    Operation::Got { head, place, persistent, .. } => {
                        if !persistent {
                            link = UnitLink { urid: Urid::NONE, last: Rba::ZERO };
                        }
                        (*head, place.key)
                    }
                    Operation::Delete { head, key, .. } => (*head, *key),
                    Operation::Put { .. } => return Ok(true),
                };
                let done = self.store.delete_chain(&mut self.log, &mut link, head, key);
                self.note_link(id, link);
                if matches!(done, Err(PageError::Offline { .. }))
                    && let Some(work) = self.works.get_mut(&id)
                {
                    // Begun or not, it is done again as a whole once the page set is back.
                    work.operations.push(operation);
                }
                done?;
            }
            None => {
                if work.complete {
                    // The record that committed it said that nothing would follow.
                    self.works.remove(&id);
                    self.endings.pop_front();
                } else {
                    self.end(id, &Body::EndUr)?;
                }
            }
        }
        Ok(true)
    }

    /// Remembers the last record of a unit, whatever became of the step that wrote it: the next one must link to it.
    pub(super) fn note_link(&mut self, id: WorkId, link: UnitLink) {
        if link.urid.is_some()
            && let Some(work) = self.works.get_mut(&id)
        {
            work.link = Some(link);
        }
    }

    /// Undoes a backed-out unit's effects on the queues' order.
    fn forget_operations(&mut self, id: WorkId) {
        let Some(work) = self.works.get_mut(&id) else { return };
        for operation in std::mem::take(&mut work.operations) {
            match operation {
                Operation::Put { queue, place } => {
                    if let Some(queue) = self.catalog.queues.get_mut(&queue) {
                        queue.index.remove(place);
                    }
                }
                Operation::Got { queue, place, .. } => {
                    if let Some(queue) = self.catalog.queues.get_mut(&queue) {
                        queue.index.set(place, Visibility::Committed);
                    }
                }
                Operation::Delete { .. } => {}
            }
        }
    }

    /// Logs the last record of a unit and forgets it.
    fn end(&mut self, id: WorkId, body: &Body<'_>) -> Result<(), CoreError> {
        self.endings.pop_front();
        if let Some(work) = self.works.remove(&id) {
            if let Some(link) = work.link {
                self.log.append(link.urid, link.last, body)?;
            }
            if let Some((connection, reply)) = work.reply {
                self.reply(connection, reply);
            }
        }
        Ok(())
    }
}
