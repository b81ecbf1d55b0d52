//! A copy of a queue manager to rehearse on. The original is only read, and may run.
//!
//! Page sets first, then the log and its inventory: what the pages hold is then in the log that is copied. When a log switch or an
//! archive comes in between, or the open end of the log was caught half-written, the log is copied again.

use std::path::Path;

use console::{Failure, message};
use engine_log::{BSDS_NAMES, LogReader};
use engine_page_store::page_set_path;
use engine_storage::{OpenMode, SharedStorage, durable};
use format_types::ConditionCode;
use operation_copy::{
    AnyReader, FileSource, FileTarget, ImageKind, PageSetCopy, RECOGNISED_BY, Source, copy_pipelined,
    recognise,
};

/// Copies of the log that are made before giving up: each time the original was faster.
const ATTEMPTS: u32 = 10;

/// Copies the queue manager in `from` to the new directory `to`.
pub(crate) fn copy_of(storage: &SharedStorage, from: &Path, to: &Path) -> Result<(), Failure> {
    let bsds = engine_log::read_bsds(storage, from).map_err(Failure::of)?;
    storage.create_dir(to).map_err(Failure::of)?;
    for entry in &bsds.page_sets {
        let (source, target) = (page_set_path(from, entry.page_set), page_set_path(to, entry.page_set));
        let input = storage.open(&source, OpenMode::Read).map_err(Failure::of)?;
        let output = storage.open(&target, OpenMode::CreateNew).map_err(Failure::of)?;
        let shown = source.display().to_string();
        let mut copy = PageSetCopy::of_files(input, &shown, output, "copy", Some(entry.page_set));
        let report = copy.run().map_err(Failure::of)?;
        if let Some(damaged) = report.damaged.first() {
            let text = format!("{shown}: page {:08X} never verified: {}", damaged.number, damaged.why);
            return Err(Failure::refused("HWT793E", text)
                .hint("the original is damaged already; recover it before you rehearse a loss"));
        }
    }
    let mut last = None;
    for _ in 0..ATTEMPTS {
        match copy_log(storage, from, to) {
            Ok(true) => return Ok(()),
            Ok(false) => {}
            Err(failure) => last = Some(failure),
        }
    }
    let text = format!("the log of {} changed faster than it could be copied", from.display());
    Err(last.unwrap_or_else(|| Failure::new(ConditionCode::Refused, "HWT794E", text)))
}

/// Copies inventory, active logs and archives; whether they fit together.
fn copy_log(storage: &SharedStorage, from: &Path, to: &Path) -> Result<bool, Failure> {
    let before = engine_log::read_bsds(storage, from).map_err(Failure::of)?;
    let actives = before.active_logs.iter().map(|log| log.name.clone());
    let archives = before.archives.iter().flat_map(|log| [log.name.clone(), log.bsds_name.clone()]);
    for name in actives.chain(archives) {
        match copy_file(storage, &from.join(&name), &to.join(&name)) {
            Ok(()) => {}
            // An archive of one copy may be gone; what is needed of the log shows at the start.
            Err(error) if !storage.exists(&from.join(&name)).unwrap_or(true) => {
                message("HWT795W", &format!("{name} is not there: {}", error.text));
            }
            Err(error) => return Err(error),
        }
    }
    for name in BSDS_NAMES {
        copy_file(storage, &from.join(name), &to.join(name))?;
    }
    let copied = engine_log::read_bsds(storage, to).map_err(Failure::of)?;
    if copied.sequence != before.sequence {
        return Ok(false);
    }
    let mut reader = LogReader::open(storage, to).map_err(Failure::of)?;
    Ok(reader.find_end().is_ok())
}

fn copy_file(storage: &SharedStorage, from: &Path, to: &Path) -> Result<(), Failure> {
    let input = storage.open(from, OpenMode::Read).map_err(Failure::of)?;
    durable::remove_if_there(storage.as_ref(), to).map_err(Failure::of)?;
    let output = storage.open(to, OpenMode::CreateNew).map_err(Failure::of)?;
    let mut source = FileSource::new(input, from.display().to_string());
    let length = source.length().map_err(Failure::of)?.unwrap_or(0);
    let mut start = vec![0; usize::try_from(length).unwrap_or(usize::MAX).min(RECOGNISED_BY)];
    source.read(0, &mut start).map_err(Failure::of)?;
    let kind = match recognise(&start) {
        ImageKind::Bsds => ImageKind::Bsds,
        // What the log is worth shows when its end is looked for; here damage must not hold up the copy.
        _ => ImageKind::Records,
    };
    let mut reader = AnyReader::new(source, kind, true);
    let mut target = FileTarget::new(output, to.display().to_string());
    copy_pipelined(&mut reader, &mut target, None, &mut |_, _| {}).map_err(Failure::of)?;
    Ok(())
}
