//! Whether recovery points can be reached, and are what the BSDS says of them.
//!
//! Only what is seen counts: a point whose directory is gone, or not mounted, must not be the reason for which an older point's log
//! goes. It may come back, so its log is kept too: it is shown as unverified.

use std::path::Path;

use engine_storage::{SharedStorage, durable};
use format_bsds::{Bsds, RecoveryPointEntry};
use format_manifest::{MANIFEST_FILE, Manifest};
use format_types::PointState;

/// Far above any manifest.
const LONGEST_MANIFEST: u64 = 64 << 20;

/// What was found of a recovery point.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointCheck {
    /// What is known of it: as the BSDS says, but unverified where it cannot be reached or is not whole.
    pub state: PointState,
    /// Why it is not believed.
    pub doubt: Option<String>,
}

/// Looks at the point that `entry` names: its manifest, and that each file that it lists is there with its length.
pub(crate) fn check(storage: &SharedStorage, bsds: &Bsds, entry: &RecoveryPointEntry) -> PointCheck {
    if entry.state == PointState::Damaged {
        return PointCheck { state: entry.state, doubt: None };
    }
    match look(storage, bsds, entry) {
        Ok(state) => {
            PointCheck { state: if state == PointState::Verified { entry.state } else { state }, doubt: None }
        }
        Err(why) => PointCheck { state: PointState::Unverified, doubt: Some(why) },
    }
}

fn look(storage: &SharedStorage, bsds: &Bsds, entry: &RecoveryPointEntry) -> Result<PointState, String> {
    let directory = Path::new(&entry.directory);
    let path = directory.join(MANIFEST_FILE);
    let bytes =
        durable::read_file(storage.as_ref(), &path, LONGEST_MANIFEST).map_err(|error| error.to_string())?;
    let manifest = Manifest::decode(&bytes).map_err(|error| format!("{}: {error}", path.display()))?;
    let same = manifest.queue_manager_id == bsds.queue_manager
        && manifest.name == entry.name
        && manifest.at == entry.at
        && (manifest.history, manifest.start, manifest.end) == (entry.history, entry.start, entry.end);
    if !same {
        return Err(format!(
            "{} is of another recovery point, {} of {}",
            path.display(),
            manifest.name,
            manifest.queue_manager
        ));
    }
    let sets = manifest.page_sets.iter().map(|copy| (&copy.file, copy.length));
    let others = [&manifest.bsds, &manifest.definitions].map(|file| (&file.file, file.length));
    for (file, length) in sets.chain(others) {
        let path = directory.join(file);
        let found = storage.look(&path).map_err(|error| error.to_string())?;
        match found {
            Some(found) if found.len == length => {}
            Some(found) => {
                return Err(format!(
                    "{} has {} bytes, the manifest says {length}",
                    path.display(),
                    found.len
                ));
            }
            None => return Err(format!("{} is not there", path.display())),
        }
    }
    Ok(manifest.state)
}
