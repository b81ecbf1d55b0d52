//! A queue manager in memory, driven by hand.

use std::path::Path;

use engine_queue_manager::{ConnectionId, Core, CoreError, Job, NewQueueManager, StartOptions, create};
use engine_storage::{Control, FaultyStorage, MemoryStorage, SharedStorage};
use format_protocol::{Reply, Request, VERSION};
use format_types::{Expand, ObjectName, Timestamp};

pub(crate) const DIR: &str = "QM1";

pub(crate) fn small() -> NewQueueManager {
    NewQueueManager {
        name: "QM1".parse().unwrap(),
        page_sets: 4,
        page_set_size: 256 << 10,
        expand: Expand::User,
        log_size: 1 << 20,
        active_logs: 3,
        dual_logs: false,
        dual_archives: false,
        buffer_pool: 64 * 4096,
        log_load: 500,
        random: [7, 9],
    }
}

/// A queue manager whose jobs run when [`Bench::settle`] says so.
pub(crate) struct Bench {
    pub(crate) storage: SharedStorage,
    /// Rules over the storage, where that is faulty.
    pub(crate) control: Option<Control>,
    pub(crate) core: Core,
    pub(crate) clock: u64,
    /// Jobs that are not run but kept in `held`.
    pub(crate) holds: fn(&Job) -> bool,
    pub(crate) held: Vec<Job>,
    pub(crate) replies: Vec<(ConnectionId, Reply)>,
    pub(crate) console: Vec<String>,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self::on(MemoryStorage::shared(), None, &small())
    }

    pub(crate) fn of(new: &NewQueueManager) -> Self {
        Self::on(MemoryStorage::shared(), None, new)
    }

    pub(crate) fn faulty(new: &NewQueueManager, seed: u64) -> Self {
        let storage = FaultyStorage::new(seed);
        Self::on(storage.shared(), Some(storage.control()), new)
    }

    fn on(storage: SharedStorage, control: Option<Control>, new: &NewQueueManager) -> Self {
        create(&storage, Path::new(DIR), new, Timestamp(1_000_000)).unwrap();
        let core = start(&storage, 2_000_000).unwrap_or_else(|error| panic!("start: {error}"));
        Self {
            storage,
            control,
            core,
            clock: 2_000_000,
            holds: |_| false,
            held: Vec::new(),
            replies: Vec::new(),
            console: Vec::new(),
        }
    }

    pub(crate) fn control(&self) -> &Control {
        self.control.as_ref().unwrap()
    }

    /// Works and runs jobs until nothing is left to do.
    pub(crate) fn settle(&mut self) {
        for _ in 0..100_000 {
            self.clock += 1;
            self.core.set_time(Timestamp(self.clock));
            let more = self.core.work();
            let (held, jobs): (Vec<_>, Vec<_>) = self.core.take_jobs().into_iter().partition(self.holds);
            self.held.extend(held);
            self.replies.append(&mut self.core.take_replies());
            self.console.append(&mut self.core.take_messages());
            if !more && jobs.is_empty() {
                return;
            }
            for job in jobs {
                let done = job.run();
                self.core.finish(done);
            }
        }
        panic!("the core never comes to rest; console: {:#?}", self.console);
    }

    /// Runs what was held back.
    pub(crate) fn run_held(&mut self) {
        for job in std::mem::take(&mut self.held) {
            let done = job.run();
            self.core.finish(done);
        }
        self.settle();
    }

    /// Lets time go by.
    pub(crate) fn wait_seconds(&mut self, seconds: u64) {
        self.clock += seconds * 1_000_000;
        self.settle();
    }

    /// Makes a request and lets the core come to rest.
    pub(crate) fn ask(&mut self, connection: ConnectionId, request: Request) {
        self.core.request(connection, request);
        self.settle();
    }

    /// The reply to `connection`, if it has come.
    pub(crate) fn answer(&mut self, connection: ConnectionId) -> Option<Reply> {
        let at = self.replies.iter().position(|(to, _)| *to == connection)?;
        Some(self.replies.remove(at).1)
    }

    pub(crate) fn call(&mut self, connection: ConnectionId, request: Request) -> Reply {
        self.ask(connection, request);
        let reply = self.answer(connection);
        reply.unwrap_or_else(|| panic!("no reply; console: {:#?}", self.console))
    }

    pub(crate) fn connect(&mut self) -> ConnectionId {
        let connection = self.core.connect();
        let hello = Request::Hello { version: VERSION, application: format!("APP{}", connection.0) };
        assert!(matches!(self.call(connection, hello), Reply::Hello { .. }));
        connection
    }

    pub(crate) fn command(&mut self, text: &str) -> (u8, Vec<String>) {
        let connection = self.connect();
        let reply = self.call(connection, Request::Mqsc { text: text.to_owned() });
        self.core.disconnect(connection);
        match reply {
            Reply::Lines { code, lines } => (code.number(), lines),
            other => panic!("{text}: {other:?}"),
        }
    }

    pub(crate) fn define(&mut self, text: &str) {
        let (code, lines) = self.command(text);
        assert_eq!(code, 0, "{text}: {lines:?}");
    }

    pub(crate) fn put(&mut self, connection: ConnectionId, name: &str, body: &[u8]) {
        let reply = self.call(connection, put(name, body, false));
        assert!(matches!(reply, Reply::Put { .. }), "{reply:?}");
    }

    pub(crate) fn put_in_unit(&mut self, connection: ConnectionId, name: &str, body: &[u8]) {
        let reply = self.call(connection, put(name, body, true));
        assert!(matches!(reply, Reply::Put { .. }), "{reply:?}");
    }

    pub(crate) fn get_in_unit(&mut self, connection: ConnectionId, name: &str) -> Vec<u8> {
        match self.call(connection, get(name, true)) {
            Reply::Message { body, .. } => body,
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn bodies(&mut self, name: &str) -> Vec<Vec<u8>> {
        let connection = self.connect();
        let mut after = None;
        let mut bodies = Vec::new();
        loop {
            match self.call(connection, Request::Browse { queue: queue(name), after }) {
                Reply::Message { priority, key, body, .. } => {
                    after = Some((priority, key));
                    bodies.push(body);
                }
                Reply::NoMessage => break,
                other => panic!("{other:?}"),
            }
        }
        self.core.disconnect(connection);
        self.settle();
        bodies
    }

    /// As if the process were killed: everything in memory is gone, the files stay as they are.
    pub(crate) fn kill(&mut self) {
        self.held.clear();
        self.replies.clear();
        self.console.clear();
        if let Some(control) = &self.control {
            control.kill();
        }
        self.clock += 1000;
    }

    /// As if the power were cut: what was not synced may be gone.
    pub(crate) fn cut_power(&mut self) {
        self.kill();
        self.control().crash();
    }

    pub(crate) fn try_start(&mut self) -> Result<(), CoreError> {
        self.clock += 1000;
        self.core = start(&self.storage, self.clock)?;
        Ok(())
    }

    pub(crate) fn start(&mut self) {
        if let Err(error) = self.try_start() {
            panic!("start: {error}");
        }
    }

    pub(crate) fn kill_and_start(&mut self) {
        self.kill();
        self.start();
    }
}

fn start(storage: &SharedStorage, now: u64) -> Result<Core, CoreError> {
    let options = StartOptions { index: true, read_from: None, frames: None, progress: &mut |_| {} };
    Core::start(storage, Path::new(DIR), options, Timestamp(now))
}

pub(crate) fn queue(name: &str) -> ObjectName {
    name.parse().unwrap()
}

pub(crate) fn put(name: &str, body: &[u8], syncpoint: bool) -> Request {
    Request::Put { queue: queue(name), priority: None, persistent: None, syncpoint, body: body.to_vec() }
}

pub(crate) fn put_nonpersistent(name: &str, body: &[u8], syncpoint: bool) -> Request {
    Request::Put {
        queue: queue(name),
        priority: None,
        persistent: Some(false),
        syncpoint,
        body: body.to_vec(),
    }
}

pub(crate) fn get(name: &str, syncpoint: bool) -> Request {
    Request::Get { queue: queue(name), syncpoint, message_id: None }
}
