//! The reports of mixed files: which begins where, whose it is, and what may stand between them.
//!
//! # Purpose
//! Files hold whatever the job printed: several reports, of several queue managers, with other messages, JCL and page headings between.
//!
//! # Validity rule
//! A report is recognised by its first line and takes all lines up to its end. Between reports these lines are passed over, and no other:
//! | kind | how it is told |
//! |---|---|
//! | empty lines, rules, page headings | nothing but blanks, `-`, `=`, `*`, `_`; `PAGE n` at the end |
//! | messages | the identifier of another message, of the queue manager or of another product, with its further lines |
//! | talk | a line without an RBA or LRSN (12 or 16 hexadecimal digits), without `_` as one of its first words, the end of a report or an identifier of one |
//!
//! Everything else looks like a part of a report whose beginning was lost, and is an error. So is a word that differs in one character
//! from the identifier of a report.
//!
//! # Torn tail
//! A report without its end is an error of that report.
//!
//! # Another report
//! Gets a variant of [`Report`], a line in `report` that recognises it, and a row in `docs/formats/listings.md`.

use format_types::{QueueManagerName, Rba};

use crate::catalog_reader;
use crate::cursor::{Cursor, is_page_heading, is_rule};
use crate::display::{self, Displayed};
use crate::echoed_command::{EchoedDisplay, Unanswered};
use crate::error::ListingError;
use crate::field::{looks_addressed, nearly_the_same};
use crate::idcams_print::IdcamsPrint;
use crate::idcams_reader;
use crate::job_log::{self, LogEvent};
use crate::log_display::{self, DisplayedLog, DisplayedParameter};
use crate::log_inventory::{self, LogInventoryChange};
use crate::log_map::LogMap;
use crate::log_map_reader;
use crate::message::{id_of, is_id};
use crate::print_clock::{Clock, Printed};
use crate::stretch::{Stretch, StretchRead};
use crate::structure::{Connection, Structure, StructureBackup};
use crate::text::{Line, Text};
use crate::usage_reader::{self, BufferPoolRow, DataSetUsageRow, PageSetRow, SmdsBufferRow, SmdsRow};

/// A report, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// The file.
    pub file: String,
    /// Its first line.
    pub line: usize,
    /// The queue manager, where the report names it.
    pub queue_manager: Option<QueueManagerName>,
    /// The command that it answers, where that is echoed above it.
    pub command: Option<EchoedDisplay>,
    /// When it was printed, where anything says that; never of a log map, which has a time of its own.
    pub printed: Option<Printed>,
    /// What it says.
    pub report: Report,
}

/// What a section says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// CSQJU004.
    LogMap(Box<LogMap>),
    /// CSQI010I.
    PageSets(Vec<PageSetRow>),
    /// CSQI065I.
    BufferPools(Vec<BufferPoolRow>),
    /// CSQI070I.
    DataSets(Vec<DataSetUsageRow>),
    /// CSQI024I: restart RBA, offline page sets left out.
    RestartRba(Rba),
    /// CSQI025I: restart RBA with offline page sets.
    RestartRbaWithOffline(Rba),
    /// CSQE280I.
    SharedMessageDataSets(Vec<SmdsRow>),
    /// CSQE285I.
    SharedMessageBuffers(Vec<SmdsBufferRow>),
    /// CSQJ322I.
    LogParameters(Vec<DisplayedParameter>),
    /// CSQJ370I.
    LogStatus(Box<DisplayedLog>),
    /// DISPLAY CFSTRUCT.
    Structures(Vec<Structure>),
    /// DISPLAY CFSTATUS TYPE(BACKUP).
    StructureBackups(Vec<StructureBackup>),
    /// DISPLAY CONN.
    Connections(Vec<Connection>),
    /// DISPLAY of other objects.
    Objects(Displayed),
    /// A message of the job log.
    Event(LogEvent),
    /// SYSPRINT of IDCAMS: LISTCAT, DELETE, REPRO.
    Idcams(Box<IdcamsPrint>),
    /// SYSPRINT of CSQJU003.
    LogInventory(LogInventoryChange),
}

impl Report {
    /// What DISPLAY it answers, of those that answer with objects.
    fn noun(&self) -> Option<&str> {
        match self {
            Self::Structures(_) => Some("CFSTRUCT"),
            Self::StructureBackups(_) => Some("CFSTATUS"),
            Self::Connections(_) => Some("CONN"),
            Self::Objects(displayed) => Some(&displayed.noun),
            _ => None,
        }
    }
}

/// Identifiers of reports that are one message, and their further lines.
const IDS: [&str; 12] = [
    "CSQI010I", "CSQI065I", "CSQI070I", "CSQI024I", "CSQI025I", "CSQE280I", "CSQE285I", "CSQJ322I",
    "CSQJ370I", "CSQM293I", "CSQM201I", "CSQM297I",
];

/// Last lines of reports: alone, they say that the report's beginning was lost.
const ENDS: [&str; 8] = [
    "End of page set report",
    "End of buffer pool attributes",
    "End of data set report",
    "End of SMDS report",
    "End of SMDS buffer report",
    "End of LOG report",
    "Full logs to offload",
    "Log, oldest ",
];

/// Reads all reports of `texts`, in their order.
///
/// # Errors
/// When a line of a report does not read, a report has no end, or a line between reports looks like a part of one.
pub fn read(texts: &[Text]) -> Result<Vec<Section>, ListingError> {
    read_in_stretches(texts, &|stretches| stretches.iter().map(Stretch::read).collect())
}

/// What reads stretches of a list, beside each other where it can, and gives what they read in their order.
pub(crate) type ReadAll<'r> = &'r dyn Fn(&[Stretch<'_>]) -> Vec<StretchRead>;

/// Reads all reports of `texts` as [`read`] does. `read_all` reads stretches of long lists, beside each other where it can, and gives what
/// they read in their order.
///
/// # Errors
/// The same.
pub fn read_in_stretches(
    texts: &[Text],
    read_all: &dyn Fn(&[Stretch<'_>]) -> Vec<StretchRead>,
) -> Result<Vec<Section>, ListingError> {
    let mut sections = Vec::new();
    for text in texts {
        let mut lines = Cursor::new(text);
        let mut clock = Clock::default();
        let mut commands = Unanswered::default();
        while let Some(line) = lines.peek() {
            let first = lines.place();
            if let Some((queue_manager, report)) = report(&line, &mut lines, read_all)? {
                if lines.peek().is_some_and(|next| next.number == line.number) {
                    let why = "it has the words of the headings of two reports";
                    return Err(line.error(line.text.trim(), "the line does not read", why));
                }
                sections.push(Section {
                    file: line.file.to_owned(),
                    line: line.number,
                    queue_manager,
                    command: report.noun().and_then(|noun| commands.take(noun)),
                    printed: clock.of(&report, first, &lines),
                    report,
                });
            } else {
                passed_over(&line)?;
                clock.pass(&line);
                commands.pass(&lines);
                lines.advance();
                skip_further_lines(&line, &mut lines);
            }
        }
    }
    Ok(sections)
}

type Found = (Option<QueueManagerName>, Report);

fn found<T>(
    (queue_manager, value): (Option<QueueManagerName>, T),
    report: impl FnOnce(T) -> Report,
) -> Found {
    (queue_manager, report(value))
}

/// The report that begins at `line`, if one does.
fn report<'a>(
    line: &Line<'a>,
    lines: &mut Cursor<'a>,
    read_all: ReadAll<'_>,
) -> Result<Option<Found>, ListingError> {
    if log_map_reader::begins(line) {
        let map = log_map_reader::read(lines, read_all)?;
        return Ok(Some((map.header.queue_manager.clone(), Report::LogMap(Box::new(map)))));
    }
    if log_inventory::begins(line) {
        return Ok(Some((None, Report::LogInventory(log_inventory::read(lines)?))));
    }
    if idcams_reader::begins(line) {
        let is_other = |line: &Line<'_>| log_map_reader::begins(line) || log_inventory::begins(line);
        let print = idcams_reader::read(lines, is_other, passed_over)?;
        return Ok(Some((None, Report::Idcams(Box::new(print)))));
    }
    let Some(id) = id_of(line.text) else {
        return Ok(None);
    };
    Ok(Some(match id {
        "CSQI010I" => found(usage_reader::page_sets(lines)?, Report::PageSets),
        "CSQI065I" => found(usage_reader::buffer_pools(lines)?, Report::BufferPools),
        "CSQI070I" => found(usage_reader::data_sets(lines)?, Report::DataSets),
        "CSQI024I" => found(usage_reader::restart_rba(lines)?, Report::RestartRba),
        "CSQI025I" => found(usage_reader::restart_rba_with_offline(lines)?, Report::RestartRbaWithOffline),
        "CSQE280I" => found(usage_reader::smds(lines)?, Report::SharedMessageDataSets),
        "CSQE285I" => found(usage_reader::smds_buffers(lines)?, Report::SharedMessageBuffers),
        "CSQJ322I" => found(log_display::parameters(lines)?, Report::LogParameters),
        "CSQJ370I" => found(log_display::status(lines)?, |log| Report::LogStatus(Box::new(log))),
        id if display::begins(id) => {
            let (queue_manager, displayed) = display::read(lines)?;
            (queue_manager, objects(displayed)?)
        }
        id if LogEvent::IDS.contains(&id) => found(job_log::read(id, lines)?, Report::Event),
        _ => return Ok(None),
    }))
}

fn objects(displayed: Displayed) -> Result<Report, ListingError> {
    let backups = displayed.objects.iter().all(|object| object.get("TYPE") == Some("BACKUP"));
    Ok(match displayed.noun.as_str() {
        "CFSTRUCT" => {
            Report::Structures(displayed.objects.iter().map(Structure::of).collect::<Result<_, _>>()?)
        }
        "CFSTATUS" if backups => Report::StructureBackups(
            displayed.objects.iter().map(StructureBackup::of).collect::<Result<_, _>>()?,
        ),
        "CONN" => {
            Report::Connections(displayed.objects.iter().map(Connection::of).collect::<Result<_, _>>()?)
        }
        _ => Report::Objects(displayed),
    })
}

/// Takes care that a line between reports is of a kind that may be passed over.
fn passed_over(line: &Line<'_>) -> Result<(), ListingError> {
    let text = line.text.trim();
    if is_rule(text) || is_page_heading(text) {
        return Ok(());
    }
    if line.continues {
        let why = "it stands behind the end of the report that its prefix says it belongs to";
        return Err(line.error(text, "the line looks like a part of a report", why));
    }
    let word = text.split_whitespace().next().unwrap_or("");
    let word = word.trim_start_matches(['*', '@', '+', '-']);
    let known = || IDS.iter().chain(&LogEvent::IDS);
    if !is_id(word) && (6..=10).contains(&word.len()) && known().any(|id| nearly_the_same(word, id)) {
        let why = format!("'{word}' is no identifier, and nearly one of a report");
        return Err(line.error(text, "the line looks like a report", why));
    }
    let named = text.split_whitespace().any(|word| known().any(|id| *id == word));
    if id_of(text).is_some() && !named {
        return Ok(());
    }
    let ends =
        ENDS.iter().any(|end| text.contains(end)) || (text.contains("END ") && text.ends_with(" DETAILS"));
    let marked = text.split_whitespace().take(3).any(|word| word == "_") || text.starts_with('_');
    let of_a_job = log_inventory::looks_like_statement(text) || catalog_reader::looks_like_row(text);
    if marked || ends || named || looks_addressed(text) || of_a_job {
        return Err(line.error(text, "the line looks like a part of a report", "no report begins above it").hint(
            "bring the whole report down again, from its first line; lines of other things don't belong into the file",
        ));
    }
    Ok(())
}

/// Passes over the further lines of a message that is no report: those that the console's prefix says.
fn skip_further_lines(line: &Line<'_>, lines: &mut Cursor<'_>) {
    if id_of(line.text).is_some() {
        while lines.peek().is_some_and(|next| next.continues) {
            lines.advance();
        }
    }
}
