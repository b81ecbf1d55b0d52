//! The plan: of every data set whether it stays or goes, and who keeps it.

use std::borrow::Cow;

use format_inventory::{
    AbsentEntry, DeleteEntry, HolderEntry, HolderKind, Inputs, Inventory, KeepEntry, LogDataSet, Plan,
    PointEntry, Totals, VERSION,
};
use format_types::{Rba, RbaRange, Timestamp};
use hashbrown::HashMap;

use crate::InventoryError;
use crate::decide::{self, Verdict, Verdicts, only_today};
use crate::evaluation::Evaluation;
use crate::fact::Fact;
use crate::logs::{Logs, Row};
use crate::needs::{self, Held, Meeting};
use crate::policy::Policy;
use crate::release::{Release, Wanted, release};
use crate::texts::{Texts, for_each};
use crate::{actions, gaps, warnings};

/// A plan, and what stands behind it.
pub(crate) struct Planned<'e, 'i> {
    inventory: &'i Inventory<'i>,
    pub(crate) evaluation: &'e Evaluation<'e>,
    pub(crate) verdicts: Verdicts,
    /// Of each history, where a releasing set may change: what points that are not kept would hold.
    pub(crate) candidates: Vec<Held>,
    /// By name, the rows of data sets on several volumes of which one is held.
    volumes: HashMap<&'i str, Vec<usize>>,
}

/// Makes the plan of `inventory` under `policy` for the time `at`. `inputs` names what it is made from.
///
/// # Errors
/// When what the inventory says cannot be.
pub fn plan<'i>(
    inventory: &'i Inventory<'i>,
    policy: &Policy,
    at: Timestamp,
    inputs: Inputs,
) -> Result<Plan<'i>, InventoryError> {
    let logs = Logs::new(inventory)?;
    let evaluation = Evaluation::new(inventory, &logs, policy, at)?;
    Planned::new(inventory, &evaluation).document(inputs)
}

impl<'e, 'i> Planned<'e, 'i> {
    pub(crate) fn new(inventory: &'i Inventory<'i>, evaluation: &'e Evaluation<'e>) -> Self {
        let Evaluation { logs, policy, needs, .. } = evaluation;
        let verdicts = decide::decide(inventory, logs, needs, policy);
        let mut volumes: HashMap<&str, Vec<usize>> = HashMap::new();
        let others = verdicts.of.iter().zip(&logs.rows).filter(|(of, _)| **of == Verdict::OtherVolume);
        for name in others.map(|(_, row)| &*inventory.logs[row.log as usize].name) {
            volumes.insert(name, Vec::new());
        }
        if !volumes.is_empty() {
            for (place, row) in logs.rows.iter().enumerate() {
                if let Some(rows) = volumes.get_mut(&*inventory.logs[row.log as usize].name) {
                    rows.push(place);
                }
            }
        }
        Self { inventory, evaluation, verdicts, candidates: candidates(evaluation), volumes }
    }

    pub(crate) fn logs(&self) -> &'e Logs {
        self.evaluation.logs
    }

    pub(crate) fn data_set(&self, row: &Row) -> &'i LogDataSet<'i> {
        &self.inventory.logs[row.log as usize]
    }

    /// The holders of log, the furthest back first.
    pub(crate) fn holders(&self, history: usize, range: RbaRange, today: bool) -> Vec<HolderEntry> {
        self.some_holders(history, range, today, usize::MAX)
    }

    /// The `limit` holders of log that reach the furthest back.
    fn some_holders(&self, history: usize, range: RbaRange, today: bool, limit: usize) -> Vec<HolderEntry> {
        let Evaluation { needs, inventory, points, .. } = self.evaluation;
        let held = if today { &needs.held_today } else { &needs.held };
        let order = |number: &u32| {
            let holder = &needs.holders[*number as usize];
            (holder.range.start, holder.kind, *number)
        };
        let mut numbers: Vec<u32> = held[history].holders(range).collect();
        if numbers.len() > limit {
            numbers.select_nth_unstable_by_key(limit, order);
            numbers.truncate(limit);
        }
        numbers.sort_by_key(order);
        numbers.iter().map(|number| needs.holders[*number as usize].entry(inventory, points)).collect()
    }

    /// Who holds a row, beyond who holds its log.
    fn rule_of_row(&self, place: usize) -> Option<HolderEntry> {
        let row = &self.logs().rows[place];
        let rule = |what: String| HolderEntry {
            kind: HolderKind::Rule,
            what,
            from: row.range.start,
            to: Some(row.range.last()),
        };
        match self.verdicts.of[place] {
            Verdict::Active => Some(rule("active logs are never deleted".to_owned())),
            Verdict::Unregistered => {
                Some(rule("the queue manager's inventory does not have it: never deleted".to_owned()))
            }
            Verdict::OtherVolume => Some(rule("another volume of the same data set is held".to_owned())),
            Verdict::Newest | Verdict::Held(_) if self.verdicts.newer.contains_key(&place) => {
                let count = self.evaluation.policy.min_archives.unwrap_or_default();
                Some(rule(format!("--min-archives {count}: one of the newest of copy {}", row.copy)))
            }
            _ => None,
        }
    }

    /// All holders of a row.
    pub(crate) fn holders_of_row(&self, place: usize) -> Vec<HolderEntry> {
        self.some_holders_of_row(place, usize::MAX).0
    }

    /// Holders of a row, `limit` of its log at most, and how many there are beside them.
    pub(crate) fn some_holders_of_row(&self, place: usize, limit: usize) -> (Vec<HolderEntry>, usize) {
        let (mut holders, more) = self.holders_of_log(place, limit);
        holders.extend(self.rule_of_row(place));
        (holders, more)
    }

    /// Holders of a row's log, `limit` at most, and how many there are beside them.
    pub(crate) fn holders_of_log(&self, place: usize, limit: usize) -> (Vec<HolderEntry>, usize) {
        let row = &self.logs().rows[place];
        let today = only_today(self.logs(), row, self.evaluation.policy);
        let all =
            decide::held(&self.evaluation.needs, row, today).meeting(row.range).map_or(0, Meeting::count);
        let holders = self.some_holders(usize::from(row.history), row.range, today, limit);
        let more = all.saturating_sub(holders.len());
        (holders, more)
    }

    /// Whether the row is of a data set on several volumes of which not all are held.
    pub(crate) fn is_on_volumes(&self, place: usize) -> bool {
        !self.volumes.is_empty() && self.volumes.contains_key(&*self.data_set(&self.logs().rows[place]).name)
    }

    /// The smallest set of facts after which a row goes, with at most `most` points given up.
    pub(crate) fn released_by(&self, place: usize, most: usize) -> Release {
        let row = &self.logs().rows[place];
        let name = &*self.data_set(row).name;
        let alone = [place];
        let rows: &[usize] = self.volumes.get(name).map_or(&alone, Vec::as_slice);
        if rows.iter().any(|place| !decide::may_go(&self.logs().rows[*place])) {
            return Release::Never;
        }
        let wanted: Vec<_> = rows.iter().map(|place| self.wanted(*place)).collect();
        let mut released = release(self.evaluation, &wanted, most);
        if let ([_], [wanted]) = (rows, &wanted[..]) {
            let today = || release(self.evaluation, &[Wanted { today: true, ..*wanted }], most);
            released = self.by_verifying(row, released, today);
        }
        self.with_newer(rows, released)
    }

    /// With --min-archives: so many newer archives must come as well.
    pub(crate) fn with_newer(&self, rows: &[usize], released: Release) -> Release {
        let Release::By(mut facts) = released else { return released };
        let policy = self.evaluation.policy;
        for place in rows {
            let Some(newer) = self.verdicts.newer.get(place) else { continue };
            let count = policy.min_archives.unwrap_or_default() - newer;
            let copy = self.logs().rows[*place].copy;
            let of_copy = |fact: &Fact| matches!(fact, Fact::Archives { copy: of, .. } if *of == copy);
            facts.retain(
                |fact| !matches!(fact, Fact::Archives { copy: of, count: n } if *of == copy && *n < count),
            );
            if !facts.iter().any(of_copy) {
                facts.push(Fact::Archives { copy, count });
            }
        }
        Release::By(facts)
    }

    pub(crate) fn wanted(&self, place: usize) -> Wanted {
        let row = &self.logs().rows[place];
        let today = only_today(self.logs(), row, self.evaluation.policy);
        Wanted { history: usize::from(row.history), range: row.range, today }
    }

    /// With --copy2-shorter, a data set of copy 2 also goes when copy 1 is verified: the smaller way of the two. `today` releases
    /// what not only points hold.
    pub(crate) fn by_verifying(&self, row: &Row, facts: Release, today: impl FnOnce() -> Release) -> Release {
        let Some(names) = self.to_be_verified(row) else { return facts };
        let Release::By(mut others) = today() else { return facts };
        let logs = self.logs();
        let verified = names.iter().map(|place| self.data_set(&logs.rows[*place]).name.to_string());
        others.extend(verified.map(|name| Fact::Verified { name }));
        match facts {
            Release::By(facts) if names.is_empty() || weight(&facts) <= weight(&others) => Release::By(facts),
            other if names.is_empty() => other,
            _ => Release::By(others),
        }
    }

    /// With --copy2-shorter: the data sets of copy 1 that are to be verified so that points need not hold the row of copy 2.
    pub(crate) fn to_be_verified(&self, row: &Row) -> Option<Vec<usize>> {
        let (logs, policy) = (self.logs(), self.evaluation.policy);
        let may =
            policy.copy2_shorter && row.copy == 2 && !only_today(logs, row, policy) && logs.is_in_copy1(row);
        may.then(|| logs.unverified_in_copy1(row))
    }

    fn document(&self, inputs: Inputs) -> Result<Plan<'i>, InventoryError> {
        let evaluation = self.evaluation;
        let totals = self.totals();
        let boundary = decide::boundary(evaluation.logs, &evaluation.needs);
        let holder = boundary.and_then(|(history, rba)| {
            let first = RbaRange::new(rba, rba.plus(1));
            self.holders(history, first, false).into_iter().next()
        });
        let (gaps, unlisted_gaps) = gaps::gaps(evaluation);
        let percent = evaluation.policy.max_delete_percent();
        let over = totals.delete_percent > percent;
        let (delete, keep, absent) = self.entries();
        Ok(Plan {
            version: VERSION,
            queue_manager: self.inventory.queue_manager.clone(),
            at: evaluation.at,
            policy: evaluation.policy.lines(),
            boundary: boundary.map(|(_, rba)| rba),
            boundary_history: boundary.map(|(history, _)| self.inventory.histories[history].id.clone()),
            boundary_holder: holder.map(|holder| holder.what),
            totals,
            max_delete_percent: percent,
            over_max_delete: over,
            points: self.points(),
            actions: actions::actions(self)?,
            warnings: warnings::warnings(self, &totals, &gaps, unlisted_gaps, over),
            gaps,
            inputs,
            delete,
            keep,
            absent,
        })
    }

    fn totals(&self) -> Totals {
        let mut totals = Totals::default();
        for (row, verdict) in self.logs().rows.iter().zip(&self.verdicts.of) {
            match verdict {
                Verdict::Delete => {
                    totals.delete_data_sets += 1;
                    totals.delete_bytes += row.bytes;
                }
                Verdict::Active => totals.active_data_sets += 1,
                Verdict::Absent { .. } => totals.absent += 1,
                _ => {
                    totals.keep_archives += 1;
                    totals.keep_bytes += row.bytes;
                }
            }
        }
        let all = totals.delete_data_sets + totals.keep_archives;
        let percent = (totals.delete_data_sets * 100).div_ceil(all.max(1));
        totals.delete_percent = u8::try_from(percent).unwrap_or(100);
        totals
    }

    fn points(&self) -> Vec<PointEntry> {
        let evaluation = self.evaluation;
        let views = evaluation.points.iter().zip(&evaluation.kept);
        let entry = |(view, keeps): (&crate::points::PointView, &crate::selection::Keeps)| {
            let point = &evaluation.inventory.points[view.place];
            let because = match keeps.any() {
                true => keeps.reasons(evaluation.policy),
                false if view.damaged => vec!["damaged: it counts for nothing".to_owned()],
                false if view.lost_line => vec!["plans deleted log that it needs".to_owned()],
                false => vec!["the policy does not choose it".to_owned()],
            };
            PointEntry {
                name: point.name.clone(),
                method: point.method,
                state: point.state,
                kept: keeps.any(),
                because,
                consistent_only: keeps.any() && keeps.consistent_only,
                recoverable: !view.damaged && is_whole(view, keeps),
                needed_from: view.needed_from(),
                kept_from: view.kept_from(),
            }
        };
        views.map(entry).collect()
    }

    #[allow(clippy::type_complexity)]
    fn entries(&self) -> (Vec<DeleteEntry<'i>>, Vec<KeepEntry<'i>>, Vec<AbsentEntry<'i>>) {
        let texts = Texts::new(self);
        let (mut delete, mut keep, mut absent) = (Vec::new(), Vec::new(), Vec::new());
        for (place, verdict) in self.verdicts.of.iter().enumerate() {
            match *verdict {
                Verdict::Delete => delete.push(place),
                Verdict::Absent { held } => absent.push((place, held)),
                verdict => keep.push((place, verdict)),
            }
        }
        (
            for_each(&delete, |place| self.delete_entry(*place)),
            for_each(&keep, |(place, verdict)| self.keep_entry(*place, *verdict, &texts)),
            for_each(&absent, |(place, held)| self.absent_entry(*place, *held)),
        )
    }

    fn delete_entry(&self, place: usize) -> DeleteEntry<'i> {
        let log = self.data_set(&self.logs().rows[place]);
        DeleteEntry {
            name: borrowed(&log.name),
            copy: log.copy,
            history: borrowed(&log.history),
            start: log.start,
            end: log.end,
            bytes: log.bytes,
            volume: log.volume.as_ref().map(borrowed),
            catalogued: log.catalogued,
        }
    }

    fn keep_entry(&self, place: usize, verdict: Verdict, texts: &Texts<'_, '_, '_>) -> KeepEntry<'i> {
        let log = self.data_set(&self.logs().rows[place]);
        let (holders, more_holders) = texts.holders(place, verdict);
        KeepEntry {
            name: borrowed(&log.name),
            kind: log.kind,
            copy: log.copy,
            history: borrowed(&log.history),
            start: log.start,
            end: log.end,
            bytes: log.bytes,
            volume: log.volume.as_ref().map(borrowed),
            holders,
            more_holders,
            released_by: texts.released_by(place),
        }
    }

    fn absent_entry(&self, place: usize, held: bool) -> AbsentEntry<'i> {
        let log = self.data_set(&self.logs().rows[place]);
        AbsentEntry {
            name: borrowed(&log.name),
            copy: log.copy,
            history: borrowed(&log.history),
            start: log.start,
            end: log.end,
            held,
        }
    }
}

fn borrowed<'a>(text: &'a Cow<'a, str>) -> Cow<'a, str> {
    Cow::Borrowed(text)
}

/// Whether a point has the log that it is kept for.
pub(crate) fn is_whole(view: &crate::points::PointView, keeps: &crate::selection::Keeps) -> bool {
    if keeps.any() && keeps.consistent_only { view.whole_copy } else { view.whole_line }
}

/// How many things must happen.
fn weight(facts: &[Fact]) -> usize {
    let one = |fact: &Fact| match fact {
        Fact::NewPoints { count, .. } => *count as usize,
        _ => 1,
    };
    facts.iter().map(one).sum()
}

/// Where releasing sets may differ between data sets with the same holders: at what points that are not kept would hold, at
/// checkpoints that a margin may reach, at the creation of page sets.
fn candidates(evaluation: &Evaluation<'_>) -> Vec<Held> {
    let logs = evaluation.logs;
    let mut marks: Vec<(usize, Rba, Rba)> = Vec::new();
    let current = logs.lines.current;
    for point in &evaluation.points {
        for to in [point.end, Rba::MAX] {
            marks.push((point.line(logs), point.kept_from(), to));
        }
    }
    if evaluation.policy.margin().is_some() {
        marks
            .extend(needs::checkpoints(evaluation.inventory).iter().map(|begin| (current, *begin, Rba::MAX)));
    }
    let created = evaluation.inventory.now.page_sets.iter().filter_map(|set| set.created);
    marks.extend(created.map(|created| (current, created, Rba::MAX)));
    let mut held = vec![Held::default(); logs.lines.count()];
    for (number, (line, from, to)) in marks.into_iter().enumerate() {
        for piece in logs.lines.pieces(line, RbaRange::new(from, to)) {
            held[piece.history].push(piece.range, number as u32);
        }
    }
    held.iter_mut().for_each(Held::finish);
    held
}
