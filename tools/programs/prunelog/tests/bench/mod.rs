//! A queue manager on any storage with three recovery points and archives between them, stopped.
#![allow(dead_code, reason = "each test file uses its part of it")]

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use engine_queue_manager::{ConnectionId, Core, NewQueueManager, StartOptions, create};
use engine_storage::{FaultyStorage, SharedStorage, durable};
use format_protocol::{Reply, Request};
use format_types::{Expand, PointMethod, QueueManagerId, Timestamp};
use operation_points::{LogCheck, Point, PointCopy, PointPlan, PointStep, check_log, publish, registration};

pub(crate) const DIR: &str = "QM1";

struct Bench {
    storage: SharedStorage,
    /// Where it is; its points are beside it.
    dir: PathBuf,
    core: Core,
    clock: u64,
    identity: u64,
    put: u32,
}

/// A queue manager that is down.
pub(crate) struct Stopped {
    pub(crate) faulty: FaultyStorage,
    pub(crate) storage: SharedStorage,
}

/// Points P1, P2 and P3, the last the newest, each with archives before and behind it.
pub(crate) fn stopped(seed: u64) -> Stopped {
    stopped_with(seed, [7, 9])
}

/// The same with another identity.
pub(crate) fn stopped_with(seed: u64, random: [u64; 2]) -> Stopped {
    let faulty = FaultyStorage::new(seed);
    let storage = faulty.shared();
    make(&storage, Path::new(DIR), random);
    Stopped { faulty, storage }
}

/// The same in a directory of any storage.
pub(crate) fn make(storage: &SharedStorage, dir: &Path, random: [u64; 2]) {
    let new = NewQueueManager {
        name: "QM1".parse().unwrap(),
        page_sets: 2,
        page_set_size: 512 << 10,
        expand: Expand::System,
        log_size: 512 << 10,
        active_logs: 3,
        dual_logs: false,
        dual_archives: true,
        buffer_pool: 64 * 4096,
        log_load: 200,
        random,
    };
    create(storage, dir, &new, Timestamp(1_000_000)).unwrap();
    let options = StartOptions { index: true, read_from: None, frames: None, progress: &mut |_| {} };
    let core = Core::start(storage, dir, options, Timestamp(2_000_000)).unwrap();
    let (storage, dir) = (storage.clone(), dir.to_owned());
    let mut bench = Bench { storage, dir, core, clock: 2_000_000, identity: random[0], put: 0 };
    let connection = bench.core.connect();
    let hello = Request::Hello { version: format_protocol::VERSION, application: "TEST".to_owned() };
    assert!(matches!(bench.call(connection, hello), Reply::Hello { .. }));
    for point in ["P1", "P2", "P3"] {
        bench.work(connection);
        bench.work(connection);
        bench.point(connection, point);
    }
    bench.work(connection);
    bench.core.disconnect(connection);
    bench.core.stop(false);
    bench.settle();
}

impl Bench {
    fn settle(&mut self) {
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

    fn call(&mut self, connection: ConnectionId, request: Request) -> Reply {
        self.core.request(connection, request);
        self.settle();
        let mut replies = self.core.take_replies();
        assert_eq!(replies.len(), 1, "{replies:?}; console: {:?}", self.core.take_messages());
        replies.remove(0).1
    }

    /// Messages come and go, and the log of it is archived.
    fn work(&mut self, connection: ConnectionId) {
        let queue = || "SYSTEM.DEFAULT.LOCAL.QUEUE".parse().unwrap();
        for _ in 0..60 {
            self.put += 1;
            let body = format!("message {}", self.put).into_bytes().repeat(20);
            let put = Request::Put {
                queue: queue(),
                priority: None,
                persistent: Some(true),
                syncpoint: false,
                body,
            };
            assert!(matches!(self.call(connection, put), Reply::Put { .. }));
            if !self.put.is_multiple_of(5) {
                let get = Request::Get { queue: queue(), syncpoint: false, message_id: None };
                assert!(matches!(self.call(connection, get), Reply::Message { .. }));
            }
        }
        self.archive(connection);
    }

    fn archive(&mut self, connection: ConnectionId) -> format_types::Rba {
        let archive = Request::ArchiveLog { quiesce: None, wait_offload: true, cancel_offload: false };
        match self.call(connection, archive) {
            Reply::LogArchived { end, .. } => end,
            other => panic!("{other:?}"),
        }
    }

    fn point(&mut self, connection: ConnectionId, name: &str) {
        let reply = self.call(connection, Request::RegisterBackup { name: name.to_owned() });
        let Reply::Backup { usage, start, history, page_sets } = reply else { panic!("{reply:?}") };
        let plan = PointPlan {
            name: name.to_owned(),
            directory: self.dir.with_file_name(name),
            source: self.dir.clone(),
            queue_manager: "QM1".parse().unwrap(),
            queue_manager_id: QueueManagerId(self.identity),
            history,
            method: PointMethod::Fuzzy,
            at: Timestamp(self.clock),
            start,
            page_sets,
            system_recovery: usage.system_recovery,
        };
        let mut copy = PointCopy::begin(&self.storage, plan.clone()).unwrap();
        let copied = loop {
            if let PointStep::Done(copied) = copy.step().unwrap() {
                break copied;
            }
        };
        let end = self.archive(connection);
        let manifest = publish(&self.storage, &plan, &copied, &[], end).unwrap();
        let entry = registration(&plan, &manifest);
        assert!(matches!(
            self.call(connection, Request::FinishBackup { entry }),
            Reply::BackupFinished { .. }
        ));
    }
}

impl Stopped {
    /// All bytes of all its files, the lock aside.
    pub(crate) fn contents(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let dir = Path::new(DIR);
        let names = self.storage.list(dir).unwrap();
        let names = names.into_iter().filter(|name| name.as_os_str() != "LOCK");
        names
            .map(|name| {
                let bytes = durable::read_file(self.storage.as_ref(), &dir.join(&name), 1 << 30).unwrap();
                (name, bytes)
            })
            .collect()
    }

    /// The newest points have all the log that they need.
    pub(crate) fn check_points(&self, newest: usize) {
        for name in ["P3", "P2", "P1"].iter().take(newest) {
            let point = Point::open(&self.storage, Path::new(name)).unwrap();
            let reader = engine_log::LogReader::open(&self.storage, Path::new(DIR)).unwrap();
            let LogCheck { missing, .. } = check_log(reader, &point).unwrap();
            assert!(missing.is_empty(), "{name}: {missing:?}");
        }
    }
}
