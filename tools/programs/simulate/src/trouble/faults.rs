//! Faults of any kind on any file, for a short while.

use engine_storage::FaultRates;

use crate::world::World;

impl World {
    /// Storage fails for a while.
    pub(crate) fn make_faults(&mut self) {
        let torn_read = self.control.rates().torn_read;
        let mut rates = FaultRates { torn_read, ..FaultRates::default() };
        let only = ["LOGCOPY1", "LOGCOPY2", "PSID", "BSDS", "ARCHLOG", "PSID00"];
        if self.random.below(3) != 0 {
            rates.only = self.random.pick(&only).map(|name| (*name).to_owned());
        }
        let rate = [2_000, 20_000, 200_000, 1_000_000];
        let rate = self.random.pick(&rate).copied().unwrap_or_default();
        if self.random.coin() {
            rates.times = Some(self.random.between(1, 3));
        }
        match self.random.below(6) {
            0 | 1 => rates.sync_error = rate,
            2 => rates.write_error = rate,
            3 => rates.read_error = rate,
            4 => rates.name_error = rate,
            _ => rates.capacity = Some(self.random.below(1 << 22)),
        }
        self.trace(|| format!("faults: {rates:?}"));
        self.control.set_rates(rates);
        self.faults_for = self.random.between(5, 80);
    }

    /// Faults end by and by.
    pub(crate) fn faults_pass(&mut self) {
        if self.faults_for > 0 {
            self.faults_for -= 1;
            if self.faults_for == 0 {
                self.calm();
            }
        }
    }

    /// No faults from now on, but for lasting ones.
    pub(crate) fn calm(&mut self) {
        let torn_read = self.control.rates().torn_read;
        self.control.set_rates(FaultRates { torn_read, ..FaultRates::default() });
        self.faults_for = 0;
    }

    /// Faults that were injected so far, but for those that one copy, or those who need no disk, must not mind.
    pub(crate) fn faults(&self) -> u64 {
        let c = self.control.counters();
        let all =
            c.read_errors + c.write_errors + c.sync_errors + c.name_errors + c.no_space + c.silent_writes;
        all - self.harmless_faults(&c)
    }

    /// Whether a fault may have left its mark since the last start: a page set offline, a copy given up.
    pub(crate) fn hindered(&self) -> bool {
        self.control.stopped() || self.sound != Some(self.faults())
    }
}
