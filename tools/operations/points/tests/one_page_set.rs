//! One page set is lost while the others are current: it alone is restored and brought up to them, with the units that touch it.

mod bench;

use std::path::{Path, PathBuf};

use bench::{Bench, DIR, Killed, queue};
use engine_queue_manager::ConnectionId;
use format_protocol::{Reply, Request};
use format_types::{PageSetId, UnitState};
use operation_points::RecoverSettings;

fn lines(bench: &mut Bench, connection: ConnectionId, text: &str) -> Vec<String> {
    match bench.call(connection, Request::Mqsc { text: text.to_owned() }) {
        Reply::Lines { code, lines } if code.number() == 0 => lines,
        other => panic!("{text}: {other:?}"),
    }
}

fn name(number: u8) -> String {
    format!("APP.Q{number}")
}

/// A queue on each page set.
fn define(bench: &mut Bench, connection: ConnectionId) {
    for number in 0..3 {
        lines(bench, connection, &format!("DEFINE STGCLASS(CLASS{number}) PSID(0{number})"));
        lines(
            bench,
            connection,
            &format!("DEFINE QLOCAL({}) STGCLASS(CLASS{number}) DEFPSIST(YES) MAXDEPTH(99999)", name(number)),
        );
    }
}

fn put(bench: &mut Bench, connection: ConnectionId, number: u8, body: &str) {
    let request = Request::Put {
        queue: name(number).parse().unwrap(),
        priority: None,
        persistent: Some(true),
        syncpoint: true,
        body: body.as_bytes().to_vec(),
    };
    let reply = bench.call(connection, request);
    assert!(matches!(reply, Reply::Put { .. }), "{reply:?}");
}

fn bodies(bench: &mut Bench, connection: ConnectionId, number: u8) -> Vec<String> {
    let mut after = None;
    let mut found = Vec::new();
    while let Reply::Message { priority, key, body, .. } =
        bench.call(connection, Request::Browse { queue: name(number).parse().unwrap(), after })
    {
        after = Some((priority, key));
        found.push(String::from_utf8(body).unwrap());
    }
    found
}

#[test]
fn each_page_set_comes_back_alone_with_the_units_that_touch_it() {
    for lost in 0..3u8 {
        for archived in [false, true] {
            let mut bench = Bench::new(u64::from(lost));
            let worker = bench.connect();
            define(&mut bench, worker);
            for number in 0..3 {
                put(&mut bench, worker, number, "before the point");
            }
            bench.call(worker, Request::Commit);
            // Prepared before the point, so its log is older than the copies.
            let early = bench.connect();
            for number in 0..3 {
                put(&mut bench, early, number, "prepared early");
            }
            let reply = bench.call(early, Request::Prepare { xid: b"EARLY".to_vec() });
            assert!(matches!(reply, Reply::Prepared), "{reply:?}");
            bench.make_point(worker);
            bench.put(worker, 40);
            let late = bench.connect();
            for number in 0..3 {
                put(&mut bench, late, number, "prepared late");
            }
            let get = Request::Get { queue: name(lost).parse().unwrap(), syncpoint: true, message_id: None };
            assert!(
                matches!(bench.call(late, get), Reply::Message { body, .. } if body == b"before the point")
            );
            assert!(matches!(bench.call(late, Request::Prepare { xid: b"LATE".to_vec() }), Reply::Prepared));
            if archived {
                let archive =
                    Request::ArchiveLog { quiesce: None, wait_offload: true, cancel_offload: false };
                bench.call(worker, archive);
            }
            let open = bench.connect();
            for number in 0..3 {
                put(&mut bench, open, number, "never committed");
            }
            for number in 0..3 {
                put(&mut bench, worker, number, "the newest");
            }
            bench.call(worker, Request::Commit);
            let mut killed = bench.kill();
            killed.storage.remove(&Path::new(DIR).join(format!("PSID0{lost}"))).unwrap();
            let settings = RecoverSettings {
                page_sets: vec![PageSetId::new(lost).unwrap()],
                from: PathBuf::from("T1"),
                ..killed.settings()
            };
            let report = killed.recover_with(&settings).unwrap();
            assert_eq!(report.page_sets.len(), 1);
            check(killed, lost);
        }
    }
}

fn check(killed: Killed, lost: u8) {
    let clock = killed.clock + 5000;
    let core = bench::start(&killed.storage, clock);
    let in_doubt = core.usage().units.iter().filter(|unit| unit.state == UnitState::InDoubt).count();
    assert_eq!(in_doubt, 2, "page set {lost}");
    let Killed { faulty, storage, expected, .. } = killed;
    let mut bench = Bench { faulty, storage, core, clock, expected };
    let worker = bench.connect();
    for number in 0..3 {
        let found = bodies(&mut bench, worker, number);
        let mut wanted = vec!["before the point", "the newest"];
        if number == lost {
            // Its get is in doubt.
            wanted.remove(0);
        }
        assert_eq!(found, wanted, "queue {number}, page set {lost} was lost");
    }
    let mut after = None;
    let mut count = 0;
    while let Reply::Message { priority, key, body, .. } =
        bench.call(worker, Request::Browse { queue: queue(), after })
    {
        assert!(body == bench.expected[count]);
        after = Some((priority, key));
        count += 1;
    }
    assert_eq!(count, bench.expected.len());
    // Settled, they are whole on every page set: what was put is there, what was got is gone.
    let rows = lines(&mut bench, worker, "DISPLAY THREAD(*) TYPE(INDOUBT)").join("\n");
    assert!(rows.contains("EARLY") && rows.contains("LATE"), "{rows}");
    lines(&mut bench, worker, "RESOLVE INDOUBT(TEST) ACTION(COMMIT) NID(*)");
    for number in 0..3 {
        let mut found = bodies(&mut bench, worker, number);
        found.sort();
        let mut wanted = vec!["before the point", "prepared early", "prepared late", "the newest"];
        if number == lost {
            wanted.remove(0);
        }
        assert_eq!(found, wanted, "queue {number} after resolving, page set {lost} was lost");
    }
}
