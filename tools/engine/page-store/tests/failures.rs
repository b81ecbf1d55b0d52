//! Failing and full disks: what goes offline, and what goes on.

mod memory_log;

use engine_page_store::{ExpandStep, PageError, PageLog, PageStore, page_set_path};
use engine_storage::{FaultRates, FaultyStorage, OpenMode, SharedStorage};
use format_log::Body;
use format_pageset::MessageHead;
use format_types::{Expand, PAGE_SIZE, PageNumber, PageSetId, Rba, Timestamp};
use memory_log::{MemoryLog, begin, dir, identity, set, store};

fn world(expand: Expand, pages: u32) -> (FaultyStorage, SharedStorage, PageStore, MemoryLog) {
    let disk = FaultyStorage::new(3);
    let storage = disk.shared();
    storage.create_dir(dir()).unwrap();
    let log = MemoryLog::new();
    let mut store = store(&storage, 400);
    for number in [0, 1] {
        PageStore::create_page_set(&storage, dir(), &identity(), set(number), pages, expand, log.end())
            .unwrap();
        store.open_page_set(set(number), log.end(), None).unwrap();
    }
    (disk, storage, store, log)
}

fn put(
    store: &mut PageStore,
    log: &mut MemoryLog,
    to: PageSetId,
    key: u64,
    length: usize,
) -> Result<(), PageError> {
    let head = MessageHead {
        key,
        queue: 1,
        priority: 0,
        persistent: true,
        put_time: Timestamp(0),
        message_id: [0; 24],
        length: 0,
    };
    let mut unit = begin(log);
    store.insert_message(log, &mut unit, to, &head, &vec![1; length]).map(drop)
}

fn fill(store: &mut PageStore, log: &mut MemoryLog, to: PageSetId) {
    for key in 0.. {
        if store.wants_expansion().is_some() {
            return;
        }
        put(store, log, to, key, 3000).unwrap();
    }
}

fn expand(store: &mut PageStore, log: &mut MemoryLog) -> Result<bool, PageError> {
    let Some(mut job) = store.begin_expansion(set(1))? else { return Ok(false) };
    loop {
        if let ExpandStep::Done(outcome) = job.step() {
            let succeeded = outcome.succeeded();
            store.finish_expansion(log, outcome)?;
            return Ok(succeeded);
        }
    }
}

#[test]
fn a_failed_sync_takes_the_page_set_offline_and_freezes_its_recovery_rba() {
    let (disk, _, mut store, mut log) = world(Expand::None, 50);
    put(&mut store, &mut log, set(1), 1, 100).unwrap();
    let frozen = store.recovery_rba(set(1));
    store.write_all(&mut log).unwrap();
    store.stamp_page_zero(set(1), log.synced, log.end(), None).unwrap();
    disk.control().set_rates(FaultRates { sync_error: 1_000_000, ..FaultRates::default() });
    let job = store.begin_sync(set(1)).unwrap();
    let error = store.finish_sync(job.run()).unwrap_err();
    assert_eq!(error.to_string(), format!("CSQI005I PAGE SET 01 OFFLINE. RECOVERY RBA = {frozen}"));
    disk.control().set_rates(FaultRates::default());
    assert!(store.begin_sync(set(1)).is_none(), "a failed sync is not tried again");
    assert!(matches!(put(&mut store, &mut log, set(1), 2, 1), Err(PageError::Offline { .. })));
    assert!(matches!(store.stamp_page_zero(set(1), Rba(1), Rba(1), None), Err(PageError::Offline { .. })));
    assert_eq!(
        (store.recovery_rba(set(1)), store.is_online(set(1)), store.usage()[1].online),
        (frozen, false, false)
    );
    let messages = store.take_messages();
    assert!(messages[0].starts_with("HWT321E") && messages[1].starts_with("CSQI005I"), "{messages:?}");
    put(&mut store, &mut log, set(0), 3, 100).unwrap();
}

#[test]
fn a_failed_write_harms_only_its_own_page_set() {
    let (disk, _, mut store, mut log) = world(Expand::None, 50);
    put(&mut store, &mut log, set(0), 1, 100).unwrap();
    put(&mut store, &mut log, set(1), 2, 100).unwrap();
    let only = Some("PSID01".to_owned());
    disk.control().set_rates(FaultRates { write_error: 1_000_000, only, ..FaultRates::default() });
    store.write_all(&mut log).unwrap();
    assert!(store.is_online(set(0)) && !store.is_online(set(1)));
    store.sync_now(set(0)).unwrap();
}

#[test]
fn page_sets_grow_when_nine_tenths_are_in_use() {
    for (how, first, second) in [(Expand::User, 200, 300), (Expand::System, 110, 121)] {
        let (_, storage, mut store, mut log) = world(how, 100);
        fill(&mut store, &mut log, set(1));
        assert_eq!(store.usage()[1].unused_pages, 10);
        assert!(expand(&mut store, &mut log).unwrap());
        let usage = &store.usage()[1];
        assert_eq!((usage.total_pages, usage.expansions), (first, 1));
        assert!(store.take_messages().iter().any(|line| line.starts_with("CSQI031I")));
        fill(&mut store, &mut log, set(1));
        assert!(expand(&mut store, &mut log).unwrap());
        assert_eq!(store.usage()[1].total_pages, second);
        let counted = log.count(|body| matches!(body, Body::UsedRaised { extents: 2 | 3, .. }));
        assert_eq!(counted, 2);
        let file = storage.open(&page_set_path(dir(), set(1)), OpenMode::Read).unwrap();
        assert_eq!(file.len().unwrap(), second * PAGE_SIZE as u64);
    }
    let (_, _, mut store, mut log) = world(Expand::None, 100);
    for key in 0..95 {
        put(&mut store, &mut log, set(1), key, 3000).unwrap();
    }
    assert_eq!(store.wants_expansion(), None);
    assert!(!expand(&mut store, &mut log).unwrap());
    store.alter_expand(set(1), Expand::User);
    assert_eq!(store.wants_expansion(), Some(set(1)));
}

#[test]
fn a_tail_left_by_an_interrupted_expansion_is_used_beside_a_new_extent() {
    let (_, storage, mut store, mut log) = world(Expand::User, 100);
    let file = storage.open(&page_set_path(dir(), set(1)), OpenMode::ReadWrite).unwrap();
    file.write_at(PageNumber(129).offset(), &[9; PAGE_SIZE]).unwrap();
    fill(&mut store, &mut log, set(1));
    assert!(expand(&mut store, &mut log).unwrap());
    assert_eq!(store.usage()[1].total_pages, 230);
    assert!(store.take_messages().iter().any(|line| line.starts_with("CSQI032I NEW EXTENT(S) OF 30 PAGES")));
    for key in 1000..1100 {
        put(&mut store, &mut log, set(1), key, 3000).unwrap();
    }
}

#[test]
fn a_full_disk_ends_expansion_until_it_is_altered_and_nothing_else() {
    let (disk, _, mut store, mut log) = world(Expand::User, 100);
    fill(&mut store, &mut log, set(1));
    disk.control().set_rates(FaultRates { capacity: Some(210 * PAGE_SIZE as u64), ..FaultRates::default() });
    assert!(!expand(&mut store, &mut log).unwrap());
    assert!(store.is_online(set(1)));
    assert_eq!((store.wants_expansion(), store.usage()[1].total_pages), (None, 100));
    let messages = store.take_messages();
    assert!(messages.iter().any(|line| line.starts_with("CSQP014E")), "{messages:?}");
    put(&mut store, &mut log, set(1), 5000, 3000).unwrap();
    store.write_all(&mut log).unwrap();
    store.sync_now(set(1)).unwrap();
    disk.control().set_rates(FaultRates::default());
    store.alter_expand(set(1), Expand::User);
    assert!(expand(&mut store, &mut log).unwrap());
}

#[test]
fn a_damaged_page_without_an_image_is_named_with_its_record() {
    let (disk, storage, mut store_one, mut log) = world(Expand::None, 50);
    put(&mut store_one, &mut log, set(1), 1, 100).unwrap();
    log.sync();
    store_one.write_all(&mut log).unwrap();
    store_one.sync_now(set(1)).unwrap();
    store_one.stamp_page_zero(set(1), log.synced, log.end(), None).unwrap();
    store_one.sync_now(set(1)).unwrap();
    // A record for the page at the recovery RBA, whose image is then taken out of the log.
    put(&mut store_one, &mut log, set(1), 2, 100).unwrap();
    let of_data = |body: &Body<'_>| body.page().is_some_and(|at| at.page == PageNumber(2));
    let lost: Vec<Rba> = log
        .decoded()
        .filter(|(_, r)| matches!(r.body, Body::PageImage { .. }) && of_data(&r.body))
        .map(|(at, _)| at.start)
        .collect();
    assert_eq!(lost.len(), 1);
    log.records.retain(|(at, _)| !lost.contains(&at.start));
    log.sync();
    disk.control().rot(&page_set_path(dir(), set(1)), PageNumber(2).offset() + 1000, &[4]).unwrap();

    let mut store_two = store(&storage, 50);
    let opened = store_two.open_page_set(set(1), log.end(), None).unwrap();
    for (at, record) in log.decoded().filter(|(at, _)| at.start >= opened.recovery_rba) {
        store_two.redo(&mut log.clone(), at, &record).unwrap();
    }
    let error = store_two.finish_redo(&mut log).unwrap_err();
    let (rba, _) = log.records.last().unwrap();
    assert!(matches!(&error, PageError::Unrepaired { rba: r, pages: 1, .. } if *r == rba.start), "{error}");
    assert!(error.to_string().contains("PAGE 01.00000002"), "{error}");
}
