//! What is wrong with a statement, and where.

/// A statement that was refused: IBM's message and the column.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{id} {text} (column {column})")]
pub struct StatementError {
    id: &'static str,
    text: String,
    column: usize,
}

impl StatementError {
    /// The message identifier.
    #[must_use]
    pub const fn id(&self) -> &'static str {
        self.id
    }

    /// The message without its identifier and the column.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where, 1 for the first character of the statement.
    #[must_use]
    pub const fn column(&self) -> usize {
        self.column
    }

    fn new(id: &'static str, column: usize, text: String) -> Self {
        Self { id, text, column }
    }

    pub(crate) fn repeated(keyword: &str, column: usize) -> Self {
        Self::new("CSQ9000E", column, format!("'{keyword}' appears more than once"))
    }

    pub(crate) fn invalid(keyword: &str, column: usize) -> Self {
        Self::new("CSQ9001E", column, format!("'{keyword}' is invalid"))
    }

    pub(crate) fn unbalanced(keyword: &str, column: usize) -> Self {
        Self::new("CSQ9002E", column, format!("Unbalanced parentheses following '{keyword}'"))
    }

    pub(crate) fn no_value(keyword: &str, column: usize) -> Self {
        Self::new("CSQ9003E", column, format!("'{keyword}' contains no parameters"))
    }

    pub(crate) fn missing(keyword: &str, column: usize) -> Self {
        Self::new("CSQ9009E", column, format!("'{keyword}' not specified"))
    }

    pub(crate) fn surplus_value(keyword: &str, column: usize) -> Self {
        Self::new("CSQ9011E", column, format!("Parameter(s) not allowed for '{keyword}'"))
    }

    pub(crate) fn too_long(value: &str, keyword: &str, column: usize) -> Self {
        Self::new("CSQ9013E", column, format!("'{keyword}' parameter '{value}' is too long"))
    }

    pub(crate) fn unacceptable(value: &str, keyword: &str, wanted: &str, column: usize) -> Self {
        let text = format!("Parameter '{value}' is unacceptable for '{keyword}': {wanted} is wanted");
        Self::new("CSQ9015E", column, text)
    }

    pub(crate) fn unknown_command(command: &str, column: usize) -> Self {
        Self::new("CSQ9019E", column, format!("'{command}' command is invalid"))
    }

    pub(crate) fn conflict(one: &str, other: &str, column: usize) -> Self {
        Self::new("CSQ9020E", column, format!("'{one}' and '{other}' cannot both be specified"))
    }

    pub(crate) fn syntax(keyword: &str, column: usize) -> Self {
        Self::new("CSQ9031E", column, format!("Syntax error following '{keyword}'"))
    }
}
