//! Applying a plan, a step at a time: what nothing needs is deleted, and nothing else.
//!
//! Order of writes: the archives are marked as being deleted in both copies of the BSDS; their files are removed, each only when its
//! own first control interval says that it is that archive; the directory is synced; their entries are dropped and what they held is
//! noted as holes. So a run that ends anywhere in between leaves entries that are marked, and the next run finishes them - after it has
//! asked once more whether they are needed.
//!
//! What goes is decided on the facts of this moment. A running queue manager checks with the marking that they are still the same; when
//! they are not, everything is decided again.
//!
//! [`Applying`] looks at files and removes them; facts and changes of the BSDS are asked of whoever drives it.

use std::path::{Path, PathBuf};

use engine_queue_manager::client::ClientError;
use engine_queue_manager::{BsdsChanged, ChangeError};
use engine_storage::SharedStorage;
use format_bsds::ArchiveLog;
use format_protocol::Request;
use format_types::ArchiveReference;

use crate::applied::{Applied, ApplyError, Gone, Stays};
use crate::apply::{Decided, Look, Orders};
use crate::decision::{Decision, Stage, decide};
use crate::deletion::{Deleted, Fate, delete, last_inventories};
use crate::facts::Facts;

/// Archives that are named in one request to a running queue manager: they fit into a frame.
const AT_ONCE: usize = 100_000;

/// How often everything is decided again because the facts have changed.
const ATTEMPTS: u32 = 20;

/// The refusal of a running queue manager whose facts are others by now.
const OTHER_FACTS: &str = "HWT488E";

/// What a step came to, and what is wanted before the next one.
#[derive(Debug)]
pub enum ApplyStep {
    /// There is more to do.
    More,
    /// The facts of this moment are wanted: see [`Applying::facts_are`].
    Facts,
    /// This change of the BSDS is to be asked for: see [`Applying::answered`].
    Change(Box<Request>),
    /// All is done.
    Done(Box<Applied>),
}

/// How far it is.
#[derive(Debug)]
enum At {
    Deciding,
    /// So many of those that go are marked.
    Marking(usize),
    /// Marking was refused half-way: so many of those that were marked are not any more.
    Unmarking(usize, ChangeError),
    /// So many files are looked at.
    Removing,
    Syncing,
    /// So many entries are settled.
    Settling(usize),
    Ending,
    Ended,
}

/// A plan that is being applied.
pub struct Applying<'o> {
    storage: SharedStorage,
    dir: PathBuf,
    orders: Orders<'o>,
    live: bool,
    /// Archives named in one request.
    named: usize,
    /// Archives whose files are removed in one step.
    removed: usize,
    stage: Stage,
    at: At,
    /// What was read and not acted on: good for the next stage too.
    facts: Option<Facts>,
    work: Work,
    attempts: u32,
    applied: Option<Box<Applied>>,
}

/// What was decided, and how far it is done.
#[derive(Debug, Default)]
struct Work {
    facts: Option<Facts>,
    decision: Decision,
    fates: Vec<Deleted>,
    /// Copies of the BSDS that stay although their archives go.
    stay: Vec<String>,
    /// Marked by this run, of a marking that was refused half-way.
    unmarked: Vec<ArchiveReference>,
    gone: Vec<ArchiveReference>,
    kept: Vec<ArchiveReference>,
}

impl Work {
    fn archive(&self, place: usize) -> Option<&ArchiveLog> {
        self.facts.as_ref()?.bsds.archives.get(place)
    }

    fn some_doomed(&self, from: usize, count: usize) -> Vec<&ArchiveLog> {
        let places = self.decision.doomed.iter().skip(from).take(count);
        places.filter_map(|place| self.archive(*place)).collect()
    }

    fn references(&self, places: &[usize]) -> Vec<ArchiveReference> {
        places.iter().filter_map(|place| self.archive(*place)).map(ArchiveLog::reference).collect()
    }

    /// The next request that settles, when `from` archives are settled: those that are gone first.
    fn settling(&self, from: usize, count: usize) -> Option<(Request, usize)> {
        let some = |list: &[ArchiveReference], from| list.iter().skip(from).take(count).cloned().collect();
        let (gone, kept) = match from.checked_sub(self.gone.len()) {
            None => (some(&self.gone, from), Vec::new()),
            Some(from) => (Vec::new(), some(&self.kept, from)),
        };
        let settled = from + gone.len() + kept.len();
        (settled > from).then_some((Request::SettleArchives { gone, kept }, settled))
    }
}

impl<'o> Applying<'o> {
    /// Begins to apply `orders` to the queue manager in `dir`, which is running (`live`) or down.
    #[must_use]
    pub fn begin(storage: &SharedStorage, dir: &Path, orders: &Orders<'o>, live: bool) -> Self {
        Self {
            storage: storage.clone(),
            dir: dir.to_owned(),
            orders: *orders,
            live,
            named: if live { AT_ONCE } else { usize::MAX },
            removed: usize::MAX,
            stage: Stage::Finish,
            at: At::Deciding,
            facts: None,
            work: Work::default(),
            attempts: 0,
            applied: None,
        }
    }

    /// At most so many archives are named in a request, and their files removed in a step, both 1 or more.
    #[must_use]
    pub fn by_the(self, number: usize) -> Self {
        let number = number.max(1);
        Self { named: self.named.min(number), removed: number, ..self }
    }

    /// Takes in the facts that were wanted.
    pub fn facts_are(&mut self, facts: Facts) {
        self.applied.get_or_insert_with(|| Box::new(Applied::new(&facts, self.live, &self.orders)));
        self.facts = Some(facts);
    }

    /// Does a little. First what an earlier run has marked is finished. `look` is asked before anything of this plan is marked; `progress`
    /// hears of archives deleted.
    ///
    /// # Errors
    /// When nothing was deleted of this plan, or it is not known whether what was removed is gone for good. There is no next step then.
    pub fn step(
        &mut self,
        look: &mut Look<'_>,
        progress: &(dyn Fn(usize) + Sync),
    ) -> Result<ApplyStep, ApplyError> {
        match self.at {
            At::Deciding => return self.decide(look),
            At::Marking(from) => {
                let some = self.work.some_doomed(from, self.named);
                if !some.is_empty() {
                    let archives = some.iter().map(|archive| archive.reference()).collect();
                    let facts = self.work.facts.as_ref().map_or(0, |facts| facts.bsds.facts());
                    return Ok(change(Request::MarkArchives { archives, facts }));
                }
                self.at = At::Removing;
            }
            At::Unmarking(from, _) => {
                let kept: Vec<_> = self.work.unmarked.iter().skip(from).take(self.named).cloned().collect();
                return Ok(change(Request::SettleArchives { gone: Vec::new(), kept }));
            }
            At::Removing => self.remove(progress),
            At::Syncing => {
                if self.work.fates.iter().any(|deleted| deleted.fate == Fate::Deleted) {
                    // Until this is done nothing says that they are gone: their entries stay marked.
                    let synced = self.storage.sync_dir(&self.dir);
                    synced.map_err(|error| ApplyError::NotSynced(error.to_string()))?;
                }
                self.fates_are_known();
                self.at = At::Settling(0);
            }
            At::Settling(from) => match self.work.settling(from, self.named) {
                Some((request, _)) => return Ok(change(request)),
                None => self.note(),
            },
            At::Ending => match &self.applied {
                None => return Ok(ApplyStep::Facts),
                Some(applied) => {
                    let nothing = applied.deleted.is_empty() && applied.missing.is_empty();
                    if nothing && !self.live && !self.orders.dry_run {
                        // A run that was stopped between the two copies of the BSDS may have left nothing to do but this.
                        let (gone, kept) = (Vec::new(), Vec::new());
                        return Ok(change(Request::SettleArchives { gone, kept }));
                    }
                    self.at = At::Ended;
                }
            },
            At::Ended => {
                return Ok(match &self.applied {
                    None => ApplyStep::Facts,
                    Some(applied) => ApplyStep::Done(applied.clone()),
                });
            }
        }
        Ok(ApplyStep::More)
    }

    /// Takes in what became of the change that was asked for.
    ///
    /// # Errors
    /// As those of [`Self::step`].
    pub fn answered(&mut self, outcome: Result<BsdsChanged, ChangeError>) -> Result<(), ApplyError> {
        let outcome = outcome.map(|changed| {
            if let Some(applied) = &mut self.applied {
                applied.messages.extend(changed.messages);
            }
        });
        match (std::mem::replace(&mut self.at, At::Ended), outcome) {
            (At::Marking(from), Ok(())) => {
                self.at = At::Marking(from + self.work.some_doomed(from, self.named).len());
            }
            (At::Marking(from), Err(error)) => {
                // Those that an earlier run had marked stay so: whether they go is asked again.
                let marked = self.work.some_doomed(0, from);
                let by_this = marked.iter().filter(|archive| !archive.deleting);
                self.work.unmarked = by_this.map(|archive| archive.reference()).collect();
                if self.work.unmarked.is_empty() {
                    return self.refused(error);
                }
                self.at = At::Unmarking(0, error);
            }
            (At::Unmarking(from, error), outcome) => {
                outcome?;
                let from = from.saturating_add(self.named);
                if from >= self.work.unmarked.len() {
                    return self.refused(error);
                }
                self.at = At::Unmarking(from, error);
            }
            (At::Settling(from), outcome) => {
                outcome.map_err(ApplyError::NotSettled)?;
                self.at = At::Settling(self.work.settling(from, self.named).map_or(from, |next| next.1));
            }
            (At::Ending, outcome) => outcome?,
            (at, _) => self.at = at,
        }
        Ok(())
    }

    /// Nothing is marked. Other facts are decided on again.
    fn refused(&mut self, error: ChangeError) -> Result<(), ApplyError> {
        if !is_other_facts(&error) || self.attempts >= ATTEMPTS {
            return Err(error.into());
        }
        self.attempts += 1;
        self.work = Work::default();
        self.at = At::Deciding;
        Ok(())
    }

    fn decide(&mut self, look: &mut Look<'_>) -> Result<ApplyStep, ApplyError> {
        let (Some(mut facts), Some(applied)) = (self.facts.take(), &mut self.applied) else {
            return Ok(ApplyStep::Facts);
        };
        let Orders { policy, plan, dry_run, .. } = self.orders;
        let stage = self.stage;
        if stage == Stage::Finish && !facts.bsds.archives.iter().any(|archive| archive.deleting) {
            self.facts = Some(facts);
            self.stage_is_done();
            return Ok(ApplyStep::More);
        }
        if policy.copy2_shorter {
            facts.verify_copy1(&self.storage, &self.dir);
        }
        if policy.restart_within.is_some() {
            facts.measure_reading(&self.storage, &self.dir);
        }
        let decision = decide(&facts, policy, plan, stage, |inventory, plan, decision| {
            if stage == Stage::Apply {
                let decided = Decided { facts: &facts, inventory, plan, decision: &decision };
                look(&decided).map_err(ApplyError::Stopped)?;
            }
            Ok::<_, ApplyError>(decision)
        })??;
        if dry_run {
            applied.would(&facts, &decision);
            self.facts = Some(facts);
            self.stage_is_done();
        } else {
            self.work = Work { facts: Some(facts), decision, ..Work::default() };
            self.at = At::Marking(0);
        }
        Ok(ApplyStep::More)
    }

    fn stage_is_done(&mut self) {
        (self.stage, self.at) = match self.stage {
            Stage::Finish => (Stage::Apply, At::Deciding),
            Stage::Apply => (Stage::Apply, At::Ending),
        };
    }

    fn remove(&mut self, progress: &(dyn Fn(usize) + Sync)) {
        let before = self.work.fates.len();
        if let (0, Some(facts)) = (before, &self.work.facts) {
            let doomed = self.work.some_doomed(0, usize::MAX);
            self.work.stay = last_inventories(&self.storage, &self.dir, &facts.bsds, &doomed);
        }
        let some = self.work.some_doomed(before, self.removed);
        let Some(facts) = self.work.facts.as_ref().filter(|_| !some.is_empty()) else {
            self.at = At::Syncing;
            return;
        };
        let (queue_manager, threads) = (facts.bsds.queue_manager, self.orders.threads);
        let progress = |done: usize| progress(before + done);
        let stay = &self.work.stay;
        let fates = delete(&self.storage, &self.dir, queue_manager, &some, stay, threads, &progress);
        self.work.fates.extend(fates);
    }

    fn fates_are_known(&mut self) {
        let work = &mut self.work;
        let doomed = work.references(&work.decision.doomed);
        work.kept = work.references(&work.decision.spared);
        for (archive, Deleted { fate, .. }) in doomed.into_iter().zip(&work.fates) {
            let list = if matches!(fate, Fate::Stays(_)) { &mut work.kept } else { &mut work.gone };
            list.push(archive);
        }
    }

    /// All entries are settled: what was done is said.
    fn note(&mut self) {
        let work = std::mem::take(&mut self.work);
        self.stage_is_done();
        let (Some(facts), Some(applied)) = (&work.facts, &mut self.applied) else { return };
        let archives = &facts.bsds.archives;
        let spared = work.decision.spared.iter().filter_map(|place| archives.get(*place));
        applied.spared.extend(spared.map(|archive| archive.name.clone()));
        for (place, Deleted { fate, beside }) in work.decision.doomed.iter().zip(work.fates) {
            let Some(archive) = archives.get(*place) else { continue };
            match fate {
                Fate::Deleted => applied.deleted.extend(Gone::of(facts, *place)),
                Fate::Missing => applied.missing.push(archive.name.clone()),
                Fate::Stays(why) => applied.stays.push(Stays { name: archive.name.clone(), why }),
            }
            applied.stays.extend(beside.map(|why| Stays { name: archive.bsds_name.clone(), why }));
        }
        applied.note(&work.decision);
    }
}

fn change(request: Request) -> ApplyStep {
    ApplyStep::Change(Box::new(request))
}

fn is_other_facts(error: &ChangeError) -> bool {
    matches!(error, ChangeError::Client(ClientError::Refused { id, .. }) if id == OTHER_FACTS)
}
