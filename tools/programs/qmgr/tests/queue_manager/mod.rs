//! A queue manager of a test's own.

#![allow(dead_code, reason = "each test program uses a part of it")]

use std::io::Write;
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// A directory with a queue manager, stopped at the end.
pub(crate) struct Fixture {
    _dir: tempfile::TempDir,
    path: String,
}

impl Fixture {
    /// Created and not started.
    pub(crate) fn created() -> Self {
        Self::with(&[])
    }

    /// Created with options.
    pub(crate) fn with(options: &[&str]) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("QM1").to_str().unwrap().to_owned();
        let mut all =
            vec!["create", &path, "--page-set-size", "4MiB", "--log-size", "4MiB", "--buffer-pool", "4MiB"];
        all.extend(options);
        let output = qmgr(&all, "");
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        Self { _dir: dir, path }
    }

    /// Created and started.
    pub(crate) fn started() -> Self {
        let fixture = Self::created();
        let output = qmgr(&["start", fixture.path()], "");
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
        fixture
    }

    /// The directory.
    pub(crate) fn path(&self) -> &str {
        &self.path
    }

    /// Waits until it answers.
    pub(crate) fn wait_until_running(&self) {
        let started = Instant::now();
        while qmgr(&["status", self.path()], "").status.code() != Some(0) {
            assert!(started.elapsed() < Duration::from_secs(20), "the queue manager does not answer");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Units of recovery that are active.
    pub(crate) fn units(&self) -> u64 {
        json(&qmgr(&["status", self.path(), "--json"], ""))["units"].as_u64().unwrap()
    }

    /// Waits until so many units of recovery are active.
    pub(crate) fn wait_for_units(&self, wanted: u64) {
        let started = Instant::now();
        while self.units() != wanted {
            assert!(started.elapsed() < Duration::from_secs(20), "{wanted} units were expected");
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        // Not running is fine.
        let _ =
            Command::new(env!("CARGO_BIN_EXE_qmgr")).args(["stop", &self.path, "--mode", "force"]).output();
    }
}

/// Runs the program with this standard input.
pub(crate) fn qmgr(arguments: &[&str], input: &str) -> Output {
    begin(arguments, input).wait_with_output().unwrap()
}

/// Starts the program with this standard input.
pub(crate) fn begin(arguments: &[&str], input: &str) -> Child {
    let mut child = Command::new(env!("CARGO_BIN_EXE_qmgr"))
        .args(arguments)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A program that refuses its arguments reads nothing.
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

pub(crate) fn json(output: &Output) -> serde_json::Value {
    serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {}", stdout(output)))
}
