//! RBAs in documents: strings of exactly 16 hexadecimal digits, read without a copy of the text.

use std::fmt;

use format_types::Rba;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};
use serde::{Serialize, Serializer};

/// The value of 16 hexadecimal digits, in either case.
fn value(text: &[u8]) -> Option<u64> {
    if text.len() != 16 {
        return None;
    }
    text.iter().try_fold(0_u64, |sum, &digit| {
        let digit = match digit {
            b'0'..=b'9' => digit - b'0',
            b'A'..=b'F' => digit - b'A' + 10,
            b'a'..=b'f' => digit - b'a' + 10,
            _ => return None,
        };
        Some(sum << 4 | u64::from(digit))
    })
}

struct Digits;

impl Visitor<'_> for Digits {
    type Value = Rba;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an RBA: a string of 16 hexadecimal digits")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Rba, E> {
        value(text.as_bytes())
            .map(Rba)
            .ok_or_else(|| E::custom(format_args!("'{text}' is not an RBA of 16 hexadecimal digits")))
    }
}

/// Reads an RBA.
pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Rba, D::Error> {
    from.deserialize_str(Digits)
}

/// Writes an RBA.
// The signature is serde's.
#[allow(clippy::trivially_copy_pass_by_ref)]
pub(crate) fn serialize<S: Serializer>(rba: &Rba, to: S) -> Result<S::Ok, S::Error> {
    let mut digits = [0_u8; 16];
    for (place, digit) in digits.iter_mut().rev().enumerate() {
        let nibble = (rba.0 >> (4 * place) & 0xF) as u8;
        *digit = if nibble < 10 { b'0' + nibble } else { b'A' + nibble - 10 };
    }
    to.serialize_str(std::str::from_utf8(&digits).unwrap_or_default())
}

/// An RBA that reads strictly, for lists and options.
pub(crate) struct Strict(pub(crate) Rba);

impl<'de> serde::Deserialize<'de> for Strict {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        deserialize(from).map(Self)
    }
}

/// An RBA or null.
pub(crate) mod optional {
    use super::{Deserializer, Rba, Serialize, Serializer, Strict};

    /// Reads it.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Option<Rba>, D::Error> {
        let value: Option<Strict> = serde::Deserialize::deserialize(from)?;
        Ok(value.map(|strict| strict.0))
    }

    /// Writes it.
    // The signature is serde's.
    #[allow(clippy::ref_option, clippy::trivially_copy_pass_by_ref)]
    pub(crate) fn serialize<S: Serializer>(rba: &Option<Rba>, to: S) -> Result<S::Ok, S::Error> {
        rba.serialize(to)
    }
}

/// A list of RBAs.
pub(crate) mod list {
    use super::{Deserializer, Rba, SeqAccess, Serialize, Serializer, Strict, Visitor, fmt};

    struct Several;

    impl<'de> Visitor<'de> for Several {
        type Value = Vec<Rba>;

        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("a list of RBAs")
        }

        fn visit_seq<A: SeqAccess<'de>>(self, mut from: A) -> Result<Vec<Rba>, A::Error> {
            let mut list = Vec::new();
            while let Some(Strict(rba)) = from.next_element()? {
                list.push(rba);
            }
            Ok(list)
        }
    }

    /// Reads it.
    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<Rba>, D::Error> {
        from.deserialize_seq(Several)
    }

    /// Writes it.
    pub(crate) fn serialize<S: Serializer>(list: &[Rba], to: S) -> Result<S::Ok, S::Error> {
        list.serialize(to)
    }
}
