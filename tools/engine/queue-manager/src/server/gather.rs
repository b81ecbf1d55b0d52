//! Group commit: how long the next sync of the log waits for the programs that the last one answered.
//!
//! Programs that were answered together come back together, but not at the same instant: a sync begun for the first of them leaves the
//! others waiting for the one after it, so that half the syncs carry a single commit. The next sync is therefore held back until all
//! who were answered are back, for half the time of a sync at most; when they do not come back, fewer and fewer syncs are held back.

use std::time::{Duration, Instant};

/// Shortest and longest time for which a sync is held back.
const SHORTEST: Duration = Duration::from_micros(20);
const LONGEST: Duration = Duration::from_millis(1);

/// Most groups in a row that are not waited for after waiting was in vain.
const MOST_SKIPPED: u32 = 1024;

/// The programs answered together by the last sync, as far as the next one waits for them.
#[derive(Debug, Default)]
pub(super) struct Gather {
    /// Number of the group answered last.
    group: u64,
    /// How many of it were answered, and how many of those are not back.
    answered: u32,
    missing: u32,
    /// When waiting for them ends; none when nobody is waited for.
    until: Option<Instant>,
    /// What a sync takes, smoothed.
    sync: Duration,
    begun: Option<Instant>,
    /// Groups still to be passed over, and how many the next waiting in vain will add.
    skip: u32,
    penalty: u32,
}

impl Gather {
    /// A sync begins.
    pub(super) fn sync_begins(&mut self) {
        self.begun = Some(Instant::now());
    }

    /// A sync has ended; those answered from now on to [`Self::open`] are a group.
    pub(super) fn sync_ends(&mut self) {
        if let Some(begun) = self.begun.take() {
            self.sync = (self.sync * 7 + begun.elapsed()) / 8;
        }
        self.group += 1;
        self.answered = 0;
    }

    /// One more program is answered; the number by which it is known when it comes back.
    pub(super) fn answered(&mut self) -> u64 {
        self.answered += 1;
        self.group
    }

    /// All of the group are answered: how long to wait for them, if at all.
    pub(super) fn open(&mut self) -> Option<Duration> {
        self.missing = self.answered;
        if self.answered < 2 {
            return None;
        }
        if self.skip > 0 {
            self.skip -= 1;
            return None;
        }
        let longest = (self.sync / 2).clamp(SHORTEST, LONGEST);
        self.until = Some(Instant::now() + longest);
        Some(longest)
    }

    /// A program is back, or gone, that was answered in group `group`.
    pub(super) fn back(&mut self, group: u64) {
        if group == self.group {
            self.missing = self.missing.saturating_sub(1);
        }
    }

    /// Whether the next sync is to wait. Says so no more once all are back or the time is over.
    pub(super) fn holds(&mut self) -> bool {
        let Some(until) = self.until else { return false };
        if self.missing > 0 && Instant::now() < until {
            return true;
        }
        self.until = None;
        if self.missing * 2 > self.answered {
            self.penalty = (self.penalty * 2).clamp(1, MOST_SKIPPED);
            self.skip = self.penalty;
        } else {
            self.penalty = 0;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn group_of(gather: &mut Gather, programs: u32) -> (u64, Option<Duration>) {
        gather.sync_begins();
        gather.sync_ends();
        let group = (0..programs).map(|_| gather.answered()).last().unwrap_or_default();
        (group, gather.open())
    }

    #[test]
    fn nobody_is_waited_for_after_a_single_answer() {
        let mut gather = Gather::default();
        assert_eq!(group_of(&mut gather, 1).1, None);
        assert!(!gather.holds());
    }

    #[test]
    fn a_group_is_waited_for_until_all_are_back() {
        let mut gather = Gather { sync: LONGEST * 1000, ..Gather::default() };
        let (group, longest) = group_of(&mut gather, 3);
        assert_eq!(longest, Some(LONGEST));
        gather.until = Some(Instant::now() + Duration::from_secs(600));
        for _ in 0..3 {
            assert!(gather.holds());
            gather.back(group - 1);
            assert!(gather.holds(), "one of an older group is nobody");
            gather.back(group);
        }
        assert!(!gather.holds());
        assert!(group_of(&mut gather, 3).1.is_some());
    }

    #[test]
    fn waiting_in_vain_is_done_less_and_less() {
        let mut gather = Gather::default();
        let mut waited = Vec::new();
        for group in 0..40 {
            if group_of(&mut gather, 4).1.is_some() {
                waited.push(group);
                gather.until = Some(Instant::now());
                assert!(!gather.holds());
            }
        }
        assert_eq!(waited, [0, 2, 5, 10, 19, 36]);
    }
}
