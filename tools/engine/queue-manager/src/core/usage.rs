//! DISPLAY USAGE, live.

use engine_recovery::{data_set_usage, system_recovery};
use format_types::UsageReport;

use super::Core;
use crate::CoreError;

impl Core {
    /// The usage, of which nothing can be lost: a unit that has ended but for a power cut would need its log again.
    ///
    /// # Errors
    /// When the log cannot be synced.
    pub(crate) fn durable_usage(&mut self) -> Result<UsageReport, CoreError> {
        self.log.sync_now()?;
        Ok(self.usage())
    }

    /// The usage at this moment, with the system recovery RBA and its holders.
    #[must_use]
    pub fn usage(&self) -> UsageReport {
        let page_sets = self.store.usage();
        let units = self.unit_usages();
        let sets: Vec<_> = page_sets.iter().map(|set| (set.page_set, set.recovery_rba, set.online)).collect();
        let system_recovery = system_recovery(&sets, &units, self.log.end());
        let bsds = self.log.bsds();
        UsageReport {
            oldest_unit: units.first().map(|unit| data_set_usage(bsds, unit.urid.0)),
            oldest_page_set: data_set_usage(bsds, system_recovery.page_sets.rba),
            page_sets,
            buffer_pools: vec![self.store.pool_usage()],
            units,
            system_recovery,
            log_end: self.log.end(),
        }
    }
}
