//! How documents are laid out: a field a line, and in lists an entry a line, so that plans can be read and compared.

use std::io::{self, BufWriter, Write};

use serde::Serialize;
use serde_json::ser::Formatter;

/// Depth down to which every value has its own line.
const LINES: usize = 2;

#[derive(Default)]
struct OneALine {
    depth: usize,
    empty: bool,
}

impl OneALine {
    fn begin<W: Write + ?Sized>(&mut self, to: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth += 1;
        self.empty = true;
        to.write_all(bracket)
    }

    fn end<W: Write + ?Sized>(&mut self, to: &mut W, bracket: &[u8]) -> io::Result<()> {
        self.depth -= 1;
        if self.depth < LINES && !self.empty {
            self.line(to)?;
        }
        self.empty = false;
        to.write_all(bracket)
    }

    fn line<W: Write + ?Sized>(&self, to: &mut W) -> io::Result<()> {
        to.write_all(b"\n")?;
        (0..self.depth).try_for_each(|_| to.write_all(b"  "))
    }

    fn next<W: Write + ?Sized>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        self.empty = false;
        match (first, self.depth <= LINES) {
            (true, true) => self.line(to),
            (true, false) => Ok(()),
            (false, true) => to.write_all(b",").and_then(|()| self.line(to)),
            (false, false) => to.write_all(b", "),
        }
    }
}

impl Formatter for OneALine {
    fn begin_array<W: Write + ?Sized>(&mut self, to: &mut W) -> io::Result<()> {
        self.begin(to, b"[")
    }

    fn end_array<W: Write + ?Sized>(&mut self, to: &mut W) -> io::Result<()> {
        self.end(to, b"]")
    }

    fn begin_array_value<W: Write + ?Sized>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        self.next(to, first)
    }

    fn begin_object<W: Write + ?Sized>(&mut self, to: &mut W) -> io::Result<()> {
        self.begin(to, b"{")
    }

    fn end_object<W: Write + ?Sized>(&mut self, to: &mut W) -> io::Result<()> {
        self.end(to, b"}")
    }

    fn begin_object_key<W: Write + ?Sized>(&mut self, to: &mut W, first: bool) -> io::Result<()> {
        self.next(to, first)
    }

    fn begin_object_value<W: Write + ?Sized>(&mut self, to: &mut W) -> io::Result<()> {
        to.write_all(b": ")
    }

    fn end_array_value<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.empty = false;
        Ok(())
    }

    fn end_object_value<W: Write + ?Sized>(&mut self, _: &mut W) -> io::Result<()> {
        self.empty = false;
        Ok(())
    }
}

/// Writes a document and a line end.
///
/// # Errors
/// Those of `to`.
pub fn write(to: &mut dyn Write, document: &impl Serialize) -> io::Result<()> {
    let mut to = BufWriter::with_capacity(1 << 16, to);
    document.serialize(&mut serde_json::Serializer::with_formatter(&mut to, OneALine::default()))?;
    to.write_all(b"\n")?;
    to.flush()
}

/// Entries of a list of a document, each on its line, without the line end before the first and the comma behind the last.
pub(crate) fn entries<T: Serialize>(entries: &[T]) -> serde_json::Result<Vec<u8>> {
    let mut text = Vec::new();
    for (number, entry) in entries.iter().enumerate() {
        if number > 0 {
            text.extend_from_slice(b",\n");
        }
        text.extend_from_slice(b"    ");
        let inside = OneALine { depth: LINES, empty: false };
        entry.serialize(&mut serde_json::Serializer::with_formatter(&mut text, inside))?;
    }
    Ok(text)
}

/// A value as it stands inside the line of an entry.
pub(crate) fn in_a_line(value: &impl Serialize) -> serde_json::Result<String> {
    let mut text = Vec::new();
    let inside = OneALine { depth: LINES + 1, empty: false };
    value.serialize(&mut serde_json::Serializer::with_formatter(&mut text, inside))?;
    String::from_utf8(text).map_err(serde::ser::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_of_a_line_stands_alone_as_it_does_there() {
        let value = serde_json::json!([{"a": [1, {}], "b": []}, {"c": {"d": "e"}}]);
        let mut text = Vec::new();
        write(&mut text, &serde_json::json!([{"entry": value}])).unwrap();
        let wanted = format!("[\n  {{\n    \"entry\": {}\n  }}\n]\n", in_a_line(&value).unwrap());
        assert_eq!(String::from_utf8(text).unwrap(), wanted);
    }

    #[test]
    fn an_entry_has_a_line() {
        let document = serde_json::json!({"a": [{"b": [1, 2], "c": {}}, {"b": []}], "d": [], "e": 1});
        let mut text = Vec::new();
        write(&mut text, &document).unwrap();
        let wanted = "{\n  \"a\": [\n    {\"b\": [1, 2], \"c\": {}},\n    {\"b\": []}\n  ],\n  \"d\": [],\n  \"e\": 1\n}\n";
        assert_eq!(String::from_utf8(text).unwrap(), wanted);
    }
}
