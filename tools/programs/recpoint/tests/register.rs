//! recpoint register: what the output of a backup proves, and what it is refused for.

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

const USAGE: &str = "\
CSQU001I CSQUTIL Queue Manager Utility - 2026-11-26 10:40:00
CSQI010I !MQ1 Page set usage ...
Page Buffer   Total   Unused  Persistent NonPersist Expansion    Encr-
 set  pool    pages    pages  data pages data pages        count   ypt
_  0     0     1078     1045          33          0 USER       0   NO
_  1     0     1078     1061          17          0 SYSTEM     2   NO
_  2   Page set is offline
 End of page set report
CSQI070I !MQ1 Data set usage ...
Data set    RBA/LRSN         DSName
Log, oldest with active unit of work
          0000000000250000 MQ1.LOGCOPY1.DS02
Log, oldest for page set recovery
          0000000000240000 MQ1.LOGCOPY1.DS02
End of data set report
CSQI024I !MQ1 CSQIDUSE Restart RBA for system as
configured=0000000000240000
CSQI025I !MQ1 CSQIDUSE Restart RBA including offline page sets=0000000000230000
CSQ9022I !MQ1 CSQIDUSE ' DISPLAY USAGE' NORMAL COMPLETION
";

const COPIES: &str = "\
IDCAMS  SYSTEM SERVICES                                           TIME: 10:46:37        11/26/26     PAGE      1

    REPRO INDATASET(MQ1.PSID00) -
          OUTDATASET(MQ1.BACKUP.PSID00.G0013V00)
IDC0005I NUMBER OF RECORDS PROCESSED WAS 1078
IDC0001I FUNCTION COMPLETED, HIGHEST CONDITION CODE WAS 0
    REPRO INDATASET(MQ1.PSID01) -
          OUTDATASET(MQ1.BACKUP.PSID01.G0013V00)
IDC0005I NUMBER OF RECORDS PROCESSED WAS 1080
IDC0001I FUNCTION COMPLETED, HIGHEST CONDITION CODE WAS 0
IDC0002I IDCAMS PROCESSING COMPLETE. MAXIMUM CONDITION CODE WAS 0
";

const ARCHIVED: &str = "\
CSQJ002I !MQ1 CSQJW307 END OF ACTIVE LOG DATA SET DSNAME=MQ1.LOGCOPY1.DS02, STARTRBA=0000000000200000 ENDRBA=0000000000264FFF
";

struct Said {
    code: i32,
    out: String,
    err: String,
}

struct Ledger {
    scratch: tempfile::TempDir,
}

impl Ledger {
    fn new() -> Self {
        Self { scratch: tempfile::tempdir().unwrap() }
    }

    fn path(&self) -> PathBuf {
        self.scratch.path().join("ledger.json")
    }

    fn register(&self, listings: &[&str], more: &[&str]) -> Said {
        let mut command = Command::new(env!("CARGO_BIN_EXE_recpoint"));
        command.arg("register").arg("--ledger").arg(self.path());
        for (number, listing) in listings.iter().enumerate() {
            let path = self.scratch.path().join(format!("{number}.txt"));
            fs::write(&path, listing).unwrap();
            command.arg("--listing").arg(path);
        }
        let output = command.args(more).stdin(Stdio::null()).output().unwrap();
        Said {
            code: output.status.code().unwrap_or(-1),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
        }
    }

    /// Code 12, nothing on standard output, and no ledger.
    fn refuses(&self, listings: &[&str], more: &[&str], why: &str) {
        let before = fs::read(self.path()).ok();
        let said = self.register(listings, more);
        assert_eq!((said.code, said.out.as_str()), (12, ""), "{why}: {}", said.err);
        assert!(said.err.contains(why), "{why} is not in {}", said.err);
        assert_eq!(fs::read(self.path()).ok(), before, "{why}");
    }

    fn points(&self) -> Vec<Value> {
        let ledger: Value = serde_json::from_slice(&fs::read(self.path()).unwrap()).unwrap();
        ledger["points"].as_array().unwrap().clone()
    }
}

const AT: [&str; 2] = ["--at", "2026-11-26T10:46:37Z"];
const REPRO: [&str; 6] = ["--name", "T1", "--copied-by", "repro", AT[0], AT[1]];

#[test]
fn a_clean_backup_is_registered_with_what_it_needs() {
    let ledger = Ledger::new();
    let said = ledger.register(
        &[USAGE, COPIES, ARCHIVED],
        &[&REPRO[..4], &["--at", "2026-11-26T10:46:37+01:00"]].concat(),
    );
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(
        said.out.starts_with(
            "HWT922I POINT T1 OF MQ1 IS REGISTERED: log is needed from 0000000000230000, its copies end at 0000000000264FFF\n"
        ),
        "{}",
        said.out
    );
    let points = ledger.points();
    assert_eq!(points.len(), 1);
    let point = &points[0];
    for (field, wanted) in [
        ("queue_manager", "MQ1"),
        ("name", "T1"),
        ("at", "2026-11-26T09:46:37Z"),
        ("evidence", "clean"),
        ("end", "0000000000264FFF"),
        ("copied_by", "repro"),
    ] {
        assert_eq!(point[field], wanted, "{field}");
    }
    assert_eq!(point["restart"]["online"], "0000000000240000");
    assert_eq!(point["restart"]["with_offline"], "0000000000230000");
    assert_eq!(point["page_sets"][1]["data_set"], "MQ1.PSID01");
    assert_eq!(point["page_sets"][1]["copy"], "MQ1.BACKUP.PSID01.G0013V00");

    // The name is taken now, and so are its copies, by whatever name. One file with all of it says the same as several.
    let next = [USAGE, COPIES, ARCHIVED].concat().replace("G0013V00", "G0014V00");
    ledger.refuses(&[&next], &REPRO, "HWT921E MQ1 HAS A POINT T1 ALREADY");
    let second = ["--name", "T2", "--copied-by", "repro", AT[0], AT[1]];
    let again = ledger.register(&[&next], &second);
    assert_eq!(again.code, 0, "{}", again.err);
    assert_eq!(ledger.points().len(), 2);
}

#[test]
fn a_copy_makes_one_point() {
    let ledger = Ledger::new();
    let all = [USAGE, COPIES, ARCHIVED].concat();
    assert_eq!(ledger.register(&[&all], &REPRO).code, 0);
    let other = ["--name", "T2", "--copied-by", "repro", AT[0], AT[1]];
    let copy = "HWT921E MQ1.BACKUP.PSID01.G0013V00, THE COPY OF PAGE SET 01, IS IN POINT T1 OF MQ1 ALREADY";
    ledger.refuses(&[&all.replace("PSID00.G0013V00", "PSID00.G0014V00")], &other, copy);
    // Another queue manager has neither these copies nor these page sets.
    let renamed = all.replace("!MQ1", "!MQ2");
    let foreign = [&other[..], &["--page-set", "0=MQ1.PSID00", "--page-set", "1=MQ1.PSID01"]].concat();
    ledger.refuses(&[&renamed], &foreign, "THE COPY OF PAGE SET 00, IS IN POINT T1 OF MQ1 ALREADY");
    let later = renamed.replace("G0013V00", "G0014V00");
    let owner = "HWT921E MQ1.PSID00, PAGE SET 00, IS IN POINT T1 OF MQ1 ALREADY";
    ledger.refuses(&[&later], &foreign, owner);
    // A copy over a page set, and a copy that became a page set.
    let over =
        later.replace("INDATASET(MQ1", "INDATASET(MQ2").replace("MQ1.BACKUP.PSID01.G0014V00", "MQ1.PSID01");
    ledger.refuses(&[&over], &other, "MQ1.PSID01, THE COPY OF PAGE SET 01,");
    let turned = later
        .replace("INDATASET(MQ1.PSID00", "INDATASET(MQ1.BACKUP.PSID00.G0013V00")
        .replace("INDATASET(MQ1.PSID01", "INDATASET(MQ2.PSID01");
    let typed = [&other[..], &["--page-set", "0=MQ1.BACKUP.PSID00.G0013V00"]].concat();
    ledger.refuses(&[&turned], &typed, "MQ1.BACKUP.PSID00.G0013V00, PAGE SET 00,");
    let said = ledger.register(&[&later.replace("(MQ1", "(MQ2")], &other);
    assert_eq!(said.code, 0, "{}", said.err);
}

#[test]
fn what_does_not_prove_a_backup_is_refused() {
    let ledger = Ledger::new();
    ledger.refuses(&[COPIES, USAGE, ARCHIVED], &REPRO, "WAS COPIED BEFORE DISPLAY USAGE WAS ANSWERED");
    ledger.refuses(&[USAGE, ARCHIVED, COPIES], &REPRO, "ARCHIVE LOG COMES LAST");
    ledger.refuses(&[USAGE, COPIES], &REPRO, "ARCHIVE LOG COMES LAST");
    ledger.refuses(&[COPIES, ARCHIVED], &REPRO, "CSQI024I AND CSQI025I");
    ledger.refuses(&[USAGE, ARCHIVED], &REPRO, "NO COPY OF A PAGE SET");
    ledger.refuses(&[&[USAGE, USAGE].concat(), COPIES, ARCHIVED], &REPRO, "ANSWERED TWICE");
    let other = ARCHIVED.replace("MQ1", "MQ2");
    ledger.refuses(&[USAGE, COPIES, &other], &REPRO, "ANOTHER QUEUE MANAGER");
    let lacks_one = COPIES.replace("PSID01", "PSID02");
    ledger.refuses(&[USAGE, &lacks_one, ARCHIVED], &REPRO, "PAGE SET 01 IS ONLINE AND WAS NOT COPIED");
    let twice = COPIES.replace("PSID01", "PSID00");
    ledger.refuses(&[USAGE, &twice, ARCHIVED], &REPRO, "IS THERE TWICE");
    let empty = COPIES.replace("WAS 1080", "WAS 0");
    ledger.refuses(&[USAGE, &empty, ARCHIVED], &REPRO, "HAS NO RECORD");
    let warned = COPIES.replacen("HIGHEST CONDITION CODE WAS 0", "HIGHEST CONDITION CODE WAS 4", 1);
    ledger.refuses(&[USAGE, &warned, ARCHIVED], &REPRO, "HAS CODE 4");
    let old = ARCHIVED.replace("264FFF", "22FFFF");
    ledger.refuses(&[USAGE, COPIES, &old], &REPRO, "BELOW THE RESTART RBA");
    let unnamed = COPIES.replace("MQ1.PSID01)", "MQ1.DATA)");
    ledger.refuses(&[USAGE, &unnamed, ARCHIVED], &REPRO, "DOES NOT SAY WHICH PAGE SET IT IS");
    fs::write(ledger.path(), "{").unwrap();
    ledger.refuses(&[USAGE, COPIES, ARCHIVED], &REPRO, "HWT908E");
}

#[test]
fn names_that_the_listings_lack_are_typed() {
    let ledger = Ledger::new();
    let unnamed = COPIES
        .replace("MQ1.PSID01)", "MQ1.DATA)")
        .replace("OUTDATASET(MQ1.BACKUP.PSID00.G0013V00)", "OUTFILE(OUT00)");
    let typed = ["--page-set", "1=MQ1.DATA", "--copy", "0=MQ1.BACKUP.PSID00.G0044V00"];
    let said = ledger.register(&[USAGE, &unnamed, ARCHIVED], &[&REPRO[..], &typed].concat());
    assert_eq!(said.code, 0, "{}", said.err);
    let points = ledger.points();
    assert_eq!(points[0]["page_sets"][1]["data_set"], "MQ1.DATA");
    assert_eq!(points[0]["page_sets"][0]["copy"], "MQ1.BACKUP.PSID00.G0044V00");
    for wrong in ["1", "1=", "100=MQ1.X", "1=MQ1.X'", "1=MQ1 X"] {
        ledger.refuses(&[USAGE, COPIES, ARCHIVED], &[&REPRO[..], &["--copy", wrong]].concat(), "--copy");
    }
    ledger.refuses(&[USAGE, COPIES, ARCHIVED], &["--name", "a b", "--copied-by", "repro"], "--name");
}

#[test]
fn a_page_set_that_was_typed_once_is_known() {
    let ledger = Ledger::new();
    let all = [USAGE, COPIES, ARCHIVED].concat().replace("INDATASET(MQ1.", "INDATASET(PROD.");
    ledger.refuses(&[&all], &REPRO, "NOTHING SAYS THAT PROD.PSID00, PAGE SET 00, IS OF MQ1");
    let typed = ["--page-set", "0=PROD.PSID00", "--page-set", "1=PROD.PSID01"];
    assert_eq!(ledger.register(&[&all], &[&REPRO[..], &typed].concat()).code, 0);
    let next = all.replace("G0013V00", "G0014V00");
    let second = ["--name", "T2", "--copied-by", "repro", AT[0], AT[1]];
    assert_eq!(ledger.register(&[&next], &second).code, 0);
    let third = ["--name", "T3", "--copied-by", "repro", AT[0], AT[1]];
    let other = next.replace("G0014V00", "G0015V00").replace("PROD.PSID01", "TEST.PSID01");
    ledger.refuses(&[&other], &third, "NOTHING SAYS THAT TEST.PSID01, PAGE SET 01, IS OF MQ1");
}

#[test]
fn what_is_typed_does_not_contradict_what_is_printed() {
    let ledger = Ledger::new();
    let refuses = |typed: &[&str], why: &str| {
        ledger.refuses(&[USAGE, COPIES, ARCHIVED], &[&REPRO[..], typed].concat(), why);
    };
    refuses(
        &["--copy", "0=MQ1.OTHER"],
        "MQ1.OTHER WAS TYPED FOR PAGE SET 00, AND THE OUTPUT SAYS MQ1.BACKUP.",
    );
    refuses(
        &["--page-set", "1=MQ1.OTHER"],
        "MQ1.OTHER WAS TYPED FOR PAGE SET 01, AND THE OUTPUT SAYS MQ1.PSID01",
    );
    refuses(&["--copy", "7=MQ1.OTHER"], "--copy 07=MQ1.OTHER: THE PAGE SET IS NOT IN CSQI010I");
    refuses(&["--page-set", "7=MQ1.OTHER"], "--page-set 07=MQ1.OTHER: THE PAGE SET IS NOT IN CSQI010I");
    let same = "0=MQ1.BACKUP.PSID00.G0013V00";
    refuses(&["--copy", same, "--copy", same], "--copy OF PAGE SET 00 IS THERE TWICE");
    let future = [&REPRO[..4], &["--at", "2999-01-01T00:00:00Z"]].concat();
    ledger.refuses(&[USAGE, COPIES, ARCHIVED], &future, "--at IS MORE THAN A DAY AHEAD");
    let said = ledger.register(
        &[USAGE, COPIES, ARCHIVED],
        &[&REPRO[..], &["--copy", same, "--page-set", "0=MQ1.PSID00"]].concat(),
    );
    assert_eq!(said.code, 0, "{}", said.err);
}

#[test]
fn a_ledger_that_contradicts_itself_is_refused() {
    let ledger = Ledger::new();
    assert_eq!(ledger.register(&[USAGE, COPIES, ARCHIVED], &REPRO).code, 0);
    let good = fs::read_to_string(ledger.path()).unwrap();
    let next = [USAGE, COPIES, ARCHIVED].concat().replace("G0013V00", "G0014V00");
    let second = ["--name", "T2", "--copied-by", "repro", AT[0], AT[1]];
    for (from, to, why) in [
        ("\"0000000000264FFF\"", "\"0000000000230000\"", None),
        ("\"0000000000230000\"\n", "\"0000000000290000\"\n", None),
        ("\"0000000000240000\"", "\"0000000000290000\"", None),
        ("\"name\": \"T1\"", "\"name\": \"\"", Some("it has no name")),
        ("\"psid\": 1", "\"psid\": 0", Some("page set 00 is there twice")),
        ("\"MQ1.PSID01\"", "\"mq1 psid01\"", Some("page set 01: 'mq1 psid01' is not a valid data set name")),
        ("\"MQ1.BACKUP.PSID01.G0013V00\"", "\"\"", Some("page set 01: '' is not a valid data set name")),
    ] {
        let changed = good.replacen(from, to, 1);
        assert_ne!(changed, good, "{from}");
        fs::write(ledger.path(), &changed).unwrap();
        if let Some(why) = why {
            ledger.refuses(&[&next], &second, "HWT908E");
            ledger.refuses(&[&next], &second, why);
        } else {
            // The lower one of the two decides, and the end may be where the log begins.
            assert_eq!(ledger.register(&[&next], &second).code, 0, "{from}");
        }
    }
    let beyond = good.replace("\"0000000000240000\"", "\"0000000000290000\"");
    let beyond = beyond.replace("\"0000000000230000\"\n", "\"0000000000290000\"\n");
    fs::write(ledger.path(), beyond).unwrap();
    ledger.refuses(&[&next], &second, "point T1 of MQ1: it needs log from behind its end");
}

#[test]
fn a_run_that_was_cut_off_proves_nothing_unless_it_is_trusted() {
    let ledger = Ledger::new();
    let cut = COPIES.rsplit_once("IDC0002I").unwrap().0;
    ledger.refuses(&[USAGE, cut, ARCHIVED], &REPRO, "IDC0002I DOES NOT END IT");
    let within = cut.rsplit_once("IDC0001I").unwrap().0;
    let trust = [&REPRO[..], &["--trust"]].concat();
    ledger.refuses(&[USAGE, within, ARCHIVED], &trust, "THE COPY OF PAGE SET 01 HAS NO CONDITION CODE");
    let trusted = ledger.register(&[USAGE, cut, ARCHIVED], &trust);
    assert_eq!(trusted.code, 4, "{}", trusted.err);
    assert!(trusted.err.contains("HWT905W"), "{}", trusted.err);
    // --trust takes nothing away from what is proved.
    let own = Ledger::new();
    let clean = own.register(&[USAGE, COPIES, ARCHIVED], &trust);
    assert_eq!(clean.code, 0, "{}", clean.err);
    assert_eq!(ledger.points()[0]["evidence"], "trusted");
    assert_eq!(own.points()[0]["evidence"], "clean");
}

#[test]
fn copies_of_another_program_are_typed_and_prove_nothing() {
    let ledger = Ledger::new();
    let copies = [
        "--page-set",
        "0=MQ1.PSID00",
        "--page-set",
        "1=MQ1.PSID01",
        "--copy",
        "0=MQ1.D0",
        "--copy",
        "1=MQ1.D1",
    ];
    let dss = ["--name", "T1", "--copied-by", "dss-logical"];
    let said = ledger.register(&[USAGE, ARCHIVED], &[&dss[..], &copies].concat());
    assert_eq!(said.code, 4, "{}", said.err);
    assert_eq!(ledger.points()[0]["copied_by"], "dss-logical");
    assert_eq!(ledger.points()[0]["evidence"], "none");
    ledger.refuses(&[USAGE, ARCHIVED], &["--name", "T2", "--copied-by", "dss-physical"], "WAS NOT COPIED");
    let with = |place: usize, name: &str, why: &str| {
        let mut names = copies;
        names[place] = name;
        ledger.refuses(
            &[USAGE, ARCHIVED],
            &[&["--name", "T2", "--copied-by", "dss-physical"], &names[..]].concat(),
            why,
        );
    };
    with(7, "1=MQ1.D0", "PAGE SET 00, MQ1.PSID00 OR MQ1.D0, IS THERE TWICE");
    with(3, "1=MQ1.PSID00", "--page-set 01=MQ1.PSID00: THE NAME IS THAT OF PAGE SET 00");
    with(7, "1=MQ1.PSID01", "THE COPY OF PAGE SET 01, MQ1.PSID01, IS THE DATA SET OF A PAGE SET");
    with(7, "1=MQ1.PSID00", "THE COPY OF PAGE SET 01, MQ1.PSID00, IS THE DATA SET OF A PAGE SET");
    with(7, "0=MQ1.D1", "--copy OF PAGE SET 00 IS THERE TWICE");
    with(3, "0=MQ1.PSID01", "--page-set OF PAGE SET 00 IS THERE TWICE");
}

#[test]
fn a_ledger_that_is_being_written_is_waited_for() {
    let ledger = Ledger::new();
    let lock = fs::File::create(ledger.scratch.path().join("ledger.json.lock")).unwrap();
    lock.lock().unwrap();
    ledger.refuses(&[USAGE, COPIES, ARCHIVED], &[&REPRO[..], &["--timeout", "200ms"]].concat(), "HWT909E");
    lock.unlock().unwrap();
    assert_eq!(ledger.register(&[USAGE, COPIES, ARCHIVED], &REPRO).code, 0);
}

#[test]
fn many_at_once_lose_no_point() {
    let ledger = Ledger::new();
    std::thread::scope(|scope| {
        for number in 0..6 {
            let ledger = &ledger;
            scope.spawn(move || {
                // Each has files of its own.
                let own = Ledger::new();
                let path = own.scratch.path().join("all.txt");
                let all = [USAGE, COPIES, ARCHIVED].concat();
                fs::write(&path, all.replace("G0013V00", &format!("G001{number}V00"))).unwrap();
                let mut command = Command::new(env!("CARGO_BIN_EXE_recpoint"));
                command.arg("register").arg("--ledger").arg(ledger.path()).arg("--listing").arg(&path);
                let name = format!("T{number}");
                let status = command
                    .args(["--name", &name, "--copied-by", "repro"])
                    .args(AT)
                    .stdout(Stdio::null())
                    .status();
                assert!(status.unwrap().success());
            });
        }
    });
    assert_eq!(ledger.points().len(), 6);
}
