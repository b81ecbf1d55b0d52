//! A list of log data sets of a log map, being read.

use crate::cursor::{Cursor, is_column_heading, is_page_heading, is_rule};
use crate::error::ListingError;
use crate::field::AddressWidth;
use crate::idcams_reader;
use crate::log_inventory;
use crate::log_map::{ActiveLog, ArchiveVolume};
use crate::log_map_header::{OpenHeader, is_title};
use crate::log_map_reader::{HEADINGS, Title, title};
use crate::log_map_row::{OpenRow, is_first_line};
use crate::sections::ReadAll;
use crate::stretch;
use crate::text::Line;

/// Which list it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct List {
    pub(crate) archive: bool,
    pub(crate) copy: usize,
}

/// Rows of a list; those of the other kind are none.
#[derive(Debug, Default)]
pub(crate) struct Rows {
    pub(crate) active: Vec<ActiveLog>,
    pub(crate) archives: Vec<ArchiveVolume>,
    /// How many bytes of an RBA they print.
    pub(crate) width: AddressWidth,
}

impl Rows {
    /// Takes in the rows that follow.
    pub(crate) fn append(&mut self, mut next: Self) {
        self.active.append(&mut next.active);
        self.archives.append(&mut next.archives);
        self.width = self.width.max(next.width);
    }
}

/// What the rest of the map says while a list is being read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Around<'m> {
    pub(crate) header: &'m OpenHeader,
    /// Nothing that a map must have is missing but this list's end.
    pub(crate) complete: bool,
}

/// A list whose rows are being read.
#[derive(Debug)]
pub(crate) struct OpenList<'a> {
    list: List,
    rows: Rows,
    row: Option<OpenRow<'a>>,
    /// It says that it has no rows.
    none: bool,
    /// Lines that it had so far.
    lines: usize,
    /// From how many on the next ones are read beside each other.
    beside_from: usize,
}

/// What a line of attributes begins with, where no times stand before them.
const ATTRIBUTES: &str = "PASSWORD=";

fn is_none(text: &str, archive: bool) -> bool {
    let text = text.trim();
    let kind = if archive { "NO ARCHIVE" } else { "NO ACTIVE" };
    let rest = text.strip_prefix(kind).map(str::trim);
    let rest = rest.map(|rest| rest.strip_prefix("LOG ").unwrap_or(rest));
    matches!(rest, Some("DATA SETS DEFINED FOR THIS COPY" | "DATA SETS DEFINED" | "DATA SETS"))
        || text == "NONE"
}

impl<'a> OpenList<'a> {
    pub(crate) fn new(list: List) -> Self {
        Self { list, rows: Rows::default(), row: None, none: false, lines: 0, beside_from: stretch::LONG }
    }

    pub(crate) fn list(&self) -> List {
        self.list
    }

    /// Takes in a line; false when it is not the list's own.
    pub(crate) fn line(&mut self, line: &Line<'a>, around: Around<'_>) -> Result<bool, ListingError> {
        let text = line.text;
        // The common lines by far. Those with digits are no headings but that of a page: the others begin with a letter.
        let start = text.trim_ascii_start();
        if self.row.is_some() && start.starts_with(ATTRIBUTES) {
            self.further(line)?;
            return Ok(true);
        }
        if start.starts_with(|c: char| c.is_ascii_digit()) && !is_title(start) {
            if is_first_line(start) {
                self.first(line)?;
                return Ok(true);
            }
            if self.row.is_some() && !is_page_heading(text) {
                self.further(line)?;
                return Ok(true);
            }
        }
        self.uncommon(line, around)
    }

    fn uncommon(&mut self, line: &Line<'a>, around: Around<'_>) -> Result<bool, ListingError> {
        let text = line.text;
        let heading = is_page_heading(text) && !is_first_line(text);
        if heading && (idcams_reader::begins(line) || log_inventory::begins(line)) {
            return Ok(false);
        }
        if is_rule(text) || heading || is_column_heading(text, &HEADINGS) {
            return Ok(true);
        }
        if let Some(title) = title(text) {
            // The title is printed again on a new page.
            return Ok(title == Title::List(self.list));
        }
        if is_title(text) {
            return Ok(!around.complete && around.header.is_same_title(line)?);
        }
        if is_none(text, self.list.archive) && self.row.is_none() && self.closed() == 0 && !self.none {
            self.none = true;
        } else if is_first_line(text) {
            self.first(line)?;
        } else {
            self.further(line)?;
        }
        Ok(true)
    }

    fn first(&mut self, line: &Line<'a>) -> Result<(), ListingError> {
        if self.none {
            let why = "the list says above that there are none";
            return Err(line.error(line.text.trim_start(), "the row does not read", why));
        }
        self.close_row()?;
        self.row = Some(OpenRow::open(*line)?);
        self.lines += 1;
        Ok(())
    }

    fn further(&mut self, line: &Line<'a>) -> Result<(), ListingError> {
        self.lines += 1;
        match &mut self.row {
            Some(row) => row.further(*line),
            None => {
                let what = "the line of a list of log data sets does not read";
                Err(line.error(line.text.trim_start(), what, "a row with DSN= is wanted"))
            }
        }
    }

    /// Ends the row that is open.
    pub(crate) fn close_row(&mut self) -> Result<(), ListingError> {
        let Some(row) = self.row.take() else {
            return Ok(());
        };
        self.rows.width = self.rows.width.max(row.width());
        if self.list.archive {
            self.rows.archives.push(row.archive()?);
        } else {
            self.rows.active.push(row.active()?);
        }
        Ok(())
    }

    /// Takes in the rows that follow at `lines`, read beside each other, and goes on behind them; false when they are to be read line by
    /// line.
    pub(crate) fn beside(
        &mut self,
        lines: &mut Cursor<'a>,
        around: Around<'_>,
        read_all: ReadAll<'_>,
    ) -> Result<bool, ListingError> {
        if self.lines < self.beside_from {
            return Ok(false);
        }
        let stretches = stretch::ahead(lines, self.list, self.lines, around);
        if stretches.is_empty() {
            return Ok(false);
        }
        self.close_row()?;
        let from = lines.place();
        for read in read_all(&stretches) {
            self.rows.append(read.rows);
            lines.go_to(read.next);
            if !read.whole {
                self.beside_from = self.lines.saturating_mul(2);
                break;
            }
        }
        self.lines += lines.place() - from;
        Ok(lines.place() > from)
    }

    /// Rows that are read whole.
    pub(crate) fn closed(&self) -> usize {
        self.rows.active.len() + self.rows.archives.len()
    }

    /// The rows that are read whole, without the one that is open.
    pub(crate) fn closed_rows(self) -> Rows {
        self.rows
    }

    /// Its rows, at the line behind it.
    pub(crate) fn end(mut self, line: &Line<'_>) -> Result<Rows, ListingError> {
        self.close_row()?;
        if self.closed() == 0 && !self.none {
            let why = "it has no rows and does not say that there are none";
            return Err(line.error(line.text.trim_start(), "the list above is empty", why));
        }
        Ok(self.rows)
    }
}
