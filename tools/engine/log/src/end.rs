//! The end of the log.
//!
//! The log reaches to the furthest record of the current data set that the copies together have whole. A place where neither has a
//! valid segment is the end, unless something says that the log was synced past it: a later trailer's synced RBA, or the BSDS. Then
//! it is damage.

use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::path::Path;

use engine_storage::{OpenMode, SharedFile, SharedStorage};
use format_bsds::{ActiveLog, Bsds};
use format_log::ci::{self, CiPlace, CiTrailer, Segments};
use format_log::segment::SegmentChecksum;
use format_log::{
    Body, HEADER_LENGTH, LogIdentity, MAX_RECORD_LENGTH, RecordError, RecordHeader, RecordKind,
};
use format_types::{CI_SIZE, Lrsn, Rba, RbaRange};

use crate::LogError;
use crate::chunks::{CHUNK, Chunks, merge};
use crate::data_sets::{CI, DataSets};
use crate::stream::RecordStream;

/// Most bytes of log that are ever unsynced, when data sets are larger than that.
const LARGEST_BUFFER: u64 = 16 << 20;

/// Most bytes of log that are ever unsynced.
pub(crate) fn buffer_limit(bsds: &Bsds) -> u64 {
    bsds.settings.log_data_set_size.min(LARGEST_BUFFER)
}

/// Where the log ends, and what is known there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogEnd {
    /// RBA after the last record.
    pub end: Rba,
    /// The log below it is known to have been durable in every working copy.
    pub synced: Rba,
    /// LRSN of the last record; zero when there is none.
    pub last_lrsn: Lrsn,
    /// Length of the last record of the current data set; zero when that holds none.
    pub last_length: u32,
    /// The log that the current data set has room for.
    pub data_set: RbaRange,
}

/// A copy of the current data set.
pub(crate) struct Source {
    pub(crate) name: String,
    file: SharedFile,
    /// Believed below this.
    until: Rba,
}

/// The copies of the current data set, as far as they may be believed.
pub(crate) struct Current {
    pub(crate) range: RbaRange,
    pub(crate) place: CiPlace,
    pub(crate) checksum: SegmentChecksum,
    pub(crate) sources: Vec<Source>,
}

impl Current {
    pub(crate) fn open(storage: &SharedStorage, dir: &Path, bsds: &Bsds) -> Result<Self, LogError> {
        let logs = (1..=bsds.copies()).map(|copy| {
            bsds.current_active(copy)
                .and_then(|log| Some((log, log.range?)))
                .ok_or_else(|| LogError::Inventory(format!("it names no current active log of copy {copy}")))
        });
        let logs: Vec<(&ActiveLog, RbaRange)> = logs.collect::<Result<_, _>>()?;
        let Some(&(first, range)) = logs.first() else {
            return Err(LogError::Inventory("it names no active log".to_owned()));
        };
        if logs.iter().any(|(log, other)| *other != range || log.instance != first.instance) {
            return Err(LogError::Inventory(
                "the copies of the current active log differ in range".to_owned(),
            ));
        }
        let mut sources = Vec::new();
        let mut unusable = Vec::new();
        let mut stopped = None;
        for &(log, range) in &logs {
            let lacks = bsds.lacks_from(log);
            let stop = bsds.copy_stopped.get(usize::from(log.copy) - 1).copied().flatten().or(lacks);
            match storage.open(&dir.join(&log.name), OpenMode::Read) {
                Ok(file) => {
                    let until = lacks.map_or(range.end, Rba::ci_start);
                    sources.push((lacks.is_none(), Source { name: log.name.clone(), file, until }));
                    stopped = stopped.or(stop.filter(|_| lacks.is_some()).map(|stop| (log.copy, stop)));
                }
                Err(error) => unusable.push(format!("{}: {error}", log.name)),
            }
        }
        if !sources.iter().any(|(whole, _)| *whole) {
            let why = unusable.join("; ");
            return Err(match stopped {
                Some((copy, rba)) => LogError::CopyStopped { copy, rba, why },
                None => LogError::Missing(why),
            });
        }
        let identity = LogIdentity { queue_manager: bsds.queue_manager, history: first.history };
        Ok(Self {
            range,
            place: CiPlace { rba: range.start, identity, instance: Some(first.instance) },
            checksum: SegmentChecksum::new(identity),
            sources: sources.into_iter().map(|(_, source)| source).collect(),
        })
    }

    /// Reads `range`, whole control intervals, from every source. A source that cannot be read gives nothing: its bytes are those
    /// that could be read, control interval by control interval, else none.
    pub(crate) fn read(&self, range: RbaRange) -> Versions {
        let length = range.len() as usize;
        let mut all = Vec::new();
        for source in &self.sources {
            let mut bytes = vec![0; length];
            let mut errors = BTreeMap::new();
            let offset = range.start.since(self.range.start);
            if source.file.read_at(offset, &mut bytes).is_err() {
                for (index, ci) in bytes.chunks_mut(CI_SIZE).enumerate() {
                    if let Err(error) = source.file.read_at(offset + index as u64 * CI, ci) {
                        ci.fill(0);
                        errors.insert(index, error.to_string());
                    }
                }
            }
            all.push(Version { name: source.name.clone(), until: source.until, bytes, errors });
        }
        Versions { start: range.start, all }
    }

    fn place(&self, rba: Rba) -> CiPlace {
        CiPlace { rba, ..self.place }
    }
}

/// A stretch of the current data set as one copy has it.
struct Version {
    name: String,
    /// Believed below this.
    until: Rba,
    bytes: Vec<u8>,
    /// Control intervals that could not be read, by their place in the stretch, and why.
    errors: BTreeMap<usize, String>,
}

/// A stretch of the current data set as each copy has it.
pub(crate) struct Versions {
    start: Rba,
    all: Vec<Version>,
}

impl Versions {
    /// What each believed copy has of the control interval at `rba`.
    pub(crate) fn of(&self, rba: Rba) -> Vec<&[u8]> {
        let at = rba.since(self.start) as usize;
        self.all
            .iter()
            .filter(|version| rba < version.until)
            .filter_map(|version| version.bytes.get(at..at + CI_SIZE))
            .collect()
    }

    /// Why no believed copy of the control interval at `rba` could be read at all; none when one could, or none is believed. Such a
    /// place says nothing of where the log ends: what cannot be read may be there.
    pub(crate) fn refused(&self, rba: Rba) -> Option<String> {
        let index = rba.since(self.start) as usize / CI_SIZE;
        let believed: Vec<&Version> = self.all.iter().filter(|version| rba < version.until).collect();
        let why: Vec<String> = believed
            .iter()
            .filter_map(|version| {
                version.errors.get(&index).map(|error| format!("{}: {error}", version.name))
            })
            .collect();
        (!believed.is_empty() && why.len() == believed.len()).then(|| why.join("; "))
    }

    pub(crate) fn complaints(&self, current: &Current, rba: Rba) -> String {
        let at = rba.since(self.start) as usize;
        let complaint = |version: &Version| {
            let why = if rba >= version.until {
                "stopped before".to_owned()
            } else if let Some(error) = version.errors.get(&(at / CI_SIZE)) {
                error.clone()
            } else {
                let ci = version.bytes.get(at..at + CI_SIZE).unwrap_or_default();
                match ci::verify_closed(ci, &current.place(rba), &current.checksum) {
                    Ok(_) => "its segments do not continue the record before".to_owned(),
                    Err(why) => why.to_string(),
                }
            };
            format!("{}: {why}", version.name)
        };
        self.all.iter().map(complaint).collect::<Vec<_>>().join("; ")
    }
}

/// What the walk over the current data set has seen.
struct Walk {
    /// End of the last whole record.
    end: Option<Rba>,
    lrsn: Lrsn,
    length: u32,
    /// The record being gathered: where it starts, and its first bytes.
    gathering: Option<Rba>,
    head: Vec<u8>,
    /// Highest synced RBA that a trailer before the end states.
    synced: Rba,
    sequence: u64,
    sequence_at: Rba,
    unreadable: Option<(Rba, RecordError)>,
}

/// Bytes of a record that the walk looks at: the header and a sequence number.
const HEAD: usize = HEADER_LENGTH + 8;

impl Walk {
    /// Takes the merged control interval in; false when the log does not go on after it.
    fn take(&mut self, ci_bytes: &[u8], rba: Rba, checksum: &SegmentChecksum) -> bool {
        let mut segments = Segments::new(ci_bytes, rba, checksum);
        for segment in segments.by_ref() {
            let at = rba.plus(segment.offset as u64);
            match (segment.first, self.gathering) {
                (true, Some(_)) => return false,
                (false, None) if self.end.is_some() => return false,
                // The tail of a record that began before the walk.
                (false, None) => continue,
                (true, None) => {
                    self.gathering = Some(at);
                    self.head.clear();
                }
                (false, Some(_)) => {}
            }
            let wanted = HEAD.saturating_sub(self.head.len()).min(segment.payload.len());
            self.head.extend_from_slice(segment.payload.get(..wanted).unwrap_or_default());
            if segment.last {
                self.complete(rba.plus(segment.end() as u64));
            }
        }
        segments.offset() > 0 && !ci::has_room(segments.offset())
    }

    fn complete(&mut self, end: Rba) {
        let start = self.gathering.take().unwrap_or(end);
        let header = match RecordHeader::decode(&self.head) {
            Ok(header) => header,
            Err(why) => {
                // Its checksum is right, so somebody wrote it: it must not be taken for the end.
                self.unreadable.get_or_insert((start, why));
                return;
            }
        };
        self.end = Some(end);
        self.lrsn = header.lrsn;
        self.length = header.total_length;
        if matches!(header.kind, RecordKind::SWITCH | RecordKind::BEGIN_CHECKPOINT)
            && let Some(sequence) = sequence_of(&self.head, &header)
            && sequence > self.sequence
        {
            self.sequence = sequence;
            self.sequence_at = start;
        }
    }
}

fn sequence_of(record: &[u8], header: &RecordHeader) -> Option<u64> {
    let body = record.get(HEADER_LENGTH..header.total_length as usize)?;
    match Body::decode(header.kind, body) {
        Ok(Body::Switch { bsds_sequence } | Body::BeginCheckpoint { bsds_sequence }) => Some(bsds_sequence),
        _ => None,
    }
}

/// Finds the end of the log that `bsds` describes.
pub(crate) fn find(storage: &SharedStorage, dir: &Path, bsds: &Bsds) -> Result<LogEnd, LogError> {
    refuse_newer_data_sets(storage, dir, bsds)?;
    let current = Current::open(storage, dir, bsds)?;
    let range = current.range;
    let known = known_synced(bsds, range)?;
    // Far enough back that a record begins before what is known.
    let back = 2 * MAX_RECORD_LENGTH as u64;
    let from = known.minus(back).ci_start().max(range.start);
    let mut walk = Walk {
        end: (from == range.start).then_some(range.start),
        lrsn: Lrsn::default(),
        length: 0,
        gathering: None,
        head: Vec::with_capacity(HEAD),
        synced: known,
        sequence: 0,
        sequence_at: Rba::ZERO,
        unreadable: None,
    };
    let mut at = from;
    'walk: while at < range.end {
        let chunk = RbaRange::new(at, at.plus(CHUNK as u64).min(range.end));
        let versions = current.read(chunk);
        while at < chunk.end {
            if let Some(why) = versions.refused(at) {
                // A record that began before is not whole: what can be had ends before it.
                let rba = walk.gathering.and(walk.end).unwrap_or(at);
                return Err(LogError::Damage { rba, why });
            }
            let of_ci = versions.of(at);
            let merged = merge(&of_ci, at, &current.checksum);
            let goes_on = walk.take(&merged.bytes, walk_rba(&of_ci, at), &current.checksum);
            let end = walk.end.unwrap_or(from);
            for ci in of_ci {
                if let Ok(trailer) = CiTrailer::take_at(ci, &current.place(at))
                    && trailer.synced <= end
                {
                    walk.synced = walk.synced.max(trailer.synced);
                }
            }
            if !goes_on {
                break 'walk;
            }
            at = at.plus(CI);
        }
    }
    let end = walk.end.unwrap_or(from);
    if let Some((rba, source)) = walk.unreadable {
        return Err(LogError::Record { rba, source });
    }
    if walk.sequence > bsds.sequence {
        return Err(LogError::StaleBsds {
            bsds: bsds.sequence,
            found: walk.sequence,
            rba: walk.sequence_at,
            data_set: current.sources.first().map(|source| source.name.clone()).unwrap_or_default(),
        });
    }
    refuse_damage(&current, at, end, known, buffer_limit(bsds))?;
    if end == range.start {
        // Those of a tail that a cut left behind are not given out again.
        let archived = bsds.archives.iter().map(|archive| archive.end_lrsn).max().unwrap_or_default();
        walk.lrsn = last_lrsn_before(storage, dir, bsds, range.start).max(archived);
    }
    Ok(LogEnd {
        end,
        synced: walk.synced.min(end),
        last_lrsn: walk.lrsn,
        last_length: walk.length,
        data_set: range,
    })
}

/// The RBA against which a merged control interval was checked.
fn walk_rba(versions: &[&[u8]], rba: Rba) -> Rba {
    versions.first().map_or(rba, |ci| crate::chunks::believed_rba(ci, rba))
}

/// The highest RBA that the BSDS knows to have been synced.
fn known_synced(bsds: &Bsds, range: RbaRange) -> Result<Rba, LogError> {
    let checkpoint = bsds.checkpoints.last().map_or(Rba::ZERO, |entry| entry.end);
    let clean_stop = bsds.clean_stop.unwrap_or(Rba::ZERO);
    let known = bsds.highest_written.max(checkpoint).max(clean_stop).max(range.start);
    if known > range.end {
        return Err(LogError::Inventory(format!(
            "the log was written up to RBA {known}, beyond the current active log's end {}",
            range.end
        )));
    }
    Ok(known)
}

/// The walk ended in the control interval at `gap`, the last whole record ends at `end`. Refuses when something says that the log
/// was synced past that.
fn refuse_damage(current: &Current, gap: Rba, end: Rba, known: Rba, unsynced: u64) -> Result<(), LogError> {
    let mut proof = known;
    let mut at = gap;
    // Whatever was written further on than this had seen a sync past the gap, or is stale.
    let to = gap.plus(unsynced + 2 * CI).min(current.range.end);
    while at < to && proof <= end {
        let chunk = RbaRange::new(at, at.plus(CHUNK as u64).min(to));
        let versions = current.read(chunk);
        while at < chunk.end {
            for ci in versions.of(at) {
                if let Ok(trailer) = CiTrailer::take_at(ci, &current.place(at)) {
                    proof = proof.max(trailer.synced);
                }
            }
            at = at.plus(CI);
        }
    }
    if proof <= end {
        return Ok(());
    }
    let ci = gap.min(current.range.end.minus(CI));
    let why = current.read(RbaRange::new(ci, ci.plus(CI))).complaints(current, ci);
    Err(LogError::Damage { rba: end, why: format!("the log was synced up to RBA {proof}; {why}") })
}

/// Refuses a BSDS that may be stale, for one of its copies is not as it should be, when a data set whose first record would show that is
/// refused in every copy now. Else a BSDS that lags behind would be believed, and written over the newer one.
pub(crate) fn refuse_unseen_data_sets(
    storage: &SharedStorage,
    dir: &Path,
    bsds: &Bsds,
) -> Result<(), LogError> {
    let number = |log: &ActiveLog| log.name.rsplit('.').next().unwrap_or_default().to_owned();
    let mut refused: BTreeMap<String, LogError> = BTreeMap::new();
    let mut seen = Vec::new();
    for log in &bsds.active_logs {
        let path = dir.join(&log.name);
        let read = storage.open(&path, OpenMode::Read).and_then(|file| file.read_at(0, &mut [0; CI_SIZE]));
        match read {
            Ok(()) => seen.push(number(log)),
            // It is gone, or was cut short: that is no matter of trying again.
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::UnexpectedEof) => {}
            Err(error) => drop(refused.entry(number(log)).or_insert(LogError::at("read", &path, error))),
        }
    }
    refused.into_iter().find(|(number, _)| !seen.contains(number)).map_or(Ok(()), |(_, error)| Err(error))
}

/// Refuses a BSDS under which a later data set was already begun.
fn refuse_newer_data_sets(storage: &SharedStorage, dir: &Path, bsds: &Bsds) -> Result<(), LogError> {
    for log in &bsds.active_logs {
        let Ok(file) = storage.open(&dir.join(&log.name), OpenMode::Read) else { continue };
        let mut ci_bytes = [0; CI_SIZE];
        if file.read_at(0, &mut ci_bytes).is_err() {
            continue;
        }
        let Ok(trailer) = CiTrailer::take(&ci_bytes) else { continue };
        if trailer.identity.queue_manager != bsds.queue_manager {
            continue;
        }
        let checksum = SegmentChecksum::new(trailer.identity);
        let first = Segments::new(&ci_bytes, trailer.rba, &checksum).next();
        let sequence = first.and_then(|segment| {
            let header = RecordHeader::decode(segment.payload).ok()?;
            sequence_of(segment.payload, &header)
        });
        if let Some(found) = sequence.filter(|found| *found > bsds.sequence) {
            return Err(LogError::StaleBsds {
                bsds: bsds.sequence,
                found,
                rba: trailer.rba,
                data_set: log.name.clone(),
            });
        }
    }
    Ok(())
}

/// LRSN of the last record before the current data set; zero when there is none or it cannot be read, for LRSNs then follow the
/// clock.
fn last_lrsn_before(storage: &SharedStorage, dir: &Path, bsds: &Bsds, start: Rba) -> Lrsn {
    let from = start.minus(2 * MAX_RECORD_LENGTH as u64);
    let mut stream = RecordStream::new(Chunks::new(DataSets::of(storage, dir, bsds)), from, start);
    let mut last = Lrsn::default();
    while let Ok(Some((_, bytes))) = stream.next_bytes() {
        if let Ok(header) = RecordHeader::decode(bytes) {
            last = header.lrsn;
        }
    }
    last
}
