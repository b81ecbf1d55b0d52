//! Log addresses.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::CI_SIZE;

/// Relative byte address: the offset of a byte in the recovery log.
///
/// Printed as sixteen upper-case hexadecimal digits; twelve-digit (6-byte) RBAs are read too, as `CSQJU004` of older releases
/// prints them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Rba(pub u64);

impl Rba {
    /// The first byte of the log.
    pub const ZERO: Self = Self(0);
    /// Higher than any byte of a log.
    pub const MAX: Self = Self(u64::MAX);

    /// The address `bytes` further on; saturates at the end of the RBA range.
    #[must_use]
    pub const fn plus(self, bytes: u64) -> Self {
        Self(self.0.saturating_add(bytes))
    }

    /// The address `bytes` further back; saturates at zero.
    #[must_use]
    pub const fn minus(self, bytes: u64) -> Self {
        Self(self.0.saturating_sub(bytes))
    }

    /// Bytes from `earlier` to this address; zero when `earlier` is not earlier.
    #[must_use]
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }

    /// The start of the control interval that holds this address.
    #[must_use]
    pub const fn ci_start(self) -> Self {
        Self(self.0 & !(CI_SIZE as u64 - 1))
    }

    /// The first control-interval boundary at or above this address.
    #[must_use]
    pub const fn ci_ceiling(self) -> Self {
        Self(self.0.saturating_add(CI_SIZE as u64 - 1) & !(CI_SIZE as u64 - 1))
    }

    /// Offset inside its control interval, 0 to 4095.
    #[must_use]
    pub const fn ci_offset(self) -> usize {
        (self.0 & (CI_SIZE as u64 - 1)) as usize
    }
}

impl fmt::Display for Rba {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}", self.0)
    }
}

/// Text that is not an RBA.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is not an RBA: 1 to 16 hexadecimal digits are wanted, optionally as X'..'")]
pub struct ParseRbaError(String);

impl FromStr for Rba {
    type Err = ParseRbaError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let digits = text
            .strip_prefix("X'")
            .or_else(|| text.strip_prefix("x'"))
            .and_then(|rest| rest.strip_suffix('\''))
            .unwrap_or(text);
        let plain = !digits.is_empty() && digits.len() <= 16 && digits.bytes().all(|b| b.is_ascii_hexdigit());
        if !plain {
            return Err(ParseRbaError(text.to_owned()));
        }
        u64::from_str_radix(digits, 16).map(Self).map_err(|_| ParseRbaError(text.to_owned()))
    }
}

impl Serialize for Rba {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Rba {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if text.len() != 16 {
            return Err(serde::de::Error::custom(format!("RBA '{text}' must have 16 hexadecimal digits")));
        }
        text.parse().map_err(serde::de::Error::custom)
    }
}

/// A stretch of log, `start` inclusive, `end` exclusive.
///
/// Printed as IBM prints ranges: `STARTRBA` and `ENDRBA` both inclusive.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct RbaRange {
    /// First byte.
    pub start: Rba,
    /// One past the last byte.
    pub end: Rba,
}

impl RbaRange {
    /// The range from `start` to just before `end`.
    #[must_use]
    pub const fn new(start: Rba, end: Rba) -> Self {
        Self { start, end }
    }

    /// Whether the range holds no byte.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.end <= self.start
    }

    /// Bytes in the range.
    #[must_use]
    pub const fn len(&self) -> u64 {
        self.end.since(self.start)
    }

    /// Whether `rba` lies in the range.
    #[must_use]
    pub fn contains(&self, rba: Rba) -> bool {
        self.start <= rba && rba < self.end
    }

    /// Whether the two ranges share a byte.
    #[must_use]
    pub fn meets(&self, other: &Self) -> bool {
        self.start.max(other.start) < self.end.min(other.end)
    }

    /// The last byte of the range, as IBM's `ENDRBA`.
    #[must_use]
    pub const fn last(&self) -> Rba {
        self.end.minus(1)
    }
}

impl fmt::Display for RbaRange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}..{}", self.start, self.last())
    }
}

/// Unit of recovery identifier: the RBA of the unit's first log record. Zero means "no unit of recovery".
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Urid(pub Rba);

impl Urid {
    /// Records that belong to no unit of recovery carry this.
    pub const NONE: Self = Self(Rba::ZERO);

    /// Whether this names a unit at all.
    #[must_use]
    pub fn is_some(self) -> bool {
        self != Self::NONE
    }
}

impl fmt::Display for Urid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_both_widths_and_prints_sixteen_digits() {
        for text in ["8BE034", "0000008BE034", "00000000008BE034", "X'8be034'"] {
            assert_eq!(text.parse::<Rba>().unwrap().to_string(), "00000000008BE034");
        }
        for text in ["", "X''", "12345678901234567", "G0", "+1", " 1", "0x10"] {
            assert!(text.parse::<Rba>().is_err(), "{text:?} was read as an RBA");
        }
    }

    #[test]
    fn ranges_are_half_open_in_code_and_inclusive_in_print() {
        let range = RbaRange::new(Rba(0x1000), Rba(0x3000));
        assert_eq!(range.to_string(), "0000000000001000..0000000000002FFF");
        assert!(range.contains(Rba(0x2FFF)) && !range.contains(Rba(0x3000)));
        assert!(!range.meets(&RbaRange::new(Rba(0x3000), Rba(0x4000))));
        assert!(range.meets(&RbaRange::new(Rba(0x2FFF), Rba(0x4000))));
        assert!(!range.meets(&RbaRange::new(Rba(0x2000), Rba(0x2000))));
    }

    #[test]
    fn control_interval_arithmetic() {
        assert_eq!(Rba(0x1FFF).ci_start(), Rba(0x1000));
        assert_eq!(Rba(0x1FFF).ci_ceiling(), Rba(0x2000));
        assert_eq!(Rba(0x2000).ci_ceiling(), Rba(0x2000));
        assert_eq!(Rba(0x1FFF).ci_offset(), 0xFFF);
    }
}
