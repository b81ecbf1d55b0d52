//! Which data sets stay and which go.

use std::collections::HashMap;

use format_inventory::{Inventory, LogDataSet};
use format_types::Rba;
use hashbrown::HashSet;

use crate::logs::{Logs, Row};
use crate::needs::{Cursor, Held, Meeting, Needs};
use crate::planted::{self, Defect};
use crate::policy::Policy;

/// What becomes of a data set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// It goes.
    Delete,
    /// It is an active log.
    Active,
    /// The queue manager's inventory does not have it.
    Unregistered,
    /// It is not there.
    Absent {
        /// Its log is held.
        held: bool,
    },
    /// Its log is held; by whom, the group says.
    Held(u32),
    /// Nobody holds its log, but it is one of the newest of its copy.
    Newest,
    /// Nobody holds its log, but that of another volume of it.
    OtherVolume,
}

impl Verdict {
    /// Whether the data set stays.
    pub(crate) fn is_kept(self) -> bool {
        !matches!(self, Self::Delete | Self::Absent { .. })
    }
}

/// Data sets with the same holders.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Group {
    /// One of them, by its place among the rows.
    pub(crate) row: usize,
    /// Only what is not of points holds them: copy 1 is verified.
    pub(crate) today: bool,
}

/// The verdicts.
#[derive(Debug, Default)]
pub(crate) struct Verdicts {
    /// Of each row.
    pub(crate) of: Vec<Verdict>,
    /// Groups of data sets with the same holders.
    pub(crate) groups: Vec<Group>,
    /// With --min-archives: how many of its copy are newer, of each row that it keeps.
    pub(crate) newer: HashMap<usize, u32>,
}

/// What of `needs` holds a row.
pub(crate) fn held<'n>(needs: &'n Needs, row: &Row, today: bool) -> &'n Held {
    let by_history = if today { &needs.held_today } else { &needs.held };
    &by_history[usize::from(row.history)]
}

/// A cursor for each list of what is held, for rows in their order.
pub(crate) struct Cursors(Vec<[Cursor; 2]>);

impl Cursors {
    pub(crate) fn new(logs: &Logs) -> Self {
        Self(vec![[Cursor::default(); 2]; logs.lines.count()])
    }

    pub(crate) fn of(&mut self, row: &Row, today: bool) -> &mut Cursor {
        &mut self.0[usize::from(row.history)][usize::from(today)]
    }
}

/// Whether only what is not of points holds the row.
pub(crate) fn only_today(logs: &Logs, row: &Row, policy: &Policy) -> bool {
    policy.copy2_shorter && row.copy == 2 && logs.is_verified_in_copy1(row)
}

/// With --min-archives: the newest archives of each copy, and how many of the copy are newer than each.
pub(crate) fn newest(logs: &Logs, policy: &Policy) -> HashMap<usize, u32> {
    let Some(count) = policy.min_archives else { return HashMap::new() };
    let mut seen = [0_u32; 3];
    let mut newest = HashMap::new();
    let archives = logs.rows.iter().enumerate().rev().filter(|(_, row)| may_go(row));
    for (place, row) in archives {
        let seen = &mut seen[usize::from(row.copy).min(2)];
        if *seen < count {
            newest.insert(place, *seen);
            *seen += 1;
        }
    }
    newest
}

/// Whether a row is an archive that could go if nobody held it.
pub(crate) fn may_go(row: &Row) -> bool {
    !row.active && row.registered && row.present
}

/// Decides of every data set.
pub(crate) fn decide(inventory: &Inventory<'_>, logs: &Logs, needs: &Needs, policy: &Policy) -> Verdicts {
    let mut verdicts = Verdicts { newer: newest(logs, policy), ..Verdicts::default() };
    let mut known: HashMap<(u16, bool, Meeting), u32> = HashMap::new();
    let mut last = None;
    let mut cursors = Cursors::new(logs);
    verdicts.of.reserve_exact(logs.rows.len());
    for (place, row) in logs.rows.iter().enumerate() {
        let today = only_today(logs, row, policy);
        let meeting = held(needs, row, today).meeting_near(row.range, cursors.of(row, today));
        let meeting = meeting.filter(|_| !(planted::active(Defect::Copy2Forgotten) && row.copy == 2));
        let verdict = match meeting {
            _ if row.active => Verdict::Active,
            _ if !row.registered => Verdict::Unregistered,
            _ if !row.present => Verdict::Absent { held: meeting.is_some() },
            Some(meeting) => {
                let key = (row.history, today, meeting);
                let group = match last {
                    Some((same, group)) if same == key => group,
                    _ => *known.entry(key).or_insert_with(|| {
                        verdicts.groups.push(Group { row: place, today });
                        verdicts.groups.len() as u32 - 1
                    }),
                };
                last = Some((key, group));
                Verdict::Held(group)
            }
            None if verdicts.newer.contains_key(&place) => Verdict::Newest,
            None => Verdict::Delete,
        };
        verdicts.of.push(verdict);
    }
    keep_whole_data_sets(&inventory.logs, logs, &mut verdicts.of);
    verdicts
}

/// A data set on several volumes is deleted as one: where one volume stays, all do.
fn keep_whole_data_sets(names: &[LogDataSet<'_>], logs: &Logs, of: &mut [Verdict]) {
    let name =
        |place: usize| logs.rows.get(place).and_then(|row| names.get(row.log as usize)).map(|log| &*log.name);
    let goes = |verdict: Verdict| verdict == Verdict::Delete;
    let stays = |verdict: Verdict| verdict.is_kept() || verdict == Verdict::Absent { held: true };
    let named = |wanted: &dyn Fn(Verdict) -> bool| -> Vec<&str> {
        let wanted = of.iter().enumerate().filter(|(_, verdict)| wanted(**verdict));
        wanted.filter_map(|(place, _)| name(place)).collect()
    };
    let (going, staying) = (named(&goes), named(&stays));
    // The smaller side is remembered, the other one asked.
    let (few, many) = if going.len() <= staying.len() { (&going, &staying) } else { (&staying, &going) };
    let known: HashSet<&str> = few.iter().copied().collect();
    let both: HashSet<&str> = many.iter().copied().filter(|name| known.contains(name)).collect();
    if both.is_empty() {
        return;
    }
    for (place, verdict) in of.iter_mut().enumerate() {
        if goes(*verdict) && name(place).is_some_and(|name| both.contains(name)) {
            *verdict = Verdict::OtherVolume;
        }
    }
}

/// The lowest RBA of the line that is written which is held, with the history that it lies in.
pub(crate) fn boundary(logs: &Logs, needs: &Needs) -> Option<(usize, Rba)> {
    let line = logs.lines.current;
    let held = needs.held.iter().enumerate().filter_map(|(history, held)| {
        let first = held.joined.first()?;
        (first.start < logs.lines.limit(line, history)).then_some((history, first.start))
    });
    held.min_by_key(|(_, rba)| *rba)
}
