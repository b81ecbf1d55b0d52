//! The inventory document: the log data sets, recovery points and needs of a queue manager.

use std::borrow::Cow;

use format_types::{PageSetId, PointMethod, PointState, QueueManagerName, Rba, RbaRange, Timestamp};
use serde::{Deserialize, Serialize};

use crate::{hex, time};

/// Version of the documents written here.
pub const VERSION: u32 = 1;

/// Why bytes are not an inventory or a plan.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DocumentError {
    /// A newer release wrote it.
    #[error("its version is {0}, the newest known here is {VERSION}: use a newer release")]
    Newer(u64),
    /// It is no JSON, a field is missing, unknown, or says what it cannot.
    #[error("{0}")]
    Content(String),
}

/// Which log data set it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogKind {
    /// Holds log that was offloaded; may go.
    Archive,
    /// Belongs to the queue manager; never goes.
    Active,
}

/// A line of log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct History {
    /// Its name.
    pub id: String,
    /// The history that it was cut from; none for the first.
    pub parent: Option<String>,
    /// First RBA of the parent that is not in its line.
    #[serde(with = "hex::optional")]
    pub cut: Option<Rba>,
}

/// First and last LRSN of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LrsnRange {
    /// The lowest, 16 hexadecimal digits.
    #[serde(with = "hex")]
    pub start: Rba,
    /// The highest.
    #[serde(with = "hex")]
    pub end: Rba,
}

/// First and last time of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TimeRange {
    /// When its first record was written.
    #[serde(with = "time")]
    pub start: Timestamp,
    /// When its last record was written.
    #[serde(with = "time")]
    pub end: Timestamp,
}

/// A log data set, or one volume of it: a row of the log inventory.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LogDataSet<'a> {
    /// Its name.
    #[serde(borrow)]
    pub name: Cow<'a, str>,
    /// Active or archive.
    pub kind: LogKind,
    /// Log copy, 1 or 2.
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
    /// Bytes that it occupies.
    pub bytes: u64,
    /// Whether the data set is there.
    pub present: bool,
    /// What is known of its content.
    #[serde(default = "unverified", skip_serializing_if = "is_unverified")]
    pub state: PointState,
    /// Whether the queue manager's own inventory has it; a file that it does not have is never deleted.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub registered: bool,
    /// Where it is.
    #[serde(borrow, default, skip_serializing_if = "Option::is_none")]
    pub volume: Option<Cow<'a, str>>,
    /// Whether the catalog has it, on disk. Of another one, or one on tape, it is not known whether it exists, and a plan has no power to
    /// delete it: its volumes are for whoever manages the tapes.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub catalogued: bool,
    /// Its LRSNs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lrsn: Option<Box<LrsnRange>>,
    /// Its times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub time: Option<Box<TimeRange>>,
}

fn unverified() -> PointState {
    PointState::Unverified
}

// The signatures are serde's.
#[allow(clippy::trivially_copy_pass_by_ref)]
fn is_unverified(state: &PointState) -> bool {
    *state == PointState::Unverified
}

pub(crate) fn yes() -> bool {
    true
}

#[allow(clippy::trivially_copy_pass_by_ref)]
pub(crate) fn is_yes(value: &bool) -> bool {
    *value
}

impl LogDataSet<'_> {
    /// Its log, half-open.
    #[must_use]
    pub const fn range(&self) -> RbaRange {
        RbaRange::new(self.start, self.end.plus(1))
    }
}

/// A part of a system recovery RBA, and who held it there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Part {
    /// Log from here on is needed.
    #[serde(with = "hex")]
    pub rba: Rba,
    /// Who needs it.
    pub holder: String,
}

/// The system recovery RBA that was recorded when a point was made, in its parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordedParts {
    /// The lowest page set recovery RBA.
    pub page_sets: Option<Part>,
    /// What structures needed of this log.
    pub structures: Option<Part>,
    /// The oldest active unit of recovery.
    pub units: Option<Part>,
}

/// A page set in a point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PointPageSet {
    /// The page set.
    pub psid: PageSetId,
    /// Its recovery RBA as copied.
    #[serde(with = "hex")]
    pub recovery_rba: Rba,
}

/// A recovery point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Point {
    /// Its name.
    pub name: String,
    /// How it was made.
    pub method: PointMethod,
    /// What is known of its copies.
    pub state: PointState,
    /// When it was made.
    #[serde(with = "time")]
    pub at: Timestamp,
    /// The history of its RBAs.
    pub history: String,
    /// The log when its copies began.
    #[serde(with = "hex")]
    pub start: Rba,
    /// The last RBA that its copies may hold.
    #[serde(with = "hex")]
    pub end: Rba,
    /// The page sets in it.
    pub page_sets: Vec<PointPageSet>,
    /// The system recovery RBA when it was made.
    pub system_recovery: RecordedParts,
}

/// A page set today.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageSetNow {
    /// The page set.
    pub psid: PageSetId,
    /// Its recovery RBA today.
    #[serde(with = "hex")]
    pub recovery_rba: Rba,
    /// Whether it is online.
    #[serde(default = "yes", skip_serializing_if = "is_yes")]
    pub online: bool,
    /// The log when it was created; none when that is not known: then all log counts.
    #[serde(default, with = "hex::optional", skip_serializing_if = "Option::is_none")]
    pub created: Option<Rba>,
    /// The RBA is the lowest of all page sets; which of them needs it is not known.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub system_value: bool,
}

/// A structure today.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StructureNow {
    /// Its name.
    pub name: String,
    /// The lowest RBA that this log must supply to recover it from its most recent backup; none when it was never backed up: then all
    /// log counts.
    #[serde(with = "hex::optional")]
    pub rba: Option<Rba>,
}

/// An active unit of recovery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UnitNow {
    /// The RBA of its first record.
    #[serde(with = "hex")]
    pub urid: Rba,
    /// Its state: `in-flight`, `in-doubt`, and so on.
    pub state: String,
    /// Where its shunted records begin, when it was shunted.
    #[serde(default, with = "hex::optional", skip_serializing_if = "Option::is_none")]
    pub shunted: Option<Rba>,
}

impl UnitNow {
    /// Log from here on is needed for it: the lower of its first record and its shunted ones.
    #[must_use]
    pub fn from(&self) -> Rba {
        self.shunted.map_or(self.urid, |shunted| shunted.min(self.urid))
    }
}

/// Measured rates, as far as they are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rates {
    /// Bytes of log written in an hour.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log_bytes_per_hour: Option<u64>,
    /// Bytes of log that a recovery reads in a second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovery_bytes_per_second: Option<u64>,
}

/// How things are today.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Now {
    /// Where the next log record goes.
    #[serde(with = "hex")]
    pub log_end: Rba,
    /// BEGIN records of complete checkpoints, in any order.
    #[serde(default, with = "hex::list")]
    pub checkpoints: Vec<Rba>,
    /// The page sets.
    pub page_sets: Vec<PageSetNow>,
    /// The structures.
    #[serde(default)]
    pub structures: Vec<StructureNow>,
    /// The active units of recovery.
    #[serde(default)]
    pub units: Vec<UnitNow>,
    /// When this was; the time of reading when it is left out.
    #[serde(default, with = "time::optional", skip_serializing_if = "Option::is_none")]
    pub at: Option<Timestamp>,
    /// The history that is written; the last of the list when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<String>,
    /// The highest RBA that the log can ever have; all bits when it is left out.
    #[serde(default, with = "hex::optional", skip_serializing_if = "Option::is_none")]
    pub rba_limit: Option<Rba>,
    /// Measured rates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rates: Option<Rates>,
}

/// A recovery point that must not be given up.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hold {
    /// The point.
    pub point: String,
    /// Why.
    pub reason: String,
    /// Until when; for ever when there is no time.
    #[serde(with = "time::optional")]
    pub until: Option<Timestamp>,
}

/// What needs log while it is under way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum InProgressKind {
    /// A backup: its point is not yet known.
    Backup,
    /// A recovery: it reads.
    Recovery,
}

impl InProgressKind {
    /// The word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Backup => "backup",
            Self::Recovery => "recovery",
        }
    }
}

/// A backup or recovery that has begun and not ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InProgress {
    /// What it is.
    pub kind: InProgressKind,
    /// Its name.
    pub name: String,
    /// The history of its RBA; the one that is written when it is left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub history: Option<String>,
    /// Log from here on is needed for it.
    #[serde(with = "hex")]
    pub rba: Rba,
}

/// Log that an applied plan deleted: a hole, and no gap.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Hole {
    /// The history of its log.
    pub history: String,
    /// Its first RBA.
    #[serde(with = "hex")]
    pub start: Rba,
    /// Its last RBA.
    #[serde(with = "hex")]
    pub end: Rba,
}

/// What there is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Inventory<'a> {
    /// Version of the document.
    #[serde(default = "version")]
    pub version: u32,
    /// The queue manager.
    pub queue_manager: QueueManagerName,
    /// The lines of log, each after its parent.
    pub histories: Vec<History>,
    /// The log data sets, in any order.
    #[serde(borrow)]
    pub logs: Vec<LogDataSet<'a>>,
    /// The recovery points, in any order.
    pub points: Vec<Point>,
    /// How things are today.
    pub now: Now,
    /// Holds on points.
    #[serde(default)]
    pub holds: Vec<Hold>,
    /// Backups and recoveries under way.
    #[serde(default)]
    pub in_progress: Vec<InProgress>,
    /// Log that applied plans deleted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub holes: Vec<Hole>,
}

fn version() -> u32 {
    VERSION
}

/// Read where a document is refused, so that a newer version is refused by name and not for a field that it added.
#[derive(Deserialize)]
struct VersionOnly {
    version: Option<u64>,
}

/// The newer version that `bytes` say they have.
fn newer(bytes: &[u8]) -> Option<DocumentError> {
    let found: VersionOnly = serde_json::from_slice(bytes).ok()?;
    found.version.filter(|version| *version > u64::from(VERSION)).map(DocumentError::Newer)
}

/// Reads a document of version 1.
pub(crate) fn read<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<T, DocumentError> {
    // Text that is known to be UTF-8 is not looked at again string by string.
    let read = match std::str::from_utf8(bytes) {
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(bytes),
    };
    read.map_err(|error| newer(bytes).unwrap_or_else(|| DocumentError::Content(error.to_string())))
}

/// A version that is not this one.
pub(crate) fn check_version(version: u32) -> Result<(), DocumentError> {
    match version {
        VERSION => Ok(()),
        0 => Err(DocumentError::Content("its version is 0: there is none".to_owned())),
        newer => Err(DocumentError::Newer(u64::from(newer))),
    }
}

impl<'a> Inventory<'a> {
    /// Reads a document. Names of data sets are borrowed from it.
    ///
    /// # Errors
    /// Names the line and column of what is not understood.
    pub fn parse(bytes: &'a [u8]) -> Result<Self, DocumentError> {
        let inventory: Self = read(bytes)?;
        inventory.checked()
    }

    /// What no field by itself can say.
    pub(crate) fn checked(self) -> Result<Self, DocumentError> {
        check_version(self.version)?;
        for log in &self.logs {
            if log.end < log.start || !(1..=2).contains(&log.copy) {
                return Err(DocumentError::Content(format!(
                    "log data set {}: copy {} from {} to {} cannot be",
                    log.name, log.copy, log.start, log.end
                )));
            }
        }
        Ok(self)
    }

    /// The document as compact JSON.
    ///
    /// # Errors
    /// [`DocumentError::Content`] when a value cannot be written as JSON.
    pub fn to_json(&self) -> Result<String, DocumentError> {
        serde_json::to_string(self).map_err(|error| DocumentError::Content(error.to_string()))
    }
}
