//! Recovers.

use console::{Failure, Outcome, Progress, Session, now};
use engine_storage::RealStorage;
use format_types::{ConditionCode, PAGE_SIZE};
use operation_points::{Driver, PointInTime, RecoverSettings, RecoverStage, recover_to};

use crate::args::Arguments;
use crate::random::random;
use crate::report::Document;
use crate::{anew, rebuild};

/// Smallest buffer pool, in pages.
const SMALLEST_POOL: u64 = 64;

/// Code 0, 12 when nothing was touched, 16 when it failed on the way.
pub(crate) fn run(arguments: &Arguments, session: &mut Session) -> Outcome {
    let frames = arguments.buffer_pool.map(|pool| pool.0 / PAGE_SIZE as u64);
    if frames.is_some_and(|frames| frames < SMALLEST_POOL) {
        return Err(Failure::refused("HWT559E", "the buffer pool is too small: 256KiB at least are wanted"));
    }
    if arguments.rebuild_bsds {
        return rebuild::run(arguments, session);
    }
    if arguments.target().is_none()
        && let Some(source) = anew::source(arguments)
    {
        return anew::run(arguments, source, session);
    }
    let settings = RecoverSettings {
        dir: arguments.directory.clone(),
        from: arguments.point(),
        page_sets: arguments.psid.clone(),
        frames: frames.map(|frames| usize::try_from(frames).unwrap_or(usize::MAX)),
        driver: Driver::Threads,
        dry_run: arguments.dry_run,
    };
    let random = random()?;
    let end =
        arguments.target().map(|target| PointInTime { target, accept_loss: arguments.accept_loss, random });
    let mut bar: Option<(RecoverStage, Progress)> = None;
    let recovered = recover_to(&RealStorage::shared(), &settings, end, now(), &mut |progress| {
        if bar.as_ref().is_none_or(|(stage, _)| *stage != progress.stage) {
            if let Some((_, done)) = bar.take() {
                done.finish();
            }
            let what = match progress.stage {
                RecoverStage::CheckingLog => "checking the log",
                RecoverStage::Restoring => "restoring page sets",
                RecoverStage::BringingForward => "bringing forward",
            };
            bar = Some((progress.stage, Progress::bytes(what, progress.total)));
        }
        if let Some((_, bar)) = &bar {
            bar.set(progress.done);
        }
    });
    if let Some((_, bar)) = bar {
        bar.finish();
    }
    let report = recovered.map_err(|error| Failure::of(&error).with_code(error.code()))?;
    let refused = !report.recovered && !arguments.dry_run;
    let code = match &report.cut {
        _ if refused => ConditionCode::Refused,
        // What is lost was accepted.
        _ if report.recovered => ConditionCode::Done,
        Some(cut) if cut.lost.loses_commits() => ConditionCode::Warning,
        _ => ConditionCode::Done,
    };
    let document = Document::new(arguments.directory.display().to_string(), &report, code);
    session.answer(&document, || document.lines());
    if refused {
        session.failure_printed = true;
        let text = "what would be lost is listed, and was not accepted; nothing was touched";
        return Err(Failure::refused("HWT529E", text).hint("with --accept-loss the recovery is done"));
    }
    Ok(code)
}
