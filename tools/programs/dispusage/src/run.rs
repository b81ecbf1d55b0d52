//! Asks the running queue manager, or reads the files of one that is down.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use console::{Failure, Outcome, Session};
use engine_log::LogReader;
use engine_queue_manager::CoreError;
use engine_queue_manager::client::{Client, ClientError};
use engine_queue_manager::server;
use engine_recovery::status::at_rest;
use engine_storage::RealStorage;
use format_protocol::{Reply, Request};
use format_types::{ConditionCode, QueueManagerName, UsageReport};

use crate::args::{Arguments, Kind};
use crate::report::Report;

/// Does what was asked.
pub(crate) fn run(arguments: Arguments, session: &mut Session) -> Outcome {
    let Arguments { directory, kind, psid, .. } = arguments;
    if psid.is_some() && kind == Kind::DataSet {
        return Err(Failure::refused("CSQI003I", "'PSID' NOT ALLOWED WITH TYPE (DATASET)"));
    }
    let (name, live, mut usage) = usage(&directory, session.common.timeout)?;
    if let Some(wanted) = psid {
        usage.page_sets.retain(|set| set.page_set == wanted);
        if usage.page_sets.is_empty() {
            return Err(Failure::refused("HWT751E", format!("PAGE SET {wanted} IS NOT DEFINED to {name}")));
        }
    }
    let report = Report { name, live, kind, usage };
    session.answer(&report.document(), || report.lines());
    Ok(ConditionCode::Done)
}

/// The usage, with the queue manager's name and whether it answered itself.
fn usage(dir: &Path, timeout: Duration) -> Result<(QueueManagerName, bool, UsageReport), Failure> {
    let started = Instant::now();
    loop {
        match ask(dir, timeout) {
            Ok(answer) => return Ok(answer),
            Err(ClientError::NotRunning { .. }) => {}
            Err(error) => return Err(Failure::of(&error).with_code(error.code())),
        }
        let storage = RealStorage::shared();
        match server::lock(&storage, dir) {
            // It is starting, or ending: soon it answers, or is down.
            Err(CoreError::InUse(_)) if started.elapsed() < timeout => sleep(Duration::from_millis(100)),
            Err(error @ CoreError::InUse(_)) => return Err(Failure::of(error)),
            // Down, as far as can be told: files that may only be read have no lock to take.
            _ => {
                let reader = LogReader::open(&storage, dir).map_err(Failure::of)?;
                let name = reader.bsds().name.clone();
                return Ok((name, false, at_rest(&storage, dir).map_err(Failure::of)?));
            }
        }
    }
}

fn ask(dir: &Path, timeout: Duration) -> Result<(QueueManagerName, bool, UsageReport), ClientError> {
    let mut client = Client::connect(dir, "DISPUSAGE", timeout)?;
    match client.call(&Request::Usage)? {
        Reply::Usage(usage) => Ok((client.name().clone(), true, usage)),
        _ => Err(ClientError::Unexpected("USAGE")),
    }
}
