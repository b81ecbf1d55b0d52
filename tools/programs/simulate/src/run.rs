//! Runs the seeds and says what came of them.

use std::path::Path;
use std::process::ExitCode;
use std::sync::atomic::{AtomicBool, Ordering};

use console::{Failure, Progress, Session};
use engine_storage::{RealStorage, durable};
use format_types::ConditionCode;

use crate::args::Arguments;
use crate::report::Report;
use crate::seeds::{self, Outcome};
use crate::settings::Settings;
use crate::{life, short};

/// The program.
pub(crate) fn main() -> ExitCode {
    console::run(work)
}

#[expect(clippy::needless_pass_by_value, reason = "the console hands the arguments over")]
fn work(arguments: Arguments, session: &mut Session) -> console::Outcome {
    let settings = Settings::of(&arguments)?;
    plant(&settings);
    let outcomes = run(&settings);
    let report = Report::of(&settings, &outcomes);
    session.answer(&report, || report.lines());
    for outcome in outcomes.iter().filter(|outcome| outcome.failure.is_some()).take(10) {
        let failure = outcome.failure.as_deref().unwrap_or_default();
        console::message("HWT784E", &format!("SEED {} BROKE THE PROMISE {failure}", outcome.seed));
    }
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

#[cfg(feature = "planted-defects")]
fn plant(settings: &Settings) {
    engine_storage::planted::plant(settings.defect);
}

#[cfg(not(feature = "planted-defects"))]
fn plant(_settings: &Settings) {}

/// Runs all seeds.
pub(crate) fn run(settings: &Settings) -> Vec<Outcome> {
    let ended = AtomicBool::new(false);
    let seeds = settings.seeds.clone();
    let progress = Progress::count("seeds", seeds.end - seeds.start);
    let one = |seed: u64| {
        if settings.every_stop {
            short::run(seed, &settings.watch)
        } else {
            life::run(seed, settings.operations, &settings.watch)
        }
    };
    let done = |outcome: &Outcome| {
        progress.add(1);
        if settings.first && outcome.failure.is_some() {
            ended.store(true, Ordering::Relaxed);
        }
    };
    let go_on = || !ended.load(Ordering::Relaxed);
    let outcomes = seeds::run_all(seeds, settings.threads, &one, &done, &go_on);
    progress.finish();
    outcomes
}
