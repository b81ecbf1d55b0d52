//! A log map, read.

use crate::cursor::{Cursor, is_column_heading, is_page_heading, is_rule};
use crate::error::ListingError;
use crate::field::AddressWidth;
use crate::idcams_reader;
use crate::log_inventory;
use crate::log_map::{ConditionalRestart, LogMap, QueuedCheckpoint};
use crate::log_map_header::{OpenHeader, is_header_line, is_title};
use crate::log_map_row::{OpenRow, is_first_line};
use crate::log_map_tail::{OpenQueue, archive_command, restart_field, take_restart};
use crate::text::Line;

/// Words of the headings of columns.
const HEADINGS: [&str; 17] = [
    "START",
    "END",
    "STARTRBA",
    "ENDRBA",
    "RBA",
    "LRSN",
    "TIME",
    "DATE",
    "LTIME",
    "DATA",
    "SET",
    "INFORMATION",
    "STARTLRSN",
    "ENDLRSN",
    "MODE",
    "WAIT",
    "SCOPE",
];

/// A list of data sets of a log map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct List {
    archive: bool,
    copy: usize,
}

#[derive(Debug)]
enum Part {
    Header,
    List(List),
    Restart,
    Checkpoints(OpenQueue),
    History,
    /// Behind a message: nothing belongs here but titles.
    Between,
}

/// What a line of a log map begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Title {
    List(List),
    NoRestart,
    Restart,
    Checkpoints,
    History,
    Absent,
    Completed,
}

fn title(text: &str) -> Option<Title> {
    let text = text.trim();
    for (name, archive, copy) in [
        ("ACTIVE LOG COPY 1 DATA SETS", false, 0),
        ("ACTIVE LOG COPY 2 DATA SETS", false, 1),
        ("ARCHIVE LOG COPY 1 DATA SETS", true, 0),
        ("ARCHIVE LOG COPY 2 DATA SETS", true, 1),
    ] {
        if text == name {
            return Some(Title::List(List { archive, copy }));
        }
    }
    let id = text.split_whitespace().next().unwrap_or("");
    match id {
        "CSQJ401E" | "DSNJ401I" | "DSNJ401E" if text.contains("RESTART CONTROL") => {
            return Some(Title::NoRestart);
        }
        "CSQJ401E" | "DSNJ401I" | "DSNJ401E" => return Some(Title::Absent),
        "CSQJ200I" | "DSNJ200I" => return Some(Title::Completed),
        _ => {}
    }
    match text {
        "CONDITIONAL RESTART CONTROL RECORD" | "CONDITIONAL RESTART CONTROL RECORDS" => Some(Title::Restart),
        "CHECKPOINT QUEUE" => Some(Title::Checkpoints),
        "ARCHIVE LOG COMMAND HISTORY" => Some(Title::History),
        _ => None,
    }
}

/// Whether a log map begins with `line`: any line that only a log map has.
pub(crate) fn begins(line: &Line<'_>) -> bool {
    let heading = line.text.trim_start();
    is_header_line(line.text)
        || matches!(title(line.text), Some(title) if title != Title::Completed && title != Title::Absent)
        || ((heading.starts_with("CSQJU004") || heading.starts_with("DSNJU004")) && is_page_heading(heading))
}

fn is_none(text: &str, archive: bool) -> bool {
    let text = text.trim();
    let kind = if archive { "NO ARCHIVE" } else { "NO ACTIVE" };
    let rest = text.strip_prefix(kind).map(str::trim);
    let rest = rest.map(|rest| rest.strip_prefix("LOG ").unwrap_or(rest));
    matches!(rest, Some("DATA SETS DEFINED FOR THIS COPY" | "DATA SETS DEFINED" | "DATA SETS"))
        || text == "NONE"
}

/// What a line of attributes begins with, where no times stand before them.
const ATTRIBUTES: &str = "PASSWORD=";

struct Reader<'a> {
    map: LogMap,
    header: OpenHeader,
    part: Part,
    row: Option<OpenRow<'a>>,
    /// Lists whose title was read, each with whether it says that it has no rows.
    lists: Vec<(List, bool)>,
    restart_read: bool,
}

/// Reads the log map that begins at `lines`.
pub(crate) fn read<'a>(lines: &mut Cursor<'a>) -> Result<LogMap, ListingError> {
    let Some(first) = lines.peek() else {
        return Err(ListingError::new("", 0, 0, "the log map does not read", "there are no lines"));
    };
    let mut reader = Reader {
        map: LogMap::default(),
        header: OpenHeader::default(),
        part: Part::Header,
        row: None,
        lists: Vec::new(),
        restart_read: false,
    };
    let mut last = first;
    while let Some(line) = lines.peek() {
        if !reader.line(&line)? {
            break;
        }
        last = line;
        lines.advance();
    }
    reader.finish(&first, &last)
}

impl<'a> Reader<'a> {
    /// Takes in a line; false when it belongs to the map no longer.
    fn line(&mut self, line: &Line<'a>) -> Result<bool, ListingError> {
        let text = line.text;
        // The common lines by far. Those with digits are no headings but that of a page: the others begin with a letter.
        let start = text.trim_start();
        if let Part::List(list) = self.part
            && (self.row.is_some() && start.starts_with(ATTRIBUTES)
                || start.starts_with(|c: char| c.is_ascii_digit())
                    && (is_first_line(text) || self.row.is_some() && !is_page_heading(text))
                    && !is_title(text))
        {
            self.list_line(line, list)?;
            return Ok(true);
        }
        let heading = is_page_heading(text) && !is_first_line(text);
        if heading && (idcams_reader::begins(line) || log_inventory::begins(line)) {
            return if self.is_complete() { Ok(false) } else { Err(self.cut_off(line)) };
        }
        if is_rule(text) || heading || is_column_heading(text, &HEADINGS) {
            return Ok(true);
        }
        if let Some(title) = title(text) {
            return self.title(line, title);
        }
        if is_title(text) && !matches!(self.part, Part::Header) {
            return match (self.header.is_same_title(line)?, self.is_complete()) {
                (true, false) => Ok(true),
                (_, true) => Ok(false),
                (false, false) => Err(self.cut_off(line)),
            };
        }
        match &mut self.part {
            Part::Header => {
                let width = self.header.line(line)?;
                self.widen(width);
            }
            Part::List(list) => {
                let list = *list;
                self.list_line(line, list)?;
            }
            Part::Restart => {
                return self.restart_line(line);
            }
            Part::Between => {
                let what = "the line of the log map does not read";
                let error = line.error(line.text.trim_start(), what, "a title is wanted");
                return self.leave(line, error);
            }
            Part::Checkpoints(queue) => {
                let width = match queue.line(line) {
                    Ok(width) => width,
                    Err(error) => return self.leave(line, error),
                };
                self.widen(width);
            }
            Part::History => {
                match archive_command(line, self.map.archive_commands.as_ref().is_none_or(Vec::is_empty)) {
                    Ok(Some((command, width))) => {
                        self.map.archive_commands.get_or_insert_default().push(command);
                        self.widen(width);
                    }
                    Ok(None) => {}
                    Err(error) => return self.leave(line, error),
                }
            }
        }
        Ok(true)
    }

    /// A line that is not read ends a map that is complete, if another report may begin there; else it is an error.
    fn leave(&mut self, line: &Line<'a>, error: ListingError) -> Result<bool, ListingError> {
        let known = crate::log_map_tail::is_tail_line(line.text) || is_first_line(line.text);
        if self.is_complete() && !known { Ok(false) } else { Err(error) }
    }

    fn restart_line(&mut self, line: &Line<'a>) -> Result<bool, ListingError> {
        match restart_field(line) {
            Ok(field) => take_restart(&mut self.map.restarts, field),
            Err(error) => return self.leave(line, error),
        }
        Ok(true)
    }

    fn widen(&mut self, width: AddressWidth) {
        self.map.width = self.map.width.max(width);
    }

    fn list_line(&mut self, line: &Line<'a>, list: List) -> Result<(), ListingError> {
        let said_none = self.lists.last().is_some_and(|(_, none)| *none);
        if is_none(line.text, list.archive) && self.row.is_none() && self.rows(list) == 0 && !said_none {
            if let Some((_, none)) = self.lists.last_mut() {
                *none = true;
            }
            return Ok(());
        }
        if is_first_line(line.text) {
            if said_none {
                let why = "the list says above that there are none";
                return Err(line.error(line.text.trim_start(), "the row does not read", why));
            }
            self.close_row()?;
            self.row = Some(OpenRow::open(*line)?);
            return Ok(());
        }
        match &mut self.row {
            Some(row) => row.further(*line),
            None => {
                let what = "the line of a list of log data sets does not read";
                Err(line.error(line.text.trim_start(), what, "a row with DSN= is wanted"))
            }
        }
    }

    fn rows(&self, list: List) -> usize {
        let active = self.map.active.get(list.copy).map_or(0, Vec::len);
        let archives = self.map.archives.get(list.copy).map_or(0, Vec::len);
        if list.archive { archives } else { active }
    }

    fn close_row(&mut self) -> Result<(), ListingError> {
        let Some(row) = self.row.take() else {
            return Ok(());
        };
        self.widen(row.width());
        if let Part::List(list) = self.part {
            if list.archive {
                if let Some(archives) = self.map.archives.get_mut(list.copy) {
                    archives.push(row.archive()?);
                }
            } else if let Some(active) = self.map.active.get_mut(list.copy) {
                active.push(row.active()?);
            }
        }
        Ok(())
    }

    fn title(&mut self, line: &Line<'a>, title: Title) -> Result<bool, ListingError> {
        if let (Title::List(list), Part::List(open)) = (title, &self.part)
            && list == *open
        {
            // The title is printed again on a new page.
            return Ok(true);
        }
        let what = "the title does not belong here";
        match (title, &self.part) {
            (Title::Restart, Part::Restart) => {
                if self.map.restarts.last().is_some_and(|record| !record.fields.is_empty()) {
                    self.map.restarts.push(ConditionalRestart::default());
                }
                return Ok(true);
            }
            (Title::Checkpoints, Part::Checkpoints(_)) | (Title::History, Part::History) => return Ok(true),
            _ => {}
        }
        self.end_part(line)?;
        match title {
            Title::List(list) => {
                if self.lists.iter().any(|(seen, _)| *seen == list) {
                    if self.is_complete() {
                        return Ok(false);
                    }
                    return Err(line.error(line.text.trim_start(), what, "the map has this list already"));
                }
                self.lists.push((list, false));
                self.part = Part::List(list);
            }
            Title::NoRestart | Title::Restart => {
                if self.restart_read {
                    return Err(line.error(
                        line.text.trim_start(),
                        what,
                        "the map has restart control already",
                    ));
                }
                self.restart_read = true;
                if title == Title::Restart {
                    self.map.restarts.push(ConditionalRestart::default());
                    self.part = Part::Restart;
                }
            }
            Title::Checkpoints => {
                if self.map.checkpoints.replace(Vec::new()).is_some() {
                    return Err(line.error(
                        line.text.trim_start(),
                        what,
                        "the map has a checkpoint queue already",
                    ));
                }
                self.part = Part::Checkpoints(OpenQueue::default());
            }
            Title::History => {
                if self.map.archive_commands.replace(Vec::new()).is_some() {
                    return Err(line.error(line.text.trim_start(), what, "the map has this history already"));
                }
                self.part = Part::History;
            }
            Title::Absent | Title::Completed => {}
        }
        Ok(true)
    }

    /// Ends the part that is being read, at `line`.
    fn end_part(&mut self, line: &Line<'a>) -> Result<(), ListingError> {
        self.close_row()?;
        match std::mem::replace(&mut self.part, Part::Between) {
            Part::List(list) => {
                let none = self.lists.last().is_some_and(|(_, none)| *none);
                if self.rows(list) == 0 && !none {
                    let why = "it has no rows and does not say that there are none";
                    return Err(line.error(line.text.trim_start(), "the list above is empty", why));
                }
            }
            Part::Checkpoints(queue) => {
                let queue: Vec<QueuedCheckpoint> = queue.finish(line)?;
                self.map.checkpoints = Some(queue);
            }
            Part::Restart => {
                if self.map.restarts.iter().any(|record| record.fields.is_empty()) {
                    let what = "the restart control record above does not read";
                    return Err(line.error(line.text.trim_start(), what, "it has no fields"));
                }
            }
            Part::Header | Part::History | Part::Between => {}
        }
        Ok(())
    }

    fn is_complete(&self) -> bool {
        self.lists.len() == 4 && self.restart_read
    }

    fn cut_off(&self, line: &Line<'_>) -> ListingError {
        let why = if self.lists.len() < 4 {
            format!("it has {} of its 4 lists of log data sets", self.lists.len())
        } else {
            "no restart control record and no CSQJ401E follow its lists".to_owned()
        };
        line.error(line.text.trim_start(), "the log map is cut off", why)
            .hint("run CSQJU004 again and bring down the whole of its SYSPRINT")
    }

    fn finish(mut self, first: &Line<'a>, last: &Line<'a>) -> Result<LogMap, ListingError> {
        self.end_part(last)?;
        if !self.is_complete() {
            return Err(self.cut_off(last));
        }
        self.map.header = self
            .header
            .close()
            .map_err(|why| first.error(first.text.trim_start(), "the log map has no complete header", why))?;
        Ok(self.map)
    }
}
