//! recpoint list.

use console::{Outcome, Session, format_time};
use engine_storage::SharedStorage;
use format_types::{ConditionCode, HistoryId, PointMethod, PointState, Rba};
use operation_points::{KnownPoint, known_points};
use serde::Serialize;

use crate::args::Directory;
use crate::hold::HoldRow;
use crate::run::failure;

#[derive(Serialize)]
struct Document {
    points: Vec<Row>,
}

#[derive(Serialize)]
struct Row {
    name: String,
    method: PointMethod,
    state: PointState,
    at: String,
    history: HistoryId,
    start: Rba,
    end: Rba,
    log_needed_from: Rba,
    directory: String,
    present: bool,
    /// It does not reach behind a cut of the log.
    on_the_line: bool,
    /// When it was last found whole.
    verified_at: Option<String>,
    holds: Vec<HoldRow>,
    /// One of them has not ended.
    held: bool,
}

impl Row {
    fn of(known: KnownPoint, storage: &SharedStorage) -> Self {
        let KnownPoint { entry, on_the_line, holds } = known;
        let now = console::now();
        let copies = entry.page_sets.iter().map(|(_, rba)| *rba).min().unwrap_or(Rba::MAX);
        Self {
            present: storage.exists(entry.directory.as_ref()).unwrap_or(false),
            log_needed_from: entry.system_recovery.lowest().rba.min(copies),
            at: format_time(entry.at),
            name: entry.name,
            method: entry.method,
            state: entry.state,
            history: entry.history,
            start: entry.start,
            end: entry.end,
            directory: entry.directory,
            on_the_line,
            verified_at: entry.verified_at.map(format_time),
            held: holds.iter().any(|hold| hold.holds_at(now)),
            holds: holds.iter().map(HoldRow::of).collect(),
        }
    }

    fn line(&self, width: usize) -> String {
        let gone = if self.present { "" } else { " (gone)" };
        let off = if self.on_the_line { "" } else { " (off the line)" };
        let held = if self.held { " (held)" } else { "" };
        format!(
            "{:width$}  {:6}  {:10}  {:27}  {:27}  {}  {}  {}  {}{gone}{off}{held}",
            self.name,
            self.method,
            self.state,
            self.at,
            self.verified_at.as_deref().unwrap_or("not yet"),
            self.start,
            self.end,
            self.log_needed_from,
            self.directory
        )
    }
}

/// Code 4 when there is none.
pub(crate) fn run(arguments: &Directory, storage: &SharedStorage, session: &mut Session) -> Outcome {
    let known = known_points(storage, &arguments.directory).map_err(failure)?;
    let points: Vec<Row> = known.into_iter().map(|known| Row::of(known, storage)).collect();
    let code = if points.is_empty() { ConditionCode::Warning } else { ConditionCode::Done };
    let document = Document { points };
    session.answer(&document, || lines(&document.points));
    Ok(code)
}

fn lines(points: &[Row]) -> Vec<String> {
    if points.is_empty() {
        return vec!["HWT546W NO RECOVERY POINT IS KNOWN".to_owned()];
    }
    let width = points.iter().map(|row| row.name.len()).max().unwrap_or(0).max(4);
    let mut lines = vec![format!(
        "{:width$}  {:6}  {:10}  {:27}  {:27}  {:16}  {:16}  {:16}  DIRECTORY",
        "NAME", "METHOD", "STATE", "AT", "VERIFIED", "START", "END", "LOG FROM"
    )];
    lines.extend(points.iter().map(|row| row.line(width)));
    lines
}
