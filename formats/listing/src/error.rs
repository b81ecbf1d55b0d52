//! What is wrong with a listing, and where.

/// A listing that does not read. It is shown as `FILE: line L, column C: WHAT: WHY; HINT`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{file}: line {line}, column {column}: {what}: {why}; {hint}")]
pub struct ListingError {
    /// Name of the file, as it was given.
    pub file: String,
    /// Line (or record), from 1.
    pub line: usize,
    /// Column, from 1, counted in the file: carriage control and console prefixes included.
    pub column: usize,
    /// What does not read.
    pub what: String,
    /// Why it does not.
    pub why: String,
    /// What to do next.
    pub hint: String,
}

/// The advice where there is no better one.
const COMPARE: &str = "compare the line with the print on the host and bring the listing down again";

impl ListingError {
    /// An error at `line` and `column` of `file`, with the usual advice.
    #[must_use]
    pub fn new(
        file: &str,
        line: usize,
        column: usize,
        what: impl Into<String>,
        why: impl Into<String>,
    ) -> Self {
        let (what, why) = (what.into(), why.into());
        Self { file: file.to_owned(), line, column, what, why, hint: COMPARE.to_owned() }
    }

    /// The same with better advice.
    #[must_use]
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = hint.into();
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn says_what_where_why_and_what_next() {
        let error =
            ListingError::new("map.txt", 7, 3, "the row does not read", "'G0' is no RBA").hint("look");
        assert_eq!(
            error.to_string(),
            "map.txt: line 7, column 3: the row does not read: 'G0' is no RBA; look"
        );
    }
}
