//! Lost, damaged, stale and missing files.

mod site;

use std::path::PathBuf;

use engine_log::{LogError, LogManager, LogReader};
use engine_storage::{FaultyStorage, MemoryStorage, OpenMode, SharedStorage, durable};
use format_types::{Rba, RbaRange};
use site::*;

fn path(name: &str) -> PathBuf {
    dir().join(name)
}

fn bytes(storage: &SharedStorage, name: &str) -> Vec<u8> {
    durable::read_file(storage.as_ref(), &path(name), 1 << 30).unwrap()
}

fn put(storage: &SharedStorage, name: &str, bytes: &[u8]) {
    durable::write_file(storage.as_ref(), &path(name), bytes).unwrap();
}

fn flip(storage: &SharedStorage, name: &str, offset: u64) {
    let file = storage.open(&path(name), OpenMode::ReadWrite).unwrap();
    let mut byte = [0];
    file.read_at(offset, &mut byte).unwrap();
    file.write_at(offset, &[byte[0] ^ 0x10]).unwrap();
}

/// A log with archives, stopped; its records and its end.
fn used(dual: bool) -> (SharedStorage, Vec<(RbaRange, u64)>, Rba) {
    let storage = MemoryStorage::shared();
    create(&storage, dual, SIZE, 3);
    let mut log = open(&storage);
    let mut all = Vec::new();
    for first in (0..350).step_by(5) {
        all.extend(fill(&mut log, first, 5));
        log.sync_now().unwrap();
    }
    let end = log.end();
    assert!(log.bsds().archives.len() >= 2 && end.0 % SIZE > 0x8000);
    (storage, all, end)
}

/// Current data set of copy 1 and the RBA at which it starts.
fn current(storage: &SharedStorage, copy: u8) -> (String, Rba) {
    let bsds = reader(storage).bsds().clone();
    let log = bsds.current_active(copy).unwrap();
    (log.name.clone(), log.range.unwrap().start)
}

#[test]
fn either_copy_of_the_bsds_serves_and_the_other_is_repaired() {
    for copy in ["BSDS01", "BSDS02"] {
        let (storage, all, end) = used(true);
        for damage in 0..4 {
            match damage {
                0 => storage.remove(&path(copy)).unwrap(),
                1 => put(&storage, copy, b""),
                2 => put(&storage, copy, &[0x5A; 9000]),
                _ => (0..131_072).step_by(1000).for_each(|at| flip(&storage, copy, at)),
            }
            let before = bytes(&storage, if copy == "BSDS01" { "BSDS02" } else { "BSDS01" });
            // A reader repairs nothing.
            assert_eq!(numbers(&reader(&storage), end).unwrap(), all);
            assert_eq!(bytes(&storage, if copy == "BSDS01" { "BSDS02" } else { "BSDS01" }), before);
            let mut log = open(&storage);
            assert!(log.take_messages().iter().any(|m| m.starts_with("HWT234W") && m.contains(copy)));
            let (one, two) = (bytes(&storage, "BSDS01"), bytes(&storage, "BSDS02"));
            assert!(format_bsds::decode_file(&one).is_sound() && format_bsds::decode_file(&two).is_sound());
            assert_eq!(format_bsds::decode_file(&one).newest.as_ref(), Some(log.bsds()));
            assert_eq!(format_bsds::decode_file(&two).newest.as_ref(), Some(log.bsds()));
        }
    }
}

#[test]
fn both_copies_of_the_bsds_damaged_is_an_error_that_names_both() {
    let (storage, _, _) = used(true);
    put(&storage, "BSDS01", &[1; 8192]);
    storage.remove(&path("BSDS02")).unwrap();
    for error in [LogReader::open(&storage, &dir()).err(), LogManager::open(&storage, &dir(), NOW).err()] {
        let text = error.unwrap().to_string();
        assert!(text.starts_with("HWT202E") && text.contains("BSDS01") && text.contains("BSDS02"), "{text}");
    }
}

#[test]
fn a_newer_bsds_is_refused_by_name() {
    let (storage, _, _) = used(true);
    let mut file = bytes(&storage, "BSDS02");
    for slot in file.chunks_mut(65_536) {
        slot[9] = 7;
        let length = u32::from_be_bytes(slot[24..28].try_into().unwrap()) as usize;
        let crc = format_types::crc32c_combine_parts(&[&slot[..28], &slot[32..32 + length]]);
        slot[28..32].copy_from_slice(&crc.to_be_bytes());
    }
    put(&storage, "BSDS02", &file);
    let text = LogManager::open(&storage, &dir(), NOW).err().unwrap().to_string();
    assert!(text.contains("BSDS02") && text.contains("version 7"), "{text}");
}

#[test]
fn a_stale_bsds_is_refused() {
    let storage = MemoryStorage::shared();
    create(&storage, true, SIZE, 3);
    let mut log = open(&storage);
    fill(&mut log, 0, 20);
    log.sync_now().unwrap();
    let old = bytes(&storage, "BSDS01");
    // A switch, and nothing else: the old BSDS believes the log to end with the first data set.
    log.switch().unwrap();
    log.sync_now().unwrap();
    drop(log);
    for name in ["BSDS01", "BSDS02"] {
        put(&storage, name, &old);
    }
    let error = LogManager::open(&storage, &dir(), NOW).err().unwrap();
    assert!(matches!(error, LogError::StaleBsds { .. }), "{error}");
    assert!(matches!(reader(&storage).find_end(), Err(LogError::StaleBsds { .. })));
    // The same within one data set: a checkpoint says under which BSDS it was taken.
    let storage = MemoryStorage::shared();
    create(&storage, true, SIZE, 3);
    let mut log = open(&storage);
    let old = bytes(&storage, "BSDS01");
    log.update_bsds(|_| ()).unwrap();
    let bsds_sequence = log.bsds().sequence;
    let checkpoint = format_log::Body::BeginCheckpoint { bsds_sequence };
    log.append(format_types::Urid::NONE, Rba::ZERO, &checkpoint).unwrap();
    log.sync_now().unwrap();
    drop(log);
    for name in ["BSDS01", "BSDS02"] {
        put(&storage, name, &old);
    }
    let error = LogManager::open(&storage, &dir(), NOW).err().unwrap();
    assert!(matches!(error, LogError::StaleBsds { .. }), "{error}");
}

#[test]
fn a_bsds_that_outgrows_its_file_moves_to_a_larger_one() {
    let (storage, all, end) = used(true);
    let mut log = open(&storage);
    let archive = log.bsds().archives[0].clone();
    for _ in 0..40 {
        log.update_bsds(|bsds| bsds.archives.extend(std::iter::repeat_n(archive.clone(), 40))).unwrap();
    }
    let count = log.bsds().archives.len();
    drop(log);
    assert!(bytes(&storage, "BSDS01").len() > 131_072);
    let reader = reader(&storage);
    assert_eq!(reader.bsds().archives.len(), count);
    assert_eq!(numbers(&reader, end).unwrap(), all);
}

#[test]
fn bits_that_rot_in_one_copy_are_read_from_the_other() {
    let (storage, all, end) = used(true);
    for name in storage.list(&dir()).unwrap() {
        let name = name.file_name().unwrap().to_string_lossy().into_owned();
        if name.starts_with("LOGCOPY") || name.starts_with("ARCHLOG1.A") || name.starts_with("ARCHLOG2.A") {
            let copy = if name.contains('1') && !name.starts_with("LOGCOPY2") && !name.starts_with("ARCHLOG2")
            {
                0
            } else {
                1
            };
            let length = bytes(&storage, &name).len() as u64;
            // Every second control interval of each copy, never the same of both.
            for ci in (0..length / 4096).filter(|ci| ci % 2 == copy) {
                flip(&storage, &name, ci * 4096 + ci * 67 % 4096);
            }
        }
    }
    assert_eq!(numbers(&reader(&storage), end).unwrap(), all);
    assert_eq!(reader(&storage).missing(RbaRange::new(Rba::ZERO, end)).unwrap(), []);
    // The log is opened, too, and an archive made from such copies is whole.
    let mut log = open(&storage);
    offload(&mut log);
    log.switch().unwrap();
    log.sync_now().unwrap();
    assert!(offload(&mut log) > 0);
    let names: Vec<String> = log
        .bsds()
        .archives
        .iter()
        .filter(|a| a.range.end == log.bsds().highest_offloaded)
        .map(|a| a.name.clone())
        .collect();
    for (number, name) in names.iter().enumerate() {
        for active in log.bsds().active_logs.clone() {
            put(&storage, &active.name, &vec![0; SIZE as usize]);
        }
        if number == 1 {
            storage.remove(&path(&names[0])).unwrap();
        }
        let range = log.bsds().archives.last().unwrap().range;
        assert_eq!(reader(&storage).missing(range).unwrap(), [], "{name}");
    }
}

#[test]
fn damage_in_both_copies_is_named_and_never_taken_for_the_end() {
    for dual in [false, true] {
        let (storage, _, end) = used(dual);
        let (name, start) = current(&storage, 1);
        let at = end.ci_start().minus(0x6FFF - 0x123);
        let names: Vec<String> =
            (1..=if dual { 2 } else { 1 }).map(|copy| current(&storage, copy).0).collect();
        names.iter().for_each(|name| flip(&storage, name, at.since(start)));
        for error in [reader(&storage).find_end().err(), LogManager::open(&storage, &dir(), NOW).err()] {
            let error = error.unwrap();
            let text = error.to_string();
            assert!(
                matches!(error, LogError::Damage { rba, .. } if rba <= at && at.since(rba) < 0x3000),
                "{text}"
            );
            assert!(names.iter().all(|name| text.contains(name)) && text.contains("RBA"), "{text}");
        }
        flip(&storage, &name, at.since(start));
        assert_eq!(open(&storage).end(), end);
    }
}

#[test]
fn missing_names_the_stretch_and_the_data_sets() {
    let (storage, all, end) = used(true);
    let bsds = reader(&storage).bsds().clone();
    let archived = bsds.archives[0].range;
    for archive in bsds.archives.iter().filter(|archive| archive.range == archived) {
        flip(&storage, &archive.name, 3 * 4096 + 100);
        flip(&storage, &archive.name, 4 * 4096 + 200);
    }
    let missing = reader(&storage).missing(RbaRange::new(Rba::ZERO, end)).unwrap();
    let [missing] = &missing[..] else { panic!("{missing:?}") };
    assert_eq!(missing.range, RbaRange::new(Rba(3 * 4096), Rba(5 * 4096)));
    assert_eq!(missing.data_sets, ["ARCHLOG1.A0000001", "ARCHLOG2.A0000001"]);
    assert!(missing.why.contains("checksum"), "{}", missing.why);
    let error = numbers(&reader(&storage), end).unwrap_err();
    assert!(matches!(error, LogError::Damage { rba: Rba(0x3000), .. }), "{error}");
    // Both archives gone: the whole stretch. Behind it everything can be read.
    for archive in bsds.archives.iter().filter(|archive| archive.range == archived) {
        storage.remove(&path(&archive.name)).unwrap();
    }
    let missing = reader(&storage).missing(RbaRange::new(Rba(0x1800), end)).unwrap();
    assert_eq!(missing.len(), 1);
    assert_eq!(missing[0].range, RbaRange::new(Rba(0x1800), archived.end));
    let reader = reader(&storage);
    let mut stream = reader.stream(archived.end, end).unwrap();
    let mut count = 0;
    while stream.next().unwrap().is_some() {
        count += 1;
    }
    assert!(count > all.len() / 2);
    // No entry at all.
    let mut bsds = bsds;
    bsds.archives.retain(|archive| archive.range != archived);
    let reader = LogReader::with_bsds(&storage, &dir(), bsds);
    let missing = reader.missing(RbaRange::new(Rba::ZERO, end)).unwrap();
    assert_eq!((missing.len(), missing[0].range, missing[0].data_sets.len()), (1, archived, 0));
}

#[test]
fn a_missing_copy_is_made_anew_from_the_other() {
    for copy in [1, 2] {
        for how in ["gone", "cut", "empty"] {
            let (storage, all, end) = used(true);
            let logs: Vec<String> =
                reader(&storage).bsds().actives(copy).map(|log| log.name.clone()).collect();
            for name in &logs {
                let mut content = bytes(&storage, name);
                match how {
                    "gone" => storage.remove(&path(name)).unwrap(),
                    "cut" => {
                        content.truncate(0x5100);
                        put(&storage, name, &content);
                    }
                    _ => put(&storage, name, b""),
                }
            }
            let mut log = open(&storage);
            assert!(log.take_messages().iter().filter(|m| m.starts_with("HWT233W")).count() == 3);
            assert_eq!((log.end(), log.bsds().copy_stopped), (end, [None, None]));
            drop(log);
            // Now the other copy may go.
            for name in
                reader(&storage).bsds().actives(3 - copy).map(|log| log.name.clone()).collect::<Vec<_>>()
            {
                storage.remove(&path(&name)).unwrap();
            }
            assert_eq!(numbers(&reader(&storage), end).unwrap(), all, "copy {copy} {how}");
            assert_eq!(open(&storage).end(), end);
        }
    }
}

#[test]
fn log_that_is_nowhere_is_refused_and_nothing_is_touched() {
    let (storage, _, _) = used(true);
    let (first, _) = current(&storage, 1);
    let (second, _) = current(&storage, 2);
    storage.remove(&path(&first)).unwrap();
    storage.remove(&path(&second)).unwrap();
    let before = storage.list(&dir()).unwrap();
    for _ in 0..2 {
        let text = LogManager::open(&storage, &dir(), NOW).err().unwrap().to_string();
        assert!(text.starts_with("HWT207E") && text.contains(&first) && text.contains(&second), "{text}");
        assert_eq!(storage.list(&dir()).unwrap(), before);
    }
    // A full one that is not archived, in both copies.
    let storage = MemoryStorage::shared();
    create(&storage, true, SIZE, 3);
    let mut log = open(&storage);
    fill(&mut log, 0, 120);
    log.sync_now().unwrap();
    assert!(log.switches() == 1);
    drop(log);
    storage.remove(&path("LOGCOPY1.DS01")).unwrap();
    storage.remove(&path("LOGCOPY2.DS01")).unwrap();
    let before = storage.list(&dir()).unwrap();
    for _ in 0..2 {
        let text = LogManager::open(&storage, &dir(), NOW).err().unwrap().to_string();
        assert!(text.contains("LOGCOPY1.DS01") && text.contains("LOGCOPY2.DS01"), "{text}");
        assert_eq!(storage.list(&dir()).unwrap(), before);
    }
}

#[test]
fn a_stopped_copy_alone_is_refused_and_with_the_other_it_is_completed() {
    let faulty = FaultyStorage::new(5);
    let storage = faulty.shared();
    create(&storage, true, SIZE, 3);
    let mut log = open(&storage);
    let mut all = fill(&mut log, 0, 20);
    log.sync_now().unwrap();
    let stop = log.synced();
    let rates = engine_storage::FaultRates {
        sync_error: 1_000_000,
        only: Some("LOGCOPY2".to_owned()),
        ..engine_storage::FaultRates::default()
    };
    faulty.control().set_rates(rates);
    all.extend(fill(&mut log, 20, 150));
    log.sync_now().unwrap();
    assert_eq!(log.bsds().copy_stopped, [None, Some(stop)]);
    let messages = log.take_messages().join("\n");
    let wanted = format!("CSQJ004I ACTIVE LOG COPY 2 INACTIVE, LOG IN SINGLE MODE, ENDRBA={}", stop.minus(1));
    assert!(messages.contains(&wanted), "{messages}");
    assert!(log.switches() >= 1);
    let end = log.end();
    drop(log);
    faulty.control().set_rates(engine_storage::FaultRates::default());
    let (current, _) = current(&storage, 1);
    storage.rename(&path(&current), &path("AWAY")).unwrap();
    for error in [reader(&storage).find_end().err(), LogManager::open(&storage, &dir(), NOW).err()] {
        let error = error.unwrap();
        assert!(matches!(error, LogError::CopyStopped { copy: 2, rba, .. } if rba == stop), "{error}");
    }
    storage.rename(&path("AWAY"), &path(&current)).unwrap();
    let mut log = open(&storage);
    assert_eq!(log.bsds().copy_stopped, [None, None]);
    assert!(log.take_messages().iter().any(|message| message.starts_with("HWT232I")));
    all.extend(fill(&mut log, 170, 5));
    log.sync_now().unwrap();
    drop(log);
    for number in 1..=3 {
        storage.remove(&path(&format!("LOGCOPY1.DS0{number}"))).unwrap();
    }
    assert_eq!(numbers(&reader(&storage), reader(&storage).find_end().unwrap().end).unwrap(), all);
    assert!(open(&storage).end() > end);
}

#[test]
fn a_crash_between_the_bsds_and_the_first_ci_ends_at_the_new_data_set() {
    let faulty = FaultyStorage::new(11);
    let storage = faulty.shared();
    create(&storage, true, SIZE, 3);
    let mut log = open(&storage);
    let all = fill(&mut log, 0, 20);
    log.sync_now().unwrap();
    let image = faulty.control().image();
    let before = faulty.control().operations();
    log.switch().unwrap();
    let operations = faulty.control().operations() - before;
    // The record of the switch is not written out: neither its writes nor its syncs of both copies.
    drop(log);
    faulty.control().put_back(&image);
    let mut log = open(&storage);
    let opened = faulty.control().operations();
    faulty.control().stop_at(Some(opened + operations - 3));
    assert!(log.switch().is_err());
    drop(log);
    faulty.crash();
    let end = reader(&storage).find_end().unwrap();
    assert_eq!((end.end, end.last_length), (end.data_set.start, 0));
    assert!(end.last_lrsn.0 > 0);
    let mut log = open(&storage);
    assert!(log.end() > end.end);
    let more = fill(&mut log, 20, 3);
    log.sync_now().unwrap();
    assert_eq!(numbers(&reader(&storage), log.end()).unwrap(), [all, more].concat());
}

#[test]
fn flips_at_the_open_end_read_as_the_end_or_as_damage_but_never_as_other_records() {
    let (storage, all, end) = used(false);
    let (name, start) = current(&storage, 1);
    let from = end.since(start) - 3000;
    for at in (from..end.since(start)).step_by(17) {
        flip(&storage, &name, at);
        match reader(&storage).find_end() {
            Ok(found) => {
                assert!(found.end <= end);
                let kept = numbers(&reader(&storage), found.end).unwrap();
                assert_eq!(kept[..], all[..kept.len()]);
            }
            Err(error) => assert!(matches!(error, LogError::Damage { .. }), "{error}"),
        }
        flip(&storage, &name, at);
    }
    assert_eq!(reader(&storage).find_end().unwrap().end, end);
}
