//! When reports were printed, as far as anything says it.
//!
//! | what | where it stands |
//! |---|---|
//! | console, job log, system log | before each message: a time, and in some of them a date |
//! | job log | `---- THURSDAY,  26 NOV 2026 ----` gives the date of the lines below it |
//! | IDCAMS | heading of each page: `TIME: 10:46:37        11/26/26`, month before day |
//! | CSQUTIL | `CSQU001I CSQUTIL Queue Manager Utility - 2026-11-26 10:46:37`, up to CSQU148I |
//!
//! All of them are local times of the system that printed. A log map has a time of its own, see [`LogMap`](crate::LogMap).

use format_types::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::TimeZone;
use nom::Parser;

use crate::console;
use crate::cursor::Cursor;
use crate::idcams_reader::heading_time;
use crate::printed_time::{PrintedTime, date, stamp};
use crate::sections::Report;
use crate::text::Line;

/// A time of a print, local to whoever printed it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PrintClock {
    /// The date; none where a console prints the time of day alone.
    pub date: Option<Date>,
    /// The time of day.
    pub time: Time,
}

/// When a report was printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Printed {
    /// Where it begins.
    pub first: PrintClock,
    /// Where the last of its pages begins.
    pub last: PrintClock,
}

impl From<PrintedTime> for PrintClock {
    fn from(at: PrintedTime) -> Self {
        Self { date: Some(at.date), time: at.time.unwrap_or(Time::midnight()) }
    }
}

impl PrintClock {
    /// The latest moment that it may be: its zone is not known, and no zone is more than 12 hours behind UTC. None without a date.
    #[must_use]
    pub fn latest(&self) -> Option<Timestamp> {
        let local = self.date?.to_datetime(self.time).to_zoned(TimeZone::UTC).ok()?.timestamp();
        let micros = u64::try_from(local.as_microsecond()).ok()?;
        Some(Timestamp(micros.saturating_add(FURTHEST_BEHIND_MICROS)))
    }
}

const FURTHEST_BEHIND_MICROS: u64 = 12 * 60 * 60 * 1_000_000;

impl std::fmt::Display for PrintClock {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if let Some(date) = self.date {
            write!(f, "{} ", PrintedTime::day(date))?;
        }
        f.write_str(&PrintedTime::clock(self.time))
    }
}

/// The clock of one file while its reports are read.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    /// The day that a job log names.
    day: Option<Date>,
    /// When the run of CSQUTIL began that is being printed.
    utility: Option<PrintedTime>,
}

impl Clock {
    /// Takes in a line between reports.
    pub(crate) fn pass(&mut self, line: &Line<'_>) {
        let text = line.text.trim();
        if let Some(day) = text.strip_prefix("----").and_then(|text| text.strip_suffix("----")) {
            self.day = day_of(day).or(self.day);
        } else if text.starts_with("CSQU001I") {
            self.utility = text.rsplit_once(" - ").and_then(|(_, at)| ended(stamp(at)));
        } else if text.starts_with("CSQU148I") {
            self.utility = None;
        }
    }

    /// When `report` was printed, which stands from `first` to before `lines`.
    pub(crate) fn of(&mut self, report: &Report, first: usize, lines: &Cursor<'_>) -> Option<Printed> {
        let text = lines.text();
        match report {
            Report::Idcams(_) => {
                self.utility = None;
                let mut times = (first..lines.place()).filter_map(|at| heading_time(text.line(at)?.text));
                let begin = times.next()?;
                Some(Printed { first: begin.into(), last: times.next_back().unwrap_or(begin).into() })
            }
            Report::LogMap(_) | Report::LogInventory(_) => {
                self.utility = None;
                None
            }
            _ => {
                let console = console::clock(text.prefix(first));
                let at = console.map(|(date, time)| PrintClock { date: date.or(self.day), time });
                let at = at.or_else(|| self.utility.map(PrintClock::from))?;
                Some(Printed { first: at, last: at })
            }
        }
    }
}

fn ended<T>(parsed: crate::field::Parsed<'_, T>) -> Option<T> {
    parsed.ok().filter(|(rest, _)| rest.trim().is_empty()).map(|(_, value)| value)
}

/// The date of `THURSDAY,  26 NOV 2026`.
fn day_of(text: &str) -> Option<Date> {
    let (_, text) = text.split_once(',')?;
    let one_blank: Vec<&str> = text.split_whitespace().collect();
    date.parse(&one_blank.join(" ")).ok().filter(|(rest, _)| rest.is_empty()).map(|(_, date)| date)
}
