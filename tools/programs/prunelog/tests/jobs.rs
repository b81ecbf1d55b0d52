//! Jobs for a site, and what their prints settle: from a policy to the statements that leave the program.

mod site;

use serde_json::{Value, json};
use site::{Said, Site, point, prunelog};

/// Three archives of copy 1 on disk go, with names as a site has them, and so does one of copy 2 on two tapes.
fn site() -> Site {
    let mut site = Site::new(10);
    site.points.push(point("P1", 1, 3 * 0x1000));
    site.logs.retain(|log| log["copy"] == 1);
    for number in 0..10 {
        let log = site.log(&format!("ARCHLOG1.A{number:07}"));
        log["name"] = json!(format!("CSQARC1.ARCHLOG1.A{number:07}"));
        log["volume"] = json!("DISK01");
    }
    site
}

fn with_tapes() -> Site {
    let mut site = site();
    for (number, volume) in [(0, json!("TAPE01")), (1, json!("TAPE02")), (2, Value::Null)] {
        let mut log = site.log(&format!("CSQARC1.ARCHLOG1.A000000{number}")).clone();
        log["name"] =
            json!(if number < 2 { "CSQARC1.ARCHLOG2.A0000000" } else { "CSQARC1.ARCHLOG2.A0000002" });
        log["copy"] = json!(2);
        log["volume"] = volume;
        log["catalogued"] = json!(false);
        site.logs.push(log);
    }
    site
}

fn plan(site: &Site, options: &[&str]) -> Said {
    let document = site.document();
    prunelog(&[&["plan", "--inventory", &document, "--keep-last", "1"], options].concat())
}

/// What is printed, where the options are understood.
fn printed(site: &Site, options: &[&str]) -> String {
    let said = plan(site, options);
    assert!(said.code <= 4, "{options:?}: {}", said.err);
    said.out
}

fn refused(said: &Said, id: &str, why: &str) {
    assert_eq!((said.code, said.out.as_str()), (12, ""), "{why}: {}", said.err);
    assert!(
        said.err.lines().any(|line| line.starts_with(id)) && said.err.contains(why),
        "{why}: {}",
        said.err
    );
}

#[test]
fn the_delete_job_has_each_catalogued_archive_and_the_bsds_copy_beside_it() {
    let site = with_tapes();
    let said = plan(&site, &["--emit", "jcl"]);
    let wanted = "//PRUNELOG JOB\n\
        //DELETE   EXEC PGM=IDCAMS\n\
        //SYSPRINT DD  SYSOUT=*\n\
        //SYSIN    DD  *\n\
        \u{20} DELETE (CSQARC1.ARCHLOG1.A0000000)\n\
        \u{20} DELETE (CSQARC1.ARCHLOG1.B0000000)\n\
        \u{20} DELETE (CSQARC1.ARCHLOG1.A0000001)\n\
        \u{20} DELETE (CSQARC1.ARCHLOG1.B0000001)\n\
        \u{20} DELETE (CSQARC1.ARCHLOG1.A0000002)\n\
        \u{20} DELETE (CSQARC1.ARCHLOG1.B0000002)\n\
        /*\n";
    assert_eq!((said.code, said.out.as_str()), (4, wanted), "{}", said.err);
    assert!(said.err.contains("HWT962W 2 ARCHIVES ARE ON TAPE OR IN NO CATALOG"), "{}", said.err);
    let purged = printed(&site, &["--emit", "jcl", "--purge"]);
    assert_eq!(
        purged,
        wanted.replace("0)\n", "0) PURGE\n").replace("1)\n", "1) PURGE\n").replace("2)\n", "2) PURGE\n")
    );
    let cards =
        site.file("card.jcl", "//PRUNE    JOB (ACCT,1),'LOGS',\n//             CLASS=A\n//* retention\n");
    let own = printed(&site, &["--emit", "jcl", "--jobcard", &cards]);
    let first = "//PRUNE    JOB (ACCT,1),'LOGS',\n//             CLASS=A\n//* retention\n";
    assert_eq!(own, wanted.replace("//PRUNELOG JOB\n", first));
}

#[test]
fn the_newest_copy_of_the_bsds_is_not_deleted() {
    let mut site = site();
    site.logs.retain(|log| log["kind"] == "active" || log["start"].as_str() < Some(&site::rba(0x3000)));
    site.log("LOGCOPY1.DS01")["start"] = json!(site::rba(0x3000));
    let said = plan(&site, &["--emit", "jcl", "--max-delete", "100"]);
    assert_eq!(said.out.matches("DELETE (").count(), 5, "{}\n{}", said.out, said.err);
    assert!(said.err.contains("HWT961I CSQARC1.ARCHLOG1.B0000002 STAYS"), "{}", said.err);
    assert!(!said.out.contains("B0000002"), "{}", said.out);
}

#[test]
fn the_log_inventory_forgets_each_volume() {
    let site = with_tapes();
    let wanted = "  DELETE DSNAME=CSQARC1.ARCHLOG1.A0000000,COPY1VOL=DISK01\n\
        \u{20} DELETE DSNAME=CSQARC1.ARCHLOG2.A0000000,COPY2VOL=TAPE01\n\
        \u{20} DELETE DSNAME=CSQARC1.ARCHLOG2.A0000000,COPY2VOL=TAPE02\n\
        \u{20} DELETE DSNAME=CSQARC1.ARCHLOG1.A0000001,COPY1VOL=DISK01\n\
        \u{20} DELETE DSNAME=CSQARC1.ARCHLOG1.A0000002,COPY1VOL=DISK01\n\
        \u{20} DELETE DSNAME=CSQARC1.ARCHLOG2.A0000002\n";
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    let statements = printed(&site, &["--emit", "loginv"]);
    assert_eq!(sorted(&statements), sorted(wanted));
    let job = printed(&site, &["--emit", "loginv", "--bsds1", "CSQARC1.BSDS01"]);
    let head = "//PRUNELOG JOB\n//LOGINV   EXEC PGM=CSQJU003\n//SYSUT1   DD  DISP=SHR,DSN=CSQARC1.BSDS01\n\
                //SYSPRINT DD  SYSOUT=*,DCB=BLKSIZE=629\n//SYSIN    DD  *\n";
    assert_eq!(job, format!("{head}{statements}/*\n"));
    let with = |options: &[&str]| {
        printed(&site, &[&["--emit", "loginv", "--bsds1", "CSQARC1.BSDS01"], options].concat())
    };
    let dual = "DSN=CSQARC1.BSDS01\n//SYSUT2   DD  DISP=SHR,DSN=CSQARC1.BSDS02\n";
    assert_eq!(with(&["--bsds2", "CSQARC1.BSDS02"]), job.replace("DSN=CSQARC1.BSDS01\n", dual));
    let libraries =
        "CSQJU003\n//STEPLIB  DD  DISP=SHR,DSN=MQM.SCSQANLE\n//         DD  DISP=SHR,DSN=MQM.SCSQAUTH\n";
    let found = with(&["--steplib", "MQM.SCSQANLE", "--steplib", "MQM.SCSQAUTH"]);
    assert_eq!(found, job.replace("CSQJU003\n", libraries));
    let cards = site.file("card.jcl", "//FORGET JOB CLASS=B\n");
    assert_eq!(with(&["--jobcard", &cards]), job.replace("//PRUNELOG JOB", "//FORGET JOB CLASS=B"));
}

#[test]
fn volumes_of_what_is_not_catalogued_are_for_the_tape_manager() {
    let rba = site::rba;
    let wanted = format!(
        "TAPE01 CSQARC1.ARCHLOG2.A0000000 2 {} {}\nTAPE02 CSQARC1.ARCHLOG2.A0000000 2 {} {}\n- CSQARC1.ARCHLOG2.A0000002 2 {} {}\n",
        rba(0),
        rba(0xFFF),
        rba(0x1000),
        rba(0x1FFF),
        rba(0x2000),
        rba(0x2FFF)
    );
    assert_eq!(printed(&with_tapes(), &["--emit", "volumes"]), wanted);
    assert_eq!(printed(&site(), &["--emit", "volumes"]), "");
    // A volume that also holds something that is kept is not for the tape manager.
    let mut stacked = with_tapes();
    stacked.log("CSQARC1.ARCHLOG1.A0000008")["volume"] = json!("TAPE02");
    let said = plan(&stacked, &["--emit", "volumes"]);
    assert_eq!(
        said.out,
        wanted
            .lines()
            .filter(|line| !line.starts_with("TAPE02"))
            .fold(String::new(), |all, line| all + line + "\n")
    );
    assert!(said.code == 4 && said.err.contains("HWT963W VOLUME TAPE02 IS NOT LISTED"), "{}", said.err);
}

#[test]
fn nothing_is_emitted_above_the_limit_or_of_what_fits_into_no_job() {
    let mut site = site();
    for emit in ["list", "jcl", "loginv", "volumes"] {
        refused(&plan(&site, &["--emit", emit, "--max-delete", "20"]), "HWT824E", "--max-delete");
    }
    for (text, why) in [
        ("//A EXEC PGM=IEFBR14\n", "line 1 of the job cards"),
        ("//A JOB X,\n", "ends with a comma"),
        ("//A JOB X\n//\n", "line 2 of the job cards"),
        ("//A JOB X\n/*JOBPARM\n", "line 2 of the job cards"),
    ] {
        let cards = site.file("bad.jcl", text);
        refused(&plan(&site, &["--emit", "jcl", "--jobcard", &cards]), "HWT950E", why);
    }
    refused(&plan(&site, &["--emit", "jcl", "--jobcard", "/nowhere"]), "HWT950E", "/nowhere");
    site.log("CSQARC1.ARCHLOG1.A0000001")["volume"] = json!("X,Y");
    refused(&plan(&site, &["--emit", "loginv"]), "HWT950E", "CSQARC1.ARCHLOG1.A0000001");
    for name in ["A.B') PURGE", "A.B\n//X EXEC PGM=Y", "/*", "//A"] {
        site.log("CSQARC1.ARCHLOG1.A0000000")["name"] = json!(name);
        let out = site.path("never.json");
        let said = plan(&site, &["--emit", "jcl", "--out", &out]);
        refused(&said, "HWT950E", "no data set of z/OS");
        assert!(!std::path::Path::new(&out).exists(), "{name}");
        site.log(name)["name"] = json!("CSQARC1.ARCHLOG1.A0000000");
    }
}

#[test]
fn options_that_do_nothing_are_refused() {
    let site = site();
    let cards = site.file("card.jcl", "//PRUNE JOB\n");
    for (options, why) in [
        (&["--purge"][..], "--purge does nothing"),
        (&["--emit", "list", "--purge"], "--purge does nothing"),
        (&["--emit", "loginv", "--purge"], "--purge does nothing"),
        (&["--emit", "volumes", "--jobcard", &cards], "--jobcard does nothing"),
        (&["--emit", "loginv", "--jobcard", &cards], "--jobcard does nothing"),
        (&["--emit", "jcl", "--bsds1", "A.B"], "--bsds1 does nothing"),
        (&["--emit", "jcl", "--steplib", "A.B"], "--steplib does nothing"),
        (&["--emit", "loginv", "--steplib", "A.B"], "--steplib does nothing"),
        (&["--emit", "loginv", "--bsds2", "A.B"], "--bsds1"),
        (&["--emit", "loginv", "--bsds1", "A.B", "--bsds2", "A..B"], "data set name"),
        (&["--emit", "jcl", "--json"], "--json"),
    ] {
        let said = plan(&site, options);
        assert_eq!(said.code, 12, "{options:?}");
        assert!(said.out.is_empty() || options.contains(&"--json"), "{options:?}: {}", said.out);
        assert!(said.err.starts_with("HWT700E") && said.err.contains(why), "{options:?}: {}", said.err);
    }
}

/// The print of the delete job, with what `answer` says of each name of it. It is of long after any plan that is made here.
fn sysprint(job: &str, answer: impl Fn(&str) -> String) -> String {
    let mut print = "1IDCAMS  SYSTEM SERVICES                                           TIME: 10:46:37        11/26/95     \
                     PAGE      1\n0\n"
        .to_owned();
    for line in job.lines() {
        let name = line.split_once('(').and_then(|(_, rest)| rest.split_once(')'));
        if let Some((name, _)) = name.filter(|_| line.starts_with("  DELETE ")) {
            let said = answer(name);
            let code = if said.contains("NOT DELETED") { 8 } else { 0 };
            print.push_str(&format!(
                " {line}\n{said}0IDC0001I FUNCTION COMPLETED, HIGHEST CONDITION CODE WAS {code}\n"
            ));
        }
    }
    print + "0IDC0002I IDCAMS PROCESSING COMPLETE. MAXIMUM CONDITION CODE WAS 8\n"
}

fn gone(name: &str) -> String {
    format!("0IDC0550I ENTRY (A) {name} DELETED\n")
}

fn not_there(name: &str) -> String {
    format!(
        "0IDC3012I ENTRY {name} NOT FOUND\n IDC3009I ** VSAM CATALOG RETURN CODE IS 8 - REASON CODE IS IGG0CLEG-42\n\
         0IDC0551I ** ENTRY {name} NOT DELETED\n"
    )
}

fn stays(name: &str) -> String {
    format!(
        "0IDC3009I ** VSAM CATALOG RETURN CODE IS 84 - REASON CODE IS IGG0CLFC-8\n0IDC0551I ** ENTRY {name} NOT DELETED\n"
    )
}

/// A plan, the job of it, and what is confirmed by the print of that job.
fn confirmed(site: &Site, answer: impl Fn(&str) -> String, options: &[&str]) -> Said {
    let document = site.path("plan.json");
    let job = printed(site, &["--emit", "jcl", "--out", &document]);
    let print = site.file("sysprint.txt", &sysprint(&job, answer));
    prunelog(&[&["confirm", &document, "--listing", &print], options].concat())
}

/// How archive 1 of three is answered; the others, and the copies of the BSDS, are gone.
fn second(answer: impl Fn(&str) -> String) -> impl Fn(&str) -> String {
    move |name| if name.ends_with("A0000001") { answer(name) } else { gone(name) }
}

const STATEMENTS: [&str; 2] = ["--emit", "loginv"];

#[test]
fn a_print_that_settles_two_of_three_gives_two_statements() {
    let site = site();
    let wanted = "  DELETE DSNAME=CSQARC1.ARCHLOG1.A0000000,COPY1VOL=DISK01\n\
                  \u{20} DELETE DSNAME=CSQARC1.ARCHLOG1.A0000002,COPY1VOL=DISK01\n";
    let said = confirmed(&site, second(stays), &STATEMENTS);
    assert_eq!((said.code, said.out.as_str()), (8, wanted), "{}", said.err);
    for line in [
        "HWT952I CSQARC1.ARCHLOG1.A0000000 IS GONE",
        "HWT954E CSQARC1.ARCHLOG1.A0000001 STAYS: IDC3009I ** VSAM CATALOG RETURN CODE IS 84",
        "HWT958I 2 OF 3 ARCHIVES ARE SETTLED",
    ] {
        assert!(said.err.lines().any(|found| found.starts_with(line)), "{line}: {}", said.err);
    }
    let both = confirmed(&site, second(|name| gone(name) + &stays(name)), &STATEMENTS);
    assert_eq!((both.code, both.out.as_str()), (8, wanted), "{}", both.err);
    assert!(both.err.contains("HWT955E CSQARC1.ARCHLOG1.A0000001 IS UNKNOWN"), "{}", both.err);
    let silent = confirmed(&site, second(|_| String::new()), &STATEMENTS);
    assert_eq!((silent.code, silent.out.as_str()), (8, wanted), "{}", silent.err);
    // The job around them.
    let options = ["--bsds1", "CSQARC1.BSDS01", "--bsds2", "CSQARC1.BSDS02", "--steplib", "MQM.SCSQANLE"];
    let job = confirmed(&site, second(stays), &options);
    let head = "//PRUNELOG JOB\n//LOGINV   EXEC PGM=CSQJU003\n//STEPLIB  DD  DISP=SHR,DSN=MQM.SCSQANLE\n\
                //SYSUT1   DD  DISP=SHR,DSN=CSQARC1.BSDS01\n//SYSUT2   DD  DISP=SHR,DSN=CSQARC1.BSDS02\n\
                //SYSPRINT DD  SYSOUT=*,DCB=BLKSIZE=629\n//SYSIN    DD  *\n";
    assert_eq!((job.code, job.out), (8, format!("{head}{wanted}/*\n")));
    let cards = site.file("card.jcl", "//FORGET JOB CLASS=B\n");
    let own =
        confirmed(&site, second(stays), &[&options[..], &["--jobcard", &cards, "--emit", "jcl"]].concat());
    assert_eq!(own.out, format!("{head}{wanted}/*\n").replace("//PRUNELOG JOB", "//FORGET JOB CLASS=B"));
}

#[test]
fn condition_codes_say_how_much_is_settled() {
    let site = site();
    let all = confirmed(&site, gone, &STATEMENTS);
    assert_eq!((all.code, all.out.lines().count()), (0, 3), "{}", all.err);
    let before = confirmed(&site, second(not_there), &STATEMENTS);
    assert_eq!((before.code, before.out.lines().count()), (4, 3), "{}", before.err);
    assert!(before.err.contains("HWT953W CSQARC1.ARCHLOG1.A0000001 WAS NOT THERE"), "{}", before.err);
    let copy = |name: &str| if name.ends_with("B0000001") { stays(name) } else { gone(name) };
    let copy = confirmed(&site, copy, &STATEMENTS);
    assert_eq!((copy.code, copy.out.lines().count()), (4, 3), "{}", copy.err);
    assert!(copy.err.contains("HWT960W CSQARC1.ARCHLOG1.B0000001 IS LEFT"), "{}", copy.err);
    refused(&confirmed(&site, stays, &STATEMENTS), "HWT959E", "NOTHING IS SETTLED");
    // Archives on tape are settled by no deletion by name.
    let tapes = confirmed(&with_tapes(), gone, &STATEMENTS);
    assert_eq!((tapes.code, tapes.out.lines().count()), (8, 3), "{}", tapes.err);
    assert!(!tapes.out.contains("ARCHLOG2"), "{}", tapes.out);
}

#[test]
fn a_print_that_deleted_nothing_settles_nothing_unless_it_is_accepted() {
    let site = site();
    let none = confirmed(&site, not_there, &STATEMENTS);
    refused(&none, "HWT959E", "NOTHING WAS DELETED BY THE LISTINGS");
    refused(&confirmed(&site, second(not_there), &["--accept-absent"]), "HWT700E", "--bsds1");
    let accepted = confirmed(&site, not_there, &[&STATEMENTS[..], &["--accept-absent"]].concat());
    assert_eq!((accepted.code, accepted.out.lines().count()), (4, 3), "{}", accepted.err);
    // What the run before deleted, the print of the first run shows.
    let first = site.file("first.txt", &sysprint("  DELETE (CSQARC1.ARCHLOG1.A0000000)\n", gone));
    let both = confirmed(&site, not_there, &[&STATEMENTS[..], &["--listing", &first]].concat());
    assert_eq!((both.code, both.out.lines().count()), (4, 3), "{}", both.err);
}

#[test]
fn a_print_of_before_the_plan_settles_nothing() {
    let site = site();
    let document = site.path("plan.json");
    let job = printed(&site, &["--emit", "jcl", "--out", &document]);
    let plan: Value = serde_json::from_str(&std::fs::read_to_string(&document).unwrap()).unwrap();
    // No zone is more than 12 hours behind that of the plan, UTC.
    let hour = |ago: &str| {
        let date = std::process::Command::new("date")
            .args([
                "-u",
                "-d",
                &format!("{} {ago}", plan["at"].as_str().unwrap()),
                "+%H:%M:%S        %m/%d/%y",
            ])
            .output()
            .unwrap();
        String::from_utf8(date.stdout).unwrap().trim().to_owned()
    };
    for (ago, fits) in [("-11 hours", true), ("-13 hours", false), ("-6 years", false), ("+1 hour", true)] {
        let print = sysprint(&job, gone).replace("10:46:37        11/26/95", &hour(ago));
        let print = site.file("dated.txt", &print);
        let said = prunelog(&["confirm", &document, "--emit", "loginv", "--listing", &print]);
        if fits {
            assert_eq!((said.code, said.out.lines().count()), (0, 3), "{ago}: {}", said.err);
        } else {
            refused(&said, "HWT964E", "BEFORE THE PLAN WAS MADE");
        }
    }
    // The first of its pages decides; without any heading nothing says it.
    let (heading, _) =
        sysprint("", gone).split_once('\n').map(|(a, b)| (a.to_owned(), b.to_owned())).unwrap();
    let old = heading.replace("11/26/95", "11/26/20");
    let print = sysprint(&job, gone);
    let two_pages = print.replacen(&heading, &format!("{old}\n{}", heading.replace("     1", "     2")), 1);
    assert_ne!(two_pages, print);
    let two_pages = site.file("pages.txt", &two_pages);
    let said = prunelog(&["confirm", &document, "--emit", "loginv", "--listing", &two_pages]);
    refused(&said, "HWT964E", "BEFORE THE PLAN WAS MADE");
    let messages: Vec<&str> =
        print.lines().filter(|line| line.contains("IDC")).filter(|line| !line.contains("IDCAMS  ")).collect();
    let bare = site.file("bare.txt", &(messages.join("\n") + "\n"));
    let said = prunelog(&["confirm", &document, "--emit", "loginv", "--listing", &bare]);
    assert_eq!((said.code, said.out.lines().count()), (4, 3), "{}", said.err);
    assert!(
        said.err.contains("HWT965W") && said.err.contains("NOTHING SAYS WHEN IT WAS PRINTED"),
        "{}",
        said.err
    );
}

#[test]
fn a_bsds_is_no_log_data_set_and_its_copies_are_two() {
    let site = site();
    let archive = "CSQARC1.ARCHLOG1.A0000001";
    for (options, why) in [
        (["--bsds1", "A.BSDS01", "--bsds2", "A.BSDS01"], "--bsds1 AND --bsds2 ARE ONE DATA SET"),
        (["--bsds1", archive, "--bsds2", "A.BSDS02"], "--bsds1 CSQARC1.ARCHLOG1.A0000001 IS A LOG DATA SET"),
        (["--bsds1", "A.BSDS01", "--bsds2", "CSQARC1.ARCHLOG1.A0000007"], "A0000007 IS A LOG DATA SET"),
    ] {
        refused(&confirmed(&site, gone, &options), "HWT950E", why);
        refused(&plan(&site, &[&["--emit", "loginv"], &options[..]].concat()), "HWT950E", why);
    }
}

#[test]
fn prints_of_other_jobs_settle_nothing() {
    let site = site();
    let document = site.path("plan.json");
    let job = printed(&site, &["--emit", "jcl", "--out", &document]);
    let own = site.file("own.txt", &sysprint(&job, second(|_| String::new())));
    let confirm = |listings: &[&str]| {
        prunelog(&[&["confirm", &document, "--emit", "loginv", "--listing"], listings].concat())
    };
    let other =
        |name: &str| site.file(&format!("{name}.txt"), &sysprint(&format!("  DELETE ({name})\n"), gone));
    let stranger = confirm(&[&own, &other("CSQARC2.ARCHLOG1.A0000001")]);
    assert_eq!((stranger.code, stranger.out.lines().count()), (8, 2), "{}", stranger.err);
    assert!(
        stranger.err.contains("HWT956W CSQARC2.ARCHLOG1.A0000001 IS NOT IN THE PLAN"),
        "{}",
        stranger.err
    );
    let kept = confirm(&[&own, &other("CSQARC1.ARCHLOG1.A0000007")]);
    assert!(
        kept.err.contains("HWT957E CSQARC1.ARCHLOG1.A0000007 IS GONE, AND THE PLAN KEEPS IT"),
        "{}",
        kept.err
    );
    // A second listing answers for what the first one does not.
    let rest = confirm(&[&own, &other("CSQARC1.ARCHLOG1.A0000001")]);
    assert_eq!((rest.code, rest.out.lines().count()), (8, 2), "{}", rest.err);
    assert!(rest.err.contains("HWT955E CSQARC1.ARCHLOG1.A0000001 IS UNKNOWN"), "{}", rest.err);
    refused(&confirm(&[&other("CSQARC2.ARCHLOG1.A0000001")]), "HWT959E", "of any of 3 archives");
}

#[test]
fn what_does_not_read_is_refused() {
    let site = site();
    let document = site.path("plan.json");
    let job = printed(&site, &["--emit", "jcl", "--out", &document]);
    let print = sysprint(&job, gone);
    let damaged = site.file("damaged.txt", &print.replacen("ENTRY (A)", "ENTRX (A)", 1));
    let confirm = |plan: &str, rest: &[&str]| prunelog(&[&["confirm", plan, "--listing"], rest].concat());
    let said = confirm(&document, &[&damaged, "--emit", "loginv"]);
    refused(&said, "HWT907E", "damaged.txt: line 4, column 11");
    refused(&confirm(&document, &["/nowhere", "--emit", "loginv"]), "HWT907E", "/nowhere");
    let good = site.file("good.txt", &print);
    refused(&confirm(&good, &[&good, "--emit", "loginv"]), "HWT822E", "good.txt");
    for (options, why) in [
        (&[][..], "--bsds1"),
        (&["--emit", "jcl"], "--bsds1"),
        (&["--emit", "loginv", "--bsds1", "A.B"], "--bsds1 does nothing"),
        (&["--emit", "loginv", "--steplib", "A.B"], "--steplib does nothing"),
        (&["--emit", "loginv", "--jobcard", "X"], "--jobcard does nothing"),
        (&["--bsds1", "A'B"], "data set name"),
    ] {
        refused(&confirm(&document, &[&[good.as_str()], options].concat()), "HWT700E", why);
    }
    for options in [&["--json", "--emit=loginv"], &["--json", "--steplib=A.B"]] {
        let said = confirm(&document, &[&[good.as_str()], &options[..]].concat());
        assert_eq!(said.code, 12);
        assert!(said.err.starts_with("HWT700E"), "{}", said.err);
    }
}

#[test]
fn what_is_settled_is_a_document_too() {
    let said = confirmed(&site(), second(stays), &["--json"]);
    let document: Value = serde_json::from_str(&said.out).unwrap();
    assert_eq!((said.code, &document["condition_code"]), (8, &json!(8)));
    assert_eq!(document["queue_manager"], "QM1");
    let names = document["names"].as_array().unwrap();
    let became: Vec<_> = names.iter().map(|name| name["became"].as_str().unwrap()).collect();
    assert_eq!(became, ["gone", "stays", "gone"]);
    assert!(names[1]["why"].as_str().unwrap().contains("IGG0CLFC-8") && names[0].get("why").is_none());
    assert_eq!(document["statements"].as_array().unwrap().len(), 2);
    for empty in ["bsds_copies_left", "kept_and_gone", "others"] {
        assert_eq!(document[empty], json!([]), "{empty}");
    }
}
