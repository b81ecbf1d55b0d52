//! MQSC commands, run against the core.

mod display;
mod objects;
mod page_sets;

use format_bsds::RecoveryPointEntry;
use format_protocol::{PointRegistration, Reply};
use format_statement::{ArchiveLog, Statement, StopMode};
use format_types::ConditionCode;

pub(crate) use objects::{define_defaults, definitions, definitions_of};

use crate::core::request::{Outcome, Shortage};
use crate::core::{QUIESCE_SECONDS, Waiting};
use crate::{ConnectionId, Core, CoreError};
pub(crate) use display::unresolved_connections;

/// What a command printed before its last line, or why it was refused: message identifier and text.
pub(crate) type Answer = Result<Vec<String>, (String, String)>;

/// A refusal.
pub(crate) fn refuse(id: &str, text: impl Into<String>) -> Answer {
    Err((id.to_owned(), text.into()))
}

/// Log that the change of an object may need: page images, the record, the end of its unit.
const LOG_FOR_OBJECT: u64 = 32 << 10;

fn changes_objects(statement: &Statement) -> bool {
    matches!(
        statement,
        Statement::DefineQueue(_)
            | Statement::AlterQueue { .. }
            | Statement::DeleteQueue { .. }
            | Statement::DefineStorageClass(_)
            | Statement::AlterStorageClass { .. }
            | Statement::DeleteStorageClass { .. }
    )
}

/// Runs one command.
pub(crate) fn run(core: &mut Core, connection: ConnectionId, text: &str) -> Result<Outcome, CoreError> {
    let name = core.name().clone();
    let statement = match Statement::parse(text) {
        Ok(statement) => statement,
        Err(error) => {
            let lines = vec![
                error.to_string(),
                format!("CSQ9023E {name} CSQ9SCND '{}' ABNORMAL COMPLETION", first_words(text)),
            ];
            return Ok(Outcome::Reply(Reply::Lines { code: ConditionCode::Refused, lines }));
        }
    };
    if changes_objects(&statement) && core.is_quiesced() {
        return Ok(Outcome::Park(Shortage::Quiesce));
    }
    if (changes_objects(&statement) || matches!(statement, Statement::DefinePageSet(_)))
        && let Some(waits) = core.wants_log(LOG_FOR_OBJECT)
    {
        return Ok(waits);
    }
    let answer = match &statement {
        Statement::DefineQueue(define) => objects::define_queue(core, connection, define)?,
        Statement::AlterQueue { name, attributes } => {
            objects::alter_queue(core, connection, name, attributes)?
        }
        Statement::DeleteQueue { name } => objects::delete_queue(core, connection, name)?,
        Statement::DefineStorageClass(define) => objects::define_class(core, connection, define)?,
        Statement::AlterStorageClass { name, attributes } => {
            objects::alter_class(core, connection, name, attributes)?
        }
        Statement::DeleteStorageClass { name } => objects::delete_class(core, connection, name)?,
        Statement::DefinePageSet(define) => match page_sets::define(core, connection, define)? {
            Ok(outcome) => return Ok(outcome),
            Err(answer) => answer,
        },
        Statement::StartPageSet { page_set } => page_sets::start(core, *page_set)?,
        Statement::AlterPageSet { page_set, expand } => page_sets::alter(core, *page_set, *expand)?,
        Statement::DeletePageSet { page_set } => page_sets::delete(core, *page_set)?,
        Statement::DisplayQueue(request) => display::queues(core, request),
        Statement::DisplayStorageClass(request) => display::classes(core, request),
        Statement::DisplayPageSet { page_set, request } => display::page_sets(core, *page_set, request),
        Statement::DisplayUsage(request) => display::usage(core, request)?,
        Statement::DisplayLog => display::log(core),
        Statement::DisplayQueueManager(request) => display::queue_manager(core, request),
        Statement::DisplayConnection(request) => display::connections(core, request),
        Statement::DisplayThread(request) => display::threads(core, request),
        Statement::ResolveInDoubt(resolve) => core.resolve_in_doubt(resolve)?,
        Statement::ArchiveLog(ArchiveLog::Now) => {
            return Ok(match core.archive_log(connection, false)? {
                Outcome::Reply(Reply::LogArchived { lines, .. }) => {
                    Outcome::Reply(Reply::Lines { code: ConditionCode::Done, lines })
                }
                Outcome::Reply(Reply::Error { id, text, .. }) => finish(core, &statement, Err((id, text))),
                other => other,
            });
        }
        Statement::ArchiveLog(ArchiveLog::Quiesce { seconds, wait }) => {
            let waiting = if *wait { Waiting::Command } else { Waiting::Nobody };
            match core.archive_log_quiesced(connection, seconds.unwrap_or(QUIESCE_SECONDS), waiting) {
                Outcome::Reply(Reply::Error { id, text, .. }) => Err((id, text)),
                other => return Ok(other),
            }
        }
        Statement::ArchiveLog(ArchiveLog::CancelOffload) => Ok(core.cancel_offload()),
        Statement::StopQueueManager(mode) => {
            core.stop(*mode == StopMode::Force);
            Ok(Vec::new())
        }
    };
    Ok(finish(core, &statement, answer))
}

/// The reply with its last line, `CSQ9022I` or `CSQ9023E`.
fn finish(core: &Core, statement: &Statement, answer: Answer) -> Outcome {
    let (name, csect, command) = (core.name(), statement.csect(), statement.command());
    let (code, lines) = match answer {
        Ok(mut lines) => {
            lines.push(format!("CSQ9022I {name} {csect} ' {command}' NORMAL COMPLETION"));
            (ConditionCode::Done, lines)
        }
        Err((id, text)) => (
            ConditionCode::Partial,
            vec![
                format!("{id} {name} {csect} {text}"),
                format!("CSQ9023E {name} {csect} ' {command}' ABNORMAL COMPLETION"),
            ],
        ),
    };
    Outcome::Reply(Reply::Lines { code, lines })
}

fn first_words(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().take(2).collect();
    let cut: String = words.join(" ").chars().filter(|c| !c.is_control()).take(40).collect();
    format!(" {cut}")
}

/// What the BSDS keeps of a finished backup.
pub(crate) fn point_entry(point: &PointRegistration) -> RecoveryPointEntry {
    RecoveryPointEntry {
        name: point.name.clone(),
        directory: point.directory.clone(),
        method: match point.method {
            format_protocol::PointMethod::Fuzzy => format_bsds::PointMethod::Fuzzy,
            format_protocol::PointMethod::Full => format_bsds::PointMethod::Full,
        },
        state: match point.state {
            format_protocol::PointState::Verified => format_bsds::PointState::Verified,
            format_protocol::PointState::Unverified => format_bsds::PointState::Unverified,
            format_protocol::PointState::Damaged => format_bsds::PointState::Damaged,
        },
        at: point.at,
        history: point.history,
        start: point.start,
        end: point.end,
        page_sets: point.page_sets.clone(),
        system_recovery: point.system_recovery.clone(),
        verified_at: None,
    }
}
