//! Changing the BSDS of a queue manager that is down.

use std::path::Path;

use engine_storage::SharedStorage;
use format_bsds::Bsds;

use crate::LogError;
use crate::bsds_files::{BsdsFiles, read_pair};

/// Changes the BSDS in `dir`, durably in copy 1 and then in copy 2 when it returns, and repairs a copy that is not as it should be;
/// gives what `change` says, what was written, and messages for people. A change that is refused writes nothing, nor does one that changes
/// nothing where both copies are as they should be. The caller holds the directory's lock: nobody else may write there. Killed at any
/// moment, the change is made or not made.
///
/// # Errors
/// What `change` says; or when neither copy can be read or written.
pub fn update_bsds_at_rest<T, E: From<LogError>>(
    storage: &SharedStorage,
    dir: &Path,
    change: impl FnOnce(&mut Bsds) -> Result<T, E>,
) -> Result<(T, Bsds, Vec<String>), E> {
    let pair = read_pair(storage, dir)?;
    let mut changed = pair.bsds.clone();
    let answer = change(&mut changed)?;
    let mut messages = Vec::new();
    if changed == pair.bsds && pair.faults.iter().all(Option::is_none) {
        return Ok((answer, changed, messages));
    }
    let mut bsds = pair.bsds.clone();
    let mut files = BsdsFiles::open(storage, dir, &pair, &mut bsds, &mut messages)?;
    changed.sequence = bsds.sequence + 1;
    files.write(&changed, &mut messages)?;
    Ok((answer, changed, messages))
}
