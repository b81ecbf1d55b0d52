//! How much memory a program takes at most.

use std::fs;
use std::process::{Command, Stdio};
use std::thread::sleep;
use std::time::Duration;

/// Runs a prepared command to its end, silently; its condition code and the most memory that it had resident, in KiB. The
/// high-water mark of the kernel only rises, so reading it again and again until the end misses what comes in the last moments only.
///
/// # Panics
/// When it cannot be started.
pub fn most_resident(command: &mut Command) -> (i32, u64) {
    let mut child = command.stdout(Stdio::null()).stderr(Stdio::inherit()).spawn().expect("starts");
    let status = format!("/proc/{}/status", child.id());
    let mut most = 0;
    loop {
        most = most.max(high_water(&status));
        if let Some(ended) = child.try_wait().expect("a child") {
            return (ended.code().unwrap_or(-1), most);
        }
        sleep(Duration::from_millis(2));
    }
}

/// The most memory that a running process has had resident, in KiB; 0 when it is gone.
#[must_use]
pub fn of_process(pid: u32) -> u64 {
    high_water(&format!("/proc/{pid}/status"))
}

fn high_water(status: &str) -> u64 {
    let text = fs::read_to_string(status).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().trim_end_matches(" kB").parse().ok()).unwrap_or(0)
}

/// Runs a command that must succeed within `kib` KiB resident.
///
/// # Panics
/// When it fails, or takes more.
#[track_caller]
pub fn assert_within(kib: u64, command: &mut Command) {
    let line = format!("{command:?}");
    let (code, most) = most_resident(command);
    eprintln!("{most:>8} KiB of {kib}: {line}");
    assert_eq!(code, 0, "{line}");
    assert!(most > 0 && most <= kib, "{line} had {most} KiB resident, {kib} are allowed");
}
