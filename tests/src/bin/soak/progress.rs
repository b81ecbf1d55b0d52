//! What the two workers have done so far, for whoever prints it.

use std::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, Ordering};

/// Counters, and the word to stop.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    /// No new round is begun.
    pub(crate) stop: AtomicBool,
    /// Puts and gets acknowledged, as the audits count them.
    pub(crate) acknowledged: AtomicU64,
    /// Programs killed: the queue manager, and clients of either.
    pub(crate) kills: AtomicU64,
    /// Recovery points made.
    pub(crate) points: AtomicU64,
    /// Retention plans applied.
    pub(crate) prunes: AtomicU64,
    /// Recoveries of page sets.
    pub(crate) recoveries: AtomicU64,
    /// Recoveries to a point in time.
    pub(crate) cuts: AtomicU64,
    /// Audits, all of them clean.
    pub(crate) audits: AtomicU64,
    /// Descriptors of the steady queue manager when nobody was connected last; zero before its first round is over.
    pub(crate) descriptors: AtomicU64,
}

impl Progress {
    pub(crate) fn is_over(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }
}

/// One more.
pub(crate) fn count(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

/// The process that is measured; zero while there is none.
#[derive(Debug, Default)]
pub(crate) struct Watched(AtomicU32);

impl Watched {
    pub(crate) fn set(&self, pid: Option<u32>) {
        self.0.store(pid.unwrap_or(0), Ordering::Relaxed);
    }

    pub(crate) fn get(&self) -> Option<u32> {
        Some(self.0.load(Ordering::Relaxed)).filter(|pid| *pid > 0)
    }
}
