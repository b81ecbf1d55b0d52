//! Start: log, page sets, restart, queue index rebuild, checkpoint.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::path::Path;

use engine_log::{LogManager, LogReader};
use engine_page_store::{PageError, PageStore, RecordAddress, StoreIdentity};
use engine_recovery::{Checkpoint, RecoveryError, RestartOptions, RestartProgress, UnitTable, restart};
use engine_storage::SharedStorage;
use engine_storage::planted::{self, Defect};
use format_pageset::{Fragment, ObjectRecord, PageType};
use format_types::{PageSetId, Rba, Timestamp, UnitState};

use super::work::{Operation, Work, WorkId};
use super::{Core, State};
use crate::CoreError;
use crate::catalog::Catalog;
use crate::queue::{Entry, Place, Visibility};

/// How a queue manager is started.
pub struct StartOptions<'a> {
    /// Rebuild the queues' order, so that requests can be taken. A recovery that only brings page sets up to the log's end does without.
    pub index: bool,
    /// Read the log from here even when page sets and checkpoint would allow later.
    pub read_from: Option<Rba>,
    /// Buffer pool frames; none for the queue manager's own setting.
    pub frames: Option<usize>,
    /// Told how far the restart is.
    pub progress: &'a mut dyn FnMut(RestartProgress),
}

/// Length of a message of which only the address is known.
const UNKNOWN_LENGTH: u32 = u32::MAX;

impl Core {
    /// Starts the queue manager in `dir`. The caller holds the directory's lock.
    ///
    /// # Errors
    /// When log, BSDS or a page set is missing, damaged, foreign or beyond the log: named, with nothing lost.
    pub fn start(
        storage: &SharedStorage,
        dir: &Path,
        options: StartOptions<'_>,
        now: Timestamp,
    ) -> Result<Self, CoreError> {
        let StartOptions { index, read_from, frames, progress } = options;
        if !bsds_is_there(storage, dir)? {
            return Err(CoreError::NotThere(dir.to_owned()));
        }
        let mut log = LogManager::open(storage, dir, now)?;
        // A log just begun holds a record that is in memory alone; the restart reads what is on disk.
        log.sync_now()?;
        let mut messages = log.take_messages();
        let last_key = super::key::limit(log.end());
        let bsds = log.bsds();
        let name = bsds.name.clone();
        let frames = frames.unwrap_or(bsds.settings.buffer_pool_pages as usize);
        let identity =
            StoreIdentity { queue_manager: bsds.queue_manager, name: name.clone(), history: bsds.history() };
        let clean_stop = bsds.clean_stop;
        let page_sets: Vec<_> = bsds.page_sets.iter().map(|set| (set.page_set, set.expand)).collect();
        let mut store = PageStore::new(storage.clone(), dir, frames, identity);
        store.set_relatives(bsds.relatives());
        for (page_set, expand) in page_sets {
            store.open_page_set(page_set, log.end(), clean_stop)?;
            // ALTER PSID reaches the BSDS at once, page zero with the next checkpoint, and a restored page set not at all.
            store.alter_expand(page_set, expand);
        }
        messages.append(&mut store.take_messages());
        messages.push("CSQR001I RESTART INITIATED".to_owned());
        let mut reader = LogReader::with_bsds(storage, dir, log.bsds().clone());
        let outcome = restart(&mut log, &mut store, &mut reader, &RestartOptions { read_from }, progress)?;
        messages.extend(outcome.messages);
        let mut core = Self {
            storage: storage.clone(),
            dir: dir.to_owned(),
            log,
            store,
            catalog: Catalog::default(),
            started: now,
            now,
            state: State::Running,
            forced: false,
            connections: BTreeMap::new(),
            next_connection: 0,
            works: BTreeMap::new(),
            next_work: 0,
            last_key,
            commits: VecDeque::new(),
            prepares: VecDeque::new(),
            endings: VecDeque::new(),
            endings_want_log: false,
            parked: VecDeque::new(),
            archive_waits: Vec::new(),
            stop_waits: Vec::new(),
            checkpoint: None,
            records_at_checkpoint: 0,
            switches_at_checkpoint: 0,
            log_sync_wanted: false,
            log_sync_under_way: false,
            log_sync_held: false,
            offload_failures: 0,
            offload_not_before: 0,
            expansions_under_way: Vec::new(),
            new_page_sets: Vec::new(),
            returning: VecDeque::new(),
            unindexed: BTreeSet::new(),
            quiesce: None,
            switches_reported: 0,
            out_of_log_said: false,
            restart_read: (outcome.forward, outcome.records),
            jobs: Vec::new(),
            jobs_out: 0,
            replies: Vec::new(),
            messages: Vec::new(),
        };
        core.take_unresolved(&outcome.units, index);
        if index {
            core.rebuild_index()?;
        }
        // After the index: its scan finds the pages that are in use and empty, which are freed too.
        for page_set in core.store.online_page_sets() {
            match free_nonpersistent(&mut core.log, &mut core.store, page_set) {
                // Nothing shows what is on them: they can wait for the next start.
                Err(
                    CoreError::Page(PageError::Offline { .. })
                    | CoreError::Recovery(RecoveryError::NoLogSpace(_)),
                ) => {}
                freed => freed?,
            }
        }
        let units = core.checkpoint_units();
        Checkpoint::run_now(&mut core.log, &mut core.store, units, now)?;
        core.records_at_checkpoint = core.log.records();
        core.switches_at_checkpoint = core.log.switches();
        core.switches_reported = core.log.switches();
        // Backups whose programs are gone with the last run hold nothing any more.
        if !core.log.bsds().backups_in_progress.is_empty() {
            core.log.update_bsds(|bsds| bsds.backups_in_progress.clear())?;
        }
        // A cut made before this start is used up: the page sets agree with the line that it began.
        if core.log.bsds().conditional_restarts.iter().any(|restart| restart.active) {
            core.log.update_bsds(|bsds| {
                bsds.conditional_restarts.iter_mut().for_each(|restart| restart.active = false);
            })?;
        }
        messages.push("CSQR002I RESTART COMPLETED".to_owned());
        messages.append(&mut core.log.take_messages());
        core.messages = messages.into_iter().map(|line| name_behind_id(&line, name.as_str())).collect();
        Ok(core)
    }

    /// Keeps the units that a restart left: in doubt, or waiting for log or for a page set that is offline. With an index they can be
    /// ended now.
    fn take_unresolved(&mut self, units: &UnitTable, index: bool) {
        for unit in units.iter() {
            if unit.state == UnitState::InDoubt && planted::active(Defect::InDoubtForgotten) {
                continue;
            }
            let mut work = Work::new(unit.connection.clone());
            work.link = Some(unit.link);
            work.state = unit.state;
            work.undo_next = unit.undo_next;
            work.xid.clone_from(&unit.xid);
            work.take_actions(&unit.actions);
            if unit.state == UnitState::InCommit {
                // How long they are shows when they are found; what lies on an offline page set must not be forgotten before.
                let delete = |(head, key): &(RecordAddress, u64)| Operation::Delete {
                    head: *head,
                    key: *key,
                    length: UNKNOWN_LENGTH,
                };
                work.operations = work.intents.iter().map(delete).collect();
            }
            let ends = unit.state != UnitState::InDoubt;
            work.stalled = ends && !index;
            let id = self.insert_work(work);
            if ends && index {
                self.endings.push_back(id);
            }
        }
    }

    /// Queue index rebuild: the objects from page set 00, then every message in its queue's order.
    fn rebuild_index(&mut self) -> Result<(), CoreError> {
        let mut objects = Vec::new();
        let mut heads = Vec::new();
        // Records of units that have not ended: put ones are not visible yet, got ones not any more.
        // A got one may be deleted already, and its slot be another's, so its key counts too.
        let mut put: HashMap<RecordAddress, WorkId> = HashMap::new();
        let mut got: HashMap<(RecordAddress, u64), WorkId> = HashMap::new();
        for (id, work) in &self.works {
            if work.state != UnitState::InCommit {
                put.extend(work.inserted.iter().map(|(at, _)| (*at, *id)));
            }
            got.extend(work.intents.iter().map(|intent| (*intent, *id)));
        }
        let all = self.store.page_sets();
        self.unindexed = all.iter().filter(|set| !set.online).map(|set| set.page_set).collect();
        self.need_objects()?;
        for page_set in self.store.online_page_sets() {
            let mut damaged = None;
            let scanned = self.store.scan(&mut self.log, page_set, &mut |at, page_type, record| {
                if page_type == PageType::Object {
                    match ObjectRecord::decode(record) {
                        Ok(object) => objects.push((at, object)),
                        Err(damage) => {
                            damaged.get_or_insert(PageError::Record { at, damage });
                        }
                    }
                    return;
                }
                match Fragment::decode(record) {
                    Ok(Fragment::Head { head, .. }) => heads.push((at, head)),
                    Ok(Fragment::Rest { .. }) => {}
                    Err(damage) => {
                        damaged.get_or_insert(PageError::Record { at, damage });
                    }
                }
            });
            if let Err(error) = scanned.and(damaged.map_or(Ok(()), Err)) {
                if page_set == PageSetId::ZERO && !matches!(error, PageError::Offline { .. }) {
                    return Err(error.into());
                }
                self.store.give_up(page_set, error)?;
                self.need_objects()?;
                // What is on it is not known before START PSID or the next start; the others are started without it.
                objects.clear();
                heads.clear();
                self.unindexed.insert(page_set);
                continue;
            }
            // Queues live on other page sets than the objects do; 00 is scanned first, so that its objects are known.
            for (at, object) in objects.drain(..) {
                let key = object.key();
                self.last_key = self.last_key.max(key);
                let replaced = got.get(&(at, key)).is_some_and(|id| self.delete_later(*id, at, key, 0));
                if !replaced && !put.contains_key(&at) {
                    self.catalog.insert(at, object);
                }
            }
            for (at, head) in heads.drain(..) {
                self.last_key = self.last_key.max(head.key);
                let place = Place::new(head.priority, head.key);
                let (id, visibility) = match (put.get(&at), got.get(&(at, head.key))) {
                    (_, Some(id)) if self.delete_later(*id, at, head.key, head.length) => continue,
                    (_, Some(id)) => (Some(*id), Visibility::BeingGot),
                    (Some(id), None) => (Some(*id), Visibility::BeingPut),
                    (None, None) => (None, Visibility::Committed),
                };
                let Some(queue) = self.catalog.queue_with_id(head.queue) else {
                    return Err(CoreError::Contradiction(format!(
                        "MESSAGE {:016X} ON PAGE SET {} PAGE {} BELONGS TO NO QUEUE: page set 00 does not match; recover page set 00",
                        head.key, at.page_set, at.page
                    )));
                };
                queue.index.insert(place, Entry { head: at, visibility, persistent: head.persistent });
                let name = queue.definition.name.clone();
                if let Some(work) = id.and_then(|id| self.works.get_mut(&id)) {
                    let persistent = head.persistent;
                    work.operations.push(match visibility {
                        Visibility::BeingGot => {
                            Operation::Got { queue: name, place, head: at, persistent, length: head.length }
                        }
                        _ => Operation::Put { queue: name, place },
                    });
                }
            }
        }
        // What was not found where it is known what is there was deleted already.
        for work in self.works.values_mut() {
            let unindexed = &self.unindexed;
            work.operations.retain(|operation| {
                !matches!(operation, Operation::Delete { head, length: UNKNOWN_LENGTH, .. }
                    if !unindexed.contains(&head.page_set))
            });
        }
        Ok(())
    }

    /// Without the objects on page set 00 no message has a queue: there is nothing to start.
    fn need_objects(&mut self) -> Result<(), CoreError> {
        let page_set = PageSetId::ZERO;
        if self.store.is_online(page_set) {
            return Ok(());
        }
        let said = self.store.take_messages();
        let why = said.into_iter().find(|line| line.starts_with("HWT321E PAGE SET 00"));
        let why = why.unwrap_or_else(|| "the objects on it are needed".to_owned());
        Err(CoreError::WentOffline { page_set, why })
    }
}

impl Core {
    /// Whether a record that was found is to be deleted by the ending of `id`, which is committed; its length is known now.
    pub(super) fn delete_later(&mut self, id: WorkId, at: RecordAddress, of: u64, found: u32) -> bool {
        let Some(work) = self.works.get_mut(&id).filter(|work| work.state == UnitState::InCommit) else {
            return false;
        };
        for operation in &mut work.operations {
            if let Operation::Delete { head, key, length } = operation
                && (*head, *key) == (at, of)
            {
                *length = found;
            }
        }
        true
    }
}

/// Frees what does not survive a start, a bounded number of pages at a time so that the log can be offloaded in between.
fn free_nonpersistent(
    log: &mut LogManager,
    store: &mut PageStore,
    page_set: PageSetId,
) -> Result<(), CoreError> {
    loop {
        engine_recovery::make_room(log, 1 << 18)?;
        if store.free_nonpersistent(log, page_set)? == 0 {
            return Ok(());
        }
    }
}

fn bsds_is_there(storage: &SharedStorage, dir: &Path) -> Result<bool, CoreError> {
    for name in ["BSDS01", "BSDS02"] {
        let path = dir.join(name);
        if storage.exists(&path).map_err(|source| CoreError::Io {
            what: "LOOK FOR",
            path: path.clone(),
            source,
        })? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// `CSQR001I RESTART` becomes `CSQR001I QM1 RESTART`, as consoles show it.
pub(super) fn name_behind_id(line: &str, name: &str) -> String {
    match line.split_once(' ') {
        Some((id, rest)) if !rest.starts_with(&format!("{name} ")) => format!("{id} {name} {rest}"),
        _ => line.to_owned(),
    }
}
