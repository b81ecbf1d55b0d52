//! Log and page sets that run short.

use engine_queue_manager::{Job, State};
use engine_storage::FaultRates;
use format_protocol::{Reply, Request};
use format_types::Expand;

use crate::bench::{Bench, get, put, put_nonpersistent, small};

fn no_archives(bench: &Bench) {
    let rates = FaultRates { write_error: 1_000_000, only: Some("ARCHLOG".into()), ..FaultRates::default() };
    bench.control().set_rates(rates);
}

/// Puts on queue A until one waits for log; its connection.
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
fn an_offload_that_failed_many_times_is_tried_again_later() {
    let mut bench = Bench::faulty(&small(), 1);
    bench.define("DEFINE QLOCAL(A)");
    no_archives(&bench);
    let waiting = fill_log(&mut bench);
    for _ in 0..20 {
        bench.wait_seconds(60);
    }
    assert!(bench.answer(waiting).is_none());
    bench.control().set_rates(FaultRates::default());
    bench.wait_seconds(60);
    assert!(matches!(bench.answer(waiting), Some(Reply::Put { .. })), "{:#?}", bench.console);
}

#[test]
fn commands_wait_for_log_too_and_never_end_the_queue_manager() {
    let mut bench = Bench::faulty(&small(), 2);
    bench.define("DEFINE QLOCAL(A)");
    no_archives(&bench);
    let waiting = fill_log(&mut bench);
    let mut commands = Vec::new();
    for n in 0..300 {
        let connection = bench.connect();
        let text = format!("DEFINE QLOCAL(Q{n}) DESCR('{}')", "x".repeat(60));
        bench.ask(connection, Request::Mqsc { text });
        commands.push(connection);
    }
    assert_eq!(bench.core.state(), State::Running, "{:#?}", bench.console);
    // What needs no log is answered.
    assert_eq!(bench.command("DISPLAY QLOCAL(A) CURDEPTH").0, 0);
    bench.control().set_rates(FaultRates::default());
    bench.wait_seconds(60);
    assert!(matches!(bench.answer(waiting), Some(Reply::Put { .. })));
    for connection in commands {
        assert!(matches!(bench.answer(connection), Some(Reply::Lines { code, .. }) if code.number() == 0));
    }
}

#[test]
fn many_units_that_end_while_the_log_is_full_do_not_end_the_queue_manager() {
    for (log_size, units) in [(256 << 10, 700), (1 << 20, 3000)] {
        let mut new = small();
        new.log_size = log_size;
        let mut bench = Bench::faulty(&new, 3);
        bench.define("DEFINE QLOCAL(A)");
        let connections: Vec<_> = (0..units).map(|_| bench.core.connect()).collect();
        let mut open = Vec::new();
        no_archives(&bench);
        for connection in connections {
            bench.ask(connection, put("A", b"unit", true));
            match bench.answer(connection) {
                Some(Reply::Put { .. }) => open.push(connection),
                None => break,
                other => panic!("{other:?}"),
            }
        }
        fill_log(&mut bench);
        let before = open.len();
        assert!(before > 100, "{before}");
        for (n, connection) in open.into_iter().enumerate() {
            let request = if n % 2 == 0 { Request::Commit } else { Request::Backout };
            bench.ask(connection, request);
            assert_eq!(bench.core.state(), State::Running, "unit {n}: {:#?}", bench.console);
        }
        bench.core.stop(true);
        bench.settle();
        assert_eq!(bench.core.state(), State::Stopped, "{:#?}", bench.console);
    }
}

#[test]
fn nonpersistent_messages_end_while_the_log_is_full_without_ending_the_queue_manager() {
    let mut new = small();
    new.log_size = 256 << 10;
    new.page_set_size = 8 << 20;
    let mut bench = Bench::faulty(&new, 4);
    bench.define("DEFINE QLOCAL(A)");
    bench.define("DEFINE QLOCAL(B) DEFPSIST(NO)");
    let mut units = Vec::new();
    for _ in 0..40 {
        let connection = bench.connect();
        for _ in 0..3 {
            let reply = bench.call(connection, put_nonpersistent("B", &[1; 40_000], true));
            assert!(matches!(reply, Reply::Put { .. }), "{reply:?}");
        }
        units.push(connection);
    }
    no_archives(&bench);
    fill_log(&mut bench);
    for connection in &units {
        bench.ask(*connection, Request::Backout);
        assert_eq!(bench.core.state(), State::Running, "{:#?}", bench.console);
    }
    bench.control().set_rates(FaultRates::default());
    bench.wait_seconds(60);
    for connection in units {
        assert!(matches!(bench.answer(connection), Some(Reply::BackedOut)));
    }
}

#[test]
fn the_largest_message_lives_through_put_get_backout_and_restart_on_a_small_log() {
    let mut new = small();
    new.log_size = 5 << 20;
    new.page_set_size = 6 << 20;
    let mut bench = Bench::of(&new);
    bench.define("DEFINE QLOCAL(A)");
    let connection = bench.connect();
    let body = |n: u8| -> Vec<u8> { (0..4usize << 20).map(|at| (at % 251) as u8 ^ n).collect() };
    bench.put(connection, "A", &body(1));
    bench.put_in_unit(connection, "A", &body(2));
    assert!(matches!(bench.call(connection, Request::Backout), Reply::BackedOut));
    assert!(bench.get_in_unit(connection, "A") == body(1));
    assert!(matches!(bench.call(connection, Request::Backout), Reply::BackedOut));
    bench.put_in_unit(connection, "A", &body(3));
    bench.kill_and_start();
    let connection = bench.connect();
    assert!(bench.get_in_unit(connection, "A") == body(1));
    bench.put_in_unit(connection, "A", &body(4));
    assert!(matches!(bench.call(connection, Request::Commit), Reply::Committed { .. }));
    bench.kill_and_start();
    let bodies = bench.bodies("A");
    assert!(bodies == [body(4)], "{}", bodies.len());
}

#[test]
fn everybody_is_served_though_large_messages_and_small_ones_wait_for_log_together() {
    let mut new = small();
    new.log_size = 512 << 10;
    new.page_set_size = 16 << 20;
    let mut bench = Bench::of(&new);
    bench.define("DEFINE QLOCAL(A)");
    let connections: Vec<_> = (0..30).map(|_| bench.connect()).collect();
    for _ in 0..5 {
        for (n, connection) in connections.iter().enumerate() {
            let length = if n % 3 == 0 { 150_000 } else { 500 };
            bench.core.request(*connection, put("A", &vec![n as u8; length], false));
        }
        bench.settle();
        for connection in &connections {
            let reply = bench.answer(*connection);
            assert!(matches!(reply, Some(Reply::Put { .. })), "{reply:?}");
        }
        for connection in &connections {
            bench.core.request(*connection, get("A", false));
        }
        bench.settle();
        for connection in &connections {
            let reply = bench.answer(*connection);
            assert!(matches!(reply, Some(Reply::Message { .. })));
        }
    }
    assert!(bench.bodies("A").is_empty());
}

#[test]
fn a_full_disk_ends_an_expansion_and_nothing_else() {
    let mut bench = Bench::faulty(&small(), 5);
    bench.define("DEFINE QLOCAL(A)");
    let connection = bench.connect();
    bench.holds = |job| matches!(job, Job::Expand(_));
    let mut acknowledged = 0;
    for _ in 0..200 {
        bench.ask(connection, put("A", &[3; 20_000], false));
        match bench.answer(connection) {
            Some(Reply::Put { .. }) => acknowledged += 1,
            None => break,
            other => panic!("{other:?}"),
        }
    }
    // One put waits for the expansion, which finds no room.
    bench.control().set_rates(FaultRates { capacity: Some(1), ..FaultRates::default() });
    let held = std::mem::take(&mut bench.held);
    let outcomes: Vec<_> = held.into_iter().map(Job::run).collect();
    bench.control().set_rates(FaultRates::default());
    for outcome in outcomes {
        bench.core.finish(outcome);
    }
    bench.settle();
    let refused = bench.answer(connection);
    assert!(matches!(&refused, Some(Reply::Error { id, .. }) if id == "HWT425E"), "{refused:?}");
    assert_eq!(bench.core.state(), State::Running);
    bench.holds = |_| false;
    bench.define("ALTER PSID(01) EXPAND(USER)");
    bench.put(connection, "A", &[3; 20_000]);
    bench.kill_and_start();
    assert_eq!(bench.bodies("A").len(), acknowledged + 1);
}

#[test]
fn how_a_page_set_grows_is_remembered() {
    let mut bench = Bench::new();
    bench.define("ALTER PSID(01) EXPAND(NONE)");
    bench.kill_and_start();
    assert_eq!(bench.core.usage().page_sets[1].expand, Expand::None);
}
