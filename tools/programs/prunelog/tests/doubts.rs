//! Listings of real sites that look right and are not: what is doubtful holds log, or is refused.

mod host;
mod site;

use std::fs;

use host::Host;
use serde_json::Value;
use site::{Said, prunelog};

fn said(ledger: &str, listing: &str, more: &[&str]) -> Said {
    let scratch = tempfile::tempdir().unwrap();
    let (book, listed) = (scratch.path().join("ledger.json"), scratch.path().join("listing.txt"));
    fs::write(&book, ledger).unwrap();
    fs::write(&listed, listing).unwrap();
    let (book, listed) = (book.display().to_string(), listed.display().to_string());
    let arguments = ["plan", "--ledger", &book, "--listing", &listed, "--max-delete", "100"];
    prunelog(&[&arguments[..], more].concat())
}

/// How many names go, and what was said.
fn gone(ledger: &str, listing: &str) -> (usize, String) {
    let said = said(ledger, listing, &["--json", "--keep-last", "1"]);
    assert!(said.code <= 8, "{}", said.err);
    let plan: Value = serde_json::from_str(&said.out).unwrap();
    (plan["delete"].as_array().unwrap().len(), said.err)
}

fn refused(ledger: &str, listing: &str, id: &str) -> String {
    let said = said(ledger, listing, &["--keep-last", "1"]);
    assert_eq!((said.code, said.out.as_str()), (12, ""), "{}", said.err);
    assert!(said.err.contains(id), "{}", said.err);
    said.err
}

struct Site {
    host: Host,
    map: String,
    usage: String,
    ledger: String,
}

fn site() -> Site {
    let host = Host::plain();
    let (map, usage, ledger) = (host.map(), host.usage(), Host::ledger(&[&host]));
    Site { host, map, usage, ledger }
}

#[test]
fn a_point_behind_a_conditional_restart_counts_for_nothing() {
    let Site { map, usage, ledger, .. } = site();
    let record = |created: &str, end: &str| {
        map.replace(
            " CSQJ401E CSQJU004 RECORD NOT FOUND - RESTART CONTROL\n",
            &format!(
                "                             CONDITIONAL RESTART CONTROL RECORD\n         CRCR IDENTIFIER              0001\n         \
                 RECORD STATUS\n           CRCR NOT ACTIVE\n         ENDRBA                       {end}\n         \
                 CRCR CREATED                 09:30:00 {created}\n"
            ),
        ) + &usage
    };
    assert_eq!(gone(&ledger, &(map.clone() + &usage)).0, 18);
    // The point is of October 1 and ends at 14FFFF.
    for (created, end) in [("OCTOBER 2, 2026", "000000140000"), ("SEPTEMBER 30, 2026", "00000014F000")] {
        let (count, said) = gone(&ledger, &record(created, end));
        assert!(count == 0 && said.contains("HWT925W POINT P0 COUNTS FOR NOTHING"), "{created}: {said}");
    }
    for (created, end) in [("OCTOBER 2, 2026", "000000150000"), ("SEPTEMBER 1, 2026", "000000140000")] {
        assert_eq!(gone(&ledger, &record(created, end)).0, 18, "{created}");
    }
}

#[test]
fn a_partial_answer_hides_no_page_set() {
    let Site { host, map, usage, ledger } = site();
    let whole = Host { page_sets: 3, ..host }.usage();
    // Page sets 1 and 2 are in no point.
    assert_eq!(gone(&ledger, &(map.clone() + &whole)).0, 0);
    assert_eq!(gone(&ledger, &(map.clone() + &whole + &usage)).0, 0);
    assert_eq!(gone(&ledger, &(map.clone() + &usage + &whole)).0, 0);
    let row = usage.lines().find(|line| line.starts_with("_  0")).unwrap();
    let said = refused(&ledger, &(map.clone() + &usage.replace(&format!("{row}\n"), "")), "HWT911E");
    assert!(said.contains("CSQI010I"), "{said}");
    let other = usage.replace("_  0", "_  4");
    assert!(refused(&ledger, &(map + &other), "HWT911E").contains("PAGE SET 0"));
}

#[test]
fn both_rows_of_csqi070i_must_be_there() {
    let Site { map, usage, ledger, .. } = site();
    for (title, rows) in
        [("Log, oldest with active unit of work", 2), ("Log, oldest for page set recovery", 2)]
    {
        let lines: Vec<&str> = usage.lines().collect();
        let at = lines.iter().position(|line| *line == title).unwrap();
        let without = [&lines[..at], &lines[at + rows..]].concat().join("\n") + "\n";
        let said = refused(&ledger, &(map.clone() + &without), "HWT911E");
        assert!(said.contains(title), "{said}");
    }
}

fn listcat(statement: &str, entries: &[(&str, &str)]) -> String {
    let mut text = format!(
        "IDCAMS  SYSTEM SERVICES                                           TIME: 10:46:37        11/26/26     PAGE      1\n\n  {statement}\n"
    );
    for (name, created) in entries {
        text += &format!(
            "NONVSAM ------- {name}\n     IN-CAT --- CATALOG.MQ.USER\n     HISTORY\n\
             \x20      DATASET-OWNER-----(NULL)     CREATION--------{created}\n\
             \x20      RELEASE----------------2     EXPIRATION------0000.000\n     VOLUMES\n\
             \x20      VOLSER------------BK0001     DEVTYPE------X'3010200F'     FSEQN------------------0\n"
        );
    }
    text + &format!(
        "         THE NUMBER OF ENTRIES PROCESSED WAS:\n                   NONVSAM ------------------{n}\n\
         \x20                  TOTAL --------------------{n}\n\
         \x20        THE NUMBER OF PROTECTED ENTRIES SUPPRESSED WAS 0\n\
         IDC0001I FUNCTION COMPLETED, HIGHEST CONDITION CODE WAS 0\n\
         IDC0002I IDCAMS PROCESSING COMPLETE. MAXIMUM CONDITION CODE WAS 0\n",
        n = entries.len()
    )
}

#[test]
fn only_a_complete_listing_of_the_day_proves_copies() {
    let Site { map, usage, ledger, .. } = site();
    let unproved = ledger.replace(r#""evidence": "clean""#, r#""evidence": "none""#);
    let both = map + &usage;
    let count = |statement: &str, created: &str| {
        gone(&unproved, &(both.clone() + &listcat(statement, &[("BK.Q000.P00.P0", created)]))).0
    };
    assert_eq!(count("LISTCAT LEVEL(BK.Q000) ALL", "2026.274"), 18);
    assert_eq!(count("LISTCAT LEVEL(BK.Q000) ALL", "2026.275"), 18);
    assert_eq!(count("LISTCAT LEVEL(BK.Q000) ALL", "2019.100"), 0);
    assert_eq!(count("LISTCAT LEVEL(BK.Q000) ALL", "2026.273"), 18, "the zone is not known");
    // Where the local day is known, a generation of the day before is another copy.
    let dated = unproved.replace(r#""copied_by""#, r#""printed_on": "2026-10-01", "copied_by""#);
    assert_ne!(dated, unproved);
    for (created, wanted) in [("2026.273", 0), ("2026.274", 18), ("2026.275", 18), ("2026.276", 0)] {
        let text = both.clone() + &listcat("LISTCAT LEVEL(BK.Q000) ALL", &[("BK.Q000.P00.P0", created)]);
        assert_eq!(gone(&dated, &text).0, wanted, "{created}");
    }
    refused(&dated.replace("2026-10-01\", \"copied", "2026-13-01\", \"copied"), &both, "HWT908E");
    assert_eq!(count("LISTCAT ENTRIES(BK.Q000.P00.P0) ALL", "2026.274"), 0);
    assert_eq!(count("LISTCAT LEVEL(BK.Q000) CREATION(30) ALL", "2026.274"), 0);
}

#[test]
fn what_one_listing_lacks_is_not_there() {
    let Site { map, usage, ledger, .. } = site();
    let both = map + &usage;
    let has = listcat("LISTCAT LEVEL(BK.Q000) ALL", &[("BK.Q000.P00.P0", "2026.274")]);
    let empty = listcat("LISTCAT LEVEL(BK.Q000) ALL", &[]);
    assert_eq!(gone(&ledger, &(both.clone() + &has)).0, 18);
    for listing in [empty.clone(), has.clone() + &empty, empty + &has] {
        let (count, said) = gone(&ledger, &(both.clone() + &listing));
        assert!(count == 0 && said.contains("HWT904W"), "{said}");
    }
    // An archive that is needed and that the catalog does not have.
    let archives: Vec<String> = (1..=29).map(|number| format!("ARC1.Q000.ARCHLOG1.A{number:07}")).collect();
    let entries: Vec<_> = archives.iter().map(|name| (name.as_str(), "2026.270")).collect();
    let said = refused(&ledger, &(both + &listcat("LISTCAT LEVEL(ARC1.Q000) ALL", &entries)), "HWT918E");
    assert!(said.contains("ARC1.Q000.ARCHLOG1.A0000030 IS NOT IN THE CATALOG"), "{said}");
}

#[test]
fn an_alias_is_not_deleted_by_name() {
    let Site { map, usage, ledger, .. } = site();
    let entry = listcat(
        "LISTCAT ENTRIES(ARC1.Q000.ARCHLOG1.A0000001) ALL",
        &[("ARC1.Q000.ARCHLOG1.A0000001", "2026.270")],
    );
    let alias = entry.replace("NONVSAM -------", "ALIAS ---------").replace(
        "                   NONVSAM ------------------1",
        "                   ALIAS --------------------1",
    );
    let said = said(&ledger, &(map + &usage + &alias), &["--keep-last", "1", "--emit", "jcl"]);
    assert!(said.code <= 4, "{}", said.err);
    assert!(
        !said.out.contains("ARC1.Q000.ARCHLOG1.A0000001") && said.out.contains("A0000002"),
        "{}",
        said.out
    );
}

#[test]
fn volumes_are_no_checkpoints() {
    let Site { host, usage, ledger, .. } = site();
    let mut split = host.clone();
    split.checkpoints = vec![30 * 0x1_0000];
    for archive in &mut split.archives[0] {
        let (volume, start, last) = archive.volumes[0].clone();
        archive.volumes = vec![(volume, start, start + 0x7FFF), ("V99999".to_owned(), start + 0x8000, last)];
    }
    let whole = Host { checkpoints: split.checkpoints.clone(), ..host };
    let names = |host: &Host| {
        let said = said(&ledger, &(host.map() + &usage), &["--json", "--keep-last", "1"]);
        let plan: Value = serde_json::from_str(&said.out).expect(&said.err);
        let mut names: Vec<String> =
            plan["delete"].as_array().unwrap().iter().map(|entry| entry["name"].to_string()).collect();
        names.dedup();
        names
    };
    assert_eq!(names(&whole).len(), 18);
    assert_eq!(names(&split), names(&whole));
}

#[test]
fn a_point_of_other_log_at_the_same_rbas_counts_for_nothing() {
    let Site { map, usage, ledger, .. } = site();
    let later = map.replace("2026-09-29", "2026-11-25");
    let (count, said) = gone(&ledger, &(later + &usage));
    assert!(count == 0 && said.contains("HWT925W"), "{said}");
}

#[test]
fn a_copy_that_a_site_does_not_write_lacks_nothing() {
    let Site { host, usage, ledger, .. } = site();
    let actives = host.actives[0]
        .iter()
        .map(|(name, start, last, status)| (name.replace("LOGCOPY1", "LOGCOPY2"), *start, *last, *status));
    let dual_active = Host { actives: [host.actives[0].clone(), actives.collect()], ..host.clone() };
    assert_eq!(gone(&ledger, &(dual_active.map() + &usage)).0, 18);
    // Unless the header says that it writes it.
    let written = "         HIGHEST RBA WRITTEN";
    let two = dual_active
        .map()
        .replace(written, &format!("         OFFLOAD YES  TWOACTV YES  TWOARCH YES  TWOBSDS YES\n{written}"));
    refused(&ledger, &(two + &usage), "HWT918E");
    let mut dual_archives = host.clone();
    dual_archives.archives[1] = host.archives[0].clone();
    for archive in &mut dual_archives.archives[1] {
        archive.name = archive.name.replace("ARC1", "ARC2");
    }
    assert_eq!(gone(&ledger, &(dual_archives.map() + &usage)).0, 36);
}

#[test]
fn options_that_do_nothing_are_refused() {
    let Site { map, usage, ledger, .. } = site();
    for option in [&["--copy2-shorter"][..], &["--restart-within", "4h"]] {
        let said = said(&ledger, &(map.clone() + &usage), &[&["--keep-last", "1"], option].concat());
        assert!(said.code == 12 && said.err.contains("does nothing with --listing"), "{}", said.err);
    }
}
