//! What becomes of a request: a reply now, a reply later, or a wait for room.

use format_bsds::{BackupInProgress, RecoveryPointEntry};
use format_log::Body;
use format_protocol::{Reply, Request, VERSION as PROTOCOL_VERSION};
use format_types::{ConditionCode, Rba};

use super::message::{Put, refused};
use super::{ConnectionId, Core, State, Waiting};
use crate::CoreError;
use crate::command;

/// What became of a request.
#[expect(
    clippy::large_enum_variant,
    reason = "moved a few times; a box would be an allocation for each request"
)]
pub(crate) enum Outcome {
    /// The reply.
    Reply(Reply),
    /// The reply comes when something is synced, archived or stopped.
    Later,
    /// No room now; it is tried again when there may be.
    Park(Shortage),
}

/// What a request waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shortage {
    /// Room in the log or its buffer.
    Log,
    /// An expansion of a page set.
    PageSet,
    /// The end of ARCHIVE LOG MODE(QUIESCE).
    Quiesce,
}

/// Log kept back for each unit of recovery, for the records that commit and end it.
const UNIT_RESERVE: u64 = 256;

fn was_backed_out() -> Outcome {
    refused(
        "HWT440E",
        "THE UNIT OF RECOVERY WAS BACKED OUT (MQRC 2003): nothing of it is committed; back out and begin again"
            .to_owned(),
    )
}

impl Core {
    /// Takes a request of a connection; its one reply comes by [`Self::take_replies`], now or later. A connection has one request under
    /// way.
    pub fn request(&mut self, connection: ConnectionId, request: Request) {
        if let Some(known) = self.connections.get_mut(&connection) {
            known.waits = true;
        }
        if self.state == State::Failed || self.state == State::Stopped {
            self.reply(
                connection,
                super::error_reply(ConditionCode::Severe, "HWT430E", "THE QUEUE MANAGER HAS ENDED"),
            );
            return;
        }
        // Whoever needs log waits behind those that wait for log already: else small requests would keep a large one waiting forever.
        let queued = matches!(request, Request::Put { .. } | Request::Get { .. })
            && self.parked.iter().any(|(_, _, shortage)| *shortage == Shortage::Log);
        if queued {
            self.parked.push_back((connection, request, Shortage::Log));
            return;
        }
        match self.or_fail(|core| core.handle(connection, &request)) {
            Some(Outcome::Reply(reply)) => self.reply(connection, reply),
            // Where the queue manager ended, whoever waited was told.
            Some(Outcome::Later) | None => {}
            Some(Outcome::Park(shortage)) => self.parked.push_back((connection, request, shortage)),
        }
    }

    /// Tries parked requests again, oldest first; once one has to wait for log still, those behind it wait too.
    pub(super) fn retry_parked(&mut self) {
        let mut log_is_short = false;
        for (connection, request, shortage) in std::mem::take(&mut self.parked) {
            if log_is_short && shortage == Shortage::Log {
                self.parked.push_back((connection, request, shortage));
                continue;
            }
            match self.or_fail(|core| core.handle(connection, &request)) {
                Some(Outcome::Reply(reply)) => self.reply(connection, reply),
                Some(Outcome::Later) | None => {}
                Some(Outcome::Park(shortage)) => {
                    log_is_short |= shortage == Shortage::Log;
                    self.parked.push_back((connection, request, shortage));
                }
            }
        }
    }

    /// A page set that is offline refuses what needs it, and nothing else.
    fn handle(&mut self, connection: ConnectionId, request: &Request) -> Result<Outcome, CoreError> {
        match self.dispatch(connection, request) {
            Err(CoreError::Page(engine_page_store::PageError::Offline { page_set, .. })) => Ok(refused(
                "HWT439E",
                format!(
                    "PAGE SET {page_set} IS OFFLINE (MQRC 2193): repair or restore it, then START PSID({page_set})"
                ),
            )),
            outcome => outcome,
        }
    }

    fn dispatch(&mut self, connection: ConnectionId, request: &Request) -> Result<Outcome, CoreError> {
        if self.state == State::Quiescing
            && matches!(request, Request::Put { .. } | Request::Get { .. } | Request::RegisterBackup { .. })
        {
            return Ok(refused(
                "HWT431E",
                "THE QUEUE MANAGER IS QUIESCING (MQRC 2161): no new work is taken".to_owned(),
            ));
        }
        if matches!(
            request,
            Request::Put { syncpoint: true, .. }
                | Request::Get { syncpoint: true, .. }
                | Request::Prepare { .. }
        ) && self.connections.get(&connection).is_some_and(|known| known.backed_out)
        {
            return Ok(was_backed_out());
        }
        if self.waits_for_quiesce(connection, request) {
            return Ok(Outcome::Park(Shortage::Quiesce));
        }
        match request {
            Request::Hello { version, application } => {
                if *version != PROTOCOL_VERSION {
                    return Ok(refused(
                        "HWT432E",
                        format!(
                            "PROTOCOL VERSION {version} IS NOT SPOKEN here: this queue manager speaks {PROTOCOL_VERSION}; use programs of its release"
                        ),
                    ));
                }
                if let Some(known) = self.connections.get_mut(&connection) {
                    known.application = application.clone();
                }
                let bsds = self.log.bsds();
                Ok(Outcome::Reply(Reply::Hello {
                    name: bsds.name.clone(),
                    id: bsds.queue_manager,
                    version: PROTOCOL_VERSION,
                }))
            }
            Request::Put { queue, priority, persistent, syncpoint, body } => self.put(
                connection,
                Put {
                    queue: queue.clone(),
                    priority: *priority,
                    persistent: *persistent,
                    syncpoint: *syncpoint,
                    body,
                },
            ),
            Request::Get { queue, syncpoint, message_id } => {
                self.get(connection, queue, *syncpoint, *message_id)
            }
            Request::Browse { queue, after } => self.browse(queue, *after),
            Request::Commit => self.commit_connection(connection),
            Request::Backout => {
                let known = self.connections.get_mut(&connection);
                let work = known.and_then(|known| {
                    known.backed_out = false;
                    known.work.take()
                });
                match work {
                    Some(work) => {
                        self.begin_backout(work, Some((connection, Reply::BackedOut)));
                        Ok(Outcome::Later)
                    }
                    None => Ok(Outcome::Reply(Reply::BackedOut)),
                }
            }
            Request::Prepare { xid } => self.prepare(connection, xid.clone()),
            Request::Mqsc { text } => command::run(self, connection, text),
            Request::Usage => Ok(Outcome::Reply(Reply::Usage(self.durable_usage()?))),
            Request::Definitions => Ok(Outcome::Reply(Reply::Definitions(command::definitions(self)))),
            Request::RegisterBackup { name } => self.register_backup(connection, name),
            Request::FinishBackup { entry } => self.finish_backup(connection, entry),
            Request::AbandonBackup => {
                if let Some(name) =
                    self.connections.get_mut(&connection).and_then(|known| known.backup.take())
                {
                    self.forget_backup(&name);
                }
                Ok(Outcome::Reply(Reply::Abandoned))
            }
            Request::ArchiveLog { quiesce, wait_offload, cancel_offload } => {
                if *cancel_offload {
                    return Ok(self.cancel_offload_for_program());
                }
                match quiesce {
                    Some(seconds) => {
                        let waiting = Waiting::Request { offload: *wait_offload };
                        Ok(self.archive_log_quiesced(connection, *seconds, waiting))
                    }
                    None => self.archive_log(connection, *wait_offload),
                }
            }
            Request::Status => Ok(Outcome::Reply(self.status())),
            Request::Stop { force } => {
                self.stop(*force);
                self.stop_waits.push(connection);
                Ok(Outcome::Later)
            }
            Request::Applications => Ok(Outcome::Reply(self.applications(connection))),
            Request::StopWhenAlone { allow_unresolved } => {
                Ok(self.stop_when_alone(connection, *allow_unresolved))
            }
            Request::HoldPoint { .. }
            | Request::ReleasePoint { .. }
            | Request::ForgetPoint { .. }
            | Request::NotePoint { .. }
            | Request::MarkArchives { .. }
            | Request::SettleArchives { .. } => self.change_inventory(request),
        }
    }

    fn commit_connection(&mut self, connection: ConnectionId) -> Result<Outcome, CoreError> {
        let Some(known) = self.connections.get_mut(&connection) else {
            return Ok(Outcome::Reply(Reply::Committed { rba: Rba::ZERO }));
        };
        if std::mem::take(&mut known.backed_out) {
            return Ok(was_backed_out());
        }
        // The committing record fits the reserve that puts leave; it never waits for an offload.
        match known.work.take() {
            Some(work) => {
                self.commit(work, Some(connection), |rba| Reply::Committed { rba })?;
                Ok(Outcome::Later)
            }
            None => Ok(Outcome::Reply(Reply::Committed { rba: Rba::ZERO })),
        }
    }

    /// Log kept back from puts and gets: every unit must be able to log its commit or its end, however many there are.
    pub(super) fn log_kept(&self) -> u64 {
        2 * self.ending_reserve() + self.works.len() as u64 * UNIT_RESERVE
    }

    /// Whether `bytes` more of log must be waited for; refuses what could never fit.
    pub(crate) fn wants_log(&mut self, bytes: u64) -> Option<Outcome> {
        let kept = self.log_kept();
        let at_most = self.log_at_most();
        if bytes + 2 * self.ending_reserve() > at_most {
            return Some(refused(
                "HWT434E",
                format!(
                    "THE LOG IS TOO SMALL for {bytes} bytes in one step: its active data sets hold {}",
                    self.log.capacity()
                ),
            ));
        }
        if self.log.space_left() < (bytes + kept).min(at_most) {
            if self.state == State::Quiescing {
                return Some(refused(
                    "HWT431E",
                    "THE QUEUE MANAGER IS QUIESCING (MQRC 2161) and its log is full".to_owned(),
                ));
            }
            if !self.out_of_log_said {
                self.out_of_log_said = true;
                self.say("CSQJ111A", "OUT OF SPACE IN ACTIVE LOG DATA SETS");
            }
            return Some(Outcome::Park(Shortage::Log));
        }
        if !self.buffer_takes(bytes + self.ending_reserve()) {
            self.log_sync_wanted = true;
            return Some(Outcome::Park(Shortage::Log));
        }
        None
    }

    fn register_backup(&mut self, connection: ConnectionId, name: &str) -> Result<Outcome, CoreError> {
        if self.log.bsds().backups_in_progress.iter().any(|backup| backup.name == name)
            || self.log.bsds().recovery_points.iter().any(|point| point.name == name)
        {
            return Ok(refused(
                "HWT435E",
                format!("RECOVERY POINT {name} IS THERE ALREADY: choose another name"),
            ));
        }
        if let Some(other) = self.connections.get(&connection).and_then(|known| known.backup.clone()) {
            return Ok(refused(
                "HWT442E",
                format!(
                    "BACKUP {other} IS REGISTERED by this connection already: finish or abandon it first"
                ),
            ));
        }
        // What a recovery will read from here must be on disk before anything relies on it.
        let usage = self.durable_usage()?;
        let start = self.log.end();
        let entry = BackupInProgress {
            name: name.to_owned(),
            started: self.now,
            system_recovery_rba: usage.system_recovery.lowest().rba,
            start_rba: start,
        };
        self.log.update_bsds(|bsds| bsds.backups_in_progress.push(entry))?;
        if let Some(known) = self.connections.get_mut(&connection) {
            known.backup = Some(name.to_owned());
        }
        let bsds = self.log.bsds();
        let page_sets = bsds.page_sets.iter().map(|set| set.page_set).collect();
        let history = bsds.history();
        Ok(Outcome::Reply(Reply::Backup { usage, start, history, page_sets }))
    }

    fn finish_backup(
        &mut self,
        connection: ConnectionId,
        entry: &format_protocol::PointRegistration,
    ) -> Result<Outcome, CoreError> {
        let known = self.connections.get_mut(&connection);
        let Some(known) = known.filter(|known| known.backup.as_deref() == Some(entry.name.as_str())) else {
            return Ok(refused(
                "HWT436E",
                format!("NO BACKUP {} IS REGISTERED by this connection: register it first", entry.name),
            ));
        };
        known.backup = None;
        let point: RecoveryPointEntry = command::point_entry(entry);
        self.log.update_bsds(|bsds| {
            bsds.backups_in_progress.retain(|backup| backup.name != entry.name);
            bsds.recovery_points.push(point);
        })?;
        let bsds = self.log.bsds();
        let image = format_bsds::encode_file(bsds, format_bsds::least_capacity(bsds)).unwrap_or_default();
        Ok(Outcome::Reply(Reply::BackupFinished { bsds: image }))
    }

    /// Drops a registered backup that will not be finished.
    pub(super) fn forget_backup(&mut self, name: &str) {
        self.or_fail(|core| {
            core.log.update_bsds(|bsds| bsds.backups_in_progress.retain(|backup| backup.name != name))?;
            Ok(())
        });
    }

    fn status(&self) -> Reply {
        let state = match self.state {
            _ if self.out_of_log_said => "WAITING FOR LOG",
            State::Running => "RUNNING",
            State::Quiescing => "QUIESCING",
            State::Stopped => "STOPPED",
            State::Failed => "FAILED",
        };
        Reply::Status {
            name: self.log.bsds().name.clone(),
            state: state.to_owned(),
            pid: std::process::id(),
            log_end: self.log.end(),
            connections: self.connections.len() as u32,
            units: self.unit_usages().len() as u32,
            started: self.started,
        }
    }

    /// Appends a record of no unit.
    pub(super) fn append_system(&mut self, body: &Body<'_>) -> Result<Rba, CoreError> {
        Ok(self.log.append(format_types::Urid::NONE, Rba::ZERO, body)?.end)
    }
}
