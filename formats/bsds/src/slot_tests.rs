//! Tests of slots: every flip and truncation is noticed, every image survives.

use super::*;
use crate::{
    ActiveLog, ActiveStatus, ArchiveLog, BackupInProgress, CheckpointEntry, ConditionalRestart, Hold, Hole,
    PageSetEntry, PointMethod, PointState, RecoveryPointEntry, Settings,
};
use format_types::{
    Expand, HistoryId, LogHistory, Lrsn, PageSetId, QueueManagerId, Rba, RbaRange, RecoveryPart,
    SystemRecovery, Timestamp,
};

pub(crate) fn sample() -> Bsds {
    let first = HistoryId { number: 1, random: 0xAAAA };
    let second = HistoryId { number: 2, random: 0xBBBB };
    let range = RbaRange::new(Rba(0), Rba(0x5A000));
    let active = |copy: u8, number: u8, status, range| ActiveLog {
        copy,
        name: format!("LOGCOPY{copy}.DS{number:02}"),
        size: 0x100000,
        range,
        status,
        instance: 1,
        history: second,
    };
    let used = ActiveStatus { reusable: true, truncated: true, ..ActiveStatus::default() };
    let fresh = ActiveStatus { new: true, ..ActiveStatus::default() };
    let part = |rba| RecoveryPart { rba: Rba(rba), holder: "page set 02".to_owned() };
    Bsds {
        sequence: 41,
        queue_manager: QueueManagerId(0x1234_5678_9ABC_DEF0),
        name: "QM1".parse().unwrap(),
        created: Timestamp(1_700_000_000_000_000),
        settings: Settings {
            dual_active: true,
            dual_archive: true,
            log_data_set_size: 0x100000,
            log_load: 500_000,
            buffer_pool_pages: 16_384,
        },
        histories: vec![
            LogHistory { id: first, parent: None, first: Rba(0) },
            LogHistory { id: second, parent: Some((first, Rba(0x4F123))), first: Rba(0x50000) },
        ],
        active_logs: vec![
            active(1, 1, used, Some(range)),
            active(1, 2, ActiveStatus::default(), Some(RbaRange::new(Rba(0x5A000), Rba(0x15A000)))),
            active(1, 3, fresh, None),
            active(2, 1, ActiveStatus { incomplete: true, ..used }, Some(range)),
        ],
        copy_stopped: [None, Some(Rba(0x5B123))],
        archives: vec![ArchiveLog {
            copy: 1,
            name: "ARCHLOG1.A0000001".to_owned(),
            history: first,
            range,
            start_lrsn: Lrsn(1),
            end_lrsn: Lrsn(2),
            written_at: Timestamp(5),
            unit: "DISK".to_owned(),
            volume: String::new(),
            bsds_name: "ARCHLOG1.B0000001".to_owned(),
            deleting: true,
        }],
        next_archive: 2,
        highest_written: Rba(0x5C777),
        highest_offloaded: Rba(0x5A000),
        checkpoints: vec![CheckpointEntry { begin: Rba(0x5A100), end: Rba(0x5A900), at: Timestamp(6) }],
        clean_stop: Some(Rba(0x5C777)),
        conditional_restarts: vec![ConditionalRestart { at: Timestamp(3), end: Rba(0x50000), active: false }],
        backups_in_progress: vec![BackupInProgress {
            name: "P2".to_owned(),
            started: Timestamp(8),
            system_recovery_rba: Rba(0x1000),
            start_rba: Rba(0x2000),
        }],
        recovery_points: vec![RecoveryPointEntry {
            name: "P1".to_owned(),
            directory: "points/P1".to_owned(),
            method: PointMethod::Fuzzy,
            state: PointState::Verified,
            at: Timestamp(7),
            history: second,
            start: Rba(0x51000),
            end: Rba(0x52000),
            page_sets: vec![(PageSetId::ZERO, Rba(0x50800))],
            system_recovery: SystemRecovery {
                page_sets: part(0x50800),
                structures: None,
                units: Some(part(0x50900)),
                page_sets_online: Rba(0x50800),
            },
            verified_at: Some(Timestamp(9)),
        }],
        holds: vec![Hold { point: "P1".to_owned(), reason: "year end".to_owned(), until: None }],
        page_sets: vec![PageSetEntry {
            page_set: PageSetId::ZERO,
            initial_pages: 4096,
            expand: Expand::User,
            defined: Some((second, Rba(0x50000))),
        }],
        holes: vec![Hole { history: first, range: RbaRange::new(Rba(0x1000), Rba(0x3000)) }],
    }
}

#[test]
fn the_documentation_has_the_fields() {
    use std::mem::offset_of;
    let text = include_str!("../../../docs/formats/bsds.md");
    macro_rules! rows {
        ($($field:ident),+) => {
            vec![$((offset_of!(Layout, $field), stringify!($field))),+]
        };
    }
    let fields = rows!(eye_catcher, version, slot, capacity, sequence, length, crc);
    let ends = fields.iter().skip(1).map(|(offset, _)| *offset).chain([SLOT_HEADER]);
    for ((offset, name), end) in fields.iter().zip(ends) {
        let row = format!("| {offset} | {} | `{name}` |", end - offset);
        assert!(text.contains(&row), "{row}");
    }
    for fact in [
        format!("| {SLOT_HEADER} | n | image |"),
        format!("begins with slots of {FIRST_CAPACITY} bytes"),
        format!("a multiple of {UNIT}"),
        format!("version {VERSION}"),
        format!("the last {} complete checkpoints", Bsds::CHECKPOINTS),
    ] {
        assert!(text.contains(&fact), "{fact}");
    }
    // The image's fields are documented where they are written, and here, in the same words.
    let source = include_str!("image.rs");
    let rows =
        source.lines().filter_map(|line| line.strip_prefix("//! | ")).filter(|row| !row.starts_with("Field"));
    let mut count = 0;
    for row in rows {
        assert!(text.contains(row), "{row}");
        count += 1;
    }
    assert!(count > 10);
}

#[test]
fn layout_is_pinned() {
    let slot = encode_slot(&sample(), 4096).unwrap();
    assert_eq!(&slot[..16], b"HWBSDS\0\0\x00\x01\x00\x01\x00\x00\x10\x00");
    assert_eq!(&slot[16..24], &[0, 0, 0, 0, 0, 0, 0, 41]);
    assert_eq!(&slot[32..45], &[0x12, 0x34, 0x56, 0x78, 0x9A, 0xBC, 0xDE, 0xF0, 0, 3, b'Q', b'M', b'1']);
    assert_eq!(slot.len(), 4096);
    assert_eq!(decode_slot(&slot, 1), Ok(sample()));
}

#[test]
fn every_bit_flip_and_truncation_of_a_slot_is_detected() {
    let good = encode_slot(&sample(), 4096).unwrap();
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(decode_slot(&bad, 1).is_err(), "bit {bit}");
    }
    for len in 0..good.len() {
        assert!(decode_slot(&good[..len], 1).is_err(), "cut to {len}");
    }
    assert!(decode_slot(&good, 0).is_err());
}

/// A file with sequences 40 and 41 in its slots.
fn two_slots() -> (Vec<u8>, Bsds, Bsds) {
    let (newer, mut older) = (sample(), sample());
    older.sequence = 40;
    older.checkpoints.clear();
    let mut file = encode_slot(&older, 4096).unwrap();
    file.extend(encode_slot(&newer, 4096).unwrap());
    (file, older, newer)
}

#[test]
fn every_bit_flip_of_a_file_is_seen_and_the_other_slot_serves() {
    let (good, older, newer) = two_slots();
    let file = decode_file(&good);
    assert!(file.is_sound() && file.newest.as_ref() == Some(&newer));
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        let file = decode_file(&bad);
        assert!(!file.is_sound(), "bit {bit}");
        let wanted = if bit / 8 < 4096 { &newer } else { &older };
        assert_eq!(file.newest.as_ref(), Some(wanted), "bit {bit}");
    }
}

#[test]
fn every_truncation_of_a_file_is_seen() {
    let (good, older, _) = two_slots();
    for len in 0..good.len() {
        let file = decode_file(&good[..len]);
        assert!(!file.is_sound(), "cut to {len}");
        if len >= 4096 {
            assert_eq!(file.newest.as_ref(), Some(&older), "cut to {len}");
        }
    }
    let mut longer = good;
    longer.push(0);
    assert!(!decode_file(&longer).is_sound());
}

#[test]
fn a_new_file_has_one_empty_slot() {
    let bsds = sample();
    let capacity = least_capacity(&bsds);
    assert_eq!(capacity, FIRST_CAPACITY);
    let file = decode_file(&encode_file(&bsds, capacity).unwrap());
    assert!(file.is_sound());
    assert_eq!((file.capacity, file.slots), (capacity, [Err(SlotDamage::Empty), Ok(41)]));
    assert_eq!(encode_slot(&bsds, 64), None);
}

#[test]
fn a_slot_says_whose_it_is() {
    let bsds = sample();
    let slot = encode_slot(&bsds, FIRST_CAPACITY).unwrap();
    assert_eq!(owner(&slot[..OWNER_SIZE]), Some(bsds.queue_manager));
    assert_eq!(owner(&slot[..OWNER_SIZE - 1]), None);
    assert_eq!(owner(&[0; OWNER_SIZE]), None);
}

#[test]
fn the_older_image_serves_where_the_newer_one_cannot_be_read() {
    let (good, older, newer) = two_slots();
    let unreadable = |mut bsds: Bsds| {
        bsds.active_logs[0].name = "../QM2/LOGCOPY1.DS01".to_owned();
        encode_slot(&bsds, 4096).unwrap()
    };
    let file = decode_file(&[&good[..4096], &unreadable(newer.clone())].concat());
    assert_eq!(file.newest.as_ref(), Some(&older));
    assert!(matches!(file.slots, [Ok(40), Err(SlotDamage::Image(_))]), "{:?}", file.slots);
    let neither = decode_file(&[unreadable(older), unreadable(newer)].concat());
    assert!(neither.newest.is_none() && neither.slots.iter().all(Result::is_err));
}

#[test]
fn a_header_claims_its_sequence() {
    let slot = encode_slot(&sample(), 4096).unwrap();
    let header: [u8; SLOT_HEADER] = *slot.first_chunk().unwrap();
    assert_eq!(claimed_sequence(&header, 4096), Some(41));
    assert_eq!(claimed_sequence(&header, 8192), None);
    assert_eq!(claimed_sequence(&[0; SLOT_HEADER], 4096), Some(0));
    assert_eq!(claimed_sequence(&[1; SLOT_HEADER], 4096), None);
}

#[test]
fn a_newer_version_is_refused_by_name() {
    let mut slot = encode_slot(&sample(), 4096).unwrap();
    slot[9] = 2;
    let length = u32::from_be_bytes([slot[24], slot[25], slot[26], slot[27]]) as usize;
    let crc = format_types::crc32c_combine_parts(&[&slot[..28], &slot[32..32 + length]]);
    slot[28..32].copy_from_slice(&crc.to_be_bytes());
    assert_eq!(decode_slot(&slot, 1), Err(SlotDamage::NewerVersion(2)));
}

#[test]
fn names_that_could_leave_the_directory_are_refused() {
    let mut bsds = sample();
    bsds.active_logs[0].name = "../../etc/passwd".to_owned();
    let slot = encode_slot(&bsds, 4096).unwrap();
    assert!(matches!(decode_slot(&slot, 1), Err(SlotDamage::Image(_))));
}

#[test]
fn questions_about_the_line_of_log() {
    let bsds = sample();
    assert_eq!(bsds.current_active(1).map(|log| log.name.as_str()), Some("LOGCOPY1.DS02"));
    assert_eq!(bsds.history().number, 2);
    assert_eq!(bsds.history_at(Rba(0x4FFFF)).number, 1);
    assert_eq!(bsds.history_at(Rba(0x50000)).number, 2);
    assert_eq!(bsds.data_set_holding(Rba(0x5A000), 1), Some("LOGCOPY1.DS02"));
    assert_eq!(bsds.data_set_holding(Rba(0x1000), 1), Some("ARCHLOG1.A0000001"));
    assert_eq!(bsds.active_logs[0].status.to_string(), "TRUNCATED, REUSABLE");
    assert_eq!(bsds.active_logs[1].status.to_string(), "NOT REUSABLE");
    assert_eq!(bsds.active_logs[3].status.to_string(), "TRUNCATED, INCOMPLETE, REUSABLE");
    let mut bsds = bsds;
    for begin in 0..150 {
        bsds.add_checkpoint(CheckpointEntry { begin: Rba(begin), end: Rba(begin + 1), at: Timestamp(0) });
    }
    assert_eq!(bsds.checkpoints.len(), Bsds::CHECKPOINTS);
    assert_eq!(bsds.checkpoints.last().unwrap().begin, Rba(149));
}

#[test]
fn an_active_log_lacks_what_its_copy_missed() {
    let mut bsds = sample();
    let range = RbaRange::new(Rba(0x5A000), Rba(0x15A000));
    let stop = Rba(0x5B123);
    let mut lacks = |incomplete: bool, reusable: bool, marked: bool| {
        let status = ActiveStatus { incomplete, reusable, ..ActiveStatus::default() };
        bsds.active_logs[3].status.incomplete = marked;
        let log = ActiveLog { copy: 2, range: Some(range), status, ..bsds.active_logs[3].clone() };
        bsds.lacks_from(&log)
    };
    // Marked, and where its copy stopped.
    assert_eq!(lacks(true, false, true), Some(stop));
    assert_eq!(lacks(true, true, true), Some(range.start));
    // Written afresh after the stop.
    assert_eq!(lacks(false, false, true), None);
    // None is marked: an older inventory.
    assert_eq!(lacks(false, false, false), Some(stop));
    bsds.copy_stopped = [None, None];
    assert!(bsds.active_logs[..3].iter().all(|log| bsds.lacks_from(log).is_none()));
}

proptest::proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(mut bytes in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..600)) {
        let _ = image::decode(&bytes, 1);
        let _ = decode_file(&bytes);
        bytes.splice(0..0, EYE_CATCHER);
        let _ = decode_file(&bytes);
    }

    #[test]
    fn inventories_survive_the_trip(
        archives in proptest::collection::vec((0u64..1 << 40, 1u64..1000, 1u8..3), 0..40),
        sequence in proptest::prelude::any::<u64>(),
        clean_stop in proptest::option::of(proptest::prelude::any::<u64>()),
    ) {
        let mut bsds = sample();
        let model = bsds.archives[0].clone();
        bsds.archives = archives
            .iter()
            .map(|&(start, cis, copy)| {
                let start = Rba(start).ci_start();
                ArchiveLog { copy, range: RbaRange::new(start, start.plus(cis * 4096)), ..model.clone() }
            })
            .collect();
        bsds.sequence = sequence;
        bsds.clean_stop = clean_stop.map(Rba);
        let slot = encode_slot(&bsds, least_capacity(&bsds)).unwrap();
        proptest::prop_assert_eq!(decode_slot(&slot, slot_of(sequence)), Ok(bsds));
    }
}
