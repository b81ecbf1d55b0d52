//! qmgr status.

use std::path::Path;

use console::{Failure, Outcome, Session, format_time};
use engine_log::LogReader;
use engine_queue_manager::client::{Client, ClientError};
use engine_storage::RealStorage;
use format_protocol::{Reply, Request};
use format_types::{ConditionCode, QueueManagerName, Rba};
use serde::Serialize;

use crate::connect::{call, failure, unexpected};

#[derive(Serialize)]
struct Status {
    queue_manager: QueueManagerName,
    state: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pid: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    log_end: Option<Rba>,
    #[serde(skip_serializing_if = "Option::is_none")]
    connections: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    units: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    started: Option<String>,
}

impl Status {
    fn line(&self) -> String {
        let mut line = format!("QMNAME({})  STATUS({})", self.queue_manager, self.state);
        let mut add = |keyword: &str, value: Option<String>| {
            if let Some(value) = value {
                line.push_str(&format!("  {keyword}({value})"));
            }
        };
        add("PID", self.pid.map(|pid| pid.to_string()));
        add("LOGEND", self.log_end.map(|rba| rba.to_string()));
        add("CONNS", self.connections.map(|count| count.to_string()));
        add("UNITS", self.units.map(|count| count.to_string()));
        add("STARTED", self.started.clone());
        line
    }
}

/// Code 0 when it runs, 4 when it is down.
pub(crate) fn status(dir: &Path, session: &mut Session) -> Outcome {
    let (status, code) = match Client::connect(dir, "QMGR", session.common.timeout) {
        Ok(mut client) => match call(&mut client, &Request::Status)? {
            Reply::Status { name, state, pid, log_end, connections, units, started } => {
                let status = Status {
                    queue_manager: name,
                    state,
                    pid: Some(pid),
                    log_end: Some(log_end),
                    connections: Some(connections),
                    units: Some(units),
                    started: Some(format_time(started)),
                };
                (status, ConditionCode::Done)
            }
            _ => return Err(unexpected("STATUS")),
        },
        Err(ClientError::NotRunning { .. }) => (down(dir)?, ConditionCode::Warning),
        Err(error) => return Err(failure(error)),
    };
    session.answer(&status, || vec![status.line()]);
    Ok(code)
}

/// What BSDS and log of a queue manager that is down say.
fn down(dir: &Path) -> Result<Status, Failure> {
    let mut reader = LogReader::open(&RealStorage::shared(), dir).map_err(Failure::of)?;
    let end = reader.find_end().map_err(Failure::of)?.end;
    let bsds = reader.bsds();
    // A clean stop that is not the end of the log was an earlier one.
    let state = if bsds.clean_stop == Some(end) { "ENDED NORMALLY" } else { "ENDED UNEXPECTEDLY" };
    Ok(Status {
        queue_manager: bsds.name.clone(),
        state: state.to_owned(),
        pid: None,
        log_end: Some(end),
        connections: None,
        units: None,
        started: None,
    })
}
