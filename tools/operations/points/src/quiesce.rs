//! Bringing a running queue manager to a stop for a full point, in the order of IBM's "Creating a point of recovery", method 1: wait until
//! the applications have left, look for units of recovery in doubt, ARCHIVE LOG, STOP QMGR MODE(QUIESCE).
//!
//! Until the stop is asked for nothing of the queue manager is changed, so every refusal leaves it running and its applications at work.
//! The stop itself is one step with the question whether anybody is connected: nobody is caught by it.

use std::path::Path;
use std::time::{Duration, Instant};

use engine_queue_manager::client::{Client, ClientError};
use engine_storage::SharedStorage;
use format_protocol::{Reply, Request};
use format_types::UnitUsage;

use crate::create::archive_log;
use crate::error::PointError;
use crate::full::{FullSettings, check_request};

/// Pause before the queue manager is asked again who is connected.
const ASK_AGAIN: Duration = Duration::from_millis(50);

/// What a wait has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quiescing<'a> {
    /// These applications are waited for; told at first, and whenever they change.
    Waiting(&'a [String]),
    /// The stop is about to be asked for: from now on somebody has to see that the queue manager is started again.
    Stopping,
}

/// A queue manager that has stopped.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoppedForCopy {
    /// What ARCHIVE LOG printed.
    pub archive_messages: Vec<String>,
    /// How often archiving the log had to wait for an active log.
    pub archive_retries: u32,
    /// What STOP QMGR printed.
    pub stop_messages: Vec<String>,
}

/// Why a queue manager was not stopped, or not for certain.
#[derive(Debug, thiserror::Error)]
#[error("{error}")]
pub struct NotStopped {
    /// What went wrong.
    #[source]
    pub error: PointError,
    /// The stop was asked for, and its answer did not come: the queue manager may be stopping, or be down.
    pub stop_sent: bool,
}

impl From<PointError> for NotStopped {
    fn from(error: PointError) -> Self {
        Self { error, stop_sent: false }
    }
}

impl From<ClientError> for NotStopped {
    fn from(error: ClientError) -> Self {
        PointError::from(error).into()
    }
}

/// Stops the queue manager for a full point: checks that the point can be made there, waits for the applications to leave, refuses units in
/// doubt and page sets that are offline, archives the log and stops. None when it does not run. `tell` hears how far it is.
///
/// # Errors
/// What stands against it; the queue manager then runs on as before, unless [`NotStopped::stop_sent`].
pub fn stop_for_copy(
    storage: &SharedStorage,
    settings: &FullSettings,
    timeout: Duration,
    tell: &mut dyn FnMut(Quiescing<'_>),
) -> Result<Option<StoppedForCopy>, NotStopped> {
    check_request(storage, settings)?;
    let application = format!("RECPOINT {}", settings.name);
    let mut client = match Client::connect(&settings.dir, &application, timeout) {
        Ok(client) => client,
        Err(ClientError::NotRunning { .. }) => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let mut wait = Wait { started: Instant::now(), timeout, told: Vec::new(), tell };
    wait.until_alone(&mut client)?;
    check_page_sets(&mut client)?;
    refuse_unresolved(&mut client, settings)?;
    let archived = archive_log(&mut client, timeout)?;
    loop {
        (wait.tell)(Quiescing::Stopping);
        let stop = Request::StopWhenAlone { allow_unresolved: settings.allow_in_doubt };
        match client.call(&stop) {
            Ok(Reply::Stopping { lines }) => {
                return Ok(Some(StoppedForCopy {
                    archive_messages: archived.lines,
                    archive_retries: archived.retries,
                    stop_messages: lines,
                }));
            }
            // Somebody has come since.
            Ok(Reply::Applications { connected, unresolved }) => {
                if connected.is_empty() {
                    return Err(in_doubt(&settings.dir, &unresolved).into());
                }
                wait.until_alone(&mut client)?;
            }
            Ok(_) => return Err(ClientError::Unexpected("STOP QMGR").into()),
            Err(error @ ClientError::Refused { .. }) => return Err(error.into()),
            Err(error) => return Err(NotStopped { error: error.into(), stop_sent: true }),
        }
    }
}

/// A wait for applications, bounded in all.
struct Wait<'a> {
    started: Instant,
    timeout: Duration,
    told: Vec<String>,
    tell: &'a mut dyn FnMut(Quiescing<'_>),
}

impl Wait<'_> {
    fn until_alone(&mut self, client: &mut Client) -> Result<(), PointError> {
        loop {
            let (mut connected, _) = applications(client)?;
            if connected.is_empty() {
                return Ok(());
            }
            for name in connected.iter_mut().filter(|name| name.is_empty()) {
                *name = "(no name)".to_owned();
            }
            connected.sort_unstable();
            if self.started.elapsed() >= self.timeout {
                let seconds = self.timeout.as_secs_f64();
                return Err(PointError::Applications { seconds, who: connected.join(", ") });
            }
            if connected != self.told {
                (self.tell)(Quiescing::Waiting(&connected));
                self.told = connected;
            }
            std::thread::sleep(ASK_AGAIN);
        }
    }
}

fn applications(client: &mut Client) -> Result<(Vec<String>, Vec<UnitUsage>), PointError> {
    match client.call(&Request::Applications)? {
        Reply::Applications { connected, unresolved } => Ok((connected, unresolved)),
        _ => Err(ClientError::Unexpected("APPLICATIONS").into()),
    }
}

fn refuse_unresolved(client: &mut Client, settings: &FullSettings) -> Result<(), PointError> {
    let (_, unresolved) = applications(client)?;
    if unresolved.is_empty() || settings.allow_in_doubt {
        return Ok(());
    }
    Err(in_doubt(&settings.dir, &unresolved))
}

/// The refusal of units in doubt.
pub(crate) fn in_doubt(dir: &Path, units: &[UnitUsage]) -> PointError {
    let units: Vec<String> = units
        .iter()
        .map(|unit| format!("{} ({}, connection {})", unit.urid, unit.state, unit.connection))
        .collect();
    PointError::InDoubt { dir: dir.to_owned(), units: units.join(", ") }
}

/// A page set that is offline is not what the log says: a copy of it is no full one.
fn check_page_sets(client: &mut Client) -> Result<(), PointError> {
    let Reply::Usage(usage) = client.call(&Request::Usage)? else {
        return Err(ClientError::Unexpected("USAGE").into());
    };
    match usage.page_sets.iter().find(|set| !set.online) {
        Some(set) => Err(PointError::PageSetOffline { page_set: set.page_set, from: set.recovery_rba }),
        None => Ok(()),
    }
}
