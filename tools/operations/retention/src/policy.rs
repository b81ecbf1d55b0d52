//! Policies: which recovery points are kept, and how much more log than they need.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Deserializer};

use crate::needs::RESTART_CHECKPOINTS;

/// A span of time as people type it: `90m`, `36h`, `7d`, `2w`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// Its length in microseconds.
    pub micros: u64,
}

const UNITS: [(&str, u64); 5] = [("w", 604_800), ("d", 86_400), ("h", 3_600), ("m", 60), ("s", 1)];
const SECOND: u64 = 1_000_000;

impl Span {
    /// A span of `seconds`.
    #[must_use]
    pub const fn seconds(seconds: u64) -> Self {
        Self { micros: seconds.saturating_mul(SECOND) }
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let digits = text.bytes().take_while(u8::is_ascii_digit).count();
        let (number, unit) = text.split_at(digits);
        let factor = UNITS.iter().find(|(name, _)| *name == unit).map(|(_, seconds)| *seconds);
        let seconds = number.parse::<u64>().ok().zip(factor).and_then(|(n, f)| n.checked_mul(f));
        let micros = seconds.and_then(|seconds| seconds.checked_mul(SECOND)).filter(|micros| *micros > 0);
        micros
            .map(|micros| Self { micros })
            .ok_or_else(|| format!("'{text}' is no span of time: 90m, 36h, 7d or 2w is wanted"))
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let seconds = self.micros / SECOND;
        let (unit, size) =
            UNITS.into_iter().skip(1).find(|(_, size)| seconds.is_multiple_of(*size)).unwrap_or(("s", 1));
        write!(f, "{}{unit}", seconds / size)
    }
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        String::deserialize(from)?.parse().map_err(serde::de::Error::custom)
    }
}

/// A policy. Points are kept when any part of it keeps them; without any part nothing is deleted, and with none that chooses points all
/// of them are kept.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Policy {
    /// The last verified points, counted for each page set.
    pub keep_last: Option<u32>,
    /// Points younger than this.
    pub newer_than: Option<Span>,
    /// The newest verified point of each of so many days.
    pub daily: Option<u32>,
    /// Of each of so many weeks.
    pub weekly: Option<u32>,
    /// Of each of so many months.
    pub monthly: Option<u32>,
    /// Of each of so many years.
    pub yearly: Option<u32>,
    /// Recovery to any moment of the time before now.
    pub window: Option<Span>,
    /// Points beyond the window recover to the end of their copies only.
    pub consistent_only: bool,
    /// The newest archives of each copy, needed or not.
    pub min_archives: Option<u32>,
    /// Log from so many complete checkpoints before what is needed; 0 is no margin.
    pub margin: Option<u32>,
    /// Back to the newest verified full point.
    pub back_to_full: bool,
    /// Copy 2 holds no log for points where copy 1 is verified.
    pub copy2_shorter: bool,
    /// Above this percentage of the archives nothing is deleted.
    pub max_delete: Option<u8>,
    /// The time that a restart with recovery may take; warns of a backup that is overdue.
    pub restart_within: Option<Span>,
}

/// Why a policy cannot be followed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// A count of nothing.
    #[error("--{0} 0 would keep nothing: 1 or more is wanted")]
    Zero(&'static str),
    /// Points are beyond a window only when there is one.
    #[error("--consistent-only says what becomes of points beyond the window: give a --window too")]
    NoWindow,
    /// A line that says nothing of a policy.
    #[error("'{0}' is no part of a policy")]
    Line(String),
    /// More than all.
    #[error("--max-delete {0} is no percentage: 0 to 100 is wanted")]
    Percentage(u8),
}

impl Policy {
    /// Percentage of the archives above which nothing is deleted, unless said.
    pub const MAX_DELETE: u8 = 50;

    /// Whether nothing of it says what is kept: then nothing is deleted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let quiet =
            Self { max_delete: self.max_delete, restart_within: self.restart_within, ..Self::default() };
        *self == quiet
    }

    /// Whether a part of it chooses points; else all are kept.
    #[must_use]
    pub fn chooses_points(&self) -> bool {
        self.counts().iter().any(|(_, count)| count.is_some())
            || self.newer_than.is_some()
            || self.window.is_some()
            || self.back_to_full
    }

    fn counts(&self) -> [(&'static str, Option<u32>); 5] {
        [
            ("keep-last", self.keep_last),
            ("daily", self.daily),
            ("weekly", self.weekly),
            ("monthly", self.monthly),
            ("yearly", self.yearly),
        ]
    }

    /// Whether it can be followed.
    ///
    /// # Errors
    /// Names the option that makes no sense.
    pub fn check(&self) -> Result<(), PolicyError> {
        let extra = [("min-archives", self.min_archives)];
        for (name, count) in self.counts().into_iter().chain(extra) {
            if count == Some(0) {
                return Err(PolicyError::Zero(name));
            }
        }
        if self.consistent_only && self.window.is_none() {
            return Err(PolicyError::NoWindow);
        }
        match self.max_delete {
            Some(percent) if percent > 100 => Err(PolicyError::Percentage(percent)),
            _ => Ok(()),
        }
    }

    /// The parts of it that decide, as options.
    #[must_use]
    pub fn lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        let mut counted = |name: &str, count: Option<u32>| {
            lines.extend(count.map(|count| format!("--{name} {count}")));
        };
        counted("keep-last", self.keep_last);
        for (name, count) in self.counts().into_iter().skip(1) {
            counted(name, count);
        }
        counted("min-archives", self.min_archives);
        counted("margin", self.margin);
        let spans = [("newer-than", self.newer_than), ("window", self.window)];
        lines.extend(spans.into_iter().filter_map(|(name, span)| Some(format!("--{name} {}", span?))));
        let flags = [
            ("consistent-only", self.consistent_only),
            ("back-to-full", self.back_to_full),
            ("copy2-shorter", self.copy2_shorter),
        ];
        lines.extend(flags.into_iter().filter(|(_, on)| *on).map(|(name, _)| format!("--{name}")));
        lines
    }

    /// The policy that says these lines, as [`Self::lines`] gives them and plans have them.
    ///
    /// # Errors
    /// Names the line that is none of a policy.
    pub fn from_lines(lines: &[String]) -> Result<Self, PolicyError> {
        let mut policy = Self::default();
        for line in lines {
            let wrong = || PolicyError::Line(line.clone());
            let (name, value) = line.split_once(' ').unwrap_or((line, ""));
            let count = || value.parse::<u32>().map(Some).map_err(|_| wrong());
            let span = || value.parse::<Span>().map(Some).map_err(|_| wrong());
            match name {
                "--keep-last" => policy.keep_last = count()?,
                "--daily" => policy.daily = count()?,
                "--weekly" => policy.weekly = count()?,
                "--monthly" => policy.monthly = count()?,
                "--yearly" => policy.yearly = count()?,
                "--min-archives" => policy.min_archives = count()?,
                "--margin" => policy.margin = count()?,
                "--newer-than" => policy.newer_than = span()?,
                "--window" => policy.window = span()?,
                "--consistent-only" if value.is_empty() => policy.consistent_only = true,
                "--back-to-full" if value.is_empty() => policy.back_to_full = true,
                "--copy2-shorter" if value.is_empty() => policy.copy2_shorter = true,
                _ => return Err(wrong()),
            }
        }
        policy.check()?;
        Ok(policy)
    }

    /// The checkpoints of the margin, when there is one.
    #[must_use]
    pub fn margin(&self) -> Option<u32> {
        self.margin.filter(|count| *count > 0)
    }

    /// Complete checkpoints that must be known before a place for its needs to be: those of the margin, and those of a restart.
    #[must_use]
    pub fn checkpoints(&self) -> u32 {
        self.margin().unwrap_or(0).max(RESTART_CHECKPOINTS)
    }

    /// Percentage of the archives above which nothing is deleted.
    #[must_use]
    pub fn max_delete_percent(&self) -> u8 {
        self.max_delete.unwrap_or(Self::MAX_DELETE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_read_back() {
        for text in ["90m", "36h", "7d", "45s"] {
            assert_eq!(text.parse::<Span>().unwrap().to_string(), text);
        }
        assert_eq!("2w".parse::<Span>().unwrap().to_string(), "14d");
        for text in ["", "7", "d", "0d", "-1d", "7 d", "7y", "99999999999999999999d", "99999999999999999w"] {
            assert!(text.parse::<Span>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn lines_read_back() {
        let policy = Policy {
            keep_last: Some(2),
            newer_than: Some(Span::seconds(3600)),
            daily: Some(7),
            weekly: Some(4),
            monthly: Some(12),
            yearly: Some(1),
            window: Some(Span::seconds(14 * 86_400)),
            consistent_only: true,
            min_archives: Some(5),
            margin: Some(3),
            back_to_full: true,
            copy2_shorter: true,
            ..Policy::default()
        };
        assert_eq!(Policy::from_lines(&policy.lines()), Ok(policy));
        for bad in
            ["--keep-last", "--keep-last x", "--keep-last 0", "--back-to-full 1", "--frob 2", "keep-last 2"]
        {
            assert!(Policy::from_lines(&[bad.to_owned()]).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let zero = Policy { daily: Some(0), ..Policy::default() };
        assert_eq!(zero.check(), Err(PolicyError::Zero("daily")));
        let no_window = Policy { consistent_only: true, ..Policy::default() };
        assert_eq!(no_window.check(), Err(PolicyError::NoWindow));
        let percent = Policy { max_delete: Some(101), ..Policy::default() };
        assert!(percent.check().is_err() && percent.is_empty());
        assert!(!no_window.is_empty() && !no_window.chooses_points());
    }
}
