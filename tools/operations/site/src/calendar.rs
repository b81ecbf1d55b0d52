//! Days. Listings have local ones, of a time zone that they do not name; the ledger has moments.

use format_types::Timestamp;
use jiff::civil::Date;

/// The day of `at`, in UTC: that of a listing of the same moment may be the one before or after.
pub(crate) fn day(at: Timestamp) -> Option<Date> {
    let time = jiff::Timestamp::from_microsecond(i64::try_from(at.0).ok()?).ok()?;
    Some(time.to_zoned(jiff::tz::TimeZone::UTC).date())
}
