//! A log in memory, for driving the page store alone.

#![allow(dead_code)]

use std::path::Path;

use engine_log::LogError;
use engine_page_store::{PageLog, PageStore, StoreIdentity, UnitLink, WriteAhead};
use engine_storage::SharedStorage;
use format_log::{Body, Record, RecordHeader, RecordKind, ResourceManager};
use format_types::{HistoryId, Lrsn, PageSetId, QueueManagerId, Rba, RbaRange, Timestamp, Urid};

/// Records one after the other; durable when told so.
#[derive(Clone, Default)]
pub(crate) struct MemoryLog {
    pub(crate) records: Vec<(RbaRange, Vec<u8>)>,
    pub(crate) synced: Rba,
    pub(crate) inline_syncs: u32,
}

const FIRST: Rba = Rba(4096);

impl MemoryLog {
    pub(crate) fn new() -> Self {
        Self { records: Vec::new(), synced: FIRST, inline_syncs: 0 }
    }

    pub(crate) fn sync(&mut self) {
        self.synced = self.end();
    }

    /// Drops the records that end above `end`.
    pub(crate) fn cut(&mut self, end: Rba) {
        self.records.retain(|(at, _)| at.end <= end);
        self.synced = self.end();
    }

    pub(crate) fn decoded(&self) -> impl Iterator<Item = (RbaRange, Record<'_>)> {
        self.records.iter().map(|(at, bytes)| (*at, Record::decode(bytes).unwrap()))
    }

    /// Applies all records from `from` on.
    pub(crate) fn replay(&self, store: &mut PageStore, from: Rba) {
        for (at, record) in self.decoded().filter(|(at, _)| at.start >= from) {
            store.redo(&mut engine_page_store::LogAtRest, at, &record).unwrap();
        }
        store.finish_redo(&mut engine_page_store::LogAtRest).unwrap();
    }

    pub(crate) fn count(&self, wanted: fn(&Body<'_>) -> bool) -> usize {
        self.decoded().filter(|(_, record)| wanted(&record.body)).count()
    }
}

impl WriteAhead for MemoryLog {
    fn synced(&self) -> Rba {
        self.synced
    }

    fn sync_to(&mut self, rba: Rba) -> Result<(), LogError> {
        if self.synced < rba {
            self.inline_syncs += 1;
            self.sync();
        }
        Ok(())
    }
}

impl PageLog for MemoryLog {
    fn append(&mut self, urid: Urid, link: Rba, body: &Body<'_>) -> Result<RbaRange, LogError> {
        let header = RecordHeader {
            total_length: 0,
            previous_length: 0,
            kind: RecordKind { major: 0, minor: 0 },
            resource_manager: ResourceManager(0),
            flags: 0,
            release: 0,
            urid,
            link,
            lrsn: Lrsn(0),
        };
        let mut bytes = Vec::new();
        Record { header, body: body.clone() }.to_bytes(&mut bytes);
        let start = self.end();
        let at = RbaRange::new(start, start.plus(bytes.len() as u64 + 8));
        self.records.push((at, bytes));
        Ok(at)
    }

    fn end(&self) -> Rba {
        self.records.last().map_or(FIRST, |(at, _)| at.end)
    }
}

pub(crate) const DIR: &str = "QM1";

pub(crate) fn dir() -> &'static Path {
    Path::new(DIR)
}

pub(crate) fn identity() -> StoreIdentity {
    StoreIdentity {
        queue_manager: QueueManagerId(0x1234),
        name: "QM1".parse().unwrap(),
        history: HistoryId { number: 1, random: 99 },
    }
}

pub(crate) fn set(number: u8) -> PageSetId {
    PageSetId::new(number).unwrap()
}

pub(crate) fn store(storage: &SharedStorage, frames: usize) -> PageStore {
    PageStore::new(storage.clone(), dir(), frames, identity())
}

/// Starts a unit of recovery.
pub(crate) fn begin(log: &mut MemoryLog) -> UnitLink {
    let at =
        log.append(Urid::NONE, Rba::ZERO, &Body::BeginUr { connection: "TEST", at: Timestamp(1) }).unwrap();
    UnitLink { urid: Urid(at.start), last: at.start }
}
