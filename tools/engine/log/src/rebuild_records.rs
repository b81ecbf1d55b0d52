//! What the records of a log say that its BSDS has to know: where it ends, the last checkpoints, the page sets at the last one.

use std::path::Path;

use engine_storage::SharedStorage;
use format_bsds::{Bsds, CheckpointEntry};
use format_log::Body;
use format_types::{PageSetId, Rba};

use crate::chunks::Chunks;
use crate::data_sets::DataSets;
use crate::{LogError, RecordStream, end};

/// Complete checkpoints that are looked for: a restart needs the log from the last but one.
const WANTED: usize = 3;

/// What the records say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Recorded {
    /// End of the log.
    pub(crate) end: Rba,
    /// Highest sequence of the BSDS that a record carries.
    pub(crate) sequence: u64,
    /// Complete checkpoints, oldest first.
    pub(crate) checkpoints: Vec<CheckpointEntry>,
    /// Page sets of the last complete checkpoint.
    pub(crate) page_sets: Option<Vec<PageSetId>>,
    /// Where the oldest unit of recovery began that was active at that checkpoint.
    pub(crate) oldest_unit: Option<Rba>,
}

impl Recorded {
    /// Reads the log that `bsds` describes backward, data set by data set, until enough checkpoints are found.
    ///
    /// # Errors
    /// When the log's end cannot be found, or the log cannot be read back to a checkpoint.
    pub(crate) fn read(storage: &SharedStorage, dir: &Path, bsds: &Bsds) -> Result<Self, LogError> {
        // The sequence is what is to be found: none that a record carries is too high.
        let bsds = Bsds { sequence: u64::MAX, ..bsds.clone() };
        let log_end = end::find(storage, dir, &bsds)?.end;
        let line = bsds.line();
        let actives = bsds.actives(1).filter_map(|log| line.clip(log.history, log.range?));
        let archives = bsds.archives.iter().filter_map(|log| line.clip(log.history, log.range));
        let mut starts: Vec<Rba> = actives.chain(archives).map(|range| range.start).collect();
        starts.sort_unstable();
        starts.dedup();
        let mut best: Option<Self> = None;
        for start in starts.into_iter().rev().filter(|start| *start <= log_end) {
            match Self::read_from(storage, dir, &bsds, start, log_end) {
                Ok(found) => {
                    let enough = found.checkpoints.len() >= WANTED;
                    best = Some(found);
                    if enough {
                        break;
                    }
                }
                Err(error) => {
                    // Older log may be gone or bad; it is needed only where no checkpoint is found without it.
                    if best.as_ref().is_none_or(|best| best.checkpoints.is_empty()) {
                        return Err(error);
                    }
                    break;
                }
            }
        }
        Ok(best.unwrap_or(Self {
            end: log_end,
            sequence: 0,
            checkpoints: Vec::new(),
            page_sets: None,
            oldest_unit: None,
        }))
    }

    fn read_from(
        storage: &SharedStorage,
        dir: &Path,
        bsds: &Bsds,
        from: Rba,
        end: Rba,
    ) -> Result<Self, LogError> {
        let mut found =
            Self { end, sequence: 0, checkpoints: Vec::new(), page_sets: None, oldest_unit: None };
        let mut pending: Option<Vec<PageSetId>> = None;
        let mut oldest: Option<Rba> = None;
        let mut stream = RecordStream::new(Chunks::new(DataSets::of(storage, dir, bsds)), from, end);
        while let Some((range, record)) = stream.next()? {
            match &record.body {
                Body::Switch { bsds_sequence } => found.sequence = found.sequence.max(*bsds_sequence),
                Body::BeginCheckpoint { bsds_sequence } => {
                    found.sequence = found.sequence.max(*bsds_sequence);
                    (pending, oldest) = (None, None);
                }
                Body::CheckpointUnits { units } => {
                    oldest = units.iter().map(|unit| unit.urid.0).chain(oldest).min();
                }
                Body::CheckpointPageSets { sets } => {
                    pending.get_or_insert_default().extend(sets.iter().map(|(page_set, ..)| *page_set));
                }
                // One whose beginning lies before what is read is found with the data set before.
                Body::EndCheckpoint { begin } if *begin >= from => {
                    found.checkpoints.push(CheckpointEntry {
                        begin: *begin,
                        end: range.end,
                        at: record.header.lrsn.timestamp(),
                    });
                    (found.page_sets, found.oldest_unit) = (pending.take(), oldest.take());
                }
                _ => {}
            }
        }
        Ok(found)
    }
}
