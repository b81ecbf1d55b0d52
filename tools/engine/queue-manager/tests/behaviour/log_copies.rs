//! Copies of the log and of the BSDS, and archives, that fail while the queue manager works.

use std::path::{Path, PathBuf};

use engine_log::LogError;
use engine_queue_manager::{CoreError, Job, NewQueueManager, State};
use engine_storage::FaultRates;
use format_protocol::{Reply, Request};

use crate::bench::{Bench, DIR, put, small};

fn dual() -> NewQueueManager {
    NewQueueManager { dual_logs: true, dual_archives: true, log_size: 512 << 10, ..small() }
}

fn on(file: &str) -> FaultRates {
    FaultRates { only: Some(file.to_owned()), ..FaultRates::default() }
}

/// Operation `skip` of a kind, and the next `times` or all, of a file fails.
fn fails(file: &str, kind: &str, skip: u64, times: Option<u64>) -> FaultRates {
    let rate = |wanted: &str| if kind == wanted { 1_000_000 } else { 0 };
    FaultRates { write_error: rate("write"), sync_error: rate("sync"), skip, times, ..on(file) }
}

fn remove_copy(bench: &Bench, copy: u64) {
    for number in 1..=3 {
        let name: PathBuf = Path::new(DIR).join(format!("LOGCOPY{copy}.DS0{number}"));
        bench.storage.remove(&name).unwrap();
    }
}

fn said(bench: &Bench, id: &str) -> bool {
    bench.console.iter().any(|line| line.contains(id))
}

fn archive_log(bench: &mut Bench) {
    let connection = bench.connect();
    let request = Request::ArchiveLog { quiesce: None, wait_offload: true, cancel_offload: false };
    let reply = bench.call(connection, request);
    assert!(matches!(reply, Reply::LogArchived { .. }), "{reply:?}");
    bench.core.disconnect(connection);
    bench.settle();
}

/// Puts messages until `count` are acknowledged.
fn put_some(bench: &mut Bench, count: usize) {
    let connection = bench.connect();
    for n in 0..count {
        bench.put(connection, "A", &vec![n as u8; 700]);
    }
    bench.core.disconnect(connection);
    bench.settle();
}

#[test]
fn puts_go_on_when_any_operation_of_one_copy_fails_and_the_short_copy_alone_is_refused() {
    let mut refused = 0;
    for copy in [1, 2] {
        for kind in ["write", "sync"] {
            for skip in [0, 1, 2, 5, 9, 30] {
                let told = format!("copy {copy} {kind} {skip}");
                let mut bench = Bench::faulty(&dual(), skip + 1);
                bench.define("DEFINE QLOCAL(A)");
                bench.control().set_rates(fails(&format!("LOGCOPY{copy}"), kind, skip, None));
                put_some(&mut bench, 60);
                assert_eq!(bench.core.state(), State::Running, "{told}: {:#?}", bench.console);
                let line =
                    format!("CSQJ004I QM1 ACTIVE LOG COPY {copy} INACTIVE, LOG IN SINGLE MODE, ENDRBA=");
                assert!(said(&bench, &line), "{told}: {:#?}", bench.console);
                let lines = bench.command("DISPLAY LOG").1;
                let row = lines.iter().find(|line| line.starts_with(&format!(" {copy}"))).unwrap();
                assert!(row.ends_with("Inactive"), "{lines:#?}");
                bench.control().set_rates(FaultRates::default());
                bench.cut_power();
                let image = bench.control().image();
                // Without the copy that failed.
                remove_copy(&bench, copy);
                bench.start();
                assert_eq!(bench.bodies("A").len(), 60, "{told}");
                // Without the other one.
                bench.control().put_back(&image);
                remove_copy(&bench, 3 - copy);
                let before = bench.control().image();
                let error = bench.try_start().err();
                assert!(
                    matches!(error, Some(CoreError::Log(LogError::CopyStopped { .. }))),
                    "{told}: {error:?}"
                );
                let text = error.unwrap().to_string();
                assert!(text.contains(&format!("LOGCOPY{}.DS0", 3 - copy)), "{text}");
                assert!(before.differences(&bench.control().image(), Path::new(DIR)).is_empty(), "{told}");
                refused += 1;
                // With both, the start makes it whole.
                bench.control().put_back(&image);
                bench.start();
                remove_copy(&bench, 3 - copy);
                bench.kill();
                bench.start();
                assert_eq!(bench.bodies("A").len(), 60, "{told}");
            }
        }
    }
    assert_eq!(refused, 24);
}

#[test]
fn a_copy_whose_device_works_again_is_taken_up_while_the_queue_manager_runs() {
    for copy in [1, 2] {
        let mut bench = Bench::faulty(&dual(), copy);
        bench.define("DEFINE QLOCAL(A)");
        put_some(&mut bench, 20);
        bench.control().set_rates(fails(&format!("LOGCOPY{copy}"), "sync", 0, None));
        put_some(&mut bench, 20);
        assert!(said(&bench, "CSQJ004I"), "{:#?}", bench.console);
        // Still bad at the next switch.
        archive_log(&mut bench);
        assert!(said(&bench, "HWT261W") && !said(&bench, "HWT262I"), "{:#?}", bench.console);
        bench.control().set_rates(FaultRates::default());
        archive_log(&mut bench);
        assert!(said(&bench, "HWT262I"), "{:#?}", bench.console);
        assert!(said(&bench, &format!("HWT232I QM1 active log copy {copy} is complete again")));
        assert_eq!(bench.core.bsds().copy_stopped, [None, None]);
        put_some(&mut bench, 20);
        bench.cut_power();
        remove_copy(&bench, 3 - copy);
        bench.start();
        assert_eq!(bench.bodies("A").len(), 60);
    }
}

#[test]
fn with_both_copies_lost_it_ends_and_acknowledges_nothing_that_is_not_on_disk() {
    for kind in ["write", "sync"] {
        for skip in 0..6 {
            let mut bench = Bench::faulty(&dual(), skip);
            bench.define("DEFINE QLOCAL(A)");
            let connection = bench.connect();
            bench.put(connection, "A", b"before");
            bench.control().set_lasting(fails("LOGCOPY1", kind, skip, None));
            bench.control().set_rates(fails("LOGCOPY2", "sync", 2, None));
            let mut acknowledged = 1;
            let ended = loop {
                bench.ask(connection, put("A", b"more", false));
                match bench.answer(connection) {
                    Some(Reply::Put { .. }) => acknowledged += 1,
                    other => break other,
                }
            };
            // It may end while nobody waits.
            assert!(
                matches!(&ended, Some(Reply::Error { id, .. }) if id == "HWT499S" || id == "HWT430E"),
                "{ended:?}"
            );
            assert_eq!(bench.core.state(), State::Failed);
            assert!(said(&bench, "HWT208S"), "{:#?}", bench.console);
            bench.ask(connection, put("A", b"later", false));
            assert!(matches!(bench.answer(connection), Some(Reply::Error { id, .. }) if id == "HWT430E"));
            bench.control().set_rates(FaultRates::default());
            bench.control().set_lasting(FaultRates::default());
            bench.cut_power();
            bench.start();
            let found = bench.bodies("A").len();
            // The one whose outcome is unknown may be there.
            assert!(found == acknowledged || found == acknowledged + 1, "{found} of {acknowledged}");
        }
    }
}

#[test]
fn one_bsds_copy_may_fail_and_with_both_the_queue_manager_ends() {
    for copy in [1, 2] {
        for kind in ["write", "sync"] {
            let mut bench = Bench::faulty(&dual(), copy);
            bench.define("DEFINE QLOCAL(A)");
            put_some(&mut bench, 5);
            bench.control().set_rates(fails(&format!("BSDS0{copy}"), kind, 0, None));
            archive_log(&mut bench);
            let line = format!("CSQJ126E QM1 BSDS ERROR FORCED SINGLE BSDS MODE, DSNAME=BSDS0{copy}");
            assert!(said(&bench, &line), "{:#?}", bench.console);
            put_some(&mut bench, 5);
            // Healed by the next start, so that either copy will do.
            bench.control().set_rates(FaultRates::default());
            bench.cut_power();
            bench.start();
            assert!(said(&bench, "HWT234W") || bench.core.state() == State::Running);
            put_some(&mut bench, 5);
            bench.kill();
            bench.storage.remove(&Path::new(DIR).join(format!("BSDS0{}", 3 - copy))).unwrap();
            bench.start();
            assert_eq!(bench.bodies("A").len(), 15);
            // Both.
            let connection = bench.connect();
            bench.control().set_rates(fails("BSDS0", kind, 0, None));
            bench.ask(
                connection,
                Request::ArchiveLog { quiesce: None, wait_offload: false, cancel_offload: false },
            );
            assert_eq!(bench.core.state(), State::Failed);
            assert!(matches!(bench.answer(connection), Some(Reply::Error { .. })));
            bench.control().set_rates(FaultRates::default());
            bench.cut_power();
            bench.start();
            assert_eq!(bench.bodies("A").len(), 15);
        }
    }
}

#[test]
fn commits_that_wait_for_a_sync_that_fails_in_one_copy_are_acknowledged_after_the_bsds_says_so() {
    let mut bench = Bench::faulty(&dual(), 7);
    bench.define("DEFINE QLOCAL(A)");
    let connection = bench.connect();
    bench.holds = |job| matches!(job, Job::LogSync(_));
    bench.ask(connection, put("A", b"x", false));
    assert!(bench.answer(connection).is_none());
    let stopped = bench.core.log_synced();
    bench.control().set_lasting(fails("LOGCOPY1", "sync", 0, Some(1)));
    bench.holds = |_| false;
    bench.run_held();
    assert!(matches!(bench.answer(connection), Some(Reply::Put { .. })));
    assert_eq!(
        engine_log::read_bsds(&bench.storage, Path::new(DIR)).unwrap().copy_stopped,
        [Some(stopped), None]
    );
    // With the BSDS refusing, too, there is no acknowledgement.
    let mut bench = Bench::faulty(&dual(), 8);
    bench.define("DEFINE QLOCAL(A)");
    let connection = bench.connect();
    bench.holds = |job| matches!(job, Job::LogSync(_));
    bench.ask(connection, put("A", b"x", false));
    bench.control().set_rates(fails("BSDS0", "sync", 0, None));
    bench.control().set_lasting(fails("LOGCOPY1", "sync", 0, Some(1)));
    bench.holds = |_| false;
    bench.run_held();
    assert!(matches!(bench.answer(connection), Some(Reply::Error { id, .. }) if id == "HWT499S"));
    assert_eq!(bench.core.state(), State::Failed);
}

/// Puts until one waits for log; its connection.
fn fill_log(bench: &mut Bench) -> engine_queue_manager::ConnectionId {
    let connection = bench.connect();
    for _ in 0..10_000 {
        bench.ask(connection, put("A", &[7; 3000], false));
        match bench.answer(connection) {
            Some(Reply::Put { .. }) => {}
            None => return connection,
            other => panic!("{other:?}"),
        }
    }
    panic!("the log never filled up");
}

#[test]
fn with_the_archives_disk_full_puts_wait_and_all_else_works_until_there_is_space() {
    let mut new = dual();
    new.page_set_size = 4 << 20;
    let mut bench = Bench::faulty(&new, 3);
    bench.define("DEFINE QLOCAL(A)");
    let units: Vec<_> = (0..6)
        .map(|n| {
            let connection = bench.connect();
            bench.put_in_unit(connection, "A", &[n; 2000]);
            connection
        })
        .collect();
    bench.control().set_lasting(FaultRates { full: 1_000_000, ..on("ARCHLOG") });
    let waiting = fill_log(&mut bench);
    assert!(said(&bench, "CSQJ111A") && said(&bench, "CSQJ128E"), "{:#?}", bench.console);
    // One commits, one backs out, one leaves; the BSDS takes changes.
    assert!(matches!(bench.call(units[0], Request::Commit), Reply::Committed { .. }));
    assert!(matches!(bench.call(units[1], Request::Backout), Reply::BackedOut));
    bench.core.disconnect(units[2]);
    bench.settle();
    assert_eq!(bench.command("ALTER PSID(02) EXPAND(NONE)").0, 0);
    assert_eq!(bench.command("DISPLAY QLOCAL(A) CURDEPTH").0, 0);
    assert!(bench.answer(waiting).is_none());
    let depth = {
        let visible = bench.bodies("A").len();
        assert!(visible > 100);
        visible
    };
    // Nothing is lost over kills and starts, however often, nor by a stop.
    for round in 0..6 {
        if round == 3 {
            bench.core.stop(true);
            bench.settle();
            assert_eq!(bench.core.state(), State::Stopped, "{:#?}", bench.console);
        }
        bench.cut_power();
        bench.start();
        assert_eq!(bench.bodies("A").len(), depth, "round {round}");
        assert!(bench.core.usage().units.is_empty(), "round {round}: {:#?}", bench.console);
    }
    let connection = bench.connect();
    bench.ask(connection, put("A", b"waits", false));
    assert!(bench.answer(connection).is_none());
    // Space, and everything goes on.
    bench.control().set_lasting(FaultRates::default());
    bench.wait_seconds(60);
    assert!(matches!(bench.answer(connection), Some(Reply::Put { .. })), "{:#?}", bench.console);
    put_some(&mut bench, 300);
    bench.cut_power();
    bench.start();
    assert_eq!(bench.bodies("A").len(), depth + 301);
}

#[test]
fn a_copy_that_fails_when_log_is_short_takes_nothing_from_units_that_must_end() {
    for seed in 0..10 {
        let mut bench = Bench::faulty(&dual(), seed);
        bench.define("DEFINE QLOCAL(A)");
        let units: Vec<_> = (0..40)
            .map(|n| {
                let connection = bench.connect();
                bench.put_in_unit(connection, "A", &[n; 1500]);
                connection
            })
            .collect();
        bench.control().set_lasting(FaultRates { full: 1_000_000, ..on("ARCHLOG") });
        let filler = bench.connect();
        // Up to the last data set.
        for _ in 0..(seed * 45) {
            bench.ask(filler, put("A", &[7; 3000], false));
        }
        bench.control().set_rates(fails("LOGCOPY2", "sync", seed, None));
        for (n, unit) in units.into_iter().enumerate() {
            let request = if n % 2 == 0 { Request::Commit } else { Request::Backout };
            bench.ask(unit, request);
            assert_eq!(bench.core.state(), State::Running, "seed {seed} unit {n}: {:#?}", bench.console);
            assert!(bench.answer(unit).is_some(), "seed {seed} unit {n}");
        }
        bench.core.stop(true);
        bench.settle();
        assert_eq!(bench.core.state(), State::Stopped, "seed {seed}: {:#?}", bench.console);
    }
}

#[test]
fn an_active_log_that_cannot_be_read_is_archived_once_it_can() {
    let mut bench = Bench::faulty(&dual(), 4);
    bench.define("DEFINE QLOCAL(A)");
    put_some(&mut bench, 10);
    let path = |copy: u8| Path::new(DIR).join(format!("LOGCOPY{copy}.DS01"));
    for copy in [1, 2] {
        bench.control().rot(&path(copy), 5000, &[1]).unwrap();
    }
    let connection = bench.connect();
    bench.ask(connection, Request::ArchiveLog { quiesce: None, wait_offload: true, cancel_offload: false });
    assert!(bench.answer(connection).is_none(), "nothing was archived");
    assert!(said(&bench, "HWT265E"), "{:#?}", bench.console);
    bench.wait_seconds(600);
    assert!(bench.answer(connection).is_none());
    let tries = bench.console.iter().filter(|line| line.contains("HWT265E")).count();
    assert!((2..100).contains(&tries), "{tries} tries");
    bench.control().rot(&path(1), 5000, &[1]).unwrap();
    bench.wait_seconds(1200);
    assert!(matches!(bench.answer(connection), Some(Reply::LogArchived { .. })), "{:#?}", bench.console);
    assert!(said(&bench, "HWT263W"));
}
