//! New log histories: where the log goes on after a cut.
//!
//! A history begins when a recovery keeps less than the whole log. What it leaves behind, the *abandoned tail*, is archived first
//! and stays in the inventory under its own history, for whoever wants to look at it; the line of the new history does not hold it.
//!
//! Order of writes of [`cut`]: the log is opened and healed as by any start; the data set being written is ended and every full one
//! offloaded, each step an ordinary operation of the log, so that a stop anywhere in between leaves a log that any start takes up;
//! then one update of the BSDS, and nothing else, begins the history: it names the history with its parent and cut, sets an active
//! data set to take its first record, drops the checkpoints behind the cut, and notes a conditional restart. Before that update the
//! old state holds, after it the new one.

use std::path::Path;

use engine_storage::SharedStorage;
use format_bsds::{ActiveLog, ActiveStatus, Bsds, ConditionalRestart};
use format_log::MAX_RECORD_LENGTH;
use format_log::ci::CI_DATA;
use format_types::{HistoryId, LogHistory, Rba, RbaRange, Timestamp};

use crate::bsds_files::{BsdsFiles, read_pair};
use crate::chunks::{Chunks, Need};
use crate::data_sets::{CI, DataSets};
use crate::new_history::write_copies_beside_newest_archives;
use crate::{LogError, LogManager, LogReader, OffloadStep, messages, missing};

/// Offloads that may fail in a row before a cut gives up.
const OFFLOADS_TRIED: u32 = 3;

/// What a cut did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cut {
    /// The history that begins.
    pub history: LogHistory,
    /// The abandoned tail: from the cut to the end that the log had. Empty when the cut is that end.
    pub abandoned: RbaRange,
    /// Console messages.
    pub messages: Vec<String>,
}

/// Begins a new history in `bsds`: its parent is the history on the current line whose records lie below `cut`, its first RBA the cut
/// rounded up to a control interval. `random` is 64 random bits. Afterwards
/// - every active data set may be written anew, but one of each copy, which is to take the first record of the new history;
/// - nothing that names log behind the cut is believed: checkpoints, the clean stop, the highest RBAs;
/// - a conditional restart is noted, and used up by the next restart that completes;
/// - archives, recovery points and holds stay as they are: what is behind the cut is of a history that is not on the line any more.
///
/// Only `bsds` changes; the caller writes it, durably, in one update. Whatever the active data sets hold is given up by that: who wants
/// to keep it has it archived before.
///
/// # Errors
/// When no active data set of both copies can be written, or `cut` is behind every history.
pub fn begin_history(bsds: &mut Bsds, cut: Rba, random: u64, now: Timestamp) -> Result<LogHistory, LogError> {
    let (parent, cut) =
        bsds.line().branch(cut).ok_or_else(|| LogError::Inventory("it names no log history".to_owned()))?;
    let number = bsds.histories.iter().map(|history| history.id.number).max().unwrap_or(0).saturating_add(1);
    let history =
        LogHistory { id: HistoryId { number, random }, parent: Some((parent, cut)), first: cut.ci_ceiling() };
    let written = bsds.current_active(1).map(|log| log.name.clone());
    let place = next_pair(bsds, written.as_deref()).ok_or(LogError::NoPlaceToBegin)?;
    let lacking: Vec<Option<Rba>> = bsds.active_logs.iter().map(|log| bsds.lacks_from(log)).collect();
    bsds.histories.push(history.clone());
    let line = bsds.line();

    let instance =
        (1..=2).filter_map(|copy| Some(bsds.actives(copy).nth(place)?.instance)).max().unwrap_or(0) + 1;
    let stopped = bsds.copy_stopped.map(|stopped| stopped.is_some());
    let mut seen = [0; 2];
    for (log, lacks) in bsds.active_logs.iter_mut().zip(lacking) {
        let copy = usize::from(log.copy == 2);
        let index = seen[copy];
        seen[copy] += 1;
        if index == place {
            log.range = Some(RbaRange::new(history.first, history.first.plus(log.size)));
            log.status = ActiveStatus { incomplete: stopped[copy], ..ActiveStatus::default() };
            log.instance = instance;
            log.history = history.id;
        } else if log.status.stopped {
            leave_behind(log, lacks);
        } else {
            log.status.reusable |= !log.status.new;
            // What is off the line is in its archive for whoever asks for that; nobody shall take it for log further on.
            log.range = log.range.filter(|range| line.clip(log.history, *range).is_some());
        }
    }
    for entry in bsds.copy_stopped.iter_mut().filter(|entry| entry.is_some()) {
        *entry = Some(history.first);
    }
    bsds.checkpoints.retain(|checkpoint| checkpoint.end <= cut);
    bsds.clean_stop = None;
    bsds.highest_written = history.first;
    bsds.highest_offloaded = history.first;
    for restart in &mut bsds.conditional_restarts {
        restart.active = false;
    }
    bsds.conditional_restarts.push(ConditionalRestart { at: now, end: cut, active: true });
    bsds.backups_in_progress.clear();
    Ok(history)
}

/// Notes in the range of a data set that stays as it is how far it reaches, when it `lacks` log from an RBA on: where its copy stopped is
/// said of the new history from now on.
fn leave_behind(log: &mut ActiveLog, lacks: Option<Rba>) {
    log.status.incomplete = lacks.is_some();
    if let (Some(range), Some(from)) = (&mut log.range, lacks) {
        range.end = from.ci_start().clamp(range.start, range.end);
    }
}

/// The pair of active data sets that a new history begins in, by its place in the list of each copy: never one that offload could not
/// read; the one being written last of all; else one never used, or the one whose log is oldest.
fn next_pair(bsds: &Bsds, written: Option<&str>) -> Option<usize> {
    bsds.actives(1)
        .enumerate()
        .filter(|(place, _)| !is_stopped(bsds, *place))
        .min_by_key(|(_, log)| {
            (Some(log.name.as_str()) == written, !log.status.new, log.range.map(|range| range.start))
        })
        .map(|(place, _)| place)
}

impl LogReader {
    /// The cut that keeps exactly the records whose RBA is below `target`: the start of the first record at or above it, or the end of
    /// the log, `end`, when there is none. So a record in whose middle `target` lies is kept.
    ///
    /// # Errors
    /// When the log there cannot be read.
    pub fn cut_at(&self, target: Rba, end: Rba) -> Result<Rba, LogError> {
        if target >= end {
            return Ok(end);
        }
        // What was deleted cannot be kept. Where records below the target are wanted that went with it, reading them will say so.
        let history = self.bsds().history_at(target);
        if self.bsds().holes.iter().any(|hole| hole.history == history && hole.range.contains(target)) {
            return Ok(target);
        }
        let first = self.stream(target, end)?.next()?.map(|(range, _)| range.start);
        Ok(first.unwrap_or(end))
    }

    /// Where the log can no longer be read, when reading it forward from `from`, where a record begins, met `damage`: every record that
    /// begins below is whole, and what the first unreadable control interval still has of them is used.
    ///
    /// # Errors
    /// When the log before the damage cannot be read either.
    pub fn whole_below(&self, from: Rba, damage: Rba) -> Result<Rba, LogError> {
        let ci = damage.ci_start();
        let alone = RbaRange::new(ci, ci.plus(CI));
        let broken = self.chunks_again().prepare(ci, Need::Bytes(CI_DATA), alone);
        let broken = broken.err().map_or(alone.end, |unreadable| unreadable.rba);
        // Far enough back to meet the beginning of a record that reaches into the damage.
        let back = broken.minus(2 * MAX_RECORD_LENGTH as u64).ci_start();
        let mut stream = self.stream(from.max(back), broken)?;
        while stream.next()?.is_some() {}
        Ok(stream.position())
    }

    /// The conditional restart that waits to be used, and the history that its cut began: whoever made it was interrupted.
    #[must_use]
    pub fn unfinished_cut(&self) -> Option<(ConditionalRestart, LogHistory)> {
        let restart = self.bsds().conditional_restarts.last().filter(|restart| restart.active)?;
        let history = self.bsds().histories.last()?;
        Some((restart.clone(), history.clone()))
    }
}

/// Whether [`cut`] could begin a history at `cut`: it needs a pair of active data sets that can be written, beside that in which the log
/// ends now. `damaged` says that the log is damaged behind `cut`, where it ends. Touches nothing.
///
/// # Errors
/// When there is no such pair, or `cut` is behind every history.
pub fn check_cut(
    storage: &SharedStorage,
    dir: &Path,
    bsds: &Bsds,
    cut: Rba,
    damaged: bool,
) -> Result<(), LogError> {
    let mut changed = bsds.clone();
    if damaged {
        stop_all(&mut changed);
    } else {
        // The data set being written is ended for good, and the log goes on in another one before it is cut.
        let current = bsds.current_active(1).map(|log| log.name.clone());
        let readable = |log: &ActiveLog| {
            let range = log.range.filter(|_| !log.status.is_available());
            range.is_none_or(|range| {
                missing::find(Chunks::new(DataSets::of(storage, dir, bsds)), range).is_empty()
            })
        };
        let others = bsds.actives(1).zip(0..).filter(|(log, _)| Some(&log.name) != current.as_ref());
        let mut usable = others.filter(|(log, place)| !is_stopped(bsds, *place) && !bsds.is_left_behind(log));
        if !usable.any(|(log, _)| readable(log)) {
            return Err(LogError::NoPlaceToBegin);
        }
    }
    begin_history(&mut changed, cut, 0, Timestamp(0)).map(drop)
}

/// Whether either copy of the pair at `place` of the lists could not be read when it was to be offloaded, or is left behind.
fn is_stopped(bsds: &Bsds, place: usize) -> bool {
    (1..=2).filter_map(|copy| bsds.actives(copy).nth(place)).any(|log| log.status.stopped)
}

/// What is not archived of a log that cannot be written any more stays as it is.
fn stop_all(bsds: &mut Bsds) {
    for log in bsds.active_logs.iter_mut().filter(|log| !log.status.is_available()) {
        log.status.stopped = true;
    }
}

/// Cuts the log of the queue manager in `dir`, which is down: records at or above `cut` are no longer on its line. See the module for
/// the order of writes; interrupted anywhere, it can be done again. The caller holds the queue manager's lock.
///
/// # Errors
/// As [`LogManager::open`], but for damage behind the cut; when the log ends before `cut`, or the abandoned tail cannot be archived.
pub fn cut(
    storage: &SharedStorage,
    dir: &Path,
    cut: Rba,
    random: u64,
    now: Timestamp,
) -> Result<Cut, LogError> {
    let mut log = match LogManager::open(storage, dir, now) {
        Err(LogError::Damage { rba, .. }) if cut <= rba => {
            return cut_damaged(storage, dir, RbaRange::new(cut, rba), random, now);
        }
        opened => opened?,
    };
    let end = log.end();
    if cut > end {
        return Err(LogError::CutBeyondEnd { cut, end });
    }
    log.sync_now()?;
    archive_all(&mut log)?;
    log.switch()?;
    log.sync_now()?;
    archive_all(&mut log)?;
    check_archived(&log)?;
    let history = log.update_bsds(|bsds| {
        let mut changed = bsds.clone();
        begin_history(&mut changed, cut, random, now).inspect(|_| *bsds = changed)
    })??;
    let mut messages = log.take_messages();
    // Of use only when both copies of the BSDS are lost, or archives are carried elsewhere, before the next offload: its failure stops
    // nothing.
    let beside = write_copies_beside_newest_archives(storage, dir, &mut log.bsds().clone());
    messages.extend(beside.err().map(|error| messages::bsds_copy_not_written(&error)));
    Ok(Cut { abandoned: RbaRange::new(cut, end), history, messages })
}

/// The cut of a log that is damaged behind it, so that nobody can write it any more. What is not archived cannot be archived either, and
/// stays where it is: those data sets are never written again, and what they hold below the cut is read from them.
fn cut_damaged(
    storage: &SharedStorage,
    dir: &Path,
    abandoned: RbaRange,
    random: u64,
    now: Timestamp,
) -> Result<Cut, LogError> {
    let pair = read_pair(storage, dir)?;
    let mut bsds = pair.bsds.clone();
    let mut messages = Vec::new();
    let mut changed = bsds.clone();
    stop_all(&mut changed);
    // Refused before anything is repaired.
    begin_history(&mut changed, abandoned.start, random, now)?;
    let mut files = BsdsFiles::open(storage, dir, &pair.faults, &mut bsds, &mut messages)?;
    changed.sequence = bsds.sequence + 1;
    files.write(&changed, &mut messages)?;
    let beside = write_copies_beside_newest_archives(storage, dir, &mut changed.clone());
    messages.extend(beside.err().map(|error| messages::bsds_copy_not_written(&error)));
    let history = changed.histories.last().cloned();
    let history = history.ok_or_else(|| LogError::Inventory("it names no log history".to_owned()))?;
    Ok(Cut { history, abandoned, messages })
}

/// Refuses to go on while a full data set is neither archived nor one that cannot be read: its log would be given up.
fn check_archived(log: &LogManager) -> Result<(), LogError> {
    let current = log.bsds().current_active(1).map(|current| current.name.clone());
    let others = log.bsds().actives(1).filter(|other| Some(&other.name) != current.as_ref());
    for other in others.filter(|other| !other.status.is_available() && !other.status.stopped) {
        if let Some(range) = other.range {
            let why = format!("{} is not offloaded yet", other.name);
            return Err(LogError::TailNotArchived { range, why });
        }
    }
    Ok(())
}

/// Offloads every full data set. One that cannot be read stays as it is, never written again: it is its own archive.
fn archive_all(log: &mut LogManager) -> Result<(), LogError> {
    let mut failed = 0;
    while let Some(mut job) = log.next_offload() {
        let outcome = loop {
            if let OffloadStep::Done(outcome) = job.step() {
                break outcome;
            }
        };
        let (range, done) = (outcome.range(), outcome.is_success());
        log.finish_offload(outcome)?;
        failed = if done { 0 } else { failed + 1 };
        if failed >= OFFLOADS_TRIED {
            let why = log
                .take_messages()
                .into_iter()
                .rev()
                .find(|line| line.starts_with("HWT") || line.contains("OFFLOAD"));
            return Err(LogError::TailNotArchived { range, why: why.unwrap_or_default() });
        }
    }
    Ok(())
}
