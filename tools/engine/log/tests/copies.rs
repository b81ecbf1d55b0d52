//! One copy of the log fails, at any of its operations: nothing acknowledged is lost, and what is short is known to be short.

mod site;

use std::path::PathBuf;

use engine_log::{LogError, LogManager, LogReader};
use engine_storage::{Control, FaultRates, FaultyStorage, SharedStorage};
use format_types::Rba;
use site::run::Run;
use site::*;

fn path(name: &str) -> PathBuf {
    dir().join(name)
}

/// The names of the active logs of a copy.
fn logs(copy: u8) -> Vec<PathBuf> {
    (1..=3).map(|number| path(&format!("LOGCOPY{copy}.DS0{number}"))).collect()
}

fn remove_all(storage: &SharedStorage, names: &[PathBuf]) {
    for name in names {
        storage.remove(name).unwrap();
    }
}

fn fails(only: &str, kind: &str, skip: u64, times: Option<u64>) -> FaultRates {
    let rate = |wanted: &str| if kind == wanted { 1_000_000 } else { 0 };
    FaultRates {
        write_error: rate("write"),
        sync_error: rate("sync"),
        read_error: rate("read"),
        only: Some(only.to_owned()),
        skip,
        times,
        ..FaultRates::default()
    }
}

/// Faults that came so far.
fn faults(control: &Control) -> u64 {
    let counters = control.counters();
    counters.write_errors + counters.sync_errors + counters.read_errors
}

/// What became of a log that was opened.
#[derive(Debug, PartialEq, Eq)]
enum Opened {
    /// All that was acknowledged is there.
    Whole,
    /// Refused, and no file was changed.
    Refused,
}

/// Opens the log and looks whether all that was acknowledged is in it, and nothing else.
fn open_and_look(run: &Run, told: &str) -> Opened {
    let storage = run.storage.shared();
    let before = run.storage.control().image();
    match LogManager::open(&storage, &dir(), NOW) {
        Ok(log) => {
            let reader = LogReader::open(&storage, &dir()).unwrap();
            let found = numbers(&reader, log.synced()).unwrap_or_else(|error| panic!("{told}: {error}"));
            assert!(
                found.len() >= run.acknowledged,
                "{told}: {} of {} acknowledged records",
                found.len(),
                run.acknowledged
            );
            assert_eq!(found[..], run.appended[..found.len()], "{told}: other records than were written");
            Opened::Whole
        }
        Err(error) => {
            let changed = before.differences(&run.storage.control().image(), &dir());
            assert!(changed.is_empty(), "{told}: refused ({error}), but changed {changed:?}");
            Opened::Refused
        }
    }
}

/// A run of `seed` in which operation `skip` of one file or copy fails; false when it has not so many.
fn run_with_fault(seed: u64, rates: &FaultRates) -> Option<Run> {
    let mut run = Run::new(seed, true);
    let mut log = run.start().unwrap();
    run.storage.control().set_rates(rates.clone());
    let before = faults(&run.storage.control());
    run.work(&mut log, 220).unwrap_or_else(|error| panic!("seed {seed} {rates:?}: {error}"));
    let failed = faults(&run.storage.control()) > before;
    run.storage.control().set_rates(FaultRates::default());
    failed.then_some(run)
}

#[test]
fn every_operation_of_one_copy_may_fail() {
    let (mut tried, mut refused, mut whole) = (0, 0, 0);
    for (seed, copy) in [(1, 1), (2, 2)] {
        for kind in ["write", "sync"] {
            for times in [Some(1), Some(2), None] {
                for skip in 0.. {
                    let rates = fails(&format!("LOGCOPY{copy}"), kind, skip, times);
                    let Some(run) = run_with_fault(seed, &rates) else { break };
                    let told = format!("seed {seed} copy {copy} {kind} {skip} {times:?}");
                    let control = run.storage.control();
                    if skip % 2 == 0 {
                        control.kill();
                    } else {
                        control.crash();
                    }
                    let image = control.image();
                    assert_eq!(open_and_look(&run, &told), Opened::Whole);
                    assert_eq!(reader(&run.storage.shared()).bsds().copy_stopped, [None, None], "{told}");
                    control.put_back(&image);
                    remove_all(&run.storage.shared(), &logs(copy));
                    assert_eq!(open_and_look(&run, &told), Opened::Whole);
                    control.put_back(&image);
                    remove_all(&run.storage.shared(), &logs(3 - copy));
                    match open_and_look(&run, &format!("{told}, the good copy deleted")) {
                        Opened::Whole => whole += 1,
                        // A sync of a data set that is done with says nothing of what is in it.
                        Opened::Refused => {
                            assert!(run.single_modes > 0, "{told}: nothing was said");
                            refused += 1;
                        }
                    }
                    tried += 1;
                }
            }
        }
    }
    assert!(tried > 200 && refused > 100 && whole > 20, "{tried} tried, {refused} refused, {whole} whole");
}

#[test]
fn every_operation_of_one_bsds_copy_may_fail() {
    let mut tried = 0;
    for (seed, copy) in [(3, 1), (4, 2)] {
        for kind in ["write", "sync"] {
            for skip in 0.. {
                let rates = fails(&format!("BSDS0{copy}"), kind, skip, None);
                let Some(run) = run_with_fault(seed, &rates) else { break };
                let told = format!("seed {seed} BSDS copy {copy} {kind} {skip}");
                let control = run.storage.control();
                if skip % 2 == 0 {
                    control.kill();
                } else {
                    control.crash();
                }
                let image = control.image();
                assert_eq!(open_and_look(&run, &told), Opened::Whole);
                for lost in [1, 2] {
                    control.put_back(&image);
                    run.storage.shared().remove(&path(&format!("BSDS0{lost}"))).unwrap();
                    // The failed copy alone may be stale, and is refused then.
                    let opened = open_and_look(&run, &format!("{told}, copy {lost} deleted"));
                    assert!(opened == Opened::Whole || lost != copy, "{told}");
                }
                tried += 1;
            }
        }
    }
    assert!(tried > 30, "{tried}");
}

/// A run that ended with both copies whole, or with one that lacks log.
fn ended(lacking: bool) -> Run {
    let mut run = Run::new(9, true);
    let mut log = run.start().unwrap();
    run.work(&mut log, 120).unwrap();
    if lacking {
        run.storage.control().set_rates(fails("LOGCOPY2", "sync", 0, None));
        run.work(&mut log, 60).unwrap();
        run.storage.control().set_rates(FaultRates::default());
        assert!(log.bsds().copy_stopped[1].is_some());
    }
    drop(log);
    run.storage.crash();
    run
}

#[test]
fn every_operation_of_a_start_on_one_copy_may_fail() {
    let (mut single, mut errors) = (0, 0);
    for lacking in [false, true] {
        let run = ended(lacking);
        let control = run.storage.control();
        let image = control.image();
        for (copy, kind) in [(1, "write"), (1, "sync"), (1, "read"), (2, "write"), (2, "sync"), (2, "read")] {
            for times in [Some(1), None] {
                for skip in 0.. {
                    let told = format!("lacking {lacking} copy {copy} {kind} {skip} {times:?}");
                    control.put_back(&image);
                    control.set_rates(fails(&format!("LOGCOPY{copy}"), kind, skip, times));
                    let before = faults(&control);
                    let opened = LogManager::open(&run.storage.shared(), &dir(), NOW);
                    let failed = faults(&control) > before;
                    control.set_rates(FaultRates::default());
                    if let Ok(log) = &opened {
                        single += u64::from(log.bsds().copy_stopped.iter().any(Option::is_some));
                        assert!(log.synced() >= run.appended[run.acknowledged - 1].0.end, "{told}");
                    } else {
                        // The only whole copy, or reads that neither copy answers.
                        errors += 1;
                        assert!(lacking && copy == 1, "{told}: {:?}", opened.err());
                    }
                    drop(opened);
                    if skip % 2 == 0 {
                        control.kill();
                    } else {
                        control.crash();
                    }
                    let after = control.image();
                    assert_eq!(open_and_look(&run, &told), Opened::Whole);
                    for lost in [1, 2] {
                        control.put_back(&after);
                        remove_all(&run.storage.shared(), &logs(lost));
                        let opened = open_and_look(&run, &format!("{told}, copy {lost} deleted"));
                        // What failed is the other copy, or the one that lacked log still does.
                        let may_refuse = lost != copy || lacking && lost == 1;
                        assert!(opened == Opened::Whole || may_refuse, "{told}, copy {lost} deleted");
                    }
                    if !failed {
                        break;
                    }
                }
            }
        }
    }
    assert!(single > 10 && errors > 5, "{single} single, {errors} errors");
}

/// A log in whose copy 2 a sync has just failed once, after 20 records, and its storage.
fn failed_once() -> (FaultyStorage, LogManager, Vec<(format_types::RbaRange, u64)>, Rba) {
    failed_once_on(5)
}

fn failed_once_on(seed: u64) -> (FaultyStorage, LogManager, Vec<(format_types::RbaRange, u64)>, Rba) {
    let faulty = FaultyStorage::new(seed);
    let storage = faulty.shared();
    create(&storage, true, SIZE, 3);
    let mut log = open(&storage);
    let mut all = fill(&mut log, 0, 20);
    log.sync_now().unwrap();
    let stop = log.synced();
    log.take_messages();
    all.extend(fill(&mut log, 20, 5));
    faulty.control().set_rates(fails("LOGCOPY2", "sync", 0, Some(1)));
    let job = log.begin_sync().unwrap().unwrap();
    let target = job.target();
    assert!(log.finish_sync(job.run()).unwrap() >= target);
    (faulty, log, all, stop)
}

#[test]
fn both_copies_end_where_one_failed_and_the_log_goes_on_in_the_next_data_set() {
    let (faulty, mut log, mut all, stop) = failed_once();
    let storage = faulty.shared();
    let messages = log.take_messages().join("\n");
    let said = format!("CSQJ004I ACTIVE LOG COPY 2 INACTIVE, LOG IN SINGLE MODE, ENDRBA={}", stop.minus(1));
    assert!(messages.contains(&said) && messages.contains("HWT231W"), "{messages}");
    let bsds = reader(&storage).bsds().clone();
    assert_eq!(bsds.copy_stopped, [None, Some(stop)]);
    let ended: Vec<_> = bsds.active_logs.iter().filter(|log| log.status.truncated).collect();
    assert_eq!(ended.len(), 2);
    assert_eq!(ended[0].range, ended[1].range);
    assert_eq!(ended.iter().map(|log| log.status.incomplete).collect::<Vec<_>>(), [false, true]);
    let (first, second) = (bsds.current_active(1).unwrap(), bsds.current_active(2).unwrap());
    assert_eq!(first.range.unwrap().start, ended[0].range.unwrap().end);
    assert_eq!((first.status.incomplete, second.status.incomplete), (false, true));
    assert!(messages.contains("CSQJ001I CURRENT COPY 1") && !messages.contains("CSQJ001I CURRENT COPY 2"));
    // Puts go on in one copy.
    all.extend(fill(&mut log, 25, 5));
    log.sync_now().unwrap();
    // The good copy is needed, also the data set that is full by now.
    for gone in [&first.name, &ended[0].name] {
        let image = faulty.control().image();
        storage.remove(&path(gone)).unwrap();
        let text = LogManager::open(&storage, &dir(), NOW).err().unwrap().to_string();
        assert!(text.starts_with("HWT206E") && text.contains(gone.as_str()), "{text}");
        faulty.control().put_back(&image);
    }
    // Offload archives, and completes what copy 2 lacks of the data set.
    let mut log = {
        drop(log);
        faulty.control().set_rates(fails("LOGCOPY2", "sync", 0, None));
        LogManager::open(&storage, &dir(), NOW).unwrap()
    };
    let messages = log.take_messages().join("\n");
    assert!(messages.contains("CSQJ004I ACTIVE LOG COPY 2"), "{messages}");
    faulty.control().set_rates(FaultRates::default());
    assert_eq!(offload(&mut log), 1);
    let messages = log.take_messages().join("\n");
    assert!(messages.contains("HWT267I LOGCOPY2.DS01"), "{messages}");
    let bytes =
        |name: &str| engine_storage::durable::read_file(storage.as_ref(), &path(name), 1 << 30).unwrap();
    let length = ended[0].range.unwrap().len() as usize;
    assert!(bytes("LOGCOPY1.DS01")[..length] == bytes("LOGCOPY2.DS01")[..length]);
    // The next switch takes copy 2 up again; its current data set lacks nothing, so the log is in dual mode once the one before is done.
    log.switch().unwrap();
    let messages = log.take_messages().join("\n");
    assert!(messages.contains("HWT262I") && messages.contains("CSQJ001I CURRENT COPY 2"), "{messages}");
    assert!(log.bsds().copy_stopped[1].is_some() && !messages.contains("HWT232I"), "{messages}");
    assert_eq!(offload(&mut log), 1);
    let messages = log.take_messages().join("\n");
    assert!(messages.contains("HWT232I active log copy 2 is complete again"), "{messages}");
    assert!(
        messages.contains("CSQJ005I ACTIVE LOG COPY 2 IS ACTIVE, LOG IN DUAL MODE, STARTRBA="),
        "{messages}"
    );
    assert_eq!(log.bsds().copy_stopped, [None, None]);
    all.extend(fill(&mut log, 30, 5));
    log.sync_now().unwrap();
    drop(log);
    remove_all(&storage, &logs(1));
    let mut log = open(&storage);
    assert_eq!(log.bsds().copy_stopped, [None, None]);
    log.sync_now().unwrap();
    assert_eq!(numbers(&reader(&storage), log.synced()).unwrap(), all);
}

#[test]
fn a_device_that_stays_bad_costs_no_more_data_sets() {
    let (faulty, mut log, mut all, _) = failed_once();
    let storage = faulty.shared();
    faulty.control().set_rates(fails("LOGCOPY2", "sync", 0, None));
    log.take_messages();
    let switches = log.switches();
    all.extend(fill(&mut log, 25, 300));
    log.sync_now().unwrap();
    let full = (log.end().0 - switches * SIZE) / SIZE;
    assert!(log.switches() - switches <= full + 1, "{} switches, {full} data sets", log.switches());
    let messages = log.take_messages();
    let count = |id: &str| messages.iter().filter(|message| message.starts_with(id)).count() as u64;
    assert_eq!(count("HWT261W"), log.switches() - switches, "{messages:#?}");
    assert_eq!(count("CSQJ004I"), 0);
    assert_eq!(numbers(&reader(&storage), log.synced()).unwrap(), all);
}

#[test]
fn without_a_data_set_to_go_to_the_surviving_copy_goes_on_where_it_is() {
    let faulty = FaultyStorage::new(6);
    let storage = faulty.shared();
    create(&storage, true, SIZE, 2);
    let mut log = open(&storage);
    let mut all = fill(&mut log, 0, 3);
    log.switch().unwrap();
    all.extend(fill(&mut log, 3, 3));
    faulty.control().set_rates(fails("LOGCOPY1", "write", 0, Some(1)));
    let job = log.begin_sync().unwrap().unwrap();
    let current = log.bsds().current_active(2).unwrap().name.clone();
    log.finish_sync(job.run()).unwrap();
    let messages = log.take_messages().join("\n");
    assert!(messages.contains("CSQJ004I ACTIVE LOG COPY 1"), "{messages}");
    assert!(messages.contains("HWT260W no active log data set that could be switched to"), "{messages}");
    assert_eq!(log.bsds().current_active(2).unwrap().name, current);
    all.extend(fill(&mut log, 6, 3));
    log.sync_now().unwrap();
    assert_eq!(numbers(&reader(&storage), log.synced()).unwrap(), all);
    // Too little log would be left: the same, though there is a data set.
    let (faulty, mut log, mut all, _) = failed_once();
    assert_eq!(log.switches(), 1);
    log.keep_back(2 * SIZE);
    log.switch().unwrap();
    assert_eq!(offload(&mut log), 2);
    assert!(log.can_switch());
    all.extend(fill(&mut log, 25, 1));
    faulty.control().set_rates(fails("LOGCOPY2", "write", 0, Some(1)));
    let job = log.begin_sync().unwrap().unwrap();
    log.finish_sync(job.run()).unwrap();
    assert_eq!(log.switches(), 2);
    assert!(log.take_messages().iter().any(|message| message.starts_with("HWT260W")));
    assert_eq!(numbers(&reader(&faulty.shared()), log.synced()).unwrap(), all);
}

#[test]
fn with_both_copies_lost_nothing_more_is_acknowledged() {
    for kind in ["write", "sync"] {
        for second in [0, 1] {
            let (faulty, mut log, all, _) = failed_once();
            let acknowledged = log.synced();
            fill(&mut log, 25, 5);
            faulty.control().set_rates(fails("LOGCOPY1", kind, second, None));
            let mut outcome = Ok(acknowledged);
            while outcome.is_ok() {
                outcome = log.begin_sync().and_then(|job| match job {
                    Some(job) => log.finish_sync(job.run()),
                    None => log.sync_now(),
                });
                if outcome.is_ok() {
                    fill(&mut log, 30, 1);
                }
            }
            assert!(matches!(outcome, Err(LogError::CopiesLost(_))), "{outcome:?}");
            assert!(matches!(log.sync_now(), Err(LogError::Ended(_))));
            assert!(log.begin_sync().is_err() && log.update_bsds(|_| ()).is_err() && log.switch().is_err());
            drop(log);
            faulty.control().set_rates(FaultRates::default());
            faulty.crash();
            let log = open(&faulty.shared());
            let found = numbers(&reader(&faulty.shared()), log.synced()).unwrap();
            assert_eq!(found[..all.len()], all, "{kind} {second}");
        }
    }
}

#[test]
fn what_completes_a_copy_is_durable_before_the_bsds_says_that_it_is_whole() {
    for seed in 0..16 {
        for by_offload in [false, true] {
            let (faulty, mut log, all, _) = failed_once_on(seed);
            let storage = faulty.shared();
            log.sync_now().unwrap();
            if by_offload {
                let rates = FaultRates {
                    write_error: 1_000_000,
                    only: Some("ARCHLOG".to_owned()),
                    ..FaultRates::default()
                };
                faulty.control().set_rates(rates);
                assert_eq!(offload(&mut log), 0);
                faulty.control().set_rates(FaultRates::default());
            } else {
                drop(log);
                log = open(&storage);
            }
            let first = log.bsds().actives(2).next().unwrap();
            assert!(first.status.truncated && !first.status.incomplete && !first.status.reusable);
            drop(log);
            faulty.crash();
            // Only copy 2 has the data set that it had not been written to the end.
            storage.remove(&path("LOGCOPY1.DS01")).unwrap();
            let end = reader(&storage).find_end().unwrap().end;
            let found =
                numbers(&reader(&storage), end).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
            assert_eq!(found, all, "seed {seed} {by_offload}");
        }
    }
}

#[test]
fn a_copy_that_is_completed_wrongly_is_not_called_whole() {
    for by_offload in [false, true] {
        let (faulty, mut log, all, stop) = failed_once();
        let storage = faulty.shared();
        log.sync_now().unwrap();
        let only = |part: &str| FaultRates { only: Some(part.to_owned()), ..FaultRates::default() };
        faulty.control().set_lasting(FaultRates { silent_write: 1_000_000, ..only("LOGCOPY2.DS01") });
        if by_offload {
            faulty.control().set_rates(FaultRates { write_error: 1_000_000, ..only("ARCHLOG") });
            assert_eq!(offload(&mut log), 0);
            assert!(log.take_messages().iter().any(|message| message.starts_with("HWT266W LOGCOPY2.DS01")));
        } else {
            drop(log);
            log = open(&storage);
            assert!(log.bsds().copy_stopped[1].is_some_and(|stopped| stopped <= stop));
        }
        assert!(log.bsds().actives(2).next().unwrap().status.incomplete);
        faulty.control().set_rates(FaultRates::default());
        faulty.control().set_lasting(FaultRates::default());
        drop(log);
        let log = open(&storage);
        assert_eq!(log.bsds().copy_stopped, [None, None]);
        storage.remove(&path("LOGCOPY1.DS01")).unwrap();
        assert_eq!(numbers(&reader(&storage), log.synced()).unwrap(), all);
    }
}

#[test]
fn what_becomes_known_late_of_a_data_set_that_is_done_with_gives_no_copy_up() {
    let faulty = FaultyStorage::new(8);
    let storage = faulty.shared();
    create(&storage, true, SIZE, 3);
    let mut log = open(&storage);
    let mut all = fill(&mut log, 0, 5);
    let job = log.begin_sync().unwrap().unwrap();
    // The switch syncs by itself all that the job was for.
    log.switch().unwrap();
    faulty.control().set_rates(fails("LOGCOPY2", "sync", 0, Some(1)));
    let outcome = job.run();
    assert!(!outcome.is_success());
    log.finish_sync(outcome).unwrap();
    assert_eq!(log.bsds().copy_stopped, [None, None]);
    all.extend(fill(&mut log, 5, 5));
    log.sync_now().unwrap();
    drop(log);
    remove_all(&storage, &logs(1));
    let log = open(&storage);
    assert_eq!(numbers(&reader(&storage), log.synced()).unwrap(), all);
}

#[test]
fn a_copy_that_fails_again_before_it_is_whole_is_not_believed() {
    let (faulty, mut log, mut all, stop) = failed_once();
    let storage = faulty.shared();
    faulty.control().set_rates(FaultRates::default());
    log.switch().unwrap();
    assert!(log.bsds().current_active(2).is_some_and(|log| !log.status.incomplete));
    all.extend(fill(&mut log, 25, 5));
    log.sync_now().unwrap();
    faulty.control().set_rates(fails("LOGCOPY2", "write", 0, Some(1)));
    all.extend(fill(&mut log, 30, 5));
    log.sync_now().unwrap();
    assert_eq!(log.bsds().copy_stopped, [None, Some(stop)], "it lacks log from its first stop on");
    all.extend(fill(&mut log, 35, 5));
    log.sync_now().unwrap();
    drop(log);
    let image = faulty.control().image();
    remove_all(&storage, &logs(1));
    assert!(matches!(LogManager::open(&storage, &dir(), NOW), Err(LogError::CopyStopped { copy: 2, .. })));
    faulty.control().put_back(&image);
    let log = open(&storage);
    assert_eq!(log.bsds().copy_stopped, [None, None]);
    drop(log);
    remove_all(&storage, &logs(1));
    let log = open(&storage);
    assert_eq!(numbers(&reader(&storage), log.synced()).unwrap(), all);
}

#[test]
fn a_copy_may_fail_at_any_time_and_be_lost_and_archives_may_be_written_wrongly() {
    let (mut single_modes, mut refused, mut whole, mut wrong) = (0, 0, 0, 0);
    for seed in 0..30 {
        let seen = site::failing_copies::run(seed).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        single_modes += seen.single_modes;
        refused += seen.refused;
        whole += seen.whole;
        wrong += seen.wrong_writes;
    }
    for (what, count) in
        [("single modes", single_modes), ("refused", refused), ("whole", whole), ("wrong writes", wrong)]
    {
        assert!(count > 20, "{count} {what}");
    }
}
