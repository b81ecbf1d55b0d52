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
            let row = format!(" {start} /   {last} /  2026-11-19 {}", words[5]);
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
