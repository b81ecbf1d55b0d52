//! Large page sets and logs in little memory: copying and looking take 128 MiB at most, what has a buffer pool 64 MiB more.
//!
//! `HIGHWATER_MEMORY_MIB` is the size of the page set and of the log (256, so that neither fits into what is allowed).

use std::fs;

use house::folder;
use house::ground;
use house::memory::{assert_within, of_process};
use house::owner::Owner;
use house::programs::{command, run, run_with_input};

const MIB: u64 = 1024;
const PLAIN: u64 = 128 * MIB;
const WITH_POOL: u64 = (128 + 64) * MIB;

#[test]
fn size_does_not_matter() {
    let mebibytes = ground::number("HIGHWATER_MEMORY_MIB", 256);
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let size = format!("{}MiB", mebibytes + mebibytes / 8);
    let options = [
        "--page-set-size",
        &size,
        "--page-sets",
        "2",
        "--log-size",
        "64MiB",
        "--active-logs",
        "4",
        "--buffer-pool",
        "64MiB",
    ];
    let mut owner = Owner::create(&scratch.path().join("QM1"), &options);
    let name = owner.name().to_owned();
    owner.start();
    let (points, later) = (scratch.path().join("points"), scratch.path().join("later"));
    for folder in [&points, &later] {
        fs::create_dir(folder).expect("a folder");
    }
    let to = |folder: &std::path::Path| folder.to_string_lossy().into_owned();
    run("recpoint", ["create", &name, "--to", &to(&points.join("P1"))]).expect(0).done();
    owner.mqsc("DEFINE STGCLASS(ONE) PSID(1)").done();
    owner.mqsc("DEFINE QLOCAL(APP.Q) STGCLASS(ONE) DEFPSIST(YES)").done();
    let lines: String = (0..2048).map(|n| format!("{n:08}{}\n", "m".repeat(8000))).collect();
    for _ in 0..mebibytes / 16 {
        run_with_input("qmgr", ["put", &name, "APP.Q", "--commit-every", "64"], lines.as_bytes())
            .expect(0)
            .done();
    }
    let server = of_process(owner.pid().expect("it runs"));
    eprintln!("{server:>8} KiB: the queue manager itself");
    assert!(server <= WITH_POOL, "the queue manager had {server} KiB resident");

    assert_within(PLAIN, &mut command("recpoint", ["create", &name, "--to", &to(&later.join("P2"))]));
    assert_within(PLAIN, &mut command("dispusage", [&name]));
    owner.kill();
    assert_within(PLAIN, &mut command("dispusage", [&name]));
    let copy = to(&scratch.path().join("copy"));
    assert_within(PLAIN, &mut command("repro", ["--infile", &to(&owner.file("PSID01")), "--outfile", &copy]));
    let archive = folder::inventory(owner.dir()).archives.first().expect("archives were made").name.clone();
    let arguments = ["--infile", &to(&owner.file(&archive)), "--outfile", &copy, "--reuse"];
    assert_within(PLAIN, &mut command("repro", arguments));

    // From the point that was made before anything was put: the whole log is read.
    fs::remove_file(owner.file("PSID00")).expect("a page set is lost");
    fs::remove_file(owner.file("PSID01")).expect("a page set is lost");
    let (point, _) = folder::points(&points).pop().expect("a point");
    assert_within(WITH_POOL, &mut command("recover", [&name, "--from", &to(&point)]));
    owner.start();
    let depth = owner.mqsc("DISPLAY QLOCAL(APP.Q) CURDEPTH");
    let wanted = format!("CURDEPTH({})", mebibytes / 16 * 2048);
    assert!(depth.out.contains(&wanted), "{wanted}: {}", depth.out);
    owner.stop().done();
}
