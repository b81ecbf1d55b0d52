//! Listings with one thing changed: the answer is that of the changed text, or an error. Nothing is lost in silence.
//!
//! What a text holds is counted here by looking at its characters alone; nothing of the reader takes part.

mod listings;

use std::collections::BTreeMap;

use format_listing::{Deletion, DeletionResult, IdcamsOutcome, LogMapLayout, Report, Section, Text, read};
use listings::{LISTINGS, Random};

/// Entries by kind.
type Entries = BTreeMap<&'static str, usize>;

const EVENTS: [&str; 10] = [
    "CSQJ001I", "CSQJ002I", "CSQJ003I", "CSQE120I", "CSQE121I", "CSQJ160I", "CSQR026I", "CSQI005I",
    "CSQI024I", "CSQI025I",
];

/// What `text` seems to hold, line by line.
fn seen(text: &str) -> Entries {
    let mut entries = Entries::new();
    let has_rows = text.contains("CSQI010I") || text.contains("CSQE280I");
    for line in text.lines() {
        let mut count = |kind, found: bool| *entries.entry(kind).or_default() += usize::from(found);
        let long = |word: &str| word.len() >= 10 && word.bytes().all(|b| b.is_ascii_hexdigit());
        count("row of a log map", line.contains("DSN=") && line.split(' ').any(long));
        count("checkpoint", line.contains("BEGIN CHECKPOINT RBA"));
        // The console's prefix of a further line is a number among blanks.
        let number = |word: &&str| word.bytes().all(|b| b.is_ascii_digit() || b == b'-');
        let mut rest = line.split_whitespace().skip_while(number);
        let words = rest
            .next()
            .is_some_and(|word| word.starts_with('_') && (word.len() > 1 || rest.next().is_some()));
        count("row", has_rows && words);
        count("event", EVENTS.iter().any(|id| line.contains(id)));
        count("title", line.contains("Log, oldest "));
        count("object", line.contains("CSQM201I"));
        let dashed = |kind: &str| {
            let rest = line.find(kind).map(|at| &line[at + kind.len()..]);
            let rest = rest.filter(|rest| rest.starts_with(' ')).map(str::trim_start);
            let name = rest.filter(|rest| rest.starts_with('-')).map(|rest| rest.trim_start_matches('-'));
            name.is_some_and(|name| {
                name.starts_with(' ') && name.trim_start().starts_with(char::is_alphabetic)
            })
        };
        count("catalog entry", ["NONVSAM", "GDG BASE", "CLUSTER", "DATA"].into_iter().any(dashed));
        count("volume", line.contains("VOLSER-"));
        count("deleted", line.contains("IDC0550I"));
        count("copy", line.contains("IDC0005I"));
        let names_one = line.contains("DSNAME=") && (line.contains("DELETE ") || line.contains("NEWLOG "));
        count("inventory", names_one || line.contains("CRESTART "));
    }
    entries
}

/// What was read.
fn read_entries(sections: &[Section]) -> Entries {
    let mut entries = Entries::new();
    for section in sections {
        let (kind, number) = match &section.report {
            Report::LogMap(map) => {
                let active: usize = map.active.iter().map(Vec::len).sum();
                let archives: usize = map.archives.iter().map(Vec::len).sum();
                *entries.entry("checkpoint").or_default() += map.checkpoints.as_ref().map_or(0, Vec::len);
                ("row of a log map", active + archives)
            }
            Report::PageSets(rows) => ("row", rows.len()),
            Report::BufferPools(rows) => ("row", rows.len()),
            Report::SharedMessageDataSets(rows) => ("row", rows.len()),
            Report::SharedMessageBuffers(rows) => ("row", rows.len()),
            Report::DataSets(rows) => ("title", rows.len()),
            Report::RestartRba(_) | Report::RestartRbaWithOffline(_) | Report::Event(_) => ("event", 1),
            Report::Structures(objects) => ("object", objects.len()),
            Report::StructureBackups(objects) => ("object", objects.len()),
            Report::Connections(objects) => ("object", objects.len()),
            Report::Objects(displayed) => ("object", displayed.objects.len()),
            Report::Idcams(print) => {
                for (function, outcome) in
                    print.functions.iter().flat_map(|f| f.outcomes.iter().map(move |o| (f, o)))
                {
                    let (kind, number) = match outcome {
                        IdcamsOutcome::Listed(listing) => {
                            let volumes: usize =
                                listing.entries.iter().map(|entry| entry.volumes.len()).sum();
                            *entries.entry("volume").or_default() += volumes;
                            ("catalog entry", listing.entries.len())
                        }
                        IdcamsOutcome::Deleted(names) => {
                            let gone = |one: &&Deletion| one.result == DeletionResult::Gone;
                            ("deleted", names.iter().filter(gone).count())
                        }
                        IdcamsOutcome::Copied(_) => {
                            let counts = function.messages.iter().filter(|text| text.starts_with("IDC0005I"));
                            ("copy", counts.count())
                        }
                    };
                    *entries.entry(kind).or_default() += number;
                }
                continue;
            }
            Report::LogInventory(change) => ("inventory", change.statements.len()),
            Report::LogParameters(_) | Report::LogStatus(_) => continue,
        };
        *entries.entry(kind).or_default() += number;
    }
    entries
}

fn without_zeros(entries: &Entries) -> Entries {
    entries.iter().filter(|(_, number)| **number > 0).map(|(kind, number)| (*kind, *number)).collect()
}

/// Every RBA, LRSN and identifier of 12 or 16 hexadecimal digits of the text is in what was read, printed for programmers.
fn missing_address(text: &str, sections: &[Section]) -> Option<String> {
    let printed = format!("{sections:?}");
    let digits = |word: &&str| {
        matches!(word.len(), 12 | 16)
            && word.bytes().all(|b| b.is_ascii_hexdigit())
            && word.bytes().any(|b| b.is_ascii_digit())
    };
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(digits);
    words.into_iter().find_map(|word| {
        let value = u64::from_str_radix(word, 16).unwrap();
        if value == 0 {
            // Zero says that there is none.
            return None;
        }
        let forms = [
            format!("Rba({value})"),
            format!("Lrsn({value})"),
            format!("Lrsn({})", value << 16),
            word.to_owned(),
        ];
        forms.iter().all(|form| !printed.contains(form)).then(|| word.to_owned())
    })
}

fn sections(text: &str) -> Option<Vec<Section>> {
    read(&[Text::decode("changed", text.as_bytes()).ok()?]).ok()
}

struct Mutation {
    what: String,
    text: String,
    /// Whether all entries are still there, readable or not.
    keeps_entries: bool,
}

fn byte_at(text: &str, random: &mut Random, wanted: impl Fn(u8) -> bool) -> usize {
    loop {
        let at = random.below(text.len());
        if wanted(text.as_bytes()[at]) {
            return at;
        }
    }
}

fn mutation(original: &str, random: &mut Random) -> Mutation {
    let mut lines: Vec<&str> = original.lines().collect();
    let mut text = original.to_owned();
    let (what, keeps_entries) = match random.below(5) {
        0 => {
            let at = byte_at(original, random, |b| b.is_ascii_digit());
            let letter = char::from(b'A' + random.below(26) as u8);
            text.replace_range(at..=at, &letter.to_string());
            (format!("the digit at {at} becomes {letter}"), true)
        }
        1 => {
            let gone = random.below(lines.len());
            lines.remove(gone);
            text = lines.join("\n");
            (format!("line {} is removed", gone + 1), false)
        }
        2 => {
            let (one, two) = (random.below(lines.len()), random.below(lines.len()));
            lines.swap(one, two);
            text = lines.join("\n");
            (format!("lines {} and {} are swapped", one + 1, two + 1), true)
        }
        3 => {
            let end = random.below(original.len());
            text.truncate(end);
            (format!("the text ends at {end}"), false)
        }
        _ => {
            let at = random.below(original.len());
            let inserted =
                [' ', '\n', '_', '0', '(', ')', '/', ',', 'F', 'X', '=', '\'', '-', '.'][random.below(14)];
            text.insert(at, inserted);
            (format!("{inserted:?} is inserted at {at}"), true)
        }
    };
    Mutation { what, text, keeps_entries }
}

fn check(name: &str, original: &str, random: &mut Random) -> bool {
    let Mutation { what, text, keeps_entries } = mutation(original, random);
    let Some(sections) = sections(&text) else {
        return false;
    };
    let found = without_zeros(&read_entries(&sections));
    let wanted = without_zeros(&seen(&text));
    assert_eq!(found, wanted, "{name}: {what}: entries of the changed text\n{text}");
    if keeps_entries {
        assert_eq!(found, without_zeros(&seen(original)), "{name}: {what}: entries of the listing\n{text}");
    }
    assert_eq!(missing_address(&text, &sections), None, "{name}: {what}: an address is lost\n{text}");
    for section in &sections {
        if let Report::LogMap(map) = &section.report {
            for layout in [LogMapLayout::Csqju004, LogMapLayout::Dsnju004] {
                let written = map.lines(layout).join("\n") + "\n";
                let text = Text::decode("written", written.as_bytes()).unwrap();
                let again: Vec<Report> =
                    read(&[text]).unwrap().into_iter().map(|section| section.report).collect();
                assert_eq!(
                    again.as_slice(),
                    std::slice::from_ref(&section.report),
                    "{name}: {what}: the map is written as\n{written}"
                );
            }
        }
    }
    true
}

#[test]
fn the_scan_sees_what_is_there() {
    for (name, text) in LISTINGS {
        let found = sections(text).unwrap_or_else(|| panic!("{name} does not read"));
        assert_eq!(without_zeros(&read_entries(&found)), without_zeros(&seen(text)), "{name}");
        assert_eq!(missing_address(text, &found), None, "{name}");
    }
}

#[test]
fn one_change_is_answered_or_refused() {
    let mut random = Random::seeded("one_change_is_answered_or_refused");
    let rounds =
        std::env::var("HIGHWATER_MUTATIONS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(20_000);
    let mut answered = 0;
    for round in 0..rounds {
        let (name, text) = LISTINGS[round % LISTINGS.len()];
        answered += usize::from(check(name, text, &mut random));
    }
    assert!((rounds / 20..rounds * 19 / 20).contains(&answered), "{answered} of {rounds} were answered");
}
