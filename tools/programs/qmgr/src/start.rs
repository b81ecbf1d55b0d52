//! qmgr start: a process of its own, and the wait until it is ready.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use console::{Failure, Outcome, Session};
use engine_queue_manager::files;
use format_listing::normal_completion;
use format_protocol::{Reply, Request};
use format_types::{ConditionCode, QueueManagerName, Rba};
use serde::Serialize;

use crate::connect::{call, connect, unexpected};
use crate::serve::{check_directory, console_log};

#[derive(Serialize)]
struct Started {
    queue_manager: QueueManagerName,
    pid: u32,
    log_end: Rba,
    messages: Vec<String>,
}

/// Starts the queue manager and ends when it takes requests. There is no limit to that wait: a long restart is no failure, and the
/// end of the process is noticed.
pub(crate) fn start(dir: &Path, session: &mut Session) -> Outcome {
    check_directory(dir)?;
    let dir = std::fs::canonicalize(dir).map_err(|error| {
        Failure::refused("HWT713E", format!("{} cannot be reached: {error}", dir.display()))
    })?;
    let mut child = spawn(&dir)?;
    let mut messages = Vec::new();
    if let Err(failure) = wait_until_ready(&mut child, &dir, &mut |line| {
        if session.common.json {
            messages.push(line.to_owned());
        } else {
            session.out.line(line);
            session.out.flush();
        }
    }) {
        // It has ended or is about to.
        let _ = child.wait();
        return Err(failure);
    }
    let mut client = connect(&dir, "QMGR", session)?;
    match call(&mut client, &Request::Status)? {
        Reply::Status { name, pid, log_end, .. } => {
            let done = normal_completion(name.as_str(), "CSQYASCP", "START QMGR");
            session.answer(&Started { queue_manager: name, pid, log_end, messages }, || vec![done]);
            Ok(ConditionCode::Done)
        }
        _ => Err(unexpected("STATUS")),
    }
}

fn spawn(dir: &Path) -> Result<Child, Failure> {
    let cannot = |error| {
        Failure::refused("HWT714E", format!("the queue manager's process could not be made: {error}"))
    };
    let own = std::env::current_exe().map_err(cannot)?;
    Command::new(own)
        .arg("start")
        .arg(dir)
        .arg("--detached")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(console_log(dir)?)
        .spawn()
        .map_err(cannot)
}

/// Reads what the new process says until it is ready.
fn wait_until_ready(child: &mut Child, dir: &Path, message: &mut dyn FnMut(&str)) -> Result<(), Failure> {
    let Some(pipe) = child.stdout.take() else {
        return Err(Failure::refused("HWT714E", "the queue manager's process has no standard output"));
    };
    for line in BufReader::new(pipe).lines().map_while(Result::ok) {
        match line.split_at_checked(2) {
            Some(("M ", text)) => message(text),
            Some(("R ", _)) => return Ok(()),
            Some(("F ", text)) => return Err(failure(text)),
            _ => {}
        }
    }
    let text = format!("THE QUEUE MANAGER IN {} ENDED BEFORE IT WAS READY", dir.display());
    Err(Failure::new(ConditionCode::Severe, "HWT715S", text)
        .hint(format!("see {}", dir.join(files::CONSOLE).display())))
}

/// The failure that the new process wrote.
fn failure(text: &str) -> Failure {
    let document: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    let field = |name: &str| document.get(name).and_then(serde_json::Value::as_str).map(str::to_owned);
    let code = match document.get("condition_code").and_then(serde_json::Value::as_u64) {
        Some(4) => ConditionCode::Warning,
        Some(8) => ConditionCode::Partial,
        Some(16) => ConditionCode::Severe,
        _ => ConditionCode::Refused,
    };
    let id = field("id").unwrap_or_else(|| "HWT715S".to_owned());
    let failure = Failure::new(code, id, field("text").unwrap_or_else(|| text.to_owned()));
    match field("hint") {
        Some(hint) => failure.hint(hint),
        None => failure,
    }
}
