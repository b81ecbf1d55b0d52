//! `prunelog apply` on real queue managers: working, stopped, with its log full, killed at any removal, and in hostile directories.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use house::folder;
use house::ground;
use house::loaded::{Loaded, wait_for_console, wait_until};
use house::owner::Owner;
use house::programs::{self, Said, run};
use serde_json::Value;

const OPTIONS: [&str; 12] = [
    "--log-size",
    "512KiB",
    "--active-logs",
    "3",
    "--archives",
    "dual",
    "--page-sets",
    "3",
    "--page-set-size",
    "4MiB",
    "--log-load",
    "2000",
];

const KEEP: [&str; 4] = ["--keep-last", "1", "--max-delete", "100%"];

struct Site {
    loaded: Loaded,
}

impl Site {
    /// Two points, archives before, between and behind them.
    fn new() -> Self {
        let mut site = Self { loaded: Loaded::create(&OPTIONS) };
        fs::create_dir(site.loaded.scratch().join("points")).expect("a folder");
        for name in ["T1", "T2"] {
            // Page sets are written to disk within three checkpoints: none of the first log is needed then.
            (0..4).for_each(|_| site.work());
            site.back_up(name);
        }
        site.work();
        site
    }

    fn work(&mut self) {
        self.loaded.load(200).done();
        self.loaded.archive();
    }

    fn point(&self, name: &str) -> PathBuf {
        self.loaded.scratch().join("points").join(name)
    }

    fn back_up(&self, name: &str) {
        let to = self.point(name);
        run("recpoint", ["create", self.loaded.owner.name(), "--to", &to.to_string_lossy()]).expect(0).done();
    }

    fn owner(&self) -> &Owner {
        &self.loaded.owner
    }
}

fn apply(owner: &Owner, options: &[&str]) -> Said {
    run("prunelog", [&["apply", owner.name()], options].concat())
}

fn archives(owner: &Owner) -> BTreeSet<String> {
    folder::files(owner.dir()).into_keys().filter(|name| name.starts_with("ARCHLOG")).collect()
}

/// The archives that the plan of this moment lets go, with the BSDS copies beside them.
fn planned(owner: &Owner, options: &[&str]) -> BTreeSet<String> {
    let said = run("prunelog", [&["plan", owner.name(), "--json"], options].concat());
    assert!(said.code <= 4, "{said:?}");
    let plan: Value = serde_json::from_str(&said.out).expect("a document");
    let names = plan["delete"].as_array().expect("a list").iter();
    let names: BTreeSet<String> =
        names.map(|entry| entry["name"].as_str().expect("a name").to_owned()).collect();
    let beside = names.iter().map(|name| name.replace(".A", ".B")).collect::<Vec<_>>();
    names.into_iter().chain(beside).collect()
}

fn gone(before: &BTreeSet<String>, owner: &Owner) -> BTreeSet<String> {
    before.difference(&archives(owner)).cloned().collect()
}

/// Kills it under the load, robs it of all page sets and brings them back from a point.
fn assert_recovers(site: &mut Site, mut load: Child, point: &str) {
    site.loaded.owner.kill();
    load.wait().expect("a load ends without its queue manager");
    for name in ["PSID00", "PSID01", "PSID02"] {
        fs::remove_file(site.owner().file(name)).expect("a page set is lost");
    }
    let from = site.point(point);
    run("recover", [site.owner().name(), "--from", &from.to_string_lossy()]).expect(0).done();
    site.loaded.owner.start();
    site.loaded.audit(site.owner());
}

#[test]
fn what_nothing_needs_is_deleted_while_the_queue_manager_works() {
    let mut site = Site::new();
    let load = site.loaded.begin_load();
    let (before, planned) = (archives(site.owner()), planned(site.owner(), &KEEP));
    assert!(planned.len() >= 8, "{planned:?}");
    let said = apply(site.owner(), &[&KEEP[..], &["--dry-run"]].concat());
    assert!(said.code <= 4 && said.out.starts_with("HWT842I QM1 WOULD DELETE "), "{said:?}");
    assert!(gone(&before, site.owner()).is_empty());
    let said = apply(site.owner(), &KEEP);
    assert!(said.code <= 4 && said.out.starts_with("HWT836I QM1 "), "{said:?}");
    assert_eq!(gone(&before, site.owner()), planned);
    // What is gone is no gap, and the point that is kept brings everything back.
    let plan = run("prunelog", [&["plan", site.owner().name()], &KEEP[..]].concat());
    assert!(!plan.err.contains("HWT802W") && !plan.err.contains("HWT803W"), "{plan:?}");
    assert_recovers(&mut site, load, "T2");
    let gone = site.point("T1");
    let refused = run("recover", [site.owner().name(), "--from", &gone.to_string_lossy(), "--dry-run"]);
    assert_eq!(refused.code, 12, "{refused:?}");
}

#[test]
fn a_reviewed_plan_is_applied_and_refused_when_it_no_longer_holds() {
    let mut site = Site::new();
    let plan = site.loaded.scratch().join("plan.json").to_string_lossy().into_owned();
    let make = |site: &Site| {
        let made = run("prunelog", [&["plan", site.owner().name(), "--out", &plan], &KEEP[..]].concat());
        assert!(made.code <= 4, "{made:?}");
    };
    make(&site);
    let (before, planned) = (archives(site.owner()), planned(site.owner(), &KEEP));
    // The log grows: that is no change.
    site.work();
    // Its limit is the plan's, unless another is typed.
    apply(site.owner(), &[&plan, "--max-delete", "1%"])
        .expect(12)
        .says(&["HWT831E", "--max-delete allows 1"])
        .done();
    apply(site.owner(), &[&plan, "--keep-last", "2"]).expect(12).says(&["HWT700E"]).done();
    // The point that it relies on is out of reach: then the older one's log is held.
    fs::rename(site.point("T2"), site.point("AWAY")).expect("it is moved");
    let held = apply(site.owner(), &[&plan]).expect(12).says(&["HWT832E ARCHIVE ARCHLOG", " IS HELD NOW: "]);
    assert!(held.err.contains("recovery point T1"), "{held:?}");
    assert!(gone(&before, site.owner()).is_empty());
    fs::rename(site.point("AWAY"), site.point("T2")).expect("it is moved back");
    site.loaded.owner.stop().done();
    let said = apply(site.owner(), &[&plan, "--json"]);
    let document: Value = serde_json::from_str(&said.out).expect("a document");
    assert_eq!(
        (document["live"].as_bool(), document["condition_code"].as_i64()),
        (Some(false), Some(said.code.into()))
    );
    assert_eq!(document["deleted"].as_array().map(Vec::len), Some(planned.len() / 2));
    assert_eq!(gone(&before, site.owner()), planned);
    let again = apply(site.owner(), &[&plan]);
    assert!(
        again.out.contains(&format!("HWT846I {} ARCHIVES OF THE PLAN WERE GONE BEFORE", planned.len() / 2)),
        "{again:?}"
    );
    site.loaded.owner.start();
    site.loaded.audit(site.owner());
    // Without a policy there is nothing to go by, and what is no plan is refused.
    apply(site.owner(), &[]).expect(12).says(&["HWT830E"]).done();
    apply(site.owner(), &[&site.point("T2").join("MANIFEST").to_string_lossy()])
        .expect(12)
        .says(&["HWT822E"])
        .done();
    apply(site.owner(), &["--keep-last", "1", "--scratch", "x"]).expect(12).says(&["HWT700E"]).done();
}

#[test]
fn more_than_half_is_not_deleted_at_once_unless_said() {
    let site = Site::new();
    let before = archives(site.owner());
    let refused =
        apply(site.owner(), &["--keep-last", "1"]).expect(12).says(&["HWT831E", "--max-delete allows 50"]);
    assert!(refused.out.is_empty() && gone(&before, site.owner()).is_empty(), "{refused:?}");
    let policy = site.loaded.scratch().join("policy.toml");
    fs::write(&policy, "keep-last = 1\nmax-delete = 90\n").expect("a policy");
    let planned = planned(site.owner(), &KEEP);
    let said = apply(site.owner(), &["--policy", &policy.to_string_lossy()]);
    assert!(said.code <= 4, "{said:?}");
    assert_eq!(gone(&before, site.owner()), planned);
}

/// Copy 2 is given up for points only where every byte of copy 1 is whole.
#[test]
fn copy_2_goes_earlier_where_copy_1_is_whole() {
    let mut site = Site::new();
    site.loaded.owner.stop().done();
    let shorter = ["--keep-last", "2", "--max-delete", "100%", "--copy2-shorter"];
    let of_copy2 =
        |names: &BTreeSet<String>| names.iter().filter(|name| name.starts_with("ARCHLOG2.A")).count();
    let (usual, before) = (planned(site.owner(), &shorter[..4]), archives(site.owner()));
    let planned = planned(site.owner(), &shorter);
    assert!(of_copy2(&planned) > of_copy2(&usual), "{planned:?} {usual:?}");
    // A bit rots in copy 1 of the newest that would go of copy 2.
    let newest = planned.iter().rfind(|name| name.starts_with("ARCHLOG2.A")).expect("one");
    let rotten = site.owner().file(&newest.replace("ARCHLOG2", "ARCHLOG1"));
    let mut bytes = fs::read(&rotten).expect("an archive");
    bytes[5000] ^= 1;
    fs::write(&rotten, bytes).expect("it rots");
    let said = apply(site.owner(), &shorter);
    assert!(said.code <= 4, "{said:?}");
    let gone = gone(&before, site.owner());
    assert!(!gone.contains(newest) && of_copy2(&gone) + 1 == of_copy2(&planned), "{gone:?}");
    site.loaded.owner.start();
    site.loaded.audit(site.owner());
}

/// A log that is full takes no more work, but archives can go.
#[test]
fn archives_go_while_the_log_is_full() {
    let mut site = Site::new();
    let before = archives(site.owner());
    let planned = planned(site.owner(), &KEEP);
    // Nothing can be archived: a directory is in the place of every next archive.
    let next = folder::inventory(site.owner().dir()).next_archive;
    for number in next..next + 200 {
        for copy in 1..=2 {
            let name = format!("ARCHLOG{copy}.A{number:07}.tmp");
            fs::create_dir(site.owner().file(&name)).expect("a folder");
        }
    }
    let load = site.loaded.begin_load();
    wait_for_console(site.owner(), &["CSQJ111A"]);
    let said = apply(site.owner(), &KEEP);
    assert!(said.code <= 4, "{said:?}");
    assert_eq!(gone(&before, site.owner()), planned);
    for number in next..next + 200 {
        for copy in 1..=2 {
            let _ = fs::remove_dir(site.owner().file(&format!("ARCHLOG{copy}.A{number:07}.tmp")));
        }
    }
    wait_until("the log is archived again", || archives(site.owner()).len() > before.len() - planned.len());
    assert_recovers(&mut site, load, "T2");
}

/// `kill -9` before each removal of a file in turn: what is missing then is of the plan and marked, and the next run finishes.
#[test]
fn a_killed_apply_is_finished_by_the_next() {
    if !ground::on_path("strace") || !ground::on_path("taskset") {
        let missing = "'strace' or 'taskset' is missing (Debian: apt-get install strace util-linux)";
        ground::skip("a_killed_apply_is_finished_by_the_next", missing);
        return;
    }
    let mut site = Site::new();
    site.loaded.owner.stop().done();
    let planned = planned(site.owner(), &KEEP);
    let mut at_work = 0;
    for number in 1..=planned.len() {
        let mut owner = site.loaded.copy(&format!("copy{number}"));
        let runs = number % 4 == 0;
        if runs {
            owner.start();
        }
        let before = archives(&owner);
        let program = programs::command("prunelog", [&["apply", owner.name()], &KEEP[..]].concat());
        // On one processor there is one thread that removes, and so one order.
        let mut strace = Command::new("taskset");
        strace.args(["-c", "0", "strace", "-f", "-o", "/dev/null", "-e", "trace=unlink,unlinkat"]);
        strace.arg("-e").arg(format!("inject=unlink,unlinkat:signal=SIGKILL:when={number}"));
        strace.arg(program.get_program()).args(program.get_args()).stdin(Stdio::null());
        let status = strace.stdout(Stdio::null()).stderr(Stdio::null()).status().expect("strace runs");
        at_work += u32::from(!status.success());
        let missing = gone(&before, &owner);
        assert!(missing.is_subset(&planned), "{missing:?} is not of {planned:?}");
        let marked = folder::inventory(owner.dir());
        let is_marked =
            |name: &String| marked.archives.iter().any(|archive| archive.name == *name && archive.deleting);
        assert!(
            status.success() || missing.iter().filter(|name| name.contains(".A")).all(is_marked),
            "{missing:?}"
        );
        let said = apply(&owner, &KEEP);
        assert!(said.code <= 4 && (said.out.contains("HWT837I") || status.success()), "{said:?}");
        assert_eq!(gone(&before, &owner), planned);
        assert!(folder::inventory(owner.dir()).archives.iter().all(|archive| !archive.deleting));
        if !runs {
            owner.start();
        }
        site.loaded.audit(&owner);
        owner.stop().done();
        fs::remove_dir_all(owner.dir()).expect("it is not needed any more");
    }
    assert!(at_work as usize >= planned.len() - 1, "only {at_work} of {} were killed", planned.len());
}

/// In the places of doomed archives: a link, a file of another queue manager, another archive, rubbish, a directory, a pipe.
#[test]
fn what_stands_in_an_archives_place_survives_and_is_named() {
    let mut site = Site::new();
    site.loaded.owner.stop().done();
    let names: Vec<String> =
        planned(site.owner(), &KEEP).into_iter().filter(|name| name.contains(".A")).collect();
    assert!(names.len() >= 6, "{names:?}");
    let outside = site.loaded.scratch().join("outside");
    let file = |name: &String| site.owner().file(name);
    let original = fs::read(file(&names[0])).expect("an archive");
    fs::write(&outside, &original).expect("a file");
    for name in &names[..6] {
        fs::remove_file(file(name)).expect("an archive");
    }
    std::os::unix::fs::symlink(&outside, file(&names[0])).expect("a link");
    let mut other = Owner::create(&site.loaded.scratch().join("QM2"), &["--log-size", "512KiB"]);
    other.start();
    run("archlog", [other.name(), "--wait-offload"]).expect(0).done();
    other.stop().done();
    fs::copy(other.file("ARCHLOG1.A0000001"), file(&names[1])).expect("a foreign archive");
    let kept = folder::inventory(site.owner().dir()).archives.last().expect("archives").name.clone();
    fs::copy(file(&kept), file(&names[2])).expect("another archive");
    fs::write(file(&names[3]), vec![0; 8192]).expect("rubbish");
    fs::create_dir(file(&names[4])).expect("a folder");
    assert!(Command::new("mkfifo").arg(file(&names[5])).status().expect("mkfifo").success());
    let said = apply(site.owner(), &KEEP).expect(8);
    // A directory and a pipe are no archives that are there; the others are, and stay.
    for name in &names[..4] {
        assert!(said.err.contains(&format!("HWT835E {name} STAYS: ")), "{name}: {said:?}");
        assert!(fs::symlink_metadata(file(name)).is_ok(), "{name} is gone");
    }
    for name in &names[4..6] {
        assert!(fs::symlink_metadata(file(name)).is_ok(), "{name} is gone: {said:?}");
    }
    assert_eq!(fs::read(&outside).expect("it is there"), original);
    for name in &names[6..] {
        assert!(fs::symlink_metadata(file(name)).is_err(), "{name} is there");
    }
}

#[test]
fn a_point_that_would_not_recover_stops_what_is_to_be_proved() {
    let mut site = Site::new();
    let before = archives(site.owner());
    let prove = [&KEEP[..], &["--prove"]].concat();
    // A bit of a page has rotted in the copy that is kept: its length is right, so only a recovery shows it.
    let copy = site.point("T2").join("PSID01");
    let whole = fs::read(&copy).expect("a copy");
    let mut rotten = whole.clone();
    rotten[5000] ^= 1;
    fs::write(&copy, &rotten).expect("it rots");
    apply(site.owner(), &prove).expect(12).says(&["HWT840E RECOVERY POINT T2 "]).done();
    assert!(gone(&before, site.owner()).is_empty());
    fs::write(&copy, &whole).expect("it is mended");
    let planned = planned(site.owner(), &KEEP);
    let scratch = site.loaded.scratch().join("scratch");
    fs::create_dir(&scratch).expect("a folder");
    let said = apply(site.owner(), &[&prove[..], &["--scratch", &scratch.to_string_lossy()]].concat());
    assert!(said.code <= 4 && said.err.contains("HWT841I RECOVERY POINT T2 RECOVERS"), "{said:?}");
    assert_eq!(gone(&before, site.owner()), planned);
    assert_eq!(fs::read_dir(&scratch).expect("it is there").count(), 0);
    // At rest the same; and needed log that has rotted is seen.
    site.loaded.owner.stop().done();
    apply(site.owner(), &prove).done();
    for archive in folder::inventory(site.owner().dir()).archives {
        fs::write(site.owner().file(&archive.name), vec![0; 4096]).expect("it is ruined");
    }
    apply(site.owner(), &prove).expect(12).says(&["HWT840E RECOVERY POINT T2 "]).done();
    apply(site.owner(), &["--keep-last", "1", "--prove", "--scratch", "/nowhere/at/all"])
        .expect(12)
        .says(&["HWT847E"])
        .done();
}
