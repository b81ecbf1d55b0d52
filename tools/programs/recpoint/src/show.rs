//! recpoint show.

use console::{Outcome, Session, format_size, format_time};
use engine_storage::SharedStorage;
use format_manifest::{CopiedFile, CopiedLog, CopiedPageSet};
use format_types::{
    ConditionCode, HistoryId, PointMethod, PointState, QueueManagerId, QueueManagerName, Rba, RecoveryPart,
    SystemRecovery,
};
use operation_points::{KnownPoint, Point, known_points};
use serde::Serialize;

use crate::args::Named;
use crate::hold::HoldRow;
use crate::run::find;

#[derive(Serialize)]
struct Document<'a> {
    name: &'a str,
    directory: String,
    queue_manager: &'a QueueManagerName,
    queue_manager_id: QueueManagerId,
    history: HistoryId,
    method: PointMethod,
    state: PointState,
    at: String,
    start: Rba,
    end: Rba,
    log_needed_from: Rba,
    page_sets: &'a [CopiedPageSet],
    system_recovery: &'a SystemRecovery,
    bsds: &'a CopiedFile,
    definitions: &'a CopiedFile,
    stopped: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    log: Option<&'a [CopiedLog]>,
    /// When it was last found whole.
    verified_at: Option<String>,
    holds: Vec<HoldRow>,
}

pub(crate) fn run(arguments: &Named, storage: &SharedStorage, session: &mut Session) -> Outcome {
    let point = find(storage, &arguments.at.directory, &arguments.point)?;
    let manifest = &point.manifest;
    // Looked at where its queue manager is not, it has no entry.
    let known = known_points(storage, &arguments.at.directory).unwrap_or_default();
    let is_it = |known: &KnownPoint| known.entry.name == manifest.name && known.entry.at == manifest.at;
    let known = known.into_iter().find(is_it);
    let state = known.as_ref().map_or(manifest.state, |known| known.entry.state);
    let verified_at = known.as_ref().and_then(|known| known.entry.verified_at).map(format_time);
    let holds: Vec<HoldRow> = known.iter().flat_map(|known| &known.holds).map(HoldRow::of).collect();
    let document = Document {
        name: &manifest.name,
        directory: point.directory.display().to_string(),
        queue_manager: &manifest.queue_manager,
        queue_manager_id: manifest.queue_manager_id,
        history: manifest.history,
        method: manifest.method,
        state,
        at: format_time(manifest.at),
        start: manifest.start,
        end: manifest.end,
        log_needed_from: manifest.log_needed_from(),
        page_sets: &manifest.page_sets,
        system_recovery: &manifest.system_recovery,
        bsds: &manifest.bsds,
        definitions: &manifest.definitions,
        stopped: &manifest.stopped,
        log: manifest.log.as_deref(),
        verified_at,
        holds,
    };
    session.answer(&document, || lines(&point, &document));
    Ok(ConditionCode::Done)
}

fn lines(point: &Point, document: &Document<'_>) -> Vec<String> {
    let manifest = &point.manifest;
    let field = |name: &str, value: String| format!("{name:16} {value}");
    let part = |part: Option<&RecoveryPart>| {
        part.map_or_else(|| "none".to_owned(), |part| format!("{}  {}", part.rba, part.holder))
    };
    let recovery = &manifest.system_recovery;
    let mut lines = vec![
        field("NAME", manifest.name.clone()),
        field("DIRECTORY", point.directory.display().to_string()),
        field("QUEUE MANAGER", format!("{} ({})", manifest.queue_manager, manifest.queue_manager_id)),
        field("LOG HISTORY", manifest.history.to_string()),
        field("METHOD", manifest.method.to_string()),
        field("STATE", document.state.to_string()),
        field("AT", format_time(manifest.at)),
        field("VERIFIED", document.verified_at.clone().unwrap_or_else(|| "not yet".to_owned())),
        field("START", manifest.start.to_string()),
        field("END", manifest.end.to_string()),
        field("LOG FROM", manifest.log_needed_from().to_string()),
        field("  PAGE SETS", part(Some(&recovery.page_sets))),
        field("  STRUCTURES", part(recovery.structures.as_ref())),
        field("  UNITS", part(recovery.units.as_ref())),
        String::new(),
    ];
    if !document.holds.is_empty() {
        lines.extend(document.holds.iter().map(|hold| field("HELD", hold.line())));
        lines.push(String::new());
    }
    if !manifest.stopped.is_empty() {
        lines.extend(manifest.stopped.iter().cloned());
        lines.push(String::new());
    }
    lines.push("PAGE SET  RECOVERY RBA      PAGES     SIZE        CHECKSUM  DAMAGED".to_owned());
    lines.extend(manifest.page_sets.iter().map(|copy| {
        format!(
            "{:8}  {}  {:8}  {:10}  {:08X}  {}",
            copy.page_set.to_string(),
            copy.recovery_rba,
            copy.pages,
            format_size(copy.length),
            copy.checksum,
            copy.damaged_pages.len()
        )
    }));
    if let Some(pieces) = &manifest.log {
        lines.extend([
            String::new(),
            "LOG       FROM              TO                SIZE        CHECKSUM".to_owned(),
        ]);
        lines.extend(pieces.iter().map(|piece| {
            let size = format_size(piece.length);
            format!("{:8}  {}  {}  {size:10}  {:08X}", piece.file, piece.start, piece.end, piece.checksum)
        }));
    }
    lines
}
