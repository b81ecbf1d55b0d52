//! Page sets that are made and that grow, and what happens when that is cut short.

use std::path::Path;

use engine_queue_manager::{Job, State};
use engine_storage::FaultRates;
use format_protocol::{Reply, Request};
use format_types::Expand;

use crate::bench::{Bench, DIR, get, put, small};

fn mqsc(text: &str) -> Request {
    Request::Mqsc { text: text.to_owned() }
}

#[test]
fn a_page_set_is_formatted_beside_other_work() {
    let mut bench = Bench::new();
    bench.define("DEFINE QLOCAL(A)");
    let (definer, other) = (bench.connect(), bench.connect());
    bench.holds = |job| matches!(job, Job::Create(_));
    bench.ask(definer, mqsc("DEFINE PSID(9) PAGES(4096)"));
    assert!(bench.answer(definer).is_none());
    bench.put(other, "A", b"meanwhile");
    for (text, id) in [("DEFINE PSID(9)", "CSQP041E"), ("DEFINE STGCLASS(N) PSID(9)", "CSQM102I")] {
        let (code, lines) = bench.command(text);
        assert!(code == 8 && lines[0].starts_with(id), "{lines:?}");
    }
    // It takes many steps.
    let Some(Job::Create(mut job)) = bench.held.pop() else { panic!("no job") };
    let mut steps = 0;
    let done = loop {
        steps += 1;
        match Job::Create(job).step() {
            Ok(done) => break done,
            Err(Job::Create(rest)) => job = rest,
            Err(_) => panic!("another job"),
        }
    };
    assert!(steps > 10, "{steps}");
    bench.core.finish(done);
    bench.settle();
    assert!(matches!(bench.answer(definer), Some(Reply::Lines { code, .. }) if code.number() == 0));
    bench.define("DEFINE STGCLASS(N) PSID(9)");
    bench.define("DEFINE QLOCAL(N) STGCLASS(N)");
    bench.put(other, "N", b"on it");
    bench.kill_and_start();
    assert_eq!(bench.bodies("N"), [b"on it".to_vec()]);
}

#[test]
fn a_definition_cut_short_at_any_point_can_be_made_again() {
    let mut defined = 0;
    let mut left_a_file = 0;
    for stop in 0..80 {
        let mut bench = Bench::faulty(&small(), stop);
        let definer = bench.connect();
        let operation = bench.control().operations() + stop;
        bench.control().stop_at(Some(operation));
        bench.ask(definer, mqsc("DEFINE PSID(9) PAGES(600)"));
        let answered = matches!(bench.answer(definer), Some(Reply::Lines { code, .. }) if code.number() == 0);
        let stopped = bench.control().stopped();
        bench.control().stop_at(None);
        // Killed rather than cut off: names that were given stay.
        if stop % 2 == 0 {
            bench.kill();
        } else {
            bench.cut_power();
        }
        bench.start();
        let listed = bench.core.bsds().page_sets.iter().any(|set| set.page_set.number() == 9);
        assert!(listed || !answered, "stop {stop}: the definition was acknowledged, and is gone");
        if listed {
            defined += 1;
        } else {
            left_a_file += u32::from(bench.storage.exists(&Path::new(DIR).join("PSID09")).unwrap());
            bench.define("DEFINE PSID(9) PAGES(700)");
        }
        bench.define("DEFINE STGCLASS(N) PSID(9)");
        bench.define("DEFINE QLOCAL(N) STGCLASS(N)");
        let connection = bench.connect();
        bench.put(connection, "N", b"on it");
        bench.kill_and_start();
        assert_eq!(bench.bodies("N"), [b"on it".to_vec()]);
        if !stopped {
            break;
        }
    }
    assert!(defined > 0 && left_a_file > 0, "{defined} defined, {left_a_file} left a file");
}

#[test]
fn a_file_that_was_in_use_is_never_replaced() {
    let mut bench = Bench::faulty(&small(), 3);
    bench.define("DEFINE STGCLASS(C) PSID(02)");
    bench.define("DEFINE QLOCAL(A) STGCLASS(C)");
    let connection = bench.connect();
    bench.put(connection, "A", b"precious");
    bench.core.stop(false);
    bench.settle();
    bench.kill_and_start();
    let storage = bench.storage.clone();
    storage.rename(&Path::new(DIR).join("PSID02"), &Path::new(DIR).join("PSID09")).unwrap();
    let (code, lines) = bench.command("DEFINE PSID(9)");
    assert!(code == 8 && lines[0].starts_with("CSQP045E") && lines[0].contains("HWT308E"), "{lines:?}");
    // A fresh one is, but not one that a checkpoint has stamped.
    for stamped in [true, false] {
        bench.define("DEFINE PSID(8) PAGES(64)");
        if stamped {
            storage.rename(&Path::new(DIR).join("PSID09"), &Path::new(DIR).join("PSID02")).unwrap();
            bench.core.stop(false);
            bench.settle();
            bench.kill_and_start();
        }
        storage.rename(&Path::new(DIR).join("PSID08"), &Path::new(DIR).join("KEPT")).unwrap();
        bench.define("DELETE PSID(8)");
        storage.rename(&Path::new(DIR).join("KEPT"), &Path::new(DIR).join("PSID08")).unwrap();
        assert_eq!(bench.command("DEFINE PSID(8) PAGES(64)").0, if stamped { 8 } else { 0 });
        if stamped {
            storage.remove(&Path::new(DIR).join("PSID08")).unwrap();
        }
    }
    assert_eq!(bench.bodies("A"), [b"precious".to_vec()]);
}

/// A bench with queue A on page set 01, which holds 64 pages and grows.
fn growing(seed: u64) -> Bench {
    let mut bench = Bench::faulty(&small(), seed);
    bench.define("DEFINE QLOCAL(A)");
    bench
}

#[test]
fn an_expansion_cut_short_at_any_point_leaves_a_tail_that_the_next_one_uses() {
    let mut tails = 0;
    let mut finished = 0;
    for stop in 0..60 {
        let mut bench = growing(stop / 3);
        let connection = bench.connect();
        bench.holds = |job| matches!(job, Job::Expand(_));
        let mut acknowledged = 0;
        while bench.held.is_empty() {
            bench.put(connection, "A", &[acknowledged; 3000]);
            acknowledged += 1;
        }
        let before = bench.core.usage().page_sets[1].total_pages;
        bench.holds = |_| false;
        let operation = bench.control().operations() + stop / 3;
        bench.control().stop_at(Some(operation));
        bench.run_held();
        let stopped = bench.control().stopped();
        bench.control().stop_at(None);
        if !stopped {
            // With this the log says, durably, that the pages are usable.
            bench.put(connection, "A", &[acknowledged; 3000]);
            acknowledged += 1;
        }
        if stop % 3 == 0 {
            bench.kill();
        } else {
            bench.cut_power();
        }
        let path = Path::new(DIR).join("PSID01");
        let there = bench.storage.open(&path, engine_storage::OpenMode::Read).unwrap().len().unwrap() / 4096;
        bench.start();
        let bodies: Vec<u8> = bench.bodies("A").iter().map(|body| body[0]).collect();
        assert_eq!(bodies, (0..acknowledged).collect::<Vec<u8>>(), "stop {stop}");
        // The next expansion, which follows at once, takes the tail and a whole new extent.
        let used = bench.core.usage().page_sets[1].total_pages;
        let tail =
            bench.console.iter().any(|line| line.starts_with("CSQI032I QM1 NEW EXTENT(S) OF 64 PAGES"));
        let completed = used == there;
        assert!(completed || used == there + 64, "stop {stop}: {there} pages were there, {used} are used");
        assert_eq!(tail, there > before && !completed);
        tails += u32::from(tail);
        finished += u32::from(completed);
        let connection = bench.connect();
        for n in 0..40 {
            bench.put(connection, "A", &[n; 3000]);
        }
        bench.cut_power();
        bench.start();
        assert_eq!(bench.bodies("A").len(), usize::from(acknowledged) + 40, "stop {stop}");
        if !stopped && stop % 3 == 2 {
            break;
        }
    }
    assert!(tails > 2 && finished > 0, "{tails} tails, {finished} finished");
}

#[test]
fn a_full_disk_disables_expansion_until_it_is_altered() {
    let mut bench = growing(1);
    let connection = bench.connect();
    let full = FaultRates { full: 1_000_000, only: Some("PSID01".into()), ..FaultRates::default() };
    bench.control().set_rates(full);
    let mut acknowledged = 0u8;
    let refused = loop {
        match bench.call(connection, put("A", &[acknowledged; 3000], false)) {
            Reply::Put { .. } => acknowledged += 1,
            Reply::Error { id, text, .. } => break (id, text),
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(refused.0, "HWT425E");
    assert!(refused.1.contains("MQRC 2192") && refused.1.contains("ALTER PSID(01)"), "{}", refused.1);
    assert_eq!(bench.core.state(), State::Running);
    let failed = |bench: &Bench| {
        bench
            .console
            .iter()
            .filter(|line| line.starts_with("CSQP014E QM1 EXPANSION FAILED FOR PAGE SET 01"))
            .count()
    };
    assert_eq!(failed(&bench), 1, "{:#?}", bench.console);
    // There is room again, but nobody has said so.
    bench.control().set_rates(FaultRates::default());
    let reply = bench.call(connection, put("A", &[1; 3000], false));
    assert!(matches!(&reply, Reply::Error { id, .. } if id == "HWT425E"), "{reply:?}");
    assert_eq!(failed(&bench), 1);
    // Gets make room without it.
    assert!(matches!(bench.call(connection, get("A", false)), Reply::Message { .. }));
    assert!(matches!(bench.call(connection, get("A", false)), Reply::Message { .. }));
    bench.put(connection, "A", &[acknowledged; 3000]);
    bench.define("ALTER PSID(1) EXPAND(USER)");
    for n in 0..60 {
        bench.put(connection, "A", &[n; 3000]);
    }
    assert!(bench.core.usage().page_sets[1].total_pages > 64);
    assert_eq!(bench.core.usage().page_sets[1].expand, Expand::User);
    bench.cut_power();
    bench.start();
    assert_eq!(bench.bodies("A").len(), usize::from(acknowledged) - 2 + 1 + 60);
}

#[test]
fn queues_are_closed_to_puts_and_gets_durably() {
    let mut bench = Bench::new();
    bench.define("DEFINE QLOCAL(A)");
    let (connection, unit) = (bench.connect(), bench.connect());
    bench.put(connection, "A", b"there");
    bench.put_in_unit(unit, "A", b"in a unit");
    let ask = |bench: &mut Bench, connection, request| match bench.call(connection, request) {
        Reply::Error { id, text, .. } => format!("{id} {text}"),
        other => format!("{other:?}"),
    };
    bench.define("ALTER QLOCAL(A) PUT(DISABLED)");
    let refused = ask(&mut bench, connection, put("A", b"x", false));
    assert!(refused.starts_with("HWT421E") && refused.contains("MQRC 2051"), "{refused}");
    assert!(ask(&mut bench, unit, put("A", b"x", true)).starts_with("HWT421E"));
    // What was put before is committed all the same.
    assert!(matches!(bench.call(unit, Request::Commit), Reply::Committed { .. }));
    bench.kill_and_start();
    let (connection, waiting) = (bench.connect(), bench.connect());
    assert!(ask(&mut bench, connection, put("A", b"x", false)).starts_with("HWT421E"));
    assert_eq!(bench.bodies("A").len(), 2);
    // A get that waits, here for the end of a quiesce, is refused when the queue is closed meanwhile.
    let unit = bench.connect();
    bench.define("DEFINE QLOCAL(B)");
    bench.put_in_unit(unit, "B", b"holds the quiesce up");
    bench.define("ALTER QLOCAL(A) PUT(ENABLED)");
    bench.ask(connection, mqsc("ARCHIVE LOG MODE(QUIESCE) TIME(30) WAIT(NO)"));
    let altering = bench.connect();
    bench.ask(altering, mqsc("ALTER QLOCAL(A) GET(DISABLED)"));
    bench.ask(waiting, get("A", false));
    assert!(bench.answer(waiting).is_none() && bench.answer(altering).is_none());
    assert!(matches!(bench.call(unit, Request::Commit), Reply::Committed { .. }));
    let reply = bench.answer(waiting);
    assert!(
        matches!(&reply, Some(Reply::Error { id, text, .. }) if id == "HWT426E" && text.contains("MQRC 2016")),
        "{reply:?}"
    );
    bench.kill_and_start();
    let connection = bench.connect();
    assert!(ask(&mut bench, connection, get("A", false)).starts_with("HWT426E"));
    bench.define("ALTER QLOCAL(A) GET(ENABLED)");
    assert!(matches!(bench.call(connection, get("A", false)), Reply::Message { .. }));
    bench.put(connection, "A", b"open again");
}
