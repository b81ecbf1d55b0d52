//! A queue manager made anew: at another site from archives, from a point that holds its log, after the logs were lost.

mod bench;
mod sites;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use bench::{Bench, DIR, Killed, POINT, contents, queue};
use engine_queue_manager::ConnectionId;
use engine_storage::SharedStorage;
use format_protocol::{Reply, Request};
use format_types::{PageSetId, PointMethod, QueueManagerId, Timestamp};
use operation_points::{
    AnewPlan, AnewSettings, AnewSource, FullPoint, FullSettings, FullStep, Point, PointCopy, PointError,
    PointPlan, PointStep, RecoverSettings, publish_with_log, registration, verify_point,
};
use sites::{
    ARCHIVES, OLD, archive, carry_archives, lose_logs, make, move_away, open_unit, other_site, settings,
    with_full_point, with_included_log,
};

/// A point T2, made while nobody works.
fn second_point(bench: &mut Bench, connection: ConnectionId) {
    let reply = bench.call(connection, Request::RegisterBackup { name: "T2".to_owned() });
    let Reply::Backup { usage, start, history, page_sets } = reply else { panic!("{reply:?}") };
    let plan = PointPlan {
        name: "T2".to_owned(),
        directory: PathBuf::from("T2"),
        source: PathBuf::from(DIR),
        queue_manager: "QM1".parse().unwrap(),
        queue_manager_id: QueueManagerId(7),
        history,
        method: PointMethod::Fuzzy,
        at: Timestamp(bench.clock),
        start,
        page_sets,
        system_recovery: usage.system_recovery,
    };
    let mut copy = PointCopy::begin(&bench.storage, plan.clone()).unwrap();
    let copied = loop {
        if let PointStep::Done(copied) = copy.step().unwrap() {
            break copied;
        }
    };
    let end = archive(bench, connection);
    let manifest =
        publish_with_log(&bench.storage, &plan, &copied, &["DEFINE".to_owned()], end, None).unwrap();
    let entry = registration(&plan, &manifest);
    assert!(matches!(bench.call(connection, Request::FinishBackup { entry }), Reply::BackupFinished { .. }));
}

/// The messages are those that were held; work goes on, and another point and recovery after it.
fn goes_on(mut killed: Killed, held: usize) {
    killed.expected.truncate(held);
    killed.clock += 100_000;
    let core = bench::start(&killed.storage, killed.clock);
    assert_eq!(core.bsds().histories.len(), 2);
    assert_eq!(core.bsds().history().random, 0xABCD);
    let Killed { faulty, storage, clock, expected } = killed;
    let mut bench = Bench { faulty, storage, core, clock, expected };
    let connection = bench.connect();
    let mut after = None;
    let mut found = Vec::new();
    while let Reply::Message { priority, key, body, .. } =
        bench.call(connection, Request::Browse { queue: queue(), after })
    {
        after = Some((priority, key));
        found.push(body);
    }
    assert_eq!(found.len(), bench.expected.len());
    assert!(found == bench.expected, "the messages are others than those held");
    bench.put(connection, 60);
    second_point(&mut bench, connection);
    bench.put(connection, 60);
    let mut killed = bench.kill();
    killed.remove_page_sets();
    let settings = RecoverSettings { from: PathBuf::from("T2"), ..killed.settings() };
    killed.recover_with(&settings).unwrap();
    killed.check();
}

#[test]
fn at_another_site_everything_that_was_archived_is_there() {
    for seed in 0..3 {
        let (killed, held) = other_site(seed);
        move_away(&killed);
        let anew = settings(AnewSource::Archives(PathBuf::from(ARCHIVES)));
        let plan = AnewPlan::make(&killed.storage, &anew, &mut |_, _| {}).unwrap();
        assert!(plan.loss.must_be_accepted && plan.loss.last.is_some());
        assert_eq!(plan.loss.after, plan.needed.end);
        let report = make(&killed.storage, &anew, killed.clock + 50).unwrap();
        assert!(report.records > 100 && report.forward.start == plan.needed.start);
        goes_on(killed, held);
    }
}

#[test]
fn from_a_point_that_holds_its_log_nothing_else_is_needed() {
    for seed in 0..3 {
        let (killed, held) = with_included_log(seed);
        move_away(&killed);
        let point = Point::open(&killed.storage, Path::new(POINT)).unwrap();
        assert!(!point.manifest.log.as_ref().unwrap().is_empty());
        let report = verify_point(&killed.storage, &point, None, &mut |_, _| {}).unwrap();
        assert_eq!(report.code().number(), 0, "{report:?}");
        let anew = AnewSettings { accept_loss: false, ..settings(AnewSource::Point) };
        make(&killed.storage, &anew, killed.clock + 50).unwrap();
        goes_on(killed, held);
    }
}

#[test]
fn a_full_point_that_holds_its_log_needs_none() {
    let (killed, held) = with_full_point(3, true);
    move_away(&killed);
    let point = Point::open(&killed.storage, Path::new(POINT)).unwrap();
    assert_eq!((point.manifest.method, point.manifest.log.as_deref()), (PointMethod::Full, Some(&[][..])));
    make(&killed.storage, &settings(AnewSource::Point), killed.clock + 50).unwrap();
    goes_on(killed, held);
}

#[test]
fn units_in_doubt_come_along_in_a_point_made_at_rest() {
    let mut bench = Bench::new(15);
    let connection = bench.connect();
    bench.put(connection, 50);
    let doubtful = open_unit(&mut bench);
    assert!(matches!(bench.call(doubtful, Request::Prepare { xid: b"X1".to_vec() }), Reply::Prepared));
    bench.put(connection, 50);
    bench.core.stop(true);
    bench.core.run_to_stop().unwrap();
    let killed = bench.kill();
    let full = FullSettings {
        dir: PathBuf::from(DIR),
        to: PathBuf::from(POINT),
        name: POINT.to_owned(),
        allow_in_doubt: true,
        include_log: true,
    };
    let mut machine = FullPoint::begin(&killed.storage, &full, &[], Timestamp(killed.clock)).unwrap();
    let manifest = loop {
        if let FullStep::Done(done) = machine.step().unwrap() {
            break done.manifest;
        }
    };
    drop(machine);
    let pieces = manifest.log.as_deref().unwrap();
    assert_eq!((manifest.method, pieces.len()), (PointMethod::Fuzzy, 1));
    assert_eq!(pieces[0].end, manifest.end);
    assert_ne!(manifest.end.ci_offset(), 0, "it ends inside a control interval");
    move_away(&killed);
    make(&killed.storage, &settings(AnewSource::Point), killed.clock + 50).unwrap();
    let core = bench::start(&killed.storage, killed.clock + 5000);
    let units = core.usage().units;
    assert_eq!(units.len(), 1, "{units:?}");
    assert_eq!(units[0].state, format_types::UnitState::InDoubt);
    drop(core);
    killed.faulty.control().kill();
    // The unit in doubt holds the first message back.
    let mut killed = killed;
    killed.expected.remove(0);
    killed.check();
}

#[test]
fn logs_are_lost_and_a_full_point_brings_back_what_it_holds() {
    for keep_bsds in [true, false] {
        let (killed, held) = with_full_point(4, false);
        lose_logs(&killed);
        if !keep_bsds {
            killed.storage.remove(&Path::new(DIR).join("BSDS01")).unwrap();
            killed.storage.remove(&Path::new(DIR).join("BSDS02")).unwrap();
        }
        let before = killed.files();
        make(&killed.storage, &settings(AnewSource::LogsLost), killed.clock + 50).unwrap();
        assert!(contents(&killed.storage, Path::new("QM1.lost")) == before, "what was there is kept");
        goes_on(killed, held);
    }
}

#[test]
fn at_another_site_a_full_point_behind_the_archives_needs_none_of_them() {
    let (killed, held) = with_full_point(5, false);
    carry_archives(&killed);
    move_away(&killed);
    make(&killed.storage, &settings(AnewSource::Archives(PathBuf::from(ARCHIVES))), killed.clock + 50)
        .unwrap();
    goes_on(killed, held);
}

#[test]
fn a_page_set_defined_after_the_point_comes_from_the_log() {
    let mut bench = Bench::new(6);
    let connection = bench.connect();
    bench.put(connection, 20);
    bench.make_point(connection);
    let commands = [
        "DEFINE PSID(07) BUFFPOOL(0)",
        "DEFINE STGCLASS(LATER) PSID(07)",
        "DEFINE QLOCAL(APP.LATER) STGCLASS(LATER) DEFPSIST(YES)",
    ];
    for text in commands {
        let reply = bench.call(connection, Request::Mqsc { text: text.to_owned() });
        assert!(matches!(&reply, Reply::Lines { code, .. } if code.number() == 0), "{text}: {reply:?}");
    }
    let put = Request::Put {
        queue: "APP.LATER".parse().unwrap(),
        priority: None,
        persistent: Some(true),
        syncpoint: false,
        body: b"later".to_vec(),
    };
    assert!(matches!(bench.call(connection, put), Reply::Put { .. }));
    bench.put(connection, 30);
    archive(&mut bench, connection);
    let held = bench.expected.len();
    let killed = bench.kill();
    carry_archives(&killed);
    move_away(&killed);
    let anew = settings(AnewSource::Archives(PathBuf::from(ARCHIVES)));
    let plan = AnewPlan::make(&killed.storage, &anew, &mut |_, _| {}).unwrap();
    assert_eq!(plan.from_log, [PageSetId::new(7).unwrap()]);
    make(&killed.storage, &anew, killed.clock + 50).unwrap();
    let core = bench::start(&killed.storage, killed.clock + 1000);
    let Killed { faulty, storage, clock, expected } = killed;
    let mut bench = Bench { faulty, storage, core, clock: clock + 1000, expected };
    let connection = bench.connect();
    let get = Request::Get { queue: "APP.LATER".parse().unwrap(), syncpoint: false, message_id: None };
    assert!(matches!(bench.call(connection, get), Reply::Message { body, .. } if body == b"later"));
    assert_eq!(bench.expected.len(), held);
}

/// Everything on the storage: no refusal may change a byte of it.
fn everything(storage: &SharedStorage) -> BTreeMap<PathBuf, BTreeMap<PathBuf, Vec<u8>>> {
    let names = storage.list(Path::new("")).unwrap();
    names.into_iter().map(|name| (name.clone(), contents(storage, &name))).collect()
}

fn refused(storage: &SharedStorage, settings: &AnewSettings) -> PointError {
    let before = everything(storage);
    let error = make(storage, settings, 9_000_000).unwrap_err();
    assert_eq!(error.code().number(), 12, "{error}");
    assert!(everything(storage) == before, "something was touched: {error}");
    error
}

#[test]
fn what_cannot_be_made_is_refused_by_name() {
    let (killed, held) = other_site(7);
    let anew = settings(AnewSource::Archives(PathBuf::from(ARCHIVES)));
    let storage = &killed.storage;
    // A queue manager is there.
    assert!(matches!(refused(storage, &anew), PointError::DirectoryTaken(_)));
    // It works, or could be recovered: nothing needs to be given up.
    assert!(matches!(refused(storage, &settings(AnewSource::LogsLost)), PointError::NotFull { .. }));
    move_away(&killed);
    let unaccepted = AnewSettings { accept_loss: false, ..anew.clone() };
    let error = refused(storage, &unaccepted);
    assert!(
        matches!(error, PointError::LossNotAccepted(_)) && error.to_string().contains("--accept-loss"),
        "{error}"
    );
    assert!(matches!(refused(storage, &settings(AnewSource::Point)), PointError::HoldsNoLog { .. }));
    storage.create_dir(Path::new("EMPTY")).unwrap();
    let nowhere = settings(AnewSource::Archives(PathBuf::from("EMPTY")));
    assert!(matches!(refused(storage, &nowhere), PointError::NoArchives { .. }));

    // An archive in the middle is missing: named; the last ones missing: nearer end; too many: too short.
    let manifest = Point::open(storage, Path::new(POINT)).unwrap().manifest;
    let bsds = engine_log::read_bsds(storage, Path::new(OLD)).unwrap();
    let needed: Vec<_> =
        bsds.archives.iter().filter(|archive| archive.range.end > manifest.log_needed_from()).collect();
    assert!(needed.len() >= 3, "{}", needed.len());
    storage.create_dir(Path::new("ASIDE")).unwrap();
    let aside = PathBuf::from("ASIDE/archive");
    let middle = Path::new(ARCHIVES).join(&needed[1].name);
    storage.rename(&middle, &aside).unwrap();
    let error = refused(storage, &anew);
    assert!(
        matches!(error, PointError::LogMissing { .. }) && error.to_string().contains(&needed[1].name),
        "{error}"
    );
    storage.rename(&aside, &middle).unwrap();
    storage.create_dir(Path::new("LATE")).unwrap();
    for archive in bsds.archives.iter().filter(|archive| archive.range.end > manifest.end) {
        let path = Path::new(ARCHIVES).join(&archive.name);
        storage.rename(&path, &Path::new("LATE").join(&archive.name)).unwrap();
    }
    let late = storage.list(Path::new("LATE")).unwrap();
    assert!(!late.is_empty());
    let last = bsds.archives.iter().find(|archive| archive.range.end == manifest.end).unwrap();
    let path = Path::new(ARCHIVES).join(&last.name);
    storage.rename(&path, &Path::new("LATE").join(&last.name)).unwrap();
    let error = refused(storage, &anew);
    assert!(matches!(error, PointError::ArchivesTooShort { .. }), "{error}");
    storage.rename(&Path::new("LATE").join(&last.name), &path).unwrap();
    for name in late {
        storage.rename(&Path::new("LATE").join(&name), &Path::new(ARCHIVES).join(&name)).unwrap();
    }
    // A damaged control interval that no other copy has.
    killed.faulty.control().rot(&middle, 5000, &[1]).unwrap();
    let error = refused(storage, &anew);
    assert!(matches!(error, PointError::LogMissing { .. }), "{error}");
    killed.faulty.control().rot(&middle, 5000, &[1]).unwrap();
    make(storage, &anew, killed.clock + 50).unwrap();
    goes_on(killed, held);
}

#[test]
fn logs_that_are_there_are_not_given_up() {
    let (mut killed, _) = with_full_point(8, false);
    let error = refused(&killed.storage, &settings(AnewSource::LogsLost));
    assert!(matches!(error, PointError::LogIsThere { .. }), "{error}");
    let lock = killed.storage.lock(&Path::new(DIR).join("LOCK")).unwrap().unwrap();
    assert!(matches!(refused(&killed.storage, &settings(AnewSource::LogsLost)), PointError::InUse(_)));
    drop(lock);
    killed.recover().unwrap();
    killed.check();
}

#[test]
fn every_flip_in_included_log_is_found() {
    let (killed, _) = with_included_log(9);
    move_away(&killed);
    let storage = &killed.storage;
    let point = Point::open(storage, Path::new(POINT)).unwrap();
    let pieces = point.manifest.log.clone().unwrap();
    let needed = point.manifest.log_needed_from();
    let mut random = 5u64;
    for _ in 0..60 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let piece = &pieces[0];
        let at = (random >> 16) % piece.length;
        let path = Path::new(POINT).join(&piece.file);
        killed.faulty.control().rot(&path, at, &[0x10]).unwrap();
        let report = verify_point(storage, &point, None, &mut |_, _| {}).unwrap();
        assert_eq!(report.code().number(), 8, "byte {at} of {}, needed from {needed}", piece.file);
        let error = refused(storage, &settings(AnewSource::Point));
        assert!(matches!(error, PointError::LogMissing { .. }), "{error}");
        killed.faulty.control().rot(&path, at, &[0x10]).unwrap();
    }
}

#[test]
fn a_directory_with_nothing_but_a_lock_is_empty() {
    let (killed, held) = with_included_log(16);
    move_away(&killed);
    killed.storage.create_dir(Path::new(DIR)).unwrap();
    drop(killed.storage.lock(&Path::new(DIR).join("LOCK")).unwrap().unwrap());
    make(&killed.storage, &settings(AnewSource::Point), killed.clock + 50).unwrap();
    goes_on(killed, held);
}

#[test]
fn two_attempts_do_not_meet() {
    let (killed, _) = with_included_log(13);
    move_away(&killed);
    killed.storage.create_dir(Path::new("QM1.making")).unwrap();
    let _lock = killed.storage.lock(Path::new("QM1.making/LOCK")).unwrap().unwrap();
    let plan = AnewPlan::make(&killed.storage, &settings(AnewSource::Point), &mut |_, _| {}).unwrap();
    let made = operation_points::make_anew(
        &killed.storage,
        &plan,
        &settings(AnewSource::Point),
        Timestamp(killed.clock),
        &mut |_| {},
    );
    assert!(matches!(made, Err(PointError::InUse(_))));
}
