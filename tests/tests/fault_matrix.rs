//! The fault matrix tells the truth: every row names a program that there is and tests that there are.

use std::collections::BTreeSet;
use std::fs;

use house::tree::{self, sources};

/// The rows of the matrix, cell by cell.
fn rows() -> Vec<Vec<String>> {
    let page = fs::read_to_string(tree::root().join("docs/testing.md")).expect("the page is there");
    let section = page.split("\n## Fault matrix\n").nth(1).expect("it has a fault matrix");
    let section = section.split("\n## ").next().unwrap_or_default();
    let lines = section.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| fault |"));
    lines
        .map(|line| line.trim_matches('|').split(" | ").map(|cell| cell.trim().to_owned()).collect())
        .collect()
}

/// What stands between backticks.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

/// Names of all functions of the tree that are tests.
fn tests() -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for source in ["formats", "tools", "tests"].iter().flat_map(|folder| sources(folder, &[".rs"])) {
        let mut is_test = false;
        for line in source.text.lines().map(str::trim) {
            if let Some(rest) = line.strip_prefix("fn ")
                && is_test
            {
                found.insert(rest.split('(').next().unwrap_or_default().to_owned());
            }
            // Other attributes may stand between the mark and the function.
            is_test = line == "#[test]" || is_test && line.starts_with("#[");
        }
    }
    found
}

#[test]
fn every_row_names_a_test_that_is_there() {
    let tests = tests();
    assert!(tests.len() > 300, "only {} tests are found in the tree", tests.len());
    let rows = rows();
    assert!(rows.len() >= 50, "only {} rows are found", rows.len());
    for row in &rows {
        assert_eq!(row.len(), 4, "fault, program, what is seen, test: {row:?}");
        let named = quoted(&row[3]);
        assert!(!named.is_empty(), "no test is named: {row:?}");
        let missing: Vec<_> = named.iter().filter(|name| !tests.contains(**name)).collect();
        assert!(missing.is_empty(), "there is no such test: {missing:?}");
        assert!(row.iter().all(|cell| !cell.is_empty()), "an empty cell: {row:?}");
    }
}

#[test]
fn every_row_names_a_program_and_every_program_that_writes_is_in_the_matrix() {
    let programs: BTreeSet<String> = tree::programs().into_iter().collect();
    let mut seen = BTreeSet::new();
    for row in rows() {
        let named = quoted(&row[1]);
        assert!(!named.is_empty() || row[1].starts_with("all"), "no program is named: {row:?}");
        for name in named {
            let program = name.split(' ').next().unwrap_or_default().to_owned();
            assert!(programs.contains(&program), "there is no program {program}: {row:?}");
            seen.insert(program);
        }
    }
    for program in ["qmgr", "mqsc", "repro", "dispusage", "archlog", "recpoint", "recover"] {
        assert!(seen.contains(program), "{program} is in no row of the fault matrix");
    }
}

/// Every test of a whole program that fails on purpose is worth a row.
#[test]
fn every_test_of_failing_disks_and_damaged_archives_has_a_row() {
    let named: BTreeSet<String> = rows()
        .iter()
        .flat_map(|row| quoted(&row[3]).into_iter().map(str::to_owned).collect::<Vec<_>>())
        .collect();
    for file in ["failing_disks", "archive_damage", "killed", "out_of_reach"] {
        let path = tree::root().join(format!("tests/tests/{file}.rs"));
        let text = fs::read_to_string(path).expect("the tests are there");
        for part in text.split("#[test]\nfn ").skip(1) {
            let name = part.split('(').next().unwrap_or_default();
            assert!(
                named.contains(name),
                "{file}.rs: {name} has no row in the fault matrix of docs/testing.md"
            );
        }
    }
}
