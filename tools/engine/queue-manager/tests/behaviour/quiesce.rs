//! ARCHIVE LOG with its options.

use engine_queue_manager::{ConnectionId, Job, State};
use format_protocol::{Reply, Request};

use crate::bench::{Bench, get, put, small};

fn quiesce(seconds: u16) -> Request {
    Request::ArchiveLog { quiesce: Some(seconds), wait_offload: false, cancel_offload: false }
}

fn command(bench: &mut Bench, connection: ConnectionId, text: &str) {
    bench.ask(connection, Request::Mqsc { text: text.to_owned() });
}

fn with_a_unit() -> (Bench, ConnectionId) {
    let mut bench = Bench::new();
    bench.define("DEFINE QLOCAL(A)");
    let unit = bench.connect();
    bench.put_in_unit(unit, "A", b"in the unit");
    (bench, unit)
}

fn starts(bench: &Bench) -> u64 {
    let logs = &bench.core.bsds().active_logs;
    logs.iter().filter_map(|log| log.range).map(|range| range.start.0).max().unwrap()
}

#[test]
fn new_units_wait_running_ones_end_and_then_the_log_is_cut() {
    let (mut bench, unit) = with_a_unit();
    let (archiver, newcomer, getter) = (bench.connect(), bench.connect(), bench.connect());
    let before = starts(&bench);
    bench.ask(archiver, quiesce(60));
    for _ in 0..5 {
        bench.wait_seconds(10);
    }
    bench.ask(newcomer, put("A", b"new", true));
    bench.ask(getter, get("A", false));
    let definer = bench.connect();
    command(&mut bench, definer, "DEFINE QLOCAL(B)");
    for connection in [archiver, newcomer, getter, definer] {
        assert!(bench.answer(connection).is_none());
    }
    // What changes nothing is answered, and the unit under way goes on.
    assert!(bench.command("DISPLAY LOG").1.iter().any(|line| line.starts_with("CSQV400I QM1 ARCHIVE LOG")));
    assert!(bench.command("DIS THREAD(*)").1.iter().any(|line| line.starts_with("CSQV400I")));
    assert!(bench.bodies("A").is_empty());
    bench.put_in_unit(unit, "A", b"more of it");
    assert_eq!(starts(&bench), before);
    let Reply::Committed { rba } = bench.call(unit, Request::Commit) else { panic!("no commit") };
    let reply = bench.answer(archiver);
    let Some(Reply::LogArchived { end, lines }) = reply else { panic!("{reply:?}") };
    assert!(lines[0].starts_with("CSQJ311I") && lines[1].starts_with("CSQ9022I"), "{lines:?}");
    assert!(rba < end && end.0 == starts(&bench));
    // Nothing of a unit is in the log between the commit's end and the cut, and then work goes on.
    assert!(matches!(bench.answer(newcomer), Some(Reply::Put { .. })));
    assert!(matches!(bench.answer(getter), Some(Reply::Message { .. })));
    assert!(matches!(bench.answer(definer), Some(Reply::Lines { code, .. }) if code.number() == 0));
    let unit = bench.core.usage().units[0].urid;
    assert!(unit.0 >= end, "unit {unit} began before the cut at {end}");
    assert!(!bench.command("DISPLAY LOG").1.iter().any(|line| line.starts_with("CSQV400I")));
}

#[test]
fn units_that_outlast_it_make_it_fail_and_nothing_is_archived() {
    for seconds in [2, 900] {
        let (mut bench, unit) = with_a_unit();
        let (archiver, newcomer) = (bench.connect(), bench.connect());
        let before = (starts(&bench), bench.core.bsds().archives.len());
        bench.ask(archiver, quiesce(seconds));
        bench.ask(newcomer, put("A", b"new", false));
        bench.wait_seconds(u64::from(seconds) - 1);
        assert!(bench.answer(archiver).is_none() && bench.answer(newcomer).is_none());
        bench.wait_seconds(1);
        let reply = bench.answer(archiver);
        let Some(Reply::Error { code, id, text }) = reply else { panic!("{reply:?}") };
        assert_eq!((code.number(), id.as_str()), (12, "CSQJ317I"));
        assert!(text.starts_with("QUIESCE PERIOD EXPIRED WITH 1 OUTSTANDING URS AT "), "{text}");
        assert!(text.ends_with(". ARCHIVE LOG PROCESSING TERMINATED"), "{text}");
        assert!(matches!(bench.answer(newcomer), Some(Reply::Put { .. })));
        assert_eq!((starts(&bench), bench.core.bsds().archives.len()), before);
        assert!(matches!(bench.call(unit, Request::Commit), Reply::Committed { .. }));
    }
}

#[test]
fn the_command_waits_or_answers_at_once_as_it_is_told() {
    let (mut bench, unit) = with_a_unit();
    let archiver = bench.connect();
    command(&mut bench, archiver, "ARCHIVE LOG MODE(QUIESCE) TIME(7)");
    let reply = bench.answer(archiver);
    let Some(Reply::Lines { code, lines }) = reply else { panic!("{reply:?}") };
    assert_eq!(code.number(), 0);
    assert_eq!(lines[0], "CSQJ312I QM1 CSQJC001 ARCHIVE LOG QUIESCE STARTED FOR MAXIMUM OF 7 SECONDS");
    assert!(lines[1].starts_with("CSQ9022I"), "{lines:?}");
    bench.wait_seconds(7);
    assert!(bench.console.iter().any(|line| line.starts_with("CSQJ317I QM1 QUIESCE PERIOD EXPIRED")));
    // Without TIME: five seconds, and with WAIT(YES) the answer is what became of it.
    command(&mut bench, archiver, "ARC LOG MODE(QUIESCE) WAIT(YES)");
    bench.wait_seconds(4);
    assert!(bench.answer(archiver).is_none());
    bench.wait_seconds(1);
    let reply = bench.answer(archiver);
    let Some(Reply::Lines { code, lines }) = reply else { panic!("{reply:?}") };
    assert_eq!(code.number(), 8);
    assert!(lines[0].starts_with("CSQJ317I") && lines[1].starts_with("CSQ9023E"), "{lines:?}");
    command(&mut bench, archiver, "ARC LOG MODE(QUIESCE) WAIT(YES)");
    assert!(matches!(bench.call(unit, Request::Backout), Reply::BackedOut));
    let reply = bench.answer(archiver);
    assert!(matches!(&reply, Some(Reply::Lines { code, .. }) if code.number() == 0), "{reply:?}");
}

#[test]
fn one_at_a_time_and_none_while_the_queue_manager_stops() {
    let (mut bench, unit) = with_a_unit();
    let (archiver, second) = (bench.connect(), bench.connect());
    bench.ask(archiver, quiesce(100));
    for request in
        [quiesce(5), Request::ArchiveLog { quiesce: None, wait_offload: true, cancel_offload: false }]
    {
        let reply = bench.call(second, request);
        assert!(matches!(&reply, Reply::Error { id, .. } if id == "CSQJ318I"), "{reply:?}");
    }
    let (code, lines) = bench.command("ARCHIVE LOG");
    assert!(code == 8 && lines[0].starts_with("CSQJ318I"), "{lines:?}");
    // The program that asked is gone; the quiesce is not.
    bench.core.disconnect(archiver);
    let reply = bench.call(second, quiesce(5));
    assert!(matches!(&reply, Reply::Error { id, .. } if id == "CSQJ318I"), "{reply:?}");
    bench.wait_seconds(100);
    bench.ask(second, quiesce(100));
    bench.core.stop(false);
    bench.settle();
    let reply = bench.answer(second);
    assert!(matches!(&reply, Some(Reply::Error { id, .. }) if id == "CSQJ316I"), "{reply:?}");
    bench.core.stop(true);
    bench.settle();
    assert_eq!(bench.core.state(), State::Stopped);
    assert!(bench.answer(unit).is_none());
}

#[test]
fn without_a_data_set_to_switch_to_it_is_refused_at_once() {
    let mut bench = Bench::new();
    bench.define("DEFINE QLOCAL(A)");
    bench.holds = |job| matches!(job, Job::Offload(_));
    let connection = bench.connect();
    for _ in 0..2 {
        let request = Request::ArchiveLog { quiesce: None, wait_offload: false, cancel_offload: false };
        assert!(matches!(bench.call(connection, request), Reply::LogArchived { .. }));
    }
    let reply = bench.call(connection, quiesce(5));
    assert!(matches!(&reply, Reply::Error { id, .. } if id == "CSQJ319I"), "{reply:?}");
}

#[test]
fn units_in_doubt_do_not_hold_a_quiesce_up() {
    let (mut bench, unit) = with_a_unit();
    assert!(matches!(bench.call(unit, Request::Prepare { xid: b"X".to_vec() }), Reply::Prepared));
    let reply = bench.call(unit, quiesce(5));
    assert!(matches!(reply, Reply::LogArchived { .. }), "{reply:?}");
}

#[test]
fn a_quiesce_can_wait_for_the_offload_too() {
    for wait_offload in [false, true] {
        let (mut bench, unit) = with_a_unit();
        let archiver = bench.connect();
        bench.holds = |job| matches!(job, Job::Offload(_));
        bench.ask(archiver, Request::ArchiveLog { quiesce: Some(9), wait_offload, cancel_offload: false });
        assert!(matches!(bench.call(unit, Request::Commit), Reply::Committed { .. }));
        assert_eq!(bench.answer(archiver).is_some(), !wait_offload);
        bench.holds = |_| false;
        bench.run_held();
        assert_eq!(bench.answer(archiver).is_some(), wait_offload);
    }
}

#[test]
fn a_cancelled_offload_begins_again_and_its_first_attempt_counts_for_nothing() {
    let mut bench = Bench::of(&small());
    bench.define("DEFINE QLOCAL(A)");
    let connection = bench.connect();
    let cancel = Request::ArchiveLog { quiesce: None, wait_offload: false, cancel_offload: true };
    let reply = bench.call(connection, cancel.clone());
    let Reply::LogArchived { lines, .. } = reply else { panic!("{reply:?}") };
    assert!(lines[0].starts_with("HWT446I") && lines[1].starts_with("CSQ9022I"), "{lines:?}");
    bench.put(connection, "A", b"x");
    bench.holds = |job| matches!(job, Job::Offload(_));
    bench.ask(connection, Request::ArchiveLog { quiesce: None, wait_offload: true, cancel_offload: false });
    let first = std::mem::take(&mut bench.held);
    assert_eq!(first.len(), 1);
    let other = bench.connect();
    let reply = bench.call(other, cancel);
    let Reply::LogArchived { lines, .. } = reply else { panic!("{reply:?}") };
    assert_eq!(lines.len(), 1, "{lines:?}");
    // The next one is handed out already; the first one's outcome changes nothing.
    assert_eq!(bench.held.len(), 1);
    for job in first {
        let done = job.run();
        bench.core.finish(done);
    }
    bench.settle();
    assert!(bench.answer(connection).is_none() && bench.core.bsds().archives.is_empty());
    bench.holds = |_| false;
    bench.run_held();
    assert!(matches!(bench.answer(connection), Some(Reply::LogArchived { .. })));
    assert_eq!(bench.core.bsds().archives.len(), 1);
    let (code, lines) = bench.command("ARCHIVE LOG CANCEL OFFLOAD");
    assert!(code == 0 && lines[0].starts_with("HWT446I"), "{lines:?}");
}
