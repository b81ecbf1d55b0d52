//! What a plan says of the data sets that stay, each thing once: of a million of them, a few thousand differ in it.
//!
//! Data sets are looked through first, in order, for what of them differs; then that is put into words, on all processors.

use format_inventory::{HolderEntry, Shared};
use hashbrown::HashMap;
use rayon::prelude::*;

use crate::decide::{self, Verdict};
use crate::fact::Fact;
use crate::needs::{Cursor, Meeting};
use crate::plan::Planned;
use crate::release::{Release, Wanted, release};

/// Holders that are listed at most, of all data sets together, before lists are cut.
const LISTED: usize = 1_000_000;
/// Holders of one data set that are listed then.
const LISTED_OF_ONE: usize = 3;
/// Points that a releasing set of a plan gives up at most.
const GIVEN_UP: usize = 20;
/// So few are put into words here: threads would cost more.
const FEW: usize = 64;

/// What releases data sets, as facts and in words.
struct Released {
    release: Release,
    lines: Shared<String>,
}

impl Released {
    fn new(release: Release) -> Self {
        let lines = match &release {
            Release::By(facts) => facts.iter().map(Fact::to_string).collect(),
            Release::TooMany => vec![format!(
                "more than {GIVEN_UP} recovery points are given up: 'prunelog explain' names them"
            )]
            .into(),
            Release::Never => Vec::new().into(),
        };
        Self { release, lines }
    }
}

/// What a releasing set depends on: data sets that agree in it have the same one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
struct Marks {
    history: u16,
    /// Who holds it beside points.
    today: Option<Meeting>,
    /// The candidates that meet it.
    candidates: Option<Meeting>,
    /// Points do not hold it: another copy has the log.
    only_today: bool,
}

/// Where to look for what releases a row.
#[derive(Debug, Clone, Copy)]
enum Source {
    /// Nothing does.
    Nothing,
    /// The releasing set of its log; and the one without points, where copy 1 may be verified.
    Log { set: u32, without_points: Option<u32> },
    /// It is looked for by itself.
    Row,
}

/// Texts that many entries share.
pub(crate) struct Texts<'p, 'e, 'i> {
    planned: &'p Planned<'e, 'i>,
    /// How many holders are listed of one data set.
    listed: usize,
    /// Of each group, the holders, and how many there are beside them.
    holders: Vec<(Shared<HolderEntry>, usize)>,
    sources: Vec<Source>,
    released: Vec<Released>,
    nothing: Shared<String>,
}

/// Does `one` for each, on all processors when there are many.
pub(crate) fn for_each<T: Sync, R: Send>(all: &[T], one: impl Fn(&T) -> R + Sync + Send) -> Vec<R> {
    if all.len() <= FEW { all.iter().map(one).collect() } else { all.par_iter().map(one).collect() }
}

/// Finds the marks of rows, in order.
struct Marker<'p, 'e, 'i> {
    planned: &'p Planned<'e, 'i>,
    cursors: Vec<[Cursor; 2]>,
    /// The number of each kind of marks.
    numbers: HashMap<Marks, u32>,
    /// For each, the log of one row that has them.
    wanted: Vec<Wanted>,
    /// The last of them: neighbours have nearly always the same.
    last: Option<(Marks, u32)>,
}

impl Marker<'_, '_, '_> {
    fn number(&mut self, wanted: Wanted) -> u32 {
        let planned = self.planned;
        let history = wanted.history;
        let [today, candidates] = &mut self.cursors[history];
        let marks = Marks {
            history: history as u16,
            today: planned.evaluation.needs.held_today[history].meeting_near(wanted.range, today),
            candidates: planned.candidates[history].meeting_near(wanted.range, candidates),
            only_today: wanted.today,
        };
        if let Some((same, number)) = self.last
            && same == marks
        {
            return number;
        }
        let number = *self.numbers.entry(marks).or_insert_with(|| {
            self.wanted.push(wanted);
            (self.wanted.len() - 1) as u32
        });
        self.last = Some((marks, number));
        number
    }

    fn source(&mut self, place: usize, verdict: Verdict) -> Source {
        let planned = self.planned;
        match verdict {
            Verdict::Held(_) if planned.evaluation.policy.is_empty() => Source::Nothing,
            // What lets a data set on several volumes go lets all of them go.
            Verdict::Held(_) | Verdict::Newest if !planned.is_on_volumes(place) => {
                let wanted = planned.wanted(place);
                let set = self.number(wanted);
                let verify = planned.to_be_verified(&planned.logs().rows[place]).is_some();
                let without_points = verify.then(|| self.number(Wanted { today: true, ..wanted }));
                Source::Log { set, without_points }
            }
            Verdict::Held(_) | Verdict::Newest | Verdict::OtherVolume => Source::Row,
            Verdict::Active | Verdict::Unregistered | Verdict::Delete | Verdict::Absent { .. } => {
                Source::Nothing
            }
        }
    }
}

impl<'p, 'e, 'i> Texts<'p, 'e, 'i> {
    pub(crate) fn new(planned: &'p Planned<'e, 'i>) -> Self {
        let evaluation = planned.evaluation;
        let groups = &planned.verdicts.groups;
        let mut sizes = vec![0_usize; groups.len()];
        for verdict in &planned.verdicts.of {
            if let Verdict::Held(group) = verdict {
                sizes[*group as usize] += 1;
            }
        }
        let holders = |group: &decide::Group| {
            let row = &evaluation.logs.rows[group.row];
            decide::held(&evaluation.needs, row, group.today).meeting(row.range).map_or(0, Meeting::count)
        };
        let all: usize = groups.iter().zip(&sizes).map(|(group, size)| size * holders(group)).sum();
        let listed = if all > LISTED { LISTED_OF_ONE } else { usize::MAX };
        let mut marker = Marker {
            planned,
            cursors: vec![[Cursor::default(); 2]; evaluation.logs.lines.count()],
            numbers: HashMap::new(),
            wanted: Vec::new(),
            last: None,
        };
        let verdicts = planned.verdicts.of.iter().enumerate();
        let sources = verdicts.map(|(place, verdict)| marker.source(place, *verdict)).collect();
        let released = for_each(&marker.wanted, |wanted| {
            Released::new(release(evaluation, std::slice::from_ref(wanted), GIVEN_UP))
        });
        let holders = for_each(groups, |group| {
            let (holders, more) = planned.holders_of_log(group.row, listed);
            (holders.into(), more)
        });
        Self { planned, listed, holders, sources, released, nothing: Vec::new().into() }
    }

    pub(crate) fn holders(&self, place: usize, verdict: Verdict) -> (Shared<HolderEntry>, usize) {
        match verdict {
            Verdict::Held(group) if !self.planned.verdicts.newer.contains_key(&place) => {
                self.holders[group as usize].clone()
            }
            _ => {
                let (holders, more) = self.planned.some_holders_of_row(place, self.listed);
                (holders.into(), more)
            }
        }
    }

    pub(crate) fn released_by(&self, place: usize) -> Shared<String> {
        let planned = self.planned;
        match self.sources[place] {
            Source::Nothing => self.nothing.clone(),
            Source::Row => Released::new(planned.released_by(place, GIVEN_UP)).lines,
            Source::Log { set, without_points } => {
                let released = &self.released[set as usize];
                let is_newest = planned.verdicts.newer.contains_key(&place);
                if !is_newest && without_points.is_none() {
                    return released.lines.clone();
                }
                let mut release = released.release.clone();
                if let Some(without) = without_points {
                    let row = &planned.logs().rows[place];
                    let today = || self.released[without as usize].release.clone();
                    release = planned.by_verifying(row, release, today);
                }
                Released::new(planned.with_newer(&[place], release)).lines
            }
        }
    }
}
