//! recpoint register: what the times say that the output of a backup prints, and whose page sets it shows.

mod backup_output;

use backup_output::{full, fuzzy, refused, refused_with, register};

/// `text` with `from` in place of `to`, which is there.
fn changed(text: &str, from: &str, to: &str) -> String {
    let changed = text.replace(from, to);
    assert_ne!(changed, text, "{from}");
    changed
}

#[test]
fn copies_that_were_printed_before_the_usage_are_refused() {
    let [usage, zero, one, archived] = fuzzy();
    let older = |part: &str| changed(part, "11/26/26", "11/22/26");
    let output = [usage.clone(), older(&zero), older(&one), archived.clone()];
    let why = "IT WAS PRINTED AT 2026-11-22 10:47:37, BEFORE";
    refused_with(&output, &["--at", "2026-11-22T10:50:00Z"], why);
    refused_with(&output, &["--at", "2026-11-22T10:50:00Z"], "WHICH WAS PRINTED AT 2026-11-26 10:46:37");
    refused(
        &[usage.clone(), one.clone(), zero.clone(), archived.clone()],
        "IT WAS PRINTED AT 2026-11-26 10:47:37",
    );
    // A job log prints the time of day alone.
    let plain = changed(&usage, "CSQU001I CSQUTIL Queue Manager Utility - 2026-11-26 10:46:37\n", "");
    let logged =
        |time: &str| plain.lines().map(|line| format!(" {time} JOB01234  {line}\n")).collect::<String>();
    for (time, fits) in [("10.46.37", true), ("10.48.00", false), ("22.40.00", false), ("23.10.00", true)] {
        let output = [logged(time), zero.clone(), one.clone(), archived.clone()];
        let (said, _) = register(&output, &[]);
        assert_eq!(said.code, if fits { 0 } else { 12 }, "{time}: {}", said.err);
        assert!(fits || said.err.contains(", BEFORE"), "{}", said.err);
    }
    let later = changed(
        &archived,
        "CSQU127I",
        "CSQU001I CSQUTIL Queue Manager Utility - 2026-11-26 10:48:00\nCSQU127I",
    );
    refused(&[usage, zero, one, later], "IT WAS PRINTED AT 2026-11-26 10:48:00, BEFORE");
}

#[test]
fn the_moment_of_a_point_is_that_of_its_print() {
    let at = |more: &[&str]| {
        let (said, point) = register(&fuzzy(), more);
        assert_eq!(said.code, 0, "{more:?}: {}", said.err);
        point.unwrap()["at"].as_str().unwrap().to_owned()
    };
    assert_eq!(at(&["--time-zone", "UTC"]), "2026-11-26T10:47:37Z");
    assert_eq!(at(&["--time-zone", "+01:00"]), "2026-11-26T09:47:37Z");
    assert_eq!(at(&["--time-zone", "-05:30"]), "2026-11-26T16:17:37Z");
    assert_eq!(at(&["--time-zone=-05:30", "--at", "2026-11-26T20:00:00Z"]), "2026-11-26T20:00:00Z");
    assert_eq!(at(&["--at", "2026-11-27T10:00:00Z"]), "2026-11-27T10:00:00Z");
    let future = fuzzy().map(|part| part.replace("11/26/26", "11/26/95").replace("- 2026-", "- 2095-"));
    refused_with(&future, &["--time-zone", "UTC"], "WHICH IS STILL TO COME");
    let past = fuzzy().map(|part| part.replace("11/26/26", "11/26/20").replace("- 2026-", "- 2020-"));
    let apart = "IT WAS PRINTED ON 2020-11-26 AT 10:47:37, AND --at IS 2020-11-28T10:50:00 UTC";
    refused_with(&past, &["--at", "2020-11-28T10:50:00Z"], apart);
    refused_with(&past, &["--at", "2020-11-24T10:50:00Z"], "AND --at IS");
    refused_with(&past, &["--time-zone", "UTC", "--at", "2020-11-27T10:48:00Z"], "AND --at IS");
    assert_eq!(register(&past, &["--time-zone", "-01:00", "--at", "2020-11-27T10:48:00Z"]).0.code, 0);
    let (said, _) = register(&past, &["--time-zone", "Mars/Olympus"]);
    assert_eq!(said.code, 12);
    assert!(said.err.contains("'Mars/Olympus' is no time zone"), "{}", said.err);
}

#[test]
fn an_old_print_wants_a_time_zone_or_a_time() {
    // Nothing is typed.
    let past = fuzzy().map(|part| part.replace("11/26/26", "11/26/20").replace("- 2026-", "- 2020-"));
    let why = "IT WAS PRINTED ON 2020-11-26 AT 10:47:37, AND NOTHING SAYS IN WHICH TIME ZONE";
    backup_output::refused_as_typed(&past, &[], why);
}

#[test]
fn log_maps_lie_around_the_copies() {
    let [usage, before, zero, one, after] = full();
    let with = |before: &str, after: &str| [&usage, before, &zero, &one, after].map(str::to_owned);
    let at = |map: &str, time: &str| {
        changed(
            &changed(map, "10:46:37 NOV", &format!("{time} NOV")),
            "26 NOV 2026  10:46:37 ",
            "                      ",
        )
    };
    let later = |time: &str| changed(&before, "10:46:37", time);
    // One map, pasted twice; and with a blank line more.
    refused(&with(&before, &before), "THE SECOND ONE COMES LATER, AND IS NO COPY OF THE FIRST");
    refused(&with(&before, &format!("{before}\n")), "IS NO COPY OF THE FIRST");
    refused(&with(&after, &before), "THE SECOND ONE COMES LATER");
    // Both were printed behind the copies, or before them.
    refused(&with(&later("10:57:00"), &after), "NOT BEFORE AND AFTER THEM");
    refused(&with(&before, &later("10:47:00")), "NOT BEFORE AND AFTER THEM");
    // The maps print GMT, and the copies were made an hour ahead of it.
    let gmt = with(&at(&before, "09:46:37"), &at(&before, "09:58:01"));
    for zone in [&[][..], &["--time-zone", "+01:00"]] {
        let (said, _) = register(&gmt, zone);
        assert_eq!(said.code, 0, "{}", said.err);
    }
    refused_with(&gmt, &["--time-zone", "+02:00"], "NOT BEFORE AND AFTER THEM");
    // Local times, with TIME(RAW).
    assert_eq!(register(&full(), &["--time-zone", "+02:00"]).0.code, 0);
    let days_ago = gmt.map(|part| part.replace("NOVEMBER 26", "NOVEMBER 24"));
    refused(&days_ago, "NOT BEFORE AND AFTER THEM");
    let untimed = |map: &str| {
        let map = changed(map, "26 NOV 2026", "           ");
        map.lines()
            .filter(|line| !line.trim_start().starts_with("10:"))
            .map(|line| format!("{line}\n"))
            .collect::<String>()
    };
    refused(&with(&untimed(&before), &after), "DOES NOT SAY WHEN IT WAS PRINTED");
    refused(&with(&before, &untimed(&after)), "DOES NOT SAY WHEN IT WAS PRINTED");
}

#[test]
fn page_sets_of_another_queue_manager_are_refused() {
    let [usage, zero, one, archived] = fuzzy();
    let other = |part: &str| changed(part, "MQ1.PSID", "MQ2.PSID");
    let mixed = [usage, other(&zero), other(&one), archived];
    refused(&mixed, "NOTHING SAYS THAT MQ2.PSID00, PAGE SET 00, IS OF MQ1");
    refused_with(
        &mixed,
        &["--page-set", "0=MQ2.PSID00"],
        "NOTHING SAYS THAT MQ2.PSID01, PAGE SET 01, IS OF MQ1",
    );
    let typed = ["--page-set", "0=MQ2.PSID00", "--page-set", "1=MQ2.PSID01"];
    assert_eq!(register(&mixed, &typed).0.code, 0);
    // Part of a qualifier is no qualifier.
    let longer = mixed.map(|part| part.replace("MQ2.PSID", "MQ10.MQ1X.PSID"));
    refused(&longer, "NOTHING SAYS THAT MQ10.MQ1X.PSID00");
}
