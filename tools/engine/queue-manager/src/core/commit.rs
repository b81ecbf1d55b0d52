//! Commit: decided by a record in the log, acknowledged when that record is synced.

use engine_storage::planted::{self, Defect};
use format_log::Body;
use format_protocol::Reply;
use format_types::{Rba, UnitState};

use super::work::{Operation, WorkId};
use super::{ConnectionId, Core};
use crate::CoreError;
use crate::queue::Visibility;

/// A unit whose committing record is in the log but perhaps not on disk.
#[derive(Debug)]
pub(super) struct PendingCommit {
    pub(super) work: WorkId,
    /// The log must be synced up to here.
    up_to: Rba,
    reply: Option<(ConnectionId, Reply)>,
}

impl Core {
    /// Commits `id`. `reply` is made from the RBA of the committing record and sent once that is synced; RBA zero when nothing was
    /// logged.
    pub(super) fn commit(
        &mut self,
        id: WorkId,
        connection: Option<ConnectionId>,
        reply: impl FnOnce(Rba) -> Reply,
    ) -> Result<(), CoreError> {
        if planted::active(Defect::SpaceReusedEarly) {
            self.delete_early(id)?;
        }
        let Some(work) = self.works.get_mut(&id) else {
            if let Some(connection) = connection {
                self.reply(connection, reply(Rba::ZERO));
            }
            return Ok(());
        };
        work.state = UnitState::InCommit;
        work.complete = !work.deletes_persistent();
        let Some(link) = work.link else {
            let reply = connection.map(|connection| (connection, reply(Rba::ZERO)));
            return self.committed(id, reply);
        };
        let body = Body::BeginPhase2 { complete: work.complete, at: self.now };
        let range = self.log.append(link.urid, link.last, &body)?;
        work.link = Some(engine_page_store::UnitLink { urid: link.urid, last: range.start });
        let reply = connection.map(|connection| (connection, reply(range.start)));
        if planted::active(Defect::AcknowledgedBeforeSync) {
            return self.committed(id, reply);
        }
        self.commits.push_back(PendingCommit { work: id, up_to: range.end, reply });
        self.log_sync_wanted = true;
        Ok(())
    }

    /// The planted mistake: what a unit got is deleted, and its space given away, before the record that commits it is even logged.
    fn delete_early(&mut self, id: WorkId) -> Result<(), CoreError> {
        let Some(work) = self.works.get(&id) else { return Ok(()) };
        let Some(mut link) = work.link else { return Ok(()) };
        let got: Vec<_> = work
            .operations
            .iter()
            .filter_map(|operation| match operation {
                Operation::Got { head, place, persistent: true, .. } => Some((*head, place.key)),
                _ => None,
            })
            .collect();
        for (head, key) in got {
            self.store.delete_chain(&mut self.log, &mut link, head, key)?;
        }
        if let Some(work) = self.works.get_mut(&id) {
            work.link = Some(link);
        }
        Ok(())
    }

    /// Completes the commits that the log now covers.
    pub(super) fn complete_commits(&mut self, synced: Rba) -> Result<(), CoreError> {
        while self.commits.front().is_some_and(|pending| pending.up_to <= synced) {
            if let Some(pending) = self.commits.pop_front() {
                self.committed(pending.work, pending.reply)?;
            }
        }
        Ok(())
    }

    /// The commit is durable: its messages become visible, its locks go, its deletions may begin.
    fn committed(&mut self, id: WorkId, reply: Option<(ConnectionId, Reply)>) -> Result<(), CoreError> {
        if let Some(work) = self.works.get(&id) {
            for operation in &work.operations {
                match operation {
                    Operation::Put { queue, place } => {
                        if let Some(queue) = self.catalog.queues.get_mut(queue) {
                            queue.index.set(*place, Visibility::Committed);
                        }
                    }
                    Operation::Got { queue, place, .. } => {
                        if let Some(queue) = self.catalog.queues.get_mut(queue) {
                            queue.index.remove(*place);
                        }
                    }
                    Operation::Delete { .. } => {}
                }
            }
            self.endings.push_back(id);
        }
        if let Some((connection, reply)) = reply {
            self.reply(connection, reply);
        }
        self.carry_out_endings().map(drop)
    }
}
