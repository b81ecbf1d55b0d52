//! Archives that are being deleted.

use std::collections::{HashMap, HashSet};

use engine_storage::planted::{self, Defect};
use format_bsds::{ArchiveLog, Bsds};
use format_types::{ArchiveReference, Rba};

use super::{Refusal, refusal};

type Changed = Result<Vec<String>, Refusal>;

fn places(bsds: &Bsds) -> HashMap<String, usize> {
    (0..).zip(&bsds.archives).map(|(place, archive)| (archive.name.clone(), place)).collect()
}

fn another<T>(reference: &ArchiveReference, known: Option<&ArchiveLog>) -> Result<T, Refusal> {
    let ArchiveReference { name, copy, history, range } = reference;
    let says = known.map_or_else(
        || "it is not in it".to_owned(),
        |known| format!("it says {} of history {}, copy {}", known.range, known.history, known.copy),
    );
    refusal(
        "HWT489E",
        format!(
            "ARCHIVE {name} (copy {copy}, log {range} of history {history}) IS NOT THE ONE IN THE BSDS: {says}; nothing was \
             changed. Make the plan again"
        ),
    )
}

pub(super) fn mark(bsds: &mut Bsds, archives: &[ArchiveReference], facts: u64, needed_from: Rba) -> Changed {
    let found = bsds.facts();
    if found != facts && !planted::active(Defect::FactsNotCompared) {
        return refusal(
            "HWT488E",
            format!(
                "NOTHING IS DELETED: recovery points, holds, backups or page sets are others than those that the plan was evaluated on \
                 (facts {found:016X}, not {facts:016X}); evaluate it again"
            ),
        );
    }
    let places = places(bsds);
    let line = bsds.line();
    let mut marked = Vec::with_capacity(archives.len());
    for reference in archives {
        let place = places.get(&reference.name).copied();
        let known = place.and_then(|place| bsds.archives.get(place));
        let Some((place, known)) = place.zip(known).filter(|(_, known)| known.is(reference)) else {
            return another(reference, known);
        };
        if let Some(on_line) = line.clip(known.history, known.range).filter(|range| range.end > needed_from) {
            return refusal(
                "HWT490E",
                format!(
                    "ARCHIVE {} (log {on_line}) IS NEEDED: a restart or a backup in progress reads the log from {needed_from}; nothing \
                     was changed",
                    known.name
                ),
            );
        }
        marked.push(place);
    }
    let count = marked.len();
    for place in marked {
        if let Some(archive) = bsds.archives.get_mut(place) {
            archive.deleting = true;
        }
    }
    Ok(vec![format!("HWT455I {count} ARCHIVES ARE MARKED AS BEING DELETED")])
}

pub(super) fn settle(bsds: &mut Bsds, gone: &[ArchiveReference], kept: &[ArchiveReference]) -> Changed {
    let places = places(bsds);
    let mut dropped = HashSet::new();
    for reference in gone {
        // One that is not there was settled before.
        let Some(known) = places.get(&reference.name).and_then(|place| bsds.archives.get(*place)) else {
            continue;
        };
        if !known.is(reference) {
            return another(reference, Some(known));
        }
        if !known.deleting {
            return refusal(
                "HWT491E",
                format!(
                    "ARCHIVE {} IS NOT MARKED AS BEING DELETED: its entry stays, nothing was changed. Restore its file if it is gone",
                    known.name
                ),
            );
        }
        dropped.insert(reference.name.as_str());
    }
    for reference in kept {
        let place = places.get(&reference.name).copied();
        if let Some(archive) = place.and_then(|place| bsds.archives.get_mut(place)) {
            if !archive.is(reference) {
                return another(reference, Some(archive));
            }
            archive.deleting = false;
        }
    }
    if let Some(both) = kept.iter().find(|reference| dropped.contains(reference.name.as_str())) {
        return refusal(
            "HWT491E",
            format!("ARCHIVE {} CANNOT BE GONE AND STAY: nothing was changed", both.name),
        );
    }
    let dropped = bsds.drop_archives(|archive| dropped.contains(archive.name.as_str())).len();
    Ok(vec![format!("HWT456I {dropped} ARCHIVES ARE DELETED, {} STAY", kept.len())])
}
