//! The unwritten end of the log in memory.

use format_log::ci::{CI_DATA, CiTrailer, has_room};
use format_log::segment::{FIRST, LAST, SEGMENT_HEADER, SegmentChecksum};
use format_log::{HEADER_LENGTH, LogIdentity};
use format_types::{CI_SIZE, Rba, RbaRange};

use crate::data_sets::CI;

/// Payload of a control interval that one record fills.
const WHOLE_PAYLOAD: usize = CI_DATA - SEGMENT_HEADER;

/// Control intervals from `start` on: those not written yet, and the last one while it is partly filled.
pub(crate) struct LogBuffer {
    identity: LogIdentity,
    checksum: SegmentChecksum,
    instance: u32,
    start: Rba,
    bytes: Vec<u8>,
    /// Bytes of segments in the last control interval; zero when there is none.
    used: usize,
    first_record: Option<u16>,
    /// The last control interval takes more.
    open: bool,
    /// Something is not written.
    dirty: bool,
}

impl LogBuffer {
    /// An empty buffer for a data set's log from `start`, the RBA of a control interval.
    pub(crate) fn new(identity: LogIdentity, instance: u32, start: Rba) -> Self {
        Self {
            identity,
            checksum: SegmentChecksum::new(identity),
            instance,
            start,
            bytes: Vec::new(),
            used: 0,
            first_record: None,
            open: false,
            dirty: false,
        }
    }

    /// Goes on with a control interval that is on disk, partly filled.
    pub(crate) fn resume(&mut self, ci: &[u8; CI_SIZE], used: usize, first_record: Option<u16>) {
        self.bytes.clear();
        self.bytes.extend_from_slice(ci);
        self.used = used;
        self.first_record = first_record;
        self.open = true;
    }

    /// RBA of the control interval that the next record would start in, and the offset there.
    fn position(&self) -> (Rba, usize) {
        let next = self.start.plus(self.bytes.len() as u64);
        if self.open && has_room(self.used) { (next.minus(CI), self.used) } else { (next, 0) }
    }

    /// Where a record of `length` bytes would lie.
    pub(crate) fn place(&self, length: usize) -> RbaRange {
        let (ci, offset) = self.position();
        let start = ci.plus(offset as u64);
        let room = CI_DATA - offset - SEGMENT_HEADER;
        if length <= room {
            return RbaRange::new(start, start.plus((SEGMENT_HEADER + length) as u64));
        }
        let rest = length - room;
        let more = rest.div_ceil(WHOLE_PAYLOAD);
        let last = rest - (more - 1) * WHOLE_PAYLOAD;
        RbaRange::new(start, ci.plus(more as u64 * CI).plus((SEGMENT_HEADER + last) as u64))
    }

    /// Cuts a record into segments. `synced` goes into the trailers of control intervals that become full.
    pub(crate) fn put(&mut self, record: &[u8], synced: Rba) {
        debug_assert!(record.len() >= HEADER_LENGTH, "a record has a header");
        let mut rest = record;
        let mut flags = FIRST;
        loop {
            if !self.open || !has_room(self.used) {
                self.begin_ci(synced);
            }
            let ci_start = self.bytes.len() - CI_SIZE;
            let ci_rba = self.start.plus(ci_start as u64);
            let room = CI_DATA - self.used - SEGMENT_HEADER;
            let (piece, after) = rest.split_at(rest.len().min(room));
            if after.is_empty() {
                flags |= LAST;
            }
            if flags & FIRST != 0 && self.first_record.is_none() {
                self.first_record = Some(self.used as u16);
            }
            let ci = &mut self.bytes[ci_start..];
            self.used = self.checksum.put(ci, ci_rba, self.used, flags, piece);
            self.dirty = true;
            if after.is_empty() {
                break;
            }
            rest = after;
            flags = 0;
            self.seal(true, synced);
            self.open = false;
        }
    }

    fn begin_ci(&mut self, synced: Rba) {
        if self.open {
            self.seal(true, synced);
        }
        self.bytes.resize(self.bytes.len() + CI_SIZE, 0);
        self.used = 0;
        self.first_record = None;
        self.open = true;
    }

    /// Writes the last control interval's trailer.
    fn seal(&mut self, closed: bool, synced: Rba) {
        let ci_start = self.bytes.len() - CI_SIZE;
        let trailer = CiTrailer {
            rba: self.start.plus(ci_start as u64),
            identity: self.identity,
            instance: self.instance,
            used: self.used as u16,
            first_record: self.first_record,
            synced,
            closed,
        };
        trailer.put(&mut self.bytes[ci_start..]);
    }

    /// Ends the last control interval though there is room in it: the data set ends here.
    pub(crate) fn close(&mut self, synced: Rba) {
        if self.open {
            self.seal(true, synced);
            self.open = false;
            self.dirty = true;
        }
    }

    /// Whether something is not written.
    pub(crate) fn is_dirty(&self) -> bool {
        self.dirty
    }

    /// The control intervals to be written, and the RBA of the first.
    pub(crate) fn unwritten(&mut self, synced: Rba) -> (Rba, &[u8]) {
        if self.open {
            self.seal(!has_room(self.used), synced);
        }
        (self.start, &self.bytes)
    }

    /// All was written: keeps only a partly filled control interval, which will be written again.
    pub(crate) fn written(&mut self) {
        self.dirty = false;
        if self.bytes.is_empty() {
            return;
        }
        let keep = if self.open && has_room(self.used) { CI_SIZE } else { 0 };
        let done = self.bytes.len() - keep;
        self.start = self.start.plus(done as u64);
        self.bytes.copy_within(done.., 0);
        self.bytes.truncate(keep);
        if keep == 0 {
            self.open = false;
            self.used = 0;
            self.first_record = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use format_log::ci::{CiPlace, Segments, verify, verify_closed};
    use format_types::{HistoryId, QueueManagerId};

    fn identity() -> LogIdentity {
        LogIdentity { queue_manager: QueueManagerId(7), history: HistoryId { number: 1, random: 9 } }
    }

    proptest::proptest! {
        #[test]
        fn records_come_back_in_place_whenever_the_buffer_is_written(
            steps in proptest::collection::vec((40usize..9000, proptest::prelude::any::<bool>()), 1..60),
        ) {
            let checksum = SegmentChecksum::new(identity());
            let mut buffer = LogBuffer::new(identity(), 1, Rba(0x10000));
            let mut disk: Vec<u8> = Vec::new();
            let mut written: Vec<(RbaRange, Vec<u8>)> = Vec::new();
            for (number, (length, write)) in steps.into_iter().enumerate() {
                let record = vec![number as u8 + 1; length];
                let range = buffer.place(length);
                buffer.put(&record, Rba(1));
                written.push((range, record));
                if write {
                    let (rba, bytes) = buffer.unwritten(Rba(1));
                    let at = rba.since(Rba(0x10000)) as usize;
                    let old = disk.get(at..).unwrap_or_default().to_vec();
                    disk.truncate(at);
                    disk.extend_from_slice(bytes);
                    // Old bytes of a rewritten control interval are unchanged.
                    if let Some(ci) = old.get(..CI_SIZE) {
                        let used = Segments::new(ci, rba, &checksum).last().map_or(0, |s| s.end());
                        proptest::prop_assert_eq!(&disk[at..at + used], &ci[..used]);
                    }
                    buffer.written();
                    proptest::prop_assert!(!buffer.is_dirty());
                }
            }
            let (rba, bytes) = buffer.unwritten(Rba(1));
            disk.truncate(rba.since(Rba(0x10000)) as usize);
            disk.extend_from_slice(bytes);
            let mut found: Vec<(RbaRange, Vec<u8>)> = Vec::new();
            let count = disk.len() / CI_SIZE;
            for (index, ci) in disk.chunks(CI_SIZE).enumerate() {
                let rba = Rba(0x10000).plus(index as u64 * CI);
                let place = CiPlace { rba, identity: identity(), instance: Some(1) };
                let checked = if index + 1 < count { verify_closed(ci, &place, &checksum) } else { verify(ci, &place, &checksum) };
                proptest::prop_assert!(checked.is_ok(), "{checked:?}");
                for segment in Segments::new(ci, rba, &checksum) {
                    if segment.first {
                        let start = rba.plus(segment.offset as u64);
                        found.push((RbaRange::new(start, start), Vec::new()));
                    }
                    let (range, bytes) = found.last_mut().unwrap();
                    bytes.extend_from_slice(segment.payload);
                    range.end = rba.plus(segment.end() as u64);
                }
            }
            proptest::prop_assert_eq!(found, written);
        }
    }
}
