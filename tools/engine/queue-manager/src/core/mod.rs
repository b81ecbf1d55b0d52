//! The core: one state machine that joins log manager, data manager and recovery manager.
//!
//! The rules that make the promise hold, and where they are kept:
//! - a commit is acknowledged, becomes visible and lets its locks go when the record that commits it is synced ([`commit`]);
//! - what a unit got is deleted from its pages only after that ([`ending`]), so no space is reused before it may be;
//! - a request is begun only when the log has room for all that it may write ([`request`]), so that nothing stops halfway.

mod administration;
mod alone;
mod archive;
mod background;
mod commit;
mod ending;
mod inventory;
mod key;
mod long_running;
mod message;
mod message_id;
mod moved;
mod new_page_set;
pub(crate) mod request;
mod returning;
mod start;
mod stop;
mod two_phase;
mod usage;
pub(crate) mod work;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::path::PathBuf;

use engine_log::LogManager;
use engine_page_store::PageStore;
use engine_recovery::Checkpoint;
use engine_storage::SharedStorage;
use format_protocol::{Reply, Request};
use format_types::{ConditionCode, PageSetId, QueueManagerName, Rba, RbaRange, Timestamp};

pub use start::StartOptions;
pub use stop::restart_rba_messages;

use crate::catalog::Catalog;
use crate::{CoreError, Job};
use archive::Quiesce;
pub(crate) use archive::{QUIESCE_SECONDS, Waiting};
use commit::PendingCommit;
use new_page_set::NewPageSet;
use request::Shortage;
use returning::Return;
pub(crate) use two_phase::network_id;
use work::{Work, WorkId};

/// Identifier of the reply to requests whose outcome is unknown because the queue manager ended.
pub(crate) const ENDED: &str = "HWT499S";

/// A connection of a program to the queue manager.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId(pub u64);

/// Whether a queue manager works.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It takes requests.
    Running,
    /// It waits for units of recovery to end and takes no new work.
    Quiescing,
    /// It has stopped cleanly.
    Stopped,
    /// It ended because going on could have lost data; what was acknowledged is in the log.
    Failed,
}

/// A queue manager as a state machine; see the module.
pub struct Core {
    storage: SharedStorage,
    dir: PathBuf,
    log: LogManager,
    store: PageStore,
    catalog: Catalog,
    started: Timestamp,
    now: Timestamp,
    state: State,
    /// The stop does not wait for anybody.
    forced: bool,
    connections: BTreeMap<ConnectionId, Connection>,
    next_connection: u64,
    works: BTreeMap<WorkId, Work>,
    next_work: u64,
    last_key: u64,
    /// Units that wait for the log to be synced, by rising RBA.
    commits: VecDeque<PendingCommit>,
    /// Units that wait for the log before they are in doubt.
    prepares: VecDeque<(Rba, ConnectionId, WorkId)>,
    /// Units whose end is decided and being carried out.
    endings: VecDeque<WorkId>,
    /// The first of them waits for room in the log.
    endings_want_log: bool,
    /// Requests that wait for room: in the log, in its buffer, or on a page set.
    parked: VecDeque<(ConnectionId, Request, Shortage)>,
    /// Connections that wait until the log below an RBA is archived.
    archive_waits: Vec<ArchiveWait>,
    /// Connections that wait for the stop.
    stop_waits: Vec<ConnectionId>,
    checkpoint: Option<Checkpoint>,
    records_at_checkpoint: u64,
    switches_at_checkpoint: u64,
    log_sync_wanted: bool,
    log_sync_under_way: bool,
    log_sync_held: bool,
    /// Offloads that failed in a row, and when the next may be tried.
    offload_failures: u32,
    offload_not_before: u64,
    expansions_under_way: Vec<PageSetId>,
    /// Page sets that are being formatted, and who is told when they are there.
    new_page_sets: Vec<NewPageSet>,
    /// Page sets on their way back, in the order in which that was asked for.
    returning: VecDeque<Return>,
    /// Offline page sets of which it is not known which messages are on them.
    unindexed: BTreeSet<PageSetId>,
    /// ARCHIVE LOG MODE(QUIESCE), while it lasts.
    quiesce: Option<Quiesce>,
    /// Switches of the log after which long-running units were looked for.
    switches_reported: u64,
    out_of_log_said: bool,
    /// Log that the restart read, and records in it.
    restart_read: (RbaRange, u64),
    jobs: Vec<Job>,
    jobs_out: usize,
    replies: Vec<(ConnectionId, Reply)>,
    messages: Vec<String>,
}

/// What is known of a connection.
#[derive(Debug, Default)]
struct Connection {
    application: String,
    work: Option<WorkId>,
    /// Its unit of recovery was backed out without its asking, which it must be told before it may go on.
    backed_out: bool,
    /// Name of the backup that it has registered.
    backup: Option<String>,
    /// It waits for the answer to a request. Whoever answers first has answered: nothing is said twice, whatever fails behind it.
    waits: bool,
}

/// A connection that waits for an offload.
#[derive(Debug)]
struct ArchiveWait {
    connection: ConnectionId,
    end: Rba,
    lines: Vec<String>,
}

impl Core {
    /// Whether it works.
    #[must_use]
    pub fn state(&self) -> State {
        self.state
    }

    /// Name of the queue manager.
    #[must_use]
    pub fn name(&self) -> &QueueManagerName {
        &self.log.bsds().name
    }

    /// End of the log, unsynced records included.
    #[must_use]
    pub fn log_end(&self) -> Rba {
        self.log.end()
    }

    /// The log is durable up to here.
    #[must_use]
    pub fn log_synced(&self) -> Rba {
        self.log.synced()
    }

    /// Log that the restart's forward pass read, and records in it.
    #[must_use]
    pub fn restart_read(&self) -> (RbaRange, u64) {
        self.restart_read
    }

    /// Tells the time.
    pub fn set_time(&mut self, now: Timestamp) {
        self.now = self.now.max(now);
        self.log.set_time(now);
    }

    /// Connects a program.
    pub fn connect(&mut self) -> ConnectionId {
        self.next_connection += 1;
        let id = ConnectionId(self.next_connection);
        self.connections.insert(id, Connection::default());
        id
    }

    /// Ends a connection. Its unit of recovery is backed out unless it is in doubt, its registered backup given up.
    pub fn disconnect(&mut self, id: ConnectionId) {
        let Some(connection) = self.connections.remove(&id) else { return };
        self.parked.retain(|(waiting, ..)| *waiting != id);
        self.archive_waits.retain(|wait| wait.connection != id);
        self.stop_waits.retain(|waiting| *waiting != id);
        self.forget_quiesce_of(id);
        self.forget_new_page_sets_of(id);
        if let Some(work) = connection.work {
            self.begin_backout(work, None);
        }
        if let Some(name) = connection.backup {
            self.forget_backup(&name);
        }
    }

    /// Holds back the log sync that only commits wait for, or lets it go: more of them are about to come and can share it.
    pub fn hold_log_sync(&mut self, held: bool) {
        self.log_sync_held = held;
    }

    /// Jobs to be run; their outcomes come back by [`Self::finish`].
    pub fn take_jobs(&mut self) -> Vec<Job> {
        self.jobs_out += self.jobs.len();
        std::mem::take(&mut self.jobs)
    }

    /// Whether jobs are still to come back.
    #[must_use]
    pub fn awaits_jobs(&self) -> bool {
        self.jobs_out > 0
    }

    /// Replies to requests.
    pub fn take_replies(&mut self) -> Vec<(ConnectionId, Reply)> {
        std::mem::take(&mut self.replies)
    }

    /// Lines for the console.
    pub fn take_messages(&mut self) -> Vec<String> {
        let mut lines = self.log.take_messages();
        lines.append(&mut self.store.take_messages());
        let name = self.log.bsds().name.as_str();
        self.messages.extend(lines.iter().map(|line| start::name_behind_id(line, name)));
        std::mem::take(&mut self.messages)
    }

    /// Answers the request of a connection that waits for an answer.
    fn reply(&mut self, connection: ConnectionId, reply: Reply) {
        let known = self.connections.get_mut(&connection);
        if known.is_some_and(|known| std::mem::take(&mut known.waits)) {
            self.replies.push((connection, reply));
        }
    }

    /// A message with this queue manager's name behind its identifier, as the console shows it.
    fn say(&mut self, id: &str, text: &str) {
        let line = format!("{id} {} {text}", self.log.bsds().name);
        self.messages.push(line);
    }

    /// Ends the queue manager: whoever waits is told that the outcome is unknown.
    fn fail(&mut self, error: &CoreError) {
        if self.state == State::Failed {
            return;
        }
        self.state = State::Failed;
        let text = error.to_string();
        self.messages.push(text.clone());
        let name = self.log.bsds().name.clone();
        self.messages.push(format!("HWT499S {name} QUEUE MANAGER ENDS: what was acknowledged is in the log; correct the cause and start it"));
        // Not only those on some list: a request that is being worked on stands on none.
        let waiting: Vec<ConnectionId> =
            self.connections.iter().filter(|(_, known)| known.waits).map(|(id, _)| *id).collect();
        for connection in waiting {
            self.reply(connection, error_reply(ConditionCode::Severe, ENDED, &text));
        }
    }

    /// Runs `step`; an error ends the queue manager.
    fn or_fail<T>(&mut self, step: impl FnOnce(&mut Self) -> Result<T, CoreError>) -> Option<T> {
        if self.state == State::Failed {
            return None;
        }
        match step(self) {
            Ok(value) => Some(value),
            Err(error) => {
                self.fail(&error);
                None
            }
        }
    }
}

/// An error as a reply.
pub(crate) fn error_reply(code: ConditionCode, id: &str, text: &str) -> Reply {
    Reply::Error {
        code,
        id: id.to_owned(),
        text: text.strip_prefix(id).unwrap_or(text).trim_start().to_owned(),
    }
}
