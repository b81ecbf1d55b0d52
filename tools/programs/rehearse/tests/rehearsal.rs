//! A whole loss, in small.

use std::path::Path;
use std::process::Command;

fn rehearse(dir: &Path, arguments: &[&str]) -> (i32, String, String) {
    let output = Command::new(env!("CARGO_BIN_EXE_rehearse"))
        .args(arguments)
        .current_dir(dir)
        .env("TMPDIR", dir)
        .output()
        .unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (output.status.code().unwrap(), text(output.stdout), text(output.stderr))
}

#[test]
fn the_rehearsal_is_clean_and_leaves_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let (code, out, err) = rehearse(dir.path(), &["--messages", "3000", "--connections", "4"]);
    assert_eq!(code, 0, "{out}{err}");
    for head in ["LOAD ", "POINT ", "LOSS ", "RECOVERY ", "BACK ", "AUDIT ", "LOAD ON ", "PRUNE ", "HWT796I "]
    {
        assert!(out.lines().any(|line| line.starts_with(head)), "{head}: {out}");
    }
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0);
}

#[test]
fn a_kept_one_can_be_rehearsed_on_again_and_is_only_read() {
    let dir = tempfile::tempdir().unwrap();
    let small = ["--messages", "1500", "--connections", "3", "--json"];
    let (code, out, err) = rehearse(dir.path(), &[&["--scratch", "S1"], &small[..]].concat());
    assert_eq!(code, 0, "{err}");
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert!(report["clean"] == true && report["messages"].as_u64().unwrap() >= 1500, "{out}");
    assert!(report["audit"]["lost"] == 0 && report["log_read_bytes"].as_u64().unwrap() > 0);
    let number = |field: &str| report[field].as_u64().unwrap();
    assert!(number("archives_deleted") > 0 && number("archive_bytes_deleted") > 0, "{out}");
    assert!(report["audit_deleted"]["lost"] == 0 && number("restored_bytes_after") > 0, "{out}");
    let needed = |field: &str| report[field].as_str().unwrap().to_owned();
    assert!(needed("log_needed_from_after") > needed("log_needed_from"), "{out}");
    let original = dir.path().join("S1/QM");
    let files = || {
        let mut files: Vec<(String, Vec<u8>)> = std::fs::read_dir(&original)
            .unwrap()
            .map(|entry| entry.unwrap())
            .map(|entry| (entry.file_name().into_string().unwrap(), std::fs::read(entry.path()).unwrap()))
            .collect();
        files.sort();
        files
    };
    let before = files();
    let (code, out, err) =
        rehearse(dir.path(), &[&["--copy-of", "S1/QM", "--scratch", "S2"], &small[..]].concat());
    assert_eq!(code, 0, "{out}{err}");
    assert!(files() == before);
    let (code, _, err) = rehearse(dir.path(), &["--scratch", "S2"]);
    assert_eq!(code, 12);
    assert!(err.starts_with("HWT790E"), "{err}");
    let (code, _, err) = rehearse(dir.path(), &["--copy-of", "nowhere", "--scratch", "S3"]);
    assert!(code >= 12, "{err}");
    assert_eq!(rehearse(dir.path(), &["--copy-of", "S1/QM"]).0, 12);
}

/// Two runs that differ in `--all` alone: the one rehearses one loss, the other every kind, and each kind says what was done.
#[test]
fn every_kind_of_loss_is_rehearsed() {
    let dir = tempfile::tempdir().unwrap();
    let small = ["--messages", "8000", "--connections", "4"];
    let (code, out, err) = rehearse(dir.path(), &[&["--all", "--json"], &small[..]].concat());
    assert_eq!(code, 0, "{out}{err}");
    let report: serde_json::Value = serde_json::from_str(&out).unwrap();
    let kinds = report["kinds"].as_array().unwrap();
    let names: Vec<&str> = kinds.iter().map(|kind| kind["kind"].as_str().unwrap()).collect();
    assert_eq!(
        names,
        [
            "page-sets",
            "one-page-set",
            "log-copy",
            "log-damage",
            "bsds-copy",
            "bsds-both",
            "point-in-time",
            "other-site",
            "self-contained",
            "logs-lost",
            "in-doubt",
            "offline",
            "expansion",
            "full-point"
        ]
    );
    for kind in kinds {
        assert!(kind["ok"] == true && kind["audited_messages"].as_u64().unwrap() > 0, "{kind}");
        assert!(kind["done"].as_array().unwrap().len() > 2, "{kind}");
    }
    assert_eq!(report["failed"], 0);
    assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 0, "nothing is left");
    // On a copy of one's own queue manager there is one loss.
    assert_eq!(rehearse(dir.path(), &["--all", "--copy-of", "QM1", "--scratch", "S"]).0, 12);
}

/// With a scratch directory of one's own what was rehearsed on is kept, and the table names each kind and its result.
#[test]
fn a_table_says_what_became_of_each_kind() {
    let dir = tempfile::tempdir().unwrap();
    let (code, out, err) = rehearse(dir.path(), &["--all", "--messages", "8000", "--scratch", "S1"]);
    assert_eq!(code, 0, "{out}{err}");
    assert!(out.starts_with("KIND "), "{out}");
    let rows = out.lines().filter(|line| line.contains("  ok  ")).count();
    assert!(rows > 10 && !out.contains("FAILED"), "{out}");
    assert!(out.lines().last().unwrap().starts_with("HWT752I "), "{out}");
    assert_eq!(std::fs::read_dir(dir.path().join("S1")).unwrap().count(), rows);
    let (code, _, err) = rehearse(dir.path(), &["--all", "--scratch", "S1"]);
    assert_eq!(code, 12);
    assert!(err.starts_with("HWT790E"), "{err}");
}

/// A kind that does not come to its loss has not been rehearsed: too short a load leaves no archive to damage.
#[test]
fn a_kind_that_fails_is_seen_and_the_others_go_on() {
    let dir = tempfile::tempdir().unwrap();
    let (code, out, err) = rehearse(dir.path(), &["--all", "--messages", "100", "--connections", "1"]);
    assert_eq!(code, 8, "{out}{err}");
    assert!(out.lines().any(|line| line.starts_with("log-damage ") && line.contains("FAILED")), "{out}");
    assert!(out.contains("! HWT755S"), "{out}");
    assert!(out.lines().any(|line| line.starts_with("full-point ") && line.contains("  ok  ")), "{out}");
    assert!(out.lines().last().unwrap().starts_with("HWT753E "), "{out}");
    let kept = out.lines().find_map(|line| line.strip_prefix("KEPT  ")).unwrap();
    assert!(Path::new(kept).join("log-damage/QM/BSDS01").exists(), "what failed is kept");
    assert!(!Path::new(kept).join("one-page-set").exists(), "what went well is not");
}
