//! Recovery to points in time: exactly what was committed below the target is there, again and again; and everything stopped anywhere.

mod bench;
mod timeline;

use std::collections::BTreeSet;
use std::path::Path;

use bench::{DIR, contents};
use engine_log::{LogReader, read_bsds};
use engine_storage::{FaultRates, OpenMode};
use format_protocol::{Reply, Request};
use format_types::{PageSetId, Rba, Timestamp};
use operation_points::{Point, PointError, RecoverReport, RecoverSettings, RecoveryTarget, list_points};
use timeline::{Down, Mark, Timeline, refused, with_point};

fn set(number: u8) -> PageSetId {
    PageSetId::new(number).unwrap()
}

/// Some RBA from `from` to the end of the log: where a record begins, in its middle, where it ends, between two; a commit's more often
/// than others'.
fn target(down: &mut Down, from: Rba) -> Rba {
    let records: Vec<_> = down.records().into_iter().filter(|(rba, ..)| *rba >= from).collect();
    if records.is_empty() {
        return down.log_end();
    }
    let commits: Vec<_> =
        records.iter().filter(|(_, _, _, mark)| matches!(mark, Mark::Commit(_))).cloned().collect();
    let chosen = if commits.is_empty() || down.random.below(2) == 0 { records } else { commits };
    let (start, end, ..) = chosen[down.random.below(chosen.len() as u64) as usize].clone();
    match down.random.below(4) {
        0 => start,
        1 => start.plus(1 + down.random.below(end.since(start) - 1)),
        2 => end,
        _ => down.log_end().min(end.ci_ceiling()),
    }
}

/// Recovers to `target`, and compares what is said to be lost with what is known.
fn recover_to(down: &mut Down, point: &str, target: Rba) -> (RecoverReport, BTreeSet<Vec<u8>>) {
    let (in_doubt, open) = down.units_at(target);
    let report = down.recover(point, Some(RecoveryTarget::Rba(target))).unwrap();
    let lost: Vec<_> = down.past.commits.iter().filter(|commit| commit.rba >= target).collect();
    let cut = report.cut.as_ref().unwrap();
    assert_eq!(cut.lost.commits, lost.len() as u64);
    assert_eq!(cut.lost.first.as_ref().map(|commit| commit.rba), lost.first().map(|commit| commit.rba));
    assert_eq!(cut.lost.last.as_ref().map(|commit| commit.rba), lost.last().map(|commit| commit.rba));
    let acts = || lost.iter().flat_map(|commit| &commit.acts);
    let puts = acts().filter(|act| matches!(act, timeline::Act::Put(..))).count() as u64;
    assert_eq!((cut.lost.puts, cut.lost.gets), (puts, acts().count() as u64 - puts));
    assert_eq!((cut.lost.backed_out, cut.lost.in_doubt), (open, in_doubt.len() as u64));
    assert_eq!(cut.lost.unreadable, None);
    down.past.forget(target, &in_doubt);
    (report, in_doubt)
}

#[test]
fn any_rba_can_be_recovered_to_and_the_work_goes_on() {
    for seed in 0..30 {
        let (mut down, mut from) = with_point(seed);
        let mut point = "T1".to_owned();
        for round in 0..4 {
            let to = target(&mut down, from);
            let (report, in_doubt) = recover_to(&mut down, &point, to);
            assert_eq!(report.page_sets, [set(0), set(1), set(2)]);
            let mut timeline = down.start();
            let expected = timeline.past.messages(Rba::MAX, &in_doubt);
            assert!(
                timeline.messages() == expected,
                "seed {seed} round {round}: other messages than up to {to}"
            );

            // More work; sometimes another point, which then serves; then a recovery to the end, and the next cut.
            timeline.work(30);
            if timeline.random.below(2) == 0 {
                point = format!("T{}", round + 2);
                from = timeline.make_point(&point).end;
                timeline.work(20);
            }
            down = if timeline.random.below(3) == 0 { timeline.stop() } else { timeline.kill() };
            let (in_doubt, _) = down.units_at(Rba::MAX);
            let report = down.recover(&point, None).unwrap();
            assert_eq!(report.cut, None);
            let mut timeline = down.start();
            let expected = timeline.past.messages(Rba::MAX, &in_doubt);
            assert!(timeline.messages() == expected, "seed {seed} round {round}: recovered to the end");
            down = timeline.kill();
        }
    }
}

/// Units that had ended by the time a point was made may be named by checkpoints that a recovery from it reads; what they did lies in log
/// that the point does not need.
#[test]
fn log_before_what_a_point_needs_may_be_gone() {
    let mut gone = 0;
    for seed in 0..150 {
        let mut timeline = Timeline::new(seed);
        timeline.work(200);
        let from = timeline.make_point("T1").end;
        timeline.work(20);
        let mut down = timeline.kill();
        // Near the point's end: the last checkpoint before is one of before it was made.
        let to = down.records().iter().map(|(rba, ..)| *rba).find(|rba| *rba >= from).unwrap_or(from);
        let (in_doubt, open) = down.units_at(to);
        let lost = down.past.commits.iter().filter(|commit| commit.rba >= to).count();
        let point = Point::open(&down.storage, &down.settings("T1").from).unwrap();
        let needed = point.manifest.log_needed_from().ci_start();
        for archive in read_bsds(&down.storage, Path::new(DIR)).unwrap().archives {
            if archive.range.end <= needed {
                down.storage.remove(&Path::new(DIR).join(&archive.name)).unwrap();
                gone += 1;
            }
        }
        let report = down.recover("T1", Some(RecoveryTarget::Rba(to)));
        let cut = report.unwrap_or_else(|error| panic!("seed {seed}, target {to}: {error}")).cut.unwrap();
        assert_eq!((cut.lost.commits, cut.lost.backed_out), (lost as u64, open), "seed {seed}");
        down.past.forget(to, &in_doubt);
        let mut timeline = down.start();
        let expected = timeline.past.messages(Rba::MAX, &in_doubt);
        assert!(timeline.messages() == expected, "seed {seed}, target {to}");
    }
    assert!(gone > 10, "{gone}");
}

#[test]
fn a_commit_is_kept_exactly_when_its_record_lies_below_the_target() {
    for seed in 0..4 {
        let (down, end) = with_point(seed);
        let place = down.past.commits.iter().filter(|commit| commit.rba >= end).count() / 2;
        let commit = down.past.commits.iter().filter(|commit| commit.rba >= end).nth(place).unwrap().rba;
        drop(down);
        for (target, kept) in [(commit, false), (commit.plus(1), true)] {
            let (mut down, _) = with_point(seed);
            let (_, in_doubt) = recover_to(&mut down, "T1", target);
            assert_eq!(down.past.commits.iter().any(|known| known.rba == commit), kept);
            let mut timeline = down.start();
            let expected = timeline.past.messages(Rba::MAX, &in_doubt);
            assert!(timeline.messages() == expected, "seed {seed}, target {target}");
        }
    }
}

#[test]
fn a_unit_in_doubt_at_the_target_stays_in_doubt_and_one_prepared_behind_it_is_backed_out() {
    let mut seen = 0;
    for seed in 100..130 {
        let (down, end) = with_point(seed);
        let prepared = down.records().into_iter().find_map(|(rba, behind, _, mark)| match mark {
            Mark::Prepare(xid) if rba >= end => Some((rba, behind, xid)),
            _ => None,
        });
        let Some((before, behind, xid)) = prepared else { continue };
        seen += 1;
        drop(down);
        for (target, stays) in [(before, false), (behind, true)] {
            let (mut down, _) = with_point(seed);
            let (report, in_doubt) = recover_to(&mut down, "T1", target);
            assert_eq!(in_doubt.contains(&xid), stays);
            let said = report.messages.iter().find(|line| line.starts_with("CSQR005I")).unwrap();
            assert!(said.contains(&format!("INDOUBT={}", in_doubt.len())), "{said}");
            let mut timeline = down.start();
            let expected = timeline.past.messages(Rba::MAX, &in_doubt);
            assert!(timeline.messages() == expected, "seed {seed}, target {target}");
        }
    }
    assert!(seen >= 3, "{seen} prepared units");
}

#[test]
fn a_time_means_before_the_first_commit_later_than_it_in_the_order_of_the_log() {
    let mut timeline = Timeline::new(3);
    timeline.work(40);
    let end = timeline.make_point("T1").end;
    timeline.work(60);
    let middle = timeline.bench.clock;
    // The clock is set back, and goes over the same times again.
    let back = middle - (middle - 2_000_000) / 2;
    let down = timeline.stop();
    let set_back = down.log_end();
    let mut timeline = down.start_at(back);
    timeline.work(60);
    let down = timeline.kill();
    let all: Vec<(Rba, Timestamp)> = down
        .records()
        .into_iter()
        .filter_map(|(rba, _, _, mark)| if let Mark::Commit(at) = mark { Some((rba, at)) } else { None })
        .collect();
    let late: Vec<(Rba, Timestamp)> = all.iter().copied().filter(|(rba, _)| *rba >= end).collect();
    assert!(late.iter().any(|(rba, at)| *rba < set_back && at.0 > back));
    assert!(late.iter().any(|(rba, at)| *rba > set_back && at.0 < middle));
    let settings = down.settings("T1");
    let mut down = down;
    let mut asked = 0;
    for time in late.iter().flat_map(|(_, at)| [*at, Timestamp(at.0 - 1), Timestamp(at.0 + 1)]) {
        let expected = late.iter().find(|(_, at)| *at > time).map(|(rba, _)| *rba);
        // A commit of before the copy ended may be the first that is later.
        let earlier = all.iter().any(|(rba, at)| *rba < end && *at > time);
        let found = down.recover_with(&settings, Some(RecoveryTarget::Time(time)), false);
        match (expected, found) {
            (Some(_), Err(PointError::PointTooLate { .. })) => assert!(earlier),
            (_, Err(PointError::TimeBeforePoint { begun, .. })) => assert!(time < begun),
            (Some(rba), Ok(report)) => {
                assert!(!earlier);
                assert_eq!(report.cut.unwrap().target, rba, "time {}", time.0);
                asked += 1;
            }
            (None, Err(PointError::NoLaterCommit { .. })) => {}
            (_, other) => panic!("time {}: {:?}", time.0, other.map(|report| report.cut)),
        }
    }
    assert!(asked > 10);
    // And it is done: what the clock says of later commits does not bring them back.
    let (_, tied) = *late.iter().filter(|(rba, _)| *rba < set_back).max_by_key(|(_, at)| *at).unwrap();
    let before = Timestamp(tied.0 - 1);
    let (first, _) = *late.iter().find(|(_, at)| *at > before).unwrap();
    assert!(late.iter().any(|(rba, at)| *rba > first && *at <= before), "nothing behind it is earlier");
    let (in_doubt, _) = down.units_at(first);
    down.recover("T1", Some(RecoveryTarget::Time(before))).unwrap();
    down.past.forget(first, &in_doubt);
    let mut timeline = down.start();
    let expected = timeline.past.messages(Rba::MAX, &in_doubt);
    assert!(timeline.messages() == expected);
}

#[test]
fn the_identifier_of_a_message_that_was_cut_off_finds_no_other_message() {
    let (mut down, end) = with_point(12);
    let target = down.past.commits.iter().find(|commit| commit.rba >= end).unwrap().rba;
    recover_to(&mut down, "T1", target);
    let mut timeline = down.start();
    let connection = timeline.bench.connect();
    let put = Request::Put {
        queue: bench::queue(),
        priority: Some(9),
        persistent: Some(true),
        syncpoint: false,
        body: b"new".to_vec(),
    };
    let Reply::Put { message_id, .. } = timeline.bench.call(connection, put) else { panic!() };
    // The same key, given out in the log that was cut off: it differs in who made it.
    let mut old = message_id;
    old[8..16].copy_from_slice(&timeline.past.ids.iter().next().unwrap()[8..16]);
    assert_ne!(old, message_id);
    let mut get = |id| {
        let request = Request::Get { queue: bench::queue(), syncpoint: true, message_id: Some(id) };
        timeline.bench.call(connection, request)
    };
    assert!(matches!(get(old), Reply::NoMessage));
    assert!(matches!(get(message_id), Reply::Message { body, .. } if body == b"new"));
}

#[test]
fn what_does_not_serve_is_refused_by_name() {
    let (mut down, end) = with_point(7);
    let settings = down.settings("T1");
    let rba = |rba| Some(RecoveryTarget::Rba(rba));
    let log_end = down.log_end();
    assert!(matches!(
        refused(&mut down, &settings, rba(log_end.plus(1))),
        PointError::TargetBehindEnd { end, .. } if end == log_end
    ));
    assert!(matches!(refused(&mut down, &settings, rba(end.minus(1))), PointError::PointTooLate { .. }));
    assert!(matches!(
        refused(&mut down, &settings, Some(RecoveryTarget::Time(Timestamp(u64::MAX)))),
        PointError::NoLaterCommit { latest: Some(_), .. }
    ));
    // A page set that stays has pages from behind the target, and the first of them is named.
    down = down.start().stop();
    let target = down.past.commits.iter().find(|commit| commit.rba >= end).unwrap().rba;
    let holds = |number: &u8| {
        engine_page_store::check_reach(&down.storage, Path::new(DIR), set(*number), target).is_err()
    };
    let holding = (0..3).find(holds).unwrap();
    let others = (0..3).filter(|number| *number != holding).map(set).collect();
    let alone = RecoverSettings { page_sets: others, ..settings.clone() };
    let error = refused(&mut down, &alone, rba(target));
    assert!(matches!(error, PointError::OtherPageSet { .. }), "{error}");
    assert!(error.to_string().contains("HWT293E PAGE 0"), "{error}");
    // Loss that is not accepted, and a dry run: listed, and nothing touched.
    let before = contents(&down.storage, Path::new(DIR));
    let report = down.recover_with(&settings, rba(target), false).unwrap();
    assert!(!report.recovered && report.cut.unwrap().lost.commits > 0);
    let dry = RecoverSettings { dry_run: true, ..settings.clone() };
    let report = down.recover_with(&dry, rba(target), true).unwrap();
    assert!(!report.recovered && report.cut.unwrap().lost.commits > 0);
    assert!(contents(&down.storage, Path::new(DIR)) == before);
    recover_to(&mut down, "T1", target);
}

#[test]
fn a_page_set_without_changes_behind_the_target_may_stay() {
    let (mut down, end) = with_point(8);
    // Everything is on disk, and nothing but messages was changed since the point: page sets without queues are as they were.
    let timeline = down.start();
    down = timeline.stop();
    let target = down.past.commits.iter().find(|commit| commit.rba >= end).unwrap().rba;
    let holding = (0..3).filter(|number| {
        let found = engine_page_store::check_reach(&down.storage, Path::new(DIR), set(*number), target);
        found.is_err()
    });
    let holding: Vec<PageSetId> = holding.map(set).collect();
    assert!(!holding.is_empty() && holding.len() < 3, "{holding:?}");
    let settings = RecoverSettings { page_sets: holding, ..down.settings("T1") };
    let (in_doubt, _) = down.units_at(target);
    down.recover_with(&settings, Some(RecoveryTarget::Rba(target)), true).unwrap();
    down.past.forget(target, &in_doubt);
    let mut timeline = down.start();
    let expected = timeline.past.messages(Rba::MAX, &in_doubt);
    assert!(timeline.messages() == expected);
}

#[test]
fn points_and_page_sets_from_behind_the_cut_are_off_the_line() {
    let mut timeline = Timeline::new(9);
    timeline.work(50);
    let end = timeline.make_point("T1").end;
    timeline.work(60);
    let later = timeline.make_point("T2");
    timeline.work(20);
    let mut down = timeline.kill();
    let target = down.past.commits.iter().find(|commit| commit.rba >= end).unwrap().rba.plus(1);
    let behind = contents(&down.storage, Path::new(DIR));
    recover_to(&mut down, "T1", target);
    let bsds = read_bsds(&down.storage, Path::new(DIR)).unwrap();
    let line = bsds.line();
    let points = list_points(&down.storage, Path::new(DIR)).unwrap();
    let on: Vec<bool> = points.iter().map(|point| line.holds(point.history, point.end)).collect();
    assert_eq!(on, [true, false]);
    assert!(later.end > target);

    // Off the line for every later recovery, to the end or to anywhere.
    let settings = down.settings("T2");
    for to in [None, Some(RecoveryTarget::Rba(down.log_end()))] {
        let error = refused(&mut down, &settings, to);
        assert!(matches!(error, PointError::OffTheLine { .. }), "{error}");
        assert!(error.to_string().contains("T2 is off the line"), "{error}");
    }
    // A page set from behind the cut is refused by a start, and its page named.
    let name = (0..3).map(|number| format!("PSID0{number}")).find(|name| {
        let file =
            down.storage.open(&Path::new(DIR).join(name), engine_storage::OpenMode::ReadWrite).unwrap();
        let (old, new) = (&behind[Path::new(name)], file.len().unwrap());
        old.len() as u64 >= new && {
            let mut now = vec![0; new as usize];
            file.read_at(0, &mut now).unwrap();
            file.write_at(0, old).unwrap();
            let refused = down.try_start().err().is_some_and(|error| error.contains("HWT293E PAGE 0"));
            file.write_at(0, &now).unwrap();
            refused
        }
    });
    assert!(name.is_some(), "every page set from behind the cut was taken");

    // The point before the cut serves the new line, to its end and to somewhere in it.
    let mut timeline = down.start();
    timeline.work(40);
    let mut down = timeline.kill();
    let (in_doubt, _) = down.units_at(Rba::MAX);
    down.recover("T1", None).unwrap();
    let mut timeline = down.start();
    let expected = timeline.past.messages(Rba::MAX, &in_doubt);
    assert!(timeline.messages() == expected);
    let mut down = timeline.kill();
    let target = down.past.commits.last().unwrap().rba;
    let (_, in_doubt) = recover_to(&mut down, "T1", target);
    let mut timeline = down.start();
    let expected = timeline.past.messages(Rba::MAX, &in_doubt);
    assert!(timeline.messages() == expected);
}

#[test]
fn a_recovery_to_a_point_in_time_stopped_anywhere_is_finished_by_the_next() {
    let prepare = || {
        let (down, end) = with_point(11);
        let late: Vec<Rba> =
            down.past.commits.iter().map(|commit| commit.rba).filter(|rba| *rba >= end).collect();
        let target = late[late.len() / 2].plus(1);
        (down, target)
    };
    let (mut whole, target) = prepare();
    let before = whole.faulty.control().operations();
    recover_to(&mut whole, "T1", target);
    let total = whole.faulty.control().operations() - before;
    let (mut old, mut new, mut started, mut again) = (0, 0, 0, 0);
    for stop in (1..=total).step_by(usize::try_from(total / 150).unwrap().max(1)) {
        let (mut down, target) = prepare();
        let (in_doubt, _) = down.units_at(target);
        let whole_past = down.past.clone();
        let (in_doubt_at_end, _) = down.units_at(Rba::MAX);
        let control = down.faulty.control();
        control.stop_at(Some(control.operations() + stop));
        let stopped = down.recover("T1", Some(RecoveryTarget::Rba(target))).is_err();
        if stopped {
            if stop % 3 == 0 { control.kill() } else { control.crash() }
        } else {
            control.stop_at(None);
        }
        let cut = LogReader::open(&down.storage, Path::new(DIR)).unwrap().bsds().histories.len() > 1;
        if cut {
            new += 1;
        } else {
            old += 1;
        }
        if stopped && stop % 4 == 0 && down.try_start().is_ok() {
            // Started instead: it is the old state or the new one, whole.
            started += 1;
            let past = if cut { None } else { Some(whole_past) };
            let expected = match past {
                Some(past) => past.messages(Rba::MAX, &in_doubt_at_end),
                None => down.past.messages(target, &in_doubt),
            };
            let mut timeline = down.start();
            assert!(timeline.messages() == expected, "stopped at {stop} of {total}, started");
            continue;
        }
        down.recover("T1", Some(RecoveryTarget::Rba(target)))
            .unwrap_or_else(|error| panic!("stopped at {stop} of {total}: {error}"));
        let histories = read_bsds(&down.storage, Path::new(DIR)).unwrap().histories.len();
        // Once it was all done but for the cleaning up, doing it again is another cut, at the same place, that loses nothing.
        assert!((2..=3).contains(&histories), "stopped at {stop} of {total}: {histories} histories");
        again += usize::from(histories == 3);
        down.past.forget(target, &in_doubt);
        let mut timeline = down.start();
        let expected = timeline.past.messages(Rba::MAX, &in_doubt);
        assert!(timeline.messages() == expected, "stopped at {stop} of {total}");
    }
    assert!(old > 20 && new > 20 && started > 10 && again < new / 3, "{old} {new} {started} {again}");
}

#[test]
fn damage_behind_the_target_does_not_stand_against_it() {
    let mut closely = 0;
    for seed in 70..90 {
        let (mut down, end) = with_point(seed);
        let late: Vec<Rba> =
            down.past.commits.iter().map(|commit| commit.rba).filter(|rba| *rba >= end).collect();
        let damaged = late[late.len() * 2 / 3];
        // As far back as suffices, or as little as can be: up to the damage, in the same control interval.
        let close = seed % 2 == 1;
        let target = if close { damaged } else { late[late.len() / 3] };
        let (in_doubt, _) = down.units_at(target);
        let bsds = read_bsds(&down.storage, Path::new(DIR)).unwrap();
        let mut spoiled = 0;
        let active = bsds.active_logs.iter().filter_map(|log| Some((&log.name, log.range?)));
        let archives = bsds.archives.iter().map(|log| (&log.name, log.range));
        for (name, range) in active.chain(archives).filter(|(_, range)| range.contains(damaged)) {
            let at = damaged.ci_start().since(range.start);
            let (at, length) = if close { (damaged.since(range.start) + 10, 20) } else { (at + 30, 900) };
            down.faulty.control().rot(&Path::new(DIR).join(name), at, &vec![0xFF; length]).unwrap();
            spoiled += 1;
        }
        assert!(spoiled >= 2, "{spoiled}");
        let to_the_end = down.recover("T1", None).unwrap_err();
        assert!(to_the_end.code().number() == 12, "{to_the_end}");
        if close {
            // What begins below the target must be readable: nobody knows what it was.
            let settings = down.settings("T1");
            let error = refused(&mut down, &settings, Some(RecoveryTarget::Rba(target.plus(1))));
            assert!(
                error.to_string().starts_with("HWT205E") || error.to_string().starts_with("HWT526E"),
                "{error}"
            );
            let current = bsds.current_active(1).unwrap().range.unwrap();
            closely += usize::from(!current.contains(damaged));
        }
        let report = down.recover("T1", Some(RecoveryTarget::Rba(target))).unwrap();
        let lost = report.cut.unwrap().lost;
        let (from, _) = lost.unreadable.as_ref().unwrap();
        assert!((*from > target || close) && *from <= damaged, "{from}");
        assert!(lost.loses_commits());
        down.past.forget(target, &in_doubt);
        let mut timeline = down.start();
        let expected = timeline.past.messages(Rba::MAX, &in_doubt);
        assert!(timeline.messages() == expected, "seed {seed}");
        // The damaged data sets are not written again, and the work goes on over the others.
        timeline.work(200);
        let mut down = timeline.kill();
        let bsds = read_bsds(&down.storage, Path::new(DIR)).unwrap();
        for archive in &bsds.archives {
            let mut ci = [0; format_types::CI_SIZE];
            let file = down.storage.open(&Path::new(DIR).join(&archive.name), OpenMode::Read).unwrap();
            file.read_at(0, &mut ci).unwrap();
            let Ok(trailer) = format_log::ci::CiTrailer::take(&ci) else { continue };
            assert_eq!(trailer.identity.history, archive.history, "seed {seed}, {}", archive.name);
        }
        let (in_doubt, _) = down.units_at(Rba::MAX);
        down.recover("T1", None).unwrap();
        let mut timeline = down.start();
        let expected = timeline.past.messages(Rba::MAX, &in_doubt);
        assert!(timeline.messages() == expected, "seed {seed}, the end");
    }
    assert!(closely > 1, "{closely}");
}

#[test]
fn log_below_what_the_point_needs_is_not_asked_for() {
    // The last checkpoint before the target is older than the point, and so is the log that held it.
    let mut tried = 0;
    for seed in 20..60 {
        let (mut down, end) = with_point(seed);
        let point = operation_points::Point::open(&down.storage, Path::new("T1")).unwrap();
        let needed = point.manifest.log_needed_from();
        let bsds = read_bsds(&down.storage, Path::new(DIR)).unwrap();
        let Some(target) = down.past.commits.iter().find(|commit| commit.rba >= end).map(|commit| commit.rba)
        else {
            continue;
        };
        let below: Vec<String> = bsds
            .archives
            .iter()
            .filter(|archive| archive.range.end <= needed)
            .map(|archive| archive.name.clone())
            .collect();
        if below.is_empty() {
            continue;
        }
        tried += 1;
        let (in_doubt, _) = down.units_at(target);
        for name in below {
            down.storage.remove(&Path::new(DIR).join(name)).unwrap();
        }
        down.recover("T1", Some(RecoveryTarget::Rba(target))).unwrap();
        down.past.forget(target, &in_doubt);
        let mut timeline = down.start();
        let expected = timeline.past.messages(Rba::MAX, &in_doubt);
        assert!(timeline.messages() == expected, "seed {seed}");
    }
    assert!(tried > 3, "{tried}");
}

/// Archives cannot be written, every active log holds log that is archived nowhere, and the last one is damaged behind the target.
#[test]
fn a_cut_that_has_nowhere_to_begin_is_refused_before_anything_is_touched() {
    let mut timeline = Timeline::new(41);
    timeline.work(40);
    let end = timeline.make_point("T1").end;
    let control = timeline.bench.faulty.control();
    control.set_rates(FaultRates {
        write_error: 1_000_000,
        only: Some("ARCHLOG".to_owned()),
        ..FaultRates::default()
    });
    while timeline.bench.core.bsds().actives(1).any(|log| log.status.is_available()) {
        timeline.work(5);
    }
    timeline.work(40);
    let bsds = timeline.bench.core.bsds().clone();
    let mut down = timeline.kill();
    control.set_rates(FaultRates::default());
    let current = bsds.current_active(1).unwrap().range.unwrap();
    let late: Vec<Rba> = down.past.commits.iter().map(|commit| commit.rba).collect();
    let target = *late.iter().find(|rba| **rba >= end).unwrap();
    let damaged =
        *late.iter().rfind(|rba| rba.ci_start() < late.last().unwrap().ci_start().minus(8192)).unwrap();
    assert!(current.contains(damaged), "{damaged}");
    for copy in 1..=2 {
        let name = &bsds.current_active(copy).unwrap().name;
        let at = damaged.ci_start().since(current.start);
        down.faulty.control().rot(&Path::new(DIR).join(name), at, &[0xFF; 900]).unwrap();
    }
    let settings = down.settings("T1");
    let error = refused(&mut down, &settings, Some(RecoveryTarget::Rba(target)));
    assert!(matches!(error, PointError::Log(engine_log::LogError::NoPlaceToBegin)), "{error}");
}
