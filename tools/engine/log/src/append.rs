//! Appending records.

use format_log::{Body, HEADER_LENGTH, MAX_RECORD_LENGTH, RELEASE, RecordHeader};
use format_types::{Rba, RbaRange, Urid};

use crate::{LogError, LogManager, messages};

impl LogManager {
    /// Appends a record, and returns its RBA and the RBA after it. It is durable once [`synced`](Self::synced) has reached the latter.
    /// A [`Body::BeginUr`] without a URID begins a unit: its URID is the record's own RBA.
    ///
    /// A record that does not fit in the current data set begins the next one; see [`switches`](Self::switches).
    ///
    /// # Errors
    /// [`LogError::Full`] when it fits nowhere; nothing is changed then.
    pub fn append(&mut self, urid: Urid, link: Rba, body: &Body<'_>) -> Result<RbaRange, LogError> {
        self.check()?;
        self.scratch.clear();
        self.scratch.resize(HEADER_LENGTH, 0);
        body.to_bytes(&mut self.scratch);
        let length = self.scratch.len();
        if length > MAX_RECORD_LENGTH {
            return Err(LogError::RecordTooLong { length });
        }
        let mut range = self.buffer.place(length);
        if range.end > self.data_set.end {
            // The switch writes a record of its own, through the same scratch buffer.
            let record = std::mem::take(&mut self.scratch);
            let switched = self.switch_when_full();
            self.scratch = record;
            switched?;
            range = self.buffer.place(length);
        }
        if range.end.since(self.synced) > self.buffer_limit() {
            self.sync_now()?;
        }
        self.lrsn = self.lrsn.next(self.now);
        let begins = matches!(body, Body::BeginUr { .. }) && !urid.is_some();
        let header = RecordHeader {
            total_length: length as u32,
            previous_length: self.previous_length,
            kind: body.kind(),
            resource_manager: body.resource_manager(),
            flags: 0,
            release: RELEASE,
            urid: if begins { Urid(range.start) } else { urid },
            link,
            lrsn: self.lrsn,
        };
        self.scratch[..HEADER_LENGTH].copy_from_slice(&header.to_bytes());
        self.buffer.put(&self.scratch, self.synced);
        self.previous_length = length as u32;
        self.end = range.end;
        self.records += 1;
        if range.start.ci_start() != range.end.ci_start() || range.start.ci_offset() == 0 {
            self.warn_when_filling();
        }
        Ok(range)
    }

    /// CSQJ110E for the last available data set from three quarters on, at every twentieth.
    fn warn_when_filling(&mut self) {
        let percent = self.percent_full() / 5 * 5;
        if percent < 75 || percent <= self.warned {
            return;
        }
        if self.bsds.actives(1).any(|log| log.status.is_available()) {
            return;
        }
        self.warned = percent;
        self.messages.push(messages::filling(percent));
    }
}
