//! What a cut loses: commits behind it with what they put and got, and units that it leaves open.

use std::collections::HashMap;

use engine_log::{LogError, LogReader};
use format_log::{Body, Record};
use format_pageset::{Fragment, ObjectRecord};
use format_types::{PageSetId, Rba, RbaRange, Timestamp, UnitState, Urid};

/// A commit that is lost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LostCommit {
    /// RBA of the record that committed.
    pub rba: Rba,
    /// Its time.
    pub at: Timestamp,
    /// The connection, where it is known.
    pub connection: String,
}

/// What a cut loses.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LostWork {
    /// Commits at or behind the cut.
    pub commits: u64,
    /// The first of them.
    pub first: Option<LostCommit>,
    /// The last of them.
    pub last: Option<LostCommit>,
    /// Persistent messages that they put: they will be gone.
    pub puts: u64,
    /// Persistent messages that they got: they will be there again.
    pub gets: u64,
    /// Definitions of objects that they made, changed or deleted.
    pub definitions: u64,
    /// Units of recovery in flight at the cut, whose work is backed out; those that committed behind it included.
    pub backed_out: u64,
    /// Units of recovery in doubt at the cut, which stay so; those that were resolved behind it included.
    pub in_doubt: u64,
    /// From here on the log could not be read, so that what is behind is not counted; with the reason.
    pub unreadable: Option<(Rba, String)>,
}

impl LostWork {
    /// Whether any commit is lost, as far as can be told.
    #[must_use]
    pub fn loses_commits(&self) -> bool {
        self.commits > 0 || self.unreadable.is_some()
    }
}

/// What a unit of recovery did.
#[derive(Debug, Default)]
struct Tally {
    connection: String,
    puts: u64,
    gets: u64,
    definitions: u64,
    state: State,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum State {
    #[default]
    Open,
    InDoubt,
    Committed,
}

/// Follows all units from `from`, where no unit is open that is not in a checkpoint behind it, to `end`, and tells what a cut at `cut`
/// loses of them. No unit that is open at the cut began before `needed`, and the log before it need not be there; nor need what is behind
/// the cut.
///
/// # Errors
/// When the log before the cut cannot be read.
pub(crate) fn find(
    reader: &mut LogReader,
    needed: Rba,
    from: Rba,
    cut: Rba,
    end: Rba,
) -> Result<LostWork, LogError> {
    let mut units: HashMap<Urid, Tally> = HashMap::new();
    let mut lost = LostWork::default();
    // The control interval of a cut before which nothing is to be read need not be there.
    if from < cut {
        let mut stream = reader.stream(from, cut)?;
        while let Some((at, record)) = stream.next()? {
            take(reader, &mut units, &mut lost, at, &record, [needed, cut])?;
        }
    }
    note_open(&units, &mut lost);
    let mut stream = reader.stream(cut, end)?;
    let mut read_to = cut;
    loop {
        match stream.next() {
            Ok(Some((at, record))) => {
                read_to = at.end;
                take(reader, &mut units, &mut lost, at, &record, [needed, cut])?;
            }
            Ok(None) => return Ok(lost),
            Err(error) => {
                lost.unreadable = Some((read_to, error.to_string()));
                return Ok(lost);
            }
        }
    }
}

/// Takes a record in: a checkpoint names units that began before what is read.
fn take(
    reader: &mut LogReader,
    units: &mut HashMap<Urid, Tally>,
    lost: &mut LostWork,
    at: RbaRange,
    record: &Record<'_>,
    [needed, cut]: [Rba; 2],
) -> Result<(), LogError> {
    let Body::CheckpointUnits { units: named } = &record.body else {
        follow(units, lost, at, record, cut);
        return Ok(());
    };
    for unit in named {
        if units.contains_key(&unit.urid) {
            continue;
        }
        let state = match unit.state {
            UnitState::InDoubt => State::InDoubt,
            UnitState::InCommit => State::Committed,
            _ => State::Open,
        };
        let mut tally = Tally { connection: unit.connection.clone(), state, ..Tally::default() };
        if unit.urid.0 >= needed {
            walk_back(reader, unit.urid, unit.last, &mut tally)?;
        }
        units.insert(unit.urid, tally);
    }
    Ok(())
}

fn note_open(units: &HashMap<Urid, Tally>, lost: &mut LostWork) {
    let count = |state| units.values().filter(|unit| unit.state == state).count() as u64;
    (lost.backed_out, lost.in_doubt) = (count(State::Open), count(State::InDoubt));
}

fn follow(
    units: &mut HashMap<Urid, Tally>,
    lost: &mut LostWork,
    at: RbaRange,
    record: &Record<'_>,
    cut: Rba,
) {
    let urid = record.header.urid;
    if !urid.is_some() {
        return;
    }
    match &record.body {
        Body::EndUr | Body::EndAbort => {
            units.remove(&urid);
        }
        Body::BeginPhase2 { complete, at: time } => {
            let unit = units.entry(urid).or_default();
            unit.state = State::Committed;
            if at.start >= cut {
                lost.commits += 1;
                lost.puts += unit.puts;
                lost.gets += unit.gets;
                lost.definitions += unit.definitions;
                let commit = LostCommit { rba: at.start, at: *time, connection: unit.connection.clone() };
                lost.first.get_or_insert_with(|| commit.clone());
                lost.last = Some(commit);
            }
            if *complete {
                units.remove(&urid);
            }
        }
        body => count(units.entry(urid).or_default(), body),
    }
}

fn count(unit: &mut Tally, body: &Body<'_>) {
    match body {
        Body::BeginUr { connection, .. } => (*connection).clone_into(&mut unit.connection),
        Body::Prepare { .. } => unit.state = State::InDoubt,
        Body::Insert { record, .. } => {
            if matches!(Fragment::decode(record), Ok(Fragment::Head { .. })) {
                unit.puts += 1;
            } else if ObjectRecord::decode(record).is_ok() {
                unit.definitions += 1;
            }
        }
        // Objects live on page set 00 alone, and messages never do.
        Body::DeleteIntent { at, .. } if at.page_set == PageSetId::ZERO => unit.definitions += 1,
        Body::DeleteIntent { .. } => unit.gets += 1,
        _ => {}
    }
}

/// Counts what a unit did before the checkpoint that names it, along its chain.
fn walk_back(reader: &mut LogReader, urid: Urid, last: Rba, unit: &mut Tally) -> Result<(), LogError> {
    let mut at = last;
    loop {
        let owned = reader.record_at(at)?;
        let record = owned.record()?;
        let state = unit.state;
        count(unit, &record.body);
        unit.state = state;
        let link = record.header.link;
        if at == urid.0 || link >= at || link < urid.0 {
            return Ok(());
        }
        at = link;
    }
}

/// The last of some commits, in the order of the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct LastCommit {
    /// RBA of the record that committed.
    pub(crate) rba: Rba,
    /// The latest time of them all: the clock may have stepped back.
    pub(crate) latest: Timestamp,
}

/// The first commit later than `time`, in the order of the log from `from` on, if there is one up to `end`; and the last commit before
/// that.
///
/// Order in the log decides, not the clock: commits behind that one are lost with it even where their own times are earlier, because
/// the clock stepped back between. Commits at exactly `time` are not later than it.
///
/// # Errors
/// When the log cannot be read up to that commit.
pub(crate) fn first_commit_after(
    reader: &LogReader,
    from: Rba,
    end: Rba,
    time: Timestamp,
) -> Result<(Option<Rba>, Option<LastCommit>), LogError> {
    let mut stream = reader.stream(from, end)?;
    let mut last = None;
    let mut latest = Timestamp(0);
    while let Some((at, record)) = stream.next()? {
        if let Body::BeginPhase2 { at: committed, .. } = record.body {
            if committed > time {
                return Ok((Some(at.start), last));
            }
            latest = latest.max(committed);
            last = Some(LastCommit { rba: at.start, latest });
        }
    }
    Ok((None, last))
}
