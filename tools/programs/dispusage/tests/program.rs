//! The program from outside.

#[path = "../../console/testing/server.rs"]
mod server;

use std::process::Command;

use server::{Server, json, stderr, stdout};

const DISPUSAGE: &str = env!("CARGO_BIN_EXE_dispusage");

#[test]
fn help_version_and_bad_options() {
    let run = |arguments: &[&str]| Command::new(DISPUSAGE).args(arguments).output().unwrap();
    for option in ["--help", "--version"] {
        let output = run(&[option]);
        assert_eq!(output.status.code(), Some(0), "{option}");
        assert!(stdout(&output).contains("dispusage") && output.stderr.is_empty());
    }
    for bad in [&[][..], &["--frob"], &["QM1", "--type", "smds"], &["QM1", "--psid", "100"]] {
        let output = run(bad);
        assert_eq!(output.status.code(), Some(12), "{bad:?}");
        assert!(stderr(&output).starts_with("HWT700E") && output.stdout.is_empty());
    }
    let output = run(&["QM1", "--type", "dataset", "--psid", "1"]);
    assert_eq!((output.status.code(), &stderr(&output)[..8]), (Some(12), "CSQI003I"));
    let output = run(&["/nonexistent"]);
    assert_eq!((output.status.code(), &stderr(&output)[..7]), (Some(12), "HWT413E"));
}

#[test]
fn a_full_device_is_noticed() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = Command::new(DISPUSAGE).arg("--version").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(8));
    assert!(stderr(&output).contains("HWT708E"));
}

#[test]
fn a_live_queue_manager_shows_all_parts_with_their_holders() {
    let server = Server::start();
    let mut client = server.client();
    server.put(true, &mut client);
    let output = server.run(DISPUSAGE, &[]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let text = stdout(&output);
    let mut rest = text.as_str();
    for part in [
        "CSQI010I QM1 Page set usage ...\n",
        " End of page set report\nCSQI065I QM1 ",
        "CSQI070I QM1 Data set usage ...\n",
        "LOGCOPY1.DS01\n",
        "CSQI024I QM1 CSQIDUSE Restart RBA for system as\nconfigured=",
        "CSQI025I QM1 CSQIDUSE Restart RBA including offline page sets=",
        "CSQ9022I QM1 CSQIDUSE ' DISPLAY USAGE' NORMAL COMPLETION\nSystem recovery RBA ",
        "\n  page sets ",
        "\n  structures ",
        "\n  units of recovery ",
        "in-flight",
    ] {
        rest = &rest[rest.find(part).unwrap_or_else(|| panic!("{part}: {text}")) + part.len()..];
    }
    let document = json(&server.run(DISPUSAGE, &["--json"]));
    assert_eq!(
        (document["queue_manager"].as_str(), document["source"].as_str()),
        (Some("QM1"), Some("live"))
    );
    assert_eq!(document["units"][0]["connection"], "TEST");
    assert!(document["page_sets"][0]["total_pages"].is_u64());
    for field in ["restart_rba", "restart_rba_with_offline", "system_recovery_rba", "log_end"] {
        assert_eq!(document[field].as_str().map(str::len), Some(16), "{field}");
    }
}

#[test]
fn type_and_psid_choose_parts() {
    let server = Server::start();
    let run = |arguments: &[&str]| stdout(&server.run(DISPUSAGE, arguments));
    let page_sets = run(&["--type", "pageset"]);
    assert!(page_sets.contains("CSQI010I") && !page_sets.contains("CSQI070I"));
    let data_sets = run(&["--type", "dataset"]);
    assert!(data_sets.contains("CSQI070I") && !data_sets.contains("CSQI010I"));
    assert_eq!(page_sets.lines().filter(|line| line.starts_with("_ ")).count(), 3 + 1);
    let one = run(&["--type", "pageset", "--psid", "2"]);
    assert!(one.contains("\n_  2 ") && !one.contains("\n_  1 "), "{one}");
    let output = server.run(DISPUSAGE, &["--psid", "77"]);
    assert_eq!((output.status.code(), &stderr(&output)[..7]), (Some(12), "HWT751E"));
}

#[test]
fn after_a_clean_stop_the_files_say_what_stop_said() {
    let mut server = Server::start();
    let mut client = server.client();
    for _ in 0..50 {
        server.put(false, &mut client);
    }
    drop(client);
    server.stop();
    let output = server.run(DISPUSAGE, &["--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let document = json(&output);
    assert_eq!(document["source"], "files");
    assert_eq!(document["units"].as_array().map(Vec::len), Some(0));
    // Nothing is left to be done: log is needed from the clean stop on.
    assert_eq!(document["system_recovery_rba"], document["log_end"]);
    assert_eq!(document["page_sets"][1]["recovery_rba"], document["log_end"]);
}
