//! Tests of holes: what they hold, whichever archives go in whichever order.

use format_types::{HistoryId, Rba, RbaRange, Timestamp};

use crate::slot::tests::sample;
use crate::{ActiveStatus, ArchiveLog, Bsds, Hole};

const CI: u64 = 4096;

fn range(start: u64, end: u64) -> RbaRange {
    RbaRange::new(Rba(start * CI), Rba(end * CI))
}

/// A BSDS whose archives are those of the first history given by copy, first and last control interval.
fn with_archives(archives: &[(u8, u64, u64)]) -> (Bsds, HistoryId) {
    let mut bsds = sample();
    let history = bsds.histories[0].id;
    let model = bsds.archives[0].clone();
    bsds.active_logs.clear();
    bsds.holes.clear();
    bsds.archives = archives
        .iter()
        .zip(1..)
        .map(|(&(copy, start, end), number)| ArchiveLog {
            copy,
            name: format!("ARCHLOG{copy}.A{number:07}"),
            range: range(start, end),
            history,
            ..model.clone()
        })
        .collect();
    (bsds, history)
}

#[test]
fn what_another_copy_has_is_no_hole_until_that_is_gone_too() {
    let (mut bsds, history) = with_archives(&[(1, 0, 4), (2, 0, 2), (2, 2, 4), (1, 4, 6)]);
    assert_eq!(bsds.drop_archives(|archive| archive.copy == 1 && archive.range == range(0, 4)).len(), 1);
    assert!(bsds.holes.is_empty());
    bsds.drop_archives(|archive| archive.range == range(0, 2));
    assert_eq!(bsds.holes, [Hole { history, range: range(0, 2) }]);
    bsds.drop_archives(|archive| archive.range == range(2, 4));
    // Coalesced with the one before.
    assert_eq!(bsds.holes, [Hole { history, range: range(0, 4) }]);
    assert_eq!(bsds.holes_in(history, range(3, 9)).collect::<Vec<_>>(), [range(3, 4)]);
    assert_eq!(bsds.archives.len(), 1);
    assert!(bsds.drop_archives(|_| false).is_empty());
    assert_eq!(bsds.holes, [Hole { history, range: range(0, 4) }]);
}

#[test]
fn the_same_rba_in_two_histories_is_two_places() {
    let (mut bsds, first) = with_archives(&[(1, 0, 4), (1, 0, 4)]);
    let second = bsds.histories[1].id;
    bsds.archives[1].history = second;
    bsds.drop_archives(|archive| archive.history == second);
    assert_eq!(bsds.holes, [Hole { history: second, range: range(0, 4) }]);
    bsds.drop_archives(|_| true);
    assert_eq!(
        bsds.holes,
        [Hole { history: first, range: range(0, 4) }, Hole { history: second, range: range(0, 4) }]
    );
}

#[test]
fn an_active_log_that_is_still_to_be_archived_fills_a_hole_and_a_reusable_one_does_not() {
    for (reusable, wanted) in [(false, vec![range(0, 1)]), (true, vec![range(0, 4)])] {
        let (mut bsds, history) = with_archives(&[(1, 0, 4)]);
        let mut active = sample().active_logs[1].clone();
        active.history = history;
        active.range = Some(range(1, 4));
        active.status = ActiveStatus { reusable, ..ActiveStatus::default() };
        bsds.active_logs = vec![active];
        bsds.drop_archives(|_| true);
        assert_eq!(bsds.holes.iter().map(|hole| hole.range).collect::<Vec<_>>(), wanted);
    }
}

#[test]
fn facts_change_with_what_a_plan_rests_on_and_with_nothing_else() {
    let bsds = sample();
    type Change = fn(&mut Bsds);
    let growth: [(&str, Change); 8] = [
        ("sequence", |b| b.sequence += 1),
        ("highest written", |b| b.highest_written = Rba(u64::MAX / 2)),
        ("checkpoint", |b| b.checkpoints.clear()),
        ("clean stop", |b| b.clean_stop = None),
        ("archives", |b| b.archives.clear()),
        ("active logs", |b| b.active_logs.clear()),
        ("holes", |b| b.holes.clear()),
        ("looked at again", |b| b.recovery_points[0].verified_at = Some(Timestamp(99))),
    ];
    for (what, change) in growth {
        let mut changed = bsds.clone();
        change(&mut changed);
        assert_ne!(changed, bsds, "{what}");
        assert_eq!(changed.facts(), bsds.facts(), "{what}");
    }
    let decisive: [(&str, Change); 7] = [
        ("point", |b| b.recovery_points.clear()),
        ("state of a point", |b| b.recovery_points[0].state = crate::PointState::Damaged),
        ("hold", |b| b.holds.clear()),
        ("end of a hold", |b| b.holds[0].until = Some(Timestamp(4))),
        ("backup", |b| b.backups_in_progress.clear()),
        ("page set", |b| b.page_sets.clear()),
        ("history", |b| b.histories.truncate(1)),
    ];
    for (what, change) in decisive {
        let mut changed = bsds.clone();
        change(&mut changed);
        assert_ne!(changed.facts(), bsds.facts(), "{what}");
    }
}

proptest::proptest! {
    /// Whatever goes in whatever order: a control interval is in a hole when an archive had it, and none has it any more.
    #[test]
    fn holes_are_what_was_archived_and_is_not_any_more(
        archives in proptest::collection::vec((1u8..3, 0u64..24, 1u64..5, 0usize..4), 1..24),
    ) {
        let all: Vec<_> = archives.iter().map(|&(copy, start, length, _)| (copy, start, start + length)).collect();
        let (mut bsds, history) = with_archives(&all);
        let names: Vec<(String, usize)> =
            bsds.archives.iter().zip(&archives).map(|(log, (.., round))| (log.name.clone(), *round)).collect();
        let whole = bsds.archives.clone();
        for round in 0..3 {
            bsds.drop_archives(|log| names.iter().any(|(name, at)| *name == log.name && *at == round));
        }
        for ci in 0..32 {
            let rba = Rba(ci * CI);
            let had = whole.iter().any(|log| log.range.contains(rba));
            let has = bsds.archives.iter().any(|log| log.range.contains(rba));
            let hole = bsds.holes.iter().any(|hole| hole.history == history && hole.range.contains(rba));
            proptest::prop_assert_eq!(hole, had && !has, "control interval {}", ci);
        }
        for pair in bsds.holes.windows(2) {
            proptest::prop_assert!(pair[0].range.end < pair[1].range.start);
        }
    }
}
