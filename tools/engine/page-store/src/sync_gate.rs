//! Syncs of one page set, whoever asks for them.

use std::io;
use std::sync::{Mutex, PoisonError};

use engine_storage::SharedFile;

/// Remembers that a sync of a page set failed. A checkpoint and an expansion may sync the same file: the system reports a lost write to
/// one of them only, and the other must not take silence for success.
#[derive(Debug, Default)]
pub(crate) struct SyncGate(Mutex<Option<String>>);

impl SyncGate {
    /// Syncs, unless a sync failed before.
    pub(crate) fn sync(&self, file: &SharedFile) -> io::Result<()> {
        let mut failed = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(why) = &*failed {
            return Err(io::Error::other(format!("an earlier one failed: {why}")));
        }
        let outcome = file.sync();
        if let Err(error) = &outcome {
            *failed = Some(error.to_string());
        }
        outcome
    }
}
