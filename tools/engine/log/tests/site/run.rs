//! A run of random work over crashes.

use engine_log::{LogError, LogManager, LogReader, OffloadJob, OffloadStep, SyncJob};
use engine_storage::{FaultyStorage, Random};
use format_types::{Rba, RbaRange};

use super::{NOW, SIZE, append, create, dir, numbers};

/// A run over crashes, and what it may rely on.
pub(crate) struct Run {
    pub(crate) storage: FaultyStorage,
    pub(crate) random: Random,
    /// Every record that may be in the log, in order.
    pub(crate) appended: Vec<(RbaRange, u64)>,
    /// How many of them were acknowledged.
    pub(crate) acknowledged: usize,
    pub(crate) next: u64,
    pub(crate) starts: u64,
    pub(crate) switches: u64,
    pub(crate) offloads: u64,
    pub(crate) single_modes: u64,
}

impl Run {
    pub(crate) fn new(seed: u64, dual: bool) -> Self {
        let storage = FaultyStorage::new(seed);
        create(&storage.shared(), dual, SIZE, 3);
        Self {
            storage,
            random: Random::new(seed ^ 0x5EED),
            appended: Vec::new(),
            acknowledged: 0,
            next: 0,
            starts: 0,
            switches: 0,
            offloads: 0,
            single_modes: 0,
        }
    }

    /// Opens the log and checks that it holds what it must and no more.
    pub(crate) fn start(&mut self) -> Result<LogManager, LogError> {
        let log = LogManager::open(&self.storage.shared(), &dir(), NOW)?;
        // What is on disk, not what is in the manager's buffer.
        let found = numbers(&LogReader::open(&self.storage.shared(), &dir())?, log.synced())?;
        assert!(found.len() >= self.acknowledged, "{} of {} records", found.len(), self.acknowledged);
        assert_eq!(found[..], self.appended[..found.len()], "other records than were written");
        self.appended.truncate(found.len());
        self.acknowledged = found.len();
        self.starts += 1;
        Ok(log)
    }

    pub(crate) fn acknowledge(&mut self, synced: Rba) {
        while self.appended.get(self.acknowledged).is_some_and(|(range, _)| range.end <= synced) {
            self.acknowledged += 1;
        }
    }

    /// Works until `steps` are done or storage ends it.
    pub(crate) fn work(&mut self, log: &mut LogManager, steps: u64) -> Result<(), LogError> {
        let mut sync: Option<SyncJob> = None;
        let mut offload: Option<OffloadJob> = None;
        for _ in 0..steps {
            match self.random.below(100) {
                0..60 => {
                    let length = match self.random.below(10) {
                        0 => 56,
                        1..6 => 56 + self.random.below(600),
                        _ => 56 + self.random.below(16_000),
                    };
                    match append(log, self.next, length as usize) {
                        Ok(range) => self.appended.push((range, self.next)),
                        Err(LogError::Full) => {
                            if offload.is_none() {
                                offload = log.next_offload();
                            }
                        }
                        Err(error) => return Err(error),
                    }
                    self.next += 1;
                }
                60..75 => match sync.take() {
                    Some(job) => {
                        let synced = log.finish_sync(job.run())?;
                        self.acknowledge(synced);
                    }
                    None => sync = log.begin_sync()?,
                },
                75..78 => {
                    let synced = log.sync_now()?;
                    self.acknowledge(synced);
                }
                78 => match log.switch() {
                    Ok(()) | Err(LogError::LastAvailable) => {}
                    Err(error) => return Err(error),
                },
                79 => log.update_bsds(|bsds| bsds.clean_stop = None)?,
                _ => match &mut offload {
                    Some(job) => {
                        if let OffloadStep::Done(outcome) = job.step() {
                            offload = None;
                            self.offloads += u64::from(outcome.is_success());
                            log.finish_offload(outcome)?;
                        }
                    }
                    None => offload = log.next_offload(),
                },
            }
            let single = log.take_messages().iter().any(|message| message.starts_with("CSQJ004I"));
            self.single_modes += u64::from(single);
        }
        self.switches += log.switches();
        Ok(())
    }
}
