//! Retention: a plan is made from the queue manager's own facts, held against what the records of its log say, applied, and lived with.
//!
//! Three opinions must agree: the plan's, that of [`crate::reference`], which sees log records and nothing else, and that of recoveries
//! that are really made, with the log that the plan keeps and without what it calls needed.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::time::Duration;

use engine_log::read_bsds;
use engine_queue_manager::client::ClientError;
use engine_queue_manager::{ChangeError, Core, change_at_rest};
use engine_storage::durable;
use format_inventory::{HolderKind, Inputs, LogKind, Plan};
use format_log::ci::CiTrailer;
use format_protocol::Request;
use format_types::{CI_SIZE, PointState, Rba, RbaRange, Timestamp};
use operation_inventory::{Facts, Orders, Site, apply_at_rest, history_name, read_at_rest};
use operation_points::{PointInTime, RecoveryTarget};
use operation_retention::{Policy, Span};

use crate::event::Event;
use crate::model::Broken;
use crate::point::MadePoint;
use crate::reference::{DataSet, Stretch, Survey};
use crate::world::World;

/// Attempts to apply a plan that may be cut off; the next one is not.
const CUT_OFF: u32 = 3;

/// Kept points that recoveries are made from, and needed archives that are taken away, for each plan.
const TRIED: usize = 2;

/// Log that may be behind the end of a unit before the queue manager knows that it is durable: what programs had under way.
const RECENT: u64 = 256 << 10;

/// Nothing is waited for: the queue manager is down.
const TIMEOUT: Duration = Duration::from_secs(1);

/// How the text of a holder that is a recovery point begins.
const POINT: &str = "recovery point ";

impl World {
    /// Retention does its work while the queue manager is down.
    pub(super) fn prune(&mut self) -> Result<(), Broken> {
        if self.points.is_empty() {
            return Ok(());
        }
        let policy = self.draw_policy();
        let now = self.time();
        self.keep_house(now)?;
        let facts = self.facts(now)?;
        let inventory = facts.document();
        let plan = operation_retention::plan(&inventory, &policy, now, no_inputs())
            .map_err(|error| format!("no plan can be made: {error}"))?;
        self.totals.count(Event::RetentionPlan);
        self.note("plan", &[plan.totals.delete_data_sets, plan.totals.keep_archives]);
        self.trace(|| {
            let kept: Vec<&str> =
                plan.points.iter().filter(|point| point.kept).map(|point| point.name.as_str()).collect();
            format!("{policy:?}: delete {}, keep {kept:?}", plan.totals.delete_data_sets)
        });
        self.check_against_records(&facts, &plan)?;
        for _ in 0..TRIED {
            self.miss_what_is_needed(&facts, &plan)?;
        }
        if plan.delete.is_empty() {
            return Ok(());
        }
        self.try_out(|world| {
            world.apply_plan(&policy, &plan, now, false)?;
            let kept = world.promised(&plan);
            world.keep_the_promises(&kept, Event::PromiseKept)
        })?;
        self.apply_plan(&policy, &plan, now, true)?;
        self.totals.count(Event::PlanApplied);
        self.give_up_points(&plan);
        Ok(())
    }

    /// People hold recovery points and give some up, and an archive is lost that is there in another copy.
    pub(super) fn keep_house(&mut self, now: Timestamp) -> Result<(), Broken> {
        let names: Vec<String> = self.points.iter().filter_map(MadePoint::name).collect();
        let Some(point) = self.random.pick(&names).cloned() else { return Ok(()) };
        match self.random.below(8) {
            0 | 1 => {
                let until = self.random.coin().then(|| Timestamp(now.0 + self.random.between(1, 20_000_000)));
                let reason = "audit".to_owned();
                self.change_inventory(&Request::HoldPoint { point, reason, until }, now, Event::PointHeld)?;
            }
            2 => {
                let bsds = match read_bsds(&self.shared, &self.dir) {
                    Ok(bsds) => bsds,
                    // Calls fail just now.
                    Err(_) if self.faults_for > 0 => return Ok(()),
                    Err(error) => return Err(error.to_string()),
                };
                let held: Vec<&str> = bsds.holds.iter().map(|hold| hold.point.as_str()).collect();
                let point = self.random.pick(&held).map_or(point, |held| (*held).to_owned());
                self.change_inventory(&Request::ReleasePoint { point }, now, Event::PointReleased)?;
            }
            3 => {
                let definitions = names.iter().rev().find(|name| **name != point).cloned();
                let request = Request::ForgetPoint { point: point.clone(), definitions };
                if self.change_inventory(&request, now, Event::PointForgotten)? {
                    self.points.retain(|made| !made.is(&point));
                }
            }
            4 | 5 if self.core.is_none() => self.lose_archive()?,
            _ => {}
        }
        Ok(())
    }

    /// Changes the BSDS as programs do; false when that was refused.
    fn change_inventory(&mut self, request: &Request, now: Timestamp, event: Event) -> Result<bool, Broken> {
        let changed = if self.core.is_some() {
            match self.change_live(request)? {
                Some(changed) => changed,
                None => return Ok(false),
            }
        } else {
            change_at_rest(&self.shared, &self.dir, request, now)
        };
        match changed {
            Ok(changed) => {
                self.totals.count(event);
                self.trace(|| changed.lines.join("; "));
                Ok(true)
            }
            Err(ChangeError::Client(ClientError::Refused { id, text, .. })) => {
                self.note(&id, &[]);
                self.trace(|| format!("refused: {id} {text}"));
                Ok(false)
            }
            Err(error) => Err(format!("the inventory cannot be changed: {error}")),
        }
    }

    pub(super) fn facts(&self, now: Timestamp) -> Result<Facts, Broken> {
        read_at_rest(&self.shared, &self.dir, now)
            .map_err(|error| format!("the facts of retention cannot be read: {error}"))
    }

    /// Policies as people have them, and some that nobody should have.
    pub(super) fn draw_policy(&mut self) -> Policy {
        let mut policy = Policy { max_delete: Some(100), ..Policy::default() };
        match self.random.below(6) {
            0 => policy.window = Some(Span::seconds(self.random.between(1, 20))),
            1 => policy.newer_than = Some(Span::seconds(self.random.between(1, 20))),
            2 => policy.daily = Some(1),
            _ => policy.keep_last = Some(self.random.between(1, 3) as u32),
        }
        policy.consistent_only = policy.window.is_some() && self.random.coin();
        policy.margin = (self.random.below(3) == 0).then(|| self.random.below(3) as u32);
        policy.min_archives = (self.random.below(4) == 0).then(|| self.random.between(1, 4) as u32);
        policy.back_to_full = self.random.below(8) == 0;
        policy.copy2_shorter = self.random.below(6) == 0;
        policy
    }

    /// What the plan says is needed, against what the records say.
    pub(super) fn check_against_records(&mut self, facts: &Facts, plan: &Plan<'_>) -> Result<(), Broken> {
        let survey = self.survey(facts)?;
        let end = survey.end;
        let mut holders = BTreeSet::new();
        for entry in &plan.keep {
            let needed = entry.holders.iter().filter(|holder| holder.kind == HolderKind::Needed);
            holders.extend(needed.map(|holder| (holder.what.as_str(), holder.from)));
        }
        // A restart begins with those that the BSDS has; each power cut may leave it without one that the log has complete.
        let checkpoints: Vec<Rba> = survey.checkpoints().collect();
        let active = survey.active(end, Rba::MAX);
        // A running queue manager need not know yet that the end of a unit is durable.
        let known = if self.core.is_some() { Rba(end.0.saturating_sub(RECENT)) } else { Rba::MAX };
        let ending = survey.active(end, known);
        for (what, from) in holders {
            let said = if what.starts_with("restart today: the last complete checkpoint") {
                // A running queue manager may have completed one since it said what it needs.
                let newer = self.core.is_some() && checkpoints.last().is_none_or(|known| from > *known);
                checkpoints.contains(&from) || from < survey.from || newer
            } else if what.starts_with("restart today: unit of recovery") {
                ending.contains(&from) || from < survey.from
            } else {
                true
            };
            if !said {
                return Err(format!(
                    "the plan says '{what}' from {from}; the log's records say {checkpoints:?}, active {active:?}"
                ));
            }
        }
        for urid in &active {
            if !facts.usage.units.iter().any(|unit| unit.urid.0 == *urid) {
                return Err(format!(
                    "unit of recovery {urid} is active by the log's records, and holds nothing"
                ));
            }
        }
        for set in &facts.usage.page_sets {
            if survey.needed_by(set.page_set, end).is_some_and(|needs| set.recovery_rba < needs) {
                let (psid, rba) = (set.page_set, set.recovery_rba);
                return Err(format!("page set {psid} holds log from {rba}, a checkpoint says less"));
            }
        }
        self.check_points_against_records(facts, &survey)
    }

    /// What was recorded when recovery points were made, against what the records of before say.
    fn check_points_against_records(&mut self, facts: &Facts, survey: &Survey) -> Result<(), Broken> {
        let line = facts.bsds.line();
        for entry in &facts.bsds.recovery_points {
            let recorded = &entry.system_recovery;
            let Some(made) = self.points.iter().find(|made| made.is(&entry.name)) else { continue };
            let low = recorded.lowest().rba;
            if !line.holds(entry.history, entry.end) || low < survey.from || entry.start < survey.from {
                continue;
            }
            // What ended shortly before may not have been known to have ended; what had not ended must be there.
            let recently = Rba(entry.start.0.saturating_sub(RECENT));
            let (known, active) =
                (survey.active(entry.start, recently), survey.active(entry.start, made.durable));
            let oldest = recorded.units.as_ref().map(|part| part.rba);
            let rba = |oldest: Option<Rba>| oldest.unwrap_or(Rba::MAX);
            if oldest.is_some_and(|oldest| !known.contains(&oldest))
                || rba(oldest) > rba(active.first().copied())
            {
                return Err(format!(
                    "recovery point {} recorded {oldest:?} as the oldest unit, the log's records say {active:?}",
                    entry.name
                ));
            }
            for (page_set, copied) in &entry.page_sets {
                let needs = survey.needed_by(*page_set, entry.start);
                if needs.is_some_and(|needs| *copied < needs) || *copied < recorded.page_sets.rba {
                    return Err(format!(
                        "recovery point {}: page set {page_set} needs log from {copied}, the point recorded {}, a checkpoint before {needs:?}",
                        entry.name, recorded.page_sets.rba
                    ));
                }
            }
            self.totals.count(Event::PointAgreesWithRecords);
        }
        Ok(())
    }

    /// All log that lies in the directory, read as records.
    fn survey(&self, facts: &Facts) -> Result<Survey, Broken> {
        // A running queue manager may have begun to use data sets again since.
        let bsds = self.core.as_ref().map_or(&facts.bsds, Core::bsds);
        // What lies behind the end was never durable, or is left over from before.
        let end = facts.usage.log_end;
        let stretch = |part: &format_bsds::LinePart| Stretch {
            history: part.history,
            from: part.first,
            cut: part.cut.min(end),
        };
        let line: Vec<Stretch> = bsds.line().parts().iter().map(stretch).collect();
        let archives = bsds.archives.iter().map(|log| (&log.name, log.history, log.range));
        let actives = bsds.active_logs.iter().filter_map(|log| Some((&log.name, log.history, log.range?)));
        let mut sets = Vec::new();
        for (name, history, range) in archives.chain(actives) {
            if let Ok(bytes) = durable::read_file(self.shared.as_ref(), &self.dir.join(name), u64::MAX) {
                sets.push(DataSet { history, start: range.start, bytes });
            }
        }
        Survey::of(bsds.queue_manager, &line, &sets)
    }

    /// An archive that the plan says a kept point needs is gone, in every copy: the point must refuse.
    pub(super) fn miss_what_is_needed(&mut self, facts: &Facts, plan: &Plan<'_>) -> Result<(), Broken> {
        let mut needed = Vec::new();
        for entry in plan.keep.iter().filter(|entry| entry.kind == LogKind::Archive) {
            for point in
                plan.points.iter().filter(|point| point.kept && point.recoverable && !point.consistent_only)
            {
                let holds = entry.holders.iter().any(|holder| {
                    let name = holder.what.strip_prefix(POINT).and_then(|rest| rest.split_once(": "));
                    holder.kind == HolderKind::Needed && name.is_some_and(|(name, _)| name == point.name)
                });
                let made = self.points.iter().find(|made| made.is(&point.name));
                if let (true, Some(made)) = (holds, made) {
                    needed.push((entry, made.clone()));
                }
            }
        }
        let Some((entry, made)) = self.random.pick(&needed).cloned() else { return Ok(()) };
        let range = RbaRange::new(entry.start, entry.end.plus(1));
        let same = |history, other: RbaRange| history_name(history) == entry.history && meets(other, range);
        // What an active log still holds is not missed.
        let mut actives = facts.bsds.active_logs.iter();
        if actives.any(|log| log.range.is_some_and(|other| same(log.history, other))) {
            return Ok(());
        }
        let archives = facts.bsds.archives.iter().filter(|log| same(log.history, log.range));
        let gone: Vec<PathBuf> = archives.map(|log| self.dir.join(&log.name)).collect();
        self.try_out(|world| {
            world.trace(|| format!("{gone:?} are gone, which {} needs", made.directory.display()));
            for path in &gone {
                durable::remove_if_there(world.shared.as_ref(), path).map_err(|error| error.to_string())?;
            }
            let before = world.control.image();
            match world.recover_plainly(&made.directory, None) {
                Ok(_) => Err(format!(
                    "the plan says that {} needs {range}, and a recovery did without",
                    made.directory.display()
                )),
                Err(_) => {
                    world.totals.count(Event::NeededArchiveMissed);
                    world.unchanged_since(&before, "a recovery that was refused")
                }
            }
        })
    }

    /// The points that the plan keeps; those that are true go back to their own end alone.
    pub(super) fn promised(&self, plan: &Plan<'_>) -> Vec<(MadePoint, bool)> {
        let sound = plan
            .points
            .iter()
            .filter(|point| point.kept && point.recoverable && point.state == PointState::Verified);
        let made = sound.filter_map(|point| {
            let made = self.points.iter().find(|made| made.is(&point.name))?;
            Some((made.clone(), point.consistent_only))
        });
        made.collect()
    }

    /// Once the plan is applied: every kept point recovers to everything that it promises.
    pub(super) fn keep_the_promises(
        &mut self,
        kept: &[(MadePoint, bool)],
        event: Event,
    ) -> Result<(), Broken> {
        for _ in 0..TRIED {
            let Some((point, consistent_only)) = self.random.pick(kept).cloned() else { return Ok(()) };
            let target = if consistent_only {
                Some(point.end)
            } else if self.random.coin() {
                self.choose_target(point.end)
            } else {
                None
            };
            self.try_out(|world| world.recover_as_promised(&point, target, event))?;
        }
        Ok(())
    }

    /// A recovery of everything from `point`, to `target` or the end of the log.
    pub(super) fn recover_as_promised(
        &mut self,
        point: &MadePoint,
        target: Option<Rba>,
        event: Event,
    ) -> Result<(), Broken> {
        let from = point.directory.display().to_string();
        let failed = |error: String| {
            format!("a plan was applied that keeps {from}; a recovery from it to {target:?} failed: {error}")
        };
        self.remove_page_sets()?;
        if let Some(target) = target {
            let Some(model) = self.model.cut(target) else { return Ok(()) };
            let random = self.random.next_u64();
            let end = PointInTime { target: RecoveryTarget::Rba(target), accept_loss: true, random };
            let report = self.recover_plainly(&point.directory, Some(end)).map_err(failed)?;
            let cut = report.cut.map_or(target, |cut| cut.cut);
            self.continue_from(target, cut, false, model);
        } else {
            self.recover_plainly(&point.directory, None).map_err(failed)?;
        }
        self.try_start()
            .map_err(|error| format!("the start after a promised recovery was refused: {error}"))?;
        self.drain()?;
        self.check_restarted()?;
        self.totals.count(event);
        Ok(())
    }

    /// Applies the policy, cut off a few times perhaps: in the end exactly what the plan says is gone.
    fn apply_plan(
        &mut self,
        policy: &Policy,
        plan: &Plan<'_>,
        now: Timestamp,
        disturbed: bool,
    ) -> Result<(), Broken> {
        let before = self.archives_there()?;
        let doomed: BTreeSet<String> = plan.delete.iter().map(|entry| entry.name.to_string()).collect();
        for attempt in 0..=CUT_OFF {
            let cut_off = disturbed && attempt < CUT_OFF && self.random.coin();
            if cut_off {
                let ahead = self.random.between(1, 60);
                self.control.stop_at(Some(self.control.operations() + ahead));
            }
            let storage = self.shared.clone();
            let dir = self.dir.clone();
            let site = Site { storage: &storage, dir: &dir, application: "PRUNELOG", timeout: TIMEOUT, now };
            let orders = Orders { policy, plan: None, dry_run: false, threads: 1 };
            let applied = apply_at_rest(&site, &orders, &mut |_| Ok(()), &|_| {});
            let stopped = self.control.stopped();
            self.control.stop_at(None);
            if stopped {
                self.totals.count(Event::ApplyInterrupted);
                self.crash();
            }
            match applied {
                Ok(applied) => {
                    let rotten = self.rotten(applied.stays.iter().map(|stays| stays.name.as_str()))?;
                    let doomed: BTreeSet<String> = doomed.difference(&rotten).cloned().collect();
                    let left = self.archives_there()?;
                    let gone: BTreeSet<String> = before.difference(&left).cloned().collect();
                    // Copy 2 is given up for a copy 1 that was looked into, which the plan did not.
                    let more = |name: &&String| policy.copy2_shorter && name.starts_with("ARCHLOG2");
                    let gone: BTreeSet<String> =
                        gone.iter().filter(|name| doomed.contains(*name) || !more(name)).cloned().collect();
                    if gone != doomed {
                        return Err(format!(
                            "the plan says {doomed:?} go, and {gone:?} are gone; {:?} were spared",
                            applied.spared
                        ));
                    }
                    return Ok(());
                }
                Err(error) if cut_off && stopped => {
                    self.trace(|| format!("applying was cut off: {error}"));
                    let gone: BTreeSet<String> =
                        before.difference(&self.archives_there()?).cloned().collect();
                    if !policy.copy2_shorter && !gone.is_subset(&doomed) {
                        return Err(format!("the plan says {doomed:?} go, and {gone:?} are gone half-way"));
                    }
                }
                Err(error) => return Err(format!("a plan cannot be applied: {error}")),
            }
        }
        Err("no attempt was let through".to_owned())
    }

    /// Archives that stay although they should go: all must have rotted where they say what they are.
    fn rotten<'n>(&self, names: impl Iterator<Item = &'n str>) -> Result<BTreeSet<String>, Broken> {
        let mut rotten = BTreeSet::new();
        for name in names {
            let bytes = durable::read_file(self.shared.as_ref(), &self.dir.join(name), u64::MAX)
                .map_err(|error| error.to_string())?;
            let sound = bytes.get(..CI_SIZE).is_some_and(|ci| CiTrailer::take(ci).is_ok());
            if sound || !self.rotted || !name.starts_with(&format!("ARCHLOG{}.", self.setup.rotting_copy)) {
                return Err(format!("{name} should go, and stays"));
            }
            rotten.insert(name.to_owned());
        }
        Ok(rotten)
    }

    /// Names of the archives in the directory.
    pub(super) fn archives_there(&self) -> Result<BTreeSet<String>, Broken> {
        let files = self.files_of("ARCHLOG")?;
        let names =
            files.iter().filter_map(|path| path.file_name()).map(|name| name.to_string_lossy().into_owned());
        let is_archive = |name: &String| {
            let number = name.rsplit_once(".A").map(|(_, number)| number);
            number.is_some_and(|number| number.bytes().all(|byte| byte.is_ascii_digit()))
        };
        Ok(names.filter(is_archive).collect())
    }

    /// Points that the plan does not keep may have lost their log.
    fn give_up_points(&mut self, plan: &Plan<'_>) {
        let kept = |made: &MadePoint| {
            plan.points.iter().any(|point| {
                made.is(&point.name) && point.kept && point.recoverable && !point.consistent_only
            })
        };
        self.points.retain(kept);
    }
}

fn meets(a: RbaRange, b: RbaRange) -> bool {
    a.start < b.end && b.start < a.end
}

pub(super) fn no_inputs() -> Inputs {
    Inputs { inventory: String::new(), inventory_bytes: 0, policy: String::new() }
}
