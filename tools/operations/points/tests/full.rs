//! Full points: made of a queue manager at rest, refused where there is none, stopped anywhere, and recovered from without older log.

mod bench;

use std::path::{Path, PathBuf};

use bench::{Bench, DIR, Killed, POINT, contents, queue, start};
use engine_storage::SharedStorage;
use format_manifest::Manifest;
use format_protocol::{Reply, Request};
use format_types::{PointMethod, PointState, Timestamp};
use operation_points::{FullPoint, FullSettings, FullStep, Point, PointError, list_points};

fn settings() -> FullSettings {
    FullSettings {
        dir: PathBuf::from(DIR),
        to: PathBuf::from(POINT),
        name: POINT.to_owned(),
        allow_in_doubt: false,
        include_log: false,
    }
}

/// A queue manager that was stopped for a copy, and what the stop printed.
struct Down {
    faulty: engine_storage::FaultyStorage,
    storage: SharedStorage,
    clock: u64,
    expected: Vec<Vec<u8>>,
    said: Vec<String>,
}

fn stop(mut bench: Bench, connection: engine_queue_manager::ConnectionId, allow_unresolved: bool) -> Down {
    let reply = bench.call(connection, Request::StopWhenAlone { allow_unresolved });
    let Reply::Stopping { lines } = reply else { panic!("{reply:?}") };
    let Bench { faulty, storage, core, clock, expected } = bench;
    drop(core);
    Down { faulty, storage, clock, expected, said: lines }
}

impl Down {
    fn make(&self, settings: &FullSettings) -> Result<Manifest, PointError> {
        let mut machine = FullPoint::begin(&self.storage, settings, &self.said, Timestamp(self.clock))?;
        loop {
            if let FullStep::Done(finished) = machine.step()? {
                return Ok(finished.manifest);
            }
        }
    }

    fn killed(self) -> Killed {
        Killed { faulty: self.faulty, storage: self.storage, clock: self.clock, expected: self.expected }
    }

    fn started(self) -> Bench {
        let clock = self.clock + 1000;
        let core = start(&self.storage, clock);
        Bench { faulty: self.faulty, storage: self.storage, core, clock, expected: self.expected }
    }
}

/// Stopped with messages in it.
fn down(seed: u64) -> Down {
    let mut bench = Bench::new(seed);
    let connection = bench.connect();
    bench.put(connection, 40);
    stop(bench, connection, false)
}

#[test]
fn a_full_point_needs_no_log_before_its_end() {
    for seed in 0..3 {
        let mut bench = Bench::new(seed);
        let connection = bench.connect();
        bench.put(connection, 400);
        let down = stop(bench, connection, false);
        let manifest = down.make(&settings()).unwrap();
        assert_eq!((manifest.method, manifest.state), (PointMethod::Full, PointState::Verified));
        assert_eq!((manifest.start, manifest.log_needed_from()), (manifest.end, manifest.end));
        assert!(manifest.page_sets.iter().all(|copy| copy.recovery_rba == manifest.end));
        assert_eq!(manifest.stopped.len(), 2, "{:?}", manifest.stopped);
        assert!(
            manifest.stopped[0].ends_with(&format!("configured={}", manifest.end)),
            "{:?}",
            manifest.stopped
        );
        let known = list_points(&down.storage, Path::new(DIR)).unwrap();
        assert_eq!(
            (known[0].method, known[0].start, known[0].end),
            (PointMethod::Full, manifest.end, manifest.end)
        );

        let mut bench = down.started();
        let connection = bench.connect();
        bench.put(connection, 600);
        let mut killed = bench.kill();
        killed.remove_page_sets();
        let bsds = engine_log::read_bsds(&killed.storage, Path::new(DIR)).unwrap();
        assert!(bsds.archives.iter().any(|log| log.range.start >= manifest.end), "the log has moved on");
        let below: Vec<_> = bsds.archives.iter().filter(|log| log.range.end <= manifest.end).collect();
        assert!(!below.is_empty(), "there is log from before the point");
        for log in below {
            killed.storage.remove(&Path::new(DIR).join(&log.name)).unwrap();
        }
        let report = killed.recover().unwrap();
        assert_eq!(report.needed.start, manifest.end);
        assert!(report.forward.start >= manifest.end, "{}", report.forward);
        killed.check();
    }
}

#[test]
fn what_it_says_at_rest_is_what_the_queue_manager_said() {
    let mut bench = Bench::new(4);
    let connection = bench.connect();
    bench.put(connection, 10);
    for statement in [
        "DEFINE STGCLASS(SECOND) PSID(02)",
        "DEFINE QLOCAL(APP.TWO) STGCLASS(SECOND) DESCR('it''s here')",
        "ALTER QLOCAL(APP.TWO) PUT(DISABLED)",
        "DEFINE QLOCAL(APP.GONE)",
        "DELETE QLOCAL(APP.GONE)",
    ] {
        let reply = bench.call(connection, Request::Mqsc { text: statement.to_owned() });
        assert!(matches!(&reply, Reply::Lines { code, .. } if code.number() == 0), "{statement}: {reply:?}");
    }
    let Reply::Definitions(definitions) = bench.call(connection, Request::Definitions) else { panic!() };
    let mut down = stop(bench, connection, false);
    let with = down.make(&settings()).unwrap();
    let text = contents(&down.storage, Path::new(POINT)).remove(Path::new("DEFINITIONS")).unwrap();
    assert_eq!(String::from_utf8(text).unwrap(), definitions.join("\n") + "\n");
    assert!(definitions.iter().any(|line| line.contains("APP.TWO") && line.contains("PUT(DISABLED)")));
    assert!(!definitions.iter().any(|line| line.contains("APP.GONE")));
    // Where nobody remembers what the stop printed, the files say it.
    down.said.clear();
    let second = FullSettings { to: PathBuf::from("T2"), name: "T2".to_owned(), ..settings() };
    assert_eq!(down.make(&second).unwrap().stopped, with.stopped);
    down.killed().check();
}

#[test]
fn the_stop_is_refused_while_anybody_else_is_there() {
    let mut bench = Bench::new(5);
    let (ours, other) = (bench.connect(), bench.connect());
    bench.put(other, 3);
    let reply = bench.call(ours, Request::StopWhenAlone { allow_unresolved: true });
    assert!(matches!(&reply, Reply::Applications { connected, .. } if connected == &["TEST"]), "{reply:?}");
    // It works on as if nothing had been asked.
    bench.put(other, 3);
    bench.core.disconnect(other);
    let reply = bench.call(ours, Request::Applications);
    assert!(matches!(&reply, Reply::Applications { connected, .. } if connected.is_empty()), "{reply:?}");
    bench.put(ours, 1);
    stop(bench, ours, false).killed().check();
}

/// A queue manager with a prepared unit of three messages, whose program has gone.
fn with_unit_in_doubt(seed: u64) -> Bench {
    let mut bench = Bench::new(seed);
    let connection = bench.connect();
    bench.put(connection, 5);
    for number in 0..3 {
        let body = format!("in doubt {number}").into_bytes();
        let put =
            Request::Put { queue: queue(), priority: None, persistent: Some(true), syncpoint: true, body };
        assert!(matches!(bench.call(connection, put), Reply::Put { .. }));
    }
    assert!(matches!(bench.call(connection, Request::Prepare { xid: vec![1] }), Reply::Prepared));
    bench.core.disconnect(connection);
    bench.settle();
    bench
}

#[test]
fn units_in_doubt_are_refused_or_make_it_a_fuzzy_one() {
    let mut bench = with_unit_in_doubt(6);
    let connection = bench.connect();
    let reply = bench.call(connection, Request::StopWhenAlone { allow_unresolved: false });
    let Reply::Applications { connected, unresolved } = reply else { panic!("{reply:?}") };
    assert_eq!((connected.len(), unresolved.len()), (0, 1));
    bench.put(connection, 4);
    let down = stop(bench, connection, true);
    let before = contents(&down.storage, Path::new(DIR));
    let refused = down.make(&settings()).unwrap_err();
    assert!(matches!(&refused, PointError::InDoubt { units, .. } if units.contains("TEST")), "{refused}");
    assert!(
        !down.storage.exists(Path::new(POINT)).unwrap() && contents(&down.storage, Path::new(DIR)) == before
    );

    let allowed = FullSettings { allow_in_doubt: true, ..settings() };
    let manifest = down.make(&allowed).unwrap();
    assert_eq!((manifest.method, manifest.state), (PointMethod::Fuzzy, PointState::Verified));
    assert_eq!(manifest.log_needed_from(), unresolved[0].urid.0, "the log of the unit is needed");
    // After a recovery from it the unit is in doubt still.
    let mut bench = down.started();
    let connection = bench.connect();
    bench.put(connection, 20);
    let mut killed = bench.kill();
    killed.remove_page_sets();
    killed.recover().unwrap();
    let mut bench = Bench {
        core: start(&killed.storage, killed.clock + 9000),
        faulty: killed.faulty,
        storage: killed.storage,
        clock: killed.clock + 9000,
        expected: Vec::new(),
    };
    let connection = bench.connect();
    let reply = bench.call(connection, Request::Applications);
    assert!(matches!(&reply, Reply::Applications { unresolved: now, .. } if *now == unresolved), "{reply:?}");
}

#[test]
fn only_a_clean_stop_is_copied() {
    let (killed, _) = Bench::killed_with_point(7);
    let before = killed.files();
    let second = FullSettings { to: PathBuf::from("T2"), name: "T2".to_owned(), ..settings() };
    let begin = |settings: &FullSettings| {
        FullPoint::begin(&killed.storage, settings, &[], Timestamp(killed.clock)).map(drop).unwrap_err()
    };
    assert!(matches!(begin(&second), PointError::NotStoppedCleanly { .. }));
    assert!(matches!(begin(&settings()), PointError::Exists(_)));
    let taken = FullSettings { to: PathBuf::from("T2"), ..settings() };
    assert!(matches!(begin(&taken), PointError::NameTaken(name) if name == POINT));
    assert!(killed.files() == before && !killed.storage.exists(Path::new("T2")).unwrap());
}

#[test]
fn a_page_set_that_was_not_closed_is_refused() {
    let down = down(8);
    let path = Path::new(DIR).join("PSID02");
    down.storage.rename(&path, Path::new("aside")).unwrap();
    let refused = down.make(&settings()).unwrap_err();
    assert!(matches!(refused, PointError::NotClosed { page_set, .. } if page_set.number() == 2), "{refused}");
    down.storage.rename(Path::new("aside"), &path).unwrap();
    down.make(&settings()).unwrap();
}

#[test]
fn nobody_else_gets_in_while_it_copies() {
    let down = down(9);
    let mut machine =
        FullPoint::begin(&down.storage, &settings(), &down.said, Timestamp(down.clock)).unwrap();
    let second = FullSettings { to: PathBuf::from("T2"), name: "T2".to_owned(), ..settings() };
    let refused = FullPoint::begin(&down.storage, &second, &[], Timestamp(down.clock)).map(drop).unwrap_err();
    assert!(matches!(refused, PointError::InUse(_)), "{refused}");
    while !matches!(machine.step().unwrap(), FullStep::Done(_)) {}
    assert!(matches!(machine.step(), Err(PointError::Over(_))));
    drop(machine);
    FullPoint::begin(&down.storage, &second, &[], Timestamp(down.clock)).map(drop).unwrap();
}

#[test]
fn a_damaged_page_makes_it_damaged() {
    let down = down(10);
    let path = Path::new(DIR).join("PSID01");
    down.faulty.control().rot(&path, 5 * 4096 + 100, &[0xFF; 8]).unwrap();
    let manifest = down.make(&settings()).unwrap();
    assert_eq!((manifest.method, manifest.state), (PointMethod::Full, PointState::Damaged));
    let bad = manifest.page_sets.iter().find(|copy| !copy.damaged_pages.is_empty()).unwrap();
    assert_eq!(
        (bad.page_set.number(), bad.damaged_pages.as_slice()),
        (1, &[format_types::PageNumber(5)][..])
    );
}

/// Stopped at any operation there is no half of a point, the queue manager starts, and the next attempt goes through.
#[test]
fn stopped_anywhere_it_leaves_no_half_of_a_point() {
    let total = {
        let whole = down(11);
        let before = whole.faulty.control().operations();
        whole.make(&settings()).unwrap();
        whole.faulty.control().operations() - before
    };
    assert!(total > 20, "{total}");
    let (mut without, mut unknown, mut known) = (0, 0, 0);
    for stop_at in 1..=total {
        for crash in [false, true] {
            let down = down(11);
            let control = down.faulty.control();
            control.stop_at(Some(control.operations() + stop_at));
            let made = down.make(&settings());
            control.stop_at(None);
            if crash {
                control.crash();
            } else {
                control.kill();
            }
            let there = down.storage.exists(Path::new(POINT)).unwrap();
            let listed = !list_points(&down.storage, Path::new(DIR)).unwrap().is_empty();
            assert!(made.is_err() || listed, "stopped at {stop_at}: made and forgotten");
            match (there, listed) {
                (false, true) => panic!("stopped at {stop_at}: the BSDS names a point that is not there"),
                (false, false) => without += 1,
                (true, false) => unknown += 1,
                (true, true) => known += 1,
            }
            if there {
                let point = Point::open(&down.storage, Path::new(POINT)).unwrap();
                assert_eq!(point.manifest.state, PointState::Verified, "stopped at {stop_at}");
            } else {
                down.make(&settings()).unwrap_or_else(|error| panic!("stopped at {stop_at}: {error}"));
            }
            let bsds = engine_log::read_bsds(&down.storage, Path::new(DIR)).unwrap();
            assert!(bsds.backups_in_progress.is_empty(), "stopped at {stop_at}: log is held for ever");
            let mut killed = down.killed();
            killed.remove_page_sets();
            killed.recover().unwrap_or_else(|error| panic!("stopped at {stop_at}: {error}"));
            killed.check();
        }
    }
    assert!(without > 20 && unknown > 0 && known > 0, "{without} {unknown} {known}");
}
