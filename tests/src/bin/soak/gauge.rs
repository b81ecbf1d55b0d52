//! What a process takes, sampled.

use std::fs;
use std::thread::sleep;
use std::time::Duration;

use house::flat::median;

/// Samples of one minute.
#[derive(Debug, Default)]
pub(crate) struct Gauge {
    resident: Vec<u64>,
    peak: u64,
}

impl Gauge {
    /// Takes a sample of a process; none when it is gone.
    pub(crate) fn sample(&mut self, pid: u32) {
        let Some(text) = fs::read_to_string(format!("/proc/{pid}/status")).ok() else { return };
        let field = |name: &str| -> Option<u64> {
            let line = text.lines().find_map(|line| line.strip_prefix(name))?;
            line.trim().trim_end_matches(" kB").parse().ok()
        };
        let (Some(resident), Some(peak)) = (field("VmRSS:"), field("VmHWM:")) else { return };
        self.resident.push(resident);
        self.peak = self.peak.max(peak);
    }

    /// The median of the minute, and the highest memory seen, in KiB; the next one begins.
    pub(crate) fn minute(&mut self) -> (u64, u64) {
        let samples = std::mem::take(self);
        (median(samples.resident.into_iter()), samples.peak)
    }
}

/// Open descriptors of a process. The fewest of some looks: a connection that was just closed may not have been noticed.
pub(crate) fn descriptors(pid: u32) -> u64 {
    let look = |_| {
        sleep(Duration::from_millis(30));
        fs::read_dir(format!("/proc/{pid}/fd")).map_or(0, |open| open.count() as u64)
    };
    (0..3).map(look).min().unwrap_or(0)
}
