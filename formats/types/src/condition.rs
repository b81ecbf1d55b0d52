//! Condition codes.

use std::fmt;

use serde::Serialize;

/// What a program's exit code says, as IDCAMS and CSQUTIL say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub enum ConditionCode {
    /// 0: done.
    #[default]
    Done,
    /// 4: done, with a warning.
    Warning,
    /// 8: part of it was not done.
    Partial,
    /// 12: nothing was done: bad input, refused, or a usage error.
    Refused,
    /// 16: severe.
    Severe,
}

impl ConditionCode {
    /// The number: 0, 4, 8, 12 or 16.
    #[must_use]
    pub const fn number(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Warning => 4,
            Self::Partial => 8,
            Self::Refused => 12,
            Self::Severe => 16,
        }
    }
}

impl fmt::Display for ConditionCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.number().fmt(f)
    }
}

impl Serialize for ConditionCode {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.number())
    }
}
