//! Long lists of log maps, read in stretches: what is read, or refused, is what is read line by line.

mod listings;

use std::cell::Cell;
use std::fmt::Write as _;

use format_listing::{ListingError, Report, Section, Stretch, StretchRead, Text, read, read_in_stretches};
use listings::{LISTINGS, Random};

const ROWS: usize = 12_000;

/// Lines of a log map whose archives of both copies are on several pages, some of them with times and LRSNs, some not.
fn long_map() -> Vec<String> {
    let mut lines = vec![
        " LOG MAP OF BSDS DATA SET COPY 1, DSN=QM1.BSDS01".to_owned(),
        "         HIGHEST RBA WRITTEN         0000FFFFFFFFFFFF".to_owned(),
        "         HIGHEST RBA OFFLOADED       0000FFFFFFFFFFFF".to_owned(),
    ];
    for copy in 1..=2 {
        lines.push(format!("                         ACTIVE LOG COPY {copy} DATA SETS"));
        lines.push("      NO ACTIVE DATA SETS DEFINED FOR THIS COPY".to_owned());
        let title = format!("                         ARCHIVE LOG COPY {copy} DATA SETS");
        lines.push(title.clone());
        for row in 0..ROWS {
            let password = format!("        PASSWORD=(NULL) VOL=V{row:05} UNIT=3390 CATALOGUED=YES");
            let (start, end) = (row * 0x1000, row * 0x1000 + 0xFFF);
            let first = format!(" {start:016X} / {end:016X} /  2026-11-19 DSN=QM1.ARCLOG{copy}.A{row:07}");
            // On some pages the row that began on the page before goes on.
            let broken = row % 140 == 69;
            if broken {
                lines.push(first.clone());
            }
            if row % 70 == 69 {
                lines.push(format!("CSQJU004  LOG MAP UTILITY   PAGE {}", row / 70));
                lines.push(" LOG MAP OF BSDS DATA SET COPY 1, DSN=QM1.BSDS01".to_owned());
                lines.push(title.clone());
                lines.push(
                    " START RBA/TIME       END RBA/TIME         DATE       DATA SET INFORMATION".to_owned(),
                );
            }
            if !broken {
                lines.push(first);
            }
            if row % 3 == 0 {
                lines.push("  2014.057 15:30:12.3    2014.057 15:30:12.4".to_owned());
            }
            lines.push(password);
        }
    }
    lines.push("CSQJ401E CSQJU004 RECORD NOT FOUND - RESTART CONTROL".to_owned());
    lines
}

fn text(lines: &[String]) -> [Text; 1] {
    let mut text = String::new();
    for line in lines {
        writeln!(text, "{line}").unwrap();
    }
    [Text::decode("map", text.into_bytes()).unwrap()]
}

fn line_by_line(texts: &[Text]) -> Result<Vec<Section>, ListingError> {
    read_in_stretches(texts, &|_| Vec::new())
}

#[test]
fn stretches_hold_what_the_lines_say() {
    let texts = text(&long_map());
    let stretches_read = Cell::new(0);
    let backwards = |stretches: &[Stretch<'_>]| {
        stretches_read.set(stretches_read.get() + stretches.len());
        let mut reads: Vec<StretchRead> = stretches.iter().rev().map(Stretch::read).collect();
        reads.reverse();
        reads
    };
    let sections = read_in_stretches(&texts, &backwards).unwrap();
    assert!(stretches_read.get() >= 6, "{} stretches", stretches_read.get());
    let [Section { report: Report::LogMap(map), .. }] = sections.as_slice() else { panic!("{sections:?}") };
    for (copy, archives) in map.archives.iter().enumerate() {
        assert_eq!(archives.len(), ROWS);
        for (row, archive) in archives.iter().enumerate() {
            assert_eq!(archive.row.data_set.as_str(), format!("QM1.ARCLOG{}.A{row:07}", copy + 1));
            assert_eq!(archive.row.start.0, row as u64 * 0x1000);
            assert_eq!(archive.volume.as_deref(), Some(format!("V{row:05}").as_str()));
            assert_eq!(archive.row.times.is_some(), row % 3 == 0);
        }
    }
    assert_eq!(line_by_line(&texts).unwrap(), sections);
}

#[test]
fn short_listings_read_the_same() {
    for (name, text) in LISTINGS {
        let texts = [Text::decode(name, text.as_bytes()).unwrap()];
        assert_eq!(read(&texts), line_by_line(&texts), "{name}");
    }
}

#[test]
fn what_is_wrong_in_a_stretch_is_found_where_it_stands() {
    let original = long_map();
    let mut random = Random::seeded("what_is_wrong_in_a_stretch_is_found_where_it_stands");
    let mut refused = 0;
    for round in 0..40 {
        let mut lines = original.clone();
        let at = random.below(lines.len());
        match round % 5 {
            0 => {
                lines.remove(at);
            }
            1 => lines.truncate(at),
            2 => lines[at] = lines[at].replacen("00", "0X", 1),
            3 => {
                let other = random.below(lines.len());
                lines.swap(at, other);
            }
            _ => lines[at].push_str(" VOL=TWICE"),
        }
        let texts = text(&lines);
        let (in_stretches, by_line) = (read(&texts), line_by_line(&texts));
        assert_eq!(in_stretches, by_line, "round {round}, line {at}");
        refused += usize::from(by_line.is_err());
    }
    assert!((10..40).contains(&refused), "{refused} were refused");
}
