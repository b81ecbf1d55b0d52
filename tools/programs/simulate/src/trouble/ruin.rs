//! Control intervals of log that a recovery needs: ruined in every data set that holds them, it must refuse, never give less; ruined at
//! different places in different data sets, it must have everything.
//!
//! Both are tried out and taken back: no second copy is ever damaged for good.

use std::path::{Path, PathBuf};

use engine_log::read_bsds;
use engine_storage::OpenMode;
use format_bsds::{ActiveLog, Bsds};
use format_log::ci::CiTrailer;
use format_types::{CI_SIZE, Rba, RbaRange};
use operation_points::Point;

use crate::event::Event;
use crate::model::Broken;
use crate::world::World;

/// A control interval, and every place where its bytes lie.
pub(super) struct Holders {
    pub(super) rba: Rba,
    pub(super) places: Vec<(PathBuf, u64)>,
}

impl World {
    /// The same control interval is ruined everywhere: a recovery that needs it refuses, and changes nothing.
    pub(super) fn ruin_needed_log(&mut self) -> Result<(), Broken> {
        let Some(from) = self.pick_point() else { return Ok(()) };
        let Some(holders) = self.needed_interval(&from)? else { return Ok(()) };
        self.try_out(|world| {
            world.trace(|| format!("RBA {} is ruined in {} data sets", holders.rba, holders.places.len()));
            for (path, offset) in &holders.places {
                world.ruin(path, *offset)?;
            }
            world.remove_page_sets()?;
            let before = world.control.image();
            let error = match world.recover_plainly(&from, None) {
                Ok(_) => {
                    return Err(format!(
                        "a recovery from {} succeeded though RBA {} is ruined in every data set",
                        from.display(),
                        holders.rba
                    ));
                }
                Err(error) => error,
            };
            world.totals.count(Event::RuinRefused);
            world.trace(|| format!("refused: {error}"));
            world.unchanged_since(&before, "a recovery that was refused")
        })
    }

    /// Each copy is ruined, but no place in all of them: a recovery has everything.
    pub(super) fn ruin_other_places(&mut self) -> Result<(), Broken> {
        if self.rotted {
            // Places that are spared must be whole.
            return Ok(());
        }
        let Some(from) = self.pick_point() else { return Ok(()) };
        let mut ruined: Vec<Holders> = Vec::new();
        for _ in 0..4 {
            if let Some(holders) = self.needed_interval(&from)?
                && holders.places.len() > 1
                && ruined.iter().all(|other| other.rba != holders.rba)
            {
                ruined.push(holders);
            }
        }
        if ruined.len() < 2 {
            return Ok(());
        }
        self.try_out(|world| {
            for (number, holders) in ruined.iter().enumerate() {
                // All places but one, another one each time.
                let spared = number % holders.places.len();
                for (path, offset) in
                    holders.places.iter().enumerate().filter(|(at, _)| *at != spared).map(|(_, place)| place)
                {
                    world.ruin(path, *offset)?;
                }
            }
            world.remove_page_sets()?;
            world.recover_plainly(&from, None).map_err(|error| {
                format!("a recovery failed though one copy of all that it needs is whole: {error}")
            })?;
            world.totals.count(Event::RuinSurvived);
            world.try_start().map_err(|error| format!("the start after a recovery was refused: {error}"))?;
            world.drain()?;
            world.check_restarted()
        })
    }

    /// A control interval that a recovery from point `from` reads for certain.
    pub(super) fn needed_interval(&mut self, from: &Path) -> Result<Option<Holders>, Broken> {
        let point = Point::open(&self.shared, from).map_err(|error| error.to_string())?;
        let bsds = read_bsds(&self.shared, &self.dir).map_err(|error| error.to_string())?;
        let low = point.manifest.log_needed_from().ci_start();
        // Beyond this only the log itself knows that it was written.
        let high = bsds.highest_written.ci_start();
        if low >= high {
            return Ok(None);
        }
        let count = high.since(low) / CI_SIZE as u64;
        let rba = low.plus(self.random.below(count) * CI_SIZE as u64);
        let places = self.places(&bsds, rba);
        Ok((!places.is_empty()).then_some(Holders { rba, places }))
    }

    fn places(&self, bsds: &Bsds, rba: Rba) -> Vec<(PathBuf, u64)> {
        let history = bsds.history_at(rba);
        let lacks = |log: &ActiveLog| bsds.lacks_from(log).is_some_and(|from| rba >= from.ci_start());
        let actives = bsds.active_logs.iter().filter(|log| !lacks(log));
        let actives = actives.filter_map(|log| Some((&log.name, log.history, log.range?)));
        let archives = bsds.archives.iter().map(|log| (&log.name, log.history, log.range));
        let holds = |range: RbaRange| range.contains(rba);
        actives
            .chain(archives)
            .filter(|(_, of, range)| *of == history && holds(*range))
            .map(|(name, _, range)| (self.dir.join(name), rba.since(range.start)))
            // One copy of an archive may be lost, and one of a data set that may be used again need not have its log.
            .filter(|(path, offset)| self.has_interval(path, *offset, rba))
            .collect()
    }

    fn has_interval(&self, path: &Path, offset: u64, rba: Rba) -> bool {
        let mut ci = [0; CI_SIZE];
        let read = self.shared.open(path, OpenMode::Read).and_then(|file| file.read_at(offset, &mut ci));
        read.is_ok_and(|()| CiTrailer::take(&ci).is_ok_and(|trailer| trailer.rba == rba))
    }

    /// A whole control interval of a file becomes something else.
    pub(super) fn ruin(&mut self, path: &Path, offset: u64) -> Result<(), Broken> {
        let mut flip = vec![0; CI_SIZE];
        self.random.fill(&mut flip);
        self.control.rot(path, offset, &flip).map_err(|error| error.to_string())
    }
}
