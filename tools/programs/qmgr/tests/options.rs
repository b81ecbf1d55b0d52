//! Options: two runs that differ in one of them differ in what it says.

mod queue_manager;

use std::path::Path;
use std::time::Duration;

use engine_queue_manager::client::Client;
use format_protocol::{Reply, Request};
use format_types::{Expand, UsageReport};
use queue_manager::{Fixture, begin, json, qmgr, stderr, stdout};

const QUEUE: &str = "SYSTEM.DEFAULT.LOCAL.QUEUE";

fn client(fixture: &Fixture) -> Client {
    Client::connect(Path::new(fixture.path()), "TEST", Duration::from_secs(20)).unwrap()
}

fn started(options: &[&str]) -> Fixture {
    let fixture = Fixture::with(options);
    let output = qmgr(&["start", fixture.path()], "");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    fixture
}

fn usage(fixture: &Fixture) -> UsageReport {
    match client(fixture).call(&Request::Usage) {
        Ok(Reply::Usage(usage)) => usage,
        other => panic!("{other:?}"),
    }
}

#[test]
fn sizes_growth_and_pool_are_those_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("QM1");
    let output =
        qmgr(&["create", path.to_str().unwrap(), "--page-set-size", "2MiB", "--log-size", "512KiB"], "");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let length = |file: &str| std::fs::metadata(path.join(file)).unwrap().len();
    assert_eq!((length("PSID01"), length("LOGCOPY1.DS01")), (2 << 20, 512 << 10));

    for (option, expand) in [("user", Expand::User), ("system", Expand::System), ("none", Expand::None)] {
        let fixture = started(&["--expand", option]);
        assert!(usage(&fixture).page_sets.iter().all(|set| set.expand == expand), "{option}");
    }
    // The fixture's own pool is 4 MiB.
    assert_eq!(usage(&started(&[])).buffer_pools[0].available, 1024);
}

#[test]
fn archives_are_single_or_dual() {
    for (option, second) in [("single", false), ("dual", true)] {
        let fixture = started(&["--archives", option]);
        let request = Request::ArchiveLog { quiesce: None, wait_offload: true, cancel_offload: false };
        assert!(matches!(client(&fixture).call(&request), Ok(Reply::LogArchived { .. })));
        let archive = |name: &str| Path::new(fixture.path()).join(name).exists();
        assert!(archive("ARCHLOG1.A0000001"));
        assert_eq!(archive("ARCHLOG2.A0000001"), second, "{option}");
    }
}

#[test]
fn log_load_decides_how_often_there_is_a_checkpoint() {
    let lines = "x\n".repeat(400);
    let checkpoints = |log_load: &str| {
        let fixture = started(&["--log-load", log_load]);
        assert_eq!(
            qmgr(&["put", fixture.path(), QUEUE, "--commit-every", "50"], &lines).status.code(),
            Some(0)
        );
        assert_eq!(qmgr(&["stop", fixture.path()], "").status.code(), Some(0));
        let console = std::fs::read_to_string(format!("{}/CONSOLE.LOG", fixture.path())).unwrap();
        console.lines().filter(|line| line.contains("CSQP018I")).count()
    };
    assert!(checkpoints("200") > checkpoints("16000000"));
}

#[test]
fn stop_waits_for_units_unless_forced_and_no_longer_than_told() {
    let fixture = Fixture::started();
    let dir = fixture.path();
    let mut putting = begin(&["put", dir, QUEUE, "--hold", "60s"], "a\n");
    fixture.wait_for_units(1);
    let output = qmgr(&["stop", dir, "--timeout", "300ms"], "");
    assert_eq!(output.status.code(), Some(16));
    assert!(stderr(&output).starts_with("HWT702E") && stderr(&output).contains("--mode force"));
    let output = qmgr(&["stop", dir, "--mode", "force"], "");
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("CSQI024I"));
    putting.kill().unwrap();
    putting.wait().unwrap();
    assert_eq!(qmgr(&["start", dir], "").status.code(), Some(0));
    assert_eq!(stdout(&qmgr(&["browse", dir, QUEUE], "")), "");
}

#[test]
fn a_load_does_what_its_options_say() {
    let fixture = Fixture::started();
    let dir = fixture.path();
    let run = |name: &str, options: &[&str]| {
        let journal = format!("{dir}.{name}");
        let mut all = vec!["load", dir, "--journal", &journal, "--json", "--message-size", "50"];
        all.extend(options);
        let output = qmgr(&all, "");
        assert_eq!(output.status.code(), Some(0), "{}{}", stdout(&output), stderr(&output));
        let text = std::fs::read_to_string(&journal).unwrap();
        (json(&output), text.lines().next().unwrap().to_owned())
    };
    let (report, header) = run(
        "one",
        &[
            "--messages",
            "40",
            "--queue-prefix",
            "P",
            "--queues",
            "2",
            "--connections",
            "2",
            "--seed",
            "7",
            "--get-percent",
            "0",
        ],
    );
    for part in ["seed=0000000000000007", "connections=2", "queues=P.0,P.1 "] {
        assert!(header.contains(part), "{part}: {header}");
    }
    assert_eq!(report["acknowledged_gets"], 0);
    assert_eq!(report["bytes"].as_u64().unwrap(), 50 * report["acknowledged_puts"].as_u64().unwrap());
    let (report, header) = run("two", &["--seconds", "1", "--keep", "0", "--get-percent", "80"]);
    assert!(header.contains("connections=8") && header.contains("queues=LOAD.0,"), "{header}");
    assert!(report["acknowledged_gets"].as_u64().unwrap() > 0);
    assert!(report["seconds"].as_f64().unwrap() >= 1.0);
}

#[test]
fn an_audit_leaves_out_what_committed_behind_the_rba_given() {
    let fixture = Fixture::started();
    let dir = fixture.path();
    let journal = format!("{dir}.journal");
    let load = [
        "load",
        dir,
        "--journal",
        &journal,
        "--messages",
        "50",
        "--connections",
        "1",
        "--message-size",
        "50",
    ];
    assert_eq!(qmgr(&load, "").status.code(), Some(0));
    let audit =
        |rba: &str| json(&qmgr(&["audit", dir, "--journal", &journal, "--to-rba", rba, "--json"], ""));
    assert_eq!(audit("FFFFFFFFFFFFFFFF")["beyond"], 0);
    assert!(audit("1")["beyond"].as_u64().unwrap() > 0);
}
