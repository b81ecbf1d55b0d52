//! Queue managers made anew: at another site from archives, from a point that holds its log, from a full point when the logs are lost.
//!
//! Each is tried out: it has exactly what was committed below the RBA that it says it reaches to, takes work, stops and starts; then all
//! is as it was.

use std::path::{Path, PathBuf};

use engine_log::read_bsds;
use format_types::{PointMethod, Rba};
use operation_points::{AnewPlan, AnewSettings, AnewSource, Driver, make_anew};

use crate::event::Event;
use crate::model::Broken;
use crate::point::MadePoint;
use crate::world::World;

/// Where a queue manager is made anew.
const SITE: &str = "SITE2";

/// Where archives lie at the other site.
const ARCHIVES: &str = "ARCHIVES";

/// Requests at the other site.
const REQUESTS: u64 = 25;

/// Attempts that may be cut off; the next one is not.
const CUT_OFF: u32 = 2;

impl World {
    /// From a point that holds its log, and from nothing else.
    pub(super) fn move_a_point(&mut self) -> Result<(), Broken> {
        let Some(point) = self.pick_made_point(|point| point.holds_log) else { return Ok(()) };
        self.try_out(|world| {
            world.dir = PathBuf::from(SITE);
            if !world.anew(&point, AnewSource::Point)? {
                return Ok(());
            }
            world.totals.count(Event::AnewFromPoint);
            world.live_there()
        })
    }

    /// At another site, from archives and the copies of the BSDS beside them.
    pub(super) fn move_to_other_site(&mut self) -> Result<(), Broken> {
        // What was archived reaches to the end of every point but one that was made at rest and needs log all the same.
        let reached = |point: &MadePoint| point.method == PointMethod::Full || !point.at_rest;
        let Some(point) = self.pick_made_point(reached) else { return Ok(()) };
        self.try_out(|world| {
            world.bring_archives()?;
            world.dir = PathBuf::from(SITE);
            if !world.anew(&point, AnewSource::Archives(PathBuf::from(ARCHIVES)))? {
                return Ok(());
            }
            world.totals.count(Event::AnewFromArchives);
            world.live_there()
        })
    }

    /// The logs are lost, archives too perhaps; a full point is what there is.
    pub(super) fn lose_the_logs(&mut self) -> Result<(), Broken> {
        let Some(point) = self.pick_made_point(|point| point.method == PointMethod::Full) else {
            return Ok(());
        };
        self.try_out(|world| {
            world.remove_files("LOGCOPY")?;
            for prefix in ["ARCHLOG", "BSDS"] {
                if world.random.coin() {
                    world.remove_files(prefix)?;
                }
            }
            if !world.anew(&point, AnewSource::LogsLost)? {
                return Ok(());
            }
            world.totals.count(Event::AnewLogsLost);
            world.live_there()
        })
    }

    /// Copies the archives and what lies beside them to a directory of their own; where there are two of each and none was damaged, one
    /// copy is enough.
    fn bring_archives(&mut self) -> Result<(), Broken> {
        let image = self.control.image();
        let to = Path::new(ARCHIVES);
        self.shared
            .create_dir(to)
            .and_then(|()| self.shared.sync_dir(Path::new("")))
            .map_err(|error| error.to_string())?;
        let both = self.files_of("ARCHLOG")?;
        let second: Vec<PathBuf> = self.files_of("ARCHLOG2")?;
        let first_is_enough = !self.rotted && !second.is_empty() && self.every_archive_twice()?;
        let left_out = match self.random.below(3) {
            _ if !first_is_enough => "NOTHING",
            0 => "ARCHLOG1",
            1 => "ARCHLOG2",
            _ => "NOTHING",
        };
        for from in both {
            let name = from.file_name().unwrap_or_default();
            if !name.to_string_lossy().starts_with(left_out) {
                self.control
                    .put_back_file(&image, &from, &to.join(name))
                    .map_err(|error| error.to_string())?;
            }
        }
        Ok(())
    }

    /// Makes the queue manager in `self.dir`, cut off a few times perhaps, and sets what it must hold; false when that cannot be said.
    fn anew(&mut self, point: &MadePoint, source: AnewSource) -> Result<bool, Broken> {
        let settings = AnewSettings {
            dir: self.dir.clone(),
            from: point.directory.clone(),
            source,
            accept_loss: true,
            frames: None,
            driver: Driver::Steps,
            dry_run: false,
            random: self.random.next_u64(),
        };
        let mut cut = None;
        for attempt in 0..=CUT_OFF {
            let cut_off = attempt < CUT_OFF && self.random.below(3) == 0;
            if cut_off {
                let ahead = self.random.between(1, 300);
                self.control.stop_at(Some(self.control.operations() + ahead));
            }
            let now = self.time();
            let made = AnewPlan::make(&self.shared, &settings, &mut |_, _| {}).and_then(|plan| {
                cut = Some(plan.loss.after);
                make_anew(&self.shared, &plan, &settings, now, &mut |_| {})
            });
            let stopped = self.control.stopped();
            self.control.stop_at(None);
            match made {
                Ok(_) => return self.made_anew(cut),
                Err(error) if cut_off && stopped => {
                    self.totals.count(Event::AnewInterrupted);
                    self.trace(|| format!("making it anew was cut off: {error}"));
                    self.crash();
                    // It got its name at the very end, perhaps: then it is there.
                    let there = read_bsds(&self.shared, &self.dir);
                    if there.is_ok_and(|bsds| bsds.histories.iter().any(|h| h.id.random == settings.random)) {
                        return self.made_anew(cut);
                    }
                }
                Err(error) => {
                    return Err(format!(
                        "{:?} from {} failed: {error}",
                        settings.source,
                        settings.from.display()
                    ));
                }
            }
        }
        Err("no attempt was let through".to_owned())
    }

    fn made_anew(&mut self, cut: Option<Rba>) -> Result<bool, Broken> {
        let cut = cut.ok_or("a queue manager was made without a plan")?;
        self.trace(|| format!("made anew in {}, up to {cut}", self.dir.display()));
        let Some(model) = self.model.cut(cut) else { return Ok(false) };
        self.continue_from(cut, cut, false, model);
        Ok(true)
    }

    /// A start, some work, a check, a stop, and another start.
    fn live_there(&mut self) -> Result<(), Broken> {
        let sound = self.sound.take();
        self.try_start().map_err(|error| format!("the start there was refused: {error}"))?;
        self.drain()?;
        self.sound = Some(self.faults());
        self.check_restarted()?;
        let until = self.operations + REQUESTS;
        while self.operations < until && self.running() {
            self.step()?;
        }
        self.check_quiet()?;
        if self.random.coin() {
            if self.stop()? {
                self.check_pages()?;
            }
            self.vanish();
            self.control.kill();
        } else {
            self.crash();
        }
        self.try_start().map_err(|error| format!("the second start there was refused: {error}"))?;
        self.drain()?;
        self.check_restarted()?;
        self.sound = sound;
        Ok(())
    }
}
