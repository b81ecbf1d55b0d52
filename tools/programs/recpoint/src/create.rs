//! recpoint create.

use console::{Failure, Outcome, Progress, Session, format_duration, format_rate, format_size, message, now};
use engine_storage::SharedStorage;
use format_manifest::{CopiedLog, Manifest};
use format_types::{
    ConditionCode, HistoryId, PageNumber, PageSetId, PointMethod, PointState, Rba, SystemRecovery,
};
use operation_points::{CreateSettings, CreatedPoint, create_point};
use serde::Serialize;
use std::time::Duration;

use crate::args::{Create, Method};
use crate::run::failure;

#[derive(Serialize)]
pub(crate) struct Document<'a> {
    name: &'a str,
    directory: String,
    queue_manager: &'a str,
    method: PointMethod,
    state: PointState,
    at: String,
    history: HistoryId,
    start: Rba,
    end: Rba,
    system_recovery: &'a SystemRecovery,
    log_needed_from: Rba,
    page_sets: Vec<PageSet>,
    bytes: u64,
    reread_pages: u64,
    copy_seconds: f64,
    seconds: f64,
    archive_retries: u32,
    /// What the stop for a full point printed of the log.
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    stopped: &'a [String],
    /// Whether the queue manager was stopped for the point and started again.
    restarted: bool,
    /// The log that was copied into the point.
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<&'a [CopiedLog]>,
    condition_code: ConditionCode,
}

#[derive(Serialize)]
struct PageSet {
    page_set: PageSetId,
    recovery_rba: Rba,
    pages: u32,
    damaged_pages: Vec<PageNumber>,
}

pub(crate) fn run(arguments: &Create, storage: &SharedStorage, session: &mut Session) -> Outcome {
    if arguments.emit.is_some() {
        return crate::backup_job::run(arguments.method, &arguments.job, storage, session);
    }
    crate::backup_job::check_unused(&arguments.job)?;
    let (Some(dir), Some(to)) = (&arguments.directory, &arguments.to) else {
        return Err(Failure::refused("HWT700E", "the queue manager and --to are wanted"));
    };
    if arguments.method == Method::Full {
        return crate::full::run(arguments, dir, to, storage, session);
    }
    if arguments.allow_in_doubt {
        let text =
            "--allow-in-doubt goes with --method full: a fuzzy point is made over units in doubt anyway";
        return Err(Failure::refused("HWT700E", text));
    }
    let settings = CreateSettings {
        dir: dir.clone(),
        to: to.clone(),
        name: arguments.name.clone(),
        timeout: session.common.timeout,
        include_log: arguments.include_log,
    };
    let bar = Progress::bytes("copying page sets", 0);
    let made = create_point(storage, &settings, now(), &|progress| {
        bar.set_total(progress.total);
        bar.set(progress.done);
    });
    bar.finish();
    let made = made.map_err(failure)?;
    name_damage(&made);
    session.answer(&document(&made, false), || lines(&made));
    Ok(made.code())
}

/// Names every page that never verified.
pub(crate) fn name_damage(made: &CreatedPoint) {
    for set in &made.damaged {
        for damaged in &set.report.damaged {
            let text = format!(
                "page set {} page {:08X} never verified: {}",
                set.page_set, damaged.number, damaged.why
            );
            message("HWT541E", &text);
        }
    }
    if !made.damaged.is_empty() {
        message(
            "HWT542E",
            "the recovery point is damaged and counts for nothing; recover the page set, then make another",
        );
    }
}

fn bytes(manifest: &Manifest) -> u64 {
    manifest.page_sets.iter().map(|copy| copy.length).sum()
}

/// The document behind --json.
pub(crate) fn document(made: &CreatedPoint, restarted: bool) -> Document<'_> {
    let manifest = &made.manifest;
    Document {
        name: &manifest.name,
        directory: made.directory.display().to_string(),
        queue_manager: manifest.queue_manager.as_str(),
        method: manifest.method,
        state: manifest.state,
        at: console::format_time(manifest.at),
        history: manifest.history,
        start: manifest.start,
        end: manifest.end,
        system_recovery: &manifest.system_recovery,
        log_needed_from: manifest.log_needed_from(),
        page_sets: manifest
            .page_sets
            .iter()
            .map(|copy| PageSet {
                page_set: copy.page_set,
                recovery_rba: copy.recovery_rba,
                pages: copy.pages,
                damaged_pages: copy.damaged_pages.clone(),
            })
            .collect(),
        bytes: bytes(manifest),
        reread_pages: made.reread,
        copy_seconds: made.copy_seconds,
        seconds: made.seconds,
        archive_retries: made.archive_retries,
        stopped: &manifest.stopped,
        restarted,
        log: manifest.log.as_deref(),
        condition_code: made.code(),
    }
}

/// What is printed of a point that was made.
pub(crate) fn lines(made: &CreatedPoint) -> Vec<String> {
    let manifest = &made.manifest;
    let copied = bytes(manifest);
    let took = Duration::from_secs_f64(made.copy_seconds);
    let mut lines = made.archive_messages.clone();
    lines.push(format!(
        "HWT543I {} RECOVERY POINT {} MADE IN {}, {} {}",
        manifest.queue_manager,
        manifest.name,
        made.directory.display(),
        manifest.method,
        manifest.state
    ));
    lines.push(format!(
        "HWT544I {} PAGE SETS, {} COPIED IN {}, {}",
        manifest.page_sets.len(),
        format_size(copied),
        format_duration(took),
        format_rate(copied, took)
    ));
    lines.push(format!(
        "HWT545I LOG NEEDED FROM {} ({}), START {}, END {}",
        manifest.log_needed_from(),
        manifest.system_recovery.lowest().holder,
        manifest.start,
        manifest.end
    ));
    if let Some(pieces) = &manifest.log {
        let included = pieces.iter().map(|piece| piece.length).sum();
        lines.push(format!(
            "HWT245I THE LOG IS INCLUDED, {} IN {} FILES",
            format_size(included),
            pieces.len()
        ));
    }
    lines
}
