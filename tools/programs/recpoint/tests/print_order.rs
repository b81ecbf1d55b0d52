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
        let (said, _) = register(&output, &["--trust", "--at", "2026-11-26T10:50:00Z"]);
        assert_eq!(said.code, if fits { 4 } else { 12 }, "{time}: {}", said.err);
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
    if std::path::Path::new("/usr/share/zoneinfo/Europe/Berlin").exists() {
        assert_eq!(at(&["--time-zone", "Europe/Berlin"]), "2026-11-26T09:47:37Z");
    }
    // The sign of a POSIX zone means the opposite.
    for none in ["Mars/Olympus", "CET+1", "CET-1", "1", "", "+25:00"] {
        let (said, _) = register(&past, &[&format!("--time-zone={none}")]);
        assert_eq!(said.code, 12, "{none}");
        assert!(said.err.contains(&format!("'{none}' is no time zone")), "{none}: {}", said.err);
    }
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
    let later = |time: &str| changed(&before, "10:46:37", time);
    // One map, pasted twice; and with a blank line more.
    refused(&with(&before, &before), "THE SECOND ONE COMES LATER, AND IS NO COPY OF THE FIRST");
    refused(&with(&before, &format!("{before}\n")), "IS NO COPY OF THE FIRST");
    refused(&with(&after, &before), "THE SECOND ONE COMES LATER");
    // Both were printed behind the copies, or before them.
    refused(&with(&later("10:57:00"), &after), "NOT BEFORE AND AFTER THEM");
    refused(&with(&before, &later("10:47:00")), "NOT BEFORE AND AFTER THEM");
    // SYSTEM TIMESTAMP is local, and an hour ahead of the other times.
    let gmt = |map: &str, hour: &str| {
        let printed = changed(map, " 10:", &format!(" {hour}:"));
        changed(&printed, "LTIME= 9:14:36.07", "LTIME=10:14:36.07")
    };
    for zone in [&[][..], &["--time-zone", "+01:00"]] {
        let (said, _) = register(&with(&gmt(&before, "09"), &gmt(&after, "09")), zone);
        assert_eq!(said.code, 0, "{}", said.err);
    }
    for hour in ["08", "11"] {
        refused(&with(&gmt(&before, hour), &gmt(&after, hour)), "NOT BEFORE AND AFTER THEM");
    }
    let untimed = |map: &str| {
        let map = changed(map, "26 NOV 2026", "           ");
        map.lines()
            .filter(|line| !line.trim_start().starts_with("10:"))
            .map(|line| format!("{line}\n"))
            .collect::<String>()
    };
    refused(&with(&untimed(&before), &after), "DOES NOT SAY WHEN IT WAS PRINTED");
    refused(&with(&before, &untimed(&after)), "DOES NOT SAY WHEN IT WAS PRINTED");
    // Where the last checkpoint has no time, the zone says how far local time is ahead, else any does.
    let bare = |map: &str| changed(map, " TIME OF CHECKPOINT             09:14:30 NOVEMBER 26, 2026\n", "");
    let (bare_before, bare_after) = (bare(&gmt(&before, "09")), bare(&gmt(&after, "09")));
    for (zone, code) in [(&[][..], 0), (&["--time-zone", "+01:00"], 0), (&["--time-zone", "+02:00"], 12)] {
        let (said, _) = register(&with(&bare_before, &bare_after), zone);
        assert_eq!(said.code, code, "{zone:?}: {}", said.err);
    }
}

#[test]
fn copies_of_before_the_stop_make_no_full_point() {
    let [usage, before, zero, one, after] = full();
    let usage = changed(&usage, " 10:46:37", " 08:45:00");
    for hour in ["03", "08", "09"] {
        let copied = |part: &str| changed(part, "TIME: 10:4", &format!("TIME: {hour}:0"));
        let output = [usage.clone(), before.clone(), copied(&zero), copied(&one), after.clone()];
        refused(&output, "BEFORE THE QUEUE MANAGER STOPPED: ITS SYSTEM TIMESTAMP IS 2026-11-26T09:14:36");
    }
    let without =
        |map: &str| changed(map, "         SYSTEM TIMESTAMP   - DATE=2026.330   LTIME= 9:14:36.07\n", "");
    refused(&[usage, without(&before), zero, one, without(&after)], "THE LOG MAP HAS NO SYSTEM TIMESTAMP");
}

#[test]
fn a_usage_without_a_day_is_believed_with_trust_alone() {
    let [usage, zero, one, archived] = fuzzy();
    let plain = changed(&usage, "CSQU001I CSQUTIL Queue Manager Utility - 2026-11-26 10:46:37\n", "");
    let logged: String = plain.lines().map(|line| format!(" 10.40.00 JOB01234  {line}\n")).collect();
    for undated in [plain, logged] {
        let output = [undated, zero.clone(), one.clone(), archived.clone()];
        refused(&output, "NOTHING SAYS ON WHICH DAY DISPLAY USAGE WAS ANSWERED, AND");
        let (said, point) = register(&output, &["--trust"]);
        assert_eq!((said.code, point.unwrap()["evidence"].as_str()), (4, Some("trusted")), "{}", said.err);
    }
    // A line of the job log says the day.
    let day = " 10.40.00 JOB01234 ---- THURSDAY,  26 NOV 2026 ----\n";
    let dated: String = usage.lines().map(|line| format!(" 10.40.00 JOB01234  {line}\n")).collect();
    let (said, point) = register(&[day.to_owned() + &dated, zero, one, archived], &[]);
    assert_eq!((said.code, point.unwrap()["evidence"].as_str()), (0, Some("clean")), "{}", said.err);
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
