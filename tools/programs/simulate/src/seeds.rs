//! The seeds of a run over the machine's threads.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::event::Totals;

/// What a seed led to.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) seed: u64,
    /// Digest of all that was seen: the same for every run of the seed with the same settings.
    pub(crate) digest: u64,
    /// Requests made of the queue manager.
    pub(crate) operations: u64,
    pub(crate) totals: Totals,
    /// How the promise was broken; none when it held.
    pub(crate) failure: Option<String>,
}

/// Runs `one` for every seed of `seeds`; outcomes come in the order of the seeds. `done` is told after
/// each; none is begun once `go_on` says no.
pub(crate) fn run_all(
    seeds: std::ops::Range<u64>,
    threads: usize,
    one: &(dyn Fn(u64) -> Outcome + Sync),
    done: &(dyn Fn(&Outcome) + Sync),
    go_on: &(dyn Fn() -> bool + Sync),
) -> Vec<Outcome> {
    let next = AtomicU64::new(seeds.start);
    let outcomes = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..threads.max(1) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end || !go_on() {
                        return;
                    }
                    let outcome = guarded(seed, one);
                    done(&outcome);
                    outcomes.lock().unwrap_or_else(PoisonError::into_inner).push(outcome);
                }
            });
        }
    });
    let mut outcomes = outcomes.into_inner().unwrap_or_else(PoisonError::into_inner);
    outcomes.sort_unstable_by_key(|outcome| outcome.seed);
    outcomes
}

/// Runs one seed; a panic is a failure of that seed and of no other.
fn guarded(seed: u64, one: &(dyn Fn(u64) -> Outcome + Sync)) -> Outcome {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| one(seed))).unwrap_or_else(|panic| {
        let text = panic
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| panic.downcast_ref::<&str>().copied())
            .unwrap_or("no text");
        Outcome {
            seed,
            digest: 0,
            operations: 0,
            totals: Totals::default(),
            failure: Some(format!("panic: {text}")),
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_seed_is_run_once_in_order_and_a_panic_is_its_own() {
        let one = |seed: u64| {
            assert_ne!(seed, 5, "five is bad");
            Outcome { seed, digest: seed, operations: 1, totals: Totals::default(), failure: None }
        };
        let outcomes = run_all(3..9, 2, &one, &|_| {}, &|| true);
        let seeds: Vec<u64> = outcomes.iter().map(|outcome| outcome.seed).collect();
        assert_eq!(seeds, [3, 4, 5, 6, 7, 8]);
        let failed: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.failure.clone()).collect();
        assert_eq!(failed.len(), 1);
        assert!(failed[0].contains("five is bad"));
    }
}
