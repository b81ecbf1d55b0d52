//! One listing in every form in which it can come down, and many listings in one file.

mod listings;

use format_listing::{Encoding, Report, Section, Text, read};
use format_types::Timestamp;
use listings::{LISTINGS, Random};

fn sections(bytes: &[u8]) -> Vec<Section> {
    let text = Text::decode("x", bytes).unwrap_or_else(|error| panic!("{error}"));
    read(&[text]).unwrap_or_else(|error| panic!("{error}"))
}

/// Code page 1047 by a table that is written down here once more: rows of characters from a first byte on.
const EBCDIC: [(u8, &str); 17] = [
    (0x40, " "),
    (0x4B, ".<(+|&"),
    (0x5A, "!$*);^-/"),
    (0x6B, ",%_>?"),
    (0x79, "`:#@'=\""),
    (0x81, "abcdefghi"),
    (0x91, "jklmnopqr"),
    (0xA1, "~stuvwxyz"),
    (0xAD, "["),
    (0xBD, "]"),
    (0xC0, "{ABCDEFGHI"),
    (0xD0, "}JKLMNOPQR"),
    (0xE0, "\\"),
    (0xE2, "STUVWXYZ"),
    (0xF0, "0123456789"),
    (0x0C, "\u{c}"),
    (0x15, "\n"),
];

fn ebcdic(text: &str) -> Vec<u8> {
    let byte = |c: char| {
        let row = EBCDIC.iter().find_map(|(first, row)| Some((*first, row.find(c)?)));
        let (first, at) = row.unwrap_or_else(|| panic!("{c:?} is not in the table"));
        first + at as u8
    };
    text.chars().map(byte).collect()
}

fn records(text: &str, length: usize) -> String {
    text.lines().map(|line| format!("{line:length$}")).collect()
}

#[test]
fn every_form_gives_the_same_values() {
    for (name, text) in LISTINGS {
        let plain = sections(text.as_bytes());
        assert!(!plain.is_empty(), "{name}");
        let forms = [
            ("CR LF", text.replace('\n', "\r\n").into_bytes()),
            ("EBCDIC with NEL", ebcdic(text)),
            (
                "EBCDIC with LF",
                ebcdic(text).into_iter().map(|byte| if byte == 0x15 { 0x25 } else { byte }).collect(),
            ),
            ("records of 133 bytes", records(text, 133).into_bytes()),
            ("EBCDIC records of 133 bytes", ebcdic(&records(text, 133))),
            ("UTF-8 with a byte order mark", [b"\xEF\xBB\xBF", text.as_bytes()].concat()),
        ];
        for (form, bytes) in forms {
            assert_eq!(sections(&bytes), plain, "{name}: {form}");
        }
        assert_eq!(Text::decode("x", ebcdic(text)).unwrap().encoding(), Encoding::Ebcdic1047);
        let blank_column: String = text.lines().map(|line| format!(" {line}\n")).collect();
        if !text.starts_with('1') {
            assert_eq!(sections(blank_column.as_bytes()), plain, "{name}: a blank column");
            let with_page = blank_column.replacen(' ', "1", 1);
            assert_eq!(sections(with_page.as_bytes()), plain, "{name}: carriage control");
        }
    }
}

#[test]
fn several_queue_managers_in_one_file() {
    let all: Vec<&str> = LISTINGS.iter().map(|(_, text)| *text).collect();
    let mut random = Random::seeded("several_queue_managers_in_one_file");
    for _ in 0..50 {
        let mut order: Vec<usize> = (0..all.len()).collect();
        for place in 0..order.len() {
            let other = random.below(order.len());
            order.swap(place, other);
        }
        let file: String = order.iter().map(|&place| all[place]).collect();
        let found: Vec<Report> =
            sections(file.as_bytes()).into_iter().map(|section| section.report).collect();
        let each: Vec<Report> = order
            .iter()
            .flat_map(|&place| sections(all[place].as_bytes()))
            .map(|section| section.report)
            .collect();
        assert_eq!(found.len(), each.len(), "{order:?}");
        for (found, each) in found.iter().zip(&each) {
            assert_eq!(found, each, "{order:?}");
        }
    }
    let names: Vec<_> = sections(all.concat().as_bytes())
        .iter()
        .filter_map(|section| section.queue_manager.as_ref().map(ToString::to_string))
        .collect();
    for name in ["CSQ7", "MQPA", "ZQS2", "CSQ1", "ZQS1"] {
        assert!(names.iter().any(|found| found == name), "{name} is not among {names:?}");
    }
}

#[test]
fn a_place_leads_into_its_file() {
    let texts: Vec<Text> =
        LISTINGS.iter().map(|(name, text)| Text::decode(name, text.as_bytes()).unwrap()).collect();
    let sections = read(&texts).unwrap();
    assert_eq!((sections[0].file.as_str(), sections[0].line), ("log-map-6-byte.txt", 1));
    assert_eq!((sections.last().unwrap().file.as_str(), sections.last().unwrap().line), ("objects.txt", 66));
}

#[test]
fn what_is_read_is_the_same_when_it_is_written_and_read_again() {
    for (name, text) in LISTINGS {
        for section in sections(text.as_bytes()) {
            let lines = section.report.lines("ZQS2", Timestamp(1_700_000_000_000_000)).join("\n") + "\n";
            let again: Vec<Report> =
                sections(lines.as_bytes()).into_iter().map(|section| section.report).collect();
            assert_eq!(again, [section.report], "{name}, line {}:\n{lines}", section.line);
        }
    }
}

/// Rows are read in a time that grows with their number, not with its square.
#[test]
fn long_listings_are_read_row_by_row() {
    let rows = 20_000_u64;
    let mut lines = vec![
        " HIGHEST RBA WRITTEN   0000FFFFFFFFFFFF".to_owned(),
        " HIGHEST RBA OFFLOADED 0000FFFFFFFFFFFF".to_owned(),
    ];
    for (title, archives) in [
        ("ACTIVE LOG COPY 1", 0),
        ("ARCHIVE LOG COPY 1", rows),
        ("ACTIVE LOG COPY 2", 0),
        ("ARCHIVE LOG COPY 2", rows),
    ] {
        lines.push(format!("  {title} DATA SETS"));
        for row in 0..archives {
            let (start, last) = (row * 0x10000, row * 0x10000 + 0xFFFF);
            lines.push(format!(" {start:016X} / {last:016X} / 2026-11-26 DSN=CSQARC1.A{row:07}"));
            lines.push(format!(" VOL=V{:05} UNIT=TAPE CATALOGUED=YES", row % 100_000));
        }
        if archives == 0 {
            lines.push(" NONE".to_owned());
        }
    }
    lines.push(" CSQJ401E CSQJU004 RECORD NOT FOUND - RESTART CONTROL".to_owned());
    let sections = sections(lines.join("\n").as_bytes());
    let Report::LogMap(map) = &sections[0].report else { panic!("{:?}", sections[0].report) };
    for copy in &map.archives {
        assert_eq!(copy.len() as u64, rows);
        assert_eq!(copy.last().unwrap().row.start.0, (rows - 1) * 0x10000);
    }
}

#[test]
fn a_heading_of_two_reports_is_refused() {
    let listing = "1CSQJU003 CHANGE LOG INVENTORY UTILISYSTEM SERVICES 2026-11-26 10:46:37  PAGE 1\n";
    let text = Text::decode("both", listing.as_bytes()).unwrap();
    let error = read(&[text]).unwrap_err();
    assert_eq!((error.line, error.column), (1, 2), "{error}");
}

#[test]
fn a_system_log_says_what_asked_for_an_answer() {
    let log = |head: &str, label: &str, data: &str, end: &str| {
        format!(
            "{head}0000000 SY1      2026330 10:46:37.05 STC00103 00000090  CSQI010I !QM1 Page set usage ... 301\n\
             {label}{blank}301 00000090  Page Buffer   Total   Unused  Persistent NonPersist Expansion    Encr-\n\
             {data}{blank}301 00000090  _  0     0     1078     1045          33          0 USER       0   NO\n\
             {end}{blank}301 00000090  End of page set report\n",
            blank = " ".repeat(40)
        )
    };
    let plain = sections(log("M ", "D ", "D ", "E ").as_bytes());
    assert!(matches!(plain[0].report, Report::PageSets(ref rows) if rows.len() == 1));
    for (head, label, data, end) in
        [("M ", "L ", "D ", "E "), ("MR", "LR", "DR", "ER"), ("MC", "LC", "DC", "EC")]
    {
        assert_eq!(sections(log(head, label, data, end).as_bytes()), plain, "{head}");
    }
    let broken = "NR0000000 SY1      2026330 10:46:37.05 STC00103 00000090  CSQI024I !QM1 CSQIDUSE Restart RBA for system as\n\
                  SR                                                        configured=0000008BE034\n";
    assert!(matches!(sections(broken.as_bytes())[0].report, Report::RestartRba(_)));
}
