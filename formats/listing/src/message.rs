//! Messages of a queue manager: their identifier, the command prefix of the queue manager that wrote them, the module, and their text.
//!
//! ```text
//! CSQI024I ZQS2 CSQIDUSE Restart RBA for system as
//! configured=00000000008BE034
//! ```
//! A text that was too long for a line goes on in the next one; it is read as if there were one blank between the two.

use format_types::QueueManagerName;

use crate::cursor::Cursor;
use crate::error::ListingError;
use crate::field::{Parsed, whole};
use crate::text::Line;

/// Most lines that one message may have.
const MOST_LINES: usize = 8;

/// Whether `word` is an identifier of the queue manager: `CSQI010I`, `CSQ9022I`.
pub(crate) fn is_id(word: &str) -> bool {
    let bytes = word.as_bytes();
    let [b'C', b'S', b'Q', area, number @ .., severity] = bytes else {
        return false;
    };
    (area.is_ascii_uppercase() || area.is_ascii_digit())
        && number.len() == 3
        && number.iter().all(u8::is_ascii_digit)
        && b"IEADWS".contains(severity)
}

/// Whether `word` is an identifier of another product: letters, two to five digits, and a letter, which only those that begin with
/// `$` may lack.
pub(crate) fn is_foreign_id(word: &str) -> bool {
    let letters =
        word.bytes().take_while(|b| b.is_ascii_uppercase() || matches!(b, b'$' | b'@' | b'#')).count();
    let rest = word.get(letters..).unwrap_or("");
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let end = rest.get(digits..).unwrap_or("");
    (3..=5).contains(&letters)
        && (2..=5).contains(&digits)
        && (end.is_empty() && word.starts_with('$')
            || end.len() == 1 && end.bytes().all(|b| b.is_ascii_uppercase()))
        && !is_id(word)
}

/// The identifier that the line begins with, a console's flag before it left out.
pub(crate) fn id_of(text: &str) -> Option<&str> {
    let word = text.split_whitespace().next()?;
    let word = word.trim_start_matches(['*', '@', '+', '-']);
    (is_id(word) || is_foreign_id(word)).then_some(word)
}

/// The queue manager that a command prefix names: its name behind characters that no name begins with.
pub(crate) fn named_by(prefix: Option<&str>) -> Option<QueueManagerName> {
    prefix?
        .trim_start_matches(|c: char| !c.is_ascii_alphanumeric() && !matches!(c, '@' | '#' | '$'))
        .parse()
        .ok()
}

/// A message whose text begins with what is known of it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Head<'a> {
    /// The queue manager, where the prefix names it.
    pub(crate) prefix: Option<&'a str>,
    /// What follows the known words.
    pub(crate) rest: &'a str,
}

fn strip_ignoring_case<'a>(text: &'a str, words: &str) -> Option<&'a str> {
    let start = text.get(..words.len())?;
    start.eq_ignore_ascii_case(words).then(|| text.get(words.len()..).unwrap_or(""))
}

/// The head of a message, in `text`: its identifier, prefix and module, which may be left out, and then `words`.
pub(crate) fn head<'a>(text: &'a str, words: &str) -> Option<Head<'a>> {
    let text = text.trim_start();
    let mut rest = text.split_once(char::is_whitespace).map_or("", |(_, rest)| rest).trim_start();
    let mut prefix = None;
    for skipped in 0..3 {
        if let Some(rest) = strip_ignoring_case(rest, words) {
            return Some(Head { prefix, rest });
        }
        let (word, behind) = rest.split_once(char::is_whitespace)?;
        if skipped == 0 {
            prefix = Some(word);
        }
        rest = behind.trim_start();
    }
    None
}

/// The head of the message in `line`.
///
/// # Errors
/// When the message has other words: then it is not what its identifier says.
pub(crate) fn required_head<'a>(line: &Line<'a>, words: &str) -> Result<Head<'a>, ListingError> {
    head(line.text, words).ok_or_else(|| {
        let why = format!("'{words}' is wanted behind the identifier");
        line.error(line.text.trim_start(), "the message does not read", why)
    })
}

/// A message with its further lines as one text.
pub(crate) struct Joined<'a> {
    lines: Vec<Line<'a>>,
    pub(crate) text: String,
}

impl<'a> Joined<'a> {
    fn add(&mut self, line: Line<'a>) {
        for word in line.text.split_whitespace() {
            if !self.text.is_empty() {
                self.text.push(' ');
            }
            self.text.push_str(word);
        }
        self.lines.push(line);
    }

    /// An error of the joined text, at the place of its word in the file.
    fn place(&self, error: ListingError) -> ListingError {
        // Columns of the joined text count from 1, and each word of it stands in one of the lines.
        let offset: usize = self.text.chars().take(error.column.saturating_sub(1)).map(char::len_utf8).sum();
        let before = self.text.get(..offset).unwrap_or("");
        let inside = before.len() - before.rfind(' ').map_or(0, |blank| blank + 1);
        let words =
            self.lines.iter().flat_map(|line| line.text.split_whitespace().map(move |word| (line, word)));
        match words.clone().nth(before.matches(' ').count()).or_else(|| words.last()) {
            Some((line, word)) => line.error(word.get(inside..).unwrap_or(word), error.what, error.why),
            None => error,
        }
    }
}

/// Whether the line can go on with a message of the line before it.
fn may_continue(line: &Line<'_>) -> bool {
    line.continues || (!line.text.trim().is_empty() && id_of(line.text).is_none() && !line.new_page)
}

/// Reads the message at `lines` with `parser`, which is given everything behind `words`; as many lines as it wants are joined. Gives the
/// queue manager too.
pub(crate) fn joined<'a, T>(
    lines: &mut Cursor<'a>,
    words: &'static str,
    parser: impl Fn(&str) -> Parsed<'_, T>,
) -> Result<(Option<QueueManagerName>, T), ListingError> {
    let mut whole_message = Joined { lines: Vec::new(), text: String::new() };
    if let Some(line) = lines.peek() {
        whole_message.add(line);
        lines.advance();
    }
    while let Some(line) = lines.peek().filter(|line| line.continues || starts_with_key(line)) {
        whole_message.add(line);
        lines.advance();
    }
    loop {
        match parse(&whole_message, words, &parser) {
            Ok(found) => return Ok(found),
            Err(error) => {
                let more = lines.peek().filter(may_continue);
                let (Some(line), true) = (more, whole_message.lines.len() < MOST_LINES) else {
                    return Err(error);
                };
                whole_message.add(line);
                lines.advance();
            }
        }
    }
}

/// Whether the line begins with `KEYWORD=` of a message that may go on.
fn starts_with_key(line: &Line<'_>) -> bool {
    let key = line.text.trim_start().split_once('=').map_or("", |(key, _)| key);
    let keys = [
        "DSNAME",
        "STARTRBA",
        "ENDRBA",
        "STARTTIME",
        "ENDTIME",
        "UNIT",
        "COPY1VOL",
        "COPY2VOL",
        "VOLSPAN",
        "CATLG",
    ];
    keys.contains(&key)
}

fn parse<T>(
    message: &Joined<'_>,
    words: &'static str,
    parser: impl Fn(&str) -> Parsed<'_, T>,
) -> Result<(Option<QueueManagerName>, T), ListingError> {
    let line =
        Line { file: "", number: 1, column: 1, text: &message.text, new_page: false, continues: false };
    let found = required_head(&line, words).and_then(|head| {
        let value = whole(&line, head.rest, "the message does not read", &parser)?;
        Ok((named_by(head.prefix), value))
    });
    found.map_err(|error| message.place(error))
}

/// Reads the rows of a report that ends with the line `end`. Lines whose words are all among `headings`, and those without words, are
/// passed over; every other one is given to `row`.
pub(crate) fn table<'a>(
    lines: &mut Cursor<'a>,
    words: &str,
    end: &str,
    headings: &[&str],
    mut row: impl FnMut(&Line<'a>) -> Result<(), ListingError>,
) -> Result<Option<QueueManagerName>, ListingError> {
    let no_lines = || ListingError::new("", 0, 0, "the report does not read", "there are no lines");
    let first = lines.peek().ok_or_else(no_lines)?;
    let head = required_head(&first, words)?;
    // A console's number of the message may follow.
    if !head.rest.trim().trim_start_matches('.').trim().bytes().all(|b| b.is_ascii_digit()) {
        return Err(first.error(head.rest, "the message does not read", "'...' is wanted there"));
    }
    lines.advance();
    while let Some(line) = lines.peek() {
        let text = line.text.trim();
        if text.eq_ignore_ascii_case(end) {
            lines.advance();
            return Ok(named_by(head.prefix));
        }
        if id_of(text).is_some() {
            break;
        }
        lines.advance();
        let heading = text.split_whitespace().all(|word| headings.contains(&word));
        let rule = text.bytes().all(|b| matches!(b, b'-' | b' '));
        if !heading && !rule && !crate::cursor::is_page_heading(text) {
            row(&line)?;
        }
    }
    Err(first
        .error(first.text.trim_start(), "the report has no end", format!("'{end}' is wanted"))
        .hint("bring the whole answer of the command down again"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers() {
        assert!(is_id("CSQI010I") && is_id("CSQ9022I") && is_id("CSQJ111A"));
        for bad in ["CSQI01XI", "CSQI0110I", "CSQI01I", "CSQI010", "DSNJ001I", "CSQI010X"] {
            assert!(!is_id(bad), "{bad}");
        }
        assert!(is_foreign_id("IEF403I") && is_foreign_id("$HASP373") && is_foreign_id("IGD17070I"));
        assert!(!is_foreign_id("CSQI010I") && !is_foreign_id("PAGE") && !is_foreign_id("STC00103"));
        assert_eq!(id_of("*CSQJ111A X"), Some("CSQJ111A"));
    }

    #[test]
    fn prefixes_and_modules_may_be_left_out() {
        let words = "Page set usage";
        for (text, prefix) in [
            ("CSQI010I ZQS2 Page set usage ...", Some("ZQS2")),
            ("CSQI010I ]MQ2 CSQIDUSE PAGE SET USAGE ...", Some("]MQ2")),
            ("CSQI010I Page set usage ...", None),
        ] {
            let head = head(text, words).unwrap();
            assert_eq!((head.prefix, head.rest), (prefix, " ..."), "{text}");
        }
        assert!(head("CSQI010I A B C Page set usage", words).is_none());
        assert_eq!(named_by(Some("]MQ2")).unwrap().as_str(), "MQ2");
        assert_eq!(named_by(Some("CSQIDUSE")), None);
    }
}
