//! Putting, getting and browsing from a shell.

mod queue_manager;

use std::time::{Duration, Instant};

use queue_manager::{Fixture, begin, json, qmgr, stderr, stdout};

/// The queue that every queue manager has.
const QUEUE: &str = "SYSTEM.DEFAULT.LOCAL.QUEUE";

fn browse(dir: &str) -> String {
    stdout(&qmgr(&["browse", dir, QUEUE], ""))
}

#[test]
fn lines_go_in_and_come_out() {
    let fixture = Fixture::started();
    let dir = fixture.path();
    let output = qmgr(&["put", dir, QUEUE], "one\n\nthree");
    assert_eq!((output.status.code(), stdout(&output)), (Some(0), String::new()), "{}", stderr(&output));
    let output = qmgr(&["put", dir, QUEUE, "--acknowledge", "--commit-every", "2"], "four\nfive\nsix\n");
    assert_eq!(stdout(&output), "four\nfive\nsix\n");
    assert_eq!(browse(dir), "one\n\nthree\nfour\nfive\nsix\n");
    assert_eq!(stdout(&qmgr(&["browse", dir, QUEUE, "--count", "2"], "")), "one\n\n");

    let output = qmgr(&["get", dir, QUEUE, "--count", "2"], "");
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), "one\n\n"));
    let output = qmgr(&["get", dir, QUEUE, "--commit-every", "3"], "");
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), "three\nfour\nfive\nsix\n"));
    let output = qmgr(&["get", dir, QUEUE, "--count", "1"], "");
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(4), ""));
    assert!(stderr(&output).starts_with("HWT719W"));
    assert_eq!(qmgr(&["get", dir, QUEUE], "").status.code(), Some(0));
}

#[test]
fn priority_and_persistence_show() {
    let fixture = Fixture::started();
    let dir = fixture.path();
    qmgr(&["put", dir, QUEUE, "--priority", "1"], "low\n");
    qmgr(&["put", dir, QUEUE, "--priority", "8", "--nonpersistent"], "high\n");
    let output = stdout(&qmgr(&["browse", dir, QUEUE, "--json"], ""));
    let lines: Vec<serde_json::Value> =
        output.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines[0]["body"], "high");
    assert_eq!((lines[0]["priority"].as_u64(), lines[0]["persistent"].as_bool()), (Some(8), Some(false)));
    assert_eq!((lines[1]["priority"].as_u64(), lines[1]["persistent"].as_bool()), (Some(1), Some(true)));
    assert_eq!(lines[1]["message_id"].as_str().map(str::len), Some(48));
    assert!(lines[1]["put_time"].as_str().unwrap().ends_with('Z'));
    // What is not persistent does not survive.
    assert_eq!(qmgr(&["stop", dir], "").status.code(), Some(0));
    assert_eq!(qmgr(&["start", dir], "").status.code(), Some(0));
    assert_eq!(browse(dir), "low\n");
}

#[test]
fn units_of_recovery_are_counted_in_json() {
    let fixture = Fixture::started();
    let report = |options: &[&str]| {
        let mut all = vec!["put", fixture.path(), QUEUE, "--json"];
        all.extend(options);
        json(&qmgr(&all, "1\n2\n3\n4\n5\n"))
    };
    let single = report(&[]);
    assert_eq!((single["messages"].as_u64(), single["units"].as_u64()), (Some(5), Some(5)));
    assert_eq!(single["last_commit"].as_str().map(str::len), Some(16));
    let pairs = report(&["--commit-every", "2"]);
    assert_eq!((pairs["messages"].as_u64(), pairs["units"].as_u64()), (Some(5), Some(3)));
}

#[test]
fn a_held_unit_is_active_and_invisible_until_it_ends() {
    let fixture = Fixture::started();
    let dir = fixture.path();
    let putting = begin(&["put", dir, QUEUE, "--hold", "2s"], "a\nb\n");
    fixture.wait_for_units(1);
    assert_eq!(browse(dir), "");
    assert!(putting.wait_with_output().unwrap().status.success());
    assert_eq!(browse(dir), "a\nb\n");

    // A get that dies with its unit open has got nothing.
    let mut getting = begin(&["get", dir, QUEUE, "--hold", "60s"], "");
    fixture.wait_for_units(1);
    assert_eq!(browse(dir), "");
    getting.kill().unwrap();
    getting.wait().unwrap();
    fixture.wait_for_units(0);
    assert_eq!(browse(dir), "a\nb\n");
}

#[test]
fn the_last_unit_is_the_one_that_is_held() {
    let fixture = Fixture::started();
    let dir = fixture.path();
    let mut putting = begin(&["put", dir, QUEUE, "--hold", "60s", "--commit-every", "2"], "1\n2\n3\n4\n");
    fixture.wait_for_units(1);
    let started = Instant::now();
    while browse(dir) != "1\n2\n" {
        assert!(started.elapsed() < Duration::from_secs(20));
    }
    putting.kill().unwrap();
    putting.wait().unwrap();
    fixture.wait_for_units(0);
    assert_eq!(browse(dir), "1\n2\n");
}

#[test]
fn a_prepared_unit_stays_in_doubt() {
    let fixture = Fixture::started();
    let dir = fixture.path();
    let output = qmgr(&["put", dir, QUEUE, "--prepare", "XID1"], "a\n");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!((browse(dir).as_str(), fixture.units()), ("", 1));
}

#[test]
fn a_reader_that_goes_loses_nothing() {
    let fixture = Fixture::started();
    let dir = fixture.path();
    qmgr(&["put", dir, QUEUE], "a\nb\nc\n");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_qmgr"))
        .args(["get", dir, QUEUE])
        .stdout(writer)
        .output()
        .unwrap();
    assert_eq!((output.status.code(), stderr(&output)), (Some(0), String::new()));
    assert_eq!(browse(dir), "a\nb\nc\n");
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_qmgr"))
        .args(["get", dir, QUEUE])
        .stdout(full)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(8));
    assert_eq!(browse(dir), "a\nb\nc\n");
}

#[test]
fn an_unknown_queue_and_a_long_line_are_refused() {
    let fixture = Fixture::started();
    let dir = fixture.path();
    for command in ["put", "get", "browse"] {
        let output = qmgr(&[command, dir, "NO.SUCH.QUEUE"], "x\n");
        assert!(output.status.code() >= Some(8), "{command}");
        assert!(stderr(&output).contains("NO.SUCH.QUEUE"), "{command}: {}", stderr(&output));
    }
    let input = format!("fits\n{}\n", "x".repeat((4 << 20) + 1));
    let output = qmgr(&["put", dir, QUEUE], &input);
    assert_eq!(output.status.code(), Some(8), "{}", stderr(&output));
    assert!(stderr(&output).contains("HWT718E") && stderr(&output).contains("1 messages are committed"));
}

#[test]
fn a_load_is_audited() {
    let fixture = Fixture::started();
    let dir = fixture.path();
    let journal = format!("{dir}.journal");
    let output = qmgr(
        &[
            "load",
            dir,
            "--journal",
            &journal,
            "--messages",
            "300",
            "--connections",
            "3",
            "--message-size",
            "100",
            "--json",
        ],
        "",
    );
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    let load = json(&output);
    assert!(load["acknowledged_puts"].as_u64().unwrap() + load["acknowledged_gets"].as_u64().unwrap() >= 300);
    let output = qmgr(&["audit", dir, "--journal", &journal], "");
    assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
    assert!(stdout(&output).contains("HWT618I"));
    // A message taken behind the journal's back is missed.
    let queue = (0..8)
        .map(|n| format!("LOAD.{n}"))
        .find(|queue| qmgr(&["get", dir, queue, "--count", "1"], "").status.code() == Some(0));
    assert!(queue.is_some());
    let output = qmgr(&["audit", dir, "--journal", &journal, "--json"], "");
    assert_eq!((output.status.code(), json(&output)["lost"].as_u64()), (Some(8), Some(1)));
    let again = qmgr(&["load", dir, "--journal", &journal], "");
    assert_eq!(again.status.code(), Some(12));
}

#[test]
fn what_is_got_and_prepared_is_locked_until_it_is_resolved() {
    let fixture = Fixture::started();
    let dir = fixture.path();
    qmgr(&["put", dir, QUEUE], "a\nb\nc\n");
    let output = qmgr(&["get", dir, QUEUE, "--count", "2", "--prepare", "XID2"], "");
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), "a\nb\n"), "{}", stderr(&output));
    assert_eq!((browse(dir).as_str(), fixture.units()), ("c\n", 1));
    // The same without --prepare is committed.
    let output = qmgr(&["get", dir, QUEUE, "--count", "1"], "");
    assert_eq!((output.status.code(), stdout(&output).as_str()), (Some(0), "c\n"));
    assert_eq!((browse(dir).as_str(), fixture.units()), ("", 1));
    // A name is in doubt once; the second unit is backed out when its program ends.
    qmgr(&["put", dir, QUEUE], "d\n");
    let output = qmgr(&["get", dir, QUEUE, "--prepare", "XID2"], "");
    assert_eq!(output.status.code(), Some(12));
    assert!(stderr(&output).starts_with("HWT427E UNIT OF RECOVERY XID2 IS IN DOUBT ALREADY"));
    fixture.wait_for_units(1);
    assert_eq!(browse(dir), "d\n");
}
