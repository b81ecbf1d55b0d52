//! Looking at every byte of a recovery point, and at the log that it needs.

use std::path::Path;

use engine_log::{CopyFault, LogReader, compare_copies_while};
use engine_storage::{OpenMode, SharedStorage, durable};
use format_manifest::{CopiedFile, CopiedPageSet};
use format_types::{ConditionCode, PageNumber, PageSetId, PointState, RbaRange, crc32c};
use operation_copy::{CopyError, CopyReport, FileSource, ImageCopy, NoTarget, PageSetReader};
use serde::Serialize;

use crate::error::PointError;
use crate::point::Point;
use crate::recovery_plan::{LogCheck, check_range_while, deleted_behind, log_needed};

/// A page of a copy that does not verify.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct DamagedPage {
    /// The page set.
    pub page_set: PageSetId,
    /// The page.
    pub page: PageNumber,
    /// What is wrong with it.
    pub why: String,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct VerifyReport {
    /// The point.
    pub name: String,
    /// Pages looked at.
    pub pages: u64,
    /// Pages that do not verify, the first thousand of each page set.
    pub damaged_pages: Vec<DamagedPage>,
    /// How many pages do not verify.
    pub damaged_count: u64,
    /// What else is wrong with its files.
    pub problems: Vec<String>,
    /// Log that the point needs: from the recorded system recovery RBA to the log's end.
    pub log_needed: Option<RbaRange>,
    /// Stretches of it that can be read from no data set.
    pub log_missing: Vec<String>,
    /// Places where one copy of it is damaged or the copies differ, the first hundred.
    pub log_copies: Vec<String>,
    /// How many such places there are.
    pub log_copy_faults: u64,
    /// Stretches behind the end of its copies that were deleted on purpose: it recovers to that end, and not beyond.
    pub log_deleted: Vec<RbaRange>,
    /// What is known of it now: damaged when its own files are, unverified when something else is in the way.
    pub state: PointState,
}

/// Log checked between two questions whether to go on.
const LOG_SLICE: u64 = 4 << 20;

/// Places named in [`VerifyReport::log_copies`].
const PLACES_NAMED: usize = 100;

impl VerifyReport {
    fn of(point: &Point) -> Self {
        Self {
            name: point.manifest.name.clone(),
            pages: 0,
            damaged_pages: Vec::new(),
            damaged_count: 0,
            problems: Vec::new(),
            log_needed: None,
            log_missing: Vec::new(),
            log_copies: Vec::new(),
            log_copy_faults: 0,
            log_deleted: Vec::new(),
            state: PointState::Verified,
        }
    }

    /// 8 when anything is wrong, also where log is good in one copy only; 4 when it recovers to the end of its copies only; else 0.
    #[must_use]
    pub fn code(&self) -> ConditionCode {
        if !self.is_recoverable() || self.log_copy_faults > 0 {
            ConditionCode::Partial
        } else if !self.log_deleted.is_empty() {
            ConditionCode::Warning
        } else {
            ConditionCode::Done
        }
    }

    /// Its state is no better than `state`.
    fn worse(&mut self, state: PointState) {
        self.state = self.state.max(state);
    }

    fn problem(&mut self, text: String, state: PointState) {
        self.problems.push(text);
        self.worse(state);
    }

    /// Whether the point can be recovered as it is.
    #[must_use]
    pub fn is_recoverable(&self) -> bool {
        self.damaged_count == 0 && self.problems.is_empty() && self.log_missing.is_empty()
    }

    fn note_copy_fault(&mut self, fault: &CopyFault) {
        self.log_copy_faults += 1;
        if self.log_copies.len() < PLACES_NAMED {
            let CopyFault { rba, data_set, copy, why, .. } = fault;
            self.log_copies.push(format!("RBA {rba} in {data_set} (copy {copy}): {why}"));
        }
    }
}

/// Verifies the point: every page of every copy, the other files, and, with the queue manager's directory, the log that it needs.
/// `progress` hears of bytes looked at and bytes in all.
///
/// # Errors
/// When storage refuses. What is wrong with the point is in the report.
pub fn verify_point(
    storage: &SharedStorage,
    point: &Point,
    queue_manager: Option<&Path>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<VerifyReport, PointError> {
    let mut go_on = |done, total| {
        progress(done, total);
        true
    };
    let report = verify_point_while(storage, point, queue_manager, &mut go_on)?;
    Ok(report.unwrap_or_else(|| VerifyReport::of(point)))
}

/// The same as long as `go_on` says so, which hears of the progress about every mebibyte; none when it was ended before its end: nothing is
/// then known of the point.
///
/// # Errors
/// As [`verify_point`].
pub fn verify_point_while(
    storage: &SharedStorage,
    point: &Point,
    queue_manager: Option<&Path>,
    go_on: &mut dyn FnMut(u64, u64) -> bool,
) -> Result<Option<VerifyReport>, PointError> {
    match look(storage, point, queue_manager, go_on) {
        Ok(report) => Ok(Some(report)),
        Err(Halt::Ended) => Ok(None),
        Err(Halt::Failed(error)) => Err(error),
    }
}

/// Why there is no report.
enum Halt {
    /// It was to end.
    Ended,
    /// It cannot be looked at.
    Failed(PointError),
}

impl From<PointError> for Halt {
    fn from(error: PointError) -> Self {
        Self::Failed(error)
    }
}

fn look(
    storage: &SharedStorage,
    point: &Point,
    queue_manager: Option<&Path>,
    go_on: &mut dyn FnMut(u64, u64) -> bool,
) -> Result<VerifyReport, Halt> {
    let manifest = &point.manifest;
    let mut report = VerifyReport::of(point);
    if manifest.state == PointState::Damaged {
        let why = "the point was damaged when it was made: it counts for nothing".to_owned();
        report.problem(why, PointState::Damaged);
    }
    let total = manifest.page_sets.iter().map(|copy| copy.length).sum();
    let mut before = 0;
    for copy in &manifest.page_sets {
        verify_copy(storage, point, copy, &mut report, &mut |done| go_on(before + done, total))?;
        before += copy.length;
    }
    for file in [&manifest.bsds, &manifest.definitions] {
        if let Some(problem) = file_problem(storage, point, file) {
            report.problem(problem, PointState::Damaged);
        }
    }
    for problem in crate::include_log::problems(storage, point)? {
        report.problem(problem, PointState::Damaged);
    }
    // A point that holds its log can be looked at where its queue manager is not.
    let alone = |dir: &&Path| manifest.log.is_some() && is_no_queue_manager(storage, dir);
    if let Some(dir) = queue_manager.filter(|dir| !alone(dir)) {
        verify_log(storage, point, dir, &mut report, &mut || go_on(before, total))?;
    }
    Ok(report)
}

fn verify_log(
    storage: &SharedStorage,
    point: &Point,
    dir: &Path,
    report: &mut VerifyReport,
    go_on: &mut dyn FnMut() -> bool,
) -> Result<(), Halt> {
    let bsds = crate::list::read_bsds(storage, dir)?;
    let mut reader = LogReader::with_bsds(storage, dir, bsds);
    let checked = log_needed(&mut reader, point)
        .and_then(|needed| check_range_while(&reader, needed, LOG_SLICE, &mut |_, _| go_on()));
    let LogCheck { needed, missing } = match checked {
        Ok(checked) => checked.ok_or(Halt::Ended)?,
        Err(error @ (PointError::Storage { .. } | PointError::NoQueueManager(_))) => return Err(error.into()),
        Err(error) => {
            report.log_missing.push(error.to_string());
            report.worse(PointState::Unverified);
            return Ok(());
        }
    };
    report.log_needed = Some(needed);
    // What is in no copy is told below, once.
    let mut note = |fault: CopyFault| {
        if fault.elsewhere {
            report.note_copy_fault(&fault);
        }
    };
    match compare_copies_while(storage, dir, needed, &mut note, go_on) {
        Ok(Some(_)) => {}
        Ok(None) => return Err(Halt::Ended),
        Err(error) => {
            report.problem(
                format!("the copies of the log cannot be compared: {error}"),
                PointState::Unverified,
            );
        }
    }
    for gap in &missing {
        if deleted_behind(&reader, point, gap.range) {
            report.log_deleted.push(gap.range);
            continue;
        }
        let text = format!("log {} is needed and can be read from no data set: {}", gap.range, gap.why);
        report.log_missing.push(text);
        report.worse(PointState::Unverified);
    }
    Ok(())
}

fn is_no_queue_manager(storage: &SharedStorage, dir: &Path) -> bool {
    matches!(crate::list::read_bsds(storage, dir), Err(PointError::NoQueueManager(_)))
}

fn verify_copy(
    storage: &SharedStorage,
    point: &Point,
    copy: &CopiedPageSet,
    report: &mut VerifyReport,
    go_on: &mut dyn FnMut(u64) -> bool,
) -> Result<(), Halt> {
    let path = point.directory.join(&copy.file);
    let file = match storage.open(&path, OpenMode::Read) {
        Ok(file) => file,
        Err(error) => {
            // One that is not let near it may be let near it another time.
            let gone = error.kind() == std::io::ErrorKind::NotFound;
            let state = if gone { PointState::Damaged } else { PointState::Unverified };
            report.problem(format!("page set {}: {error}", copy.page_set), state);
            return Ok(());
        }
    };
    let source = FileSource::new(file, path.display().to_string());
    let reader = PageSetReader::new(source, Some(copy.page_set)).at_rest();
    let mut verification = ImageCopy::new(reader, NoTarget);
    let found = loop {
        match verification.step() {
            Ok(operation_copy::CopyStep::Done(found)) => break found,
            Ok(operation_copy::CopyStep::More) => {
                if !go_on(verification.progress().0) {
                    return Err(Halt::Ended);
                }
            }
            Ok(operation_copy::CopyStep::Pause(pause)) => std::thread::sleep(pause),
            Err(error) => {
                let refused = matches!(error, CopyError::Read { .. });
                let state = if refused { PointState::Unverified } else { PointState::Damaged };
                report.problem(error.to_string(), state);
                return Ok(());
            }
        }
    };
    report.pages += found.records;
    report.damaged_count += found.damaged_count;
    if found.damaged_count > 0 {
        report.worse(PointState::Damaged);
    }
    for damaged in &found.damaged {
        report.damaged_pages.push(DamagedPage {
            page_set: copy.page_set,
            page: PageNumber(u32::try_from(damaged.number).unwrap_or(u32::MAX)),
            why: damaged.why.clone(),
        });
    }
    if let Some(problem) = copy_problem(point, copy, &found).filter(|_| found.damaged_count == 0) {
        report.problem(problem, PointState::Damaged);
    }
    Ok(())
}

/// How a copy whose pages verify differs from what the manifest says of it.
pub(crate) fn copy_problem(point: &Point, copy: &CopiedPageSet, found: &CopyReport) -> Option<String> {
    let manifest = &point.manifest;
    let name = format!("page set {}", copy.page_set);
    if let Some(facts) = &found.page_set {
        if facts.queue_manager_id != manifest.queue_manager_id {
            return Some(format!("{name} belongs to queue manager {}", facts.queue_manager_id));
        }
        if facts.recovery_rba != copy.recovery_rba {
            return Some(format!(
                "{name} has recovery RBA {}, the manifest says {}",
                facts.recovery_rba, copy.recovery_rba
            ));
        }
    }
    if found.length != copy.length {
        return Some(format!("{name} has {} bytes in use, the manifest says {}", found.length, copy.length));
    }
    if found.checksum != copy.checksum {
        return Some(format!(
            "{name} has checksum {:08X}, the manifest says {:08X}: it is not the copy that was made",
            found.checksum, copy.checksum
        ));
    }
    None
}

pub(crate) fn file_problem(storage: &SharedStorage, point: &Point, file: &CopiedFile) -> Option<String> {
    let path = point.directory.join(&file.file);
    match durable::read_file(storage.as_ref(), &path, file.length) {
        Err(error) => Some(error.to_string()),
        Ok(bytes) if bytes.len() as u64 != file.length => {
            Some(format!("{} has {} bytes, the manifest says {}", file.file, bytes.len(), file.length))
        }
        Ok(bytes) if crc32c(&bytes) != file.checksum => {
            Some(format!("{} is damaged: its checksum is not the manifest's", file.file))
        }
        Ok(_) => None,
    }
}
