//! What recovery reads, worked out from log records alone.
//!
//! This is the other opinion on retention: it knows nothing of inventories, plans and policies, and sees log through the record format and
//! nothing else (a house test looks at what it uses). Control intervals in, and which units of recovery were active, which
//! checkpoints complete and what page sets needed at any place of the log, out.

use std::collections::BTreeMap;

use format_log::ci::{Merged, Segments};
use format_log::segment::SegmentChecksum;
use format_log::{Body, LogIdentity, Record};
use format_types::{CI_SIZE, HistoryId, PageSetId, QueueManagerId, Rba};

/// Control intervals that lie somewhere, from `start` on.
#[derive(Debug)]
pub(crate) struct DataSet {
    pub(crate) history: HistoryId,
    pub(crate) start: Rba,
    pub(crate) bytes: Vec<u8>,
}

/// Log of one history that is on the line: control intervals from `from` on, records below `cut`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Stretch {
    pub(crate) history: HistoryId,
    pub(crate) from: Rba,
    pub(crate) cut: Rba,
}

/// What the records of a log say.
#[derive(Debug, Default)]
pub(crate) struct Survey {
    /// Everything from here on was read.
    pub(crate) from: Rba,
    /// After the last record.
    pub(crate) end: Rba,
    /// Units of recovery by their URIDs, each with the record that ended it.
    units: BTreeMap<Rba, Option<Rba>>,
    /// Complete checkpoints: begin record, and after the end record.
    checkpoints: Vec<(Rba, Rba)>,
    /// What checkpoints say that page sets need: where they say so, which, and from where.
    page_sets: Vec<(Rba, PageSetId, Rba)>,
}

/// A record in the making.
struct Gathering {
    start: Rba,
    bytes: Vec<u8>,
}

impl Survey {
    /// Reads `data_sets` along `line`, oldest first. Log before a gap is not looked at.
    ///
    /// # Errors
    /// A record that cannot be read.
    pub(crate) fn of(
        queue_manager: QueueManagerId,
        line: &[Stretch],
        data_sets: &[DataSet],
    ) -> Result<Self, String> {
        let mut survey = Self::default();
        let mut gathering: Option<Gathering> = None;
        let mut next: Option<Rba> = None;
        for stretch in line {
            let identity = LogIdentity { queue_manager, history: stretch.history };
            let checksum = SegmentChecksum::new(identity);
            let sets: Vec<&DataSet> = data_sets.iter().filter(|set| set.history == stretch.history).collect();
            let first = sets.iter().map(|set| set.start).min().unwrap_or(stretch.cut).max(stretch.from);
            let last = sets.iter().map(|set| set.start.plus(set.bytes.len() as u64)).max();
            let until = last.unwrap_or(first).min(stretch.cut.ci_ceiling());
            let mut at = first;
            while at < until {
                let copies: Vec<&[u8]> = sets.iter().filter_map(|set| interval(set, at)).collect();
                let merged = Merged::of(&copies, at, &checksum);
                if merged.used > 0 {
                    if next != Some(at) {
                        survey = Self { from: at, ..Self::default() };
                        gathering = None;
                    }
                    survey.interval(&merged, at, &checksum, stretch.cut, &mut gathering)?;
                    next = Some(at.plus(CI_SIZE as u64));
                }
                at = at.plus(CI_SIZE as u64);
            }
            // What was cut in two by the cut is not on the line.
            gathering = None;
        }
        Ok(survey)
    }

    fn interval(
        &mut self,
        merged: &Merged,
        at: Rba,
        checksum: &SegmentChecksum,
        cut: Rba,
        gathering: &mut Option<Gathering>,
    ) -> Result<(), String> {
        for segment in Segments::new(&merged.bytes, at, checksum) {
            let rba = at.plus(segment.offset as u64);
            if segment.first {
                *gathering = (rba < cut).then(|| Gathering { start: rba, bytes: Vec::new() });
            }
            let Some(record) = gathering else { continue };
            record.bytes.extend_from_slice(segment.payload);
            if segment.last {
                let end = at.plus(segment.end() as u64);
                let (start, bytes) = (record.start, std::mem::take(&mut record.bytes));
                *gathering = None;
                let read = Record::decode(&bytes).map_err(|error| format!("record at {start}: {error}"))?;
                self.record(start, end, &read);
            }
        }
        Ok(())
    }

    fn record(&mut self, start: Rba, end: Rba, record: &Record<'_>) {
        self.end = end;
        let urid = record.header.urid.0;
        if urid != Rba::ZERO {
            self.units.entry(urid).or_insert(None);
        }
        match &record.body {
            Body::BeginUr { .. } => {
                self.units.insert(start, None);
            }
            Body::EndUr | Body::EndAbort | Body::BeginPhase2 { complete: true, .. } => {
                self.units.insert(urid, Some(start));
            }
            Body::EndCheckpoint { begin } => self.checkpoints.push((*begin, end)),
            Body::CheckpointPageSets { sets } => {
                self.page_sets.extend(sets.iter().map(|(page_set, needs, _)| (start, *page_set, *needs)));
            }
            _ => {}
        }
    }

    /// URIDs of the units that had begun below `at` and were not ended by a record below `durable`, oldest first.
    pub(crate) fn active(&self, at: Rba, durable: Rba) -> Vec<Rba> {
        let active = self.units.range(..at).filter(|(_, ended)| ended.is_none_or(|ended| ended >= durable));
        active.map(|(urid, _)| *urid).collect()
    }

    /// Begin records of the complete checkpoints, oldest first.
    pub(crate) fn checkpoints(&self) -> impl Iterator<Item = Rba> {
        self.checkpoints.iter().map(|(begin, _)| *begin)
    }

    /// What page set `page_set` needed as the last checkpoint before `at` says: its recovery RBA never falls.
    pub(crate) fn needed_by(&self, page_set: PageSetId, at: Rba) -> Option<Rba> {
        let mut said = self.page_sets.iter().filter(|(said, of, _)| *of == page_set && *said < at);
        said.next_back().map(|(_, _, needs)| *needs)
    }
}

/// The control interval at `at`, where the data set has it.
fn interval(set: &DataSet, at: Rba) -> Option<&[u8]> {
    let offset = usize::try_from(at.0.checked_sub(set.start.0)?).ok()?;
    set.bytes.get(offset..offset.checked_add(CI_SIZE)?)
}
