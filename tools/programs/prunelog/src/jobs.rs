//! Jobs for the site of a plan: what goes, as a list, as a job that deletes it, as statements that forget it, as volumes.

use std::collections::BTreeMap;

use console::{Failure, message};
use format_inventory::Plan;
use format_statement::{InventoryDeletion, JobCards, LogInventoryJob, delete_job};
use hashbrown::HashSet;
use operation_jobs::{Doomed, DoomedName};

use crate::args::{Emit, JobArgs};
use crate::files;

/// Lines to be printed, and whether a warning was said about them.
pub(crate) struct Emitted {
    /// The lines.
    pub(crate) lines: Vec<String>,
    /// Whether something was said that is to be looked at.
    pub(crate) warned: bool,
}

/// Takes care that no option of jobs is given that `emit` has no use for.
pub(crate) fn check(emit: Option<Emit>, job: &JobArgs, purge: bool) -> Result<(), Failure> {
    let (deletes, forgets) = (emit == Some(Emit::Jcl), emit == Some(Emit::Loginv));
    let runs = forgets && job.bsds1.is_some();
    for (given, option, used, wanted) in [
        (purge, "--purge", deletes, "--emit jcl"),
        (job.jobcard.is_some(), "--jobcard", deletes || runs, "--emit jcl, or --emit loginv with --bsds1"),
        (job.bsds1.is_some(), "--bsds1", forgets, "--emit loginv"),
        (job.bsds2.is_some(), "--bsds2", runs, "--emit loginv with --bsds1"),
        (!job.steplib.is_empty(), "--steplib", runs, "--emit loginv with --bsds1"),
    ] {
        if given && !used {
            return Err(Failure::refused("HWT700E", format!("{option} does nothing without {wanted}")));
        }
    }
    Ok(())
}

/// What `emit` prints of `plan`.
pub(crate) fn emit(plan: &Plan<'_>, emit: Emit, job: &JobArgs, purge: bool) -> Result<Emitted, Failure> {
    let (lines, warned) = match emit {
        Emit::List => (list(plan), false),
        Emit::Jcl => deleting(&doomed(plan)?, &cards(job)?, purge),
        Emit::Loginv => {
            check_bsds(plan, job)?;
            (forgetting(doomed(plan)?.names(), job)?, false)
        }
        Emit::Volumes => volumes(&doomed(plan)?),
    };
    Ok(Emitted { lines, warned })
}

fn list(plan: &Plan<'_>) -> Vec<String> {
    let mut said = HashSet::with_capacity(plan.delete.len());
    let names = plan.delete.iter().map(|entry| &*entry.name).filter(|name| said.insert(*name));
    names.map(str::to_owned).collect()
}

/// What `plan` lets go, fit to stand in jobs.
pub(crate) fn doomed(plan: &Plan<'_>) -> Result<Doomed, Failure> {
    Doomed::of(plan).map_err(unwritable)
}

fn unwritable(why: impl std::fmt::Display) -> Failure {
    Failure::refused("HWT950E", format!("NO JOB CAN BE WRITTEN: {why}"))
}

fn cards(job: &JobArgs) -> Result<JobCards, Failure> {
    let Some(path) = &job.jobcard else {
        return Ok(JobCards::default());
    };
    let refused = |why: &dyn std::fmt::Display| unwritable(format!("{}: {why}", path.display()));
    let bytes = files::read(path, "HWT950E")?;
    let text = std::str::from_utf8(&bytes).map_err(|error| refused(&error))?;
    JobCards::parse(text).map_err(|error| refused(&error))
}

fn deleting(doomed: &Doomed, cards: &JobCards, purge: bool) -> (Vec<String>, bool) {
    for copy in doomed.bsds_copies_kept() {
        let text =
            format!("{copy} STAYS: it is beside the newest archive, and a lost BSDS is made anew from it");
        message("HWT961I", &text);
    }
    let left = doomed.not_catalogued().count();
    if left > 0 {
        let text = format!(
            "{left} ARCHIVES ARE ON TAPE OR IN NO CATALOG: the job does not delete them, --emit volumes lists them"
        );
        message("HWT962W", &text);
    }
    let mut names = doomed.deletions().peekable();
    let lines = if names.peek().is_some() { delete_job(cards, names, purge) } else { Vec::new() };
    (lines, left > 0)
}

/// Refuses copies of the BSDS that are one data set, or log of the plan.
pub(crate) fn check_bsds(plan: &Plan<'_>, job: &JobArgs) -> Result<(), Failure> {
    let refused = |text: String| {
        let hint = "give the two copies of the BSDS: --bsds1 is that of copy 1, --bsds2 that of copy 2";
        Err(unwritable(text).hint(hint))
    };
    if job.bsds1.is_some() && job.bsds1 == job.bsds2 {
        return refused("--bsds1 AND --bsds2 ARE ONE DATA SET".to_owned());
    }
    let logs = || plan.delete.iter().map(|log| &log.name).chain(plan.keep.iter().map(|log| &log.name));
    for (option, name) in [("--bsds1", &job.bsds1), ("--bsds2", &job.bsds2)] {
        if let Some(name) = name.as_ref().filter(|name| logs().any(|log| **log == *name.as_str())) {
            return refused(format!("{option} {name} IS A LOG DATA SET OF THE PLAN"));
        }
    }
    Ok(())
}

/// The statements of the change log inventory utility for `names`, in a job where the BSDS is given.
pub(crate) fn forgetting<'d>(
    names: impl IntoIterator<Item = &'d DoomedName>,
    job: &JobArgs,
) -> Result<Vec<String>, Failure> {
    let cards = cards(job)?;
    let deletions: Vec<_> = names.into_iter().flat_map(DoomedName::inventory_deletions).collect();
    let Some(bsds1) = job.bsds1.clone() else {
        return Ok(deletions.iter().flat_map(InventoryDeletion::lines).collect());
    };
    if deletions.is_empty() {
        return Ok(Vec::new());
    }
    let job = LogInventoryJob { cards, libraries: job.steplib.clone(), bsds1, bsds2: job.bsds2.clone() };
    Ok(job.lines(&deletions))
}

/// A line for each volume of what is not catalogued: `VOLUME NAME COPY START END`, `-` where the volume is not known. A volume that holds
/// something that is kept too is left out, for a tape manager gives up whole volumes; that is said, and told by the second value.
fn volumes(doomed: &Doomed) -> (Vec<String>, bool) {
    let (mut lines, mut shared) = (Vec::new(), BTreeMap::new());
    for one in doomed.not_catalogued() {
        for place in &one.volumes {
            if let Some((volume, kept)) =
                place.volume.as_ref().and_then(|volume| Some((volume, doomed.kept_on(volume)?)))
            {
                shared.entry(volume.as_str()).or_insert((&one.name, kept));
                continue;
            }
            let volume = place.volume.as_ref().map_or("-", |volume| volume.as_str());
            lines.push(format!("{volume} {} {} {} {}", one.name, place.copy, place.start, place.end));
        }
    }
    for (volume, (name, kept)) in &shared {
        let text = format!("VOLUME {volume} IS NOT LISTED: {name} ON IT GOES, AND {kept} ON IT IS KEPT");
        message("HWT963W", &text);
    }
    (lines, !shared.is_empty())
}
