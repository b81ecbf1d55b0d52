//! Runs the seeds and says what came of them.

use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use console::{Failure, Progress, Session};
use engine_storage::{RealStorage, durable};
use format_types::ConditionCode;

use crate::args::Arguments;
use crate::report::Report;
use crate::seeds::{self, Outcome};
use crate::settings::Settings;
use crate::{defect, life, short};

/// The program.
pub(crate) fn main() -> ExitCode {
    console::run(work)
}

#[expect(clippy::needless_pass_by_value, reason = "the console hands the arguments over")]
fn work(arguments: Arguments, session: &mut Session) -> console::Outcome {
    let settings = Settings::of(&arguments)?;
    let outcomes = run(&settings);
    let report = Report::of(&settings, &outcomes);
    session.answer(&report, || report.lines());
    if let Some(file) = &settings.totals {
        write_totals(file, &report.page(&settings))?;
    }
    if report.code() == ConditionCode::Warning {
        console::message("HWT785W", "SOME KINDS OF EVENTS NEVER HAPPENED: nothing was learned of them");
    }
    Ok(report.code())
}

fn write_totals(file: &Path, page: &str) -> Result<(), Failure> {
    durable::write_file(&RealStorage::new(), file, page.as_bytes()).map_err(|error| {
        Failure::refused("HWT787E", format!("the totals cannot be written: {error}"))
            .hint("the seeds were run, their report is above; run them again with a FILE that can be written")
    })
}

/// So many failures are told as they happen; the report has them all.
const FAILURES_TOLD: u64 = 100;

/// Runs all seeds.
pub(crate) fn run(settings: &Settings) -> Vec<Outcome> {
    let ended = AtomicBool::new(false);
    let failures = AtomicU64::new(0);
    let seeds = settings.seeds.clone();
    let progress = Progress::count("seeds", seeds.end - seeds.start);
    let one = |seed: u64| {
        defect::plant(settings.defect);
        if settings.every_stop {
            short::run(seed, &settings.watch)
        } else {
            life::run(seed, settings.operations, &settings.watch)
        }
    };
    let done = |outcome: &Outcome| {
        progress.add(1);
        let Some(failure) = &outcome.failure else { return };
        if failures.fetch_add(1, Ordering::Relaxed) < FAILURES_TOLD {
            console::message("HWT784E", &format!("SEED {} BROKE THE PROMISE {failure}", outcome.seed));
        }
        if settings.first {
            ended.store(true, Ordering::Relaxed);
        }
    };
    let go_on = || !ended.load(Ordering::Relaxed);
    let outcomes = seeds::run_all(seeds, settings.threads, &one, &done, &go_on);
    progress.finish();
    outcomes
}
