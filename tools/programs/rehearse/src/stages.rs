//! The stages of a rehearsal.

use std::path::{Path, PathBuf};
use std::time::Duration;

use console::{Failure, Session, now};
use engine_queue_manager::client::Client;
use engine_queue_manager::{NewQueueManager, create};
use engine_storage::SharedStorage;
use format_protocol::{Reply, Request};
use format_types::{Expand, PageSetId, Rba};
use operation_workload::{AuditReport, AuditSettings, run_audit};

use crate::child::Process;
use crate::scratch::Scratch;

/// Longest time that a stage may take.
pub(crate) const STAGE: Duration = Duration::from_secs(120);

/// Makes the throwaway queue manager: dual logs, small data sets, so that switches, archives, checkpoints and expansions all come
/// to pass.
pub(crate) fn make(storage: &SharedStorage, dir: &Path, random: [u64; 2]) -> Result<(), Failure> {
    let name = "RHRS".parse().map_err(Failure::of)?;
    let new = NewQueueManager {
        name,
        page_sets: 4,
        page_set_size: 4 << 20,
        expand: Expand::User,
        log_size: 8 << 20,
        active_logs: 3,
        dual_logs: true,
        dual_archives: true,
        buffer_pool: 16 << 20,
        log_load: 20_000,
        random,
    };
    create(storage, dir, &new, now()).map_err(Failure::of)
}

/// Starts the queue manager's process and waits until it takes requests.
pub(crate) fn start(scratch: &Scratch) -> Result<Process, Failure> {
    let dir = scratch.queue_manager();
    let mut server =
        Process::start("queue manager", &scratch.errors(), ["serve-role".as_ref(), dir.as_os_str()])?;
    server.wait_for(STAGE, |line| line == "ready")?;
    Ok(server)
}

/// The same, and syncs of the file `failing` fail while there is a file `flag`.
pub(crate) fn start_failing(scratch: &Scratch, failing: &Path, flag: &Path) -> Result<Process, Failure> {
    let dir = scratch.queue_manager();
    let arguments = [
        "serve-role".as_ref(),
        dir.as_os_str(),
        "--failing".as_ref(),
        failing.as_os_str(),
        "--flag".as_ref(),
        flag.as_os_str(),
    ];
    let mut server = Process::start("queue manager", &scratch.errors(), arguments)?;
    server.wait_for(STAGE, |line| line == "ready")?;
    Ok(server)
}

/// A load to be run by a process of its own.
pub(crate) struct LoadPlan<'a> {
    pub(crate) scratch: &'a Scratch,
    pub(crate) number: u32,
    pub(crate) seed: u64,
    pub(crate) prefix: &'a str,
    pub(crate) connections: u32,
    pub(crate) messages: Option<u64>,
}

impl LoadPlan<'_> {
    pub(crate) fn start(&self) -> Result<Process, Failure> {
        let text = |path: PathBuf| path.into_os_string();
        let mut arguments = vec![
            "load-role".into(),
            text(self.scratch.queue_manager()),
            "--journal".into(),
            text(self.scratch.journal(self.number)),
            "--seed".into(),
            self.seed.to_string().into(),
            "--prefix".into(),
            self.prefix.into(),
            "--connections".into(),
            self.connections.to_string().into(),
        ];
        if let Some(messages) = self.messages {
            arguments.extend(["--messages".into(), messages.to_string().into()]);
        }
        Process::start("load", &self.scratch.errors(), arguments)
    }
}

/// What a load said at its end.
#[derive(Debug, Default)]
pub(crate) struct LoadEnd {
    pub(crate) messages: u64,
    pub(crate) bytes: u64,
    pub(crate) pause: f64,
    pub(crate) endings: Vec<String>,
    pub(crate) altered: bool,
}

/// Waits until so many messages are acknowledged.
pub(crate) fn wait_for_messages(load: &mut Process, wanted: u64) -> Result<u64, Failure> {
    let mut reached = 0;
    load.wait_for(STAGE, |line| {
        reached = count(line).unwrap_or(reached);
        reached >= wanted
    })?;
    Ok(reached)
}

fn count(line: &str) -> Option<u64> {
    line.strip_prefix("messages ")?.parse().ok()
}

/// Waits for the load's end.
pub(crate) fn end_load(load: &mut Process) -> Result<LoadEnd, Failure> {
    let (status, said) = load.end(STAGE)?;
    let mut end = LoadEnd::default();
    for line in &said {
        match line.split_once(' ') {
            Some(("messages", value)) => end.messages = value.parse().unwrap_or(end.messages),
            Some(("bytes", value)) => end.bytes = value.parse().unwrap_or(0),
            Some(("pause", value)) => end.pause = value.parse().unwrap_or(0.0),
            Some(("end", text)) => end.endings.push(text.to_owned()),
            _ => {}
        }
    }
    match status.code() {
        Some(0) => {}
        Some(8) => end.altered = true,
        _ => end.endings.push(format!("the load's process ended with {status}")),
    }
    Ok(end)
}

/// Compares the messages with the journals of the first `loads` loads.
pub(crate) fn audit(scratch: &Scratch, loads: u32, session: &Session) -> Result<AuditReport, Failure> {
    let settings = AuditSettings {
        dir: scratch.queue_manager(),
        journals: (1..=loads).map(|number| scratch.journal(number)).collect(),
        to_rba: None,
        timeout: session.common.timeout,
    };
    run_audit(&settings).map_err(|error| Failure::of(&error).with_code(error.code()))
}

/// Connects to the queue manager.
pub(crate) fn connect(scratch: &Scratch, session: &Session) -> Result<Client, Failure> {
    Client::connect(&scratch.queue_manager(), "REHEARSE", session.common.timeout).map_err(Failure::of)
}

/// Its name, the end of its log, and its page sets.
pub(crate) fn look(client: &mut Client) -> Result<(String, Rba, Vec<PageSetId>), Failure> {
    let name = client.name().to_string();
    match client.call(&Request::Usage).map_err(Failure::of)? {
        Reply::Usage(usage) => {
            Ok((name, usage.log_end, usage.page_sets.iter().map(|set| set.page_set).collect()))
        }
        _ => Err(Failure::refused("HWT705E", "unexpected answer to USAGE")),
    }
}

/// Stops the queue manager in order and waits for its process.
pub(crate) fn stop(
    server: &mut Process,
    scratch: &Scratch,
    session: &Session,
) -> Result<Option<String>, Failure> {
    let mut client = connect(scratch, session)?;
    client.call(&Request::Stop { force: false }).map_err(Failure::of)?;
    drop(client);
    let (status, _) = server.end(STAGE)?;
    Ok((!status.success()).then(|| format!("the queue manager's process ended with {status} after its stop")))
}
