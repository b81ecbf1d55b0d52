//! Work that the core hands out: everything that may take long.

use engine_log::{OffloadJob, OffloadOutcome, OffloadStep, SyncJob, SyncOutcome};
use engine_page_store::{
    CreateJob, CreateOutcome, CreateStep, ExpandJob, ExpandOutcome, ExpandStep, PageSyncJob, PageSyncOutcome,
};

/// A piece of work that owns all that it needs. Run it on any thread, a step at a time, and give the outcome back to the core.
pub enum Job {
    /// Sync the log. Commits wait for it.
    LogSync(SyncJob),
    /// Sync a page set. A checkpoint waits for it.
    PageSync(PageSyncJob),
    /// Copy a full active log to its archives.
    Offload(Box<OffloadJob>),
    /// Format an extent of a page set.
    Expand(ExpandJob),
    /// Format a new page set.
    Create(Box<CreateJob>),
}

/// The outcome of a [`Job`].
#[derive(Debug)]
pub enum JobDone {
    /// Of a log sync.
    LogSync(SyncOutcome),
    /// Of a page set sync.
    PageSync(PageSyncOutcome),
    /// Of an offload.
    Offload(OffloadOutcome),
    /// Of the formatting of an extent.
    Expand(ExpandOutcome),
    /// Of the formatting of a page set.
    Create(CreateOutcome),
}

impl Job {
    /// Does one bounded step. Gives the job back while there is more to do.
    ///
    /// # Errors
    /// Never fails: failures are part of the outcome.
    pub fn step(self) -> Result<JobDone, Self> {
        match self {
            Self::LogSync(job) => Ok(JobDone::LogSync(job.run())),
            Self::PageSync(job) => Ok(JobDone::PageSync(job.run())),
            Self::Offload(mut job) => match job.step() {
                OffloadStep::Done(outcome) => Ok(JobDone::Offload(outcome)),
                OffloadStep::More => Err(Self::Offload(job)),
            },
            Self::Expand(mut job) => match job.step() {
                ExpandStep::Done(outcome) => Ok(JobDone::Expand(outcome)),
                ExpandStep::More => Err(Self::Expand(job)),
            },
            Self::Create(mut job) => match job.step() {
                CreateStep::Done(outcome) => Ok(JobDone::Create(outcome)),
                CreateStep::More => Err(Self::Create(job)),
            },
        }
    }

    /// Does all of it.
    #[must_use]
    pub fn run(self) -> JobDone {
        let mut job = self;
        loop {
            match job.step() {
                Ok(done) => return done,
                Err(rest) => job = rest,
            }
        }
    }
}
