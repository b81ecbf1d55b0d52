//! Writing, reading back, switching, offloading.

mod site;

use engine_log::{LogError, LogManager, LogReader};
use engine_storage::{MemoryStorage, OpenMode, SharedStorage};
use format_log::Body;
use format_types::{Rba, RbaRange, Timestamp, Urid};
use site::*;

fn memory() -> SharedStorage {
    MemoryStorage::shared()
}

#[test]
fn records_are_read_back_from_a_log_that_runs_and_from_one_at_rest() {
    let storage = memory();
    create(&storage, true, SIZE, 3);
    let mut log = open(&storage);
    // What a data set begins with is durable before anything else is in it.
    assert_eq!(log.synced(), log.end());
    let all = fill(&mut log, 0, 30);
    let job = log.begin_sync().unwrap().unwrap();
    assert!(log.begin_sync().unwrap().is_none(), "one sync at a time");
    let more = fill(&mut log, 30, 5);
    assert_eq!(log.finish_sync(job.run()).unwrap(), all.last().unwrap().0.end);
    assert_eq!(numbers(&reader(&storage), log.synced()).unwrap(), all);
    assert_eq!(log.sync_now().unwrap(), more.last().unwrap().0.end);
    assert!(log.begin_sync().unwrap().is_none(), "nothing to sync");
    let all = [all, more].concat();
    let end = reader(&storage).find_end().unwrap();
    assert_eq!(end.end, log.end());
    assert_eq!(numbers(&reader(&storage), end.end).unwrap(), all);
    // The first record of the log is none that a unit could point at.
    let mut stream = reader(&storage).stream(Rba::ZERO, end.end).unwrap();
    let (range, record) = stream.next().unwrap().unwrap();
    assert_eq!(range.start, Rba::ZERO);
    assert!(matches!(record.body, Body::Switch { .. }));
}

#[test]
fn a_unit_is_named_by_its_first_record_and_lrsns_rise() {
    let storage = memory();
    create(&storage, false, SIZE, 2);
    let mut log = open(&storage);
    let begin = Body::BeginUr { connection: "APP-1", at: NOW };
    let range = log.append(Urid::NONE, Rba::ZERO, &begin).unwrap();
    log.set_time(Timestamp(5));
    let urid = Urid(range.start);
    let end = log.append(urid, range.start, &Body::EndUr).unwrap();
    log.sync_now().unwrap();
    let mut reader = reader(&storage);
    let first = reader.record_at(range.start).unwrap();
    let last = reader.record_at(end.start).unwrap();
    assert_eq!((first.range, last.range), (range, end));
    let (first, last) = (first.record().unwrap(), last.record().unwrap());
    assert_eq!(first.body, begin);
    assert_eq!((first.header.urid, last.header.urid, last.header.link), (urid, urid, range.start));
    assert_eq!(last.header.previous_length, first.header.total_length);
    assert!(last.header.lrsn > first.header.lrsn);
    for wrong in [range.start.plus(1), range.start.plus(8), end.end, Rba(0x9000)] {
        assert!(reader.record_at(wrong).is_err(), "{wrong}");
    }
    drop(log);
    let mut log = LogManager::open(&storage, &dir(), Timestamp(9)).unwrap();
    assert_eq!(log.last_lrsn(), last.header.lrsn);
    append(&mut log, 1, 100).unwrap();
    assert!(log.last_lrsn() > last.header.lrsn);
}

#[test]
fn a_restart_goes_on_in_the_same_control_interval_with_old_bytes_unchanged() {
    let storage = memory();
    create(&storage, true, SIZE, 3);
    let mut log = open(&storage);
    let mut all = fill(&mut log, 0, 3);
    log.sync_now().unwrap();
    for round in 0..40 {
        let end = log.end();
        let file = storage.open(&dir().join("LOGCOPY1.DS01"), OpenMode::Read).unwrap();
        let mut before = vec![0; end.0 as usize];
        file.read_at(0, &mut before).unwrap();
        drop(log);
        log = open(&storage);
        assert_eq!(log.end(), end);
        let range = append(&mut log, 3 + round, 150).unwrap();
        assert!(range.start.since(end) < 4096);
        all.push((range, 3 + round));
        log.sync_now().unwrap();
        let mut after = vec![0; end.0 as usize];
        file.read_at(0, &mut after).unwrap();
        for (old, new) in before.chunks(4096).zip(after.chunks(4096)) {
            let data = old.len().min(4032);
            assert!(old[..data] == new[..data], "round {round}");
        }
    }
    assert_eq!(numbers(&reader(&storage), log.end()).unwrap(), all);
}

#[test]
fn data_sets_are_switched_archived_and_used_again() {
    for dual in [false, true] {
        let storage = memory();
        create(&storage, dual, SIZE, 3);
        let mut log = open(&storage);
        let mut all = fill(&mut log, 0, 900);
        assert!(log.switches() >= 8, "{} switches", log.switches());
        log.sync_now().unwrap();
        assert_eq!(numbers(&reader(&storage), log.end()).unwrap(), all);
        let messages = log.take_messages().join("\n");
        for wanted in [
            "CSQJ001I CURRENT COPY 1",
            "CSQJ002I END OF",
            "CSQJ003I FULL ARCHIVE",
            "CSQJ139I",
            "CSQJ110E",
            "CSQJ111A",
        ] {
            assert!(messages.contains(wanted), "{wanted} is missing in:\n{messages}");
        }
        assert_eq!(messages.contains("CSQJ001I CURRENT COPY 2"), dual);
        // ARCHIVE LOG: what is left of the data set is not used.
        offload(&mut log);
        let end = log.end();
        log.switch().unwrap();
        assert_eq!(offload(&mut log), 1);
        let bsds = log.bsds();
        assert_eq!(bsds.highest_offloaded, end.ci_ceiling());
        assert_eq!(bsds.archives.iter().filter(|a| a.copy == 2).count() > 0, dual);
        assert!(bsds.active_logs.iter().any(|log| log.status.truncated && log.status.reusable));
        let archives: Vec<_> = bsds.archives.iter().filter(|archive| archive.copy == 1).collect();
        for (older, newer) in archives.iter().zip(&archives[1..]) {
            assert_eq!(older.range.end, newer.range.start);
            assert!(older.start_lrsn < older.end_lrsn && older.end_lrsn < newer.start_lrsn);
        }
        let copy = storage.open(&dir().join(&archives[0].bsds_name), OpenMode::Read).unwrap();
        let mut image = vec![0; copy.len().unwrap() as usize];
        copy.read_at(0, &mut image).unwrap();
        assert!(format_bsds::decode_file(&image).is_sound());
        // The rest is read from archives and active logs alike, and a restart changes nothing.
        let more = fill(&mut log, 900, 20);
        all.extend(more);
        log.sync_now().unwrap();
        let end = log.end();
        drop(log);
        let log = open(&storage);
        assert_eq!(log.end(), end);
        assert_eq!(numbers(&reader(&storage), end).unwrap(), all);
        assert_eq!(reader(&storage).missing(RbaRange::new(Rba::ZERO, end)).unwrap(), []);
    }
}

#[test]
fn every_rba_is_a_place_to_start_from() {
    let storage = memory();
    create(&storage, false, SIZE, 3);
    let mut log = open(&storage);
    let all = fill(&mut log, 0, 120);
    log.sync_now().unwrap();
    let reader = reader(&storage);
    for from in (0..log.end().0).step_by(97) {
        let mut stream = reader.stream(Rba(from), log.end()).unwrap();
        let wanted = all.iter().map(|(range, _)| range.start).find(|start| start.0 >= from);
        let found = stream.next().unwrap().map(|(range, _)| range.start);
        // The Switch records at data sets' starts are records as well.
        let switch = found.is_some_and(|found| found.0 % SIZE == 0);
        assert!(switch || found == wanted, "from {from:X}: {found:?} instead of {wanted:?}");
    }
    let to = all[50].0.end.minus(1);
    let (last, _) = numbers(&reader, to).unwrap().pop().unwrap();
    assert_eq!(last, all[49].0, "a record that ends beyond the stretch is not in it");
}

#[test]
fn backward_reading_follows_every_record() {
    let storage = memory();
    create(&storage, true, SIZE, 3);
    let mut log = open(&storage);
    let all = fill(&mut log, 0, 500);
    log.sync_now().unwrap();
    let mut reader = reader(&storage);
    for (range, number) in all.iter().rev() {
        let record = reader.record_at(range.start).unwrap();
        assert_eq!(record.range, *range);
        let Body::Insert { record, .. } = record.record().unwrap().body else { panic!("no insert") };
        assert_eq!(record[..8], number.to_be_bytes());
    }
}

#[test]
fn a_full_log_takes_nothing_until_an_archive_is_made() {
    let storage = memory();
    create(&storage, false, SIZE, 2);
    let mut log = open(&storage);
    let capacity = log.capacity();
    assert_eq!(capacity, 2 * SIZE);
    let mut number = 0;
    let full = loop {
        let left = log.space_left();
        match append(&mut log, number, 3000) {
            Ok(_) => number += 1,
            Err(error) => {
                assert!(left < 5000, "{left} bytes were left");
                break error;
            }
        }
    };
    assert!(matches!(full, LogError::Full));
    let end = log.end();
    assert!(matches!(append(&mut log, number, 5000), Err(LogError::Full)));
    assert!(matches!(log.switch(), Err(LogError::LastAvailable)));
    assert_eq!(log.end(), end);
    assert_eq!(log.full_logs(), (1, 2));
    assert_eq!(offload(&mut log), 1);
    append(&mut log, number, 3000).unwrap();
    log.sync_now().unwrap();
    assert_eq!(numbers(&reader(&storage), log.end()).unwrap().len() as u64, number + 1);
}

#[test]
fn unsynced_log_never_exceeds_the_buffer() {
    let storage = memory();
    create(&storage, false, SIZE, 4);
    let mut log = open(&storage);
    assert_eq!(log.buffer_limit(), SIZE);
    for number in 0..100 {
        append(&mut log, number, 6000).unwrap();
        assert!(log.unsynced_bytes() <= log.buffer_limit());
    }
    let too_long = vec![0; format_log::MAX_RECORD_LENGTH];
    let body = Body::Insert { at: place(), slot: 0, record: &too_long };
    assert!(matches!(log.append(Urid::NONE, Rba::ZERO, &body), Err(LogError::RecordTooLong { .. })));
}

#[test]
fn impossible_logs_are_not_made() {
    let storage = memory();
    storage.create_dir(&dir()).unwrap();
    for new in [new_log(false, 4096, 3), new_log(true, SIZE, 1), new_log(true, SIZE, 311)] {
        assert!(matches!(LogManager::create(&storage, &dir(), &new), Err(LogError::Settings(_))));
    }
    LogManager::create(&storage, &dir(), &new_log(true, SIZE, 2)).unwrap();
    assert!(matches!(
        LogManager::create(&storage, &dir(), &new_log(true, SIZE, 2)),
        Err(LogError::Settings(_))
    ));
    assert!(LogReader::open(&storage, std::path::Path::new("QM2")).is_err());
}

#[test]
fn real_files_behave_like_those_in_memory() {
    let place = tempfile::tempdir().unwrap();
    let storage: SharedStorage = std::sync::Arc::new(engine_storage::RealStorage::new());
    let dir = place.path().join("QM1");
    storage.create_dir(&dir).unwrap();
    LogManager::create(&storage, &dir, &new_log(true, SIZE, 3)).unwrap();
    let mut all = Vec::new();
    for round in 0..4 {
        let mut log = LogManager::open(&storage, &dir, NOW).unwrap();
        let length = std::fs::metadata(dir.join("LOGCOPY2.DS03")).unwrap().len();
        assert_eq!(length, SIZE);
        all.extend(fill(&mut log, round * 100, 100));
        let job = log.begin_sync().unwrap().unwrap();
        let outcomes = std::thread::scope(|scope| {
            let parts = job.into_parts();
            assert_eq!(parts.len(), 2);
            let threads: Vec<_> = parts.into_iter().map(|part| scope.spawn(move || part.run())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        log.finish_sync(engine_log::SyncOutcome::from_parts(outcomes)).unwrap();
        assert_eq!(log.synced(), log.end());
        let reader = LogReader::open(&storage, &dir).unwrap();
        assert_eq!(numbers(&reader, log.end()).unwrap(), all);
    }
}

#[test]
fn a_crash_while_an_archive_is_registered_neither_repeats_nor_loses_it() {
    let storage = memory();
    create(&storage, true, SIZE, 3);
    let mut log = open(&storage);
    fill(&mut log, 0, 50);
    log.switch().unwrap();
    log.sync_now().unwrap();
    // The archive is whole, but the BSDS never hears of it: the next offload takes its name.
    let mut job = log.next_offload().unwrap();
    assert!(log.next_offload().is_none(), "one at a time");
    while matches!(job.step(), engine_log::OffloadStep::More) {}
    drop(log);
    let mut log = open(&storage);
    assert_eq!(offload(&mut log), 1);
    let names: Vec<&str> = log.bsds().archives.iter().map(|archive| archive.name.as_str()).collect();
    assert_eq!(names, ["ARCHLOG1.A0000001", "ARCHLOG2.A0000001"]);
    // The BSDS names it, but the active logs are not marked.
    log.update_bsds(|bsds| bsds.active_logs.iter_mut().for_each(|log| log.status.reusable = false)).unwrap();
    drop(log);
    let mut log = open(&storage);
    assert!(!log.offload_waiting() && log.next_offload().is_none());
    assert_eq!(log.bsds().archives.len(), 2);
    assert!(log.can_switch());
    // Somebody else's archive of that name is left alone.
    let foreign = dir().join("ARCHLOG1.A0000002");
    storage.open(&foreign, OpenMode::CreateNew).unwrap().write_at(0, b"precious").unwrap();
    log.switch().unwrap();
    assert_eq!(offload(&mut log), 1);
    assert_eq!(log.bsds().archives[2].name, "ARCHLOG1.A0000003");
    assert_eq!(storage.open(&foreign, OpenMode::Read).unwrap().len().unwrap(), 8);
}

#[test]
fn jobs_may_run_on_other_threads() {
    fn is_send<T: Send>() {}
    is_send::<LogManager>();
    is_send::<engine_log::SyncPart>();
    is_send::<engine_log::OffloadJob>();
    is_send::<engine_log::RecordStream>();
}

#[test]
fn a_reader_beside_a_writer_sees_ever_more_and_never_damage() {
    let storage = memory();
    create(&storage, true, SIZE, 3);
    let mut log = open(&storage);
    let stop = std::sync::atomic::AtomicBool::new(false);
    std::thread::scope(|scope| {
        let reading = scope.spawn(|| {
            let (mut last, mut looks) = (Rba::ZERO, 0);
            while !stop.load(std::sync::atomic::Ordering::Relaxed) || looks < 20 {
                let mut reader = LogReader::open(&storage, &dir()).unwrap();
                let end = reader.find_end().unwrap().end;
                assert!(end >= last, "{end} after {last}");
                (last, looks) = (end, looks + 1);
            }
        });
        for round in 0..400 {
            fill(&mut log, round * 3, 3);
            log.sync_now().unwrap();
        }
        stop.store(true, std::sync::atomic::Ordering::Relaxed);
        reading.join().unwrap();
    });
}
