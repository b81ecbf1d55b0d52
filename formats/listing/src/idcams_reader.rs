//! SYSPRINT of IDCAMS, read.

use format_types::DataSetName;
use jiff::civil::Date;

use crate::catalog::NotListed;
use crate::catalog_reader::{self, OpenListing};
use crate::cursor::{Cursor, is_page_heading, is_rule};
use crate::error::ListingError;
use crate::field::{nearly_the_same, number, whole};
use crate::idcams_print::{
    Copied, CopyEnd, Deletion, DeletionResult, IdcamsFunction, IdcamsOutcome, IdcamsPrint,
};
use crate::message::{id_of, is_id};
use crate::printed_time::{PrintedTime, time};
use crate::statements::{Command, command, joined};
use crate::text::Line;

/// Messages that something is taken of.
const IDS: [&str; 9] = [
    "IDC0001I", "IDC0002I", "IDC0005I", "IDC0550I", "IDC0551I", "IDC3012I", "IDC1566I", "IDC3003I",
    "IDC3202I",
];

const WHAT: &str = "the message of IDCAMS does not read";

/// Words of those messages, which stand in no statement.
const PHRASES: [&str; 7] = [
    "NUMBER OF RECORDS PROCESSED WAS",
    "FUNCTION COMPLETED, HIGHEST",
    "FUNCTION TERMINATED. CONDITION",
    "PROCESSING COMPLETE. MAXIMUM",
    " NOT DELETED",
    " NOT LISTED",
    "ENTRY (",
];

const CONTRADICTION: &str = "the messages of this name contradict each other";

/// Whether the line is the heading of a page.
fn is_heading(text: &str) -> bool {
    text.split_whitespace().next() == Some("IDCAMS") || text.contains("SYSTEM SERVICES")
}

/// When a page was printed, if the line is its heading: `TIME: 10:46:37        11/26/26`, month before day.
pub(crate) fn heading_time(text: &str) -> Option<PrintedTime> {
    if !is_heading(text) || !is_page_heading(text) {
        return None;
    }
    let (_, rest) = text.split_once("TIME:")?;
    let (rest, at) = time(rest).ok()?;
    let mut fields = rest.split_whitespace().next()?.split('/').map(|field| field.parse::<i8>().ok());
    let (month, day, year) = (fields.next()??, fields.next()??, fields.next()??);
    let date = Date::new(2000 + i16::from(year), month, day).ok().filter(|_| fields.next().is_none())?;
    Some(PrintedTime { date, time: Some(at) })
}

fn is_first_page(text: &str) -> bool {
    is_heading(text) && text.split_whitespace().next_back() == Some("1")
}

/// Whether the line is a page heading, or nearly one.
fn looks_like_heading(text: &str) -> bool {
    is_heading(text) && (is_page_heading(text) || id_of(text).is_none() && text.contains("PAGE"))
}

/// Whether a print of IDCAMS, or a part of one, begins with `line`.
pub(crate) fn begins(line: &Line<'_>) -> bool {
    let text = line.text.trim();
    looks_like_heading(text)
        || catalog_reader::begins(text)
        || id_of(text).is_some_and(|id| id.starts_with("IDC"))
        || nearly_one_of(text)
}

/// Whether the line is nearly one of the messages, or a part of one.
fn nearly_one_of(text: &str) -> bool {
    if id_of(text).is_none() && PHRASES.iter().any(|phrase| text.contains(phrase)) {
        return true;
    }
    let word = text.split_whitespace().next().unwrap_or("");
    if text.starts_with('I') && word.len() < 8 {
        let torn: String = text.chars().filter(|c| !c.is_whitespace()).take(8).collect();
        return IDS.contains(&torn.as_str());
    }
    let number = word.strip_prefix("IDC").and_then(|rest| rest.get(..rest.len().saturating_sub(1)));
    let genuine =
        number.is_some_and(|number| number.len() == 4 && number.bytes().all(|b| b.is_ascii_digit()));
    (7..=9).contains(&word.len())
        && !(genuine && id_of(text).is_some())
        && IDS.iter().any(|id| nearly_the_same(word, id))
}

/// What a message says, as far as something is taken of it.
enum Said {
    Completed(u8),
    Ended(u8),
    Records(u64),
    Deleted(Option<char>, DataSetName),
    NotDeleted(DataSetName),
    NotFound(String),
    NotListed(String),
    Else,
}

/// The text between `start` and `end`.
fn between<'a>(line: &Line<'a>, rest: &'a str, start: &str, end: &str) -> Result<&'a str, ListingError> {
    let text = rest.trim();
    let text = text.strip_prefix("**").unwrap_or(text).trim_start();
    let inner = text.strip_prefix(start).and_then(|text| text.strip_suffix(end));
    inner
        .map(str::trim)
        .ok_or_else(|| line.error(text, WHAT, format!("'{start} ... {end}' is wanted behind the identifier")))
}

/// A name, or a pattern of names.
fn pattern<'a>(line: &Line<'a>, name: &'a str) -> Result<String, ListingError> {
    let valid = |c: char| c.is_ascii_uppercase() || c.is_ascii_digit() || ".@#$-*%".contains(c);
    if name.is_empty() || name.len() > 44 || !name.chars().all(valid) {
        return Err(line.error(name, WHAT, "a data set name is wanted"));
    }
    Ok(name.to_owned())
}

/// A kind in parentheses, where there is one, and a name.
fn kind_and_name<'a>(line: &Line<'a>, text: &'a str) -> Result<(Option<char>, DataSetName), ListingError> {
    let mut kind = None;
    let mut name = text;
    if let Some((letters, rest)) = text.strip_prefix('(').and_then(|text| text.split_once(')')) {
        let mut letters = letters.chars();
        kind = letters.next().filter(char::is_ascii_uppercase);
        if kind.is_none() || letters.next().is_some() {
            return Err(line.error(text, WHAT, "a letter is wanted in the parentheses"));
        }
        name = rest.trim();
    }
    let name = name.parse().map_err(|_| line.error(name, WHAT, "a data set name is wanted"))?;
    Ok((kind, name))
}

fn code<'a>(line: &Line<'a>, rest: &'a str, words: &str) -> Result<u8, ListingError> {
    let digits = between(line, rest, words, "")?;
    whole(line, digits, WHAT, number::<u8>)
}

fn said(line: &Line<'_>, id: &str) -> Result<Said, ListingError> {
    let text = line.text.trim();
    let rest = text.split_once(id).map_or("", |(_, rest)| rest);
    Ok(match id {
        "IDC0001I" => Said::Ended(code(line, rest, "FUNCTION COMPLETED, HIGHEST CONDITION CODE WAS")?),
        "IDC3003I" => Said::Ended(code(line, rest, "FUNCTION TERMINATED. CONDITION CODE IS")?),
        "IDC3202I" => {
            Said::Ended(code(line, rest, "ABOVE TEXT BYPASSED UNTIL NEXT COMMAND. CONDITION CODE IS")?)
        }
        "IDC0002I" => {
            Said::Completed(code(line, rest, "IDCAMS PROCESSING COMPLETE. MAXIMUM CONDITION CODE WAS")?)
        }
        "IDC0005I" => {
            let digits = between(line, rest, "NUMBER OF RECORDS PROCESSED WAS", "")?;
            Said::Records(whole(line, digits, WHAT, number::<u64>)?)
        }
        "IDC0550I" => {
            let (kind, name) = kind_and_name(line, between(line, rest, "ENTRY", "DELETED")?)?;
            Said::Deleted(kind, name)
        }
        "IDC0551I" => Said::NotDeleted(kind_and_name(line, between(line, rest, "ENTRY", "NOT DELETED")?)?.1),
        "IDC3012I" => Said::NotFound(pattern(line, between(line, rest, "ENTRY", "NOT FOUND")?)?),
        "IDC1566I" => Said::NotListed(pattern(line, between(line, rest, "", "NOT LISTED")?)?),
        _ => Said::Else,
    })
}

/// A function that is being read.
#[derive(Default)]
struct OpenFunction<'a> {
    begun: bool,
    echo: Vec<&'a str>,
    messages: Vec<(String, Said)>,
    listing: Option<OpenListing<'a>>,
}

impl<'a> OpenFunction<'a> {
    fn close(self, code: Option<u8>) -> Result<Option<IdcamsFunction>, ListingError> {
        let statements = joined(&self.echo);
        let commands: Vec<Command> = statements.iter().filter_map(|statement| command(statement)).collect();
        let verb = |wanted: &str| commands.iter().any(|command| command.verb == wanted);
        let says = |wanted: fn(&Said) -> bool| self.messages.iter().any(|(_, said)| wanted(said));
        let mut outcomes = Vec::new();
        if self.listing.is_some() || says(|said| matches!(said, Said::NotListed(_))) {
            let mut listing = self.listing.unwrap_or_default().finish()?;
            listing.not_listed = not_listed(&self.messages);
            outcomes.push(IdcamsOutcome::Listed(Box::new(listing)));
        }
        if verb("DELETE") || says(|said| matches!(said, Said::Deleted(..) | Said::NotDeleted(_))) {
            outcomes.push(IdcamsOutcome::Deleted(deletions(&commands, &self.messages)));
        }
        if verb("REPRO") || says(|said| matches!(said, Said::Records(_))) {
            outcomes.push(IdcamsOutcome::Copied(copied(&commands, &self.messages)));
        }
        Ok(self.begun.then(|| IdcamsFunction {
            statements,
            outcomes,
            messages: self.messages.into_iter().map(|(text, _)| text).collect(),
            code,
        }))
    }
}

fn not_listed(messages: &[(String, Said)]) -> Vec<NotListed> {
    let mut found: Vec<NotListed> = Vec::new();
    let mut missing: Option<&str> = None;
    let mut reason = String::new();
    for (text, said) in messages {
        if let Said::NotFound(name) = said {
            if let Some(name) = missing.replace(name) {
                found.push(NotListed { name: name.to_owned(), not_found: true, reason: reason.clone() });
            }
            reason.clear();
        }
        if !reason.is_empty() {
            reason.push_str("; ");
        }
        reason.push_str(text);
        if let Said::NotListed(name) = said {
            let not_found = missing.take() == Some(name);
            found.push(NotListed { name: name.clone(), not_found, reason: std::mem::take(&mut reason) });
        }
    }
    if let Some(name) = missing {
        found.push(NotListed { name: name.to_owned(), not_found: true, reason });
    }
    found
}

/// Takes in what is said of `name`; what contradicts something said before makes it unknown.
fn answer(found: &mut Vec<Deletion>, name: &DataSetName, kind: Option<char>, result: DeletionResult) {
    let known = found.iter_mut().find(|known| known.name == *name && known.kind == kind);
    match known {
        None => found.push(Deletion { name: DataSetName::clone(name), kind, result }),
        Some(known) => match (&known.result, &result) {
            (DeletionResult::WasNotThere, DeletionResult::Stays(_)) => {}
            (one, other) if one == other => {}
            _ => known.result = DeletionResult::Unknown(CONTRADICTION.to_owned()),
        },
    }
}

fn deletions(commands: &[Command], messages: &[(String, Said)]) -> Vec<Deletion> {
    let deletes = || commands.iter().filter(|command| command.verb == "DELETE");
    let named: Vec<DataSetName> =
        deletes().flat_map(|command| command.names.iter().filter_map(|name| name.parse().ok())).collect();
    let mut found: Vec<Deletion> = Vec::new();
    let mut reasons: Vec<&str> = Vec::new();
    for (text, said) in messages {
        match said {
            Said::Deleted(kind, name) => {
                answer(&mut found, name, *kind, DeletionResult::Gone);
                reasons.clear();
            }
            Said::NotFound(name) => {
                if let Ok(name) = name.parse() {
                    answer(&mut found, &name, None, DeletionResult::WasNotThere);
                }
                reasons.push(text);
            }
            Said::NotDeleted(name) => {
                let no_such_name =
                    |reason: &str| reason.starts_with("IDC3009I") && reason.ends_with("CODE IS IGG0CLEG-42");
                let result = match reasons.as_slice() {
                    [reason] if no_such_name(reason) => DeletionResult::WasNotThere,
                    _ => {
                        reasons.push(text);
                        DeletionResult::Stays(reasons.join("; "))
                    }
                };
                answer(&mut found, name, None, result);
                reasons.clear();
            }
            _ => reasons.push(text),
        }
    }
    for name in named {
        if !found.iter().any(|known| known.name == name) {
            let why = if reasons.is_empty() { "no message names it".to_owned() } else { reasons.join("; ") };
            found.push(Deletion { name, kind: None, result: DeletionResult::Unknown(why) });
        }
    }
    // A name that is said both to be deleted, with its kind, and not to be, without one.
    let contradicted: Vec<DataSetName> = found
        .iter()
        .filter(|one| {
            one.kind.is_none() && found.iter().any(|other| other.kind.is_some() && other.name == one.name)
        })
        .map(|one| DataSetName::clone(&one.name))
        .collect();
    for deletion in &mut found {
        if deletes().any(|command| command.has("TEST")) {
            deletion.result = DeletionResult::Unknown("a statement with TEST deletes nothing".to_owned());
        } else if contradicted.contains(&deletion.name) {
            deletion.result = DeletionResult::Unknown(CONTRADICTION.to_owned());
        }
    }
    found
}

fn copied(commands: &[Command], messages: &[(String, Said)]) -> Copied {
    let mut repros = commands.iter().filter(|command| command.verb == "REPRO");
    // Two copies with one answer: neither is known to be the one that was made.
    let repro = repros.next().filter(|_| repros.next().is_none());
    let end = |files: &[&str], data_sets: &[&str]| {
        let file = repro.and_then(|repro| repro.value(files)).map(|name| CopyEnd::File(name.to_owned()));
        let data_set = repro.and_then(|repro| repro.value(data_sets)).and_then(|name| name.parse().ok());
        file.or(data_set.map(CopyEnd::DataSet))
    };
    let mut counts = messages.iter().filter_map(|(_, said)| match said {
        Said::Records(records) => Some(*records),
        _ => None,
    });
    Copied {
        input: end(&["INFILE", "IFILE"], &["INDATASET", "IDS"]),
        output: end(&["OUTFILE", "OFILE"], &["OUTDATASET", "ODS"]),
        records: counts.next().filter(|_| counts.next().is_none()),
    }
}

/// Reads the print of IDCAMS that begins at `lines`. `is_other` says whether a line begins another report, `looks_lost` whether it looks
/// like a part of one.
pub(crate) fn read<'a>(
    lines: &mut Cursor<'a>,
    is_other: impl Fn(&Line<'a>) -> bool,
    looks_lost: impl Fn(&Line<'a>) -> Result<(), ListingError>,
) -> Result<IdcamsPrint, ListingError> {
    let mut print = IdcamsPrint::default();
    let mut open = OpenFunction::default();
    let mut headed = false;
    let mut begun = false;
    while let Some(line) = lines.peek() {
        let text = line.text.trim();
        let heading = is_page_heading(text);
        if begun && heading && is_first_page(text) || is_other(&line) {
            break;
        }
        begun = true;
        if is_rule(text) || heading {
            headed |= heading && is_heading(text);
        } else if looks_like_heading(text) {
            let why = "'PAGE' and a number are wanted at its end";
            return Err(line.error(text, "the heading of a page of IDCAMS does not read", why));
        } else if nearly_one_of(text) {
            let why = format!("it is nearly one of {}, or a part of one", IDS.join(", "));
            return Err(line.error(text, WHAT, why));
        } else if let Some(id) = id_of(text) {
            if is_id(id) || !headed && !id.starts_with("IDC") {
                break;
            }
            open.begun = true;
            let message = text.split_whitespace().collect::<Vec<_>>().join(" ");
            match said(&line, id)? {
                Said::Ended(code) => {
                    print.functions.extend(std::mem::take(&mut open).close(Some(code))?);
                }
                Said::Completed(code) => {
                    lines.advance();
                    print.maximum = Some(code);
                    open.begun = open.messages.len() + open.echo.len() > 0 || open.listing.is_some();
                    print.functions.extend(open.close(None)?);
                    return Ok(print);
                }
                said => open.messages.push((message, said)),
            }
        } else if open.listing.is_some() || catalog_reader::begins(text) {
            open.begun = true;
            open.listing.get_or_insert_default().line(&line)?;
        } else if !headed {
            break;
        } else {
            looks_lost(&line)?;
            let done = |verb: &str| command(&joined(&open.echo).concat()).is_some_and(|it| it.verb == verb);
            let answered = !open.messages.is_empty();
            if answered && (open.echo.is_empty() || done("DELETE") || done("REPRO") || done("LISTCAT")) {
                let why = "the message that ends the function above is wanted";
                return Err(line.error(text, "the line of IDCAMS does not read", why));
            }
            if !answered {
                open.begun = true;
                open.echo.push(line.text);
            }
        }
        lines.advance();
    }
    print.functions.extend(open.close(None)?);
    Ok(print)
}
