//! Every kind of loss, each on a throwaway queue manager of its own.

mod anew;
mod history;
mod logs;
mod page_sets;
mod points;
mod report;
mod trial;
mod units;

use std::time::Instant;

use console::{Failure, Outcome, Session};
use format_types::ConditionCode;

use crate::args::Rehearsal;
use crate::run::say;
use crate::scratch::Scratch;
use report::{KindReport, Report};
use trial::Trial;

/// A kind of loss, and the recovery from it.
struct Kind {
    name: &'static str,
    about: &'static str,
    rehearse: fn(&mut Trial<'_>) -> Result<(), Failure>,
}

/// All kinds, from the plain to the rare.
const KINDS: &[Kind] = &[
    Kind {
        name: "page-sets",
        about: "one page set removed, another overwritten, under load",
        rehearse: page_sets::several,
    },
    Kind { name: "one-page-set", about: "one page set lost, the others current", rehearse: page_sets::one },
    Kind { name: "log-copy", about: "copy 1 of the active log lost", rehearse: logs::one_copy },
    Kind {
        name: "log-damage",
        about: "damage in copy 1 of the log and elsewhere in copy 2",
        rehearse: logs::damage_in_both,
    },
    Kind { name: "bsds-copy", about: "one copy of the BSDS lost", rehearse: logs::one_bsds },
    Kind { name: "bsds-both", about: "both copies of the BSDS lost", rehearse: logs::both_bsds },
    Kind {
        name: "point-in-time",
        about: "back to a point in time, and on from there",
        rehearse: history::point_in_time,
    },
    Kind {
        name: "other-site",
        about: "archives, their BSDS copies and a recovery point at another site",
        rehearse: anew::other_site,
    },
    Kind {
        name: "self-contained",
        about: "nothing left but a recovery point that holds its log",
        rehearse: anew::self_contained,
    },
    Kind { name: "logs-lost", about: "all logs lost, and a full point", rehearse: anew::logs_lost },
    Kind {
        name: "in-doubt",
        about: "a unit in doubt across a crash and a media recovery",
        rehearse: units::in_doubt,
    },
    Kind {
        name: "offline",
        about: "a page set whose sync fails goes offline and comes back",
        rehearse: page_sets::offline,
    },
    Kind {
        name: "expansion",
        about: "a crash in the middle of an expansion",
        rehearse: page_sets::interrupted_expansion,
    },
    Kind { name: "full-point", about: "a full point, page sets lost after it", rehearse: points::full },
];

/// Code 0 when every kind went well, 8 when one did not.
pub(crate) fn run(rehearsal: &Rehearsal, session: &mut Session) -> Outcome {
    let started = Instant::now();
    let scratch = Scratch::new(rehearsal.scratch.as_deref())?;
    let mut kinds = Vec::new();
    for (number, kind) in KINDS.iter().enumerate() {
        say(session, &format!("{}: {}", kind.name, kind.about));
        kinds.push(one(kind, number as u64, rehearsal, &scratch, session));
    }
    let failed = kinds.iter().filter(|kind| !kind.ok).count();
    let kept = match scratch.kept() {
        Some(kept) => Some(kept.display().to_string()),
        None if failed > 0 => Some(scratch.keep().display().to_string()),
        None => None,
    };
    let report = Report {
        kinds,
        failed,
        seconds: started.elapsed().as_secs_f64(),
        kept,
        condition_code: if failed == 0 { ConditionCode::Done } else { ConditionCode::Partial },
    };
    session.answer(&report, || report.lines());
    Ok(report.condition_code)
}

/// Rehearses one kind. What goes wrong is its verdict, and the others are rehearsed all the same; what went well leaves nothing, unless
/// the scratch directory is the user's own.
fn one(kind: &Kind, number: u64, rehearsal: &Rehearsal, scratch: &Scratch, session: &Session) -> KindReport {
    let started = Instant::now();
    let mut report = KindReport::new(kind.name, kind.about);
    match scratch.below(kind.name) {
        Ok(own) => {
            let mut trial = Trial::new(&own, number, rehearsal, session);
            if let Err(failure) = (kind.rehearse)(&mut trial) {
                trial.problems.push(failure.to_string());
            }
            trial.over();
            report.done = std::mem::take(&mut trial.steps);
            report.problems = std::mem::take(&mut trial.problems);
            report.audited_messages = trial.audited;
            drop(trial);
            if report.problems.is_empty() && scratch.kept().is_none() {
                own.remove();
            }
        }
        Err(failure) => report.problems.push(failure.to_string()),
    }
    report.ok = report.problems.is_empty();
    report.seconds = started.elapsed().as_secs_f64();
    report
}
