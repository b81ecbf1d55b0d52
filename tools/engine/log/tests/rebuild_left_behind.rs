//! A BSDS made anew from the log: what cuts and deletions left behind, what cannot be read, and what is missing for it.

mod site;

use std::path::Path;

use engine_log::{LogSurvey, PageSetWitness, rebuild_bsds, write_rebuilt_bsds};
use engine_storage::{FaultyStorage, OpenMode};
use format_bsds::Bsds;
use format_log::Body;
use format_types::{CI_SIZE, QueueManagerId, Rba, RbaRange};
use site::lost_bsds::{Site, files, memory, rebuilt, witness, written};
use site::{NOW, SIZE, create, dir, fill, numbers, offload, open, reader};

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

/// The program that deleted archives was killed between marking them and noting the holes, and then the BSDS was lost: files that are gone
/// were to go, and those that are there are archives like any other.
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
