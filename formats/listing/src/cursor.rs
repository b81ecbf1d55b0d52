//! Going through the lines of a listing, and the lines that every report may hold.

use crate::text::{Line, Text};

/// A place in a text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'a> {
    text: &'a Text,
    at: usize,
}

impl<'a> Cursor<'a> {
    /// The first line of `text`.
    pub(crate) fn new(text: &'a Text) -> Self {
        Self { text, at: 0 }
    }

    /// The line here, without going on.
    pub(crate) fn peek(&self) -> Option<Line<'a>> {
        self.text.line(self.at)
    }

    /// The line before the one here.
    pub(crate) fn behind(&self) -> Option<Line<'a>> {
        self.text.line(self.at.checked_sub(1)?)
    }

    /// The text.
    pub(crate) fn text(&self) -> &'a Text {
        self.text
    }

    /// Number of the line here, from 0.
    pub(crate) fn place(&self) -> usize {
        self.at
    }

    /// Goes to the line `at`.
    pub(crate) fn go_to(&mut self, at: usize) {
        self.at = at;
    }

    /// Goes on behind the line here.
    pub(crate) fn advance(&mut self) {
        self.at += 1;
    }
}

/// Whether the line holds nothing but blanks and the characters of rules.
pub(crate) fn is_rule(text: &str) -> bool {
    text.chars().all(|c| matches!(c, ' ' | '\t' | '-' | '=' | '*' | '_'))
}

/// Whether the line ends with the number of a page: `PAGE 3`, `PAGE: 3`.
pub(crate) fn is_page_heading(text: &str) -> bool {
    let mut words = text.split_whitespace().rev();
    let number = words.next().is_some_and(|word| word.bytes().all(|b| b.is_ascii_digit()));
    number && words.next().is_some_and(|word| word.trim_end_matches(':').eq_ignore_ascii_case("PAGE"))
}

/// Whether all words of the line are among those of column headings.
pub(crate) fn is_column_heading(text: &str, words: &[&str]) -> bool {
    text.split([' ', '/', '-']).filter(|word| !word.is_empty()).all(|word| words.contains(&word))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headings_are_told() {
        assert!(is_rule("-----  ====") && is_rule("") && !is_rule("--- A"));
        assert!(is_page_heading("CSQJU004 LOG MAP  PAGE    12") && is_page_heading("PAGE: 1"));
        assert!(!is_page_heading("PAGE") && !is_page_heading("PAGES 12") && !is_page_heading("PAGE 1A"));
        assert!(is_column_heading(" START RBA/TIME   END", &["START", "RBA", "TIME", "END"]));
        assert!(!is_column_heading("START RBB", &["START", "RBA"]));
    }
}
