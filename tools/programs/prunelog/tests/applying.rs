//! Plans applied to a queue manager at rest: exactly what they let go is gone, however often the run is stopped.

mod bench;

use std::collections::BTreeSet;
use std::path::Path;

use bench::{DIR, Stopped, stopped};
use engine_storage::{FaultRates, OpenMode, SharedStorage};
use format_bsds::Bsds;
use format_inventory::{Inputs, Plan};
use format_protocol::Request;
use format_types::{ArchiveReference, Timestamp};
use operation_inventory::{Applied, ApplyError, NotApplied, Orders, Site, apply_at_rest, read_at_rest};
use operation_retention::Policy;

const NOW: Timestamp = Timestamp(9_000_000_000);

fn keep(points: u32) -> Policy {
    Policy { keep_last: Some(points), max_delete: Some(100), ..Policy::default() }
}

fn site(storage: &SharedStorage) -> Site<'_> {
    let timeout = std::time::Duration::from_secs(5);
    Site { storage, dir: Path::new(DIR), application: "TEST", timeout, now: NOW }
}

fn apply(storage: &SharedStorage, policy: &Policy, plan: Option<&Plan<'_>>) -> Result<Applied, ApplyError> {
    let orders = Orders { policy, plan, dry_run: false, threads: 1 };
    apply_at_rest(&site(storage), &orders, &mut |_| Ok(()), &|_| {})
}

fn bsds(storage: &SharedStorage) -> Bsds {
    engine_log::read_bsds(storage, Path::new(DIR)).unwrap()
}

fn files(storage: &SharedStorage) -> BTreeSet<String> {
    let names = storage.list(Path::new(DIR)).unwrap();
    names.iter().map(|name| name.display().to_string()).filter(|name| name.starts_with("ARCHLOG")).collect()
}

/// The names that the plan of this moment lets go, and those of the BSDS copies beside them.
fn planned(storage: &SharedStorage, policy: &Policy) -> BTreeSet<String> {
    let facts = read_at_rest(storage, Path::new(DIR), NOW).unwrap();
    let inventory = facts.document();
    let inputs = Inputs { inventory: String::new(), inventory_bytes: 0, policy: String::new() };
    let plan = operation_retention::plan(&inventory, policy, NOW, inputs).unwrap();
    let archives: BTreeSet<String> = plan.delete.iter().map(|entry| entry.name.to_string()).collect();
    let beside = facts.bsds.archives.iter().filter(|archive| archives.contains(&archive.name));
    let beside: Vec<String> = beside.map(|archive| archive.bsds_name.clone()).collect();
    archives.into_iter().chain(beside).collect()
}

/// With the plan as a document, as somebody reviewed it.
fn with_plan<T>(storage: &SharedStorage, policy: &Policy, use_it: impl FnOnce(&Plan<'_>) -> T) -> T {
    let facts = read_at_rest(storage, Path::new(DIR), NOW).unwrap();
    let inventory = facts.document();
    let inputs = Inputs { inventory: String::new(), inventory_bytes: 0, policy: String::new() };
    let plan = operation_retention::plan(&inventory, policy, NOW, inputs).unwrap();
    use_it(&plan)
}

/// Nothing is marked, no entry is without its file, both copies of the BSDS agree, and what is gone is noted as holes.
fn assert_settled(storage: &SharedStorage, before: &Bsds) {
    let now = bsds(storage);
    let there = files(storage);
    for archive in &now.archives {
        assert!(!archive.deleting, "{} is marked", archive.name);
        assert!(there.contains(&archive.name), "{} has an entry and no file", archive.name);
    }
    for gone in
        before.archives.iter().filter(|archive| now.archives.iter().all(|other| other.name != archive.name))
    {
        let holes: u64 = now.holes_in(gone.history, gone.range).map(|range| range.len()).sum();
        let other = now.archives.iter().any(|archive| archive.range == gone.range);
        assert!(other || holes == gone.range.len(), "{} is a gap and no hole: {:?}", gone.name, now.holes);
    }
    for name in ["BSDS01", "BSDS02"] {
        let path = Path::new(DIR).join(name);
        let bytes = engine_storage::durable::read_file(storage.as_ref(), &path, 1 << 30).unwrap();
        assert_eq!(format_bsds::decode_file(&bytes).newest.unwrap().archives, now.archives, "{name}");
    }
}

#[test]
fn exactly_what_the_plan_lets_go_is_deleted() {
    for points in [1, 2, 3] {
        let site = stopped(u64::from(points));
        let (before, there, policy) = (bsds(&site.storage), files(&site.storage), keep(points));
        let planned = planned(&site.storage, &policy);
        assert!(planned.len() >= 4 && planned.len() < there.len(), "{points}: {planned:?}");
        let applied = apply(&site.storage, &policy, None).unwrap();
        assert_eq!(applied.deleted.len() * 2, planned.len());
        let gone: BTreeSet<String> = there.difference(&files(&site.storage)).cloned().collect();
        assert_eq!(gone, planned);
        assert_settled(&site.storage, &before);
        // Once more there is nothing to do, and nothing is a gap.
        let again = apply(&site.storage, &policy, None).unwrap();
        assert_eq!((again.deleted.len(), again.finished), (0, 0));
        assert!(
            again.warnings.iter().all(|warning| !["HWT802W", "HWT803W"].contains(&warning.id.as_str())),
            "{again:?}"
        );
        site.check_points(points as usize);
    }
}

#[test]
fn the_newest_copy_of_the_bsds_stays_when_its_archive_goes() {
    let site = stopped(6);
    let policy = keep(1);
    let planned = planned(&site.storage, &policy);
    let is_copy = |name: &&String| name.contains(".B");
    // Those beside the archives that stay could not be written.
    for name in files(&site.storage).iter().filter(is_copy).filter(|name| !planned.contains(*name)) {
        site.storage.remove(&Path::new(DIR).join(name)).unwrap();
    }
    let applied = apply(&site.storage, &policy, None).unwrap();
    assert!(applied.stays.is_empty() && applied.deleted.len() >= 2, "{applied:?}");
    let left: Vec<String> = files(&site.storage).iter().filter(is_copy).cloned().collect();
    let newest = |copy: &str| planned.iter().filter(is_copy).filter(|name| name.starts_with(copy)).max();
    let wanted: Vec<String> = ["ARCHLOG1.", "ARCHLOG2."].into_iter().filter_map(newest).cloned().collect();
    assert!(!wanted.is_empty());
    assert_eq!(left, wanted);
}

#[test]
fn a_plan_document_is_applied_as_far_as_it_still_holds() {
    let site = stopped(4);
    let storage = &site.storage;
    let (two, one) = (keep(2), keep(1));
    // The plan keeps two points; of what only the policy of one lets go nothing is touched.
    with_plan(storage, &two, |plan| {
        let planned = planned(storage, &two);
        let there = files(storage);
        let applied = apply(storage, &two, Some(plan)).unwrap();
        assert_eq!((applied.deleted.len() * 2, applied.already_gone), (planned.len(), 0));
        let gone: BTreeSet<String> = there.difference(&files(storage)).cloned().collect();
        assert_eq!(gone, planned);
        let again = apply(storage, &two, Some(plan)).unwrap();
        assert_eq!((again.deleted.len(), again.already_gone as usize * 2), (0, planned.len()));
    });
    // What it would delete is held by now.
    with_plan(storage, &one, |plan| {
        let hold = Request::HoldPoint { point: "P2".to_owned(), reason: "audit".to_owned(), until: None };
        engine_queue_manager::change_at_rest(storage, Path::new(DIR), &hold, NOW).unwrap();
        let before = site.contents();
        let refused = apply(storage, &one, Some(plan));
        let Err(ApplyError::NotApplied(NotApplied::Held { holder, .. })) = &refused else {
            panic!("{refused:?}")
        };
        assert!(holder.contains("P2"), "{holder}");
        assert!(before == site.contents(), "something was touched");
        let release = Request::ReleasePoint { point: "P2".to_owned() };
        engine_queue_manager::change_at_rest(storage, Path::new(DIR), &release, NOW).unwrap();
        // Or is another data set of the same name.
        let mut other = plan.clone();
        other.delete[0].end = other.delete[0].end.plus(4096);
        let refused = apply(storage, &one, Some(&other));
        assert!(matches!(refused, Err(ApplyError::NotApplied(NotApplied::Another { .. }))), "{refused:?}");
        let mut other = plan.clone();
        other.queue_manager = "QM2".parse().unwrap();
        let refused = apply(storage, &one, Some(&other));
        assert!(
            matches!(refused, Err(ApplyError::NotApplied(NotApplied::OtherQueueManager { .. }))),
            "{refused:?}"
        );
        assert!(!apply(storage, &one, Some(plan)).unwrap().deleted.is_empty());
    });
    site.check_points(1);
}

#[test]
fn without_a_policy_or_above_the_limit_nothing_is_deleted() {
    let site = stopped(5);
    let before = site.contents();
    let refused = apply(&site.storage, &Policy::default(), None);
    assert!(matches!(refused, Err(ApplyError::NotApplied(NotApplied::NoPolicy))), "{refused:?}");
    let refused = apply(&site.storage, &Policy { max_delete: Some(10), ..keep(1) }, None);
    assert!(
        matches!(refused, Err(ApplyError::NotApplied(NotApplied::TooMuch { allowed: 10, .. }))),
        "{refused:?}"
    );
    let policy = keep(1);
    let orders = Orders { policy: &policy, plan: None, dry_run: true, threads: 1 };
    let would = apply_at_rest(&self::site(&site.storage), &orders, &mut |_| Ok(()), &|_| {}).unwrap();
    assert!(before == site.contents(), "something was touched");
    // Somebody who looks at it stops it.
    let orders = Orders { dry_run: false, ..orders };
    let stopped = apply_at_rest(&self::site(&site.storage), &orders, &mut |_| Err("no".to_owned()), &|_| {});
    assert!(matches!(stopped, Err(ApplyError::Stopped(_))), "{stopped:?}");
    assert!(before == site.contents(), "something was touched");
    let done = apply(&site.storage, &policy, None).unwrap();
    assert_eq!(Applied { dry_run: true, ..done }, would);
}

/// Every operation in turn is the last one: by a power cut or a kill. What is missing then is part of the plan; the next run finishes it.
#[test]
fn a_run_that_is_stopped_at_any_operation_is_finished_by_the_next() {
    let policy = keep(1);
    let whole = stopped(6);
    let before = whole.faulty.control().operations();
    apply(&whole.storage, &policy, None).unwrap();
    let operations = whole.faulty.control().operations() - before;
    assert!(operations > 20, "{operations}");
    for stop in 1..=operations {
        for killed in [false, true] {
            let site = stopped(6);
            let (known, there) = (bsds(&site.storage), files(&site.storage));
            let planned = planned(&site.storage, &policy);
            let control = site.faulty.control();
            control.stop_at(Some(control.operations() + stop));
            let cut = apply(&site.storage, &policy, None);
            // The last operations are of the second copy of the BSDS, which may be late; that is said.
            let late = cut.as_ref().is_ok_and(|applied| !applied.messages.is_empty());
            assert!(cut.is_err() || late || stop == operations, "{stop}: {cut:?}");
            control.stop_at(None);
            if killed {
                control.kill();
            } else {
                control.crash();
            };
            let missing: BTreeSet<String> = there.difference(&files(&site.storage)).cloned().collect();
            assert!(missing.is_subset(&planned), "{stop}: {missing:?} is not of {planned:?}");
            for archive in bsds(&site.storage).archives {
                let there = !missing.contains(&archive.name);
                assert!(there || archive.deleting, "{stop}: {} is gone, and was not marked", archive.name);
            }
            let finished =
                apply(&site.storage, &policy, None).unwrap_or_else(|error| panic!("{stop}: {error}"));
            assert!(finished.stays.is_empty() && finished.spared.is_empty(), "{stop}: {finished:?}");
            let gone: BTreeSet<String> = there.difference(&files(&site.storage)).cloned().collect();
            assert_eq!(gone, planned, "{stop}");
            assert_settled(&site.storage, &known);
            site.check_points(1);
        }
    }
}

/// A mark is no verdict: what is needed by now is not marked any more.
#[test]
fn what_was_marked_and_is_needed_by_now_stays() {
    let site = stopped(7);
    let storage = &site.storage;
    let known = bsds(storage);
    let planned = planned(storage, &keep(1));
    let archives: Vec<ArchiveReference> = known
        .archives
        .iter()
        .filter(|archive| planned.contains(&archive.name))
        .map(format_bsds::ArchiveLog::reference)
        .collect();
    let mark = Request::MarkArchives { archives: archives.clone(), facts: known.facts() };
    engine_queue_manager::change_at_rest(storage, Path::new(DIR), &mark, NOW).unwrap();
    let there = files(storage);
    // Asked for the plan only, it is shown and nothing is touched.
    let policy = Policy { min_archives: Some(1000), ..keep(3) };
    let orders = Orders { policy: &policy, plan: None, dry_run: true, threads: 1 };
    let would = apply_at_rest(&self::site(storage), &orders, &mut |_| Ok(()), &|_| {}).unwrap();
    assert_eq!(would.spared.len(), archives.len());
    assert!(bsds(storage).archives.iter().any(|archive| archive.deleting));
    let applied = apply(storage, &policy, None).unwrap();
    assert_eq!((applied.spared.len(), applied.deleted.len()), (archives.len(), 0));
    assert_eq!(files(storage), there);
    assert_settled(storage, &known);
    site.check_points(3);
}

#[test]
fn what_stands_in_an_archives_place_and_is_another_file_stays_and_is_named() {
    let site = stopped(8);
    let storage = &site.storage;
    let known = bsds(storage);
    let policy = keep(1);
    let planned: Vec<String> =
        planned(storage, &policy).into_iter().filter(|name| name.contains(".A")).collect();
    let path = |name: &str| Path::new(DIR).join(name);
    let overwrite = |name: &str, bytes: &[u8]| {
        storage.remove(&path(name)).unwrap();
        storage.open(&path(name), OpenMode::CreateNew).unwrap().write_at(0, bytes).unwrap();
    };
    // Another archive of this log, one of another queue manager, rubbish, and nothing.
    let read =
        |name: &str| engine_storage::durable::read_file(storage.as_ref(), &path(name), 1 << 30).unwrap();
    let other = known.archives.last().unwrap().name.clone();
    overwrite(&planned[0], &read(&other));
    let foreign = stopped_as(9);
    let bytes =
        engine_storage::durable::read_file(foreign.storage.as_ref(), &path(&planned[1]), 1 << 30).unwrap();
    overwrite(&planned[1], &bytes);
    overwrite(&planned[2], &[7; 9000]);
    storage.remove(&path(&planned[3])).unwrap();
    let beside = known.archives.iter().find(|archive| archive.name == planned[4]).unwrap().bsds_name.clone();
    overwrite(&beside, b"somebody's notes");
    let applied = apply(storage, &policy, None).unwrap();
    let stays: Vec<&str> = applied.stays.iter().map(|stays| stays.name.as_str()).collect();
    assert_eq!(stays, [&planned[0], &planned[1], &planned[2], &beside]);
    assert!(applied.stays[0].why.contains("control interval of RBA"), "{:?}", applied.stays);
    assert!(applied.stays[1].why.contains("belongs to queue manager"), "{:?}", applied.stays);
    // What a policy lets go and is not there is left as it is: its entry says so in every plan.
    assert_eq!((applied.missing.len(), applied.code().number()), (0, 8));
    assert!(applied.warnings.iter().any(|warning| warning.id == "HWT803W"), "{applied:?}");
    let there = files(storage);
    assert!(stays.iter().all(|name| there.contains(*name)));
    // Their entries are as before, and nothing is marked.
    let now = bsds(storage);
    assert!(now.archives.iter().all(|archive| !archive.deleting));
    assert!(planned[..3].iter().all(|name| now.archives.iter().any(|archive| archive.name == *name)));
}

#[test]
fn storage_that_refuses_a_removal_or_a_sync_loses_nothing() {
    for (seed, only, rates) in [
        (10, ".A", FaultRates { name_error: 1_000_000, ..FaultRates::default() }),
        (11, DIR, FaultRates { sync_error: 1_000_000, ..FaultRates::default() }),
    ] {
        let site = stopped(seed);
        let (known, there, policy) = (bsds(&site.storage), files(&site.storage), keep(1));
        let planned = planned(&site.storage, &policy);
        let control = site.faulty.control();
        control.set_rates(FaultRates { only: Some(only.to_owned()), times: Some(3), ..rates });
        match apply(&site.storage, &policy, None) {
            Ok(applied) => assert_eq!((applied.stays.len(), applied.code().number()), (3, 8), "{applied:?}"),
            Err(error) => assert_eq!(error.code().number(), 16, "{error}"),
        }
        control.set_rates(FaultRates::default());
        apply(&site.storage, &policy, None).unwrap();
        let gone: BTreeSet<String> = there.difference(&files(&site.storage)).cloned().collect();
        assert_eq!(gone, planned);
        assert_settled(&site.storage, &known);
    }
}

/// Another queue manager of the same name and history number.
fn stopped_as(seed: u64) -> Stopped {
    bench::stopped_with(seed, [70, 90])
}
