//! A million archives, a thousand points, two copies, three histories: time and memory from process start to plan.
//! Not run unless asked for: `cargo test --release -p prunelog --test million -- --ignored --nocapture`.

mod measure;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use measure::measure;

/// Data sets of each copy.
const DATA_SETS: u64 = 500_000;
/// Bytes of a data set.
const SIZE: u64 = 0x40_0000;
const POINTS: u64 = 1_000;

/// Data sets of one copy: history, first and last RBA. Each history is cut from the one before, whose tail stays.
fn ranges() -> (Vec<(u8, u64, u64)>, [u64; 2]) {
    let cuts = [150_000 * SIZE + 0x1800, 350_000 * SIZE + 0x2345];
    let first = |cut: u64| cut.div_ceil(4096) * 4096;
    let mut ranges = Vec::new();
    for (history, start, end) in
        [(1, 0, 160_000 * SIZE), (2, first(cuts[0]), 360_000 * SIZE), (3, first(cuts[1]), u64::MAX)]
    {
        let mut at = start;
        while at < end && (ranges.len() as u64) < DATA_SETS {
            let stop = (at + SIZE).min(end);
            ranges.push((history, at, stop - 1));
            at = stop;
        }
    }
    (ranges, cuts)
}

fn write(path: &Path) -> std::io::Result<()> {
    let mut to = BufWriter::new(File::create(path)?);
    let (ranges, [cut1, cut2]) = ranges();
    let end = ranges[ranges.len() - 1].2 + 1;
    write!(
        to,
        r#"{{"queue_manager":"QM1","histories":[{{"id":"1","parent":null,"cut":null}},{{"id":"2","parent":"1","cut":"{cut1:016X}"}},{{"id":"3","parent":"2","cut":"{cut2:016X}"}}],"logs":["#
    )?;
    for copy in 1..=2 {
        for (number, (history, start, last)) in ranges.iter().enumerate() {
            writeln!(
                to,
                r#"{{"name":"MQ.QM1.ARCHLOG{copy}.D{number:07}","kind":"archive","copy":{copy},"history":"{history}","start":"{start:016X}","end":"{last:016X}","bytes":{SIZE},"present":true}},"#
            )?;
        }
        let comma = if copy == 1 { "," } else { "" };
        writeln!(
            to,
            r#"{{"name":"MQ.QM1.LOGCOPY{copy}.DS01","kind":"active","copy":{copy},"history":"3","start":"{end:016X}","end":"{:016X}","bytes":{SIZE},"present":true}}{comma}"#,
            end + SIZE - 1
        )?;
    }
    write!(to, r#"],"points":["#)?;
    for number in 0..POINTS {
        let (history, start, _) = ranges[((number + 1) * ranges.len() as u64 / (POINTS + 1)) as usize];
        let (day, hour) = (number / 4, number % 4 * 6);
        let back = |data_sets: u64| format!("{:016X}", start.saturating_sub(data_sets * SIZE));
        let comma = if number + 1 < POINTS { "," } else { "" };
        let at = format!("2026-{:02}-{:02}T{hour:02}:00:00Z", day / 28 + 1, day % 28 + 1);
        let copies: Vec<String> =
            (0..20).map(|psid| format!(r#"{{"psid":{psid},"recovery_rba":"{}"}}"#, back(2))).collect();
        write!(
            to,
            r#"{{"name":"P{number}","method":"fuzzy","state":"verified","at":"{at}","history":"{history}","start":"{start:016X}","end":"{:016X}","page_sets":[{}],"system_recovery":{{"page_sets":{{"rba":"{}","holder":"page set 00"}},"structures":{{"rba":"{}","holder":"S1"}},"units":{{"rba":"{}","holder":"unit"}}}}}}{comma}"#,
            start + 99,
            copies.join(","),
            back(2),
            back(5),
            back(1)
        )?;
    }
    let sets: Vec<String> = (0..20)
        .map(|psid| format!(r#"{{"psid":{psid},"recovery_rba":"{:016X}"}}"#, end - 3 * SIZE))
        .collect();
    write!(
        to,
        r#"],"now":{{"at":"2026-11-22T00:00:00Z","log_end":"{:016X}","checkpoints":["{:016X}","{:016X}"],"page_sets":[{}],"structures":[{{"name":"S1","rba":"{:016X}"}}],"units":[]}},"holds":[],"in_progress":[]}}"#,
        end + SIZE / 2,
        end - 3 * SIZE,
        end - SIZE,
        sets.join(","),
        end - 4 * SIZE
    )?;
    to.flush()
}

fn plan(document: &Path, options: &[&str]) -> (Duration, u64, Option<i32>) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_prunelog"));
    measure(command.args(["plan", "--inventory"]).arg(document).args(options))
}

#[test]
#[ignore = "takes a while, and says something of a release build on a quiet machine alone"]
fn a_million_archives_are_planned_in_two_seconds_and_a_gibibyte() {
    let dir = tempfile::tempdir().unwrap();
    let document = dir.path().join("inventory.json");
    write(&document).unwrap();
    let mut worst = (Duration::ZERO, 0);
    for options in [
        &["--keep-last", "10"][..],
        &["--keep-last", "10", "--json"],
        &["--keep-last", "1000"],
        &["--keep-last", "1000", "--json"],
        &["--daily", "7", "--weekly", "4", "--monthly", "12"],
        &["--window", "14d", "--consistent-only", "--keep-last", "500", "--min-archives", "100"],
        &["--emit", "list", "--keep-last", "2", "--max-delete", "100"],
    ] {
        let (took, peak, code) = plan(&document, options);
        println!("{:.2} s  {} MiB  code {code:?}  {}", took.as_secs_f64(), peak / 1024, options.join(" "));
        assert!(matches!(code, Some(0 | 4)));
        worst = (worst.0.max(took), worst.1.max(peak));
    }
    assert!(worst.0 < Duration::from_secs(2) && worst.1 < 1 << 20, "the worst: {worst:?}");
}
