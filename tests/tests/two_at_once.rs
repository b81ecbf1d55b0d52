//! Two programs at once on the same thing: one of them works, the other is refused or waits, and nothing is lost.

use std::fs;
use std::process::Stdio;

use house::owner::Owner;
use house::programs::{command, run};

fn lines(from: usize, count: usize) -> Vec<String> {
    (from..from + count).map(|number| format!("line {number}")).collect()
}

#[test]
fn a_queue_manager_has_one_owner() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let mut owner = Owner::create(&scratch.path().join("QM1"), &[]);
    owner.start();
    owner.mqsc("DEFINE QLOCAL(APP.Q) DEFPSIST(YES)").done();
    owner.put("APP.Q", &lines(0, 10));
    for arguments in [&["start", owner.name()][..], &["start", owner.name(), "--foreground"]] {
        let said = run("qmgr", arguments).expect(12);
        assert!(said.err.contains(owner.name()), "it does not say what runs already: {}", said.err);
    }
    let again = run("qmgr", ["create", owner.name()]).expect(12);
    assert!(!again.err.is_empty());
    assert_eq!(owner.browse("APP.Q"), lines(0, 10));
    owner.stop().done();
    owner.start();
    assert_eq!(owner.browse("APP.Q"), lines(0, 10));
}

#[test]
fn two_starts_race_and_one_wins() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    for number in 0..5 {
        let owner = Owner::create(&scratch.path().join(format!("QM{number}")), &[]);
        let mut starts: Vec<_> = (0..4)
            .map(|_| {
                let mut start = command("qmgr", ["start", owner.name()]);
                start.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts")
            })
            .collect();
        let mut codes: Vec<_> = starts.iter_mut().map(|s| s.wait().expect("a child").code()).collect();
        codes.sort_unstable();
        assert_eq!(codes, [Some(0), Some(12), Some(12), Some(12)]);
        run("qmgr", ["status", owner.name()]).expect(0).done();
        run("qmgr", ["stop", owner.name()]).expect(0).done();
    }
}

#[test]
fn recover_keeps_away_from_a_running_queue_manager() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let mut owner = Owner::create(&scratch.path().join("QM1"), &[]);
    owner.start();
    owner.mqsc("DEFINE QLOCAL(APP.Q) DEFPSIST(YES)").done();
    owner.put("APP.Q", &lines(0, 10));
    let points = scratch.path().join("points");
    fs::create_dir(&points).expect("a folder");
    let point = points.join("P1");
    run("recpoint", ["create", owner.name(), "--to", &point.to_string_lossy()]).expect(0).done();
    run("recover", [owner.name(), "--from", &point.to_string_lossy()]).expect(12).says(&["running"]).done();
    owner.put("APP.Q", &lines(10, 10));
    assert_eq!(owner.browse("APP.Q"), lines(0, 20));
    owner.stop().done();

    // Two recoveries at once: one recovers, the other is refused or follows; the messages are there either way.
    fs::remove_file(owner.file("PSID01")).expect("a page set is lost");
    let mut both: Vec<_> = (0..2)
        .map(|_| {
            let mut recover = command("recover", [owner.name(), "--from", &point.to_string_lossy()]);
            recover.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts")
        })
        .collect();
    let codes: Vec<_> = both.iter_mut().map(|s| s.wait().expect("a child").code()).collect();
    assert!(codes.contains(&Some(0)), "{codes:?}");
    assert!(codes.iter().all(|code| matches!(code, Some(0 | 4 | 12))), "{codes:?}");
    owner.start();
    assert_eq!(owner.browse("APP.Q"), lines(0, 20));
    owner.stop().done();
}

#[test]
fn two_recovery_points_at_once_are_two_points_or_one_refusal() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let mut owner = Owner::create(&scratch.path().join("QM1"), &[]);
    owner.start();
    let points = scratch.path().join("points");
    fs::create_dir(&points).expect("a folder");
    // Three of the same name and one of another.
    let mut both: Vec<_> = ["P1", "P1", "P1", "P2"]
        .iter()
        .map(|name| {
            let point = points.join(name);
            let mut create = command("recpoint", ["create", owner.name(), "--to", &point.to_string_lossy()]);
            create.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("starts")
        })
        .collect();
    let codes: Vec<_> = both.iter_mut().map(|s| s.wait().expect("a child").code()).collect();
    let made = codes.iter().filter(|code| matches!(code, Some(0 | 4))).count();
    assert!(made >= 1 && codes.iter().all(|code| matches!(code, Some(0 | 4 | 8 | 12))), "{codes:?}");
    let there = fs::read_dir(&points).expect("a folder").flatten().count();
    assert_eq!(there, made, "points published, and points reported as made");
    run("recpoint", ["verify", owner.name(), "P1"]).expect(0).done();
    owner.stop().done();
}

#[test]
fn repro_never_writes_onto_what_it_reads_or_what_is_open() {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let mut owner = Owner::create(&scratch.path().join("QM1"), &["--page-set-size", "1MiB"]);
    let page_set = owner.file("PSID01");
    let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
    let before = fs::read(&page_set).expect("a page set");

    // Onto itself: under its own name, another spelling, a symbolic link, a hard link; with --reuse and without.
    let (soft, hard) = (scratch.path().join("soft"), scratch.path().join("hard"));
    std::os::unix::fs::symlink(&page_set, &soft).expect("a link");
    fs::hard_link(&page_set, &hard).expect("a link");
    let dotted = owner.dir().join("..").join("QM1").join("PSID01");
    for target in [&page_set, &soft, &hard, &dotted] {
        for reuse in [&[][..], &["--reuse"]] {
            let (from, to) = (text(&page_set), text(target));
            let arguments = ["--infile", &from, "--outfile", &to];
            run("repro", arguments.iter().chain(reuse)).expect(12).done();
            assert!(fs::read(&page_set).expect("a page set") == before, "{target:?} was written to");
        }
    }

    // Onto a page set that its owner has open.
    let copy = scratch.path().join("copy");
    run("repro", ["--infile", &text(&page_set), "--outfile", &text(&copy)]).expect(0).done();
    owner.start();
    let arguments = ["--infile", &text(&copy), "--outfile", &text(&page_set), "--reuse"];
    run("repro", arguments).expect(12).done();
    owner.stop().done();
    run("repro", arguments).expect(0).done();
}
