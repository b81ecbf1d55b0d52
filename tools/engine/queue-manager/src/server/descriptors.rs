//! How many programs may be connected: descriptors are left for the queue manager's own files, or a log switch would find none.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors kept for files opened later: the next log data sets, archives, what a backout reads, new page sets.
const OWN: u64 = 64;

/// Programs that are served however few descriptors there are.
const FEWEST: u64 = 4;

/// Asks the system for all descriptors that it allows, and says how many connections they leave room for. To be called once the queue
/// manager's files are open.
pub(super) fn most_connections() -> usize {
    let limit = getrlimit(Resource::Nofile);
    // As many as it was: that is no error.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, maximum: limit.maximum });
    let allowed = getrlimit(Resource::Nofile).current.unwrap_or(u64::MAX);
    let open = std::fs::read_dir("/proc/self/fd").map_or(OWN, |open| open.count() as u64);
    usize::try_from(allowed.saturating_sub(open + OWN).max(FEWEST)).unwrap_or(usize::MAX)
}
