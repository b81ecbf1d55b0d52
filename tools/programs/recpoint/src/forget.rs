//! recpoint forget.

use console::{Outcome, Session, format_size, message, say};
use engine_storage::SharedStorage;
use format_types::ConditionCode;
use operation_points::ForgetPlan;
use serde::Serialize;

use crate::args::Forget;
use crate::run::{failure, registry};

#[derive(Serialize)]
struct Document<'a> {
    point: &'a str,
    directory: &'a str,
    /// Files that are deleted, or would be.
    files: &'a [String],
    forgotten: bool,
    messages: Vec<String>,
    condition_code: ConditionCode,
}

/// Code 4 when files that were to go are still there.
pub(crate) fn run(arguments: &Forget, storage: &SharedStorage, session: &mut Session) -> Outcome {
    let registry = registry(storage, &arguments.kept.at.directory, session);
    let plan = registry.plan_forget(&arguments.kept.point, arguments.delete_files).map_err(failure)?;
    if arguments.dry_run {
        let lines = vec![
            format!("HWT592I RECOVERY POINT {} CAN BE FORGOTTEN: nothing was done", plan.entry.name),
            files_line(&plan),
        ];
        return Ok(answer(&plan, session, lines, false, ConditionCode::Done));
    }
    let forgotten = registry.forget(&plan).map_err(failure)?;
    forgotten.changed.messages.iter().for_each(|line| say(line));
    let mut lines = forgotten.changed.lines.clone();
    let code = match &forgotten.left {
        Some(left) => {
            message("HWT593W", left);
            ConditionCode::Warning
        }
        None => {
            lines.push(files_line(&plan));
            ConditionCode::Done
        }
    };
    Ok(answer(&plan, session, lines, true, code))
}

fn answer(
    plan: &ForgetPlan,
    session: &mut Session,
    messages: Vec<String>,
    forgotten: bool,
    code: ConditionCode,
) -> ConditionCode {
    let document = Document {
        point: &plan.entry.name,
        directory: &plan.entry.directory,
        files: plan.files.as_ref().map_or(&[], |files| &files.names),
        forgotten,
        messages,
        condition_code: code,
    };
    session.answer(&document, || document.messages.clone());
    code
}

fn files_line(plan: &ForgetPlan) -> String {
    let directory = &plan.entry.directory;
    match &plan.files {
        None => format!(
            "HWT594I ITS FILES STAY in {directory}: recover --from takes them; --delete-files deletes them"
        ),
        Some(files) if files.names.is_empty() => {
            format!("HWT594I ITS FILES ARE GONE already: {directory} is not there")
        }
        Some(files) => {
            format!(
                "HWT594I ITS {} FILES, {}, ARE DELETED with {directory}",
                files.names.len(),
                format_size(files.bytes)
            )
        }
    }
}
