//! The program from outside.

use std::path::Path;
use std::process::{Command, Output};

use format_pageset::page_zero::{PageZero, encode_page};
use format_types::{Expand, HistoryId, PAGE_SIZE, PageSetId, QueueManagerId, Rba};

const LISTCAT: &str = env!("CARGO_BIN_EXE_listcat");

fn listcat(arguments: &[&str]) -> Output {
    Command::new(LISTCAT).args(arguments).output().unwrap()
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

/// A page set image of 720 pages, 540 of them in use, grown once by 360.
fn page_set(path: &Path) {
    let zero = PageZero {
        queue_manager: QueueManagerId(7),
        name: "QM1".parse().unwrap(),
        page_set: PageSetId::new(3).unwrap(),
        history: HistoryId { number: 1, random: 9 },
        recovery_rba: Rba(0x4000),
        highest_synced: Rba(0x5000),
        pages_used: 540,
        extents: 2,
        expansions: 1,
        expand: Expand::User,
        initial_pages: 360,
        closed_cleanly: None,
    };
    let mut image = encode_page(&zero, 5).to_vec();
    image.resize(720 * PAGE_SIZE, 0);
    std::fs::write(path, image).unwrap();
}

#[test]
fn help_version_and_bad_options() {
    for option in ["--help", "--version"] {
        let output = listcat(&[option]);
        assert_eq!(output.status.code(), Some(0), "{option}");
        assert!(stdout(&output).contains("listcat") && output.stderr.is_empty());
    }
    for bad in [&[][..], &["--frob", "x"]] {
        let output = listcat(bad);
        assert_eq!(output.status.code(), Some(12), "{bad:?}");
        assert!(stderr(&output).starts_with("HWT700E") && output.stdout.is_empty());
    }
}

#[test]
fn a_full_device_is_noticed() {
    let dir = tempfile::tempdir().unwrap();
    let image = dir.path().join("PSID03");
    page_set(&image);
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = Command::new(LISTCAT).arg(&image).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(8));
    assert!(stderr(&output).contains("HWT708E"));
}

#[test]
fn a_page_set_is_described() {
    let dir = tempfile::tempdir().unwrap();
    let image = dir.path().join("PSID03");
    page_set(&image);
    let path = image.to_str().unwrap();
    let output = listcat(&[path]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    for line in [
        "0CLUSTER ------- PSID03",
        "        SPACE-TYPE------CYLINDER     HI-A-RBA---------2949120",
        "        SPACE-PRI--------------2     HI-U-RBA---------2211840",
        "        SPACE-SEC--------------2",
        "        HIGH-CCHH----X'0003000E'     HIGH-RBA---------2949119",
        "0IDC0002I IDCAMS PROCESSING COMPLETE. MAXIMUM CONDITION CODE WAS 0",
    ] {
        assert!(text.lines().any(|found| found == line), "{line}\n{text}");
    }
    assert!(!text.contains("STATISTICS"));
    assert!(stdout(&listcat(&[path, "--all"])).contains("STATISTICS"));
    let document: serde_json::Value = serde_json::from_slice(&listcat(&[path, "--json"]).stdout).unwrap();
    let entry = &document["entries"][0];
    assert_eq!((entry["kind"].as_str(), entry["page_set"].as_u64()), (Some("page-set"), Some(3)));
    assert_eq!((entry["hi_a_rba"].as_u64(), entry["hi_u_rba"].as_u64()), (Some(2_949_120), Some(2_211_840)));
    assert_eq!(entry["recovery_rba"], "0000000000004000");
    assert_eq!(entry["extents"][1]["low_rba"], 1_474_560);
}

#[test]
fn what_is_missing_foreign_or_damaged_is_told() {
    let dir = tempfile::tempdir().unwrap();
    let at = |name: &str| dir.path().join(name).to_str().unwrap().to_owned();
    page_set(&dir.path().join("PSID03"));
    std::fs::write(at("odd"), "not an image").unwrap();
    std::fs::write(at("records"), vec![0xC1; 8192]).unwrap();

    let output = listcat(&[&at("PSID03"), &at("NONE")]);
    assert_eq!(output.status.code(), Some(4));
    assert!(stdout(&output).contains("NONE NOT LISTED"));
    let output = listcat(&[&at("odd")]);
    assert_eq!(output.status.code(), Some(12));
    assert!(stderr(&output).starts_with("HWT742E") && output.stdout.is_empty());
    let output = listcat(&[&at("odd"), &at("PSID03")]);
    assert_eq!(output.status.code(), Some(8));
    assert!(stdout(&output).contains("PSID03"));
    std::fs::write(at("LOGCOPY1.DS02"), vec![0; 8192]).unwrap();
    let output = listcat(&[&at("LOGCOPY1.DS02"), "--json"]);
    assert!(stdout(&output).contains("\"hi_u_rba\": 0") && stdout(&output).contains("\"kind\": \"log\""));
    let output = listcat(&[&at("records"), "--json"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(stdout(&output).contains("\"kind\": \"records\""));
    // A directory stands for the data sets in it.
    let output = listcat(&[dir.path().to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("CLUSTER ---------------2"));

    let mut bytes = std::fs::read(at("PSID03")).unwrap();
    bytes[100] ^= 1;
    std::fs::write(at("PSID03"), &bytes).unwrap();
    let one_slot = listcat(&[&at("PSID03")]);
    assert_eq!(one_slot.status.code(), Some(8));
    assert!(stderr(&one_slot).contains("HWT745E"));
    bytes.truncate(100 * PAGE_SIZE);
    std::fs::write(at("PSID03"), &bytes).unwrap();
    assert!(stderr(&listcat(&[&at("PSID03")])).contains("TRUNCATED"));
    bytes[..PAGE_SIZE].iter_mut().skip(8).for_each(|byte| *byte ^= 0x55);
    std::fs::write(at("PSID03"), &bytes).unwrap();
    let both = listcat(&[&at("PSID03")]);
    assert_eq!(both.status.code(), Some(12), "{}", stdout(&both));
    assert!(stderr(&both).starts_with("HWT743E"), "{}", stderr(&both));
}
