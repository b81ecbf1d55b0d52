//! A recovery point that holds its log: what is needed from the recorded system recovery RBA to the point's end, copied beside the page
//! sets. Such a point can be moved, and becomes a queue manager where nothing else is.
//!
//! The log is copied when its last part has been archived, so all of it is durable, and every control interval is verified in either copy
//! while it is copied. One file holds the log of one history, laid out as an archive is.

use std::collections::VecDeque;

use engine_log::{LogExtract, LogReader};
use engine_storage::{OpenMode, SharedStorage, durable};
use format_bsds::{ArchiveLog, Bsds, decode_file};
use format_manifest::{CopiedLog, Manifest};
use format_types::{HistoryId, Lrsn, Rba, RbaRange, Timestamp};

use crate::copy::CopiedSet;
use crate::error::PointError;
use crate::list::read_bsds;
use crate::plan::PointPlan;
use crate::point::Point;

/// Name of the `number`th piece of log in a point's directory, from 1.
fn piece_file(number: usize) -> String {
    format!("LOG{number:04}")
}

/// Copies the log that a point needs into it, in small steps.
pub struct LogInclusion {
    storage: SharedStorage,
    plan: PointPlan,
    reader: LogReader,
    waiting: VecDeque<(HistoryId, RbaRange)>,
    current: Option<(String, LogExtract)>,
    total: u64,
    copied: Vec<CopiedLog>,
}

impl LogInclusion {
    /// Begins. `copied` are the page sets of the point, `end` is where it ends: the log below is archived, or its owner has stopped.
    ///
    /// # Errors
    /// When the BSDS cannot be read.
    pub fn begin(
        storage: &SharedStorage,
        plan: &PointPlan,
        copied: &[CopiedSet],
        end: Rba,
    ) -> Result<Self, PointError> {
        let bsds = read_bsds(storage, &plan.source)?;
        let of_copies =
            copied.iter().filter_map(|set| Some(set.report.page_set.as_ref()?.recovery_rba)).min();
        let from = plan.system_recovery.lowest().rba.min(of_copies.unwrap_or(Rba::MAX));
        let reader = LogReader::with_bsds(storage, &plan.source, bsds);
        let needed = RbaRange::new(from, end.max(plan.start));
        let waiting: VecDeque<_> =
            if needed.is_empty() { VecDeque::new() } else { reader.stretches(needed).into() };
        let total = waiting.iter().map(|(_, range)| range.len()).sum();
        Ok(Self {
            storage: storage.clone(),
            plan: plan.clone(),
            reader,
            waiting,
            current: None,
            total,
            copied: Vec::new(),
        })
    }

    /// Bytes copied, and bytes in all.
    #[must_use]
    pub fn progress(&self) -> (u64, u64) {
        let done: u64 = self.copied.iter().map(|piece| piece.length).sum();
        (done + self.current.as_ref().map_or(0, |(_, copy)| copy.done()), self.total)
    }

    /// Copies about a mebibyte, or begins the next piece; once all is copied, says what the manifest is to name.
    ///
    /// # Errors
    /// When log that is needed can be read from no data set, or the copy not be written.
    pub fn step(&mut self) -> Result<Option<Vec<CopiedLog>>, PointError> {
        let Some((file, copy)) = &mut self.current else {
            let Some((history, range)) = self.waiting.pop_front() else {
                return Ok(Some(std::mem::take(&mut self.copied)));
            };
            let file = piece_file(self.copied.len() + 1);
            let path = self.plan.temporary().join(&file);
            let target = self.storage.open(&path, OpenMode::CreateNew);
            let target = target.map_err(|e| PointError::storage("making", &path, e))?;
            self.current = Some((file, self.reader.extract(history, range, target)));
            return Ok(None);
        };
        if let Some(done) = copy.step()? {
            self.copied.push(CopiedLog {
                file: std::mem::take(file),
                history: done.history,
                start: done.range.start,
                end: done.end,
                length: done.range.len(),
                checksum: done.checksum,
            });
            self.current = None;
        }
        Ok(None)
    }

    /// Takes all steps.
    ///
    /// # Errors
    /// As [`Self::step`].
    pub fn run(mut self, progress: &mut dyn FnMut(u64, u64)) -> Result<Vec<CopiedLog>, PointError> {
        loop {
            if let Some(copied) = self.step()? {
                return Ok(copied);
            }
            let (done, total) = self.progress();
            progress(done, total);
        }
    }
}

/// The BSDS copy of a point.
///
/// # Errors
/// When it is missing, damaged, or not the one that the manifest names.
pub(crate) fn bsds_of(storage: &SharedStorage, point: &Point) -> Result<Bsds, PointError> {
    let manifest = &point.manifest;
    let path = point.directory.join(&manifest.bsds.file);
    let damaged = |why: String| PointError::Damaged { point: manifest.name.clone(), why };
    let bytes = durable::read_file(storage.as_ref(), &path, manifest.bsds.length)
        .map_err(|error| damaged(error.to_string()))?;
    if format_types::crc32c(&bytes) != manifest.bsds.checksum {
        return Err(damaged(format!(
            "{} is not the copy that was made: its checksum differs",
            manifest.bsds.file
        )));
    }
    let bsds = decode_file(&bytes).newest;
    let bsds = bsds.ok_or_else(|| damaged(format!("{} holds no BSDS", manifest.bsds.file)))?;
    if bsds.queue_manager != manifest.queue_manager_id {
        return Err(damaged(format!("its BSDS is of queue manager {}", bsds.queue_manager)));
    }
    Ok(bsds)
}

/// `bsds`, naming the log that the point holds and no other.
pub(crate) fn with_pieces(bsds: &Bsds, manifest: &Manifest, pieces: &[CopiedLog]) -> Bsds {
    let entry = |piece: &CopiedLog| ArchiveLog {
        copy: 1,
        name: piece.file.clone(),
        history: piece.history,
        range: RbaRange::new(piece.start, piece.start.plus(piece.length)),
        start_lrsn: Lrsn::default(),
        end_lrsn: Lrsn::default(),
        written_at: manifest.at,
        unit: "DISK".to_owned(),
        volume: String::new(),
        bsds_name: String::new(),
        deleting: false,
    };
    Bsds { active_logs: Vec::new(), archives: pieces.iter().map(entry).collect(), ..bsds.clone() }
}

/// What is wrong with the log that a point holds: of each file, and of each control interval. Empty when nothing is, or it holds none.
pub(crate) fn problems(storage: &SharedStorage, point: &Point) -> Result<Vec<String>, PointError> {
    let manifest = &point.manifest;
    let Some(pieces) = &manifest.log else { return Ok(Vec::new()) };
    let mut problems = Vec::new();
    for piece in pieces {
        let path = point.directory.join(&piece.file);
        match storage.open(&path, OpenMode::Read).and_then(|file| file.len()) {
            Ok(length) if length == piece.length => {}
            Ok(length) => {
                let (file, wanted) = (&piece.file, piece.length);
                problems.push(format!("{file} has {length} bytes, the manifest says {wanted}"));
            }
            Err(error) => problems.push(error.to_string()),
        }
    }
    // The BSDS copy is looked at for itself; without it nothing says to which line the log belongs.
    let Ok(bsds) = bsds_of(storage, point) else { return Ok(problems) };
    let needed = RbaRange::new(manifest.log_needed_from(), manifest.end);
    if problems.is_empty() && !needed.is_empty() {
        let reader = LogReader::with_bsds(storage, &point.directory, with_pieces(&bsds, manifest, pieces));
        for gap in reader.missing(needed)? {
            problems.push(format!("included log {} cannot be read: {}", gap.range, gap.why));
        }
    }
    Ok(problems)
}

/// Time of the last record before `rba`, as far as it can be read.
pub(crate) fn time_before(reader: &LogReader, rba: Rba) -> Option<Timestamp> {
    Some(reader.lrsn_before(rba)).filter(|lrsn| *lrsn != Lrsn::default()).map(Lrsn::timestamp)
}
