//! Queue managers that lost something, and what was carried away from them.
#![allow(dead_code, unreachable_pub, missing_docs)]

use std::path::{Path, PathBuf};

use engine_queue_manager::ConnectionId;
use engine_storage::{OpenMode, SharedStorage};
use format_manifest::Manifest;
use format_protocol::{Reply, Request};
use format_types::Timestamp;
use operation_points::{
    AnewPlan, AnewReport, AnewSettings, AnewSource, Driver, FullPoint, FullSettings, FullStep, LogInclusion,
    PointCopy, PointError, PointStep, publish_with_log, registration,
};

use crate::bench::{self, Bench, DIR, Killed, POINT, contents, queue};

pub const ARCHIVES: &str = "ARCH";
pub const OLD: &str = "OLD";

pub fn archive(bench: &mut Bench, connection: ConnectionId) -> format_types::Rba {
    let request = Request::ArchiveLog { quiesce: None, wait_offload: true, cancel_offload: false };
    match bench.call(connection, request) {
        Reply::LogArchived { end, .. } => end,
        other => panic!("{other:?}"),
    }
}

/// Makes a point that holds its log, while messages are put; the messages that it holds are the first of those expected.
pub fn make_including_point(bench: &mut Bench, connection: ConnectionId) -> (Manifest, usize) {
    let plan = bench.plan(connection);
    let storage = bench.faulty.control().racing();
    let mut copy = PointCopy::begin(&storage, plan.clone()).unwrap();
    let copied = loop {
        match copy.step().unwrap() {
            PointStep::Done(copied) => break copied,
            PointStep::More | PointStep::Pause(_) => bench.put(connection, 2),
        }
    };
    let Reply::Definitions(definitions) = bench.call(connection, Request::Definitions) else { panic!() };
    let end = archive(bench, connection);
    let held = bench.expected.len();
    let mut inclusion = LogInclusion::begin(&storage, &plan, &copied, end).unwrap();
    let log = loop {
        if let Some(log) = inclusion.step().unwrap() {
            break log;
        }
        // What is written meanwhile is no part of the point.
        bench.put(connection, 3);
    };
    let manifest = publish_with_log(&bench.storage, &plan, &copied, &definitions, end, Some(log)).unwrap();
    let entry = registration(&plan, &manifest);
    assert!(matches!(bench.call(connection, Request::FinishBackup { entry }), Reply::BackupFinished { .. }));
    (manifest, held)
}

pub fn settings(source: AnewSource) -> AnewSettings {
    AnewSettings {
        dir: PathBuf::from(DIR),
        from: PathBuf::from(POINT),
        source,
        accept_loss: true,
        frames: None,
        driver: Driver::Steps,
        dry_run: false,
        random: 0xABCD,
    }
}

pub fn make(storage: &SharedStorage, settings: &AnewSettings, now: u64) -> Result<AnewReport, PointError> {
    let plan = AnewPlan::make(storage, settings, &mut |_, _| {})?;
    operation_points::make_anew(storage, &plan, settings, Timestamp(now), &mut |_| {})
}

/// The old directory is out of the way, as at another site.
pub fn move_away(killed: &Killed) {
    killed.storage.rename(Path::new(DIR), Path::new(OLD)).unwrap();
    killed.storage.sync_dir(Path::new("")).unwrap();
}

/// Archives and the copies of the BSDS beside them, in a directory of their own; nothing else.
pub fn carry_archives(killed: &Killed) {
    let storage = &killed.storage;
    storage.create_dir(Path::new(ARCHIVES)).unwrap();
    for (name, bytes) in contents(storage, Path::new(DIR)) {
        if name.to_string_lossy().starts_with("ARCHLOG") {
            write(storage, &Path::new(ARCHIVES).join(name), &bytes);
        }
    }
    storage.sync_dir(Path::new(ARCHIVES)).unwrap();
    storage.sync_dir(Path::new("")).unwrap();
}

pub fn write(storage: &SharedStorage, path: &Path, bytes: &[u8]) {
    let file = storage.open(path, OpenMode::CreateNew).unwrap();
    file.write_at(0, bytes).unwrap();
    file.sync().unwrap();
}

/// A connection with a put and a get that are not committed.
pub fn open_unit(bench: &mut Bench) -> ConnectionId {
    let connection = bench.connect();
    let put = Request::Put {
        queue: queue(),
        priority: None,
        persistent: Some(true),
        syncpoint: true,
        body: vec![0xEE; 6000],
    };
    assert!(matches!(bench.call(connection, put), Reply::Put { .. }));
    let get = Request::Get { queue: queue(), syncpoint: true, message_id: None };
    assert!(matches!(bench.call(connection, get), Reply::Message { .. }));
    connection
}

/// A killed queue manager with archives elsewhere; the messages that are in them, and then in the point.
pub fn other_site(seed: u64) -> (Killed, usize) {
    other_site_with(seed, 450)
}

pub fn other_site_with(seed: u64, count: usize) -> (Killed, usize) {
    let mut bench = Bench::new(seed);
    let connection = bench.connect();
    bench.put(connection, 40 + count / 2);
    bench.make_point(connection);
    bench.put(connection, count);
    let open = open_unit(&mut bench);
    archive(&mut bench, connection);
    let held = bench.expected.len();
    assert!(matches!(bench.call(open, Request::Commit), Reply::Committed { .. }));
    bench.put(connection, 20);
    let killed = bench.kill();
    carry_archives(&killed);
    (killed, held)
}

pub fn with_included_log(seed: u64) -> (Killed, usize) {
    let mut bench = Bench::new(seed);
    let connection = bench.connect();
    bench.put(connection, 120);
    let open = open_unit(&mut bench);
    let (_, held) = make_including_point(&mut bench, connection);
    assert!(matches!(bench.call(open, Request::Commit), Reply::Committed { .. }));
    bench.put(connection, 30);
    (bench.kill(), held)
}

/// A queue manager that was copied at rest, worked on, and was killed; then its logs are lost.
pub fn with_full_point(seed: u64, include_log: bool) -> (Killed, usize) {
    let mut bench = Bench::new(seed);
    let connection = bench.connect();
    bench.put(connection, 90);
    bench.core.stop(true);
    bench.core.run_to_stop().unwrap();
    let mut killed = bench.kill();
    let full = FullSettings {
        dir: PathBuf::from(DIR),
        to: PathBuf::from(POINT),
        name: POINT.to_owned(),
        allow_in_doubt: false,
        include_log,
    };
    let mut machine = FullPoint::begin(&killed.storage, &full, &[], Timestamp(killed.clock)).unwrap();
    loop {
        if let FullStep::Done(_) = machine.step().unwrap() {
            break;
        }
    }
    drop(machine);
    let held = killed.expected.len();
    killed.clock += 10_000;
    let core = bench::start(&killed.storage, killed.clock);
    let Killed { faulty, storage, clock, expected } = killed;
    let mut bench = Bench { faulty, storage, core, clock, expected };
    let connection = bench.connect();
    bench.put(connection, 70);
    (bench.kill(), held)
}

pub fn lose_logs(killed: &Killed) {
    for name in killed.storage.list(Path::new(DIR)).unwrap() {
        if name.to_string_lossy().starts_with("LOGCOPY") || name.to_string_lossy().starts_with("ARCHLOG") {
            killed.storage.remove(&Path::new(DIR).join(name)).unwrap();
        }
    }
    killed.storage.sync_dir(Path::new(DIR)).unwrap();
}
