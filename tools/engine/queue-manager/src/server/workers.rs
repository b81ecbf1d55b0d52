//! Threads that wait for devices.

use std::sync::mpsc::{Sender, channel};

use engine_log::SyncPart;

use super::poll::EventSender;
use super::{Event, spawn};
use crate::{CoreError, Job};

/// Channels to the threads that run jobs; the threads end when this is dropped.
pub(super) struct Workers {
    log_syncs: [Sender<SyncPart>; 2],
    page_syncs: Sender<Job>,
    offloads: Sender<Job>,
    expansions: Sender<Job>,
}

impl Workers {
    pub(super) fn start(events: &EventSender) -> Result<Self, CoreError> {
        Ok(Self {
            log_syncs: [log_syncer("log-sync-1", events)?, log_syncer("log-sync-2", events)?],
            page_syncs: runner("page-sync", events)?,
            offloads: runner("offload", events)?,
            expansions: runner("expand", events)?,
        })
    }

    /// Has one copy of the log synced.
    pub(super) fn sync_log(&self, at: usize, part: SyncPart) {
        if let Some(thread) = self.log_syncs.get(at % 2) {
            // The threads end with this value alone, so the send cannot fail.
            let _ = thread.send(part);
        }
    }

    /// Has a job run.
    pub(super) fn run(&self, job: Job) {
        let thread = match &job {
            Job::LogSync(_) | Job::PageSync(_) => &self.page_syncs,
            Job::Offload(_) => &self.offloads,
            Job::Expand(_) | Job::Create(_) => &self.expansions,
        };
        let _ = thread.send(job);
    }
}

fn log_syncer(name: &str, events: &EventSender) -> Result<Sender<SyncPart>, CoreError> {
    let (sender, parts) = channel::<SyncPart>();
    let events = events.clone();
    spawn(name, move || {
        for part in parts {
            if !events.send(Event::LogPart(part.run())) {
                return;
            }
        }
    })?;
    Ok(sender)
}

fn runner(name: &str, events: &EventSender) -> Result<Sender<Job>, CoreError> {
    let (sender, jobs) = channel::<Job>();
    let events = events.clone();
    spawn(name, move || {
        for job in jobs {
            if !events.send(Event::Done(job.run())) {
                return;
            }
        }
    })?;
    Ok(sender)
}
