//! What the jobs of recpoint create --emit jcl print, and its registering.
#![allow(dead_code, reason = "each test file uses its part of it")]

use std::fs;
use std::process::{Command, Stdio};

use serde_json::Value;

/// CSQUTIL: DISPLAY USAGE TYPE(ALL), with its own lines around the answer.
pub(crate) const USAGE: &str = "\
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
pub(crate) const ARCHIVED: &str = "\
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
pub(crate) fn copied(number: u8, code: u8) -> String {
    copy_step(number, code) + &list_step(number, &["G0012V00", "G0013V00"])
}

pub(crate) fn copy_step(number: u8, code: u8) -> String {
    let minute = 47 + number;
    format!(
        "1IDCAMS  SYSTEM SERVICES                                           TIME: 10:{minute}:37        11/26/26     PAGE      1\n\
         0\n   REPRO INFILE(PSID{number:02}) OUTFILE(OUT{number:02})\n\
         0IDC0005I NUMBER OF RECORDS PROCESSED WAS 1080\n\
         0IDC0001I FUNCTION COMPLETED, HIGHEST CONDITION CODE WAS {code}\n\
         0IDC0002I IDCAMS PROCESSING COMPLETE. MAXIMUM CONDITION CODE WAS {code}\n"
    )
}

pub(crate) fn list_step(number: u8, generations: &[&str]) -> String {
    let minute = 47 + number;
    let page_set = format!("MQ1.PSID{number:02}");
    let base = format!("MQ1.BACKUP.PSID{number:02}");
    let associations: String =
        generations.iter().map(|one| format!("         NONVSAM--{base}.{one}\n")).collect();
    format!(
        "1IDCAMS  SYSTEM SERVICES                                           TIME: 10:{minute}:39        11/26/26     PAGE      1\n\
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
pub(crate) fn map(time: &str) -> String {
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

pub(crate) fn full() -> [String; 5] {
    [USAGE.to_owned(), map("10:46:37"), copied(0, 0), copied(1, 0), map("10:58:01")]
}

pub(crate) fn fuzzy() -> [String; 4] {
    [USAGE.to_owned(), copied(0, 0), copied(1, 0), ARCHIVED.to_owned()]
}

pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Registers one output in a ledger of its own, as made when it was printed unless `more` says it; the point, where there is one.
pub(crate) fn register(output: &[String], more: &[&str]) -> (Said, Option<Value>) {
    let dated = more.iter().any(|option| option.starts_with("--at") || option.starts_with("--time-zone"));
    let at = if dated { &[][..] } else { &["--at", "2026-11-26T10:50:00Z"] };
    register_as_typed(output, &[at, more].concat())
}

/// Registers one output in a ledger of its own.
pub(crate) fn register_as_typed(output: &[String], more: &[&str]) -> (Said, Option<Value>) {
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
pub(crate) fn refused_with(output: &[String], more: &[&str], why: &str) {
    is_refused(register(output, more), why);
}

/// The same, with nothing else typed.
pub(crate) fn refused_as_typed(output: &[String], more: &[&str], why: &str) {
    is_refused(register_as_typed(output, more), why);
}

fn is_refused((said, point): (Said, Option<Value>), why: &str) {
    assert_eq!((said.code, said.out.as_str(), point), (12, "", None), "{why}: {}", said.err);
    assert!(said.err.contains("HWT920E") && said.err.contains(why), "{why} is not in {}", said.err);
}

pub(crate) fn refused(output: &[String], why: &str) {
    refused_with(output, &[], why);
}
