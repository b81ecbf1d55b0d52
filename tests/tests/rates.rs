//! How fast log is written and read, measured on real queue managers: backups that are overdue, and the end of the RBA range.

use std::fs;
use std::path::PathBuf;

use house::loaded::Loaded;
use house::owner::Owner;
use house::programs::{Said, run};
use house::{aged, folder};
use serde_json::{Value, json};

const OPTIONS: [&str; 6] = ["--log-size", "1MiB", "--page-sets", "2", "--page-set-size", "4MiB"];

const DAY: u64 = 86_400;

/// A queue manager with a recovery point and some log.
fn site() -> Loaded {
    let mut loaded = Loaded::create(&OPTIONS);
    loaded.load(1500).done();
    let to = loaded.scratch().join("P1");
    run("recpoint", ["create", loaded.owner.name(), "--to", &to.to_string_lossy()]).expect(0).done();
    loaded.load(1500).done();
    loaded.archive();
    loaded
}

/// A running one with log of one day and a point of ten years: to restart within a second, no backup may be so old.
fn old_site() -> Loaded {
    let mut loaded = site();
    loaded.owner.stop().done();
    aged::log(loaded.owner.dir(), DAY);
    aged::points(loaded.owner.dir(), 3650 * DAY);
    loaded.owner.start();
    loaded
}

fn plan(owner: &Owner, options: &[&str]) -> Said {
    let said = run("prunelog", [&["plan", owner.name(), "--keep-last", "1"], options].concat());
    assert!(said.code == 0 || said.code == 4, "{said:?}");
    said
}

fn inventory(owner: &Owner, options: &[&str]) -> Value {
    let said = run("prunelog", [&["inventory", owner.name()], options].concat());
    assert!(said.code == 0 || said.code == 4, "{said:?}");
    serde_json::from_str(&said.out).expect("a document")
}

fn rate(inventory: &Value, name: &str) -> Option<u64> {
    inventory["now"]["rates"][name].as_u64()
}

/// Two plans that differ in the restart time alone; and what they were made from.
fn assert_overdue(owner: &Owner) {
    let overdue = plan(owner, &["--restart-within", "1s"]).expect(4);
    let line = overdue.err.lines().find(|line| line.starts_with("HWT811W")).expect("a backup is overdue");
    assert!(
        line.contains(
            "the newest sound one, P1, is 87600.0 hours old; to restart within 1s one is due every "
        ),
        "{line}"
    );
    let patient = plan(owner, &["--restart-within", "5000w"]);
    for unwanted in ["HWT811W", "HWT819W"] {
        assert!(!patient.err.contains(unwanted), "{patient:?}");
        assert!(!plan(owner, &[]).err.contains(unwanted));
    }
    let apply = ["apply", owner.name(), "--keep-last", "1", "--dry-run", "--restart-within", "1s"];
    run("prunelog", apply).expect(4).says(&["HWT811W"]).done();
    let known = inventory(owner, &["--measure"]);
    let written = rate(&known, "log_bytes_per_hour").expect("it is a day old");
    let end = u64::from_str_radix(known["now"]["log_end"].as_str().expect("an RBA"), 16).expect("an RBA");
    // All of the log in a day and some seconds.
    assert!(end / 24 * 9 / 10 < written && written <= end / 24, "{written} an hour of {end}");
    // Of a running one the day has gone on between two looks.
    let said = line.split_once("written at ").and_then(|(_, rest)| rest.split_once(' ')).expect("a rate").0;
    let said: u64 = said.parse().expect("a number");
    assert!(said.abs_diff(written) <= written / 100, "{line}, and {written}");
    assert!(rate(&known, "recovery_bytes_per_second").expect("log was read") > 100_000, "{}", known["now"]);
    assert_eq!(rate(&inventory(owner, &[]), "recovery_bytes_per_second"), None);
}

#[test]
fn a_backup_is_overdue_when_a_restart_would_take_longer_than_it_may() {
    let mut loaded = old_site();
    assert_overdue(&loaded.owner);
    loaded.owner.stop().done();
    assert_overdue(&loaded.owner);
    loaded.owner.start();
    loaded.audit(&loaded.owner);
}

/// Log is read indeed: where the newest cannot be, nothing is said of how fast that was.
#[test]
fn how_fast_log_is_read_is_known_only_where_it_is_read() {
    let mut loaded = old_site();
    loaded.owner.stop().done();
    for archive in folder::inventory(loaded.owner.dir()).archives {
        fs::write(loaded.owner.file(&archive.name), vec![0; 1 << 20]).expect("it is ruined");
    }
    let said = plan(&loaded.owner, &["--restart-within", "1s"]).expect(4);
    said.says(&["HWT819W", "only how fast log is written is known"]).done();
    assert_eq!(rate(&inventory(&loaded.owner, &["--measure"]), "recovery_bytes_per_second"), None);
}

#[test]
fn of_a_young_queue_manager_nothing_is_made_up() {
    let mut loaded = Loaded::create(&OPTIONS);
    // Without any point there is no doubt.
    plan(&loaded.owner, &["--restart-within", "1h"])
        .expect(4)
        .says(&["HWT811W", "no sound recovery point"])
        .done();
    let to: PathBuf = loaded.scratch().join("P1");
    run("recpoint", ["create", loaded.owner.name(), "--to", &to.to_string_lossy()]).expect(0).done();
    for stopped in [false, true] {
        let said = plan(&loaded.owner, &["--restart-within", "1s"]).expect(4);
        let said = said
            .says(&["HWT819W", "CANNOT BE SAID: neither how fast log is written nor how fast it is read"]);
        assert!(!said.err.contains("HWT811W"), "{said:?}");
        assert_eq!(inventory(&loaded.owner, &["--measure"])["now"].get("rates"), None);
        if !stopped {
            loaded.owner.stop().done();
        }
    }
    loaded.owner.start();
    loaded.load(1500).done();
    let said = plan(&loaded.owner, &["--restart-within", "1s"]).expect(4);
    said.says(&["HWT819W", "only how fast log is read is known"]).done();
}

/// What a queue manager says of itself tells when its RBA range ends, were it a short one.
#[test]
fn the_end_of_the_rba_range_is_foreseen_from_the_measured_rate() {
    let loaded = old_site();
    let mut document = inventory(&loaded.owner, &[]);
    let end = u64::from_str_radix(document["now"]["log_end"].as_str().expect("an RBA"), 16).expect("an RBA");
    let written = rate(&document, "log_bytes_per_hour").expect("it is a day old");
    let file = loaded.scratch().join("inventory.json");
    let mut warned = |limit: u64, rates: bool| {
        document["now"]["rba_limit"] = json!(format!("{limit:016X}"));
        if !rates {
            document["now"].as_object_mut().expect("an object").remove("rates");
        }
        fs::write(&file, document.to_string()).expect("a document");
        let said = run("prunelog", ["plan", "--inventory", &file.to_string_lossy(), "--keep-last", "1"]);
        assert!(said.code == 0 || said.code == 4, "{said:?}");
        said.err.lines().find(|line| line.starts_with("HWT810W")).map(str::to_owned)
    };
    let month = warned(end + written * 24 * 30, true).expect("it ends in a month");
    assert!(month.contains(&format!("AT THE PRESENT RATE, {written} bytes an hour")), "{month}");
    assert_eq!(warned(end + written * 24 * 400, true), None);
    assert_eq!(warned(end + written * 24 * 30, false), None);
}
