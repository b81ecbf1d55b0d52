//! Both copies of the BSDS are lost: made anew, an ordinary start loses nothing.

mod bench;

use std::path::{Path, PathBuf};

use bench::{Bench, DIR, Killed, POINT, contents};
use engine_log::LogError;
use engine_storage::{OpenMode, SharedStorage};
use format_protocol::{Reply, Request};
use format_types::{Rba, Timestamp};
use operation_points::{PointError, RebuildSettings, list_points, rebuild};

fn settings() -> RebuildSettings {
    RebuildSettings { dir: PathBuf::from(DIR), accept_loss: false, dry_run: false }
}

fn rebuilt(killed: &Killed, settings: &RebuildSettings) -> Result<engine_log::RebuiltBsds, PointError> {
    rebuild(&killed.storage, settings, Timestamp(killed.clock + 10), &mut |_, _| {})
}

fn lose_bsds(killed: &Killed) {
    for name in ["BSDS01", "BSDS02"] {
        let path = Path::new(DIR).join(name);
        if killed.storage.exists(&path).unwrap() {
            killed.storage.remove(&path).unwrap();
        }
    }
    killed.storage.sync_dir(Path::new(DIR)).unwrap();
}

fn write(storage: &SharedStorage, name: &str, bytes: &[u8]) {
    let file = storage.open(&Path::new(DIR).join(name), OpenMode::CreateNew).unwrap();
    file.write_at(0, bytes).unwrap();
    file.sync().unwrap();
    storage.sync_dir(Path::new(DIR)).unwrap();
}

/// Killed after `count` messages, with a point when asked for.
fn killed(seed: u64, count: usize, point: bool) -> Killed {
    let mut bench = Bench::new(seed);
    let connection = bench.connect();
    bench.put(connection, count / 2);
    if point {
        bench.make_point(connection);
    }
    bench.put(connection, count - count / 2);
    bench.kill()
}

#[test]
fn an_ordinary_start_loses_nothing() {
    for (seed, count, point) in
        [(1, 3, false), (2, 60, false), (3, 60, true), (4, 500, true), (5, 900, false)]
    {
        let site = killed(seed, count, point);
        let known = list_points(&site.storage, Path::new(DIR)).unwrap().len();
        assert_eq!(known, usize::from(point));
        lose_bsds(&site);
        let made = rebuilt(&site, &settings()).unwrap_or_else(|error| panic!("{count}: {error}"));
        assert!(made.missing.is_empty());
        assert!(!made.bsds.checkpoints.is_empty() && made.bsds.page_sets.len() == 3);
        site.check();
    }
}

/// What was unsynced is torn or gone, in each copy of the log another part of it.
#[test]
fn after_a_power_cut_an_ordinary_start_loses_nothing_either() {
    for seed in 0..24u64 {
        let mut bench = Bench::new(100 + seed);
        let connection = bench.connect();
        bench.put(connection, usize::try_from(seed * 37 % 400).unwrap());
        if seed % 3 == 0 {
            bench.make_point(connection);
        }
        let open = bench.connect();
        for _ in 0..seed % 7 {
            let put = Request::Put {
                queue: bench::queue(),
                priority: None,
                persistent: Some(true),
                syncpoint: true,
                body: vec![9; 3000],
            };
            assert!(matches!(bench.call(open, put), Reply::Put { .. }));
        }
        bench.put(connection, usize::try_from(seed * 11 % 60).unwrap());
        let Bench { faulty, core, clock, expected, .. } = bench;
        drop(core);
        faulty.control().crash();
        let site = Killed { storage: faulty.shared(), faulty, clock, expected };
        lose_bsds(&site);
        let made = rebuilt(&site, &settings()).unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        assert!(made.missing.is_empty(), "seed {seed}: {:?}", made.missing);
        site.check();
    }
}

#[test]
fn a_clean_stop_and_a_page_set_that_is_lost_too() {
    let mut bench = Bench::new(6);
    let connection = bench.connect();
    bench.put(connection, 40);
    bench.make_point(connection);
    bench.put(connection, 300);
    bench.core.stop(true);
    bench.core.run_to_stop().unwrap();
    let mut site = bench.kill();
    lose_bsds(&site);
    site.storage.remove(&Path::new(DIR).join("PSID01")).unwrap();
    let made = rebuilt(&site, &settings()).unwrap();
    assert!(made.notes.iter().any(|note| note.contains("page set 01")), "{:?}", made.notes);
    assert_eq!(made.bsds.page_sets.len(), 3);
    site.recover().unwrap();
    site.check();
}

#[test]
fn after_a_new_history_it_works_as_well() {
    for (count, archive_again) in [(10, false), (500, true)] {
        let mut bench = Bench::new(7);
        let connection = bench.connect();
        bench.put(connection, 40);
        bench.make_point(connection);
        bench.put(connection, 200);
        let mut site = bench.kill();
        // Cut where the log ends: nothing is lost, and a history begins.
        let end = engine_log::LogReader::open(&site.storage, Path::new(DIR)).unwrap().find_end().unwrap().end;
        let cut = operation_points::PointInTime {
            target: operation_points::RecoveryTarget::Rba(end),
            accept_loss: true,
            random: 5,
        };
        let recover = site.settings();
        site.clock += 1000;
        operation_points::recover_to(&site.storage, &recover, Some(cut), Timestamp(site.clock), &mut |_| {})
            .unwrap();
        site.clock += 1000;
        let core = bench::start(&site.storage, site.clock);
        let Killed { faulty, storage, clock, expected } = site;
        let mut bench = Bench { faulty, storage, core, clock, expected };
        let connection = bench.connect();
        bench.put(connection, count);
        let offloaded = bench.core.bsds().archives.iter().any(|log| log.history.number == 2);
        assert_eq!(offloaded, archive_again);
        let site = bench.kill();
        lose_bsds(&site);
        let made = rebuilt(&site, &settings()).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(made.bsds.histories.len(), 2);
        assert!(!made.bsds.active_logs.iter().any(|log| log.status.stopped), "{:?}", made.bsds.active_logs);
        assert_eq!(made.bsds.histories[1].parent.map(|(_, cut)| cut), Some(end));
        site.check();
    }
}

#[test]
fn what_stands_against_it_is_named_and_nothing_is_written() {
    let site = killed(8, 200, true);
    let refused = |settings: &RebuildSettings| {
        let before = contents(&site.storage, Path::new(DIR));
        let error = rebuilt(&site, settings).unwrap_err();
        assert_eq!(error.code().number(), 12, "{error}");
        assert!(contents(&site.storage, Path::new(DIR)) == before, "something was touched: {error}");
        error
    };
    assert!(matches!(refused(&settings()), PointError::Log(LogError::GoodBsds { .. })));
    // One good copy is enough for a start.
    let kept = contents(&site.storage, Path::new(DIR));
    site.storage.remove(&Path::new(DIR).join("BSDS01")).unwrap();
    assert!(matches!(refused(&settings()), PointError::Log(LogError::GoodBsds { .. })));
    lose_bsds(&site);

    // Somebody else's page set.
    let other = bench::new_queue_manager([8, 10]);
    engine_queue_manager::create(&site.storage, Path::new("QM2"), &other, Timestamp(9_000_000)).unwrap();
    let ours = &kept[Path::new("PSID02")];
    site.storage.remove(&Path::new(DIR).join("PSID02")).unwrap();
    write(&site.storage, "PSID02", &contents(&site.storage, Path::new("QM2"))[Path::new("PSID02")]);
    let error = refused(&settings());
    assert!(error.to_string().contains("page set 02"), "{error}");
    site.storage.remove(&Path::new(DIR).join("PSID02")).unwrap();
    write(&site.storage, "PSID02", ours);

    // An active log is missing: only the BSDS knew whether it was whole elsewhere.
    let log = "LOGCOPY2.DS01";
    site.storage.remove(&Path::new(DIR).join(log)).unwrap();
    let error = refused(&settings());
    assert!(
        matches!(&error, PointError::LogsMissing(all) if all.iter().any(|one| *one == format!("{log} is not here"))),
        "{error}"
    );
    let before = contents(&site.storage, Path::new(DIR));
    let dry = RebuildSettings { dry_run: true, ..settings() };
    assert!(!rebuilt(&site, &dry).unwrap().missing.is_empty());
    assert!(contents(&site.storage, Path::new(DIR)) == before);

    let lock = site.storage.lock(&Path::new(DIR).join("LOCK")).unwrap().unwrap();
    assert!(matches!(refused(&settings()), PointError::InUse(_)));
    drop(lock);
    let nowhere = RebuildSettings { dir: PathBuf::from("QM9"), ..settings() };
    assert!(matches!(refused(&nowhere), PointError::NoQueueManager(_)));
    let point = RebuildSettings { dir: PathBuf::from(POINT), ..settings() };
    assert!(matches!(refused(&point), PointError::Log(LogError::NoLog)));

    let accepted = RebuildSettings { accept_loss: true, ..settings() };
    rebuilt(&site, &accepted).unwrap();
    site.check();
}

#[test]
fn stopped_at_any_operation_running_again_finishes() {
    let whole = killed(9, 60, false);
    lose_bsds(&whole);
    let before = whole.faulty.control().operations();
    rebuilt(&whole, &settings()).unwrap();
    let total = whole.faulty.control().operations() - before;
    assert!(total > 10);
    for stop in 1..=total {
        let site = killed(9, 60, false);
        lose_bsds(&site);
        let control = site.faulty.control();
        control.stop_at(Some(control.operations() + stop));
        let _ = rebuilt(&site, &settings());
        control.stop_at(None);
        control.crash();
        match rebuilt(&site, &settings()) {
            Ok(_) | Err(PointError::Log(LogError::GoodBsds { .. })) => {}
            Err(error) => panic!("stopped at {stop} of {total}: {error}"),
        }
        site.check();
    }
}

#[test]
fn the_end_that_page_sets_have_seen_must_be_there() {
    // Both copies of the newest log are taken back to an earlier state: what is left looks like a whole log.
    let mut bench = Bench::new(10);
    let connection = bench.connect();
    bench.put(connection, 20);
    let early = contents(&bench.storage, Path::new(DIR));
    bench.put(connection, 60);
    bench.core.stop(true);
    bench.core.run_to_stop().unwrap();
    let site = bench.kill();
    lose_bsds(&site);
    for (name, bytes) in early.iter().filter(|(name, _)| name.to_string_lossy().starts_with("LOGCOPY")) {
        let file = site.storage.open(&Path::new(DIR).join(name), OpenMode::ReadWrite).unwrap();
        file.write_at(0, bytes).unwrap();
    }
    let error = rebuilt(&site, &settings()).unwrap_err();
    assert!(matches!(&error, PointError::Log(LogError::Damage { rba, .. }) if *rba > Rba::ZERO), "{error}");
}

#[test]
fn archives_that_cannot_be_read_are_named_and_needed_log_is_not_done_without() {
    let site = killed(14, 900, true);
    let lost = engine_log::read_bsds(&site.storage, Path::new(DIR)).unwrap();
    let point = lost.recovery_points[0].clone();
    let needed = point.system_recovery.lowest().rba;
    let spoil = |name: &str| {
        let file = site.storage.open(&Path::new(DIR).join(name), OpenMode::ReadWrite).unwrap();
        file.write_at(0, &vec![0xEE; file.len().unwrap() as usize]).unwrap();
    };
    lose_bsds(&site);
    // Nobody needs the log of this one any more.
    let old = lost.archives.iter().find(|archive| archive.range.end <= needed).unwrap();
    spoil(&old.name);
    let dry = RebuildSettings { dry_run: true, ..settings() };
    let made = rebuilt(&site, &dry).unwrap();
    assert_eq!(made.unusable.len(), 1);
    assert!(made.unusable[0].name == old.name && made.gaps.is_empty(), "{:?}", made.gaps);
    // The point alone needs the log of this one: the active logs went on long ago.
    let archive = lost.archives.iter().find(|archive| archive.range.contains(needed)).unwrap();
    let actives = lost.active_logs.iter().filter_map(|log| log.range).map(|range| range.start).min().unwrap();
    assert!(archive.range.end <= actives, "{:?}, {actives}", archive.range);
    spoil(&archive.name);
    let before = contents(&site.storage, Path::new(DIR));
    let error = rebuilt(&site, &settings()).unwrap_err();
    assert_eq!(error.code().number(), 12);
    let text = error.to_string();
    assert!(text.starts_with("HWT564E"), "{text}");
    assert!(
        text.contains(&point.name) && text.contains(&archive.name) && !text.contains(&old.name),
        "{text}"
    );
    assert!(contents(&site.storage, Path::new(DIR)) == before);
    // Not here at all: it may be kept elsewhere, and is named.
    let (path, aside) = (Path::new(DIR).join(&archive.name), PathBuf::from("ASIDE"));
    site.storage.rename(&path, &aside).unwrap();
    let made = rebuilt(&site, &dry).unwrap();
    assert!(made.unusable.len() == 1 && made.gaps.len() == 1 && !made.gaps[0].is_loss(), "{:?}", made.gaps);
    site.storage.rename(&aside, &path).unwrap();
    let accepted = RebuildSettings { accept_loss: true, ..settings() };
    assert_eq!(rebuilt(&site, &accepted).unwrap().gaps.len(), 1);
    site.check();
}
