//! Names: queue managers, objects, data sets, volumes, structures.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// A name that breaks the rules for names of its kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{name}' is not a valid {kind}: {rule}")]
pub struct NameError {
    name: String,
    kind: &'static str,
    rule: &'static str,
}

macro_rules! name {
    ($(#[$doc:meta])* $type:ident, $kind:literal, $rule:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $type(String);

        impl $type {
            /// The text of the name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $type {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) {
                    Ok(Self(text.to_owned()))
                } else {
                    Err(NameError { name: text.to_owned(), kind: $kind, rule: $rule })
                }
            }
        }

        impl TryFrom<String> for $type {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }

        impl From<$type> for String {
            fn from(name: $type) -> String {
                name.0
            }
        }

        impl fmt::Display for $type {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.pad(&self.0)
            }
        }
    };
}

fn upper_or_digit(b: u8) -> bool {
    b.is_ascii_uppercase() || b.is_ascii_digit()
}

fn national(b: u8) -> bool {
    matches!(b, b'@' | b'#' | b'$')
}

name!(
    /// Queue manager name (subsystem identifier): 1 to 4 upper-case letters, digits or national characters, the first no digit.
    QueueManagerName,
    "queue manager name",
    "1 to 4 upper-case letters, digits, @, # or $ are wanted, the first not a digit",
    |text| (1..=4).contains(&text.len())
        && !text.as_bytes()[0].is_ascii_digit()
        && text.bytes().all(|b| upper_or_digit(b) || national(b))
);

name!(
    /// Name of a queue or storage class: 1 to 48 characters of letters, digits, `.`, `/`, `_` and `%` ("Rules for naming IBM MQ
    /// objects").
    ObjectName,
    "object name",
    "1 to 48 letters, digits, '.', '/', '_' or '%' are wanted",
    |text| (1..=48).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'/' | b'_' | b'%'))
);

name!(
    /// Data set name: 1 to 44 characters, qualifiers of 1 to 8, each begun by a letter or national character ("z/OS DFSMS Using
    /// Data Sets").
    DataSetName,
    "data set name",
    "qualifiers of 1 to 8 upper-case letters, digits, @, #, $ or '-', joined by '.', 44 characters at most",
    |text| (1..=44).contains(&text.len())
        && text.split('.').all(|q| {
            (1..=8).contains(&q.len())
                && !q.as_bytes()[0].is_ascii_digit()
                && q.as_bytes()[0] != b'-'
                && q.bytes().all(|b| upper_or_digit(b) || national(b) || b == b'-')
        })
);

name!(
    /// Volume serial: 1 to 6 upper-case letters, digits or national characters.
    VolumeSerial,
    "volume serial",
    "1 to 6 upper-case letters, digits, @, # or $ are wanted",
    |text| (1..=6).contains(&text.len()) && text.bytes().all(|b| upper_or_digit(b) || national(b))
);

name!(
    /// Coupling facility structure name as MQ knows it: 1 to 12 characters, upper case, begun by a letter.
    StructureName,
    "structure name",
    "1 to 12 upper-case letters, digits, @, # or $ are wanted, the first a letter",
    |text| (1..=12).contains(&text.len())
        && text.as_bytes()[0].is_ascii_uppercase()
        && text.bytes().all(|b| upper_or_digit(b) || national(b))
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_their_rules() {
        assert!("QM1".parse::<QueueManagerName>().is_ok());
        for bad in ["", "QM111", "1QM", "qm1", "Q M"] {
            assert!(bad.parse::<QueueManagerName>().is_err(), "{bad:?}");
        }
        assert!("ARCHLOG1.A0000001".parse::<DataSetName>().is_ok());
        for bad in ["", "A..B", ".A", "A.1B", "ABCDEFGHI", "a.b", "A/B", "A\nB"] {
            assert!(bad.parse::<DataSetName>().is_err(), "{bad:?}");
        }
        assert!("TAPE01".parse::<VolumeSerial>().is_ok() && "0$".parse::<VolumeSerial>().is_ok());
        for bad in ["", "TAPE001", "tape01", "A B", "A,B", "A\nB"] {
            assert!(bad.parse::<VolumeSerial>().is_err(), "{bad:?}");
        }
        assert!("APP.ORDERS/in_1%".parse::<ObjectName>().is_ok());
        assert!("A B".parse::<ObjectName>().is_err());
        assert!("1APP".parse::<StructureName>().is_err());
    }
}
