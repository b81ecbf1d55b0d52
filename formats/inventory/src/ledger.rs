//! The ledger document: recovery points that a site made on the host, as their jobs' output proved them.
//!
//! # Purpose
//! The log inventory of a real queue manager knows nothing of backups of its page sets. The ledger does: what was copied, when, and from
//! where the log was needed *then*, which DISPLAY USAGE of a later day does not say.
//!
//! # Form
//! One JSON document, read and written whole; fields that are not known are refused. `start` and `end` are inclusive: the log when the
//! copies began, and the last RBA that they may hold.

use std::collections::HashSet;

use format_types::{DataSetName, PageSetId, PointMethod, QueueManagerName, Rba, Timestamp};
use serde::{Deserialize, Serialize};

use crate::inventory::{DocumentError, check_version, read};
use crate::{VERSION, hex, time};

/// What made the copies.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum CopiedBy {
    /// IDCAMS REPRO.
    Repro,
    /// DFSMSdss, a logical copy.
    DssLogical,
    /// DFSMSdss, a physical copy.
    DssPhysical,
}

/// Why a point is believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Evidence {
    /// The output of its job says that every copy was made whole.
    Clean,
    /// Nothing but the word of whoever registered it.
    Trusted,
    /// Nothing: it counts once its copies are in a complete LISTCAT.
    None,
}

/// A page set of a point.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CopiedPageSet {
    /// The page set.
    pub psid: PageSetId,
    /// The data set that was copied.
    pub data_set: String,
    /// Its copy, by an absolute name.
    pub copy: String,
}

/// The restart RBAs that DISPLAY USAGE gave when the point was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RestartRbas {
    /// CSQI024I: offline page sets left out.
    #[serde(with = "hex")]
    pub online: Rba,
    /// CSQI025I: with offline page sets.
    #[serde(with = "hex")]
    pub with_offline: Rba,
}

impl RestartRbas {
    /// The one that decides.
    #[must_use]
    pub fn lowest(&self) -> Rba {
        self.online.min(self.with_offline)
    }
}

/// A recovery point made on the host.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LedgerPoint {
    /// The queue manager.
    pub queue_manager: QueueManagerName,
    /// Its name, one of its own for each queue manager.
    pub name: String,
    /// How it was made.
    pub method: PointMethod,
    /// When.
    #[serde(with = "time")]
    pub at: Timestamp,
    /// The local day on which its output was printed first, where that is known: copies are made on that day, or the next one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub printed_on: Option<String>,
    /// The log when its copies began.
    #[serde(with = "hex")]
    pub start: Rba,
    /// The last RBA that its copies may hold.
    #[serde(with = "hex")]
    pub end: Rba,
    /// What DISPLAY USAGE said then.
    pub restart: RestartRbas,
    /// What made the copies.
    pub copied_by: CopiedBy,
    /// Why it is believed.
    pub evidence: Evidence,
    /// The page sets in it.
    pub page_sets: Vec<CopiedPageSet>,
}

/// The points of a site.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Ledger {
    /// Version of the document.
    #[serde(default = "version")]
    pub version: u32,
    /// The points, as they were registered.
    pub points: Vec<LedgerPoint>,
}

fn version() -> u32 {
    VERSION
}

impl Default for Ledger {
    fn default() -> Self {
        Self { version: VERSION, points: Vec::new() }
    }
}

impl Ledger {
    /// Reads a document.
    ///
    /// # Errors
    /// Names the line and column of what is not understood, and a point that contradicts itself.
    pub fn parse(bytes: &[u8]) -> Result<Self, DocumentError> {
        let ledger: Self = read(bytes)?;
        check_version(ledger.version)?;
        let mut names = HashSet::new();
        for point in &ledger.points {
            let wrong = |why: &str| {
                Err(DocumentError::Content(format!("point {} of {}: {why}", point.name, point.queue_manager)))
            };
            if point.end < point.start {
                return wrong("it ends before it starts");
            }
            if point.restart.lowest() > point.end {
                return wrong("it needs log from behind its end");
            }
            let is_day = |day: &String| day.parse::<jiff::civil::Date>().is_ok();
            if point.printed_on.as_ref().is_some_and(|day| !is_day(day)) {
                return wrong("printed_on is no day: 2026-11-22 is wanted");
            }
            if point.name.is_empty() {
                return wrong("it has no name");
            }
            if point.page_sets.is_empty() {
                return wrong("it has no page set");
            }
            let mut numbers = HashSet::new();
            for set in &point.page_sets {
                if !numbers.insert(set.psid) {
                    return wrong(&format!("page set {} is there twice", set.psid));
                }
                for name in [&set.data_set, &set.copy] {
                    if let Err(error) = name.parse::<DataSetName>() {
                        return wrong(&format!("page set {}: {error}", set.psid));
                    }
                }
            }
            if !names.insert((&point.queue_manager, &point.name)) {
                return wrong("it is there twice");
            }
        }
        Ok(ledger)
    }

    /// The document.
    ///
    /// # Errors
    /// [`DocumentError::Content`] when a value cannot be written as JSON.
    pub fn to_json(&self) -> Result<String, DocumentError> {
        let json = serde_json::to_string_pretty(self);
        json.map(|text| text + "\n").map_err(|error| DocumentError::Content(error.to_string()))
    }
}

impl LedgerPoint {
    /// Whether it is the point of that name.
    #[must_use]
    pub fn is_named(&self, queue_manager: &QueueManagerName, name: &str) -> bool {
        self.queue_manager == *queue_manager && self.name == name
    }
}
