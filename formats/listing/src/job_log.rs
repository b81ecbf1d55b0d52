//! Messages of the job log that say something about the log: CSQJ001I, CSQJ002I, CSQJ003I, CSQE120I, CSQE121I, CSQJ160I, CSQR026I,
//! CSQI005I.

use std::fmt;

use format_types::{DataSetName, Lrsn, PageSetId, QueueManagerName, Rba, StructureName, Urid};
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::tag;
use nom::character::complete::{char, space0};
use nom::combinator::{map, map_opt, opt, value};
use nom::error::context;
use nom::sequence::preceded;

use crate::cursor::Cursor;
use crate::error::ListingError;
use crate::field::{Parsed, data_set_name, keyword, lrsn, number, rba, unit, volume, word_until};
use crate::message::joined;

/// A message about the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LogEvent {
    /// CSQJ001I: the active log that is written now.
    CurrentActiveLog {
        /// Copy 1 or 2.
        copy: u8,
        /// The data set.
        data_set: DataSetName,
        /// Its first RBA.
        start: Rba,
        /// Its last RBA, inclusive.
        last: Rba,
    },
    /// CSQJ002I: an active log is full.
    EndOfActiveLog {
        /// The data set.
        data_set: DataSetName,
        /// Its first RBA.
        start: Rba,
        /// Its last RBA, inclusive.
        last: Rba,
    },
    /// CSQJ003I: a volume of an archive log is full.
    ArchiveVolume(Box<FullArchiveVolume>),
    /// CSQE120I: the backup of a structure begins.
    BackupStarted {
        /// The structure.
        structure: StructureName,
        /// Where the backup begins in the log of this queue manager.
        at: Rba,
    },
    /// CSQE121I: the backup of a structure is complete.
    BackupCompleted {
        /// The structure.
        structure: StructureName,
        /// Where it ends in the log of this queue manager.
        at: Rba,
        /// Its size in MB.
        megabytes: u64,
    },
    /// CSQJ160I: a unit of work that began before the log that was offloaded.
    LongRunningUnit {
        /// Its first record.
        urid: Urid,
        /// Its connection.
        connection: String,
    },
    /// CSQR026I: the records of a unit of work were written again further on.
    ShuntedUnit {
        /// Where they are now.
        to: Rba,
        /// The unit.
        urid: Urid,
        /// Its connection.
        connection: String,
    },
    /// CSQI005I: a page set is offline.
    PageSetOffline {
        /// The page set.
        page_set: PageSetId,
        /// From where it needs the log.
        recovery: Rba,
    },
}

/// What CSQJ003I says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FullArchiveVolume {
    /// The archive log.
    pub data_set: DataSetName,
    /// First RBA on the volume.
    pub start: Rba,
    /// Last RBA on it, inclusive.
    pub last: Rba,
    /// Store clocks of its first and last record.
    pub times: Option<[Lrsn; 2]>,
    /// The unit.
    pub unit: Option<String>,
    /// The copy, 1 or 2, and the volume.
    pub volume: Option<(u8, String)>,
    /// What VOLSPAN says: whether the data set goes on on another volume.
    pub span: Option<String>,
    /// Whether it is catalogued.
    pub catalogued: Option<bool>,
}

impl LogEvent {
    /// Identifiers of the messages.
    pub(crate) const IDS: [&'static str; 8] =
        ["CSQJ001I", "CSQJ002I", "CSQJ003I", "CSQE120I", "CSQE121I", "CSQJ160I", "CSQR026I", "CSQI005I"];

    /// The message, as the queue manager with the command prefix `prefix` writes it.
    #[must_use]
    pub fn message(&self, prefix: &str) -> String {
        match self {
            Self::CurrentActiveLog { copy, data_set, start, last } => format!(
                "CSQJ001I {prefix} CSQJW007 CURRENT COPY {copy} ACTIVE LOG DATA SET IS DSNAME={data_set}, STARTRBA={start} ENDRBA={last}"
            ),
            Self::EndOfActiveLog { data_set, start, last } => format!(
                "CSQJ002I {prefix} CSQJW009 END OF ACTIVE LOG DATA SET DSNAME={data_set}, STARTRBA={start} ENDRBA={last}"
            ),
            Self::ArchiveVolume(volume) => {
                format!("CSQJ003I {prefix} CSQJDS01 FULL ARCHIVE LOG VOLUME {volume}")
            }
            Self::BackupStarted { structure, at } => {
                format!("CSQE120I {prefix} CSQEBKU1 Backup of structure {structure} started at RBA={at}")
            }
            Self::BackupCompleted { structure, at, megabytes } => format!(
                "CSQE121I {prefix} CSQEBKU1 Backup of structure {structure} completed at RBA={at}, size {megabytes} MB"
            ),
            Self::LongRunningUnit { urid, connection } => format!(
                "CSQJ160I {prefix} CSQJLRUR LONG-RUNNING UOW FOUND, URID={urid} CONNECTION NAME={connection}"
            ),
            Self::ShuntedUnit { to, urid, connection } => format!(
                "CSQR026I {prefix} CSQRLRUR Long-running UOW shunted to RBA={to}, URID={urid} connection name={connection}"
            ),
            Self::PageSetOffline { page_set, recovery } => {
                format!("CSQI005I {prefix} CSQIPSID PAGE SET {page_set} OFFLINE. RECOVERY RBA = {recovery}")
            }
        }
    }
}

impl fmt::Display for FullArchiveVolume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "DSNAME={}, STARTRBA={} ENDRBA={}", self.data_set, self.start, self.last)?;
        if let Some([start, last]) = self.times {
            write!(f, ", STARTTIME={start} ENDTIME={last}")?;
        }
        if let Some(unit) = &self.unit {
            write!(f, ", UNIT={unit}")?;
        }
        if let Some((copy, volume)) = &self.volume {
            write!(f, ", COPY{copy}VOL={volume}")?;
        }
        if let Some(span) = &self.span {
            write!(f, " VOLSPAN={span}")?;
        }
        if let Some(catalogued) = self.catalogued {
            write!(f, " CATLG={}", if catalogued { "YES" } else { "NO" })?;
        }
        Ok(())
    }
}

fn comma(input: &str) -> Parsed<'_, ()> {
    value((), (space0, opt(char(',')))).parse(input)
}

fn key<'a, T>(
    name: &'static str,
    mut parser: impl FnMut(&'a str) -> Parsed<'a, T>,
) -> impl FnMut(&'a str) -> Parsed<'a, T> {
    move |input| {
        let (rest, ((), (), _)) = (comma, keyword(name), preceded(space0, char('='))).parse(input)?;
        parser(rest)
    }
}

fn address(input: &str) -> Parsed<'_, Rba> {
    map(rba, |(rba, _)| rba).parse(input)
}

fn clock(input: &str) -> Parsed<'_, Lrsn> {
    map(lrsn, |(lrsn, _)| lrsn).parse(input)
}

fn range(input: &str) -> Parsed<'_, (DataSetName, Rba, Rba)> {
    let (rest, found) =
        (key("DSNAME", data_set_name), key("STARTRBA", address), key("ENDRBA", address)).parse(input)?;
    if found.2 < found.1 {
        return context("an ENDRBA that is not below STARTRBA", nom::combinator::fail()).parse(input);
    }
    Ok((rest, found))
}

fn copy_volume(input: &str) -> Parsed<'_, (u8, String)> {
    let (rest, ((), (), copy)) =
        (comma, keyword("COPY"), alt((value(1, char('1')), value(2, char('2'))))).parse(input)?;
    let (rest, _) = tag("VOL=").parse(rest)?;
    map(volume, |volume| (copy, volume)).parse(rest)
}

fn yes_or_no(input: &str) -> Parsed<'_, bool> {
    let word = map_opt(word_until(","), |word: &str| match word {
        "YES" => Some(true),
        "NO" => Some(false),
        _ => None,
    });
    context("YES or NO", word).parse(input)
}

fn span(input: &str) -> Parsed<'_, String> {
    let plain = |word: &str| word.bytes().all(|b| b.is_ascii_uppercase()).then(|| word.to_owned());
    context("a word", map_opt(word_until(","), plain)).parse(input)
}

fn archive_volume(input: &str) -> Parsed<'_, LogEvent> {
    let (mut rest, (data_set, start, last)) = range(input)?;
    let mut volume = FullArchiveVolume {
        data_set,
        start,
        last,
        times: None,
        unit: None,
        volume: None,
        span: None,
        catalogued: None,
    };
    while !rest.trim().is_empty() {
        let times = |input| {
            let (rest, (start, last)) = (key("STARTTIME", clock), key("ENDTIME", clock)).parse(input)?;
            Ok((rest, [start, last]))
        };
        if let Ok((next, times)) = times(rest) as Parsed<'_, [Lrsn; 2]> {
            (rest, volume.times) = (next, Some(times));
        } else if let Ok((next, unit)) = key("UNIT", unit)(rest) {
            (rest, volume.unit) = (next, Some(unit));
        } else if let Ok((next, found)) = copy_volume(rest) {
            (rest, volume.volume) = (next, Some(found));
        } else if let Ok((next, found)) = key("VOLSPAN", span)(rest) {
            (rest, volume.span) = (next, Some(found));
        } else {
            let (next, found) =
                context("STARTTIME, UNIT, COPYnVOL, VOLSPAN or CATLG", key("CATLG", yes_or_no))
                    .parse(rest)?;
            (rest, volume.catalogued) = (next, Some(found));
        }
    }
    Ok((rest, LogEvent::ArchiveVolume(Box::new(volume))))
}

fn current_active_log(input: &str) -> Parsed<'_, LogEvent> {
    let (rest, (copy, ())) = (number, keyword("ACTIVE LOG DATA SET IS")).parse(input)?;
    let (rest, (data_set, start, last)) = range(rest)?;
    Ok((rest, LogEvent::CurrentActiveLog { copy, data_set, start, last }))
}

fn end_of_active_log(input: &str) -> Parsed<'_, LogEvent> {
    let (rest, (data_set, start, last)) = range(input)?;
    Ok((rest, LogEvent::EndOfActiveLog { data_set, start, last }))
}

fn structure(input: &str) -> Parsed<'_, StructureName> {
    context("the name of a structure", map_opt(word_until(""), |word: &str| word.parse().ok())).parse(input)
}

fn backup_started(input: &str) -> Parsed<'_, LogEvent> {
    let (rest, (structure, (), at)) = (structure, keyword("started at"), key("RBA", address)).parse(input)?;
    Ok((rest, LogEvent::BackupStarted { structure, at }))
}

fn backup_completed(input: &str) -> Parsed<'_, LogEvent> {
    let (rest, (structure, (), at)) =
        (structure, keyword("completed at"), key("RBA", address)).parse(input)?;
    let (rest, ((), (), megabytes, ())) = (comma, keyword("size"), number, keyword("MB")).parse(rest)?;
    Ok((rest, LogEvent::BackupCompleted { structure, at, megabytes }))
}

/// The name of a connection: all that follows.
fn connection(input: &str) -> Parsed<'_, String> {
    let name = input.trim();
    if name.is_empty() {
        return context("the name of a connection", nom::combinator::fail()).parse(input);
    }
    Ok(("", name.to_owned()))
}

fn long_running_unit(input: &str) -> Parsed<'_, LogEvent> {
    let (rest, (urid, connection)) =
        (key("URID", address), key("CONNECTION NAME", connection)).parse(input)?;
    Ok((rest, LogEvent::LongRunningUnit { urid: Urid(urid), connection }))
}

fn shunted_unit(input: &str) -> Parsed<'_, LogEvent> {
    let (rest, (to, urid)) = (key("RBA", address), key("URID", address)).parse(input)?;
    let (rest, connection) = key("connection name", connection)(rest)?;
    Ok((rest, LogEvent::ShuntedUnit { to, urid: Urid(urid), connection }))
}

fn page_set_offline(input: &str) -> Parsed<'_, LogEvent> {
    let page_set = context("a page set of 0 to 99", map_opt(word_until(""), |word: &str| word.parse().ok()));
    let (rest, (page_set, ())) = (page_set, keyword("OFFLINE.")).parse(input)?;
    let (rest, recovery) = key("RECOVERY RBA", address)(rest)?;
    Ok((rest, LogEvent::PageSetOffline { page_set, recovery }))
}

/// The message with the identifier `id` at `lines`.
pub(crate) fn read(
    id: &str,
    lines: &mut Cursor<'_>,
) -> Result<(Option<QueueManagerName>, LogEvent), ListingError> {
    match id {
        "CSQJ001I" => joined(lines, "CURRENT COPY", current_active_log),
        "CSQJ002I" => joined(lines, "END OF ACTIVE LOG DATA SET", end_of_active_log),
        "CSQJ003I" => joined(lines, "FULL ARCHIVE LOG VOLUME", archive_volume),
        "CSQE120I" => joined(lines, "Backup of structure", backup_started),
        "CSQE121I" => joined(lines, "Backup of structure", backup_completed),
        "CSQJ160I" => joined(lines, "LONG-RUNNING UOW FOUND", long_running_unit),
        "CSQR026I" => joined(lines, "Long-running UOW shunted to", shunted_unit),
        _ => joined(lines, "PAGE SET", page_set_offline),
    }
}
