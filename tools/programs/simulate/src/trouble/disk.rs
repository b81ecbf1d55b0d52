//! The disk that page sets lie on is full: they cannot grow, and go on as they are; when there is room, ALTER PSID lets them grow again.

use engine_storage::FaultRates;

use super::Lasting;
use crate::event::Event;
use crate::model::Broken;
use crate::world::World;

impl World {
    /// The disk of the page sets is full from now on.
    pub(super) fn fill_disk(&mut self) {
        if self.lasting.is_some() {
            return;
        }
        let full = FaultRates { only: Some("PSID".to_owned()), full: 1_000_000, ..FaultRates::default() };
        let steps = self.random.between(50, 400);
        self.begin_lasting(Lasting::Disk, full, steps);
    }

    /// There is room again, and an operator says so.
    pub(super) fn disk_has_room(&mut self) -> Result<(), Broken> {
        if self.end_lasting().is_none() {
            return Ok(());
        }
        for page_set in 0..self.setup.page_sets {
            if !self.running() {
                break;
            }
            let how = if self.random.coin() { "USER" } else { "SYSTEM" };
            if self.command(&format!("ALTER PSID({page_set}) EXPAND({how})"))?.is_some() {
                self.totals.count(Event::ExpansionAllowed);
            }
        }
        Ok(())
    }
}
