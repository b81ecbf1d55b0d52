//! recpoint create --emit jcl: the job that makes a backup on z/OS.

use std::path::Path;

use console::{Failure, Outcome, Session};
use engine_storage::{SharedStorage, durable};
use format_statement::{BackupJob, BackupMethod, CopyRoom, JobCards, PageSetCopy};
use format_types::ConditionCode;

use crate::args::{BackupJobArgs, Method};

/// The longest file of job cards that is read.
const LONGEST: u64 = 1 << 20;

pub(crate) fn run(
    method: Method,
    asked: &BackupJobArgs,
    storage: &SharedStorage,
    session: &mut Session,
) -> Outcome {
    if session.common.json {
        let text = "--emit prints a job, --json a document: give one of them";
        return Err(Failure::refused("HWT700E", text));
    }
    let wanted = |what: &str| Failure::refused("HWT700E", format!("--emit jcl wants {what}"));
    let queue_manager = asked.queue_manager.clone().ok_or_else(|| wanted("--queue-manager"))?;
    let room = match (asked.space, &asked.like) {
        (Some(space), _) => CopyRoom::Space(space),
        (None, Some(like)) => CopyRoom::Like(like.clone()),
        (None, None) => return Err(wanted("--space or --like: how much room a copy has")),
    };
    let method = match (method, &asked.bsds1) {
        (Method::Fuzzy, None) => BackupMethod::Fuzzy,
        (Method::Fuzzy, Some(_)) => {
            let text = "--bsds1 does nothing without --method full";
            return Err(Failure::refused("HWT700E", text));
        }
        (Method::Full, Some(bsds)) => BackupMethod::Full { bsds: bsds.clone() },
        (Method::Full, None) => return Err(wanted("--bsds1 with --method full")),
    };
    let job = BackupJob {
        cards: asked.jobcard.as_deref().map_or(Ok(JobCards::of_backup()), |path| cards(storage, path))?,
        libraries: asked.steplib.clone(),
        queue_manager,
        method,
        page_sets: page_sets(asked)?,
        room,
        unit: asked.unit.clone(),
    };
    session.out.lines(job.lines());
    Ok(ConditionCode::Done)
}

/// Takes care that no option of the job is given where none is printed.
pub(crate) fn check_unused(job: &BackupJobArgs) -> Result<(), Failure> {
    for (given, option) in [
        (job.queue_manager.is_some(), "--queue-manager"),
        (!job.page_set.is_empty(), "--page-set"),
        (!job.copy.is_empty(), "--copy"),
        (job.space.is_some(), "--space"),
        (job.like.is_some(), "--like"),
        (job.unit.is_some(), "--unit"),
        (job.jobcard.is_some(), "--jobcard"),
        (!job.steplib.is_empty(), "--steplib"),
        (job.bsds1.is_some(), "--bsds1"),
    ] {
        if given {
            return Err(Failure::refused("HWT700E", format!("{option} does nothing without --emit jcl")));
        }
    }
    Ok(())
}

fn unwritable(why: impl std::fmt::Display) -> Failure {
    Failure::refused("HWT941E", format!("NO BACKUP JOB CAN BE WRITTEN: {why}"))
}

fn cards(storage: &SharedStorage, path: &Path) -> Result<JobCards, Failure> {
    let refused = |why: &dyn std::fmt::Display| unwritable(format!("{}: {why}", path.display()));
    let bytes = durable::read_file(storage.as_ref(), path, LONGEST).map_err(|error| refused(&error))?;
    let text = std::str::from_utf8(&bytes).map_err(|error| refused(&error))?;
    JobCards::parse(text).map_err(|error| refused(&error))
}

/// The page sets with their copies, in the order of their numbers.
fn page_sets(asked: &BackupJobArgs) -> Result<Vec<PageSetCopy>, Failure> {
    let hint = "give each page set once with --page-set N=DSN and once with --copy N=BASE";
    let refused = |text: String| Err(unwritable(text).hint(hint));
    let mut found: Vec<PageSetCopy> = Vec::new();
    for (page_set, data_set) in &asked.page_set {
        let mut bases = asked.copy.iter().filter(|(other, _)| other == page_set).map(|(_, base)| base);
        let (Some(copies), None) = (bases.next(), bases.next()) else {
            return refused(format!("PAGE SET {page_set} HAS NO COPY, OR SEVERAL"));
        };
        for other in &found {
            if other.page_set == *page_set || other.data_set == *data_set {
                return refused(format!("PAGE SET {page_set}, OR {data_set}, IS THERE TWICE"));
            }
            if other.copies == *copies {
                // Within one job, (+1) of a group is one data set, however many steps write it.
                return refused(format!("{copies} IS THERE TWICE: each page set has a group of its own"));
            }
        }
        found.push(PageSetCopy { page_set: *page_set, data_set: data_set.clone(), copies: copies.clone() });
    }
    let stray = asked.copy.iter().find(|(number, _)| found.iter().all(|copy| copy.page_set != *number));
    if let Some((number, _)) = stray {
        return refused(format!("PAGE SET {number} HAS A COPY AND NO DATA SET"));
    }
    if found.is_empty() {
        return refused("NO PAGE SET IS GIVEN".to_owned());
    }
    let names = || found.iter().map(|copy| copy.data_set.as_str());
    if let Some(copy) = found.iter().find(|copy| names().any(|name| name == copy.copies.to_string())) {
        return refused(format!("{}, THE BASE OF COPIES, IS THE DATA SET OF A PAGE SET", copy.copies));
    }
    found.sort_by_key(|copy| copy.page_set);
    Ok(found)
}
