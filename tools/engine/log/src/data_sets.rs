//! Which data sets hold a stretch of log, and reading from them.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use engine_storage::planted::{self, Defect};
use engine_storage::{OpenMode, SharedFile, SharedStorage};
use format_bsds::{ActiveLog, Bsds, Line};
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
    /// An active log that is archived: it may be written anew at any time, or have been made anew.
    pub(crate) archived: bool,
    /// An archive that is being deleted: its file may go at any moment.
    deleting: bool,
    file: OnceLock<Result<SharedFile, String>>,
}

/// All data sets of the current line of log, in the order in which they are asked: active copy 1, active copy 2, archive copy 1,
/// archive copy 2.
pub(crate) struct DataSets {
    storage: SharedStorage,
    dir: PathBuf,
    queue_manager: format_types::QueueManagerId,
    sets: Vec<DataSet>,
    /// Stretches inside control intervals of the line that are not on it: what a cut left behind.
    abandoned: Vec<RbaRange>,
    /// Files that were opened and not closed.
    opened: AtomicUsize,
}

/// Files that are kept open, more or less: a log may have more archives than a process may have files.
const FILES_KEPT: usize = 32;

impl DataSets {
    /// The data sets that `bsds` names.
    pub(crate) fn of(storage: &SharedStorage, dir: &Path, bsds: &Bsds) -> Self {
        let line = bsds.line();
        let mut sets = Vec::new();
        for copy in 1..=2 {
            sets.extend(bsds.actives(copy).filter_map(|log| active(bsds, &line, log)));
        }
        for copy in 1..=2 {
            let archives = bsds.archives.iter().filter(|log| log.copy == copy);
            sets.extend(archives.filter_map(|log| {
                let range = line.clip(log.history, log.range)?;
                // Its file may be gone: that is no damage, and nobody is to look there.
                let gone = log.deleting && !storage.exists(&dir.join(&log.name)).unwrap_or(true);
                let set = DataSet::new(copy, &log.name, range, log.range.start, None, log.history);
                (!gone).then_some(DataSet { deleting: log.deleting, ..set })
            }));
        }
        let abandoned = line.abandoned();
        Self {
            storage: storage.clone(),
            dir: dir.to_owned(),
            queue_manager: bsds.queue_manager,
            sets,
            abandoned,
            opened: AtomicUsize::new(0),
        }
    }

    /// The same data sets, for somebody else to read.
    pub(crate) fn again(&self) -> Self {
        let again = |set: &DataSet| DataSet {
            archived: set.archived,
            deleting: set.deleting,
            ..DataSet::new(set.copy, &set.name, set.range, set.start, set.instance, set.history)
        };
        Self {
            storage: self.storage.clone(),
            dir: self.dir.clone(),
            queue_manager: self.queue_manager,
            sets: self.sets.iter().map(again).collect(),
            abandoned: self.abandoned.clone(),
            opened: AtomicUsize::new(0),
        }
    }

    /// Closes files of data sets that do not hold `rba`, when many are open.
    pub(crate) fn close_others(&mut self, rba: Rba) {
        if *self.opened.get_mut() < FILES_KEPT {
            return;
        }
        *self.opened.get_mut() = 0;
        for set in self.sets.iter_mut().filter(|set| !set.range.contains(rba)) {
            set.file = OnceLock::new();
        }
    }

    /// Where the line goes on when `rba` lies behind a cut, in the control interval that holds it; none when `rba` is on the line.
    pub(crate) fn after_cut(&self, rba: Rba) -> Option<Rba> {
        if planted::active(Defect::CutIgnoredInCi) {
            return None;
        }
        self.abandoned.iter().find(|gap| gap.contains(rba)).map(|gap| gap.end)
    }

    /// What of a stretch that begins with the control interval at `ci` has to be readable there: up to `to`, or up to the cut that lies in
    /// that control interval, for nobody reads what is behind it.
    pub(crate) fn wanted(&self, ci: Rba, to: Rba) -> Rba {
        let in_ci = |gap: &&RbaRange| gap.start > ci && gap.start < ci.plus(CI);
        let cut = self.abandoned.iter().find(in_ci).filter(|_| !planted::active(Defect::CutIgnoredInCi));
        cut.map_or(to, |gap| gap.start.min(to))
    }

    /// All of them.
    pub(crate) fn all(&self) -> impl Iterator<Item = &DataSet> {
        self.sets.iter()
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
            self.opened.fetch_add(1, Ordering::Relaxed);
            self.open(set)
        });
        let file = file.as_ref().map_err(Clone::clone)?;
        set.read(file, rba, buffer)
    }

    /// The file of `set`, for whoever closes it again.
    pub(crate) fn open(&self, set: &DataSet) -> Result<SharedFile, String> {
        self.storage.open(&self.dir.join(&set.name), OpenMode::Read).map_err(|error| error.to_string())
    }

    /// Whether `set` is an archive that was deleted since these data sets were named.
    pub(crate) fn was_deleted(&self, set: &DataSet) -> bool {
        set.deleting && !self.storage.exists(&self.dir.join(&set.name)).unwrap_or(true)
    }

    /// Where the control interval at `rba` is expected in `set`.
    pub(crate) fn place(&self, set: &DataSet, rba: Rba) -> CiPlace {
        let identity = LogIdentity { queue_manager: self.queue_manager, history: set.history };
        CiPlace { rba, identity, instance: set.instance }
    }
}

impl DataSet {
    /// Fills `buffer` with the log from `rba` on.
    pub(crate) fn read(&self, file: &SharedFile, rba: Rba, buffer: &mut [u8]) -> Result<(), String> {
        file.read_at(rba.since(self.start), buffer).map_err(|error| error.to_string())
    }

    /// Whether it is an active log.
    pub(crate) fn is_active(&self) -> bool {
        self.instance.is_some()
    }

    fn new(
        copy: u8,
        name: &str,
        range: RbaRange,
        start: Rba,
        instance: Option<u32>,
        history: HistoryId,
    ) -> Self {
        Self {
            copy,
            name: name.to_owned(),
            range,
            start,
            instance,
            history,
            archived: false,
            deleting: false,
            file: OnceLock::new(),
        }
    }
}

fn active(bsds: &Bsds, line: &Line, log: &ActiveLog) -> Option<DataSet> {
    let whole = log.range?;
    let mut range = line.clip(log.history, whole)?;
    if let Some(lacks) = bsds.lacks_from(log) {
        range.end = range.end.min(lacks.ci_start());
    }
    if range.is_empty() {
        return None;
    }
    let set = DataSet::new(log.copy, &log.name, range, whole.start, Some(log.instance), log.history);
    Some(DataSet { archived: log.status.is_available(), ..set })
}

/// Bytes of a control interval, as a length of log.
pub(crate) const CI: u64 = CI_SIZE as u64;
