//! recpoint create --emit jcl: the job, looked at by a reader of its own.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};

struct Said {
    code: i32,
    out: String,
    err: String,
}

fn create(arguments: &[&str]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_recpoint"));
    let output = command.arg("create").args(arguments).stdin(Stdio::null()).output().unwrap();
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

/// A statement, its continuations joined, with the data behind it.
#[derive(Debug)]
struct Card {
    name: String,
    operation: String,
    operands: String,
    data: Vec<String>,
}

/// What JES would see: `//NAME OPERATION OPERANDS`, going on behind a comma in columns 4 to 16; data behind `DD *` up to `/*`.
fn cards(job: &str) -> Vec<Card> {
    let mut cards: Vec<Card> = Vec::new();
    let mut lines = job.lines().peekable();
    while let Some(line) = lines.next() {
        assert!(line.is_ascii() && line.len() <= 71, "{} columns: {line}", line.len());
        assert!(line.starts_with("//") && line != "//", "{line}");
        if line.starts_with("//*") {
            continue;
        }
        let (name, rest) = line[2..].split_once(' ').unwrap();
        assert!(name.len() <= 8, "{line}");
        let mut words = rest.split_whitespace();
        let operation = words.next().unwrap().to_owned();
        let mut operands = words.next().unwrap_or_default().to_owned();
        assert_eq!(words.next(), None, "{line}");
        while operands.ends_with(',') {
            let more = lines.next().expect("a statement that goes on");
            assert!(more.len() <= 71, "{more}");
            let text = more.strip_prefix("//").expect(more).trim_start();
            let column = more.len() - text.len() + 1;
            assert!((4..=16).contains(&column) && !text.contains(' '), "column {column}: {more}");
            operands.push_str(text);
        }
        let mut data = Vec::new();
        if operation == "DD" && operands == "*" {
            loop {
                let line = lines.next().expect("the end of data");
                if line == "/*" {
                    break;
                }
                assert!(line.starts_with(' ') && line.len() <= 71, "{line}");
                data.push(line.trim().to_owned());
            }
        }
        cards.push(Card { name: name.to_owned(), operation, operands, data });
    }
    cards
}

#[derive(Debug)]
struct Step {
    name: String,
    operands: String,
    files: BTreeMap<String, Vec<String>>,
    data: BTreeMap<String, Vec<String>>,
}

fn steps(job: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    let mut last = String::new();
    for card in cards(job) {
        match card.operation.as_str() {
            "JOB" => assert!(steps.is_empty()),
            "EXEC" => steps.push(Step {
                name: card.name,
                operands: card.operands,
                files: BTreeMap::new(),
                data: BTreeMap::new(),
            }),
            "DD" => {
                let step = steps.last_mut().unwrap();
                if !card.name.is_empty() {
                    last.clone_from(&card.name);
                    assert!(!step.files.contains_key(&last), "{last} twice");
                }
                step.files.entry(last.clone()).or_default().push(card.operands);
                step.data.entry(last.clone()).or_default().extend(card.data);
            }
            other => panic!("{other}"),
        }
    }
    steps
}

const LONG: &str = "A2345678.B2345678.C2345678.D2345678.PSID01";

fn arguments<'a>(more: &[&'a str]) -> Vec<&'a str> {
    let base = [
        "--emit",
        "jcl",
        "--queue-manager",
        "MQ1",
        "--page-set",
        "1=A2345678.B2345678.C2345678.D2345678.PSID01",
        "--copy",
        "1=A2345678.B2345678.C2345678.D2345678",
        "--page-set",
        "0=MQ1.PSID00",
        "--copy",
        "0=MQ1.BACKUP.PSID00",
    ];
    [&base[..], more].concat()
}

const ROOM: [&str; 4] = ["--space", "CYL,100,50", "--unit", "SYSDA"];

fn is_copied(step: &Step, number: &str, disposition: &str, data_set: &str, copy: &str) {
    assert_eq!(step.name, format!("COPY{number}"));
    assert_eq!(step.operands, "PGM=IDCAMS,COND=(0,NE)");
    let from = &step.files[&format!("PSID{number}")];
    assert_eq!(from, &[format!("DISP={disposition},DSN={data_set}")]);
    let to = &step.files[&format!("OUT{number}")][0];
    let wanted = format!("DISP=(NEW,CATLG,DELETE),DSN={copy}(+1),RECFM=F,LRECL=4096,BLKSIZE=4096,");
    assert!(to.starts_with(&wanted), "{to}");
    assert_eq!(step.data["SYSIN"], [format!("REPRO INFILE(PSID{number}) OUTFILE(OUT{number})")]);
}

fn is_listed(step: &Step, number: &str, data_set: &str, copies: &str) {
    assert_eq!((step.name.clone(), &*step.operands), (format!("LIST{number}"), "PGM=IDCAMS,COND=(0,NE)"));
    let wanted = [data_set, copies].map(|name| format!("LISTCAT ENTRIES({name}) ALL"));
    assert_eq!(step.data["SYSIN"], wanted);
}

#[test]
fn a_fuzzy_backup_displays_the_usage_first_and_archives_last() {
    let more = [&ROOM[..], &["--steplib", "MQM.SCSQANLE", "--steplib", "MQM.SCSQAUTH"]].concat();
    let said = create(&arguments(&more));
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let steps = steps(&said.out);
    assert_eq!(steps.len(), 6, "{}", said.out);
    assert_eq!((&*steps[0].name, &*steps[0].operands), ("USAGE", "PGM=CSQUTIL,PARM='MQ1'"));
    assert_eq!(steps[0].files["STEPLIB"], ["DISP=SHR,DSN=MQM.SCSQANLE", "DISP=SHR,DSN=MQM.SCSQAUTH"]);
    assert_eq!(steps[0].data["COMMANDS"], ["DISPLAY USAGE TYPE(ALL)"]);
    is_copied(&steps[1], "00", "SHR", "MQ1.PSID00", "MQ1.BACKUP.PSID00");
    assert!(steps[1].files["OUT00"][0].ends_with(",UNIT=SYSDA,SPACE=(CYL,(100,50),RLSE)"));
    is_listed(&steps[2], "00", "MQ1.PSID00", "MQ1.BACKUP.PSID00");
    let base = "A2345678.B2345678.C2345678.D2345678";
    is_copied(&steps[3], "01", "SHR", LONG, base);
    is_listed(&steps[4], "01", LONG, base);
    assert_eq!((&*steps[5].name, &*steps[5].operands), ("ARCHIVE", "PGM=CSQUTIL,PARM='MQ1',COND=(0,NE)"));
    assert_eq!(steps[5].data["COMMANDS"], ["ARCHIVE LOG", "DISPLAY LOG"]);
    for step in [&steps[0], &steps[5]] {
        assert_eq!(step.data["SYSIN"], ["COMMAND DDNAME(COMMANDS) FAILURE(STOP)"]);
    }
    assert!(steps.iter().all(|step| step.files["SYSPRINT"] == ["SYSOUT=*"]));
}

#[test]
fn a_full_backup_has_the_log_map_on_both_sides_and_keeps_the_queue_manager_out() {
    let more = ["--method", "full", "--like", "MQ1.MODEL", "--bsds1", "MQ1.BSDS01"];
    let said = create(&arguments(&more));
    assert_eq!((said.code, said.err.as_str()), (0, ""));
    let steps = steps(&said.out);
    assert_eq!(steps.len(), 6, "{}", said.out);
    assert_eq!((&*steps[0].name, &*steps[0].operands), ("MAPBEFOR", "PGM=CSQJU004"));
    assert_eq!((&*steps[5].name, &*steps[5].operands), ("MAPAFTER", "PGM=CSQJU004,COND=(0,NE)"));
    for step in [&steps[0], &steps[5]] {
        assert_eq!(step.files["SYSUT1"], ["DISP=SHR,DSN=MQ1.BSDS01"]);
    }
    is_copied(&steps[1], "00", "OLD", "MQ1.PSID00", "MQ1.BACKUP.PSID00");
    assert!(steps[1].files["OUT00"][0].ends_with(",LIKE=MQ1.MODEL"));
    is_copied(&steps[3], "01", "OLD", LONG, "A2345678.B2345678.C2345678.D2345678");
    for said_before in ["DISPLAY USAGE TYPE(ALL)", "ARCHIVE LOG", "STOP QMGR MODE(QUIESCE)"] {
        assert!(said.out.lines().any(|line| line.starts_with("//*") && line.contains(said_before)));
    }
    assert!(!said.out.contains("CSQUTIL"), "no command server answers a queue manager that is down");
}

#[test]
fn a_job_begins_with_the_cards_of_the_site() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("CARD");
    let with = |text: &str| {
        fs::write(&path, text).unwrap();
        create(&arguments(&[&ROOM[..], &["--jobcard", path.to_str().unwrap()]].concat()))
    };
    let said = with("//BACKUP   JOB (ACCT),\n//             CLASS=A\n");
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(
        said.out.starts_with("//BACKUP   JOB (ACCT),\n//             CLASS=A\n//* FUZZY"),
        "{}",
        said.out
    );
    assert_eq!(steps(&said.out).len(), 6);
    let said = with("//BACKUP JOB\n//STEP EXEC PGM=X\n");
    assert_eq!((said.code, said.out.as_str()), (12, ""));
    assert!(said.err.contains("HWT941E") && said.err.contains("line 2"), "{}", said.err);
}

#[test]
fn what_makes_no_backup_is_refused_and_nothing_is_printed() {
    let refused = |arguments: &[&str], why: &str| {
        let said = create(arguments);
        assert_eq!((said.code, said.out.as_str()), (12, ""), "{why}: {}", said.err);
        assert!(said.err.contains(why), "{why} is not in {}", said.err);
    };
    refused(&arguments(&[]), "--space or --like");
    refused(&arguments(&["--space", "CYL,1", "--like", "A.B"]), "--like");
    refused(&arguments(&[&ROOM[..], &["--method", "full"]].concat()), "--bsds1");
    refused(&arguments(&[&ROOM[..], &["--bsds1", "A.B"]].concat()), "--bsds1 does nothing");
    let said = create(&arguments(&[&ROOM[..], &["--json"]].concat()));
    assert!(said.code == 12 && said.out.contains("HWT700E") && !said.out.contains("//"), "{}", said.out);
    refused(&arguments(&[&ROOM[..], &["--to", "P1"]].concat()), "--to");
    refused(&arguments(&[&ROOM[..], &["QM1"]].concat()), "QMGR");
    refused(&arguments(&[&ROOM[..], &["--include-log"]].concat()), "--include-log");
    for (more, why) in [
        (["--page-set", "2=MQ1.PSID02"], "PAGE SET 02 HAS NO COPY"),
        (["--copy", "2=MQ1.B2"], "PAGE SET 02 HAS A COPY AND NO DATA SET"),
        (["--copy", "0=MQ1.B2"], "PAGE SET 00 HAS NO COPY, OR SEVERAL"),
        (["--page-set", "0=MQ1.OTHER"], "IS THERE TWICE"),
    ] {
        refused(&arguments(&[&ROOM[..], &more].concat()), why);
    }
    let same = ["--page-set", "2=MQ1.PSID00", "--copy", "2=MQ1.B2"];
    refused(&arguments(&[&ROOM[..], &same].concat()), "MQ1.PSID00, IS THERE TWICE");
    for copy in ["2=MQ1.PSID02", "2=MQ1.PSID00"] {
        let over = ["--page-set", "2=MQ1.PSID02", "--copy", copy];
        refused(&arguments(&[&ROOM[..], &over].concat()), "IS THE DATA SET OF A PAGE SET");
    }
    let one_group = ["--page-set", "2=MQ1.PSID02", "--copy", "2=MQ1.BACKUP.PSID00"];
    refused(&arguments(&[&ROOM[..], &one_group].concat()), "a group of its own");
    refused(&["--emit", "jcl", "--space", "CYL,1"], "--queue-manager");
    refused(&["--emit", "jcl", "--queue-manager", "MQ1", "--space", "CYL,1"], "NO PAGE SET IS GIVEN");
    // What would end a value, a line or the data.
    for (option, value) in [
        ("--copy", "0=MQ1.B(+1)"),
        ("--copy", "0=MQ1.B.G0001V00"),
        ("--page-set", "0=MQ1.P\n//X EXEC PGM=Y"),
        ("--page-set", "0=MQ1.P,DISP=SHR"),
        ("--queue-manager", "MQ1'"),
        ("--space", "CYL,1)\n//"),
        ("--unit", "A,B"),
        ("--like", "A.B,C"),
        ("--steplib", "A.B C"),
    ] {
        let said = create(&["--emit", "jcl", option, value]);
        assert_eq!((said.code, said.out.as_str()), (12, ""), "{option} {value}");
        assert!(said.err.contains(option), "{option} {value}: {}", said.err);
    }
    // Options of the job alone.
    for more in [["--unit", "SYSDA"], ["--page-set", "0=A.B"], ["--queue-manager", "MQ1"]] {
        refused(&[&["NOWHERE", "--to", "P1"][..], &more].concat(), "does nothing without --emit jcl");
    }
}
