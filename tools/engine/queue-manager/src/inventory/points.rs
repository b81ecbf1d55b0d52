//! Holding, releasing, forgetting recovery points, and noting what looking at them came to.

use format_bsds::{Bsds, Hold, RecoveryPointEntry};
use format_listing::date_and_time;
use format_types::{PageSetId, PointState, Timestamp};

use super::{Refusal, refusal};

/// Characters of a reason.
const LONGEST_REASON: usize = 200;

type Changed = Result<Vec<String>, Refusal>;

/// The entry of that name; the newest, should a name have been given twice.
fn place(bsds: &Bsds, name: &str) -> Result<usize, Refusal> {
    let place = bsds.recovery_points.iter().rposition(|point| point.name == name);
    place.map_or_else(|| unknown(name), Ok)
}

fn unknown<T>(name: &str) -> Result<T, Refusal> {
    refusal("HWT481E", format!("RECOVERY POINT {name} IS NOT KNOWN: recpoint list shows those that are"))
}

fn end_of(until: Option<Timestamp>) -> String {
    until.map_or_else(String::new, |until| format!(" UNTIL {} UTC", date_and_time(until)))
}

pub(super) fn hold(
    bsds: &mut Bsds,
    point: &str,
    reason: &str,
    until: Option<Timestamp>,
    now: Timestamp,
) -> Changed {
    place(bsds, point)?;
    let length = reason.chars().count();
    if reason.trim().is_empty() || length > LONGEST_REASON || reason.chars().any(char::is_control) {
        return refusal(
            "HWT482E",
            format!(
                "THE REASON OF A HOLD is a line of 1 to {LONGEST_REASON} characters: give one that tells others why"
            ),
        );
    }
    if let Some(until) = until.filter(|until| *until <= now) {
        return refusal(
            "HWT482E",
            format!("A HOLD UNTIL {} UTC HAS ENDED ALREADY: give a time to come", date_and_time(until)),
        );
    }
    let known = bsds.holds.iter_mut().find(|hold| hold.point == point && hold.reason == reason);
    match known {
        Some(hold) => hold.until = until,
        None => bsds.holds.push(Hold { point: point.to_owned(), reason: reason.to_owned(), until }),
    }
    Ok(vec![format!("HWT451I RECOVERY POINT {point} IS HELD{}: {reason}", end_of(until))])
}

pub(super) fn release(bsds: &mut Bsds, point: &str) -> Changed {
    let (released, kept): (Vec<Hold>, Vec<Hold>) =
        std::mem::take(&mut bsds.holds).into_iter().partition(|hold| hold.point == point);
    bsds.holds = kept;
    if released.is_empty() {
        place(bsds, point)?;
        return refusal("HWT483E", format!("RECOVERY POINT {point} IS NOT HELD: nothing was released"));
    }
    let line = |hold: &Hold| {
        format!(
            "HWT452I RECOVERY POINT {point} IS RELEASED: the hold{} is over: {}",
            end_of(hold.until),
            hold.reason
        )
    };
    Ok(released.iter().map(line).collect())
}

pub(super) fn forget(bsds: &mut Bsds, point: &str, definitions: Option<&str>, now: Timestamp) -> Changed {
    let place = place(bsds, point)?;
    let refused = |id, why: String| refusal(id, format!("RECOVERY POINT {point} IS NOT FORGOTTEN: {why}"));
    if let Some(hold) = bsds.holds.iter().find(|hold| hold.point == point && hold.holds_at(now)) {
        return refused(
            "HWT484E",
            format!(
                "it is held{} ({}); recpoint release it first",
                end_of(hold.until).to_lowercase(),
                hold.reason
            ),
        );
    }
    if bsds.conditional_restarts.iter().any(|restart| restart.active) {
        return refused(
            "HWT485E",
            "a recovery to a point in time is not finished; run recover again, or start the queue manager"
                .to_owned(),
        );
    }
    if let Some(page_set) = covered_by_it_alone(bsds, place) {
        return refused(
            "HWT486E",
            format!("it is the last verified one that covers page set {page_set}; make another one first"),
        );
    }
    // Other points may be forgotten at the same time: the one that is named must still be there.
    if let Some(other) = definitions {
        let there = other != point && bsds.recovery_points.iter().any(|entry| entry.name == other);
        if !there {
            return refused(
                "HWT487E",
                format!(
                    "it has the newest DEFINE statements, now that {other} is not there; make another one first"
                ),
            );
        }
    }
    let entry = bsds.recovery_points.remove(place);
    if !bsds.recovery_points.iter().any(|entry| entry.name == point) {
        bsds.holds.retain(|hold| hold.point != point);
    }
    Ok(vec![format!("HWT453I RECOVERY POINT {point} IS FORGOTTEN: {}", entry.directory)])
}

/// A page set that no other verified point on the line of the log covers.
fn covered_by_it_alone(bsds: &Bsds, place: usize) -> Option<PageSetId> {
    let line = bsds.line();
    let counts = |point: &RecoveryPointEntry| {
        point.state == PointState::Verified && line.holds(point.history, point.end)
    };
    let point = bsds.recovery_points.get(place).filter(|point| counts(point))?;
    let covers = |point: &RecoveryPointEntry, page_set| point.page_sets.iter().any(|(id, _)| *id == page_set);
    let others = || (0..).zip(&bsds.recovery_points).filter(|(at, other)| *at != place && counts(other));
    let defined = bsds.page_sets.iter().map(|entry| entry.page_set);
    defined
        .filter(|page_set| covers(point, *page_set))
        .find(|page_set| !others().any(|(_, other)| covers(other, *page_set)))
}

pub(super) fn note(
    bsds: &mut Bsds,
    point: &str,
    made: Timestamp,
    state: PointState,
    at: Timestamp,
) -> Changed {
    let entry = bsds.recovery_points.iter_mut().rev().find(|entry| entry.name == point && entry.at == made);
    let Some(entry) = entry else { return unknown(point) };
    entry.state = state;
    if state == PointState::Verified {
        entry.verified_at = entry.verified_at.max(Some(at));
    }
    Ok(vec![format!(
        "HWT454I RECOVERY POINT {point} IS {state}, as it was found at {} UTC",
        date_and_time(at)
    )])
}
