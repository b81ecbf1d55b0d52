//! The program from outside.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Output};

fn highwater(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_highwater")).args(arguments).output().unwrap()
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

#[test]
fn lists_the_tools() {
    let listing = highwater(&[]);
    assert_eq!(listing.status.code(), Some(0));
    assert!(text(&listing.stdout).contains("dispusage  show page set usage"));
    let json: serde_json::Value = serde_json::from_slice(&highwater(&["--json"]).stdout).unwrap();
    assert_eq!(json["tools"][0]["name"], "qmgr");
}

#[test]
fn help_version_and_bad_input() {
    for option in ["--help", "--version"] {
        let output = highwater(&[option]);
        assert_eq!(output.status.code(), Some(0), "{option}");
        assert!(text(&output.stdout).contains("highwater") && output.stderr.is_empty());
    }
    for bad in [&["frob"][..], &["--frob"], &["../sh"], &["--timeout", "x"]] {
        let output = highwater(bad);
        assert_eq!(output.status.code(), Some(12), "{bad:?}");
        assert!(text(&output.stderr).starts_with("HWT7") && output.stdout.is_empty(), "{bad:?}");
    }
}

#[test]
fn a_full_device_is_noticed() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_highwater")).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(8));
    assert!(text(&output.stderr).contains("HWT708E"));
}

#[test]
fn runs_the_program_beside_it_with_its_arguments_and_code() {
    let dir = tempfile::tempdir().unwrap();
    let own = dir.path().join("highwater");
    std::fs::copy(env!("CARGO_BIN_EXE_highwater"), &own).unwrap();
    // Another test's child may hold the freshly written file open for a moment: the kernel then says that it is busy.
    let run = |path: &Path| loop {
        match Command::new(path).args(["repro", "--json", "a b"]).output() {
            Err(error) if error.kind() == std::io::ErrorKind::ExecutableFileBusy => {}
            Ok(output) if text(&output.stderr).contains("Text file busy") => {}
            outcome => break outcome.unwrap(),
        }
        std::thread::sleep(std::time::Duration::from_millis(5));
    };
    let missing = run(&own);
    assert_eq!(missing.status.code(), Some(12));
    assert!(text(&missing.stderr).contains("HWT732E"));
    let tool = dir.path().join("repro");
    std::fs::write(&tool, "#!/bin/sh\necho \"$1,$2\"\nexit 8\n").unwrap();
    std::fs::set_permissions(&tool, std::fs::Permissions::from_mode(0o755)).unwrap();
    let output = run(&own);
    assert_eq!((output.status.code(), text(&output.stdout).as_str()), (Some(8), "--json,a b\n"));
}
