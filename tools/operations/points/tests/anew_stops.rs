//! Queue managers made anew, and points that hold their log: stopped at any operation there is the old state or the new, and running
//! again finishes.

mod bench;
mod sites;

use std::path::{Path, PathBuf};

use bench::{Bench, DIR, Killed, POINT, contents};
use engine_storage::SharedStorage;
use operation_points::{
    AnewSource, LogInclusion, Point, PointCopy, PointError, PointStep, publish_with_log, verify_point,
};
use sites::{
    ARCHIVES, archive, lose_logs, make, move_away, other_site_with, settings, with_full_point,
    with_included_log,
};

/// Stops a recovery at each of its operations; run again, it finishes, and the messages are those held.
fn stopped_anywhere(site: impl Fn() -> (Killed, usize), source: &AnewSource, moved: bool) {
    let prepared = || {
        let (killed, held) = site();
        if moved {
            move_away(&killed);
        }
        (killed, held)
    };
    let (killed, _) = prepared();
    let control = killed.faulty.control();
    let before = control.operations();
    make(&killed.storage, &settings(source.clone()), killed.clock + 50).unwrap();
    let total = control.operations() - before;
    assert!(total > 60, "{total}");
    for stop in 1..=total {
        let (mut killed, held) = prepared();
        let was = (!moved).then(|| killed.files());
        let control = killed.faulty.control();
        control.stop_at(Some(control.operations() + stop));
        let done = make(&killed.storage, &settings(source.clone()), killed.clock + 50);
        control.stop_at(None);
        control.crash();
        let storage: &SharedStorage = &killed.storage;
        if done.is_err() {
            // The old state, or the new under its name; never half of it.
            let there = storage.exists(Path::new(DIR)).unwrap();
            let fresh =
                there && engine_log::read_bsds(storage, Path::new(DIR)).is_ok_and(|b| b.histories.len() == 2);
            if let (true, false, Some(was)) = (there, fresh, &was) {
                assert!(
                    contents(storage, Path::new(DIR)) == *was,
                    "stopped at {stop}: something was touched"
                );
            }
            if !fresh {
                make(storage, &settings(source.clone()), killed.clock + 100)
                    .unwrap_or_else(|error| panic!("stopped at {stop} of {total}: {error}"));
            }
        }
        killed.expected.truncate(held);
        killed.check();
    }
}

#[test]
fn stopped_at_any_operation_running_again_finishes() {
    stopped_anywhere(|| other_site_with(10, 60), &AnewSource::Archives(PathBuf::from(ARCHIVES)), true);
    stopped_anywhere(|| with_included_log(11), &AnewSource::Point, true);
    let lost = || {
        let (killed, held) = with_full_point(12, false);
        lose_logs(&killed);
        (killed, held)
    };
    stopped_anywhere(lost, &AnewSource::LogsLost, false);
}

/// A point whose making stops anywhere, the copying of log included, is whole or not there.
#[test]
fn a_point_that_holds_its_log_is_whole_or_not_there() {
    let attempt = |stop: Option<u64>| {
        let faulty_bench = |bench: &mut Bench| -> Result<(), PointError> {
            let connection = bench.connect();
            let plan = bench.plan(connection);
            let end = archive(bench, connection);
            let control = bench.faulty.control();
            control.stop_at(stop.map(|stop| control.operations() + stop));
            let mut copy = PointCopy::begin(&bench.storage, plan.clone())?;
            let copied = loop {
                if let PointStep::Done(copied) = copy.step()? {
                    break copied;
                }
            };
            let log = LogInclusion::begin(&bench.storage, &plan, &copied, end)?.run(&mut |_, _| {})?;
            publish_with_log(&bench.storage, &plan, &copied, &["DEFINE".to_owned()], end, Some(log)).map(drop)
        };
        let mut bench = Bench::new(14);
        let connection = bench.connect();
        bench.put(connection, 30);
        let before = bench.faulty.control().operations();
        let made = faulty_bench(&mut bench).is_ok();
        let took = bench.faulty.control().operations() - before;
        let control = bench.faulty.control();
        control.stop_at(None);
        if stop.is_some() {
            control.crash();
        }
        (made, took, bench)
    };
    let (made, total, _) = attempt(None);
    assert!(made && total > 10);
    let mut there = 0;
    for stop in 1..=total {
        let (_, _, bench) = attempt(Some(stop));
        let storage = &bench.storage;
        if storage.exists(Path::new(POINT)).unwrap() {
            let point = Point::open(storage, Path::new(POINT)).unwrap();
            let report = verify_point(storage, &point, None, &mut |_, _| {}).unwrap();
            assert_eq!(report.code().number(), 0, "stopped at {stop}: {report:?}");
            there += 1;
        }
    }
    assert!(there < total);
}
