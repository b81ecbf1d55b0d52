//! What applying a plan did, and why it was not done.

use std::collections::HashSet;

use engine_queue_manager::{ChangeError, CoreError};
use format_inventory::WarningEntry;
use format_types::{ConditionCode, QueueManagerName, Rba};
use serde::Serialize;

use crate::apply::Orders;
use crate::decision::{Decision, NotApplied};
use crate::document::history_name;
use crate::error::SourceError;
use crate::facts::Facts;

/// An archive that is deleted, or would be.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Gone {
    /// Its name.
    pub name: String,
    /// Log copy.
    pub copy: u8,
    /// The history of its log.
    pub history: String,
    /// Its first RBA.
    pub start: Rba,
    /// Its last RBA.
    pub end: Rba,
    /// Its bytes.
    pub bytes: u64,
}

impl Gone {
    pub(crate) fn of(facts: &Facts, place: usize) -> Option<Self> {
        let (archive, file) = (facts.bsds.archives.get(place)?, facts.archives.get(place)?);
        Some(Self {
            name: archive.name.clone(),
            copy: archive.copy,
            history: history_name(archive.history),
            start: archive.range.start,
            end: archive.range.last(),
            bytes: file.bytes,
        })
    }
}

/// A file that stays although its archive was to go.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Stays {
    /// Its name.
    pub name: String,
    /// Why.
    pub why: String,
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Applied {
    /// Whose archives.
    pub queue_manager: QueueManagerName,
    /// The queue manager ran.
    pub live: bool,
    /// Nothing was deleted: what is listed would be.
    pub dry_run: bool,
    /// What was to be kept.
    pub policy: Vec<String>,
    /// What is deleted, in the order of the inventory.
    pub deleted: Vec<Gone>,
    /// How many archives an earlier run had begun to delete, and this one finished.
    pub finished: u64,
    /// What an earlier run had begun to delete, is needed, and stays.
    pub spared: Vec<String>,
    /// What was to go and was not there; its entries are dropped.
    pub missing: Vec<String>,
    /// What stays although it was to go.
    pub stays: Vec<Stays>,
    /// What the plan names and had gone before.
    pub already_gone: u64,
    /// Archives that are kept.
    pub kept: u64,
    /// What to look at.
    pub warnings: Vec<WarningEntry>,
    /// What was said of the copies of the BSDS, where one had to be repaired or could not be written.
    pub messages: Vec<String>,
}

impl Applied {
    pub(crate) fn new(facts: &Facts, live: bool, orders: &Orders<'_>) -> Self {
        Self {
            queue_manager: facts.bsds.name.clone(),
            live,
            dry_run: orders.dry_run,
            policy: orders.policy.lines(),
            deleted: Vec::new(),
            finished: 0,
            spared: Vec::new(),
            missing: Vec::new(),
            stays: Vec::new(),
            already_gone: 0,
            kept: 0,
            warnings: Vec::new(),
            messages: Vec::new(),
        }
    }

    /// What carrying `decision` out would do.
    pub(crate) fn would(&mut self, facts: &Facts, decision: &Decision) {
        let deleted = self.deleted.iter().map(|gone| &gone.name);
        let known: HashSet<String> = deleted.chain(&self.missing).cloned().collect();
        for place in &decision.doomed {
            let (Some(gone), Some(file)) = (Gone::of(facts, *place), facts.archives.get(*place)) else {
                continue;
            };
            // Finished first, it would not be there the second time.
            if known.contains(&gone.name) {
                continue;
            }
            if file.present {
                self.deleted.push(gone);
            } else {
                self.missing.push(gone.name);
            }
        }
        for archive in decision.spared.iter().filter_map(|place| facts.bsds.archives.get(*place)) {
            self.spared.push(archive.name.clone());
        }
        self.note(decision);
    }

    pub(crate) fn note(&mut self, decision: &Decision) {
        self.finished += decision.marked as u64;
        self.already_gone += decision.already_gone;
        self.kept = decision.kept;
        self.warnings.clone_from(&decision.warnings);
    }

    /// 8 when something stays that was to go, 4 when there is something to look at, else 0.
    #[must_use]
    pub fn code(&self) -> ConditionCode {
        let quiet = [self.warnings.is_empty(), self.missing.is_empty(), self.spared.is_empty()];
        match (self.stays.is_empty(), self.messages.is_empty() && quiet == [true; 3]) {
            (false, _) => ConditionCode::Partial,
            (true, false) => ConditionCode::Warning,
            (true, true) => ConditionCode::Done,
        }
    }

    /// Bytes that are deleted.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.deleted.iter().map(|gone| gone.bytes).sum()
    }
}

/// Why a plan was not applied, or not to its end. Each carries its message identifier.
#[derive(Debug, thiserror::Error)]
pub enum ApplyError {
    /// The facts cannot be had.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// It must not be applied.
    #[error(transparent)]
    NotApplied(#[from] NotApplied),
    /// The BSDS could not be changed; nothing is deleted.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The directory cannot be had.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// Whoever looked at it before stopped it.
    #[error("{0}")]
    Stopped(String),
    /// Files are removed, and may come back.
    #[error(
        "HWT843S FILES ARE REMOVED, BUT THE DIRECTORY COULD NOT BE SYNCED: {0}; their entries stay marked. Mend the device, then apply the plan again"
    )]
    NotSynced(String),
    /// Files are removed, and the BSDS names them still.
    #[error("HWT844S FILES ARE REMOVED, AND THEIR ENTRIES STAY MARKED: {0}. Apply the plan again")]
    NotSettled(ChangeError),
}

impl ApplyError {
    /// The condition code that this deserves.
    #[must_use]
    pub fn code(&self) -> ConditionCode {
        match self {
            Self::Source(error) => error.code(),
            Self::Change(error) => error.code(),
            Self::NotApplied(_) | Self::Stopped(_) | Self::Core(_) => ConditionCode::Refused,
            Self::NotSynced(_) | Self::NotSettled(_) => ConditionCode::Severe,
        }
    }
}
