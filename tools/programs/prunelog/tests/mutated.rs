//! Listings of a site with one thing changed, through the program: the plan of the changed text, or code 12 and empty standard output.
//!
//! What the changed text says is found here by looking for its words alone; nothing of the reader takes part.

mod host;
mod site;

use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

use host::{Archive, Host, HostPoint, Random};
use serde_json::Value;
use site::prunelog;

/// The seed of a run, or the one that failed.
fn seed() -> u64 {
    std::env::var("HIGHWATER_SEED").ok().and_then(|seed| seed.parse().ok()).unwrap_or(20_261_127)
}

const KEEP: usize = 1;
const MARGIN: usize = 3;

/// The words of a line that are RBAs.
fn rbas(line: &str) -> Vec<u64> {
    let words = line.split(|c: char| !c.is_ascii_alphanumeric());
    let long = words
        .filter(|word| matches!(word.len(), 12 | 16) && word.bytes().all(|byte| byte.is_ascii_hexdigit()));
    long.map(|word| u64::from_str_radix(word, 16).unwrap()).collect()
}

/// The first RBA of a message, which a change may have spread over more lines.
fn in_message(lines: &[&str]) -> Option<u64> {
    lines.iter().take(4).find_map(|line| rbas(line).first().copied())
}

/// What `text` says, of a queue manager that had `original`'s points.
fn looked_at(text: &str, original: &Host) -> Host {
    let mut host = Host {
        archives: [Vec::new(), Vec::new()],
        checkpoints: Vec::new(),
        unit: None,
        page_sets: 0,
        ..original.clone()
    };
    let lines: Vec<&str> = text.lines().collect();
    let mut list = None;
    let mut units = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let behind = |words: &str| line.find(words).map(|place| &line[place + words.len()..]);
        let first = rbas(line).first().copied();
        let below = lines.get(at + 1).copied().unwrap_or("");
        if line.contains("LOG COPY") && line.contains("DATA SETS") {
            let copy = usize::from(line.contains("COPY 2"));
            list = line.contains("ARCHIVE").then_some(copy);
        } else if let (Some(name), Some(copy)) = (behind("DSN="), list) {
            let name = name.trim_start().split([' ', ',']).next().unwrap().to_owned();
            let (start, last) = (rbas(line)[0], rbas(line)[1]);
            let volume = (String::new(), start, last);
            match host.archives[copy].iter_mut().find(|archive| archive.name == name) {
                Some(archive) => archive.volumes.push(volume),
                None => host.archives[copy].push(Archive { name, volumes: vec![volume], disk: true }),
            }
        } else if line.contains("HIGHEST RBA WRITTEN") {
            host.written = first.unwrap();
        } else if line.contains("RESTART CONTROL") {
            list = None;
        } else if line.contains("BEGIN CHECKPOINT RBA") {
            host.checkpoints.push(first.unwrap());
        } else if line.contains("CSQI024I") {
            host.online = in_message(&lines[at..]).unwrap();
        } else if line.contains("CSQI025I") {
            host.with_offline = in_message(&lines[at..]).unwrap();
        } else if line.contains("oldest with active unit") || line.contains("oldest for page set recovery") {
            units.extend(rbas(below).first());
        } else if line.contains("QMURID") {
            units.extend(first);
        } else if line.trim_start().starts_with('_') {
            // A title may begin so, after a change; it holds nothing that counts here.
            let number =
                line.trim_start()[1..].split_whitespace().next().and_then(|word| word.parse::<u64>().ok());
            host.page_sets = host.page_sets.max(number.map_or(0, |number| 1 + number));
        }
    }
    host.unit = units.into_iter().min();
    host.checkpoints.sort_unstable();
    host.checkpoints.dedup();
    for archive in host.archives.iter_mut().flatten() {
        archive.volumes.sort_by_key(|volume| volume.2);
    }
    host
}

/// What may go by the changed text. A point of other log counts for nothing; while it is newer than one that is kept, its log is kept too.
fn wanted(text: &str, original: &Host) -> Vec<String> {
    let mut host = looked_at(text, original);
    if host.page_sets > original.page_sets {
        // No point has this page set, which needs all log then.
        return Vec::new();
    }
    let (doubtful, points) = host.points.into_iter().partition(|point| is_of_other_log(point, text));
    host.points = points;
    let doubtful: Vec<HostPoint> = doubtful;
    let Some((mut floor, mut names)) = host.may_go(KEEP, MARGIN) else { return Vec::new() };
    let oldest_kept = host.points[host.points.len().saturating_sub(KEEP)].day;
    for point in doubtful.iter().filter(|point| point.day > oldest_kept) {
        let below =
            host.checkpoints.iter().rev().filter(|begin| **begin <= point.online.min(point.with_offline));
        let Some(margin) = below.copied().nth(MARGIN - 1) else { return Vec::new() };
        floor = floor.min(margin);
    }
    let last = |name: &String| {
        let archives = host.archives.iter().flatten();
        archives.filter(|archive| archive.name == *name).map(Archive::last).max()
    };
    names.retain(|name| last(name) < Some(floor));
    names
}

/// Days since some day, of `2026-09-29`; by the rule of the Gregorian calendar.
fn days(date: &str) -> Option<i64> {
    let mut parts = date.split('-').map(|part| part.parse::<i64>().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    Some(365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day)
}

/// Whether the archives that hold the beginning of a point's log were all entered more than a week after it: then they are of other log.
fn is_of_other_log(point: &HostPoint, text: &str) -> bool {
    let start = point.online.min(point.with_offline);
    let made = days(&format!("2026-10-{:02}", point.day)).unwrap();
    let rows =
        text.lines().filter(|line| line.contains("DSN=") && line.contains("ARCHLOG") && rbas(line).len() > 1);
    let mut holding = rows.filter(|line| (rbas(line)[0]..=rbas(line)[1]).contains(&start)).peekable();
    let late = |line: &str| {
        let date = line.split([' ', '/']).find(|word| word.len() == 10 && word.matches('-').count() == 2);
        date.and_then(days).is_some_and(|entered| entered > made + 7)
    };
    holding.peek().is_some() && holding.all(late)
}

fn connection(host: &Host) -> String {
    let name = &host.name;
    format!(
        "CSQM293I !{name} CSQMDRTC 1 CONN FOUND MATCHING REQUEST CRITERIA\nCSQM201I !{name} CSQMDRTC  DISPLAY CONN DETAILS\n\
         CONN(D5E00D666DA8FBDB)\nTYPE(CONN)\nAPPLTAG(APP)\nUOWSTATE(ACTIVE)\nQMURID({:016X})\n END CONN DETAILS\n\
         CSQ9022I !{name} CSQMDRTC ' DISPLAY CONN' NORMAL COMPLETION\n",
        host.online
    )
}

/// The text with one thing changed, and what that is.
fn mutation(original: &str, random: &mut Random) -> (String, String) {
    let mut lines: Vec<&str> = original.lines().collect();
    let mut text = original.to_owned();
    let length = original.len() as u64;
    let line = random.below(lines.len() as u64) as usize;
    let what = match random.below(7) {
        kind @ 0..=2 => {
            let at = (0..).map(|_| random.below(length) as usize);
            let mut at = at.filter(|at| original.as_bytes()[*at].is_ascii_digit());
            let at = at.next().unwrap();
            let random = random.below(if kind == 0 { 26 } else { 16 }) as u8;
            let becomes = if kind == 0 {
                char::from(b'A' + random)
            } else {
                char::from(b"0123456789ABCDEF"[usize::from(random)])
            };
            text.replace_range(at..=at, &becomes.to_string());
            format!("the digit at {at} becomes {becomes}")
        }
        3 => {
            lines.remove(line);
            text = lines.join("\n");
            format!("line {} is removed", line + 1)
        }
        4 => {
            let other = random.below(lines.len() as u64) as usize;
            lines.swap(line, other);
            text = lines.join("\n");
            format!("lines {} and {} are swapped", line + 1, other + 1)
        }
        5 => {
            let end = random.below(length) as usize;
            text.truncate(end);
            format!("the text ends at {end}")
        }
        _ => {
            let at = random.below(length) as usize;
            let marks = [' ', '\n', '_', '0', '(', ')', '/', ',', 'F', 'X', '=', '\'', '-', '.'];
            let inserted = marks[random.below(14) as usize];
            text.insert(at, inserted);
            format!("{inserted:?} is inserted at {at}")
        }
    };
    (text, what)
}

/// Plans `text`; the names that go, or none when it is refused.
fn planned(dir: &std::path::Path, ledger: &str, text: &str, about: &str) -> Option<Vec<String>> {
    let (book, listing) = (dir.join("ledger.json"), dir.join("listing.txt"));
    fs::write(&book, ledger).unwrap();
    fs::write(&listing, text).unwrap();
    let (book, listing) = (book.display().to_string(), listing.display().to_string());
    let keep = KEEP.to_string();
    let out = dir.join("plan.json");
    let _ = fs::remove_file(&out);
    let document = out.display().to_string();
    let more = ["--keep-last", &keep, "--max-delete", "100", "--out", &document];
    let said = prunelog(&[&["plan", "--ledger", &book, "--listing", &listing][..], &more].concat());
    if said.code == 12 {
        assert!(said.out.is_empty() && said.err.contains("HWT9"), "{about}: {}{}", said.out, said.err);
        assert!(!out.exists(), "{about}: a plan was written");
        return None;
    }
    assert!(said.code <= 8, "{about}: code {}: {}", said.code, said.err);
    let plan: Value = serde_json::from_slice(&fs::read(&out).expect(about)).expect(about);
    let list = plan["delete"].as_array().unwrap();
    let mut names: Vec<String> =
        list.iter().map(|entry| entry["name"].as_str().unwrap().to_owned()).collect();
    names.sort();
    names.dedup();
    Some(names)
}

/// One changed listing: whether it was answered, and whether something was to go then.
fn check(dir: &std::path::Path, round: u64) -> (bool, bool) {
    let mut random = Random(seed() ^ round.wrapping_mul(0x9E37_79B9));
    let host = loop {
        let host = Host::random(&mut random, round % 1000);
        if host.may_go(KEEP, MARGIN).is_some_and(|(_, names)| !names.is_empty()) {
            break host;
        }
    };
    let original = host.map() + &host.usage() + &connection(&host);
    let (text, what) = mutation(&original, &mut random);
    let about = format!("HIGHWATER_SEED={} round {round}: {what}", seed());
    match planned(dir, &Host::ledger(&[&host]), &text, &about) {
        None => (false, false),
        Some(names) => {
            assert_eq!(names, wanted(&text, &host), "{about}\n{text}");
            (true, !names.is_empty())
        }
    }
}

#[test]
fn one_change_is_planned_for_or_refused() {
    let rounds =
        std::env::var("HIGHWATER_MUTATIONS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(600);
    println!("HIGHWATER_SEED={}", seed());
    let (next, answered, with_something) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                let scratch = tempfile::tempdir().unwrap();
                loop {
                    let round = next.fetch_add(1, Ordering::Relaxed);
                    if round >= rounds {
                        break;
                    }
                    let (answer, something) = check(scratch.path(), round);
                    answered.fetch_add(u64::from(answer), Ordering::Relaxed);
                    with_something.fetch_add(u64::from(something), Ordering::Relaxed);
                }
            });
        }
    });
    let (answered, with_something) = (answered.into_inner(), with_something.into_inner());
    println!(
        "{rounds} changed listings: {answered} answered, {with_something} of them with something to delete"
    );
    assert!((rounds / 20..rounds * 19 / 20).contains(&answered), "{answered} of {rounds} were answered");
    assert!(with_something > rounds / 40, "{with_something} of {rounds} had something to delete");
}
