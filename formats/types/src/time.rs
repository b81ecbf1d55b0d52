//! Times as the field keeps them.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Microseconds since 1970-01-01 00:00:00 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(pub u64);

/// Microseconds from 1900-01-01 to 1970-01-01 UTC.
const EPOCH_1900_MICROS: u64 = 2_208_988_800_000_000;

impl Timestamp {
    /// The store-clock value (STCK) of this time: bit 51 ticks once a microsecond since 1900-01-01 UTC ("z/Architecture
    /// Principles of Operation", Time-of-Day Clock).
    #[must_use]
    pub const fn store_clock(self) -> u64 {
        self.0.saturating_add(EPOCH_1900_MICROS) << 12
    }

    /// The time of a store-clock value; times before 1970 become the epoch.
    #[must_use]
    pub const fn from_store_clock(stck: u64) -> Self {
        Self((stck >> 12).saturating_sub(EPOCH_1900_MICROS))
    }
}

/// Log record sequence number: leading bytes of a store clock, unique and rising. A point in time, never an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Lrsn(pub u64);

impl Lrsn {
    /// The next LRSN after `self` at time `now`: the clock's, or one more than the last where the clock tied or stepped back.
    #[must_use]
    pub fn next(self, now: Timestamp) -> Self {
        Self(now.store_clock().max(self.0.saturating_add(1)))
    }

    /// The time this LRSN was taken from.
    #[must_use]
    pub const fn timestamp(self) -> Timestamp {
        Timestamp::from_store_clock(self.0)
    }
}

impl fmt::Display for Lrsn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}", self.0)
    }
}

impl Serialize for Lrsn {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Lrsn {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16).map(Self).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn store_clock_of_a_real_log_record() {
        // LRSN D5E00D666DAA was printed by CSQ1LOGP for 2019-03-25 19:53:07.314336 UTC.
        let time = Timestamp(1_553_543_587_314_336);
        assert_eq!(time.store_clock() >> 16, 0xD5E0_0D66_6DAA);
        assert_eq!(Timestamp::from_store_clock(time.store_clock()), time);
    }

    #[test]
    fn lrsn_rises_when_the_clock_steps_back() {
        let first = Lrsn::default().next(Timestamp(1_000_000));
        let second = first.next(Timestamp(5));
        assert!(second > first);
    }
}
