//! Stretches of a long list of a log map, read beside each other.
//!
//! A stretch begins with the first line of a row. What reads it is what reads the list line by line, and where that meets anything that
//! is not a row of the list, the stretch ends before the row that was open; the list is read on from there, line by line, so that what is
//! found wrong is the same either way.

use std::ops::Range;

use crate::cursor::{Cursor, is_page_heading};
use crate::log_map_header::is_title;
use crate::log_map_list::{Around, List, OpenList, Rows};
use crate::log_map_row::is_first_line;
use crate::text::Text;

/// Lines of a stretch, about.
const STRETCH: usize = 4096;

/// Lines that are read beside each other at most, for where a list ends shows only when it is read.
const MOST: usize = 1 << 17;

/// Lines that a list must have before any of it is read beside.
pub(crate) const LONG: usize = 2 * STRETCH;

/// Some rows of a list, to be read.
#[derive(Debug, Clone)]
pub struct Stretch<'s> {
    text: &'s Text,
    lines: Range<usize>,
    list: List,
    around: Around<'s>,
}

/// What was read of a stretch.
#[derive(Debug)]
pub struct StretchRead {
    pub(crate) rows: Rows,
    /// The line to read on with.
    pub(crate) next: usize,
    /// It was read to its end.
    pub(crate) whole: bool,
}

impl Stretch<'_> {
    /// Reads it.
    #[must_use]
    pub fn read(&self) -> StretchRead {
        let mut list = OpenList::new(self.list);
        let (mut row_at, mut rows) = (self.lines.start, 0);
        for at in self.lines.clone() {
            let own = self.text.line(at).map(|line| list.line(&line, self.around));
            if !matches!(own, Some(Ok(true))) {
                return StretchRead { rows: list.closed_rows(), next: row_at, whole: false };
            }
            if list.closed() > rows {
                (row_at, rows) = (at, list.closed());
            }
        }
        match list.close_row() {
            Ok(()) => StretchRead { rows: list.closed_rows(), next: self.lines.end, whole: true },
            Err(_) => StretchRead { rows: list.closed_rows(), next: row_at, whole: false },
        }
    }
}

/// The stretches that follow at `lines` in a list that had `lines_before` lines; none when the line there begins no row, or too little
/// follows. They are no more than what was read already, lest most of it is not the list's.
pub(crate) fn ahead<'s>(
    lines: &Cursor<'s>,
    list: List,
    lines_before: usize,
    around: Around<'s>,
) -> Vec<Stretch<'s>> {
    let text = lines.text();
    // The title of a further page names a data set too, and rows may go on behind it.
    let begins_row = |text: &str| is_first_line(text) && !is_title(text) && !is_page_heading(text);
    let begins = |at: &usize| text.line(*at).is_some_and(|line| begins_row(line.text));
    let (from, end) = (lines.place(), text.lines().len());
    let to = from.saturating_add(lines_before.min(MOST)).min(end);
    if !begins(&from) {
        return Vec::new();
    }
    let cuts = (from..to).step_by(STRETCH).filter_map(|at| (at..to.min(at + STRETCH)).find(begins));
    let cuts: Vec<usize> = cuts.collect();
    let pairs = cuts.windows(2).filter_map(|pair| <&[usize; 2]>::try_from(pair).ok());
    pairs.map(|&[from, to]| Stretch { text, lines: from..to, list, around }).collect()
}
