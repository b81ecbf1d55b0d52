//! A run of cuts at random places, each followed by more work; what the log then says is compared with what was kept.

use engine_log::history::{self, Cut};
use engine_log::{LogError, LogManager};
use engine_storage::{FaultyStorage, Random};
use format_types::{Rba, RbaRange};

use super::{NOW, SIZE, create, dir, fill, numbers, offload, open, reader};

/// A log that is cut now and then.
pub(crate) struct Cuts {
    pub(crate) storage: FaultyStorage,
    pub(crate) random: Random,
    /// Records on the line, by their RBAs, with the number each says.
    pub(crate) line: Vec<(RbaRange, u64)>,
    next: u64,
}

impl Cuts {
    pub(crate) fn new(seed: u64) -> Self {
        let storage = FaultyStorage::new(seed);
        create(&storage.shared(), seed.is_multiple_of(2), SIZE, 3);
        Self { storage, random: Random::new(seed ^ 0xC07), line: Vec::new(), next: 0 }
    }

    /// Opens the log, writes some records, and stops in one way or another.
    pub(crate) fn work(&mut self, most: u64) {
        let mut log = open(&self.storage.shared());
        let count = 1 + self.random.below(most);
        let written = fill(&mut log, self.next, count);
        self.next += count;
        self.line.extend(written);
        if self.random.below(3) == 0 {
            // The log ends with a data set that has nothing but its first record.
            while let Err(LogError::LastAvailable) = log.switch() {
                offload(&mut log);
            }
        }
        if self.random.below(2) == 0 {
            offload(&mut log);
        }
        log.sync_now().unwrap();
    }

    /// Somewhere on the line: where a record begins, in its middle, at its end, behind the last one.
    pub(crate) fn target(&mut self) -> Rba {
        let place = self.random.below(self.line.len() as u64) as usize;
        let range = self.line[place].0;
        match self.random.below(4) {
            0 => range.start,
            1 => range.start.plus(1 + self.random.below(range.len() - 1)),
            2 => range.end,
            _ => self.line.last().unwrap().0.end,
        }
    }

    /// Cuts at `target`.
    pub(crate) fn cut(&mut self, target: Rba) -> Result<Cut, LogError> {
        let storage = self.storage.shared();
        let mut found = reader(&storage);
        let end = found.find_end()?.end;
        let place = found.cut_at(target, end)?;
        let random = self.random.below(u64::MAX);
        history::cut(&storage, &dir(), place, random, NOW)
    }

    /// Forgets what lies behind `target`.
    pub(crate) fn forget(&mut self, target: Rba) {
        self.line.retain(|(range, _)| range.start < target);
    }

    /// The log, as its files have it, holds the line and nothing else.
    pub(crate) fn check(&mut self) -> Result<(), String> {
        let storage = self.storage.shared();
        let mut found = reader(&storage);
        let end = found.find_end().map_err(|error| error.to_string())?.end;
        let read = numbers(&found, end).map_err(|error| error.to_string())?;
        if read != self.line {
            return Err(format!("{} records are read, {} are on the line", read.len(), self.line.len()));
        }
        let missing = found.missing(RbaRange::new(Rba::ZERO, end)).map_err(|error| error.to_string())?;
        if !missing.is_empty() {
            return Err(format!("missing: {missing:?}"));
        }
        for (range, _) in &self.line {
            let record = found.record_at(range.start).map_err(|error| error.to_string())?;
            if record.range != *range {
                return Err(format!("{range} reads as {}", record.range));
            }
        }
        Ok(())
    }
}

/// Several cuts with work between them.
pub(crate) fn run(seed: u64) -> Result<u64, String> {
    let mut cuts = Cuts::new(seed);
    cuts.work(120);
    let mut histories = 1;
    for _ in 0..5 {
        let target = cuts.target();
        cuts.cut(target).map_err(|error| error.to_string())?;
        cuts.forget(target);
        histories += 1;
        cuts.check()?;
        if cuts.random.below(4) > 0 {
            cuts.work(100);
            cuts.check()?;
        }
        if cuts.line.is_empty() {
            cuts.work(20);
        }
    }
    let log = LogManager::open(&cuts.storage.shared(), &dir(), NOW).map_err(|error| error.to_string())?;
    if log.bsds().histories.len() as u64 != histories {
        return Err(format!("{} histories instead of {histories}", log.bsds().histories.len()));
    }
    Ok(histories)
}
