//! The program from outside.

#[path = "../../console/testing/server.rs"]
mod server;

use std::process::Command;

use format_protocol::{Reply, Request};
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
        &["QM1", "--cancel-offload", "--mode", "quiesce"],
        &["QM1", "--wait"],
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

fn archives(server: &Server) -> usize {
    let names = std::fs::read_dir(server.path()).unwrap().map(|entry| entry.unwrap().file_name());
    names.filter(|name| name.to_string_lossy().starts_with("ARCHLOG1.A")).count()
}

#[test]
fn a_quiesce_waits_for_units_and_fails_when_they_outlast_it() {
    let server = Server::start();
    let (mut unit, mut other) = (server.client(), server.client());
    server.put(true, &mut unit);
    // At once, and without a quiesce, a unit under way is no obstacle.
    assert_eq!(server.run(ARCHLOG, &["--wait-offload"]).status.code(), Some(0));
    assert_eq!(archives(&server), 1);
    for (time, least) in [("1", 1), ("3", 3)] {
        let begun = std::time::Instant::now();
        let output = server.run(ARCHLOG, &["--mode", "quiesce", "--time", time, "--wait"]);
        assert_eq!(output.status.code(), Some(12), "{}", stdout(&output));
        let said = stderr(&output);
        assert!(said.starts_with("CSQJ317I QUIESCE PERIOD EXPIRED WITH 1 OUTSTANDING URS"), "{said}");
        assert!(begun.elapsed().as_secs() >= least, "{:?}", begun.elapsed());
    }
    assert_eq!(archives(&server), 1);
    // Work goes on, and the unit ends.
    server.put(false, &mut other);
    assert!(matches!(unit.call(&Request::Commit), Ok(Reply::Committed { .. })));
    let output = server.run(ARCHLOG, &["--mode", "quiesce", "--wait-offload"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(archives(&server), 2);
    let document = json(&server.run(ARCHLOG, &["--mode", "quiesce", "--wait", "--json"]));
    assert_eq!(document["log_end"].as_str().map(str::len), Some(16));
}

#[test]
fn without_wait_it_answers_at_once_and_a_second_one_is_refused() {
    let server = Server::start();
    let mut unit = server.client();
    server.put(true, &mut unit);
    let output = server.run(ARCHLOG, &["--mode", "quiesce", "--time", "600"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = stdout(&output);
    assert!(said.starts_with("CSQJ312I QM1 CSQJC001 ARCHIVE LOG QUIESCE STARTED FOR MAXIMUM OF 600 SECONDS"));
    for second in [&["--mode", "quiesce"][..], &["--mode", "quiesce", "--wait"], &["--wait-offload"]] {
        let output = server.run(ARCHLOG, second);
        assert_eq!(output.status.code(), Some(12), "{second:?}");
        assert!(stderr(&output).starts_with("CSQJ318I "), "{}", stderr(&output));
    }
    assert!(matches!(unit.call(&Request::Commit), Ok(Reply::Committed { .. })));
    let waited = std::time::Instant::now();
    while archives(&server) == 0 && waited.elapsed().as_secs() < 20 {
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    assert_eq!(archives(&server), 1);
    let document = json(&server.run(ARCHLOG, &["--mode", "quiesce", "--json"]));
    assert!(document["log_end"].is_null() && document["archived"] == false, "{document}");
}

#[test]
fn an_offload_is_cancelled_if_there_is_one() {
    let server = Server::start();
    let output = server.run(ARCHLOG, &["--cancel-offload"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = stdout(&output);
    assert!(said.starts_with("HWT446I QM1 CSQJC001 NO OFFLOAD IS UNDER WAY"), "{said}");
    assert!(said.ends_with("' ARCHIVE LOG' NORMAL COMPLETION\n"), "{said}");
    assert_eq!(archives(&server), 0);
}
