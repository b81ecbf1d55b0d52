//! Changes of the inventory that programs ask for: live, and where the queue manager is down.

use std::path::Path;

use engine_log::{LogReader, compare_copies, read_bsds};
use engine_queue_manager::client::ClientError;
use engine_queue_manager::{BsdsChanged, ChangeError, Job, NewQueueManager, change_at_rest};
use engine_storage::{FaultRates, SharedStorage};
use format_bsds::{Bsds, Hole, PointState};
use format_protocol::{PointMethod, PointRegistration, Reply, Request};
use format_types::{ArchiveReference, PageSetId, Rba, RbaRange, Timestamp};

use crate::bench::{Bench, DIR, put, small};

fn dual() -> NewQueueManager {
    NewQueueManager { dual_archives: true, ..small() }
}

fn hold(point: &str, reason: &str, until: Option<u64>) -> Request {
    let until = until.map(Timestamp);
    Request::HoldPoint { point: point.to_owned(), reason: reason.to_owned(), until }
}

fn release(point: &str) -> Request {
    Request::ReleasePoint { point: point.to_owned() }
}

fn forget(point: &str, definitions: Option<&str>) -> Request {
    Request::ForgetPoint { point: point.to_owned(), definitions: definitions.map(str::to_owned) }
}

fn note(point: &str, made: u64, state: PointState, at: u64) -> Request {
    Request::NotePoint { point: point.to_owned(), made: Timestamp(made), state, at: Timestamp(at) }
}

/// Registers a point of the page sets, made at `at`.
fn point(bench: &mut Bench, name: &str, at: u64, page_sets: &[u8], state: PointState) {
    let connection = bench.connect();
    let reply = bench.call(connection, Request::RegisterBackup { name: name.to_owned() });
    let Reply::Backup { usage, start, history, .. } = reply else { panic!("{reply:?}") };
    let entry = PointRegistration {
        name: name.to_owned(),
        directory: format!("/points/{name}"),
        method: PointMethod::Fuzzy,
        state,
        at: Timestamp(at),
        history,
        start,
        end: start,
        page_sets: page_sets.iter().map(|id| (PageSetId::new(*id).unwrap(), start)).collect(),
        system_recovery: usage.system_recovery,
    };
    let reply = bench.call(connection, Request::FinishBackup { entry });
    assert!(matches!(reply, Reply::BackupFinished { .. }), "{reply:?}");
    bench.core.disconnect(connection);
}

fn changed(bench: &mut Bench, request: Request) -> (u64, Vec<String>) {
    let connection = bench.connect();
    let reply = bench.call(connection, request);
    bench.core.disconnect(connection);
    match reply {
        Reply::BsdsChanged { facts, lines, sequence } => {
            assert_eq!(sequence, bench.core.bsds().sequence);
            (facts, lines)
        }
        other => panic!("{other:?}"),
    }
}

fn refused(bench: &mut Bench, request: Request) -> String {
    let before = bench.core.bsds().clone();
    let connection = bench.connect();
    let reply = bench.call(connection, request);
    bench.core.disconnect(connection);
    assert_eq!(*bench.core.bsds(), before);
    match reply {
        Reply::Error { code, id, .. } => {
            assert_eq!(code.number(), 12);
            id
        }
        other => panic!("{other:?}"),
    }
}

/// Both copies on disk say what the core says.
fn both_copies_say_it(bench: &Bench) {
    for copy in ["BSDS01", "BSDS02"] {
        let path = Path::new(DIR).join(copy);
        let bytes = engine_storage::durable::read_file(bench.storage.as_ref(), &path, 1 << 30).unwrap();
        assert_eq!(format_bsds::decode_file(&bytes).newest.as_ref(), Some(bench.core.bsds()), "{copy}");
    }
}

fn archive_log(bench: &mut Bench) {
    let connection = bench.connect();
    let request = Request::ArchiveLog { quiesce: None, wait_offload: true, cancel_offload: false };
    let reply = bench.call(connection, request);
    assert!(matches!(reply, Reply::LogArchived { .. }), "{reply:?}");
    bench.core.disconnect(connection);
}

/// Archives of which today's restart needs none of the first ones.
fn with_archives(bench: &mut Bench) {
    bench.define("DEFINE QLOCAL(A)");
    let connection = bench.connect();
    for _ in 0..6 {
        for _ in 0..20 {
            bench.put(connection, "A", &[7; 2000]);
        }
        archive_log(bench);
        bench.wait_seconds(1);
    }
    bench.core.disconnect(connection);
}

fn archives(bsds: &Bsds, count: usize) -> Vec<ArchiveReference> {
    bsds.archives.iter().take(count).map(format_bsds::ArchiveLog::reference).collect()
}

fn mark(bsds: &Bsds, archives: &[ArchiveReference]) -> Request {
    Request::MarkArchives { archives: archives.to_vec(), facts: bsds.facts() }
}

fn remove(storage: &SharedStorage, archive: &ArchiveReference) {
    storage.remove(&Path::new(DIR).join(&archive.name)).unwrap();
    storage.sync_dir(Path::new(DIR)).unwrap();
}

#[test]
fn points_are_held_released_noted_and_forgotten_durably() {
    let mut bench = Bench::new();
    for (name, at) in [("P1", 5), ("P2", 6)] {
        point(&mut bench, name, at, &[0, 1, 2, 3], PointState::Verified);
    }
    let (facts, lines) = changed(&mut bench, hold("P1", "audit", Some(9_000_000_000)));
    assert!(lines[0].starts_with("HWT451I RECOVERY POINT P1 IS HELD UNTIL 1970-01-01 02:30:00"), "{lines:?}");
    assert_eq!(facts, bench.core.bsds().facts());
    changed(&mut bench, hold("P1", "year end", None));
    // The same reason once more: the time changes, and an update that says nothing new is none.
    changed(&mut bench, hold("P1", "audit", None));
    let sequence = bench.core.bsds().sequence;
    changed(&mut bench, hold("P1", "audit", None));
    assert_eq!(bench.core.bsds().sequence, sequence);
    let holds: Vec<_> =
        bench.core.bsds().holds.iter().map(|hold| (hold.reason.as_str(), hold.until)).collect();
    assert_eq!(holds, [("audit", None), ("year end", None)]);
    both_copies_say_it(&bench);
    for (bad, id) in [
        (hold("NONE", "why", None), "HWT481E"),
        (hold("P1", " ", None), "HWT482E"),
        (hold("P1", &"x".repeat(201), None), "HWT482E"),
        (hold("P1", "two\nlines", None), "HWT482E"),
        (hold("P1", "late", Some(1)), "HWT482E"),
        (release("P2"), "HWT483E"),
        (release("NONE"), "HWT481E"),
        (forget("P1", Some("P2")), "HWT484E"),
        (note("P1", 4, PointState::Verified, 7), "HWT481E"),
    ] {
        assert_eq!(refused(&mut bench, bad.clone()), id, "{bad:?}");
    }
    bench.kill_and_start();
    assert_eq!(bench.core.bsds().holds.len(), 2);
    assert_eq!(changed(&mut bench, release("P1")).1.len(), 2);
    assert!(bench.core.bsds().holds.is_empty());

    changed(&mut bench, note("P1", 5, PointState::Verified, 70));
    changed(&mut bench, note("P1", 5, PointState::Damaged, 80));
    let entry = bench.core.bsds().recovery_points[0].clone();
    assert_eq!((entry.state, entry.verified_at), (PointState::Damaged, Some(Timestamp(70))));
    both_copies_say_it(&bench);
    changed(&mut bench, forget("P1", Some("P2")));
    assert_eq!(bench.core.bsds().recovery_points.len(), 1);
    assert_eq!(refused(&mut bench, forget("P1", Some("P2"))), "HWT481E");
    both_copies_say_it(&bench);
    assert!(bench.console.iter().any(|line| line.starts_with("HWT453I QM1 RECOVERY POINT P1 IS FORGOTTEN")));
}

#[test]
fn a_point_that_something_needs_is_not_forgotten() {
    let mut bench = Bench::new();
    point(&mut bench, "ALL", 5, &[0, 1, 2, 3], PointState::Verified);
    point(&mut bench, "SOME", 6, &[0, 1], PointState::Verified);
    point(&mut bench, "BAD", 7, &[0, 1, 2, 3], PointState::Damaged);
    // Page sets 02 and 03 are covered by nothing else that counts.
    assert_eq!(refused(&mut bench, forget("ALL", Some("SOME"))), "HWT486E");
    // The point that is said to have the newest definitions must be there, and be another one.
    for other in ["SOME", "NONE"] {
        assert_eq!(refused(&mut bench, forget("SOME", Some(other))), "HWT487E");
    }
    changed(&mut bench, forget("SOME", Some("ALL")));
    // A damaged one covers nothing.
    changed(&mut bench, forget("BAD", Some("ALL")));
    assert_eq!(refused(&mut bench, forget("ALL", None)), "HWT486E");
    point(&mut bench, "NEXT", 8, &[0, 1, 2, 3], PointState::Verified);
    // A hold that has ended holds nothing, and goes with its point.
    let until = bench.clock + 1_000_000;
    changed(&mut bench, hold("ALL", "a moment", Some(until)));
    assert_eq!(refused(&mut bench, forget("ALL", Some("NEXT"))), "HWT484E");
    bench.wait_seconds(2);
    changed(&mut bench, forget("ALL", Some("NEXT")));
    assert!(bench.core.bsds().holds.is_empty());
}

#[test]
fn archives_are_marked_deleted_and_leave_a_hole() {
    let mut bench = Bench::of(&dual());
    with_archives(&mut bench);
    point(&mut bench, "P1", 5, &[0, 1, 2, 3], PointState::Verified);
    let before = bench.core.bsds().clone();
    let old = archives(&before, 4);
    assert_eq!(old.iter().map(|archive| archive.copy).collect::<Vec<_>>(), [1, 2, 1, 2]);
    let (facts, _) = changed(&mut bench, mark(&before, &old[..2]));
    // A mark is no fact: a second request goes on where the first one ended, also when the log has grown.
    assert_eq!(facts, before.facts());
    archive_log(&mut bench);
    changed(&mut bench, mark(&before, &old[2..]));
    assert_eq!(bench.core.bsds().archives.iter().filter(|archive| archive.deleting).count(), 4);
    both_copies_say_it(&bench);

    // As long as its file is there, a marked archive is read like any other.
    let line = RbaRange::new(old[0].range.start, old[3].range.end);
    let reader = LogReader::open(&bench.storage, Path::new(DIR)).unwrap();
    assert!(reader.missing(line).unwrap().is_empty());
    // Copy 1 of the first two goes: nothing is damaged, and nothing is lost.
    for archive in [&old[0], &old[2]] {
        remove(&bench.storage, archive);
    }
    let mut faults = Vec::new();
    let compared =
        compare_copies(&bench.storage, Path::new(DIR), line, &mut |fault| faults.push(fault)).unwrap();
    assert_eq!((faults, compared.lost), (Vec::new(), 0));
    let settle = |gone: &[&ArchiveReference], kept: &[&ArchiveReference]| Request::SettleArchives {
        gone: gone.iter().map(|archive| (*archive).clone()).collect(),
        kept: kept.iter().map(|archive| (*archive).clone()).collect(),
    };
    changed(&mut bench, settle(&[&old[0], &old[2]], &[]));
    assert!(bench.core.bsds().holes.is_empty());
    // Copy 2 of the first goes, of the second stays.
    remove(&bench.storage, &old[1]);
    changed(&mut bench, settle(&[&old[1]], &[&old[3]]));
    let bsds = bench.core.bsds().clone();
    assert_eq!(bsds.holes, [Hole { history: old[1].history, range: old[1].range }]);
    assert!(bsds.archives.iter().all(|archive| !archive.deleting));
    assert!(bsds.archives.iter().any(|archive| archive.is(&old[3])));
    both_copies_say_it(&bench);
    // Once more: it is so already.
    changed(&mut bench, settle(&[&old[1], &old[0]], &[&old[3]]));
    assert_eq!(*bench.core.bsds(), bsds);
    bench.kill_and_start();
    assert_eq!(bench.core.bsds().holes, bsds.holes);
    // What is not marked cannot be gone.
    assert_eq!(refused(&mut bench, settle(&[&old[3]], &[])), "HWT491E");
}

#[test]
fn archives_are_not_marked_when_the_plan_rests_on_other_facts_or_the_log_is_needed() {
    let mut bench = Bench::of(&dual());
    with_archives(&mut bench);
    point(&mut bench, "P1", 5, &[0, 1, 2, 3], PointState::Verified);
    let before = bench.core.bsds().clone();
    let old = archives(&before, 2);
    // Another hold, a backup in progress: other facts.
    changed(&mut bench, hold("P1", "audit", None));
    assert_eq!(refused(&mut bench, mark(&before, &old)), "HWT488E");
    changed(&mut bench, release("P1"));
    let backup = bench.connect();
    bench.call(backup, Request::RegisterBackup { name: "P2".to_owned() });
    assert_eq!(refused(&mut bench, mark(&before, &old)), "HWT488E");
    bench.core.disconnect(backup);
    // One that is another than the inventory's in any of the four.
    for wrong in [
        ArchiveReference { copy: 2, ..old[0].clone() },
        ArchiveReference { name: "ARCHLOG1.A9999999".to_owned(), ..old[0].clone() },
        ArchiveReference { range: RbaRange::new(Rba(0x1000), old[0].range.end), ..old[0].clone() },
        ArchiveReference { history: format_types::HistoryId { number: 1, random: 1 }, ..old[0].clone() },
    ] {
        assert_eq!(refused(&mut bench, mark(&before, &[old[1].clone(), wrong])), "HWT489E");
    }
    // The newest archive is what a restart would read.
    let newest = bench.core.bsds().archives.last().unwrap().reference();
    let needed = mark(&before, &[old[0].clone(), newest]);
    assert_eq!(refused(&mut bench, needed), "HWT490E");
    changed(&mut bench, mark(&before, &old));

    // A unit of recovery that is as old as the log holds it.
    let mut bench = Bench::of(&dual());
    bench.define("DEFINE QLOCAL(B)");
    let connection = bench.connect();
    bench.put_in_unit(connection, "B", b"open");
    with_archives(&mut bench);
    let bsds = bench.core.bsds().clone();
    assert_eq!(refused(&mut bench, mark(&bsds, &archives(&bsds, 1))), "HWT490E");
    bench.call(connection, Request::Commit);
    bench.settle();
    changed(&mut bench, mark(&bsds, &archives(&bsds, 1)));
}

#[test]
fn changes_are_made_while_the_log_is_full_and_while_it_is_offloaded() {
    let mut bench = Bench::faulty(&small(), 5);
    bench.define("DEFINE QLOCAL(A)");
    let connection = bench.connect();
    for _ in 0..6 {
        bench.put(connection, "A", &[7; 2000]);
        archive_log(&mut bench);
    }
    bench.wait_seconds(1);
    for (name, at) in [("P0", 4), ("P1", 5)] {
        point(&mut bench, name, at, &[0, 1, 2, 3], PointState::Verified);
    }
    // The offload is under way, and never comes to its end.
    bench.holds = |job| matches!(job, Job::Offload(_));
    let mut full = false;
    for _ in 0..10_000 {
        bench.ask(connection, put("A", &[7; 3000], false));
        full = bench.answer(connection).is_none();
        if full {
            break;
        }
    }
    assert!(full && !bench.held.is_empty());
    let bsds = bench.core.bsds().clone();
    let old = archives(&bsds, 1);
    changed(&mut bench, mark(&bsds, &old));
    remove(&bench.storage, &old[0]);
    changed(&mut bench, Request::SettleArchives { gone: old, kept: Vec::new() });
    for request in [
        hold("P1", "audit", None),
        release("P1"),
        note("P1", 5, PointState::Verified, 8),
        forget("P0", Some("P1")),
    ] {
        changed(&mut bench, request);
    }
    bench.run_held();
    bench.holds = |_| false;
    bench.settle();
    // What the offload knew of the inventory when it began does not come back.
    let bsds = bench.core.bsds();
    assert_eq!(bsds.holes.len(), 1);
    assert!(bsds.holds.is_empty() && bsds.recovery_points[0].verified_at == Some(Timestamp(8)));
    assert!(matches!(bench.answer(connection), Some(Reply::Put { .. })));
}

fn at_rest(bench: &Bench, request: &Request) -> Result<BsdsChanged, ChangeError> {
    change_at_rest(&bench.storage, Path::new(DIR), request, Timestamp(bench.clock))
}

fn refusal(result: Result<BsdsChanged, ChangeError>) -> String {
    match result {
        Err(ChangeError::Client(ClientError::Refused { code, id, .. })) if code.number() == 12 => id,
        other => panic!("{other:?}"),
    }
}

/// A queue manager that is down and has archives and two points.
fn down(seed: u64) -> (Bench, Bsds) {
    let mut bench = Bench::faulty(&dual(), seed);
    with_archives(&mut bench);
    for (name, at) in [("P1", 5), ("P2", 6)] {
        point(&mut bench, name, at, &[0, 1, 2, 3], PointState::Verified);
    }
    bench.kill();
    let bsds = read_bsds(&bench.storage, Path::new(DIR)).unwrap();
    (bench, bsds)
}

#[test]
fn the_same_changes_are_made_at_rest_and_the_next_start_knows_them() {
    let (mut bench, bsds) = down(6);
    let old = archives(&bsds, 2);
    assert_eq!(refusal(at_rest(&bench, &hold("NONE", "why", None))), "HWT481E");
    assert_eq!(refusal(at_rest(&bench, &release("P1"))), "HWT483E");
    let newest = bsds.archives.last().unwrap().reference();
    assert_eq!(refusal(at_rest(&bench, &mark(&bsds, &[newest]))), "HWT490E");
    assert_eq!(read_bsds(&bench.storage, Path::new(DIR)).unwrap(), bsds);
    for request in
        [hold("P2", "audit", None), note("P1", 5, PointState::Verified, 9), forget("P1", Some("P2"))]
    {
        let changed = at_rest(&bench, &request).unwrap();
        assert!(!changed.live && changed.lines.len() == 1);
    }
    let now = read_bsds(&bench.storage, Path::new(DIR)).unwrap();
    assert_eq!(refusal(at_rest(&bench, &mark(&bsds, &old))), "HWT488E");
    assert_eq!(at_rest(&bench, &mark(&now, &old)).unwrap().facts, now.facts());
    remove(&bench.storage, &old[0]);
    let settle = Request::SettleArchives { gone: vec![old[0].clone()], kept: vec![old[1].clone()] };
    at_rest(&bench, &settle).unwrap();
    bench.start();
    let bsds = bench.core.bsds();
    assert_eq!((bsds.recovery_points.len(), bsds.holds.len()), (1, 1));
    assert!(bsds.holes.is_empty() && !bsds.archives.iter().any(|archive| archive.is(&old[0])));
    // Whoever has the directory changes it, nobody else.
    let lock = bench.storage.lock(&Path::new(DIR).join("LOCK")).unwrap();
    let in_use = at_rest(&bench, &release("P2"));
    assert!(lock.is_none() || in_use.unwrap_err().to_string().starts_with("HWT412E"));
}

#[test]
fn a_change_at_rest_that_is_stopped_anywhere_is_made_or_not_made() {
    let requests: [fn(&Bsds) -> Request; 3] =
        [|_| hold("P1", "audit", None), |_| forget("P1", Some("P2")), |bsds| mark(bsds, &archives(bsds, 4))];
    for request in requests {
        let (mut old, mut new) = (0, 0);
        for stop_at in 1.. {
            let (mut bench, before) = down(7 + stop_at);
            let control = bench.control().clone();
            control.stop_at(Some(control.operations() + stop_at));
            let made = at_rest(&bench, &request(&before));
            let stopped = control.stopped();
            control.stop_at(None);
            control.crash();
            let after = read_bsds(&bench.storage, Path::new(DIR)).unwrap();
            let same = |bsds: &Bsds| Bsds { sequence: 0, ..bsds.clone() };
            if same(&after) == same(&before) {
                assert!(made.is_err(), "stopped at {stop_at}: said to be made, and is not");
                old += 1;
            } else {
                assert!(after.sequence > before.sequence);
                new += 1;
            }
            at_rest(&bench, &request(&before)).map(drop).unwrap_or_else(|error| {
                // It was made the first time.
                assert!(error.to_string().starts_with("HWT481E"), "stopped at {stop_at}: {error}");
            });
            bench.start();
            if !stopped {
                break;
            }
        }
        // Written and synced: to one copy before the change is made, to the other one after.
        assert!(old >= 2 && new >= 2, "{old} old states, {new} new ones");
    }
}

#[test]
fn a_deletion_that_was_killed_halfway_ends_with_the_files_that_are_there() {
    let (mut bench, bsds) = down(90);
    let old = archives(&bsds, 4);
    at_rest(&bench, &mark(&bsds, &old)).unwrap();
    // The first file is gone, and then the program.
    remove(&bench.storage, &old[0]);
    bench.control().crash();
    bench.start();
    let line = RbaRange::new(old[0].range.start, old[3].range.end);
    let mut faults = Vec::new();
    compare_copies(&bench.storage, Path::new(DIR), line, &mut |fault| faults.push(fault)).unwrap();
    assert!(faults.is_empty(), "{faults:?}");
    let connection = bench.connect();
    bench.put(connection, "A", b"goes on");
    archive_log(&mut bench);
    let settle = Request::SettleArchives { gone: vec![old[0].clone()], kept: old[1..].to_vec() };
    changed(&mut bench, settle);
    let bsds = bench.core.bsds();
    assert!(bsds.holes.is_empty() && bsds.archives.iter().all(|archive| !archive.deleting));
    // A file that is gone without a mark is damage.
    remove(&bench.storage, &old[1]);
    compare_copies(&bench.storage, Path::new(DIR), line, &mut |fault| faults.push(fault)).unwrap();
    assert!(!faults.is_empty());
    bench.control().set_rates(FaultRates::default());
}

#[test]
fn a_hundred_thousand_archives_are_deleted_in_one_request() {
    let (mut bench, bsds) = down(91);
    // Of a history that is on no line, so nothing needs them.
    let model = bsds.archives[0].clone();
    let history = format_types::HistoryId { number: 9, random: 9 };
    let many: Vec<_> = (0..100_000u64)
        .map(|number| format_bsds::ArchiveLog {
            name: format!("ARCHLOG1.A{:07}", number + 200_000),
            history,
            range: RbaRange::new(Rba(number * 8192), Rba(number * 8192 + 8192)),
            ..model.clone()
        })
        .collect();
    let references: Vec<_> = many.iter().map(format_bsds::ArchiveLog::reference).collect();
    engine_log::update_bsds_at_rest(&bench.storage, Path::new(DIR), |bsds| {
        bsds.archives.extend(many);
        Ok::<_, engine_log::LogError>(())
    })
    .unwrap();
    bench.start();
    let bsds = bench.core.bsds().clone();
    let request = mark(&bsds, &references);
    assert!(request.encode().is_ok());
    changed(&mut bench, request);
    // The first and the last stay, all others are one hole.
    let (first, last) = (references[0].clone(), references[99_999].clone());
    let settle = Request::SettleArchives { gone: references[1..99_999].to_vec(), kept: vec![first, last] };
    assert!(settle.encode().is_ok());
    changed(&mut bench, settle);
    let after = bench.core.bsds();
    assert_eq!(after.archives.len(), bsds.archives.len() - 99_998);
    let range = RbaRange::new(references[1].range.start, references[99_998].range.end);
    assert_eq!(after.holes, [Hole { history, range }]);
    both_copies_say_it(&bench);
}
