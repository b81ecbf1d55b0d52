//! The BSDS made anew.

use console::{Failure, Outcome, Progress, Session, now};
use engine_storage::RealStorage;
use format_types::{ConditionCode, HistoryId, PageSetId, Rba, RbaRange};
use operation_points::{PointError, RebuildSettings, rebuild};
use serde::Serialize;

use crate::args::Arguments;

#[derive(Serialize)]
struct Document<'a> {
    queue_manager: String,
    rebuilt: bool,
    made_from: Option<&'a str>,
    log_end: Rba,
    history: HistoryId,
    active_logs: usize,
    archives: usize,
    checkpoints: usize,
    recovery_points: usize,
    page_sets: Vec<PageSetId>,
    missing: &'a [String],
    unusable: Vec<Unusable<'a>>,
    gaps: Vec<Gap<'a>>,
    notes: &'a [String],
    condition_code: ConditionCode,
}

/// A file that is here and of no use.
#[derive(Serialize)]
struct Unusable<'a> {
    name: &'a str,
    why: &'a str,
}

/// Log that is needed and in no file here.
#[derive(Serialize)]
struct Gap<'a> {
    log: RbaRange,
    point: Option<&'a str>,
    unreadable: &'a [String],
    #[serde(skip)]
    text: String,
}

/// Code 0, 4 when files are of no use or log is missing and that is accepted or stands against nothing, 12 when nothing was written.
pub(crate) fn run(arguments: &Arguments, session: &mut Session) -> Outcome {
    let settings = RebuildSettings {
        dir: arguments.directory.clone(),
        accept_loss: arguments.accept_loss,
        dry_run: arguments.dry_run,
    };
    let bar = Progress::bytes("looking at the log", 0);
    let rebuilt = rebuild(&RealStorage::shared(), &settings, now(), &mut |done, total| {
        bar.set_total(total);
        bar.set(done);
    });
    bar.finish();
    let rebuilt = rebuilt.map_err(|error: PointError| Failure::of(&error).with_code(error.code()))?;
    let bsds = &rebuilt.bsds;
    let whole = rebuilt.missing.is_empty() && rebuilt.unusable.is_empty() && rebuilt.gaps.is_empty();
    let code = if whole { ConditionCode::Done } else { ConditionCode::Warning };
    let gaps = rebuilt.gaps.iter().map(|gap| Gap {
        log: gap.range,
        point: gap.point.as_deref(),
        unreadable: &gap.unreadable,
        text: gap.to_string(),
    });
    let document = Document {
        queue_manager: arguments.directory.display().to_string(),
        rebuilt: !arguments.dry_run,
        made_from: rebuilt.base.as_deref(),
        log_end: rebuilt.log_end,
        history: bsds.history(),
        active_logs: bsds.active_logs.len(),
        archives: bsds.archives.len(),
        checkpoints: bsds.checkpoints.len(),
        recovery_points: bsds.recovery_points.len(),
        page_sets: bsds.page_sets.iter().map(|entry| entry.page_set).collect(),
        missing: &rebuilt.missing,
        unusable: rebuilt.unusable.iter().map(|file| Unusable { name: &file.name, why: &file.why }).collect(),
        gaps: gaps.collect(),
        notes: &rebuilt.notes,
        condition_code: code,
    };
    session.answer(&document, || lines(&document));
    Ok(code)
}

fn lines(document: &Document<'_>) -> Vec<String> {
    let from = document.made_from.unwrap_or("LOG AND PAGE SETS ALONE");
    let mut lines =
        vec![format!("HWT576I BSDS MADE FROM {from}, BROUGHT UP TO LOG END {}", document.log_end)];
    lines.extend(document.notes.iter().map(|note| format!("HWT577I {note}")));
    lines.extend(
        document.unusable.iter().map(|file| format!("HWT901W {} IS LEFT OUT: {}", file.name, file.why)),
    );
    lines.extend(document.gaps.iter().map(|gap| format!("HWT902W {}", gap.text)));
    lines
        .extend(document.missing.iter().map(|what| format!("HWT578W {what}: LOG THAT ONLY IT HELD IS LOST")));
    lines.push(format!(
        "HWT579I {} ACTIVE LOGS, {} ARCHIVES, {} CHECKPOINTS, {} RECOVERY POINTS, {} PAGE SETS",
        document.active_logs,
        document.archives,
        document.checkpoints,
        document.recovery_points,
        document.page_sets.len()
    ));
    lines.push(if document.rebuilt {
        format!("HWT243I {} HAS A BSDS AGAIN, START IT WITH 'qmgr start'", document.queue_manager)
    } else {
        format!("HWT244I WOULD WRITE BOTH COPIES OF THE BSDS OF {}", document.queue_manager)
    });
    lines
}
