//! Lists the tools, or becomes one of them.

use std::os::unix::process::CommandExt;
use std::path::PathBuf;
use std::process::Command;

use console::{Failure, Outcome, Session};
use format_types::ConditionCode;
use serde::Serialize;

use crate::args::Arguments;
use crate::tools::{TOOLS, Tool};

#[derive(Serialize)]
struct Listing {
    tools: &'static [Tool],
}

/// Does what was asked; returns only when no tool has taken over the process.
pub(crate) fn run(arguments: Arguments, session: &mut Session) -> Outcome {
    let mut words = arguments.command.into_iter();
    let Some(name) = words.next() else {
        session.answer(&Listing { tools: TOOLS }, || {
            TOOLS.iter().map(|tool| format!("{:<11}{}", tool.name, tool.about)).collect()
        });
        return Ok(ConditionCode::Done);
    };
    let Some(tool) = TOOLS.iter().find(|tool| name == *tool.name) else {
        let text = format!("'{}' is no tool of this suite", name.to_string_lossy());
        return Err(Failure::refused("HWT731E", text).hint("'highwater' without a tool lists them"));
    };
    let path = beside(tool.name)?;
    let error = Command::new(&path).args(words).exec();
    Err(Failure::refused("HWT732E", format!("{} could not be run: {error}", path.display()))
        .hint("install the whole suite into one directory"))
}

/// The program of that name in the directory of this one.
fn beside(name: &str) -> Result<PathBuf, Failure> {
    let own = std::env::current_exe().map_err(|error| {
        Failure::refused("HWT732E", format!("this program's directory is unknown: {error}"))
    })?;
    Ok(own.with_file_name(name))
}
