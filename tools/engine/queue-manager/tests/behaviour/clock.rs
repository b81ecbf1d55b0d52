//! A clock that steps back: order, identity and patience do not hang on the time of day.

use std::collections::BTreeSet;
use std::path::Path;

use engine_log::LogReader;
use engine_storage::FaultRates;
use format_protocol::{Reply, Request};
use format_types::Rba;

use crate::bench::{Bench, DIR, get, put, small};

const HOUR: u64 = 3_600_000_000;

/// The store clocks of all records of the log, in order.
fn store_clocks(bench: &Bench) -> Vec<u64> {
    let mut reader = LogReader::open(&bench.storage, Path::new(DIR)).unwrap();
    let end = reader.find_end().unwrap().end;
    let mut stream = reader.stream(Rba::ZERO, end).unwrap();
    let mut all = Vec::new();
    while let Some((_, record)) = stream.next().unwrap() {
        all.push(record.header.lrsn.0);
    }
    all
}

#[test]
fn a_clock_that_steps_back_changes_no_order_and_repeats_no_identifier() {
    let mut bench = Bench::new();
    bench.clock = 100 * HOUR;
    bench.define("DEFINE QLOCAL(A) DEFPSIST(YES)");
    let mut connection = bench.connect();
    let mut keys = BTreeSet::new();
    let mut highest = 0;
    for round in 0..12_u64 {
        for number in 0..20_u64 {
            let body = (round * 20 + number).to_be_bytes();
            let Reply::Put { key, .. } = bench.call(connection, put("A", &body, false)) else {
                panic!("round {round}")
            };
            assert!(keys.insert(key) && key > highest, "round {round}: key {key:016X} after {highest:016X}");
            highest = key;
        }
        // While it runs, and while it is down.
        bench.clock -= 5 * HOUR;
        if round % 3 == 2 {
            bench.kill_and_start();
            connection = bench.connect();
        }
    }
    let clocks = store_clocks(&bench);
    assert!(clocks.is_sorted_by(|a, b| a < b), "the log's times do not rise");
    for number in 0..240_u64 {
        match bench.call(connection, get("A", false)) {
            Reply::Message { body, .. } => assert_eq!(body, number.to_be_bytes(), "out of order"),
            other => panic!("{number}: {other:?}"),
        }
    }
}

/// What is tried again later is tried again in time, though the clock says that it is long before.
#[test]
fn a_clock_that_steps_back_does_not_put_an_offload_off() {
    let mut bench = Bench::faulty(&small(), 1);
    bench.clock = 100 * HOUR;
    bench.define("DEFINE QLOCAL(A)");
    let rates = FaultRates { write_error: 1_000_000, only: Some("ARCHLOG".into()), ..FaultRates::default() };
    bench.control().set_rates(rates);
    let connection = bench.connect();
    let mut waits = false;
    for _ in 0..10_000 {
        bench.ask(connection, put("A", &[7; 3000], false));
        if bench.answer(connection).is_none() {
            waits = true;
            break;
        }
    }
    assert!(waits, "the log never filled up");
    bench.wait_seconds(60);
    bench.clock -= 50 * HOUR;
    bench.settle();
    bench.control().set_rates(FaultRates::default());
    // Two minutes of the clock as it is now.
    for _ in 0..120 {
        bench.wait_seconds(1);
    }
    assert!(matches!(bench.answer(connection), Some(Reply::Put { .. })), "{:#?}", bench.console);
}

/// Work waits while a quiesce lasts, so that it has to end when it is due.
#[test]
fn a_clock_that_steps_back_does_not_prolong_a_quiesce() {
    let mut bench = Bench::new();
    bench.clock = 100 * HOUR;
    bench.define("DEFINE QLOCAL(A)");
    let (holder, asker, waiter) = (bench.connect(), bench.connect(), bench.connect());
    assert!(matches!(bench.call(holder, put("A", b"held", true)), Reply::Put { .. }));
    let text = "ARCHIVE LOG MODE(QUIESCE) TIME(5) WAIT(YES)".to_owned();
    bench.ask(asker, Request::Mqsc { text });
    bench.ask(waiter, put("A", b"waits", false));
    assert!(bench.answer(asker).is_none() && bench.answer(waiter).is_none(), "{:#?}", bench.console);
    bench.clock -= 50 * HOUR;
    for _ in 0..30 {
        bench.wait_seconds(1);
    }
    assert!(
        matches!(bench.answer(asker), Some(Reply::Error { .. } | Reply::Lines { .. })),
        "{:#?}",
        bench.console
    );
    assert!(matches!(bench.answer(waiter), Some(Reply::Put { .. })), "{:#?}", bench.console);
}
