//! The commands to be run, in order, each read beforehand.

use std::io::Read;

use console::Failure;
use format_statement::{ScriptStatement, Statement, script};

/// A command to be run.
pub(crate) struct Step {
    /// Its text.
    pub(crate) text: String,
    /// What is wrong with it, with the place; it is not run then.
    pub(crate) error: Option<String>,
}

/// The commands in `arguments`, or on standard input when there are none.
pub(crate) fn plan(arguments: &[String]) -> Result<Vec<Step>, Failure> {
    if arguments.is_empty() {
        let mut text = String::new();
        std::io::stdin().lock().read_to_string(&mut text).map_err(|error| {
            Failure::refused("HWT721E", format!("standard input could not be read: {error}"))
        })?;
        Ok(script(&text).iter().map(|statement| step(statement, "line")).collect())
    } else {
        let all = arguments.iter().flat_map(|text| script(text));
        Ok(all.map(|statement| step(&statement, "argument line")).collect())
    }
}

fn step(statement: &ScriptStatement, line: &str) -> Step {
    let error = Statement::parse(&statement.text).err().map(|error| {
        let place = statement.locate(error.column());
        format!("{} {} ({line} {}, column {})", error.id(), error.text(), place.line, place.column)
    });
    Step { text: statement.text.trim().to_owned(), error }
}
