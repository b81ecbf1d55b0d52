//! Recovers.

use console::{Failure, Outcome, Progress, Session, now};
use engine_storage::RealStorage;
use format_types::{ConditionCode, PAGE_SIZE};
use operation_points::{Driver, RecoverSettings, RecoverStage, recover};

use crate::args::Arguments;
use crate::report::Document;

/// Smallest buffer pool, in pages.
const SMALLEST_POOL: u64 = 64;

/// Code 0, 12 when nothing was touched, 16 when it failed on the way.
pub(crate) fn run(arguments: &Arguments, session: &mut Session) -> Outcome {
    let frames = arguments.buffer_pool.map(|pool| pool.0 / PAGE_SIZE as u64);
    if frames.is_some_and(|frames| frames < SMALLEST_POOL) {
        return Err(Failure::refused("HWT559E", "the buffer pool is too small: 256KiB at least are wanted"));
    }
    let settings = RecoverSettings {
        dir: arguments.directory.clone(),
        from: arguments.from.clone(),
        page_sets: arguments.psid.clone(),
        frames: frames.map(|frames| usize::try_from(frames).unwrap_or(usize::MAX)),
        driver: Driver::Threads,
        dry_run: arguments.dry_run,
    };
    let mut bar: Option<(RecoverStage, Progress)> = None;
    let recovered = recover(&RealStorage::shared(), &settings, now(), &mut |progress| {
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
    let document = Document::new(arguments.directory.display().to_string(), &report, !arguments.dry_run);
    session.answer(&document, || document.lines());
    Ok(ConditionCode::Done)
}
