//! Plans of real sites: the rule of IBM's manual on random sites, what must be refused, and the forms that files come in.

mod host;
mod site;

use std::fs;
use std::path::{Path, PathBuf};

use host::{Host, Random};
use serde_json::Value;
use site::{Said, prunelog};

/// The seed of a run, or the one that failed.
fn seed() -> u64 {
    std::env::var("HIGHWATER_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_126)
}

struct Files {
    scratch: tempfile::TempDir,
}

impl Files {
    fn new() -> Self {
        Self { scratch: tempfile::tempdir().unwrap() }
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.scratch.path().join(name);
        fs::write(&path, bytes).unwrap();
        path
    }

    /// The plan of what stands in these listings.
    fn plan(&self, ledger: &str, listings: &[&[u8]], more: &[&str]) -> Said {
        let ledger = self.write("ledger.json", ledger);
        let mut arguments = vec!["plan".to_owned(), "--ledger".to_owned(), text(&ledger)];
        for (number, listing) in listings.iter().enumerate() {
            arguments.push("--listing".to_owned());
            arguments.push(text(&self.write(&format!("listing{number}.txt"), listing)));
        }
        arguments.extend(more.iter().map(|word| (*word).to_owned()));
        prunelog(&arguments.iter().map(String::as_str).collect::<Vec<_>>())
    }
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn names(plan: &Value) -> Vec<String> {
    let list = plan["delete"].as_array().unwrap();
    let mut names: Vec<String> =
        list.iter().map(|entry| entry["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn random_sites_are_planned_by_the_rule_of_the_manual() {
    let mut random = Random(seed());
    let files = Files::new();
    let (mut gone, mut nothing) = (0, 0);
    for number in 0..60 {
        let host = Host::random(&mut random, number);
        let keep = 1 + random.below(3) as usize;
        let margin = [0, 3][random.below(2) as usize];
        let (keep_last, checkpoints) = (keep.to_string(), margin.to_string());
        let mut more = vec!["--json", "--keep-last", &keep_last, "--max-delete", "100"];
        if margin == 0 {
            more.extend(["--margin", &checkpoints]);
        }
        let listings = [host.map(), host.usage()];
        let said =
            files.plan(&Host::ledger(&[&host]), &[listings[0].as_bytes(), listings[1].as_bytes()], &more);
        let about = format!("HIGHWATER_SEED={} site {number}: {}", seed(), said.err);
        assert!(said.code == 0 || said.code == 4, "{about}");
        let plan: Value = serde_json::from_str(&said.out).expect(&about);
        let (floor, wanted) = host.may_go(keep, margin).unwrap_or_default();
        assert_eq!(names(&plan), wanted, "{about}\nfloor {floor:016X}");
        if wanted.is_empty() { nothing += 1 } else { gone += 1 }
    }
    assert!(gone > 10 && nothing > 10, "{gone} sites with something to delete, {nothing} without");
}

#[test]
fn without_a_ledger_nothing_goes() {
    let mut random = Random(seed());
    let files = Files::new();
    for number in 0..5 {
        let host = Host { points: Vec::new(), ..Host::random(&mut random, number) };
        let said = files.plan(
            r#"{"points": []}"#,
            &[host.map().as_bytes(), host.usage().as_bytes()],
            &["--json", "--keep-last", "1"],
        );
        assert!(said.code <= 4, "HIGHWATER_SEED={} site {number}: {}", seed(), said.err);
        let plan: Value = serde_json::from_str(&said.out).unwrap();
        assert!(names(&plan).is_empty(), "HIGHWATER_SEED={} site {number}", seed());
    }
}

/// A site with points, of which something may go.
fn with_something_to_delete(random: &mut Random, number: u64) -> Host {
    loop {
        let host = Host::random(random, number);
        if host.may_go(1, 3).is_some_and(|(_, names)| !names.is_empty()) {
            return host;
        }
    }
}

#[test]
fn planted_mistakes_are_refused() {
    let mut random = Random(seed());
    let files = Files::new();
    let refused = |what: &str, number: u64, host: &[&Host], listings: &[&str]| {
        let listings: Vec<&[u8]> = listings.iter().map(|listing| listing.as_bytes()).collect();
        let said = files.plan(&Host::ledger(host), &listings, &["--keep-last", "1"]);
        let about = format!("HIGHWATER_SEED={} site {number}, {what}: {}{}", seed(), said.out, said.err);
        assert_eq!((said.code, said.out.as_str()), (12, ""), "{about}");
        assert!(said.err.contains("HWT9"), "{about}");
    };
    for number in 0..25 {
        let host = with_something_to_delete(&mut random, number);
        let other = with_something_to_delete(&mut random, number + 500);
        let (map, usage) = (host.map(), host.usage());

        refused("another queue manager's map", number, &[&host], &[&other.map(), &usage]);
        let stale = Host { written: host.with_offline.min(host.online) - 1, ..host.clone() };
        refused("a map of before", number, &[&host], &[&stale.map(), &usage]);
        let lines: Vec<&str> = map.lines().collect();
        let end = lines.iter().position(|line| line.contains("CSQJ401E")).unwrap();
        let cut = 1 + random.below(end as u64 - 1) as usize;
        refused("a map cut off", number, &[&host], &[&(lines[..cut].join("\n") + "\n"), &usage]);
        let cut = usage.find("CSQI025I").unwrap();
        refused("a usage cut off", number, &[&host], &[&map, &usage[..cut]]);

        let rows: Vec<usize> = (0..lines.len())
            .filter(|line| lines[*line].contains("DSN=") && lines[*line].contains('/'))
            .collect();
        let row = rows[random.below(rows.len() as u64) as usize];
        let digit = lines[row].find(|c: char| c.is_ascii_digit()).unwrap();
        let mut letter = lines[row].to_owned();
        letter.replace_range(digit..=digit, "O");
        let mut changed = lines.clone();
        changed[row] = &letter;
        refused("a letter for a digit", number, &[&host], &[&(changed.join("\n") + "\n"), &usage]);

        let archive = rows.iter().copied().find(|row| lines[*row].contains("ARCHLOG")).unwrap();
        let words: Vec<&str> = lines[archive].split_whitespace().collect();
        for (what, start, last) in [
            ("an archive of no log", "0".repeat(words[0].len()), "0".repeat(words[0].len())),
            ("a part of a control interval", words[0].to_owned(), words[2].replace("FFF", "FFE")),
        ] {
            let row = format!(" {start} /   {last} /  2026-09-29 {}", words[5]);
            let mut changed = lines.clone();
            changed[archive] = &row;
            refused(what, number, &[&host], &[&(changed.join("\n") + "\n"), &usage]);
        }

        let (floor, _) = host.may_go(1, 3).unwrap();
        let above: Vec<usize> = rows
            .iter()
            .copied()
            .filter(|row| {
                let last = lines[*row].split_whitespace().nth(2).unwrap();
                lines[*row].contains("ARCHLOG") && u64::from_str_radix(last, 16).unwrap() >= floor
            })
            .collect();
        let row = above[random.below(above.len() as u64) as usize];
        let mut without = lines.clone();
        without.drain(row..row + 2);
        if without.get(row - 1).is_some_and(|line| line.contains("ARCHIVE LOG"))
            && without.get(row).is_none_or(|line| !line.contains("DSN="))
        {
            // The only row: the list would be empty, which a reader sees.
            continue;
        }
        refused("a row removed", number, &[&host], &[&(without.join("\n") + "\n"), &usage]);
    }
}

/// EBCDIC of what these listings are made of, by the table of code page 037.
fn ebcdic(text: &str) -> Vec<u8> {
    let byte = |c: char| match c {
        'A'..='I' => 0xC1 + (c as u8 - b'A'),
        'J'..='R' => 0xD1 + (c as u8 - b'J'),
        'S'..='Z' => 0xE2 + (c as u8 - b'S'),
        'a'..='i' => 0x81 + (c as u8 - b'a'),
        'j'..='r' => 0x91 + (c as u8 - b'j'),
        's'..='z' => 0xA2 + (c as u8 - b's'),
        '0'..='9' => 0xF0 + (c as u8 - b'0'),
        ' ' => 0x40,
        '.' => 0x4B,
        '(' => 0x4D,
        ')' => 0x5D,
        '-' => 0x60,
        '/' => 0x61,
        ',' => 0x6B,
        '_' => 0x6D,
        ':' => 0x7A,
        '\'' => 0x7D,
        '=' => 0x7E,
        '\n' => 0x15,
        // The prefix of commands is left out by the reader, whatever it is.
        '!' => 0x5A,
        other => panic!("{other:?} is in no listing"),
    };
    text.chars().map(byte).collect()
}

#[test]
fn the_form_of_the_files_changes_nothing() {
    let mut random = Random(seed());
    let files = Files::new();
    for number in 0..10 {
        let host = with_something_to_delete(&mut random, number);
        let both = host.map() + &host.usage();
        let plan = |bytes: &[u8]| {
            let said =
                files.plan(&Host::ledger(&[&host]), &[bytes], &["--keep-last", "1", "--max-delete", "100"]);
            assert!(said.code <= 4, "HIGHWATER_SEED={} site {number}: {}", seed(), said.err);
            // The first line has the time.
            said.out.lines().skip(1).map(str::to_owned).collect::<Vec<_>>()
        };
        let plain = plan(both.as_bytes());
        let without_commands = both.replace('!', "");
        assert_eq!(plan(&ebcdic(&without_commands)), plain);
        let carriage: String = both.lines().map(|line| format!(" {line}\n")).collect();
        assert_eq!(plan(format!("1\n{carriage}").as_bytes()), plain);
        assert_eq!(plan(both.replace('\n', "\r\n").as_bytes()), plain);
    }
}

#[test]
fn a_site_has_a_line_for_each_queue_manager() {
    let mut random = Random(seed());
    let files = Files::new();
    let hosts: Vec<Host> = (0..4).map(|number| with_something_to_delete(&mut random, number)).collect();
    let all: String = hosts.iter().map(|host| host.map() + &host.usage()).collect();
    let ledger = Host::ledger(&hosts.iter().collect::<Vec<_>>());
    let said = files.plan(&ledger, &[all.as_bytes()], &["--keep-last", "1"]);
    assert!(said.code <= 4, "{}", said.err);
    let lines: Vec<&str> = said.out.lines().collect();
    assert_eq!(lines.len(), 4, "{}", said.out);
    for (host, line) in hosts.iter().zip(lines) {
        let last = host.points.last().unwrap();
        assert!(
            line.starts_with(&host.name) && line.contains(&format!("last good point {} of", last.name)),
            "{line}"
        );
    }
    // Of one of them there is a plan.
    let one =
        files.plan(&ledger, &[all.as_bytes()], &["--keep-last", "1", "--json", "--queue-manager", "Q002"]);
    let plan: Value = serde_json::from_str(&one.out).expect(&one.err);
    assert_eq!(plan["queue_manager"], "Q002");
    assert_eq!(names(&plan), hosts[2].may_go(1, 3).unwrap().1);
    let none = files.plan(&ledger, &[all.as_bytes()], &["--keep-last", "1", "--queue-manager", "QXXX"]);
    assert_eq!((none.code, none.out.as_str()), (12, ""));
    assert!(none.err.contains("HWT911E"), "{}", none.err);
}

/// The names that go, of `plain` with more to it.
fn gone(files: &Files, ledger: &str, listing: &str) -> (usize, String) {
    let said =
        files.plan(ledger, &[listing.as_bytes()], &["--json", "--keep-last", "1", "--max-delete", "100"]);
    assert!(said.code <= 4, "{}", said.err);
    (names(&serde_json::from_str(&said.out).unwrap()).len(), said.err)
}

#[test]
fn more_that_is_known_changes_what_goes() {
    let (files, host) = (Files::new(), Host::plain());
    let (map, usage, ledger) = (host.map(), host.usage(), Host::ledger(&[&host]));
    let both = map.clone() + &usage;
    // Three checkpoints before the point: those of data sets 20, 19 and 18.
    assert_eq!(gone(&files, &ledger, &both).0, 18);
    // Both copies of the BSDS, printed together.
    assert_eq!(
        gone(
            &files,
            &ledger,
            &(map.clone() + &map.replace("COPY 1, DSN=Q000.BSDS01", "COPY 2, DSN=Q000.BSDS02") + &usage)
        )
        .0,
        18
    );
    // A unit that only DISPLAY CONN shows.
    let connection = "CSQM293I !Q000 CSQMDRTC 1 CONN FOUND MATCHING REQUEST CRITERIA\nCSQM201I !Q000 CSQMDRTC  DISPLAY CONN DETAILS\n\
        CONN(D5E00D666DA8FBDB)\nTYPE(CONN)\nAPPLTAG(APP)\nUOWSTATE(UNRESOLVED)\nQMURID(0000000000050034)\n END CONN DETAILS\n\
        CSQ9022I !Q000 CSQMDRTC ' DISPLAY CONN' NORMAL COMPLETION\n";
    assert_eq!(gone(&files, &ledger, &(both.clone() + connection)).0, 5);
    // Without a checkpoint queue the beginnings of data sets stand for checkpoints.
    let without =
        map.split_once("                                 CHECKPOINT QUEUE").unwrap().0.to_owned() + &usage;
    assert_eq!(gone(&files, &ledger, &without).0, 18);

    // What LISTCAT says of archives: one is on tape, one is gone.
    let catalog = "IDCAMS  SYSTEM SERVICES                                           TIME: 10:46:37        11/26/26     PAGE      1\n\n\
        \x20 LISTCAT ENTRIES(ARC1.Q000.ARCHLOG1.A0000001 ARC1.Q000.ARCHLOG1.A0000002) ALL\n\
        NONVSAM ------- ARC1.Q000.ARCHLOG1.A0000001\n     IN-CAT --- CATALOG.MQ.USER\n     VOLUMES\n\
        \x20      VOLSER------------V00000     DEVTYPE------X'78048083'     FSEQN------------------1\n\
        IDC3012I ENTRY ARC1.Q000.ARCHLOG1.A0000002 NOT FOUND\n\
        IDC0001I FUNCTION COMPLETED, HIGHEST CONDITION CODE WAS 4\n\
        IDC0002I IDCAMS PROCESSING COMPLETE. MAXIMUM CONDITION CODE WAS 4\n";
    let said = files.plan(
        &ledger,
        &[(both + catalog).as_bytes()],
        &["--json", "--keep-last", "1", "--max-delete", "100"],
    );
    let plan: Value = serde_json::from_str(&said.out).expect(&said.err);
    assert_eq!(names(&plan).len(), 17, "{}", said.err);
    assert_eq!(plan["delete"][0]["catalogued"], false);
    assert_eq!(plan["absent"][0]["name"], "ARC1.Q000.ARCHLOG1.A0000002");
}

#[test]
fn without_a_policy_everything_is_kept() {
    let (files, host) = (Files::new(), Host::plain());
    let both = host.map() + &host.usage();
    let said = files.plan(&Host::ledger(&[&host]), &[both.as_bytes()], &["--json", "--max-delete", "100"]);
    let without = files.plan(&Host::ledger(&[&host]), &[both.as_bytes()], &["--json"]);
    for said in [said, without] {
        let plan: Value = serde_json::from_str(&said.out).expect(&said.err);
        assert!(names(&plan).is_empty(), "{}", said.err);
    }
}

#[test]
fn a_point_counts_by_its_evidence() {
    let (files, host) = (Files::new(), Host::plain());
    let both = host.map() + &host.usage();
    let ledger = Host::ledger(&[&host]);
    let evidence = |word: &str| ledger.replace(r#""evidence": "clean""#, &format!(r#""evidence": "{word}""#));
    let copy = |text: &str| {
        format!(
            "IDCAMS  SYSTEM SERVICES                                           TIME: 10:46:37        11/26/26     PAGE      1\n\n\
             \x20 LISTCAT LEVEL(BK.Q000) ALL\n{text}\
             IDC0001I FUNCTION COMPLETED, HIGHEST CONDITION CODE WAS 0\n\
             IDC0002I IDCAMS PROCESSING COMPLETE. MAXIMUM CONDITION CODE WAS 0\n"
        )
    };
    let entry = |name: &str| {
        format!(
            "NONVSAM ------- {name}\n     IN-CAT --- CATALOG.MQ.USER\n     VOLUMES\n\
             \x20      VOLSER------------BK0001     DEVTYPE------X'3010200F'     FSEQN------------------0\n"
        )
    };
    let totals = "         THE NUMBER OF ENTRIES PROCESSED WAS:\n                   NONVSAM ------------------1\n\
        \x20                  TOTAL --------------------1\n\
        \x20        THE NUMBER OF PROTECTED ENTRIES SUPPRESSED WAS 0\n";
    let listed = copy(&(entry("BK.Q000.P00.P0") + totals));
    let another = copy(&(entry("BK.Q000.P00.P7") + totals));

    assert_eq!(gone(&files, &evidence("clean"), &both).0, 18);
    let (count, said) = gone(&files, &evidence("trusted"), &both);
    assert!(count == 18 && said.contains("HWT905W"), "{said}");
    let (count, said) = gone(&files, &evidence("none"), &both);
    assert!(count == 0 && said.contains("HWT906W"), "{said}");
    let (count, said) = gone(&files, &evidence("none"), &(both.clone() + &listed));
    assert!(count == 18 && !said.contains("HWT906W"), "{said}");
    // A complete list of its series does not have its copy.
    for word in ["clean", "trusted", "none"] {
        let (count, said) = gone(&files, &evidence(word), &(both.clone() + &another));
        assert!(count == 0 && said.contains("HWT904W"), "{word}: {said}");
    }
}

#[test]
fn a_full_point_needs_log_from_the_checkpoint_of_its_stop() {
    let (files, host) = (Files::new(), Host::plain());
    let both = host.map() + &host.usage();
    // The stop's checkpoint begins in the archive of number 25, and the log ended in the next control interval.
    let ledger = Host::ledger(&[&host])
        .replace(r#""method": "fuzzy""#, r#""method": "full""#)
        .replace("0000000000140400", "0000000000190E2E")
        .replace("000000000014FFFF", "0000000000191F40");
    assert_eq!(ledger.matches("0000000000190E2E").count(), 3);
    let plan = |more: &[&str]| {
        let more = [&["--json", "--keep-last", "1", "--max-delete", "100"], more].concat();
        let said = files.plan(&ledger, &[both.as_bytes()], &more);
        assert!(said.code <= 4, "{}", said.err);
        serde_json::from_str::<Value>(&said.out).unwrap()
    };
    // Three checkpoints before it are those of the archives 25, 24 and 23.
    assert_eq!(names(&plan(&[])).len(), 23);
    let exact = plan(&["--margin", "0"]);
    let last = names(&exact).last().cloned();
    assert_eq!((names(&exact).len(), last.as_deref()), (25, Some("ARC1.Q000.ARCHLOG1.A0000025")));
    assert!(exact.to_string().contains("the stop's checkpoint when it was made"), "{exact}");
    // An offline page set needs what DISPLAY USAGE gave.
    let offline =
        ledger.replace(r#""with_offline": "0000000000190E2E""#, r#""with_offline": "0000000000140400""#);
    assert_eq!(gone(&files, &offline, &both).0, 18);
}

#[test]
fn what_does_not_fit_is_refused_by_name() {
    let (files, host) = (Files::new(), Host::plain());
    let (map, usage, ledger) = (host.map(), host.usage(), Host::ledger(&[&host]));
    let refused = |id: &str, ledger: &str, listing: &str| {
        for command in [&["plan"][..], &["explain"][..]] {
            let path = text(&files.write("one.txt", listing));
            let book = text(&files.write("book.json", ledger));
            let mut arguments =
                [command, &["--listing", &path, "--ledger", &book, "--keep-last", "1"]].concat();
            if command == ["explain"] {
                arguments.push("X'1000'");
            }
            let said = prunelog(&arguments);
            assert_eq!((said.code, said.out.as_str()), (12, ""), "{id}: {}", said.err);
            assert!(said.err.contains(id), "{id} is not in {}", said.err);
        }
    };
    let unnamed = Host { named: false, ..host.clone() }.map();
    refused("HWT910E", &ledger, &(unnamed + &usage.replace("Q000.LOGCOPY1.DS01", "Not found")));
    refused("HWT910E", &ledger, &(map.clone() + &usage.replace("!Q000 ", "")));
    refused("HWT911E", &ledger, &usage);
    refused("HWT911E", &ledger, &map);
    let later = Host { written: host.written + 1, ..host.clone() }.map();
    refused("HWT912E", &ledger, &(map.clone() + &later + &usage));
    let beyond = ledger.replace(&format!("{:016X}", host.points[0].end), "0000000000300000");
    refused("HWT913E", &beyond, &(map.clone() + &usage));
    let elsewhere = usage.replace("Q000.LOGCOPY1.DS01", "Q000.LOGCOPY1.DS09");
    refused("HWT914E", &ledger, &(map.clone() + &elsewhere));
    let other_log = usage.replace("Q000.LOGCOPY1.DS01", "ARC1.Q000.ARCHLOG1.A0000003");
    refused("HWT914E", &ledger, &(map.clone() + &other_log));
    let waiting = map.replace(
        " CSQJ401E CSQJU004 RECORD NOT FOUND - RESTART CONTROL\n",
        "                             CONDITIONAL RESTART CONTROL RECORD\n         CRCR IDENTIFIER              0001\n         \
         RECORD STATUS\n           CRCR ACTIVE\n         ENDRBA                       000000351000\n",
    );
    refused("HWT915E", &ledger, &(waiting + &usage));
    refused("HWT911E", &ledger, &(map.replace("OF GROUP 'NO NAME '", "OF GROUP 'QSG1    '") + &usage));
    let structure = usage.replace(
        "End of data set report",
        "Log, oldest for CF structure recovery\n          CC56D01026CC      None\nEnd of data set report",
    );
    refused("HWT916E", &ledger, &(map.clone() + &structure));
    refused("HWT917E", &ledger, &(map.replace("000000000001FFFF", "000000000002FFFF") + &usage));
    refused("HWT908E", "{\"points\": 1}", &(map + &usage));
}

#[test]
fn a_data_set_of_both_copies_is_refused() {
    let (files, host) = (Files::new(), Host::plain());
    let (map, usage, ledger) = (host.map(), host.usage(), Host::ledger(&[&host]));
    let row = " 0000000000000000 /   000000000000FFFF /  2026-09-29 DSN=ARC1.Q000.ARCHLOG1.A0000001\n";
    assert!(map.contains(row));
    let both = map.replace(
        "                          ARCHIVE LOG COPY 2 DATA SETS\n NO ARCHIVE DATA SETS DEFINED FOR THIS COPY\n",
        &format!("                          ARCHIVE LOG COPY 2 DATA SETS\n{row}"),
    );
    assert_ne!(both, map);
    let said = files.plan(&ledger, &[(both + &usage).as_bytes()], &["--keep-last", "1"]);
    assert_eq!((said.code, said.out.as_str()), (12, ""), "{}", said.err);
    assert!(said.err.contains("HWT917E") && said.err.contains("IS LISTED TWICE"), "{}", said.err);
}

#[test]
fn each_queue_manager_may_have_its_own_policy() {
    let mut random = Random(seed());
    let files = Files::new();
    let hosts: Vec<Host> = (0..3).map(|number| with_something_to_delete(&mut random, number)).collect();
    let all: String = hosts.iter().map(|host| host.map() + &host.usage()).collect();
    let ledger = Host::ledger(&hosts.iter().collect::<Vec<_>>());
    let policy = text(&files.write(
        "site.toml",
        "keep-last = 3\nmax-delete = 100\n\n[queue-manager.Q001]\nkeep-last = 1\nmargin = 0\n\n[queue-manager.Q002]\nkeep-last = 1\n",
    ));
    for (host, keep, margin) in [(&hosts[0], 3, 3), (&hosts[1], 1, 0), (&hosts[2], 1, 3)] {
        let more = ["--policy", &policy, "--json", "--queue-manager", &host.name];
        let said = files.plan(&ledger, &[all.as_bytes()], &more);
        let plan: Value = serde_json::from_str(&said.out).expect(&said.err);
        assert_eq!(names(&plan), host.may_go(keep, margin).unwrap_or_default().1, "{}", host.name);
    }
    // The lines of the site follow the same policies.
    let said = files.plan(&ledger, &[all.as_bytes()], &["--policy", &policy, "--json"]);
    let site: Value = serde_json::from_str(&said.out).expect(&said.err);
    for (number, (keep, margin)) in [(3, 3), (1, 0), (1, 3)].into_iter().enumerate() {
        let wanted = hosts[number].may_go(keep, margin).unwrap_or_default().1;
        let row = &site["queue_managers"][number];
        assert_eq!(row["queue_manager"], hosts[number].name.as_str());
        // An archive on several volumes has a row for each.
        assert!(row["delete"].as_u64().unwrap() >= wanted.len() as u64, "{row}");
        assert_eq!(row["delete"] == 0, wanted.is_empty(), "{row}");
    }
    // One that nobody has listings of is named.
    let strange = fs::read_to_string(&policy).unwrap() + "[queue-manager.QXXX]\nkeep-last = 1\n";
    let strange = text(&files.write("strange.toml", strange));
    let said = files.plan(&ledger, &[all.as_bytes()], &["--policy", &strange]);
    assert!(said.code == 4 && said.err.contains("HWT971W") && said.err.contains("QXXX"), "{}", said.err);
    for (wrong, what) in [
        ("[queue-manager.Q001]\nkeep-lost = 1\n", "keep-lost"),
        ("[queue-manager.toolong]\nkeep-last = 1\n", "toolong"),
        ("[queue-manager.Q001]\nkeep-last = 0\n", "--keep-last 0"),
        ("queue-manager = 3\n", "no table"),
    ] {
        let wrong = text(&files.write("wrong.toml", wrong));
        let said = files.plan(&ledger, &[all.as_bytes()], &["--policy", &wrong]);
        assert_eq!((said.code, said.out.as_str()), (12, ""), "{}", said.err);
        assert!(said.err.contains("HWT821E") && said.err.contains(what), "{what}: {}", said.err);
    }
}

#[test]
fn what_becomes_of_kept_archives_is_said() {
    let (files, host) = (Files::new(), Host::plain());
    let both = host.map() + &host.usage();
    let ledger = Host::ledger(&[&host]);
    let catalog = |name: &str, expires: &str| {
        format!(
            "IDCAMS  SYSTEM SERVICES                                           TIME: 10:46:37        11/26/26     PAGE      1\n\n\
             \x20 LISTCAT ENTRIES({name}) ALL\n\
             NONVSAM ------- {name}\n     IN-CAT --- CATALOG.MQ.USER\n     HISTORY\n\
             \x20      DATASET-OWNER-----(NULL)     CREATION--------2026.001\n\
             \x20      RELEASE----------------2     EXPIRATION------{expires}\n     VOLUMES\n\
             \x20      VOLSER------------V00025     DEVTYPE------X'3010200F'     FSEQN------------------0\n\
             IDC0001I FUNCTION COMPLETED, HIGHEST CONDITION CODE WAS 0\n\
             IDC0002I IDCAMS PROCESSING COMPLETE. MAXIMUM CONDITION CODE WAS 0\n"
        )
    };
    let plan = |listing: String| {
        files.plan(&ledger, &[listing.as_bytes()], &["--keep-last", "1", "--max-delete", "100"])
    };
    // Kept and expired; kept and never expiring, or in a hundred years; one that goes anyway.
    let said = plan(both.clone() + &catalog("ARC1.Q000.ARCHLOG1.A0000025", "2026.100"));
    assert!(
        said.code == 8 && said.err.contains("HWT972E") && said.err.contains("2026-04-10"),
        "{}",
        said.err
    );
    for (name, expires) in [
        ("ARC1.Q000.ARCHLOG1.A0000025", "0000.000"),
        ("ARC1.Q000.ARCHLOG1.A0000025", "1999.365"),
        ("ARC1.Q000.ARCHLOG1.A0000025", "1999.366"),
        ("ARC1.Q000.ARCHLOG1.A0000025", "2126.100"),
        ("ARC1.Q000.ARCHLOG1.A0000002", "2026.100"),
    ] {
        let said = plan(both.clone() + &catalog(name, expires));
        assert!(said.code <= 4 && !said.err.contains("HWT972E"), "{name} {expires}: {}", said.err);
    }

    // A site's lines: of the first one MAXARCH is known, the second one has no point.
    let early = both
        .replace("2026-09-29 DSN=ARC1.Q000.ARCHLOG1.A000000", "2026-09-19 DSN=ARC1.Q000.ARCHLOG1.A000000");
    let parameters = "CSQJ322I !Q000 CSQJCIC2 LOG PARAMETERS ...\nParameter   Initial value            SET value\n\
        ----------- ------------------------ ------------------------\nMAXARCH     500\nEnd of LOG report\n";
    let site = early + parameters + &both.replace("Q000", "Q001");
    let lines = |more: &[&str]| {
        let options = [&["--keep-last", "1", "--max-delete", "100"], more].concat();
        files.plan(&ledger, &[site.as_bytes()], &options)
    };
    let said: Value = serde_json::from_str(&lines(&["--json"]).out).unwrap();
    let (one, other) = (&said["queue_managers"][0], &said["queue_managers"][1]);
    // 21 archives of ten days, 12 that are kept, 488 more until the 500 are used up.
    assert_eq!(one["days_until_inventory_wraps"], 488 * 10 / 21, "{one}");
    assert!(one["last_good_point_age_seconds"].as_u64().unwrap() > 0, "{one}");
    assert_eq!(
        (&other["days_until_inventory_wraps"], &other["last_good_point"]),
        (&Value::Null, &Value::Null)
    );
    let text = lines(&[]).out;
    let first = text.lines().next().unwrap();
    assert!(first.contains(" old; inventory wraps in 232 days; kept by"), "{text}");
    assert!(text.contains("NO GOOD POINT; inventory wraps at an unknown time"), "{text}");
}

#[test]
fn what_the_usage_holds_has_no_component() {
    let files = Files::new();
    let host = Host { online: 0x5_0400, with_offline: 0x5_0400, page_sets: 2, ..Host::plain() };
    let both = host.map() + &host.usage();
    let more = ["--keep-last", "1", "--margin", "0", "--max-delete", "100", "--json"];
    let said = files.plan(&Host::ledger(&[&host]), &[both.as_bytes()], &more);
    let plan: Value = serde_json::from_str(&said.out).expect(&said.err);
    assert_eq!(names(&plan).len(), 5, "{}", said.err);
    let holder = plan["boundary_holder"].as_str().unwrap();
    assert_eq!(holder, "restart today: system value, component not listed");
    let holders = plan["keep"][0]["holders"].as_array().unwrap();
    assert_eq!(holders.iter().filter(|entry| entry["what"] == holder).count(), 1, "{holders:?}");
}
