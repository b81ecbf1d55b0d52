//! Jobs for a site: from a policy to the statements that leave the program.

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
