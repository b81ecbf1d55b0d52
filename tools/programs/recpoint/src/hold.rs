//! recpoint hold and recpoint release.

use console::{Outcome, Session, format_time, say};
use engine_storage::SharedStorage;
use format_bsds::Hold as Held;
use format_types::ConditionCode;
use operation_points::known_points;
use serde::Serialize;

use crate::args::{Hold, Kept};
use crate::run::{failure, registry};

/// A hold, as --json shows it.
#[derive(Debug, Serialize)]
pub(crate) struct HoldRow {
    reason: String,
    until: Option<String>,
    ended: bool,
}

impl HoldRow {
    pub(crate) fn of(hold: &Held) -> Self {
        Self {
            reason: hold.reason.clone(),
            until: hold.until.map(format_time),
            ended: !hold.holds_at(console::now()),
        }
    }

    pub(crate) fn line(&self) -> String {
        let until =
            self.until.as_ref().map_or_else(|| "until released".to_owned(), |until| format!("until {until}"));
        let ended = if self.ended { " (ended)" } else { "" };
        format!("{until}{ended}: {}", self.reason)
    }
}

#[derive(Serialize)]
struct Document<'a> {
    point: &'a str,
    live: bool,
    holds: Vec<HoldRow>,
    messages: Vec<String>,
    condition_code: ConditionCode,
}

pub(crate) fn hold(arguments: &Hold, storage: &SharedStorage, session: &mut Session) -> Outcome {
    let Kept { at, point } = &arguments.kept;
    let registry = registry(storage, &at.directory, session);
    let changed = registry.hold(point, &arguments.reason, arguments.until).map_err(failure)?;
    answer(&arguments.kept, storage, session, &changed)
}

pub(crate) fn release(arguments: &Kept, storage: &SharedStorage, session: &mut Session) -> Outcome {
    let changed =
        registry(storage, &arguments.at.directory, session).release(&arguments.point).map_err(failure)?;
    answer(arguments, storage, session, &changed)
}

/// Shows what was changed, and the holds that there are now.
fn answer(
    kept: &Kept,
    storage: &SharedStorage,
    session: &mut Session,
    changed: &engine_queue_manager::BsdsChanged,
) -> Outcome {
    changed.messages.iter().for_each(|message| say(message));
    let known = known_points(storage, &kept.at.directory).map_err(failure)?;
    let known = known.iter().rev().find(|known| known.entry.name == kept.point);
    let document = Document {
        point: &kept.point,
        live: changed.live,
        holds: known.map(|known| known.holds.iter().map(HoldRow::of).collect()).unwrap_or_default(),
        messages: changed.lines.clone(),
        condition_code: ConditionCode::Done,
    };
    session.answer(&document, || document.messages.clone());
    Ok(ConditionCode::Done)
}
