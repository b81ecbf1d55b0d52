//! Processes of the rehearsal.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use console::Failure;
use format_types::ConditionCode;

/// A process that runs this program in a role; killed when it is dropped.
pub(crate) struct Process {
    what: &'static str,
    child: Child,
    lines: Receiver<String>,
    last: Vec<String>,
}

fn severe(text: String) -> Failure {
    Failure::new(ConditionCode::Severe, "HWT791S", text)
}

impl Process {
    /// Starts this program with `arguments`; its standard error goes to `errors`.
    pub(crate) fn start<I, A>(what: &'static str, errors: &Path, arguments: I) -> Result<Self, Failure>
    where
        I: IntoIterator<Item = A>,
        A: AsRef<OsStr>,
    {
        let cannot =
            |error: std::io::Error| severe(format!("the {what}'s process could not be made: {error}"));
        let own = std::env::current_exe().map_err(cannot)?;
        let errors = std::fs::OpenOptions::new().create(true).append(true).open(errors).map_err(cannot)?;
        let mut child = Command::new(own)
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(errors)
            .spawn()
            .map_err(cannot)?;
        let lines = match child.stdout.take() {
            Some(pipe) => read_lines(pipe),
            None => channel().1,
        };
        Ok(Self { what, child, lines, last: Vec::new() })
    }

    /// The process's number.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for lines until `enough` says so.
    pub(crate) fn wait_for(
        &mut self,
        limit: Duration,
        mut enough: impl FnMut(&str) -> bool,
    ) -> Result<(), Failure> {
        let until = Instant::now() + limit;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => {
                    let done = enough(&line);
                    self.remember(line);
                    if done {
                        return Ok(());
                    }
                }
                Err(RecvTimeoutError::Timeout) => {
                    return Err(severe(format!(
                        "the {} was not as far as wanted after {limit:?}",
                        self.what
                    )));
                }
                Err(RecvTimeoutError::Disconnected) => {
                    let status =
                        self.child.wait().map_or_else(|e| e.to_string(), |status| status.to_string());
                    return Err(severe(format!(
                        "the {} ended too early ({status}); {}",
                        self.what,
                        self.last.join("; ")
                    )));
                }
            }
        }
    }

    /// Kills it, as a crash would.
    pub(crate) fn kill(&mut self) -> Result<(), Failure> {
        let killed = self.child.kill().and_then(|()| self.child.wait());
        killed.map(|_| ()).map_err(|error| severe(format!("the {} could not be killed: {error}", self.what)))
    }

    /// Waits for its end, and gives what it said since.
    pub(crate) fn end(&mut self, limit: Duration) -> Result<(ExitStatus, Vec<String>), Failure> {
        let until = Instant::now() + limit;
        let mut said = Vec::new();
        loop {
            let left = until.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) => said.push(line),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => {
                    return Err(severe(format!("the {} did not end within {limit:?}", self.what)));
                }
            }
        }
        let status = self.child.wait().map_err(|error| severe(format!("the {}: {error}", self.what)))?;
        Ok((status, said))
    }

    fn remember(&mut self, line: String) {
        if !line.starts_with("messages ") {
            self.last.push(line);
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It has ended already, or nobody waits for it any more.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn read_lines(pipe: ChildStdout) -> Receiver<String> {
    let (sender, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                break;
            }
        }
    });
    lines
}
