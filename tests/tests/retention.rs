//! Retention on the real programs: every archive that a plan calls needed is missed, one by one; what stays after a plan was applied to a
//! running queue manager brings every kept point back.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use format_types::Rba;
use house::folder;
use house::loaded::Loaded;
use house::programs::run;
use serde_json::Value;

const OPTIONS: [&str; 12] = [
    "--archives",
    "dual",
    "--log-size",
    "1MiB",
    "--active-logs",
    "2",
    "--page-sets",
    "3",
    "--page-set-size",
    "4MiB",
    "--expand",
    "system",
];

/// A queue manager with recovery points P1 to P4, each followed by log of several archives.
fn site() -> (Loaded, PathBuf) {
    let mut loaded = Loaded::create(&OPTIONS);
    let points = loaded.scratch().join("points");
    fs::create_dir(&points).expect("a folder");
    for number in 1..=4 {
        loaded.load(1500).done();
        let to = points.join(format!("P{number}"));
        run("recpoint", ["create", loaded.owner.name(), "--to", &to.to_string_lossy()]).expect(0).done();
    }
    loaded.load(1500).done();
    loaded.archive();
    (loaded, points)
}

fn plan(loaded: &Loaded) -> Value {
    let said = run("prunelog", ["plan", loaded.owner.name(), "--keep-last", "2", "--json"]);
    assert!(said.code == 0 || said.code == 4, "{said:?}");
    serde_json::from_str(&said.out).expect("a plan")
}

fn text<'v>(value: &'v Value, field: &str) -> &'v str {
    value[field].as_str().unwrap_or_else(|| panic!("{field} of {value}"))
}

fn rba(value: &Value, field: &str) -> Rba {
    Rba(u64::from_str_radix(text(value, field), 16).expect("an RBA"))
}

fn list<'v>(value: &'v Value, field: &str) -> &'v [Value] {
    value[field].as_array().map_or(&[], Vec::as_slice)
}

/// Names of the recovery points that hold the data set and need it.
fn needed_by(kept: &Value) -> BTreeSet<String> {
    let holders = list(kept, "holders").iter().filter(|holder| text(holder, "kind") == "needed");
    let points = holders.filter_map(|holder| text(holder, "what").strip_prefix("recovery point "));
    points.filter_map(|what| Some(what.split_once(':')?.0.to_owned())).collect()
}

#[test]
fn without_any_archive_that_a_plan_calls_needed_some_kept_point_refuses() {
    let (mut loaded, points) = site();
    loaded.owner.stop().done();
    let plan = plan(&loaded);
    let active = folder::inventory(loaded.owner.dir());
    let active: Vec<_> = active.active_logs.iter().filter_map(|log| log.range).collect();
    let archives: Vec<&Value> =
        list(&plan, "keep").iter().filter(|kept| text(kept, "kind") == "archive").collect();
    let mut missed = 0;
    for kept in archives.iter().filter(|kept| kept["copy"] == 1) {
        let (start, end) = (rba(kept, "start"), rba(kept, "end"));
        let needed = needed_by(kept);
        // What an active log has too is not missed.
        if needed.is_empty() || active.iter().any(|range| range.start <= end && start < range.end) {
            continue;
        }
        let copy = loaded.copy(&format!("without-{start}"));
        let same = archives.iter().filter(|other| rba(other, "start") <= end && start <= rba(other, "end"));
        for other in same {
            fs::remove_file(copy.file(text(other, "name"))).expect("an archive is there");
        }
        for name in &needed {
            let from = points.join(name);
            let said = run("recover", [copy.name(), "--from", &from.to_string_lossy(), "--dry-run"]);
            said.expect(12).says(&[text(kept, "name")]).done();
        }
        // The other archives are all that it needs.
        let before = run(
            "recover",
            [loaded.owner.name(), "--from", &points.join("P4").to_string_lossy(), "--dry-run"],
        );
        assert!(before.code <= 4, "{before:?}");
        missed += 1;
        fs::remove_dir_all(copy.dir()).expect("it is not needed any more");
    }
    assert!(missed >= 3, "{missed} archives are needed by points alone: {plan}");
}

#[test]
fn what_stays_after_a_plan_was_applied_to_a_running_queue_manager_brings_every_kept_point_back() {
    let (mut loaded, points) = site();
    let plan = plan(&loaded);
    let doomed: BTreeSet<&str> = list(&plan, "delete").iter().map(|entry| text(entry, "name")).collect();
    assert!(doomed.len() >= 4, "{plan}");
    let archives = |dir: &Path| -> BTreeSet<String> {
        let number = |name: &String| name.starts_with("ARCHLOG") && name.contains(".A");
        folder::files(dir).into_keys().filter(number).collect()
    };
    let before = archives(loaded.owner.dir());
    let apply = ["apply", loaded.owner.name(), "--keep-last", "2", "--max-delete", "100"];
    let said = run("prunelog", apply);
    assert!(said.code == 0 || said.code == 4, "{said:?}");
    let after = archives(loaded.owner.dir());
    let gone: BTreeSet<&str> = before.difference(&after).map(String::as_str).collect();
    assert_eq!(gone, doomed);
    loaded.load(500).done();
    loaded.owner.kill();
    for point in list(&plan, "points").iter().filter(|point| point["kept"] == true) {
        let from = points.join(text(point, "name"));
        let mut copy = loaded.copy(&format!("from-{}", text(point, "name")));
        for (name, path) in folder::files(copy.dir()) {
            if name.starts_with("PSID") {
                fs::remove_file(path).expect("a page set is lost");
            }
        }
        run("recover", [copy.name(), "--from", &from.to_string_lossy()]).expect(0).done();
        copy.start();
        loaded.audit(&copy);
        copy.stop().done();
    }
    // The points that were given up lack what is gone.
    let given_up = list(&plan, "points").iter().filter(|point| point["kept"] == false);
    for point in given_up {
        let from = points.join(text(point, "name"));
        run("recover", [loaded.owner.name(), "--from", &from.to_string_lossy(), "--dry-run"])
            .expect(12)
            .done();
    }
}
