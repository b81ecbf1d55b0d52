//! How fast log is written, as the BSDS shows it, and how fast it is read, measured by reading some.

use std::path::Path;
use std::time::{Duration, Instant};

use engine_log::LogReader;
use engine_storage::SharedStorage;
use format_inventory::Rates;
use format_types::{Lrsn, Rba, RbaRange, Timestamp};

use crate::facts::Facts;

const HOUR: u64 = 3_600_000_000;
/// The rate of writing is that of the last week.
const PERIOD: u64 = 7 * 24 * HOUR;
/// What was written in less time than this says nothing of an hour.
const LEAST_TIME: u64 = HOUR / 6;
/// Log is read for so long at most.
const READING: Duration = Duration::from_millis(250);
/// The newest log is read, so much at most: what was written last is what a recovery reads.
const MOST_READ: u64 = 64 << 20;
/// What is read of less than this is the opening of files more than the reading.
const LEAST_READ: u64 = 256 << 10;

/// A moment, and where the log ended then.
type Moment = (Timestamp, Rba);

impl Facts {
    /// Reads and checks the newest log for a quarter of a second at most, as a recovery would, and notes how fast that was. Nothing is
    /// noted where too little log is there.
    pub fn measure_reading(&mut self, storage: &SharedStorage, dir: &Path) {
        self.read_rate = self.read(storage, dir);
    }

    /// What is known of the rates.
    pub(crate) fn rates(&self) -> Rates {
        Rates { log_bytes_per_hour: self.write_rate(), recovery_bytes_per_second: self.read_rate }
    }

    /// Bytes of log written in an hour, over the last week or, of a younger log, since its beginning.
    fn write_rate(&self) -> Option<u64> {
        let moments = self.moments();
        let is_stopped = self.bsds.clean_stop == Some(self.usage.log_end);
        // Nothing was written since it was stopped, and nobody wanted to: that time does not count.
        let last = moments.iter().copied().max().filter(|_| is_stopped);
        let (at, end) = last.unwrap_or((self.at, self.usage.log_end));
        let period = Timestamp(at.0.saturating_sub(PERIOD));
        let known = moments.iter().copied().filter(|moment| moment.0 <= at && moment.1 <= end);
        // What was written before the period since the last moment that is known counts as written in it: rather too much than too little.
        let before = known.clone().filter(|moment| moment.0 <= period).max();
        let (since, start) = before.or_else(|| known.min())?;
        let micros = at.0.saturating_sub(since.max(period).0);
        if micros < LEAST_TIME {
            return None;
        }
        u64::try_from(u128::from(end.since(start)) * u128::from(HOUR) / u128::from(micros)).ok()
    }

    /// What the BSDS knows of where the log of the current line ended when.
    fn moments(&self) -> Vec<Moment> {
        let line = self.bsds.line();
        let mut moments: Vec<Moment> =
            self.bsds.checkpoints.iter().map(|checkpoint| (checkpoint.at, checkpoint.begin)).collect();
        for archive in &self.bsds.archives {
            let Some(on_line) = line.clip(archive.history, archive.range) else { continue };
            let (start, end) = (archive.range.start, archive.range.end);
            for (lrsn, rba) in [(archive.start_lrsn, start), (archive.end_lrsn, end)] {
                // Of an archive that was never looked into no time is known.
                if lrsn != Lrsn::default() && [on_line.start, on_line.end].contains(&rba) {
                    moments.push((lrsn.timestamp(), rba));
                }
            }
        }
        moments
    }

    /// The newest log that is there without a gap, and that is on disk for certain.
    fn newest_log(&self) -> RbaRange {
        let bsds = &self.bsds;
        let checkpoint = bsds.checkpoints.last().map_or(Rba::ZERO, |checkpoint| checkpoint.end);
        let end = bsds.highest_written.max(checkpoint).min(self.usage.log_end);
        let far = end.minus(MOST_READ);
        let line = bsds.line();
        let archives = bsds.archives.iter().zip(&self.archives);
        let archives = archives.filter(|(archive, file)| file.present && !archive.deleting);
        let archives = archives.map(|(archive, _)| (archive.history, archive.range));
        let actives = bsds.active_logs.iter().filter(|log| !log.status.is_available());
        let actives = actives.filter_map(|log| Some((log.history, log.range?)));
        let pieces = archives.chain(actives).filter_map(|(history, range)| line.clip(history, range));
        let mut pieces: Vec<RbaRange> = pieces.filter(|piece| piece.start < end && piece.end > far).collect();
        pieces.sort_unstable_by_key(|piece| piece.end);
        let mut start = end;
        for piece in pieces.iter().rev() {
            if piece.end < start {
                break;
            }
            start = start.min(piece.start);
        }
        RbaRange::new(start.max(far), end)
    }

    fn read(&self, storage: &SharedStorage, dir: &Path) -> Option<u64> {
        let range = self.newest_log();
        let reader = LogReader::with_bsds(storage, dir, self.bsds.clone());
        let begun = Instant::now();
        let mut stream = reader.stream(range.start, range.end).ok()?;
        // Log that cannot be read is for others to complain of; what was read before it was read all the same.
        while begun.elapsed() < READING && matches!(stream.next(), Ok(Some(_))) {}
        let (bytes, micros) = (stream.position().since(range.start), begun.elapsed().as_micros());
        let rate = (u128::from(bytes) * 1_000_000).checked_div(micros)?;
        u64::try_from(rate).ok().filter(|_| bytes >= LEAST_READ)
    }
}
