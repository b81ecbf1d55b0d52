//! When units ended, by the queue manager's clock: which commits a recovery to a time must keep, and which it must not.
//!
//! The clock of a run never steps back, and a commit's record carries the time at which it was written: not before the commit was asked
//! for, not after it was known. Between the two the model does not judge.

use format_types::Rba;

use super::chronicle::{Deed, Side};
use super::{Broken, Model};

/// Microseconds between which something happened, both included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    pub(super) asked: u64,
    pub(super) known: u64,
}

impl Model {
    /// The queue manager was told this time.
    pub(crate) fn set_clock(&mut self, now: u64) {
        self.clock = now;
    }

    /// The time that the queue manager was told last.
    pub(crate) fn clock(&self) -> u64 {
        self.clock
    }

    /// Times at which commits were asked for or became known, in order: where a recovery to a time has most to decide.
    pub(crate) fn commit_times(&self) -> Vec<u64> {
        let moments = self.committed_deeds().map(|deed| deed.moment);
        let mut times: Vec<u64> = moments.flat_map(|moment| [moment.asked, moment.known]).collect();
        times.sort_unstable();
        times.dedup();
        times
    }

    /// Whether a commit is certainly later than `time`.
    pub(crate) fn commits_after(&self, time: u64) -> bool {
        self.committed_deeds().any(|deed| deed.moment.asked > time)
    }

    /// A recovery to `time` cuts the log at `cut`.
    ///
    /// # Errors
    /// When that loses a commit that is not later than `time`, or keeps one that is.
    pub(crate) fn check_cut_of_time(&self, time: u64, cut: Rba) -> Result<(), Broken> {
        for deed in self.committed_deeds() {
            let side = deed.side(cut);
            if side == Side::Above && deed.moment.known <= time {
                return Err(format!(
                    "a recovery to time {time} cuts at {cut} and loses an earlier commit: {deed:?}"
                ));
            }
            if side == Side::Below && deed.moment.asked > time {
                return Err(format!(
                    "a recovery to time {time} cuts at {cut} and keeps a later commit: {deed:?}"
                ));
            }
        }
        Ok(())
    }

    fn committed_deeds(&self) -> impl Iterator<Item = &Deed> {
        self.chronicle.iter().filter(|deed| deed.commit)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::Phase;

    #[test]
    fn a_cut_is_judged_by_the_commits_that_are_certain() {
        let mut model = Model::default();
        model.set_clock(10);
        let number = model.new_message(0, 5, true, 8);
        let unit = model.new_unit("C");
        model.putting(unit, number);
        model.phase(unit, Phase::Committing);
        model.set_clock(20);
        model.committed(unit, Some(Rba(100)));
        assert_eq!(model.commit_times(), [10, 20]);
        let judged = |time, cut| model.check_cut_of_time(time, Rba(cut)).is_ok();
        // It was answered by then, so it is kept; it was asked for later, so it is not; between the two it may be either.
        assert!(judged(20, 101) && !judged(20, 100));
        assert!(judged(9, 100) && !judged(9, 101));
        assert!(judged(10, 100) && judged(10, 101) && judged(19, 100) && judged(19, 101));
        assert!(model.commits_after(9) && !model.commits_after(10));
        // What is behind an earlier cut is not there any more, and says nothing.
        assert!(model.cut(Rba(100)).is_some_and(|cut| cut.commit_times().is_empty()));
    }
}
