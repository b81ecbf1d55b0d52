//! The program from outside.

#[path = "../../console/testing/server.rs"]
mod server;

use std::process::Command;

use server::{Server, json, stderr, stdout};

const ARCHLOG: &str = env!("CARGO_BIN_EXE_archlog");

#[test]
fn help_version_and_bad_options() {
    let run = |arguments: &[&str]| Command::new(ARCHLOG).args(arguments).output().unwrap();
    for option in ["--help", "--version"] {
        let output = run(&[option]);
        assert_eq!(output.status.code(), Some(0), "{option}");
        assert!(stdout(&output).contains("archlog") && output.stderr.is_empty());
    }
    for bad in [
        &[][..],
        &["--frob"],
        &["QM1", "--mode", "force"],
        &["QM1", "--time", "5"],
        &["QM1", "--mode", "quiesce", "--time", "1000"],
        &["QM1", "--cancel-offload", "--wait-offload"],
    ] {
        let output = run(bad);
        assert_eq!(output.status.code(), Some(12), "{bad:?}");
        assert!(stderr(&output).starts_with("HWT700E") && output.stdout.is_empty());
    }
    let output = run(&["/nonexistent"]);
    assert_eq!((output.status.code(), &stderr(&output)[..7]), (Some(12), "HWT413E"));
}

#[test]
fn a_full_device_is_noticed() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = Command::new(ARCHLOG).arg("--version").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(8));
    assert!(stderr(&output).contains("HWT708E"));
}

#[test]
fn the_log_is_switched_and_archived() {
    let server = Server::start();
    let mut client = server.client();
    server.put(false, &mut client);
    let output = server.run(ARCHLOG, &["--wait-offload"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).ends_with("' ARCHIVE LOG' NORMAL COMPLETION\n"), "{}", stdout(&output));
    assert!(server.path().join("ARCHLOG1.A0000001").exists());
    server.put(false, &mut client);
    let document = json(&server.run(ARCHLOG, &["--wait-offload", "--json"]));
    assert_eq!(
        (document["queue_manager"].as_str(), document["archived"].as_bool()),
        (Some("QM1"), Some(true))
    );
    assert_eq!(document["log_end"].as_str().map(str::len), Some(16));
    assert!(server.path().join("ARCHLOG1.A0000002").exists());
}
