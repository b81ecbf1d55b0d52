//! Any text as a script of MQSC: every statement is read, or refused at a place in the script.
#![no_main]

use format_statement::{Statement, script};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let lines = text.lines().count();
    for statement in script(text) {
        if let Err(error) = Statement::parse(&statement.text) {
            let place = statement.locate(error.column());
            assert!(place.line >= 1 && place.line <= lines.max(1), "{place:?} of {lines} lines: {error}");
        }
    }
    let _ = Statement::parse(text);
});
