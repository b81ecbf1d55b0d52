//! Why a program did not do what it was asked.

use std::fmt;

use format_types::ConditionCode;
use serde::Serialize;

/// The end of a program that did not do what it was asked: a message with its identifier, and what to do next.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Failure {
    /// The condition code.
    #[serde(rename = "condition_code")]
    pub code: ConditionCode,
    /// Message identifier: IBM's where it is the same message, else `HWTnnnX`.
    pub id: String,
    /// What, where and why.
    pub text: String,
    /// What to do next.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub hint: Option<String>,
}

impl Failure {
    /// A failure with any condition code.
    #[must_use]
    pub fn new(code: ConditionCode, id: impl Into<String>, text: impl fmt::Display) -> Self {
        let id = id.into();
        // Errors of libraries carry their identifier in their text; it is printed once.
        let text = text.to_string();
        let text = text.strip_prefix(&id).map_or(text.clone(), |rest| rest.trim_start().to_owned());
        Self { code, id, text, hint: None }
    }

    /// Condition code 12: nothing was done.
    #[must_use]
    pub fn refused(id: impl Into<String>, text: impl fmt::Display) -> Self {
        Self::new(ConditionCode::Refused, id, text)
    }

    /// Condition code 12 with the text of an error that starts with its own identifier; `HWT709E` where it has none.
    #[must_use]
    pub fn of(error: impl fmt::Display) -> Self {
        let text = error.to_string();
        let id = text.split_whitespace().next().filter(|word| is_message_id(word)).unwrap_or("HWT709E");
        Self::refused(id.to_owned(), &text)
    }

    /// The same with another condition code.
    #[must_use]
    pub fn with_code(mut self, code: ConditionCode) -> Self {
        self.code = code;
        self
    }

    /// The same with what to do next.
    #[must_use]
    pub fn hint(mut self, hint: impl fmt::Display) -> Self {
        self.hint = Some(hint.to_string());
        self
    }
}

/// Three or four capital letters, digits, a severity letter.
fn is_message_id(word: &str) -> bool {
    let letters = word.bytes().take_while(u8::is_ascii_uppercase).count();
    let rest = word.get(letters..).unwrap_or("");
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    let severity = rest.get(digits..).unwrap_or("");
    (3..=4).contains(&letters) && digits >= 3 && matches!(severity, "I" | "W" | "E" | "S" | "A" | "D")
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.id, self.text)?;
        match &self.hint {
            Some(hint) => write!(f, "\n  {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}

impl From<anyhow::Error> for Failure {
    /// Keeps a failure that was wrapped; else condition code 12 with the whole chain of reasons.
    fn from(error: anyhow::Error) -> Self {
        error.downcast::<Self>().unwrap_or_else(|error| Self::of(format!("{error:#}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_identifier_is_printed_once() {
        let failure = Failure::refused("HWT701E", "HWT701E no such thing").hint("look there");
        assert_eq!(failure.to_string(), "HWT701E no such thing\n  look there");
        assert_eq!(Failure::of("CSQI053E page set 01 is ahead").id, "CSQI053E");
        assert_eq!(Failure::of("HWT203E bad").text, "bad");
        assert_eq!(Failure::of("No such file").to_string(), "HWT709E No such file");
    }

    #[test]
    fn a_wrapped_failure_is_kept() {
        let failure = Failure::new(ConditionCode::Partial, "HWT710E", "x");
        assert_eq!(Failure::from(anyhow::Error::from(failure.clone())), failure);
        let io = anyhow::Error::from(std::io::Error::other("disk")).context("QM1");
        assert_eq!(Failure::from(io).to_string(), "HWT709E QM1: disk");
    }
}
