//! How recovery points are made and what is known of them.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// How a recovery point was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PointMethod {
    /// While the queue manager ran, or over unresolved in-doubt units: the log brings it to one moment.
    Fuzzy,
    /// After a clean stop with nothing in doubt.
    Full,
}

impl fmt::Display for PointMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Fuzzy => "fuzzy",
            Self::Full => "full",
        })
    }
}

impl FromStr for PointMethod {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "fuzzy" => Ok(Self::Fuzzy),
            "full" => Ok(Self::Full),
            _ => Err(format!("'{text}' is not a method: fuzzy or full is wanted")),
        }
    }
}

/// What is known of a recovery point's copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PointState {
    /// Every page of every copy verified.
    Verified,
    /// The pages were not looked at.
    Unverified,
    /// At least one page never verified: the point counts for nothing.
    Damaged,
}

impl fmt::Display for PointState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::Verified => "verified",
            Self::Unverified => "unverified",
            Self::Damaged => "damaged",
        })
    }
}
