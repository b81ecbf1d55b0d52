//! How long a program takes, and how much memory.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Time, peak of resident memory in KiB, condition code.
pub(crate) fn measure(command: &mut Command) -> (Duration, u64, Option<i32>) {
    let started = Instant::now();
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    let status_of = format!("/proc/{}/status", child.id());
    let mut peak = 0;
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            return (started.elapsed(), peak, status.code());
        }
        let status = fs::read_to_string(&status_of).unwrap_or_default();
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok());
        peak = peak.max(kib.unwrap_or(0));
        std::thread::sleep(Duration::from_millis(2));
    }
}
