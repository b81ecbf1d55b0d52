//! Stop, with everything that can be under way.

use engine_queue_manager::{Job, State};
use engine_storage::FaultRates;
use format_protocol::{Reply, Request};

use crate::bench::{Bench, put, small};

#[test]
fn a_unit_that_a_forced_stop_backs_out_is_never_said_to_be_committed() {
    let mut bench = Bench::new();
    let connection = bench.connect();
    bench.define("DEFINE QLOCAL(A)");
    bench.put_in_unit(connection, "A", b"lost");
    // Something else keeps the queue manager from ending before the commit comes.
    let other = bench.connect();
    bench.holds = |job| matches!(job, Job::LogSync(_));
    bench.ask(other, put("A", b"kept", false));
    bench.core.stop(true);
    bench.ask(connection, Request::Commit);
    match bench.answer(connection) {
        Some(Reply::Error { text, .. }) => assert!(text.contains("BACKED OUT"), "{text}"),
        other => panic!("{other:?}"),
    }
    // The next unit of the connection is a new one, which is empty.
    assert!(matches!(bench.call(connection, Request::Backout), Reply::BackedOut));
    bench.holds = |_| false;
    bench.run_held();
    assert!(matches!(bench.answer(other), Some(Reply::Put { .. })));
    assert_eq!(bench.core.state(), State::Stopped);
    bench.start();
    assert_eq!(bench.bodies("A"), [b"kept".to_vec()]);
}

#[test]
fn a_quiescing_stop_waits_for_units_and_takes_no_new_work() {
    let mut bench = Bench::new();
    let connection = bench.connect();
    bench.define("DEFINE QLOCAL(A)");
    bench.put_in_unit(connection, "A", b"one");
    bench.core.stop(false);
    bench.settle();
    assert_eq!(bench.core.state(), State::Quiescing);
    assert!(matches!(bench.call(connection, put("A", b"two", true)), Reply::Error { .. }));
    assert!(matches!(bench.call(connection, Request::Commit), Reply::Committed { .. }));
    bench.settle();
    assert_eq!(bench.core.state(), State::Stopped);
    bench.start();
    assert_eq!(bench.bodies("A"), [b"one".to_vec()]);
}

#[test]
fn whoever_waits_for_an_archive_is_answered_when_the_queue_manager_stops() {
    let mut bench = Bench::faulty(&small(), 1);
    let connection = bench.connect();
    let archives =
        FaultRates { write_error: 1_000_000, only: Some("ARCHLOG".into()), ..FaultRates::default() };
    bench.control().set_rates(archives);
    bench.ask(connection, Request::ArchiveLog { quiesce: None, wait_offload: true, cancel_offload: false });
    assert!(bench.answer(connection).is_none());
    bench.core.stop(false);
    bench.settle();
    assert_eq!(bench.core.state(), State::Stopped, "{:#?}", bench.console);
    assert!(matches!(bench.answer(connection), Some(Reply::Error { .. })));
}

/// Fills the log while its archives cannot be written. Returns how many messages were acknowledged.
fn fill_log(bench: &mut Bench, connection: engine_queue_manager::ConnectionId) -> usize {
    let archives =
        FaultRates { write_error: 1_000_000, only: Some("ARCHLOG".into()), ..FaultRates::default() };
    bench.control().set_rates(archives);
    for count in 0..10_000 {
        bench.ask(connection, put("A", &[7; 3000], false));
        match bench.answer(connection) {
            Some(Reply::Put { .. }) => {}
            None => return count,
            other => panic!("{other:?}"),
        }
    }
    panic!("the log never filled up");
}

#[test]
fn a_forced_stop_ends_a_queue_manager_whose_log_is_full_for_good() {
    let mut bench = Bench::faulty(&small(), 2);
    bench.define("DEFINE QLOCAL(A)");
    bench.define("DEFINE QLOCAL(B)");
    let getter = bench.connect();
    for n in 0..200u8 {
        bench.put(getter, "B", &[n; 3000]);
    }
    // A unit whose deletions need more log than there will be.
    for n in 0..200u8 {
        assert_eq!(bench.get_in_unit(getter, "B"), [n; 3000]);
    }
    let connection = bench.connect();
    let acknowledged = fill_log(&mut bench, connection);
    assert!(matches!(bench.call(getter, Request::Commit), Reply::Committed { .. }));
    bench.core.stop(true);
    bench.settle();
    assert_eq!(bench.core.state(), State::Stopped, "{:#?}", bench.console);
    assert!(matches!(bench.answer(connection), Some(Reply::Error { .. })), "the parked put is refused");
    bench.control().set_rates(FaultRates::default());
    bench.start();
    assert_eq!(bench.bodies("A").len(), acknowledged);
    assert!(bench.bodies("B").is_empty());
}

#[test]
fn a_queue_manager_that_stopped_with_a_full_log_starts_though_archives_cannot_be_written() {
    let mut bench = Bench::faulty(&small(), 3);
    bench.define("DEFINE QLOCAL(A)");
    bench.define("DEFINE QLOCAL(B)");
    let getter = bench.connect();
    for n in 0..200u8 {
        bench.put(getter, "B", &[n; 3000]);
    }
    for n in 0..200u8 {
        assert_eq!(bench.get_in_unit(getter, "B"), [n; 3000]);
    }
    let connection = bench.connect();
    let acknowledged = fill_log(&mut bench, connection);
    // What is kept back is used up as well.
    assert!(matches!(bench.call(getter, Request::Commit), Reply::Committed { .. }));
    bench.kill_and_start();
    let connection = bench.connect();
    bench.ask(connection, put("A", b"waits", false));
    assert!(bench.answer(connection).is_none(), "no log, no put");
    bench.control().set_rates(FaultRates::default());
    bench.wait_seconds(60);
    assert!(matches!(bench.answer(connection), Some(Reply::Put { .. })), "{:#?}", bench.console);
    assert_eq!(bench.bodies("A").len(), acknowledged + 1);
    assert!(bench.bodies("B").is_empty());
}
