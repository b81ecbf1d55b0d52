//! The inventory as a value, and the questions asked of it.

use std::fmt;

use format_types::{
    Expand, HistoryId, LogHistory, PageSetId, QueueManagerId, QueueManagerName, Rba, RbaRange, Timestamp,
};

use crate::{ArchiveLog, BackupInProgress, Hold, Hole, RecoveryPointEntry};

/// Everything that a bootstrap data set says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bsds {
    /// Rises by one with every update.
    pub sequence: u64,
    /// The queue manager.
    pub queue_manager: QueueManagerId,
    /// Its name.
    pub name: QueueManagerName,
    /// When it was created.
    pub created: Timestamp,
    /// What it was created with.
    pub settings: Settings,
    /// Histories of the log, oldest first; the last is current.
    pub histories: Vec<LogHistory>,
    /// Active logs of both copies.
    pub active_logs: Vec<ActiveLog>,
    /// For each copy: it lacks log at or above this RBA, namely in those of its data sets that are marked incomplete.
    pub copy_stopped: [Option<Rba>; 2],
    /// Archive logs of both copies, in the order in which they were written.
    pub archives: Vec<ArchiveLog>,
    /// Number of the next archive.
    pub next_archive: u32,
    /// The log below it was durable when this was written.
    pub highest_written: Rba,
    /// The log below it is archived.
    pub highest_offloaded: Rba,
    /// The last complete checkpoints, newest last, 100 at most.
    pub checkpoints: Vec<CheckpointEntry>,
    /// RBA after the clean-stop record when the last stop was clean.
    pub clean_stop: Option<Rba>,
    /// Conditional restarts, oldest first.
    pub conditional_restarts: Vec<ConditionalRestart>,
    /// Backups that have begun.
    pub backups_in_progress: Vec<BackupInProgress>,
    /// Recovery points, oldest first.
    pub recovery_points: Vec<RecoveryPointEntry>,
    /// Holds on recovery points.
    pub holds: Vec<Hold>,
    /// The page sets.
    pub page_sets: Vec<PageSetEntry>,
    /// Log that was deleted because nothing needed it, in the order of histories and RBAs; no two of them touch.
    pub holes: Vec<Hole>,
}

/// What a queue manager was created with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Two copies of active logs.
    pub dual_active: bool,
    /// Two copies of archive logs.
    pub dual_archive: bool,
    /// Bytes of an active log data set.
    pub log_data_set_size: u64,
    /// Records between checkpoints (LOGLOAD).
    pub log_load: u32,
    /// Pages of the buffer pool.
    pub buffer_pool_pages: u32,
}

/// A page set as defined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageSetEntry {
    /// The page set.
    pub page_set: PageSetId,
    /// Pages that it was created with.
    pub initial_pages: u32,
    /// How it grows.
    pub expand: Expand,
    /// Where in the log it was defined: log below says nothing of it, even where it speaks of an older one of the same number. None where
    /// that is not known, after the BSDS was made anew.
    pub defined: Option<(HistoryId, Rba)>,
}

/// Status flags of an active log. NOT REUSABLE when it is neither new nor reusable.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct ActiveStatus {
    /// Never used.
    pub new: bool,
    /// Offloaded: may be written anew.
    pub reusable: bool,
    /// Neither copy of it could be read when it was to be offloaded; not reused before it is.
    pub stopped: bool,
    /// Ended before it was full.
    pub truncated: bool,
    /// This copy was not written, or not all of it: it lacks what lies at or above the RBA where its copy stopped.
    pub incomplete: bool,
}

impl ActiveStatus {
    /// Whether the log may switch to it.
    #[must_use]
    pub const fn is_available(self) -> bool {
        (self.new || self.reusable) && !self.stopped
    }
}

impl fmt::Display for ActiveStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut words = Vec::new();
        if self.truncated {
            words.push("TRUNCATED");
        }
        if self.stopped {
            words.push("STOPPED");
        }
        if self.incomplete {
            words.push("INCOMPLETE");
        }
        if self.new {
            words.push("NEW");
        }
        words.push(if self.new || self.reusable { "REUSABLE" } else { "NOT REUSABLE" });
        f.pad(&words.join(", "))
    }
}

/// An active log data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ActiveLog {
    /// Copy 1 or 2.
    pub copy: u8,
    /// Its name.
    pub name: String,
    /// Bytes.
    pub size: u64,
    /// The log it holds, whole control intervals; for the current one, the log it has room for. Kept when it becomes reusable, until
    /// it is written anew.
    pub range: Option<RbaRange>,
    /// Its status.
    pub status: ActiveStatus,
    /// How often it has been begun.
    pub instance: u32,
    /// The history of what it holds.
    pub history: HistoryId,
}

/// A complete checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CheckpointEntry {
    /// RBA of its begin record.
    pub begin: Rba,
    /// RBA after its end record.
    pub end: Rba,
    /// When.
    pub at: Timestamp,
}

/// A conditional restart record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConditionalRestart {
    /// When it was made.
    pub at: Timestamp,
    /// End of the log at the restart, and its first RBA afterwards.
    pub end: Rba,
    /// It is still to be used; else it is history.
    pub active: bool,
}

impl Bsds {
    /// Checkpoints that are kept.
    pub const CHECKPOINTS: usize = 100;

    /// The current log history. Decoded inventories have one.
    #[must_use]
    pub fn history(&self) -> HistoryId {
        self.histories.last().map_or(HistoryId { number: 0, random: 0 }, |history| history.id)
    }

    /// The history that `rba` of the current line belongs to: the current one, or the ancestor before the cut.
    #[must_use]
    pub fn history_at(&self, rba: Rba) -> HistoryId {
        let mut id = self.history();
        // Each step goes to an entry further up the list at most once.
        for _ in 0..self.histories.len() {
            let Some(entry) = self.histories.iter().find(|entry| entry.id == id) else { break };
            match entry.parent {
                Some((parent, _)) if rba < entry.first => id = parent,
                _ => break,
            }
        }
        id
    }

    /// The copies of active logs: 1 or 2.
    #[must_use]
    pub const fn copies(&self) -> u8 {
        if self.settings.dual_active { 2 } else { 1 }
    }

    /// The data set of `copy` that is being written: of those of the current history that are neither new nor reusable, the one
    /// furthest on.
    #[must_use]
    pub fn current_active(&self, copy: u8) -> Option<&ActiveLog> {
        let history = self.history();
        self.active_logs
            .iter()
            .filter(|log| log.copy == copy && log.history == history)
            .filter(|log| !log.status.new && !log.status.reusable)
            .max_by_key(|log| log.range.map(|range| range.start))
    }

    /// The RBA from which `log` lacks what its copy should hold; none when it is whole. What it holds below is whole control intervals
    /// as far as that one's.
    #[must_use]
    pub fn lacks_from(&self, log: &ActiveLog) -> Option<Rba> {
        let range = log.range?;
        if self.is_left_behind(log) {
            // Where the copy stopped is said of the current history.
            return log.status.incomplete.then_some(range.end);
        }
        let stopped = self.copy_stopped.get(usize::from(log.copy).checked_sub(1)?).copied().flatten();
        // Inventories of before data sets were marked say only where the copy stopped.
        let marked = self.actives(log.copy).any(|log| log.status.incomplete);
        let lacks = log.status.incomplete || !marked && stopped.is_some_and(|stopped| stopped < range.end);
        // One that may be used again says nothing any more of where it stopped.
        let from = stopped.filter(|_| !log.status.is_available()).unwrap_or(range.start);
        lacks.then_some(from.max(range.start))
    }

    /// Whether a cut left `log` behind: it holds log of an older history that is not archived, and is never written again. Where it is
    /// marked incomplete its range ends where it does.
    #[must_use]
    pub fn is_left_behind(&self, log: &ActiveLog) -> bool {
        log.history != self.history() && !log.status.is_available()
    }

    /// The active logs of `copy`.
    pub fn actives(&self, copy: u8) -> impl Iterator<Item = &ActiveLog> {
        self.active_logs.iter().filter(move |log| log.copy == copy)
    }

    /// Name of the data set of `copy` that holds `rba` of the current line: the active log, else the archive.
    #[must_use]
    pub fn data_set_holding(&self, rba: Rba, copy: u8) -> Option<&str> {
        let history = self.history_at(rba);
        let active = self
            .actives(copy)
            .find(|log| log.history == history && log.range.is_some_and(|range| range.contains(rba)))
            .map(|log| log.name.as_str());
        active.or_else(|| {
            self.archives
                .iter()
                .find(|log| log.copy == copy && log.history == history && log.range.contains(rba))
                .map(|log| log.name.as_str())
        })
    }

    /// Adds a complete checkpoint, forgetting the oldest when there are too many.
    pub fn add_checkpoint(&mut self, entry: CheckpointEntry) {
        self.checkpoints.push(entry);
        let surplus = self.checkpoints.len().saturating_sub(Self::CHECKPOINTS);
        self.checkpoints.drain(..surplus);
    }
}
