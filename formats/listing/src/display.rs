//! Answers of DISPLAY that are made of `KEYWORD(value)`: CFSTRUCT, CFSTATUS, CONN and any other object, read.
//!
//! ```text
//! CSQM293I ZQS2 CSQMDRTC 1 CFSTATUS FOUND MATCHING REQUEST CRITERIA
//! CSQM201I ZQS2 CSQMDRTC  DISPLAY CFSTATUS DETAILS
//! CFSTATUS(TEST1)
//! TYPE(BACKUP)
//!  END CFSTATUS DETAILS
//! CSQ9022I ZQS2 CSQMDRTC ' DISPLAY CFSTATUS' NORMAL COMPLETION
//! ```
//! The answer ends with CSQ9022I, and has as many objects as CSQM293I says; an answer that ends otherwise is cut off, and an error.

use format_types::QueueManagerName;

use crate::cursor::{Cursor, is_page_heading, is_rule};
use crate::error::ListingError;
use crate::message::{head, id_of, named_by};
use crate::text::Line;

/// An answer of DISPLAY.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Displayed {
    /// What was displayed: `CFSTRUCT`, `CFSTATUS`, `CONN`.
    pub noun: String,
    /// The objects.
    pub objects: Vec<DisplayedObject>,
}

/// An object of an answer.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct DisplayedObject {
    /// Its attributes, each with its value as printed, in the order printed.
    pub attributes: Vec<(String, String)>,
    /// Where the object begins: file, line.
    pub place: (String, usize),
}

impl DisplayedObject {
    /// The value of an attribute, without blanks around it; none if the answer does not print it.
    #[must_use]
    pub fn get(&self, keyword: &str) -> Option<&str> {
        self.attributes.iter().find(|(name, _)| name == keyword).map(|(_, value)| value.trim())
    }

    /// An error about this object.
    #[must_use]
    pub fn error(&self, what: &str, why: impl Into<String>) -> ListingError {
        ListingError::new(&self.place.0, self.place.1, 1, what, why)
    }
}

const WHAT: &str = "the answer of DISPLAY does not read";

/// Attributes of the lines of an object; one whose value goes on in the next line is held open.
#[derive(Default)]
struct Attributes {
    done: Vec<(String, String)>,
    open: Option<(String, String)>,
}

impl Attributes {
    fn line(&mut self, line: &Line<'_>) -> Result<(), ListingError> {
        let mut rest = line.text.trim();
        if let Some((name, value)) = self.open.take() {
            if !value.is_empty() && value.bytes().all(|b| b.is_ascii_hexdigit()) {
                return Err(line.error(rest, WHAT, format!("the value of {name} is broken in two")));
            }
            rest = self.value(name, value, rest);
        }
        while !rest.is_empty() && self.open.is_none() {
            let length = rest.bytes().take_while(|b| b.is_ascii_uppercase() || b.is_ascii_digit()).count();
            let (name, behind) = (rest.get(..length).unwrap_or(""), rest.get(length..).unwrap_or(""));
            match behind.strip_prefix('(') {
                Some(behind) if length > 0 => {
                    if self.done.iter().any(|(known, _)| known == name) {
                        return Err(line.error(rest, WHAT, format!("{name} stands twice")));
                    }
                    rest = self.value(name.to_owned(), String::new(), behind).trim_start();
                }
                _ => return Err(line.error(rest, WHAT, "KEYWORD(value) is wanted")),
            }
        }
        Ok(())
    }

    /// Takes the value up to its closing parenthesis; gives what follows it.
    fn value<'a>(&mut self, name: String, mut value: String, text: &'a str) -> &'a str {
        let mut depth = 1 + value.matches('(').count() - value.matches(')').count();
        for (at, c) in text.char_indices() {
            match c {
                '(' => depth += 1,
                ')' => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth == 0 {
                value.push_str(text.get(..at).unwrap_or(""));
                self.done.push((name, value));
                return text.get(at + 1..).unwrap_or("");
            }
        }
        value.push_str(text);
        self.open = Some((name, value));
        ""
    }
}

fn block<'a>(lines: &mut Cursor<'a>, first: &Line<'a>, noun: &str) -> Result<DisplayedObject, ListingError> {
    let mut attributes = Attributes::default();
    let end = format!("END {noun} DETAILS");
    while let Some(line) = lines.peek() {
        let text = line.text.trim();
        if id_of(text).is_some() {
            break;
        }
        lines.advance();
        if text == end {
            if let Some((name, _)) = attributes.open {
                return Err(line.error(text, WHAT, format!("the value of {name} has no end")));
            }
            if attributes.done.is_empty() {
                return Err(line.error(text, WHAT, "the object above has no attributes"));
            }
            let place = (first.file.to_owned(), first.number);
            return Ok(DisplayedObject { attributes: attributes.done, place });
        }
        if !is_rule(text) && !is_page_heading(text) {
            attributes.line(&line)?;
        }
    }
    Err(first.error(first.text.trim_start(), "the object has no end", format!("'{end}' is wanted")))
}

fn noun_of<'a>(rest: &'a str, end: &str) -> Option<&'a str> {
    let noun = rest.trim().strip_suffix(end)?.trim();
    (!noun.is_empty() && noun.bytes().all(|b| b.is_ascii_uppercase() || b.is_ascii_digit())).then_some(noun)
}

/// The count and the noun of `2 SMDSCONN FOUND MATCHING REQUEST CRITERIA`, behind identifier, prefix and module.
fn count_of(text: &str) -> Option<(usize, &str, Option<&str>)> {
    let words: Vec<&str> = text.split_whitespace().collect();
    let found = words.iter().position(|word| *word == "FOUND")?;
    let count = words.get(found.checked_sub(2)?)?;
    let noun = words.get(found.checked_sub(1)?)?;
    let prefix = (found > 3).then(|| words.get(1).copied()).flatten();
    let rest = words.get(found..)?;
    (rest == ["FOUND", "MATCHING", "REQUEST", "CRITERIA"] && found <= 5)
        .then(|| Some((count.parse().ok()?, *noun, prefix)))
        .flatten()
}

/// Whether the identifier begins an answer.
pub(crate) fn begins(id: &str) -> bool {
    matches!(id, "CSQM293I" | "CSQM201I" | "CSQM297I")
}

/// The answer at `lines`.
pub(crate) fn read(lines: &mut Cursor<'_>) -> Result<(Option<QueueManagerName>, Displayed), ListingError> {
    let no_lines = || ListingError::new("", 0, 0, WHAT, "there are no lines");
    let first = lines.peek().ok_or_else(no_lines)?;
    let mut wanted = None;
    let mut noun = None;
    let mut queue_manager = None;
    let mut objects = Vec::new();
    while let Some(line) = lines.peek() {
        let text = line.text.trim();
        match id_of(text) {
            Some("CSQM293I") if wanted.is_none() && objects.is_empty() => {
                let found = count_of(text);
                let (count, of, prefix) = found.ok_or_else(|| {
                    line.error(text, WHAT, "'n NOUN FOUND MATCHING REQUEST CRITERIA' is wanted")
                })?;
                (wanted, noun, queue_manager) = (Some(count), Some(of.to_owned()), named_by(prefix));
                lines.advance();
            }
            Some("CSQM297I") if wanted.is_none() && objects.is_empty() => {
                let head = head(text, "NO ");
                let of = head
                    .and_then(|head| Some((head, noun_of(head.rest, "FOUND MATCHING REQUEST CRITERIA")?)));
                let (head, of) = of.ok_or_else(|| line.error(text, WHAT, "'NO NOUN FOUND ...' is wanted"))?;
                (wanted, noun, queue_manager) = (Some(0), Some(of.to_owned()), named_by(head.prefix));
                lines.advance();
            }
            Some("CSQM201I") => {
                let head = head(text, "DISPLAY ");
                let of = head.and_then(|head| Some((head, noun_of(head.rest, "DETAILS")?)));
                let (head, of) =
                    of.ok_or_else(|| line.error(text, WHAT, "'DISPLAY NOUN DETAILS' is wanted"))?;
                let named = named_by(head.prefix);
                if noun.as_deref().is_some_and(|noun| noun != of)
                    || (queue_manager.is_some() && named != queue_manager)
                {
                    return Err(line.error(
                        text,
                        WHAT,
                        "it belongs to another answer, and the one above has no end",
                    ));
                }
                (noun, queue_manager) = (Some(of.to_owned()), named);
                lines.advance();
                objects.push(block(lines, &line, of)?);
            }
            Some("CSQ9022I") => {
                lines.advance();
                if wanted.is_some_and(|wanted| wanted != objects.len()) {
                    let why = format!("CSQM293I says {} and {} follow", wanted.unwrap_or(0), objects.len());
                    return Err(first.error(first.text.trim_start(), "objects are missing", why));
                }
                let noun = noun.ok_or_else(|| line.error(text, WHAT, "it has no objects"))?;
                return Ok((queue_manager, Displayed { noun, objects }));
            }
            Some(_) => break,
            None if is_rule(text) || is_page_heading(text) => lines.advance(),
            None => return Err(line.error(text, WHAT, "CSQM201I or CSQ9022I is wanted")),
        }
    }
    Err(first
        .error(first.text.trim_start(), "the answer of DISPLAY is cut off", "no CSQ9022I follows")
        .hint("bring the whole answer of the command down again"))
}
