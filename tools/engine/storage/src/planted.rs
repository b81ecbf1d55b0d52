//! Deliberate mistakes, for proving that tests can see them.
//!
//! The code that could make one of these mistakes asks [`active`] at the place where it would make it. Without the feature
//! `planted-defects` the answer is a constant `false` and the mistake is compiled away; with it, one mistake for the whole process
//! is chosen by [`plant`]. The harness that looks for lost messages never asks.

use std::fmt;
use std::str::FromStr;

macro_rules! defects {
    ($($(#[$doc:meta])* $variant:ident = $name:literal),+ $(,)?) => {
        /// A mistake that can be planted.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
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
    /// A copy reads page zero after the other pages, so that its recovery RBA may be too new for them.
    PageZeroCopiedLast = "page-zero-copied-last",
    /// A copy keeps a page that it caught half-written.
    NoReread = "no-reread",
    /// A page is written before the log that describes its change is synced.
    WriteAheadBroken = "write-ahead-broken",
    /// An active log is reusable before its archive is synced, read back and in the BSDS.
    EarlyReusable = "early-reusable",
    /// BSDS updates go to one copy and then the other in turn, instead of to both.
    BsdsCopiesAlternate = "bsds-copies-alternate",
    /// Page zero gets a recovery RBA that covers pages not yet synced.
    RecoveryRbaBeforeSync = "recovery-rba-before-sync",
    /// Rewriting a partly filled control interval changes bytes that were synced before.
    OldBytesChangedInCi = "old-bytes-changed-in-ci",
    /// A failed sync is tried again and its second answer believed.
    SyncRetried = "sync-retried",
    /// A commit is acknowledged before its record is synced.
    AcknowledgedBeforeSync = "acknowledged-before-sync",
    /// Control intervals left from an earlier use of a data set are read as log.
    StaleCiAccepted = "stale-ci-accepted",
    /// Backout changes pages without logging that it did.
    CompensationSkipped = "compensation-skipped",
    /// Pages are believed without looking at their checksum.
    ChecksumNotChecked = "checksum-not-checked",
    /// The first change of a clean page logs no image of it.
    PageImageSkipped = "page-image-skipped",
    /// Space freed by a unit is used again before the unit's commit is synced.
    SpaceReusedEarly = "space-reused-early",
    /// A restart forgets the locks of units that are in doubt.
    InDoubtForgotten = "in-doubt-forgotten",
    /// Records behind a cut, in the control interval that holds it, are read as log of the line.
    CutIgnoredInCi = "cut-ignored-in-ci",
    /// A log copy that failed is given up without a word to the BSDS.
    StoppedCopyForgotten = "stopped-copy-forgotten",
    /// An archive counts as good without being compared with what was written.
    ArchiveNotReadBack = "archive-not-read-back",
    /// A running queue manager lets archives go that a backup in progress has counted on.
    BackupsUnguarded = "backups-unguarded",
    /// A running queue manager lets archives go by a plan that was made on other facts.
    FactsNotCompared = "facts-not-compared",
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
    use std::sync::atomic::{AtomicU8, Ordering};

    use super::Defect;

    /// No defect; higher than any of them.
    const NONE: u8 = u8::MAX;

    static CHOSEN: AtomicU8 = AtomicU8::new(NONE);

    /// Whether this mistake is to be made.
    #[must_use]
    pub fn active(defect: Defect) -> bool {
        CHOSEN.load(Ordering::Relaxed) == defect as u8
    }

    /// Chooses the mistake that this process makes from now on; none makes it honest again.
    pub fn plant(defect: Option<Defect>) {
        CHOSEN.store(defect.map_or(NONE, |d| d as u8), Ordering::Relaxed);
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
    fn names_read_back_and_are_kebab_case() {
        for &defect in Defect::ALL {
            assert_eq!(defect.to_string().parse(), Ok(defect));
            assert!(defect.name().bytes().all(|b| b.is_ascii_lowercase() || b == b'-'));
        }
        assert!("nothing".parse::<Defect>().is_err());
        assert!(Defect::ALL.len() >= 12);
    }

    #[cfg(feature = "planted-defects")]
    #[test]
    fn one_defect_at_a_time_is_active() {
        plant(Some(Defect::NoReread));
        assert!(active(Defect::NoReread) && !active(Defect::SyncRetried));
        plant(None);
        assert!(Defect::ALL.iter().all(|&d| !active(d)));
    }

    #[cfg(not(feature = "planted-defects"))]
    #[test]
    fn no_defect_is_in_a_shipped_build() {
        assert!(Defect::ALL.iter().all(|&d| !active(d)));
    }
}
