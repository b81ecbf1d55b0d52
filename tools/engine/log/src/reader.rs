//! The log reader that stands alone.

use std::path::{Path, PathBuf};

use engine_storage::SharedStorage;
use format_bsds::Bsds;
use format_log::{Record, ci};
use format_types::{Lrsn, Rba, RbaRange};

use crate::bsds_files::{is_newest, read_pair};
use crate::chunks::{CHUNK, Chunks, Need, Unreadable};
use crate::data_sets::{CI, DataSets};
use crate::end::{self, LogEnd};
use crate::{LogError, Missing, RecordStream, missing};

/// How often a log that changes while it is looked at is looked at again.
const ATTEMPTS: u32 = 100;

/// A record that was read by its RBA.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OwnedRecord {
    /// Its RBA and the RBA after it.
    pub range: RbaRange,
    bytes: Vec<u8>,
}

impl OwnedRecord {
    /// The record.
    ///
    /// # Errors
    /// When its bytes are no record.
    pub fn record(&self) -> Result<Record<'_>, LogError> {
        Record::decode(&self.bytes).map_err(|source| LogError::Record { rba: self.range.start, source })
    }
}

/// Reads the log of a queue manager from its files: of one that is down, or of a running one as far as it is on disk. Repairs nothing
/// and writes nothing.
pub struct LogReader {
    storage: SharedStorage,
    dir: PathBuf,
    bsds: Bsds,
    backward: Chunks,
}

impl LogReader {
    /// Reads the BSDS in `dir`, either copy.
    ///
    /// # Errors
    /// When neither copy can be read, or one is of a newer version.
    pub fn open(storage: &SharedStorage, dir: &Path) -> Result<Self, LogError> {
        let bsds = read_pair(storage, dir)?.bsds;
        Ok(Self::with_bsds(storage, dir, bsds))
    }

    /// A reader of the data sets that `bsds` names, in `dir`.
    #[must_use]
    pub fn with_bsds(storage: &SharedStorage, dir: &Path, bsds: Bsds) -> Self {
        let backward = Chunks::new(DataSets::of(storage, dir, &bsds));
        Self { storage: storage.clone(), dir: dir.to_owned(), bsds, backward }
    }

    /// Goes on with a newer inventory: data sets may have been archived, and used again, since the last one.
    pub fn renew(&mut self, bsds: &Bsds) {
        if bsds.sequence != self.bsds.sequence {
            *self = Self::with_bsds(&self.storage, &self.dir, bsds.clone());
        }
    }

    /// The inventory that is read by.
    #[must_use]
    pub const fn bsds(&self) -> &Bsds {
        &self.bsds
    }

    /// The inventory that was read by.
    #[must_use]
    pub fn into_bsds(self) -> Bsds {
        self.bsds
    }

    /// Finds the end of the log: the end of the furthest record that both copies together have whole.
    ///
    /// # Errors
    /// Damage below the end, a stale BSDS, a missing or stopped copy.
    pub fn find_end(&mut self) -> Result<LogEnd, LogError> {
        // While the log is being written, it may grow between two looks at it, which then do not agree, or switches may come after the
        // BSDS was read, so many that the data set which it calls current holds other log by now. What is wrong with the files
        // themselves is there, and in the same place, when they are read again.
        let mut damaged = None;
        for _ in 0..ATTEMPTS {
            let found = end::find(&self.storage, &self.dir, &self.bsds);
            if !is_newest(&self.storage, &self.dir, self.bsds.sequence) {
                let bsds = read_pair(&self.storage, &self.dir)?.bsds;
                if bsds.sequence > self.bsds.sequence {
                    *self = Self::with_bsds(&self.storage, &self.dir, bsds);
                    continue;
                }
            }
            match found {
                Err(LogError::Damage { rba, .. }) if damaged != Some(rba) => damaged = Some(rba),
                other => return other,
            }
        }
        end::find(&self.storage, &self.dir, &self.bsds)
    }

    /// The records from the first one at or after `from` to the last one that ends at or before `to`. `to` must not lie beyond the
    /// end of the log.
    ///
    /// # Errors
    /// None at present; what is wrong with the log shows as it is read.
    pub fn stream(&self, from: Rba, to: Rba) -> Result<RecordStream, LogError> {
        Ok(RecordStream::new(Chunks::new(self.backward.sets().again()), from, to))
    }

    /// The record at `rba`. Made for following links backward: what lies before `rba` is read along.
    ///
    /// # Errors
    /// When no record begins there, or it cannot be read.
    pub fn record_at(&mut self, rba: Rba) -> Result<OwnedRecord, LogError> {
        if self.backward.sets().after_cut(rba).is_some() {
            return Err(LogError::NoRecord(rba));
        }
        let mut bytes = Vec::new();
        let mut at = rba;
        loop {
            let ci_rba = at.ci_start();
            // Each piece must be there, whatever else the control interval holds: it may be the log's last.
            let need = Need::Bytes((at.ci_offset() + ci::LEAST_ROOM).min(ci::CI_DATA));
            let need = if at.ci_offset() == 0 { Need::Bytes(1) } else { need };
            let window = RbaRange::new(ci_rba.minus(CHUNK as u64 / 4), ci_rba.plus(CI * 16));
            let offset = at.ci_offset();
            let mut used = self.backward.prepare(ci_rba, need, window).map_err(Unreadable::into_error)?;
            if offset >= used {
                // It may have been written since the window was read.
                self.backward.forget();
                used = self.backward.prepare(ci_rba, need, window).map_err(Unreadable::into_error)?;
            }
            if offset >= used {
                return Err(LogError::NoRecord(rba));
            }
            // The walk from the start of the control interval shows that a segment begins there.
            let ci_bytes = self.backward.ci(ci_rba);
            let Some(found) = segment_beginning(ci_bytes, offset) else {
                return Err(LogError::NoRecord(rba));
            };
            if found.first != bytes.is_empty() {
                return Err(LogError::NoRecord(rba));
            }
            bytes.extend_from_slice(found.payload);
            if found.last {
                let end = ci_rba.plus(found.end as u64);
                return Ok(OwnedRecord { range: RbaRange::new(rba, end), bytes });
            }
            if bytes.len() > format_log::MAX_RECORD_LENGTH {
                return Err(LogError::NoRecord(rba));
            }
            at = ci_rba.plus(CI);
        }
    }

    /// The log that is read here, for somebody else to read.
    pub(crate) fn chunks_again(&self) -> Chunks {
        Chunks::new(self.backward.sets().again())
    }

    /// LRSN of the last record that ends at or before `rba`; zero when none can be read shortly before it.
    #[must_use]
    pub fn lrsn_before(&self, rba: Rba) -> Lrsn {
        // The last record may begin some way back, and the log that is here not much before it.
        for back in [1, 2, 3, 4, 8, 16, 32] {
            let from = rba.minus(1).ci_start().minus((back - 1) * CI);
            let mut stream = RecordStream::new(self.chunks_again(), from, rba);
            let mut last = Lrsn::default();
            while let Ok(Some((_, record))) = stream.next() {
                last = record.header.lrsn;
            }
            if last != Lrsn::default() {
                return last;
            }
        }
        Lrsn::default()
    }

    /// Reads and verifies every control interval of `range`: the stretches that can be read from no data set.
    ///
    /// # Errors
    /// None at present.
    pub fn missing(&self, range: RbaRange) -> Result<Vec<Missing>, LogError> {
        Ok(missing::find(Chunks::new(self.backward.sets().again()), range))
    }
}

struct Beginning<'a> {
    first: bool,
    last: bool,
    payload: &'a [u8],
    end: usize,
}

/// The segment that begins at `offset` of a verified control interval.
fn segment_beginning(ci_bytes: &[u8], offset: usize) -> Option<Beginning<'_>> {
    use format_log::segment::{FIRST, LAST, SEGMENT_HEADER};
    let mut at = 0;
    while at <= offset {
        let header: &[u8; SEGMENT_HEADER] = ci_bytes.get(at..)?.first_chunk()?;
        let length = usize::from(u16::from_be_bytes([header[4], header[5]]));
        if length == 0 {
            return None;
        }
        let end = at + SEGMENT_HEADER + length;
        if at == offset {
            let payload = ci_bytes.get(at + SEGMENT_HEADER..end)?;
            return Some(Beginning {
                first: header[6] & FIRST != 0,
                last: header[6] & LAST != 0,
                payload,
                end,
            });
        }
        at = end;
    }
    None
}
