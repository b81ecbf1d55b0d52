//! Times in documents: RFC 3339 with an offset.

use format_types::Timestamp;
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The time that `2026-11-22T00:00:00Z` says; none for what is no time, has no offset, or lies before 1970.
#[must_use]
pub fn parse_time(text: &str) -> Option<Timestamp> {
    let time: jiff::Timestamp = text.parse().ok()?;
    u64::try_from(time.as_microsecond()).ok().map(Timestamp)
}

/// `2026-11-22T00:00:00Z`; a time that no calendar has is written in microseconds.
#[must_use]
pub fn format_time(at: Timestamp) -> String {
    i64::try_from(at.0)
        .ok()
        .and_then(|micros| jiff::Timestamp::from_microsecond(micros).ok())
        .map_or_else(|| format!("{} us since 1970", at.0), |time| time.to_string())
}

/// Reads a time.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Timestamp, D::Error> {
    let text = <std::borrow::Cow<'de, str>>::deserialize(from)?;
    parse_time(&text).ok_or_else(|| {
        D::Error::custom(format_args!("'{text}' is not a time: 2026-11-22T00:00:00Z is wanted"))
    })
}

/// Writes a time.
// The signature is serde's.
#[allow(clippy::trivially_copy_pass_by_ref)]
pub(crate) fn serialize<S: Serializer>(at: &Timestamp, to: S) -> Result<S::Ok, S::Error> {
    format_time(*at).serialize(to)
}

/// A time or null.
pub(crate) mod optional {
    use super::{Deserialize, Deserializer, Serializer, Timestamp};

    struct Time(Timestamp);

    impl<'de> Deserialize<'de> for Time {
        fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
            super::deserialize(from).map(Self)
        }
    }

    /// Reads it.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Timestamp>, D::Error> {
        Ok(Option::<Time>::deserialize(from)?.map(|time| time.0))
    }

    /// Writes it.
    // The signature is serde's.
    #[allow(clippy::ref_option, clippy::trivially_copy_pass_by_ref)]
    pub(crate) fn serialize<S: Serializer>(at: &Option<Timestamp>, to: S) -> Result<S::Ok, S::Error> {
        match at {
            Some(at) => super::serialize(at, to),
            None => to.serialize_none(),
        }
    }
}
