//! What commands need of the core.

use engine_page_store::{Inserted, PageError, UnitLink};
use format_bsds::{Bsds, PageSetEntry};
use format_listing::{CopyStatus, LogStatus, OffloadState};
use format_log::Body;
use format_pageset::ObjectRecord;
use format_types::{Expand, PageSetId, RbaRange, UnitState, Urid};

use super::work::{Work, WorkId};
use super::{ConnectionId, Core, State, network_id};
use crate::catalog::Catalog;
use crate::command::{Answer, refuse};
use crate::{CoreError, JobDone};

/// A row of DISPLAY CONN.
pub(crate) struct ConnectionRow {
    pub(crate) id: String,
    pub(crate) application: String,
    pub(crate) urid: Urid,
    pub(crate) state: Option<UnitState>,
    /// The coordinator's name of a unit in doubt.
    pub(crate) network_id: String,
    pub(crate) log_data_set: String,
}

impl Core {
    /// The inventory of logs, checkpoints and recovery points.
    #[must_use]
    pub fn bsds(&self) -> &Bsds {
        self.log.bsds()
    }

    pub(crate) fn catalog(&self) -> &Catalog {
        &self.catalog
    }

    pub(crate) fn catalog_mut(&mut self) -> &mut Catalog {
        &mut self.catalog
    }

    /// A unit of work for a command.
    pub(crate) fn new_command_work(&mut self, connection: Option<ConnectionId>) -> WorkId {
        match connection {
            Some(connection) => self.new_work(connection),
            None => self.insert_work(Work::new("SYSTEM".to_owned())),
        }
    }

    pub(crate) fn with_work(&mut self, id: WorkId, change: impl FnOnce(&mut Work)) {
        if let Some(work) = self.works.get_mut(&id) {
            change(work);
        }
    }

    pub(crate) fn insert_object(
        &mut self,
        link: &mut UnitLink,
        record: &ObjectRecord,
    ) -> Result<Inserted, PageError> {
        self.store.insert_object(&mut self.log, link, record)
    }

    pub(crate) fn append_for(&mut self, link: UnitLink, body: &Body<'_>) -> Result<RbaRange, CoreError> {
        Ok(self.log.append(link.urid, link.last, body)?)
    }

    /// Commits a command's unit and waits for the log here: commands are rare.
    pub(crate) fn commit_now(&mut self, id: WorkId) -> Result<(), CoreError> {
        self.commit(id, None, |rba| format_protocol::Reply::Committed { rba })?;
        self.log.sync_now()?;
        self.synced()
    }

    pub(crate) fn has_page_set(&self, page_set: PageSetId) -> bool {
        self.page_set_entries().iter().any(|entry| entry.page_set == page_set)
    }

    pub(crate) fn page_set_entries(&self) -> &[PageSetEntry] {
        &self.log.bsds().page_sets
    }

    pub(crate) fn alter_page_set(&mut self, page_set: PageSetId, expand: Expand) -> Result<(), CoreError> {
        self.store.alter_expand(page_set, expand);
        self.log.update_bsds(|bsds| {
            for entry in &mut bsds.page_sets {
                if entry.page_set == page_set {
                    entry.expand = expand;
                }
            }
        })?;
        Ok(())
    }

    /// Forgets a page set and removes its file. Refused while it holds messages or is being worked on.
    pub(crate) fn remove_page_set(&mut self, page_set: PageSetId) -> Result<Answer, CoreError> {
        if !self.store.is_online(page_set) {
            return Ok(refuse(
                "CSQP047E",
                format!("PSID({page_set}) IS OFFLINE: it may hold messages; START PSID({page_set}) first"),
            ));
        }
        // A queue's messages stay where they are when its storage class moves to another page set.
        let held = self
            .catalog
            .queues
            .values()
            .find(|queue| queue.index.is_on(page_set))
            .map(|queue| queue.definition.name.clone());
        if let Some(queue) = held {
            return Ok(refuse(
                "CSQP046E",
                format!("PSID({page_set}) HOLDS MESSAGES OF QLOCAL({queue}): get them first"),
            ));
        }
        let busy = self.checkpoint.is_some()
            || self.expansions_under_way.contains(&page_set)
            || !self.returning.is_empty()
            || !self.works.is_empty()
            || !self.log.bsds().backups_in_progress.is_empty();
        if busy {
            return Ok(refuse(
                "CSQP047E",
                format!(
                    "PSID({page_set}) IS BUSY: units of recovery, a checkpoint or a backup use it; try again"
                ),
            ));
        }
        // A power cut must not take back that the units which used it are over: a restart would have to end them on it.
        self.log.sync_now()?;
        // The BSDS first: a file that nobody lists is harmless, a listed page set without a file stops a start.
        self.log.update_bsds(|bsds| bsds.page_sets.retain(|entry| entry.page_set != page_set))?;
        self.store.remove_page_set(page_set)?;
        Ok(Ok(Vec::new()))
    }

    pub(crate) fn connection_rows(&self) -> Vec<ConnectionRow> {
        let row = |id: String, application: &str, work: Option<&Work>| {
            let link = work.and_then(|work| work.link);
            ConnectionRow {
                id,
                application: application.to_owned(),
                urid: link.map_or(Urid::NONE, |link| link.urid),
                state: work.map(|work| work.state),
                network_id: work.map(|work| network_id(&work.xid)).unwrap_or_default(),
                log_data_set: link
                    .and_then(|link| self.log.bsds().data_set_holding(link.urid.0, 1))
                    .unwrap_or_default()
                    .to_owned(),
            }
        };
        let connected = self.connections.iter().map(|(id, connection)| {
            let work = connection.work.and_then(|work| self.works.get(&work));
            row(format!("{:016X}", id.0), &connection.application, work)
        });
        // Units in doubt outlive their connections, and so do those whose end waits for a page set.
        let left = self
            .works
            .values()
            .filter(|work| work.state == UnitState::InDoubt || work.stalled)
            .map(|work| row(format!("{}", work.link_or_none().urid), &work.connection, Some(work)));
        connected.chain(left).collect()
    }

    /// What DISPLAY LOG shows.
    pub(crate) fn log_status(&self) -> LogStatus {
        let bsds = self.log.bsds();
        let copy = |copy: u8| {
            // One that is not written has no data set that is current.
            let written = bsds.current_active(copy).filter(|active| bsds.lacks_from(active).is_none());
            written.map(|active| {
                let used = active.range.map_or(0, |range| self.log.end().since(range.start));
                CopyStatus {
                    data_set: active.name.clone(),
                    percent_full: (used * 100 / active.size.max(1)).min(100) as u8,
                }
            })
        };
        let to_offload = bsds
            .actives(1)
            .filter(|active| {
                active.range.is_some_and(|range| !range.is_empty() && range.end <= self.log.end())
            })
            .filter(|active| {
                !active.status.is_available()
                    && bsds.current_active(1).is_none_or(|current| current.name != active.name)
            })
            .count();
        LogStatus {
            copies: [copy(1), copy(2)],
            restarted_at: self.started,
            restart_rba: self.restart_read.0.start,
            latest: self.log.end(),
            offload: if self.log.offload_under_way() {
                OffloadState::CopyingLog
            } else {
                OffloadState::Available
            },
            full: to_offload,
            data_sets: bsds.actives(1).count(),
        }
    }

    /// Works, and runs all jobs here, until the queue manager has stopped: after [`Self::stop`], where no threads are.
    ///
    /// # Errors
    /// When it ends by failure, or cannot stop because something that is under way never ends.
    pub fn run_to_stop(&mut self) -> Result<(), CoreError> {
        let mut idle = 0;
        while self.state == State::Quiescing || self.state == State::Running {
            let more = self.work();
            let jobs = self.take_jobs();
            idle = if more || !jobs.is_empty() { 0 } else { idle + 1 };
            for job in jobs {
                let done: JobDone = job.run();
                self.finish(done);
            }
            if idle > 2 {
                return Err(CoreError::Contradiction(
                    "THE QUEUE MANAGER CANNOT STOP: a unit of recovery is still under way".to_owned(),
                ));
            }
        }
        if self.state == State::Failed {
            let said = self.messages.join("; ");
            return Err(CoreError::Contradiction(format!("THE QUEUE MANAGER ENDED: {said}")));
        }
        Ok(())
    }
}
