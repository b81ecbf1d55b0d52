//! Recovery to a point in time: the log is cut, and the run goes on in a new log history, with what was committed below the cut.

use std::path::{Path, PathBuf};

use engine_queue_manager::files;
use format_types::Rba;
use operation_points::{PointInTime, RecoveryTarget};

use crate::event::Event;
use crate::model::{Broken, Model};
use crate::trouble::loss::Recovered;
use crate::world::World;

impl World {
    /// The queue manager goes back to an earlier point of its log; what is behind is given up.
    pub(super) fn cut_the_log(&mut self) -> Result<(), Broken> {
        let Some(point) = self.pick_made_point(|_| true) else { return Ok(()) };
        let Some(target) = self.choose_target(point.end) else { return Ok(()) };
        let Some(model) = self.model.cut(target) else { return Ok(()) };
        if self.random.below(4) == 0 {
            self.loss_not_accepted(&point.directory, target)?;
        }
        self.trace(|| format!("the log is to be cut at {target}; open then: {:?}", model.open_units()));
        let end = PointInTime {
            target: RecoveryTarget::Rba(target),
            accept_loss: true,
            random: self.random.next_u64(),
        };
        let Recovered { cut, again } = self.recover_from(point.directory, Vec::new(), Some(end))?;
        // No record lies between the two: what there must be is the same.
        let cut = cut.filter(|cut| *cut >= target).ok_or_else(|| {
            format!(
                "a recovery to {target} cut the log at {}",
                cut.map_or("none".to_owned(), |at| at.to_string())
            )
        })?;
        self.totals.count(Event::Cut);
        self.note("cut", &[target.0]);
        self.continue_from(target, cut, again, model);
        if self.random.coin() { self.off_the_line() } else { Ok(()) }
    }

    /// An RBA behind the end of a point and not behind what was acknowledged.
    pub(super) fn choose_target(&mut self, from: Rba) -> Option<Rba> {
        let commits: Vec<Rba> = self.model.commits().into_iter().filter(|rba| *rba >= from).collect();
        let last = commits.last()?.plus(1);
        Some(match self.random.below(3) {
            0 => self.random.pick(&commits).copied()?,
            1 => self.random.pick(&commits)?.plus(1),
            _ => from.plus(self.random.between(0, last.since(from))),
        })
    }

    /// From now on this is what there must be below `target`: the log was cut at `cut`, at the first record that is not below it; when that
    /// was done `again`, the log before may have been cut between the two already.
    pub(super) fn continue_from(&mut self, target: Rba, cut: Rba, again: bool, model: Model) {
        self.model = model;
        self.queues.retain(|queue| queue.to <= target);
        let on_the_line = if again { target } else { cut };
        for point in std::mem::take(&mut self.points) {
            if point.end <= on_the_line {
                self.points.push(point);
            } else if point.end > cut {
                self.off_line.push(point.directory);
            }
        }
    }

    /// Whoever does not accept the loss gets it listed, and nothing is changed.
    fn loss_not_accepted(&mut self, from: &Path, target: Rba) -> Result<(), Broken> {
        let end = PointInTime { target: RecoveryTarget::Rba(target), accept_loss: false, random: 0 };
        let before = self.control.image();
        let report = self
            .recover_plainly(from, Some(end))
            .map_err(|error| format!("the loss of a recovery to {target} was not listed: {error}"))?;
        if report.recovered || report.cut.is_none() {
            return Err(format!("a recovery to {target} did not wait for its loss to be accepted"));
        }
        self.totals.count(Event::LossListed);
        self.unchanged_since(&before, "a recovery whose loss was not accepted")
    }

    /// A point above a cut is off the line: nothing can be recovered from it any more.
    pub(super) fn off_the_line(&mut self) -> Result<(), Broken> {
        let off_line = self.off_line.clone();
        let Some(from) = self.random.pick(&off_line).cloned() else { return Ok(()) };
        let before = self.control.image();
        match self.recover_plainly(&from, None) {
            Ok(_) => Err(format!("a recovery from {} succeeded, which a cut left behind", from.display())),
            Err(error) => {
                self.totals.count(Event::OffLineRefused);
                self.trace(|| format!("refused: {error}"));
                self.unchanged_since(&before, "a recovery from a point that a cut left behind")
            }
        }
    }

    /// Nothing in the queue manager's directory is other than in `before`.
    pub(super) fn unchanged_since(&self, before: &engine_storage::Image, what: &str) -> Result<(), Broken> {
        let changed: Vec<PathBuf> = self.control.image().differences(before, &self.dir);
        match changed.iter().find(|name| name.as_path() != Path::new(files::LOCK)) {
            Some(name) => Err(format!("{what} changed {}", name.display())),
            None => Ok(()),
        }
    }
}
