//! The plan document: what is kept and by whom, what may go, and what would let more go.

use std::borrow::Cow;

use format_types::{PointMethod, PointState, QueueManagerName, Rba, Timestamp};
use serde::{Deserialize, Serialize};

use crate::inventory::{DocumentError, LogKind, check_version, is_yes, read, yes};
use crate::{Shared, hex, time};

/// Why something holds log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum HolderKind {
    /// A promised recovery reads it: without it the promise breaks.
    Needed,
    /// A rule keeps it: a margin, a hold, the structure part of a point.
    Rule,
}

impl HolderKind {
    /// The word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Needed => "needed",
            Self::Rule => "rule",
        }
    }
}

/// Who holds log, and from where.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HolderEntry {
    /// Needed, or a rule.
    pub kind: HolderKind,
    /// Who.
    pub what: String,
    /// Its first RBA on the line.
    #[serde(with = "hex")]
    pub from: Rba,
    /// Its last RBA; left out when it holds all log from there on.
    #[serde(default, with = "hex::optional", skip_serializing_if = "Option::is_none")]
    pub to: Option<Rba>,
}

/// A log data set that may go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DeleteEntry<'a> {
    /// Its name.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// Log copy.
    pub copy: u8,
    /// The history of its log.
    #[serde(borrow)]
    pub history: Cow<'a, str>,
    /// Its first RBA.
    #[serde(with = "hex")]
    pub start: Rba,
    /// Its last RBA.
    #[serde(with = "hex")]
    pub end: Rba,
    /// Its bytes.
    pub bytes: u64,
    /// Where it is.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<Cow<'a, str>>,
    /// Whether the catalog has it, on disk, so that it can be deleted by name.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub catalogued: bool,
}

/// A log data set that stays.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeepEntry<'a> {
    /// Its name.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// Active or archive.
    pub kind: LogKind,
    /// Log copy.
    pub copy: u8,
    /// The history of its log.
    #[serde(borrow)]
    pub history: Cow<'a, str>,
    /// Its first RBA.
    #[serde(with = "hex")]
    pub start: Rba,
    /// Its last RBA.
    #[serde(with = "hex")]
    pub end: Rba,
    /// Its bytes.
    pub bytes: u64,
    /// Where it is.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<Cow<'a, str>>,
    /// Who holds it, the furthest back first.
    pub holders: Shared<HolderEntry>,
    /// Holders that are not listed, in plans where listing all would take more than a million lines.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub more_holders: usize,
    /// The smallest set of facts after which it goes; empty when nothing lets it go.
    pub released_by: Shared<String>,
}

// The signature is serde's.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// An entry of the inventory whose data set is not there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AbsentEntry<'a> {
    /// Its name.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// Log copy.
    pub copy: u8,
    /// The history of its log.
    #[serde(borrow)]
    pub history: Cow<'a, str>,
    /// Its first RBA.
    #[serde(with = "hex")]
    pub start: Rba,
    /// Its last RBA.
    #[serde(with = "hex")]
    pub end: Rba,
    /// Whether its log is held.
    pub held: bool,
}

/// What the plan makes of a recovery point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointEntry {
    /// Its name.
    pub name: String,
    /// How it was made.
    pub method: PointMethod,
    /// What is known of its copies.
    pub state: PointState,
    /// Whether it is kept, so that its needs hold log.
    pub kept: bool,
    /// Why it is kept, or why not.
    pub because: Vec<String>,
    /// Whether it only recovers to the end of its copies.
    pub consistent_only: bool,
    /// Whether all log that it needs is there.
    pub recoverable: bool,
    /// Log from here on is needed to recover it.
    #[serde(with = "hex")]
    pub needed_from: Rba,
    /// Log from here on is kept for it: the system recovery RBA recorded when it was made.
    #[serde(with = "hex")]
    pub kept_from: Rba,
}

/// What doing something would let go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ActionEntry {
    /// What is done.
    pub action: String,
    /// Data sets that go then, beyond those that go now.
    pub data_sets: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// Needed log that is in no data set.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GapEntry {
    /// The history of the log.
    pub history: String,
    /// The first RBA that is missing.
    #[serde(with = "hex")]
    pub start: Rba,
    /// The last one.
    #[serde(with = "hex")]
    pub end: Rba,
    /// Recovery points that cannot be brought forward without it.
    pub destroys: Vec<String>,
    /// What else needs it.
    pub needed_by: Vec<String>,
}

/// Something to look at.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct WarningEntry {
    /// Message identifier.
    pub id: String,
    /// What, where, why, what to do.
    pub text: String,
}

/// Sums.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Totals {
    /// Data sets that go.
    pub delete_data_sets: u64,
    /// Their bytes.
    pub delete_bytes: u64,
    /// Archives that stay.
    pub keep_archives: u64,
    /// Their bytes.
    pub keep_bytes: u64,
    /// Active log data sets; they always stay.
    pub active_data_sets: u64,
    /// Entries whose data set is not there.
    pub absent: u64,
    /// Share of the archives that go, in percent, rounded up.
    pub delete_percent: u8,
}

/// What the plan was made from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inputs {
    /// CRC-32C of the inventory's bytes, 8 hexadecimal digits.
    pub inventory: String,
    /// How many bytes.
    pub inventory_bytes: u64,
    /// CRC-32C of the policy as text, 8 hexadecimal digits.
    pub policy: String,
}

/// The plan.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Plan<'a> {
    /// Version of the document.
    pub version: u32,
    /// The queue manager.
    pub queue_manager: QueueManagerName,
    /// The time that it was made for.
    #[serde(with = "time")]
    pub at: Timestamp,
    /// The policy, an option a line; empty when none was given.
    pub policy: Vec<String>,
    /// Log of the current line is kept from here on; null when nothing holds it.
    #[serde(with = "hex::optional")]
    pub boundary: Option<Rba>,
    /// The history that the boundary lies in.
    pub boundary_history: Option<String>,
    /// Who holds it there.
    pub boundary_holder: Option<String>,
    /// Sums.
    pub totals: Totals,
    /// Above this percentage nothing is deleted.
    pub max_delete_percent: u8,
    /// Whether more than that would go.
    pub over_max_delete: bool,
    /// What the recovery points mean for it.
    pub points: Vec<PointEntry>,
    /// What would let more go.
    pub actions: Vec<ActionEntry>,
    /// Needed log that is missing.
    pub gaps: Vec<GapEntry>,
    /// What to look at.
    pub warnings: Vec<WarningEntry>,
    /// What it was made from.
    pub inputs: Inputs,
    /// What goes.
    #[serde(borrow)]
    pub delete: Vec<DeleteEntry<'a>>,
    /// What stays.
    #[serde(borrow)]
    pub keep: Vec<KeepEntry<'a>>,
    /// What the inventory has and is not there.
    #[serde(borrow)]
    pub absent: Vec<AbsentEntry<'a>>,
}

impl<'a> Plan<'a> {
    /// Reads a document. Names of data sets are borrowed from it.
    ///
    /// # Errors
    /// Names the line and column of what is not understood.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DocumentError> {
        let plan: Self = read(bytes)?;
        check_version(plan.version)?;
        Ok(plan)
    }
}
