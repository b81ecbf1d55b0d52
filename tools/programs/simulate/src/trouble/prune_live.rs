//! Retention while the queue manager works: facts are taken, decided on and acted on a step at a time, and all else goes on in between.
//!
//! Programs go on, people hold and forget points, backups begin and end. Whoever applies the plan may be killed between any two steps,
//! the queue manager may stop or lose its power. Whatever happens, what a decision kept has its log, and so has what was under way.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicUsize, Ordering};

use engine_queue_manager::client::ClientError;
use engine_queue_manager::{BsdsChanged, ChangeError};
use format_inventory::{HolderKind, LogKind, Plan};
use format_protocol::{Reply, Request};
use format_types::{ArchiveReference, RbaRange, Timestamp};
use operation_inventory::{
    Applied, ApplyError, ApplyStep, Applying, Decided, Facts, FactsReading, FactsStep, Orders,
};
use operation_retention::Policy;

use super::prune::no_inputs;
use crate::client::brief;
use crate::event::Event;
use crate::model::Broken;
use crate::point::MadePoint;
use crate::world::World;

/// Steps for a point to be registered, or finished.
const PATIENCE: u32 = 120;

/// How often facts are read of a queue manager that changes all the time.
const READINGS: u32 = 20;

/// The refusal of a marking on facts that are others by now.
const OTHER_FACTS: &str = "HWT488E";

/// What was decided, for judging what comes of it.
struct Verdict {
    /// Archives that were there.
    there: BTreeSet<String>,
    /// Those of them that go.
    doomed: BTreeSet<String>,
    /// Points that must recover, to their own end alone perhaps.
    kept: Vec<(MadePoint, bool)>,
    /// Points that the plan keeps, whether they can be recovered or not.
    kept_at_all: Vec<String>,
    /// Points that there were.
    known: Vec<String>,
    /// Archives of the plan of this moment are held by backups in progress and nothing else that is needed.
    under_way_holds: bool,
}

/// How the applying ended.
enum Fate {
    Done(Box<Applied>),
    /// Its program was killed.
    Died,
    /// The queue manager is gone, or the power.
    Cut,
    Failed(ApplyError),
}

impl World {
    /// Retention does its work beside everything else.
    pub(super) fn prune_live(&mut self) -> Result<(), Broken> {
        if self.hindered() || self.lasting.is_some() {
            return Ok(());
        }
        if self.points.is_empty() {
            self.make_point()?;
        }
        if self.slow_point.is_none() && self.random.below(3) != 0 {
            self.have_point_under_way()?;
        }
        if self.points.is_empty() || !self.at_work() {
            return Ok(());
        }
        let policy = self.draw_policy();
        let now = self.time();
        if self.random.below(3) != 0 {
            return self.apply_live(&policy, None, now);
        }
        // A plan is made, looked at for a while, and applied then.
        let Some(facts) = self.live_facts(now)? else { return Ok(()) };
        let inventory = facts.document();
        let plan = operation_retention::plan(&inventory, &policy, now, no_inputs())
            .map_err(|error| format!("no plan can be made: {error}"))?;
        for _ in 0..self.random.below(20) {
            self.meanwhile()?;
            if self.at_work() && self.random.below(6) == 0 {
                self.keep_house(now)?;
            }
        }
        let now = self.time();
        self.apply_live(&policy, Some(&plan), now)
    }

    /// Whether all can go on.
    fn at_work(&self) -> bool {
        self.running() && !self.control.stopped()
    }

    /// A recovery point comes to be, unless something comes between.
    fn make_point(&mut self) -> Result<(), Broken> {
        let before = self.points.len();
        if self.point.is_none() && self.at_work() {
            self.begin_point()?;
        }
        for _ in 0..PATIENCE {
            if !self.at_work() || self.point.is_none() || self.points.len() > before {
                break;
            }
            self.go_on_with_point()?;
            self.step_job()?;
        }
        Ok(())
    }

    /// Backups take long: one is under way, with other points made since it began.
    fn have_point_under_way(&mut self) -> Result<(), Broken> {
        let registered =
            |world: &Self| world.point.as_ref().is_some_and(|point| point.registered().is_some());
        if self.point.is_none() && self.at_work() {
            self.begin_point()?;
        }
        for _ in 0..PATIENCE {
            if !self.at_work() || registered(self) || self.point.is_none() {
                break;
            }
            self.go_on_with_point()?;
        }
        if !registered(self) || self.random.below(4) == 0 {
            return Ok(());
        }
        std::mem::swap(&mut self.point, &mut self.slow_point);
        for _ in 0..self.random.between(2, 5) {
            if !self.at_work() {
                return Ok(());
            }
            self.switch_log()?;
            for _ in 0..6 {
                self.act()?;
                self.settle_a_little()?;
            }
        }
        self.make_point()
    }

    /// What happens between two steps of whoever applies a plan.
    fn meanwhile(&mut self) -> Result<(), Broken> {
        for _ in 0..self.random.below(4) {
            if !self.at_work() {
                return Ok(());
            }
            self.step()?;
        }
        if !self.at_work() {
            return Ok(());
        }
        match self.random.below(400) {
            0..=30 => {
                let now = self.time();
                let before = self.core.as_ref().map(|core| core.bsds().sequence);
                self.keep_house(now)?;
                if self.core.as_ref().map(|core| core.bsds().sequence) != before {
                    self.totals.count(Event::LiveInventoryChanged);
                }
            }
            31 | 32 => {
                let ahead = self.random.between(1, 60);
                self.control.stop_at(Some(self.control.operations() + ahead));
            }
            33 => self.crash(),
            34 => {
                self.stop()?;
            }
            35 => self.make_faults(),
            _ => {}
        }
        Ok(())
    }

    /// The facts of the running queue manager, as a program takes them; none when it is gone before.
    fn live_facts(&mut self, now: Timestamp) -> Result<Option<Facts>, Broken> {
        let storage = self.control.racing();
        for _ in 0..READINGS {
            if !self.at_work() {
                return Ok(None);
            }
            let usage = match self.answer_at_once(Request::Usage) {
                Ok(Reply::Usage(usage)) => usage,
                _ if self.hindered() => return Ok(None),
                Ok(other) => return Err(format!("usage cannot be displayed: {}", brief(&other))),
                Err(broken) => return Err(broken),
            };
            let mut reading = FactsReading::begin(usage, now);
            loop {
                match reading.step(&storage, &self.dir) {
                    Ok(FactsStep::More) => self.meanwhile()?,
                    Ok(FactsStep::Changed) => break,
                    Ok(FactsStep::Done(facts)) => return Ok(Some(*facts)),
                    Err(_) if self.hindered() || !self.at_work() => return Ok(None),
                    Err(error) => return Err(format!("the facts of retention cannot be read: {error}")),
                }
                if !self.at_work() {
                    return Ok(None);
                }
            }
        }
        Ok(None)
    }

    /// Asks the running queue manager for a change of its BSDS; none when it is gone meanwhile.
    pub(super) fn change_live(
        &mut self,
        request: &Request,
    ) -> Result<Option<Result<BsdsChanged, ChangeError>>, Broken> {
        self.operations += 1;
        match self.answer_at_once(request.clone()) {
            Ok(Reply::BsdsChanged { sequence, facts, lines }) => {
                Ok(Some(Ok(BsdsChanged { live: true, sequence, facts, lines, messages: Vec::new() })))
            }
            _ if !self.at_work() => Ok(None),
            Ok(Reply::Error { code, id, text }) => {
                Ok(Some(Err(ChangeError::Client(ClientError::Refused { code, id, text }))))
            }
            Ok(other) => Err(format!("a change of the BSDS was answered with {}", brief(&other))),
            Err(broken) => Err(broken),
        }
    }

    /// Applies `policy`, or `plan` made by it, and lives with what comes of it.
    fn apply_live(&mut self, policy: &Policy, plan: Option<&Plan<'_>>, now: Timestamp) -> Result<(), Broken> {
        let orders = Orders { policy, plan, dry_run: false, threads: 1 };
        let (storage, dir) = (self.control.racing(), self.dir.clone());
        let number = self.random.between(1, 4) as usize;
        let mut applying = Applying::begin(&storage, &dir, &orders, true).by_the(number);
        let removed = AtomicUsize::new(0);
        let progress = |done: usize| removed.store(done, Ordering::Relaxed);
        let mut verdict: Option<Verdict> = None;
        let (mut marked, mut settled) = (false, false);
        // Most are let through: that is what has most to go wrong.
        let mortal = self.random.below(3) == 0;
        let fate = loop {
            self.meanwhile()?;
            if !self.at_work() {
                break Fate::Cut;
            }
            let half_done = marked && !settled;
            if mortal && self.random.below(if half_done { 5 } else { 40 }) == 0 {
                break Fate::Died;
            }
            let look = &mut |decided: &Decided<'_>| {
                verdict = Some(self.judge(decided)?);
                Ok(())
            };
            match applying.step(look, &progress) {
                Ok(ApplyStep::More) => {}
                Ok(ApplyStep::Facts) => match self.live_facts(now)? {
                    Some(facts) => {
                        self.ask_for_too_much(&facts)?;
                        applying.facts_are(facts);
                    }
                    None => break Fate::Cut,
                },
                Ok(ApplyStep::Change(request)) => {
                    let Some(outcome) = self.change_live(&request)? else { break Fate::Cut };
                    match (&*request, &outcome) {
                        (Request::MarkArchives { .. }, Ok(_)) => {
                            (marked, settled) = (true, false);
                            self.held_is_kept(verdict.as_ref(), now)?;
                        }
                        (Request::SettleArchives { .. }, Ok(_)) => settled = true,
                        (_, Err(error)) => self.refused_for_a_reason(&request, error)?,
                        _ => {}
                    }
                    if let Err(error) = applying.answered(outcome) {
                        break Fate::Failed(error);
                    }
                }
                Ok(ApplyStep::Done(applied)) => break Fate::Done(applied),
                Err(error) => break Fate::Failed(error),
            }
        };
        if marked && !settled && matches!(fate, Fate::Died) {
            let some = removed.load(Ordering::Relaxed) > 0;
            self.totals.count(if some { Event::LiveDiedRemoved } else { Event::LiveDiedMarked });
        }
        // Refused with nothing marked any more, a plan may be decided on again and not be applied.
        let stale = plan.is_some() && (!marked || settled);
        self.live_with(fate, verdict.filter(|_| marked), stale)
    }

    /// Takes a decision in, and holds it against the log's records where they are all on disk.
    fn judge(&mut self, decided: &Decided<'_>) -> Result<Verdict, Broken> {
        let Decided { facts, plan, decision, .. } = *decided;
        self.totals.count(Event::LivePlan);
        let synced = self.core.as_ref().is_some_and(|core| core.log_synced() >= facts.usage.log_end);
        if synced && self.faults_for == 0 && !self.hindered() {
            self.check_against_records(facts, plan)?;
        }
        let archives = || facts.bsds.archives.iter().zip(&facts.archives);
        let there = archives().filter(|(_, file)| file.present).map(|(archive, _)| archive.name.clone());
        let there: BTreeSet<String> = there.collect();
        let goes = decision.doomed.iter().filter_map(|place| facts.bsds.archives.get(*place));
        let doomed: BTreeSet<String> = goes.map(|archive| archive.name.clone()).collect();
        let doomed: BTreeSet<String> = doomed.intersection(&there).cloned().collect();
        let planned: BTreeSet<String> = plan.delete.iter().map(|entry| entry.name.to_string()).collect();
        if let Some(name) = doomed.difference(&planned).next() {
            return Err(format!("archive {name} is to go, and the plan of this moment keeps it"));
        }
        let under_way_holds = plan.keep.iter().filter(|entry| entry.kind == LogKind::Archive).any(|entry| {
            let mut needed =
                entry.holders.iter().filter(|holder| holder.kind == HolderKind::Needed).peekable();
            needed.peek().is_some() && needed.all(|holder| holder.what.ends_with(" in progress"))
        });
        if under_way_holds {
            self.totals.count(Event::UnderWayHolds);
        }
        self.trace(|| format!("applied live: {doomed:?} go, a backup holds: {under_way_holds}"));
        let known = self.points.iter().filter_map(MadePoint::name).collect();
        let kept_at_all =
            plan.points.iter().filter(|point| point.kept).map(|point| point.name.clone()).collect();
        let kept = self.promised(plan);
        Ok(Verdict { there, doomed, kept, kept_at_all, known, under_way_holds })
    }

    /// Archives are marked on facts that are those of this moment: whatever is held now is kept.
    fn held_is_kept(&self, verdict: Option<&Verdict>, now: Timestamp) -> Result<(), Broken> {
        let (Some(core), Some(verdict)) = (&self.core, verdict) else { return Ok(()) };
        let kept = |name: &String| verdict.kept_at_all.contains(name);
        for hold in core.bsds().holds.iter().filter(|hold| hold.holds_at(now)) {
            if self.points.iter().any(|made| made.is(&hold.point)) && !kept(&hold.point) {
                return Err(format!(
                    "archives are marked by a plan that does not know of the hold of {}",
                    hold.point
                ));
            }
        }
        Ok(())
    }

    /// Somebody asks for the deletion of what a backup in progress has counted on, or on facts of another moment: refused.
    fn ask_for_too_much(&mut self, facts: &Facts) -> Result<(), Broken> {
        let Some(core) = self.core.as_ref().filter(|_| !self.hindered()) else { return Ok(()) };
        let bsds = core.bsds();
        let from = bsds.backups_in_progress.iter().map(|backup| backup.system_recovery_rba).min();
        let (line, digest) = (bsds.line(), bsds.facts());
        let needed = |range: RbaRange| from.is_some_and(|from| range.end > from);
        let archives: Vec<(ArchiveReference, bool)> = bsds
            .archives
            .iter()
            .filter_map(|log| {
                Some((log.reference(), needed(line.clip(log.history, log.range)?))).filter(|_| !log.deleting)
            })
            .collect();
        let Some((archive, needed)) = self.random.pick(&archives).cloned() else { return Ok(()) };
        // Facts that were read a while ago are others perhaps.
        let old = facts.bsds.facts();
        let facts = if needed { digest } else { old };
        if !needed && old == digest {
            return Ok(());
        }
        let request = Request::MarkArchives { archives: vec![archive.clone()], facts };
        match self.change_live(&request)? {
            Some(Ok(_)) => Err(format!(
                "archive {archive:?} is marked, needed: {needed}, facts {facts:016X} of {digest:016X}"
            )),
            Some(Err(_)) => {
                self.totals.count(Event::LiveMarkGuarded);
                Ok(())
            }
            None => Ok(()),
        }
    }

    /// Nothing but other facts is a reason to refuse what was decided.
    fn refused_for_a_reason(&mut self, request: &Request, error: &ChangeError) -> Result<(), Broken> {
        match error {
            ChangeError::Client(ClientError::Refused { id, .. })
                if id == OTHER_FACTS && matches!(request, Request::MarkArchives { .. }) =>
            {
                self.totals.count(Event::LiveFactsChanged);
                Ok(())
            }
            _ if self.hindered() => Ok(()),
            error => Err(format!("what was decided was refused: {error}")),
        }
    }

    /// What came of it, and whether everything that was kept is there.
    fn live_with(&mut self, fate: Fate, verdict: Option<Verdict>, may_be_stale: bool) -> Result<(), Broken> {
        let excused = self.hindered();
        if self.control.stopped() {
            self.crash();
            self.control.stop_at(None);
        }
        let mut exactly = false;
        match fate {
            Fate::Done(applied) => {
                // An archive that rotted where it says what it is stays, and is named.
                if !applied.stays.is_empty() && !excused && !self.rotted {
                    return Err(format!("archives that should go stay: {:?}", applied.stays));
                }
                exactly = applied.stays.is_empty();
                self.note("applied", &[applied.deleted.len() as u64]);
                self.totals.count(Event::LivePlanApplied);
                if applied.finished > 0 {
                    self.totals.count(Event::LiveFinished);
                }
            }
            Fate::Died => self.trace(|| "whoever applied the plan is gone".to_owned()),
            Fate::Cut => self.totals.count(Event::LiveCutOff),
            Fate::Failed(ApplyError::NotApplied(why)) if may_be_stale => {
                self.trace(|| why.to_string());
                self.totals.count(Event::LiveReviewedPlanRefused);
            }
            Fate::Failed(ApplyError::Stopped(broken)) => return Err(broken),
            Fate::Failed(error) if excused => {
                self.trace(|| format!("a fault met who applied a plan: {error}"));
            }
            Fate::Failed(error) => return Err(format!("a plan cannot be applied: {error}")),
        }
        let Some(verdict) = verdict else { return Ok(()) };
        let left = self.archives_there()?;
        let gone: BTreeSet<String> = verdict.there.difference(&left).cloned().collect();
        if !gone.is_subset(&verdict.doomed) || exactly && gone != verdict.doomed {
            return Err(format!("the plan says {:?} go, and {gone:?} are gone", verdict.doomed));
        }
        let under_way: Vec<String> = [&self.point, &self.slow_point]
            .into_iter()
            .flatten()
            .filter_map(|point| point.registered().map(str::to_owned))
            .collect();
        if !under_way.is_empty() && self.random.below(4) != 0 {
            self.finish_points()?;
        }
        let new = |made: &&MadePoint| !verdict.known.iter().any(|name| made.is(name));
        let mut kept = verdict.kept.clone();
        kept.retain(|(made, _)| self.points.contains(made));
        kept.extend(self.points.iter().filter(new).map(|made| (made.clone(), false)));
        self.points
            .retain(|made| kept.iter().any(|(other, consistent_only)| other == made && !consistent_only));
        if self.at_work() && self.random.below(3) == 0 {
            return Ok(());
        }
        if self.at_work() && self.random.below(3) == 0 {
            self.stop()?;
        } else {
            self.crash();
        }
        if self.control.stopped() {
            self.crash();
        }
        self.calm();
        self.control.stop_at(None);
        self.vanish();
        if self.sound.take() == Some(self.faults()) {
            self.promises_at_rest(&kept, &under_way, verdict.under_way_holds)?;
        }
        self.start_again()
    }

    /// Backups that were under way come to their end.
    fn finish_points(&mut self) -> Result<(), Broken> {
        for _ in 0..PATIENCE {
            if !self.at_work() || self.point.is_none() && self.slow_point.is_none() {
                break;
            }
            if self.point.is_none() {
                std::mem::swap(&mut self.point, &mut self.slow_point);
            }
            self.go_on_with_point()?;
            self.work()?;
            self.step_job()?;
        }
        Ok(())
    }

    /// The queue manager is down: the same promises as after a plan that was applied then.
    fn promises_at_rest(
        &mut self,
        kept: &[(MadePoint, bool)],
        under_way: &[String],
        under_way_holds: bool,
    ) -> Result<(), Broken> {
        let finished = kept.iter().find(|(made, _)| under_way.iter().any(|name| made.is(name)));
        if let Some((made, _)) = finished.cloned() {
            self.trace(|| {
                format!("{} was under way, its log was held: {under_way_holds}", made.directory.display())
            });
            self.try_out(|world| world.recover_as_promised(&made, None, Event::UnderWayRecovered))?;
        }
        self.keep_the_promises(kept, Event::LivePromiseKept)?;
        let now = self.time();
        let facts = self.facts(now)?;
        let inventory = facts.document();
        let policy = self.draw_policy();
        let plan = operation_retention::plan(&inventory, &policy, now, no_inputs())
            .map_err(|error| format!("no plan can be made: {error}"))?;
        self.miss_what_is_needed(&facts, &plan)
    }
}
