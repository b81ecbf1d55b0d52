//! Bringing page sets up to the end of the log, without taking requests: what `recover` does after it has restored them.

use std::path::Path;

use engine_recovery::RestartProgress;
use engine_storage::SharedStorage;
use format_types::{Rba, RbaRange, Timestamp};

use crate::{Core, CoreError, StartOptions};

/// How page sets are to be brought forward.
pub struct BringForward<'a> {
    /// Read the log at least from here: the restored point's recorded system recovery RBA.
    pub read_from: Option<Rba>,
    /// Buffer pool frames; none for the queue manager's own setting.
    pub frames: Option<usize>,
    /// Told how far the forward pass is.
    pub progress: &'a mut dyn FnMut(RestartProgress),
}

/// What was done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BroughtForward {
    /// Log read by the forward pass.
    pub forward: RbaRange,
    /// Log records in it.
    pub records: u64,
    /// CSQI024I after the stop: from here on the log is needed.
    pub restart_rba: Rba,
    /// Console messages of restart and stop.
    pub messages: Vec<String>,
}

/// The same restart as a queue manager's own, then a clean stop. Nonpersistent messages are gone, units in flight backed out, units in
/// doubt kept. The caller holds the directory's lock. Killed at any moment, it can be run again.
///
/// # Errors
/// As [`Core::start`]; and when a page set could not be written and went offline: a queue manager that runs goes on without it, here it is
/// what was asked for.
pub fn bring_forward(
    storage: &SharedStorage,
    dir: &Path,
    options: BringForward<'_>,
    now: Timestamp,
) -> Result<BroughtForward, CoreError> {
    let BringForward { read_from, frames, progress } = options;
    let start = StartOptions { index: false, read_from, frames, progress };
    let mut core = Core::start(storage, dir, start, now)?;
    let (forward, records) = core.restart_read();
    let mut messages = core.take_messages();
    core.stop(true);
    core.run_to_stop()?;
    messages.append(&mut core.take_messages());
    let usage = core.usage();
    if let Some(set) = usage.page_sets.iter().find(|set| !set.online) {
        let said = messages.iter().find(|line| line.starts_with("HWT321E"));
        let why = said.cloned().unwrap_or_else(|| "it could not be used".to_owned());
        return Err(CoreError::WentOffline { page_set: set.page_set, why });
    }
    let restart_rba = usage.system_recovery.restart_rba();
    Ok(BroughtForward { forward, records, restart_rba, messages })
}
