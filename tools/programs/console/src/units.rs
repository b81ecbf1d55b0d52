//! Sizes, rates, durations and times as people write and read them.

use std::fmt;
use std::str::FromStr;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use format_types::Timestamp;

/// A number of bytes as typed: `4096`, `16MiB`, `1G`, `10MB`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Bytes(pub u64);

impl FromStr for Bytes {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        parse_size(text).map(Self)
    }
}

impl fmt::Display for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&format_size(self.0))
    }
}

fn split_unit(text: &str) -> (&str, &str) {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    text.split_at(digits)
}

/// Bytes in `4096`, `4KiB`, `16MiB`, `1GiB`, `1TiB` (`K`, `M`, `G`, `T` are the same), `10kB`, `10MB`, `10GB` (decimal).
///
/// # Errors
/// A text that says what is wanted.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let (digits, unit) = split_unit(text);
    let factor: Option<u64> = match unit.to_ascii_lowercase().as_str() {
        "" | "b" => Some(1),
        "k" | "kib" => Some(1 << 10),
        "m" | "mib" => Some(1 << 20),
        "g" | "gib" => Some(1 << 30),
        "t" | "tib" => Some(1 << 40),
        "kb" => Some(1_000),
        "mb" => Some(1_000_000),
        "gb" => Some(1_000_000_000),
        _ => None,
    };
    let number: Option<u64> = digits.parse().ok();
    number
        .zip(factor)
        .and_then(|(number, factor)| number.checked_mul(factor))
        .ok_or_else(|| format!("'{text}' is no size: 4096, 64KiB, 16MiB or 1GiB is wanted"))
}

/// A duration in `500ms`, `30s`, `5m`, `1h`; seconds without a unit.
///
/// # Errors
/// A text that says what is wanted.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let (digits, unit) = split_unit(text);
    let millis: Option<u64> = match unit {
        "ms" => Some(1),
        "" | "s" => Some(1_000),
        "m" => Some(60_000),
        "h" => Some(3_600_000),
        _ => None,
    };
    let number: Option<u64> = digits.parse().ok();
    number
        .zip(millis)
        .and_then(|(number, millis)| number.checked_mul(millis))
        .map(Duration::from_millis)
        .ok_or_else(|| format!("'{text}' is no duration: 500ms, 30s, 5m or 1h is wanted"))
}

/// `1.5 GiB`, `512 B`.
#[must_use]
pub fn format_size(bytes: u64) -> String {
    let mut value = bytes as f64;
    let mut unit = "B";
    for next in ["KiB", "MiB", "GiB", "TiB"] {
        if value < 1024.0 {
            break;
        }
        value /= 1024.0;
        unit = next;
    }
    if unit == "B" || value.fract() == 0.0 {
        format!("{value:.0} {unit}")
    } else {
        format!("{value:.1} {unit}")
    }
}

/// `120.5 MiB/s`.
#[must_use]
pub fn format_rate(bytes: u64, took: Duration) -> String {
    let seconds = took.as_secs_f64().max(1e-9);
    format!("{}/s", format_size((bytes as f64 / seconds) as u64))
}

/// `350 ms`, `1.5 s`, `2 m 05 s`, `1 h 02 m`.
#[must_use]
pub fn format_duration(duration: Duration) -> String {
    let seconds = duration.as_secs();
    match seconds {
        0 => format!("{} ms", duration.as_millis()),
        1..60 => format!("{:.1} s", duration.as_secs_f64()),
        60..3600 => format!("{} m {:02} s", seconds / 60, seconds % 60),
        _ => format!("{} h {:02} m", seconds / 3600, seconds / 60 % 60),
    }
}

/// `2026-11-22T00:00:00.25Z`: UTC, with the offset, as precise as it is known.
#[must_use]
pub fn format_time(at: Timestamp) -> String {
    i64::try_from(at.0)
        .ok()
        .and_then(|micros| jiff::Timestamp::from_microsecond(micros).ok())
        .map_or_else(|| format!("{} us since 1970", at.0), |time| time.to_string())
}

/// A time with its offset from UTC: `2026-11-22T10:15:00Z`, `2026-11-22T11:15:00.25+01:00`.
///
/// # Errors
/// A text that says what is wanted.
pub fn parse_time(text: &str) -> Result<Timestamp, String> {
    let time: Option<jiff::Timestamp> = text.parse().ok();
    time.and_then(|time| u64::try_from(time.as_microsecond()).ok()).map(Timestamp).ok_or_else(|| {
        format!(
            "'{text}' is no time with an offset: 2026-11-22T10:15:00Z or 2026-11-22T11:15:00+01:00 is wanted"
        )
    })
}

/// The time of day.
#[must_use]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(u64::try_from(since.as_micros()).unwrap_or(u64::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        for (text, bytes) in
            [("0", 0), ("4096", 4096), ("64KiB", 65_536), ("16mib", 16 << 20), ("1G", 1 << 30)]
        {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        assert_eq!(parse_size("10MB"), Ok(10_000_000));
        for text in ["", "MiB", "-1", "1.5MiB", "1XB", "99999999TiB"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
        assert_eq!(format_size(512), "512 B");
        assert_eq!(format_size(16 << 20), "16 MiB");
        assert_eq!(format_size(1536), "1.5 KiB");
        assert_eq!(format_rate(3 << 20, Duration::from_secs(2)), "1.5 MiB/s");
    }

    #[test]
    fn durations_and_times() {
        assert_eq!(parse_duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(parse_duration("30"), Ok(Duration::from_secs(30)));
        assert_eq!(parse_duration("5m"), Ok(Duration::from_secs(300)));
        assert!(parse_duration("5 m").is_err() && parse_duration("").is_err());
        assert_eq!(format_duration(Duration::from_millis(350)), "350 ms");
        assert_eq!(format_duration(Duration::from_millis(1500)), "1.5 s");
        assert_eq!(format_duration(Duration::from_secs(125)), "2 m 05 s");
        assert_eq!(format_duration(Duration::from_secs(3720)), "1 h 02 m");
        assert_eq!(format_time(Timestamp(1_553_543_587_314_336)), "2019-03-25T19:53:07.314336Z");
        assert_eq!(format_time(Timestamp(0)), "1970-01-01T00:00:00Z");
        for text in ["2019-03-25T19:53:07.314336Z", "2019-03-25T20:53:07.314336+01:00"] {
            assert_eq!(parse_time(text), Ok(Timestamp(1_553_543_587_314_336)));
        }
        for text in ["", "2019-03-25", "2019-03-25T19:53:07", "1969-12-31T23:00:00Z", "19:53"] {
            assert!(parse_time(text).is_err(), "{text}");
        }
    }
}
