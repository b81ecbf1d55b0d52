//! DISPLAY LOG, read: CSQJ322I and CSQJ370I.

use format_types::{DataSetName, QueueManagerName, Rba};
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::tag;
use nom::character::complete::{char, space0};
use nom::combinator::{map, opt, value};
use nom::error::context;
use nom::multi::many1;
use nom::sequence::preceded;

use crate::cursor::{Cursor, is_page_heading, is_rule};
use crate::error::ListingError;
use crate::field::{Parsed, data_set_name, keyword, number, rba, whole};
use crate::log_status::OffloadState;
use crate::message::{id_of, named_by, required_head, table};
use crate::printed_time::{PrintedTime, stamp};

/// What CSQJ370I says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayedLog {
    /// Copies 1 and 2; none when the copy is not written.
    pub copies: [Option<DisplayedCopy>; 2],
    /// When the queue manager was started, in the time of its system.
    pub restarted_at: PrintedTime,
    /// Where its restart began to read the log.
    pub restart_rba: Rba,
    /// End of the log.
    pub latest: Rba,
    /// What the offload task does.
    pub offload: OffloadState,
    /// Full data sets that wait for the offload.
    pub full: usize,
    /// Data sets of one copy.
    pub data_sets: usize,
}

/// A copy of the active log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayedCopy {
    /// How full the current data set is.
    pub percent_full: u8,
    /// What the columns between it and the name say: PPRC, and encryption on releases that print it.
    pub answers: Vec<bool>,
    /// Its name.
    pub data_set: DataSetName,
}

/// A row of CSQJ322I.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DisplayedParameter {
    /// Its name.
    pub name: String,
    /// Its value at start.
    pub initial: String,
    /// Its value since, where it was changed.
    pub set: Option<String>,
}

const WHAT: &str = "the line of DISPLAY LOG does not read";

fn answer(input: &str) -> Parsed<'_, bool> {
    let words = alt((value(true, tag("YES ")), value(false, tag("NO "))));
    context("YES or NO", preceded(space0, words)).parse(input)
}

fn copy_row(input: &str) -> Parsed<'_, (u8, Option<DisplayedCopy>)> {
    let (rest, copy) = number(input)?;
    let inactive: Parsed<'_, ()> = keyword("Inactive").parse(rest);
    if let Ok((rest, ())) = inactive {
        return Ok((rest, (copy, None)));
    }
    let (rest, (percent_full, answers, data_set)) = (number, many1(answer), data_set_name).parse(rest)?;
    Ok((rest, (copy, Some(DisplayedCopy { percent_full, answers, data_set }))))
}

fn equals(input: &str) -> Parsed<'_, Rba> {
    map(preceded((space0, char('=')), rba), |(rba, _)| rba).parse(input)
}

fn restarted(input: &str) -> Parsed<'_, (PrintedTime, Rba)> {
    let (rest, (at, (), rba)) = (stamp, keyword("using RBA"), equals).parse(input)?;
    Ok((rest, (at, rba)))
}

fn full(input: &str) -> Parsed<'_, (usize, usize)> {
    let (rest, (_, full, (), of)) = ((space0, opt(char('-'))), number, keyword("of"), number).parse(input)?;
    Ok((rest, (full, of)))
}

/// CSQJ370I.
pub(crate) fn status(
    lines: &mut Cursor<'_>,
) -> Result<(Option<QueueManagerName>, DisplayedLog), ListingError> {
    let no_lines = || ListingError::new("", 0, 0, WHAT, "there are no lines");
    let first = lines.peek().ok_or_else(no_lines)?;
    let head = required_head(&first, "LOG status report")?;
    lines.advance();
    let mut copies: [Option<Option<DisplayedCopy>>; 2] = [None, None];
    let (mut restart, mut latest, mut offload) = (None, None, None);
    while let Some(line) = lines.peek() {
        let text = line.text.trim();
        if id_of(text).is_some() {
            break;
        }
        lines.advance();
        let twice = || line.error(text, WHAT, "the report says it twice");
        if is_rule(text)
            || is_page_heading(text)
            || (text.starts_with("Copy %Full") && text.ends_with("DSName"))
        {
            continue;
        } else if let Some(rest) = text.strip_prefix("Restarted at") {
            if restart.replace(whole(&line, rest, WHAT, restarted)?).is_some() {
                return Err(twice());
            }
        } else if let Some(rest) = text.strip_prefix("Latest RBA") {
            if latest.replace(whole(&line, rest, WHAT, equals)?).is_some() {
                return Err(twice());
            }
        } else if let Some(rest) = text.strip_prefix("Offload task is") {
            let state = match rest.trim() {
                "AVAILABLE" => OffloadState::Available,
                "BUSY" => OffloadState::Busy,
                "ALLOCATING ARCHIVE" => OffloadState::AllocatingArchive,
                "COPYING BSDS" => OffloadState::CopyingBsds,
                "COPYING LOG" => OffloadState::CopyingLog,
                _ => {
                    return Err(line.error(rest.trim_start(), WHAT, "a state of the offload task is wanted"));
                }
            };
            if offload.replace(state).is_some() {
                return Err(twice());
            }
        } else if let Some(rest) = text.strip_prefix("Full logs to offload") {
            let (full, data_sets) = whole(&line, rest, WHAT, full)?;
            let ([Some(one), Some(two)], Some((restarted_at, restart_rba)), Some(latest), Some(offload)) =
                (copies, restart, latest, offload)
            else {
                return Err(line.error(text, "the report is not complete", "a line of it is missing above"));
            };
            let copies = [one, two];
            let log = DisplayedLog { copies, restarted_at, restart_rba, latest, offload, full, data_sets };
            return Ok((named_by(head.prefix), log));
        } else {
            let (number, copy) = whole(&line, line.text, WHAT, copy_row)?;
            let slot = usize::from(number).checked_sub(1).and_then(|place| copies.get_mut(place));
            let slot = slot.ok_or_else(|| line.error(text, WHAT, "copy 1 or 2 is wanted"))?;
            if slot.replace(copy).is_some() {
                return Err(twice());
            }
        }
    }
    Err(first.error(first.text.trim_start(), "the report has no end", "'Full logs to offload' is wanted"))
}

/// CSQJ322I.
pub(crate) fn parameters(
    lines: &mut Cursor<'_>,
) -> Result<(Option<QueueManagerName>, Vec<DisplayedParameter>), ListingError> {
    let mut found = Vec::new();
    let mut columns = None;
    let queue_manager = table(lines, "LOG parameters", "End of LOG report", &[], |line| {
        let initial = line.text.find("Initial value");
        let set = line.text.find("SET value");
        if let (Some(initial), Some(set)) = (initial, set) {
            columns = Some((initial, set));
            return Ok(());
        }
        let Some((initial, set)) = columns else {
            return Err(line.error(
                line.text.trim_start(),
                WHAT,
                "the heading of the columns is wanted above it",
            ));
        };
        let cell = |from, to: Option<usize>| {
            line.text
                .get(from..to.unwrap_or(line.text.len()).min(line.text.len()))
                .unwrap_or("")
                .trim()
                .to_owned()
        };
        let (name, initial, set) = (cell(0, Some(initial)), cell(initial, Some(set)), cell(set, None));
        let plain = !name.is_empty() && name.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit());
        if !plain || [&name, &initial, &set].iter().any(|cell| cell.contains("  ")) {
            return Err(line.error(
                line.text.trim_start(),
                WHAT,
                "a name and values below their headings are wanted",
            ));
        }
        found.push(DisplayedParameter { name, initial, set: (!set.is_empty()).then_some(set) });
        Ok(())
    })?;
    Ok((queue_manager, found))
}
