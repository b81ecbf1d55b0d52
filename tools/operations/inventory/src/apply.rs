//! Applying a plan: what nothing needs is deleted, and nothing else.
//!
//! Order of writes: the archives are marked as being deleted in both copies of the BSDS; their files are removed, each only when its
//! own first control interval says that it is that archive; the directory is synced; their entries are dropped and what they held is
//! noted as holes. So a run that ends anywhere in between leaves entries that are marked, and the next run finishes them - after it has
//! asked once more whether they are needed.
//!
//! What goes is decided on the facts of this moment. Of a queue manager that is down the directory's lock is held from before they are
//! read until all is done. A running one checks with the marking that they are still the same; when they are not, everything is decided
//! again.

use std::path::Path;
use std::time::{Duration, Instant};

use engine_queue_manager::client::{Client, ClientError};
use engine_queue_manager::{ChangeError, CoreError, change_bsds, change_under_lock, server};
use engine_storage::{FileLock, SharedStorage};
use format_bsds::ArchiveLog;
use format_inventory::{Inventory, Plan};
use format_protocol::Request;
use format_types::{ArchiveReference, Timestamp};
use operation_retention::Policy;

use crate::applied::{Applied, ApplyError, Gone, Stays};
use crate::decision::{Decision, Stage, decide};
use crate::deletion::{Deleted, Fate, delete, last_inventories};
use crate::facts::{Facts, read_at_rest, read_source};

/// Archives that are named in one request to a running queue manager: they fit into a frame.
const AT_ONCE: usize = 100_000;

/// How often everything is decided again because the facts have changed.
const ATTEMPTS: u32 = 20;

/// The refusal of a running queue manager whose facts are others by now.
const OTHER_FACTS: &str = "HWT488E";

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
    },
}

impl Door {
    fn at_once(&self) -> usize {
        match self {
            Self::Live => AT_ONCE,
            Self::AtRest { .. } => usize::MAX,
        }
    }
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
    let door = open(site)?;
    run(site, &door, orders, look, progress)
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
    let door = Door::AtRest { _lock: server::lock(site.storage, site.dir)? };
    run(site, &door, orders, look, progress)
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
        engine_log::read_bsds(site.storage, site.dir).map_err(CoreError::from)?;
        match server::lock(site.storage, site.dir) {
            Ok(lock) => return Ok(Door::AtRest { _lock: lock }),
            Err(CoreError::InUse(_)) if started.elapsed() < site.timeout => std::thread::sleep(PAUSE),
            Err(error) => return Err(error.into()),
        }
    }
}

fn run(
    site: &Site<'_>,
    door: &Door,
    orders: &Orders<'_>,
    look: &mut Look<'_>,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<Applied, ApplyError> {
    let first = read(site, door)?;
    let mut applied = Applied::new(&first, matches!(door, Door::Live), orders);
    // What was read and not acted on is good for the next stage.
    let mut known = Some(first);
    let mut attempts = 0;
    for stage in [Stage::Finish, Stage::Apply] {
        loop {
            let mut facts = match known.take() {
                Some(facts) => facts,
                None => read(site, door)?,
            };
            if stage == Stage::Finish && !facts.bsds.archives.iter().any(|archive| archive.deleting) {
                known = Some(facts);
                break;
            }
            if orders.policy.copy2_shorter {
                facts.verify_copy1(site.storage, site.dir);
            }
            if orders.policy.restart_within.is_some() {
                facts.measure_reading(site.storage, site.dir);
            }
            let decision =
                decide(&facts, orders.policy, orders.plan, stage, |inventory, plan, decision| {
                    if stage == Stage::Apply {
                        let decided = Decided { facts: &facts, inventory, plan, decision: &decision };
                        look(&decided).map_err(ApplyError::Stopped)?;
                    }
                    Ok::<_, ApplyError>(decision)
                })??;
            if orders.dry_run {
                applied.would(&facts, &decision);
                known = Some(facts);
                break;
            }
            match carry_out(site, door, orders, &facts, &decision, &mut applied, progress) {
                Err(ApplyError::Change(error)) if is_other_facts(&error) && attempts < ATTEMPTS => {
                    attempts += 1;
                }
                done => {
                    done?;
                    break;
                }
            }
        }
    }
    if let Door::AtRest { .. } = door
        && applied.deleted.is_empty()
        && applied.missing.is_empty()
        && !orders.dry_run
    {
        // A run that was stopped between the two copies of the BSDS may have left nothing to do but this.
        let nothing = Request::SettleArchives { gone: Vec::new(), kept: Vec::new() };
        change(site, door, &nothing, &mut applied.messages)?;
    }
    Ok(applied)
}

fn read(site: &Site<'_>, door: &Door) -> Result<Facts, ApplyError> {
    Ok(match door {
        Door::Live => read_source(site.storage, site.dir, site.application, site.timeout, site.now)?.facts,
        Door::AtRest { .. } => read_at_rest(site.storage, site.dir, site.now)?,
    })
}

/// Changes the BSDS; what is said of its copies goes to `said`.
fn change(
    site: &Site<'_>,
    door: &Door,
    request: &Request,
    said: &mut Vec<String>,
) -> Result<(), ChangeError> {
    let changed = match door {
        Door::Live => change_bsds(site.storage, site.dir, request, site.application, site.timeout, site.now),
        Door::AtRest { .. } => change_under_lock(site.storage, site.dir, request, site.now),
    }?;
    said.extend(changed.messages);
    Ok(())
}

fn is_other_facts(error: &ChangeError) -> bool {
    matches!(error, ChangeError::Client(ClientError::Refused { id, .. }) if id == OTHER_FACTS)
}

/// Marks, deletes, settles.
fn carry_out(
    site: &Site<'_>,
    door: &Door,
    orders: &Orders<'_>,
    facts: &Facts,
    decision: &Decision,
    applied: &mut Applied,
    progress: &(dyn Fn(usize) + Sync),
) -> Result<(), ApplyError> {
    let archive = |place: &usize| facts.bsds.archives.get(*place);
    let doomed: Vec<&ArchiveLog> = decision.doomed.iter().filter_map(archive).collect();
    let spared: Vec<ArchiveReference> =
        decision.spared.iter().filter_map(archive).map(ArchiveLog::reference).collect();
    mark(site, door, &doomed, facts.bsds.facts(), &mut applied.messages)?;
    let queue_manager = facts.bsds.queue_manager;
    let stay = last_inventories(site.storage, site.dir, &facts.bsds, &doomed);
    let fates = delete(site.storage, site.dir, queue_manager, &doomed, &stay, orders.threads, progress);
    if fates.iter().any(|deleted| deleted.fate == Fate::Deleted) {
        // Until this is done nothing says that they are gone: their entries stay marked.
        site.storage.sync_dir(site.dir).map_err(|error| ApplyError::NotSynced(error.to_string()))?;
    }
    let (mut gone, mut kept) = (Vec::new(), spared);
    for (archive, Deleted { fate, .. }) in doomed.iter().zip(&fates) {
        let list = if matches!(fate, Fate::Stays(_)) { &mut kept } else { &mut gone };
        list.push(archive.reference());
    }
    settle(site, door, &gone, &kept, &mut applied.messages).map_err(ApplyError::NotSettled)?;
    for place in &decision.spared {
        applied.spared.extend(archive(place).map(|archive| archive.name.clone()));
    }
    for ((place, archive), Deleted { fate, beside }) in decision.doomed.iter().zip(&doomed).zip(fates) {
        match fate {
            Fate::Deleted => applied.deleted.extend(Gone::of(facts, *place)),
            Fate::Missing => applied.missing.push(archive.name.clone()),
            Fate::Stays(why) => applied.stays.push(Stays { name: archive.name.clone(), why }),
        }
        applied.stays.extend(beside.map(|why| Stays { name: archive.bsds_name.clone(), why }));
    }
    applied.note(decision);
    Ok(())
}

/// Marks all of them; when it is refused half-way, none.
fn mark(
    site: &Site<'_>,
    door: &Door,
    doomed: &[&ArchiveLog],
    facts: u64,
    said: &mut Vec<String>,
) -> Result<(), ChangeError> {
    let mut marked: Vec<ArchiveReference> = Vec::new();
    for some in doomed.chunks(door.at_once()) {
        let archives: Vec<ArchiveReference> = some.iter().map(|archive| archive.reference()).collect();
        let request = Request::MarkArchives { archives: archives.clone(), facts };
        if let Err(error) = change(site, door, &request, said) {
            // Those that an earlier run had marked stay so: whether they go is asked again.
            let known = doomed.iter().filter(|archive| archive.deleting).map(|archive| archive.name.as_str());
            let known: std::collections::HashSet<&str> = known.collect();
            marked.retain(|archive| !known.contains(archive.name.as_str()));
            if !marked.is_empty() {
                settle(site, door, &[], &marked, said)?;
            }
            return Err(error);
        }
        marked.extend(archives);
    }
    Ok(())
}

fn settle(
    site: &Site<'_>,
    door: &Door,
    gone: &[ArchiveReference],
    kept: &[ArchiveReference],
    said: &mut Vec<String>,
) -> Result<(), ChangeError> {
    for some in gone.chunks(door.at_once()) {
        let request = Request::SettleArchives { gone: some.to_vec(), kept: Vec::new() };
        change(site, door, &request, said)?;
    }
    for some in kept.chunks(door.at_once()) {
        let request = Request::SettleArchives { gone: Vec::new(), kept: some.to_vec() };
        change(site, door, &request, said)?;
    }
    Ok(())
}
