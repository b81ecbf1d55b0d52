//! Units of recovery across checkpoints, log data sets and restarts.

use std::collections::BTreeSet;
use std::path::Path;

use engine_queue_manager::Job;
use engine_recovery::status::at_rest;
use format_protocol::{Reply, Request};
use format_types::{Rba, UnitState};

use crate::bench::{Bench, DIR, get, put, put_nonpersistent, small};

#[test]
fn units_are_backed_out_though_their_log_data_sets_are_reused_meanwhile() {
    let mut new = small();
    new.log_size = 512 << 10;
    new.page_set_size = 4 << 20;
    new.log_load = 200;
    let mut bench = Bench::of(&new);
    bench.define("DEFINE QLOCAL(A)");
    // The old unit's records are in a data set that is not archived when the process dies.
    bench.holds = |job| matches!(job, Job::Offload(_));
    let old = bench.connect();
    bench.put_in_unit(old, "A", b"old");
    let other = bench.connect();
    for _ in 0..100 {
        bench.put(other, "A", &[1; 3000]);
    }
    let young = bench.connect();
    for n in 0..200u8 {
        bench.put_in_unit(young, "A", &[n; 3000]);
    }
    // Checkpoints, so that the pages are clean and the undoing of each logs an image.
    for _ in 0..220 {
        bench.put(other, "A", b"x");
    }
    assert!(bench.core.bsds().checkpoints.len() > 3);
    bench.kill();
    bench.holds = |_| false;
    bench.start();
    assert_eq!(bench.bodies("A").len(), 320);
    assert!(bench.core.usage().units.is_empty());
    let connection = bench.connect();
    bench.put(connection, "A", b"on");
    assert_eq!(bench.bodies("A").len(), 321);
}

#[test]
fn a_backout_interrupted_again_and_again_undoes_everything_once() {
    for seed in 0..30 {
        let mut bench = Bench::faulty(&small(), seed);
        bench.define("DEFINE QLOCAL(A)");
        let connection = bench.connect();
        bench.put(connection, "A", b"stays");
        for n in 0..20u8 {
            bench.put_in_unit(connection, "A", &[n; 5000]);
        }
        assert_eq!(bench.get_in_unit(connection, "A"), b"stays");
        bench.ask(connection, Request::Backout);
        bench.cut_power();
        // Starts that are cut off, each a little later.
        for stop in 1..12 {
            let operation = bench.control().operations() + stop * 7;
            bench.control().stop_at(Some(operation));
            let started = bench.try_start().is_ok();
            bench.control().stop_at(None);
            bench.cut_power();
            if started && !bench.control().stopped() {
                break;
            }
        }
        bench.start();
        assert_eq!(bench.bodies("A"), [b"stays".to_vec()], "seed {seed}");
        let pages = bench.core.usage();
        assert!(pages.units.is_empty());
    }
}

#[test]
fn the_reported_system_recovery_rba_is_never_above_what_a_restart_needs() {
    for seed in 0..60 {
        let mut bench = Bench::faulty(&small(), seed);
        bench.define("DEFINE QLOCAL(A)");
        let connection = bench.connect();
        for n in 0..40u8 {
            bench.put(connection, "A", &[n; 900]);
        }
        for n in 0..30u8 {
            assert_eq!(bench.get_in_unit(connection, "A"), [n; 900]);
        }
        let other = bench.connect();
        for n in 0..(seed * 37 % 600) {
            bench.put(other, "A", &n.to_be_bytes());
        }
        // The unit ends: its deletions and END UR are in the log, not necessarily on disk.
        assert!(matches!(bench.call(connection, Request::Commit), Reply::Committed { .. }));
        let Reply::Usage(reported) = bench.call(other, Request::Usage) else { panic!("no usage") };
        bench.cut_power();
        let needed = at_rest(&bench.storage, Path::new(DIR)).unwrap();
        let (reported, needed) = (reported.system_recovery, needed.system_recovery);
        assert!(
            reported.lowest().rba <= needed.lowest().rba,
            "seed {seed}: said {} ({}), needed {} ({})",
            reported.lowest().rba,
            reported.lowest().holder,
            needed.lowest().rba,
            needed.lowest().holder
        );
        bench.start();
    }
}

#[test]
fn a_unit_that_is_over_does_not_haunt_the_files() {
    let mut bench = Bench::new();
    bench.define("DEFINE QLOCAL(A)");
    // The checkpoint begins while the unit's commit waits for the log.
    bench.holds = |job| matches!(job, Job::LogSync(_) | Job::PageSync(_));
    let connection = bench.connect();
    for _ in 0..520 {
        bench.ask(connection, put_nonpersistent("A", &[9; 3000], false));
        assert!(bench.answer(connection).is_some());
        bench.ask(connection, get("A", false));
        assert!(bench.answer(connection).is_some());
    }
    bench.ask(connection, put("A", b"x", false));
    assert!(bench.answer(connection).is_none());
    bench.holds = |_| false;
    bench.run_held();
    assert!(matches!(bench.answer(connection), Some(Reply::Put { .. })));
    for _ in 0..30 {
        bench.put(connection, "A", b"y");
    }
    let live = bench.core.usage();
    bench.kill();
    let files = at_rest(&bench.storage, Path::new(DIR)).unwrap();
    assert_eq!(files.units, live.units);
    assert_eq!(files.system_recovery, live.system_recovery);
    bench.start();
    assert_eq!(bench.bodies("A").len(), 31);
}

#[test]
fn keys_and_identifiers_never_come_again() {
    for persistent_first in [false, true] {
        let mut bench = Bench::new();
        bench.define("DEFINE QLOCAL(A)");
        let mut connection = bench.connect();
        let mut keys = BTreeSet::new();
        let mut highest = 0;
        for round in 0..6 {
            if persistent_first {
                bench.put(connection, "A", b"p");
                assert!(matches!(bench.call(connection, get("A", false)), Reply::Message { .. }));
            }
            // Nonpersistent messages that come and go on one page leave nothing in the log.
            for _ in 0..3000 {
                let Reply::Put { key, .. } = bench.call(connection, put_nonpersistent("A", b"n", false))
                else {
                    panic!("round {round}")
                };
                assert!(keys.insert(key) && key > highest, "round {round}: key {key:016X} again");
                highest = key;
                assert!(matches!(bench.call(connection, get("A", false)), Reply::Message { .. }));
            }
            bench.kill_and_start();
            connection = bench.connect();
        }
    }
}

#[test]
fn a_unit_in_doubt_survives_clean_stops_and_kills_and_holds_its_messages() {
    let mut bench = Bench::new();
    bench.define("DEFINE QLOCAL(A)");
    let connection = bench.connect();
    bench.put(connection, "A", b"got in doubt");
    bench.put(connection, "A", b"free");
    assert_eq!(bench.get_in_unit(connection, "A"), b"got in doubt");
    bench.put_in_unit(connection, "A", b"put in doubt");
    assert!(matches!(bench.call(connection, Request::Prepare { xid: b"X".to_vec() }), Reply::Prepared));
    bench.core.disconnect(connection);
    for round in 0..4 {
        if round % 2 == 0 {
            bench.core.stop(round == 2);
            bench.settle();
        }
        bench.kill_and_start();
        assert_eq!(bench.bodies("A"), [b"free".to_vec()]);
        let usage = bench.core.usage();
        assert_eq!(usage.units.len(), 1);
        assert_eq!(usage.units[0].state, UnitState::InDoubt);
        assert!(usage.system_recovery.lowest().rba <= usage.units[0].urid.0);
        assert_ne!(usage.units[0].urid.0, Rba::ZERO);
    }
}
