//! The page store on the real log: what the log manager wrote and the reader reads rebuilds the pages.

mod memory_log;

use std::collections::BTreeMap;
use std::time::Instant;

use engine_log::{LogManager, LogReader, NewLog};
use engine_page_store::{LogAtRest, PageStore, RecordAddress, UnitLink, page_set_path};
use engine_storage::{MemoryStorage, RealStorage, SharedStorage};
use format_bsds::Settings;
use format_log::Body;
use format_pageset::MessageHead;
use format_types::{Expand, Rba, Timestamp, Urid};
use memory_log::{dir, identity, set, store};

fn create(
    storage: &SharedStorage,
    dir: &std::path::Path,
    pages: u32,
    log_size: u64,
    active_logs: u32,
) -> LogManager {
    let identity = identity();
    let new = NewLog {
        name: identity.name.clone(),
        queue_manager: identity.queue_manager,
        history: identity.history,
        settings: Settings {
            dual_active: false,
            dual_archive: false,
            log_data_set_size: log_size,
            log_load: 100_000,
            buffer_pool_pages: 100,
        },
        active_logs,
        page_sets: Vec::new(),
        now: Timestamp(1_000_000),
    };
    LogManager::create(storage, dir, &new).unwrap();
    let log = LogManager::open(storage, dir, Timestamp(2_000_000)).unwrap();
    PageStore::create_page_set(storage, dir, &identity, set(1), pages, Expand::User, log.synced()).unwrap();
    log
}

fn put(store: &mut PageStore, log: &mut LogManager, key: u64, body: &[u8]) -> RecordAddress {
    let begin = Body::BeginUr { connection: "TEST", at: Timestamp(3) };
    let at = log.append(Urid::NONE, Rba::ZERO, &begin).unwrap();
    let mut unit = UnitLink { urid: Urid(at.start), last: at.start };
    let head = MessageHead {
        key,
        queue: 1,
        priority: 0,
        persistent: true,
        put_time: Timestamp(0),
        message_id: [0; 24],
        length: 0,
    };
    let inserted = store.insert_message(log, &mut unit, set(1), &head, body).unwrap();
    let done = Body::BeginPhase2 { complete: true, at: Timestamp(4) };
    log.append(unit.urid, unit.last, &done).unwrap();
    inserted.head
}

fn redo(store: &mut PageStore, reader: &LogReader, from: Rba, to: Rba) -> u64 {
    let mut stream = reader.stream(from, to).unwrap();
    while let Some((at, record)) = stream.next().unwrap() {
        store.redo(&mut LogAtRest, at, &record).unwrap();
    }
    store.finish_redo(&mut LogAtRest).unwrap();
    stream.bytes_read()
}

#[test]
fn the_log_rebuilds_the_pages() {
    let storage = MemoryStorage::shared();
    storage.create_dir(dir()).unwrap();
    let mut log = create(&storage, dir(), 2000, 1 << 20, 4);
    let start = log.synced();
    let path = page_set_path(dir(), set(1));
    let mut empty =
        vec![0; storage.open(&path, engine_storage::OpenMode::Read).unwrap().len().unwrap() as usize];
    storage.open(&path, engine_storage::OpenMode::Read).unwrap().read_at(0, &mut empty).unwrap();

    let mut first = store(&storage, 40);
    first.open_page_set(set(1), log.end(), None).unwrap();
    let mut put_messages = BTreeMap::new();
    for key in 0..400u64 {
        let body: Vec<u8> = (0..(key * 37) % 9000).map(|i| (i + key) as u8).collect();
        put_messages.insert(key, (put(&mut first, &mut log, key, &body), body));
    }
    for key in (0..400).step_by(3) {
        let (head, _) = put_messages.remove(&key).unwrap();
        let mut unit = UnitLink { urid: Urid(start), last: start };
        first.delete_chain(&mut log, &mut unit, head, key).unwrap();
    }
    log.sync_now().unwrap();
    drop(log);

    storage.open(&path, engine_storage::OpenMode::ReadWrite).unwrap().write_at(0, &empty).unwrap();
    let mut reader = LogReader::open(&storage, dir()).unwrap();
    let end = reader.find_end().unwrap().end;
    let mut second = store(&storage, 40);
    let opened = second.open_page_set(set(1), end, None).unwrap();
    redo(&mut second, &reader, opened.recovery_rba, end);
    for (key, (head, body)) in put_messages {
        assert_eq!(second.read_message(&mut LogAtRest, head, key).unwrap().unwrap().1, body, "message {key}");
    }
    assert_eq!(first.usage()[0].unused_pages, second.usage()[0].unused_pages);
}

/// Prints the rate of redo; run with `--release --ignored --nocapture`.
#[test]
#[ignore = "a measurement"]
fn rate_of_redo() {
    let scratch = tempfile::tempdir().unwrap();
    let storage: SharedStorage = std::sync::Arc::new(RealStorage);
    let (messages, pool) = (400_000u64, 16_384);
    let mut log = create(&storage, scratch.path(), 160_000, 64 << 20, 16);
    let start = log.synced();
    let mut first = PageStore::new(storage.clone(), scratch.path(), pool, identity());
    first.open_page_set(set(1), log.end(), None).unwrap();
    let body = vec![0xA5; 1024];
    let begun = Instant::now();
    for key in 0..messages {
        put(&mut first, &mut log, key, &body);
    }
    log.sync_now().unwrap();
    println!("put {:.0} messages/s", messages as f64 / begun.elapsed().as_secs_f64());
    let end = log.end();
    drop(first);
    drop(log);
    let path = page_set_path(scratch.path(), set(1));
    std::fs::remove_file(&path).unwrap();
    PageStore::create_page_set(&storage, scratch.path(), &identity(), set(1), 160_000, Expand::User, start)
        .unwrap();
    let reader = LogReader::open(&storage, scratch.path()).unwrap();
    let begun = Instant::now();
    let mut second = PageStore::new(storage, scratch.path(), pool, identity());
    second.open_page_set(set(1), end, None).unwrap();
    let bytes = redo(&mut second, &reader, start, end);
    second.write_all(&mut LogAtRest).unwrap();
    let taken = begun.elapsed().as_secs_f64();
    println!("redo {:.0} MB/s, {:.0} messages/s", bytes as f64 / taken / 1e6, messages as f64 / taken);
}
