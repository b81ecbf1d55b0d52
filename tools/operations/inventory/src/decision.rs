//! What goes of the present facts: by a policy, or of what a plan names only that.

use std::collections::{HashMap, HashSet};

use format_inventory::{Inputs, Inventory, Plan, WarningEntry};
use format_types::RbaRange;
use operation_retention::{InventoryError, Policy};

use crate::document::history_name;
use crate::facts::Facts;

/// Why a plan is not applied: nothing is deleted then. Each carries its message identifier.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotApplied {
    /// Nothing says what is to be kept.
    #[error(
        "HWT830E NOTHING SAYS WHAT IS TO BE KEPT, so nothing is deleted: give a policy, --keep-last 2 say, or a plan that was made by one"
    )]
    NoPolicy,
    /// Too much at once.
    #[error(
        "HWT831E {doomed} OF {all} ARCHIVES WOULD BE DELETED, {percent} PERCENT, --max-delete allows {allowed}: nothing is deleted. Look at the plan; a higher --max-delete deletes them"
    )]
    TooMuch {
        /// How many.
        doomed: u64,
        /// Of how many.
        all: u64,
        /// The share, rounded up.
        percent: u64,
        /// What is allowed.
        allowed: u8,
    },
    /// Something that it would delete is needed now.
    #[error(
        "HWT832E ARCHIVE {name} (copy {copy}) IS HELD NOW: {holder}; nothing is deleted. Make the plan again"
    )]
    Held {
        /// Its name.
        name: String,
        /// Log copy.
        copy: u8,
        /// Who holds it, the furthest back.
        holder: String,
    },
    /// Something that it would delete is something else now.
    #[error(
        "HWT833E ARCHIVE {name} (copy {copy}) IS NOT THE ONE OF THE PLAN: {why}; nothing is deleted. Make the plan again"
    )]
    Another {
        /// Its name.
        name: String,
        /// Log copy.
        copy: u8,
        /// What is different.
        why: String,
    },
    /// It is of somebody else.
    #[error("HWT834E THE PLAN IS OF QUEUE MANAGER {plan}, THIS IS {found}: nothing is deleted")]
    OtherQueueManager {
        /// Whose the plan is.
        plan: String,
        /// Whose the directory is.
        found: String,
    },
    /// What the facts say cannot be.
    #[error("HWT820E THE FACTS OF THE QUEUE MANAGER CANNOT BE USED: {0}; nothing is deleted")]
    Facts(#[from] InventoryError),
}

/// What is to be done.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Decision {
    /// What goes, as places in the list of archives of the BSDS.
    pub doomed: Vec<usize>,
    /// What of it an earlier run had marked already.
    pub marked: usize,
    /// Archives that an earlier run marked and that are needed: they are not marked any more.
    pub spared: Vec<usize>,
    /// What the plan names and is gone already.
    pub already_gone: u64,
    /// Archives that stay.
    pub kept: u64,
    /// What to look at.
    pub warnings: Vec<WarningEntry>,
}

/// Whether what earlier runs marked is settled, or what is to go now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    /// What is marked.
    Finish,
    /// What a policy or a plan lets go.
    Apply,
}

/// What the present plan says of the archives of the facts.
struct Present<'p> {
    plan: &'p Plan<'p>,
    goes: HashSet<(&'p str, u8)>,
    /// Not there, and nobody holds its log.
    absent: HashSet<(&'p str, u8)>,
}

impl<'p> Present<'p> {
    fn new(plan: &'p Plan<'p>) -> Self {
        let goes = plan.delete.iter().map(|entry| (&*entry.name, entry.copy)).collect();
        let absent = plan.absent.iter().filter(|entry| !entry.held);
        Self { plan, goes, absent: absent.map(|entry| (&*entry.name, entry.copy)).collect() }
    }

    fn lets_go(&self, name: &str, copy: u8) -> bool {
        self.goes.contains(&(name, copy)) || self.absent.contains(&(name, copy))
    }

    fn holder(&self, name: &str, copy: u8) -> String {
        let kept = self.plan.keep.iter().find(|entry| entry.name == name && entry.copy == copy);
        let holder = kept.and_then(|entry| entry.holders.first()).map(|holder| holder.what.clone());
        holder.unwrap_or_else(|| "it is not there, and its log is needed".to_owned())
    }
}

/// Decides on `facts` what goes, and gives it to `then` with the plan of this moment.
pub(crate) fn decide<T>(
    facts: &Facts,
    policy: &Policy,
    plan: Option<&Plan<'_>>,
    stage: Stage,
    then: impl FnOnce(&Inventory<'_>, &Plan<'_>, Decision) -> T,
) -> Result<T, NotApplied> {
    if policy.is_empty() {
        return Err(NotApplied::NoPolicy);
    }
    let inventory = facts.document();
    let inputs = Inputs { inventory: String::new(), inventory_bytes: 0, policy: String::new() };
    let now = operation_retention::plan(&inventory, policy, facts.at, inputs)?;
    let present = Present::new(&now);
    let decision = match (stage, plan) {
        (Stage::Finish, _) => finish(facts, &present),
        (Stage::Apply, None) => by_policy(facts, &present),
        (Stage::Apply, Some(plan)) => by_plan(facts, &present, plan)?,
    };
    let decision = Decision { warnings: now.warnings.clone(), ..decision };
    if stage == Stage::Apply {
        check_share(facts, policy, &decision)?;
    }
    Ok(then(&inventory, &now, decision))
}

/// What is marked goes on being deleted, unless it is there and needed.
fn finish(facts: &Facts, present: &Present<'_>) -> Decision {
    let mut decision = Decision::default();
    for (place, (archive, file)) in facts.bsds.archives.iter().zip(&facts.archives).enumerate() {
        if !archive.deleting {
            continue;
        }
        if !file.present || present.lets_go(&archive.name, archive.copy) {
            decision.doomed.push(place);
            decision.marked += 1;
        } else {
            decision.spared.push(place);
        }
    }
    decision
}

fn by_policy(facts: &Facts, present: &Present<'_>) -> Decision {
    let goes = |place: &usize| {
        let archive = &facts.bsds.archives[*place];
        present.goes.contains(&(archive.name.as_str(), archive.copy))
    };
    let doomed: Vec<usize> = (0..facts.bsds.archives.len()).filter(goes).collect();
    Decision { kept: present.plan.totals.keep_archives, doomed, ..Decision::default() }
}

fn by_plan(facts: &Facts, present: &Present<'_>, plan: &Plan<'_>) -> Result<Decision, NotApplied> {
    let bsds = &facts.bsds;
    if plan.queue_manager != bsds.name {
        let (plan, found) = (plan.queue_manager.to_string(), bsds.name.to_string());
        return Err(NotApplied::OtherQueueManager { plan, found });
    }
    let places: HashMap<&str, usize> =
        bsds.archives.iter().enumerate().map(|(place, archive)| (archive.name.as_str(), place)).collect();
    let mut decision = Decision::default();
    for entry in &plan.delete {
        let (name, copy) = (entry.name.to_string(), entry.copy);
        let Some((archive, file, place)) = places
            .get(&*entry.name)
            .and_then(|place| Some((bsds.archives.get(*place)?, facts.archives.get(*place)?, *place)))
        else {
            decision.already_gone += 1;
            continue;
        };
        if archive.deleting && !file.present {
            decision.already_gone += 1;
            continue;
        }
        let range = RbaRange::new(entry.start, entry.end.plus(1));
        let another = if archive.copy != entry.copy || archive.range != range {
            Some(format!(
                "it holds {} of copy {}, the plan says {range} of copy {copy}",
                archive.range, archive.copy
            ))
        } else if history_name(archive.history) != entry.history {
            Some(format!("it is of log history {}, the plan says {}", archive.history, entry.history))
        } else if file.present && file.bytes != entry.bytes {
            Some(format!("it has {} bytes, the plan says {}", file.bytes, entry.bytes))
        } else {
            None
        };
        if let Some(why) = another {
            return Err(NotApplied::Another { name, copy, why });
        }
        if !present.lets_go(&name, copy) {
            let holder = present.holder(&name, copy);
            return Err(NotApplied::Held { name, copy, holder });
        }
        decision.doomed.push(place);
    }
    decision.doomed.sort_unstable();
    decision.doomed.dedup();
    let there = facts.archives.iter().filter(|file| file.present).count();
    let going = decision.doomed.iter().filter(|place| facts.archives[**place].present).count();
    decision.kept = (there - going) as u64;
    Ok(decision)
}

/// Stops above the share of the archives that a policy allows to be deleted at once.
fn check_share(facts: &Facts, policy: &Policy, decision: &Decision) -> Result<(), NotApplied> {
    let all = facts.archives.iter().filter(|file| file.present).count() as u64;
    let doomed = decision.doomed.iter().filter(|place| facts.archives[**place].present).count() as u64;
    let percent = (doomed * 100).div_ceil(all.max(1));
    let allowed = policy.max_delete_percent();
    if percent > u64::from(allowed) {
        return Err(NotApplied::TooMuch { doomed, all, percent, allowed });
    }
    Ok(())
}

impl Decision {
    /// Bytes of the files that go.
    #[must_use]
    pub fn bytes(&self, facts: &Facts) -> u64 {
        let files = self.doomed.iter().filter_map(|place| facts.archives.get(*place));
        files.filter(|file| file.present).map(|file| file.bytes).sum()
    }
}
