//! Page addresses.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// Bytes in a page of a page set.
pub const PAGE_SIZE: usize = 4096;

/// Bytes in a control interval of the log.
pub const CI_SIZE: usize = 4096;

/// Page set identifier, 00 to 99. Page set 00 holds the object definitions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "u8", into = "u8")]
pub struct PageSetId(u8);

impl PageSetId {
    /// The page set of the object definitions.
    pub const ZERO: Self = Self(0);

    /// Page set `number`, if it is 0 to 99.
    #[must_use]
    pub const fn new(number: u8) -> Option<Self> {
        if number <= 99 { Some(Self(number)) } else { None }
    }

    /// The number, 0 to 99.
    #[must_use]
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl TryFrom<u8> for PageSetId {
    type Error = String;

    fn try_from(number: u8) -> Result<Self, Self::Error> {
        Self::new(number).ok_or_else(|| format!("page set {number} is outside 0 to 99"))
    }
}

impl From<PageSetId> for u8 {
    fn from(id: PageSetId) -> Self {
        id.0
    }
}

impl fmt::Display for PageSetId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}", self.0)
    }
}

impl FromStr for PageSetId {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let number =
            text.parse::<u8>().ok().filter(|_| text.len() <= 2 && text.bytes().all(|b| b.is_ascii_digit()));
        number.and_then(Self::new).ok_or_else(|| format!("'{text}' is not a page set: 0 to 99 is wanted"))
    }
}

/// Number of a 4096-byte page inside its page set; page zero is the header.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PageNumber(pub u32);

impl PageNumber {
    /// The header page.
    pub const ZERO: Self = Self(0);

    /// Byte offset of the page in its image.
    #[must_use]
    pub const fn offset(self) -> u64 {
        self.0 as u64 * PAGE_SIZE as u64
    }
}

impl fmt::Display for PageNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:08X}", self.0)
    }
}

/// A page of a page set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PageAddress {
    /// The page set.
    pub page_set: PageSetId,
    /// The page in it.
    pub page: PageNumber,
}

impl PageAddress {
    /// Page `page` of `page_set`.
    #[must_use]
    pub const fn new(page_set: PageSetId, page: PageNumber) -> Self {
        Self { page_set, page }
    }
}

impl fmt::Display for PageAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.page_set, self.page)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn page_set_is_two_digits_and_bounded() {
        assert_eq!("7".parse::<PageSetId>().unwrap().to_string(), "07");
        for text in ["", "100", "-1", "+1", "007", "a"] {
            assert!(text.parse::<PageSetId>().is_err(), "{text:?}");
        }
        assert_eq!(PageSetId::new(100), None);
    }
}
