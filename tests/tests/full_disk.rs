//! A full disk: a small file system in memory. Whatever does not fit is refused with a message, and nothing that was promised goes.

use std::fs;

use house::folder;
use house::ground::{self, Mount};
use house::owner::Owner;
use house::programs::{self, run};

/// Puts numbered lines of 2,000 bytes, ten to a unit, until a put is refused; how many were acknowledged.
fn fill(owner: &Owner, queue: &str) -> (usize, programs::Said) {
    let lines: String = (0..50_000).map(|number| format!("{number:08} {}\n", "y".repeat(2000))).collect();
    let arguments = ["put", owner.name(), queue, "--commit-every", "10", "--acknowledge", "--timeout", "20"];
    let said = programs::run_with_input("qmgr", arguments, lines.as_bytes());
    (said.out.lines().count(), said)
}

fn numbers(lines: &[String]) -> Vec<usize> {
    lines.iter().map(|line| line[..8].parse().expect("a numbered line")).collect()
}

#[test]
fn a_full_disk_stops_work_and_loses_nothing() {
    if let Some(missing) = ground::no_mounts() {
        return ground::skip("a_full_disk_stops_work_and_loses_nothing", &missing);
    }
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let disk = Mount::in_memory(&scratch.path().join("small"), 40);
    let options = ["--page-sets", "2", "--page-set-size", "4MiB", "--expand", "system", "--log-size", "4MiB"];
    let mut owner = Owner::create(&disk.at().join("QM1"), &options);
    owner.start();
    owner.mqsc("DEFINE STGCLASS(ONE) PSID(1)").done();
    owner.mqsc("DEFINE QLOCAL(APP.FULL) STGCLASS(ONE) DEFPSIST(YES)").done();
    let (acknowledged, said) = fill(&owner, "APP.FULL");
    assert!(said.code >= 8 && !said.err.is_empty(), "{} ends with {}: {}", said.line, said.code, said.err);
    assert!(acknowledged > 500, "only {acknowledged} lines fitted: {}", said.err);

    // It still answers, still reads, and still stops in order or can be killed; then room is made, and everything is there.
    run("qmgr", ["status", owner.name()]).expect(0).done();
    owner.kill();
    ground::system("mount", &["-o", "remount,size=200m", &disk.at().to_string_lossy()]);
    owner.start();
    let there = numbers(&owner.browse("APP.FULL"));
    assert_eq!(there, (0..there.len()).collect::<Vec<_>>(), "lost, doubled or out of order");
    assert!(there.len() >= acknowledged, "{acknowledged} lines were acknowledged, {} are there", there.len());
    owner.put("APP.FULL", &["00000000 work goes on".to_owned()]);
    owner.stop().done();
}

#[test]
fn a_recovery_point_that_does_not_fit_is_not_published() {
    if let Some(missing) = ground::no_mounts() {
        return ground::skip("a_recovery_point_that_does_not_fit_is_not_published", &missing);
    }
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let mut owner = Owner::create(&scratch.path().join("QM1"), &["--page-set-size", "8MiB"]);
    owner.start();
    let disk = Mount::in_memory(&scratch.path().join("small"), 4);
    let points = disk.at().join("points");
    fs::create_dir(&points).expect("a folder");
    let said = run("recpoint", ["create", owner.name(), "--to", &points.join("P1").to_string_lossy()]);
    assert!(said.code >= 8 && !said.err.is_empty(), "{}: {} {}", said.line, said.code, said.err);
    let listed = run("recpoint", ["list", owner.name(), "--json"]);
    assert!(!listed.out.contains("\"verified\""), "a point that was not made is listed: {}", listed.out);
    let left: Vec<_> = fs::read_dir(&points).expect("a folder").flatten().map(|e| e.file_name()).collect();
    assert!(left.is_empty(), "left behind: {left:?}");
    // The failed backup no longer holds the log, and the next one is made.
    let target = scratch.path().join("roomy");
    fs::create_dir(&target).expect("a folder");
    run("recpoint", ["create", owner.name(), "--to", &target.join("P1").to_string_lossy()]).expect(0).done();
    owner.stop().done();
}

#[test]
fn a_copy_that_does_not_fit_is_refused() {
    if let Some(missing) = ground::no_mounts() {
        return ground::skip("a_copy_that_does_not_fit_is_refused", &missing);
    }
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let owner = Owner::create(&scratch.path().join("QM1"), &["--page-set-size", "8MiB"]);
    let disk = Mount::in_memory(&scratch.path().join("small"), 2);
    let (from, to) = (owner.file("PSID01"), disk.at().join("PSID01"));
    let said = run("repro", ["--infile", &from.to_string_lossy(), "--outfile", &to.to_string_lossy()]);
    assert!(said.code >= 8 && !said.err.is_empty(), "{}: {} {}", said.line, said.code, said.err);
    assert!(said.err.contains("PSID01"), "it does not say which file: {}", said.err);
}

#[test]
fn a_queue_manager_that_does_not_fit_is_not_made() {
    if let Some(missing) = ground::no_mounts() {
        return ground::skip("a_queue_manager_that_does_not_fit_is_not_made", &missing);
    }
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let disk = Mount::in_memory(&scratch.path().join("small"), 4);
    let dir = disk.at().join("QM1");
    let create =
        || run("qmgr", ["create", &dir.to_string_lossy(), "--log-size", "1MiB", "--page-set-size", "1MiB"]);
    let said = create().expect(12);
    assert!(said.err.contains("QM1") && said.err.contains("space"), "{}", said.err);
    let started = run("qmgr", ["start", &dir.to_string_lossy()]);
    assert_eq!(started.code, 12, "half a queue manager starts: {started:?}");
    // With room, the same command makes it, once what it left is gone.
    ground::system("mount", &["-o", "remount,size=64m", &disk.at().to_string_lossy()]);
    if dir.exists() {
        fs::remove_dir_all(&dir).expect("it can be cleared away");
    }
    create().expect(0).done();
    let mut owner = Owner::at(&dir);
    owner.start();
    owner.stop().done();
}

#[test]
fn a_recovery_that_does_not_fit_touches_nothing_and_finishes_when_there_is_room() {
    let test = "a_recovery_that_does_not_fit_touches_nothing_and_finishes_when_there_is_room";
    if let Some(missing) = ground::no_mounts() {
        return ground::skip(test, &missing);
    }
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let disk = Mount::in_memory(&scratch.path().join("small"), 200);
    let options = ["--page-sets", "2", "--page-set-size", "16MiB", "--log-size", "2MiB"];
    let mut owner = Owner::create(&disk.at().join("QM1"), &options);
    owner.start();
    owner.mqsc("DEFINE STGCLASS(ONE) PSID(1)").done();
    owner.mqsc("DEFINE QLOCAL(APP.Q) STGCLASS(ONE) DEFPSIST(YES)").done();
    let lines: Vec<String> = (0..2000).map(|number| format!("{number:08} {}", "r".repeat(3000))).collect();
    owner.put("APP.Q", &lines);
    let point = scratch.path().join("P1");
    run("recpoint", ["create", owner.name(), "--to", &point.to_string_lossy()]).expect(0).done();
    owner.put("APP.Q", &["00002000 and one more".to_owned()]);
    owner.kill();
    // A page set that is damaged and in the way: it is kept until its copy is whole, and for both there is no room.
    let ruined = fs::read(owner.file("PSID01")).expect("a page set");
    fs::write(owner.file("PSID01"), vec![0xEE; ruined.len()]).expect("it is ruined");
    let used: u64 =
        folder::files(owner.dir()).values().map(|path| fs::metadata(path).map_or(0, |m| m.len())).sum();
    let tight = format!("remount,size={}m", (used >> 20) + 3);
    ground::system("mount", &["-o", &tight, &disk.at().to_string_lossy()]);
    let before = folder::contents(owner.dir());
    let recover = || run("recover", [owner.name(), "--from", &point.to_string_lossy()]);
    let said = recover();
    assert!(said.code >= 8 && said.err.contains("PSID0"), "{said:?}");
    folder::assert_untouched(owner.dir(), &before);
    ground::system("mount", &["-o", "remount,size=300m", &disk.at().to_string_lossy()]);
    recover().expect(0).done();
    owner.start();
    let there = numbers(&owner.browse("APP.Q"));
    assert_eq!(there, (0..=2000).collect::<Vec<_>>(), "lost, doubled or out of order");
    owner.stop().done();
}
