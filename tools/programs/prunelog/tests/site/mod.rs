//! A site as an inventory document, and the program run on it.
// Each test file uses its part of it.
#![allow(dead_code)]

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

/// What the program said, and its condition code.
pub(crate) struct Said {
    pub(crate) code: i32,
    pub(crate) out: String,
    pub(crate) err: String,
}

pub(crate) fn prunelog(arguments: &[&str]) -> Said {
    prunelog_with(arguments, b"")
}

pub(crate) fn prunelog_with(arguments: &[&str], input: &[u8]) -> Said {
    let mut command = Command::new(env!("CARGO_BIN_EXE_prunelog"));
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let input = input.to_vec();
    // It may end without reading.
    let feeder = std::thread::spawn(move || drop(stdin.write_all(&input)));
    let output = child.wait_with_output().unwrap();
    feeder.join().unwrap();
    Said {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

pub(crate) fn rba(rba: u64) -> String {
    format!("{rba:016X}")
}

/// A verified fuzzy point of so many days before the inventory's time that needs log from `from` on.
pub(crate) fn point(name: &str, days: u32, from: u64) -> Value {
    let month = if days < 22 { 11 } else { 10 };
    let day = if days < 22 { 22 - days } else { 53 - days };
    json!({
        "name": name, "method": "fuzzy", "state": "verified", "at": format!("2026-{month}-{day:02}T00:00:00Z"),
        "history": "1", "start": rba(from + 0x10), "end": rba(from + 0x1F),
        "page_sets": [{"psid": 0, "recovery_rba": rba(from)}],
        "system_recovery": {
            "page_sets": {"rba": rba(from), "holder": "page set 00"}, "structures": null, "units": null
        }
    })
}

pub(crate) struct Site {
    dir: tempfile::TempDir,
    pub(crate) logs: Vec<Value>,
    pub(crate) points: Vec<Value>,
    pub(crate) now: Value,
    pub(crate) holds: Value,
    pub(crate) in_progress: Value,
    pub(crate) histories: Value,
}

impl Site {
    /// So many archives of 4096 bytes in two copies, and an active log behind them.
    pub(crate) fn new(archives: u64) -> Self {
        let mut logs = Vec::new();
        for copy in 1..=2 {
            for number in 0..=archives {
                let (kind, name) = if number < archives {
                    ("archive", format!("ARCHLOG{copy}.A{number:07}"))
                } else {
                    ("active", format!("LOGCOPY{copy}.DS01"))
                };
                let start = number * 0x1000;
                logs.push(json!({
                    "name": name, "kind": kind, "copy": copy, "history": "1", "start": rba(start),
                    "end": rba(start + 0xFFF), "bytes": 4096, "present": true
                }));
            }
        }
        let end = archives * 0x1000;
        Self {
            dir: tempfile::tempdir().unwrap(),
            logs,
            points: Vec::new(),
            now: json!({
                "at": "2026-11-22T00:00:00Z", "log_end": rba(end + 0x800),
                "checkpoints": [rba(end - 0x800), rba(end + 0x400)],
                "page_sets": [{"psid": 0, "recovery_rba": rba(end - 0x1800)}], "structures": [], "units": []
            }),
            holds: json!([]),
            in_progress: json!([]),
            histories: json!([{"id": "1", "parent": null, "cut": null}]),
        }
    }

    pub(crate) fn log(&mut self, name: &str) -> &mut Value {
        self.logs.iter_mut().find(|log| log["name"] == name).unwrap()
    }

    pub(crate) fn path(&self, name: &str) -> String {
        self.dir.path().join(name).to_string_lossy().into_owned()
    }

    pub(crate) fn file(&self, name: &str, text: &str) -> String {
        std::fs::write(self.path(name), text).unwrap();
        self.path(name)
    }

    /// The path of the inventory document.
    pub(crate) fn document(&self) -> String {
        let document = json!({
            "queue_manager": "QM1", "histories": self.histories, "logs": self.logs, "points": self.points,
            "now": self.now, "holds": self.holds, "in_progress": self.in_progress
        });
        self.file("inventory.json", &document.to_string())
    }

    /// The plan document.
    pub(crate) fn plan(&self, options: &[&str]) -> Value {
        let document = self.document();
        let said = prunelog(&[&["plan", "--inventory", &document, "--json"], options].concat());
        assert!(said.code <= 4, "{options:?}: {}", said.err);
        serde_json::from_str(&said.out).unwrap()
    }
}
