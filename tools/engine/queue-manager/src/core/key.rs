//! Keys of messages and objects: unique and rising over all runs of a queue manager.
//!
//! What a run has used is nowhere on disk: a nonpersistent message that comes and goes leaves nothing in the log. So keys are bound to the
//! log: 1024 of them belong to each byte, and none is given out that lies [`AHEAD`] bytes or more above the log that is durable. A start
//! begins above whatever the run before may have used, and writes more log than that itself.

use format_log::Body;
use format_types::{Rba, Urid};

use super::Core;
use crate::CoreError;

/// Keys for each byte of log.
const KEYS: u64 = 1 << 10;

/// Bytes of log that keys may be ahead of what is durable.
const AHEAD: u64 = 64;

/// Below this lie all keys that could be given out while the log was durable up to `synced`.
pub(super) fn limit(synced: Rba) -> u64 {
    synced.plus(AHEAD).0.saturating_mul(KEYS)
}

impl Core {
    /// A key that no record ever had, above all that were given out before.
    ///
    /// # Errors
    /// When the log cannot be written or synced.
    pub(crate) fn next_key(&mut self) -> Result<u64, CoreError> {
        if self.last_key.saturating_add(1) >= limit(self.log.synced()) {
            if self.log.end() <= self.log.synced() {
                // An empty unit, for the log must go on.
                let begin = Body::BeginUr { connection: "SYSTEM", at: self.now };
                let begun = self.log.append(Urid::NONE, Rba::ZERO, &begin)?.start;
                self.log.append(Urid(begun), begun, &Body::EndUr)?;
            }
            self.log.sync_now()?;
        }
        self.last_key = self.last_key.saturating_add(1).max(self.log.synced().0.saturating_mul(KEYS));
        Ok(self.last_key)
    }
}
