//! Everything that decides which log must stay, read at one moment.

use std::path::Path;
use std::time::Duration;

use engine_log::{LogReader, bsds_is_newest, read_bsds};
use engine_recovery::status::at_rest_by;
use engine_storage::SharedStorage;
use format_bsds::Bsds;
use format_types::{Timestamp, UsageReport};

use crate::SourceError;
use crate::files::{self, ArchiveFile, Stray};
use crate::points::{self, PointCheck};
use crate::usage::usage;

/// How often facts are read before a queue manager that changes all the time is given up.
const ATTEMPTS: u32 = 50;

/// What is known of a queue manager.
#[derive(Debug, Clone)]
pub struct Facts {
    /// When they were read.
    pub at: Timestamp,
    /// The inventory of logs, points and holds.
    pub bsds: Bsds,
    /// What a restart needs.
    pub usage: UsageReport,
    /// Of each archive of the BSDS, what is found in the directory.
    pub archives: Vec<ArchiveFile>,
    /// Files that look like archives and are not in the BSDS.
    pub strays: Vec<Stray>,
    /// Of each recovery point of the BSDS, what is found of it.
    pub points: Vec<PointCheck>,
    /// Bytes of log read and checked in a second, once [`Facts::measure_reading`] has measured it.
    pub read_rate: Option<u64>,
}

/// Facts, and where they come from.
#[derive(Debug, Clone)]
pub struct Source {
    /// Answered by the running queue manager; else read from its files.
    pub live: bool,
    /// The facts.
    pub facts: Facts,
}

/// Reads the facts of the queue manager in `dir`, running or not, and changes nothing. `application` names the asking program to a
/// running one; `timeout` bounds every wait for it.
///
/// # Errors
/// When there is none, it does not answer, or its files cannot be read.
pub fn read_source(
    storage: &SharedStorage,
    dir: &Path,
    application: &str,
    timeout: Duration,
    now: Timestamp,
) -> Result<Source, SourceError> {
    for _ in 0..ATTEMPTS {
        // First whether there is one at all: without a BSDS its files say nothing.
        let found = usage(storage, dir, application, timeout)?;
        let mut reading = FactsReading::begin(found.report, now);
        loop {
            match reading.step(storage, dir)? {
                FactsStep::More => {}
                FactsStep::Changed => break,
                FactsStep::Done(facts) => return Ok(Source { live: found.live, facts: *facts }),
            }
        }
    }
    Err(SourceError::Changing(ATTEMPTS))
}

/// The reading of facts a step at a time, beside whatever else happens to the queue manager.
#[derive(Debug)]
pub struct FactsReading {
    usage: UsageReport,
    at: Timestamp,
    bsds: Option<Bsds>,
    facts: Option<Facts>,
}

/// What a step of [`FactsReading`] came to.
#[derive(Debug)]
pub enum FactsStep {
    /// There is more to read.
    More,
    /// The inventory has changed meanwhile: begin again, with the usage of a later moment.
    Changed,
    /// The facts.
    Done(Box<Facts>),
}

impl FactsReading {
    /// Begins with `usage`, as it was reported just now. What is needed rises as time goes by, so the usage of before an inventory never
    /// asks for less than that of after it.
    #[must_use]
    pub fn begin(usage: UsageReport, now: Timestamp) -> Self {
        Self { usage, at: now, bsds: None, facts: None }
    }

    /// Reads some of the queue manager in `dir`. What is in the inventory must be of one moment with what is in the directory, so in the
    /// end the inventory is looked at again.
    ///
    /// # Errors
    /// When its files cannot be read.
    pub fn step(&mut self, storage: &SharedStorage, dir: &Path) -> Result<FactsStep, SourceError> {
        if let Some(facts) = self.facts.take() {
            let sequence = facts.bsds.sequence;
            let same =
                bsds_is_newest(storage, dir, sequence) || read_bsds(storage, dir)?.sequence == sequence;
            return Ok(if same { FactsStep::Done(Box::new(facts)) } else { FactsStep::Changed });
        }
        match self.bsds.take() {
            Some(bsds) => self.facts = Some(Facts::of(storage, dir, bsds, self.usage.clone(), self.at)?),
            None => self.bsds = Some(read_bsds(storage, dir)?),
        }
        Ok(FactsStep::More)
    }
}

/// Reads the facts of the queue manager in `dir`, which is down; the caller holds its lock.
///
/// # Errors
/// When its files cannot be read.
pub fn read_at_rest(storage: &SharedStorage, dir: &Path, now: Timestamp) -> Result<Facts, SourceError> {
    facts_at_rest(storage, dir, read_bsds(storage, dir)?, now)
}

/// The same behind a BSDS that was read already.
pub(crate) fn facts_at_rest(
    storage: &SharedStorage,
    dir: &Path,
    bsds: Bsds,
    now: Timestamp,
) -> Result<Facts, SourceError> {
    let mut reader = LogReader::with_bsds(storage, dir, bsds);
    let report = at_rest_by(&mut reader, storage, dir)?;
    Facts::of(storage, dir, reader.into_bsds(), report, now)
}

impl Facts {
    /// The facts behind `bsds` and `usage`, with what is found in the directory and of the points.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub fn of(
        storage: &SharedStorage,
        dir: &Path,
        bsds: Bsds,
        usage: UsageReport,
        at: Timestamp,
    ) -> Result<Self, SourceError> {
        let (archives, strays) = files::look(storage, dir, &bsds)?;
        let points = bsds.recovery_points.iter().map(|entry| points::check(storage, &bsds, entry)).collect();
        Ok(Self { at, bsds, usage, archives, strays, points, read_rate: None })
    }

    /// What somebody should know of the facts beside the inventory: message identifier and text.
    #[must_use]
    pub fn doubts(&self) -> Vec<(&'static str, String)> {
        let mut doubts = Vec::new();
        for (entry, check) in self.bsds.recovery_points.iter().zip(&self.points) {
            if let Some(why) = &check.doubt {
                let text = format!(
                    "RECOVERY POINT {} IS NOT TO BE HAD AS IT WAS MADE: {why}; it counts for nothing and keeps its log. Bring it back, or forget it",
                    entry.name
                );
                doubts.push(("HWT828W", text));
            }
        }
        for stray in &self.strays {
            if let Err(why) = &stray.log {
                let text = format!(
                    "{} LOOKS LIKE AN ARCHIVE AND IS NONE OF THIS LOG: {why}; it is never deleted",
                    stray.name
                );
                doubts.push(("HWT829W", text));
            }
        }
        doubts
    }
}
