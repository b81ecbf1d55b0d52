//! A log on storage in memory, for tests.
#![allow(dead_code, reason = "each test binary uses a part")]

pub(crate) mod cuts;
pub(crate) mod failing_copies;
pub(crate) mod lost_bsds;
pub(crate) mod run;

use std::path::PathBuf;

use engine_log::{LogError, LogManager, LogReader, NewLog, OffloadStep};
use engine_storage::SharedStorage;
use format_bsds::Settings;
use format_log::{Body, HEADER_LENGTH};
use format_types::{
    HistoryId, PageAddress, PageNumber, PageSetId, QueueManagerId, Rba, RbaRange, Timestamp, Urid,
};

pub(crate) const NOW: Timestamp = Timestamp(1_700_000_000_000_000);
pub(crate) const SIZE: u64 = 256 * 1024;

pub(crate) fn dir() -> PathBuf {
    PathBuf::from("QM1")
}

pub(crate) fn new_log(dual: bool, size: u64, active_logs: u32) -> NewLog {
    NewLog {
        name: "QM1".parse().unwrap(),
        queue_manager: QueueManagerId(0xC0FF_EE00_1234_5678),
        history: HistoryId { number: 1, random: 0xFEED },
        settings: Settings {
            dual_active: dual,
            dual_archive: dual,
            log_data_set_size: size,
            log_load: 1000,
            buffer_pool_pages: 64,
        },
        active_logs,
        page_sets: Vec::new(),
        now: NOW,
    }
}

pub(crate) fn create(storage: &SharedStorage, dual: bool, size: u64, active_logs: u32) {
    storage.create_dir(&dir()).unwrap();
    storage.sync_dir(&PathBuf::new()).unwrap();
    LogManager::create(storage, &dir(), &new_log(dual, size, active_logs)).unwrap();
}

pub(crate) fn open(storage: &SharedStorage) -> LogManager {
    LogManager::open(storage, &dir(), NOW).unwrap()
}

pub(crate) fn reader(storage: &SharedStorage) -> LogReader {
    LogReader::open(storage, &dir()).unwrap()
}

/// A record that says its number, `length` bytes long in all.
pub(crate) fn bytes_of(number: u64, length: usize) -> Vec<u8> {
    let body = length.saturating_sub(HEADER_LENGTH + 8).max(8);
    let mut bytes: Vec<u8> = (0..body).map(|i| (number as usize * 7 + i * 13) as u8).collect();
    bytes[..8].copy_from_slice(&number.to_be_bytes());
    bytes
}

pub(crate) fn place() -> PageAddress {
    PageAddress::new(PageSetId::ZERO, PageNumber(3))
}

pub(crate) fn append(log: &mut LogManager, number: u64, length: usize) -> Result<RbaRange, LogError> {
    let record = bytes_of(number, length);
    log.append(Urid(Rba(1)), Rba(1), &Body::Insert { at: place(), slot: 1, record: &record })
}

/// Numbers of the records of [`append`] from the start of the log to `to`, each checked byte by byte, with their RBAs.
pub(crate) fn numbers(reader: &LogReader, to: Rba) -> Result<Vec<(RbaRange, u64)>, LogError> {
    let mut stream = reader.stream(Rba::ZERO, to)?;
    let mut found = Vec::new();
    let mut before = Rba::ZERO;
    while let Some((range, record)) = stream.next()? {
        assert!(range.start >= before, "records overlap at {}", range.start);
        before = range.end;
        if let Body::Insert { record, .. } = record.body {
            let number = u64::from_be_bytes(record[..8].try_into().unwrap());
            assert_eq!(record, bytes_of(number, record.len() + HEADER_LENGTH + 8));
            found.push((range, number));
        }
    }
    Ok(found)
}

/// Offloads everything that is full; says how many data sets.
pub(crate) fn offload(log: &mut LogManager) -> usize {
    let mut count = 0;
    while let Some(mut job) = log.next_offload() {
        let outcome = loop {
            if let OffloadStep::Done(outcome) = job.step() {
                break outcome;
            }
        };
        let success = outcome.is_success();
        log.finish_offload(outcome).unwrap();
        if !success {
            break;
        }
        count += 1;
    }
    count
}

/// Appends records of mixed lengths until `count` are in, offloading when the log is full. Returns (range, number) of each.
pub(crate) fn fill(log: &mut LogManager, first: u64, count: u64) -> Vec<(RbaRange, u64)> {
    let mut all = Vec::new();
    for number in first..first + count {
        let length = 56 + (number as usize * 997) % 6000;
        let range = loop {
            match append(log, number, length) {
                Ok(range) => break range,
                Err(LogError::Full) => assert!(offload(log) > 0, "full, and nothing to offload"),
                Err(error) => panic!("{error}"),
            }
        };
        all.push((range, number));
    }
    all
}
