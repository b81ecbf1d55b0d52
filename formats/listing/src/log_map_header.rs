//! The header of a log map.

use format_types::{QueueManagerName, Rba};
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::tag;
use nom::character::complete::{char, one_of, space0};
use nom::combinator::{opt, value};
use nom::error::context;
use nom::sequence::preceded;

use crate::error::ListingError;
use crate::field::{
    AddressWidth, Parsed, data_set_name, keyword, looks_addressed, number, rba, whole, word_until,
};
use crate::log_map::LogMapHeader;
use crate::printed_time::{PrintedTime, date, stamp, time};
use crate::text::Line;

/// Labels of other RBAs that a header may have.
const OTHER_RBAS: [&str; 4] =
    ["RBA WHEN CONVERTED TO V4", "MAX RBA FOR TORBA", "MIN RBA FOR TORBA", "STCK TO LRSN DELTA"];

/// Parameters of the log that a header may have.
const PARAMETERS: [&str; 4] = ["OFFLOAD", "TWOACTV", "TWOARCH", "TWOBSDS"];

/// What has been read of a header.
#[derive(Debug, Default)]
pub(crate) struct OpenHeader {
    header: LogMapHeader,
    written: bool,
    offloaded: bool,
}

const WHAT: &str = "the line of the log map's header does not read";

fn yes_or_no(input: &str) -> Parsed<'_, bool> {
    let answer = alt((value(true, tag("YES")), value(false, tag("NO"))));
    context("YES or NO", preceded((space0, opt(one_of("=:")), space0), answer)).parse(input)
}

/// `- DATE=2003.346   LTIME=16:29:32.17`, or a date and a time.
fn header_time(input: &str) -> Parsed<'_, PrintedTime> {
    let (rest, _) = (space0, opt(one_of("-=:")), space0).parse(input)?;
    let Some(dated) = rest.strip_prefix("DATE=") else {
        return stamp(rest);
    };
    let (rest, (date, _, _, _, time)) =
        (date, space0, opt(char('L')), keyword("TIME="), time).parse(dated)?;
    Ok((rest, PrintedTime { date, time: Some(time) }))
}

fn rba_and_time(input: &str) -> Parsed<'_, (Rba, AddressWidth, Option<PrintedTime>)> {
    let (rest, _) = (space0, opt(one_of("-=:")), space0).parse(input)?;
    let (rest, ((rba, width), at)) = (rba, opt(stamp)).parse(rest)?;
    Ok((rest, (rba, width, at)))
}

fn quoted(text: &str) -> Option<(&str, &str)> {
    let rest = text.trim_start();
    match rest.strip_prefix('\'') {
        Some(rest) => rest.split_once('\'').map(|(name, rest)| (name.trim(), rest)),
        None => Some(rest.split_once(' ').unwrap_or((rest, ""))),
    }
}

/// Whether the line is a title of a log map: `LOG MAP OF ...`.
pub(crate) fn is_title(text: &str) -> bool {
    // A letter is found much faster than words, and few rows have this one.
    text.contains('M') && text.contains("LOG MAP OF")
}

fn is_notice(text: &str) -> bool {
    text.trim_start().starts_with("LTIME INDICATES LOCAL TIME")
}

/// Whether the line belongs to the header of a log map.
pub(crate) fn is_header_line(text: &str) -> bool {
    let trimmed = text.trim_start();
    is_title(text)
        || is_notice(text)
        || trimmed.contains("CONVERSION PROGRAM HAS")
        || [
            "SYSTEM TIMESTAMP",
            "UTILITY TIMESTAMP",
            "HIGHEST RBA",
            "VSAM CATALOG NAME",
            "DATA SHARING MODE IS",
        ]
        .iter()
        .any(|label| trimmed.starts_with(label))
}

impl OpenHeader {
    /// The header, if what a map must have was read.
    pub(crate) fn close(self) -> Result<LogMapHeader, &'static str> {
        match (self.written, self.offloaded) {
            (true, true) => Ok(self.header),
            (false, _) => Err("it has no HIGHEST RBA WRITTEN"),
            (_, false) => Err("it has no HIGHEST RBA OFFLOADED"),
        }
    }

    /// Whether the title names the same BSDS, so that it is the heading of a further page.
    pub(crate) fn is_same_title(&self, line: &Line<'_>) -> Result<bool, ListingError> {
        let mut other = Self::default();
        other.title(line)?;
        let (own, other) = (&self.header, &other.header);
        Ok((other.bsds.is_none() || other.bsds == own.bsds)
            && (other.queue_manager.is_none() || other.queue_manager == own.queue_manager))
    }

    fn title(&mut self, line: &Line<'_>) -> Result<(), ListingError> {
        // A queue manager or a group may be called COPY.
        let of_data_set = line.text.split_once("BELONGING TO ").map_or(line.text, |(before, _)| before);
        if let Some((_, rest)) = of_data_set.split_once("COPY ") {
            let copy_and_name =
                |input| (number::<u8>, opt(char(',')), keyword("DSN="), data_set_name).parse(input);
            let (copy, _, (), name) = whole(line, rest, WHAT, copy_and_name)?;
            self.header.bsds = Some((copy, name));
        }
        if let Some((_, rest)) = line.text.split_once("BELONGING TO ") {
            let named = ["QUEUE MANAGER", "MEMBER"].iter().find_map(|kind| rest.strip_prefix(kind));
            let found = named.and_then(quoted);
            let (name, rest) = found
                .ok_or_else(|| line.error(rest, WHAT, "the name of a queue manager or member is wanted"))?;
            if name != "NO NAME" {
                self.name(line, name)?;
            }
            if let Some((group, _)) = rest.split_once("GROUP ").and_then(|(_, rest)| quoted(rest))
                && group.trim_end_matches('.') != "NO NAME"
            {
                let valid = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || "@#$".contains(c);
                if !(1..=8).contains(&group.len()) || !group.chars().all(valid) {
                    return Err(line.error(rest, WHAT, "the name of a group is wanted"));
                }
                self.header.group = Some(group.to_owned());
            }
        }
        Ok(())
    }

    fn name(&mut self, line: &Line<'_>, name: &str) -> Result<(), ListingError> {
        let name: QueueManagerName =
            name.parse().map_err(|error| line.error(name, WHAT, format!("{error}")))?;
        if self.header.queue_manager.as_ref().is_some_and(|own| *own != name) {
            return Err(line.error(line.text, WHAT, "another queue manager was named above"));
        }
        self.header.queue_manager = Some(name);
        Ok(())
    }

    /// Takes in a line of the header, and says how many bytes of an RBA it prints.
    pub(crate) fn line(&mut self, line: &Line<'_>) -> Result<AddressWidth, ListingError> {
        let text = line.text.trim();
        let behind = |label: &str| text.strip_prefix(label);
        let header = &mut self.header;
        if is_title(text) {
            self.title(line)?;
        } else if is_notice(text) {
            return Ok(AddressWidth::Six);
        } else if let Some(rest) = behind("SYSTEM TIMESTAMP") {
            header.system_timestamp = Some(whole(line, rest, WHAT, header_time)?);
        } else if let Some(rest) = behind("UTILITY TIMESTAMP") {
            header.utility_timestamp = Some(whole(line, rest, WHAT, header_time)?);
        } else if let Some(rest) = behind("HIGHEST RBA WRITTEN") {
            once(line, &mut self.written)?;
            let (rba, width, at) = whole(line, rest, WHAT, rba_and_time)?;
            (header.highest_written, header.written_at) = (rba, at);
            return Ok(width);
        } else if let Some(rest) = behind("HIGHEST RBA OFFLOADED") {
            once(line, &mut self.offloaded)?;
            let (rba, width, _) = whole(line, rest, WHAT, rba_and_time)?;
            header.highest_offloaded = rba;
            return Ok(width);
        } else if let Some((label, rest)) = OTHER_RBAS.iter().find_map(|label| Some((*label, behind(label)?)))
        {
            let (rba, width, _) = whole(line, rest, WHAT, rba_and_time)?;
            header.other_rbas.push((label.to_owned(), rba));
            return Ok(width);
        } else if let Some(rest) = behind("VSAM CATALOG NAME") {
            let name = |input| preceded((space0, opt(one_of("=:"))), word_until("")).parse(input);
            header.catalog = Some(whole(line, rest, WHAT, name)?.to_owned());
        } else if let Some(rest) = behind("DATA SHARING MODE IS") {
            let answer = |input| {
                preceded(space0, alt((value(true, tag("ON")), value(false, tag("OFF"))))).parse(input)
            };
            header.sharing = Some(whole(line, rest, WHAT, answer)?);
        } else if let Some(rest) = behind("BSDS VERSION") {
            let version = |input| preceded((space0, opt(one_of("-=:"))), number).parse(input);
            header.version = Some(whole(line, rest, WHAT, version)?);
        } else if let Some((_, rest)) = text.split_once("CONVERSION PROGRAM HAS") {
            header.converted = match rest.split_whitespace().next() {
                Some("RUN") => Some(true),
                Some("NOT") => Some(false),
                _ => return Err(line.error(rest, WHAT, "RUN or NOT RUN is wanted")),
            };
        } else if let Some(rest) = behind("QUEUE MANAGER NAME").or_else(|| behind("QUEUE MANAGER")) {
            let name = |input| preceded((space0, opt(one_of("-=:"))), word_until("")).parse(input);
            let name = whole(line, rest, WHAT, name)?;
            self.name(line, name.trim_matches('\''))?;
        } else if PARAMETERS
            .iter()
            .any(|name| behind(name).is_some_and(|rest| rest.starts_with([' ', '=', ':'])))
        {
            self.parameters(line, text)?;
        } else if text.contains("DSN=") || looks_addressed(text) {
            let why = "it is not known, and has an RBA or a data set name";
            return Err(line.error(line.text.trim_start(), WHAT, why));
        } else {
            header.remarks.push(text.to_owned());
        }
        Ok(AddressWidth::Six)
    }

    fn parameters<'a>(&mut self, line: &Line<'a>, text: &'a str) -> Result<(), ListingError> {
        let one = |input: &'a str| {
            let (rest, name) =
                context("OFFLOAD, TWOACTV, TWOARCH or TWOBSDS", word_until("=:,")).parse(input)?;
            if !PARAMETERS.contains(&name) {
                return context("OFFLOAD, TWOACTV, TWOARCH or TWOBSDS", nom::combinator::fail()).parse(input);
            }
            let (rest, answer) = yes_or_no(rest)?;
            Ok((rest.trim_start_matches([',', ' ']), (name, answer)))
        };
        let all = |input: &'a str| nom::multi::many1(one).parse(input);
        for (name, answer) in whole(line, text, WHAT, all)? {
            self.header.parameters.push((name.to_owned(), answer));
        }
        Ok(())
    }
}

fn once(line: &Line<'_>, seen: &mut bool) -> Result<(), ListingError> {
    if std::mem::replace(seen, true) {
        return Err(line.error(line.text.trim_start(), WHAT, "the header says it twice"));
    }
    Ok(())
}
