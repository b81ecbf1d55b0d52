//! What the core does beside requests: syncs, checkpoints, offload, expansion.

use engine_page_store::PageError;
use engine_recovery::{Checkpoint, CheckpointPhase};
use format_protocol::Reply;
use format_types::PageSetId;

use super::{Core, State};
use crate::{CoreError, Job, JobDone};

/// Failed offloads in a row after which the next one waits.
const OFFLOAD_RETRIES: u32 = 3;

/// How long it waits, in microseconds.
const OFFLOAD_PAUSE: u64 = 10_000_000;

impl Core {
    /// Takes the outcome of a job in.
    pub fn finish(&mut self, done: JobDone) {
        self.jobs_out = self.jobs_out.saturating_sub(1);
        self.or_fail(|core| core.finish_job(done));
    }

    fn finish_job(&mut self, done: JobDone) -> Result<(), CoreError> {
        match done {
            JobDone::LogSync(outcome) => {
                self.log_sync_under_way = false;
                self.log.keep_back(self.log_kept());
                self.log.finish_sync(outcome)?;
                self.synced()?;
            }
            JobDone::PageSync(outcome) if self.store.is_of_return(&outcome) => {
                let page_set = outcome.page_set();
                self.or_offline(|core| core.store.finish_sync(outcome))?;
                if self.store.is_returning(page_set) {
                    self.return_synced(page_set);
                }
            }
            JobDone::PageSync(outcome) => match &mut self.checkpoint {
                Some(checkpoint) => checkpoint.page_synced(&mut self.store, outcome)?,
                None => self.or_offline(|core| core.store.finish_sync(outcome))?,
            },
            JobDone::Offload(outcome) => {
                if outcome.is_success() {
                    self.offload_failures = 0;
                    self.out_of_log_said = false;
                } else if !outcome.is_cancelled() {
                    self.offload_failures += 1;
                    if self.offload_failures >= OFFLOAD_RETRIES {
                        self.offload_not_before = self.log.elapsed() + OFFLOAD_PAUSE;
                    }
                }
                self.log.finish_offload(outcome)?;
                let archived = self.log.bsds().highest_offloaded;
                let waits = std::mem::take(&mut self.archive_waits);
                for wait in waits {
                    if wait.end <= archived {
                        self.reply(wait.connection, Reply::LogArchived { end: wait.end, lines: wait.lines });
                    } else {
                        self.archive_waits.push(wait);
                    }
                }
            }
            JobDone::Create(outcome) => self.page_set_made(outcome)?,
            JobDone::Expand(outcome) => {
                let page_set = outcome.page_set();
                self.expansions_under_way.retain(|under_way| *under_way != page_set);
                self.or_offline(|core| core.store.finish_expansion(&mut core.log, outcome))?;
            }
        }
        Ok(())
    }

    /// A page set that goes offline is said on the console, and those who need it are refused; the others go on.
    pub(super) fn or_offline(
        &mut self,
        step: impl FnOnce(&mut Self) -> Result<(), PageError>,
    ) -> Result<(), CoreError> {
        match step(self) {
            Ok(()) | Err(PageError::Offline { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Completes what waited for the log to be synced.
    pub(super) fn synced(&mut self) -> Result<(), CoreError> {
        let synced = self.log.synced();
        self.complete_commits(synced)?;
        while self.prepares.front().is_some_and(|(up_to, ..)| *up_to <= synced) {
            if let Some((_, connection, _)) = self.prepares.pop_front() {
                self.reply(connection, Reply::Prepared);
            }
        }
        Ok(())
    }

    /// Does what can be done now without waiting, a bounded piece of it. True when more is left that waits for nothing.
    pub fn work(&mut self) -> bool {
        if matches!(self.state, State::Stopped | State::Failed) {
            return false;
        }
        self.or_fail(Self::work_step).unwrap_or(false)
    }

    fn work_step(&mut self) -> Result<bool, CoreError> {
        // An inline sync (write-ahead rule, log switch) may have overtaken the one that commits wait for.
        self.synced()?;
        let mut more = self.carry_out_endings()?;
        more |= self.step_return()?;
        self.step_quiesce()?;
        self.retry_parked();
        if self.state == State::Failed {
            return Ok(false);
        }
        self.report_long_running();
        self.start_checkpoint()?;
        more |= self.step_checkpoint()?;
        if self.log.elapsed() >= self.offload_not_before
            && let Some(job) = self.log.next_offload()
        {
            self.jobs.push(Job::Offload(Box::new(job)));
        }
        if let Some(page_set) = self.store.wants_expansion()
            && !self.expansions_under_way.contains(&page_set)
        {
            self.begin_expansion(page_set)?;
        }
        self.start_log_sync()?;
        self.stop_when_quiet()?;
        Ok(more)
    }

    fn start_log_sync(&mut self) -> Result<(), CoreError> {
        if self.log_sync_under_way {
            return Ok(());
        }
        let checkpoint_waits = self
            .checkpoint
            .as_ref()
            .and_then(Checkpoint::wants_log)
            .is_some_and(|rba| rba > self.log.synced());
        if self.log_sync_held && !checkpoint_waits {
            return Ok(());
        }
        let units_wait = !self.commits.is_empty() || !self.prepares.is_empty();
        if !self.log_sync_wanted && !checkpoint_waits && !units_wait {
            return Ok(());
        }
        self.log_sync_wanted = false;
        self.log.keep_back(self.log_kept());
        if let Some(job) = self.log.begin_sync()? {
            self.log_sync_under_way = true;
            self.jobs.push(Job::LogSync(job));
        } else {
            // An inline sync has covered what waits, perhaps after this was looked at before.
            self.synced()?;
        }
        Ok(())
    }

    fn start_checkpoint(&mut self) -> Result<(), CoreError> {
        if self.checkpoint.is_some() {
            return Ok(());
        }
        let records = self.log.records();
        let load = u64::from(self.log.bsds().settings.log_load);
        let switches = self.log.switches();
        if records.saturating_sub(self.records_at_checkpoint) < load
            && switches == self.switches_at_checkpoint
        {
            return Ok(());
        }
        let room = self.ending_reserve() / 2;
        if self.log.space_left() < room || !self.buffer_takes(room) {
            self.log_sync_wanted = true;
            return Ok(());
        }
        self.records_at_checkpoint = records;
        self.switches_at_checkpoint = switches;
        let units = self.checkpoint_units();
        self.checkpoint = Some(Checkpoint::begin(&mut self.log, &mut self.store, units)?);
        self.report_unresolved();
        Ok(())
    }

    /// One step of the checkpoint under way; true when another could follow at once.
    fn step_checkpoint(&mut self) -> Result<bool, CoreError> {
        let Some(mut checkpoint) = self.checkpoint.take() else { return Ok(false) };
        let mut syncs = Vec::new();
        if checkpoint.can_step(&self.log) {
            checkpoint.step(&mut self.log, &mut self.store, self.now, &mut syncs)?;
        }
        self.jobs.extend(syncs.into_iter().map(Job::PageSync));
        if checkpoint.phase() == CheckpointPhase::Done {
            let (begin, sequence) = (checkpoint.begin_rba(), self.log.bsds().sequence);
            self.say(
                "CSQP018I",
                &format!("CSQPBCKW CHECKPOINT COMPLETE, BEGIN RBA={begin}, BSDS SEQUENCE={sequence}"),
            );
            return Ok(false);
        }
        let more = checkpoint.can_step(&self.log);
        self.checkpoint = Some(checkpoint);
        Ok(more)
    }

    /// Starts to expand a page set; false when it does not grow.
    pub(super) fn begin_expansion(&mut self, page_set: PageSetId) -> Result<bool, CoreError> {
        if self.expansions_under_way.contains(&page_set) {
            return Ok(true);
        }
        match self.store.begin_expansion(page_set)? {
            Some(job) => {
                self.expansions_under_way.push(page_set);
                self.jobs.push(Job::Expand(job));
                Ok(true)
            }
            None => Ok(false),
        }
    }
}
