//! Options that every program has.

use std::time::Duration;

use clap::{Args, ValueEnum};
use format_types::ConditionCode;

use crate::parse_duration;

/// Options of every program.
#[derive(Debug, Clone, Args)]
pub struct Common {
    /// Print one JSON document (one a line for streams) instead of text
    #[arg(long, global = true, help_heading = "Common options")]
    pub json: bool,

    /// Exit with 0 when the condition code is below this one
    #[arg(long, global = true, value_name = "CODE", help_heading = "Common options")]
    pub fail_on: Option<FailOn>,

    /// How long to wait for an answer of the queue manager: 500ms, 30s, 5m
    #[arg(long, global = true, value_name = "TIME", default_value = "30s", value_parser = parse_duration,
          help_heading = "Common options")]
    pub timeout: Duration,
}

/// Lowest condition code that counts as a failure for `--fail-on`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum FailOn {
    /// Warnings fail.
    #[value(name = "4")]
    Warning,
    /// What was not done fails.
    #[value(name = "8")]
    Partial,
    /// Only what was not done at all fails.
    #[value(name = "12")]
    Refused,
}

impl FailOn {
    /// The lowest condition code that is kept.
    #[must_use]
    pub const fn lowest(self) -> ConditionCode {
        match self {
            Self::Warning => ConditionCode::Warning,
            Self::Partial => ConditionCode::Partial,
            Self::Refused => ConditionCode::Refused,
        }
    }
}

/// Arguments of a program, with the common ones among them.
pub trait HasCommon {
    /// The common options.
    fn common(&self) -> &Common;
}
