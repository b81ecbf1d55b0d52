//! What follows the lists of a log map: conditional restart control records, the checkpoint queue, the history of ARCHIVE LOG commands.

use format_types::{Lrsn, Rba};
use nom::Parser;
use nom::character::complete::{one_of, space0};
use nom::combinator::{map, opt};
use nom::error::context;
use nom::sequence::preceded;

use crate::error::ListingError;
use crate::field::{AddressWidth, Parsed, lrsn, rba, whole, word_until};
use crate::log_map::{ArchiveCommand, ConditionalRestart, QueuedCheckpoint, RestartField};
use crate::printed_time::{PrintedTime, date, stamp, time};
use crate::text::Line;

#[derive(Debug, Clone, Copy)]
enum Kind {
    Status,
    Word,
    Answer,
    Rba,
    Lrsn,
    Time,
}

/// Labels of a conditional restart control record. One that begins another stands behind it.
const RESTART_LABELS: [(&str, Kind); 23] = [
    ("CRCR IDENTIFIER", Kind::Word),
    ("CRCR NOT ACTIVE", Kind::Status),
    ("CRCR ACTIVE", Kind::Status),
    ("CRCR CREATED", Kind::Time),
    ("USE COUNT", Kind::Word),
    ("RECORD STATUS", Kind::Status),
    ("SUCCESSFUL RESTART", Kind::Status),
    ("UNSUCCESSFUL RESTART", Kind::Status),
    ("PROCESSING STATUS", Kind::Status),
    ("FORWARD", Kind::Answer),
    ("BACKOUT", Kind::Answer),
    ("STARTRBA", Kind::Rba),
    ("ENDRBA", Kind::Rba),
    ("STARTLRSN", Kind::Lrsn),
    ("ENDLRSN", Kind::Lrsn),
    ("EARLIEST REQUESTED RBA", Kind::Rba),
    ("FIRST LOG RECORD RBA", Kind::Rba),
    ("ORIGINAL CHECKPOINT RBA", Kind::Rba),
    ("NEW CHECKPOINT RBA", Kind::Rba),
    ("END CHECKPOINT RBA", Kind::Rba),
    ("TIME OF CHECKPOINT", Kind::Time),
    ("TIME OF RESTART", Kind::Time),
    ("RESTARTED", Kind::Time),
];

fn behind_equals(input: &str) -> &str {
    let rest = input.trim_start();
    // The label of the new checkpoint's RBA is followed by its keyword.
    let rest = rest.strip_prefix("(CHKPTRBA)").unwrap_or(rest).trim_start();
    rest.strip_prefix(['=', ':', '-']).unwrap_or(rest)
}

const RESTART: &str = "the line of a conditional restart control record does not read";

/// A field of a conditional restart control record.
pub(crate) fn restart_field(line: &Line<'_>) -> Result<(&'static str, RestartField), ListingError> {
    let text = line.text.trim();
    let Some((label, kind)) = RESTART_LABELS.iter().find(|(label, _)| text.starts_with(label)) else {
        return Err(line.error(text, RESTART, "its label is not known"));
    };
    let rest = behind_equals(text.get(label.len()..).unwrap_or(""));
    let field = match kind {
        Kind::Status if rest.is_empty() => RestartField::Status,
        Kind::Status => return Err(line.error(rest, RESTART, "the end of the line is wanted")),
        Kind::Word => {
            RestartField::Word(whole(line, rest, RESTART, |input| word_until("").parse(input))?.to_owned())
        }
        Kind::Answer => match rest.trim() {
            "YES" => RestartField::Answer(true),
            "NO" => RestartField::Answer(false),
            _ => return Err(line.error(rest, RESTART, "YES or NO is wanted")),
        },
        Kind::Rba => RestartField::Rba(whole(line, rest, RESTART, rba)?.0),
        Kind::Lrsn => RestartField::Lrsn(whole(line, rest, RESTART, lrsn)?.0),
        Kind::Time => RestartField::Time(whole(line, rest, RESTART, stamp)?),
    };
    Ok((label, field))
}

/// Takes a field into the newest of `restarts`; an identifier begins another record where the newest one has it already.
pub(crate) fn take_restart(restarts: &mut Vec<ConditionalRestart>, field: (&'static str, RestartField)) {
    let begins = field.0 == "CRCR IDENTIFIER"
        && restarts.last().is_some_and(|record| record.fields.iter().any(|(label, _)| *label == field.0));
    if begins || restarts.is_empty() {
        restarts.push(ConditionalRestart::default());
    }
    if let Some(record) = restarts.last_mut() {
        record.fields.push(field);
    }
}

/// The checkpoint queue while it is read.
#[derive(Debug, Default)]
pub(crate) struct OpenQueue {
    done: Vec<QueuedCheckpoint>,
    at: Option<PrintedTime>,
    begin: Option<Rba>,
    end: Option<Rba>,
    end_lrsn: Option<Lrsn>,
    shutdown: bool,
    /// The time of the print, below the title.
    pub(crate) printed: Option<PrintedTime>,
}

const QUEUE: &str = "the line of the checkpoint queue does not read";

impl OpenQueue {
    /// Takes in a line, and says how many bytes of an RBA it prints.
    pub(crate) fn line(&mut self, line: &Line<'_>) -> Result<AddressWidth, ListingError> {
        let text = line.text.trim();
        let behind = |label: &str| text.strip_prefix(label).map(behind_equals);
        let twice = || line.error(text, QUEUE, "the checkpoint before it is not complete");
        if let Some(rest) = behind("TIME OF CHECKPOINT") {
            self.close(line)?;
            self.at = Some(whole(line, rest, QUEUE, stamp)?);
        } else if let Some(rest) = behind("BEGIN CHECKPOINT RBA") {
            if self.begin.is_some() {
                self.close(line)?;
            }
            let (rba, width) = whole(line, rest, QUEUE, rba)?;
            self.begin = Some(rba);
            return Ok(width);
        } else if let Some(rest) = behind("END CHECKPOINT RBA") {
            let (rba, width) = whole(line, rest, QUEUE, rba)?;
            if self.begin.is_none_or(|begin| begin > rba) || self.end.replace(rba).is_some() {
                return Err(line.error(
                    text,
                    QUEUE,
                    "a BEGIN CHECKPOINT RBA that is not higher is wanted above it",
                ));
            }
            return Ok(width);
        } else if let Some(rest) = behind("END CHECKPOINT LRSN") {
            let (lrsn, width) = whole(line, rest, QUEUE, lrsn)?;
            if self.end.is_none() || self.end_lrsn.replace(lrsn).is_some() {
                return Err(twice());
            }
            return Ok(width);
        } else if text == "SHUTDOWN CHECKPOINT" {
            self.shutdown = true;
        } else if self.done.is_empty() && self.at.is_none() && self.begin.is_none() {
            // The time of the print stands below the title.
            self.printed = Some(whole(line, text, QUEUE, stamp)?);
        } else {
            return Err(line.error(text, QUEUE, "it is not known"));
        }
        Ok(AddressWidth::Six)
    }

    fn close(&mut self, line: &Line<'_>) -> Result<(), ListingError> {
        match (self.begin.take(), self.end.take()) {
            (Some(begin), Some(end)) => {
                let (at, end_lrsn) = (self.at.take(), self.end_lrsn.take());
                let shutdown = std::mem::take(&mut self.shutdown);
                self.done.push(QueuedCheckpoint { at, begin, end, end_lrsn, shutdown });
                Ok(())
            }
            (None, None) if self.at.is_none() => Ok(()),
            _ => Err(line.error(line.text.trim_start(), QUEUE, "the checkpoint above is not complete")),
        }
    }

    /// The queue; `line` is where it ends.
    pub(crate) fn finish(mut self, line: &Line<'_>) -> Result<Vec<QueuedCheckpoint>, ListingError> {
        self.close(line)?;
        Ok(self.done)
    }
}

/// When a page was printed, by its heading: a date and a time in the words before `PAGE`.
pub(crate) fn heading_time(text: &str) -> Option<PrintedTime> {
    let starts = text.char_indices().filter(|(place, c)| {
        c.is_ascii_alphanumeric()
            && text.get(..*place).is_some_and(|before| before.is_empty() || before.ends_with(' '))
    });
    starts.filter_map(|(place, _)| stamp(text.get(place..)?).ok()).map(|(_, at)| at).next()
}

const HISTORY: &str = "the line of the ARCHIVE LOG history does not read";

fn command(input: &str) -> Parsed<'_, (PrintedTime, (Rba, AddressWidth), &str)> {
    let at = map((date, preceded((space0, opt(one_of("/,"))), time)), |(date, time)| PrintedTime {
        date,
        time: Some(time),
    });
    let (rest, (at, rba)) = (at, context("an RBA of 12 or 16 hexadecimal digits", rba)).parse(input)?;
    Ok(("", (at, rba, rest.trim())))
}

/// A line of the history of ARCHIVE LOG commands.
pub(crate) enum HistoryLine {
    /// An entry.
    Command(ArchiveCommand, AddressWidth),
    /// The time of the print, which stands below the title.
    Printed(PrintedTime),
}

/// A line of the history of ARCHIVE LOG commands.
pub(crate) fn archive_command(line: &Line<'_>, is_first: bool) -> Result<HistoryLine, ListingError> {
    if let (true, Ok(at)) = (is_first, whole(line, line.text, HISTORY, stamp)) {
        return Ok(HistoryLine::Printed(at));
    }
    let (at, (rba, width), options) = whole(line, line.text, HISTORY, command)?;
    let plain = |word: &str| {
        ["QUIESCE", "YES", "NO", "NONE", "GROUP", "MEMBER", "LOCAL", "QMGR"].contains(&word)
            || word.bytes().all(|b| b.is_ascii_digit() || b == b'-')
    };
    match options.split_whitespace().find(|word| !plain(word)) {
        Some(word) => Err(line.error(word, HISTORY, "MODE, WAIT, TIME and SCOPE are wanted")),
        None => {
            let options = options.split_whitespace().collect::<Vec<_>>().join(" ");
            Ok(HistoryLine::Command(ArchiveCommand { at, rba, options }, width))
        }
    }
}

/// Whether the line can only be one of what follows the lists.
pub(crate) fn is_tail_line(text: &str) -> bool {
    let text = text.trim();
    RESTART_LABELS.iter().any(|(label, _)| text.starts_with(label))
        || text.starts_with("BEGIN CHECKPOINT")
        || text.starts_with("SHUTDOWN CHECKPOINT")
        || crate::field::looks_addressed(text)
}
