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
        .filter_map(|line| line.split(' ').nth(3).filter(|_| line.starts_with("SEED ")))
        .collect();
    assert_eq!(digests.len(), 60, "seeds differ");
    let last = report.lines().last().unwrap();
    assert!(last.starts_with("60 SEEDS, 0 FAILED, MEDIAN OF "), "{report}");
    let median: u64 = last.split(' ').nth(6).unwrap().parse().unwrap();
    assert!(median >= 200, "{last}");
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
fn totals_and_digests_are_written_on_request() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("totals.txt");
    let run = |seeds: &str| {
        let arguments = ["--seeds", seeds, "--operations", "40", "--totals", file.to_str().unwrap()];
        let output = simulate(&arguments);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output));
        (std::fs::read_to_string(&file).unwrap(), String::from_utf8(output.stdout).unwrap())
    };
    let (page, report) = run("999..1001");
    let digest = report.lines().find_map(|line| line.strip_prefix("DIGEST OF ALL ")).unwrap();
    assert!(page.starts_with("simulate --seeds 999..1001 --operations 40\n2 seeds, 0 failed"), "{page}");
    assert!(page.contains(&format!("digest of all {digest}\n")), "{page}");
    assert!(page.contains("\nseeds 999..1000 digest ") && page.contains("\nseeds 1000..1001 digest "));
    assert!(page.lines().any(|line| line.starts_with("put  ")), "{page}");
    assert_eq!(run("999..1001").0, page);
    assert_ne!(run("1000..1001").0, page);
    let refused = simulate(&["--seeds", "1..2", "--operations", "9", "--totals", "/nowhere/totals.txt"]);
    assert_eq!(refused.status.code(), Some(12), "{}", text(&refused));
}

#[test]
fn every_operation_of_a_short_run_may_be_the_last_before_a_power_cut() {
    let output = simulate(&["--seeds", "1..2", "--every-stop"]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
}

#[test]
fn trace_tells_what_happens_and_changes_nothing() {
    let quiet = simulate(&["--seeds", "3..4", "--operations", "40"]);
    let told = simulate(&["--seeds", "3..4", "--operations", "40", "--trace"]);
    assert_eq!(quiet.stdout, told.stdout);
    assert!(told.stderr.len() > quiet.stderr.len() + 100, "{}", text(&told));
}

#[test]
fn the_files_of_a_failing_seed_are_kept_on_request_and_of_no_other() {
    let dir = tempfile::tempdir().unwrap();
    let keep = dir.path().join("kept");
    let output = simulate(&["--seeds", "3..4", "--keep", keep.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(0), "{}", text(&output));
    assert!(!keep.exists());
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
    let engine = engine_storage::planted::Defect::ALL.iter().map(|defect| defect.name());
    // The simulation has no structures, and no log that begins to be needed at the last byte of a data set.
    let unseen = ["structure-part-dropped", "off-by-one-at-last-byte"];
    let rules = operation_retention::planted::Defect::ALL.iter().map(|defect| defect.name());
    for defect in engine.chain(rules.filter(|name| !unseen.contains(name))) {
        let output = simulate(&["--seeds", "0..1000", "--first", "--defect", defect]);
        assert_eq!(output.status.code(), Some(8), "{defect} was not caught\n{}", text(&output));
    }
}

#[cfg(feature = "planted-defects")]
#[test]
fn a_failing_seed_is_named_with_its_command_and_its_files_are_kept() {
    let dir = tempfile::tempdir().unwrap();
    let keep = dir.path().to_str().unwrap();
    let defect = "acknowledged-before-sync";
    let all = simulate(&["--seeds", "0..8", "--defect", defect, "--keep", keep, "--threads", "1"]);
    assert_eq!(all.status.code(), Some(8), "{}", text(&all));
    let report = String::from_utf8_lossy(&all.stdout);
    let failed: Vec<&str> = report
        .lines()
        .filter(|line| line.contains(" FAILED "))
        .filter_map(|line| line.strip_prefix("SEED ")?.split(' ').next())
        .collect();
    assert!(failed.len() > 1);
    for seed in &failed {
        assert!(dir.path().join(seed).join("QM1").join("BSDS01").exists(), "seed {seed}");
        let next = seed.parse::<u64>().unwrap() + 1;
        let again = format!("simulate --seeds {seed}..{next} --operations 300 --defect {defect}");
        assert!(report.contains(&again), "{report}");
    }
    let first = simulate(&["--seeds", "0..8", "--defect", defect, "--first", "--threads", "1"]);
    assert_eq!(
        String::from_utf8_lossy(&first.stdout).lines().filter(|line| line.contains(" FAILED ")).count(),
        1
    );
}
