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
    for head in ["LOAD ", "POINT ", "LOSS ", "RECOVERY ", "BACK ", "AUDIT ", "LOAD ON ", "HWT796I "] {
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
