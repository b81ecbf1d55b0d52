//! Histories: what a cut leaves behind is not on the line, whatever has the same RBA; and it is kept.

mod site;

use std::path::PathBuf;

use engine_log::history::{begin_history, check_cut, cut};
use engine_log::{LogError, LogManager};
use engine_storage::{FaultRates, FaultyStorage, OpenMode, SharedStorage, durable};
use format_bsds::{Bsds, encode_file, least_capacity};
use format_types::{CI_SIZE, HistoryId, Rba, RbaRange};
use site::cuts::{Cuts, run};
use site::*;

#[test]
fn cuts_anywhere_keep_what_is_below_and_nothing_else() {
    for seed in 0..120 {
        run(seed).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    }
}

/// A log of three full data sets and a part of a fourth, with a record that is cut in two by the target, and where that record is.
fn long_log() -> (Cuts, usize) {
    let mut cuts = Cuts::new(2);
    cuts.work(1);
    while cuts.line.len() < 300 {
        cuts.work(100);
    }
    let spanning = |(range, _): &(RbaRange, u64)| range.start.ci_start() != range.end.ci_start();
    let place = cuts.line.iter().skip(cuts.line.len() / 2).position(spanning).unwrap() + cuts.line.len() / 2;
    (cuts, place)
}

#[test]
fn a_record_in_whose_middle_the_target_lies_is_kept() {
    let (mut cuts, place) = long_log();
    let range = cuts.line[place].0;
    let after = cuts.line[place + 1].0.start;
    let made = cuts.cut(range.start.plus(1)).unwrap();
    assert_eq!(made.history.parent.unwrap().1, after);
    assert_eq!(made.history.first, after.ci_ceiling());
    cuts.forget(range.start.plus(1));
    assert_eq!(cuts.line.last().unwrap().0, range);
    cuts.check().unwrap();
    // And one byte less leaves it out.
    cuts.cut(range.start).unwrap();
    cuts.forget(range.start);
    cuts.check().unwrap();
}

#[test]
fn the_abandoned_tail_is_kept_and_read_by_its_own_line_alone() {
    let (mut cuts, place) = long_log();
    let whole = cuts.line.clone();
    let (target, old) = (cuts.line[place].0.start, reader(&cuts.storage.shared()).bsds().history());
    let made = cuts.cut(target).unwrap();
    assert_eq!(made.abandoned.start, target);
    cuts.forget(target);
    cuts.work(60);
    cuts.check().unwrap();
    let storage = cuts.storage.shared();
    let bsds = reader(&storage).bsds().clone();
    // Every byte of the old line up to its very end is archived.
    let mut at = Rba::ZERO;
    while at < made.abandoned.end {
        let archive = bsds.archives.iter().find(|log| log.history == old && log.range.contains(at));
        at = archive.unwrap_or_else(|| panic!("{at} is not archived")).range.end;
    }
    // Its own line still reads it.
    let mut before = bsds.clone();
    before.histories.retain(|history| history.id == old);
    before.active_logs.retain(|log| log.history == old);
    let old_reader = engine_log::LogReader::with_bsds(&storage, &dir(), before);
    assert_eq!(numbers(&old_reader, made.abandoned.end).unwrap(), whole);
    // A record behind the cut, in the control interval that holds the cut, is none of the new line.
    let behind = whole[place].0.start;
    assert!(matches!(reader(&storage).record_at(behind), Err(LogError::NoRecord(at)) if at == behind));
}

#[test]
fn an_archive_of_the_abandoned_tail_is_not_taken_for_one_of_the_line() {
    let (mut cuts, place) = long_log();
    let (target, old) = (cuts.line[place].0.start, reader(&cuts.storage.shared()).bsds().history());
    cuts.cut(target).unwrap();
    cuts.forget(target);
    cuts.work(1);
    while reader(&cuts.storage.shared()).bsds().archives.iter().filter(|log| log.history != old).count() < 2 {
        cuts.work(100);
    }
    let storage = cuts.storage.shared();
    let bsds = reader(&storage).bsds().clone();
    let ours = bsds.archives.iter().find(|log| log.history != old && log.copy == 1).unwrap();
    let at = ours.range.start;
    let theirs = bsds.archives.iter().find(|log| log.history == old && log.range.contains(at)).unwrap();
    // Somebody puts the old archive, from that RBA on, in the place of every data set of the line that holds it.
    let file = storage.open(&dir().join(&theirs.name), OpenMode::Read).unwrap();
    let mut bytes = vec![0; theirs.range.end.since(at).min(ours.range.len()) as usize];
    file.read_at(at.since(theirs.range.start), &mut bytes).unwrap();
    let holding = bsds.archives.iter().filter(|log| log.history == ours.history && log.range.contains(at));
    let holding = holding.map(|log| (log.name.clone(), log.range.start));
    let active = bsds.active_logs.iter().filter(|log| log.history == ours.history);
    let active =
        active.filter_map(|log| Some((log.name.clone(), log.range.filter(|r| r.contains(at))?.start)));
    for (name, start) in holding.chain(active).collect::<Vec<_>>() {
        let file = storage.open(&dir().join(name), OpenMode::ReadWrite).unwrap();
        file.write_at(at.since(start), &bytes[..CI_SIZE]).unwrap();
    }
    let end = cuts.line.last().unwrap().0.end;
    let error = numbers(&reader(&storage), end).unwrap_err();
    assert!(
        matches!(&error, LogError::Damage { why, .. } if why.contains(&format!("belongs to log history {old}"))),
        "{error}"
    );
}

#[test]
fn a_cut_behind_the_end_is_refused() {
    let (cuts, _) = long_log();
    let storage = cuts.storage.shared();
    let end = reader(&storage).find_end().unwrap().end;
    let before = reader(&storage).bsds().histories.clone();
    let refused = cut(&storage, &dir(), end.plus(1), 7, NOW);
    assert!(matches!(refused, Err(LogError::CutBeyondEnd { .. })));
    assert_eq!(reader(&storage).bsds().histories, before);
}

#[test]
fn the_inventory_forgets_what_lies_behind_the_cut_and_nothing_else() {
    let (cuts, place) = long_log();
    let target = cuts.line[place].0.start;
    let storage = cuts.storage.shared();
    let entry = |begin: Rba, end: Rba| format_bsds::CheckpointEntry { begin, end, at: NOW };
    let mut log = open(&storage);
    log.update_bsds(|bsds| {
        bsds.checkpoints = vec![
            entry(Rba(0), target.minus(1)),
            entry(Rba(1), target),
            entry(Rba(2), target.plus(1)),
            entry(target, target.plus(9)),
        ];
        bsds.clean_stop = Some(target.plus(100));
    })
    .unwrap();
    let mut bsds = log.bsds().clone();
    let made = begin_history(&mut bsds, target, 77, NOW).unwrap();
    assert_eq!(made.id, HistoryId { number: 2, random: 77 });
    assert_eq!(bsds.history(), made.id);
    assert_eq!(bsds.checkpoints.iter().map(|entry| entry.begin).collect::<Vec<_>>(), [Rba(0), Rba(1)]);
    assert_eq!((bsds.clean_stop, bsds.highest_written), (None, made.first));
    assert_eq!(bsds.archives, log.bsds().archives);
    let restart = bsds.conditional_restarts.last().unwrap();
    assert!(restart.active && restart.end == target);
    for copy in 1..=bsds.copies() {
        let current = bsds.current_active(copy).unwrap();
        assert_eq!(current.range.unwrap().start, made.first);
        let available = bsds.actives(copy).filter(|log| log.status.is_available()).count();
        assert_eq!(available + 1, bsds.actives(copy).count());
    }
}

#[test]
fn a_cut_stopped_at_any_operation_leaves_the_old_log_or_the_new_one_and_is_finished_by_the_next() {
    for seed in [4, 5] {
        let (mut stopped, mut old_states, mut new_states) = (0, 0, 0);
        for operation in 1.. {
            let mut cuts = Cuts::new(seed);
            cuts.work(90);
            cuts.work(90);
            let target = cuts.line[cuts.line.len() / 2].0.start.plus(1);
            let control = cuts.storage.control();
            control.stop_at(Some(control.operations() + operation));
            let done = cuts.cut(target).is_ok();
            let was_stopped = control.stopped();
            if operation % 3 == 0 {
                control.kill();
            } else {
                control.crash();
            }
            let histories = reader(&cuts.storage.shared()).bsds().histories.len();
            let told = |error: String| panic!("seed {seed} operation {operation}: {error}");
            if histories == 1 {
                old_states += 1;
                assert!(!done);
                cuts.check().unwrap_or_else(told);
                // Whoever starts it instead finds all there was, and can go on.
                if operation % 2 == 0 {
                    cuts.work(5);
                    cuts.check().unwrap_or_else(told);
                }
                cuts.cut(target).unwrap_or_else(|error| panic!("seed {seed} operation {operation}: {error}"));
            } else {
                new_states += 1;
            }
            cuts.forget(target);
            cuts.check().unwrap_or_else(told);
            cuts.work(30);
            cuts.check().unwrap_or_else(told);
            if !was_stopped {
                break;
            }
            stopped += 1;
        }
        assert!(stopped > 30 && old_states > 10 && new_states > 1, "{stopped} {old_states} {new_states}");
    }
}

#[test]
fn sequence_numbers_are_not_given_out_again() {
    let (mut cuts, place) = long_log();
    let highest = open(&cuts.storage.shared()).last_lrsn();
    let target = cuts.line[place].0.start;
    cuts.cut(target).unwrap();
    let log = LogManager::open(&cuts.storage.shared(), &dir(), NOW).unwrap();
    assert!(log.last_lrsn() > highest, "{} was given out before the cut, up to {highest}", log.last_lrsn());
}

#[test]
fn a_copy_that_fails_while_the_log_is_cut_is_whole_again_in_the_new_history() {
    let mut single = 0;
    for seed in (0..40).step_by(2) {
        let mut cuts = Cuts::new(seed);
        cuts.work(90);
        let target = cuts.target();
        let control = cuts.storage.control();
        let only = Some("LOGCOPY2".to_owned());
        let rates = FaultRates { sync_error: 300_000, write_error: 100_000, only, ..FaultRates::default() };
        control.set_rates(rates);
        cuts.cut(target).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        control.set_rates(FaultRates::default());
        cuts.forget(target);
        cuts.check().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        single += u64::from(reader(&cuts.storage.shared()).bsds().copy_stopped[1].is_some());
        // A start completes it; then the other copy may go.
        cuts.work(1);
        let storage = cuts.storage.shared();
        assert_eq!(reader(&storage).bsds().copy_stopped, [None, None], "seed {seed}");
        let current = reader(&storage).bsds().current_active(1).unwrap().name.clone();
        storage.remove(&dir().join(current)).unwrap();
        cuts.check().unwrap_or_else(|error| panic!("seed {seed}, copy 1 lost: {error}"));
    }
    assert!(single > 3, "{single} cuts in single mode");
}

/// Copies of the BSDS beside the newest archive of each copy: their paths, and the history that each knows last.
fn beside_newest_archives(storage: &SharedStorage) -> Vec<(PathBuf, HistoryId)> {
    let archives = reader(storage).bsds().archives.clone();
    let newest = |copy| archives.iter().filter(|log| log.copy == copy).max_by_key(|log| log.name.clone());
    let read = |archive: &format_bsds::ArchiveLog| {
        let path = dir().join(archive.name.replace(".A", ".B"));
        let bytes = durable::read_file(storage.as_ref(), &path, u64::MAX).unwrap();
        (path, format_bsds::decode_file(&bytes).newest.unwrap().history())
    };
    (1..=2).filter_map(newest).map(read).collect()
}

#[test]
fn archives_of_either_copy_carried_elsewhere_know_the_cut() {
    let (mut cuts, place) = long_log();
    let storage = cuts.storage.shared();
    let made = cuts.cut(cuts.line[place].0.start).unwrap();
    let beside = beside_newest_archives(&storage);
    assert_eq!(beside.iter().map(|(_, known)| *known).collect::<Vec<_>>(), [made.history.id; 2]);
    // The power went before those were written: the next start writes them.
    let mut before = reader(&storage).bsds().clone();
    before.histories.pop();
    let stale = encode_file(&before, least_capacity(&before)).unwrap();
    for (path, _) in &beside {
        durable::write_file(storage.as_ref(), path, &stale).unwrap();
    }
    assert!(beside_newest_archives(&storage).iter().all(|(_, known)| *known != made.history.id));
    drop(open(&storage));
    assert!(beside_newest_archives(&storage).iter().all(|(_, known)| *known == made.history.id));
}

#[test]
fn a_start_writes_the_copies_of_the_bsds_that_offloads_could_not() {
    let (mut cuts, place) = long_log();
    let storage = cuts.storage.shared();
    let made = cuts.cut(cuts.line[place].0.start).unwrap();
    let of_the_history = |storage: &SharedStorage| {
        let archives = reader(storage).bsds().archives.clone();
        archives.into_iter().filter(|log| log.history == made.history.id).collect::<Vec<_>>()
    };
    for _ in 0..50 {
        if of_the_history(&storage).len() >= 2 {
            break;
        }
        cuts.work(20);
    }
    let archives = of_the_history(&storage);
    assert!(archives.len() >= 2, "{archives:?}");
    for archive in &archives {
        storage.remove(&dir().join(&archive.bsds_name)).unwrap();
    }
    let forget = |bsds: &mut Bsds| {
        bsds.archives
            .iter_mut()
            .filter(|log| log.history == made.history.id)
            .for_each(|log| log.bsds_name.clear());
        Ok::<(), LogError>(())
    };
    engine_log::update_bsds_at_rest(&storage, &dir(), forget).unwrap();
    drop(open(&storage));
    assert!(beside_newest_archives(&storage).iter().all(|(_, known)| *known == made.history.id));
}

/// Copy 2 fails, the log goes on in copy 1 and is damaged further on, and is cut before the damage.
#[test]
fn a_copy_that_lacks_log_of_what_a_cut_left_behind_is_not_called_whole() {
    let faulty = FaultyStorage::new(31);
    let storage = faulty.shared();
    create(&storage, true, SIZE, 4);
    let mut log = open(&storage);
    let mut all = fill(&mut log, 0, 20);
    log.sync_now().unwrap();
    let stop = log.synced();
    let fails = FaultRates {
        sync_error: 1_000_000,
        write_error: 1_000_000,
        only: Some("LOGCOPY2".to_owned()),
        ..FaultRates::default()
    };
    faulty.control().set_rates(fails);
    all.extend(fill(&mut log, 20, 3));
    let job = log.begin_sync().unwrap().unwrap();
    log.finish_sync(job.run()).unwrap();
    // What is written after a sync proves that what is before it was there.
    for first in [23, 48] {
        all.extend(fill(&mut log, first, if first == 23 { 25 } else { 5 }));
        log.sync_now().unwrap();
    }
    let current = log.bsds().current_active(1).unwrap().clone();
    drop(log);
    let (damaged, target) = (all[45].0.start, all[40].0.start);
    assert!(current.range.unwrap().contains(target) && !current.range.unwrap().contains(stop));
    let at = damaged.ci_start().since(current.range.unwrap().start);
    faulty.control().rot(&dir().join(&current.name), at, &[0xFF; 900]).unwrap();
    faulty.control().set_rates(FaultRates::default());

    cut(&storage, &dir(), target, 7, NOW).unwrap();
    all.retain(|(range, _)| range.start < target);
    let lacking = |bsds: &Bsds| -> Vec<(String, Option<Rba>)> {
        let left = bsds.active_logs.iter().filter(|log| bsds.is_left_behind(log));
        left.map(|log| (log.name.clone(), bsds.lacks_from(log))).collect()
    };
    let expected = [
        ("LOGCOPY1.DS01".to_owned(), None),
        ("LOGCOPY1.DS02".to_owned(), None),
        ("LOGCOPY2.DS01".to_owned(), Some(stop.ci_start())),
        ("LOGCOPY2.DS02".to_owned(), Some(current.range.unwrap().start)),
    ];
    assert_eq!(lacking(reader(&storage).bsds()), expected);
    // The next start completes what the new history has, and nothing else.
    let mut log = open(&storage);
    assert_eq!(log.bsds().copy_stopped, [None, None]);
    assert_eq!(lacking(log.bsds()), expected);
    all.extend(fill(&mut log, 100, 150));
    while offload(&mut log) > 0 {}
    log.sync_now().unwrap();
    let end = log.end();
    assert!(log.bsds().archives.iter().all(|archive| archive.history == log.bsds().history()));
    drop(log);
    let log = open(&storage);
    assert_eq!(lacking(log.bsds()), expected);
    drop(log);
    assert_eq!(numbers(&reader(&storage), end).unwrap(), all);
    // What only the other copy of it has is refused to be done without; what this one has below its stop serves.
    let image = faulty.control().image();
    storage.remove(&dir().join("LOGCOPY1.DS01")).unwrap();
    let error = LogManager::open(&storage, &dir(), NOW).err().unwrap();
    assert!(error.to_string().contains("LOGCOPY1.DS01"), "{error}");
    assert_eq!(&numbers(&reader(&storage), stop.ci_start()).unwrap()[..], &all[..19]);
    faulty.control().put_back(&image);
    storage.remove(&dir().join("LOGCOPY2.DS01")).unwrap();
    drop(open(&storage));
    assert_eq!(numbers(&reader(&storage), end).unwrap(), all);
}

/// The other pair of data sets is full, and can be read and archived nowhere: only the plan can say so before anything is done.
#[test]
fn a_cut_without_a_data_set_to_go_on_in_is_known_beforehand() {
    for spoiled in [false, true] {
        let faulty = FaultyStorage::new(17);
        let storage = faulty.shared();
        create(&storage, true, SIZE, 2);
        let mut log = open(&storage);
        let all = fill(&mut log, 0, 40);
        log.switch().unwrap();
        let rest = fill(&mut log, 40, 20);
        log.sync_now().unwrap();
        let bsds = log.bsds().clone();
        drop(log);
        for name in ["LOGCOPY1.DS01", "LOGCOPY2.DS01"].iter().filter(|_| spoiled) {
            let at = all[10].0.start.ci_start().0;
            faulty.control().rot(&dir().join(name), at, &[0xFF; 900]).unwrap();
        }
        let target = rest[10].0.start;
        let before = faulty.control().image();
        let known = check_cut(&storage, &dir(), &bsds, target, false);
        assert!(faulty.control().image().differences(&before, &dir()).is_empty());
        let done = cut(&storage, &dir(), target, 9, NOW);
        assert_eq!((known.is_err(), done.is_err()), (spoiled, spoiled), "{known:?} {done:?}");
        if let Err(error) = known {
            assert!(error.to_string().starts_with("HWT295E"), "{error}");
        }
    }
}
