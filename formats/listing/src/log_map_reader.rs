//! A log map, read.

use crate::cursor::{Cursor, is_column_heading, is_page_heading, is_rule};
use crate::error::ListingError;
use crate::field::AddressWidth;
use crate::idcams_reader;
use crate::log_inventory;
use crate::log_map::{ConditionalRestart, LogMap, QueuedCheckpoint};
use crate::log_map_header::{OpenHeader, is_header_line, is_title};
use crate::log_map_list::{Around, List, OpenList};
use crate::log_map_row::is_first_line;
use crate::log_map_tail::{
    HistoryLine, OpenQueue, archive_command, heading_time, restart_field, take_restart,
};
use crate::printed_time::PrintedTime;
use crate::sections::ReadAll;
use crate::text::Line;

/// Words of the headings of columns.
pub(crate) const HEADINGS: [&str; 17] = [
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

#[derive(Debug)]
enum Part<'a> {
    Header,
    List(Box<OpenList<'a>>),
    Restart,
    Checkpoints(OpenQueue),
    History,
    /// Behind a message: nothing belongs here but titles.
    Between,
}

/// What a line of a log map begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Title {
    List(List),
    NoRestart,
    Restart,
    Checkpoints,
    History,
    Absent,
    Completed,
}

pub(crate) fn title(text: &str) -> Option<Title> {
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

struct Reader<'a> {
    map: LogMap,
    header: OpenHeader,
    part: Part<'a>,
    /// Lists whose title was read.
    lists: Vec<List>,
    restart_read: bool,
    /// When it was printed, by the heading of a page.
    heading: Option<PrintedTime>,
}

/// Reads the log map that begins at `lines`.
pub(crate) fn read<'a>(lines: &mut Cursor<'a>, read_all: ReadAll<'_>) -> Result<LogMap, ListingError> {
    let Some(first) = lines.peek() else {
        return Err(ListingError::new("", 0, 0, "the log map does not read", "there are no lines"));
    };
    let mut reader = Reader {
        map: LogMap::default(),
        header: OpenHeader::default(),
        part: Part::Header,
        lists: Vec::new(),
        restart_read: false,
        heading: None,
    };
    let mut last = first;
    while let Some(line) = lines.peek() {
        if reader.beside(lines, read_all)? {
            last = lines.behind().unwrap_or(last);
            continue;
        }
        if !reader.line(&line)? {
            break;
        }
        last = line;
        lines.advance();
    }
    reader.finish(&first, &last)
}

impl<'a> Reader<'a> {
    /// Reads on in a long list, stretches beside each other; false when the next line is to be read.
    fn beside(&mut self, lines: &mut Cursor<'a>, read_all: ReadAll<'_>) -> Result<bool, ListingError> {
        let around = Around { header: &self.header, complete: self.is_complete() };
        match &mut self.part {
            Part::List(open) => open.beside(lines, around, read_all),
            _ => Ok(false),
        }
    }

    /// Takes in a line; false when it belongs to the map no longer.
    fn line(&mut self, line: &Line<'a>) -> Result<bool, ListingError> {
        let around = Around { header: &self.header, complete: self.is_complete() };
        if let Part::List(open) = &mut self.part
            && open.line(line, around)?
        {
            return Ok(true);
        }
        let text = line.text;
        let heading = is_page_heading(text) && !is_first_line(text);
        if heading && (idcams_reader::begins(line) || log_inventory::begins(line)) {
            return if self.is_complete() { Ok(false) } else { Err(self.cut_off(line)) };
        }
        if heading && self.is_complete() && text.split_whitespace().next_back() == Some("1") {
            // The pages of the next map begin.
            return Ok(false);
        }
        if heading {
            self.heading = self.heading.or_else(|| heading_time(text));
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
            Part::Restart => {
                return self.restart_line(line);
            }
            Part::List(_) | Part::Between => {
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
                    Ok(HistoryLine::Command(command, width)) => {
                        self.map.archive_commands.get_or_insert_default().push(command);
                        self.widen(width);
                    }
                    Ok(HistoryLine::Printed(at)) => self.map.printed = self.map.printed.or(Some(at)),
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

    fn title(&mut self, line: &Line<'a>, title: Title) -> Result<bool, ListingError> {
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
                if self.lists.contains(&list) {
                    if self.is_complete() {
                        return Ok(false);
                    }
                    return Err(line.error(line.text.trim_start(), what, "the map has this list already"));
                }
                self.lists.push(list);
                self.part = Part::List(Box::new(OpenList::new(list)));
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
        match std::mem::replace(&mut self.part, Part::Between) {
            Part::List(open) => {
                let list = open.list();
                let rows = open.end(line)?;
                self.widen(rows.width);
                if let (false, Some(active)) = (list.archive, self.map.active.get_mut(list.copy)) {
                    *active = rows.active;
                }
                if let (true, Some(archives)) = (list.archive, self.map.archives.get_mut(list.copy)) {
                    *archives = rows.archives;
                }
            }
            Part::Checkpoints(queue) => {
                self.map.printed = queue.printed.or(self.map.printed);
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
        self.map.printed = self.map.printed.or(self.heading);
        Ok(self.map)
    }
}
