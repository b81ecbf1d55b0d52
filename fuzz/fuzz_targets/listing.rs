//! Any bytes as a file of listings: its reports are read, or it is refused at a place in the file; a log map is written as it was read.
#![no_main]

use format_listing::{LogMapLayout, Report, Text, read};
use libfuzzer_sys::fuzz_target;

fn read_all(bytes: &[u8]) -> Option<Vec<Report>> {
    let text = Text::decode("fuzz", bytes).ok()?;
    let lines = text.lines().map(|line| line.number).max().unwrap_or(1);
    match read(&[text]) {
        Ok(sections) => Some(sections.into_iter().map(|section| section.report).collect()),
        Err(error) => {
            assert!((1..=lines).contains(&error.line) && error.column >= 1, "{error} of {lines} lines");
            None
        }
    }
}

fuzz_target!(|bytes: &[u8]| {
    for report in read_all(bytes).into_iter().flatten() {
        if let Report::LogMap(map) = report {
            for layout in [LogMapLayout::Csqju004, LogMapLayout::Dsnju004] {
                let written = map.lines(layout).join("\n") + "\n";
                let again = read_all(written.as_bytes());
                assert_eq!(again, Some(vec![Report::LogMap(map.clone())]), "{written}");
            }
        }
    }
});
