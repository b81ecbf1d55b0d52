//! What may be opened, and what is refused how.

mod memory_log;

use engine_page_store::{PageError, PageLog, PageStore, page_set_path};
use engine_storage::{MemoryStorage, OpenMode, SharedFile, SharedStorage};
use format_pageset::page_zero::{decode, encode_page};
use format_pageset::{PageZero, PageZeroError};
use format_types::{Expand, HistoryId, PAGE_SIZE, QueueManagerId, Rba};
use memory_log::{MemoryLog, begin, dir, identity, set, store};

const END: Rba = Rba(9000);

fn storage() -> SharedStorage {
    let storage = MemoryStorage::shared();
    storage.create_dir(dir()).unwrap();
    PageStore::create_page_set(&storage, dir(), &identity(), set(1), 50, Expand::User, Rba(4096)).unwrap();
    storage
}

fn file(storage: &SharedStorage) -> SharedFile {
    storage.open(&page_set_path(dir(), set(1)), OpenMode::ReadWrite).unwrap()
}

fn page_zero(storage: &SharedStorage) -> [u8; PAGE_SIZE] {
    let mut bytes = [0; PAGE_SIZE];
    file(storage).read_at(0, &mut bytes).unwrap();
    bytes
}

fn with_zero(change: impl FnOnce(&mut PageZero)) -> SharedStorage {
    let storage = storage();
    let mut zero = decode(&page_zero(&storage)).unwrap().zero;
    change(&mut zero);
    file(&storage).write_at(0, &encode_page(&zero, 5)).unwrap();
    storage
}

fn refusal(storage: &SharedStorage) -> PageError {
    let mut store = store(storage, 10);
    let error = store.open_page_set(set(1), END, None).unwrap_err();
    assert!(store.page_sets().is_empty());
    let text = error.to_string();
    assert!(text.contains("01"), "{text}");
    error
}

#[test]
fn a_new_page_set_opens_and_is_all_free() {
    let storage = storage();
    let mut store = store(&storage, 10);
    let opened = store.open_page_set(set(1), END, None).unwrap();
    assert_eq!((opened.recovery_rba, opened.clean, opened.used_pages), (Rba(4096), false, 50));
    let usage = store.usage();
    assert_eq!((usage[0].total_pages, usage[0].unused_pages, usage[0].persistent_pages), (50, 48, 2));
    assert!(matches!(store.open_page_set(set(1), END, None), Err(PageError::AlreadyThere { .. })));
    let again = PageStore::create_page_set(&storage, dir(), &identity(), set(1), 50, Expand::User, Rba(0));
    assert!(matches!(again, Err(PageError::AlreadyThere { .. })));
    assert!(store.take_messages().is_empty());
}

#[test]
fn what_is_no_page_set_of_ours_is_refused_by_name() {
    let empty = MemoryStorage::shared();
    empty.create_dir(dir()).unwrap();
    assert!(matches!(refusal(&empty), PageError::Missing { .. }));

    let garbage = storage();
    file(&garbage).write_at(0, &[7; PAGE_SIZE]).unwrap();
    let source = PageZeroError::NotAPageSet;
    assert!(matches!(refusal(&garbage), PageError::PageZero { source: s, .. } if s == source));

    let short = storage();
    file(&short).set_len(100).unwrap();
    assert!(matches!(refusal(&short), PageError::PageZero { source: PageZeroError::Length(100), .. }));

    let foreign = with_zero(|zero| zero.queue_manager = QueueManagerId(8));
    assert!(matches!(refusal(&foreign), PageError::Foreign { .. }));

    let renumbered = with_zero(|zero| zero.page_set = set(2));
    assert!(matches!(refusal(&renumbered), PageError::WrongNumber { .. }));

    let other = with_zero(|zero| zero.history = HistoryId { number: 2, random: 1 });
    assert!(matches!(refusal(&other), PageError::OtherHistory { .. }));

    for change in [
        |zero: &mut PageZero| zero.highest_synced = Rba(9001),
        |zero: &mut PageZero| zero.recovery_rba = Rba(9001),
    ] {
        let error = refusal(&with_zero(change));
        assert!(matches!(error, PageError::BeyondLog { .. }));
        assert!(error.to_string().starts_with("CSQI053E"));
    }

    let truncated = storage();
    file(&truncated).set_len(49 * PAGE_SIZE as u64).unwrap();
    assert!(matches!(refusal(&truncated), PageError::Truncated { used: 50, .. }));
}

#[test]
fn a_newer_version_is_refused() {
    let storage = storage();
    let mut bytes = page_zero(&storage);
    for slot in [0, 2048] {
        bytes[slot + 9] = 7;
        let crc = format_types::crc32c(&bytes[slot..slot + 508]);
        bytes[slot + 508..slot + 512].copy_from_slice(&crc.to_be_bytes());
    }
    file(&storage).write_at(0, &bytes).unwrap();
    assert!(matches!(refusal(&storage), PageError::PageZero { source: PageZeroError::NewerVersion(7), .. }));
}

#[test]
fn one_damaged_slot_is_a_warning_and_is_repaired_both_are_refused() {
    for damaged in [100, 2048 + 100] {
        let storage = storage();
        file(&storage).write_at(damaged, &[0xFF]).unwrap();
        let mut store = store(&storage, 10);
        let opened = store.open_page_set(set(1), END, Some(END)).unwrap();
        assert!(!opened.clean);
        let messages = store.take_messages();
        assert!(messages.len() == 1 && messages[0].starts_with("HWT322W"), "{messages:?}");
        for _ in 0..2 {
            store.stamp_page_zero(set(1), END, END, None).unwrap();
            store.sync_now(set(1)).unwrap();
        }
        assert!(decode(&page_zero(&storage)).unwrap().is_intact());
        assert_eq!(store.recovery_rba(set(1)), END);
    }
    let storage = storage();
    file(&storage).write_at(100, &[0xFF]).unwrap();
    file(&storage).write_at(2048 + 100, &[0xFF]).unwrap();
    assert!(matches!(refusal(&storage), PageError::PageZero { source: PageZeroError::BothDamaged(..), .. }));
}

#[test]
fn closed_cleanly_counts_only_at_the_last_clean_stop_of_the_log() {
    let storage = storage();
    let mut log = MemoryLog::new();
    let mut first = store(&storage, 10);
    first.open_page_set(set(1), log.end(), None).unwrap();
    begin(&mut log);
    log.sync();
    first.write_all(&mut log).unwrap();
    first.stamp_page_zero(set(1), log.synced, log.end(), Some(log.end())).unwrap();
    first.sync_now(set(1)).unwrap();
    let stop = log.end();
    for (clean_stop, expected) in [(Some(stop), true), (None, false), (Some(Rba(4096)), false)] {
        let mut second = store(&storage, 10);
        let opened = second.open_page_set(set(1), stop, clean_stop).unwrap();
        assert_eq!((opened.clean, opened.recovery_rba), (expected, stop));
    }
}

#[test]
fn stamps_alternate_and_never_touch_the_durable_slot() {
    let storage = storage();
    let mut store = store(&storage, 10);
    store.open_page_set(set(1), END, None).unwrap();
    let mut expected = 0;
    for round in 0..3 {
        // Slot 1 of a new page set is the newer one.
        for _ in 0..3 {
            store.stamp_page_zero(set(1), END, END, None).unwrap();
            assert_eq!(decode(&page_zero(&storage)).unwrap().slot, expected, "round {round}");
        }
        let job = store.begin_sync(set(1)).unwrap();
        assert!(store.begin_sync(set(1)).is_none());
        store.finish_sync(job.run()).unwrap();
        expected ^= 1;
    }
}

#[test]
fn a_page_beyond_the_log_is_refused() {
    let storage = storage();
    let mut log = MemoryLog::new();
    let mut store_one = store(&storage, 10);
    store_one.open_page_set(set(1), log.end(), None).unwrap();
    let mut unit = begin(&mut log);
    let head = format_pageset::MessageHead {
        key: 1,
        queue: 1,
        priority: 0,
        persistent: true,
        put_time: format_types::Timestamp(0),
        message_id: [0; 24],
        length: 0,
    };
    let inserted = store_one.insert_message(&mut log, &mut unit, set(1), &head, b"x").unwrap();
    log.sync();
    store_one.write_all(&mut log).unwrap();
    let mut store_two = store(&storage, 10);
    store_two.open_page_set(set(1), Rba(4200), None).unwrap();
    let error = store_two.read_message(&mut log, inserted.head, 1).unwrap_err();
    assert!(matches!(error, PageError::BeyondLog { .. }), "{error}");
}
