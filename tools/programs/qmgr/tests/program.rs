//! The program from outside.

mod queue_manager;

use queue_manager::{Fixture, json, qmgr, stderr, stdout};

#[test]
fn help_version_and_bad_options() {
    for option in ["--help", "--version"] {
        let output = qmgr(&[option], "");
        assert_eq!(output.status.code(), Some(0), "{option}");
        assert!(stdout(&output).contains("qmgr") && output.stderr.is_empty(), "{option}");
    }
    for bad in [
        &["--frob"][..],
        &[],
        &["frob"],
        &["create"],
        &["put", "QM1"],
        &["put", "QM1", "A B"],
        &["put", "QM1", "Q", "--priority", "10"],
        &["put", "QM1", "Q", "--commit-every", "0"],
        &["put", "QM1", "Q", "--hold", "1", "--prepare", "X"],
        &["get", "QM1", "Q", "--hold", "1", "--prepare", "X"],
        &["create", "QM1", "--page-set-size", "1.5MiB"],
        &["create", "TOOLONG"],
        &["stop", "QM1", "--mode", "restart"],
        &["status", "QM1", "--fail-on", "16"],
        &["audit", "QM1"],
    ] {
        let output = qmgr(bad, "");
        assert_eq!(output.status.code(), Some(12), "{bad:?}");
        assert!(stderr(&output).starts_with("HWT7") && output.stdout.is_empty(), "{bad:?}");
    }
}

#[test]
fn acknowledged_lines_are_no_document() {
    let output = qmgr(&["put", "QM1", "Q", "--acknowledge", "--json"], "");
    assert_eq!((output.status.code(), json(&output)["id"].as_str()), (Some(12), Some("HWT700E")));
}

#[test]
fn a_full_device_is_noticed() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output =
        std::process::Command::new(env!("CARGO_BIN_EXE_qmgr")).arg("--help").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(8));
    assert!(stderr(&output).contains("HWT708E"));
}

#[test]
fn nothing_is_made_or_started_where_it_should_not_be() {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path().to_str().unwrap();
    for command in ["start", "stop", "status"] {
        let output = qmgr(&[command, &format!("{here}/NONE")], "");
        assert_eq!(output.status.code(), Some(12), "{command}");
        assert!(stderr(&output).starts_with("HWT413E"), "{command}: {}", stderr(&output));
    }
    // A directory without a queue manager stays as it is.
    let output = qmgr(&["start", here], "");
    assert_eq!((output.status.code(), std::fs::read_dir(here).unwrap().count()), (Some(12), 0));
    std::fs::write(dir.path().join("something"), "x").unwrap();
    let output = qmgr(&["create", here, "--name", "QM1"], "");
    assert_eq!(output.status.code(), Some(12));
    assert!(stderr(&output).starts_with("HWT411E"), "{}", stderr(&output));
}

#[test]
fn create_options_show_in_what_is_made() {
    let dir = tempfile::tempdir().unwrap();
    let make = |name: &str, options: &[&str]| {
        let path = dir.path().join(name);
        let mut all =
            vec!["create", path.to_str().unwrap(), "--page-set-size", "1MiB", "--log-size", "1MiB", "--json"];
        all.extend(options);
        let output = qmgr(&all, "");
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        let mut files: Vec<String> = std::fs::read_dir(&path)
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .filter(|file| file != "LOCK")
            .collect();
        files.sort();
        (json(&output), files)
    };
    let (plain, files) = make("QM1", &[]);
    assert_eq!((plain["queue_manager"].as_str(), plain["page_sets"].as_u64()), (Some("QM1"), Some(4)));
    assert_eq!(plain["id"].as_str().map(str::len), Some(16));
    assert!(files.contains(&"LOGCOPY1.DS03".to_owned()) && !files.contains(&"LOGCOPY2.DS01".to_owned()));
    let (other, files) =
        make("QM2", &["--name", "OTHR", "--page-sets", "2", "--logs", "dual", "--active-logs", "5"]);
    assert_eq!(other["queue_manager"], "OTHR");
    assert!(files.contains(&"LOGCOPY2.DS05".to_owned()) && files.contains(&"PSID01".to_owned()));
    assert!(!files.contains(&"PSID02".to_owned()));
    assert_ne!(plain["id"], other["id"]);
}

#[test]
fn starts_and_stops_and_says_so() {
    let fixture = Fixture::created();
    let dir = fixture.path();
    let output = qmgr(&["status", dir], "");
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert!(stdout(&output).contains("STATUS(ENDED"), "{}", stdout(&output));
    let output = qmgr(&["put", dir, "Q"], "x\n");
    assert_eq!(output.status.code(), Some(12));
    assert!(stderr(&output).starts_with("HWT701E"), "{}", stderr(&output));

    let output = qmgr(&["start", dir], "");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("CSQR002I"), "{}", stdout(&output));
    assert!(stdout(&output).ends_with("CSQ9022I QM1 CSQYASCP ' START QMGR' NORMAL COMPLETION\n"));
    let again = qmgr(&["start", dir], "");
    assert_eq!(again.status.code(), Some(12));
    assert!(stderr(&again).starts_with("HWT412E"), "{}", stderr(&again));
    let status = json(&qmgr(&["status", dir, "--json"], ""));
    assert_eq!((status["queue_manager"].as_str(), status["state"].as_str()), (Some("QM1"), Some("RUNNING")));
    assert!(status["started"].as_str().unwrap().ends_with('Z') && status["pid"].is_u64());
    assert_eq!(status["log_end"].as_str().map(str::len), Some(16));

    let output = qmgr(&["stop", dir], "");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    for id in ["CSQI024I", "CSQI025I", "' STOP QMGR' NORMAL COMPLETION"] {
        assert!(stdout(&output).contains(id), "{id}: {}", stdout(&output));
    }
    let output = qmgr(&["status", dir], "");
    assert!(stdout(&output).contains("STATUS(ENDED NORMALLY)"), "{}", stdout(&output));
    assert_eq!(qmgr(&["status", dir, "--fail-on", "8"], "").status.code(), Some(0));
    let log = std::fs::read_to_string(format!("{dir}/CONSOLE.LOG")).unwrap();
    assert!(log.lines().any(|line| line.contains("Z CSQR001I")), "{log}");
}

#[test]
fn a_foreground_queue_manager_ends_on_sigterm_and_says_what_its_console_says() {
    let fixture = Fixture::created();
    let mut child = std::process::Command::new(env!("CARGO_BIN_EXE_qmgr"))
        .args(["start", fixture.path(), "--foreground"])
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    fixture.wait_until_running();
    let pid = i32::try_from(child.id()).unwrap();
    rustix::process::kill_process(
        rustix::process::Pid::from_raw(pid).unwrap(),
        rustix::process::Signal::TERM,
    )
    .unwrap();
    let mut said = String::new();
    std::io::Read::read_to_string(&mut child.stdout.take().unwrap(), &mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(0));
    assert!(said.contains("CSQR001I") && said.contains("CSQI024I"), "{said}");
}

#[test]
fn a_killed_queue_manager_is_seen_as_such_and_starts_again() {
    let fixture = Fixture::started();
    let dir = fixture.path();
    assert_eq!(qmgr(&["put", dir, "SYSTEM.DEFAULT.LOCAL.QUEUE"], "kept\n").status.code(), Some(0));
    let pid = json(&qmgr(&["status", dir, "--json"], ""))["pid"].as_i64().unwrap();
    let pid = rustix::process::Pid::from_raw(i32::try_from(pid).unwrap()).unwrap();
    rustix::process::kill_process(pid, rustix::process::Signal::KILL).unwrap();
    let gone = std::time::Instant::now();
    while rustix::process::test_kill_process(pid).is_ok() && gone.elapsed().as_secs() < 5 {
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let output = qmgr(&["status", dir], "");
    assert_eq!(output.status.code(), Some(4), "{}", stderr(&output));
    assert!(stdout(&output).contains("STATUS(ENDED UNEXPECTEDLY)"), "{}", stdout(&output));
    assert_eq!(qmgr(&["start", dir], "").status.code(), Some(0));
    assert_eq!(stdout(&qmgr(&["browse", dir, "SYSTEM.DEFAULT.LOCAL.QUEUE"], "")), "kept\n");
}

#[test]
fn damage_is_told_by_the_one_who_starts() {
    let fixture = Fixture::created();
    for copy in ["BSDS01", "BSDS02"] {
        let path = format!("{}/{copy}", fixture.path());
        let length = std::fs::metadata(&path).unwrap().len();
        std::fs::write(&path, vec![0xAA; usize::try_from(length).unwrap()]).unwrap();
    }
    let output = qmgr(&["start", fixture.path(), "--json"], "");
    assert_eq!(output.status.code(), Some(12), "{}", stderr(&output));
    assert!(stderr(&output).starts_with("HWT2"), "{}", stderr(&output));
    let document = json(&output);
    assert_eq!(document["condition_code"], 12);
    assert!(document["id"].as_str().unwrap().starts_with("HWT2"));
}
