//! From finished copies to a recovery point under its final name.

use engine_log::BSDS_NAMES;
use engine_storage::{OpenMode, SharedStorage, durable};
use format_manifest::{CopiedFile, CopiedLog, CopiedPageSet, MANIFEST_FILE, Manifest};
use format_protocol::PointRegistration;
use format_types::{PageNumber, PointState, Rba, crc32c};
use operation_copy::{BsdsReader, CopyError, CopyReport, CopyStep, FileSource, FileTarget, ImageCopy};

use crate::copy::CopiedSet;
use crate::error::PointError;
use crate::plan::{BSDS_FILE, DEFINITIONS_FILE, PointPlan};

/// Writes BSDS copy, definitions and manifest beside the copies, and gives the directory its name. `end` is the end of the log after
/// the last page was copied. Durable when it returns: every file is synced, then the directory, then it is renamed, then its parent
/// is synced; until the rename there is no recovery point.
///
/// # Errors
/// When neither BSDS copy can be read, or storage refuses. The point is then not published.
pub fn publish(
    storage: &SharedStorage,
    plan: &PointPlan,
    copied: &[CopiedSet],
    definitions: &[String],
    end: Rba,
) -> Result<Manifest, PointError> {
    publish_with(storage, plan, copied, definitions, end, &[], None)
}

/// The same with the log that the point needs, where `log` has been copied beside the page sets.
///
/// # Errors
/// As [`publish`].
pub fn publish_with_log(
    storage: &SharedStorage,
    plan: &PointPlan,
    copied: &[CopiedSet],
    definitions: &[String],
    end: Rba,
    log: Option<Vec<CopiedLog>>,
) -> Result<Manifest, PointError> {
    publish_with(storage, plan, copied, definitions, end, &[], log)
}

/// The same for a queue manager that has stopped, with what the stop printed: the log ends where the point starts.
pub(crate) fn publish_stopped(
    storage: &SharedStorage,
    plan: &PointPlan,
    copied: &[CopiedSet],
    definitions: &[String],
    stopped: &[String],
    log: Option<Vec<CopiedLog>>,
) -> Result<Manifest, PointError> {
    publish_with(storage, plan, copied, definitions, plan.start, stopped, log)
}

fn publish_with(
    storage: &SharedStorage,
    plan: &PointPlan,
    copied: &[CopiedSet],
    definitions: &[String],
    end: Rba,
    stopped: &[String],
    log: Option<Vec<CopiedLog>>,
) -> Result<Manifest, PointError> {
    let temporary = plan.temporary();
    let bsds = copy_bsds(storage, plan)?;
    let mut text = definitions.join("\n");
    text.push('\n');
    let definitions = write_new(storage, plan, DEFINITIONS_FILE, text.as_bytes())?;
    let damaged = copied.iter().any(|set| set.report.damaged_count > 0);
    let mut page_sets: Vec<CopiedPageSet> = copied.iter().map(entry).collect();
    page_sets.sort_by_key(|copy| copy.page_set);
    let manifest = Manifest {
        name: plan.name.clone(),
        queue_manager: plan.queue_manager.clone(),
        queue_manager_id: plan.queue_manager_id,
        history: plan.history,
        method: plan.method,
        state: if damaged { PointState::Damaged } else { PointState::Verified },
        at: plan.at,
        start: plan.start,
        end: end.max(plan.start),
        page_sets,
        system_recovery: plan.system_recovery.clone(),
        bsds,
        definitions,
        stopped: stopped.to_vec(),
        log,
    };
    let bytes = manifest
        .encode()
        .map_err(|error| PointError::Manifest { path: temporary.join(MANIFEST_FILE), error })?;
    write_new(storage, plan, MANIFEST_FILE, &bytes)?;
    storage.sync_dir(&temporary).map_err(|e| PointError::storage("syncing", &temporary, e))?;
    durable::rename(storage.as_ref(), &temporary, &plan.directory)
        .map_err(|e| PointError::storage("publishing", &plan.directory, e))?;
    Ok(manifest)
}

/// What the BSDS is to keep of a published point.
#[must_use]
pub fn registration(plan: &PointPlan, manifest: &Manifest) -> PointRegistration {
    PointRegistration {
        name: manifest.name.clone(),
        directory: plan.directory.to_string_lossy().into_owned(),
        method: manifest.method,
        state: manifest.state,
        at: manifest.at,
        history: manifest.history,
        start: manifest.start,
        end: manifest.end,
        page_sets: manifest.page_sets.iter().map(|copy| (copy.page_set, copy.recovery_rba)).collect(),
        system_recovery: manifest.system_recovery.clone(),
    }
}

fn entry(set: &CopiedSet) -> CopiedPageSet {
    let report = &set.report;
    CopiedPageSet {
        page_set: set.page_set,
        file: PointPlan::page_set_file(set.page_set),
        recovery_rba: report.page_set.as_ref().map_or(Rba::ZERO, |facts| facts.recovery_rba),
        pages: u32::try_from(report.records).unwrap_or(u32::MAX),
        length: report.length,
        checksum: report.checksum,
        damaged_pages: report
            .damaged
            .iter()
            .map(|damaged| PageNumber(u32::try_from(damaged.number).unwrap_or(u32::MAX)))
            .collect(),
    }
}

fn write_new(
    storage: &SharedStorage,
    plan: &PointPlan,
    name: &str,
    bytes: &[u8],
) -> Result<CopiedFile, PointError> {
    let path = plan.temporary().join(name);
    let write = || {
        let file = storage.open(&path, OpenMode::CreateNew)?;
        file.write_at(0, bytes)?;
        file.sync()
    };
    write().map_err(|e| PointError::storage("writing", &path, e))?;
    Ok(CopiedFile { file: name.to_owned(), length: bytes.len() as u64, checksum: crc32c(bytes) })
}

/// Copies the first BSDS copy that has no damaged slot.
fn copy_bsds(storage: &SharedStorage, plan: &PointPlan) -> Result<CopiedFile, PointError> {
    let to = plan.temporary().join(BSDS_FILE);
    let mut last = None;
    for name in BSDS_NAMES {
        let from = plan.source.join(name);
        durable::remove_if_there(storage.as_ref(), &to)
            .map_err(|e| PointError::storage("clearing", &to, e))?;
        let source = match storage.open(&from, OpenMode::Read) {
            Ok(source) => source,
            Err(error) => {
                last = Some(PointError::storage("opening", &from, error));
                continue;
            }
        };
        let target =
            storage.open(&to, OpenMode::CreateNew).map_err(|e| PointError::storage("making", &to, e))?;
        let reader = BsdsReader::new(FileSource::new(source, from.display().to_string()));
        match run(&mut ImageCopy::new(reader, FileTarget::new(target, to.display().to_string()))) {
            Ok(report) if report.damaged_count == 0 => {
                return Ok(CopiedFile {
                    file: BSDS_FILE.to_owned(),
                    length: report.length,
                    checksum: report.checksum,
                });
            }
            Ok(report) => {
                let why = report.damaged.first().map(|damaged| damaged.why.clone()).unwrap_or_default();
                let why = std::io::Error::new(std::io::ErrorKind::InvalidData, why);
                last = Some(PointError::storage("copying", &from, why));
            }
            Err(error) => last = Some(error.into()),
        }
    }
    Err(last.unwrap_or_else(|| PointError::NoQueueManager(plan.source.clone())))
}

/// Takes all steps without pauses: while the first copy of a BSDS is being written, the second one is whole.
fn run(copy: &mut ImageCopy<BsdsReader<FileSource>, FileTarget>) -> Result<CopyReport, CopyError> {
    loop {
        if let CopyStep::Done(report) = copy.step()? {
            return Ok(report);
        }
    }
}
