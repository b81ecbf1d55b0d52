//! Failing disks: errors in the system calls of a running queue manager, on one file at a time or on several. What it acknowledged stays,
//! what it cannot promise any more it does not acknowledge, and it says which device to look after.

use std::fs;

use house::folder;
use house::ground::{self, Mount};
use house::loaded::{Loaded, console, wait_for_console, wait_until};
use house::owner::Owner;
use house::programs::{run, run_with_input};
use house::trouble::{Trouble, archives, log_copy, run_with};
use serde_json::Value;

/// Active log data sets of each copy.
const ACTIVE_LOGS: usize = 3;

const OPTIONS: [&str; 14] = [
    "--logs",
    "dual",
    "--archives",
    "dual",
    "--log-size",
    "2MiB",
    "--active-logs",
    "3",
    "--page-sets",
    "3",
    "--page-set-size",
    "4MiB",
    "--expand",
    "system",
];

/// Whether devices can fail here; says so when not.
fn cannot_fail(test: &str) -> bool {
    Trouble::missing().inspect(|missing| ground::skip(test, missing)).is_some()
}

fn remove_all(owner: &Owner, start: &str) {
    let files = folder::files(owner.dir()).into_iter().filter(|(name, _)| name.starts_with(start));
    let removed = files.map(|(_, path)| fs::remove_file(path).expect("it is lost")).count();
    assert!(removed > 0, "no {start} is there");
}

/// How a queue manager ends.
#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Kill,
    Stop,
}

/// Copy `copy` of the log fails under load: the load goes on, the console says so; and afterwards that copy may be lost, the other one
/// may not.
fn one_copy_of_the_log_fails(test: &str, copy: u8, fault: &str, end: End) {
    if cannot_fail(test) {
        return;
    }
    let other = 3 - copy;
    let mut site = Loaded::create(&OPTIONS);
    site.load(1000).done();
    let trouble = Trouble::begin(&site.owner, &log_copy(copy, ACTIVE_LOGS), &[fault]);
    site.load(4000).done();
    assert!(trouble.hits() > 0, "nothing failed");
    wait_for_console(&site.owner, &["CSQJ004I", &format!("COPY {copy}"), "SINGLE"]);
    match end {
        End::Kill => site.owner.kill(),
        End::Stop => site.owner.stop().done(),
    }
    drop(trouble);

    let mut short = site.copy("the-failed-copy-is-lost");
    remove_all(&short, &format!("LOGCOPY{copy}"));
    short.start();
    site.audit(&short);
    short.stop().done();

    let mut whole = site.copy("the-whole-copy-is-lost");
    remove_all(&whole, &format!("LOGCOPY{other}"));
    let before = folder::contents(whole.dir());
    let said = whole.try_start().expect_err("it starts without the only whole copy of the log").expect(12);
    folder::assert_untouched(whole.dir(), &before);
    assert!(said.err.contains(&format!("LOGCOPY{other}")), "it does not say what is needed: {}", said.err);

    // With all files there, and the device well again, both copies are whole again and either is enough.
    site.owner.start();
    site.audit(&site.owner);
    site.load(500).done();
    site.owner.kill();
    for copy in 1..=2 {
        let mut robbed = site.copy(&format!("healed-without-{copy}"));
        remove_all(&robbed, &format!("LOGCOPY{copy}"));
        robbed.start();
        site.audit(&robbed);
        robbed.stop().done();
    }
}

#[test]
fn when_syncs_of_log_copy_1_fail_puts_go_on_and_copy_2_is_all_that_is_needed() {
    let test = "when_syncs_of_log_copy_1_fail_puts_go_on_and_copy_2_is_all_that_is_needed";
    one_copy_of_the_log_fails(test, 1, "fdatasync:error=EIO", End::Kill);
}

#[test]
fn when_syncs_of_log_copy_2_fail_puts_go_on_and_copy_1_is_all_that_is_needed() {
    let test = "when_syncs_of_log_copy_2_fail_puts_go_on_and_copy_1_is_all_that_is_needed";
    one_copy_of_the_log_fails(test, 2, "fdatasync:error=EIO", End::Stop);
}

#[test]
fn when_writes_of_log_copy_1_fail_puts_go_on_with_copy_2() {
    let test = "when_writes_of_log_copy_1_fail_puts_go_on_with_copy_2";
    one_copy_of_the_log_fails(test, 1, "pwrite64:error=EIO", End::Stop);
}

#[test]
fn when_log_copy_2_has_no_room_puts_go_on_with_copy_1() {
    let test = "when_log_copy_2_has_no_room_puts_go_on_with_copy_1";
    one_copy_of_the_log_fails(test, 2, "pwrite64:error=ENOSPC", End::Kill);
}

#[test]
fn when_writes_of_log_copy_1_are_short_puts_go_on_with_copy_2() {
    let test = "when_writes_of_log_copy_1_are_short_puts_go_on_with_copy_2";
    one_copy_of_the_log_fails(test, 1, "pwrite64:retval=0", End::Kill);
}

/// A device that says it wrote what it did not write: nobody notices before the log is read.
#[test]
fn what_one_log_copy_lost_unnoticed_is_read_from_the_other() {
    let test = "what_one_log_copy_lost_unnoticed_is_read_from_the_other";
    if cannot_fail(test) {
        return;
    }
    for copy in 1..=2 {
        let mut site = Loaded::create(&OPTIONS);
        site.load(500).done();
        // The first sector of the third write of a thread, and of every second one from there on.
        let trouble =
            Trouble::begin(&site.owner, &log_copy(copy, ACTIVE_LOGS), &["pwrite64:retval=512:when=3+2"]);
        site.load(3000).done();
        site.owner.kill();
        assert!(trouble.end() > 0, "nothing was lost");
        site.owner.start();
        site.audit(&site.owner);
        site.load(500).done();
        site.owner.stop().done();
        site.owner.start();
        site.audit(&site.owner);
    }
}

/// Both copies fail, on a file system whose device is copied afterwards: what was not synced is not in the copy. With `one_first` copy 1
/// has failed before.
fn both_copies_of_the_log_fail(test: &str, one_first: bool) {
    if cannot_fail(test) {
        return;
    }
    if let Some(missing) = ground::no_mounts() {
        return ground::skip(test, &missing);
    }
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let (image, copied) = (scratch.path().join("disk"), scratch.path().join("disk-afterwards"));
    ground::make_ext4(&image, 256);
    let after = scratch.path().join("after");
    let disk = Mount::image(&image, &scratch.path().join("before"));
    let mut site = Loaded::create_in(&disk.at().join("QM1"), scratch, &OPTIONS);
    site.load(1000).done();
    if one_first {
        let trouble = Trouble::begin(&site.owner, &log_copy(1, ACTIVE_LOGS), &["fdatasync:error=EIO"]);
        site.load(300).done();
        assert!(trouble.end() > 0, "nothing failed");
        wait_for_console(&site.owner, &["CSQJ004I", "COPY 1", "SINGLE"]);
    }
    let mut load = site.begin_load();
    let both = [log_copy(1, ACTIVE_LOGS), log_copy(2, ACTIVE_LOGS)].concat();
    let trouble = Trouble::begin(&site.owner, &both, &["fdatasync:error=EIO"]);
    assert_eq!(site.owner.wait(), 16, "the queue manager ends as it should");
    fs::copy(&image, &copied).expect("the device is copied");
    drop(trouble);
    assert_eq!(load.wait().expect("a child").code(), Some(4), "the load notices");
    let said = console(&site.owner);
    for word in ["HWT208S", "LOGCOPY2"] {
        assert!(said.contains(word), "the console does not say {word}:\n{said}");
    }

    let disk_after = Mount::image(&copied, &after);
    let mut cut = Owner::at(&disk_after.at().join("QM1"));
    cut.start();
    site.audit(&cut);
    cut.stop().done();
    // Nor does the machine's memory hold anything that contradicts a promise.
    site.owner.start();
    site.audit(&site.owner);
    site.owner.stop().done();
    drop((site, disk));
}

#[test]
fn when_both_copies_of_the_log_fail_at_once_it_ends_and_nothing_unsynced_was_acknowledged() {
    let test = "when_both_copies_of_the_log_fail_at_once_it_ends_and_nothing_unsynced_was_acknowledged";
    both_copies_of_the_log_fail(test, false);
}

#[test]
fn when_the_second_copy_of_the_log_fails_too_it_ends_and_nothing_unsynced_was_acknowledged() {
    let test = "when_the_second_copy_of_the_log_fails_too_it_ends_and_nothing_unsynced_was_acknowledged";
    both_copies_of_the_log_fail(test, true);
}

fn usage(owner: &Owner) -> Value {
    let said = run("dispusage", [owner.name(), "--json"]).expect(0);
    serde_json::from_str(&said.out).expect("a document")
}

/// Whether page set 01 is online, and its recovery RBA.
fn page_set_1(owner: &Owner) -> (bool, String) {
    let usage = usage(owner);
    let sets = usage["page_sets"].as_array().cloned().unwrap_or_default();
    let set = sets.iter().find(|set| set["page_set"] == 1 || set["page_set"] == "01").expect("page set 01");
    (set["online"].as_bool().expect("a flag"), set["recovery_rba"].as_str().expect("an RBA").to_owned())
}

/// Page set 01 fails at a checkpoint: it goes offline with its recovery RBA frozen, the others go on; and the messages are all there when
/// it is back, by command or with the next start.
fn a_page_set_fails(test: &str, fault: &str, by_command: bool) {
    if cannot_fail(test) {
        return;
    }
    let mut site = Loaded::create(&OPTIONS);
    let owner = &site.owner;
    owner.mqsc("DEFINE STGCLASS(ONE) PSID(1)").done();
    owner.mqsc("DEFINE STGCLASS(TWO) PSID(2)").done();
    owner.mqsc("DEFINE QLOCAL(APP.ONE) STGCLASS(ONE) DEFPSIST(YES)").done();
    owner.mqsc("DEFINE QLOCAL(APP.TWO) STGCLASS(TWO) DEFPSIST(YES)").done();
    let lines: Vec<String> = (0..200).map(|number| format!("{number} {}", "p".repeat(500))).collect();
    owner.put("APP.ONE", &lines);
    site.load(2000).done();

    let trouble = Trouble::begin(&site.owner, &["PSID01".to_owned()], &[fault]);
    for _ in 0..4 {
        site.archive();
    }
    wait_for_console(&site.owner, &["HWT321E", "01"]);
    assert!(trouble.hits() > 0, "nothing failed");
    let (online, frozen) = page_set_1(&site.owner);
    assert!(!online, "page set 01 is online");

    // What needs it is refused and told why; the others work.
    let refused = run_with_input("qmgr", ["put", site.owner.name(), "APP.ONE"], b"refused\n").expect(12);
    refused.says(&["2193", "01"]).done();
    site.owner.put("APP.TWO", &lines);
    for _ in 0..3 {
        site.archive();
    }
    let frozen_still = page_set_1(&site.owner);
    assert_eq!(frozen_still, (false, frozen.clone()), "its recovery RBA is not frozen");
    let usage = usage(&site.owner);
    let rba = |field: &str| usage[field].as_str().expect("an RBA").to_owned();
    assert!(rba("restart_rba_with_offline") <= frozen, "{usage}");
    assert!(rba("restart_rba") > frozen, "{usage}");
    // The listing for people says both.
    run("dispusage", [site.owner.name()]).expect(0).says(&["CSQI024I", "CSQI025I", &frozen]).done();

    // While the device still fails, it does not come back.
    let early = run("mqsc", [site.owner.name(), "START PSID(01)"]);
    assert!(early.code >= 8 && !page_set_1(&site.owner).0, "{early:?}");
    assert!(trouble.end() > 0);
    // Mended, it does, with all that was promised.
    if by_command {
        site.owner.mqsc("START PSID(01)").done();
        wait_until("it is back", || page_set_1(&site.owner).0);
    } else {
        site.owner.stop().done();
        site.owner.start();
    }
    assert!(page_set_1(&site.owner).0, "it is still offline");
    assert_eq!(site.owner.browse("APP.ONE"), lines);
    assert_eq!(site.owner.browse("APP.TWO"), lines);
    site.audit(&site.owner);
    site.load(500).done();
    site.owner.stop().done();
}

#[test]
fn a_page_set_whose_sync_fails_goes_offline_and_loses_nothing() {
    a_page_set_fails(
        "a_page_set_whose_sync_fails_goes_offline_and_loses_nothing",
        "fdatasync:error=EIO",
        true,
    );
}

#[test]
fn a_page_set_whose_writes_fail_goes_offline_and_loses_nothing() {
    a_page_set_fails(
        "a_page_set_whose_writes_fail_goes_offline_and_loses_nothing",
        "pwrite64:error=EIO",
        false,
    );
}

#[test]
fn a_page_that_cannot_be_read_is_said_and_its_messages_come_when_it_can() {
    let test = "a_page_that_cannot_be_read_is_said_and_its_messages_come_when_it_can";
    if cannot_fail(test) {
        return;
    }
    // A buffer pool far smaller than what is put, so that getting it reads pages.
    let mut site = Loaded::create(&[&OPTIONS[..], &["--buffer-pool", "256KiB"]].concat());
    site.owner.mqsc("DEFINE STGCLASS(ONE) PSID(1)").done();
    site.owner.mqsc("DEFINE STGCLASS(TWO) PSID(2)").done();
    site.owner.mqsc("DEFINE QLOCAL(APP.ONE) STGCLASS(ONE) DEFPSIST(YES)").done();
    site.owner.mqsc("DEFINE QLOCAL(APP.TWO) STGCLASS(TWO) DEFPSIST(YES)").done();
    let lines: Vec<String> = (0..500).map(|number| format!("{number} {}", "r".repeat(3000))).collect();
    site.owner.put("APP.ONE", &lines);
    site.owner.put("APP.TWO", &lines);
    let trouble = Trouble::begin(&site.owner, &["PSID01".to_owned()], &["pread64:error=EIO"]);
    let said = run("qmgr", ["browse", site.owner.name(), "APP.ONE"]);
    assert!(said.code >= 8, "{said:?}");
    assert!(
        said.err.contains("PAGE SET 01") && said.err.contains("2193"),
        "it does not say why: {}",
        said.err
    );
    wait_for_console(&site.owner, &["HWT321E", "01", "reading"]);
    let came: Vec<&str> = said.out.lines().collect();
    assert!(came.iter().zip(&lines).all(|(came, line)| came == line), "something was made up");
    assert!(came.len() < lines.len() && trouble.hits() > 0, "nothing failed");
    // The others go on, and so does this one once it can be read.
    assert_eq!(site.owner.browse("APP.TWO"), lines);
    drop(trouble);
    site.owner.stop().done();
    site.owner.start();
    assert_eq!(site.owner.browse("APP.ONE"), lines);
    site.load(300).done();
    site.owner.stop().done();
    site.owner.start();
    assert_eq!(site.owner.browse("APP.ONE"), lines);
    site.audit(&site.owner);
}

/// A device that fails while page sets are recovered onto it: they are not called recovered, and the next recovery finishes.
#[test]
fn a_page_set_that_fails_while_it_is_recovered_is_not_called_recovered() {
    let test = "a_page_set_that_fails_while_it_is_recovered_is_not_called_recovered";
    if cannot_fail(test) {
        return;
    }
    let mut site = Loaded::create(&OPTIONS);
    let point = site.scratch().join("P1");
    let to = point.to_string_lossy().into_owned();
    run("recpoint", ["create", site.owner.name(), "--to", &to]).expect(0).done();
    site.load(3000).done();
    site.owner.kill();
    let mut failed_late = 0;
    for (number, call) in ["fdatasync", "pwrite64"].iter().flat_map(|call| [1, 2, 3, 4].map(|n| (n, call))) {
        let mut owner = site.copy(&format!("{call}{number}"));
        fs::write(owner.file("PSID01"), b"ruined").expect("a page set is ruined");
        let fault = format!("{call}:error=EIO:when={number}+");
        let file = fs::canonicalize(owner.dir()).expect("a path").join("PSID01");
        let (said, hits) = run_with(&fault, &file, "recover", &[owner.name(), "--from", &to]);
        assert_eq!(said.code == 0, hits == 0, "{hits} failures: {said:?}");
        failed_late += u32::from(said.err.contains("HWT470S"));
        run("recover", [owner.name(), "--from", &to]).expect(0).done();
        owner.start();
        site.audit(&owner);
        owner.stop().done();
        fs::remove_dir_all(owner.dir()).expect("it is not needed any more");
    }
    assert!(failed_late > 0, "none failed once the page sets were restored");
}

fn archives_of(owner: &Owner, copy: u8) -> usize {
    folder::inventory(owner.dir()).archives.iter().filter(|archive| archive.copy == copy).count()
}

#[test]
fn when_one_archive_fails_the_other_is_kept_and_the_single_one_is_warned_of() {
    let test = "when_one_archive_fails_the_other_is_kept_and_the_single_one_is_warned_of";
    if cannot_fail(test) {
        return;
    }
    for (failing, fault) in [(1, "fdatasync:error=EIO"), (2, "pwrite64:error=ENOSPC")] {
        let mut site = Loaded::create(&OPTIONS);
        site.load(500).done();
        site.archive();
        let before = [1, 2].map(|copy| archives_of(&site.owner, copy));
        let trouble = Trouble::begin(&site.owner, &archives(failing, 1..=40), &[fault]);
        site.load(500).done();
        site.archive();
        assert!(trouble.end() > 0, "nothing failed");
        wait_for_console(&site.owner, &["CSQJ114I", &format!("copy {failing}")]);
        let after = [1, 2].map(|copy| archives_of(&site.owner, copy));
        let place = usize::from(failing) - 1;
        assert_eq!(after[place], before[place], "archive copy {failing} is said to be there");
        assert!(after[1 - place] > before[1 - place], "the other copy was not made");
        // The next one is dual again.
        site.load(500).done();
        site.archive();
        assert!(archives_of(&site.owner, failing) > after[place], "it stays single");
        site.owner.kill();
        site.owner.start();
        site.audit(&site.owner);
    }
}

#[test]
fn when_no_archive_can_be_written_the_active_log_is_kept_and_offload_tried_again() {
    let test = "when_no_archive_can_be_written_the_active_log_is_kept_and_offload_tried_again";
    if cannot_fail(test) {
        return;
    }
    let mut site = Loaded::create(&OPTIONS);
    site.load(300).done();
    site.archive();
    let before = archives_of(&site.owner, 1);
    let both = [archives(1, 1..=60), archives(2, 1..=60)].concat();
    let trouble = Trouble::begin(&site.owner, &both, &["fdatasync:error=EIO"]);
    run("archlog", [site.owner.name()]).expect(0).done();
    wait_for_console(&site.owner, &["CSQJ128E"]);
    assert_eq!(archives_of(&site.owner, 1), before, "an archive that was not written is in the BSDS");
    let bsds = folder::inventory(site.owner.dir());
    let waits = |range: format_types::RbaRange| range.end > bsds.highest_offloaded;
    let full: Vec<_> = bsds.actives(1).filter(|log| log.range.is_some_and(waits)).collect();
    assert!(full.len() >= 2, "there is no log that waits to be archived");
    for log in full {
        assert!(!log.status.is_available(), "{} may be written over and is not archived", log.name);
    }
    assert!(trouble.end() > 0, "nothing failed");
    // The device is well again: what waits is archived without being asked for, and no remains of the attempts are left.
    wait_until("the log is archived", || archives_of(&site.owner, 1) > before);
    let left: Vec<_> =
        folder::files(site.owner.dir()).into_keys().filter(|name| name.ends_with(".tmp")).collect();
    assert!(left.is_empty(), "left behind: {left:?}");
    site.load(300).done();
    site.owner.kill();
    site.owner.start();
    site.audit(&site.owner);
}

#[test]
fn when_one_copy_of_the_bsds_fails_the_other_serves_and_the_next_start_mends_it() {
    let test = "when_one_copy_of_the_bsds_fails_the_other_serves_and_the_next_start_mends_it";
    if cannot_fail(test) {
        return;
    }
    for (failing, fault) in [("BSDS01", "fdatasync:error=EIO"), ("BSDS02", "pwrite64:error=EIO")] {
        let mut site = Loaded::create(&OPTIONS);
        let trouble = Trouble::begin(&site.owner, &[failing.to_owned()], &[fault]);
        site.load(3000).done();
        site.archive();
        assert!(trouble.end() > 0, "nothing failed");
        wait_for_console(&site.owner, &["CSQJ126E", failing]);
        site.owner.kill();
        // The one that failed is not needed.
        let mut without = site.copy("without");
        fs::remove_file(without.file(failing)).expect("it is lost");
        without.start();
        site.audit(&without);
        without.stop().done();
        // The one that went on is: with the other alone it is not started on an old inventory.
        let mut stale = site.copy("stale");
        let other = if failing == "BSDS01" { "BSDS02" } else { "BSDS01" };
        fs::remove_file(stale.file(other)).expect("it is lost");
        let before = folder::contents(stale.dir());
        stale.try_start().expect_err("it starts with a stale BSDS").expect(12).says(&["HWT204E"]).done();
        folder::assert_untouched(stale.dir(), &before);

        site.owner.start();
        site.audit(&site.owner);
        site.owner.stop().done();
        let copies = ["BSDS01", "BSDS02"].map(|name| {
            let bytes = fs::read(site.owner.file(name)).expect("it is there");
            format_bsds::decode_file(&bytes).newest.expect("a valid slot").sequence
        });
        assert_eq!(copies[0], copies[1], "the BSDS that failed is not mended");
    }
}

#[test]
fn when_both_copies_of_the_bsds_fail_it_ends_and_loses_nothing() {
    let test = "when_both_copies_of_the_bsds_fail_it_ends_and_loses_nothing";
    if cannot_fail(test) {
        return;
    }
    let mut site = Loaded::create(&OPTIONS);
    site.load(500).done();
    let mut load = site.begin_load();
    let both = ["BSDS01".to_owned(), "BSDS02".to_owned()];
    let trouble = Trouble::begin(&site.owner, &both, &["fdatasync:error=EIO"]);
    assert_eq!(site.owner.wait(), 16, "the queue manager ends as it should");
    drop(trouble);
    load.wait().expect("a child");
    let said = console(&site.owner);
    assert!(said.contains("BSDS01") && said.contains("BSDS02"), "the files are not named:\n{said}");
    site.owner.start();
    site.audit(&site.owner);
    site.owner.stop().done();
}
