//! Both copies of the BSDS are lost, and perhaps an active log of which there is another copy; it is made anew from the logs, and
//! nothing else is lost.

use engine_log::read_bsds;
use operation_points::{PointError, RebuildSettings, rebuild};

use crate::event::Event;
use crate::model::Broken;
use crate::world::World;

/// Attempts that may be cut off; the next one is not.
const CUT_OFF: u32 = 2;

impl World {
    /// The BSDS is lost and rebuilt.
    pub(super) fn lose_the_bsds(&mut self) -> Result<(), Broken> {
        let log_lost = self.lose_an_active_log()?;
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
                Ok(_) if log_lost && !settings.accept_loss => {
                    return Err("a BSDS was made though an active log is missing".to_owned());
                }
                Ok(_) => {
                    self.totals.count(Event::BsdsRebuilt);
                    return Ok(());
                }
                Err(error) if cut_off && stopped => {
                    self.trace(|| format!("rebuilding was cut off: {error}"));
                    self.crash();
                    if read_bsds(&self.shared, &self.dir).is_ok() {
                        // The first copy was whole already: the start makes the second.
                        return Ok(());
                    }
                }
                // A data set that was lost, or was made anew empty, has nothing of what an older BSDS says that it holds. Only who knows
                // that its other copy has everything, or that it was archived, as here, can say that nothing is lost.
                Err(PointError::LogsMissing(_)) if !settings.accept_loss => {
                    self.totals.count(Event::RebuildRefused);
                    settings.accept_loss = true;
                }
                Err(error) => return Err(format!("the BSDS cannot be rebuilt: {error}")),
            }
        }
        Err("no attempt was let through".to_owned())
    }

    /// Removes an active log whose other copy is whole; false when none is to be lost.
    fn lose_an_active_log(&mut self) -> Result<bool, Broken> {
        let bsds = read_bsds(&self.shared, &self.dir).map_err(|error| error.to_string())?;
        let twice = self.setup.dual_logs && !self.rotted && bsds.copy_stopped == [None, None];
        if !twice || self.random.below(4) > 0 {
            return Ok(false);
        }
        let left_behind = bsds.active_logs.iter().any(|log| bsds.is_left_behind(log));
        let names: Vec<&str> = bsds.active_logs.iter().map(|log| log.name.as_str()).collect();
        let Some(name) = self.random.pick(&names).filter(|_| !left_behind) else { return Ok(false) };
        self.remove_files(name)?;
        Ok(true)
    }
}
