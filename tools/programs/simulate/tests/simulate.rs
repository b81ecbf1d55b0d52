//! The program as it is run: clean seeds, the same digests every time, and, in builds that can make mistakes on purpose, every mistake
//! caught.

use std::process::{Command, Output};

fn simulate(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_simulate")).args(arguments).output().unwrap()
}

fn text(output: &Output) -> String {
    format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr))
}

#[test]
fn clean_seeds_break_nothing_and_repeat_to_the_digest() {
    let first = simulate(&["--seeds", "0..60"]);
    assert_eq!(first.status.code(), Some(0), "{}", text(&first));
    let again = simulate(&["--seeds", "0..60", "--threads", "1"]);
    assert_eq!(first.stdout, again.stdout);
    let report = String::from_utf8_lossy(&first.stdout);
    let digests: std::collections::BTreeSet<&str> = report
        .lines()
        .filter_map(|line| line.split(' ').nth(3).filter(|_| line.contains("DIGEST")))
        .collect();
    assert_eq!(digests.len(), 60, "seeds differ");
    assert!(report.contains("60 SEEDS, 0 FAILED, MEDIAN OF 300 OPERATIONS"), "{report}");
}

#[test]
fn the_report_is_one_json_document_on_request() {
    let output = simulate(&["--seeds", "7..9", "--operations", "40", "--json"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    let report: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(report["seeds"].as_array().unwrap().len(), 2);
    assert_eq!(report["failed"], 0);
    assert!(report["totals"]["put"].as_u64().unwrap() > 0);
    assert_eq!(report["seeds"][0]["digest"].as_str().unwrap().len(), 16);
}

#[test]
fn every_operation_of_a_short_run_may_be_the_last_before_a_power_cut() {
    let output = simulate(&["--seeds", "1..2", "--every-stop"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
}

#[test]
fn bad_input_is_refused() {
    for arguments in
        [&["--seeds", "9..3"][..], &["--defect", "nonsense"], &["--operations", "0"], &["--frob"]]
    {
        assert_eq!(simulate(arguments).status.code(), Some(12), "{arguments:?}");
    }
    #[cfg(not(feature = "planted-defects"))]
    assert_eq!(simulate(&["--defect", "no-reread"]).status.code(), Some(12));
}

#[cfg(feature = "planted-defects")]
#[test]
fn every_planted_defect_is_caught() {
    for defect in engine_storage::planted::Defect::ALL {
        let output = simulate(&["--seeds", "0..1000", "--first", "--defect", defect.name()]);
        assert_eq!(output.status.code(), Some(8), "{defect} was not caught\n{}", text(&output));
    }
}
