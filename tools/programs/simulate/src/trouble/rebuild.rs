//! Both copies of the BSDS are lost; it is made anew from the logs, and nothing else is lost.

use operation_points::{PointError, RebuildSettings, rebuild};

use crate::event::Event;
use crate::model::Broken;
use crate::world::World;

/// Attempts that may be cut off; the next one is not.
const CUT_OFF: u32 = 2;

impl World {
    /// The BSDS is lost and rebuilt.
    pub(super) fn lose_the_bsds(&mut self) -> Result<(), Broken> {
        self.remove_files("BSDS")?;
        let mut settings = RebuildSettings { dir: self.dir.clone(), accept_loss: false, dry_run: false };
        for attempt in 0..=CUT_OFF + 1 {
            let cut_off = attempt < CUT_OFF && self.random.below(3) == 0;
            if cut_off {
                let ahead = self.random.between(1, 20);
                self.control.stop_at(Some(self.control.operations() + ahead));
            }
            let now = self.time();
            let rebuilt = rebuild(&self.shared, &settings, now, &mut |_, _| {});
            let stopped = self.control.stopped();
            self.control.stop_at(None);
            match rebuilt {
                Ok(_) => {
                    self.totals.count(Event::BsdsRebuilt);
                    return Ok(());
                }
                Err(error) if cut_off && stopped => {
                    self.trace(|| format!("rebuilding was cut off: {error}"));
                    self.crash();
                    if engine_log::read_bsds(&self.shared, &self.dir).is_ok() {
                        // The first copy was whole already: the start makes the second.
                        return Ok(());
                    }
                }
                // A data set that was just begun, or made anew, has nothing yet of what an older BSDS says that it holds. Only who
                // knows that no file was lost, as here, can say that nothing is.
                Err(PointError::LogsMissing(_)) if !settings.accept_loss => {
                    self.totals.count(Event::RebuildRefused);
                    settings.accept_loss = true;
                }
                Err(error) => return Err(format!("the BSDS cannot be rebuilt: {error}")),
            }
        }
        Err("no attempt was let through".to_owned())
    }
}
