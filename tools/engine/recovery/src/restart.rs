//! Restart: current status rebuild, forward log recovery, backward log recovery.
//!
//! The forward pass starts at the lowest of the page sets' recovery RBAs and the last complete checkpoint, so a page set restored from an
//! older copy is brought forward by the very same pass ("media recovery"): pages know the RBA of their last change, and the one
//! redo function skips what they already hold. Units are followed from the checkpoint on. Then, from the units' own chains: units in
//! commit go forward (their deletions are completed), units in flight or in backout go backward, units in doubt stay.
//!
//! The log is read by the line of its history. After a cut the forward pass so ends at the cut: units in flight there are backed out
//! in the new history, with records that link back across the cut; units in doubt there stay in doubt; and analysis starts from a
//! checkpoint that was complete before it, for the cut forgets the later ones.

use std::collections::BTreeMap;

use engine_log::{LogError, LogManager, LogReader, OffloadStep};
use engine_page_store::{PageError, PageStore, RecordAddress, UnitLink};
use format_log::{Body, RecordHeader};
use format_types::{PageAddress, PageSetId, Rba, RbaRange, UnitState, Urid};

use crate::checkpoint::or_offline;
use crate::{Action, RecoveryError, Unit, UnitTable};

/// What a restart is asked for.
#[derive(Debug, Clone, Default)]
pub struct RestartOptions {
    /// Start the forward pass here even when page sets and checkpoint would allow later; none: as they say. No unit that is open at the
    /// end of the log, and no change that a page set lacks, is older: a recovery point's recorded system recovery RBA.
    pub read_from: Option<Rba>,
}

/// Phases of a restart, in order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RestartPhase {
    /// Reading the log forward, applying changes.
    Forward,
    /// Backing out units in flight, completing units in commit.
    Backward,
}

/// How far a restart is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RestartProgress {
    /// The phase.
    pub phase: RestartPhase,
    /// Where the forward pass started.
    pub from: Rba,
    /// Where it is.
    pub at: Rba,
    /// Where it ends.
    pub to: Rba,
}

/// What a restart did.
#[derive(Debug)]
pub struct RestartOutcome {
    /// BEGIN of the checkpoint that analysis started from; none when there was none.
    pub prior_checkpoint: Option<Rba>,
    /// Log read by the forward pass.
    pub forward: RbaRange,
    /// Log records in it.
    pub records: u64,
    /// Units of recovery found: in commit, in doubt, in flight, in backout.
    pub found: BTreeMap<UnitState, usize>,
    /// Units that are still active: those in doubt, and those whose end needs a page set that went offline meanwhile.
    pub units: UnitTable,
    /// Console messages of the phases.
    pub messages: Vec<String>,
}

/// Brings the open page sets of `store` to agree with `log`.
///
/// `log` is open and healed, all page sets are open in `store`; `reader` reads the same log from disk. Memory is bounded by the buffer
/// pool, the read-ahead and the active units.
///
/// # Errors
/// When log is missing or damaged, or pages cannot be read or written.
pub fn restart(
    log: &mut LogManager,
    store: &mut PageStore,
    reader: &mut LogReader,
    options: &RestartOptions,
    progress: &mut dyn FnMut(RestartProgress),
) -> Result<RestartOutcome, RecoveryError> {
    let mut messages = Vec::new();
    let end = log.end();
    let checkpoint = log.bsds().checkpoints.last().map(|entry| entry.begin);
    let log_start = log.bsds().line().start();
    let lowest_page_set = store.online_page_sets().into_iter().map(|id| (store.recovery_rba(id), id)).min();
    // Without a checkpoint all units since the given start, or since the log began, are followed. A recovery point's system recovery RBA
    // is below every unit that was open when it was recorded: behind an older checkpoint it serves as well, and the log before it may
    // be gone.
    let units_from = checkpoint.max(options.read_from).unwrap_or(log_start);
    let mut from = units_from;
    if let Some((rba, _)) = lowest_page_set {
        from = from.min(rba);
    }
    if let Some(rba) = options.read_from {
        from = from.min(rba);
    }
    from = from.max(log_start).min(end);
    messages.push(format!(
        "CSQR003I RESTART - PRIOR CHECKPOINT RBA={}",
        checkpoint.map_or_else(|| "NONE".to_owned(), |rba| rba.to_string())
    ));

    let mut pass = ForwardPass { units: UnitTable::new(), records: 0 };
    messages.push(format!("CSQR030I Forward recovery log range from RBA={from} to RBA={end}"));
    pass.run(
        log,
        store,
        reader,
        RbaRange::new(from, end),
        units_from,
        lowest_page_set.map(|(_, id)| id),
        progress,
    )?;
    let found: BTreeMap<UnitState, usize> =
        [UnitState::InCommit, UnitState::InDoubt, UnitState::InFlight, UnitState::InBackout]
            .into_iter()
            .map(|state| (state, pass.units.count(state)))
            .collect();
    let count = |state| found.get(&state).copied().unwrap_or_default();
    messages.push(format!(
        "CSQR004I RESTART - UR COUNTS - IN COMMIT={}, INDOUBT={}, INFLIGHT={}, IN BACKOUT={}",
        count(UnitState::InCommit),
        count(UnitState::InDoubt),
        count(UnitState::InFlight),
        count(UnitState::InBackout),
    ));

    progress(RestartProgress { phase: RestartPhase::Backward, from, at: end, to: end });
    let mut units = pass.units;
    for urid in units.in_state(UnitState::InCommit) {
        if let Some(mut unit) = units.remove(urid) {
            let done = complete(log, store, reader, &mut unit);
            keep_for_later(&mut units, unit, done, &mut messages)?;
        }
    }
    messages.push(format!(
        "CSQR005I COUNTS AFTER FORWARD RECOVERY - IN COMMIT={}, INDOUBT={}",
        units.count(UnitState::InCommit),
        count(UnitState::InDoubt)
    ));
    let mut backward: Vec<Urid> = units.in_state(UnitState::InFlight);
    backward.extend(units.in_state(UnitState::InBackout));
    backward.sort_unstable();
    if let Some(oldest) = backward.first() {
        messages.push(format!("CSQR032I Backward recovery log range from RBA={end} to RBA={oldest}"));
    }
    for urid in backward.into_iter().rev() {
        if let Some(mut unit) = units.remove(urid) {
            unit.state = UnitState::InBackout;
            let done = back_out(log, store, reader, &mut unit);
            keep_for_later(&mut units, unit, done, &mut messages)?;
        }
    }
    messages.push(format!(
        "CSQR006I COUNTS AFTER BACKWARD RECOVERY - INFLIGHT=0, IN BACKOUT={}",
        units.count(UnitState::InBackout)
    ));
    log.sync_now()?;
    reader.renew(log.bsds());
    for unit in units.iter_mut() {
        let history = history_of(reader, unit.link)?;
        unit.actions = history.actions;
        unit.xid = history.xid;
    }
    Ok(RestartOutcome {
        prior_checkpoint: checkpoint,
        forward: RbaRange::new(from, end),
        records: pass.records,
        found,
        units,
        messages,
    })
}

struct ForwardPass {
    units: UnitTable,
    records: u64,
}

impl ForwardPass {
    #[expect(clippy::too_many_arguments, reason = "one call, in this module")]
    fn run(
        &mut self,
        log: &mut LogManager,
        store: &mut PageStore,
        reader: &LogReader,
        range: RbaRange,
        units_from: Rba,
        lowest: Option<PageSetId>,
        progress: &mut dyn FnMut(RestartProgress),
    ) -> Result<(), RecoveryError> {
        if range.is_empty() {
            return or_offline(store.finish_redo(log));
        }
        let mut stream = reader.stream(range.start, range.end)?;
        let mut reported = range.start;
        let mut tell = |at| {
            progress(RestartProgress { phase: RestartPhase::Forward, from: range.start, at, to: range.end });
        };
        tell(range.start);
        loop {
            let position = stream.position();
            let next = stream.next().map_err(|error| match (lowest, &error) {
                // Below where units are followed, page sets alone need the log.
                (Some(page_set), LogError::Damage { .. } | LogError::NotInInventory { .. })
                    if position < units_from =>
                {
                    RecoveryError::LogNotAvailable { page_set, needed: range.start, why: error.to_string() }
                }
                _ => error.into(),
            });
            let Some((at, record)) = next? else { break };
            self.records += 1;
            if at.start.since(reported) >= 8 << 20 {
                reported = at.start;
                tell(at.start);
            }
            if at.start >= units_from {
                follow(&mut self.units, at, &record.header, &record.body);
            }
            or_offline(store.redo(log, at, &record))?;
        }
        tell(range.end);
        or_offline(store.finish_redo(log))
    }
}

/// Follows the units of recovery through one record.
pub(crate) fn follow(table: &mut UnitTable, at: RbaRange, header: &RecordHeader, body: &Body<'_>) {
    if let Body::CheckpointUnits { units } = body {
        for unit in units {
            // Written in one stretch with BEGIN CHECKPOINT: what the records before it said of a unit is not newer.
            if table.get(unit.urid).is_none() {
                table.insert(Unit {
                    link: UnitLink { urid: unit.urid, last: unit.last },
                    state: unit.state,
                    connection: unit.connection.clone(),
                    actions: Vec::new(),
                    undo_next: unit.undo_next,
                    xid: Vec::new(),
                });
            }
        }
        return;
    }
    let urid = header.urid;
    if !urid.is_some() {
        return;
    }
    match body {
        Body::EndUr | Body::EndAbort | Body::BeginPhase2 { complete: true, .. } => {
            table.remove(urid);
            return;
        }
        _ => {}
    }
    if table.get(urid).is_none() {
        table.insert(Unit {
            link: UnitLink { urid, last: at.start },
            state: UnitState::InFlight,
            connection: String::new(),
            actions: Vec::new(),
            undo_next: Rba::ZERO,
            xid: Vec::new(),
        });
    }
    let Some(unit) = table.get_mut(urid) else { return };
    unit.link.last = at.start;
    match body {
        Body::BeginUr { connection, .. } => unit.connection = (*connection).to_owned(),
        Body::Prepare { .. } => unit.state = UnitState::InDoubt,
        Body::BeginPhase2 { .. } => unit.state = UnitState::InCommit,
        Body::BeginAbort => unit.state = UnitState::InBackout,
        Body::Compensate { undo_next, .. } => {
            unit.state = UnitState::InBackout;
            unit.undo_next = *undo_next;
        }
        _ => {}
    }
}

/// What a unit's chain of records says of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UnitHistory {
    /// What it did that is not undone, oldest first.
    pub actions: Vec<Action>,
    /// The coordinator's name of it; empty when it was not prepared.
    pub xid: Vec<u8>,
}

/// Reads a unit's chain backward. All of it must be on disk, and `reader` must know the data sets that it is in.
///
/// # Errors
/// When log of the chain is missing or damaged.
pub fn history_of(reader: &mut LogReader, unit: UnitLink) -> Result<UnitHistory, RecoveryError> {
    let mut found = UnitHistory::default();
    walk(reader, unit.urid, unit.last, |at, link, body| {
        match body {
            Body::Insert { at: page, slot, .. } => {
                found.actions.push(Action::Inserted { at: record_address(*page, *slot), rba: at });
            }
            Body::DeleteIntent { at: page, slot, key } => {
                found.actions.push(Action::Intent { head: record_address(*page, *slot), key: *key });
            }
            Body::Prepare { xid } => found.xid = xid.to_vec(),
            Body::Compensate { undo_next, .. } => return *undo_next,
            _ => {}
        }
        link
    })?;
    found.actions.reverse();
    Ok(found)
}

/// Follows a unit's chain from `from` back to its first record. `visit` is given each record's RBA, link and body, and says where to go
/// on: at the link, or where a compensation points.
fn walk(
    reader: &mut LogReader,
    urid: Urid,
    from: Rba,
    mut visit: impl FnMut(Rba, Rba, &Body<'_>) -> Rba,
) -> Result<(), RecoveryError> {
    let mut at = from;
    loop {
        let owned = reader.record_at(at)?;
        let record = owned.record()?;
        let header = record.header;
        if header.urid != urid {
            return Err(RecoveryError::BrokenChain { urid, rba: at, why: "belongs to another unit" });
        }
        let next = visit(at, header.link, &record.body);
        if at == urid.0 {
            return Ok(());
        }
        if next >= at || next < urid.0 {
            return Err(RecoveryError::BrokenChain {
                urid,
                rba: at,
                why: "does not lead back to the unit's first record",
            });
        }
        at = next;
    }
}

fn record_address(page: PageAddress, slot: u16) -> RecordAddress {
    RecordAddress { page_set: page.page_set, page: page.page, slot }
}

/// Keeps a unit whose end needs a page set that has gone offline, or more log than there is: it is carried out later, or by the next
/// restart.
fn keep_for_later(
    units: &mut UnitTable,
    unit: Unit,
    done: Result<(), RecoveryError>,
    messages: &mut Vec<String>,
) -> Result<(), RecoveryError> {
    let what = match done {
        Err(RecoveryError::Page(PageError::Offline { page_set, .. })) => {
            format!(
                "PAGE SET {page_set}, WHICH IS OFFLINE: repair it, then START PSID({page_set}) or restart"
            )
        }
        Err(RecoveryError::NoLogSpace(why)) => format!("THE LOG, WHICH IS FULL: {why}"),
        done => return done,
    };
    messages.push(format!("HWT438W UNIT OF RECOVERY {} WAITS FOR {what}", unit.link.urid));
    units.insert(unit);
    Ok(())
}

/// Completes a unit in commit: its remaining deletions, then END UR.
fn complete(
    log: &mut LogManager,
    store: &mut PageStore,
    reader: &mut LogReader,
    unit: &mut Unit,
) -> Result<(), RecoveryError> {
    reader.renew(log.bsds());
    for action in history_of(reader, unit.link)?.actions {
        if let Action::Intent { head, key } = action {
            make_room(log, DELETION_LOG_BYTES)?;
            store.delete_chain(log, &mut unit.link, head, key)?;
        }
    }
    log.append(unit.link.urid, unit.link.last, &Body::EndUr)?;
    Ok(())
}

/// Backs out a unit: compensates its inserts, newest first, then END ABORT. What an earlier, interrupted backing out has
/// compensated is skipped: a compensation points to what was still to be undone behind it.
fn back_out(
    log: &mut LogManager,
    store: &mut PageStore,
    reader: &mut LogReader,
    unit: &mut Unit,
) -> Result<(), RecoveryError> {
    reader.renew(log.bsds());
    let mut to_undo: Vec<(RecordAddress, Rba)> = Vec::new();
    walk(reader, unit.link.urid, unit.link.last, |_, link, body| match body {
        Body::Insert { at, slot, .. } => {
            to_undo.push((record_address(*at, *slot), link));
            link
        }
        Body::Compensate { undo_next, .. } => *undo_next,
        _ => link,
    })?;
    for (at, undo_next) in to_undo {
        make_room(log, UNDO_LOG_BYTES)?;
        store.compensate(log, &mut unit.link, at, undo_next)?;
    }
    log.append(unit.link.urid, unit.link.last, &Body::EndAbort)?;
    Ok(())
}

/// Log that the undoing of one insert may need: page images of a data page and a space map page, and small records.
const UNDO_LOG_BYTES: u64 = 1 << 16;

/// Log that the deletion of the largest message may need: a page image for each of its fragments.
const DELETION_LOG_BYTES: u64 = 6 << 20;

/// Offloads that may fail in a row before a restart does without them.
const OFFLOADS_TRIED: u32 = 3;

/// Offloads full active logs here and now while the log has less than `bytes` left: for a restart, when nobody else does. Where the log
/// is too small for that, as much as it can have.
///
/// # Errors
/// [`RecoveryError::NoLogSpace`] when nothing can be offloaded, or offloads fail.
pub fn make_room(log: &mut LogManager, bytes: u64) -> Result<(), RecoveryError> {
    let wanted = bytes.min(log.capacity() / 5 * 2);
    while log.space_left() < wanted {
        let gave_up = log.offload_failures() >= OFFLOADS_TRIED;
        let Some(mut job) = (if gave_up { None } else { log.next_offload() }) else {
            return Err(RecoveryError::NoLogSpace(if gave_up {
                format!("{OFFLOADS_TRIED} offloads failed in a row; the messages before say why")
            } else {
                "no full data set is waiting to be offloaded".to_owned()
            }));
        };
        let outcome = loop {
            if let OffloadStep::Done(outcome) = job.step() {
                break outcome;
            }
        };
        log.finish_offload(outcome)?;
    }
    Ok(())
}
