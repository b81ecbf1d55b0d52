//! START PSID: a page set that went offline comes back while the queue manager works.
//!
//! Its file is opened again (repaired, or an older copy put in its place), the log is applied to it from its recovery RBA to where the log
//! ended when the command was given: nothing is logged for an offline page set, so that is all there will ever be. Then what redo
//! changed is written and synced, the queues' order is rebuilt from its pages, nonpersistent pages are freed, it is used again, and
//! the ends of units that waited for it are carried out. All of it in bounded slices between which other work goes on; page zero is
//! stamped by the next checkpoint, so whatever interrupts this leaves a page set that the next start brings forward.

use std::collections::{HashMap, HashSet};

use engine_log::{LogReader, RecordStream};
use engine_page_store::{PageError, RecordAddress};
use engine_recovery::{Action, RecoveryError, history_of};
use format_pageset::{Fragment, MessageHead, PageType};
use format_types::{PageNumber, PageSetId, Rba, UnitState};

use super::work::{Operation, Work, WorkId};
use super::{Core, State};
use crate::command::{Answer, refuse};
use crate::queue::{Entry, Place, Visibility};
use crate::{CoreError, Job};

/// Log records applied in one slice.
const RECORDS_AT_ONCE: usize = 512;

/// Pages written in one slice.
const PAGES_WRITTEN_AT_ONCE: usize = 256;

/// Pages looked at for the queues' order in one slice: 4 MiB.
const PAGES_SCANNED_AT_ONCE: u32 = 1024;

/// Log that the freeing of some nonpersistent pages may need.
const LOG_FOR_FREEING: u64 = 1 << 18;

/// A page set on its way back.
pub(super) struct Return {
    page_set: PageSetId,
    from: Rba,
    to: Rba,
    /// The log, from where redo is on; none before it is looked at, and when data sets may have changed their place.
    stream: Option<RecordStream>,
    bsds_sequence: u64,
    position: Rba,
    records: u64,
    messages: u64,
    phase: Phase,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Phase {
    Redo,
    Write,
    /// The sync is to be handed out, or is under way.
    Sync {
        under_way: bool,
    },
    Units,
    Scan(PageNumber),
    Free,
}

/// What a slice came to.
enum Slice {
    /// Another could follow at once.
    More,
    /// It waits for a sync or for room in the log.
    Waits,
    /// It is online.
    Online,
}

/// Units of recovery that put or got what a scan finds.
#[derive(Default)]
struct Concerned {
    put: HashMap<RecordAddress, WorkId>,
    got: HashMap<(RecordAddress, u64), WorkId>,
    /// Messages that the units remember already.
    known: HashSet<(WorkId, u64)>,
}

impl Core {
    /// START PSID.
    pub(crate) fn start_page_set(&mut self, page_set: PageSetId) -> Result<Answer, CoreError> {
        if self.state != State::Running {
            return Ok(refuse("HWT431E", "THE QUEUE MANAGER IS QUIESCING (MQRC 2161): no new work is taken"));
        }
        if self.returning.iter().any(|back| back.page_set == page_set) {
            return Ok(refuse("HWT448E", format!("PSID({page_set}) IS BEING BROUGHT BACK ALREADY")));
        }
        if self.store.is_online(page_set) {
            return Ok(refuse("HWT447E", format!("PSID({page_set}) IS ONLINE: there is nothing to start")));
        }
        // Commands are rare: what was ever logged for it is made durable here, so that it can be read.
        let to = self.log.sync_now()?;
        self.synced()?;
        let opened = match self.store.begin_return(page_set, to) {
            Ok(opened) => opened,
            Err(PageError::Log(error)) => return Err(error.into()),
            Err(error) => {
                let said = error.to_string();
                let (id, text) = said.split_once(' ').unwrap_or(("HWT302E", said.as_str()));
                return Ok(refuse(id, text));
            }
        };
        if let Some(entry) = self.page_set_entries().iter().find(|entry| entry.page_set == page_set).cloned()
        {
            self.store.alter_expand(page_set, entry.expand);
        }
        let from = opened.recovery_rba;
        let text = format!("PAGE SET {page_set} ONLINE AGAIN. MEDIA RECOVERY STARTED");
        self.say("CSQI023I", &text);
        self.returning.push_back(Return {
            page_set,
            from,
            to,
            stream: None,
            bsds_sequence: 0,
            position: from,
            records: 0,
            messages: 0,
            phase: Phase::Redo,
        });
        let name = &self.log.bsds().name;
        Ok(Ok(vec![
            format!("CSQI023I {name} CSQPALTR {text}"),
            format!(
                "HWT449I {name} CSQPALTR THE LOG FROM RBA {from} TO {to} IS APPLIED TO IT in the background"
            ),
        ]))
    }

    /// Whether a page set is on its way back.
    pub(crate) fn is_returning(&self, page_set: PageSetId) -> bool {
        self.store.is_returning(page_set)
    }

    /// Whether what lies on some offline page set is not known, because it was offline at the start already.
    pub(crate) fn has_unknown_messages(&self) -> Option<PageSetId> {
        self.unindexed.first().copied()
    }

    /// The sync behind redo has ended.
    pub(super) fn return_synced(&mut self, page_set: PageSetId) {
        if let Some(back) = self.returning.iter_mut().find(|back| back.page_set == page_set) {
            back.phase = Phase::Units;
        }
    }

    /// A slice of the return that was asked for first; true when another could follow at once.
    pub(super) fn step_return(&mut self) -> Result<bool, CoreError> {
        let Some(mut back) = self.returning.pop_front() else { return Ok(false) };
        let page_set = back.page_set;
        if !self.store.is_returning(page_set) {
            // It failed again; that was said.
            return Ok(true);
        }
        match self.return_slice(&mut back) {
            Ok(Slice::More) => {
                self.returning.push_front(back);
                Ok(true)
            }
            Ok(Slice::Waits) => {
                self.returning.push_front(back);
                Ok(false)
            }
            Ok(Slice::Online) => Ok(true),
            Err(CoreError::Page(error)) => {
                self.store.fail_return(page_set, error)?;
                Ok(true)
            }
            Err(error) => Err(error),
        }
    }

    fn return_slice(&mut self, back: &mut Return) -> Result<Slice, CoreError> {
        let page_set = back.page_set;
        match back.phase {
            Phase::Redo => {
                if self.redo_slice(back)? {
                    self.store.finish_return_redo(page_set)?;
                    back.stream = None;
                    back.phase = Phase::Write;
                }
            }
            Phase::Write => {
                if self.store.write_returning(&mut self.log, page_set, PAGES_WRITTEN_AT_ONCE)? {
                    back.phase = Phase::Sync { under_way: false };
                }
            }
            Phase::Sync { under_way: true } => return Ok(Slice::Waits),
            Phase::Sync { under_way: false } => match self.store.begin_return_sync(page_set) {
                Some(job) => {
                    self.jobs.push(Job::PageSync(job));
                    back.phase = Phase::Sync { under_way: true };
                    return Ok(Slice::Waits);
                }
                None => back.phase = Phase::Units,
            },
            Phase::Units => {
                if !self.reread_waiting_units(page_set)? {
                    return Ok(Slice::More);
                }
                self.forget_what_was_there(page_set);
                back.phase = Phase::Scan(PageNumber(1));
            }
            Phase::Scan(from) => {
                back.phase = match self.scan_slice(back, from)? {
                    Some(next) => Phase::Scan(next),
                    None => Phase::Free,
                };
            }
            Phase::Free => {
                let room = LOG_FOR_FREEING.min(self.log_at_most());
                if self.log.space_left() < room + self.ending_reserve() || !self.buffer_takes(room) {
                    self.log_sync_wanted = true;
                    return Ok(Slice::Waits);
                }
                if self.store.free_nonpersistent_returning(&mut self.log, page_set)? == 0
                    && self.now_online(back)?
                {
                    return Ok(Slice::Online);
                }
            }
        }
        Ok(Slice::More)
    }

    /// Applies some records; true when all are applied.
    fn redo_slice(&mut self, back: &mut Return) -> Result<bool, CoreError> {
        let bsds = self.log.bsds();
        if back.bsds_sequence != bsds.sequence {
            // A data set may have been archived and used again since.
            back.stream = None;
            back.bsds_sequence = bsds.sequence;
        }
        let (position, to) = (back.position, back.to);
        let stream = match &mut back.stream {
            Some(stream) => stream,
            none => {
                let reader = LogReader::with_bsds(&self.storage, &self.dir, bsds.clone());
                none.insert(reader.stream(position, to)?)
            }
        };
        for _ in 0..RECORDS_AT_ONCE {
            let next = match stream.next() {
                Ok(next) => next,
                Err(error) => {
                    self.lacks_log(back.page_set, back.from, error.to_string());
                    return Ok(false);
                }
            };
            let Some((at, record)) = next else { return Ok(true) };
            back.position = at.end;
            back.records += 1;
            self.store.redo_returning(&mut self.log, back.page_set, at, &record)?;
        }
        Ok(false)
    }

    /// What is known of the page set's messages is from before it went offline: the order of the queues is rebuilt from its pages. Its
    /// nonpersistent messages are gone, as at a start.
    fn forget_what_was_there(&mut self, page_set: PageSetId) {
        for work in self.works.values_mut() {
            work.inserted.retain(|(at, rba)| *rba != Rba::ZERO || at.page_set != page_set);
            work.operations.retain(|operation| {
                !matches!(operation, Operation::Got { head, persistent: false, .. } if head.page_set == page_set)
            });
        }
        for queue in self.catalog.queues.values_mut() {
            queue.index.forget(page_set);
        }
        self.unindexed.insert(page_set);
    }

    /// Units whose backing out stopped at an offline page set: what is left of it is read from the log, for a put that failed halfway is
    /// known there alone. Log that cannot be read leaves `page_set` offline, for nobody knows what of such a unit lies on it: false.
    fn reread_waiting_units(&mut self, page_set: PageSetId) -> Result<bool, CoreError> {
        let waiting: Vec<WorkId> = self
            .works
            .iter()
            .filter(|(_, work)| work.stalled && work.state == UnitState::InBackout)
            .map(|(id, _)| *id)
            .collect();
        if waiting.is_empty() {
            return Ok(true);
        }
        self.log.sync_now()?;
        self.synced()?;
        let mut reader = LogReader::with_bsds(&self.storage, &self.dir, self.log.bsds().clone());
        for id in waiting {
            let Some(work) = self.works.get_mut(&id) else { continue };
            let Some(link) = work.link else { continue };
            match history_of(&mut reader, link) {
                Ok(history) => take_history(work, &history.actions),
                Err(error) => {
                    let why = format!("unit of recovery {} waits for a page set, and {error}", link.urid);
                    self.lacks_log(page_set, link.urid.0, why);
                    return Ok(false);
                }
            }
        }
        Ok(true)
    }

    /// Leaves a page set offline that needs log which cannot be read.
    fn lacks_log(&mut self, page_set: PageSetId, needed: Rba, why: String) {
        let missing = RecoveryError::LogNotAvailable { page_set, needed, why };
        self.store.stop_return(page_set, &format!("it could not be brought back: {missing}"));
    }

    /// Takes the messages on some pages into their queues' order; where to go on, or none at the end.
    fn scan_slice(&mut self, back: &mut Return, from: PageNumber) -> Result<Option<PageNumber>, CoreError> {
        let page_set = back.page_set;
        let mut heads: Vec<(RecordAddress, MessageHead)> = Vec::new();
        let mut damaged = None;
        let next = self.store.scan_returning(
            &mut self.log,
            page_set,
            (from, PAGES_SCANNED_AT_ONCE),
            &mut |at, page_type, record| {
                // Objects did not change while they could not be reached.
                if page_type == PageType::Object {
                    return;
                }
                match Fragment::decode(record) {
                    Ok(Fragment::Head { head, .. }) => heads.push((at, head)),
                    Ok(Fragment::Rest { .. }) => {}
                    Err(error) => {
                        damaged.get_or_insert((at, error.to_string()));
                    }
                }
            },
        )?;
        if let Some((at, error)) = damaged {
            self.store.stop_return(
                page_set,
                &format!("record {at} cannot be read ({error}); recover the page set"),
            );
            return Ok(next);
        }
        // Anew for every slice: units begin and end in between.
        let concerned = self.concerned();
        for (at, head) in heads {
            if !self.take_head(&concerned, at, &head) {
                let key = head.key;
                let why =
                    format!("message {key:016X} at {at} belongs to no queue; page set 00 does not match");
                self.store.stop_return(page_set, &why);
                return Ok(next);
            }
            back.messages += 1;
        }
        Ok(next)
    }

    fn concerned(&self) -> Concerned {
        let mut concerned = Concerned::default();
        // A commit that is not synced yet may still be gone after a crash: nobody else may see what it put.
        let unsynced: HashSet<WorkId> = self.commits.iter().map(|pending| pending.work).collect();
        for (id, work) in &self.works {
            if work.state != UnitState::InCommit || unsynced.contains(id) {
                concerned.put.extend(work.inserted.iter().map(|(at, _)| (*at, *id)));
            }
            concerned.got.extend(work.intents.iter().map(|intent| (*intent, *id)));
            for operation in &work.operations {
                match operation {
                    Operation::Got { head, place, .. } => {
                        concerned.got.insert((*head, place.key), *id);
                        concerned.known.insert((*id, place.key));
                    }
                    Operation::Delete { head, key, .. } => {
                        concerned.got.insert((*head, *key), *id);
                    }
                    Operation::Put { place, .. } => {
                        concerned.known.insert((*id, place.key));
                    }
                }
            }
        }
        concerned
    }

    /// Takes a message that a scan found into its queue's order, as visible as the units of recovery let it be. False when it belongs
    /// to no queue.
    fn take_head(&mut self, concerned: &Concerned, at: RecordAddress, head: &MessageHead) -> bool {
        self.last_key = self.last_key.max(head.key);
        let place = Place::new(head.priority, head.key);
        let (id, visibility) = match (concerned.put.get(&at), concerned.got.get(&(at, head.key))) {
            (_, Some(id)) if self.delete_later(*id, at, head.key, head.length) => return true,
            (_, Some(id)) => (Some(*id), Visibility::BeingGot),
            (Some(id), None) => (Some(*id), Visibility::BeingPut),
            (None, None) => (None, Visibility::Committed),
        };
        let Some(queue) = self.catalog.queue_with_id(head.queue) else { return false };
        let persistent = head.persistent;
        queue.index.insert(place, Entry { head: at, visibility, persistent });
        let name = queue.definition.name.clone();
        if let Some(id) = id.filter(|id| !concerned.known.contains(&(*id, head.key)))
            && let Some(work) = self.works.get_mut(&id)
        {
            work.operations.push(match visibility {
                Visibility::BeingGot => {
                    Operation::Got { queue: name, place, head: at, persistent, length: head.length }
                }
                _ => Operation::Put { queue: name, place },
            });
        }
        true
    }

    /// The page set is used again, and what waited for it goes on; false when it stays offline.
    fn now_online(&mut self, back: &Return) -> Result<bool, CoreError> {
        let page_set = back.page_set;
        // Units that came to wait meanwhile.
        if !self.reread_waiting_units(page_set)? {
            return Ok(false);
        }
        self.store.complete_return(page_set)?;
        self.unindexed.remove(&page_set);
        let ready: Vec<WorkId> = self
            .works
            .iter()
            .filter(|(_, work)| work.stalled && work.page_sets().iter().all(|set| self.store.is_online(*set)))
            .map(|(id, _)| *id)
            .collect();
        for id in ready {
            if let Some(work) = self.works.get_mut(&id) {
                work.stalled = false;
                self.endings.push_back(id);
            }
        }
        let Return { from, to, records, messages, .. } = back;
        let text = format!(
            "PAGE SET {page_set} IS ONLINE: the log from RBA {from} to {to} was applied ({records} records read), {messages} \
             messages are on it"
        );
        self.say("HWT450I", &text);
        Ok(true)
    }

    /// The queue manager stops: the next start goes on with what is not done.
    pub(super) fn stop_returns(&mut self) {
        for back in std::mem::take(&mut self.returning) {
            self.store.stop_return(back.page_set, "the queue manager stops before it was back");
        }
    }
}

/// What is left to be undone of a unit that is being backed out, from the log.
fn take_history(work: &mut Work, actions: &[Action]) {
    if work.state != UnitState::InBackout {
        // What a committed unit is to delete is remembered as a whole.
        return;
    }
    // Nonpersistent records are in no log; those still to be undone are remembered.
    work.inserted.retain(|(_, rba)| *rba == Rba::ZERO);
    work.inserted.extend(actions.iter().filter_map(|action| match action {
        Action::Inserted { at, rba } => Some((*at, *rba)),
        Action::Intent { .. } => None,
    }));
}
