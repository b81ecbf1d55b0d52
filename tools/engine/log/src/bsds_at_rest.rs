//! Changing the BSDS of a queue manager that is down.

use std::path::Path;

use engine_storage::SharedStorage;
use format_bsds::Bsds;

use crate::LogError;
use crate::bsds_files::{BsdsFiles, read_pair};

/// Changes the BSDS in `dir`, durably in copy 1 and then in copy 2 when it returns, and repairs a copy that is not as it should be;
/// gives what was written, and messages for people. The caller holds the directory's lock: nobody else may write there. Killed at any
/// moment, the change is made or not made.
///
/// # Errors
/// When neither copy can be read or written.
pub fn update_bsds_at_rest(
    storage: &SharedStorage,
    dir: &Path,
    change: impl FnOnce(&mut Bsds),
) -> Result<(Bsds, Vec<String>), LogError> {
    let pair = read_pair(storage, dir)?;
    let mut bsds = pair.bsds.clone();
    let mut messages = Vec::new();
    let mut files = BsdsFiles::open(storage, dir, &pair, &mut bsds, &mut messages)?;
    change(&mut bsds);
    bsds.sequence += 1;
    files.write(&bsds, &mut messages)?;
    Ok((bsds, messages))
}
