//! Log that a restart or a known recovery point needs, and that is in no file of a directory whose BSDS is made anew.

use std::fmt;

use format_bsds::Bsds;
use format_types::{PointState, Rba, RbaRange};

use crate::rebuild::PageSetWitness;
use crate::rebuild_records::Recorded;
use crate::survey::{LogSurvey, UnusableFile};

/// Log that somebody needs and no file here holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogGap {
    /// The log.
    pub range: RbaRange,
    /// The recovery point that needs it; none when the next restart does.
    pub point: Option<String>,
    /// Files that are here, cannot be read, and hold it or may hold it.
    pub unreadable: Vec<String>,
}

impl LogGap {
    /// Whether it stands against making a BSDS: a restart could not do without that log, or it was here and cannot be read. What a
    /// recovery point needs and is not here at all may be kept elsewhere, as the BSDS says where.
    #[must_use]
    pub fn is_loss(&self) -> bool {
        self.point.is_none() || !self.unreadable.is_empty()
    }
}

impl fmt::Display for LogGap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who =
            self.point.as_ref().map_or("the next start".to_owned(), |name| format!("recovery point {name}"));
        write!(f, "log {} is needed by {who} and is in no file here that can be read", self.range)?;
        if !self.unreadable.is_empty() {
            write!(f, "; it may be in {}", self.unreadable.join(", "))?;
        }
        Ok(())
    }
}

/// What is needed up to the end of the log and is not there, who needs most first.
pub(crate) fn find(
    bsds: &Bsds,
    survey: &LogSurvey,
    page_sets: &[PageSetWitness],
    recorded: &Recorded,
) -> Vec<LogGap> {
    let line = bsds.line();
    let mut here: Vec<RbaRange> = survey
        .files
        .iter()
        .filter_map(|file| file.content)
        .filter(|content| content.identity.queue_manager == bsds.queue_manager)
        .filter_map(|content| line.clip(content.identity.history, content.range()))
        .collect();
    // The log was read to its end: what is there needs no trailer.
    let current = bsds.current_active(1).and_then(|log| log.range);
    here.extend(current.map(|range| RbaRange::new(range.start, recorded.end)));
    here.sort_unstable();
    let on_the_line = page_sets.iter().filter(|set| line.holds(set.history, set.recovery_rba));
    let restart = on_the_line
        .map(|set| set.recovery_rba)
        .chain(recorded.checkpoints.last().map(|checkpoint| checkpoint.begin))
        .chain(recorded.oldest_unit)
        .min();
    let points = bsds
        .recovery_points
        .iter()
        .filter(|point| point.state != PointState::Damaged && line.holds(point.history, point.end));
    let points = points.map(|point| {
        let copies = point.page_sets.iter().map(|(_, rba)| *rba).min().unwrap_or(Rba::MAX);
        (Some(point.name.clone()), point.system_recovery.lowest().rba.min(copies))
    });
    let needs = restart.map(|from| (None, from)).into_iter().chain(points);
    needs
        .flat_map(|(point, from)| {
            let needed = RbaRange::new(from.max(line.start()), recorded.end);
            let gaps = uncovered(&here, needed);
            gaps.into_iter().map(move |range| LogGap {
                range,
                point: point.clone(),
                unreadable: holding(bsds, &survey.unusable, range),
            })
        })
        .collect()
}

/// The stretches of `needed` that none of `here`, sorted, holds.
fn uncovered(here: &[RbaRange], needed: RbaRange) -> Vec<RbaRange> {
    let mut gaps = Vec::new();
    let mut at = needed.start;
    for range in here {
        if at >= needed.end {
            break;
        }
        if range.start > at {
            gaps.push(RbaRange::new(at, range.start.min(needed.end)));
        }
        at = at.max(range.end);
    }
    if at < needed.end {
        gaps.push(RbaRange::new(at, needed.end));
    }
    gaps
}

/// Of the files that cannot be read, those that hold log of `gap` as the BSDS says, and those of which it does not say what they hold.
fn holding(bsds: &Bsds, unusable: &[UnusableFile], gap: RbaRange) -> Vec<String> {
    let line = bsds.line();
    let may_hold = |file: &&UnusableFile| {
        let named = bsds.archives.iter().find(|archive| archive.name == file.name);
        file.is_log
            && named.is_none_or(|archive| {
                line.clip(archive.history, archive.range).is_some_and(|range| range.meets(&gap))
            })
    };
    unusable.iter().filter(may_hold).map(|file| file.name.clone()).collect()
}
