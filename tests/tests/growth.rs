//! A page set that grows into a full disk: puts that need room are refused, everything else goes on, and it grows again when it is told.

use std::fs;
use std::os::unix::fs::symlink;

use house::ground::{Mount, no_mounts, skip, system};
use house::loaded::wait_for_console;
use house::owner::Owner;
use house::programs::run_with_input;

#[test]
fn a_full_disk_disables_expansion_until_it_is_altered() {
    if let Some(missing) = no_mounts() {
        return skip("a_full_disk_disables_expansion_until_it_is_altered", &missing);
    }
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let options = ["--page-set-size", "1536KiB", "--log-size", "4MiB"];
    let mut owner = Owner::create(&scratch.path().join("QM1"), &options);
    // Page set 01 alone lies on a disk with room for a third more.
    let small = Mount::in_memory(&scratch.path().join("small"), 2);
    let there = small.at().join("PSID01");
    fs::copy(owner.file("PSID01"), &there).expect("there is room for it");
    fs::remove_file(owner.file("PSID01")).expect("it was there");
    symlink(&there, owner.file("PSID01")).expect("a link");
    owner.start();
    for statement in [
        "DEFINE QLOCAL(A) DEFPSIST(YES)",
        "DEFINE STGCLASS(C) PSID(2)",
        "DEFINE QLOCAL(B) STGCLASS(C) DEFPSIST(YES)",
    ] {
        owner.mqsc(statement).done();
    }
    let lines = |count: usize| (0..count).map(|n| format!("{n:0>900}\n")).collect::<String>().into_bytes();
    let put = |owner: &Owner, queue: &str, count| {
        run_with_input("qmgr", ["put", owner.name(), queue, "--acknowledge"], &lines(count))
    };
    let refused = put(&owner, "A", 3000).expect(8);
    assert!(refused.err.contains("HWT425E PAGE SET 01 IS FULL (MQRC 2192)"), "{}", refused.err);
    let acknowledged = refused.out.lines().count();
    assert!(acknowledged > 1000, "{acknowledged}");
    wait_for_console(&owner, &["CSQP014E QM1 EXPANSION FAILED FOR PAGE SET 01."]);
    put(&owner, "B", 10).expect(0).done();
    put(&owner, "A", 10).expect(12).says(&["HWT425E"]).done();
    assert_eq!(owner.browse("A").len(), acknowledged);

    // Room alone is not enough: somebody has to say so.
    system("mount", &["-o", "remount,size=16m", &small.at().to_string_lossy()]);
    put(&owner, "A", 10).expect(12).says(&["HWT425E"]).done();
    owner.mqsc("ALTER PSID(1) EXPAND(USER)").done();
    put(&owner, "A", 1000).expect(0).done();
    wait_for_console(&owner, &["CSQI031I QM1 THE NEW EXTENT OF PAGE SET 01"]);
    owner.kill();
    owner.start();
    assert_eq!(owner.browse("A").len(), acknowledged + 1000);
    assert_eq!(owner.browse("B").len(), 10);
    owner.stop().done();
}
