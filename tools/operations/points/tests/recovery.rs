//! Points made under load, and recoveries from them: whole, stopped anywhere, refused.

mod bench;

use std::path::{Path, PathBuf};

use bench::{Bench, DIR, Killed, POINT, contents};
use engine_storage::OpenMode;
use format_types::{PAGE_SIZE, PageSetId, PointState};
use operation_points::{Point, PointError, PointStep, RecoverSettings, list_points, verify_point};

fn set(number: u8) -> PageSetId {
    PageSetId::new(number).unwrap()
}

#[test]
fn a_point_made_under_load_brings_every_message_back() {
    for seed in 0..5 {
        let (mut killed, manifest) = Bench::killed_with_point(seed);
        assert_eq!(manifest.state, PointState::Verified);
        killed.remove_page_sets();
        let report = killed.recover().unwrap();
        assert_eq!(report.page_sets, [set(0), set(1), set(2)]);
        assert!(report.forward.start <= manifest.log_needed_from() && report.records > 50);
        let leftovers: Vec<PathBuf> = killed
            .files()
            .into_keys()
            .filter(|name| name.extension().is_some_and(|e| e == "replaced" || e == "restoring"))
            .collect();
        assert_eq!(leftovers, Vec::<PathBuf>::new());
        killed.check();
    }
}

#[test]
fn single_page_sets_are_recovered_beside_the_others() {
    let (mut killed, _) = Bench::killed_with_point(1);
    killed.storage.remove(&Path::new(DIR).join("PSID01")).unwrap();
    let settings = RecoverSettings { page_sets: vec![set(1)], ..killed.settings() };
    assert_eq!(killed.recover_with(&settings).unwrap().page_sets, [set(1)]);
    killed.check();
}

#[test]
fn the_bsds_knows_the_point_and_it_verifies() {
    let (killed, manifest) = Bench::killed_with_point(2);
    let known = list_points(&killed.storage, Path::new(DIR)).unwrap();
    assert_eq!(known.len(), 1);
    assert_eq!((known[0].name.as_str(), known[0].end), (POINT, manifest.end));
    let point = Point::open(&killed.storage, Path::new(POINT)).unwrap();
    let report = verify_point(&killed.storage, &point, Some(Path::new(DIR)), &mut |_, _| {}).unwrap();
    assert_eq!(report.code().number(), 0, "{report:?}");
    assert!(report.pages >= 3 * 32);
}

#[test]
fn a_recovery_stopped_at_any_operation_is_finished_by_the_next() {
    let (mut whole, _) = Bench::killed_with_point(3);
    whole.remove_page_sets();
    let before = whole.faulty.control().operations();
    whole.recover().unwrap();
    let total = whole.faulty.control().operations() - before;
    assert!(total > 20, "{total}");
    for stop in (1..=total).step_by(usize::try_from(total / 120).unwrap().max(1)) {
        for removed in [false, true] {
            let (mut killed, _) = Bench::killed_with_point(3);
            if removed {
                killed.remove_page_sets();
            }
            let control = killed.faulty.control();
            control.stop_at(Some(control.operations() + stop));
            if killed.recover().is_ok() {
                control.stop_at(None);
            } else {
                control.crash();
            }
            killed.recover().unwrap_or_else(|error| panic!("stopped at {stop} of {total}: {error}"));
            killed.check();
        }
    }
}

#[test]
fn a_point_is_whole_or_not_there_wherever_its_making_stops() {
    // How many operations it takes, by a run that is not stopped.
    let operations = |stop: Option<u64>| {
        let mut bench = Bench::new(4);
        let connection = bench.connect();
        bench.put(connection, 30);
        let plan = bench.plan(connection);
        let control = bench.faulty.control();
        let before = control.operations();
        control.stop_at(stop.map(|stop| before + stop));
        let made = (|| {
            let mut copy = operation_points::PointCopy::begin(&bench.storage, plan.clone())?;
            let copied = loop {
                if let PointStep::Done(copied) = copy.step()? {
                    break copied;
                }
            };
            operation_points::publish(&bench.storage, &plan, &copied, &["DEFINE".to_owned()], plan.start)
        })();
        let took = control.operations() - before;
        control.stop_at(None);
        if stop.is_some() {
            control.crash();
        }
        (made.is_ok(), took, bench)
    };
    let (made, total, _) = operations(None);
    assert!(made && total > 10);
    let mut there = 0;
    for stop in 1..=total {
        let (_, _, bench) = operations(Some(stop));
        let storage = &bench.storage;
        if storage.exists(Path::new(POINT)).unwrap() {
            let point = Point::open(storage, Path::new(POINT)).unwrap();
            let report = verify_point(storage, &point, None, &mut |_, _| {}).unwrap();
            assert_eq!(report.code().number(), 0, "stopped at {stop}: {report:?}");
            there += 1;
        }
    }
    assert!(there < total);
}

/// Recovers, which must be refused, and shows that nothing was touched.
fn refused(killed: &mut Killed, settings: &RecoverSettings) -> PointError {
    let before = killed.files();
    let error = killed.recover_with(settings).unwrap_err();
    assert_eq!(error.code().number(), 12, "{error}");
    assert!(killed.files() == before, "something was touched: {error}");
    error
}

#[test]
fn missing_log_is_named_and_nothing_is_touched() {
    let (mut killed, manifest) = Bench::killed_with_point(5);
    let at = manifest.log_needed_from();
    let bsds = engine_log::read_bsds(&killed.storage, Path::new(DIR)).unwrap();
    let holding: Vec<String> = bsds
        .active_logs
        .iter()
        .filter(|log| log.range.is_some_and(|range| range.contains(at)))
        .map(|log| log.name.clone())
        .chain(bsds.archives.iter().filter(|log| log.range.contains(at)).map(|log| log.name.clone()))
        .collect();
    assert!(holding.len() > 1);
    // All but one may go; without the last one it is refused.
    let (last, others) = holding.split_first().unwrap();
    for name in others {
        killed.storage.remove(&Path::new(DIR).join(name)).unwrap();
    }
    let settings = killed.settings();
    let aside = PathBuf::from("ASIDE");
    let path = Path::new(DIR).join(last);
    killed.storage.rename(&path, &aside).unwrap();
    let error = refused(&mut killed, &settings);
    assert!(matches!(error, PointError::LogMissing { range, .. } if range.contains(at) ), "{error}");
    assert!(error.to_string().contains(last.as_str()), "{error}");
    killed.storage.rename(&aside, &path).unwrap();
    killed.recover().unwrap();
    killed.check();
}

#[test]
fn every_flip_in_a_copy_is_named_and_refused() {
    let (mut killed, manifest) = Bench::killed_with_point(6);
    let settings = killed.settings();
    let mut random = 7u64;
    for round in 0..200u64 {
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let copy = &manifest.page_sets[(round % 3) as usize];
        let at = (random >> 17) % copy.length;
        let path = Path::new(POINT).join(&copy.file);
        let bit = 1u8 << (random >> 60 & 7);
        killed.faulty.control().rot(&path, at, &[bit]).unwrap();
        let point = Point::open(&killed.storage, Path::new(POINT)).unwrap();
        let report = verify_point(&killed.storage, &point, None, &mut |_, _| {}).unwrap();
        let named: Vec<_> = report.damaged_pages.iter().map(|d| (d.page_set, u64::from(d.page.0))).collect();
        assert_eq!(named, [(copy.page_set, at / PAGE_SIZE as u64)], "byte {at}");
        if round % 10 == 0 {
            let error = refused(&mut killed, &settings);
            let name = format!("page set {} page {:08X}", copy.page_set, at / PAGE_SIZE as u64);
            assert!(
                matches!(error, PointError::Damaged { .. }) && error.to_string().contains(&name),
                "{error}"
            );
        }
        killed.faulty.control().rot(&path, at, &[bit]).unwrap();
    }
    killed.recover().unwrap();
}

#[test]
fn what_cannot_be_recovered_is_refused_by_name() {
    let (mut killed, _) = Bench::killed_with_point(7);
    let settings = killed.settings();

    let with = |page_sets: Vec<PageSetId>| RecoverSettings { page_sets, ..settings.clone() };
    assert!(matches!(refused(&mut killed, &with(vec![set(9)])), PointError::NotInPoint { .. }));

    let nowhere = RecoverSettings { from: PathBuf::from("T9"), ..settings.clone() };
    assert!(matches!(refused(&mut killed, &nowhere), PointError::NotAPoint { .. }));

    let lock = killed.storage.lock(&Path::new(DIR).join("LOCK")).unwrap().unwrap();
    assert!(matches!(refused(&mut killed, &settings), PointError::InUse(_)));
    drop(lock);

    killed.faulty.control().rot(&Path::new(POINT).join("MANIFEST"), 100, &[1]).unwrap();
    assert!(matches!(refused(&mut killed, &settings), PointError::Manifest { .. }));
    killed.faulty.control().rot(&Path::new(POINT).join("MANIFEST"), 100, &[1]).unwrap();

    killed.storage.remove(&Path::new(DIR).join("PSID02")).unwrap();
    let error = refused(&mut killed, &with(vec![set(1)]));
    assert!(matches!(error, PointError::OtherPageSet { .. }) && error.to_string().contains("page set 02"));

    let foreign = RecoverSettings { dir: PathBuf::from("QM2"), ..settings.clone() };
    assert!(matches!(killed.recover_with(&foreign), Err(PointError::NoQueueManager(_))));
    assert!(!killed.storage.exists(Path::new("QM2")).unwrap());
    let other = bench::new_queue_manager([8, 10]);
    let now = format_types::Timestamp(9_000_000);
    engine_queue_manager::create(&killed.storage, Path::new("QM2"), &other, now).unwrap();
    let before = contents(&killed.storage, Path::new("QM2"));
    assert!(matches!(killed.recover_with(&foreign), Err(PointError::Foreign { .. })));
    assert!(contents(&killed.storage, Path::new("QM2")) == before);

    killed.recover().unwrap();
    killed.check();
}

#[test]
fn a_dry_run_touches_nothing() {
    let (mut killed, _) = Bench::killed_with_point(8);
    killed.remove_page_sets();
    let before = killed.files();
    let settings = RecoverSettings { dry_run: true, ..killed.settings() };
    let report = killed.recover_with(&settings).unwrap();
    assert_eq!((report.pages, report.page_sets.len()), (0, 3));
    assert!(killed.files() == before);
}

#[test]
fn a_copy_with_a_damaged_source_page_makes_a_damaged_point() {
    let mut bench = Bench::new(9);
    let connection = bench.connect();
    bench.put(connection, 30);
    let path = Path::new(DIR).join("PSID02");
    bench.faulty.control().rot(&path, 5 * PAGE_SIZE as u64 + 77, &[4]).unwrap();
    let manifest = bench.make_point(connection);
    assert_eq!(manifest.state, PointState::Damaged);
    assert_eq!(manifest.page_set(set(2)).unwrap().damaged_pages[0].0, 5);
    let mut killed = bench.kill();
    let settings = killed.settings();
    assert!(matches!(refused(&mut killed, &settings), PointError::Damaged { .. }));
    let file = killed.storage.open(&Path::new(POINT).join("PSID02"), OpenMode::Read).unwrap();
    assert_eq!(file.len().unwrap(), manifest.page_set(set(2)).unwrap().length, "the copy is complete");
}
