//! Recovery points made under load: after a kill, every one of them brings back all page sets, with every archive that is not needed
//! gone; without one that is needed nothing is touched. And making a point never stops the work.
//!
//! `HIGHWATER_FULL=1` makes them as large as they should be once in a while: 32 connections for a minute, 20 points, a page set of
//! 1 GiB.

use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

use house::folder;
use house::ground;
use house::owner::Owner;
use house::programs::{command, run, run_with_input};

struct Scale {
    connections: u64,
    seconds: u64,
    points: u64,
    used_mebibytes: u64,
}

fn scale() -> Scale {
    if ground::number("HIGHWATER_FULL", 0) == 0 {
        Scale { connections: 8, seconds: 6, points: 3, used_mebibytes: 64 }
    } else {
        Scale { connections: 32, seconds: 60, points: 20, used_mebibytes: 1024 }
    }
}

fn text(path: &Path) -> &str {
    path.to_str().expect("a readable path")
}

fn load(owner: &Owner, connections: u64, seconds: u64, journal: &Path) -> Child {
    let (connections, seconds) = (connections.to_string(), seconds.to_string());
    let options = ["load", owner.name(), "--connections", &connections, "--seconds", &seconds];
    let mut load = command("qmgr", options.iter().copied().chain(["--journal", text(journal)]));
    load.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a load starts")
}

fn make_point(owner: &Owner, point: &Path) {
    run("recpoint", ["create", owner.name(), "--to", text(point)]).expect(0).done();
}

/// A copy of a queue manager that was killed, robbed of all its page sets.
fn robbed(owner: &Owner, copy: &Path) -> Owner {
    folder::copy(owner.dir(), copy);
    for (name, path) in folder::files(copy) {
        if name.starts_with("PSID") {
            fs::remove_file(path).expect("a page set is lost");
        }
    }
    Owner::at(copy)
}

#[test]
fn every_point_brings_everything_back() {
    let scale = scale();
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let options =
        ["--log-size", "16MiB", "--active-logs", "3", "--page-set-size", "8MiB", "--log-load", "20000"];
    let mut owner = Owner::create(&scratch.path().join("QM1"), &options);
    owner.start();
    let (points, journal) = (scratch.path().join("points"), scratch.path().join("journal"));
    fs::create_dir(&points).expect("a folder");
    // The load goes on until the queue manager is gone.
    let mut loading = load(&owner, scale.connections, scale.seconds * 10, &journal);
    let begun = Instant::now();
    for number in 1..=scale.points {
        make_point(&owner, &points.join(format!("P{number}")));
        let due = Duration::from_millis(scale.seconds * 1000 * number / scale.points);
        sleep(due.saturating_sub(begun.elapsed()));
    }
    owner.kill();
    loading.wait().expect("the load notices");

    let made = folder::points(&points);
    assert_eq!(made.len() as u64, scale.points);
    for (number, (point, manifest)) in made.iter().enumerate() {
        let mut copy = robbed(&owner, &scratch.path().join(format!("copy{number}")));
        run("recover", [copy.name(), "--from", text(point)]).expect(0).done();
        copy.start();
        run("qmgr", ["audit", copy.name(), "--journal", text(&journal)]).expect(0).done();
        let again = scratch.path().join(format!("journal{number}"));
        let status = load(&copy, 4, 1, &again).wait().expect("a load");
        assert!(status.success(), "the load does not go on after point {}: {status}", manifest.name);
        let both = ["audit", copy.name(), "--journal", text(&journal), "--journal", text(&again)];
        run("qmgr", both).expect(0).done();
        copy.stop().done();
        fs::remove_dir_all(copy.dir()).expect("the copy is not needed any more");
    }
}

/// A killed queue manager with many archives, a point from the middle of its log, and lines that must be there.
struct Ruin {
    scratch: tempfile::TempDir,
    owner: Owner,
    point: PathBuf,
    needed_from: format_types::Rba,
    lines: Vec<String>,
}

fn ruin() -> Ruin {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let options =
        ["--log-size", "1MiB", "--active-logs", "3", "--archives", "dual", "--page-set-size", "4MiB"];
    let mut owner = Owner::create(&scratch.path().join("QM1"), &options);
    owner.start();
    owner.mqsc("DEFINE STGCLASS(ONE) PSID(1)").done();
    owner.mqsc("DEFINE QLOCAL(APP.Q) STGCLASS(ONE) DEFPSIST(YES)").done();
    let all: Vec<String> = (0..3000).map(|number| format!("{number} {}", "z".repeat(2000))).collect();
    let points = scratch.path().join("points");
    fs::create_dir(&points).expect("a folder");
    let (first, second) = all.split_at(1500);
    owner.put("APP.Q", first);
    make_point(&owner, &points.join("P1"));
    owner.put("APP.Q", second);
    run("archlog", [owner.name(), "--wait-offload"]).expect(0).done();
    owner.kill();
    let (point, manifest) = folder::points(&points).pop().expect("a point");
    Ruin { owner, point, needed_from: manifest.log_needed_from(), lines: all, scratch }
}

#[test]
fn archives_below_the_system_recovery_rba_are_not_needed() {
    let ruin = ruin();
    let mut copy = robbed(&ruin.owner, &ruin.scratch.path().join("copy"));
    let archives = folder::inventory(copy.dir()).archives;
    let below: Vec<_> = archives.iter().filter(|archive| archive.range.end <= ruin.needed_from).collect();
    assert!(below.len() >= 2 && below.len() < archives.len(), "{} of {}", below.len(), archives.len());
    for archive in below {
        fs::remove_file(copy.file(&archive.name)).expect("an archive is deleted");
    }
    run("recover", [copy.name(), "--from", text(&ruin.point)]).expect(0).done();
    copy.start();
    assert_eq!(copy.browse("APP.Q"), ruin.lines);
    copy.stop().done();
}

#[test]
fn without_the_archive_that_holds_the_system_recovery_rba_nothing_is_touched() {
    let ruin = ruin();
    let mut copy = robbed(&ruin.owner, &ruin.scratch.path().join("copy"));
    let archives = folder::inventory(copy.dir()).archives;
    let holds: Vec<_> = archives.iter().filter(|archive| archive.range.contains(ruin.needed_from)).collect();
    assert_eq!(holds.len(), 2, "both copies of an archive hold {}", ruin.needed_from);
    let spare = ruin.scratch.path().join("spare");
    fs::copy(copy.file(&holds[0].name), &spare).expect("kept aside");

    // One copy gone: the other one serves. Both gone: refused, with the gap named, and nothing touched.
    fs::remove_file(copy.file(&holds[0].name)).expect("copy 1 is deleted");
    let first = robbed(&copy, &ruin.scratch.path().join("one-copy"));
    run("recover", [first.name(), "--from", text(&ruin.point)]).expect(0).done();
    fs::remove_file(copy.file(&holds[1].name)).expect("copy 2 is deleted");
    let before = folder::contents(copy.dir());
    let said = run("recover", [copy.name(), "--from", text(&ruin.point)]).expect(12);
    folder::assert_untouched(copy.dir(), &before);
    assert!(said.err.contains(&holds[0].name), "the missing data set is not named: {}", said.err);
    assert!(said.err.contains(&ruin.needed_from.to_string()), "the gap is not named: {}", said.err);

    // With the archive back, recovery goes through.
    fs::copy(&spare, copy.file(&holds[0].name)).expect("the archive is back");
    run("recover", [copy.name(), "--from", text(&ruin.point)]).expect(0).done();
    copy.start();
    assert_eq!(copy.browse("APP.Q"), ruin.lines);
    copy.stop().done();
}

#[test]
fn making_a_point_never_stops_acknowledgements_for_a_second() {
    let scale = scale();
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let size = format!("{}MiB", scale.used_mebibytes + 64);
    let options = ["--page-set-size", &size, "--page-sets", "2", "--log-size", "64MiB", "--active-logs", "4"];
    let mut owner = Owner::create(&scratch.path().join("QM1"), &options);
    owner.start();
    owner.mqsc("DEFINE STGCLASS(ONE) PSID(1)").done();
    owner.mqsc("DEFINE QLOCAL(APP.FILL) STGCLASS(ONE) DEFPSIST(YES)").done();
    owner.mqsc("DEFINE QLOCAL(APP.PULSE) STGCLASS(ONE) DEFPSIST(YES)").done();
    let line = "f".repeat(64_000);
    for _ in 0..scale.used_mebibytes / 16 {
        let lines: String = std::iter::repeat_n(format!("{line}\n"), 262).collect();
        let arguments = ["put", owner.name(), "APP.FILL", "--commit-every", "20"];
        run_with_input("qmgr", arguments, lines.as_bytes()).expect(0).done();
    }

    let over = Arc::new(AtomicBool::new(false));
    let mut pulse = command("qmgr", ["put", owner.name(), "APP.PULSE", "--acknowledge"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .expect("a client starts");
    let (mut input, output) = (pulse.stdin.take().expect("piped"), pulse.stdout.take().expect("piped"));
    let stop = over.clone();
    let feeder = thread::spawn(move || {
        let mut beat = 0_u64;
        while !stop.load(Ordering::Relaxed) && writeln!(input, "{beat}").and_then(|()| input.flush()).is_ok()
        {
            beat += 1;
        }
    });
    let watcher = thread::spawn(move || {
        let (mut longest, mut count, mut last) = (Duration::ZERO, 0_u64, Instant::now());
        for _ in BufReader::new(output).lines().map_while(Result::ok) {
            longest = longest.max(last.elapsed());
            last = Instant::now();
            count += 1;
        }
        (longest, count)
    });
    let begun = Instant::now();
    make_point(&owner, &scratch.path().join("P1"));
    let took = begun.elapsed();
    over.store(true, Ordering::Relaxed);
    feeder.join().expect("no panic");
    pulse.wait().expect("a child");
    let (longest, count) = watcher.join().expect("no panic");
    eprintln!(
        "a point of {} MiB in {took:?}; {count} acknowledgements, the longest pause {longest:?}",
        scale.used_mebibytes
    );
    assert!(count > 10, "next to nothing was acknowledged: {count}");
    assert!(longest < Duration::from_secs(1), "acknowledgements paused for {longest:?}");
    owner.stop().done();
}
