//! Page sets that fail while the queue manager works: they go offline, and nothing is lost.

use engine_queue_manager::{Job, State};
use engine_storage::FaultRates;
use format_protocol::{Reply, Request};

use crate::bench::{Bench, put, small};

fn on(file: &str) -> FaultRates {
    FaultRates { only: Some(file.to_owned()), ..FaultRates::default() }
}

#[test]
fn a_page_set_that_fails_in_the_middle_of_a_put_leaves_nothing_behind() {
    let mut failures = 0;
    for seed in 0..60 {
        let mut new = small();
        new.page_set_size = 2 << 20;
        let mut bench = Bench::faulty(&new, seed);
        bench.define("DEFINE QLOCAL(A)");
        bench.define("DEFINE STGCLASS(C) PSID(02)");
        bench.define("DEFINE QLOCAL(B) STGCLASS(C)");
        let connection = bench.connect();
        bench.put(connection, "B", b"stays");
        bench.put_in_unit(connection, "B", b"in the unit");
        bench.control().set_rates(FaultRates { write_error: 300_000, ..on("PSID01") });
        let mut whole = 0;
        let mut failed = false;
        for _ in 0..60 {
            match bench.call(connection, put("A", &[5; 60_000], true)) {
                Reply::Put { .. } => whole += 1,
                Reply::Error { id, .. } if id == "HWT425E" => break,
                Reply::Error { id, text, .. } => {
                    assert_eq!(id, "HWT439E", "{text}");
                    failed = true;
                    break;
                }
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(bench.core.state(), State::Running, "seed {seed}: {:#?}", bench.console);
        failures += usize::from(
            bench.console.iter().any(|line| line.contains("WAITS FOR START PSID OR THE NEXT START")),
        );
        let committed = match bench.call(connection, Request::Commit) {
            Reply::Committed { .. } => true,
            Reply::Error { text, .. } => {
                assert!(failed && text.contains("BACKED OUT"), "{text}");
                false
            }
            other => panic!("{other:?}"),
        };
        // A put outside of a unit, too.
        let reply = bench.call(connection, put("A", &[6; 60_000], false));
        let more = usize::from(matches!(reply, Reply::Put { .. }));
        // Checkpoints go on with what is left.
        for _ in 0..300 {
            bench.put(connection, "B", b"more");
        }
        bench.control().set_rates(FaultRates::default());
        if seed % 2 == 0 {
            bench.core.stop(true);
            bench.settle();
            assert_eq!(bench.core.state(), State::Stopped, "seed {seed}: {:#?}", bench.console);
        }
        bench.cut_power();
        bench.start();
        assert_eq!(bench.bodies("A").len(), if committed { whole } else { 0 } + more, "seed {seed}");
        assert_eq!(bench.bodies("B").len(), 301 + usize::from(committed), "seed {seed}");
        assert!(bench.core.usage().units.is_empty());
    }
    assert!(failures > 5, "{failures}");
}

#[test]
fn a_page_set_that_fails_while_units_end_is_completed_by_the_next_start() {
    let mut failures = 0;
    for seed in 0..60 {
        let mut new = small();
        new.page_set_size = 2 << 20;
        let mut bench = Bench::faulty(&new, seed);
        bench.define("DEFINE QLOCAL(A)");
        let (committing, backing_out) = (bench.connect(), bench.connect());
        for n in 0..12u8 {
            bench.put(committing, "A", &vec![n; 40_000]);
        }
        for n in 0..10u8 {
            assert_eq!(bench.get_in_unit(committing, "A"), vec![n; 40_000]);
            bench.put_in_unit(backing_out, "A", &vec![100 + n; 20_000]);
        }
        bench.control().set_rates(FaultRates { write_error: 200_000, ..on("PSID01") });
        bench.ask(backing_out, Request::Backout);
        assert!(bench.answer(backing_out).is_some(), "seed {seed}");
        bench.ask(committing, Request::Commit);
        assert!(matches!(bench.answer(committing), Some(Reply::Committed { .. })), "seed {seed}");
        assert_eq!(bench.core.state(), State::Running, "seed {seed}: {:#?}", bench.console);
        failures += usize::from(bench.console.iter().any(|line| line.contains("HWT438W")));
        bench.define("DEFINE STGCLASS(C) PSID(02)");
        bench.define("DEFINE QLOCAL(B) STGCLASS(C)");
        let other = bench.connect();
        for _ in 0..400 {
            bench.put(other, "B", b"more");
        }
        bench.control().set_rates(FaultRates::default());
        bench.core.stop(false);
        bench.settle();
        assert_eq!(bench.core.state(), State::Stopped, "seed {seed}: {:#?}", bench.console);
        bench.cut_power();
        bench.start();
        assert_eq!(bench.bodies("A"), [vec![10; 40_000], vec![11; 40_000]], "seed {seed}");
        assert_eq!(bench.bodies("B").len(), 400);
    }
    assert!(failures > 5, "{failures}");
}

#[test]
fn an_expansion_whose_sync_fails_takes_its_page_set_offline_alone() {
    let mut bench = Bench::faulty(&small(), 3);
    bench.define("DEFINE QLOCAL(A)");
    bench.define("DEFINE STGCLASS(C) PSID(02)");
    bench.define("DEFINE QLOCAL(B) STGCLASS(C)");
    let connection = bench.connect();
    bench.holds = |job| matches!(job, Job::Expand(_) | Job::PageSync(_));
    let mut acknowledged = 0;
    for _ in 0..100 {
        bench.ask(connection, put("A", &[4; 20_000], false));
        match bench.answer(connection) {
            Some(Reply::Put { .. }) => acknowledged += 1,
            _ => break,
        }
    }
    let jobs = std::mem::take(&mut bench.held);
    let (expansions, syncs): (Vec<_>, Vec<_>) =
        jobs.into_iter().partition(|job| matches!(job, Job::Expand(_)));
    assert!(!expansions.is_empty());
    bench.control().set_rates(FaultRates { sync_error: 1_000_000, ..on("PSID01") });
    let failed: Vec<_> = expansions.into_iter().map(Job::run).collect();
    bench.control().set_rates(FaultRates::default());
    // The system has told one caller of the lost writes; whoever syncs next hears that all is well.
    bench.holds = |_| false;
    for job in syncs {
        let done = job.run();
        bench.core.finish(done);
    }
    bench.settle();
    for outcome in failed {
        bench.core.finish(outcome);
    }
    bench.settle();
    assert_eq!(bench.core.state(), State::Running, "{:#?}", bench.console);
    assert!(matches!(bench.answer(connection), Some(Reply::Error { id, .. }) if id == "HWT439E"));
    bench.put(connection, "B", b"other page sets work");
    bench.cut_power();
    bench.start();
    assert_eq!(bench.bodies("A").len(), acknowledged);
    assert_eq!(bench.bodies("B").len(), 1);
}

#[test]
fn a_lost_write_is_not_forgotten_because_a_later_sync_succeeds() {
    for seed in 0..20 {
        let mut new = small();
        new.page_set_size = 512 << 10;
        new.log_load = 200;
        let mut bench = Bench::faulty(&new, seed);
        bench.define("DEFINE QLOCAL(A)");
        let connection = bench.connect();
        bench.holds = |job| matches!(job, Job::Expand(_));
        let mut acknowledged = 0;
        while bench.held.is_empty() {
            bench.put(connection, "A", &[4; 1500]);
            acknowledged += 1;
        }
        // Now a checkpoint writes pages, and its sync waits behind that of the expansion.
        bench.holds = |job| matches!(job, Job::Expand(_) | Job::PageSync(_));
        while bench.held.len() < 2 {
            bench.get_in_unit(connection, "A");
            assert!(matches!(bench.call(connection, Request::Backout), Reply::BackedOut));
        }
        let (expansions, syncs): (Vec<_>, Vec<_>) =
            std::mem::take(&mut bench.held).into_iter().partition(|job| matches!(job, Job::Expand(_)));
        // The system tells one caller of the lost writes; whoever syncs next hears that all is well.
        bench.control().set_rates(FaultRates { sync_error: 1_000_000, ..on("PSID01") });
        let failed: Vec<_> = expansions.into_iter().map(Job::run).collect();
        bench.control().set_rates(FaultRates::default());
        bench.holds = |_| false;
        for job in syncs {
            let done = job.run();
            bench.core.finish(done);
        }
        bench.settle();
        if seed % 2 == 0 {
            for outcome in failed {
                bench.core.finish(outcome);
            }
            bench.settle();
        }
        bench.cut_power();
        bench.start();
        assert_eq!(bench.bodies("A").len(), acknowledged, "seed {seed}");
    }
}

#[test]
fn the_queue_manager_ends_when_its_log_does_and_says_that_outcomes_are_unknown() {
    let mut bench = Bench::faulty(&small(), 9);
    bench.define("DEFINE QLOCAL(A)");
    let (putter, preparer, backer) = (bench.connect(), bench.connect(), bench.connect());
    bench.put_in_unit(preparer, "A", b"p");
    bench.put_in_unit(backer, "A", b"b");
    bench.holds = |job| matches!(job, Job::LogSync(_));
    bench.ask(putter, put("A", b"x", false));
    bench.ask(preparer, Request::Prepare { xid: b"X".to_vec() });
    bench.control().set_rates(FaultRates { write_error: 1_000_000, sync_error: 1_000_000, ..on("LOGCOPY") });
    bench.run_held();
    assert_eq!(bench.core.state(), State::Failed);
    for connection in [putter, preparer] {
        let reply = bench.answer(connection);
        assert!(matches!(&reply, Some(Reply::Error { id, .. }) if id == "HWT499S"), "{reply:?}");
    }
}
