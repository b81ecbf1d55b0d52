//! Days and zones. Listings have local times, of a time zone that they do not name; the ledger has moments.

use std::str::FromStr;

use format_types::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::TimeZone;

/// `at` in UTC.
pub(crate) fn utc(at: Timestamp) -> Option<DateTime> {
    let time = jiff::Timestamp::from_microsecond(i64::try_from(at.0).ok()?).ok()?;
    Some(time.to_zoned(TimeZone::UTC).datetime())
}

/// The day of `at`, in UTC: that of a listing of the same moment may be the one before or after.
pub(crate) fn day(at: Timestamp) -> Option<Date> {
    Some(utc(at)?.date())
}

/// Seconds that a zone is from UTC at most.
pub(crate) const FURTHEST: i64 = 14 * 60 * 60;

/// The time zone that listings were printed in: `Europe/Berlin`, `+01:00`, `UTC`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl FromStr for Zone {
    type Err = String;

    /// # Errors
    /// When there is no such zone.
    fn from_str(text: &str) -> Result<Self, String> {
        // A POSIX zone, `CET+1`, would be behind UTC: the sign says the opposite there.
        let zone = match text.starts_with(['+', '-']) {
            true => DateTimeParser::new().parse_time_zone(text),
            false => TimeZone::get(text),
        };
        let wrong = |why: &dyn std::fmt::Display| {
            format!("'{text}' is no time zone: +01:00, UTC or a name like Europe/Berlin is wanted: {why}")
        };
        let zone = zone.map_err(|error| wrong(&error))?;
        match zone.to_fixed_offset() {
            Ok(offset) if i64::from(offset.seconds()).abs() > FURTHEST => {
                Err(wrong(&"no zone is more than 14 hours from UTC"))
            }
            _ => Ok(Self(zone)),
        }
    }
}

impl Zone {
    /// The moment when it is `local` there.
    pub(crate) fn timestamp(&self, local: DateTime) -> Option<Timestamp> {
        let at = self.0.to_timestamp(local).ok()?.as_microsecond();
        u64::try_from(at).ok().map(Timestamp)
    }

    /// How far it is ahead of UTC when it is `local` there, in seconds.
    pub(crate) fn seconds_ahead(&self, local: DateTime) -> Option<i64> {
        let at = self.0.to_timestamp(local).ok()?;
        Some(i64::from(self.0.to_offset(at).seconds()))
    }
}
