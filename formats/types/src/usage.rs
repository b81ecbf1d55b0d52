//! What DISPLAY USAGE answers, as values: the use of page sets and buffer pools, and the system recovery RBA with its holders.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{PageSetId, Rba, Urid};

/// How a page set grows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Expand {
    /// By the size it was defined with.
    User,
    /// By about a tenth of its present size.
    System,
    /// Not at all.
    None,
}

impl fmt::Display for Expand {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::User => "USER",
            Self::System => "SYSTEM",
            Self::None => "NONE",
        })
    }
}

/// Use of one page set: a row of CSQI010I.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageSetUsage {
    /// The page set.
    pub page_set: PageSetId,
    /// Its buffer pool.
    pub buffer_pool: u8,
    /// Whether it is open and usable.
    pub online: bool,
    /// Pages formatted and usable (HI-U over 4096).
    pub total_pages: u64,
    /// Free pages.
    pub unused_pages: u64,
    /// Pages of page zero, space maps, objects and persistent messages.
    pub persistent_pages: u64,
    /// Pages of nonpersistent messages.
    pub nonpersistent_pages: u64,
    /// How it grows.
    pub expand: Expand,
    /// How often it has grown.
    pub expansions: u32,
    /// Every change below this RBA is in the page set on disk.
    pub recovery_rba: Rba,
}

/// Use of one buffer pool: a row of CSQI065I.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct BufferPoolUsage {
    /// The pool.
    pub buffer_pool: u8,
    /// Buffers in it.
    pub available: u64,
    /// Buffers that hold no changed page.
    pub stealable: u64,
}

/// State of a unit of recovery.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum UnitState {
    /// Working; backed out at a restart.
    InFlight,
    /// Prepared; settled by its coordinator or by RESOLVE INDOUBT.
    InDoubt,
    /// Committed; its deletions are still to be made.
    InCommit,
    /// Being backed out.
    InBackout,
}

impl fmt::Display for UnitState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(match self {
            Self::InFlight => "in-flight",
            Self::InDoubt => "in-doubt",
            Self::InCommit => "in-commit",
            Self::InBackout => "in-backout",
        })
    }
}

/// An active unit of recovery.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UnitUsage {
    /// Its identifier: the RBA of its first record.
    pub urid: Urid,
    /// Its state.
    pub state: UnitState,
    /// The connection that it belongs to.
    pub connection: String,
}

/// One part of the system recovery RBA, and who holds it there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryPart {
    /// Log from here on is needed.
    pub rba: Rba,
    /// Who needs it, for people: `page set 02`, `unit of recovery 00000000008BE034 (in-flight, connection LOAD-3)`.
    pub holder: String,
}

/// The system recovery RBA at a moment: the lowest of its parts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SystemRecovery {
    /// (a) The lowest recovery RBA of the page sets, offline ones included.
    pub page_sets: RecoveryPart,
    /// (b) The lowest RBA that this log must supply to recover any structure; none without structures.
    pub structures: Option<RecoveryPart>,
    /// (c) The oldest active unit of recovery; none when no unit is active.
    pub units: Option<RecoveryPart>,
    /// The lowest page set recovery RBA when offline page sets are left out.
    pub page_sets_online: Rba,
}

impl SystemRecovery {
    fn others(&self) -> Rba {
        let part = |p: &Option<RecoveryPart>| p.as_ref().map_or(Rba::MAX, |p| p.rba);
        part(&self.structures).min(part(&self.units))
    }

    /// The part that decides, and the RBA: the lower of CSQI024I and CSQI025I.
    #[must_use]
    pub fn lowest(&self) -> &RecoveryPart {
        [Some(&self.page_sets), self.structures.as_ref(), self.units.as_ref()]
            .into_iter()
            .flatten()
            .min_by_key(|part| part.rba)
            .unwrap_or(&self.page_sets)
    }

    /// CSQI024I: the lowest of all parts, leaving offline page sets out.
    #[must_use]
    pub fn restart_rba(&self) -> Rba {
        self.page_sets_online.min(self.others())
    }

    /// CSQI025I: the lowest of all parts, offline page sets included.
    #[must_use]
    pub fn restart_rba_with_offline(&self) -> Rba {
        self.page_sets.rba.min(self.others())
    }
}

/// A row of CSQI070I: the log data set that holds an RBA.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DataSetUsage {
    /// The RBA asked for.
    pub rba: Rba,
    /// The copy-1 log data set that holds it; none when no inventory entry does.
    pub data_set: Option<String>,
}

/// All that DISPLAY USAGE TYPE(ALL) says.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UsageReport {
    /// Rows of CSQI010I.
    pub page_sets: Vec<PageSetUsage>,
    /// Rows of CSQI065I; empty when the queue manager is down.
    pub buffer_pools: Vec<BufferPoolUsage>,
    /// CSQI070I, oldest with active unit of work; none when no unit is active.
    pub oldest_unit: Option<DataSetUsage>,
    /// CSQI070I, oldest for page set recovery.
    pub oldest_page_set: DataSetUsage,
    /// The active units of recovery, oldest first.
    pub units: Vec<UnitUsage>,
    /// The system recovery RBA.
    pub system_recovery: SystemRecovery,
    /// End of the log at this moment.
    pub log_end: Rba,
}
