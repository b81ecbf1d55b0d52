//! A small queue manager in memory, driven through the core's public door.
#![allow(dead_code, unreachable_pub, missing_docs)]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use engine_queue_manager::{ConnectionId, Core, NewQueueManager, StartOptions, create};
use engine_storage::{FaultyStorage, OpenMode, SharedStorage};
use format_manifest::Manifest;
use format_protocol::{Reply, Request};
use format_types::{Expand, ObjectName, PointMethod, QueueManagerId, Rba, Timestamp};
use operation_points::{Driver, PointCopy, PointError, PointPlan, PointStep, RecoverReport, RecoverSettings};
use operation_points::{publish, recover, registration};

pub const DIR: &str = "QM1";
pub const POINT: &str = "T1";

pub fn new_queue_manager(random: [u64; 2]) -> NewQueueManager {
    NewQueueManager {
        name: "QM1".parse().unwrap(),
        page_sets: 3,
        page_set_size: 128 << 10,
        expand: Expand::User,
        log_size: 512 << 10,
        active_logs: 3,
        dual_logs: true,
        dual_archives: false,
        buffer_pool: 64 * 4096,
        log_load: 300,
        random,
    }
}

pub struct Bench {
    pub faulty: FaultyStorage,
    pub storage: SharedStorage,
    pub core: Core,
    pub clock: u64,
    /// Bodies acknowledged and not got, in order.
    pub expected: Vec<Vec<u8>>,
}

pub fn start(storage: &SharedStorage, now: u64) -> Core {
    let options = StartOptions { index: true, read_from: None, frames: None, progress: &mut |_| {} };
    match Core::start(storage, Path::new(DIR), options, Timestamp(now)) {
        Ok(core) => core,
        Err(error) => panic!("start: {error}"),
    }
}

pub fn queue() -> ObjectName {
    "APP.IN".parse().unwrap()
}

fn body(number: usize) -> Vec<u8> {
    let size = [10, 700, 3000, 9000, 0, 90][number % 6];
    let mut body: Vec<u8> = (0..size).map(|at| (at * 7 + number * 13) as u8).collect();
    body.extend_from_slice(format!("message {number}").as_bytes());
    body
}

impl Bench {
    pub fn new(seed: u64) -> Self {
        let faulty = FaultyStorage::new(seed);
        let storage = faulty.shared();
        create(&storage, Path::new(DIR), &new_queue_manager([7, 9]), Timestamp(1_000_000)).unwrap();
        let core = start(&storage, 2_000_000);
        let mut bench = Self { faulty, storage, core, clock: 2_000_000, expected: Vec::new() };
        let connection = bench.connect();
        let define = Request::Mqsc { text: "DEFINE QLOCAL(APP.IN) MAXDEPTH(99999)".to_owned() };
        assert!(matches!(bench.call(connection, define), Reply::Lines { code, .. } if code.number() == 0));
        bench.core.disconnect(connection);
        bench
    }

    pub fn settle(&mut self) {
        for _ in 0..100_000 {
            self.clock += 1;
            self.core.set_time(Timestamp(self.clock));
            let more = self.core.work();
            let jobs = self.core.take_jobs();
            if !more && jobs.is_empty() {
                return;
            }
            for job in jobs {
                let done = job.run();
                self.core.finish(done);
            }
        }
        panic!("the core never comes to rest");
    }

    pub fn call(&mut self, connection: ConnectionId, request: Request) -> Reply {
        self.core.request(connection, request);
        self.settle();
        let mut replies = self.core.take_replies();
        assert_eq!(replies.len(), 1, "{replies:?}; console: {:?}", self.core.take_messages());
        replies.remove(0).1
    }

    pub fn connect(&mut self) -> ConnectionId {
        let connection = self.core.connect();
        let hello = Request::Hello { version: format_protocol::VERSION, application: "TEST".to_owned() };
        assert!(matches!(self.call(connection, hello), Reply::Hello { .. }));
        connection
    }

    pub fn put(&mut self, connection: ConnectionId, count: usize) {
        for _ in 0..count {
            let body = body(self.expected.len());
            let request = Request::Put {
                queue: queue(),
                priority: None,
                persistent: Some(true),
                syncpoint: false,
                body: body.clone(),
            };
            let reply = self.call(connection, request);
            assert!(matches!(reply, Reply::Put { commit, .. } if commit != Rba::ZERO), "{reply:?}");
            self.expected.push(body);
        }
    }

    pub fn plan(&mut self, connection: ConnectionId) -> PointPlan {
        self.plan_as(connection, POINT)
    }

    pub fn plan_as(&mut self, connection: ConnectionId, name: &str) -> PointPlan {
        let reply = self.call(connection, Request::RegisterBackup { name: name.to_owned() });
        let Reply::Backup { usage, start, history, page_sets } = reply else { panic!("{reply:?}") };
        PointPlan {
            name: name.to_owned(),
            directory: PathBuf::from(name),
            source: PathBuf::from(DIR),
            queue_manager: "QM1".parse().unwrap(),
            queue_manager_id: QueueManagerId(7),
            history,
            method: PointMethod::Fuzzy,
            at: Timestamp(self.clock),
            start,
            page_sets,
            system_recovery: usage.system_recovery,
        }
    }

    /// Makes a point while messages are put, two between any two steps.
    pub fn make_point(&mut self, connection: ConnectionId) -> Manifest {
        let plan = self.plan(connection);
        let storage = self.faulty.control().racing();
        let mut copy = PointCopy::begin(&storage, plan.clone()).unwrap();
        let copied = loop {
            match copy.step().unwrap() {
                PointStep::Done(copied) => break copied,
                PointStep::More | PointStep::Pause(_) => self.put(connection, 2),
            }
        };
        let Reply::Definitions(definitions) = self.call(connection, Request::Definitions) else { panic!() };
        let archive = Request::ArchiveLog { quiesce: None, wait_offload: true, cancel_offload: false };
        let reply = self.call(connection, archive);
        let Reply::LogArchived { end, .. } = reply else { panic!("{reply:?}") };
        let manifest = publish(&self.storage, &plan, &copied, &definitions, end).unwrap();
        let entry = registration(&plan, &manifest);
        let reply = self.call(connection, Request::FinishBackup { entry });
        assert!(matches!(reply, Reply::BackupFinished { .. }), "{reply:?}");
        manifest
    }

    /// A queue manager with messages from before, while and after a point, killed.
    pub fn killed_with_point(seed: u64) -> (Killed, Manifest) {
        let mut bench = Self::new(seed);
        let connection = bench.connect();
        bench.put(connection, 40);
        let manifest = bench.make_point(connection);
        bench.put(connection, 60);
        (bench.kill(), manifest)
    }

    pub fn kill(self) -> Killed {
        let Self { faulty, core, clock, expected, .. } = self;
        drop(core);
        faulty.control().kill();
        Killed { storage: faulty.shared(), faulty, clock, expected }
    }
}

/// A queue manager that is down.
pub struct Killed {
    pub faulty: FaultyStorage,
    pub storage: SharedStorage,
    pub clock: u64,
    pub expected: Vec<Vec<u8>>,
}

impl Killed {
    pub fn settings(&self) -> RecoverSettings {
        RecoverSettings {
            dir: PathBuf::from(DIR),
            from: PathBuf::from(POINT),
            page_sets: Vec::new(),
            frames: None,
            driver: Driver::Steps,
            dry_run: false,
        }
    }

    pub fn recover(&mut self) -> Result<RecoverReport, PointError> {
        self.recover_with(&self.settings())
    }

    pub fn recover_with(&mut self, settings: &RecoverSettings) -> Result<RecoverReport, PointError> {
        self.clock += 1000;
        recover(&self.storage, settings, Timestamp(self.clock), &mut |_| {})
    }

    /// Starts it, and compares its messages with those acknowledged.
    pub fn check(mut self) {
        let core = start(&self.storage, self.clock + 5000);
        let expected = std::mem::take(&mut self.expected);
        let mut bench = Bench {
            faulty: self.faulty,
            storage: self.storage,
            core,
            clock: self.clock + 5000,
            expected: Vec::new(),
        };
        let connection = bench.connect();
        let mut after = None;
        let mut bodies = Vec::new();
        loop {
            match bench.call(connection, Request::Browse { queue: queue(), after }) {
                Reply::Message { priority, key, body, .. } => {
                    after = Some((priority, key));
                    bodies.push(body);
                }
                Reply::NoMessage => break,
                other => panic!("{other:?}"),
            }
        }
        assert_eq!(bodies.len(), expected.len());
        assert!(bodies == expected, "the messages are others than those acknowledged");
        // And it goes on.
        bench.put(connection, 5);
    }

    pub fn remove_page_sets(&self) {
        for number in 0..3 {
            self.storage.remove(&Path::new(DIR).join(format!("PSID0{number}"))).unwrap();
        }
        self.storage.sync_dir(Path::new(DIR)).unwrap();
    }

    /// Every file of the queue manager with its bytes, except the lock.
    pub fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        contents(&self.storage, Path::new(DIR))
    }
}

pub fn contents(storage: &SharedStorage, dir: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut all = BTreeMap::new();
    for name in storage.list(dir).unwrap() {
        if name.as_os_str() != "LOCK" {
            let file = storage.open(&dir.join(&name), OpenMode::Read).unwrap();
            let mut bytes = vec![0; file.len().unwrap() as usize];
            file.read_at(0, &mut bytes).unwrap();
            all.insert(name, bytes);
        }
    }
    all
}
