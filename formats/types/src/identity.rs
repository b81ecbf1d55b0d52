//! Identity of a queue manager beyond its name.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Random 64-bit identity given to a queue manager when it is created; names may be given twice, this is not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct QueueManagerId(pub u64);

impl fmt::Display for QueueManagerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016X}", self.0)
    }
}

impl Serialize for QueueManagerId {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for QueueManagerId {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        u64::from_str_radix(&text, 16).ok().filter(|_| text.len() == 16).map(Self).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "'{text}' is not a queue manager identity of 16 hexadecimal digits"
            ))
        })
    }
}
