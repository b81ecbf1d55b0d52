//! Copies of stretches of log: verified control interval by control interval, from whichever data set has each whole.
//!
//! A copy is laid out as an archive is. Where a stretch ends inside a control interval, what lies behind its last record is left
//! out: the copy ends there for everybody who reads it.

use engine_storage::SharedFile;
use format_bsds::LinePart;
use format_log::ci::{self, CI_DATA, CiTrailer, Segments};
use format_log::segment::{FIRST, SEGMENT_HEADER, SegmentChecksum};
use format_log::{LogIdentity, RecordHeader};
use format_types::{CI_SIZE, Crc32c, HistoryId, Lrsn, Rba, RbaRange};

use crate::chunks::{CHUNK, Chunks, Need, Unreadable, ahead};
use crate::data_sets::CI;
use crate::{LogError, LogReader};

/// A stretch of log that was copied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ExtractedLog {
    /// The history that it belongs to.
    pub history: HistoryId,
    /// What the copy holds: whole control intervals.
    pub range: RbaRange,
    /// RBA after the last record in it.
    pub end: Rba,
    /// LRSN of the first record that starts in it.
    pub start_lrsn: Lrsn,
    /// LRSN of the last record that starts in it.
    pub end_lrsn: Lrsn,
    /// CRC-32C of all its bytes.
    pub checksum: u32,
}

/// Copies one stretch of one history to a new file, in small steps and bounded memory.
pub struct LogExtract {
    chunks: Chunks,
    file: SharedFile,
    identity: LogIdentity,
    start: Rba,
    at: Rba,
    to: Rba,
    crc: Crc32c,
    start_lrsn: Option<Lrsn>,
    end_lrsn: Lrsn,
}

impl LogReader {
    /// `range` in stretches of one history each, oldest first, with whole control intervals at their starts.
    #[must_use]
    pub fn stretches(&self, range: RbaRange) -> Vec<(HistoryId, RbaRange)> {
        // A cut inside a control interval ends the stretch there; what its parent wrote behind it is no part of the line.
        let parts = self.bsds().line();
        let stretch = |part: &LinePart| {
            let start = range.start.max(part.first).ci_start();
            let end = range.end.min(part.cut);
            let meets = end > start && part.first < range.end && range.start < part.cut;
            meets.then_some((part.history, RbaRange::new(start, end)))
        };
        parts.parts().iter().filter_map(stretch).collect()
    }

    /// A copy of `range`, one of [`Self::stretches`], to `file`, which is empty.
    #[must_use]
    pub fn extract(&self, history: HistoryId, range: RbaRange, file: SharedFile) -> LogExtract {
        let start = range.start.ci_start();
        LogExtract {
            chunks: self.chunks_again(),
            file,
            identity: LogIdentity { queue_manager: self.bsds().queue_manager, history },
            start,
            at: start,
            to: range.end,
            crc: Crc32c::new(),
            start_lrsn: None,
            end_lrsn: Lrsn::default(),
        }
    }
}

impl LogExtract {
    /// Bytes copied.
    #[must_use]
    pub const fn done(&self) -> u64 {
        self.at.since(self.start)
    }

    /// Copies about a mebibyte; once all is copied and synced, says what it is. The file's name is not synced.
    ///
    /// # Errors
    /// When a control interval can be read from no data set, or the file not be written.
    pub fn step(&mut self) -> Result<Option<ExtractedLog>, LogError> {
        let from = self.at;
        let mut bytes = Vec::with_capacity(CHUNK);
        while self.at < self.to && bytes.len() < CHUNK {
            let need = Need::up_to(self.at, self.to);
            self.chunks.prepare(self.at, need, ahead(self.at, self.to)).map_err(Unreadable::into_error)?;
            let interval = self.chunks.ci(self.at);
            let begin = bytes.len();
            bytes.extend_from_slice(interval);
            if self.to.since(self.at) < CI {
                let offset = self.to.ci_offset().min(CI_DATA);
                end_at(bytes.get_mut(begin..).unwrap_or_default(), self.identity, self.at, offset);
            }
            note_lrsns(
                bytes.get(begin..).unwrap_or_default(),
                self.to.since(self.at),
                &mut self.start_lrsn,
                &mut self.end_lrsn,
            );
            self.at = self.at.plus(CI);
        }
        let failed = |what: &str, error| LogError::storage(format!("{what} a copy of the log"), error);
        if !bytes.is_empty() {
            self.crc.update(&bytes);
            self.file.write_at(from.since(self.start), &bytes).map_err(|error| failed("write", error))?;
        }
        if self.at < self.to {
            return Ok(None);
        }
        self.file.sync().map_err(|error| failed("sync", error))?;
        Ok(Some(ExtractedLog {
            history: self.identity.history,
            range: RbaRange::new(self.start, self.at),
            end: self.to,
            start_lrsn: self.start_lrsn.unwrap_or(self.end_lrsn),
            end_lrsn: self.end_lrsn,
            checksum: self.crc.finish(),
        }))
    }
}

/// Ends the control interval at `rba` at `offset`, where a segment ends. The trailer is made anew: that of an open control interval may be
/// older than its bytes, or torn.
fn end_at(interval: &mut [u8], identity: LogIdentity, rba: Rba, offset: usize) {
    let Some(rest) = interval.get_mut(offset..CI_DATA) else { return };
    rest.fill(0);
    let checksum = SegmentChecksum::new(identity);
    let mut segments = Segments::new(interval, rba, &checksum);
    let first_record = segments.find(|segment| segment.first).and_then(|s| u16::try_from(s.offset).ok());
    let (instance, synced) =
        CiTrailer::take(interval).map_or((0, Rba::ZERO), |trailer| (trailer.instance, trailer.synced));
    CiTrailer {
        rba,
        identity,
        instance,
        used: u16::try_from(offset).unwrap_or_default(),
        first_record,
        synced,
        closed: true,
    }
    .put(interval);
}

/// Takes the LRSNs of the records that start in a verified control interval before `until`.
pub(crate) fn note_lrsns(interval: &[u8], until: u64, first: &mut Option<Lrsn>, last: &mut Lrsn) {
    let mut offset = 0;
    while offset < CI_DATA && (offset as u64) < until {
        let Some(&[_, _, _, _, high, low, flags, _]) =
            interval.get(offset..).and_then(<[u8]>::first_chunk::<SEGMENT_HEADER>)
        else {
            break;
        };
        let length = usize::from(u16::from_be_bytes([high, low]));
        if length == 0 {
            break;
        }
        let start = offset + SEGMENT_HEADER;
        if flags & FIRST != 0
            && let Some(Ok(header)) = interval.get(start..).map(RecordHeader::decode)
        {
            first.get_or_insert(header.lrsn);
            *last = header.lrsn;
        }
        offset = start + length;
        if !ci::has_room(offset) {
            break;
        }
    }
}

const _: () = assert!(CHUNK.is_multiple_of(CI_SIZE));
