//! Page sets that were deleted and defined again, or defined for the first time, after the recovery point: they come from the log.

mod bench;
mod sites;

use std::path::{Path, PathBuf};

use bench::{Bench, DIR, Killed};
use engine_queue_manager::ConnectionId;
use format_protocol::{Reply, Request};
use format_types::{PageSetId, Rba, Timestamp};
use operation_points::{
    AnewPlan, AnewSource, PointInTime, RebuildSettings, RecoverSettings, RecoveryTarget, rebuild, recover_to,
};
use sites::{ARCHIVES, archive, carry_archives, move_away};

fn command(bench: &mut Bench, connection: ConnectionId, text: &str) {
    let reply = bench.call(connection, Request::Mqsc { text: text.to_owned() });
    assert!(matches!(&reply, Reply::Lines { code, .. } if code.number() == 0), "{text}: {reply:?}");
}

fn put(bench: &mut Bench, connection: ConnectionId, queue: &str, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let request = Request::Put {
            queue: queue.parse().unwrap(),
            priority: None,
            persistent: Some(true),
            syncpoint: false,
            body: [number.to_be_bytes().to_vec(), vec![number as u8; 3000]].concat(),
        };
        let reply = bench.call(connection, request);
        assert!(matches!(reply, Reply::Put { .. }), "{reply:?}");
    }
}

fn get(bench: &mut Bench, connection: ConnectionId, queue: &str, numbers: std::ops::Range<u32>) {
    for number in numbers {
        let request = Request::Get { queue: queue.parse().unwrap(), syncpoint: false, message_id: None };
        let reply = bench.call(connection, request);
        assert!(matches!(reply, Reply::Message { body, .. } if body[..4] == number.to_be_bytes()));
    }
}

fn set(number: u8) -> PageSetId {
    PageSetId::new(number).unwrap()
}

/// What the page sets were when the queue manager was killed.
struct Story {
    killed: Killed,
    /// End of the log right before page set 07 was defined again.
    before: Rba,
    /// End of the log after some messages on the page sets that the point knows nothing of.
    amid: Rba,
}

/// Page set 07 with messages 0 to 9, a point, those got; 07 deleted and defined again, larger; messages 100 on; page set 08 defined, with
/// messages 500 on.
fn story(seed: u64, archived: bool) -> Story {
    let mut bench = Bench::new(seed);
    let worker = bench.connect();
    command(&mut bench, worker, "DEFINE PSID(7) PAGES(32)");
    command(&mut bench, worker, "DEFINE STGCLASS(SEVEN) PSID(7)");
    command(&mut bench, worker, "DEFINE QLOCAL(SEVEN) STGCLASS(SEVEN) MAXDEPTH(9999)");
    put(&mut bench, worker, "SEVEN", 0..10);
    bench.put(worker, 10);
    bench.make_point(worker);
    get(&mut bench, worker, "SEVEN", 0..10);
    put(&mut bench, worker, "SEVEN", 10..30);
    get(&mut bench, worker, "SEVEN", 10..30);
    command(&mut bench, worker, "ALTER STGCLASS(SEVEN) PSID(1)");
    command(&mut bench, worker, "DELETE PSID(7)");
    bench.put(worker, 5);
    let before = bench.core.log_end();
    let held = bench.expected.len();
    command(&mut bench, worker, "DEFINE PSID(7) PAGES(400)");
    command(&mut bench, worker, "ALTER STGCLASS(SEVEN) PSID(7)");
    put(&mut bench, worker, "SEVEN", 100..350);
    get(&mut bench, worker, "SEVEN", 100..130);
    command(&mut bench, worker, "DEFINE PSID(8) PAGES(64)");
    command(&mut bench, worker, "DEFINE STGCLASS(EIGHT) PSID(8)");
    command(&mut bench, worker, "DEFINE QLOCAL(EIGHT) STGCLASS(EIGHT) MAXDEPTH(9999)");
    put(&mut bench, worker, "EIGHT", 500..600);
    get(&mut bench, worker, "EIGHT", 500..520);
    let amid = bench.core.log_end();
    if archived {
        archive(&mut bench, worker);
    }
    put(&mut bench, worker, "SEVEN", 350..370);
    put(&mut bench, worker, "EIGHT", 600..610);
    if archived {
        archive(&mut bench, worker);
    }
    let mut killed = bench.kill();
    killed.expected.truncate(held);
    Story { killed, before, amid }
}

fn remove(killed: &Killed, page_sets: &[u8]) {
    for number in page_sets {
        killed.storage.remove(&Path::new(DIR).join(format!("PSID0{number}"))).unwrap();
    }
    killed.storage.sync_dir(Path::new(DIR)).unwrap();
}

/// Starts it, looks at all messages, and goes on; twice, with a clean stop in between.
fn check(killed: Killed, seven: std::ops::Range<u32>, eight: Option<std::ops::Range<u32>>) {
    let clock = killed.clock + 10_000;
    let core = bench::start(&killed.storage, clock);
    let Killed { faulty, storage, expected, .. } = killed;
    let mut bench = Bench { faulty, storage, core, clock, expected };
    for round in 0..2 {
        let worker = bench.connect();
        let count = bench.expected.len();
        let mut found = 0;
        let mut after = None;
        while let Reply::Message { priority, key, body, .. } =
            bench.call(worker, Request::Browse { queue: bench::queue(), after })
        {
            assert!(body == bench.expected[found]);
            after = Some((priority, key));
            found += 1;
        }
        assert_eq!(found, count);
        let next = seven.end + round;
        put(&mut bench, worker, "SEVEN", next..next + 1);
        if round == 0 {
            bench.core.stop(false);
            bench.settle();
            bench.faulty.control().kill();
            bench.clock += 1000;
            bench.core = bench::start(&bench.storage, bench.clock);
        }
    }
    let worker = bench.connect();
    get(&mut bench, worker, "SEVEN", seven.start..seven.end + 2);
    if let Some(eight) = eight {
        get(&mut bench, worker, "EIGHT", eight);
    }
    for queue in ["SEVEN", "EIGHT"] {
        let request = Request::Get { queue: queue.parse().unwrap(), syncpoint: false, message_id: None };
        let reply = bench.call(worker, request);
        assert!(matches!(reply, Reply::NoMessage | Reply::Error { .. }), "{queue}: {reply:?}");
    }
}

#[test]
fn a_page_set_defined_again_larger_or_after_the_point_is_made_anew_and_filled_from_the_log() {
    for archived in [false, true] {
        for (wanted, lost) in [
            (vec![set(7)], &[7][..]),
            (vec![set(8)], &[8]),
            (vec![set(7), set(8)], &[7, 8]),
            (vec![], &[0, 1, 2, 7, 8]),
        ] {
            let Story { mut killed, .. } = story(1, archived);
            remove(&killed, lost);
            let settings = RecoverSettings { page_sets: wanted.clone(), ..killed.settings() };
            let report = killed.recover_with(&settings).unwrap();
            let from_log: Vec<PageSetId> = lost.iter().filter(|n| **n >= 7).map(|n| set(*n)).collect();
            assert_eq!(report.from_log, from_log);
            assert_eq!(report.page_sets.len(), lost.len() - from_log.len());
            let left: Vec<_> = killed.files().into_keys().filter(|name| name.extension().is_some()).collect();
            assert!(left.iter().all(|name| !name.to_string_lossy().starts_with("PSID")), "{left:?}");
            check(killed, 130..370, Some(520..610));
        }
    }
}

#[test]
fn a_point_made_after_the_definition_is_restored_as_it_is() {
    let mut bench = Bench::new(5);
    let worker = bench.connect();
    for pages in [32, 64] {
        command(&mut bench, worker, &format!("DEFINE PSID(7) PAGES({pages})"));
        if pages == 32 {
            command(&mut bench, worker, "DELETE PSID(7)");
        }
    }
    // Nothing at all is logged between the definition and the point.
    bench.make_point(worker);
    command(&mut bench, worker, "DEFINE STGCLASS(SEVEN) PSID(7)");
    command(&mut bench, worker, "DEFINE QLOCAL(SEVEN) STGCLASS(SEVEN)");
    put(&mut bench, worker, "SEVEN", 0..40);
    let mut killed = bench.kill();
    remove(&killed, &[7]);
    let settings = RecoverSettings { page_sets: vec![set(7)], ..killed.settings() };
    let report = killed.recover_with(&settings).unwrap();
    assert_eq!((report.page_sets, report.from_log), (vec![set(7)], vec![]));
    check(killed, 0..40, None);
}

#[test]
fn a_point_that_ends_where_the_page_set_is_deleted_and_defined_again_is_known_to_be_older() {
    let mut bench = Bench::new(6);
    let worker = bench.connect();
    command(&mut bench, worker, "DEFINE PSID(7) PAGES(32)");
    bench.make_point(worker);
    command(&mut bench, worker, "DELETE PSID(7)");
    command(&mut bench, worker, "DEFINE PSID(7) PAGES(400)");
    command(&mut bench, worker, "DEFINE STGCLASS(SEVEN) PSID(7)");
    command(&mut bench, worker, "DEFINE QLOCAL(SEVEN) STGCLASS(SEVEN)");
    put(&mut bench, worker, "SEVEN", 0..200);
    let mut killed = bench.kill();
    remove(&killed, &[7]);
    let settings = RecoverSettings { page_sets: vec![set(7)], ..killed.settings() };
    assert_eq!(killed.recover_with(&settings).unwrap().from_log, [set(7)]);
    check(killed, 0..200, None);
}

#[test]
fn a_recovery_to_a_point_in_time_takes_the_page_set_that_was_there_then() {
    for redefined in [false, true] {
        let Story { mut killed, before, amid } = story(2, true);
        let settings = killed.settings();
        let target = RecoveryTarget::Rba(if redefined { amid } else { before });
        let end = PointInTime { target, accept_loss: true, random: 99 };
        killed.clock += 1000;
        let now = Timestamp(killed.clock);
        let report = recover_to(&killed.storage, &settings, Some(end), now, &mut |_| {}).unwrap();
        assert!(report.recovered);
        if redefined {
            assert_eq!(report.from_log, [set(7), set(8)]);
            check(killed, 130..350, Some(520..600));
        } else {
            // The copy in the point is of the page set of then; 08 was not there yet.
            assert!(report.page_sets.contains(&set(7)) && report.from_log == [set(8)], "{report:?}");
            let core = bench::start(&killed.storage, killed.clock + 10_000);
            let Killed { faulty, storage, clock, expected } = killed;
            let mut bench = Bench { faulty, storage, core, clock: clock + 10_000, expected };
            let worker = bench.connect();
            command(&mut bench, worker, "ALTER STGCLASS(SEVEN) PSID(7)");
            put(&mut bench, worker, "SEVEN", 0..50);
            // What was defined behind the cut says nothing of the history that began there.
            let mut killed = bench.kill();
            killed.clock += 20_000;
            remove(&killed, &[7]);
            let settings = RecoverSettings { page_sets: vec![set(7)], ..killed.settings() };
            let report = killed.recover_with(&settings).unwrap();
            assert_eq!((report.page_sets, report.from_log), (vec![set(7)], vec![]));
            check(killed, 0..50, None);
        }
    }
}

#[test]
fn a_recovery_that_makes_page_sets_anew_killed_at_any_moment_finishes_when_it_is_run_again() {
    let mut kills = 0;
    for step in 0.. {
        let Story { mut killed, .. } = story(3, false);
        remove(&killed, &[7]);
        let settings = RecoverSettings { page_sets: vec![set(7), set(8)], ..killed.settings() };
        // Every operation at the beginning and the end, fewer where pages are written.
        let operation = killed.faulty.control().operations() + 1 + step * 3;
        killed.faulty.control().stop_at(Some(operation));
        let done = killed.recover_with(&settings);
        let stopped = killed.faulty.control().stopped();
        killed.faulty.control().stop_at(None);
        if stopped {
            kills += 1;
            if step % 2 == 0 {
                killed.faulty.control().kill();
            }
            killed.faulty.control().crash();
            killed.recover_with(&settings).unwrap();
        } else {
            done.unwrap();
        }
        check(killed, 130..370, Some(520..610));
        if !stopped {
            break;
        }
    }
    assert!(kills > 10, "{kills}");
}

#[test]
fn another_site_makes_it_anew_from_the_archives() {
    let Story { killed, .. } = story(4, true);
    carry_archives(&killed);
    move_away(&killed);
    let anew = sites::settings(AnewSource::Archives(PathBuf::from(ARCHIVES)));
    let plan = AnewPlan::make(&killed.storage, &anew, &mut |_, _| {}).unwrap();
    assert_eq!(plan.from_log, [set(7), set(8)]);
    sites::make(&killed.storage, &anew, killed.clock + 50).unwrap();
    check(killed, 130..370, Some(520..610));
}

#[test]
fn a_bsds_that_was_made_anew_knows_where_page_sets_were_defined() {
    let Story { mut killed, .. } = story(7, true);
    remove(&killed, &[7]);
    for name in ["BSDS01", "BSDS02"] {
        killed.storage.remove(&Path::new(DIR).join(name)).unwrap();
    }
    killed.storage.sync_dir(Path::new(DIR)).unwrap();
    let settings = RebuildSettings { dir: PathBuf::from(DIR), accept_loss: false, dry_run: false };
    rebuild(&killed.storage, &settings, Timestamp(killed.clock + 10), &mut |_, _| {}).unwrap();
    // The file of one is there, that of the other is not.
    for number in [7, 8] {
        let settings = RecoverSettings { page_sets: vec![set(number)], ..killed.settings() };
        assert_eq!(killed.recover_with(&settings).unwrap().from_log, [set(number)]);
    }
    check(killed, 130..370, Some(520..610));
}
