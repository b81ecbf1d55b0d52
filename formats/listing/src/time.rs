//! Dates and times as listings print them, in UTC.

use format_types::Timestamp;

fn printed(at: Timestamp, format: &str) -> Option<String> {
    let micros = i64::try_from(at.0).ok()?;
    let zoned = jiff::Timestamp::from_microsecond(micros).ok()?.to_zoned(jiff::tz::TimeZone::UTC);
    jiff::fmt::strtime::format(format, &zoned).ok()
}

/// `2019-06-17 12:55:12`.
#[must_use]
pub fn date_and_time(at: Timestamp) -> String {
    printed(at, "%Y-%m-%d %H:%M:%S").unwrap_or_else(|| "0000-00-00 00:00:00".to_owned())
}

/// `2019-06-17`.
#[must_use]
pub fn date(at: Timestamp) -> String {
    printed(at, "%Y-%m-%d").unwrap_or_else(|| "0000-00-00".to_owned())
}

/// `2019.168`: year and day of the year.
#[must_use]
pub fn julian_date(at: Timestamp) -> String {
    printed(at, "%Y.%j").unwrap_or_else(|| "0000.000".to_owned())
}

/// `15:36:44` and `09/01/22`, as a page heading of IDCAMS.
pub(crate) fn heading(at: Timestamp) -> (String, String) {
    let time = printed(at, "%H:%M:%S").unwrap_or_else(|| "00:00:00".to_owned());
    let date = printed(at, "%m/%d/%y").unwrap_or_else(|| "00/00/00".to_owned());
    (time, date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_utc() {
        let at = Timestamp(1_560_776_112_999_999);
        assert_eq!(date_and_time(at), "2019-06-17 12:55:12");
        assert_eq!((date(at), julian_date(at)), ("2019-06-17".to_owned(), "2019.168".to_owned()));
        assert_eq!(heading(at), ("12:55:12".to_owned(), "06/17/19".to_owned()));
        assert_eq!(date_and_time(Timestamp(u64::MAX)), "0000-00-00 00:00:00");
    }
}
