//! What consoles and job logs print before a message.
//!
//! ```text
//!  10.46.37 STC00103  CSQI010I ZQS2 Page set usage ...  105                         job log: time, job; 105 names the message
//!    105             _  0     0     1078                                            its further lines
//! M 0000000 SY1      26330 10:46:37.05 STC00103 00000090  CSQI010I ZQS2 Page ... 105   system log: kind, routing, system, date, time,
//! D                                         105 00000090  _  0     0     1078              job, flags; L, D and E: its further lines
//! NR0000000 ...   LR, DR, ER, SR                          the same with what asked for it: C a command, R an answer, I of the system
//! S                                                       a single line that was too long goes on
//! 2026-11-26 10:46:37 SY1 STC00103 CSQI010I ZQS2 ...                                date, time, system, job
//! ```
//! A prefix always has a time and a job, so that no row of a report is taken for one. Lines of other messages that stand between the
//! lines of one message are moved behind it.

use std::collections::HashMap;

use jiff::civil::{Date, Time};
use nom::branch::alt;
use nom::bytes::complete::{take_while_m_n, take_while1};
use nom::character::complete::{char, one_of, space0, space1};
use nom::combinator::{opt, recognize, verify};
use nom::sequence::{preceded, terminated};
use nom::{IResult, Parser};

use crate::field::nearly_the_same;
use crate::printed_time::date as printed_date;

/// A line without its prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unprefixed {
    /// Bytes of the prefix.
    pub(crate) start: usize,
    /// End of the text in the line: what names the message is not part of it.
    pub(crate) end: usize,
    /// The line goes on with the message of the line before it.
    pub(crate) continues: bool,
    /// Place of the first line of its message, its own if it is the first.
    pub(crate) head: usize,
}

enum Kind<'a> {
    /// The first line of a message, and whether it can have further ones.
    Head(&'a str, bool),
    Further(&'a str, &'a str),
    Rest(&'a str),
}

type Parsed<'a, T> = IResult<&'a str, T>;

fn digits<'a>(
    from: usize,
    to: usize,
) -> impl Parser<&'a str, Output = &'a str, Error = nom::error::Error<&'a str>> {
    take_while_m_n(from, to, |c: char| c.is_ascii_digit())
}

fn hex<'a>(
    from: usize,
    to: usize,
) -> impl Parser<&'a str, Output = &'a str, Error = nom::error::Error<&'a str>> {
    take_while_m_n(from, to, |c: char| c.is_ascii_hexdigit())
}

fn word(line: &str) -> Parsed<'_, &str> {
    take_while1(|c: char| !c.is_whitespace()).parse(line)
}

/// `10.46.37`, `10:46:37.05`.
fn time(line: &str) -> Parsed<'_, &str> {
    let tenths = opt((one_of(".,"), digits(1, 6)));
    recognize((digits(2, 2), one_of(".:"), digits(2, 2), one_of(".:"), digits(2, 2), tenths)).parse(line)
}

/// `2026-11-26`, `2026/11/26`, `2026.330`, `26.330`, `2026330`, `26330`.
fn date(line: &str) -> Parsed<'_, &str> {
    recognize((digits(2, 7), opt((one_of("-/."), digits(2, 3))), opt((one_of("-/"), digits(2, 2)))))
        .parse(line)
}

/// `JOB00103`, `STC00103`, `TSU00103`, `J0000103`.
fn job(line: &str) -> Parsed<'_, &str> {
    verify(word, |job: &str| {
        let kinds = ["JOB", "STC", "TSU", "J", "S", "T"];
        let number = kinds.iter().find_map(|kind| job.strip_prefix(kind)).unwrap_or("");
        job.len() == 8 && number.len() >= 5 && number.bytes().all(|b| b.is_ascii_digit())
    })
    .parse(line)
}

/// A system's name of 1 to 8 characters that is not a job.
fn system(line: &str) -> Parsed<'_, &str> {
    verify(word, |name: &str| name.len() <= 8 && job(name).is_err()).parse(line)
}

fn job_log(line: &str) -> Parsed<'_, Kind<'_>> {
    let (rest, _) = space0.parse(line)?;
    let (rest, _) = opt(terminated(date, space1)).parse(rest)?;
    let (rest, _) = terminated(time, space1).parse(rest)?;
    let (rest, _) = opt(terminated(system, space1)).parse(rest)?;
    let (rest, _) = job(rest)?;
    let (rest, _) = opt((char(' '), opt(char(' ')))).parse(rest)?;
    Ok(("", Kind::Head(rest, true)))
}

fn job_log_further(line: &str) -> Parsed<'_, Kind<'_>> {
    let (rest, id) = preceded(space0, digits(3, 7)).parse(line)?;
    let (rest, _) = (char(' '), char(' ')).parse(rest)?;
    Ok(("", Kind::Further(id, rest)))
}

fn system_log(line: &str) -> Parsed<'_, Kind<'_>> {
    let (rest, (kind, ..)) = (one_of("NMWXOL"), opt(one_of("CRIUA")), space0).parse(line)?;
    let (rest, _) = (hex(4, 32), space1, system, space1, date, space1, time, space1).parse(rest)?;
    let flags = |rest| terminated(hex(8, 8), opt(char(' '))).parse(rest);
    let (rest, _) = match (word, space1, flags).parse(rest) {
        Ok((rest, _)) => (rest, ()),
        Err(_) => flags(rest).map(|(rest, _)| (rest, ()))?,
    };
    Ok(("", Kind::Head(rest.strip_prefix(' ').unwrap_or(rest), kind == 'M')))
}

fn system_log_further(line: &str) -> Parsed<'_, Kind<'_>> {
    let (rest, _) = (one_of("LDE"), opt(one_of("CRIUA")), space1).parse(line)?;
    let (rest, id) = terminated(digits(3, 7), space1).parse(rest)?;
    let (rest, _) = (hex(8, 8), opt((char(' '), opt(char(' '))))).parse(rest)?;
    Ok(("", Kind::Further(id, rest)))
}

fn system_log_rest(line: &str) -> Parsed<'_, Kind<'_>> {
    let (rest, _) = (char('S'), alt((one_of("CRIUA"), char(' '))), char(' '), space1).parse(line)?;
    Ok(("", Kind::Rest(rest)))
}

/// Date and time of day of a prefix, each where it is printed.
pub(crate) fn clock(prefix: &str) -> Option<(Option<Date>, Time)> {
    let words: Vec<&str> = prefix.split_whitespace().collect();
    let whole = |word: &str| time(word).is_ok_and(|(rest, _)| rest.is_empty());
    let place = words.iter().position(|word| whole(word))?;
    let mut numbers = words.get(place)?.split(['.', ':', ',']).map(|digits| digits.parse::<i8>().ok());
    let (hour, minute, second) = (numbers.next()??, numbers.next()??, numbers.next()??);
    let day = place.checked_sub(1).and_then(|place| words.get(place)).and_then(|word| day(word));
    Some((day, Time::new(hour, minute, second, 0).ok()?))
}

/// The day that a word of a prefix is, years of two digits being of this century.
fn day(word: &str) -> Option<Date> {
    let short = matches!(word.as_bytes(), [_, _, b'.', ..]) || word.len() == "26330".len();
    let word = if short { format!("20{word}") } else { word.to_owned() };
    printed_date(&word).ok().filter(|(rest, _)| rest.is_empty()).map(|(_, date)| date)
}

/// The last word of a head, if it can be what names a message of several lines.
fn name_of(head: &str) -> Option<&str> {
    let (_, last) = head.trim_end().rsplit_once(' ')?;
    ((3..=7).contains(&last.len()) && last.bytes().all(|b| b.is_ascii_digit())).then_some(last)
}

/// Whether the line begins with the prefix of a message's first line.
pub(crate) fn has_prefix(line: &str) -> bool {
    let could = |c: char| c.is_ascii_digit() || "NMWXOL".contains(c);
    let start = line.trim_start();
    // The rows of log maps, the common lines by far, begin with an RBA, which is longer than any time or date without marks.
    let rba = start.as_bytes().get(..12).is_some_and(|word| word.iter().all(u8::is_ascii_hexdigit));
    start.starts_with(could) && !rba && (job_log(line).is_ok() || system_log(line).is_ok())
}

/// Takes the prefixes off `lines`; none if no line has one.
///
/// # Errors
/// The place of a line that stands where a further line of a message is due and has no prefix that reads.
pub(crate) fn unprefixed(lines: &[&str]) -> Result<Option<Vec<Unprefixed>>, usize> {
    let mut found: Vec<Unprefixed> = Vec::new();
    // The name of the message that each line has or belongs to.
    let mut names: Vec<Option<&str>> = Vec::new();
    let mut named: HashMap<&str, usize> = HashMap::new();
    let mut named_heads = Vec::new();
    let mut last_head = None;
    for (place, line) in lines.iter().enumerate() {
        let head = job_log(line).or_else(|_| system_log(line)).map(|(_, kind)| kind);
        let kind = head
            .or_else(|_| system_log_further(line).map(|(_, kind)| kind))
            .or_else(|_| system_log_rest(line).map(|(_, kind)| kind))
            .or_else(|_| job_log_further(line).map(|(_, kind)| kind));
        let plain = Unprefixed { start: 0, end: line.len(), continues: false, head: place };
        let start = |text: &str| line.len() - text.len();
        names.push(match &kind {
            Ok(Kind::Head(text, true)) => name_of(text),
            Ok(Kind::Further(name, _)) if named.contains_key(name) => Some(*name),
            _ => None,
        });
        found.push(match kind {
            Ok(Kind::Head(text, several)) => {
                if several && let Some(name) = name_of(text) {
                    named.insert(name, place);
                }
                last_head = Some(place);
                Unprefixed { start: start(text), ..plain }
            }
            Ok(Kind::Further(name, text)) if let Some(&head) = named.get(name) => {
                named_heads.push((head, name));
                Unprefixed { start: start(text), continues: true, head, ..plain }
            }
            Ok(Kind::Rest(text)) if let Some(head) = last_head => {
                Unprefixed { start: start(text), continues: true, head, ..plain }
            }
            _ => plain,
        });
    }
    if last_head.is_none() {
        return Ok(None);
    }
    lost_prefix(lines, &found, &names)?;
    for (head, name) in named_heads {
        if let (Some(text), Some(line)) = (lines.get(head), found.get_mut(head)) {
            let text = text.trim_end();
            let end = text.strip_suffix(name).map_or(line.end, |text| text.trim_end().len());
            line.end = end.clamp(line.start, line.end);
        }
    }
    Ok(Some(found))
}

/// Looks for a line without a prefix behind a line of a named message that goes on behind it, or that begins nearly with its name.
fn lost_prefix(lines: &[&str], found: &[Unprefixed], names: &[Option<&str>]) -> Result<(), usize> {
    for (place, line) in lines.iter().enumerate() {
        let plain = found.get(place).is_some_and(|line| line.start == 0 && !line.continues);
        let before = place.checked_sub(1).and_then(|place| names.get(place).copied().flatten());
        if let (true, false, Some(name)) = (plain, line.trim().is_empty(), before) {
            let goes_on = names.get(place + 1).copied().flatten() == Some(name);
            let word = line.split_whitespace().next().unwrap_or("");
            if goes_on || nearly_the_same(word, name) {
                return Err(place);
            }
        }
    }
    Ok(())
}
