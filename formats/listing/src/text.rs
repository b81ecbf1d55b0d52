//! A listing's file as decoded lines that know where they stand in it.
//!
//! # Purpose
//! What is read from a line must not depend on how the file came down from the host, and what is said about a line must lead back to it.
//!
//! # Validity rule
//! | what is taken off | how it is told |
//! |---|---|
//! | encoding | UTF-8 without control characters; else EBCDIC, see [`Encoding`]; anything else is refused |
//! | ends of lines | LF, CR LF, CR, NEL; a file of 160 bytes or more without any is fixed records of 80, 121, 125 or 133 |
//! | carriage control | column 1, where it can be nothing else; a form feed anywhere |
//! | console prefixes | a time and a job before the message; lines of a message between those of another are moved together |
//! | blanks | at the end of a line |
//!
//! Lengths of records are not guessed at: one length must divide the file, or make every record begin with carriage control where
//! several do.
//!
//! # Non-goals
//! Record descriptor words, compressed files, machine (not ASA) carriage control.

use std::borrow::Cow;

use crate::carriage::controlled;
use crate::console::{has_prefix, unprefixed};
use crate::ebcdic::{CR, Detected, Encoding, LF, NEL, character, detect, first_odd};
use crate::error::ListingError;

/// Lengths of records that listings are kept in: card images, and print files of 120, 124 and 132 columns with carriage control.
const RECORD_LENGTHS: [usize; 4] = [80, 121, 125, 133];

/// What some editors write at the beginning of UTF-8 text.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// What some transfers write at the end of a file.
const END_OF_FILE: &[u8] = b"\x1A";

/// A line of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<'a> {
    /// Name of the file.
    pub file: &'a str,
    /// Number of the line (or record) in the file, from 1.
    pub number: usize,
    /// Column of the text's first character in the file, from 1.
    pub column: usize,
    /// The line without carriage control, console prefix and blanks at its end.
    pub text: &'a str,
    /// A new page begins here.
    pub new_page: bool,
    /// The console's prefix says that the line goes on with the message of the line before it.
    pub continues: bool,
}

impl Line<'_> {
    /// An error at `part`, a piece of this line's text (the line itself if it is none).
    #[must_use]
    pub fn error(&self, part: &str, what: impl Into<String>, why: impl Into<String>) -> ListingError {
        let offset = part.as_ptr().addr().saturating_sub(self.text.as_ptr().addr());
        let before = self.text.get(..offset).map_or(0, |before| before.chars().count());
        ListingError::new(self.file, self.number, self.column + before, what, why)
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Span {
    start: u32,
    end: u32,
    number: u32,
    column: u32,
    new_page: bool,
    continues: bool,
}

/// A file of listings, decoded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Text {
    name: String,
    encoding: Encoding,
    decoded: String,
    spans: Vec<Span>,
}

impl Text {
    /// Decodes the file `name`; the encoding is told from the bytes. Bytes that are given away are not copied where they are UTF-8.
    ///
    /// # Errors
    /// When the encoding or the length of the records can't be told, a console's prefix is damaged, or the file is larger than 2 GiB.
    pub fn decode<'b>(name: &str, bytes: impl Into<Cow<'b, [u8]>>) -> Result<Self, ListingError> {
        let bytes = bytes.into();
        match detect(&bytes) {
            Detected::Is(encoding) => Self::decode_as(name, bytes, encoding),
            Detected::EitherCodePage(at) => {
                let why = format!(
                    "byte {:02X} at offset {at} is '{}' in code page 037 and '{}' in 1047",
                    bytes.get(at).copied().unwrap_or(0),
                    bytes.get(at).map_or(' ', |&byte| character(byte, Encoding::Ebcdic037)),
                    bytes.get(at).map_or(' ', |&byte| character(byte, Encoding::Ebcdic1047)),
                );
                let what = "the EBCDIC code page can't be told";
                Err(ListingError::new(name, 1, 1, what, why).hint("convert the file to UTF-8 on the host"))
            }
            Detected::Unknown(at) => {
                let (line, column) = place_of(&bytes, at);
                let byte = bytes.get(at).copied().unwrap_or(0);
                let why =
                    format!("byte {byte:02X} at offset {at} is not UTF-8 text, and the file is not EBCDIC");
                Err(ListingError::new(name, line, column, "the encoding can't be told", why)
                    .hint("bring the file down as text (ASCII), or in binary from EBCDIC"))
            }
        }
    }

    /// Decodes the file `name` as what its owner says that it is.
    ///
    /// # Errors
    /// When bytes have no meaning in that encoding, when the length of the records can't be told, when a
    /// console's prefix is damaged, or the file is larger than 2 GiB.
    pub fn decode_as<'b>(
        name: &str,
        bytes: impl Into<Cow<'b, [u8]>>,
        encoding: Encoding,
    ) -> Result<Self, ListingError> {
        let bytes = bytes.into();
        if u32::try_from(bytes.len().saturating_mul(2)).is_err() {
            let why = format!("it has {} bytes", bytes.len());
            return Err(ListingError::new(name, 1, 1, "the file is too large", why)
                .hint("take listings of at most 2 GiB"));
        }
        let length = bytes.len();
        let ends: &[u8] = if encoding == Encoding::Utf8 { b"\n\r" } else { &[NEL, LF, CR] };
        let has_ends = bytes.iter().any(|byte| ends.contains(byte));
        let decoded = if encoding == Encoding::Utf8 {
            plain_utf8(bytes).map_err(|(bytes, at)| odd(name, encoding, &bytes, at))?
        } else {
            bytes.iter().map(|&byte| character(byte, encoding)).collect()
        };
        let has_ends = has_ends || decoded.contains('\u{85}');
        let mut text = Self { name: name.to_owned(), encoding, decoded, spans: Vec::new() };
        if has_ends || length < 2 * RECORD_LENGTHS[0] {
            text.split_at_ends();
        } else {
            text.split_records(length)?;
        }
        text.take_off_carriage_control();
        text.take_off_prefixes()?;
        text.trim();
        Ok(text)
    }

    /// The file's name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How its bytes were read.
    #[must_use]
    pub fn encoding(&self) -> Encoding {
        self.encoding
    }

    /// Its lines in the order in which they are read, empty ones too.
    pub fn lines(&self) -> impl ExactSizeIterator<Item = Line<'_>> + DoubleEndedIterator + Clone {
        self.spans.iter().map(|span| self.line_of(span))
    }

    /// Line `index`, from 0.
    #[must_use]
    pub fn line(&self, index: usize) -> Option<Line<'_>> {
        self.spans.get(index).map(|span| self.line_of(span))
    }

    /// What stands in the file before the text of line `index`: carriage control, a console's prefix.
    #[must_use]
    pub(crate) fn prefix(&self, index: usize) -> &str {
        let Some(span) = self.spans.get(index) else {
            return "";
        };
        let before = self.decoded.get(..span.start as usize).unwrap_or("");
        let start = before.char_indices().rev().take(span.column as usize - 1).last().map(|(at, _)| at);
        before.get(start.unwrap_or(before.len())..).unwrap_or("")
    }

    fn line_of(&self, span: &Span) -> Line<'_> {
        Line {
            file: &self.name,
            number: span.number as usize,
            column: span.column as usize,
            text: self.text_of(span),
            new_page: span.new_page,
            continues: span.continues,
        }
    }

    fn text_of(&self, span: &Span) -> &str {
        self.decoded.get(span.start as usize..span.end as usize).unwrap_or("")
    }

    fn texts(&self) -> impl Iterator<Item = &str> + Clone {
        self.spans.iter().map(|span| self.text_of(span))
    }

    /// Splits at ends of lines, and at form feeds, behind which the line's number stays the same.
    fn split_at_ends(&mut self) {
        let mut spans = Vec::new();
        let mut open = Span { start: 0, end: 0, number: 1, column: 1, new_page: false, continues: false };
        let bytes = self.decoded.as_bytes();
        let mut from = 0;
        // A NEL begins with C2, as other characters do; few files have any.
        let rare = memchr::memchr(0xC2, bytes).is_some();
        let wanted = |byte: &u8| matches!(byte, b'\n' | b'\r' | b'\x0C' | 0xC2);
        while let Some(rest) = bytes.get(from..) {
            let found = match rare {
                false => memchr::memchr3(b'\n', b'\r', b'\x0C', rest),
                true => rest.iter().position(wanted),
            };
            let Some(at) = found.map(|at| from + at) else {
                break;
            };
            let length = match bytes.get(at..).unwrap_or(&[]) {
                [b'\r', 0xC2, 0x85, ..] => 3,
                [b'\r', b'\n', ..] | [0xC2, 0x85, ..] => 2,
                [0xC2, ..] => {
                    from = at + 2;
                    continue;
                }
                _ => 1,
            };
            from = at + length;
            if bytes.get(at) == Some(&b'\x0C') {
                if at as u32 > open.start {
                    spans.push(Span { end: at as u32, ..open });
                }
                let before = self.decoded.get(open.start as usize..at).unwrap_or("").chars().count();
                open.column += before as u32 + 1;
                open = Span { start: from as u32, new_page: true, ..open };
            } else {
                spans.push(Span { end: at as u32, ..open });
                open =
                    Span { start: from as u32, number: open.number + 1, column: 1, new_page: false, ..open };
            }
        }
        if (open.start as usize) < self.decoded.len() {
            spans.push(Span { end: self.decoded.len() as u32, ..open });
        }
        self.spans = spans;
    }

    /// Splits a file without ends of lines into records of one length.
    fn split_records(&mut self, bytes: usize) -> Result<(), ListingError> {
        let divisors: Vec<usize> =
            RECORD_LENGTHS.into_iter().filter(|length| bytes.is_multiple_of(*length)).collect();
        let characters: Vec<(usize, char)> = self.decoded.char_indices().collect();
        let controlled = |length: &&usize| {
            characters.iter().step_by(**length).all(|(_, c)| matches!(c, ' ' | '0' | '-' | '1' | '+'))
        };
        let with_control: Vec<&usize> = divisors.iter().filter(controlled).collect();
        let length = match (divisors.as_slice(), with_control.as_slice()) {
            (&[length], _) | (_, &[&length]) if characters.len() == bytes => length,
            _ => {
                let fit = if divisors.is_empty() {
                    format!("no records of {RECORD_LENGTHS:?} bytes fit")
                } else {
                    format!("records of {divisors:?} bytes would fit")
                };
                let why = format!("it has {bytes} bytes, no ends of lines, and {fit}");
                let what = "the length of the records can't be told";
                return Err(ListingError::new(&self.name, 1, 1, what, why)
                    .hint("bring the file down with ends of lines"));
            }
        };
        let offset = |place: usize| characters.get(place).map_or(self.decoded.len(), |(at, _)| *at) as u32;
        self.spans = (0..bytes / length)
            .map(|record| Span {
                start: offset(record * length),
                end: offset((record + 1) * length),
                number: record as u32 + 1,
                column: 1,
                new_page: false,
                continues: false,
            })
            .collect();
        Ok(())
    }

    /// Takes column 1 off where it is carriage control. An overprinted line that only makes the one before it bold, or underlines it,
    /// is left out.
    fn take_off_carriage_control(&mut self) {
        let Some(controlled) = controlled(self.texts()) else {
            return;
        };
        let mut spans: Vec<Span> = Vec::with_capacity(self.spans.len());
        for (span, controlled) in self.spans.iter().zip(controlled) {
            let text = self.text_of(span);
            if !controlled {
                spans.push(*span);
                continue;
            }
            if let Some(rest) = text.strip_prefix('+') {
                let before = spans.last().map_or("", |before| self.text_of(before));
                let underlines = rest.chars().all(|c| c == '_' || c == ' ');
                if underlines || rest.trim_end() == before.trim_end() {
                    continue;
                }
            }
            let new_page = span.new_page || text.starts_with('1');
            spans.push(Span { start: span.start + 1, column: span.column + 1, new_page, ..*span });
        }
        self.spans = spans;
    }

    fn take_off_prefixes(&mut self) -> Result<(), ListingError> {
        if !self.texts().any(has_prefix) {
            return Ok(());
        }
        let texts: Vec<&str> = self.texts().collect();
        let found = unprefixed(&texts).map_err(|place| {
            let why = "it stands between the lines of a message of several lines, and has no number of that message";
            let span = self.spans.get(place);
            let (number, column) = span.map_or((1, 1), |span| (span.number as usize, span.column as usize));
            ListingError::new(&self.name, number, column, "the console's prefix does not read", why)
        })?;
        let Some(found) = found else {
            return Ok(());
        };
        let mut spans: Vec<(usize, Span)> = Vec::with_capacity(self.spans.len());
        for (span, line) in self.spans.iter().zip(found) {
            let before = self.text_of(span).get(..line.start).map_or(0, |before| before.chars().count());
            let moved = Span {
                start: span.start + line.start as u32,
                end: span.start + line.end as u32,
                column: span.column + before as u32,
                continues: line.continues,
                ..*span
            };
            spans.push((line.head, moved));
        }
        spans.sort_by_key(|(head, _)| *head);
        self.spans = spans.into_iter().map(|(_, span)| span).collect();
        Ok(())
    }

    fn trim(&mut self) {
        for span in &mut self.spans {
            let text = self.decoded.get(span.start as usize..span.end as usize).unwrap_or("");
            span.end = span.start + text.trim_end().len() as u32;
        }
    }
}

/// The text of bytes that are UTF-8 and belong into a listing, without the marks at its ends; or the bytes, and where they are not.
fn plain_utf8(bytes: Cow<'_, [u8]>) -> Result<String, (Vec<u8>, usize)> {
    let marked = bytes.starts_with(BYTE_ORDER_MARK) || bytes.ends_with(END_OF_FILE);
    let bytes = if marked {
        let rest = bytes.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&bytes);
        rest.strip_suffix(END_OF_FILE).unwrap_or(rest).to_vec()
    } else {
        bytes.into_owned()
    };
    let text = String::from_utf8(bytes).map_err(|error| {
        let at = error.utf8_error().valid_up_to();
        (error.into_bytes(), at)
    })?;
    match first_odd(&text) {
        Some(at) => Err((text.into_bytes(), at)),
        None => Ok(text),
    }
}

fn odd(name: &str, encoding: Encoding, bytes: &[u8], at: usize) -> ListingError {
    let (line, column) = place_of(bytes, at);
    let why = format!("byte {:02X} has no meaning there", bytes.get(at).copied().unwrap_or(0));
    ListingError::new(name, line, column, format!("the file is not {encoding}"), why)
        .hint("bring the file down as text (ASCII), or in binary from EBCDIC")
}

/// Line and column of the byte at `at`.
fn place_of(bytes: &[u8], at: usize) -> (usize, usize) {
    let before = bytes.get(..at).unwrap_or(bytes);
    let line = before.iter().filter(|byte| **byte == b'\n').count() + 1;
    let column = before.iter().rev().take_while(|byte| **byte != b'\n').count() + 1;
    (line, column)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// EBCDIC written by a table of its own: the letters, digits and marks that the tests need.
    fn ebcdic(text: &str) -> Vec<u8> {
        let byte = |c: char| match c {
            'A'..='I' => 0xC1 + (c as u8 - b'A'),
            'J'..='R' => 0xD1 + (c as u8 - b'J'),
            'S'..='Z' => 0xE2 + (c as u8 - b'S'),
            'a'..='i' => 0x81 + (c as u8 - b'a'),
            'j'..='r' => 0x91 + (c as u8 - b'j'),
            's'..='z' => 0xA2 + (c as u8 - b's'),
            '0'..='9' => 0xF0 + (c as u8 - b'0'),
            '\n' => 0x15,
            ' ' => 0x40,
            '/' => 0x61,
            '-' => 0x60,
            '_' => 0x6D,
            '=' => 0x7E,
            '.' => 0x4B,
            _ => panic!("{c:?}"),
        };
        text.chars().map(byte).collect()
    }

    fn shown(text: &Text) -> Vec<(usize, usize, &str)> {
        text.lines().map(|line| (line.number, line.column, line.text)).collect()
    }

    const PAGE: &str = "1LOG MAP\n0 HIGHEST\n 000000001000 / 000000001FFF\n";

    #[test]
    fn all_encodings_and_ends_give_the_same_lines() {
        let lines = [(1, 2, "LOG MAP"), (2, 2, " HIGHEST"), (3, 2, "000000001000 / 000000001FFF")];
        let dos = PAGE.replace('\n', "\r\n");
        let feed = "\x0CLOG MAP\n HIGHEST\n000000001000 / 000000001FFF";
        let records =
            |length: usize| -> String { PAGE.lines().map(|line| format!("{line:length$}")).collect() };
        for bytes in [
            PAGE.into(),
            dos.into_bytes(),
            ebcdic(PAGE),
            records(80).into_bytes(),
            ebcdic(&records(121)),
            ebcdic(&records(125)),
            ebcdic(&records(133)),
        ] {
            let text = Text::decode("map", &bytes).unwrap();
            assert_eq!(shown(&text), lines);
            assert!(text.line(0).unwrap().new_page && !text.line(1).unwrap().new_page);
        }
        let text = Text::decode("map", feed.as_bytes()).unwrap();
        assert_eq!(
            shown(&text),
            [(1, 2, "LOG MAP"), (2, 1, " HIGHEST"), (3, 1, "000000001000 / 000000001FFF")]
        );
        assert!(text.line(0).unwrap().new_page);
        assert_eq!(Text::decode("map", ebcdic(PAGE)).unwrap().encoding(), Encoding::Ebcdic1047);
    }

    #[test]
    fn lengths_of_records_are_not_guessed_at() {
        let error = Text::decode("m", ebcdic(&" ".repeat(80 * 121))).unwrap_err();
        assert_eq!(error.what, "the length of the records can't be told");
        let error = Text::decode("m", ebcdic(&"A".repeat(200))).unwrap_err();
        assert_eq!(error.what, "the length of the records can't be told");
        let rows: String = (0..121).map(|n| format!("{:80}", format!(" ROW {n}"))).collect();
        let text = Text::decode("m", ebcdic(&rows)).unwrap();
        assert_eq!(text.lines().len(), 121, "121-byte records would not begin with carriage control");
    }

    #[test]
    fn what_is_neither_utf_8_nor_ebcdic_is_refused() {
        let error = Text::decode("x", b"first\nGr\xF6\xDFe 12\n").unwrap_err();
        assert_eq!((error.line, error.column, error.what.as_str()), (2, 3, "the encoding can't be told"));
        assert!(Text::decode_as("x", b"A\0", Encoding::Utf8).is_err());
        let mut both = ebcdic("CSQ LOG MAP ");
        both.extend([0xAD, 0xBA]);
        assert_eq!(Text::decode("x", &both).unwrap_err().what, "the EBCDIC code page can't be told");
        assert_eq!(
            shown(&Text::decode_as("x", &both, Encoding::Ebcdic1047).unwrap())[0].2,
            "CSQ LOG MAP [\u{DD}"
        );
    }

    #[test]
    fn overprinted_lines_are_left_out_only_where_they_say_nothing_new() {
        let text = Text::decode("x", b"1TITLE\n+TITLE\n+_____\n+OTHER\n ROW\n").unwrap();
        assert_eq!(shown(&text), [(1, 2, "TITLE"), (4, 2, "OTHER"), (5, 2, "ROW")]);
    }

    #[test]
    fn a_job_log_loses_its_prefixes() {
        let log = "\
 10.46.37 STC00103  CSQI010I ZQS2 Page set usage ...  105
   105             _  0     0     1078
 10.46.38 STC00103  CSQI024I ZQS2 CSQIDUSE Restart RBA for system as
   105             _  1     0     1078
   999             _  2
";
        let text = Text::decode("log", log.as_bytes()).unwrap();
        let lines = shown(&text);
        assert_eq!(lines[0], (1, 20, "CSQI010I ZQS2 Page set usage ..."));
        assert_eq!((lines[1].0, lines[1].2.trim_start()), (2, "_  0     0     1078"));
        assert_eq!((lines[2].0, lines[2].2.trim_start()), (4, "_  1     0     1078"), "moved to its message");
        assert_eq!((lines[3].0, lines[3].2), (3, "CSQI024I ZQS2 CSQIDUSE Restart RBA for system as"));
        assert_eq!(lines[4].2.trim_start(), "999             _  2", "999 names no message");
        let continues: Vec<bool> = text.lines().map(|line| line.continues).collect();
        assert_eq!(continues, [false, true, true, false, false]);
    }

    #[test]
    fn a_system_log_loses_its_prefixes() {
        let log = "\
M 0000000 SY1      2026330 10:46:37.05 STC00103 00000090  CSQI065I ZQS2 Buffer pool attributes ...  712
D                                         712 00000090  _      0      50000
N 0000000 SY1      2026330 10:46:37.06 STC00103 00000090  CSQI024I ZQS2 CSQIDUSE Restart RBA for system as 712
S                                                         configured=0000008BE034
E                                         712 00000090   End of buffer pool attributes
N 0000000 SY1      26330 10:46:38.06          00000290  IEF403I X - STARTED
";
        let text = Text::decode("log", log.as_bytes()).unwrap();
        let lines: Vec<_> =
            shown(&text).into_iter().map(|(number, _, text)| (number, text.trim_start())).collect();
        assert_eq!(
            lines,
            [
                (1, "CSQI065I ZQS2 Buffer pool attributes ..."),
                (2, "_      0      50000"),
                (5, "End of buffer pool attributes"),
                (3, "CSQI024I ZQS2 CSQIDUSE Restart RBA for system as 712"),
                (4, "configured=0000008BE034"),
                (6, "IEF403I X - STARTED"),
            ]
        );
    }

    #[test]
    fn a_line_points_into_its_file() {
        let text = Text::decode("u", b"2026-11-26 10:46:37 SY1 STC00103 CSQI024I ZQS2 X\n").unwrap();
        let line = text.line(0).unwrap();
        assert_eq!((line.text, line.column), ("CSQI024I ZQS2 X", 34));
        let error = line.error(line.text.split(' ').nth(1).unwrap(), "what", "why");
        assert_eq!((error.file.as_str(), error.line, error.column), ("u", 1, 43));
        let foreign = line.error("ZQS2", "what", "why");
        assert_eq!(foreign.column, 34, "a text from elsewhere stands nowhere in the line");
    }

    proptest::proptest! {
        #[test]
        fn arbitrary_bytes_never_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..400)) {
            for encoding in [Encoding::Utf8, Encoding::Ebcdic037] {
                let _ = Text::decode_as("x", &bytes, encoding);
            }
            if let Ok(text) = Text::decode("x", &bytes) {
                for line in text.lines() {
                    let _ = line.error(line.text, "what", "why");
                }
            }
        }
    }
}
