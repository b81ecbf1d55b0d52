//! Every option: two runs that differ only in it differ in the way it says.

mod site;

use serde_json::{Value, json};
use site::{Site, point, prunelog};

/// A site with five points of one to five weeks ago, and archives of 4096 bytes for all log to now.
fn site() -> Site {
    let mut site = Site::new(40);
    // Name, days ago, the RBA it needs.
    for (name, days, from) in [("P5", 35, 4), ("P4", 28, 9), ("P3", 21, 15), ("P2", 14, 20), ("P1", 7, 30)] {
        site.points.push(point(name, days, from * 0x1000));
    }
    site
}

/// How many archives of copy 1 go.
fn gone(site: &Site, options: &[&str]) -> usize {
    gone_of(site, options, 1)
}

fn gone_of(site: &Site, options: &[&str], copy: u64) -> usize {
    let plan = site.plan(options);
    plan["delete"].as_array().unwrap().iter().filter(|entry| entry["copy"] == copy).count()
}

#[test]
fn points_are_kept_by_number_and_age() {
    let site = site();
    assert_eq!(gone(&site, &[]), 0);
    assert_eq!(gone(&site, &["--keep-last", "1"]), 30);
    assert_eq!(gone(&site, &["--keep-last", "2"]), 20);
    assert_eq!(gone(&site, &["--newer-than", "15d"]), 20);
    assert_eq!(gone(&site, &["--newer-than", "3w"]), 20);
    assert_eq!(gone(&site, &["--newer-than", "22d"]), 15);
    assert_eq!(gone(&site, &["--keep-last", "1", "--newer-than", "22d"]), 15);
}

#[test]
fn points_are_kept_by_calendar() {
    let mut site = site();
    site.points.push(point("P1B", 7, 31 * 0x1000));
    for (option, one, two) in
        [("--daily", 31, 20), ("--weekly", 31, 20), ("--monthly", 31, 9), ("--yearly", 31, 31)]
    {
        assert_eq!((gone(&site, &[option, "1"]), gone(&site, &[option, "2"])), (one, two), "{option}");
    }
}

#[test]
fn a_window_begins_with_the_point_before_it() {
    let site = site();
    assert_eq!(gone(&site, &["--window", "10d"]), 20);
    assert_eq!(gone(&site, &["--window", "20d"]), 15);
    // Older points need their log to the end of their copies alone.
    let both = ["--window", "10d", "--keep-last", "5"];
    assert_eq!(gone(&site, &both), 4);
    let plan = site.plan(&[&both[..], &["--consistent-only"]].concat());
    let kept: Vec<u64> = (0..40)
        .filter(|number| {
            let name = format!("ARCHLOG1.A{number:07}");
            plan["keep"].as_array().unwrap().iter().any(|entry| entry["name"] == name)
        })
        .collect();
    assert_eq!(kept[..4], [4, 9, 15, 20]);
    assert_eq!(kept.len(), 23);
    let short = plan["points"].as_array().unwrap().iter().filter(|point| point["consistent_only"] == true);
    assert_eq!(short.count(), 3);
}

#[test]
fn more_log_is_kept_than_is_needed() {
    let mut site = site();
    assert_eq!(gone(&site, &["--keep-last", "1", "--min-archives", "5"]), 30);
    assert_eq!(gone(&site, &["--keep-last", "1", "--min-archives", "15"]), 25);
    site.now["checkpoints"] = json!([
        site::rba(0x10800),
        site::rba(0x1B800),
        site::rba(0x1D800),
        site::rba(0x26800),
        site::rba(0x27800)
    ]);
    assert_eq!(gone(&site, &["--keep-last", "1", "--margin", "0"]), 30);
    assert_eq!(gone(&site, &["--keep-last", "1", "--margin", "1"]), 29);
    assert_eq!(gone(&site, &["--keep-last", "1", "--margin", "2"]), 27);
    assert_eq!(gone(&site, &["--keep-last", "1", "--margin", "3"]), 16);
    // Where nobody knows so many checkpoints, all log is kept.
    let plan = site.plan(&["--keep-last", "1", "--margin", "4"]);
    assert_eq!(plan["delete"], json!([]));
    assert!(plan["warnings"].to_string().contains("HWT817W"));
    assert_eq!(gone(&site, &["--keep-last", "1", "--back-to-full"]), 0);
    site.points[2]["method"] = json!("full");
    assert_eq!(gone(&site, &["--keep-last", "1"]), 30);
    assert_eq!(gone(&site, &["--keep-last", "1", "--back-to-full"]), 15);
}

#[test]
fn copy_2_is_shorter_where_copy_1_is_verified() {
    let mut site = site();
    let shorter = ["--keep-last", "2", "--copy2-shorter"];
    assert_eq!((gone_of(&site, &["--keep-last", "2"], 2), gone_of(&site, &shorter, 2)), (20, 20));
    for log in &mut site.logs {
        if log["copy"] == 1 && log["kind"] == "archive" && log["name"] != "ARCHLOG1.A0000025" {
            log["state"] = json!("verified");
        }
    }
    assert_eq!((gone(&site, &shorter), gone_of(&site, &shorter, 2)), (20, 37));
    // What copy 1 lacks is never deleted of copy 2.
    site.log("ARCHLOG1.A0000030")["present"] = json!(false);
    assert_eq!(gone_of(&site, &shorter, 2), 36);
    assert_eq!(gone_of(&site, &["--keep-last", "2"], 2), 20);
}

#[test]
fn a_policy_file_has_the_same_names() {
    let site = site();
    let file = site.file("policy.toml", "keep-last = 2\nmin-archives = 25\nmax-delete = 90\n");
    assert_eq!(gone(&site, &["--policy", &file]), 15);
    assert_eq!(gone(&site, &["--policy", &file, "--min-archives", "1"]), 20);
    let all = "newer-than = \"22d\"\ndaily = 1\nweekly = 1\nmonthly = 1\nyearly = 1\nwindow = \"1d\"\n\
               consistent-only = true\nmargin = 0\nback-to-full = false\ncopy2-shorter = true\nrestart-within = \"1h\"\n";
    let file = site.file("all.toml", all);
    let plan = site.plan(&["--policy", &file]);
    assert_eq!(plan["policy"].as_array().unwrap().len(), 9, "{}", plan["policy"]);
    for (bad, why) in
        [("keep-first = 2\n", "keep-first"), ("keep-last = 0\n", "keep-last"), ("keep-last", "line 1")]
    {
        let file = site.file("bad.toml", bad);
        let said = prunelog(&["plan", "--inventory", &site.document(), "--policy", &file]);
        assert_eq!(said.code, 12);
        assert!(said.err.starts_with("HWT821E") && said.err.contains(why), "{}", said.err);
    }
}

#[test]
fn too_much_at_once_is_not_listed() {
    let site = site();
    let document = site.document();
    let list = |options: &[&str]| {
        prunelog(
            &[&["plan", "--inventory", &document, "--emit", "list", "--keep-last", "1"], options].concat(),
        )
    };
    let refused = list(&[]);
    assert_eq!((refused.code, refused.out.as_str()), (12, ""));
    assert!(refused.err.starts_with("HWT824E"), "{}", refused.err);
    let listed = list(&["--max-delete", "80%"]);
    assert_eq!(listed.out.lines().count(), 60);
    assert!(listed.out.starts_with("ARCHLOG1.A0000000\n"), "{}", listed.out);
    let plan = site.plan(&["--keep-last", "1"]);
    assert_eq!((&plan["over_max_delete"], &plan["totals"]["delete_percent"]), (&json!(true), &json!(75)));
    let plan = site.plan(&["--keep-last", "1", "--max-delete", "80"]);
    assert_eq!(plan["over_max_delete"], json!(false));
}

#[test]
fn a_plan_is_written_and_compared() {
    let site = site();
    let document = site.document();
    let (out, metrics) = (site.path("plan.json"), site.path("prunelog.prom"));
    let written = ["--keep-last", "2", "--out", &out, "--metrics", &metrics];
    let said = prunelog(&[&["plan", "--inventory", &document], &written[..]].concat());
    let plan: Value = serde_json::from_str(&std::fs::read_to_string(&out).unwrap()).unwrap();
    assert_eq!(plan, site.plan(&["--keep-last", "2"]));
    assert!(said.out.starts_with("RETENTION PLAN OF QM1 FOR 2026-11-22T00:00:00Z"), "{}", said.out);
    let numbers = std::fs::read_to_string(&metrics).unwrap();
    assert!(
        numbers.contains("highwater_log_data_sets{queue_manager=\"QM1\",action=\"delete\"} 40\n"),
        "{numbers}"
    );
    assert!(numbers.lines().all(|line| line.starts_with('#') || line.contains("queue_manager=\"QM1\"")));
    let compare =
        |options: &[&str]| prunelog(&[&["plan", "--inventory", &document, "--diff", &out], options].concat());
    let same = compare(&["--keep-last", "2"]);
    assert!(
        same.out.starts_with("log is kept from 0000000000014000, before from 0000000000014000\n0 data"),
        "{}",
        same.out
    );
    let other = compare(&["--keep-last", "1"]);
    assert_eq!(other.out.matches("delete now").count(), 20, "{}", other.out);
    assert!(other.out.contains("recovery points no longer kept: P2"), "{}", other.out);
    let back = compare(&["--keep-last", "3", "--json"]);
    let back: Value = serde_json::from_str(&back.out).unwrap();
    assert_eq!(back["now_kept"].as_array().unwrap().len(), 10);
    let bad = prunelog(&["plan", "--inventory", &document, "--diff", &document]);
    assert_eq!(bad.code, 12);
    assert!(bad.err.starts_with("HWT822E"), "{}", bad.err);
}

#[test]
fn a_backup_that_is_overdue_is_named() {
    let mut site = site();
    // 800 MB of log an hour, read with 2.7 MB a second: IBM's example, 12.15 hours for a restart of one hour.
    site.now["rates"] = json!({"log_bytes_per_hour": 800_000_000, "recovery_bytes_per_second": 2_700_000});
    let warned = |options: &[&str]| site.plan(options)["warnings"].to_string();
    let overdue = warned(&["--keep-last", "1", "--restart-within", "1h"]);
    assert!(overdue.contains("HWT811W") && overdue.contains("every 12.2 hours"), "{overdue}");
    assert!(!warned(&["--keep-last", "1", "--restart-within", "30h"]).contains("HWT811W"));
    assert!(!warned(&["--keep-last", "1"]).contains("HWT811W"));
    // Where a rate is missing, that is said; where nothing is written, no backup grows old.
    let mut with = |rates: Value, options: &[&str]| {
        site.now["rates"] = rates;
        site.plan(options)["warnings"].to_string()
    };
    for (rates, words) in [
        (json!({"log_bytes_per_hour": 800_000_000}), "only how fast log is written is known"),
        (json!({}), "only how fast log is written is known"),
    ] {
        let unknown = with(rates.clone(), &["--restart-within", "1h"]);
        assert!(unknown.contains("HWT819W") && unknown.contains(words), "{unknown}");
        assert!(!unknown.contains("HWT811W"), "{unknown}");
        assert!(!with(rates, &[]).contains("HWT819W"));
    }
    let quiet = json!({"log_bytes_per_hour": 0, "recovery_bytes_per_second": 1});
    let quiet = with(quiet, &["--restart-within", "1s"]);
    assert!(!quiet.contains("HWT811W") && !quiet.contains("HWT819W"), "{quiet}");
}

#[test]
fn inventories_come_from_standard_input_too() {
    let site = site();
    let document = std::fs::read(site.document()).unwrap();
    let said = site::prunelog_with(&["plan", "--inventory", "-", "--keep-last", "1", "--json"], &document);
    let plan: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!(plan["boundary"], site::rba(0x1E000));
}
