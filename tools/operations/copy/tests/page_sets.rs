//! Copies of page sets: at rest, while their owner writes, damaged.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use engine_storage::{MemoryStorage, OpenMode, SharedFile, Storage, StorageFile};
use format_pageset::page::{self, PageType};
use format_pageset::{PageZero, page_zero};
use format_types::{
    ConditionCode, Expand, HistoryId, PAGE_SIZE, PageAddress, PageNumber, PageSetId, QueueManagerId, Rba,
    crc32c,
};
use operation_copy::{
    CopyError, CopyStep, FileSource, FileTarget, ImageKind, PageSetCopy, PageSetReader, StreamSource,
    StreamTarget, copy_pipelined, recognise,
};

fn set() -> PageSetId {
    PageSetId::new(3).unwrap()
}

fn zero(used: u32) -> PageZero {
    PageZero {
        queue_manager: QueueManagerId(0xAB),
        name: "QM1".parse().unwrap(),
        page_set: set(),
        history: HistoryId { number: 1, random: 5 },
        recovery_rba: Rba(0x4000),
        highest_synced: Rba(0x9000),
        pages_used: used,
        extents: 1,
        expansions: 0,
        expand: Expand::User,
        initial_pages: used,
        closed_cleanly: None,
    }
}

fn data_page(number: u32, salt: u8) -> [u8; PAGE_SIZE] {
    let mut page = [0; PAGE_SIZE];
    let address = PageAddress::new(set(), PageNumber(number));
    page::format(&mut page, address, PageType::Persistent, Rba(1), Rba(0x3000 + u64::from(salt)));
    for (at, byte) in page.iter_mut().enumerate().skip(64) {
        *byte = (at as u8).wrapping_mul(31).wrapping_add(number as u8) ^ salt;
    }
    page::seal(&mut page);
    page
}

/// An image of `used` pages in use and `beyond` unformatted ones behind them.
fn image(used: u32, beyond: u32) -> Vec<u8> {
    let mut image = page_zero::encode_page(&zero(used), 7).to_vec();
    image.extend(page::fresh(set(), PageNumber(1), Rba(1)));
    for number in 2..used {
        image.extend(data_page(number, 0));
    }
    image.extend(std::iter::repeat_n(0xEE, beyond as usize * PAGE_SIZE));
    image
}

fn file(storage: &MemoryStorage, name: &str, bytes: &[u8]) -> SharedFile {
    let file = storage.open(Path::new(name), OpenMode::CreateNew).unwrap();
    file.write_at(0, bytes).unwrap();
    file
}

fn contents(file: &SharedFile) -> Vec<u8> {
    let mut bytes = vec![0; file.len().unwrap() as usize];
    file.read_at(0, &mut bytes).unwrap();
    bytes
}

#[test]
fn the_copy_ends_at_hi_u_and_equals_the_source() {
    let storage = MemoryStorage::new();
    let bytes = image(700, 20);
    let source = file(&storage, "A", &bytes);
    let target = file(&storage, "B", &[]);
    let mut copy = PageSetCopy::of_files(source, "A", target.clone(), "B", Some(set()));
    let report = copy.run().unwrap();
    let used = &bytes[..700 * PAGE_SIZE];
    assert_eq!(contents(&target), used);
    assert_eq!((report.records, report.length, report.checksum), (700, used.len() as u64, crc32c(used)));
    assert_eq!((report.code(), report.kind, report.reread), (ConditionCode::Done, ImageKind::PageSet, 0));
    let facts = report.page_set.unwrap();
    assert_eq!((facts.page_set, facts.recovery_rba), (set(), Rba(0x4000)));
    assert_eq!(copy.progress(), (used.len() as u64, Some(used.len() as u64)));
}

#[test]
fn threads_and_pipes_give_the_same_copy() {
    let storage = MemoryStorage::new();
    let bytes = image(1500, 3);
    let used = &bytes[..1500 * PAGE_SIZE];
    let source = file(&storage, "A", &bytes);
    let target = file(&storage, "B", &[]);
    let mut reader = PageSetReader::new(FileSource::new(source, "A"), None);
    let mut seen = 0;
    let mut file_target = FileTarget::new(target.clone(), "B");
    let early = file_target.file();
    let report =
        copy_pipelined(&mut reader, &mut file_target, Some(&early), &mut |done, _| seen = done).unwrap();
    assert_eq!(contents(&target), used);
    assert_eq!((report.checksum, seen), (crc32c(used), used.len() as u64));

    let mut stream = StreamSource::new(&bytes[..], "-");
    assert_eq!(recognise(stream.peek(8192).unwrap()), ImageKind::PageSet);
    let mut out = Vec::new();
    let mut reader = PageSetReader::new(stream, None);
    let report =
        copy_pipelined(&mut reader, &mut StreamTarget::new(&mut out, "-"), None, &mut |_, _| {}).unwrap();
    assert_eq!((out.as_slice(), report.checksum), (used, crc32c(used)));
}

#[test]
fn every_flipped_bit_below_hi_u_is_named_by_its_page_and_none_beyond() {
    let bytes = image(40, 2);
    let mut random = 88_172_645_463_325_252_u64;
    for round in 0..300 {
        random ^= random << 13;
        random ^= random >> 7;
        random ^= random << 17;
        let at = if round < 40 { round * PAGE_SIZE + round } else { (random as usize / 8) % bytes.len() };
        let mut damaged = bytes.clone();
        damaged[at] ^= 1 << (random % 8);
        let storage = MemoryStorage::new();
        let source = file(&storage, "A", &damaged);
        let target = file(&storage, "B", &[]);
        let mut copy = PageSetCopy::of_files(source, "A", target.clone(), "B", None);
        let report = loop {
            match copy.step().unwrap() {
                CopyStep::Done(report) => break report,
                CopyStep::More | CopyStep::Pause(_) => {}
            }
        };
        let page = (at / PAGE_SIZE) as u64;
        let expected = if page < 40 { vec![page] } else { vec![] };
        let named: Vec<u64> = report.damaged.iter().map(|d| d.number).collect();
        assert_eq!(named, expected, "byte {at}");
        assert_eq!(report.code() == ConditionCode::Partial, page < 40);
        assert_eq!(contents(&target), damaged[..40 * PAGE_SIZE], "the copy holds what was read");
    }
}

/// A file whose page 5 reads half-written a number of times.
struct HalfWritten {
    inner: SharedFile,
    left: AtomicU32,
}

impl StorageFile for HalfWritten {
    fn len(&self) -> io::Result<u64> {
        self.inner.len()
    }
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.inner.read_at(offset, buffer)?;
        let at = 5 * PAGE_SIZE as u64 + 512;
        let caught = (offset..offset + buffer.len() as u64).contains(&at);
        if caught
            && self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |n| n.checked_sub(1)).is_ok()
        {
            let start = (at - offset) as usize;
            buffer[start..start + 512].copy_from_slice(&data_page(5, 9)[512..1024]);
        }
        Ok(())
    }
    fn write_at(&self, _: u64, _: &[u8]) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }
    fn set_len(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }
    fn allocate(&self, _: u64) -> io::Result<()> {
        Err(io::ErrorKind::PermissionDenied.into())
    }
    fn sync(&self) -> io::Result<()> {
        Ok(())
    }
    fn next_data(&self, offset: u64) -> io::Result<Option<(u64, u64)>> {
        self.inner.next_data(offset)
    }
    fn identity(&self) -> io::Result<(u64, u64)> {
        self.inner.identity()
    }
}

#[test]
fn a_page_caught_half_written_is_read_again_and_one_that_stays_so_is_named() {
    for (times, damaged) in [(1, 0), (4, 0), (1_000_000, 1)] {
        let storage = MemoryStorage::new();
        let bytes = image(12, 0);
        let source: SharedFile =
            Arc::new(HalfWritten { inner: file(&storage, "A", &bytes), left: AtomicU32::new(times) });
        let target = file(&storage, "B", &[]);
        let mut copy = PageSetCopy::of_files(source, "A", target.clone(), "B", None);
        let mut pauses = 0;
        let report = loop {
            match copy.step().unwrap() {
                CopyStep::Done(report) => break report,
                CopyStep::More => {}
                CopyStep::Pause(pause) => {
                    assert!(pause.as_millis() < 200);
                    pauses += 1;
                }
            }
        };
        assert_eq!(report.damaged_count, damaged);
        if damaged == 0 {
            assert_eq!((report.reread, pauses), (1, times));
            assert_eq!(contents(&target), bytes);
        } else {
            assert_eq!((report.damaged[0].number, pauses), (5, 8));
        }
    }
}

#[test]
fn page_zero_is_taken_before_its_owner_moves_it_on() {
    // The owner raises the recovery RBA after the first step; the copy must keep the old one.
    let storage = MemoryStorage::new();
    let bytes = image(600, 0);
    let source = file(&storage, "A", &bytes);
    let target = file(&storage, "B", &[]);
    let mut copy = PageSetCopy::of_files(source.clone(), "A", target.clone(), "B", None);
    assert_eq!(copy.step().unwrap(), CopyStep::More);
    let newer = PageZero { recovery_rba: Rba(0x8000), ..zero(600) };
    source.write_at(0, &page_zero::encode_page(&newer, 20)).unwrap();
    source.write_at(2 * PAGE_SIZE as u64, &data_page(2, 1)).unwrap();
    let report = copy.run().unwrap();
    assert_eq!(report.page_set.unwrap().recovery_rba, Rba(0x4000));
    let copied = contents(&target);
    assert_eq!(page_zero::decode(&copied[..PAGE_SIZE]).unwrap().zero.recovery_rba, Rba(0x4000));
    assert_eq!(copied[2 * PAGE_SIZE..3 * PAGE_SIZE], data_page(2, 1));
}

fn run(bytes: &[u8], wanted: Option<PageSetId>) -> Result<operation_copy::CopyReport, CopyError> {
    let storage = MemoryStorage::new();
    let source = file(&storage, "A", bytes);
    let target = file(&storage, "B", &[]);
    PageSetCopy::of_files(source, "A", target, "B", wanted).run()
}

#[test]
fn bad_input_is_refused_by_name() {
    let bytes = image(10, 0);
    assert!(matches!(
        run(&bytes[..9 * PAGE_SIZE], None),
        Err(CopyError::Truncated { length: 36864, used: 40960, .. })
    ));
    assert!(matches!(run(&bytes, PageSetId::new(4)), Err(CopyError::Foreign { .. })));
    assert!(matches!(run(&bytes[..100], None), Err(CopyError::NotRecords { length: 100, .. })));
    let mut both = bytes.clone();
    both[100] ^= 1;
    both[2148] ^= 1;
    assert!(matches!(run(&both, None), Err(CopyError::PageZero { .. })));
    assert_eq!(recognise(&both), ImageKind::PageSet);
    assert!(matches!(run(&data_page(5, 0).repeat(3), None), Err(CopyError::PageZero { .. })));
    let mut one = bytes.clone();
    one[100] ^= 1;
    let report = run(&one, None).unwrap();
    assert_eq!((report.damaged[0].number, report.damaged_count), (0, 1));
    let zeros = {
        let mut zeros = bytes;
        zeros[6 * PAGE_SIZE..7 * PAGE_SIZE].fill(0);
        zeros
    };
    assert!(run(&zeros, None).unwrap().damaged[0].why.contains("zeros"));
}
