//! qmgr stop.

use std::path::Path;
use std::time::{Duration, Instant};

use console::{Outcome, Session, message};
use engine_queue_manager::server;
use engine_storage::RealStorage;
use format_listing::normal_completion;
use format_protocol::{Reply, Request};
use format_types::ConditionCode;
use serde::Serialize;

use crate::args::{Stop, StopMode};
use crate::connect::{connect, failure, unexpected};

#[derive(Serialize)]
struct Stopped {
    queue_manager: String,
    messages: Vec<String>,
}

pub(crate) fn stop(arguments: &Stop, session: &mut Session) -> Outcome {
    let dir = &arguments.at.directory;
    let mut client = connect(dir, "QMGR", session)?;
    let name = client.name().to_string();
    let force = arguments.mode == StopMode::Force;
    let lines = match client.call(&Request::Stop { force }) {
        Ok(Reply::Stopping { lines }) => lines,
        Ok(_) => return Err(unexpected("STOP QMGR")),
        Err(error) => {
            let failure = failure(error);
            return Err(if force || failure.id != "HWT702E" {
                failure
            } else {
                failure.hint("it stops when the last unit of recovery ends; --mode force backs them out")
            });
        }
    };
    let code = if wait_for_end(dir, session.common.timeout) {
        ConditionCode::Done
    } else {
        message("HWT716W", &format!("{name} HAS STOPPED, BUT ITS PROCESS STILL HOLDS {}", dir.display()));
        ConditionCode::Warning
    };
    let done = normal_completion(&name, "CSQYASCP", "STOP QMGR");
    session
        .answer(&Stopped { queue_manager: name, messages: lines.clone() }, || [lines, vec![done]].concat());
    Ok(code)
}

/// Waits until the process has let go of the directory.
fn wait_for_end(dir: &Path, timeout: Duration) -> bool {
    let storage = RealStorage::shared();
    let started = Instant::now();
    loop {
        if server::lock(&storage, dir).is_ok() {
            return true;
        }
        if started.elapsed() > timeout {
            return false;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}
