//! Which data sets hold a stretch of log, and reading from them.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use engine_storage::{OpenMode, SharedFile, SharedStorage};
use format_bsds::{ActiveLog, Bsds};
use format_log::LogIdentity;
use format_log::ci::CiPlace;
use format_types::{CI_SIZE, HistoryId, Rba, RbaRange};

/// A data set of the inventory that holds log.
pub(crate) struct DataSet {
    /// Copy 1 or 2.
    pub(crate) copy: u8,
    /// Its name.
    pub(crate) name: String,
    /// What of it is believed: whole control intervals.
    pub(crate) range: RbaRange,
    /// RBA of its first byte.
    start: Rba,
    instance: Option<u32>,
    history: HistoryId,
    file: OnceLock<Result<SharedFile, String>>,
}

/// All data sets of the current line of log, in the order in which they are asked: active copy 1, active copy 2, archive copy 1,
/// archive copy 2.
pub(crate) struct DataSets {
    storage: SharedStorage,
    dir: PathBuf,
    queue_manager: format_types::QueueManagerId,
    sets: Vec<DataSet>,
}

impl DataSets {
    /// The data sets that `bsds` names.
    pub(crate) fn of(storage: &SharedStorage, dir: &Path, bsds: &Bsds) -> Self {
        let mut sets = Vec::new();
        for copy in 1..=2 {
            sets.extend(bsds.actives(copy).filter_map(|log| active(bsds, log)));
        }
        for copy in 1..=2 {
            let archives = bsds.archives.iter().filter(|log| log.copy == copy);
            sets.extend(archives.filter_map(|log| {
                let range = on_the_line(bsds, log.history, log.range)?;
                Some(DataSet::new(copy, &log.name, range, log.range.start, None, log.history))
            }));
        }
        Self { storage: storage.clone(), dir: dir.to_owned(), queue_manager: bsds.queue_manager, sets }
    }

    /// The same data sets, for somebody else to read.
    pub(crate) fn again(&self) -> Self {
        let again = |set: &DataSet| {
            DataSet::new(set.copy, &set.name, set.range, set.start, set.instance, set.history)
        };
        Self {
            storage: self.storage.clone(),
            dir: self.dir.clone(),
            queue_manager: self.queue_manager,
            sets: self.sets.iter().map(again).collect(),
        }
    }

    /// Those that should hold the control interval at `rba`.
    pub(crate) fn holding(&self, rba: Rba) -> impl Iterator<Item = &DataSet> + Clone {
        self.sets.iter().filter(move |set| set.range.contains(rba))
    }

    /// The lowest start of a data set above `rba`.
    pub(crate) fn next_start(&self, rba: Rba) -> Option<Rba> {
        self.sets.iter().map(|set| set.range.start).filter(|start| *start > rba).min()
    }

    /// Fills `buffer`, whole control intervals, with the log from `rba` on as `set` has it. No checks but that the file is long
    /// enough.
    pub(crate) fn read(&self, set: &DataSet, rba: Rba, buffer: &mut [u8]) -> Result<(), String> {
        let file = set.file.get_or_init(|| {
            self.storage.open(&self.dir.join(&set.name), OpenMode::Read).map_err(|error| error.to_string())
        });
        let file = file.as_ref().map_err(Clone::clone)?;
        file.read_at(rba.since(set.start), buffer).map_err(|error| error.to_string())
    }

    /// Where the control interval at `rba` is expected in `set`.
    pub(crate) fn place(&self, set: &DataSet, rba: Rba) -> CiPlace {
        let identity = LogIdentity { queue_manager: self.queue_manager, history: set.history };
        CiPlace { rba, identity, instance: set.instance }
    }
}

impl DataSet {
    fn new(
        copy: u8,
        name: &str,
        range: RbaRange,
        start: Rba,
        instance: Option<u32>,
        history: HistoryId,
    ) -> Self {
        Self { copy, name: name.to_owned(), range, start, instance, history, file: OnceLock::new() }
    }
}

fn active(bsds: &Bsds, log: &ActiveLog) -> Option<DataSet> {
    let whole = log.range?;
    let mut range = on_the_line(bsds, log.history, whole)?;
    // A copy that stopped is complete only below the RBA where it did.
    if let Some(stopped) = bsds.copy_stopped.get(usize::from(log.copy) - 1).copied().flatten() {
        range.end = range.end.min(stopped.ci_start());
    }
    if range.is_empty() {
        return None;
    }
    Some(DataSet::new(log.copy, &log.name, range, whole.start, Some(log.instance), log.history))
}

/// The part of `range` of `history` that belongs to the current line of log: an ancestor's ends where its child begins.
fn on_the_line(bsds: &Bsds, history: HistoryId, mut range: RbaRange) -> Option<RbaRange> {
    if bsds.history_at(range.start) != history {
        return None;
    }
    let child = bsds.histories.iter().find(|entry| {
        entry.parent.is_some_and(|(parent, _)| parent == history) && bsds.history_at(entry.first) == entry.id
    });
    if let Some(child) = child {
        range.end = range.end.min(child.first);
    }
    (!range.is_empty()).then_some(range)
}

/// Bytes of a control interval, as a length of log.
pub(crate) const CI: u64 = CI_SIZE as u64;
