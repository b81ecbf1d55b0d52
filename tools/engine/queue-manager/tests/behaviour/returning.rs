//! Page sets that went offline come back by START PSID, with the units that waited for them.

use std::path::{Path, PathBuf};

use engine_queue_manager::{ConnectionId, State};
use engine_storage::{FaultRates, OpenMode};
use format_protocol::{Reply, Request};
use format_types::PageSetId;

use crate::bench::{Bench, DIR, get, put, put_nonpersistent, small};

fn failing(file: &str) -> FaultRates {
    FaultRates {
        write_error: 1_000_000,
        sync_error: 1_000_000,
        only: Some(file.to_owned()),
        ..FaultRates::default()
    }
}

/// Queue A on page set 01, B on 02.
pub(crate) fn bench(seed: u64) -> Bench {
    bench_with(seed, 1 << 20)
}

pub(crate) fn bench_with(seed: u64, log_size: u64) -> Bench {
    let mut new = small();
    new.page_set_size = 2 << 20;
    new.log_size = log_size;
    let mut bench = Bench::faulty(&new, seed);
    bench.define("DEFINE QLOCAL(A)");
    bench.define("DEFINE STGCLASS(C) PSID(02)");
    bench.define("DEFINE QLOCAL(B) STGCLASS(C)");
    bench
}

pub(crate) fn status(bench: &mut Bench) -> String {
    let (_, lines) = bench.command("DISPLAY PSID(1) STATUS");
    lines.join(" ").split("STATUS(").nth(1).and_then(|rest| rest.split(')').next()).unwrap().to_owned()
}

/// Works on queue B until page set 01 has gone offline.
pub(crate) fn go_offline(bench: &mut Bench) {
    bench.control().set_rates(failing("PSID01"));
    let connection = bench.connect();
    for _ in 0..2000 {
        if status(bench) == "OFFLINE" {
            bench.control().set_rates(FaultRates::default());
            bench.core.disconnect(connection);
            return;
        }
        for _ in 0..20 {
            bench.put(connection, "B", b"more");
        }
    }
    panic!("page set 01 never failed: {:#?}", bench.console);
}

pub(crate) fn refused(reply: &Reply) -> &str {
    match reply {
        Reply::Error { id, .. } => id,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn body(n: u8, length: usize) -> Vec<u8> {
    vec![n; length]
}

/// What all kinds of units left on queue A when its page set failed.
struct Left {
    live: ConnectionId,
    backed_out_later: ConnectionId,
    in_doubt: String,
}

/// Messages 0 to 9 of 9000 bytes and then units of every kind on queue A.
fn leave(bench: &mut Bench) -> Left {
    let connection = bench.connect();
    for n in 0..10 {
        bench.put(connection, "A", &body(n, 9000));
    }
    let (committing, backing_out, live) = (bench.connect(), bench.connect(), bench.connect());
    let (preparing, later) = (bench.connect(), bench.connect());
    // 0 and 1 are got by a unit that commits while the page set is offline, 2 by one that is backed out then, 3 by one that lives on, 4 by
    // one in doubt.
    for (unit, count, put) in [(committing, 2, 20), (backing_out, 1, 21), (live, 1, 22), (preparing, 1, 23)] {
        for _ in 0..count {
            bench.get_in_unit(unit, "A");
        }
        bench.put_in_unit(unit, "A", &body(put, 9000));
        bench.put_in_unit(unit, "B", &body(put + 10, 100));
    }
    bench.put_in_unit(later, "A", &body(24, 9000));
    let reply = bench.call(later, put_nonpersistent("A", &body(25, 5000), true));
    assert!(matches!(reply, Reply::Put { .. }));
    let reply = bench.call(live, put_nonpersistent("A", &body(26, 5000), true));
    assert!(matches!(reply, Reply::Put { .. }));
    let reply = bench.call(connection, put_nonpersistent("A", &body(27, 5000), false));
    assert!(matches!(reply, Reply::Put { .. }));
    assert!(matches!(bench.call(preparing, Request::Prepare { xid: b"X".to_vec() }), Reply::Prepared));
    go_offline(bench);
    assert!(matches!(bench.call(committing, Request::Commit), Reply::Committed { .. }));
    assert!(matches!(bench.call(backing_out, Request::Backout), Reply::BackedOut));
    assert!(bench.console.iter().any(|line| line.starts_with("HWT438W")), "{:#?}", bench.console);
    Left { live, backed_out_later: later, in_doubt: format!("APP{}", preparing.0) }
}

/// First bytes of the messages of a queue.
fn first_bytes(bench: &mut Bench, queue: &str) -> Vec<u8> {
    bench.bodies(queue).iter().map(|body| body[0]).collect()
}

#[test]
fn a_page_set_comes_back_with_its_messages_and_the_units_that_waited_for_it() {
    for seed in 0..12 {
        let mut bench = bench(seed);
        let left = leave(&mut bench);
        // It says offline, not that there is no message.
        let asking = bench.connect();
        for request in [
            get("A", false),
            put("A", b"x", false),
            Request::Browse { queue: crate::bench::queue("A"), after: None },
        ] {
            assert_eq!(refused(&bench.call(asking, request)), "HWT439E");
        }
        let frozen = bench.core.usage().page_sets[1].recovery_rba;
        let (code, lines) = bench.command("START PSID(1)");
        assert_eq!(code, 0, "{lines:?}");
        assert!(lines[0].starts_with("CSQI023I QM1 CSQPALTR PAGE SET 01 ONLINE AGAIN."), "{lines:?}");
        assert!(lines[1].contains(&frozen.to_string()), "{lines:?}");
        assert_eq!(status(&mut bench), "ONLINE");
        assert!(bench.console.iter().any(|line| line.starts_with("HWT450I QM1 PAGE SET 01 IS ONLINE")));
        // 0 and 1 are got for good, 2 is back, 3 and 4 are locked; nothing nonpersistent is left.
        assert_eq!(first_bytes(&mut bench, "A"), [2, 5, 6, 7, 8, 9, 20], "seed {seed}");
        assert!(matches!(bench.call(left.live, Request::Commit), Reply::Committed { .. }));
        assert!(matches!(bench.call(left.backed_out_later, Request::Backout), Reply::BackedOut));
        assert_eq!(first_bytes(&mut bench, "A"), [2, 5, 6, 7, 8, 9, 20, 22], "seed {seed}");
        assert_eq!(bench.core.usage().units.len(), 1);
        bench.define(&format!("RESOLVE INDOUBT({}) ACTION(COMMIT) NID(X)", left.in_doubt));
        let expected = [2, 5, 6, 7, 8, 9, 20, 22, 23];
        assert_eq!(first_bytes(&mut bench, "A"), expected, "seed {seed}");
        assert!(bench.core.usage().units.is_empty());
        bench.put(asking, "A", &body(40, 10));
        bench.cut_power();
        bench.start();
        let after: Vec<u8> = expected.into_iter().chain([40]).collect();
        assert_eq!(first_bytes(&mut bench, "A"), after, "seed {seed}");
        assert!(bench.core.usage().units.is_empty());
        for reply in [30, 32, 33] {
            assert!(first_bytes(&mut bench, "B").contains(&reply), "{reply}");
        }
    }
}

#[test]
fn the_same_units_end_the_same_way_by_a_restart() {
    for seed in 0..6 {
        let mut bench = bench(seed);
        let left = leave(&mut bench);
        bench.cut_power();
        bench.start();
        assert_eq!(first_bytes(&mut bench, "A"), [2, 3, 5, 6, 7, 8, 9, 20], "seed {seed}");
        bench.define(&format!("RESOLVE INDOUBT({}) ACTION(BACKOUT) NID(X)", left.in_doubt));
        assert_eq!(first_bytes(&mut bench, "A"), [2, 3, 4, 5, 6, 7, 8, 9, 20], "seed {seed}");
    }
}

#[test]
fn a_return_interrupted_at_any_point_loses_nothing() {
    let mut completed = false;
    let mut interrupted = 0;
    for stop in 0..400 {
        let mut bench = bench(stop % 7);
        let left = leave(&mut bench);
        let connection = bench.connect();
        let operation = bench.control().operations() + stop;
        bench.control().stop_at(Some(operation));
        bench.ask(connection, Request::Mqsc { text: "START PSID(1)".to_owned() });
        let stopped = bench.control().stopped();
        bench.control().stop_at(None);
        bench.cut_power();
        bench.start();
        assert_eq!(first_bytes(&mut bench, "A"), [2, 3, 5, 6, 7, 8, 9, 20], "stop {stop}");
        bench.define(&format!("RESOLVE INDOUBT({}) ACTION(COMMIT) NID(*)", left.in_doubt));
        assert_eq!(first_bytes(&mut bench, "A"), [2, 3, 5, 6, 7, 8, 9, 20, 23], "stop {stop}");
        assert!(bench.core.usage().units.is_empty());
        if !stopped {
            completed = true;
            break;
        }
        interrupted += 1;
    }
    assert!(completed && interrupted > 5, "{interrupted} interrupted");
}

#[test]
fn other_work_goes_on_while_it_comes_back_and_a_stop_does_not_wait_for_it() {
    let mut new = small();
    new.page_set_size = 8 << 20;
    new.log_size = 4 << 20;
    new.log_load = 16_000_000;
    let mut bench = Bench::faulty(&new, 1);
    bench.define("DEFINE QLOCAL(A)");
    bench.define("DEFINE STGCLASS(C) PSID(02)");
    bench.define("DEFINE QLOCAL(B) STGCLASS(C)");
    let connection = bench.connect();
    for n in 0..3000u16 {
        bench.put(connection, "A", &n.to_be_bytes());
    }
    for n in 0..1200u16 {
        bench.put(connection, "A", &[n.to_be_bytes().to_vec(), vec![7; 900]].concat());
    }
    bench.define("ARCHIVE LOG");
    go_offline(&mut bench);
    for stopping in [false, true] {
        bench.core.request(connection, Request::Mqsc { text: "START PSID(1)".to_owned() });
        let mut slices = 0;
        while bench.core.work() {
            slices += 1;
            if slices == 5 {
                // In the middle of it: page set 01 is on its way, and others are served.
                let other = bench.core.connect();
                bench.core.request(other, get("A", false));
                let replies = bench.core.take_replies();
                assert!(replies.iter().any(|(to, reply)| *to == other && refused(reply) == "HWT439E"));
                bench.core.request(other, Request::Mqsc { text: "START PSID(1)".to_owned() });
                bench.core.request(other, Request::Mqsc { text: "DISPLAY PSID(1) STATUS".to_owned() });
                let said = format!("{:?}", bench.core.take_replies());
                assert!(said.contains("HWT448E") && said.contains("STATUS(RECOVERING)"), "{said}");
                bench.core.request(other, Request::Browse { queue: crate::bench::queue("B"), after: None });
                assert!(matches!(bench.core.take_replies()[..], [(_, Reply::Message { .. })]));
                if stopping {
                    bench.core.stop(true);
                    break;
                }
            }
        }
        if stopping {
            bench.settle();
            assert_eq!(bench.core.state(), State::Stopped);
            bench.cut_power();
            bench.start();
        } else {
            assert!(slices > 10, "{slices} slices");
            bench.settle();
        }
        assert_eq!(status(&mut bench), "ONLINE", "{:#?}", bench.console);
        assert_eq!(bench.bodies("A").len(), 4200);
        if !stopping {
            // Something to lose anew.
            bench.put(connection, "A", b"x");
            assert!(matches!(bench.call(connection, get("A", false)), Reply::Message { .. }));
            go_offline(&mut bench);
        }
    }
}

pub(crate) fn copy(bench: &Bench, path: &Path) -> Vec<u8> {
    let file = bench.storage.open(path, OpenMode::Read).unwrap();
    let mut bytes = vec![0; usize::try_from(file.len().unwrap()).unwrap()];
    file.read_at(0, &mut bytes).unwrap();
    bytes
}

pub(crate) fn replace(bench: &Bench, path: &Path, bytes: &[u8]) {
    bench.storage.remove(path).unwrap();
    let file = bench.storage.open(path, OpenMode::CreateNew).unwrap();
    file.write_at(0, bytes).unwrap();
    file.sync().unwrap();
    bench.storage.sync_dir(Path::new(DIR)).unwrap();
}

fn page_set_file() -> PathBuf {
    Path::new(DIR).join("PSID01")
}

#[test]
fn an_older_copy_in_its_place_is_brought_forward_if_the_log_reaches_it() {
    for archives_are_there in [true, false] {
        let mut bench = bench_with(4, 512 << 10);
        let connection = bench.connect();
        bench.put(connection, "A", &body(1, 9000));
        bench.core.stop(false);
        bench.settle();
        let older = copy(&bench, &page_set_file());
        bench.kill_and_start();
        let connection = bench.connect();
        for n in 2..200 {
            bench.put(connection, "A", &body(n, 9000));
        }
        for _ in 0..100 {
            assert!(matches!(bench.call(connection, get("A", false)), Reply::Message { .. }));
        }
        go_offline(&mut bench);
        let frozen = bench.core.usage().page_sets[1].recovery_rba;
        let first = bench.core.bsds().archives.first().unwrap().clone();
        let archive = Path::new(DIR).join(&first.name);
        assert!(first.range.start < frozen);
        let kept = copy(&bench, &archive);
        if !archives_are_there {
            bench.storage.remove(&archive).unwrap();
        }
        replace(&bench, &page_set_file(), &older);
        let (code, lines) = bench.command("START PSID(1)");
        assert_eq!(code, 0, "{lines:?}");
        if !archives_are_there {
            assert_eq!(status(&mut bench), "OFFLINE");
            let said = bench.console.join("\n");
            assert!(said.contains("HWT402E PAGE SET 01 NEEDS LOG FROM RBA"), "{said}");
            let asking = bench.connect();
            assert_eq!(refused(&bench.call(asking, get("A", false))), "HWT439E");
            // The archive is found again.
            let file = bench.storage.open(&archive, OpenMode::CreateNew).unwrap();
            file.write_at(0, &kept).unwrap();
            bench.define("START PSID(1)");
        }
        assert_eq!(status(&mut bench), "ONLINE", "{:#?}", bench.console);
        assert_eq!(first_bytes(&mut bench, "A"), (101..200).collect::<Vec<u8>>());
        let connection = bench.connect();
        bench.put(connection, "A", &body(200, 10));
        bench.cut_power();
        bench.start();
        assert_eq!(first_bytes(&mut bench, "A"), (101..=200).collect::<Vec<u8>>());
    }
}

#[test]
fn a_start_that_lacks_log_for_an_older_page_set_says_which_and_from_where() {
    let mut bench = bench_with(4, 512 << 10);
    let connection = bench.connect();
    bench.put(connection, "A", &body(1, 9000));
    bench.core.stop(false);
    bench.settle();
    let older = copy(&bench, &page_set_file());
    bench.kill_and_start();
    let connection = bench.connect();
    for n in 2..200 {
        bench.put(connection, "A", &body(n, 9000));
    }
    bench.kill();
    replace(&bench, &page_set_file(), &older);
    let first = bench.core.bsds().archives.first().unwrap().clone();
    let archive = Path::new(DIR).join(&first.name);
    let kept = copy(&bench, &archive);
    bench.storage.remove(&archive).unwrap();
    let error = bench.try_start().unwrap_err().to_string();
    assert!(error.starts_with("HWT402E PAGE SET 01 NEEDS LOG FROM RBA "), "{error}");
    let file = bench.storage.open(&archive, OpenMode::CreateNew).unwrap();
    file.write_at(0, &kept).unwrap();
    bench.start();
    assert_eq!(first_bytes(&mut bench, "A"), (1..200).collect::<Vec<u8>>());
}

#[test]
fn what_cannot_be_started_is_refused_and_nothing_changes() {
    let mut bench = bench(5);
    let connection = bench.connect();
    bench.put(connection, "A", b"there");
    for (text, id) in [("START PSID(1)", "HWT447E"), ("START PSID(77)", "CSQP042E")] {
        let (code, lines) = bench.command(text);
        assert!(code == 8 && lines[0].starts_with(id), "{lines:?}");
    }
    go_offline(&mut bench);
    let good = copy(&bench, &page_set_file());
    let other = copy(&bench, &Path::new(DIR).join("PSID02"));
    let frozen = bench.core.usage().page_sets[1].recovery_rba;
    bench.storage.remove(&page_set_file()).unwrap();
    let (code, lines) = bench.command("START PSID(1)");
    assert!(code == 8 && lines[0].starts_with("HWT301E QM1 CSQPALTR PAGE SET 01"), "{lines:?}");
    bench.storage.open(&page_set_file(), OpenMode::CreateNew).unwrap();
    for (bytes, id) in [(&other, "HWT305E"), (&good[..1 << 20].to_vec(), "HWT307E")] {
        replace(&bench, &page_set_file(), bytes);
        let (code, lines) = bench.command("START PSID(1)");
        assert!(code == 8 && lines[0].starts_with(id), "{lines:?}");
        assert_eq!(status(&mut bench), "OFFLINE");
        assert_eq!(bench.core.usage().page_sets[1].recovery_rba, frozen);
    }
    // What lies on it is not known to be nothing.
    let (code, lines) = bench.command("DELETE PSID(1)");
    assert!(code == 8 && !lines[0].starts_with("CSQ9022I"), "{lines:?}");
    replace(&bench, &page_set_file(), &good);
    bench.define("START PSID(1)");
    assert_eq!(bench.bodies("A"), [b"there".to_vec()]);
}

#[test]
fn a_page_set_that_fails_again_on_its_way_back_is_offline_again() {
    for (seed, rates) in [
        (1, FaultRates { sync_error: 1_000_000, ..FaultRates::default() }),
        (2, FaultRates { write_error: 400_000, ..FaultRates::default() }),
        (3, FaultRates { write_error: 400_000, ..FaultRates::default() }),
    ] {
        let mut bench = bench(seed);
        leave(&mut bench);
        let mut failures = 0;
        for _ in 0..20 {
            bench.control().set_rates(FaultRates { only: Some("PSID01".into()), ..rates.clone() });
            bench.command("START PSID(1)");
            bench.control().set_rates(FaultRates::default());
            assert_eq!(bench.core.state(), State::Running, "{:#?}", bench.console);
            if status(&mut bench) == "ONLINE" {
                break;
            }
            failures += 1;
        }
        assert!(failures > 0, "seed {seed}");
        if status(&mut bench) == "OFFLINE" {
            bench.define("START PSID(1)");
        }
        assert_eq!(first_bytes(&mut bench, "A"), [2, 5, 6, 7, 8, 9, 20], "seed {seed}");
        bench.cut_power();
        bench.start();
        assert_eq!(first_bytes(&mut bench, "A"), [2, 3, 5, 6, 7, 8, 9, 20], "seed {seed}");
    }
}

#[test]
fn a_page_set_that_fails_during_a_start_is_offline_and_comes_back() {
    let (mut offline, mut unknown) = (0, 0);
    for seed in 0..60 {
        let mut bench = bench(seed);
        let connection = bench.connect();
        for n in 0..60 {
            bench.put(connection, "A", &body(n, 9000));
        }
        let committing = bench.connect();
        for n in 0..5 {
            assert_eq!(bench.get_in_unit(committing, "A"), body(n, 9000));
        }
        let open = bench.connect();
        bench.put_in_unit(open, "A", &body(99, 9000));
        // The commit is in the log, the deletions are not.
        bench.holds = |job| matches!(job, engine_queue_manager::Job::LogSync(_));
        bench.ask(committing, Request::Commit);
        for job in std::mem::take(&mut bench.held) {
            let _ = job.run();
        }
        bench.holds = |_| false;
        bench.cut_power();
        bench.control().set_rates(FaultRates {
            write_error: 300_000,
            sync_error: 100_000,
            only: Some("PSID01".into()),
            ..FaultRates::default()
        });
        if bench.try_start().is_err() {
            bench.control().set_rates(FaultRates::default());
            bench.cut_power();
            bench.start();
            assert_eq!(first_bytes(&mut bench, "A"), (5..60).collect::<Vec<u8>>());
            continue;
        }
        bench.control().set_rates(FaultRates::default());
        let page_set = PageSetId::new(1).unwrap();
        let online = bench.core.usage().page_sets.iter().any(|set| set.page_set == page_set && set.online);
        if !online {
            offline += 1;
            let asking = bench.connect();
            assert_eq!(refused(&bench.call(asking, get("A", false))), "HWT439E");
            assert_eq!(
                refused(
                    &bench.call(asking, Request::Browse { queue: crate::bench::queue("A"), after: None })
                ),
                "HWT439E"
            );
            let (code, lines) = bench.command("DELETE QLOCAL(A)");
            assert!(code == 8 && lines[0].starts_with("CSQM112E"), "{lines:?}");
            unknown += usize::from(lines[0].contains("START PSID(01)"));
            bench.define("START PSID(1)");
        }
        assert_eq!(
            first_bytes(&mut bench, "A"),
            (5..60).collect::<Vec<u8>>(),
            "seed {seed}, online {online}"
        );
        assert!(bench.core.usage().units.is_empty(), "seed {seed}");
        bench.cut_power();
        bench.start();
        assert_eq!(first_bytes(&mut bench, "A"), (5..60).collect::<Vec<u8>>(), "seed {seed}");
    }
    assert!(offline > 3 && unknown > 0, "{offline} offline, {unknown} of them not known");
}
