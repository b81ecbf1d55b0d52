//! Verified control intervals, read a chunk at a time, each from the first data set that has it whole.

use engine_storage::planted::{self, Defect};
use format_log::LogIdentity;
use format_log::ci::{self, CI_DATA, CiDamage, CiPlace, CiTrailer, Merged};
use format_log::segment::SegmentChecksum;
use format_types::{CI_SIZE, HistoryId, Rba, RbaRange};

use crate::LogError;
use crate::data_sets::{CI, DataSet, DataSets};

/// Bytes read at a time.
pub(crate) const CHUNK: usize = 1 << 20;

/// How much of a control interval is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Need {
    /// All that will ever be in it: it lies before the end of the log.
    Whole,
    /// At least so many bytes of segments: the end of what is read lies in it.
    Bytes(usize),
}

impl Need {
    /// What is needed of the control interval at `ci` by somebody who reads up to `to`.
    pub(crate) fn up_to(ci: Rba, to: Rba) -> Self {
        if to.since(ci) >= CI { Self::Whole } else { Self::Bytes(to.ci_offset().min(CI_DATA)) }
    }
}

/// A control interval that no data set has.
#[derive(Debug, Clone)]
pub(crate) struct Unreadable {
    /// The first byte that is missing.
    pub(crate) rba: Rba,
    /// Up to here nothing can be had either: no data set can be opened, or none is named.
    pub(crate) until: Rba,
    /// The data sets that should have it, and what is wrong with each.
    pub(crate) tried: Vec<(String, String)>,
    /// Storage refused one of the reads, so another time it may be there.
    pub(crate) refused: bool,
}

impl Unreadable {
    pub(crate) fn why(&self) -> String {
        self.tried.iter().map(|(name, why)| format!("{name}: {why}")).collect::<Vec<_>>().join("; ")
    }

    pub(crate) fn into_error(self) -> LogError {
        if self.tried.is_empty() {
            LogError::NotInInventory(RbaRange::new(self.rba, self.until))
        } else {
            LogError::Damage { rba: self.rba, why: self.why() }
        }
    }
}

const UNCHECKED: u16 = u16::MAX;

/// A window on the log.
pub(crate) struct Chunks {
    sets: DataSets,
    buffer: Vec<u8>,
    start: Rba,
    /// Per control interval of the window: bytes of segments, once verified.
    used: Vec<u16>,
    /// What the window was read from.
    source: Option<(String, CiPlace)>,
    checksum: Option<(HistoryId, SegmentChecksum)>,
    bytes_read: u64,
}

impl Chunks {
    pub(crate) fn new(sets: DataSets) -> Self {
        Self {
            sets,
            buffer: Vec::new(),
            start: Rba::ZERO,
            used: Vec::new(),
            source: None,
            checksum: None,
            bytes_read: 0,
        }
    }

    /// Bytes read from data sets so far.
    pub(crate) fn bytes_read(&self) -> u64 {
        self.bytes_read
    }

    /// The data sets that are read.
    pub(crate) fn sets(&self) -> &DataSets {
        &self.sets
    }

    /// Drops the window; what is asked for next is read anew.
    pub(crate) fn forget(&mut self) {
        self.used.clear();
    }

    /// Makes the control interval at `rba` ready, verified as far as `need` asks, and returns the bytes of segments in it. When the
    /// window must move, it is moved to `window`, which holds `rba`.
    pub(crate) fn prepare(&mut self, rba: Rba, need: Need, window: RbaRange) -> Result<usize, Unreadable> {
        let index = match self.index_of(rba) {
            Some(index) => index,
            None => {
                self.fill(rba, window)?;
                self.index_of(rba).ok_or_else(|| Unreadable {
                    rba,
                    until: rba.plus(CI),
                    tried: Vec::new(),
                    refused: false,
                })?
            }
        };
        let known = self.used[index];
        if known != UNCHECKED {
            return Ok(usize::from(known));
        }
        let used = self.verify(index, rba, need)?;
        self.used[index] = u16::try_from(used).unwrap_or(UNCHECKED);
        Ok(used)
    }

    /// The bytes of a control interval made ready.
    pub(crate) fn ci(&self, rba: Rba) -> &[u8] {
        let at = self.index_of(rba).unwrap_or(0) * CI_SIZE;
        self.buffer.get(at..at + CI_SIZE).unwrap_or_default()
    }

    fn index_of(&self, rba: Rba) -> Option<usize> {
        let index = usize::try_from(rba.0.checked_sub(self.start.0)? / CI).ok()?;
        (index < self.used.len()).then_some(index)
    }

    /// Moves the window: as much of `window` as the first data set that answers has around `rba`.
    fn fill(&mut self, rba: Rba, window: RbaRange) -> Result<(), Unreadable> {
        self.used.clear();
        self.source = None;
        self.sets.close_others(rba);
        let mut tried = Vec::new();
        for set in self.sets.holding(rba) {
            let start = window.start.max(set.range.start);
            let end = window.end.min(set.range.end).max(rba.plus(CI));
            // A file that is cut short still serves up to there, by single control intervals.
            let alone = RbaRange::new(rba, rba.plus(CI));
            for stretch in [RbaRange::new(start, end), alone] {
                self.buffer.resize(stretch.len() as usize, 0);
                match self.sets.read(set, stretch.start, &mut self.buffer) {
                    Ok(()) => {
                        self.start = stretch.start;
                        self.used.resize(self.buffer.len() / CI_SIZE, UNCHECKED);
                        self.source = Some((set.name.clone(), self.sets.place(set, rba)));
                        self.bytes_read += stretch.len();
                        return Ok(());
                    }
                    Err(why) if stretch == alone => {
                        tried.push((set.name.clone(), why));
                    }
                    Err(_) => {}
                }
            }
        }
        let until = if tried.is_empty() {
            self.sets.next_start(rba).unwrap_or(window.end).min(window.end).max(rba.plus(CI))
        } else {
            rba.plus(CI)
        };
        Err(Unreadable { rba, until, refused: !tried.is_empty(), tried })
    }

    fn checksum(&mut self, identity: LogIdentity) -> SegmentChecksum {
        match &self.checksum {
            Some((history, checksum)) if *history == identity.history => checksum.clone(),
            _ => {
                let checksum = SegmentChecksum::new(identity);
                self.checksum = Some((identity.history, checksum.clone()));
                checksum
            }
        }
    }

    /// Verifies the control interval where it lies; when it is bad, takes it from the other data sets.
    fn verify(&mut self, index: usize, rba: Rba, need: Need) -> Result<usize, Unreadable> {
        let Some((name, place)) = self.source.clone() else {
            return Err(Unreadable { rba, until: rba.plus(CI), tried: Vec::new(), refused: false });
        };
        let checksum = self.checksum(place.identity);
        let bytes = self.buffer.get(index * CI_SIZE..(index + 1) * CI_SIZE).unwrap_or_default();
        match believe(bytes, &CiPlace { rba, ..place }, need, &checksum) {
            Ok(used) => Ok(used),
            Err(why) => self.repair(index, &CiPlace { rba, ..place }, need, (name, why), &checksum),
        }
    }

    fn repair(
        &mut self,
        index: usize,
        place: &CiPlace,
        need: Need,
        first: (String, CiDamage),
        checksum: &SegmentChecksum,
    ) -> Result<usize, Unreadable> {
        let &CiPlace { rba, identity, instance } = place;
        let mut tried = Vec::new();
        let mut versions: Vec<[u8; CI_SIZE]> = Vec::new();
        let mut found = None;
        let mut refused = false;
        for set in self.sets.holding(rba) {
            let mut ci = [0; CI_SIZE];
            let why = match self.sets.read(set, rba, &mut ci) {
                Ok(()) => match believe(&ci, &self.sets.place(set, rba), need, checksum) {
                    Ok(used) => {
                        found = Some((ci, used));
                        break;
                    }
                    Err(why) => {
                        versions.push(ci);
                        why.to_string()
                    }
                },
                Err(why) => {
                    refused = true;
                    why
                }
            };
            tried.push((set.name.clone(), why));
        }
        if found.is_none() {
            // No single version will do; segments prove themselves, so the versions may complete each other.
            let slices: Vec<&[u8]> = versions.iter().map(<[u8; CI_SIZE]>::as_slice).collect();
            let merged = merge(&slices, rba, checksum);
            let enough = match need {
                Need::Whole => !ci::has_room(merged.used),
                Need::Bytes(bytes) => merged.used >= bytes || !ci::has_room(merged.used),
            };
            if enough {
                let trailer = CiTrailer {
                    rba,
                    identity,
                    instance: instance.unwrap_or(0),
                    used: u16::try_from(merged.used).unwrap_or(0),
                    first_record: merged.first_record,
                    synced: Rba::ZERO,
                    closed: !ci::has_room(merged.used),
                };
                let mut ci = merged.bytes;
                trailer.put(&mut ci);
                found = Some((ci, merged.used));
            }
            if tried.is_empty() {
                tried.push((first.0, first.1.to_string()));
            }
            if let (None, Need::Bytes(_)) = (&found, need) {
                let rba = rba.plus(merged.used as u64);
                return Err(Unreadable { rba, until: rba.ci_start().plus(CI), tried, refused });
            }
        }
        match found {
            Some((ci, used)) => {
                if let Some(room) = self.buffer.get_mut(index * CI_SIZE..(index + 1) * CI_SIZE) {
                    room.copy_from_slice(&ci);
                }
                self.bytes_read += CI;
                Ok(used)
            }
            None => Err(Unreadable { rba, until: rba.plus(CI), tried, refused }),
        }
    }
}

/// Bytes of segments in `ci`, if they are what `need` asks for.
pub(crate) fn believe(
    ci: &[u8],
    place: &CiPlace,
    need: Need,
    checksum: &SegmentChecksum,
) -> Result<usize, CiDamage> {
    let place = &CiPlace { rba: believed_rba(ci, place.rba), ..*place };
    let whole = ci::verify_closed(ci, place, checksum);
    match (whole, need) {
        (Ok(trailer), _) => Ok(usize::from(trailer.used)),
        (Err(why), Need::Whole) => Err(why),
        (Err(why), Need::Bytes(bytes)) => {
            let mut segments = ci::Segments::new(ci, place.rba, checksum);
            segments.by_ref().for_each(drop);
            if segments.offset() >= bytes { Ok(segments.offset()) } else { Err(why) }
        }
    }
}

/// What the versions of a control interval hold together.
pub(crate) fn merge(versions: &[&[u8]], rba: Rba, checksum: &SegmentChecksum) -> Merged {
    let rba = versions.first().map_or(rba, |ci| believed_rba(ci, rba));
    Merged::of(versions, rba, checksum)
}

/// The RBA that a control interval's segments are checked against: where it was found.
pub(crate) fn believed_rba(ci: &[u8], rba: Rba) -> Rba {
    if planted::active(Defect::StaleCiAccepted) {
        return CiTrailer::take(ci).map_or(rba, |trailer| trailer.rba);
    }
    rba
}

/// The chunk that reading forward from `rba` wants.
pub(crate) fn ahead(rba: Rba, to: Rba) -> RbaRange {
    RbaRange::new(rba, rba.plus(CHUNK as u64).min(to.ci_ceiling()).max(rba.plus(CI)))
}

/// The data sets that have the control interval at `rba`, for messages.
pub(crate) fn names<'a>(sets: impl Iterator<Item = &'a DataSet>) -> Vec<String> {
    sets.map(|set| set.name.clone()).collect()
}
