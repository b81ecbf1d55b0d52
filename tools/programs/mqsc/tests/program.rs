//! The program from outside.

#[path = "../../console/testing/server.rs"]
mod server;

use std::io::{Read, Write};
use std::os::unix::net::UnixListener;
use std::process::{Command, Output, Stdio};

use engine_queue_manager::files;
use format_protocol::{FRAME_HEADER, Reply, Request, VERSION, frame_length};
use format_types::{ConditionCode, QueueManagerId};
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
        ("RESOLVE INDOUBT(OTHER) ACTION(BACKOUT) NID(*)", 12, "CSQV412I"),
        ("RESOLVE INDOUBT(TEST) ACTION(BACKOUT) NID(PAY.8)", 12, "CSQV417I"),
        (
            "RESOLVE INDOUBT(TEST) ACTION(BACKOUT) NID(PAY.7)",
            0,
            "CSQV415I QM1 CSQVRRID THREAD NID=pay.7 BACKOUT",
        ),
        ("RESOLVE INDOUBT(TEST) ACTION(BACKOUT) NID(*)", 12, "CSQV412I"),
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
    run("DEFINE PSID(7) PAGES(64)", 12, "CSQP041E");
    run("DISPLAY PSID(7)", 0, "STATUS(ONLINE)");
    run("START PSID(7)", 12, "HWT447E QM1 CSQPALTR PSID(07) IS ONLINE");
    run("START PSID(8)", 12, "CSQP042E");
    run("DELETE PSID(7)", 0, "' DELETE PSID' NORMAL COMPLETION");
    run("DISPLAY PSID(7)", 0, "CSQM297I");
}

/// What a queue manager answers.
enum Says {
    Lines(ConditionCode),
    Refuses(ConditionCode),
    /// It is gone instead.
    Nothing,
}

/// Runs commands against a queue manager that answers so: exit code, standard error, document.
fn against(answers: &[Says], commands: &[&str]) -> (i32, String, serde_json::Value) {
    let run = |json: bool| {
        let dir = tempfile::tempdir().unwrap();
        let listener = UnixListener::bind(dir.path().join(files::SOCKET)).unwrap();
        let replies: Vec<Option<Reply>> = answers
            .iter()
            .map(|says| match says {
                Says::Lines(code) => Some(Reply::Lines { code: *code, lines: vec![format!("said {code}")] }),
                Says::Refuses(code) => {
                    Some(Reply::Error { code: *code, id: "HWT434E".to_owned(), text: "NO LOG".to_owned() })
                }
                Says::Nothing => None,
            })
            .collect();
        let queue_manager = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().unwrap();
            let name = "QM1".parse().unwrap();
            let hello = Reply::Hello { name, id: QueueManagerId(7), version: VERSION };
            for reply in std::iter::once(Some(hello)).chain(replies) {
                let mut header = [0; FRAME_HEADER];
                if stream.read_exact(&mut header).is_err() {
                    return;
                }
                let mut frame = vec![0; frame_length(header).unwrap()];
                stream.read_exact(&mut frame).unwrap();
                let Some(reply) = reply else { return };
                stream.write_all(&reply.encode().unwrap()).unwrap();
            }
        });
        let mut command = Command::new(MQSC);
        command.arg(dir.path()).args(commands).args(json.then_some("--json")).stdin(Stdio::null());
        let output = command.output().unwrap();
        queue_manager.join().unwrap();
        output
    };
    let (plain, document) = (run(false), run(true));
    assert_eq!(plain.status.code(), document.status.code());
    let document = json(&document);
    assert_eq!(document["condition_code"], plain.status.code().unwrap());
    (plain.status.code().unwrap(), stderr(&plain), document)
}

#[test]
fn the_code_says_whether_all_was_done_or_a_part_or_nothing() {
    use ConditionCode::{Done, Partial, Refused, Warning};
    use Says::{Lines, Refuses};
    for (answers, code) in [
        (vec![Lines(Done), Lines(Done)], 0),
        (vec![Lines(Done), Lines(Warning)], 4),
        (vec![Lines(Warning), Lines(Partial)], 8),
        (vec![Lines(Done), Refuses(Refused)], 8),
        // Whoever is refused does not keep the next one from being done.
        (vec![Refuses(Refused), Lines(Done)], 8),
        (vec![Lines(Refused), Lines(Done)], 8),
        (vec![Lines(Partial), Lines(Partial)], 12),
        (vec![Refuses(Refused), Lines(Partial)], 12),
    ] {
        let (found, said, document) = against(&answers, &["DIS LOG", "DIS QMGR"]);
        assert_eq!(found, code, "{said} {document}");
        assert_eq!(document["statements"].as_array().unwrap().len(), 2, "{document}");
        assert!(document.get("failure").is_none());
    }
}

#[test]
fn a_queue_manager_that_goes_halfway_leaves_said_what_was_done() {
    use Says::{Lines, Nothing, Refuses};
    let commands = ["DIS LOG", "FROB", "DIS QMGR", "DIS THREAD(*)", "DIS USAGE"];
    let answers = vec![Lines(ConditionCode::Done), Nothing];
    let (code, said, document) = against(&answers, &commands);
    assert_eq!(code, 16);
    let counted =
        "1 of 5 commands were done before; DIS QMGR may have been done or not; 2 behind it were not sent";
    assert!(said.contains("HWT703E") && said.contains(counted), "{said}");
    assert_eq!(document["statements"].as_array().unwrap().len(), 2, "{document}");
    assert_eq!(document["unanswered"], "DIS QMGR");
    assert_eq!(document["not_sent"], serde_json::json!(["DIS THREAD(*)", "DIS USAGE"]));
    assert_eq!(document["failure"]["id"], "HWT703E");
    assert_eq!(document["failure"]["condition_code"], 16);
    // One that has ended says so: what it refused is known not to be done.
    let answers = vec![Lines(ConditionCode::Done), Refuses(ConditionCode::Severe)];
    let (code, said, _) = against(&answers, &["DIS LOG", "DIS QMGR"]);
    assert_eq!(code, 16);
    assert!(said.contains("1 of 2 commands were done before; DIS QMGR was not done; 0 behind"), "{said}");
}
