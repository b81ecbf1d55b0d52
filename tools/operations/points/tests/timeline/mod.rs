//! A queue manager whose every commit is known with its RBA, so that what must be there after a recovery to any RBA is known too.
#![allow(dead_code, unreachable_pub, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use engine_log::LogReader;
use engine_queue_manager::{ConnectionId, Core, StartOptions};
use engine_storage::{FaultyStorage, Random, SharedStorage};
use format_log::Body;
use format_manifest::Manifest;
use format_protocol::{Reply, Request};
use format_types::{Rba, Timestamp, Urid};
use operation_points::{
    Driver, PointCopy, PointError, PointInTime, PointStep, RecoverReport, RecoverSettings, RecoveryTarget,
    publish, recover_to, registration,
};

use crate::bench::{Bench, DIR, contents, queue, start};

/// Something a unit of recovery did with a message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    Put(u64, Vec<u8>),
    Got(u64),
}

/// What is in the log of a unit whose end is known.
#[derive(Debug, Clone)]
pub struct Commit {
    pub rba: Rba,
    pub acts: Vec<Act>,
}

/// What must be known of a queue manager's past, to say what is there after any cut.
#[derive(Debug, Clone, Default)]
pub struct Past {
    pub commits: Vec<Commit>,
    /// Prepared units that nobody resolves, by their names.
    pub prepared: BTreeMap<Vec<u8>, Vec<Act>>,
    /// Identifiers of all messages that were ever put, those cut off included.
    pub ids: BTreeSet<[u8; 24]>,
}

/// A queue manager that runs, and its past.
pub struct Timeline {
    pub bench: Bench,
    pub past: Past,
    pub random: Random,
    open: Vec<(ConnectionId, Vec<Act>)>,
    put: u64,
    prepared: u64,
}

/// The same, down.
pub struct Down {
    pub faulty: FaultyStorage,
    pub storage: SharedStorage,
    pub past: Past,
    pub random: Random,
    pub clock: u64,
    put: u64,
    prepared: u64,
}

/// A message body that nobody else has.
fn body(number: u64) -> Vec<u8> {
    let size = [10, 700, 3000, 9000, 0, 90, 200, 15_000][number as usize % 8];
    let mut body: Vec<u8> = (0..size).map(|at: u64| (at * 7 + number * 13) as u8).collect();
    body.extend_from_slice(format!("message {number}").as_bytes());
    body
}

impl Timeline {
    pub fn new(seed: u64) -> Self {
        let bench = Bench::new(seed);
        let random = Random::new(seed ^ 0x71AE);
        Self { bench, past: Past::default(), random, open: Vec::new(), put: 0, prepared: 0 }
    }

    /// Does `steps` random things: units of recovery that overlap, of several operations, committed, backed out, prepared, left open.
    pub fn work(&mut self, steps: u64) {
        while self.open.len() < 4 {
            let connection = self.bench.connect();
            self.open.push((connection, Vec::new()));
        }
        for _ in 0..steps {
            let chosen = self.random.below(self.open.len() as u64) as usize;
            let connection = self.open[chosen].0;
            match self.random.below(100) {
                0..45 => self.put(chosen),
                45..60 => self.get(chosen),
                60..90 => self.commit(chosen),
                90..95 => {
                    assert!(matches!(self.bench.call(connection, Request::Backout), Reply::BackedOut));
                    self.open[chosen].1.clear();
                }
                95..97 if !self.open[chosen].1.is_empty() => self.prepare(chosen),
                97 => {
                    let archive =
                        Request::ArchiveLog { quiesce: None, wait_offload: false, cancel_offload: false };
                    // Refused while the log cannot be switched, which is as well.
                    let _ = self.bench.call(connection, archive);
                }
                _ => {}
            }
        }
    }

    fn put(&mut self, chosen: usize) {
        let connection = self.open[chosen].0;
        self.put += 1;
        let body = body(self.put);
        let request = Request::Put {
            queue: queue(),
            priority: Some(0),
            persistent: Some(true),
            syncpoint: true,
            body: body.clone(),
        };
        match self.bench.call(connection, request) {
            Reply::Put { key, message_id, .. } => {
                assert!(self.past.ids.insert(message_id), "an identifier was given out twice");
                self.open[chosen].1.push(Act::Put(key, body));
            }
            // The log waits for an offload: somebody else's turn.
            Reply::Error { .. } => {}
            other => panic!("{other:?}"),
        }
    }

    fn get(&mut self, chosen: usize) {
        let connection = self.open[chosen].0;
        match self.bench.call(connection, Request::Get { queue: queue(), syncpoint: true, message_id: None })
        {
            Reply::Message { key, .. } => self.open[chosen].1.push(Act::Got(key)),
            Reply::NoMessage | Reply::Error { .. } => {}
            other => panic!("{other:?}"),
        }
    }

    fn commit(&mut self, chosen: usize) {
        let connection = self.open[chosen].0;
        match self.bench.call(connection, Request::Commit) {
            Reply::Committed { rba } => {
                let acts = std::mem::take(&mut self.open[chosen].1);
                assert!(rba != Rba::ZERO || acts.is_empty(), "{acts:?}");
                if rba != Rba::ZERO {
                    self.past.commits.push(Commit { rba, acts });
                }
            }
            other => panic!("{other:?}"),
        }
    }

    fn prepare(&mut self, chosen: usize) {
        let connection = self.open[chosen].0;
        self.prepared += 1;
        let xid = format!("XID{}", self.prepared).into_bytes();
        match self.bench.call(connection, Request::Prepare { xid: xid.clone() }) {
            Reply::Prepared => {
                let acts = std::mem::take(&mut self.open[chosen].1);
                self.past.prepared.insert(xid, acts);
            }
            other => panic!("{other:?}"),
        }
    }

    /// Makes a point while work goes on.
    pub fn make_point(&mut self, name: &str) -> Manifest {
        let connection = self.bench.connect();
        let plan = self.bench.plan_as(connection, name);
        let storage = self.bench.faulty.control().racing();
        let mut copy = PointCopy::begin(&storage, plan.clone()).unwrap();
        let copied = loop {
            match copy.step().unwrap() {
                PointStep::Done(copied) => break copied,
                PointStep::More | PointStep::Pause(_) => self.work(2),
            }
        };
        let Reply::Definitions(definitions) = self.bench.call(connection, Request::Definitions) else {
            panic!()
        };
        let archive = Request::ArchiveLog { quiesce: None, wait_offload: true, cancel_offload: false };
        let end = loop {
            match self.bench.call(connection, archive.clone()) {
                Reply::LogArchived { end, .. } => break end,
                Reply::Error { .. } => {}
                other => panic!("{other:?}"),
            }
        };
        let manifest = publish(&self.bench.storage, &plan, &copied, &definitions, end).unwrap();
        let entry = registration(&plan, &manifest);
        let reply = self.bench.call(connection, Request::FinishBackup { entry });
        assert!(matches!(reply, Reply::BackupFinished { .. }), "{reply:?}");
        self.bench.core.disconnect(connection);
        manifest
    }

    /// Ends it at once.
    pub fn kill(self) -> Down {
        let Bench { faulty, core, clock, .. } = self.bench;
        drop(core);
        faulty.control().kill();
        Down {
            storage: faulty.shared(),
            faulty,
            past: self.past,
            random: self.random,
            clock,
            put: self.put,
            prepared: self.prepared,
        }
    }

    /// Ends it in order; units in flight are backed out.
    pub fn stop(mut self) -> Down {
        self.bench.core.stop(true);
        self.bench.settle();
        self.kill()
    }

    /// The messages on the queue, in its order.
    pub fn messages(&mut self) -> Vec<Vec<u8>> {
        let connection = self.bench.connect();
        let mut after = None;
        let mut bodies = Vec::new();
        loop {
            match self.bench.call(connection, Request::Browse { queue: queue(), after }) {
                Reply::Message { priority, key, body, .. } => {
                    after = Some((priority, key));
                    bodies.push(body);
                }
                Reply::NoMessage => break,
                other => panic!("{other:?}"),
            }
        }
        self.bench.core.disconnect(connection);
        bodies
    }
}

/// A record of interest in the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mark {
    Begin,
    Prepare(Vec<u8>),
    Commit(Timestamp),
    End,
    Other,
}

impl Past {
    /// What is on the queue when everything below `target` happened and nothing else; `prepared` are those in doubt there.
    pub fn messages(&self, target: Rba, in_doubt: &BTreeSet<Vec<u8>>) -> Vec<Vec<u8>> {
        let mut there: BTreeMap<u64, &Vec<u8>> = BTreeMap::new();
        let commits = || self.commits.iter().filter(|commit| commit.rba < target);
        for act in commits().flat_map(|commit| &commit.acts) {
            if let Act::Put(key, body) = act {
                assert!(there.insert(*key, body).is_none(), "key {key} was given twice");
            }
        }
        let prepared = self.prepared.iter().filter(|(xid, _)| in_doubt.contains(*xid));
        let gone = commits().flat_map(|commit| &commit.acts).chain(prepared.flat_map(|(_, acts)| acts));
        for act in gone {
            if let Act::Got(key) = act {
                there.remove(key);
            }
        }
        there.into_values().cloned().collect()
    }

    /// What lies at or above `target` did not happen.
    pub fn forget(&mut self, target: Rba, in_doubt: &BTreeSet<Vec<u8>>) {
        self.commits.retain(|commit| commit.rba < target);
        self.prepared.retain(|xid, _| in_doubt.contains(xid));
    }
}

impl Down {
    /// Every record on the line, from its first on.
    pub fn records(&self) -> Vec<(Rba, Rba, Urid, Mark)> {
        let mut reader = LogReader::open(&self.storage, Path::new(DIR)).unwrap();
        let end = reader.find_end().unwrap().end;
        let mut stream = reader.stream(Rba::ZERO, end).unwrap();
        let mut all = Vec::new();
        while let Some((range, record)) = stream.next().unwrap() {
            let mark = match &record.body {
                Body::BeginUr { .. } => Mark::Begin,
                Body::Prepare { xid } => Mark::Prepare(xid.to_vec()),
                Body::BeginPhase2 { at, .. } => Mark::Commit(*at),
                Body::EndUr | Body::EndAbort => Mark::End,
                _ => Mark::Other,
            };
            all.push((range.start, range.end, record.header.urid, mark));
        }
        all
    }

    pub fn log_end(&self) -> Rba {
        LogReader::open(&self.storage, Path::new(DIR)).unwrap().find_end().unwrap().end
    }

    /// Names of the units that are in doubt when the records below `target` are all there is, and how many are open.
    pub fn units_at(&self, target: Rba) -> (BTreeSet<Vec<u8>>, u64) {
        let mut in_doubt: BTreeMap<Urid, Vec<u8>> = BTreeMap::new();
        let mut open = BTreeSet::new();
        for (rba, _, urid, mark) in self.records() {
            if rba >= target {
                break;
            }
            match mark {
                Mark::Begin => {
                    open.insert(if urid.is_some() { urid } else { Urid(rba) });
                }
                Mark::Prepare(xid) => {
                    open.remove(&urid);
                    in_doubt.insert(urid, xid);
                }
                Mark::Commit(_) | Mark::End => {
                    open.remove(&urid);
                    in_doubt.remove(&urid);
                }
                Mark::Other => {}
            }
        }
        (in_doubt.into_values().collect(), open.len() as u64)
    }

    pub fn settings(&self, point: &str) -> RecoverSettings {
        RecoverSettings {
            dir: PathBuf::from(DIR),
            from: PathBuf::from(point),
            page_sets: Vec::new(),
            frames: None,
            driver: Driver::Steps,
            dry_run: false,
        }
    }

    pub fn recover(
        &mut self,
        point: &str,
        target: Option<RecoveryTarget>,
    ) -> Result<RecoverReport, PointError> {
        self.recover_with(&self.settings(point), target, true)
    }

    pub fn recover_with(
        &mut self,
        settings: &RecoverSettings,
        target: Option<RecoveryTarget>,
        accept_loss: bool,
    ) -> Result<RecoverReport, PointError> {
        self.clock += 1000;
        let random = self.random.below(u64::MAX);
        let end = target.map(|target| PointInTime { target, accept_loss, random });
        recover_to(&self.storage, settings, end, Timestamp(self.clock), &mut |_| {})
    }

    /// Starts it again, at `clock` on its clock.
    pub fn start_at(self, clock: u64) -> Timeline {
        let core = start(&self.storage, clock);
        let bench = Bench { faulty: self.faulty, storage: self.storage, core, clock, expected: Vec::new() };
        let Self { past, random, put, prepared, .. } = self;
        Timeline { bench, past, random, open: Vec::new(), put, prepared }
    }

    pub fn start(self) -> Timeline {
        let clock = self.clock + 5000;
        self.start_at(clock)
    }

    /// Starting it, with the error if it is refused.
    pub fn try_start(&self) -> Result<Core, String> {
        let options = StartOptions { index: true, read_from: None, frames: None, progress: &mut |_| {} };
        let now = Timestamp(self.clock + 5000);
        Core::start(&self.storage, Path::new(DIR), options, now).map_err(|error| error.to_string())
    }
}

/// A queue manager with a point `T1` in the middle of its work, killed; and where the copy ended.
pub fn with_point(seed: u64) -> (Down, Rba) {
    let mut timeline = Timeline::new(seed);
    timeline.work(60);
    let manifest = timeline.make_point("T1");
    let steps = 60 + timeline.random.below(150);
    timeline.work(steps);
    (timeline.kill(), manifest.end)
}

/// Shows that a recovery is refused with code 12 and touches nothing.
pub fn refused(down: &mut Down, settings: &RecoverSettings, target: Option<RecoveryTarget>) -> PointError {
    let before = contents(&down.storage, Path::new(DIR));
    let error = down.recover_with(settings, target, true).unwrap_err();
    assert_eq!(error.code().number(), 12, "{error}");
    assert!(contents(&down.storage, Path::new(DIR)) == before, "something was touched: {error}");
    error
}
