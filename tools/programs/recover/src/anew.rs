//! A queue manager made anew: at another site, from a point that holds its log, or after the logs were lost.

use std::path::Path;
use std::time::Duration;

use console::{Failure, Outcome, Progress, Session, format_duration, format_rate, format_size, now};
use engine_storage::{RealStorage, SharedStorage};
use format_types::{ConditionCode, PAGE_SIZE, PageSetId, Rba, RbaRange};
use operation_points::{
    AnewPlan, AnewReport, AnewSettings, AnewSource, Driver, Point, PointError, RecoverStage, make_anew,
};
use serde::Serialize;

use crate::args::Arguments;
use crate::random::random;

#[derive(Serialize)]
struct Document<'a> {
    queue_manager: String,
    point: &'a str,
    recovered: bool,
    page_sets: &'a [PageSetId],
    page_sets_from_log: &'a [PageSetId],
    log_needed: RbaRange,
    lost_after: Rba,
    last_record_at: Option<String>,
    logs_given_up: bool,
    page_sets_given_up: &'a [PageSetId],
    unusable: Vec<&'a str>,
    kept_as: Option<String>,
    pages: u64,
    bytes: u64,
    restore_seconds: f64,
    log_read: Option<RbaRange>,
    log_records: u64,
    forward_seconds: f64,
    restart_rba: Option<Rba>,
    messages: &'a [String],
    condition_code: ConditionCode,
}

/// Where the log comes from when the queue manager is to be made anew; none for the recovery of one that is there.
pub(crate) fn source(arguments: &Arguments) -> Option<AnewSource> {
    if let Some(archives) = &arguments.archives {
        return Some(AnewSource::Archives(archives.clone()));
    }
    if arguments.logs_lost {
        return Some(AnewSource::LogsLost);
    }
    let storage = RealStorage::shared();
    let dir = &arguments.directory;
    let nothing = match storage.exists(dir) {
        Ok(true) => storage.list(dir).is_ok_and(|names| names.is_empty()),
        Ok(false) => true,
        Err(_) => false,
    };
    // What is wrong with the point is told as for any other recovery.
    let is_point = || Point::open(&storage, &arguments.point()).is_ok();
    (nothing && arguments.psid.is_empty() && is_point()).then_some(AnewSource::Point)
}

/// Code 0; 4 when archives are left out that cannot be read; 12 when nothing was done, also because loss is not accepted, which is listed
/// then.
pub(crate) fn run(arguments: &Arguments, source: AnewSource, session: &mut Session) -> Outcome {
    let storage = RealStorage::shared();
    let absolute = |path: &Path| {
        std::path::absolute(path)
            .map_err(|error| Failure::refused("HWT241E", format!("{}: {error}", path.display())))
    };
    // The BSDS keeps where the point is.
    let (dir, from) = (absolute(&arguments.directory)?, absolute(&arguments.point())?);
    if dir.file_name().is_none() {
        return Err(Failure::refused(
            "HWT241E",
            format!("{} cannot be made anew: it has no name", dir.display()),
        ));
    }
    let frames = arguments.buffer_pool.map(|pool| pool.0 / PAGE_SIZE as u64);
    let settings = AnewSettings {
        dir,
        from,
        source,
        accept_loss: arguments.accept_loss,
        frames: frames.map(|frames| usize::try_from(frames).unwrap_or(usize::MAX)),
        driver: Driver::Threads,
        dry_run: arguments.dry_run,
        random: random()?,
    };
    let bar = Progress::bytes("checking the log", 0);
    let plan = AnewPlan::make(&storage, &settings, &mut |done, total| {
        bar.set_total(total);
        bar.set(done);
    });
    bar.finish();
    let plan = plan.map_err(failure)?;
    let code = if plan.loss.unusable.is_empty() { ConditionCode::Done } else { ConditionCode::Warning };
    if plan.loss.must_be_accepted && !arguments.accept_loss && !arguments.dry_run {
        show(arguments, &plan, None, ConditionCode::Refused, session);
        session.failure_printed = true;
        return Err(failure(PointError::LossNotAccepted(plan.loss)));
    }
    if arguments.dry_run {
        show(arguments, &plan, None, code, session);
        return Ok(code);
    }
    let report = make(&storage, &plan, &settings)?;
    show(arguments, &plan, Some(&report), code, session);
    Ok(code)
}

fn make(storage: &SharedStorage, plan: &AnewPlan, settings: &AnewSettings) -> Result<AnewReport, Failure> {
    let mut bar: Option<(RecoverStage, Progress)> = None;
    let made = make_anew(storage, plan, settings, now(), &mut |progress| {
        if bar.as_ref().is_none_or(|(stage, _)| *stage != progress.stage) {
            if let Some((_, done)) = bar.take() {
                done.finish();
            }
            let what = match progress.stage {
                RecoverStage::BringingForward => "bringing forward",
                _ => "restoring page sets",
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
    made.map_err(failure)
}

#[allow(clippy::needless_pass_by_value)]
fn failure(error: PointError) -> Failure {
    Failure::of(&error).with_code(error.code())
}

fn show(
    arguments: &Arguments,
    plan: &AnewPlan,
    report: Option<&AnewReport>,
    code: ConditionCode,
    session: &mut Session,
) {
    let loss = &plan.loss;
    let document = Document {
        queue_manager: arguments.directory.display().to_string(),
        point: &plan.point.manifest.name,
        recovered: report.is_some(),
        page_sets: &plan.page_sets,
        page_sets_from_log: &plan.from_log,
        log_needed: plan.needed,
        lost_after: loss.after,
        last_record_at: loss.last.map(console::format_time),
        logs_given_up: loss.logs,
        page_sets_given_up: &loss.page_sets,
        unusable: loss.unusable.iter().map(|file| file.name.as_str()).collect(),
        kept_as: plan.kept_as.as_ref().map(|path| path.display().to_string()),
        pages: report.map_or(0, |report| report.pages),
        bytes: report.map_or(0, |report| report.bytes),
        restore_seconds: report.map_or(0.0, |report| report.restore_seconds),
        log_read: report.map(|report| report.forward),
        log_records: report.map_or(0, |report| report.records),
        forward_seconds: report.map_or(0.0, |report| report.forward_seconds),
        restart_rba: report.map(|report| report.restart_rba),
        messages: report.map_or(&[], |report| &report.messages),
        condition_code: code,
    };
    session.answer(&document, || lines(&document, plan, report));
}

fn list(page_sets: &[PageSetId]) -> String {
    page_sets.iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

fn lines(document: &Document<'_>, plan: &AnewPlan, report: Option<&AnewReport>) -> Vec<String> {
    let needed = if document.log_needed.is_empty() {
        "NO LOG NEEDED".to_owned()
    } else {
        format!("LOG NEEDED {}", document.log_needed)
    };
    let mut lines = vec![format!("HWT573I RECOVERY POINT {}, {needed}", document.point)];
    lines.extend(plan.loss.lines());
    if let Some(kept) = &document.kept_as {
        lines.push(format!("HWT574I {} IS KEPT AS {kept}", document.queue_manager));
    }
    if !document.page_sets_from_log.is_empty() {
        let sets = list(document.page_sets_from_log);
        lines.push(format!(
            "HWT242I PAGE SETS {sets} WERE DEFINED AFTER THE RECOVERY POINT: THEY COME FROM THE LOG"
        ));
    }
    let Some(report) = report else {
        let sets = list(document.page_sets);
        lines.push(format!("HWT575I WOULD MAKE {}: RESTORE PAGE SETS {sets}", document.queue_manager));
        return lines;
    };
    lines.extend(report.messages.iter().cloned());
    let took = Duration::from_secs_f64(report.restore_seconds);
    lines.push(format!(
        "HWT556I PAGE SETS {} RESTORED, {} PAGES, {} IN {}, {}",
        list(document.page_sets),
        report.pages,
        format_size(report.bytes),
        format_duration(took),
        format_rate(report.bytes, took)
    ));
    lines.push(format!("HWT558I {} RECOVERED, START IT WITH 'qmgr start'", document.queue_manager));
    lines
}
