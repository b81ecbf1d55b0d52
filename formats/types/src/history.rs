//! Log histories: which line of log an RBA belongs to.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::Rba;

/// Names an uninterrupted line of log: a number, and random bits because numbers collide once a BSDS is restored or a system is
/// copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct HistoryId {
    /// Ordinal, 1 for the first history of a queue manager.
    pub number: u32,
    /// Random bits that tell copies of a system apart.
    pub random: u64,
}

impl fmt::Display for HistoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}-{:016X}", self.number, self.random)
    }
}

/// One entry of the list of log histories.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogHistory {
    /// This history.
    pub id: HistoryId,
    /// The history that this one was cut from, and the RBA of the cut; none for the first.
    pub parent: Option<(HistoryId, Rba)>,
    /// First RBA written in this history: the cut rounded up to a control interval.
    pub first: Rba,
}

/// An RBA together with the history that it lies in. The same RBA in two histories is two places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LogPlace {
    /// The line of log.
    pub history: HistoryId,
    /// The address in it.
    pub rba: Rba,
}
