//! The program from outside.

#[path = "../../console/testing/server.rs"]
mod server;

use std::io::Write;
use std::process::{Command, Output, Stdio};

use format_protocol::{Reply, Request};
use server::{Server, json, stderr, stdout};

const MQSC: &str = env!("CARGO_BIN_EXE_mqsc");

fn script(server: &Server, text: &str) -> Output {
    let mut child = Command::new(MQSC)
        .arg(server.path())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
    child.wait_with_output().unwrap()
}

#[test]
fn help_version_and_bad_options() {
    let run = |arguments: &[&str]| Command::new(MQSC).args(arguments).stdin(Stdio::null()).output().unwrap();
    for option in ["--help", "--version"] {
        let output = run(&[option]);
        assert_eq!(output.status.code(), Some(0), "{option}");
        assert!(stdout(&output).contains("mqsc") && output.stderr.is_empty());
    }
    for bad in [&[][..], &["--frob"], &["QM1", "DIS LOG", "--timeout", "soon"]] {
        let output = run(bad);
        assert_eq!(output.status.code(), Some(12), "{bad:?}");
        assert!(stderr(&output).starts_with("HWT700E") && output.stdout.is_empty());
    }
    let output = run(&["/nonexistent", "DIS LOG"]);
    assert_eq!(output.status.code(), Some(12));
    assert!(stderr(&output).starts_with("HWT413E"), "{}", stderr(&output));
}

#[test]
fn a_full_device_is_noticed() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let output = Command::new(MQSC).arg("--help").stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(8));
    assert!(stderr(&output).contains("HWT708E"));
}

#[test]
fn statements_are_checked_without_a_queue_manager() {
    let check = |statement: &str| Command::new(MQSC).args(["QM1", "--check", statement]).output().unwrap();
    assert_eq!(check("DEF QL(A) MAXDEPTH(5)").status.code(), Some(0));
    let output = check("DEF QL(A) +\nMAXDEPTH(x)");
    assert_eq!(output.status.code(), Some(12));
    let expected = "CSQ9015E Parameter 'X' is unacceptable for 'MAXDEPTH': a number from 0 to 999999999 is wanted \
                    (argument line 2, column 10)\n";
    assert_eq!(stderr(&output), expected);
}

#[test]
fn defines_displays_alters_deletes() {
    let server = Server::start();
    let output = server.run(MQSC, &["define qlocal(app.orders) descr('Orders') maxdepth(5000)"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_eq!(stdout(&output), "CSQ9022I QM1 CSQMAQLC ' DEFINE QLOCAL' NORMAL COMPLETION\n");
    let output = server.run(MQSC, &["dis ql(APP.*) DESCR MAXDEPTH"]);
    let text = stdout(&output);
    assert!(text.contains("\nDESCR(Orders)\nMAXDEPTH(5000)\n") && !text.contains("MAXMSGL"), "{text}");
    assert!(text.starts_with("CSQM293I QM1 "), "{text}");
    let output = server
        .run(MQSC, &["alter ql(app.orders) maxdepth(7)", "dis ql(app.orders)", "delete ql(app.orders)"]);
    assert_eq!(output.status.code(), Some(0), "{}", stdout(&output));
    assert!(stdout(&output).contains("MAXDEPTH(7)"));
    let output = server.run(MQSC, &["dis ql(app.orders)"]);
    assert!(stdout(&output).contains("CSQM297I"), "{}", stdout(&output));
}

#[test]
fn a_script_goes_on_behind_an_error_and_says_where_it_was() {
    let server = Server::start();
    let output = script(&server, "* two queues\nDEF QL(A) +\n   REPLACE\nFROB QL(B)\nDIS LOG; DIS QMGR\n");
    assert_eq!(output.status.code(), Some(8), "{}", stderr(&output));
    assert_eq!(stderr(&output), "CSQ9019E 'FROB' command is invalid (line 4, column 1)\n");
    let text = stdout(&output);
    for part in ["' DEFINE QLOCAL' NORMAL", "CSQJ370I QM1 LOG status report ...", "QMNAME(QM1)"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(script(&server, "* nothing\n").status.code(), Some(0));
}

#[test]
fn json_is_one_document() {
    let server = Server::start();
    let document = json(&server.run(MQSC, &["--json", "DIS LOG", "FROB"]));
    assert_eq!(document["condition_code"], 8);
    assert_eq!(document["statements"][0]["statement"], "DIS LOG");
    assert_eq!(document["statements"][0]["condition_code"], 0);
    assert_eq!(document["statements"][1]["condition_code"], 12);
    assert!(document["statements"][0]["lines"][0].as_str().unwrap().starts_with("CSQJ"));
}

#[test]
fn displays_usage_and_connections() {
    let server = Server::start();
    let mut client = server.client();
    server.put(true, &mut client);
    let text =
        stdout(&server.run(MQSC, &["DIS USAGE TYPE(ALL)", "DIS CONN(*) ALL WHERE(UOWSTATE EQ ACTIVE)"]));
    for part in
        ["CSQI010I QM1", "CSQI065I QM1", "CSQI070I QM1", "CSQI024I QM1", "APPLTAG(TEST)", "UOWSTATE(ACTIVE)"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
}

#[test]
fn units_in_doubt_are_shown_and_resolved() {
    let server = Server::start();
    let mut client = server.client();
    server.put(true, &mut client);
    assert!(matches!(client.call(&Request::Prepare { xid: b"pay.7".to_vec() }), Ok(Reply::Prepared)));
    let text = stdout(&server.run(MQSC, &["DIS CONN(*) APPLTAG NID WHERE(UOWSTATE EQ UNRESOLVED)"]));
    for part in ["CSQM293I QM1 CSQMDRTC 1 CONN FOUND", "\nAPPLTAG(TEST)\n", "\nNID(pay.7)\n"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    let depth = |server: &Server| stdout(&server.run(MQSC, &["DIS QL(SYSTEM.DEFAULT.LOCAL.QUEUE) CURDEPTH"]));
    // Each part of the command decides what it does.
    for (statement, code, said) in [
        ("RESOLVE INDOUBT(OTHER) ACTION(BACKOUT) NID(*)", 8, "CSQV412I"),
        ("RESOLVE INDOUBT(TEST) ACTION(BACKOUT) NID(PAY.8)", 8, "CSQV417I"),
        (
            "RESOLVE INDOUBT(TEST) ACTION(BACKOUT) NID(PAY.7)",
            0,
            "CSQV415I QM1 CSQVRRID THREAD NID=pay.7 BACKOUT",
        ),
        ("RESOLVE INDOUBT(TEST) ACTION(BACKOUT) NID(*)", 8, "CSQV412I"),
    ] {
        let output = server.run(MQSC, &[statement]);
        assert_eq!(output.status.code(), Some(code), "{statement}: {}", stdout(&output));
        assert!(stdout(&output).starts_with(said), "{statement}: {}", stdout(&output));
    }
    assert!(depth(&server).contains("CURDEPTH(0)"));
    server.put(true, &mut client);
    assert!(matches!(client.call(&Request::Prepare { xid: b"X".to_vec() }), Ok(Reply::Prepared)));
    let output = server.run(MQSC, &["RES IND(TEST) ACTION(COMMIT) NID(*)", "DIS THREAD(*) TYPE(INDOUBT)"]);
    assert_eq!(output.status.code(), Some(0));
    let text = stdout(&output);
    assert!(text.contains("THREAD NID=X COMMIT SCHEDULED") && text.contains("CSQV420I"), "{text}");
    assert!(depth(&server).contains("CURDEPTH(1)"));
}

#[test]
fn page_sets_are_defined_started_and_closed() {
    let server = Server::start();
    let run = |statement: &str, code: i32, said: &str| {
        let output = server.run(MQSC, &[statement]);
        assert_eq!(output.status.code(), Some(code), "{statement}: {}", stdout(&output));
        assert!(stdout(&output).contains(said), "{statement}: {}", stdout(&output));
    };
    run("DEFINE PSID(7) PAGES(64)", 0, "' DEFINE PSID' NORMAL COMPLETION");
    run("DEFINE PSID(7) PAGES(64)", 8, "CSQP041E");
    run("DISPLAY PSID(7)", 0, "STATUS(ONLINE)");
    run("START PSID(7)", 8, "HWT447E QM1 CSQPALTR PSID(07) IS ONLINE");
    run("START PSID(8)", 8, "CSQP042E");
    run("DELETE PSID(7)", 0, "' DELETE PSID' NORMAL COMPLETION");
    run("DISPLAY PSID(7)", 0, "CSQM297I");
}
