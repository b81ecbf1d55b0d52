//! Points looked at in part, proved by a recovery, and recovered as far as deletions left their log.

mod bench;

use std::path::Path;

use bench::{Bench, DIR, Killed, POINT};
use engine_log::{LogError, update_bsds_at_rest};
use engine_storage::{FaultRates, OpenMode};
use format_protocol::Request;
use format_types::{PointState, Timestamp};
use operation_points::{
    DeepReport, DeepSettings, Driver, Point, PointError, PointInTime, RecoveryTarget, recover_to,
    verify_deep, verify_point, verify_point_while,
};

fn deep(killed: &Killed) -> DeepReport {
    let point = Point::open(&killed.storage, Path::new(POINT)).unwrap();
    let settings = DeepSettings { scratch: None, driver: Driver::Steps, random: 7 };
    let now = Timestamp(killed.clock + 99);
    verify_deep(&killed.storage, &point, Some(Path::new(DIR)), &settings, now, &mut |_| {}).unwrap()
}

/// Nothing but the queue manager and its point is there, and the queue manager is as it was.
fn unchanged(killed: &Killed, work: impl FnOnce(&Killed)) {
    let image = killed.faulty.control().image();
    let names = killed.storage.list(Path::new("")).unwrap();
    work(killed);
    assert!(killed.faulty.control().image().differences(&image, Path::new(DIR)).is_empty());
    assert_eq!(killed.storage.list(Path::new("")).unwrap(), names);
}

#[test]
fn a_deep_look_recovers_in_a_scratch_directory_and_touches_nothing_else() {
    for seed in 0..3 {
        let (killed, manifest) = Bench::killed_with_point(seed);
        unchanged(&killed, |killed| {
            let report = deep(killed);
            assert_eq!((&report.failure, report.state), (&None, PointState::Verified), "seed {seed}");
            assert_eq!((report.page_sets.len(), report.left.clone()), (3, None));
            assert!(report.forward.unwrap().end >= manifest.end && report.records > 50, "{report:?}");
        });
    }
}

#[test]
fn lack_of_room_is_not_the_points_fault_and_a_damaged_page_is() {
    let (killed, _) = Bench::killed_with_point(4);
    let control = killed.faulty.control();
    control.set_rates(FaultRates {
        write_error: 1_000_000,
        only: Some(".restoring".to_owned()),
        ..FaultRates::default()
    });
    unchanged(&killed, |killed| {
        let report = deep(killed);
        assert!(report.failure.is_some());
        assert_eq!((report.state, report.left), (PointState::Unverified, None));
    });
    control.set_rates(FaultRates::default());
    let file = killed.storage.open(&Path::new(POINT).join("PSID01"), OpenMode::ReadWrite).unwrap();
    file.write_at(3 * 4096 + 100, &[0xFF; 8]).unwrap();
    unchanged(&killed, |killed| {
        let report = deep(killed);
        assert_eq!(report.state, PointState::Damaged, "{report:?}");
        assert!(report.failure.unwrap().contains("HWT515E"));
    });
}

#[test]
fn a_look_that_is_ended_says_nothing_of_the_point() {
    let (killed, _) = Bench::killed_with_point(5);
    let point = Point::open(&killed.storage, Path::new(POINT)).unwrap();
    let mut asked = 0;
    let whole = verify_point_while(&killed.storage, &point, Some(Path::new(DIR)), &mut |_, _| {
        asked += 1;
        true
    });
    assert!(whole.unwrap().is_some());
    assert!(asked > 3, "{asked}");
    for last in 1..=asked {
        let mut count = 0;
        let ended = verify_point_while(&killed.storage, &point, Some(Path::new(DIR)), &mut |_, _| {
            count += 1;
            count < last
        });
        assert_eq!(ended.unwrap(), None, "ended at question {last} of {asked}");
    }
}

#[test]
fn a_point_whose_log_was_deleted_on_purpose_behind_its_copies_recovers_to_their_end() {
    let mut bench = Bench::new(6);
    let connection = bench.connect();
    bench.put(connection, 40);
    let manifest = bench.make_point(connection);
    for _ in 0..6 {
        bench.put(connection, 40);
        let archive = Request::ArchiveLog { quiesce: None, wait_offload: true, cancel_offload: false };
        bench.call(connection, archive);
    }
    let killed = bench.kill();
    let point = Point::open(&killed.storage, Path::new(POINT)).unwrap();
    let verify = || verify_point(&killed.storage, &point, Some(Path::new(DIR)), &mut |_, _| {}).unwrap();
    assert_eq!(verify().code().number(), 0);
    // The first archive behind the copies that no active log has any more.
    let bsds = engine_log::read_bsds(&killed.storage, Path::new(DIR)).unwrap();
    let in_active = |range: format_types::RbaRange| {
        bsds.active_logs.iter().filter_map(|log| log.range).any(|active| active.meets(&range))
    };
    let gone = bsds.archives.iter().find(|log| log.range.start >= manifest.end && !in_active(log.range));
    let gone = gone.expect("archives behind the point").clone();
    let path = Path::new(DIR).join(&gone.name);
    killed.storage.remove(&path).unwrap();
    let lost = verify();
    assert_eq!((lost.code().number(), lost.state, lost.log_missing.len()), (8, PointState::Unverified, 1));
    update_bsds_at_rest(&killed.storage, Path::new(DIR), |bsds| {
        bsds.drop_archives(|archive| archive.name == gone.name);
        Ok::<_, LogError>(())
    })
    .unwrap();
    let deleted = verify();
    assert_eq!(
        (deleted.code().number(), deleted.state, deleted.log_missing.len()),
        (4, PointState::Verified, 0)
    );
    assert_eq!(deleted.log_deleted, [gone.range]);
    let proof = deep(&killed);
    // The first record of the history that begins there follows.
    assert_eq!(proof.failure, None);
    assert_eq!(proof.forward.unwrap().end.ci_start(), manifest.end, "{proof:?}");
    // A recovery to the end of the log is refused and says how far it goes; so far, it goes.
    let mut killed = killed;
    killed.remove_page_sets();
    let refused = killed.recover().unwrap_err();
    assert!(matches!(refused, PointError::LogDeleted { .. }), "{refused}");
    assert!(refused.to_string().contains(&manifest.end.to_string()), "{refused}");
    let end = PointInTime { target: RecoveryTarget::Rba(manifest.end), accept_loss: true, random: 8 };
    let now = Timestamp(killed.clock + 199);
    let report = recover_to(&killed.storage, &killed.settings(), Some(end), now, &mut |_| {}).unwrap();
    assert!(report.recovered);
}
