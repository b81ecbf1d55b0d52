//! Archives cannot be written, for a while: the log fills, and what must work then works; when there is room again, all goes on.

use engine_storage::FaultRates;

use super::Lasting;
use super::copies::RATES;
use crate::event::Event;
use crate::life::PATIENCE;
use crate::model::{Broken, Phase};
use crate::world::World;

impl World {
    /// Writing archives, one copy or both, begins to fail.
    pub(super) fn fail_archives(&mut self) {
        if self.lasting.is_some() {
            return;
        }
        let both = self.random.below(4) != 0;
        let copy = if self.random.coin() { "ARCHLOG1" } else { "ARCHLOG2" };
        let only = if both { "ARCHLOG" } else { copy };
        let rate = self.random.pick(&RATES).copied().unwrap_or_default();
        let mut rates = FaultRates { only: Some(only.to_owned()), ..FaultRates::default() };
        match self.random.below(8) {
            0..=3 => rates.full = 1_000_000,
            4 => rates.write_error = rate,
            5 => rates.sync_error = rate,
            6 => rates.name_error = rate,
            _ => {
                // Only what is read back can show that a write was not done.
                rates.silent_write = rate;
                rates.only = Some(if both { ".A0".to_owned() } else { format!("{copy}.A") });
            }
        }
        let steps = self.random.between(100, 800);
        self.begin_lasting(Lasting::Archives, rates, steps);
    }

    /// Archives fail, or are `over` with it.
    pub(super) fn archives_fail(&mut self, over: bool) -> Result<(), Broken> {
        if self.log_is_full && self.random.below(8) == 0 {
            self.end_a_unit()?;
        }
        if !over {
            return Ok(());
        }
        let was_full = self.log_is_full;
        self.end_lasting();
        self.let_pass(PATIENCE);
        self.settle_down()?;
        if was_full && self.running() && !self.hindered() {
            self.totals.count(Event::SpaceReturned);
        }
        self.check_answered()
    }

    /// The log is full: whoever has a unit of recovery can still back it out or commit it.
    fn end_a_unit(&mut self) -> Result<(), Broken> {
        let open = |world: &Self, at: usize| {
            let client = &world.clients[at];
            client.waiting.is_none() && client.unit.is_some_and(|unit| world.model.operations(unit) > 0)
        };
        let open: Vec<usize> = (0..self.clients.len()).filter(|at| open(self, *at)).collect();
        let Some(at) = self.random.pick(&open).copied() else { return Ok(()) };
        let phase = if self.random.below(3) == 0 { Phase::Committing } else { Phase::BackingOut };
        self.end_unit(at, phase)?;
        self.settle_down()?;
        if self.running() && !self.hindered() && self.clients[at].waiting.is_some() {
            return Err(format!("with the log full, {phase:?} is not answered: {}", self.waiting()));
        }
        self.totals.count(Event::EndedInFullLog);
        Ok(())
    }
}
