//! Which recovery points a policy keeps.
//!
//! Points are looked at from the newest to the oldest. Only *sound* points count: verified, on the line that is written, and with all log
//! that they need. One that is not sound is passed without being counted, and is kept while the count is not reached: it may be verified,
//! or its log brought back. One that is damaged, or whose log a plan deleted, is not kept at all unless it is held.

use format_types::Timestamp;

use crate::points::{PageSets, Periods, PointView, periods};
use crate::policy::Policy;

/// Why a point is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Keeps {
    /// Of the last N.
    pub(crate) last: bool,
    /// Younger than the span.
    pub(crate) newer: bool,
    /// Of a day, week, month, year.
    pub(crate) periods: [bool; 4],
    /// Inside the window.
    pub(crate) window: bool,
    /// The window's recovery begins with it.
    pub(crate) base: bool,
    /// The newest full one, or newer than it.
    pub(crate) full: bool,
    /// No part of the policy chooses points.
    pub(crate) all: bool,
    /// Held.
    pub(crate) hold: bool,
    /// Recovers to the end of its copies only.
    pub(crate) consistent_only: bool,
}

impl Keeps {
    /// Whether it is kept by more than a hold.
    pub(crate) fn by_policy(&self) -> bool {
        let periods = self.periods.contains(&true);
        self.last || self.newer || periods || self.window || self.base || self.full || self.all
    }

    /// Whether it is kept at all.
    pub(crate) fn any(&self) -> bool {
        self.hold || self.by_policy()
    }

    /// The reasons, for people.
    pub(crate) fn reasons(&self, policy: &Policy) -> Vec<String> {
        let mut reasons = Vec::new();
        let mut say = |on: bool, reason: String| {
            if on {
                reasons.push(reason);
            }
        };
        let count = Option::unwrap_or_default;
        let span = |span: Option<crate::Span>| span.map(|span| span.to_string()).unwrap_or_default();
        say(self.all, "no part of the policy chooses points".to_owned());
        say(self.last, format!("--keep-last {}", count(policy.keep_last)));
        say(self.newer, format!("--newer-than {}", span(policy.newer_than)));
        say(self.periods[0], format!("--daily {}", count(policy.daily)));
        say(self.periods[1], format!("--weekly {}", count(policy.weekly)));
        say(self.periods[2], format!("--monthly {}", count(policy.monthly)));
        say(self.periods[3], format!("--yearly {}", count(policy.yearly)));
        say(self.window, format!("--window {}", span(policy.window)));
        say(self.base, format!("--window {} begins with it", span(policy.window)));
        say(self.full, "--back-to-full".to_owned());
        say(self.hold, "held".to_owned());
        say(self.consistent_only, "consistent only".to_owned());
        reasons
    }
}

/// What a point loses in an imagined choice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Loses {
    /// It stays as the policy and its hold have it.
    Nothing,
    /// Its hold ends.
    Hold,
    /// It is given up.
    Everything,
}

/// New verified points of all page sets, made now: what would be kept if there were so many?
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Imagined {
    /// How many new points.
    pub(crate) new: u32,
}

/// Counts for each page set.
struct PerPageSet {
    limit: u32,
    /// Points that had all page sets whose count was not reached.
    of_all: u32,
    /// Of each page set, the other points that had it.
    others: [u32; 128],
    /// No page set whose count is not reached has more of the others.
    most_others: u32,
    /// Page sets whose count is not reached.
    open: PageSets,
}

impl PerPageSet {
    fn new(limit: u32, all: PageSets) -> Self {
        let open = if limit == 0 { PageSets::default() } else { all };
        Self { limit, of_all: 0, others: [0; 128], most_others: 0, open }
    }

    /// So many points of all page sets.
    fn count_often(&mut self, times: u32) {
        self.of_all = times;
        self.close();
    }

    fn count(&mut self, page_sets: PageSets) {
        let counted = page_sets.and(self.open);
        if counted == self.open {
            self.of_all += 1;
        } else {
            for number in counted.numbers() {
                self.others[number] += 1;
                self.most_others = self.most_others.max(self.others[number]);
            }
        }
        if self.of_all + self.most_others >= self.limit {
            self.close();
        }
    }

    fn close(&mut self) {
        let (mut open, mut most) = (PageSets::default(), 0);
        for number in self.open.numbers().filter(|number| self.of_all + self.others[*number] < self.limit) {
            if let Some(id) = format_types::PageSetId::new(number as u8) {
                open.insert(id);
                most = most.max(self.others[number]);
            }
        }
        (self.open, self.most_others) = (open, most);
    }
}

/// The newest of each of so many periods.
struct PerPeriod {
    limit: u32,
    taken: u32,
    last: Option<i32>,
}

impl PerPeriod {
    fn is_open(&self, period: i32) -> bool {
        self.last != Some(period) && self.taken < self.limit
    }

    fn count(&mut self, period: i32) {
        if self.is_open(period) {
            (self.taken, self.last) = (self.taken + 1, Some(period));
        }
    }
}

/// What a selection is made from.
pub(crate) struct Selection<'a> {
    pub(crate) points: &'a [PointView],
    pub(crate) policy: &'a Policy,
    pub(crate) at: Timestamp,
    now: Periods,
    /// The page sets that points are counted for.
    all: PageSets,
}

impl<'a> Selection<'a> {
    pub(crate) fn new(points: &'a [PointView], policy: &'a Policy, at: Timestamp, today: PageSets) -> Self {
        let listed = points.iter().fold(today, |all, point| all.or(point.page_sets));
        let all = if today.is_empty() { listed } else { today };
        Self { points, policy, at, now: periods(at), all }
    }

    /// What is kept.
    pub(crate) fn choose(&self, imagined: Imagined) -> Vec<Keeps> {
        self.choose_but(imagined, |_, _| Some(Loses::Nothing)).unwrap_or_default()
    }

    /// What is kept when points are given up, or their holds end, as soon as they would be kept: `loses` is told of each. None when it
    /// wants to hear no more. What goes is the same as if points were given up again and again until none is to go: whether one is
    /// kept depends on newer ones alone, and giving those up never makes it go.
    pub(crate) fn choose_but(
        &self,
        imagined: Imagined,
        mut loses: impl FnMut(usize, &Keeps) -> Option<Loses>,
    ) -> Option<Vec<Keeps>> {
        let policy = self.policy;
        let mut last = PerPageSet::new(policy.keep_last.unwrap_or(0), self.all);
        let mut full = PerPageSet::new(u32::from(policy.back_to_full), self.all);
        let mut base = PerPageSet::new(u32::from(policy.window.is_some()), self.all);
        let limits = [policy.daily, policy.weekly, policy.monthly, policy.yearly];
        let mut by_period = limits.map(|limit| PerPeriod { limit: limit.unwrap_or(0), taken: 0, last: None });
        let by_calendar = limits.iter().any(Option::is_some);
        last.count_often(imagined.new);
        full.count_often(imagined.new);
        if imagined.new > 0 {
            for (period, counted) in by_period.iter_mut().enumerate() {
                counted.count(self.now[period]);
            }
        }
        let young = |span: Option<crate::Span>, point: &PointView| {
            span.is_some_and(|span| point.at.0.saturating_add(span.micros) > self.at.0)
        };
        let all = !policy.chooses_points();
        let mut kept = vec![Keeps::default(); self.points.len()];
        for (index, (point, keeps)) in self.points.iter().zip(&mut kept).enumerate() {
            keeps.hold = point.hold.is_some();
            let window = young(policy.window, point);
            let begins = point.on_line && !point.lost_line && !point.damaged;
            let begins = !window && begins && !point.page_sets.and(base.open).is_empty();
            let short = policy.consistent_only && !window && !begins;
            // Plans left it the log to the end of its copies: it still recovers to there, and is not to lose that as well.
            let island = point.lost_line && point.whole_copy;
            keeps.consistent_only = short || island;
            let (lost, sound) = match (short, island) {
                (true, _) => (point.lost_copy, point.verified && point.whole_copy && point.on_line),
                (false, true) => (false, false),
                (false, false) => (point.lost_line, point.is_sound()),
            };
            let counts = sound && !point.damaged && !lost;
            if !point.damaged && !lost {
                keeps.all = all;
                keeps.last = !point.page_sets.and(last.open).is_empty();
                keeps.full = !point.page_sets.and(full.open).is_empty();
                keeps.newer = young(policy.newer_than, point);
                (keeps.window, keeps.base) = (window, begins);
                if by_calendar {
                    for (period, counted) in by_period.iter().enumerate() {
                        keeps.periods[period] = counted.is_open(point.periods[period]);
                    }
                }
            }
            match loses(index, keeps)? {
                Loses::Nothing => {}
                Loses::Hold => keeps.hold = false,
                Loses::Everything => {
                    *keeps = Keeps::default();
                    continue;
                }
            }
            if !counts {
                continue;
            }
            last.count(point.page_sets);
            if point.full {
                full.count(point.page_sets);
            }
            // The window is left by the point that its recovery begins with.
            if begins {
                base.count(point.page_sets);
            }
            if by_calendar {
                for (period, counted) in by_period.iter_mut().enumerate() {
                    counted.count(point.periods[period]);
                }
            }
        }
        Some(kept)
    }
}
