//! Comparing the copies of the log with each other, control interval by control interval.
//!
//! Every data set that must hold a stretch is read: both copies of archives, and of active logs not archived yet. What is compared is
//! the segments; the RBA known to be synced that a trailer states may differ between copies, for a start or a repair writes them again.

use std::collections::BTreeMap;
use std::path::Path;

use engine_storage::SharedStorage;
use format_log::ci::CI_DATA;
use format_log::segment::SegmentChecksum;
use format_types::{CI_SIZE, HistoryId, Rba, RbaRange};

use crate::bsds_files::read_pair;
use crate::chunks::{CHUNK, Chunks, Need, believe};
use crate::data_sets::{CI, DataSet, DataSets};
use crate::{LogError, LogReader};

/// How often a stretch is looked at again because the inventory changed meanwhile.
const ATTEMPTS: u32 = 100;

/// Something wrong with a control interval in one data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyFault {
    /// RBA of the control interval.
    pub rba: Rba,
    /// The data set.
    pub data_set: String,
    /// Copy 1 or 2.
    pub copy: u8,
    /// What is wrong.
    pub why: String,
    /// It is valid, and says something else than that of this data set, which is valid too.
    pub differs_from: Option<String>,
    /// The log there can be had from elsewhere.
    pub elsewhere: bool,
}

/// What a comparison came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Comparison {
    /// Control intervals looked at.
    pub control_intervals: u64,
    /// Of these, damaged in at least one data set and good in another.
    pub damaged: u64,
    /// Valid in several, and not the same.
    pub differing: u64,
    /// To be had from no data set, or named by none.
    pub lost: u64,
    /// Bytes read.
    pub bytes_read: u64,
}

impl Comparison {
    fn add(&mut self, other: Self) {
        self.control_intervals += other.control_intervals;
        self.damaged += other.damaged;
        self.differing += other.differing;
        self.lost += other.lost;
        self.bytes_read += other.bytes_read;
    }
}

/// Reads all copies of the log in `range` that the queue manager in `dir` has, as far as it is known to be durable, and tells `report` of
/// everything that is damaged in one of them or differs between them. Repairs nothing. Memory is bounded: 1 MiB for each data set that
/// holds the same stretch. The queue manager may be running.
///
/// # Errors
/// When the BSDS cannot be read or the end of the log not be found.
pub fn compare_copies(
    storage: &SharedStorage,
    dir: &Path,
    range: RbaRange,
    report: &mut dyn FnMut(CopyFault),
) -> Result<Comparison, LogError> {
    let compared = compare_copies_while(storage, dir, range, report, &mut || true)?;
    Ok(compared.unwrap_or_default())
}

/// The same as long as `go_on` says so, which is asked before each mebibyte; none when it was ended before its end.
///
/// # Errors
/// As [`compare_copies`].
pub fn compare_copies_while(
    storage: &SharedStorage,
    dir: &Path,
    range: RbaRange,
    report: &mut dyn FnMut(CopyFault),
    go_on: &mut dyn FnMut() -> bool,
) -> Result<Option<Comparison>, LogError> {
    let mut reader = LogReader::open(storage, dir)?;
    let to = range.end.min(reader.find_end()?.synced);
    let mut sequence = reader.bsds().sequence;
    let mut comparer = Comparer::of(DataSets::of(storage, dir, reader.bsds()));
    let mut total = Comparison::default();
    let mut at = range.start.ci_start();
    let mut attempts = 0;
    while at < to {
        if !go_on() {
            return Ok(None);
        }
        let chunk = RbaRange::new(at, at.plus(CHUNK as u64).min(to.ci_ceiling()));
        let mut faults = Vec::new();
        let compared = comparer.compare(chunk, to, &mut |fault| faults.push(fault));
        if (!faults.is_empty() || compared.lost > 0) && attempts < ATTEMPTS {
            // A data set that was archived and used again meanwhile is not damaged.
            let bsds = read_pair(storage, dir)?.bsds;
            if bsds.sequence != sequence {
                sequence = bsds.sequence;
                comparer = Comparer::of(DataSets::of(storage, dir, &bsds));
                attempts += 1;
                continue;
            }
        }
        attempts = 0;
        faults.into_iter().for_each(&mut *report);
        total.add(compared);
        at = chunk.end;
    }
    Ok(Some(total))
}

/// Compares data sets.
pub(crate) struct Comparer {
    sets: DataSets,
    actives_only: bool,
    checksums: BTreeMap<HistoryId, SegmentChecksum>,
}

/// A stretch of one data set.
struct Version<'a> {
    set: &'a DataSet,
    start: Rba,
    bytes: Vec<u8>,
    /// Control intervals that could not be read, and why.
    errors: BTreeMap<Rba, String>,
}

impl Version<'_> {
    fn ci(&self, rba: Rba) -> Option<Result<&[u8], &String>> {
        let at = usize::try_from(rba.0.checked_sub(self.start.0)?).ok()?;
        let bytes = self.bytes.get(at..at + CI_SIZE)?;
        Some(self.errors.get(&rba).map_or(Ok(bytes), Err))
    }
}

impl Comparer {
    /// All data sets.
    pub(crate) fn of(sets: DataSets) -> Self {
        Self { sets, actives_only: false, checksums: BTreeMap::new() }
    }

    /// Active logs only.
    pub(crate) fn of_actives(sets: DataSets) -> Self {
        Self { actives_only: true, ..Self::of(sets) }
    }

    /// Compares `chunk`, whole control intervals, of log that is read up to `to`.
    pub(crate) fn compare(
        &mut self,
        chunk: RbaRange,
        to: Rba,
        report: &mut dyn FnMut(CopyFault),
    ) -> Comparison {
        let sets = self.sets.all().filter(|set| !set.archived && (set.is_active() || !self.actives_only));
        let versions: Vec<Version<'_>> = sets.filter_map(|set| read(&self.sets, set, chunk)).collect();
        let bytes_read = versions.iter().map(|version| version.bytes.len() as u64).sum();
        let mut total = Comparison { bytes_read, ..Comparison::default() };
        let mut at = chunk.start;
        while at < chunk.end {
            total.control_intervals += 1;
            let need = Need::up_to(at, to);
            let mut good: Option<(&DataSet, &[u8], usize)> = None;
            let mut bad: Vec<(&DataSet, String)> = Vec::new();
            for version in &versions {
                let place = self.sets.place(version.set, at);
                let checksum = self
                    .checksums
                    .entry(place.identity.history)
                    .or_insert_with(|| SegmentChecksum::new(place.identity));
                let verdict = match version.ci(at) {
                    None => continue,
                    Some(Err(why)) => Err(why.clone()),
                    Some(Ok(ci)) => believe(ci, &place, need, checksum)
                        .map(|used| (ci, used))
                        .map_err(|why| why.to_string()),
                };
                match (verdict, good) {
                    (Err(why), _) => bad.push((version.set, why)),
                    (Ok((ci, used)), None) => good = Some((version.set, ci, used)),
                    (Ok((ci, used)), Some((other, first, first_used))) => {
                        if !same(need, (ci, used), (first, first_used)) {
                            total.differing += 1;
                            report(CopyFault {
                                rba: at,
                                data_set: version.set.name.clone(),
                                copy: version.set.copy,
                                why: format!("its records differ from those in {}", other.name),
                                differs_from: Some(other.name.clone()),
                                elsewhere: true,
                            });
                        }
                    }
                }
            }
            // Two damaged versions may complete each other; an active log that is archived may have it until it is used again.
            let alone = RbaRange::new(at, at.plus(CI));
            let elsewhere = good.is_some()
                || !bad.is_empty() && Chunks::new(self.sets.again()).prepare(at, need, alone).is_ok();
            total.lost += u64::from(!elsewhere);
            total.damaged += u64::from(elsewhere && !bad.is_empty());
            for (set, why) in bad {
                let (data_set, copy) = (set.name.clone(), set.copy);
                report(CopyFault { rba: at, data_set, copy, why, differs_from: None, elsewhere });
            }
            at = at.plus(CI);
        }
        total
    }
}

/// What `set` has of `chunk`, read as a whole, or control interval by control interval where that is refused.
fn read<'a>(sets: &DataSets, set: &'a DataSet, chunk: RbaRange) -> Option<Version<'a>> {
    let start = chunk.start.max(set.range.start);
    let end = chunk.end.min(set.range.end);
    if start >= end {
        return None;
    }
    let mut bytes = vec![0; end.since(start) as usize];
    let mut errors = BTreeMap::new();
    // Closed again at once: a stretch may lie in very many small archives.
    let file = sets.open(set);
    if file.is_err() && sets.was_deleted(set) {
        return None;
    }
    let read = |rba, bytes: &mut [u8]| {
        file.as_ref().map_err(Clone::clone).and_then(|file| set.read(file, rba, bytes))
    };
    if read(start, &mut bytes).is_err() {
        for (index, ci) in (0..).zip(bytes.chunks_mut(CI_SIZE)) {
            let rba = start.plus(index * CI);
            if let Err(why) = read(rba, ci) {
                errors.insert(rba, why);
            }
        }
    }
    Some(Version { set, start, bytes, errors })
}

fn same(need: Need, (one, one_used): (&[u8], usize), (other, other_used): (&[u8], usize)) -> bool {
    let length = match need {
        Need::Whole if one_used != other_used => return false,
        Need::Whole => CI_DATA,
        Need::Bytes(bytes) => bytes,
    };
    one.get(..length) == other.get(..length)
}
