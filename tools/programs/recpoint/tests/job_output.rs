//! recpoint register of what the jobs of recpoint create --emit jcl print: both methods, and what each is refused for.

mod backup_output;

use std::fs;
use std::process::{Command, Stdio};

use backup_output::{
    ARCHIVED, USAGE, copied, copy_step, full, fuzzy, list_step, refused, refused_with, register,
};

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
    // What is typed does not contradict what is listed; where nothing is, it counts.
    let copy = ["--copy", "1=MQ1.BACKUP.PSID01.G0012V00"];
    refused_with(
        &fuzzy(),
        &copy,
        "WAS TYPED FOR PAGE SET 01, AND THE OUTPUT SAYS MQ1.BACKUP.PSID01.G0013V00",
    );
    let other = ["--page-set", "1=MQ2.PSID01"];
    refused_with(&fuzzy(), &other, "MQ2.PSID01 WAS TYPED FOR PAGE SET 01, AND THE OUTPUT SAYS MQ1.PSID01");
    let swapped = ["--page-set", "1=MQ1.PSID00", "--page-set", "0=MQ1.PSID01"];
    refused_with(&fuzzy(), &swapped, "--page-set 01=MQ1.PSID00: THE NAME IS THAT OF PAGE SET 00");
    let [usage, zero, _, archived] = fuzzy();
    let unlisted = [usage, zero, copy_step(1, 0), archived];
    let (said, point) = register(&unlisted, &[&copy[..], &["--page-set", "1=MQ1.PSID01"]].concat());
    assert_eq!(said.code, 0, "{}", said.err);
    assert_eq!(point.unwrap()["page_sets"][1]["copy"], "MQ1.BACKUP.PSID01.G0012V00");
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
    let unlisted = [usage.clone(), zero.clone(), copy_step(1, 0), archived.clone()];
    refused_with(&unlisted, &typed, "IS THE DATA SET OF A PAGE SET");
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
    refused(&with(step.clone()), "no GDG BASE is listed in a step behind it");
    // The print of the copy shows the generation before it: the new one is catalogued at the end of its step.
    let (copied_alone, _) = step.rsplit_once("0IDC0002I").unwrap();
    let (_, listed_alone) =
        list_step(0, &["G0013V00"]).split_once("0\n").map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    refused(&with(copied_alone.to_owned() + &listed_alone), "no GDG BASE is listed in a step behind it");
    let list = list_step(0, &["G0013V00"]);
    refused(&with(list.clone() + &step), "no GDG BASE is listed in a step behind it");
    refused(&with(step.clone() + &list + &list_step(2, &["G0001V00"])), "are both listed in steps behind it");
    let bad = list.replacen("HIGHEST CONDITION CODE WAS 0", "HIGHEST CONDITION CODE WAS 4", 2);
    refused(&with(step.clone() + &bad), "no GDG BASE is listed in a step behind it");
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
    // Dates of the catalog are those of the print, whose step may have begun before midnight.
    let of = |created: &str| {
        with(own("ACTIVE").replace("STATUS---", &format!("CREATION--------{created}\n        STATUS---")))
    };
    refused(&of("2026.329"), "G0013V00 was made on 2026-11-25, before the backup");
    refused(&of("2019.001"), "G0013V00 was made on 2019-01-01, before the backup");
    for created in ["2026.330", "2026.331"] {
        assert_eq!(register(&of(created), &[]).0.code, 0, "{created}");
    }
    let at_night = |created| {
        of(created).map(|part| part.replace(" 10:4", " 00:0").replace(" 2026-11-26 10:4", " 2026-11-26 00:0"))
    };
    refused(&at_night("2026.328"), "G0013V00 was made on 2026-11-24, before the backup");
    assert_eq!(register(&at_night("2026.329"), &[]).0.code, 0);
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
        command.args([
            "register",
            "--name",
            "T1",
            "--copied-by",
            "repro",
            "--at",
            "2026-11-26T10:50:00Z",
            "--ledger",
        ]);
        command.arg(path("LEDGER"));
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
