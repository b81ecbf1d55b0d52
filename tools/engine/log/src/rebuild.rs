//! A BSDS made from what the log says of itself, when both copies are lost.
//!
//! The newest copy of the BSDS beside an archive is the base, where there is one: it has the settings, the histories, the recovery points.
//! It is brought up to date: archives written since are named, each active log gets the range that its control intervals state, and
//! the log is read for checkpoints. Without a base all of that comes from the log, and the settings that nothing states are
//! defaults.
//!
//! What only the lost BSDS knew is never guessed: where one copy of the log stopped being written. So an active log that is missing stands
//! against it, for nobody can tell whether it held what is nowhere else; and so do files that contradict each other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use engine_storage::SharedStorage;
use format_bsds::{ActiveLog, ActiveStatus, Bsds, PageSetEntry, Settings};
use format_types::{
    HistoryId, LogHistory, Lrsn, PageSetId, QueueManagerId, QueueManagerName, Rba, RbaRange, Timestamp,
};

use crate::agreement::refuse_contradictions;
use crate::bsds_files::{BsdsFiles, read_pair};
use crate::new_history::SEQUENCE_GAP;
use crate::rebuild_gaps::{self, LogGap};
use crate::rebuild_records::Recorded;
use crate::survey::{LogContent, LogFile, LogFileKind, LogSurvey, UnusableFile};
use crate::{BSDS_NAMES, LogError, active_name};

/// Records between checkpoints, where nothing says otherwise.
const LOG_LOAD: u32 = 500_000;

/// Pages of the buffer pool, where nothing says otherwise: 64 MiB.
const BUFFER_POOL_PAGES: u32 = 16_384;

/// What a page set says that a BSDS has to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageSetWitness {
    /// The page set as it was defined.
    pub entry: PageSetEntry,
    /// Its queue manager.
    pub queue_manager: QueueManagerId,
    /// Its queue manager's name.
    pub name: QueueManagerName,
    /// The history of its log.
    pub history: HistoryId,
    /// Log that was durable when it was stamped last.
    pub highest_synced: Rba,
    /// Its recovery RBA: log from here on is needed to bring it forward.
    pub recovery_rba: Rba,
}

/// A BSDS that was made anew, not written yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RebuiltBsds {
    /// The inventory.
    pub bsds: Bsds,
    /// The copy that it was made from.
    pub base: Option<String>,
    /// The end of the log.
    pub log_end: Rba,
    /// Active logs that are not there, or not as they were, each with what is known of it: it may have held log that is nowhere else. Empty
    /// when nothing can be lost.
    pub missing: Vec<String>,
    /// Files that are here and of no use.
    pub unusable: Vec<UnusableFile>,
    /// Log that is needed and in no file here.
    pub gaps: Vec<LogGap>,
    /// What people should know: what was derived, and what is a default.
    pub notes: Vec<String>,
}

/// Makes a BSDS for the queue manager in `dir` from `survey` of its files and its page sets. Writes nothing.
///
/// # Errors
/// Files of another queue manager, files that contradict each other, log whose history nothing describes, no log at all, or damage where
/// the log ends.
pub fn rebuild_bsds(
    storage: &SharedStorage,
    dir: &Path,
    survey: &LogSurvey,
    page_sets: &[PageSetWitness],
    now: Timestamp,
) -> Result<RebuiltBsds, LogError> {
    refuse_foreign(survey, page_sets)?;
    let newest = survey.inventories.newest(None)?;
    let base_name = newest.map(|(name, _)| name.to_owned());
    let base = newest.map(|(_, bsds)| bsds);
    let mut notes = Vec::new();
    let mut bsds = match base {
        Some(base) => base.clone(),
        None => without_base(survey, page_sets, now, &mut notes)?,
    };
    survey.add_archives(&mut bsds, now)?;
    refuse_contradictions(storage, dir, survey)?;
    let missing = place_active_logs(&mut bsds, survey)?;
    let current =
        bsds.current_active(1).and_then(|log| log.range).unwrap_or(RbaRange::new(Rba::ZERO, Rba::ZERO));
    let history = bsds.history();
    let seen = page_sets.iter().filter(|set| set.history == history).map(|set| set.highest_synced).max();
    // The base is older than the log: what it says was written is still true.
    bsds.highest_written = bsds.highest_written.max(current.start).max(seen.unwrap_or(Rba::ZERO));
    let offloaded = bsds.archives.iter().filter(|log| log.history == history).map(|log| log.range.end).max();
    bsds.highest_offloaded = offloaded.unwrap_or(Rba::ZERO).min(current.start);
    bsds.clean_stop = None;
    bsds.backups_in_progress.clear();
    let recorded = Recorded::read(storage, dir, &bsds).map_err(|error| {
        if missing.is_empty() { error } else { LogError::Missing(format!("{}; {error}", missing.join(", "))) }
    })?;
    let begun = bsds.histories.last().map_or(Rba::ZERO, |entry| entry.first);
    if recorded.checkpoints.iter().any(|checkpoint| checkpoint.begin >= begun) {
        // A restart has completed since the cut.
        bsds.conditional_restarts.iter_mut().for_each(|restart| restart.active = false);
    }
    bsds.sequence = bsds.sequence.max(recorded.sequence).saturating_add(SEQUENCE_GAP);
    bsds.checkpoints.retain(|entry| recorded.checkpoints.iter().all(|found| found.begin != entry.begin));
    for checkpoint in &recorded.checkpoints {
        bsds.add_checkpoint(*checkpoint);
    }
    bsds.checkpoints.sort_by_key(|entry| entry.begin);
    bsds.page_sets = defined_page_sets(&bsds, page_sets, recorded.page_sets.as_deref(), &mut notes);
    if base.is_some() {
        let archived = bsds.recovery_points.len();
        notes.push(format!(
            "{archived} recovery points are known; any made since that copy of the BSDS is not"
        ));
    } else {
        notes.push(
            "recovery points made before are not known; recover takes their directories all the same"
                .to_owned(),
        );
    }
    let gaps = rebuild_gaps::find(&bsds, survey, page_sets, &recorded);
    let unusable = survey.unusable.clone();
    Ok(RebuiltBsds { bsds, base: base_name, log_end: recorded.end, missing, unusable, gaps, notes })
}

/// Writes both copies of the BSDS in `dir`, durably: copy 1, then copy 2. What is there and cannot be read is kept beside, as
/// `BSDS01.damaged`. The caller holds the queue manager's lock.
///
/// # Errors
/// When a good copy is there, or storage refuses.
pub fn write_rebuilt_bsds(storage: &SharedStorage, dir: &Path, bsds: &Bsds) -> Result<(), LogError> {
    refuse_good_bsds(storage, dir)?;
    for name in BSDS_NAMES {
        let path = dir.join(name);
        let aside = dir.join(format!("{name}.damaged"));
        let exists =
            |path: &Path| storage.exists(path).map_err(|error| LogError::at("look for", path, error));
        // The first one that was set aside is the one that people may want to look at.
        if exists(&path)? && !exists(&aside)? {
            storage.rename(&path, &aside).map_err(|error| LogError::at("set aside", &path, error))?;
        }
    }
    storage.sync_dir(dir).map_err(|error| LogError::at("sync directory", dir, error))?;
    BsdsFiles::create(storage, dir, bsds)
}

/// Refuses a directory in which a copy of the BSDS can be used, or was written by a newer program.
///
/// # Errors
/// When there is one.
pub fn refuse_good_bsds(storage: &SharedStorage, dir: &Path) -> Result<(), LogError> {
    match read_pair(storage, dir) {
        Ok(pair) => Err(LogError::GoodBsds { sequence: pair.bsds.sequence }),
        Err(LogError::Bsds { .. }) => Ok(()),
        Err(error) => Err(error),
    }
}

fn refuse_foreign(survey: &LogSurvey, page_sets: &[PageSetWitness]) -> Result<(), LogError> {
    let of_logs = survey
        .files
        .iter()
        .filter_map(|file| Some((file.name.clone(), file.content?.identity.queue_manager)));
    let of_inventories = survey.inventories.owners().map(|(name, owner)| (name.to_owned(), owner));
    let of_sets = page_sets.iter().map(|set| (format!("page set {}", set.entry.page_set), set.queue_manager));
    let all: Vec<(String, QueueManagerId)> = of_sets.chain(of_logs).chain(of_inventories).collect();
    // Whose directory it is, most files say.
    let mut count: BTreeMap<QueueManagerId, usize> = BTreeMap::new();
    for (_, id) in &all {
        *count.entry(*id).or_default() += 1;
    }
    let Some((owner, _)) = count.iter().max_by_key(|(_, count)| **count) else { return Ok(()) };
    match all.iter().find(|(_, id)| id != owner) {
        Some((name, id)) => Err(LogError::Ambiguous(format!(
            "{name} belongs to queue manager {id}, most others here to {owner}"
        ))),
        None => Ok(()),
    }
}

/// What can be said where no copy of the BSDS is.
fn without_base(
    survey: &LogSurvey,
    page_sets: &[PageSetWitness],
    now: Timestamp,
    notes: &mut Vec<String>,
) -> Result<Bsds, LogError> {
    let contents = || survey.files.iter().filter_map(|file| Some((&file.name, file.content?)));
    let Some((_, first)) = contents().min_by_key(|(_, content)| content.identity.history.number) else {
        return Err(LogError::NoLog);
    };
    let Some(witness) = page_sets.first() else {
        return Err(LogError::Inventory(
            "there is no copy of it beside an archive and no page set, so nothing says the queue manager's name"
                .to_owned(),
        ));
    };
    let history = first.identity.history;
    if let Some((name, other)) = contents().find(|(_, content)| content.identity.history != history) {
        return Err(LogError::UnknownHistory { name: name.clone(), history: other.identity.history });
    }
    let lowest = contents().map(|(_, content)| content.start).min().unwrap_or(Rba::ZERO);
    let root = if history.number == 1 { Rba::ZERO } else { lowest };
    let dual = |kind: LogFileKind| survey.files.iter().any(|file| file.kind == kind && file.copy == 2);
    let actives = || survey.files.iter().filter(|file| file.kind == LogFileKind::Active);
    let size = actives().map(|file| file.length).max().unwrap_or(0);
    let created = contents().map(|(_, content)| content.start_lrsn).min().map_or(now, Lrsn::timestamp);
    let settings = Settings {
        dual_active: dual(LogFileKind::Active),
        dual_archive: dual(LogFileKind::Archive),
        log_data_set_size: size,
        log_load: LOG_LOAD,
        buffer_pool_pages: BUFFER_POOL_PAGES,
    };
    notes.push(format!(
        "no copy of the BSDS is beside an archive: LOGLOAD is {LOG_LOAD} and the buffer pool {BUFFER_POOL_PAGES} pages, the defaults; {} \
         active and {} archive logs of each copy, as the files' names say",
        if settings.dual_active { "dual" } else { "single" },
        if settings.dual_archive { "dual" } else { "single" },
    ));
    if history.number > 1 {
        notes
            .push(format!("what log history {history} was cut from is not known: its line begins at {root}"));
    }
    Ok(Bsds {
        sequence: 1,
        queue_manager: first.identity.queue_manager,
        name: witness.name.clone(),
        created,
        settings,
        histories: vec![LogHistory { id: history, parent: None, first: root }],
        active_logs: Vec::new(),
        copy_stopped: [None, None],
        archives: Vec::new(),
        next_archive: 1,
        highest_written: Rba::ZERO,
        highest_offloaded: Rba::ZERO,
        checkpoints: Vec::new(),
        clean_stop: None,
        conditional_restarts: Vec::new(),
        backups_in_progress: Vec::new(),
        recovery_points: Vec::new(),
        holds: Vec::new(),
        page_sets: Vec::new(),
        holes: Vec::new(),
    })
}

/// An active log and its other copy.
struct Pair {
    number: u32,
    size: u64,
    /// What each copy holds, of the newest instance that either has.
    copies: [Option<LogContent>; 2],
    /// The newest of the two.
    newest: Option<LogContent>,
}

/// Gives every active log its range and status; names the files that are missing.
fn place_active_logs(bsds: &mut Bsds, survey: &LogSurvey) -> Result<Vec<String>, LogError> {
    let (pairs, mut missing) = pairs(bsds, survey);
    if let Some((name, history)) = unknown_history(bsds, &pairs) {
        return Err(LogError::UnknownHistory { name, history });
    }
    let (history, line) = (bsds.history(), bsds.line());
    let starts = |of: HistoryId| {
        let active = pairs.iter().filter_map(|pair| pair.newest).filter(move |c| c.identity.history == of);
        let archived = bsds.archives.iter().filter(move |log| log.history == of);
        active
            .map(|content| content.start)
            .chain(archived.map(|log| log.range.start))
            .collect::<BTreeSet<Rba>>()
    };
    let last = pairs
        .iter()
        .filter(|pair| pair.newest.is_some_and(|content| content.identity.history == history))
        .max_by_key(|pair| pair.newest.map(|content| content.start));
    let Some((last, content)) = last.and_then(|pair| Some((pair.number, pair.newest?))) else {
        return Err(LogError::NoLog);
    };
    let beyond = starts(history).into_iter().next_back().filter(|start| *start > content.start);
    // An archive of it, or behind it: what came next was begun, durably, before that was written.
    let ended = beyond.is_some() || is_archived(bsds, survey, history, content.range());
    if ended && missing.is_empty() {
        missing.push(format!("the active log that came behind {} is not known", active_name(1, last)));
    }
    let mut placed = Vec::new();
    let mut stopped = [None::<Rba>; 2];
    for pair in &pairs {
        let Some(newest) = pair.newest else {
            placed.push((pair, None, ActiveStatus { new: true, ..ActiveStatus::default() }, [false; 2]));
            continue;
        };
        let of = newest.identity.history;
        let full = newest.start.plus(pair.size);
        let current = pair.number == last && !ended;
        let next = starts(of).into_iter().find(|start| *start > newest.start);
        let end = if current { full } else { next.unwrap_or(newest.end).min(full) };
        let range = RbaRange::new(newest.start, end.max(newest.start.plus(1).ci_ceiling()));
        let archived = is_archived(bsds, survey, of, range);
        let on_the_line = line.reach(of).is_some_and(|reach| range.start < reach);
        let reusable = !current && (archived || !on_the_line && was_given_up(bsds, pair.number, &newest));
        // Log of an older history that was never archived is its own archive: offload takes the current history's only.
        let kept = of != history && !reusable;
        let expected = if current { newest.end } else { range.end };
        let mut lacks = [false; 2];
        for (copy, (content, lacks)) in pair.copies.iter().zip(&mut lacks).enumerate() {
            let reaches = content.map_or(newest.start, |content| content.end);
            if copy < usize::from(bsds.copies())
                && reaches < expected
                && !reusable
                && pair.copies.iter().flatten().count() > 0
            {
                *lacks = pair.copies.iter().flatten().any(|other| other.end > reaches);
                if *lacks && !kept {
                    let at = stopped[copy].map_or(reaches, |before: Rba| before.min(reaches));
                    stopped[copy] = Some(at);
                }
            }
        }
        let status = ActiveStatus { reusable, stopped: kept, ..ActiveStatus::default() };
        placed.push((pair, Some(range), status, lacks));
    }
    let mut logs = Vec::new();
    for copy in 1..=bsds.copies() {
        let index = usize::from(copy) - 1;
        for (pair, range, status, lacks) in &placed {
            // How far a copy of what a cut left behind reaches is said by its range.
            let reaches = pair.copies[index].map(|content| content.end);
            let short = lacks[index] && status.stopped;
            let part = |range: RbaRange| RbaRange::new(range.start, reaches.unwrap_or(range.start));
            logs.push(ActiveLog {
                copy,
                name: active_name(copy, pair.number),
                size: pair.size,
                range: if short { range.map(part) } else { *range },
                status: ActiveStatus { incomplete: lacks[index], ..*status },
                instance: pair.newest.map_or(0, |content| content.instance),
                history: pair.newest.map_or(history, |content| content.identity.history),
            });
        }
    }
    bsds.active_logs = logs;
    bsds.copy_stopped = stopped;
    if ended {
        begin_next(bsds, content.range().end.max(beyond_end(bsds, history)))?;
    }
    Ok(missing)
}

/// The log went on behind its last data set, in one that is lost.
fn begin_next(bsds: &mut Bsds, at: Rba) -> Result<(), LogError> {
    let available = |log: &&ActiveLog| log.status.is_available();
    let next = bsds
        .actives(1)
        .filter(available)
        .min_by_key(|log| (!log.status.new, log.range.map(|range| range.start)))
        .map(|log| log.name.trim_start_matches("LOGCOPY1").to_owned());
    let Some(next) = next else {
        return Err(LogError::Inventory("no active log can take what comes next".to_owned()));
    };
    let history = bsds.history();
    for log in bsds.active_logs.iter_mut().filter(|log| log.name.ends_with(&next)) {
        log.range = Some(RbaRange::new(at, at.plus(log.size)));
        log.status = ActiveStatus::default();
        log.instance += 1;
        log.history = history;
    }
    Ok(())
}

fn beyond_end(bsds: &Bsds, history: HistoryId) -> Rba {
    bsds.archives
        .iter()
        .filter(|log| log.history == history)
        .map(|log| log.range.end)
        .max()
        .unwrap_or(Rba::ZERO)
}

/// Whether an archive that is there holds all of `range`.
fn is_archived(bsds: &Bsds, survey: &LogSurvey, history: HistoryId, range: RbaRange) -> bool {
    bsds.archives.iter().any(|archive| {
        archive.history == history
            && archive.range.start <= range.start
            && archive.range.end >= range.end
            && survey.files.iter().any(|file| file.name == archive.name)
    })
}

/// Whether the copy of the BSDS that `bsds` was made from knows that what the data set holds, which lies behind a cut, may be written over:
/// the cut found it archived, or it was begun then and has nothing in it.
fn was_given_up(bsds: &Bsds, number: u32, content: &LogContent) -> bool {
    let known = bsds.active_logs.iter().find(|log| log.name == active_name(1, number));
    known.is_some_and(|log| {
        log.instance > content.instance
            || log.instance == content.instance
                && log.history == content.identity.history
                && log.status.is_available()
    })
}

fn unknown_history(bsds: &Bsds, pairs: &[Pair]) -> Option<(String, HistoryId)> {
    pairs.iter().find_map(|pair| {
        let history = pair.newest?.identity.history;
        let known = bsds.histories.iter().any(|entry| entry.id == history);
        (!known).then(|| (active_name(1, pair.number), history))
    })
}

/// The active logs by number, and the names of those that should be there and are not, or hold less than the base knew.
fn pairs(bsds: &Bsds, survey: &LogSurvey) -> (Vec<Pair>, Vec<String>) {
    let actives: Vec<&LogFile> =
        survey.files.iter().filter(|file| file.kind == LogFileKind::Active).collect();
    let named =
        |copy: u8, number: u32| bsds.active_logs.iter().find(|log| log.name == active_name(copy, number));
    let mut numbers: BTreeSet<u32> = actives.iter().map(|file| file.number).collect();
    numbers.extend((1..=310).filter(|number| named(1, *number).is_some()));
    // Without a base the names alone say which there are.
    numbers.extend(1..numbers.last().copied().unwrap_or(0));
    let mut missing = Vec::new();
    let mut pairs = Vec::new();
    for number in numbers {
        let mut copies = [None; 2];
        let mut size = named(1, number).map(|log| log.size);
        for copy in 1..=bsds.copies() {
            let file = actives.iter().find(|file| file.copy == copy && file.number == number);
            let content = file.and_then(|file| file.content);
            let known =
                named(copy, number).filter(|log| !log.status.incomplete).map_or(0, |log| log.instance);
            let (name, found) = (active_name(copy, number), content.map_or(0, |content| content.instance));
            if let Some(unusable) = survey.unusable.iter().find(|file| file.name == name) {
                missing.push(format!("{name} is here and cannot be read ({})", unusable.why));
            } else if file.is_none() {
                missing.push(format!("{name} is not here"));
            } else if found < known {
                missing.push(format!(
                    "{name} is here in an older state, begun {found} times, and had been begun {known} times when the copy of the BSDS \
                     beside an archive was written: its file was replaced, or made anew empty"
                ));
            }
            size = size.or(file.map(|file| file.length));
            copies[usize::from(copy) - 1] = content;
        }
        let newest = copies.iter().flatten().max_by_key(|content| (content.instance, content.start)).copied();
        // What is left of an earlier instance says nothing.
        for copy in &mut copies {
            *copy = copy.filter(|content| {
                newest.is_some_and(|newest| {
                    (newest.instance, newest.start) == (content.instance, content.start)
                })
            });
        }
        pairs.push(Pair { number, size: size.unwrap_or(bsds.settings.log_data_set_size), copies, newest });
    }
    (pairs, missing)
}

/// The page sets: those of the last complete checkpoint, and those whose files are there.
fn defined_page_sets(
    bsds: &Bsds,
    witnesses: &[PageSetWitness],
    at_checkpoint: Option<&[PageSetId]>,
    notes: &mut Vec<String>,
) -> Vec<PageSetEntry> {
    // A page set does not say where it was defined. One as large as before may have been defined again since; then it can be recovered
    // from a copy of the older one all the same.
    let defined = |entry: &PageSetEntry| {
        let same = |base: &&PageSetEntry| {
            (base.page_set, base.initial_pages) == (entry.page_set, entry.initial_pages)
        };
        bsds.page_sets.iter().find(same).and_then(|base| base.defined)
    };
    let mut entries: Vec<PageSetEntry> = witnesses
        .iter()
        .map(|witness| PageSetEntry { defined: defined(&witness.entry), ..witness.entry.clone() })
        .collect();
    for entry in &bsds.page_sets {
        let known = entries.iter().any(|other| other.page_set == entry.page_set);
        let deleted = at_checkpoint.is_some_and(|sets| !sets.contains(&entry.page_set));
        if !known && !deleted {
            notes.push(format!(
                "page set {} is defined and its file is not here: recover it next",
                entry.page_set
            ));
            entries.push(entry.clone());
        }
    }
    for page_set in at_checkpoint.unwrap_or_default() {
        if !entries.iter().any(|entry| entry.page_set == *page_set) {
            notes.push(format!(
                "page set {page_set} is in the last checkpoint and its file is not here: recover it next"
            ));
            let like = entries.first().cloned();
            entries.extend(like.map(|like| PageSetEntry { page_set: *page_set, defined: None, ..like }));
        }
    }
    entries.sort_by_key(|entry| entry.page_set);
    entries
}
