//! The promise, through the core's public door: what was acknowledged as committed is there after any end, nothing else is.

use std::path::Path;
use std::sync::Arc;

use engine_queue_manager::{ConnectionId, Core, NewQueueManager, StartOptions, State, create};
use engine_storage::{MemoryStorage, SharedStorage};
use format_protocol::{Reply, Request};
use format_types::{Expand, ObjectName, Rba, Timestamp};

const DIR: &str = "QM1";

fn new_queue_manager() -> NewQueueManager {
    NewQueueManager {
        name: "QM1".parse().unwrap(),
        page_sets: 3,
        page_set_size: 256 << 10,
        expand: Expand::User,
        log_size: 1 << 20,
        active_logs: 3,
        dual_logs: true,
        dual_archives: true,
        buffer_pool: 64 * 4096,
        log_load: 500,
        random: [7, 9],
    }
}

struct Bench {
    storage: SharedStorage,
    core: Core,
    clock: u64,
}

impl Bench {
    fn new() -> Self {
        let storage: SharedStorage = Arc::new(MemoryStorage::new());
        create(&storage, Path::new(DIR), &new_queue_manager(), Timestamp(1_000_000)).unwrap();
        let core = start(&storage, 2_000_000);
        Self { storage, core, clock: 2_000_000 }
    }

    /// Works and runs jobs until nothing is left to do.
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
        let (to, reply) = replies.remove(0);
        assert_eq!(to, connection);
        reply
    }

    fn connect(&mut self) -> ConnectionId {
        let connection = self.core.connect();
        let hello = Request::Hello { version: format_protocol::VERSION, application: "TEST".to_owned() };
        assert!(matches!(self.call(connection, hello), Reply::Hello { .. }));
        connection
    }

    /// As if the process were killed: everything in memory is gone, the files stay as they are.
    fn kill_and_start(&mut self) {
        self.clock += 1000;
        self.core = start(&self.storage, self.clock);
    }

    fn put(&mut self, connection: ConnectionId, name: &str, body: &[u8], syncpoint: bool) -> Reply {
        let request = Request::Put {
            queue: queue(name),
            priority: None,
            persistent: None,
            syncpoint,
            body: body.to_vec(),
        };
        self.call(connection, request)
    }

    fn bodies(&mut self, name: &str) -> Vec<Vec<u8>> {
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
        bodies
    }
}

fn start(storage: &SharedStorage, now: u64) -> Core {
    let options = StartOptions { index: true, read_from: None, frames: None, progress: &mut |_| {} };
    match Core::start(storage, Path::new(DIR), options, Timestamp(now)) {
        Ok(core) => core,
        Err(error) => panic!("start: {error}"),
    }
}

fn queue(name: &str) -> ObjectName {
    name.parse().unwrap()
}

fn define(bench: &mut Bench, connection: ConnectionId, text: &str) {
    match bench.call(connection, Request::Mqsc { text: text.to_owned() }) {
        Reply::Lines { code, lines } => assert_eq!(code.number(), 0, "{lines:?}"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn committed_messages_survive_a_kill_in_order_and_uncommitted_ones_do_not() {
    let mut bench = Bench::new();
    let connection = bench.connect();
    define(&mut bench, connection, "DEFINE QLOCAL(A)");
    for n in 0..50u32 {
        let reply = bench.put(connection, "A", format!("message {n}").as_bytes(), false);
        assert!(matches!(reply, Reply::Put { commit, .. } if commit != Rba::ZERO), "{reply:?}");
    }
    for n in 0..5 {
        bench.put(connection, "A", format!("never {n}").as_bytes(), true);
    }
    assert_eq!(bench.bodies("A").len(), 50);
    bench.kill_and_start();
    let expected: Vec<Vec<u8>> = (0..50).map(|n| format!("message {n}").into_bytes()).collect();
    assert_eq!(bench.bodies("A"), expected);
}

#[test]
fn gets_stay_got_and_backed_out_ones_come_back() {
    let mut bench = Bench::new();
    let connection = bench.connect();
    define(&mut bench, connection, "DEFINE QLOCAL(A)");
    for n in 0..10u8 {
        bench.put(connection, "A", &[n], false);
    }
    let get = |syncpoint| Request::Get { queue: queue("A"), syncpoint, message_id: None };
    assert!(matches!(bench.call(connection, get(false)), Reply::Message { body, .. } if body == [0]));
    assert!(matches!(bench.call(connection, get(true)), Reply::Message { body, .. } if body == [1]));
    assert!(matches!(bench.call(connection, Request::Commit), Reply::Committed { rba } if rba != Rba::ZERO));
    assert!(matches!(bench.call(connection, get(true)), Reply::Message { body, .. } if body == [2]));
    assert!(matches!(bench.call(connection, Request::Backout), Reply::BackedOut));
    assert!(matches!(bench.call(connection, get(true)), Reply::Message { body, .. } if body == [2]));
    bench.kill_and_start();
    assert_eq!(bench.bodies("A"), (2..10u8).map(|n| vec![n]).collect::<Vec<_>>());
}

#[test]
fn large_and_empty_messages_and_log_switches() {
    let mut bench = Bench::new();
    let connection = bench.connect();
    define(&mut bench, connection, "DEFINE QLOCAL(A)");
    let sizes = [0usize, 1, 3900, 4000, 4096, 10_000, 100_000];
    for round in 0..30usize {
        let body = vec![round as u8; sizes[round % sizes.len()]];
        let reply = bench.put(connection, "A", &body, false);
        assert!(matches!(reply, Reply::Put { .. }), "{reply:?}");
    }
    let expected: Vec<Vec<u8>> = (0..30usize).map(|n| vec![n as u8; sizes[n % sizes.len()]]).collect();
    assert_eq!(bench.bodies("A"), expected);
    bench.kill_and_start();
    assert_eq!(bench.bodies("A"), expected);
    let connection = bench.connect();
    for body in &expected {
        let get = Request::Get { queue: queue("A"), syncpoint: false, message_id: None };
        assert!(matches!(bench.call(connection, get), Reply::Message { body: got, .. } if got == *body));
    }
    bench.kill_and_start();
    assert!(bench.bodies("A").is_empty());
    assert!(!bench.core.bsds().archives.is_empty(), "the log was never offloaded");
}

#[test]
fn nonpersistent_messages_end_with_the_run() {
    let mut bench = Bench::new();
    let connection = bench.connect();
    define(&mut bench, connection, "DEFINE QLOCAL(A)");
    for (n, persistent) in [(0u8, true), (1, false), (2, true), (3, false)] {
        let request = Request::Put {
            queue: queue("A"),
            priority: Some(5),
            persistent: Some(persistent),
            syncpoint: false,
            body: vec![n; 5000],
        };
        assert!(matches!(bench.call(connection, request), Reply::Put { .. }));
    }
    assert_eq!(bench.bodies("A").len(), 4);
    bench.kill_and_start();
    let left: Vec<u8> = bench.bodies("A").iter().map(|body| body[0]).collect();
    assert_eq!(left, [0, 2]);
    let usage = bench.core.usage();
    assert!(usage.page_sets.iter().all(|set| set.nonpersistent_pages == 0), "{:?}", usage.page_sets);
}

#[test]
fn a_clean_stop_says_what_the_files_say() {
    let mut bench = Bench::new();
    let connection = bench.connect();
    define(&mut bench, connection, "DEFINE QLOCAL(A)");
    for n in 0..100u8 {
        bench.put(connection, "A", &[n; 700], false);
    }
    bench.core.stop(false);
    bench.settle();
    assert_eq!(bench.core.state(), State::Stopped);
    let live = bench.core.usage();
    let messages = bench.core.take_messages().join("\n");
    assert!(messages.contains("CSQI024I") && messages.contains("CSQI025I"), "{messages}");
    let at_rest = engine_recovery::status::at_rest(&bench.storage, Path::new(DIR)).unwrap();
    assert_eq!(at_rest.system_recovery, live.system_recovery);
    assert_eq!(at_rest.log_end, live.log_end);
    assert_eq!(at_rest.page_sets, live.page_sets);
}

#[test]
fn the_oldest_unit_holds_the_system_recovery_rba_and_is_named() {
    let mut bench = Bench::new();
    let holder = bench.connect();
    define(&mut bench, holder, "DEFINE QLOCAL(A)");
    bench.put(holder, "A", b"held", true);
    let other = bench.connect();
    for n in 0..2000u32 {
        bench.put(other, "A", &n.to_be_bytes(), false);
    }
    let usage = bench.core.usage();
    let part = usage.system_recovery.lowest();
    assert!(part.holder.contains("unit of recovery") && part.holder.contains("TEST"), "{}", part.holder);
    assert_eq!(part.rba, usage.units[0].urid.0);
    let at_rest = engine_recovery::status::at_rest(&bench.storage, Path::new(DIR)).unwrap();
    assert_eq!(at_rest.units.first().map(|unit| unit.urid), usage.units.first().map(|unit| unit.urid));
}

#[test]
fn page_sets_grow_while_messages_wait_and_full_ones_refuse_without_loss() {
    let mut bench = Bench::new();
    let connection = bench.connect();
    define(&mut bench, connection, "DEFINE QLOCAL(A)");
    for n in 0..40u8 {
        let reply = bench.put(connection, "A", &vec![n; 30_000], false);
        assert!(matches!(reply, Reply::Put { .. }), "{reply:?}");
    }
    assert!(bench.core.usage().page_sets[1].expansions > 0);
    define(&mut bench, connection, "ALTER PSID(01) EXPAND(NONE)");
    let mut refused = false;
    for n in 40..200u8 {
        match bench.put(connection, "A", &vec![n; 30_000], false) {
            Reply::Put { .. } => {}
            Reply::Error { id, text, .. } => {
                assert_eq!(id, "HWT425E", "{text}");
                refused = true;
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert!(refused, "a page set that may not grow never filled up");
    let before = bench.bodies("A");
    bench.kill_and_start();
    assert_eq!(bench.bodies("A"), before);
}
