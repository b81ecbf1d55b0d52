//! DISPLAY USAGE, read: CSQI010I, CSQI065I, CSQI070I, CSQI024I, CSQI025I, CSQE280I, CSQE285I.
//!
//! Rows are read by words, as the scripts that people have do; a row starts with `_`, which a capture may have lost. The third row of
//! CSQI070I is an LRSN, the others are RBAs.

use format_types::{DataSetName, Expand, Lrsn, PageSetId, QueueManagerName, Rba, StructureName};
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::tag;
use nom::character::complete::{char, space0};
use nom::combinator::{map, map_opt, opt, value};
use nom::error::context;
use nom::sequence::{preceded, terminated};

use crate::cursor::Cursor;
use crate::error::ListingError;
use crate::field::{Parsed, data_set_name, keyword, lrsn, number, rba, whole, word_until};
use crate::message::{joined, table};
use crate::text::Line;
use crate::usage::DataSetRow;

/// A row of CSQI010I.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageSetRow {
    /// The page set.
    pub page_set: PageSetId,
    /// Whether it is online, and its numbers.
    pub condition: PageSetCondition,
}

/// Whether a page set is online.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PageSetCondition {
    /// It is, with these numbers.
    Online(PageSetPages),
    /// It is not.
    Offline,
    /// It is not defined to the queue manager.
    NotDefined,
    /// It is defined and was never online.
    NeverOnline,
    /// It is suspended.
    Suspended,
}

/// The numbers of a row of CSQI010I.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageSetPages {
    /// Its buffer pool.
    pub buffer_pool: u8,
    /// Usable pages.
    pub total: u64,
    /// Free pages.
    pub unused: u64,
    /// Pages of persistent data.
    pub persistent: u64,
    /// Pages of nonpersistent data.
    pub nonpersistent: u64,
    /// How it grows.
    pub expand: Expand,
    /// How often it has grown.
    pub expansions: u32,
    /// Whether it is encrypted; none on releases that don't say.
    pub encrypted: Option<bool>,
}

/// A row of CSQI065I.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BufferPoolRow {
    /// The pool.
    pub buffer_pool: u8,
    /// Buffers in it.
    pub available: u64,
    /// Buffers that hold no changed page.
    pub stealable: u64,
    /// The same in percent.
    pub percentage: u8,
    /// Page class, `4KB`.
    pub page_class: String,
    /// Where it is: `ABOVE`, `BELOW`.
    pub location: String,
}

/// A row of CSQI070I.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DataSetUsageRow {
    /// What it is about.
    pub row: DataSetRow,
    /// From where the log is needed; none when nothing needs log.
    pub from: Option<LogAddress>,
    /// The data set; none when no data set holds it.
    pub data_set: Option<DataSetName>,
}

/// A place in the log of one queue manager, or a point of a queue sharing group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogAddress {
    /// An offset in the log.
    Rba(Rba),
    /// A point in time.
    Lrsn(Lrsn),
}

/// A row of CSQE280I: the shared message data set of a structure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmdsRow {
    /// The structure.
    pub structure: StructureName,
    /// Messages in it.
    pub messages: u64,
    /// Blocks of the data set.
    pub blocks: u64,
    /// Blocks for data.
    pub data_blocks: u64,
    /// Those of them in use.
    pub used_blocks: u64,
    /// The same in percent.
    pub used_percent: u8,
}

/// A row of CSQE285I: the buffers for the shared message data set of a structure.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SmdsBufferRow {
    /// The structure.
    pub structure: StructureName,
    /// Bytes of a block, in KiB.
    pub block_kib: u64,
    /// Buffers: all, in use, with saved data, empty.
    pub buffers: [u64; 4],
    /// Reads saved, in percent.
    pub reads_saved: u8,
    /// Fewest free buffers; negative when there were waits.
    pub lowest_free: i64,
    /// Waits, in percent.
    pub wait_rate: u8,
}

const ROW: &str = "the row does not read";

fn mark(input: &str) -> Parsed<'_, ()> {
    value((), (space0, opt(char('_')), space0)).parse(input)
}

fn page_set(input: &str) -> Parsed<'_, PageSetId> {
    context("a page set of 0 to 99", map_opt(word_until(""), |word: &str| word.parse().ok())).parse(input)
}

fn absent(input: &str) -> Parsed<'_, PageSetCondition> {
    let (rest, _) = (space0, opt((tag("Page set"), space0))).parse(input)?;
    let (rest, _) = opt((alt((tag("is"), tag("has"))), space0)).parse(rest)?;
    alt((
        value(PageSetCondition::Offline, tag("offline")),
        value(PageSetCondition::NotDefined, tag("not defined")),
        value(PageSetCondition::NeverOnline, tag("never been online")),
        value(PageSetCondition::Suspended, tag("suspended")),
    ))
    .parse(rest)
}

fn expand(input: &str) -> Parsed<'_, Expand> {
    let word = map_opt(word_until(""), |word: &str| match word {
        "USER" => Some(Expand::User),
        "SYSTEM" => Some(Expand::System),
        "NONE" => Some(Expand::None),
        _ => None,
    });
    context("USER, SYSTEM or NONE", word).parse(input)
}

fn yes_or_no(input: &str) -> Parsed<'_, bool> {
    let word = map_opt(word_until(""), |word: &str| match word {
        "YES" => Some(true),
        "NO" => Some(false),
        _ => None,
    });
    context("YES or NO", word).parse(input)
}

fn pages(input: &str) -> Parsed<'_, PageSetPages> {
    let mut counts = (number, number, number, number, number);
    let (rest, (buffer_pool, total, unused, persistent, nonpersistent)) = counts.parse(input)?;
    let (rest, (expand, expansions)) = (expand, number).parse(rest)?;
    let (rest, encrypted) =
        if rest.trim().is_empty() { (rest, None) } else { map(yes_or_no, Some).parse(rest)? };
    Ok((
        rest,
        PageSetPages { buffer_pool, total, unused, persistent, nonpersistent, expand, expansions, encrypted },
    ))
}

fn page_set_row(input: &str) -> Parsed<'_, PageSetRow> {
    let (rest, page_set) = preceded(mark, page_set).parse(input)?;
    let (rest, condition) = match absent(rest) {
        Ok(found) => found,
        Err(_) => map(pages, PageSetCondition::Online).parse(rest)?,
    };
    Ok((rest, PageSetRow { page_set, condition }))
}

fn percent(input: &str) -> Parsed<'_, u8> {
    let word = map_opt(word_until(""), |word: &str| word.strip_suffix('%').unwrap_or(word).parse().ok());
    context("a percentage", word).parse(input)
}

fn buffer_pool_row(input: &str) -> Parsed<'_, BufferPoolRow> {
    let counts = (number, number, number, percent);
    let (rest, (buffer_pool, available, stealable, percentage)) = preceded(mark, counts).parse(input)?;
    let word = |what| context(what, map(word_until(""), str::to_owned));
    let (rest, (page_class, location)) = (word("a page class"), word("a location")).parse(rest)?;
    Ok((rest, BufferPoolRow { buffer_pool, available, stealable, percentage, page_class, location }))
}

fn structure(input: &str) -> Parsed<'_, StructureName> {
    context("the name of a structure", map_opt(word_until(""), |word: &str| word.parse().ok())).parse(input)
}

fn smds_row(input: &str) -> Parsed<'_, SmdsRow> {
    let (rest, structure) = preceded(mark, structure).parse(input)?;
    let (rest, (messages, blocks, data_blocks, used_blocks, used_percent)) =
        (number, number, number, number, percent).parse(rest)?;
    Ok((rest, SmdsRow { structure, messages, blocks, data_blocks, used_blocks, used_percent }))
}

fn smds_buffer_row(input: &str) -> Parsed<'_, SmdsBufferRow> {
    let (rest, structure) = preceded(mark, structure).parse(input)?;
    let size = map_opt(word_until(""), |word: &str| word.strip_suffix('K')?.parse().ok());
    let (rest, block_kib) = context("a block size in K", size).parse(rest)?;
    let (rest, (all, in_use, saved, empty)) = (number, number, number, number).parse(rest)?;
    let free = context("a number", map_opt(word_until(""), |word: &str| word.parse().ok()));
    let (rest, (reads_saved, lowest_free, wait_rate)) = (percent, free, percent).parse(rest)?;
    let buffers = [all, in_use, saved, empty];
    Ok((rest, SmdsBufferRow { structure, block_kib, buffers, reads_saved, lowest_free, wait_rate }))
}

/// What a report of rows gives.
type Rows<T> = Result<(Option<QueueManagerName>, Vec<T>), ListingError>;

fn rows<'a, T>(
    lines: &mut Cursor<'a>,
    words: &str,
    end: &str,
    headings: &str,
    parser: impl Fn(&'a str) -> Parsed<'a, T>,
) -> Rows<T> {
    let headings: Vec<&str> = headings.split(' ').collect();
    let mut found = Vec::new();
    let queue_manager = table(lines, words, end, &headings, |line| {
        found.push(whole(line, line.text, ROW, &parser)?);
        Ok(())
    })?;
    Ok((queue_manager, found))
}

/// CSQI010I.
pub(crate) fn page_sets(lines: &mut Cursor<'_>) -> Rows<PageSetRow> {
    let headings = "Page Buffer Total Unused Persistent NonPersist Expansion Encr- set pool pages data count ypt Encrypted";
    rows(lines, "Page set usage", "End of page set report", headings, page_set_row)
}

/// CSQI065I.
pub(crate) fn buffer_pools(lines: &mut Cursor<'_>) -> Rows<BufferPoolRow> {
    let headings = "Buffer Available Stealable Page Location pool buffers percentage class";
    rows(lines, "Buffer pool attributes", "End of buffer pool attributes", headings, buffer_pool_row)
}

/// CSQE280I.
pub(crate) fn smds(lines: &mut Cursor<'_>) -> Rows<SmdsRow> {
    let headings = "Application Offloaded Total data Used structure messages blocks part";
    rows(lines, "SMDS usage", "End of SMDS report", headings, smds_row)
}

/// CSQE285I.
pub(crate) fn smds_buffers(lines: &mut Cursor<'_>) -> Rows<SmdsBufferRow> {
    let headings = "Application Block ----- Buffers Reads Lowest Wait structure size Total In use Saved Empty saved free rate";
    rows(lines, "SMDS buffer usage", "End of SMDS buffer report", headings, smds_buffer_row)
}

const KINDS: [DataSetRow; 3] =
    [DataSetRow::OldestUnit, DataSetRow::OldestPageSet, DataSetRow::OldestStructure];

fn address(row: DataSetRow, input: &str) -> Parsed<'_, LogAddress> {
    match row {
        DataSetRow::OldestStructure => map(lrsn, |(lrsn, _)| LogAddress::Lrsn(lrsn)).parse(input),
        _ => map(rba, |(rba, _)| LogAddress::Rba(rba)).parse(input),
    }
}

fn data_set_row(row: DataSetRow, input: &str) -> Parsed<'_, DataSetUsageRow> {
    let nothing = |input| {
        let words = alt((tag("None"), tag("Not found")));
        terminated(preceded(space0, words), nom::combinator::eof).parse(input)
    };
    let absent: Parsed<'_, &str> = nothing(input);
    if let Ok((rest, _)) = absent {
        return Ok((rest, DataSetUsageRow { row, from: None, data_set: None }));
    }
    let (rest, from) = address(row, input)?;
    let absent: Parsed<'_, &str> = nothing(rest);
    if absent.is_ok() || rest.trim().is_empty() {
        return Ok(("", DataSetUsageRow { row, from: Some(from), data_set: None }));
    }
    let (rest, data_set) = data_set_name(rest)?;
    Ok((rest, DataSetUsageRow { row, from: Some(from), data_set: Some(data_set) }))
}

/// CSQI070I.
pub(crate) fn data_sets(lines: &mut Cursor<'_>) -> Rows<DataSetUsageRow> {
    let headings = ["Data", "set", "RBA/LRSN", "DSName", "RBA", "LRSN"];
    let mut found: Vec<DataSetUsageRow> = Vec::new();
    let mut open: Option<(DataSetRow, Line<'_>)> = None;
    let queue_manager = table(lines, "Data set usage", "End of data set report", &headings, |line| {
        let text = line.text.trim();
        let title = KINDS.into_iter().find_map(|kind| Some((kind, text.strip_prefix(kind.title())?)));
        let (kind, value) = match (title, open.take()) {
            (Some((kind, "")), None) if found.iter().all(|row| row.row != kind) => {
                open = Some((kind, *line));
                return Ok(());
            }
            (Some((kind, rest)), None)
                if rest.starts_with(' ') && found.iter().all(|row| row.row != kind) =>
            {
                (kind, rest)
            }
            (Some(_), _) => {
                return Err(line.error(text, ROW, "a row stands twice, or the one above has no value"));
            }
            (None, Some((kind, _))) => (kind, text),
            (None, None) => {
                return Err(line.error(text, ROW, "a title like 'Log, oldest ...' is wanted above it"));
            }
        };
        found.push(whole(line, value, ROW, |value| data_set_row(kind, value))?);
        Ok(())
    })?;
    match open {
        Some((_, line)) => Err(line.error(line.text.trim_start(), ROW, "it has no value below it")),
        None => Ok((queue_manager, found)),
    }
}

/// CSQI024I.
pub(crate) fn restart_rba(lines: &mut Cursor<'_>) -> Result<(Option<QueueManagerName>, Rba), ListingError> {
    joined(lines, "Restart RBA for system as", |rest| {
        let (rest, ((), _, (rba, _))) =
            (keyword("configured"), preceded(space0, char('=')), rba).parse(rest)?;
        Ok((rest, rba))
    })
}

/// CSQI025I.
pub(crate) fn restart_rba_with_offline(
    lines: &mut Cursor<'_>,
) -> Result<(Option<QueueManagerName>, Rba), ListingError> {
    joined(lines, "Restart RBA including", |rest| {
        let (rest, ((), _, (rba, _))) =
            (keyword("offline page sets"), preceded(space0, char('=')), rba).parse(rest)?;
        Ok((rest, rba))
    })
}
