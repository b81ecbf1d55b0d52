//! recpoint register of what the jobs of recpoint create --emit jcl print: both methods, and what each is refused for.

use std::fs;
use std::process::{Command, Stdio};

use serde_json::Value;

/// CSQUTIL: DISPLAY USAGE TYPE(ALL), with its own lines around the answer.
const USAGE: &str = "\
CSQU000I CSQUTIL IBM MQ for z/OS V9.3.0
CSQU001I CSQUTIL Queue Manager Utility - 2026-11-26 10:46:37
  COMMAND DDNAME(COMMANDS) FAILURE(STOP)
CSQU127I Executing COMMAND using input from COMMANDS data set
CSQU120I Connecting to MQ1
CSQU121I Connected to queue manager MQ1
CSQU055I Target queue manager is MQ1
  DISPLAY USAGE TYPE(ALL)
CSQN205I   COUNT=       2, RETURN=00000000, REASON=00000000
CSQI010I !MQ1 Page set usage ...
Page Buffer   Total   Unused  Persistent NonPersist Expansion    Encr-
 set  pool    pages    pages  data pages data pages        count   ypt
_  0     0     1078     1045          33          0 USER       0   NO
_  1     0     1080     1061          17          0 SYSTEM     2   NO
End of page set report
CSQI070I !MQ1 Data set usage ...
Data set    RBA/LRSN         DSName
Log, oldest with active unit of work
                             None
Log, oldest for page set recovery
          0000000000240000 MQ1.LOGCOPY1.DS02
End of data set report
CSQI024I !MQ1 CSQIDUSE Restart RBA for system as
configured=0000000000240000
CSQI025I !MQ1 CSQIDUSE Restart RBA including offline page sets=0000000000230000
CSQ9022I !MQ1 CSQIDUSE ' DISPLAY USAGE' NORMAL COMPLETION
CSQU057I 1 commands read
CSQU058I 1 commands issued and responses received, 0 failed
CSQU148I CSQUTIL Utility completed, return code=0
";

/// CSQUTIL: ARCHIVE LOG, DISPLAY LOG.
const ARCHIVED: &str = "\
CSQU127I Executing COMMAND using input from COMMANDS data set
  ARCHIVE LOG
CSQN205I   COUNT=       2, RETURN=00000000, REASON=00000000
CSQ9022I !MQ1 CSQJC001 ' ARCHIVE LOG' NORMAL COMPLETION
  DISPLAY LOG
CSQN205I   COUNT=       3, RETURN=00000000, REASON=00000000
CSQJ370I !MQ1 LOG status report ...
Copy %Full zHyperWrite Encrypted DSName
 1     1        NO        NO     MQ1.LOGCOPY1.DS03
 2    Inactive
Restarted at 2026-11-20 08:00:00 using RBA=0000000000200000
Latest RBA=0000000000265A00
Offload task is AVAILABLE
Full logs to offload - 0 of 3
CSQ9022I !MQ1 CSQJC001 ' DISPLAY LOG' NORMAL COMPLETION
CSQU148I CSQUTIL Utility completed, return code=0
";

/// The two steps of a page set: REPRO by DD statements, and LISTCAT of the page set and of the base of its copies.
fn copied(number: u8, code: u8) -> String {
    copy_step(number, code) + &list_step(number, &["G0012V00", "G0013V00"])
}

fn copy_step(number: u8, code: u8) -> String {
    format!(
        "1IDCAMS  SYSTEM SERVICES                                           TIME: 10:46:37        11/26/26     PAGE      1\n\
         0\n   REPRO INFILE(PSID{number:02}) OUTFILE(OUT{number:02})\n\
         0IDC0005I NUMBER OF RECORDS PROCESSED WAS 1080\n\
         0IDC0001I FUNCTION COMPLETED, HIGHEST CONDITION CODE WAS {code}\n\
         0IDC0002I IDCAMS PROCESSING COMPLETE. MAXIMUM CONDITION CODE WAS {code}\n"
    )
}

fn list_step(number: u8, generations: &[&str]) -> String {
    let page_set = format!("MQ1.PSID{number:02}");
    let base = format!("MQ1.BACKUP.PSID{number:02}");
    let associations: String =
        generations.iter().map(|one| format!("         NONVSAM--{base}.{one}\n")).collect();
    format!(
        "1IDCAMS  SYSTEM SERVICES                                           TIME: 10:46:39        11/26/26     PAGE      1\n\
         0\n   LISTCAT ENTRIES({page_set}) ALL\n\
         0CLUSTER ------- {page_set}\n\
         \x20     IN-CAT --- CATALOG.MQ\n\
         \x20     ASSOCIATIONS\n\
         \x20       DATA-----{page_set}.DATA\n\
         0IDC0001I FUNCTION COMPLETED, HIGHEST CONDITION CODE WAS 0\n\
         0\n   LISTCAT ENTRIES({base}) ALL\n\
         0GDG BASE ------ {base}\n\
         \x20     IN-CAT --- CATALOG.MQ\n\
         \x20     ATTRIBUTES\n\
         \x20       LIMIT------------------5     SCRATCH          NOEMPTY     LIFO             NOPURGE     NOEXTENDED\n\
         \x20     ASSOCIATIONS\n{associations}\
         0IDC0001I FUNCTION COMPLETED, HIGHEST CONDITION CODE WAS 0\n\
         0IDC0002I IDCAMS PROCESSING COMPLETE. MAXIMUM CONDITION CODE WAS 0\n"
    )
}

/// CSQJU004 of a queue manager that was stopped, printed at `time`.
fn map(time: &str) -> String {
    format!(
        "1CSQJU004   IBM MQ FOR Z/OS                   PRINT LOG MAP                       26 NOV 2026  {time}     PAGE     1\n\
         0LOG MAP OF BSDS DATA SET COPY 1, DSN=MQ1.BSDS01\n \
         LOG MAP OF THE BSDS DATA SET BELONGING TO QUEUE MANAGER 'MQ1     ' OF GROUP 'NO NAME '.\n         \
         SYSTEM TIMESTAMP   - DATE=2026.330   LTIME= 9:14:36.07\n         \
         HIGHEST RBA WRITTEN         0000000000271F40   2026.330 09:14:36.0\n         \
         HIGHEST RBA OFFLOADED       0000000000264FFF\n\
         -                            ACTIVE LOG COPY 1 DATA SETS\n \
         0000000000200000     /   0000000000264FFF     /   2026-11-19  DSN=MQ1.LOGCOPY1.DS02\n                              \
         PASSWORD=(NULL) STATUS=REUSABLE\n \
         0000000000265000     /   00000000002FFFFF     /   2026-11-19  DSN=MQ1.LOGCOPY1.DS03\n                              \
         PASSWORD=(NULL) STATUS=NOT REUSABLE\n\
         -                            ARCHIVE LOG COPY 1 DATA SETS\n \
         0000000000200000     /   0000000000264FFF     /   2026-11-19  DSN=CSQARC1.ARCHLOG1.A0000002\n                              \
         PASSWORD=(NULL) VOL=MQ0002 UNIT=SYSDA CATALOGUED=YES\n\
         -                            ACTIVE LOG COPY 2 DATA SETS\n \
         NO ACTIVE DATA SETS DEFINED FOR THIS COPY\n\
         -                            ARCHIVE LOG COPY 2 DATA SETS\n \
         NO ARCHIVE DATA SETS DEFINED FOR THIS COPY\n \
         CSQJ401E CSQJU004 RECORD NOT FOUND - RESTART CONTROL\n\
         -                                CHECKPOINT QUEUE\n                               \
         {time} NOVEMBER 26, 2026\n \
         TIME OF CHECKPOINT             09:14:30 NOVEMBER 26, 2026\n \
         BEGIN CHECKPOINT RBA           0000000000270E2E\n \
         END CHECKPOINT RBA             0000000000271878\n \
         SHUTDOWN CHECKPOINT\n \
         TIME OF CHECKPOINT             08:00:00 NOVEMBER 26, 2026\n \
         BEGIN CHECKPOINT RBA           0000000000265028\n \
         END CHECKPOINT RBA             0000000000266878\n \
         CSQJ200I CSQJU004 UTILITY PROCESSING COMPLETED SUCCESSFULLY\n"
    )
}

fn full() -> [String; 5] {
    [USAGE.to_owned(), map("10:46:37"), copied(0, 0), copied(1, 0), map("10:58:01")]
}

fn fuzzy() -> [String; 4] {
    [USAGE.to_owned(), copied(0, 0), copied(1, 0), ARCHIVED.to_owned()]
}

struct Said {
    code: i32,
    out: String,
    err: String,
}

/// Registers one output in a ledger of its own; the point, where there is one.
fn register(output: &[String], more: &[&str]) -> (Said, Option<Value>) {
    let scratch = tempfile::tempdir().unwrap();
    let (listing, ledger) = (scratch.path().join("OUT"), scratch.path().join("LEDGER"));
    fs::write(&listing, output.concat()).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_recpoint"));
    command.arg("register").arg("--ledger").arg(&ledger).arg("--listing").arg(&listing);
    let said =
        command.args(["--name", "T1", "--copied-by", "repro"]).args(more).stdin(Stdio::null()).output();
    let said = said.unwrap();
    let point = fs::read(&ledger).ok().map(|bytes| {
        let ledger: Value = serde_json::from_slice(&bytes).unwrap();
        ledger["points"][0].clone()
    });
    let said = Said {
        code: said.status.code().unwrap_or(-1),
        out: String::from_utf8(said.stdout).unwrap(),
        err: String::from_utf8(said.stderr).unwrap(),
    };
    (said, point)
}

/// Code 12, nothing on standard output, no ledger.
fn refused_with(output: &[String], more: &[&str], why: &str) {
    let (said, point) = register(output, more);
    assert_eq!((said.code, said.out.as_str(), point), (12, "", None), "{why}: {}", said.err);
    assert!(said.err.contains("HWT920E") && said.err.contains(why), "{why} is not in {}", said.err);
}

fn refused(output: &[String], why: &str) {
    refused_with(output, &[], why);
}

#[test]
fn the_output_of_a_fuzzy_job_names_data_sets_and_generations() {
    let (said, point) = register(&fuzzy(), &[]);
    assert_eq!(said.code, 0, "{}", said.err);
    let point = point.unwrap();
    assert_eq!((&point["method"], &point["evidence"]), (&"fuzzy".into(), &"clean".into()));
    assert_eq!((&point["start"], &point["end"]), (&"0000000000230000".into(), &"0000000000265A00".into()));
    for number in 0..2 {
        let set = &point["page_sets"][number];
        assert_eq!(set["data_set"], format!("MQ1.PSID0{number}"));
        assert_eq!(set["copy"], format!("MQ1.BACKUP.PSID0{number}.G0013V00"));
    }
    let (said, point) = register(&fuzzy(), &["--copy", "1=MQ1.BACKUP.PSID01.G0099V00"]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(point.unwrap()["page_sets"][1]["copy"], "MQ1.BACKUP.PSID01.G0099V00");
}

#[test]
fn a_fuzzy_job_in_another_order_or_with_codes_is_refused() {
    let [usage, zero, one, archived] = fuzzy();
    let order = |parts: &[&String]| parts.iter().map(|part| (*part).clone()).collect::<Vec<_>>();
    refused(&order(&[&zero, &usage, &one, &archived]), "PAGE SET 00 WAS COPIED BEFORE DISPLAY USAGE");
    refused(&order(&[&usage, &zero, &archived, &one]), "ARCHIVE LOG COMES LAST");
    refused(&order(&[&usage, &zero, &one]), "ARCHIVE LOG COMES LAST");
    refused(&order(&[&usage, &zero, &archived]), "PAGE SET 01 IS ONLINE AND WAS NOT COPIED");
    for code in [4, 8, 12] {
        refused(&order(&[&usage, &copied(0, code), &one, &archived]), &format!("HAS CODE {code}"));
    }
    refused(&[order(&[&usage, &zero, &one, &archived]), fuzzy().to_vec()].concat(), "ANSWERED TWICE");
    refused(&order(&[&usage, &zero, &one, &zero, &archived]), "IS THERE TWICE");
    refused_with(&fuzzy(), &["--method", "full"], "TWO LOG MAPS");
}

#[test]
fn a_copy_that_is_not_whole_is_refused() {
    let with = |from: &str, to: &str, why: &str| {
        let one = copied(1, 0);
        let changed = one.replacen(from, to, 1);
        assert_ne!(changed, one, "{from}");
        refused(&[USAGE.to_owned(), copied(0, 0), changed, ARCHIVED.to_owned()], why);
    };
    let ended = "0IDC0001I FUNCTION COMPLETED, HIGHEST CONDITION CODE WAS 0\n";
    let count = "0IDC0005I NUMBER OF RECORDS PROCESSED WAS 1080\n";
    with(count, "", "DOES NOT SAY HOW MANY RECORDS IT HAS");
    with("WAS 1080", "WAS 1079", "HAS 1079 RECORDS, AND THE PAGE SET HAD 1080 PAGES");
    with(ended, "", "NO IDC0001I ENDS IT");
    for word in ["COUNT(1080)", "Skip(1)", "FROMNUMBER (5)", "toaddress(4096)", "FKEY(A)", "TOKEY(B)"] {
        let statement = format!("OUTFILE(OUT01) -\n         {word}");
        let what = word.split(['(', ' ']).next().unwrap().to_ascii_uppercase();
        with("OUTFILE(OUT01)", &statement, &format!("IS A PART OF IT: ITS STATEMENT HAS {what}"));
    }
    for error in ["IDC3302I ACTION ERROR ON MQ1.PSID01", "IDC31467I MAXIMUM ERROR LIMIT REACHED."] {
        with(count, &format!("0{error}\n{count}"), &format!("HAS THE MESSAGE '{error}'"));
        let cut = format!("0{error}\n{count}");
        with(&format!("{count}{ended}"), &cut, "HAS THE MESSAGE");
    }
    with("INFILE(PSID01)", "INFILE(PSID09)", "PAGE SET 09 WAS COPIED AND IS NOT IN CSQI010I");
    // The words in a name or in a comment leave nothing out.
    let [usage, zero, one, archived] = fuzzy();
    let named = one.replace("OUTFILE(OUT01)", "OUTDATASET(MQ1.SKIP.COUNT) REUSE /* COUNT(1) */");
    let (said, point) = register(&[usage, zero, named, archived], &[]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(point.unwrap()["page_sets"][1]["copy"], "MQ1.SKIP.COUNT");
}

#[test]
fn a_print_that_is_cut_off_behind_a_whole_copy_is_believed_with_trust_alone() {
    let [usage, zero, one, archived] = fuzzy();
    let (cut, _) = one.rsplit_once("0IDC0002I").unwrap();
    let output = [usage.clone(), zero.clone(), cut.to_owned(), archived.clone()];
    refused(&output, "THE PRINT OF IDCAMS IS CUT OFF");
    let (said, point) = register(&output, &["--trust"]);
    assert_eq!((said.code, point.unwrap()["evidence"].as_str()), (4, Some("trusted")), "{}", said.err);
    let (copy, _) = one.split_once("0IDC0001I").unwrap();
    refused_with(&[usage, zero, copy.to_owned(), archived], &["--trust"], "NO IDC0001I ENDS IT");
}

#[test]
fn a_page_set_that_was_written_is_no_copy() {
    let [usage, zero, one, archived] = fuzzy();
    let with = |ends: &str, more: &[&str], why: &str| {
        let changed = one.replace("INFILE(PSID01) OUTFILE(OUT01)", ends);
        assert_ne!(changed, one);
        refused_with(&[usage.clone(), zero.clone(), changed, archived.clone()], more, why);
    };
    let restored = "INDATASET(MQ1.BACKUP.PSID01) OUTDATASET(MQ1.PSID01)";
    with(restored, &[], "IS A VSAM DATA SET BY LISTCAT");
    with("INDATASET(MQ1.PSID01) OUTDATASET(MQ1.PSID01.DATA)", &[], "IS A VSAM DATA SET BY LISTCAT");
    with("INDATASET(MQ1.A.PSID01) OUTDATASET(MQ1.A.PSID01)", &[], "IS THE DATA SET OF A PAGE SET");
    let typed = ["--page-set", "1=MQ1.DATA1", "--copy", "1=MQ1.DATA1"];
    with("INFILE(PSID01) OUTFILE(OUT01) ", &typed, "IS THE DATA SET OF A PAGE SET");
}

#[test]
fn a_generation_that_is_not_clear_is_refused() {
    let with = |zero: String| [USAGE.to_owned(), zero, copied(1, 0), ARCHIVED.to_owned()];
    let step = copy_step(0, 0);
    let wrapped = list_step(0, &["G9999V00", "G0001V00"]);
    refused(&with(step.clone() + &wrapped), "begin anew at 1");
    let versions = list_step(0, &["G0013V00", "G0013V01"]);
    refused(&with(step.clone() + &versions), "in two versions");
    refused(&with(step.clone() + &list_step(0, &[])), "has no generation");
    refused(&with(step.clone()), "no GDG BASE is listed behind it");
    let list = list_step(0, &["G0013V00"]);
    refused(&with(list.clone() + &step), "no GDG BASE is listed behind it");
    refused(&with(step.clone() + &list + &list_step(2, &["G0001V00"])), "are both listed behind it");
    let bad = list.replacen("HIGHEST CONDITION CODE WAS 0", "HIGHEST CONDITION CODE WAS 4", 2);
    refused(&with(step.clone() + &bad), "no GDG BASE is listed behind it");
    let foreign = list.replace("NONVSAM--MQ1.BACKUP.PSID00.", "NONVSAM--MQ1.OTHER.");
    let own = |status: &str| {
        let entry = format!(
            "0NONVSAM ------- MQ1.BACKUP.PSID00.G0013V00\n      IN-CAT --- CATALOG.MQ\n      HISTORY\n        \
             STATUS------------{status}\n0IDC0001I"
        );
        let (before, behind) = list.rsplit_once("0IDC0001I").unwrap();
        step.clone() + before + &entry + behind
    };
    refused(&with(own("DEFERRED")), "G0013V00 has STATUS DEFERRED");
    assert_eq!(register(&with(own("ACTIVE")), &[]).0.code, 0);
    // The catalog has local dates, and a copy may be made before midnight.
    let of = |created: &str| {
        with(own("ACTIVE").replace("STATUS---", &format!("CREATION--------{created}\n        STATUS---")))
    };
    let at = ["--at", "2026-11-26T10:46:37Z"];
    refused_with(&of("2026.328"), &at, "G0013V00 was made on 2026-11-24, before the backup");
    refused(&of("2019.001"), "G0013V00 was made on 2019-01-01, before the backup");
    for created in ["2026.329", "2026.330", "2026.331"] {
        assert_eq!(register(&of(created), &at).0.code, 0, "{created}");
    }
    refused(&with(step.clone() + &list_step(1, &["G0013V00"])), "is listed behind it, of page set 01");
    refused(&with(step + &foreign), "is no generation of");
}

#[test]
fn the_output_of_a_full_job_needs_no_log_from_before_the_stop() {
    for more in [&[][..], &["--method", "full"]] {
        let (said, point) = register(&full(), more);
        assert_eq!(said.code, 0, "{}", said.err);
        let point = point.unwrap();
        assert_eq!((&point["method"], &point["evidence"]), (&"full".into(), &"clean".into()));
        assert_eq!(
            (&point["start"], &point["end"]),
            (&"0000000000270E2E".into(), &"0000000000271F40".into())
        );
        assert_eq!(point["restart"]["online"], "0000000000270E2E");
        assert_eq!(point["restart"]["with_offline"], "0000000000270E2E");
        assert_eq!(point["page_sets"][1]["copy"], "MQ1.BACKUP.PSID01.G0013V00");
    }
    // A page set that was offline was not brought up to date by the stop.
    let [usage, before, zero, one, after] = full();
    let row = "_  1     0     1080     1061          17          0 SYSTEM     2   NO";
    let offline = usage.replace(row, "_  1   Page set is offline");
    assert_ne!(offline, usage);
    let (said, point) = register(&[offline, before, zero, one, after], &[]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(point.unwrap()["start"], "0000000000230000");
}

#[test]
fn a_full_job_in_another_order_is_refused() {
    let [usage, before, zero, one, after] = full();
    let order = |parts: &[&String]| parts.iter().map(|part| (*part).clone()).collect::<Vec<_>>();
    refused(&order(&[&before, &zero, &one, &after]), "NO CSQI024I AND CSQI025I");
    refused(&order(&[&before, &usage, &zero, &one, &after]), "MAP WAS PRINTED BEFORE DISPLAY USAGE");
    refused(&order(&[&usage, &zero, &before, &one, &after]), "WAS COPIED BEFORE THE LOG MAP WAS PRINTED");
    refused(&order(&[&usage, &before, &zero, &after, &one]), "IT COMES LAST");
    refused(&order(&[&usage, &before, &after, &zero, &one]), "IT COMES LAST");
    refused_with(&order(&[&usage, &before, &zero, &one]), &["--method", "full"], "THERE ARE 1");
    refused(&order(&[&usage, &before, &zero, &one]), "ARCHIVE LOG COMES LAST");
    refused(&order(&[&usage, &before, &zero, &one, &after, &after]), "THERE ARE 3");
    refused(&order(&[&usage, &before, &zero, &after]), "PAGE SET 01 IS ONLINE AND WAS NOT COPIED");
    refused(&[full().to_vec(), full().to_vec()].concat(), "ANSWERED TWICE");
    for code in [4, 8, 12] {
        refused(&order(&[&usage, &before, &copied(0, code), &one, &after]), &format!("HAS CODE {code}"));
    }
}

#[test]
fn a_full_job_of_a_queue_manager_that_was_not_at_rest_is_refused() {
    let [usage, before, zero, one, after] = full();
    let with =
        |usage: &str, before: &str, after: &str| [usage, before, &zero, &one, after].map(str::to_owned);
    // Both maps changed alike, or the second one alone.
    let both = |from: &str, to: &str, why: &str| {
        let [changed, other] = [&before, &after].map(|map| map.replacen(from, to, 1));
        assert_ne!(changed, before, "{from}");
        refused(&with(&usage, &changed, &other), why);
    };
    let second = |from: &str, to: &str, why: &str| {
        let changed = after.replacen(from, to, 1);
        assert_ne!(changed, after, "{from}");
        refused(&with(&usage, &before, &changed), why);
    };
    both(" SHUTDOWN CHECKPOINT\n", "", "IS NONE OF A STOP");
    both("271F40", "281F40", "IT IS NOT THE LAST THING WRITTEN");
    both("271F40", "270F40", "IT IS NOT THE LAST THING WRITTEN");
    second("271F40", "271F41", "THE LOG WENT ON DURING THE COPIES");
    second("LTIME= 9:14:36.07", "LTIME= 9:14:37.07", "THE QUEUE MANAGER WAS NOT DOWN");
    second("STATUS=REUSABLE", "STATUS=NOT REUSABLE", "THE QUEUE MANAGER WAS NOT DOWN");
    second("0000000000265028", "0000000000265029", "THE QUEUE MANAGER WAS NOT DOWN");
    second("BSDS DATA SET COPY 1, DSN=MQ1.BSDS01", "BSDS DATA SET COPY 2, DSN=MQ1.BSDS02", "NOT OF ONE BSDS");
    second("QUEUE MANAGER 'MQ1 ", "QUEUE MANAGER 'MQ2 ", "ANOTHER QUEUE MANAGER");
    let queue = before.find("-                                CHECKPOINT QUEUE").unwrap();
    let [one_map, other] = [&before, &after].map(|map| map[..queue].to_owned());
    refused(&with(&usage, &one_map, &other), "HAS NO CHECKPOINT QUEUE");

    let used = |from: &str, to: &str, why: &str| {
        let changed = usage.replacen(from, to, 1);
        assert_ne!(changed, usage, "{from}");
        refused(&with(&changed, &before, &after), why);
    };
    let none = "                             None\n";
    used(none, "          0000000000250000 MQ1.LOGCOPY1.DS02\n", "A UNIT OF WORK WAS ACTIVE");
    used("MQ1.LOGCOPY1.DS02", "MQ9.LOGCOPY1.DS02", "NAMES MQ9.LOGCOPY1.DS02, WHICH IS NOT IN THE LOG MAP");
    used("configured=0000000000240000", "configured=0000000000290000", "BEYOND HIGHEST RBA WRITTEN");
    let unit = "Log, oldest with active unit of work";
    used(&format!("{unit}\n{none}"), "", "CSQI070I HAS NO ROW 'Log, oldest with active unit of work'");
    let oldest = "Log, oldest for page set recovery\n          0000000000240000 MQ1.LOGCOPY1.DS02\n";
    used(oldest, "", "CSQI070I HAS NO ROW 'Log, oldest for page set recovery'");
    let start = usage.find("CSQI070I").unwrap();
    let end = usage.find("CSQI024I").unwrap();
    let without = usage[..start].to_owned() + &usage[end..];
    refused(&with(&without, &before, &after), "HAVE NO CSQI070I");
}

#[test]
fn a_unit_of_work_of_a_connection_makes_no_full_point() {
    let [usage, before, zero, one, after] = full();
    let shown = |state: &str, urid: &str| {
        format!(
            "CSQM293I !MQ1 CSQMDRTC 1 CONN FOUND MATCHING REQUEST CRITERIA\nCSQM201I !MQ1 CSQMDRTC  DISPLAY CONN DETAILS\n\
             CONN(D5E00D666DA8FBDB)\nTYPE(CONN)\nAPPLTAG(TEAM20P)\nUOWSTATE({state})\nQMURID({urid})\n END CONN DETAILS\n\
             CSQ9022I !MQ1 CSQMDRTC ' DISPLAY CONN' NORMAL COMPLETION\n"
        )
    };
    let with = |state: &str, urid: &str| {
        let usage = usage.clone() + &shown(state, urid);
        [usage, before.clone(), zero.clone(), one.clone(), after.clone()]
    };
    for state in ["ACTIVE", "PREPARED", "UNRESOLVED"] {
        refused(&with(state, "0000000000201800"), "A UNIT OF WORK, 0000000000201800, WAS ACTIVE");
    }
    for state in ["NONE", "ACTIVE"] {
        assert_eq!(register(&with(state, "0000000000000000"), &[]).0.code, 0, "{state}");
    }
}

#[test]
fn one_log_map_is_not_two() {
    let scratch = tempfile::tempdir().unwrap();
    let path = |name: &str| scratch.path().join(name);
    let [usage, before, zero, one, _] = full();
    for (name, text) in [("U", &usage), ("M", &before), ("COPY", &before), ("C", &(zero + &one))] {
        fs::write(path(name), text).unwrap();
    }
    for last in ["M", "COPY"] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_recpoint"));
        command.args(["register", "--name", "T1", "--copied-by", "repro", "--ledger"]).arg(path("LEDGER"));
        for name in ["U", "M", "C", last] {
            command.arg("--listing").arg(path(name));
        }
        let said = command.stdin(Stdio::null()).output().unwrap();
        let text = String::from_utf8(said.stderr).unwrap();
        assert_eq!((said.status.code(), said.stdout.len()), (Some(12), 0), "{text}");
        assert!(text.contains("HWT920E") && text.contains("IS THERE TWICE"), "{text}");
        assert!(!path("LEDGER").exists());
    }
}
