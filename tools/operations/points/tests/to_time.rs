//! Recovery to a time, where the point or an interruption stands in its way.

mod bench;
mod timeline;

use std::path::Path;

use bench::DIR;
use engine_log::read_bsds;
use format_types::{Rba, Timestamp};
use operation_points::{FullPoint, FullSettings, FullStep, PointError, RecoveryTarget};
use timeline::{Down, Mark, Timeline, refused, with_point};

#[test]
fn a_time_from_before_the_point_is_refused_where_the_point_may_hold_later_commits() {
    let commits = |down: &Down| -> Vec<(Rba, Timestamp)> {
        let commit = |(rba, _, _, mark)| if let Mark::Commit(at) = mark { Some((rba, at)) } else { None };
        down.records().into_iter().filter_map(commit).collect()
    };
    let mut tried = 0;
    for seed in 0..40 {
        let mut timeline = Timeline::new(seed);
        timeline.work(10);
        let down = timeline.stop();
        let full = FullSettings {
            dir: Path::new(DIR).to_owned(),
            to: Path::new("T1").to_owned(),
            name: "T1".to_owned(),
            allow_in_doubt: false,
            include_log: false,
        };
        // It needs no log from before the stop. Units in doubt would.
        let Ok(mut point) = FullPoint::begin(&down.storage, &full, &[], Timestamp(down.clock + 1000)) else {
            continue;
        };
        let manifest = loop {
            if let FullStep::Done(finished) = point.step().unwrap() {
                break finished.manifest;
            }
        };
        drop(point);
        let mut timeline = down.start();
        timeline.work(30);
        let mut down = timeline.kill();
        let settings = down.settings("T1");
        let below = commits(&down).into_iter().filter(|(rba, _)| *rba < manifest.log_needed_from());
        for (_, at) in below.collect::<Vec<_>>() {
            let time = Some(RecoveryTarget::Time(Timestamp(at.0 - 1)));
            let error = refused(&mut down, &settings, time);
            assert!(matches!(error, PointError::TimeBeforePoint { .. }), "seed {seed}: {error}");
            tried += 1;
        }
    }
    assert!(tried > 5, "{tried} times");
}

#[test]
fn a_recovery_to_a_time_stopped_anywhere_is_finished_by_the_next() {
    let prepare = || {
        let (down, end) = with_point(11);
        let late: Vec<(Rba, Timestamp)> = down
            .records()
            .into_iter()
            .filter_map(|(rba, _, _, mark)| if let Mark::Commit(at) = mark { Some((rba, at)) } else { None })
            .filter(|(rba, _)| *rba >= end)
            .collect();
        let (target, at) = late[late.len() / 2];
        (down, target, Some(RecoveryTarget::Time(Timestamp(at.0 - 1))))
    };
    let (mut whole, _, time) = prepare();
    let before = whole.faulty.control().operations();
    let cut = whole.recover("T1", time).unwrap().cut.unwrap();
    let total = whole.faulty.control().operations() - before;
    for stop in (1..=total).rev().step_by(usize::try_from(total / 60).unwrap().max(1)) {
        let (mut down, _, time) = prepare();
        let (in_doubt, _) = down.units_at(cut.target);
        let control = down.faulty.control();
        control.stop_at(Some(control.operations() + stop));
        if down.recover("T1", time).is_err() {
            if stop % 3 == 0 { control.kill() } else { control.crash() }
        }
        control.stop_at(None);
        let again = down.recover("T1", time);
        let again = again.unwrap_or_else(|error| panic!("stopped at {stop} of {total}: {error}"));
        assert_eq!(again.cut.unwrap().target, cut.target, "stopped at {stop} of {total}");
        let histories = read_bsds(&down.storage, Path::new(DIR)).unwrap().histories.len();
        assert_eq!(histories, 2, "stopped at {stop} of {total}: it was cut twice");
        down.past.forget(cut.target, &in_doubt);
        let mut timeline = down.start();
        let expected = timeline.past.messages(Rba::MAX, &in_doubt);
        assert!(timeline.messages() == expected, "stopped at {stop} of {total}");
    }
}
