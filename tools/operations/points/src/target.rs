//! Recovery to a point in time: where the log is to be cut, and whether a recovery point serves that.
//!
//! A target RBA keeps exactly the records whose own RBA is below it, so exactly the units whose commit record is; the cut is the start
//! of the first record at or above it. A target time keeps what is before the first commit later than it, in the order of the log.

use std::path::Path;

use engine_log::{LogError, LogReader};
use engine_page_store::check_reach;
use engine_storage::SharedStorage;
use format_bsds::{Bsds, ConditionalRestart};
use format_types::{HistoryId, LogHistory, PageSetId, Rba, Timestamp};

use crate::error::PointError;
use crate::lost_work::{LastCommit, LostWork, find, first_commit_after};
use crate::point::Point;

/// Where a recovery ends that does not go to the end of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecoveryTarget {
    /// Records below this RBA are kept.
    Rba(Rba),
    /// Commits up to this time are kept: all before the first one that is later.
    Time(Timestamp),
}

/// A cut that a recovery makes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlannedCut {
    /// The target as an RBA.
    pub target: Rba,
    /// Start of the first record that is lost; where there is none, the end of the log.
    pub cut: Rba,
    /// End of the log: what is lost reaches to there.
    pub end: Rba,
    /// An interrupted recovery to the same target made it already, with this history.
    pub made: Option<LogHistory>,
    /// What it loses.
    pub lost: LostWork,
}

/// Finds the cut for `target` in the log that ends at `end`, and refuses a point that does not serve it.
pub(crate) fn plan_cut(
    reader: &mut LogReader,
    point: &Point,
    end: Rba,
    target: RecoveryTarget,
) -> Result<PlannedCut, PointError> {
    let manifest = &point.manifest;
    let mut unfinished = reader.unfinished_cut();
    let rba = match target {
        RecoveryTarget::Rba(rba) => rba,
        RecoveryTarget::Time(time) => {
            let (later, last) = first_commit_after(reader, manifest.log_needed_from(), end, time)?;
            if time < manifest.at && later.is_none_or(|rba| rba >= manifest.end) {
                // Commits below the log that the point needs may be later than that time, and are in its pages.
                let point = manifest.name.clone();
                return Err(PointError::TimeBeforePoint { point, begun: manifest.at, time });
            }
            if later.is_none() {
                // What was cut off was later than the time of a cut, and came to be before the cut was made.
                let made = || cut_without_commits(reader.bsds(), last);
                unfinished = unfinished.or_else(|| made().filter(|(restart, _)| time < restart.at));
            }
            match (later, &unfinished) {
                (Some(rba), _) => rba,
                // That commit is cut off already.
                (None, Some((restart, _))) => restart.end,
                (None, None) => {
                    let latest = last.map(|last| last.latest);
                    return Err(PointError::NoLaterCommit { time, latest, end });
                }
            }
        }
    };
    if rba > end {
        return Err(PointError::TargetBehindEnd { target: rba, end });
    }
    if rba < manifest.end {
        return Err(PointError::PointTooLate {
            point: manifest.name.clone(),
            point_end: manifest.end,
            target: rba,
        });
    }
    let needed = manifest.log_needed_from();
    let (cut, readable, damage) = match reader.cut_at(rba, end) {
        Ok(cut) => (cut, end, None),
        Err(LogError::Damage { rba: damage, why }) => {
            // What is behind the target need not be readable; every record below it has to be.
            let whole = reader.whole_below(needed, damage)?;
            if rba > whole {
                return Err(LogError::Damage { rba: whole, why }.into());
            }
            (reader.cut_at(rba, whole)?, whole, Some((whole, why)))
        }
        Err(error) => return Err(error.into()),
    };
    let made = unfinished.filter(|(restart, history)| rba <= restart.end && cut == history.first);
    if let Some((restart, history)) = made {
        let lost = LostWork::default();
        return Ok(PlannedCut { target: rba, cut: restart.end, end, made: Some(history), lost });
    }
    let checkpoint = reader.bsds().checkpoints.iter().rev().find(|entry| entry.end <= cut);
    let from = checkpoint.map_or(needed, |entry| entry.begin.max(needed));
    let mut lost = find(reader, needed, from, cut, readable)?;
    lost.unreadable = lost.unreadable.take().or(damage);
    Ok(PlannedCut { target: rba, cut, end, made: None, lost })
}

/// The cut that the current history began with, when nothing was committed behind it: a recovery that was interrupted behind its restart
/// is finished by doing all but the cut again.
fn cut_without_commits(bsds: &Bsds, last: Option<LastCommit>) -> Option<(ConditionalRestart, LogHistory)> {
    let restart = bsds.conditional_restarts.last()?;
    let history = bsds.histories.last()?;
    let is_its = history.parent.is_some_and(|(_, cut)| cut == restart.end);
    let is_fresh = last.is_none_or(|last| last.rba < history.first);
    (is_its && is_fresh).then(|| (restart.clone(), history.clone()))
}

/// Shows that a page set of history `found`, which is not restored, holds nothing from behind a cut: neither `cut` nor one made before.
pub(crate) fn check_staying(
    storage: &SharedStorage,
    dir: &Path,
    bsds: &Bsds,
    page_set: PageSetId,
    found: HistoryId,
    cut: Option<Rba>,
) -> Result<(), PointError> {
    let refused = |why: String| PointError::OtherPageSet { page_set, why };
    let shared = if found == bsds.history() {
        Rba::MAX
    } else {
        let relatives = bsds.relatives();
        let shared = relatives.iter().find(|(id, _)| *id == found).map(|(_, shared)| *shared);
        shared.ok_or_else(|| {
            refused(format!("it is of log history {found}, the log is of {}", bsds.history()))
        })?
    };
    let reach = shared.min(cut.unwrap_or(Rba::MAX));
    if reach == Rba::MAX {
        return Ok(());
    }
    check_reach(storage, dir, page_set, reach).map(drop).map_err(|error| refused(error.to_string()))
}
