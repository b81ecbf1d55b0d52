//! A page store at random work on storage that crashes, and the checks after each restart.

#![allow(dead_code)]

use std::collections::{BTreeMap, BTreeSet};

use crate::memory_log::{MemoryLog, begin, dir, identity, set, store};
use engine_page_store::{
    ExpandJob, ExpandStep, LogAtRest, PageError, PageLog, PageStore, PageSyncJob, RecordAddress, WriteAhead,
    page_set_path,
};
use engine_storage::{FaultyStorage, MemoryStorage, OpenMode, Random, SharedStorage};
use format_pageset::page_zero::decode;
use format_pageset::{
    Fragment, MessageHead, ObjectRecord, PageState, PageType, RecordPrefix, StorageClassDefinition, page,
    space_map, verify_page,
};
use format_types::{Expand, PAGE_SIZE, PageAddress, PageNumber, PageSetId, Rba, Timestamp};

const SETS: [u8; 2] = [0, 1];
const INITIAL: u32 = 60;

fn create_sets(storage: &SharedStorage) {
    storage.create_dir(dir()).unwrap();
    for number in SETS {
        let expand = if number == 0 { Expand::System } else { Expand::User };
        PageStore::create_page_set(storage, dir(), &identity(), set(number), INITIAL, expand, Rba(4096))
            .unwrap();
    }
    storage.sync_dir(std::path::Path::new("")).unwrap();
}

type Records = BTreeMap<RecordAddress, (u8, Vec<u8>)>;

fn scan(store: &mut PageStore, log: &mut dyn WriteAhead) -> Records {
    let mut all = Records::new();
    for number in SETS {
        store
            .scan(log, set(number), &mut |at, page_type, record| {
                all.insert(at, (page_type.code(), record.to_vec()));
            })
            .unwrap();
    }
    all
}

/// Opens all page sets and applies the whole of the log that they need.
fn restart(storage: &SharedStorage, frames: usize, log: &MemoryLog) -> PageStore {
    let mut store = store(storage, frames);
    let mut from = Rba::MAX;
    for number in SETS {
        from = from.min(store.open_page_set(set(number), log.end(), None).unwrap().recovery_rba);
    }
    log.replay(&mut store, from);
    store
}

/// What the pages hold when the whole log is applied to new page sets.
fn reference(log: &MemoryLog) -> Records {
    let storage = MemoryStorage::shared();
    create_sets(&storage);
    let mut store = restart(&storage, 400, log);
    scan(&mut store, &mut LogAtRest)
}

/// A copy of the page sets made while they are in use.
struct Copying {
    number: u8,
    image: Vec<u8>,
    next: u32,
    pages: u32,
}

struct World {
    disk: FaultyStorage,
    storage: SharedStorage,
    random: Random,
    frames: usize,
    store: PageStore,
    log: MemoryLog,
    next_key: u64,
    messages: BTreeMap<u64, (RecordAddress, bool, Vec<u8>)>,
    syncs: Vec<PageSyncJob>,
    expansion: Option<ExpandJob>,
    copying: Option<Copying>,
    copies: Vec<(u8, Vec<u8>)>,
    full: u32,
    expansions: u32,
}

impl World {
    fn new(seed: u64) -> Self {
        let disk = FaultyStorage::new(seed);
        let storage = disk.shared();
        create_sets(&storage);
        let mut random = Random::new(seed);
        let frames = random.between(8, 60) as usize;
        let log = MemoryLog::new();
        let store = restart(&storage, frames, &log);
        Self {
            disk,
            storage,
            random,
            frames,
            store,
            log,
            next_key: 1,
            messages: BTreeMap::new(),
            syncs: Vec::new(),
            expansion: None,
            copying: None,
            copies: Vec::new(),
            full: 0,
            expansions: 0,
        }
    }

    fn body(&mut self) -> Vec<u8> {
        let length = match self.random.below(10) {
            0 => 0,
            1..=5 => self.random.below(300),
            6..=7 => self.random.below(4000),
            _ => self.random.below(60_000),
        };
        let mut body = vec![0; length as usize];
        self.random.fill(&mut body);
        body
    }

    fn put(&mut self) {
        let body = self.body();
        let persistent = self.random.below(3) > 0;
        let to = set(SETS[self.random.below(2) as usize]);
        let key = self.next_key;
        self.next_key += 1;
        let mut unit = begin(&mut self.log);
        if self.random.below(20) == 0 {
            let name = "A.B".parse().unwrap();
            let (descr, moved_from) = ("x".repeat(50), Vec::new());
            let class = StorageClassDefinition { key, name, descr, page_set: to, moved_from };
            match self.store.insert_object(&mut self.log, &mut unit, &ObjectRecord::StorageClass(class)) {
                Ok(_) | Err(PageError::Full { .. }) => return,
                Err(e) => panic!("{e}"),
            }
        }
        let head = MessageHead {
            key,
            queue: 5,
            priority: 4,
            persistent,
            put_time: Timestamp(9),
            message_id: [3; 24],
            length: 0,
        };
        let before = self.log.end();
        let inserted = match self.store.insert_message(&mut self.log, &mut unit, to, &head, &body) {
            Ok(inserted) => inserted,
            Err(PageError::Full { .. }) => {
                assert_eq!(self.log.end(), before);
                self.full += 1;
                return;
            }
            Err(e) => panic!("{e}"),
        };
        if self.random.below(6) == 0 {
            for (at, _) in inserted.records.iter().rev() {
                self.store.compensate(&mut self.log, &mut unit, *at, Rba::ZERO).unwrap();
            }
            assert!(self.store.read_message(&mut self.log, inserted.head, key).unwrap().is_none());
        } else {
            self.messages.insert(key, (inserted.head, persistent, body));
        }
    }

    fn some_key(&mut self) -> Option<u64> {
        let keys: Vec<u64> = self.messages.keys().copied().collect();
        self.random.pick(&keys).copied()
    }

    fn step(&mut self) {
        match self.random.below(100) {
            0..45 => self.put(),
            45..70 => {
                if let Some(key) = self.some_key() {
                    let (head, ..) = self.messages.remove(&key).unwrap();
                    let mut unit = begin(&mut self.log);
                    self.store.delete_chain(&mut self.log, &mut unit, head, key).unwrap();
                    self.store.delete_chain(&mut self.log, &mut unit, head, key).unwrap();
                    assert!(self.store.read_message(&mut self.log, head, key).unwrap().is_none());
                }
            }
            70..76 => {
                if let Some(key) = self.some_key() {
                    let (head, persistent, body) = self.messages[&key].clone();
                    let read = self.store.read_message(&mut self.log, head, key).unwrap().unwrap();
                    assert_eq!((read.0.persistent, read.1), (persistent, body));
                }
            }
            76..80 => self.log.sync(),
            80..82 => self.store.begin_checkpoint(self.log.end()),
            82..85 => {
                let _ = self.store.write_due(&mut self.log, 8).unwrap();
            }
            85 => self.store.write_all(&mut self.log).unwrap(),
            86..89 => {
                for number in SETS {
                    self.syncs.extend(self.store.begin_sync(set(number)));
                }
            }
            89..92 => {
                for job in std::mem::take(&mut self.syncs) {
                    self.store.finish_sync(job.run()).unwrap();
                }
            }
            92..95 => {
                for number in SETS {
                    let (synced, end) = (self.log.synced, self.log.end());
                    self.store.stamp_page_zero(set(number), synced, end, None).unwrap();
                }
            }
            95..98 => self.copy_step(),
            _ => self.expand_step(),
        }
    }

    fn expand_step(&mut self) {
        if let Some(mut job) = self.expansion.take() {
            match job.step() {
                ExpandStep::More => self.expansion = Some(job),
                ExpandStep::Done(outcome) => {
                    self.store.finish_expansion(&mut self.log, outcome).unwrap();
                    self.expansions += 1;
                }
            }
        } else if let Some(wants) = self.store.wants_expansion() {
            self.expansion = self.store.begin_expansion(wants).unwrap();
        }
    }

    /// Copies as `repro` does: page zero first, then the pages up to HI-U, while the work goes on.
    fn copy_step(&mut self) {
        let number = SETS[self.random.below(2) as usize];
        let mut copying =
            self.copying.take().unwrap_or(Copying { number, image: Vec::new(), next: 0, pages: 1 });
        let file = self.storage.open(&page_set_path(dir(), set(copying.number)), OpenMode::Read).unwrap();
        for _ in 0..self.random.between(1, 30) {
            let mut bytes = vec![0; PAGE_SIZE];
            file.read_at(PageNumber(copying.next).offset(), &mut bytes).unwrap();
            if copying.next == 0 {
                copying.pages = decode(&bytes).unwrap().zero.pages_used;
            }
            copying.image.extend(bytes);
            copying.next += 1;
            if copying.next == copying.pages {
                self.copies.push((copying.number, copying.image));
                return;
            }
        }
        self.copying = Some(copying);
    }

    /// Every copy, and a torn one, recovered from the log.
    fn check_copies(&mut self, expected: &Records) {
        for (number, image) in self.copies.split_off(self.copies.len().saturating_sub(3)) {
            let storage = MemoryStorage::shared();
            create_sets(&storage);
            let path = page_set_path(dir(), set(number));
            storage.remove(&path).unwrap();
            storage.open(&path, OpenMode::CreateNew).unwrap().write_at(0, &image).unwrap();
            let mut store = restart(&storage, 30, &self.log);
            assert_eq!(&scan(&mut store, &mut LogAtRest), expected, "a copy of page set {number}");
        }
        self.copies.clear();
    }

    fn crash(&mut self) {
        // Any of the log that was not durable may be there or not.
        let ends: Vec<Rba> =
            self.log.records.iter().map(|(at, _)| at.end).filter(|end| *end >= self.log.synced).collect();
        let end = self.random.pick(&ends).copied().unwrap_or(self.log.synced);
        self.log.cut(end);
        if self.random.below(4) == 0 {
            self.disk.control().kill();
        } else {
            self.disk.crash();
        }
        self.storage = self.disk.shared();
        self.syncs.clear();
        self.expansion = None;
        self.copying = None;

        let expected = reference(&self.log);
        self.frames = self.random.between(8, 60) as usize;
        self.store = restart(&self.storage, self.frames, &self.log);
        assert_eq!(scan(&mut self.store, &mut self.log), expected);
        self.check_copies(&expected);
        if self.random.below(3) == 0 {
            // A second crash before the restart has finished.
            let _ = self.store.write_due(&mut self.log, 10).unwrap();
            self.store.write_all(&mut self.log).unwrap();
            self.disk.crash();
            self.storage = self.disk.shared();
            self.store = restart(&self.storage, self.frames, &self.log);
            assert_eq!(scan(&mut self.store, &mut self.log), expected);
        }
        self.check_rot();
        self.undo(&expected);
        self.check_space();
    }

    /// A page that rotted at rest is named by whoever reads it; no other content is ever taken from it.
    fn check_rot(&mut self) {
        let expected = scan(&mut self.store, &mut self.log);
        self.store.write_all(&mut self.log).unwrap();
        let Some(at) = self.random.pick(&expected.keys().copied().collect::<Vec<_>>()).copied() else {
            return;
        };
        let rotten = MemoryStorage::shared();
        create_sets(&rotten);
        for number in SETS {
            let path = page_set_path(dir(), set(number));
            let file = self.storage.open(&path, OpenMode::Read).unwrap();
            let mut image = vec![0; file.len().unwrap() as usize];
            file.read_at(0, &mut image).unwrap();
            if at.page_set == set(number) {
                let byte = at.page.offset() as usize + self.random.below(PAGE_SIZE as u64) as usize;
                image[byte] ^= 1 << self.random.below(8);
            }
            rotten.open(&path, OpenMode::ReadWrite).unwrap().write_at(0, &image).unwrap();
        }
        let mut store = store(&rotten, self.frames);
        for number in SETS {
            store.open_page_set(set(number), self.log.end(), None).unwrap();
        }
        let read = store.scan(&mut LogAtRest, at.page_set, &mut |_, _, _| {});
        let Err(PageError::Damaged { at: named, .. }) = read else { panic!("rot of {at:?}: {read:?}") };
        assert_eq!((named.page_set, named.page), (at.page_set, at.page));
    }

    /// What the backward phase would do, with chains instead of units: what is not whole goes.
    fn undo(&mut self, found: &Records) {
        let mut whole = BTreeSet::new();
        let mut kept = BTreeMap::new();
        for (at, (_, record)) in found {
            let Ok(Fragment::Head { head, .. }) = Fragment::decode(record) else { continue };
            match self.store.read_message(&mut self.log, *at, head.key) {
                Ok(Some((_, body))) => {
                    whole.insert(head.key);
                    kept.insert(head.key, (*at, true, body));
                }
                Err(PageError::BrokenChain { .. }) => {
                    let mut unit = begin(&mut self.log);
                    self.store.delete_chain(&mut self.log, &mut unit, *at, head.key).unwrap();
                }
                other => panic!("{other:?}"),
            }
        }
        for (at, (page_type, record)) in found {
            let prefix = RecordPrefix::decode(record).unwrap();
            let rest = matches!(Fragment::decode(record), Ok(Fragment::Rest { .. }));
            if *page_type == PageType::Persistent.code() && rest && !whole.contains(&prefix.key) {
                let mut unit = begin(&mut self.log);
                match self.store.compensate(&mut self.log, &mut unit, *at, Rba::ZERO) {
                    Ok(()) | Err(PageError::NoRecord(_)) => {}
                    Err(e) => panic!("{e}"),
                }
            }
        }
        // What was lost was in the log's lost end; what is there and was not lost is the same.
        for (key, (_, _, body)) in &kept {
            if let Some((_, _, before)) = self.messages.get(key) {
                assert_eq!(before, body);
            }
        }
        self.messages = kept;
        let _ = scan(&mut self.store, &mut self.log);
        for number in SETS {
            while self.store.free_nonpersistent(&mut self.log, set(number)).unwrap() > 0 {}
        }
    }

    /// After a restart: no nonpersistent pages, no pages in use without records, and the counts are those of the maps.
    fn check_space(&mut self) {
        let records = scan(&mut self.store, &mut self.log);
        let with_records: BTreeSet<(PageSetId, PageNumber)> =
            records.keys().map(|at| (at.page_set, at.page)).collect();
        self.store.write_all(&mut self.log).unwrap();
        for usage in self.store.usage() {
            let path = page_set_path(dir(), usage.page_set);
            let file = self.storage.open(&path, OpenMode::Read).unwrap();
            let (mut free, mut used) = (0, 0);
            let mut map: page::PageBytes = [0; PAGE_SIZE];
            for number in 1..usage.total_pages as u32 {
                let number = PageNumber(number);
                let mut bytes: page::PageBytes = [0; PAGE_SIZE];
                file.read_at(number.offset(), &mut bytes).unwrap();
                let header = verify_page(&bytes, PageAddress::new(usage.page_set, number)).unwrap();
                assert!(header.page_rba <= self.log.synced);
                if space_map::is_map(number) {
                    map = bytes;
                }
                let index = number.0 - space_map::map_of(number).unwrap().0;
                let state = space_map::state(&map, index).unwrap();
                match state {
                    PageState::Free => free += 1,
                    PageState::Map => assert_eq!(header.page_type, PageType::Map),
                    PageState::NonPersistent => panic!("page {number} is nonpersistent"),
                    PageState::Object | PageState::Persistent => {
                        used += 1;
                        assert_eq!(header.page_type, state.page_type());
                        assert!(with_records.contains(&(usage.page_set, number)), "page {number} is empty");
                    }
                }
            }
            assert_eq!((usage.unused_pages, usage.nonpersistent_pages), (free, 0));
            assert_eq!(used, with_records.iter().filter(|(set, _)| *set == usage.page_set).count());
        }
    }
}

/// Works, crashes, restarts and checks, four times over; says how often a page set was full, and how often one grew.
pub(crate) fn run(seed: u64) -> (u32, u32) {
    let mut world = World::new(seed);
    for _ in 0..4 {
        for _ in 0..world.random.between(20, 300) {
            world.step();
        }
        world.crash();
    }
    for (key, (head, _, body)) in world.messages.clone() {
        assert_eq!(world.store.read_message(&mut world.log, head, key).unwrap().unwrap().1, body);
    }
    (world.full, world.expansions)
}
