//! Deliberate mistakes in the rules, for proving that tests can see them.
//!
//! The code that could make one of these mistakes asks [`active`] at the place where it would make it. Without the feature
//! `planted-defects` the answer is a constant `false` and the mistake is compiled away; with it, one mistake for each thread is
//! chosen by `plant`, so that tests beside each other do not disturb each other.

use std::fmt;
use std::str::FromStr;

macro_rules! defects {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// A mistake that can be planted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum Defect {
            $($(#[$doc])* $variant),+
        }

        impl Defect {
            /// All of them.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The name on command lines.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name),+
                }
            }
        }
    };
}

defects! {
    /// Today's system recovery RBA is used instead of the one recorded when a point was made.
    TodaysValueUsed = "todays-value-used",
    /// The structure part of a recorded system recovery RBA is left out.
    StructurePartDropped = "structure-part-dropped",
    /// A data set whose last byte is the first needed one counts as not needed.
    OffByOneAtLastByte = "off-by-one-at-last-byte",
    /// Nothing holds the data sets of log copy 2.
    Copy2Forgotten = "copy-2-forgotten",
    /// The log of a line before its cut is not looked for in the history it was cut from.
    HistoryIgnored = "history-ignored",
    /// Backups and recoveries under way hold nothing.
    InProgressIgnored = "in-progress-ignored",
}

impl fmt::Display for Defect {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

/// A name that no defect has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("'{0}' is no defect that can be planted")]
pub struct UnknownDefect(String);

impl FromStr for Defect {
    type Err = UnknownDefect;

    fn from_str(text: &str) -> Result<Self, UnknownDefect> {
        Self::ALL.iter().copied().find(|d| d.name() == text).ok_or_else(|| UnknownDefect(text.to_owned()))
    }
}

#[cfg(feature = "planted-defects")]
mod chosen {
    use std::cell::Cell;

    use super::Defect;

    thread_local! {
        static CHOSEN: Cell<Option<Defect>> = const { Cell::new(None) };
    }

    /// Whether this mistake is to be made.
    #[must_use]
    pub fn active(defect: Defect) -> bool {
        CHOSEN.get() == Some(defect)
    }

    /// Chooses the mistake that this thread makes from now on; none makes it honest again.
    pub fn plant(defect: Option<Defect>) {
        CHOSEN.set(defect);
    }
}

#[cfg(feature = "planted-defects")]
pub use chosen::{active, plant};

/// Whether this mistake is to be made: never, in a build without the feature `planted-defects`.
#[cfg(not(feature = "planted-defects"))]
#[inline(always)]
#[must_use]
pub const fn active(_defect: Defect) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_read_back() {
        for &defect in Defect::ALL {
            assert_eq!(defect.to_string().parse(), Ok(defect));
        }
        assert!("nothing".parse::<Defect>().is_err());
        assert!(Defect::ALL.len() >= 6);
    }

    #[cfg(not(feature = "planted-defects"))]
    #[test]
    fn no_defect_is_in_a_shipped_build() {
        assert!(Defect::ALL.iter().all(|&d| !active(d)));
    }
}
