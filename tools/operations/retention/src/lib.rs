//! Which log must be kept, why, and what may go.
//!
//! Pure: an inventory and a policy in, a plan out. No files, no clock.
//!
//! # The rule
//! For every kept recovery point, the log of its line from the system recovery RBA *recorded when it was made* to the end is kept; so is
//! what a restart and the structures need today, what is under way, and, for a page set that no kept sound point covers, all log since it
//! was created. Without any kept sound point nothing goes. Only archives go, copy by copy, and only those that meet none of these ranges.
//!
//! Holders are of two kinds: *needed* ones are in the read set of a promised recovery; *rules* (margins, holds, the structure part of a
//! point, the newest archives) keep more than that. Log is compared as (history, RBA): a line is a history with its ancestors up to
//! their cuts.

mod actions;
mod decide;
mod diff;
mod evaluation;
mod explain;
mod fact;
mod gaps;
mod lines;
mod logs;
mod needs;
mod places;
mod plan;
pub mod planted;
mod points;
mod policy;
mod release;
mod releasing;
mod selection;
mod texts;
mod warnings;

pub use diff::{Changed, Difference, diff};
pub use explain::{Explained, Explanation, Place, Question, explain};
pub use fact::{Fact, perform};
pub use plan::plan;
pub use policy::{Policy, PolicyError, Span};
pub use releasing::releasing_sets;

/// Why an inventory cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InventoryError {
    /// It lists no history.
    #[error("it lists no log history")]
    NoHistory,
    /// A history is listed twice.
    #[error("log history {0} is listed twice")]
    HistoryTwice(String),
    /// A parent without a cut, or a cut without a parent.
    #[error("log history {0} has a parent or a cut, but not both")]
    HalfACut(String),
    /// Something is of a history that is not listed, or not listed before its child.
    #[error("log history {0} is not listed, or only after one that was cut from it")]
    UnknownHistory(String),
    /// Four thousand million data sets, or sixty thousand histories.
    #[error("it lists more than can be counted")]
    TooLong,
}
