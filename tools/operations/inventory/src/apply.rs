//! Applying a plan to the queue manager in a directory, whether it runs or not: [`Applying`] says what is to be done, here it is done.
//!
//! Of a queue manager that is down the directory's lock is held from before its facts are read until all is done.

use std::path::Path;
use std::time::{Duration, Instant};

use engine_log::{BSDS_NAMES, BsdsAtRest};
use engine_queue_manager::client::{Client, ClientError};
use engine_queue_manager::{BsdsChanged, ChangeError, CoreError, change_bsds, change_under_lock, server};
use engine_storage::{FileLock, SharedStorage};
use format_inventory::{Inventory, Plan};
use format_protocol::Request;
use format_types::Timestamp;
use operation_retention::Policy;

use crate::applied::{Applied, ApplyError};
use crate::applying::{ApplyStep, Applying};
use crate::decision::Decision;
use crate::facts::{Facts, facts_at_rest, read_source};

/// Pause before one that is starting or ending is looked at again.
const PAUSE: Duration = Duration::from_millis(100);

/// What is to be applied.
#[derive(Debug, Clone, Copy)]
pub struct Orders<'o> {
    /// What is to be kept.
    pub policy: &'o Policy,
    /// When given, nothing goes but what it would delete.
    pub plan: Option<&'o Plan<'o>>,
    /// Everything but the marking and the deleting.
    pub dry_run: bool,
    /// Threads that delete.
    pub threads: usize,
}

/// Where it is applied.
#[derive(Clone, Copy)]
pub struct Site<'s> {
    /// Its files.
    pub storage: &'s SharedStorage,
    /// The queue manager's directory.
    pub dir: &'s Path,
    /// How a running queue manager sees the program.
    pub application: &'s str,
    /// Bounds every wait.
    pub timeout: Duration,
    /// The time.
    pub now: Timestamp,
}

/// What was decided, for somebody who looks at it before anything is deleted.
#[derive(Debug, Clone, Copy)]
pub struct Decided<'d> {
    /// The facts.
    pub facts: &'d Facts,
    /// The inventory made of them.
    pub inventory: &'d Inventory<'d>,
    /// The plan of this moment.
    pub plan: &'d Plan<'d>,
    /// What goes.
    pub decision: &'d Decision,
}

/// Looks at what was decided; its words stop it.
pub type Look<'l> = dyn FnMut(&Decided<'_>) -> Result<(), String> + 'l;

enum Door {
    /// It is asked over its socket.
    Live,
    /// It is down.
    AtRest {
        /// Held until all is done.
        _lock: Box<dyn FileLock>,
        /// The BSDS as it was read, and changed, since.
        bsds: Option<Box<BsdsAtRest>>,
    },
}

/// Applies `orders`, whether the queue manager runs or not. First what an earlier run has marked is finished. `look` is asked before
/// anything of this plan is marked; `progress` hears of archives deleted.
///
/// # Errors
/// When nothing was deleted of this plan, or it is not known whether what was removed is gone for good.
pub fn apply(
    site: &Site<'_>,
    orders: &Orders<'_>,
    look: &mut Look<'_>,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<Applied, ApplyError> {
    let mut door = open(site)?;
    run(site, &mut door, orders, look, progress)
}

/// The same where the queue manager is down; takes the directory's lock.
///
/// # Errors
/// As those of [`apply`].
pub fn apply_at_rest(
    site: &Site<'_>,
    orders: &Orders<'_>,
    look: &mut Look<'_>,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<Applied, ApplyError> {
    let mut door = Door::AtRest { _lock: server::lock(site.storage, site.dir)?, bsds: None };
    run(site, &mut door, orders, look, progress)
}

fn open(site: &Site<'_>) -> Result<Door, ApplyError> {
    let started = Instant::now();
    loop {
        match Client::connect(site.dir, site.application, site.timeout) {
            Ok(_) => return Ok(Door::Live),
            Err(ClientError::NotRunning { .. }) => {}
            Err(error) => return Err(ChangeError::from(error).into()),
        }
        // Taking the lock of what is no queue manager would make a file.
        let there = |name| site.storage.exists(&site.dir.join(name)).unwrap_or(false);
        if !BSDS_NAMES.iter().any(there) {
            engine_log::read_bsds(site.storage, site.dir).map_err(CoreError::from)?;
        }
        match server::lock(site.storage, site.dir) {
            Ok(lock) => return Ok(Door::AtRest { _lock: lock, bsds: None }),
            Err(CoreError::InUse(_)) if started.elapsed() < site.timeout => std::thread::sleep(PAUSE),
            Err(error) => return Err(error.into()),
        }
    }
}

fn run(
    site: &Site<'_>,
    door: &mut Door,
    orders: &Orders<'_>,
    look: &mut Look<'_>,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<Applied, ApplyError> {
    let live = matches!(door, Door::Live);
    let mut applying = Applying::begin(site.storage, site.dir, orders, live);
    loop {
        match applying.step(look, progress)? {
            ApplyStep::More => {}
            ApplyStep::Facts => applying.facts_are(read(site, door)?),
            ApplyStep::Change(request) => applying.answered(change(site, door, &request))?,
            ApplyStep::Done(applied) => return Ok(*applied),
        }
    }
}

fn read(site: &Site<'_>, door: &mut Door) -> Result<Facts, ApplyError> {
    Ok(match door {
        Door::Live => read_source(site.storage, site.dir, site.application, site.timeout, site.now)?.facts,
        Door::AtRest { bsds, .. } => {
            let read = BsdsAtRest::read(site.storage, site.dir).map_err(CoreError::from)?;
            let facts = facts_at_rest(site.storage, site.dir, read.bsds().clone(), site.now)?;
            *bsds = Some(Box::new(read));
            facts
        }
    })
}

fn change(site: &Site<'_>, door: &mut Door, request: &Request) -> Result<BsdsChanged, ChangeError> {
    let (storage, dir) = (site.storage, site.dir);
    match door {
        Door::Live => change_bsds(storage, dir, request, site.application, site.timeout, site.now),
        Door::AtRest { bsds, .. } => {
            let read = match bsds {
                Some(read) => read,
                None => bsds.insert(Box::new(BsdsAtRest::read(storage, dir)?)),
            };
            change_under_lock(read, storage, dir, request, site.now)
        }
    }
}
