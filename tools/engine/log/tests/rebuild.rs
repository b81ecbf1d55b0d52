//! Both copies of the BSDS are lost: what is made anew from the log serves as the lost one did, or the cause is named.

mod site;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use engine_log::{
    LogError, LogManager, LogSurvey, PageSetWitness, RebuiltBsds, rebuild_bsds, write_rebuilt_bsds,
};
use engine_storage::{FaultyStorage, MemoryStorage, OpenMode, SharedStorage};
use format_bsds::{Bsds, PageSetEntry};
use format_log::Body;
use format_types::{CI_SIZE, Expand, HistoryId, PageSetId, QueueManagerId, Rba, RbaRange};
use site::{NOW, SIZE, create, dir, fill, new_log, numbers, offload, open, reader};

fn memory() -> SharedStorage {
    std::sync::Arc::new(MemoryStorage::new())
}

/// A log with archives, its records, and the BSDS that was lost.
struct Site {
    storage: SharedStorage,
    records: Vec<(RbaRange, u64)>,
    lost: Bsds,
}

fn written(storage: SharedStorage, dual: bool, count: u64) -> Site {
    create(&storage, dual, SIZE, 3);
    let mut log = open(&storage);
    let records = fill(&mut log, 0, count);
    log.sync_now().unwrap();
    drop(log);
    let lost = reader(&storage).bsds().clone();
    for name in ["BSDS01", "BSDS02"] {
        storage.remove(&dir().join(name)).unwrap();
    }
    storage.sync_dir(&dir()).unwrap();
    Site { storage, records, lost }
}

fn witness() -> PageSetWitness {
    PageSetWitness {
        entry: PageSetEntry {
            page_set: PageSetId::ZERO,
            initial_pages: 32,
            expand: Expand::User,
            defined: None,
        },
        queue_manager: QueueManagerId(0xC0FF_EE00_1234_5678),
        name: "QM1".parse().unwrap(),
        history: HistoryId { number: 1, random: 0xFEED },
        highest_synced: Rba::ZERO,
        recovery_rba: Rba::ZERO,
    }
}

fn rebuilt(storage: &SharedStorage) -> Result<RebuiltBsds, LogError> {
    let survey = LogSurvey::of(storage, &dir(), &mut |_, _| {})?;
    rebuild_bsds(storage, &dir(), &survey, &[witness()], NOW)
}

fn files(storage: &SharedStorage) -> BTreeMap<PathBuf, Vec<u8>> {
    let bytes = |name: &PathBuf| {
        let file = storage.open(&dir().join(name), OpenMode::Read).unwrap();
        let mut bytes = vec![0; file.len().unwrap() as usize];
        file.read_at(0, &mut bytes).unwrap();
        bytes
    };
    storage.list(&dir()).unwrap().into_iter().map(|name| (name.clone(), bytes(&name))).collect()
}

/// Opens the log under the BSDS that was made, finds every record, and goes on writing.
fn goes_on(storage: &SharedStorage, records: &[(RbaRange, u64)]) {
    let mut log = LogManager::open(storage, &dir(), NOW).unwrap_or_else(|error| panic!("{error}"));
    let mut all = records.to_vec();
    all.extend(fill(&mut log, all.len() as u64, 200));
    log.sync_now().unwrap();
    let end = log.end();
    while offload(&mut log) > 0 {}
    drop(log);
    assert_eq!(numbers(&reader(storage), end).unwrap(), all);
}

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

/// A cut of a damaged log leaves log behind that is archived nowhere: it is as much worth keeping after the BSDS was lost.
#[test]
fn what_a_cut_left_behind_and_could_not_archive_is_kept() {
    for dual in [false, true] {
        let faulty = FaultyStorage::new(12);
        let storage = faulty.shared();
        create(&storage, dual, SIZE, 4);
        let mut log = open(&storage);
        let mut records = fill(&mut log, 0, 100);
        // An archive, with a copy of the BSDS beside it.
        log.switch().unwrap();
        while offload(&mut log) > 0 {}
        records.extend(fill(&mut log, 100, 20));
        log.switch().unwrap();
        // What is written after a sync proves that what is before it was there.
        for first in [120, 135] {
            records.extend(fill(&mut log, first, if first == 120 { 15 } else { 5 }));
            log.sync_now().unwrap();
        }
        let current: Vec<_> =
            (1..=log.bsds().copies()).map(|copy| log.bsds().current_active(copy).unwrap().clone()).collect();
        drop(log);
        let damaged = records[130].0.start;
        for log in &current {
            let at = damaged.ci_start().since(log.range.unwrap().start);
            faulty.control().rot(&dir().join(&log.name), at, &[0xFF; 900]).unwrap();
        }
        // In the data set before: the damaged one lies behind the cut.
        let target = records[110].0.start;
        engine_log::history::cut(&storage, &dir(), target, 3, NOW).unwrap();
        records.truncate(110);
        let mut log = open(&storage);
        records.extend(fill(&mut log, 200, 5));
        log.sync_now().unwrap();
        let lost = log.bsds().clone();
        drop(log);
        for name in ["BSDS01", "BSDS02"] {
            storage.remove(&dir().join(name)).unwrap();
        }
        let made = rebuilt(&storage).unwrap();
        let state = |bsds: &Bsds| -> Vec<_> {
            bsds.active_logs
                .iter()
                .map(|log| (log.name.clone(), log.status.is_available(), log.status.stopped))
                .collect()
        };
        assert_eq!(state(&made.bsds), state(&lost));
        assert!(
            !made
                .bsds
                .active_logs
                .iter()
                .find(|log| log.name == current[0].name)
                .unwrap()
                .status
                .is_available()
        );
        write_rebuilt_bsds(&storage, &dir(), &made.bsds).unwrap();
        let before = files(&storage);
        let mut log = open(&storage);
        records.extend(fill(&mut log, 300, 300));
        while offload(&mut log) > 0 {}
        log.sync_now().unwrap();
        let end = log.end();
        drop(log);
        assert_eq!(numbers(&reader(&storage), end).unwrap(), records);
        for log in &current {
            assert!(
                files(&storage)[Path::new(&log.name)] == before[Path::new(&log.name)],
                "{} was written",
                log.name
            );
        }
    }
}

/// Of very many copies of the BSDS beside archives the newest alone is held, and what contradicts it is found all the same.
#[test]
fn one_copy_of_the_bsds_is_held_however_many_there_are() {
    let Site { storage, lost, .. } = written(memory(), true, 900);
    assert!(lost.archives.len() > 12);
    let survey = LogSurvey::of(&storage, &dir(), &mut |_, _| {}).unwrap();
    assert_eq!(survey.inventories.owners().count(), lost.archives.len());
    assert_eq!(survey.inventories.images(), 1);
    let (name, newest) = survey.inventories.newest(None).unwrap().unwrap();
    assert!(
        lost.archives.iter().all(|archive| archive.bsds_name.as_str() <= name || archive.copy == 2),
        "{name}"
    );
    let changed = |change: &dyn Fn(&mut Bsds)| {
        let mut bsds = newest.clone();
        change(&mut bsds);
        let mut all = survey.inventories.clone();
        all.add("ARCHLOG1.B0009999".to_owned(), bsds);
        all.newest(None)
            .map(|found| found.map(|(name, _)| name.to_owned()))
            .map_err(|error| error.to_string())
    };
    let older = changed(&|bsds| bsds.sequence = 1).unwrap().unwrap();
    assert_eq!(older, name);
    assert_eq!(changed(&|bsds| bsds.sequence += 1).unwrap().unwrap(), "ARCHLOG1.B0009999");
    for (change, words) in [
        (&(|bsds: &mut Bsds| bsds.next_archive += 1) as &dyn Fn(&mut Bsds), "under the same sequence"),
        (&|bsds| bsds.histories[0].id.random += 1, "which it does not know"),
        (&|bsds| (bsds.queue_manager, bsds.sequence) = (QueueManagerId(9), 1), "belongs to queue manager"),
    ] {
        let older = changed(&|bsds| {
            bsds.sequence -= u64::from(words.starts_with("which"));
            change(bsds);
        });
        let error = older.unwrap_err();
        assert!(error.contains(words) && error.contains("ARCHLOG1.B0009999"), "{error}");
    }
}

/// An archive that cannot be read is named; where its log is needed, so is that.
#[test]
fn an_archive_that_cannot_be_read_is_named_and_so_is_the_log_that_only_it_held() {
    let storage = memory();
    create(&storage, true, SIZE, 3);
    let mut log = open(&storage);
    fill(&mut log, 0, 850);
    // With a checkpoint the log before it is needed by page sets alone.
    let none = format_types::Urid::NONE;
    let begin = log.append(none, Rba::ZERO, &Body::BeginCheckpoint { bsds_sequence: 1 }).unwrap().start;
    log.append(none, Rba::ZERO, &Body::EndCheckpoint { begin }).unwrap();
    fill(&mut log, 850, 50);
    log.sync_now().unwrap();
    let lost = log.bsds().clone();
    drop(log);
    for name in ["BSDS01", "BSDS02"] {
        storage.remove(&dir().join(name)).unwrap();
    }
    let archives: Vec<_> = lost.archives.iter().filter(|archive| archive.copy == 1).collect();
    let spoil = |name: &str| {
        let file = storage.open(&dir().join(name), OpenMode::ReadWrite).unwrap();
        file.write_at(0, &vec![0xEE; file.len().unwrap() as usize]).unwrap();
    };
    // Its other copy has all of it, and this one is named.
    let (first, second) = (archives[0], archives[1]);
    spoil(&first.name);
    spoil(&second.bsds_name);
    let made = rebuilt(&storage).unwrap();
    let named: Vec<_> = made.unusable.iter().map(|file| (file.name.as_str(), file.is_log)).collect();
    assert_eq!(named, [(first.name.as_str(), true), (second.bsds_name.as_str(), false)]);
    assert!(made.gaps.is_empty(), "{:?}", made.gaps);
    // The page set needs all log, and nothing has this any more.
    let other = lost.archives.iter().find(|log| log.copy == 2 && log.range == first.range).unwrap();
    spoil(&other.name);
    let made = rebuilt(&storage).unwrap();
    assert_eq!(made.gaps.len(), 1);
    assert_eq!((made.gaps[0].range, &made.gaps[0].point), (first.range, &None));
    assert_eq!(made.gaps[0].unreadable, [first.name.clone(), other.name.clone()]);
    assert!(made.gaps[0].is_loss());
    // One that needs no log before it has no gap.
    let survey = LogSurvey::of(&storage, &dir(), &mut |_, _| {}).unwrap();
    let witness = PageSetWitness { recovery_rba: first.range.end, ..witness() };
    let made = rebuild_bsds(&storage, &dir(), &survey, &[witness], NOW).unwrap();
    assert!(made.gaps.is_empty() && made.unusable.len() == 3, "{:?}", made.gaps);
}

/// A cut that is stopped right after it begins the history, before a copy of the BSDS beside an archive knows of that: the start that goes
/// on in the history writes it.
#[test]
fn the_history_that_an_interrupted_cut_began_is_known_when_the_bsds_is_lost() {
    let mut begun = 0;
    for operation in 1.. {
        let faulty = FaultyStorage::new(operation);
        let (storage, control) = (faulty.shared(), faulty.control());
        create(&storage, true, SIZE, 3);
        let mut log = open(&storage);
        let mut records = fill(&mut log, 0, 100);
        log.sync_now().unwrap();
        drop(log);
        control.stop_at(Some(control.operations() + operation));
        let target = records[60].0.start;
        let _ = engine_log::history::cut(&storage, &dir(), target, 3, NOW);
        let stopped = control.stopped();
        control.stop_at(None);
        control.crash();
        if reader(&storage).bsds().histories.len() == 2 {
            begun += 1;
            records.truncate(60);
            let mut log = open(&storage);
            records.extend(fill(&mut log, 200, 5));
            log.sync_now().unwrap();
            drop(log);
            for name in ["BSDS01", "BSDS02"] {
                storage.remove(&dir().join(name)).unwrap();
            }
            let made = rebuilt(&storage).unwrap_or_else(|error| panic!("stopped at {operation}: {error}"));
            assert_eq!((made.bsds.histories.len(), made.missing.len()), (2, 0), "{:?}", made.missing);
            write_rebuilt_bsds(&storage, &dir(), &made.bsds).unwrap();
            let end = reader(&storage).find_end().unwrap().end;
            assert_eq!(numbers(&reader(&storage), end).unwrap(), records);
        }
        if !stopped {
            break;
        }
    }
    assert!(begun > 3, "{begun}");
}

/// A torn write at the end of the log leaves whole records without a trailer: they are no gap.
#[test]
fn records_at_the_end_without_a_trailer_are_there() {
    let Site { storage, lost, records } = written(memory(), true, 60);
    let end = records.last().unwrap().0.end;
    for copy in 1..=2 {
        let current = lost.current_active(copy).unwrap();
        let file = storage.open(&dir().join(&current.name), OpenMode::ReadWrite).unwrap();
        let trailer = end.ci_start().since(current.range.unwrap().start) + CI_SIZE as u64 - 64;
        file.write_at(trailer, &[0; 64]).unwrap();
    }
    let made = rebuilt(&storage).unwrap();
    assert_eq!((made.log_end, made.gaps), (end, Vec::new()));
}

/// The program that deleted archives was killed between marking them and noting the holes, and then the BSDS was lost: files that are gone were
/// to go, and those that are there are archives like any other.
#[test]
fn a_deletion_that_was_not_finished_ends_with_the_files_that_are_there() {
    let storage = memory();
    create(&storage, true, SIZE, 3);
    let mut log = open(&storage);
    fill(&mut log, 0, 500);
    let marked: Vec<_> = log.bsds().archives.iter().take(4).map(format_bsds::ArchiveLog::reference).collect();
    log.update_bsds(|bsds| {
        bsds.archives.iter_mut().take(4).for_each(|archive| archive.deleting = true);
    })
    .unwrap();
    // The copy of the BSDS beside the next archive knows of the marks.
    fill(&mut log, 500, 300);
    log.sync_now().unwrap();
    while offload(&mut log) > 0 {}
    drop(log);
    for name in [marked[0].name.as_str(), &marked[1].name, &marked[2].name, "BSDS01", "BSDS02"] {
        storage.remove(&dir().join(name)).unwrap();
    }
    let made = rebuilt(&storage).unwrap().bsds;
    assert!(marked[0].range == marked[1].range && marked[2].range == marked[3].range);
    let holes: Vec<_> = made.holes.iter().map(|hole| hole.range).collect();
    assert_eq!(holes, [marked[0].range], "copy 2 of the second stretch is there");
    let named =
        |reference| made.archives.iter().any(|archive: &format_bsds::ArchiveLog| archive.is(reference));
    assert_eq!(marked.iter().map(named).collect::<Vec<_>>(), [false, false, false, true]);
    assert!(made.archives.iter().all(|archive| !archive.deleting));
    write_rebuilt_bsds(&storage, &dir(), &made).unwrap();
    let mut log = open(&storage);
    fill(&mut log, 800, 20);
    log.sync_now().unwrap();
    let missing = reader(&storage).missing(RbaRange::new(marked[2].range.start, log.end())).unwrap();
    assert_eq!(missing, []);
}
