//! Units of recovery in doubt: what is seen of them, and what RESOLVE INDOUBT makes of them.

use std::path::Path;

use engine_queue_manager::{ConnectionId, Job};
use engine_recovery::status::at_rest;
use engine_storage::{FaultRates, OpenMode};
use format_protocol::{Reply, Request};
use format_types::{Rba, UnitState};

use crate::bench::{Bench, DIR, put, put_nonpersistent, small};

fn prepare(bench: &mut Bench, connection: ConnectionId, xid: &str) {
    let reply = bench.call(connection, Request::Prepare { xid: xid.as_bytes().to_vec() });
    assert!(matches!(reply, Reply::Prepared), "{reply:?}");
}

/// A unit in doubt that put "new" and got "old" of queue A, where "other" stays; the name of its connection.
fn in_doubt(bench: &mut Bench, xid: &str) -> String {
    bench.define("DEFINE QLOCAL(A) REPLACE");
    let connection = bench.connect();
    bench.put(connection, "A", b"old");
    bench.put(connection, "A", b"other");
    assert_eq!(bench.get_in_unit(connection, "A"), b"old");
    bench.put_in_unit(connection, "A", b"new");
    prepare(bench, connection, xid);
    bench.core.disconnect(connection);
    format!("APP{}", connection.0)
}

fn resolve(bench: &mut Bench, connection: &str, action: &str, nid: &str) -> (u8, String) {
    let (code, lines) = bench.command(&format!("RESOLVE INDOUBT({connection}) ACTION({action}) NID({nid})"));
    (code, lines.join("\n"))
}

#[test]
fn a_unit_is_resolved_either_way_at_once_and_after_a_restart_and_stays_resolved() {
    for action in ["COMMIT", "BACKOUT"] {
        for restarts in 0..3 {
            let mut bench = Bench::faulty(&small(), 5);
            let connection = in_doubt(&mut bench, "X1");
            for round in 0..restarts {
                if round == 1 {
                    bench.core.stop(false);
                    bench.settle();
                }
                bench.cut_power();
                bench.start();
            }
            assert_eq!(bench.bodies("A"), [b"other".to_vec()]);
            let (code, text) = resolve(&mut bench, &connection, action, "X1");
            assert_eq!(code, 0, "{text}");
            let id = if action == "COMMIT" { "CSQV414I" } else { "CSQV415I" };
            assert!(
                text.starts_with(&format!("{id} QM1 CSQVRRID THREAD NID=X1 {action} SCHEDULED")),
                "{text}"
            );
            let expected: &[&[u8]] =
                if action == "COMMIT" { &[b"other", b"new"] } else { &[b"old", b"other"] };
            assert_eq!(bench.bodies("A"), expected, "{action} after {restarts} restarts");
            assert!(bench.core.usage().units.is_empty());
            bench.cut_power();
            bench.start();
            assert_eq!(bench.bodies("A"), expected, "{action} after {restarts} restarts, then a power cut");
            assert!(bench.core.usage().units.is_empty());
        }
    }
}

#[test]
fn a_resolution_survives_a_crash_at_any_point_and_is_whole_or_not_there() {
    for action in ["COMMIT", "BACKOUT"] {
        let mut before = 0;
        let mut after = 0;
        for stop in 0..60 {
            let mut bench = Bench::faulty(&small(), stop);
            let connection = in_doubt(&mut bench, "X1");
            bench.cut_power();
            bench.start();
            let asking = bench.connect();
            let operation = bench.control().operations() + stop;
            bench.control().stop_at(Some(operation));
            let text = format!("RESOLVE INDOUBT({connection}) ACTION({action}) NID(*)");
            bench.ask(asking, Request::Mqsc { text });
            let answered =
                matches!(bench.answer(asking), Some(Reply::Lines { code, .. }) if code.number() == 0);
            bench.control().stop_at(None);
            bench.cut_power();
            bench.start();
            let seen = bench.bodies("A");
            let decided: &[&[u8]] =
                if action == "COMMIT" { &[b"other", b"new"] } else { &[b"old", b"other"] };
            if seen == [b"other".to_vec()] {
                assert!(!answered, "stop {stop}: the answer was given, and the unit is in doubt again");
                before += 1;
                assert_eq!(resolve(&mut bench, &connection, action, "X1").0, 0);
            } else {
                after += 1;
            }
            assert_eq!(bench.bodies("A"), decided, "stop {stop}");
            assert!(bench.core.usage().units.is_empty());
        }
        assert!(before > 0 && after > 0, "{action}: {before} before, {after} after");
    }
}

#[test]
fn units_are_chosen_by_connection_and_network_id() {
    let mut bench = Bench::new();
    bench.define("DEFINE QLOCAL(A)");
    let connection = bench.connect();
    let name = format!("APP{}", connection.0);
    for xid in ["X1", "x1", "Order 7"] {
        bench.put_in_unit(connection, "A", xid.as_bytes());
        prepare(&mut bench, connection, xid);
    }
    let units = bench.core.usage().units;
    assert_eq!(units.len(), 3);
    for (connection, nid, refused) in [
        ("NOBODY", "*", "CSQV412I QM1 CSQVRRID NO INDOUBT THREADS FOUND FOR NAME=NOBODY"),
        (name.as_str(), "X2", "CSQV417I QM1 CSQVRRID THREAD NID=X2 NOT FOUND"),
    ] {
        let (code, text) = resolve(&mut bench, connection, "COMMIT", nid);
        assert_eq!(code, 8);
        assert!(text.starts_with(refused) && text.contains("CSQ9023E"), "{text}");
    }
    // An exact name comes before one that differs in case; text that cannot be typed is named in hexadecimal.
    assert_eq!(resolve(&mut bench, &name, "COMMIT", "'x1'").0, 0);
    assert_eq!(bench.bodies("A"), [b"x1".to_vec()]);
    let (code, text) = resolve(&mut bench, &name, "COMMIT", "4F726465722037");
    assert_eq!(code, 0, "{text}");
    assert_eq!(bench.bodies("A").len(), 2);
    // The URID serves as well.
    let urid = bench.core.usage().units[0].urid.to_string();
    assert_eq!(resolve(&mut bench, &name, "BACKOUT", &urid).0, 0);
    assert_eq!(bench.bodies("A").len(), 2);
    assert!(bench.core.usage().units.is_empty());
}

#[test]
fn a_name_is_prepared_under_once_and_must_be_one() {
    let mut bench = Bench::new();
    bench.define("DEFINE QLOCAL(A)");
    let connection = bench.connect();
    let ask = |bench: &mut Bench, xid: &[u8]| match bench
        .call(connection, Request::Prepare { xid: xid.to_vec() })
    {
        Reply::Error { id, .. } => id,
        other => format!("{other:?}"),
    };
    assert_eq!(ask(&mut bench, b"X"), "HWT429E");
    bench.put_in_unit(connection, "A", b"1");
    assert_eq!(ask(&mut bench, b""), "HWT443E");
    assert_eq!(ask(&mut bench, &[7; 141]), "HWT443E");
    assert_eq!(ask(&mut bench, &[7; 140]), "Prepared");
    bench.put_in_unit(connection, "A", b"2");
    assert_eq!(ask(&mut bench, &[7; 140]), "HWT427E");
    // The refused one is a unit as before.
    assert!(matches!(bench.call(connection, Request::Commit), Reply::Committed { .. }));
    assert_eq!(bench.bodies("A"), [b"2".to_vec()]);
}

#[test]
fn connections_and_threads_show_what_is_in_doubt_and_what_it_holds() {
    let mut bench = Bench::new();
    let name = in_doubt(&mut bench, "X1");
    let active = bench.connect();
    bench.put_in_unit(active, "A", b"active");
    bench.kill_and_start();
    let active = bench.connect();
    bench.put_in_unit(active, "A", b"active");
    let units = bench.core.usage().units;
    let urid = units.iter().find(|unit| unit.state == UnitState::InDoubt).unwrap().urid.to_string();
    let (_, lines) = bench.command("DISPLAY CONN(*) TYPE(CONN) ALL WHERE(UOWSTATE EQ UNRESOLVED)");
    let text = lines.join("\n");
    assert!(text.starts_with("CSQM293I QM1 CSQMDRTC 1 CONN FOUND"), "{text}");
    for part in [
        format!("APPLTAG({name})"),
        "NID(X1)".to_owned(),
        format!("QMURID({urid})"),
        "UOWSTATE(UNRESOLVED)".to_owned(),
    ] {
        assert!(text.contains(&part), "{part}: {text}");
    }
    let (_, lines) = bench.command("DISPLAY CONN(*) QMURID WHERE(UOWSTATE EQ ACTIVE)");
    let text = lines.join("\n");
    assert!(text.contains("UOWSTATE(ACTIVE)") && !text.contains(&urid), "{text}");
    let (_, lines) = bench.command("DISPLAY THREAD(*) TYPE(INDOUBT)");
    let row = format!("{name:<9} {urid} X1");
    assert_eq!(
        lines[..lines.len() - 1],
        [
            "CSQV401I QM1 DISPLAY THREAD REPORT FOLLOWS -".to_owned(),
            "CSQV406I QM1 INDOUBT THREADS -".to_owned(),
            "NAME      URID             NID".to_owned(),
            row.clone(),
            "DISPLAY THREAD REPORT COMPLETE".to_owned()
        ]
    );
    let (_, lines) = bench.command(&format!("DIS THD(APP{}) TYPE(*)", active.0));
    let text = lines.join("\n");
    assert!(text.contains("CSQV420I") && text.contains(" T *     1 ") && !text.contains(&row), "{text}");
    // Each checkpoint and the stop say it too.
    let other = bench.connect();
    bench.console.clear();
    for _ in 0..200 {
        bench.put(other, "A", b"more");
    }
    let said = bench.console.iter().filter(|line| *line == "NID(X1)").count();
    assert!(said > 0 && bench.console.contains(&format!("QMURID({urid})")), "{:#?}", bench.console);
    bench.core.stop(true);
    bench.settle();
    assert_eq!(bench.console.iter().filter(|line| *line == "NID(X1)").count(), said + 1);
}

#[test]
fn a_unit_in_doubt_holds_the_log_and_its_messages_through_media_recovery() {
    for action in ["COMMIT", "BACKOUT"] {
        let mut new = small();
        new.log_size = 512 << 10;
        new.page_set_size = 2 << 20;
        let mut bench = Bench::of(&new);
        bench.define("DEFINE QLOCAL(A)");
        bench.core.stop(false);
        bench.settle();
        // An older copy of the page set, from before the unit began.
        let path = Path::new(DIR).join("PSID01");
        let file = bench.storage.open(&path, OpenMode::Read).unwrap();
        let mut copy = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
        file.read_at(0, &mut copy).unwrap();
        bench.kill_and_start();
        let connection = in_doubt(&mut bench, "X1");
        let urid = bench.core.usage().units[0].urid;
        let other = bench.connect();
        for n in 0..900u16 {
            let mut body = vec![1; 2000];
            body[..2].copy_from_slice(&n.to_be_bytes());
            bench.put(other, "A", &body);
        }
        assert!(bench.core.bsds().archives.len() >= 2, "{}", bench.core.bsds().archives.len());
        assert!(
            bench.console.iter().any(|line| line.starts_with("CSQJ160I QM1 LONG-RUNNING UOW FOUND, URID="))
        );
        assert!(bench.console.iter().any(|line| line.starts_with("CSQJ161I QM1 UOW UNRESOLVED AFTER ")));
        bench.kill();
        bench.storage.open(&path, OpenMode::ReadWrite).unwrap().write_at(0, &copy).unwrap();
        let held = at_rest(&bench.storage, Path::new(DIR)).unwrap().system_recovery;
        let units = held.units.clone().unwrap();
        assert_eq!(units.rba, urid.0, "{}", units.holder);
        assert!(units.holder.contains("in-doubt") && units.holder.contains(&connection), "{}", units.holder);
        assert!(held.lowest().rba <= urid.0);
        bench.start();
        let visible = bench.bodies("A");
        assert_eq!(visible.len(), 901);
        assert!(!visible.contains(&b"old".to_vec()) && !visible.contains(&b"new".to_vec()));
        assert_eq!(resolve(&mut bench, &connection, action, "X1").0, 0);
        bench.kill_and_start();
        let visible = bench.bodies("A");
        let (there, gone) = if action == "COMMIT" { (b"new", b"old") } else { (b"old", b"new") };
        assert!(visible.contains(&there.to_vec()) && !visible.contains(&gone.to_vec()));
        assert_eq!(visible.len(), 902);
        assert!(bench.core.usage().units.is_empty());
        let held = bench.core.usage().system_recovery;
        assert!(held.units.is_none() && held.lowest().rba > Rba::ZERO);
    }
}

#[test]
fn nothing_is_resolved_while_a_page_set_of_the_unit_is_offline() {
    let mut bench = Bench::faulty(&small(), 8);
    bench.define("DEFINE STGCLASS(C) PSID(02)");
    bench.define("DEFINE QLOCAL(B) STGCLASS(C)");
    let connection = in_doubt(&mut bench, "X1");
    let other = bench.connect();
    // The page set goes offline at the next checkpoint.
    bench.control().set_rates(FaultRates {
        write_error: 1_000_000,
        sync_error: 1_000_000,
        only: Some("PSID01".into()),
        ..FaultRates::default()
    });
    for _ in 0..600 {
        bench.put(other, "B", b"more");
    }
    bench.control().set_rates(FaultRates::default());
    let (code, text) = resolve(&mut bench, &connection, "COMMIT", "*");
    assert!(code == 8 && text.starts_with("HWT445E") && text.contains("PAGE SET 01"), "{text}");
    assert_eq!(bench.core.usage().units.len(), 1);
    bench.define("START PSID(1)");
    assert_eq!(bench.bodies("A"), [b"other".to_vec()]);
    assert_eq!(resolve(&mut bench, &connection, "COMMIT", "*").0, 0);
    assert_eq!(bench.bodies("A"), [b"other".to_vec(), b"new".to_vec()]);
    bench.cut_power();
    bench.start();
    assert_eq!(bench.bodies("A"), [b"other".to_vec(), b"new".to_vec()]);
}

#[test]
fn a_unit_is_in_doubt_only_when_that_is_on_disk() {
    let mut bench = Bench::faulty(&small(), 9);
    bench.define("DEFINE QLOCAL(A)");
    let connection = bench.connect();
    bench.put_in_unit(connection, "A", b"x");
    bench.holds = |job| matches!(job, Job::LogSync(_));
    bench.ask(connection, Request::Prepare { xid: b"X".to_vec() });
    assert!(bench.answer(connection).is_none());
    bench.holds = |_| false;
    bench.run_held();
    assert!(matches!(bench.answer(connection), Some(Reply::Prepared)));
    bench.cut_power();
    bench.start();
    assert_eq!(bench.core.usage().units.len(), 1);
}

#[test]
fn nonpersistent_messages_of_a_unit_in_doubt_end_with_the_run() {
    let mut bench = Bench::new();
    bench.define("DEFINE QLOCAL(A)");
    let connection = bench.connect();
    let reply = bench.call(connection, put_nonpersistent("A", b"n", true));
    assert!(matches!(reply, Reply::Put { .. }));
    bench.put_in_unit(connection, "A", b"p");
    prepare(&mut bench, connection, "X1");
    let name = format!("APP{}", connection.0);
    bench.kill_and_start();
    assert_eq!(resolve(&mut bench, &name, "COMMIT", "X1").0, 0);
    assert_eq!(bench.bodies("A"), [b"p".to_vec()]);
    // Without a restart both are there.
    let connection = bench.connect();
    let reply = bench.call(connection, put_nonpersistent("A", b"n", true));
    assert!(matches!(reply, Reply::Put { .. }));
    prepare(&mut bench, connection, "X2");
    assert_eq!(bench.bodies("A").len(), 1);
    let name = format!("APP{}", connection.0);
    assert_eq!(resolve(&mut bench, &name, "COMMIT", "X2").0, 0);
    assert_eq!(bench.bodies("A").len(), 2);
    bench.put(connection, "A", b"the connection goes on");
    let reply = bench.call(connection, put("A", b"x", false));
    assert!(matches!(reply, Reply::Put { .. }));
}
