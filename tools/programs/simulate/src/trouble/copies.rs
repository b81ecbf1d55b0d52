//! One copy of the log or of the BSDS fails, or both do; and then something becomes of the files of one of them.
//!
//! What was acknowledged while one copy failed is in the other. So the copy that failed may be deleted or damaged, and nothing is lost;
//! without the other one a start is refused and changes nothing, or has everything: never less.

use engine_storage::FaultRates;

use super::Lasting;
use crate::event::Event;
use crate::model::Broken;
use crate::world::World;

/// Rates of failure, in a million calls.
pub(super) const RATES: [u32; 3] = [20_000, 300_000, 1_000_000];

impl World {
    /// Rates of faults that concern files whose names begin with `only`: writes, or syncs; now and then a few times only.
    pub(super) fn writing_fails(&mut self, only: &str) -> FaultRates {
        let rate = self.random.pick(&RATES).copied().unwrap_or_default();
        let mut rates = FaultRates { only: Some(only.to_owned()), ..FaultRates::default() };
        if self.random.coin() {
            rates.write_error = rate;
        } else {
            rates.sync_error = rate;
        }
        if self.random.coin() {
            rates.times = Some(self.random.between(1, 3));
        }
        rates
    }

    /// One copy of the log, the one that may be damaged, or of the BSDS begins to fail.
    pub(super) fn fail_copy(&mut self) {
        if self.lasting.is_some() || self.hindered() {
            return;
        }
        let log = if self.setup.rotting_copy == 1 { "LOGCOPY1." } else { "LOGCOPY2." };
        let bsds = if self.random.coin() { "BSDS01" } else { "BSDS02" };
        let family = if self.setup.dual_logs && self.random.below(4) != 0 { log } else { bsds };
        let rates = self.writing_fails(family);
        let steps = self.random.between(20, 300);
        self.begin_lasting(Lasting::Copy(family), rates, steps);
    }

    /// Both copies of the log begin to fail: the queue manager is to end in good order.
    pub(super) fn fail_both_copies(&mut self) {
        if self.lasting.is_some() || self.hindered() {
            return;
        }
        let rates = self.writing_fails("LOGCOPY");
        let rates = FaultRates { times: None, ..rates };
        let steps = self.random.between(20, 100);
        self.begin_lasting(Lasting::BothCopies, rates, steps);
    }

    /// The queue manager is down, and copy `family` had failed.
    pub(super) fn after_failed_copy(&mut self, family: &'static str) -> Result<(), Broken> {
        match self.random.below(4) {
            0 => Ok(()),
            1 => {
                self.rotted = true;
                self.totals.count(Event::FailedCopyDeleted);
                self.remove_files(family)
            }
            2 => {
                self.rotted = true;
                self.totals.count(Event::FailedCopyDamaged);
                self.damage_files(family)
            }
            _ => self.try_out(|world| world.start_without(other(family))),
        }
    }

    /// The power goes right after a copy was given up, and with it the good one.
    pub(super) fn lose_good_copy_now(&mut self) -> Result<(), Broken> {
        self.calm();
        self.crash();
        let sound = self.sound == Some(self.faults());
        if let Some(Lasting::Copy(family)) = self.end_lasting()
            && sound
        {
            self.try_out(|world| world.start_without(other(family)))?;
        }
        self.come_back()
    }

    /// A start without the files of a good copy: refused, with nothing changed, or nothing is lost.
    fn start_without(&mut self, good: &'static str) -> Result<(), Broken> {
        self.remove_files(good)?;
        let before = self.control.image();
        match self.try_start() {
            Err(error) => {
                self.totals.count(Event::GoodCopyMissed);
                self.trace(|| format!("without {good} the start is refused: {error}"));
                self.unchanged_since(&before, &format!("a start that was refused without {good}"))
            }
            Ok(()) => {
                self.totals.count(Event::GoodCopyNotMissed);
                self.drain()?;
                self.check_restarted().map_err(|broken| format!("started without {good}: {broken}"))
            }
        }
    }

    /// The files whose names begin with `prefix` are gone.
    pub(super) fn remove_files(&mut self, prefix: &str) -> Result<(), Broken> {
        self.trace(|| format!("{prefix} is lost"));
        for path in self.files_of(prefix)? {
            self.shared.remove(&path).map_err(|error| error.to_string())?;
        }
        self.shared.sync_dir(&self.dir).map_err(|error| error.to_string())
    }

    /// Each of the files whose names begin with `prefix` has a stretch of other bytes.
    fn damage_files(&mut self, prefix: &str) -> Result<(), Broken> {
        self.trace(|| format!("{prefix} is damaged"));
        for path in self.files_of(prefix)? {
            self.rot_somewhere(&path)?;
        }
        Ok(())
    }
}

/// The other copy's files.
fn other(family: &str) -> &'static str {
    match family {
        "LOGCOPY1." => "LOGCOPY2.",
        "LOGCOPY2." => "LOGCOPY1.",
        "BSDS01" => "BSDS02",
        _ => "BSDS01",
    }
}
