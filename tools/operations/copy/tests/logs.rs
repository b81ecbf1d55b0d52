//! Copies of log data sets and other images of 4096-byte records.

use std::path::Path;

use engine_storage::{MemoryStorage, OpenMode, SharedFile, Storage};
use format_log::LogIdentity;
use format_log::ci::{CI_DATA, CiTrailer};
use format_log::segment::{FIRST, LAST, SEGMENT_HEADER, SegmentChecksum};
use format_types::{CI_SIZE, ConditionCode, HistoryId, QueueManagerId, Rba, crc32c};
use operation_copy::{
    CopyError, CopyReport, FileSource, FileTarget, ImageCopy, ImageKind, RecordReader, recognise,
};

fn identity() -> LogIdentity {
    LogIdentity { queue_manager: QueueManagerId(9), history: HistoryId { number: 1, random: 2 } }
}

fn interval(rba: u64, instance: u32, full: bool) -> Vec<u8> {
    let mut ci = vec![0; CI_SIZE];
    let checksum = SegmentChecksum::new(identity());
    let length = if full { CI_DATA - SEGMENT_HEADER } else { 100 };
    let used = checksum.put(&mut ci, Rba(rba), 0, FIRST | LAST, &vec![0x5A; length]);
    let trailer = CiTrailer {
        rba: Rba(rba),
        identity: identity(),
        instance,
        used: used as u16,
        first_record: Some(0),
        synced: Rba(rba),
        closed: full,
    };
    trailer.put(&mut ci);
    ci
}

/// Ten closed control intervals, an open one, three of an earlier use, four never used.
fn log() -> Vec<u8> {
    let mut log = Vec::new();
    for number in 0..10 {
        log.extend(interval(0x10_0000 + number * 4096, 2, true));
    }
    log.extend(interval(0x10_0000 + 10 * 4096, 2, false));
    for number in 11..14 {
        log.extend(interval(0x1000 + number * 4096, 1, true));
    }
    log.extend(vec![0; 4 * CI_SIZE]);
    log
}

fn run(bytes: &[u8], kind: ImageKind) -> Result<(CopyReport, SharedFile), CopyError> {
    let storage = MemoryStorage::new();
    let source = storage.open(Path::new("A"), OpenMode::CreateNew).unwrap();
    source.write_at(0, bytes).unwrap();
    let target = storage.open(Path::new("B"), OpenMode::CreateNew).unwrap();
    let reader = RecordReader::new(FileSource::new(source, "A"), kind);
    let report = ImageCopy::new(reader, FileTarget::new(target.clone(), "B")).run()?;
    let mut copied = vec![0; target.len().unwrap() as usize];
    target.read_at(0, &mut copied).unwrap();
    assert_eq!(copied, bytes);
    assert_eq!(report.checksum, crc32c(bytes));
    Ok((report, target))
}

#[test]
fn a_log_with_its_open_end_is_copied_whole() {
    let log = log();
    assert_eq!(recognise(&log), ImageKind::Log);
    let (report, _) = run(&log, ImageKind::Log).unwrap();
    assert_eq!((report.records, report.code()), (18, ConditionCode::Done));
}

#[test]
fn damage_in_the_middle_is_named_and_at_the_open_end_is_a_warning() {
    for number in 0..9 {
        let mut damaged = log();
        damaged[number * CI_SIZE + 50] ^= 4;
        let (report, _) = run(&damaged, ImageKind::Log).unwrap();
        let named: Vec<u64> = report.damaged.iter().map(|d| d.number).collect();
        assert_eq!(named, [number as u64]);
    }
    let mut lost = log();
    lost[3 * CI_SIZE..4 * CI_SIZE].fill(0);
    let old = interval(0x10_0000 + 5 * 4096, 2, false);
    lost[5 * CI_SIZE..6 * CI_SIZE].copy_from_slice(&old);
    let (report, _) = run(&lost, ImageKind::Log).unwrap();
    assert_eq!(report.damaged.iter().map(|d| d.number).collect::<Vec<_>>(), [3, 5]);

    let mut end = log();
    end[10 * CI_SIZE + 50] ^= 4;
    let (report, _) = run(&end, ImageKind::Log).unwrap();
    assert_eq!((report.damaged_count, report.code()), (0, ConditionCode::Warning));
    assert!(report.warnings[0].contains("number 10"));
}

#[test]
fn other_records_keep_their_holes() {
    let mut bytes = vec![0; 300 * CI_SIZE];
    bytes[200 * CI_SIZE..201 * CI_SIZE].fill(1);
    let (report, target) = run(&bytes, ImageKind::Records).unwrap();
    assert_eq!((report.records, report.code()), (300, ConditionCode::Done));
    if let Some((start, _)) = target.next_data(0).unwrap() {
        assert!(start <= 200 * CI_SIZE as u64);
    }
}

#[test]
fn what_is_no_whole_number_of_records_is_refused() {
    assert!(matches!(run(&[1; 5000], ImageKind::Records), Err(CopyError::NotRecords { length: 5000, .. })));
    assert!(matches!(run(&[], ImageKind::Records), Err(CopyError::NotRecords { length: 0, .. })));
}
