//! Both copies of the BSDS are lost: what is made anew from the log serves as the lost one did, or the cause is named.

mod site;

use std::path::{Path, PathBuf};

use engine_log::{LogError, LogManager, LogSurvey, PageSetWitness, rebuild_bsds, write_rebuilt_bsds};
use engine_storage::{FaultyStorage, OpenMode, SharedStorage};
use format_bsds::Bsds;
use format_types::{HistoryId, QueueManagerId, Rba, RbaRange};
use site::lost_bsds::{Site, files, goes_on, memory, rebuilt, witness, written};
use site::{NOW, SIZE, create, dir, fill, new_log, numbers, offload, open, reader};

#[test]
fn a_rebuilt_bsds_serves_as_the_lost_one_did() {
    for dual in [false, true] {
        for count in [0, 1, 30, 90, 300, 700] {
            let Site { storage, records, lost } = written(memory(), dual, count);
            let made = rebuilt(&storage).unwrap_or_else(|error| panic!("{count} records: {error}"));
            assert_eq!(made.missing, Vec::<String>::new(), "{count} records");
            assert_eq!(made.bsds.histories, lost.histories);
            assert!(made.bsds.sequence > lost.sequence);
            assert_eq!(made.bsds.settings.dual_active, dual);
            let range = |bsds: &Bsds| bsds.current_active(1).unwrap().range;
            assert_eq!(range(&made.bsds), range(&lost), "{count} records");
            let archived =
                |bsds: &Bsds| bsds.archives.iter().map(|a| (a.name.clone(), a.range)).collect::<Vec<_>>();
            assert_eq!(archived(&made.bsds), archived(&lost));
            assert_eq!(
                made.bsds.archives.iter().map(|a| a.end_lrsn).max(),
                lost.archives.iter().map(|a| a.end_lrsn).max()
            );
            assert_eq!(made.base.is_some(), !lost.archives.is_empty());
            let end = records.last().map(|(range, _)| range.end);
            assert!(end.is_none_or(|end| made.log_end == end), "{count} records");
            write_rebuilt_bsds(&storage, &dir(), &made.bsds).unwrap();
            goes_on(&storage, &records);
        }
    }
}

/// A crash right after a switch: what was begun then is there as soon as an archive says so, and nothing of the log is missing.
#[test]
fn a_data_set_that_was_just_begun_is_no_loss() {
    for archived in [false, true] {
        for keep_copies in [true, false] {
            let faulty = FaultyStorage::new(9);
            let storage = faulty.shared();
            create(&storage, true, SIZE, 3);
            let mut log = open(&storage);
            let records = fill(&mut log, 0, 150);
            log.sync_now().unwrap();
            while offload(&mut log) > 0 {}
            log.switch().unwrap();
            if archived {
                while offload(&mut log) > 0 {}
            }
            let lost = log.bsds().clone();
            drop(log);
            faulty.control().crash();
            for name in storage.list(&dir()).unwrap() {
                let name = name.to_string_lossy().into_owned();
                if name.starts_with("BSDS") || (!keep_copies && name.contains(".B0")) {
                    storage.remove(&dir().join(name)).unwrap();
                }
            }
            let made = rebuilt(&storage).unwrap();
            assert_eq!(made.missing, Vec::<String>::new(), "{archived} {keep_copies}");
            if archived {
                let start = |bsds: &Bsds| bsds.current_active(1).unwrap().range.unwrap().start;
                assert_eq!(start(&made.bsds), start(&lost));
            }
            write_rebuilt_bsds(&storage, &dir(), &made.bsds).unwrap();
            goes_on(&storage, &records);
        }
    }
}

/// A file that is taken back to an older state, or emptied, is told apart from one that is missing.
#[test]
fn why_an_active_log_stands_against_a_new_bsds_is_said() {
    let Site { storage, lost, .. } = written(memory(), true, 700);
    let name = lost.current_active(2).unwrap().name.clone();
    let path = dir().join(&name);
    let said = || {
        let missing = rebuilt(&storage).unwrap().missing;
        assert_eq!(missing.len(), 1, "{missing:?}");
        missing[0].clone()
    };
    let file = storage.open(&path, OpenMode::ReadWrite).unwrap();
    let mut bytes = vec![0; file.len().unwrap() as usize];
    file.read_at(0, &mut bytes).unwrap();
    file.write_at(0, &vec![0; bytes.len()]).unwrap();
    let text = said();
    assert!(text.starts_with(&format!("{name} is here in an older state, begun 0 times")), "{text}");
    storage.rename(&path, Path::new("ASIDE")).unwrap();
    assert_eq!(said(), format!("{name} is not here"));
    storage.rename(Path::new("ASIDE"), &path).unwrap();
    file.write_at(0, &bytes).unwrap();
    assert!(rebuilt(&storage).unwrap().missing.is_empty());
}

#[test]
fn without_a_copy_beside_an_archive_the_log_alone_serves_and_defaults_are_told() {
    let Site { storage, records, lost } = written(memory(), true, 400);
    for name in storage.list(&dir()).unwrap() {
        if name.to_string_lossy().contains(".B0") {
            storage.remove(&dir().join(name)).unwrap();
        }
    }
    let made = rebuilt(&storage).unwrap();
    assert_eq!(made.base, None);
    assert!(made.notes.iter().any(|note| note.contains("500000")), "{:?}", made.notes);
    assert_eq!(made.bsds.settings.log_data_set_size, lost.settings.log_data_set_size);
    assert_eq!(made.bsds.active_logs.len(), lost.active_logs.len());
    write_rebuilt_bsds(&storage, &dir(), &made.bsds).unwrap();
    goes_on(&storage, &records);
}

#[test]
fn a_copy_that_was_given_up_is_not_taken_for_whole() {
    let faulty = FaultyStorage::new(5);
    let storage = faulty.shared();
    create(&storage, true, SIZE, 3);
    let mut log = open(&storage);
    let mut records = fill(&mut log, 0, 20);
    log.sync_now().unwrap();
    // The file as it is now takes the place of copy 2 at the end: all that was written since is missing in it.
    let old = files(&storage);
    records.extend(fill(&mut log, 20, 250));
    log.sync_now().unwrap();
    drop(log);
    for (name, bytes) in old.iter().filter(|(name, _)| name.to_string_lossy().starts_with("LOGCOPY2")) {
        storage.open(&dir().join(name), OpenMode::ReadWrite).unwrap().write_at(0, bytes).unwrap();
    }
    for name in ["BSDS01", "BSDS02"] {
        storage.remove(&dir().join(name)).unwrap();
    }
    // The copy beside the archive knows that a later instance was in those data sets: it says what is missing.
    let made = rebuilt(&storage).unwrap_or_else(|error| panic!("{error}"));
    assert!(made.bsds.copy_stopped[1].is_some() && made.bsds.copy_stopped[0].is_none());
    assert!(made.bsds.actives(2).any(|log| log.status.incomplete));
    write_rebuilt_bsds(&storage, &dir(), &made.bsds).unwrap();
    goes_on(&storage, &records);
    // Afterwards copy 2 alone has everything.
    let log = LogManager::open(&storage, &dir(), NOW).unwrap();
    assert_eq!(log.bsds().copy_stopped, [None, None]);
    drop(log);
    for log in reader(&storage).bsds().clone().actives(1) {
        storage.remove(&dir().join(&log.name)).unwrap();
    }
    goes_on_reading(&storage, &records);
}

fn goes_on_reading(storage: &SharedStorage, records: &[(RbaRange, u64)]) {
    let mut reader = reader(storage);
    let end = reader.find_end().unwrap().end;
    let found = numbers(&reader, end).unwrap();
    assert_eq!(&found[..records.len()], records);
}

#[test]
fn a_missing_active_log_is_named() {
    for dual in [false, true] {
        let Site { storage, lost, .. } = written(memory(), dual, 300);
        let current = lost.current_active(1).unwrap().name.clone();
        for log in &lost.active_logs {
            let path = dir().join(&log.name);
            let aside = PathBuf::from("ASIDE");
            storage.rename(&path, &aside).unwrap();
            let named = match rebuilt(&storage) {
                Ok(made) => made.missing,
                // Nothing is left of the end of the log, and the rest shows it.
                Err(error) => vec![error.to_string()],
            };
            assert!(
                named.iter().any(|text| text.contains(&log.name)) || log.name == current,
                "{}: {named:?}",
                log.name
            );
            assert!(!named.is_empty(), "{}", log.name);
            storage.rename(&aside, &path).unwrap();
        }
    }
}

#[test]
fn log_that_a_page_set_has_seen_must_be_there() {
    let Site { storage, records, .. } = written(memory(), true, 60);
    let end = records.last().unwrap().0.end;
    let survey = LogSurvey::of(&storage, &dir(), &mut |_, _| {}).unwrap();
    let seen = |rba: Rba| {
        let witness = PageSetWitness { highest_synced: rba, ..witness() };
        rebuild_bsds(&storage, &dir(), &survey, &[witness], NOW)
    };
    assert!(seen(end).is_ok());
    let error = seen(end.plus(1)).unwrap_err();
    assert!(matches!(error, LogError::Damage { .. }), "{error}");
    assert!(matches!(seen(end.plus(SIZE)).unwrap_err(), LogError::Inventory(_)));
}

#[test]
fn files_of_somebody_else_and_files_that_contradict_each_other_are_refused_by_name() {
    let Site { storage, lost, records } = written(memory(), true, 300);
    // Another queue manager's log under a name of ours.
    let other: SharedStorage = memory();
    other.create_dir(&dir()).unwrap();
    let foreign = engine_log::NewLog { queue_manager: QueueManagerId(9), ..new_log(true, SIZE, 3) };
    LogManager::create(&other, &dir(), &foreign).unwrap();
    let mut log = open(&other);
    fill(&mut log, 0, 10);
    log.sync_now().unwrap();
    drop(log);
    let before = files(&storage);
    let put = |name: &str, bytes: &[u8]| {
        let _ = storage.remove(&dir().join(name));
        storage.open(&dir().join(name), OpenMode::CreateNew).unwrap().write_at(0, bytes).unwrap();
    };
    put("LOGCOPY2.DS02", &files(&other)[Path::new("LOGCOPY1.DS01")]);
    let error = rebuilt(&storage).unwrap_err();
    assert!(
        matches!(error, LogError::Ambiguous(_)) && error.to_string().contains("LOGCOPY2.DS02"),
        "{error}"
    );
    put("LOGCOPY2.DS02", &before[Path::new("LOGCOPY2.DS02")]);
    // The same log written otherwise: a system that went on from a copy of the first data set.
    let archive = lost.archives.iter().find(|archive| archive.copy == 1).unwrap();
    let fork: SharedStorage = memory();
    create(&fork, true, SIZE, 3);
    let mut log = LogManager::open(&fork, &dir(), NOW).unwrap();
    while log.bsds().archives.is_empty() {
        fill(&mut log, 7000, 40);
        offload(&mut log);
    }
    drop(log);
    let forked = files(&fork);
    put("ARCHLOG1.A0000900", &forked[Path::new(&archive.name)]);
    let error = rebuilt(&storage).unwrap_err();
    assert!(
        matches!(error, LogError::Ambiguous(_)) && error.to_string().contains("ARCHLOG1.A0000900"),
        "{error}"
    );
    storage.remove(&dir().join("ARCHLOG1.A0000900")).unwrap();
    // Log of a history that nothing describes.
    let unknown =
        engine_log::NewLog { history: HistoryId { number: 2, random: 3 }, ..new_log(true, SIZE, 3) };
    let later: SharedStorage = memory();
    later.create_dir(&dir()).unwrap();
    LogManager::create(&later, &dir(), &unknown).unwrap();
    let mut log = open(&later);
    while log.bsds().archives.is_empty() {
        fill(&mut log, 0, 40);
        offload(&mut log);
    }
    drop(log);
    put("ARCHLOG1.A0000901", &files(&later)[Path::new("ARCHLOG1.A0000001")]);
    let error = rebuilt(&storage).unwrap_err();
    assert!(
        matches!(&error, LogError::UnknownHistory { name, .. } if name == "ARCHLOG1.A0000901"),
        "{error}"
    );
    storage.remove(&dir().join("ARCHLOG1.A0000901")).unwrap();
    assert!(files(&storage) == before, "something was written");
    let made = rebuilt(&storage).unwrap();
    write_rebuilt_bsds(&storage, &dir(), &made.bsds).unwrap();
    goes_on(&storage, &records);
}

#[test]
fn a_good_copy_is_never_replaced_and_a_bad_one_is_kept() {
    let Site { storage, lost, records } = written(memory(), true, 100);
    let made = rebuilt(&storage).unwrap();
    storage.open(&dir().join("BSDS02"), OpenMode::CreateNew).unwrap().write_at(0, b"rubbish").unwrap();
    write_rebuilt_bsds(&storage, &dir(), &made.bsds).unwrap();
    assert_eq!(files(&storage)[Path::new("BSDS02.damaged")], b"rubbish");
    let before = files(&storage);
    let error = write_rebuilt_bsds(&storage, &dir(), &lost).unwrap_err();
    assert!(matches!(error, LogError::GoodBsds { .. }), "{error}");
    storage.remove(&dir().join("BSDS01")).unwrap();
    assert!(matches!(write_rebuilt_bsds(&storage, &dir(), &lost), Err(LogError::GoodBsds { .. })));
    assert_eq!(files(&storage)[Path::new("BSDS02")], before[Path::new("BSDS02")]);
    goes_on(&storage, &records);
}

#[test]
fn stopped_at_any_operation_running_again_finishes() {
    let make = |seed| {
        let faulty = FaultyStorage::new(seed);
        let site = written(faulty.shared(), true, 120);
        (faulty, site)
    };
    let rebuild = |storage: &SharedStorage| {
        rebuilt(storage).and_then(|made| write_rebuilt_bsds(storage, &dir(), &made.bsds))
    };
    let (faulty, Site { storage, .. }) = make(1);
    let before = faulty.control().operations();
    rebuild(&storage).unwrap();
    let total = faulty.control().operations() - before;
    assert!(total > 10);
    for stop in 1..=total {
        let (faulty, Site { storage, records, .. }) = make(stop);
        let control = faulty.control();
        control.stop_at(Some(control.operations() + stop));
        let done = rebuild(&storage);
        control.stop_at(None);
        control.crash();
        // Done once more, unless the first copy is there: then an ordinary start makes the second.
        match (done, rebuild(&storage)) {
            (_, Ok(()) | Err(LogError::GoodBsds { .. })) => {}
            (_, Err(error)) => panic!("stopped at {stop} of {total}: {error}"),
        }
        goes_on(&storage, &records);
    }
}
