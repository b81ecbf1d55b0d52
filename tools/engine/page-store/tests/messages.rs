//! Messages on pages: what goes in comes out, what is deleted gives its pages back.

mod memory_log;

use engine_page_store::{PageError, PageLog, PageStore, page_set_path};
use engine_storage::{MemoryStorage, OpenMode, SharedStorage};
use format_log::Body;
use format_pageset::{MessageHead, ObjectRecord, PageType, StorageClassDefinition};
use format_types::{Expand, PAGE_SIZE, PageNumber, Rba, Timestamp};
use memory_log::{MemoryLog, begin, dir, identity, set, store};

fn world(pages: u32, frames: usize) -> (SharedStorage, PageStore, MemoryLog) {
    let storage = MemoryStorage::shared();
    storage.create_dir(dir()).unwrap();
    let log = MemoryLog::new();
    for number in [0, 1] {
        PageStore::create_page_set(&storage, dir(), &identity(), set(number), pages, Expand::User, log.end())
            .unwrap();
    }
    let mut store = store(&storage, frames);
    for number in [0, 1] {
        store.open_page_set(set(number), log.end(), None).unwrap();
    }
    (storage, store, log)
}

fn head(key: u64, persistent: bool) -> MessageHead {
    MessageHead {
        key,
        queue: 77,
        priority: 3,
        persistent,
        put_time: Timestamp(key * 1000),
        message_id: [key as u8; 24],
        length: 0,
    }
}

fn body(length: usize, key: u64) -> Vec<u8> {
    (0..length).map(|i| (i as u64 * 31 + key) as u8).collect()
}

fn unused(store: &PageStore) -> u64 {
    store.usage()[1].unused_pages
}

#[test]
fn messages_of_all_sizes_come_back_and_leave_no_page_behind() {
    for persistent in [true, false] {
        let (_, mut store, mut log) = world(3000, 200);
        let empty = unused(&store);
        let sizes = [0, 1, 100, 1024, 3987, 3988, 3989, 4036, 4037, 8000, 8024, 8025, 100_000, 4 << 20];
        let mut put = Vec::new();
        for (key, size) in (1u64..).zip(sizes) {
            let mut unit = begin(&mut log);
            let body = body(size, key);
            let inserted =
                store.insert_message(&mut log, &mut unit, set(1), &head(key, persistent), &body).unwrap();
            assert_eq!(inserted.records.last().unwrap().0, inserted.head);
            if persistent {
                assert_eq!(unit.last, inserted.records.last().unwrap().1);
            } else {
                assert_eq!(unit.last, unit.urid.0);
            }
            put.push((key, inserted.head, body));
        }
        let counted = log.count(|body| matches!(body, Body::Insert { .. }));
        assert_eq!(counted > 0, persistent);
        for (key, at, body) in &put {
            let (found, read) = store.read_message(&mut log, *at, *key).unwrap().unwrap();
            assert_eq!(found, MessageHead { length: body.len() as u32, ..head(*key, persistent) });
            assert!(&read == body, "message {key}");
            assert!(store.read_message(&mut log, *at, key + 100).unwrap().is_none());
        }
        for (key, at, _) in &put {
            let mut unit = begin(&mut log);
            store.delete_chain(&mut log, &mut unit, *at, *key).unwrap();
            assert!(store.read_message(&mut log, *at, *key).unwrap().is_none());
            let before = log.end();
            store.delete_chain(&mut log, &mut unit, *at, *key).unwrap();
            assert_eq!(log.end(), before, "a second deletion does nothing");
        }
        // The current insert page may stay.
        assert!(empty - unused(&store) <= 1);
    }
}

#[test]
fn a_message_that_does_not_fit_changes_nothing() {
    let (_, mut store, mut log) = world(40, 100);
    let mut unit = begin(&mut log);
    store.insert_message(&mut log, &mut unit, set(1), &head(1, true), &body(20_000, 1)).unwrap();
    let (before, end, last) = (store.usage(), log.end(), unit.last);
    let error =
        store.insert_message(&mut log, &mut unit, set(1), &head(2, true), &body(200_000, 2)).unwrap_err();
    assert!(matches!(error, PageError::Full { wanted: 50, free: 33, .. }), "{error}");
    assert_eq!((store.usage(), log.end(), unit.last), (before, end, last));
    // Exactly as many pages as there are.
    let all = 3988 + 4036 * 32;
    store.insert_message(&mut log, &mut unit, set(1), &head(3, true), &body(all, 3)).unwrap();
    assert_eq!(unused(&store), 0);
    assert_eq!(store.wants_expansion(), Some(set(1)));
}

#[test]
fn classes_do_not_share_pages_and_small_messages_do() {
    let (_, mut store, mut log) = world(100, 50);
    let mut unit = begin(&mut log);
    let mut pages = [Vec::new(), Vec::new()];
    for key in 0..60 {
        let persistent = key % 2 == 0;
        let body = body(100, key);
        let inserted =
            store.insert_message(&mut log, &mut unit, set(1), &head(key, persistent), &body).unwrap();
        pages[usize::from(persistent)].push(inserted.head.page);
    }
    assert!(pages[0].iter().all(|page| !pages[1].contains(page)));
    for pages in &mut pages {
        pages.dedup();
        assert_eq!(pages.len(), 2, "30 records of 168 bytes fit on two pages");
    }
    let usage = &store.usage()[1];
    assert_eq!((usage.persistent_pages, usage.nonpersistent_pages), (4, 2));
}

#[test]
fn backout_compensates_in_reverse_and_gives_pages_back() {
    let (_, mut store, mut log) = world(100, 50);
    let free = unused(&store);
    for persistent in [true, false] {
        let mut unit = begin(&mut log);
        let inserted = store
            .insert_message(&mut log, &mut unit, set(1), &head(9, persistent), &body(30_000, 9))
            .unwrap();
        for (index, (at, _)) in inserted.records.iter().enumerate().rev() {
            let undo_next = index.checked_sub(1).map_or(Rba::ZERO, |previous| inserted.records[previous].1);
            store.compensate(&mut log, &mut unit, *at, undo_next).unwrap();
            let error = store.compensate(&mut log, &mut unit, *at, undo_next).unwrap_err();
            assert!(matches!(error, PageError::NoRecord(_)), "{error}");
        }
        assert!(store.read_message(&mut log, inserted.head, 9).unwrap().is_none());
    }
    assert!(free - unused(&store) <= 2);
}

#[test]
fn a_pool_smaller_than_the_work_writes_only_what_the_log_has() {
    let (storage, mut store, mut log) = world(600, 8);
    let mut put = Vec::new();
    for key in 0..150 {
        let mut unit = begin(&mut log);
        let body = body(2000 + key as usize * 20, key);
        let inserted = store.insert_message(&mut log, &mut unit, set(1), &head(key, true), &body).unwrap();
        put.push((key, inserted.head, body));
    }
    assert!(log.inline_syncs > 0);
    let file = storage.open(&page_set_path(dir(), set(1)), OpenMode::Read).unwrap();
    for page in 1..600 {
        let mut bytes = [0; PAGE_SIZE];
        file.read_at(PageNumber(page).offset(), &mut bytes).unwrap();
        assert!(format_pageset::page::page_rba(&bytes) <= log.synced);
    }
    for (key, at, body) in &put {
        assert_eq!(&store.read_message(&mut log, *at, *key).unwrap().unwrap().1, body);
    }
    let pool = store.pool_usage();
    assert_eq!(pool.available, 8);
}

#[test]
fn the_first_change_since_a_page_was_written_logs_its_image_once() {
    let (_, mut store, mut log) = world(100, 50);
    let images = |log: &MemoryLog| log.count(|body| matches!(body, Body::PageImage { .. }));
    let mut unit = begin(&mut log);
    let mut put = |store: &mut PageStore, log: &mut MemoryLog, key| {
        store.insert_message(log, &mut unit, set(1), &head(key, true), b"body").unwrap();
    };
    put(&mut store, &mut log, 1);
    put(&mut store, &mut log, 2);
    assert_eq!(images(&log), 1, "the space map; the data page has its format record");
    store.write_all(&mut log).unwrap();
    put(&mut store, &mut log, 3);
    put(&mut store, &mut log, 4);
    assert_eq!(images(&log), 2, "the data page");
}

#[test]
fn checkpoints_write_pages_dirty_for_two_of_them() {
    let (_, mut store, mut log) = world(100, 50);
    let mut unit = begin(&mut log);
    let dirty = |store: &PageStore| {
        let usage = store.pool_usage();
        usage.available - usage.stealable
    };
    store.insert_message(&mut log, &mut unit, set(1), &head(1, true), b"body").unwrap();
    let mut recovery = Vec::new();
    for round in 0..3 {
        store.begin_checkpoint(log.end());
        while !store.write_due(&mut log, 1).unwrap() {}
        assert_eq!(dirty(&store), if round == 0 { 2 } else { 0 }, "round {round}");
        store.sync_now(set(1)).unwrap();
        log.sync();
        store.stamp_page_zero(set(1), log.synced, log.end(), None).unwrap();
        store.sync_now(set(1)).unwrap();
        recovery.push(store.recovery_rba(set(1)));
        begin(&mut log);
    }
    assert!(recovery[0] < recovery[1] && recovery[1] < recovery[2], "{recovery:?}");
}

#[test]
fn the_recovery_rba_waits_for_the_sync() {
    let (_, mut store, mut log) = world(100, 50);
    let mut unit = begin(&mut log);
    let first = log.end();
    store.insert_message(&mut log, &mut unit, set(1), &head(1, true), b"body").unwrap();
    store.write_all(&mut log).unwrap();
    log.sync();
    let stamp = |store: &mut PageStore, log: &MemoryLog| {
        store.stamp_page_zero(set(1), log.synced, log.end(), None).unwrap();
    };
    // Written, not synced.
    stamp(&mut store, &log);
    let job = store.begin_sync(set(1)).unwrap();
    // The sync is under way: what it covers still counts.
    stamp(&mut store, &log);
    store.finish_sync(job.run()).unwrap();
    assert_eq!(store.recovery_rba(set(1)), first);
    store.sync_now(set(1)).unwrap();
    assert_eq!(store.recovery_rba(set(1)), first);
    stamp(&mut store, &log);
    assert_eq!(store.recovery_rba(set(1)), first, "not durable yet");
    store.sync_now(set(1)).unwrap();
    assert_eq!(store.recovery_rba(set(1)), log.end());
}

#[test]
fn objects_are_records_of_page_set_zero() {
    let (_, mut store, mut log) = world(100, 50);
    let mut unit = begin(&mut log);
    let class = |key| {
        let name = format!("CLASS{key}").parse().unwrap();
        ObjectRecord::StorageClass(StorageClassDefinition {
            key,
            name,
            descr: String::new(),
            page_set: set(1),
            moved_from: Vec::new(),
        })
    };
    let first = store.insert_object(&mut log, &mut unit, &class(1)).unwrap();
    store.insert_object(&mut log, &mut unit, &class(2)).unwrap();
    store.delete_chain(&mut log, &mut unit, first.head, 1).unwrap();
    let mut found = Vec::new();
    store
        .scan(&mut log, set(0), &mut |_, page_type, record| {
            assert_eq!(page_type, PageType::Object);
            found.push(ObjectRecord::decode(record).unwrap());
        })
        .unwrap();
    assert_eq!(found, [class(2)]);
}
