//! Short runs, stopped at every single operation of the storage in turn.

use crate::event::Totals;
use crate::model::Broken;
use crate::seeds::Outcome;
use crate::settings::Watch;
use crate::world::World;

/// Requests of a short run.
const REQUESTS: u64 = 30;

/// Requests after the restart: the load goes on.
const AFTERWARDS: u64 = 10;

/// Runs `seed` once to count its operations, then once for each of them as the stopping point.
pub(crate) fn run(seed: u64, watch: &Watch) -> Outcome {
    let mut totals = Totals::default();
    let mut digest = crate::digest::Digest::default();
    let mut operations = 0;
    let mut stop = None;
    let mut last = 0;
    loop {
        let one = match stopped(seed, stop, watch) {
            Ok((one, end)) => {
                last = if stop.is_none() { end } else { last };
                one
            }
            Err(broken) => {
                return Outcome { seed, digest: 0, operations, totals, failure: Some(broken) };
            }
        };
        operations += one.operations;
        totals.merge(&one.totals);
        digest.number(one.digest);
        let next = stop.map_or(one_after_creation(seed), |stop| Ok(stop + 1));
        match (one.failure, next) {
            (None, Ok(next)) if next <= last => stop = Some(next),
            (failure, _) => {
                let failure = failure.map(|broken| format!("stopped at operation {stop:?}: {broken}"));
                return Outcome { seed, digest: digest.value(), operations, totals, failure };
            }
        }
    }
}

/// The first operation after the queue manager was made.
fn one_after_creation(seed: u64) -> Result<u64, Broken> {
    Ok(World::new(seed, &Watch::default())?.control.operations() + 1)
}

/// One run, stopped at operation `stop`; also gives the number of its last operation under load.
fn stopped(seed: u64, stop: Option<u64>, watch: &Watch) -> Result<(Outcome, u64), Broken> {
    let mut world = World::new(seed, watch)?;
    world.control.stop_at(stop);
    let mut last = 0;
    let lived = world.live_shortly(&mut last);
    Ok((world.outcome(seed, lived.err()), last))
}

impl World {
    fn live_shortly(&mut self, last: &mut u64) -> Result<(), Broken> {
        let begun = self.begin();
        if let Err(broken) = begun {
            if !self.control.stopped() {
                return Err(broken);
            }
            return self.begin_again();
        }
        while self.operations < REQUESTS && self.running() && !self.control.stopped() {
            self.step()?;
        }
        if !self.control.stopped() && self.running() {
            // The clean stop is part of what may be cut off.
            let stopped = self.stop();
            if !self.control.stopped() {
                stopped?;
            }
        }
        *last = self.control.operations();
        self.crash();
        self.try_start().map_err(|error| format!("the start after it was refused: {error}"))?;
        self.drain()?;
        self.check_restarted()?;
        let until = self.operations + AFTERWARDS;
        while self.operations < until && self.running() {
            self.step()?;
        }
        self.end()
    }

    /// Stopped before anything was acknowledged: it only has to start.
    fn begin_again(&mut self) -> Result<(), Broken> {
        self.crash();
        self.begin()?;
        self.end()
    }
}
