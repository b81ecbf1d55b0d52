//! Devices that fail: errors put into the system calls of a running program, for chosen files, from one moment to another.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use rustix::process::{Pid, Signal, kill_process};

use crate::ground;
use crate::owner::Owner;
use crate::programs::{self, Said};

/// `strace` at work on a queue manager; the device is well again when this is dropped.
#[derive(Debug)]
pub struct Trouble {
    strace: Child,
    trace: PathBuf,
}

impl Trouble {
    /// Why devices cannot be made to fail here; none when they can.
    #[must_use]
    pub fn missing() -> Option<String> {
        if !ground::on_path("strace") {
            return Some("'strace' is missing (Debian: apt-get install strace)".to_owned());
        }
        let scope = fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope").unwrap_or_default();
        if !rustix::process::geteuid().is_root() && !matches!(scope.trim(), "" | "0") {
            return Some("it traces another process, which needs root here".to_owned());
        }
        None
    }

    /// From now on the system calls of `faults` fail when a running queue manager makes them on one of `files` of its directory. A
    /// fault is what `strace --inject` takes, a system call and what comes of it: `fdatasync:error=EIO`.
    ///
    /// # Panics
    /// When `strace` does not take hold of it.
    #[must_use]
    pub fn begin(owner: &Owner, files: &[String], faults: &[&str]) -> Self {
        let pid = owner.pid().expect("it runs").to_string();
        let dir = fs::canonicalize(owner.dir()).expect("its directory");
        let paths: Vec<PathBuf> = files.iter().map(|name| dir.join(name)).collect();
        Self::of_process(&pid, &paths, faults, &owner.dir().with_extension("trace"))
    }

    fn of_process(pid: &str, paths: &[PathBuf], faults: &[&str], trace: &Path) -> Self {
        let mut command = strace(paths, faults, trace);
        command.args(["-p", pid]);
        let mut strace = command.stdin(Stdio::null()).stderr(Stdio::piped()).spawn().expect("strace starts");
        let mut talk = BufReader::new(strace.stderr.take().expect("piped"));
        let mut said = String::new();
        // A file that is not there is resolved as it is named; strace says so first.
        while !said.contains(" attached") {
            assert!(talk.read_line(&mut said).expect("text") > 0, "strace takes no hold: {said}");
        }
        // It goes on talking, about threads that come and go.
        std::thread::spawn(move || std::io::copy(&mut talk, &mut std::io::sink()));
        Self { strace, trace: trace.to_owned() }
    }

    /// How many system calls have been made to fail so far.
    #[must_use]
    pub fn hits(&self) -> usize {
        let trace = fs::read(&self.trace).unwrap_or_default();
        String::from_utf8_lossy(&trace).matches("(INJECTED)").count()
    }

    /// The device is well again. How many system calls were made to fail.
    #[must_use]
    pub fn end(mut self) -> usize {
        self.let_go();
        self.hits()
    }

    fn let_go(&mut self) {
        if let Some(pid) = Pid::from_raw(self.strace.id().cast_signed())
            && self.strace.try_wait().is_ok_and(|ended| ended.is_none())
        {
            // Asked to end, it lets go of what it traces.
            let _ = kill_process(pid, Signal::INT);
        }
        let _ = self.strace.wait();
    }
}

/// `strace` ready to put faults into the system calls of what it is told to trace.
fn strace(paths: &[PathBuf], faults: &[&str], trace: &Path) -> Command {
    let calls: Vec<&str> = faults.iter().filter_map(|fault| fault.split(':').next()).collect();
    let mut command = Command::new("strace");
    command.args(["-f", "-o"]).arg(trace).arg("-e").arg(format!("trace={}", calls.join(",")));
    for fault in faults {
        command.arg("-e").arg(format!("inject={fault}"));
    }
    for path in paths {
        command.arg("-P").arg(path);
    }
    command
}

/// Runs a program of ours to its end while the device that holds `file` fails; how many system calls were made to fail, too.
///
/// # Panics
/// When it cannot be started.
#[must_use]
pub fn run_with(fault: &str, file: &Path, program: &str, arguments: &[&str]) -> (Said, usize) {
    let scratch = tempfile::tempdir().expect("a scratch folder");
    let trace = scratch.path().join("trace");
    let mut command = strace(&[file.to_owned()], &[fault], &trace);
    command.arg(programs::path(program)).args(arguments).stdin(Stdio::null());
    let said = programs::finish(&mut command);
    let text = fs::read(&trace).unwrap_or_default();
    (said, String::from_utf8_lossy(&text).matches("(INJECTED)").count())
}

impl Drop for Trouble {
    fn drop(&mut self) {
        self.let_go();
    }
}

/// The active log data sets of a copy, all of them.
#[must_use]
pub fn log_copy(copy: u8, data_sets: usize) -> Vec<String> {
    (1..=data_sets).map(|number| format!("LOGCOPY{copy}.DS{number:02}")).collect()
}

/// The first archives of a copy that may yet be made, under the names that they have while they are written and afterwards.
#[must_use]
pub fn archives(copy: u8, numbers: std::ops::RangeInclusive<u32>) -> Vec<String> {
    let name = |number: u32| format!("ARCHLOG{copy}.A{number:07}");
    numbers.flat_map(|number| [name(number), format!("{}.tmp", name(number))]).collect()
}
