//! What a restart needs today, of a queue manager that runs or is down.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use engine_log::LogReader;
use engine_queue_manager::client::{Client, ClientError};
use engine_queue_manager::{CoreError, server};
use engine_recovery::status::at_rest;
use engine_storage::SharedStorage;
use format_protocol::{Reply, Request};
use format_types::{QueueManagerName, UsageReport};

use crate::SourceError;

/// Pause before one that is starting or ending is asked again.
const PAUSE: Duration = Duration::from_millis(100);

/// The usage of a queue manager, and where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Usage {
    /// Its name.
    pub name: QueueManagerName,
    /// Answered by the running queue manager; else read from its files.
    pub live: bool,
    /// The use of page sets, the active units of recovery, and the system recovery RBA.
    pub report: UsageReport,
}

/// Asks the running queue manager in `dir` as `application`, or reads the files of one that is down. While it is starting or ending,
/// waits until it answers or is down, `timeout` at most.
///
/// # Errors
/// When it does not answer, there is none, or its files cannot be read.
pub fn usage(
    storage: &SharedStorage,
    dir: &Path,
    application: &str,
    timeout: Duration,
) -> Result<Usage, SourceError> {
    let started = Instant::now();
    loop {
        match ask(dir, application, timeout) {
            Ok(answer) => return Ok(answer),
            Err(ClientError::NotRunning { .. }) => {}
            Err(error) => return Err(error.into()),
        }
        match server::lock(storage, dir) {
            // It is starting, or ending: soon it answers, or is down.
            Err(CoreError::InUse(_)) if started.elapsed() < timeout => sleep(PAUSE),
            Err(error @ CoreError::InUse(_)) => return Err(error.into()),
            // Down, as far as can be told: files that may only be read have no lock to take.
            _ => {
                let name = LogReader::open(storage, dir)?.bsds().name.clone();
                return Ok(Usage { name, live: false, report: at_rest(storage, dir)? });
            }
        }
    }
}

fn ask(dir: &Path, application: &str, timeout: Duration) -> Result<Usage, ClientError> {
    let mut client = Client::connect(dir, application, timeout)?;
    match client.call(&Request::Usage)? {
        Reply::Usage(report) => Ok(Usage { name: client.name().clone(), live: true, report }),
        _ => Err(ClientError::Unexpected("USAGE")),
    }
}
