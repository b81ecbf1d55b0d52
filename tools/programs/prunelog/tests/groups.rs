//! Plans of queue sharing groups: what a recovery of structures reads stays on every member, and what is not known is refused.

mod group;
mod host;
mod site;

use std::fs;

use group::{Backup, EPOCH, Group, Member, Row, SECOND, Shared};
use host::Random;
use serde_json::Value;
use site::{Said, prunelog};

/// The seed of a run, or the one that failed.
fn seed() -> u64 {
    std::env::var("HIGHWATER_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_127)
}

/// What the program says of these listings.
fn plan(ledger: &str, listing: &str, more: &[&str]) -> Said {
    let scratch = tempfile::tempdir().unwrap();
    let path = |name: &str, text: &str| {
        let path = scratch.path().join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let (ledger, listing) = (path("ledger.json", ledger), path("listing.txt", listing));
    let arguments = ["plan", "--ledger", &ledger, "--listing", &listing, "--keep-last", "1"];
    prunelog(&[&arguments, more].concat())
}

/// The plan of one member.
fn plan_of(group: &Group, listing: &str, member: usize, margin: &str) -> Said {
    let name = &group.members[member].host.name;
    let more = ["--json", "--max-delete", "100", "--margin", margin, "--queue-manager", name];
    plan(&group.ledger(), listing, &more)
}

/// Asserts that of a member there is no plan, and of the site no line.
#[track_caller]
fn refuses(ledger: &str, listing: &str, member: &str, id: &str, number: usize) -> String {
    let one = plan(ledger, listing, &["--queue-manager", member]);
    let all = plan(ledger, listing, &[]);
    for said in [&one, &all] {
        let about = format!("HIGHWATER_SEED={} {number} {member}: {}", seed(), said.err);
        assert_eq!((said.code, said.out.as_str()), (12, ""), "{about}");
        assert!(said.err.contains(id), "{id} is not in {about}");
    }
    one.err
}

fn gone(plan: &Value) -> Vec<String> {
    let list = plan["delete"].as_array().unwrap();
    let mut names: Vec<String> = list.iter().map(|log| log["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names.dedup();
    names
}

/// From where on the rows of a map hold what was written since an LRSN and up to ten minutes before; none where that may be lost.
fn since(rows: &[Row], lrsn: u64) -> Option<u64> {
    let from = lrsn - 600 * SECOND - 0xFFFF;
    let last =
        rows.iter().filter(|row| row.lrsn.is_some_and(|first| first <= from)).map(|row| row.lrsn).max();
    if let Some(last) = last {
        return rows.iter().filter(|row| row.lrsn == last).map(|row| row.start).min();
    }
    let lowest = rows[0].start;
    let in_time = rows[0].lrsn.is_none_or(|first| first <= lrsn);
    (lowest == 0 || in_time).then_some(lowest)
}

/// What the rule says of a group.
enum Wanted {
    Refused,
    /// From where on the structures hold the log of each member; none where they do not.
    From(Vec<Option<u64>>),
}

fn wanted(group: &Group) -> Wanted {
    let rows: Vec<Vec<Row>> = group.members.iter().map(Member::rows).collect();
    let mut floors: Vec<Option<u64>> = vec![None; rows.len()];
    let lower = |floor: &mut Option<u64>, rba: u64| *floor = Some(floor.map_or(rba, |known| known.min(rba)));
    for backup in recoverable(group) {
        let Some(backup) = backup else {
            floors.iter_mut().zip(&rows).for_each(|(floor, rows)| lower(floor, rows[0].start));
            continue;
        };
        let begun = rows[backup.by].iter().filter(|row| row.start <= backup.start && row.lrsn.is_some());
        let Some(lrsn) = begun.filter_map(|row| row.lrsn).max() else { return Wanted::Refused };
        lower(&mut floors[backup.by], backup.start);
        for reader in backup.logs.iter().chain([&backup.by]) {
            // Where no row has an LRSN, nothing compares.
            let known = rows[*reader].iter().any(|row| row.lrsn.is_some());
            let Some(from) = since(&rows[*reader], lrsn).filter(|_| known) else { return Wanted::Refused };
            lower(&mut floors[*reader], from);
        }
        for (place, _) in group.members.iter().enumerate().filter(|(_, member)| member.oldest.is_none()) {
            if !backup.logs.contains(&place) && place != backup.by {
                lower(&mut floors[place], since(&rows[place], lrsn).unwrap_or(rows[place][0].start));
            }
        }
    }
    for (place, member) in group.members.iter().enumerate() {
        let Some(oldest) = member.oldest else { continue };
        let oldest = if member.wide { oldest } else { oldest & !0xFFFF };
        lower(&mut floors[place], since(&rows[place], oldest).unwrap_or(rows[place][0].start));
    }
    Wanted::From(floors)
}

/// The backups of structures that can be recovered.
fn recoverable(group: &Group) -> impl Iterator<Item = &Option<Backup>> {
    group.structures.iter().filter(|shared| shared.recover != Some(false)).flat_map(|shared| &shared.backups)
}

/// The records of a member that a recovery of some structure reads.
fn read_by_recoveries(group: &Group, place: usize) -> Vec<u64> {
    let member = &group.members[place];
    let mut read = Vec::new();
    for backup in recoverable(group) {
        let needs = |rba: u64, lrsn: Option<u64>| match backup {
            None => true,
            Some(backup) => {
                let changed = backup.logs.contains(&place)
                    && lrsn.is_some_and(|lrsn| lrsn >= backup.lrsn - backup.exclude);
                changed || (backup.by == place && (backup.start..=backup.end).contains(&rba))
            }
        };
        read.extend(member.records.iter().filter(|(rba, lrsn)| needs(*rba, *lrsn)).map(|(rba, _)| *rba));
    }
    read
}

#[test]
fn random_groups_keep_what_a_recovery_of_their_structures_reads() {
    let mut random = Random(seed());
    let (mut refused, mut binding, mut free, mut nothing) = (0, 0, 0, 0);
    for number in 0..120 {
        let group = Group::random(&mut random);
        let listing = group.listings(random.below(group.members.len() as u64) as usize);
        let margin = [0, 3][random.below(2) as usize];
        let wanted = wanted(&group);
        for (place, member) in group.members.iter().enumerate() {
            let Wanted::From(floors) = &wanted else {
                refuses(&group.ledger(), &listing, &member.host.name, "HWT9", number);
                refused += 1;
                continue;
            };
            let said = plan_of(&group, &listing, place, &margin.to_string());
            let about =
                format!("HIGHWATER_SEED={} group {number} {}: {}", seed(), member.host.name, said.err);
            assert!(said.code == 0 || said.code == 4, "{about}");
            let plan: Value = serde_json::from_str(&said.out).expect(&about);
            let gone = gone(&plan);
            let archives: Vec<_> = member.host.archives.iter().flatten().collect();
            for archive in archives.iter().filter(|archive| gone.contains(&archive.name)) {
                let range = archive.volumes[0].1..=archive.last();
                let read = read_by_recoveries(&group, place).into_iter().find(|rba| range.contains(rba));
                assert_eq!(read, None, "{about}\n{} goes", archive.name);
            }
            let (floor, alone) = member.host.may_go(1, margin).unwrap_or_default();
            let floor = floors[place].map_or(floor, |structures| structures.min(floor));
            let old = archives.iter().filter(|archive| archive.last() < floor);
            let mut names: Vec<String> = old.map(|archive| archive.name.clone()).collect();
            names.sort();
            assert_eq!(gone, names, "{about}\nfrom {floor:016X}");
            match (names.is_empty(), names == alone) {
                (true, _) => nothing += 1,
                (false, true) => free += 1,
                (false, false) => binding += 1,
            }
        }
    }
    let counts = [refused, binding, free, nothing];
    assert!(counts.iter().all(|count| *count >= 10), "refused, held by structures, not, nothing: {counts:?}");
}

/// Three quiet members: Q000 begins its data sets at full hours, Q001 at half past, Q002 at a quarter to. APP1 was backed up by Q000 in its
/// twenty-sixth data set, and is used by Q001 too; APP2 cannot be recovered.
fn quiet() -> Group {
    let mut members = vec![Member::quiet(0, 0), Member::quiet(1, 1800), Member::quiet(2, 2700)];
    members[2].oldest = Some(EPOCH + (29 * 3600 + 3400) * SECOND);
    let start = 25 * 0x1_0000 + 0x2000;
    let backup = Backup {
        by: 0,
        start,
        end: start + 0x1000,
        lrsn: EPOCH + (25 * 3600 + 450) * SECOND,
        exclude: 30 * SECOND,
        logs: vec![0, 1],
    };
    let structure =
        |name: &str, recover, backup| Shared { name: name.to_owned(), recover, backups: vec![backup] };
    Group {
        members,
        structures: vec![structure("APP1", Some(true), Some(backup)), structure("APP2", Some(false), None)],
    }
}

/// How many archives of a member go.
fn count(group: &Group, listing: &str, member: usize) -> (usize, Value) {
    let said = plan_of(group, listing, member, "0");
    assert!(said.code <= 4, "{}", said.err);
    let plan: Value = serde_json::from_str(&said.out).unwrap();
    (gone(&plan).len(), plan)
}

#[test]
fn each_member_keeps_log_from_the_data_set_that_holds_the_lrsn() {
    let group = quiet();
    let all = group.listings(2);
    // The data set of the backup begins at a full hour, and ten minutes before that count: 24 on Q000, and 24 on Q001, which began half an
    // hour before the hour. Q002 did not use the structure: its point of recovery alone holds log.
    assert_eq!([0, 1, 2].map(|member| count(&group, &all, member).0), [24, 24, 29]);
    let (_, plan) = count(&group, &all, 1);
    assert_eq!(plan["boundary"], "0000000000180000");
    assert_eq!(plan["boundary_holder"], "structure APP1 (backed up by Q000) today");
    let by_members: Vec<&str> = vec!["Q000", "Q001", "Q002"];
    let said = self::plan(&group.ledger(), &all, &["--margin", "0"]);
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!(lines.len(), 3, "{}{}", said.out, said.err);
    assert!(lines.iter().zip(by_members).all(|(line, name)| line.starts_with(name)), "{}", said.out);
}

/// All listings of a group, where some are of this text instead.
fn with(group: &Group, own: [&str; 3], answers: &str) -> String {
    let own = own.iter().zip(&group.members).map(|(text, member)| match *text {
        "" => member.listings(),
        text => text.to_owned(),
    });
    own.collect::<String>() + answers
}

/// The map without the rows of these data sets.
fn without_rows(map: &str, is_lost: impl Fn(usize) -> bool) -> String {
    let lost: Vec<String> =
        (0..30).filter(|place| is_lost(*place)).map(|place| format!("ARCHLOG1.A{:07}", place + 1)).collect();
    let mut lines = Vec::new();
    let mut below = 0;
    for line in map.lines() {
        // Its LRSNs and its attributes stand below it.
        if lost.iter().any(|name| line.contains(name.as_str())) {
            below = 3;
        }
        if below == 0 {
            lines.push(line);
        }
        below = usize::saturating_sub(below, 1);
    }
    lines.join("\n") + "\n"
}

/// The map without the LRSNs of its rows.
fn without_lrsns(map: &str) -> String {
    let is_lrsns = |line: &str| line.split_whitespace().count() == 4 && line.ends_with(" /");
    map.lines().filter(|line| !is_lrsns(line)).map(|line| format!("{line}\n")).collect()
}

#[test]
fn a_backup_leaves_out_what_changed_just_before_it() {
    // The data set of the backup began at 25:00. A row that began ten minutes before that, or later, is not the first that is needed.
    for (late, kept_from) in [(2999, 24), (3001, 23)] {
        let mut group = quiet();
        group.members[1] = Member::quiet(1, late);
        assert_eq!(count(&group, &group.listings(0), 1).0, kept_from, "{late}");
    }
}

#[test]
fn volumes_with_the_lrsns_of_their_archive_are_one() {
    let mut group = quiet();
    group.members[1].whole_archives = true;
    let (first, last) = (24 * 0x1_0000, 25 * 0x1_0000 - 1);
    let middle = first + 0x8000;
    group.members[1].host.archives[0][24].volumes =
        vec![("V00024".to_owned(), first, middle - 1), ("W00024".to_owned(), middle, last)];
    let (gone, plan) = count(&group, &group.listings(0), 1);
    assert_eq!((gone, &plan["boundary"]), (24, &"0000000000180000".into()));
}

#[test]
fn a_structure_that_was_never_backed_up_holds_all_log_of_all_members() {
    let mut group = quiet();
    group.structures[0].backups = vec![None];
    for recover in [Some(true), None] {
        group.structures[0].recover = recover;
        let all = group.listings(1);
        for member in 0..3 {
            let (gone, plan) = count(&group, &all, member);
            assert_eq!(gone, 0);
            assert_eq!(plan["boundary_holder"], "structure APP1 today, never backed up");
            assert!(plan["warnings"].to_string().contains("STRUCTURE APP1 WAS NEVER BACKED UP"));
        }
    }
    // Where the log begins later, that is all there is.
    let members: Vec<String> = group
        .members
        .iter()
        .map(|member| without_rows(&member.map(), |row| row < 2) + &member.usage())
        .collect();
    let answers = group.cfstruct(0) + &group.cfstatus(0, 0);
    let all = with(&group, [&members[0], &members[1], &members[2]], &answers);
    for member in 0..3 {
        let (gone, plan) = count(&group, &all, member);
        assert_eq!(gone, 0);
        assert_eq!(plan["boundary"], "0000000000020000");
        assert_eq!(plan["boundary_holder"], "structure APP1 (never backed up) today");
        assert!(plan["warnings"].to_string().contains("HWT809W"));
    }
    group.structures[0].recover = Some(false);
    group.members.iter_mut().for_each(|member| member.oldest = None);
    assert_eq!([0, 1, 2].map(|member| count(&group, &group.listings(1), member).0), [29; 3]);
}

#[test]
fn of_several_answers_the_lowest_counts() {
    let mut group = quiet();
    let oldest = group.members[2].oldest;
    group.members.iter_mut().for_each(|member| member.oldest = oldest);
    let mut older = group.clone();
    let backup = older.structures[0].backups[0].as_mut().unwrap();
    (backup.start, backup.end, backup.logs) = (20 * 0x1_0000, 20 * 0x1_0000 + 0x1000, vec![2]);
    let mut never = group.clone();
    never.structures[0].backups = vec![None];
    let mut cannot = group.clone();
    cannot.structures[0].recover = Some(false);
    let all = group.listings(0);
    // Q002 was read then, and Q001 is now.
    let both = all.clone() + &older.cfstatus(1, 0);
    assert_eq!([0, 1, 2].map(|member| count(&group, &both, member).0), [19, 24, 19]);
    let both = older.listings(2) + &group.cfstatus(1, 0);
    assert_eq!([0, 1, 2].map(|member| count(&group, &both, member).0), [19, 24, 19]);
    let both = all.clone() + &never.cfstatus(1, 0);
    assert_eq!([0, 1, 2].map(|member| count(&group, &both, member).0), [0; 3]);
    let both = cannot.cfstruct(1) + &all + &cannot.cfstruct(2);
    assert_eq!([0, 1, 2].map(|member| count(&group, &both, member).0), [24, 24, 29]);
}

#[test]
fn the_third_row_of_the_usage_holds_log_too() {
    let mut group = quiet();
    group.members[2].oldest = Some(EPOCH + 20 * 3600 * SECOND);
    let (gone, plan) = count(&group, &group.listings(0), 2);
    assert_eq!(
        (gone, &plan["boundary_holder"]),
        (19, &"structure with the oldest backup (CSQI070I) today".into())
    );
    // Older than all log that there is: that holds all of it, and says nothing of a loss.
    group.members[2].oldest = Some(EPOCH - 86_400 * SECOND);
    assert_eq!(count(&group, &group.listings(0), 2).0, 0);
    let later = without_rows(&group.members[2].map(), |row| row < 2) + &group.members[2].usage();
    let all = with(&group, ["", "", &later], &(group.cfstruct(0) + &group.cfstatus(0, 0)));
    let (gone, plan) = count(&group, &all, 2);
    assert_eq!((gone, &plan["boundary"]), (0, &"0000000000020000".into()));
}

#[test]
fn a_member_without_a_third_row_may_have_used_every_structure() {
    let mut group = quiet();
    assert_eq!(count(&group, &group.listings(0), 2).0, 29);
    group.members[2].oldest = None;
    let (gone, plan) = count(&group, &group.listings(0), 2);
    assert_eq!((gone, &plan["boundary_holder"]), (24, &"structure APP1 (backed up by Q000) today".into()));
    // What cannot be told is kept, and no reason to refuse: nothing says that this log is needed.
    for map in [without_rows(&group.members[2].map(), |row| row < 26), without_lrsns(&group.members[2].map())]
    {
        let own = map + &group.members[2].usage();
        let all = with(&group, ["", "", &own], &(group.cfstruct(0) + &group.cfstatus(0, 0)));
        assert_eq!(count(&group, &all, 2).0, 0);
    }
}

#[test]
fn rows_without_lrsns_are_decided_by_those_below() {
    let mut group = quiet();
    // The backup is in the active log, whose LRSN is not printed: it began in the data set before, at the earliest.
    for member in &mut group.members {
        (member.active_lrsns, member.zeros) = (false, false);
    }
    let backup = group.structures[0].backups[0].as_mut().unwrap();
    (backup.start, backup.end) = (30 * 0x1_0000 + 0x100, 30 * 0x1_0000 + 0x200);
    assert_eq!([0, 1].map(|member| count(&group, &group.listings(0), member).0), [28, 28]);
    // Q001 came into the group with its last data set but one, and may have used the structure in all of its log that shows no LRSN.
    group.members[1].joined = 29 * 0x1_0000;
    assert_eq!(count(&group, &group.listings(0), 1).0, 0);
}

#[test]
fn a_group_without_structures_is_planned_member_by_member() {
    let mut group = quiet();
    group.structures.clear();
    let said = refuses(
        &group.ledger(),
        &with(&group, ["", "", ""], &(group.cfstruct(1) + &group.cfstatus(2, 0))),
        "Q001",
        "HWT923E",
        0,
    );
    assert!(said.contains("A STRUCTURE WAS BACKED UP AT LRSN"), "{said}");
    group.members.iter_mut().for_each(|member| member.oldest = None);
    let all = with(&group, ["", "", ""], &(group.cfstruct(1) + &group.cfstatus(2, 0)));
    assert!(all.contains("CSQM297I"));
    assert_eq!([0, 1, 2].map(|member| count(&group, &all, member).0), [29; 3]);
}

#[test]
fn what_is_missing_of_a_group_is_refused_by_name() {
    let group = quiet();
    let ledger = group.ledger();
    let refused = |listing: &str, word: &str| {
        let said = refuses(&ledger, listing, "Q002", "HWT911E", 0);
        assert!(said.contains(word), "{word} is not in {said}");
    };
    let (structures, backups) = (group.cfstruct(2), group.cfstatus(2, 0));
    refused(&with(&group, ["", "", ""], ""), "DISPLAY CFSTRUCT");
    refused(&with(&group, ["", "", ""], &backups), "DISPLAY CFSTRUCT");
    refused(&with(&group, ["", "", ""], &structures), "DISPLAY CFSTATUS TYPE(BACKUP)");
    let both = structures + &backups;
    let quiet = |text: &str| text.to_owned() + "IEF142I JOB1 STEP1 - STEP WAS EXECUTED - COND CODE 0000\n";
    // One that used the structure, and the one that backed it up.
    refused(&with(&group, ["", &quiet(""), ""], &both), "THE LOG OF Q001, AND ITS LISTINGS ARE MISSING");
    refused(&with(&group, [&quiet(""), "", ""], &both), "THE LOG OF Q000, AND ITS LISTINGS ARE MISSING");
    refused(&with(&group, ["", &group.members[1].map(), ""], &both), "Q001: CSQI010I IS MISSING");
    refused(&with(&group, ["", &group.members[1].usage(), ""], &both), "Q001: THE LOG MAP IS MISSING");
}

#[test]
fn an_answer_about_some_structures_alone_is_refused() {
    let group = quiet();
    let mut hidden = group.clone();
    hidden.structures.push(Shared { name: "APP9".to_owned(), recover: Some(true), backups: vec![None] });
    let (answer, backups) = (group.structures_answer(1), group.cfstatus(0, 0));
    let with =
        |commands: &str, answer: &str| with(&group, ["", "", ""], &format!("{commands}{answer}{backups}"));
    let refused = |listing: &str, why: &str| {
        let said = refuses(&group.ledger(), listing, "Q001", "HWT923E", 0);
        assert!(said.contains(why), "{why} is not in {said}");
    };
    refused(&with("", &answer), "THE COMMAND IS NOT ABOVE THE ANSWER");
    for (command, why) in [
        ("DISPLAY CFSTRUCT(APP1) ALL\n", "DISPLAY CFSTRUCT(APP1) ALL IS NOT OF ALL STRUCTURES"),
        (" 10.46.37 STC00103  -Q001 DIS CFSTRUCT(AP*)\n", "DISPLAY CFSTRUCT(AP*) IS NOT OF ALL STRUCTURES"),
        ("DIS CFSTRUCT(*) +\n  WHERE(CFLEVEL EQ 5)\n", "IS NOT OF ALL STRUCTURES"),
        ("DIS CFSTATUS(*) TYPE(BACKUP)\n", "THE COMMAND IS NOT ABOVE THE ANSWER"),
    ] {
        refused(&with(command, &answer), why);
    }
    // One answer of all of them is enough, whatever others are of.
    let both = with("", &format!("{answer}{}", group.cfstruct(0)));
    assert_eq!(count(&group, &both, 1).0, count(&group, &group.listings(0), 1).0);
    // What hides a structure shows it.
    let all = hidden.members.iter().map(Member::listings).collect::<String>();
    let shown = all + &answer + &hidden.cfstruct(2) + &hidden.cfstatus(0, 0);
    assert_eq!(count(&group, &shown, 1).0, 0);
    // That there is none is not said by an answer for some names.
    let mut none = group.clone();
    none.structures.clear();
    none.members.iter_mut().for_each(|member| member.oldest = None);
    let listings: String = none.members.iter().map(Member::listings).collect();
    let answers = none.structures_answer(1) + &none.cfstatus(2, 0);
    refused(&(listings.clone() + &answers), "THE COMMAND IS NOT ABOVE THE ANSWER");
    refused(&(listings + "DISPLAY CFSTRUCT(APPL*) ALL\n" + &answers), "IS NOT OF ALL STRUCTURES");
}

#[test]
fn an_answer_about_structures_of_an_earlier_day_is_refused() {
    let group = quiet();
    let run = |day: &str| format!("CSQU001I CSQUTIL Queue Manager Utility - {day} 10:00:00\n");
    let own: String =
        group.members.iter().map(|member| member.map() + &run("2026-11-26") + &member.usage()).collect();
    let with = |days: &[&str]| {
        let answers = days.iter().map(|day| run(day) + &group.cfstruct(0) + &group.cfstatus(1, 0));
        own.clone() + &answers.collect::<String>()
    };
    let whole = count(&group, &group.listings(0), 1).0;
    for days in [&["2026-11-26"][..], &["2026-11-25"], &["2026-11-30"], &["2026-09-01", "2026-11-26"]] {
        assert_eq!(count(&group, &with(days), 1).0, whole, "{days:?}");
    }
    for days in [&["2026-11-24"][..], &["2026-09-01"], &["2026-09-01", "2026-09-02"]] {
        let said = refuses(&group.ledger(), &with(days), "Q001", "HWT923E", 0);
        assert!(said.contains("THE ANSWER TO DISPLAY CFSTRUCT WAS PRINTED ON 2026-"), "{days:?}: {said}");
    }
}

#[test]
fn what_does_not_fit_in_a_group_is_refused_by_name() {
    let group = quiet();
    let ledger = group.ledger();
    let answers = group.cfstruct(2) + &group.cfstatus(2, 0);
    let refused = |id: &str, listing: &str| refuses(&ledger, listing, "Q002", id, 0);
    let map = |member: usize| group.members[member].map();
    let usage = |member: usize| group.members[member].usage();
    let own = |member: usize, map: String| {
        let text = map + &usage(member);
        let mut all = ["", "", ""];
        all[member] = &text;
        with(&group, all, &answers)
    };
    let alone = |member: usize| map(member).replace("OF GROUP 'QSG1    '", "OF GROUP 'NO NAME '");

    // Signs of a group that the map does not name.
    let unnamed = |listing: &str| {
        let said = refused("HWT916E", listing);
        assert!(said.contains("IS IN A QUEUE SHARING GROUP BY"), "{said}");
    };
    // LRSNs in a map that names none are one.
    unnamed(&own(1, alone(1)));
    unnamed(&own(2, alone(2)));
    let mut shown = group.clone();
    shown.members[1].oldest = Some(EPOCH);
    unnamed(&with(&group, ["", &(alone(1) + &shown.members[1].usage()), ""], &answers));
    let written = "         HIGHEST RBA WRITTEN";
    unnamed(&own(1, alone(1).replace(written, &format!(" DATA SHARING MODE IS ON\n{written}"))));
    unnamed(&own(1, map(1) + &alone(1).replace("COPY 1, DSN=Q001.BSDS01", "COPY 2, DSN=Q001.BSDS02")));
    let other = map(1).replace("'QSG1    '", "'QSG2    '");
    let said = refused("HWT916E", &(own(1, other) + &group.cfstruct(1)));
    assert!(said.contains("NEEDS THE LOG OF Q001, WHICH IS NOT IN THE GROUP"), "{said}");

    // Answers that do not fit together.
    let mut more = group.clone();
    more.structures.push(Shared { name: "APP9".to_owned(), recover: Some(true), backups: vec![None] });
    refused("HWT923E", &with(&group, ["", "", ""], &(more.cfstruct(0) + &group.cfstatus(0, 0))));
    refused("HWT923E", &with(&group, ["", "", ""], &(group.cfstruct(0) + &more.cfstatus(0, 0))));
    let event = "CSQE120I !Q001 CSQELBK2 Backup of structure APP9 started at RBA=0000000000001000\n";
    refused("HWT923E", &(group.listings(0) + event));

    // Backups that are not in the log of who took them.
    let mut beyond = group.clone();
    let backup = beyond.structures[0].backups[0].as_mut().unwrap();
    backup.end = group.members[0].host.written + 1;
    refused("HWT913E", &beyond.listings(1));
    let said = refused("HWT918E", &own(0, without_rows(&map(0), |row| row == 25)));
    assert!(
        said.contains("0000000000192000, the backup of structure APP1 by Q000, IS IN NO DATA SET"),
        "{said}"
    );

    // Log of a reader that begins too late; ten minutes are a margin, and nothing is lost for them.
    let said = refused("HWT918E", &own(1, without_rows(&map(1), |row| row < 26)));
    assert!(said.contains("Q001") && said.contains("AND IS NEEDED SINCE"), "{said}");
    let mut just = group.clone();
    just.members[1] = Member::quiet(1, 3590);
    let begun = without_rows(&just.members[1].map(), |row| row < 24) + &just.members[1].usage();
    assert_eq!(count(&just, &with(&just, ["", &begun, ""], &answers), 1).0, 0);

    // LRSNs that do not compare.
    for member in [0, 1] {
        refused("HWT924E", &own(member, without_lrsns(&map(member))));
        let fifth = format!(" {:012X} /", (EPOCH + (5 * 3600 + 1800 * member as u64) * SECOND) >> 16);
        assert!(map(member).contains(&fifth));
        refused("HWT924E", &own(member, map(member).replace(&fifth, " E3FF00000000 /")));
        refused("HWT924E", &own(member, map(member).replace(&fifth, " 00E300000000 /")));
    }
    shown.members[1].oldest = Some(0x00E3_0000_0000_0000);
    refused("HWT924E", &shown.listings(0));
}
