//! Recovery to a time: the log is cut before the first commit later than it, and the run goes on from there.

use format_types::Timestamp;
use operation_points::{PointInTime, RecoveryTarget};

use crate::event::Event;
use crate::model::Broken;
use crate::point::MadePoint;
use crate::world::World;

/// Microseconds around what is known of the commits from which times are taken too.
const AROUND: u64 = 500_000;

impl World {
    /// The queue manager goes back to a time; what was committed later is given up, and nothing else is.
    pub(super) fn recover_to_time(&mut self) -> Result<(), Broken> {
        let Some(point) = self.pick_made_point(|_| true) else { return Ok(()) };
        let time = self.choose_time(&point);
        let to = |accept_loss, random| {
            Some(PointInTime { target: RecoveryTarget::Time(Timestamp(time)), accept_loss, random })
        };
        let before = self.control.image();
        let planned = self.recover_plainly(&point.directory, to(false, 0));
        self.unchanged_since(&before, "a recovery to a time that was only planned")?;
        let report = match planned {
            Ok(report) => report,
            Err(error) => return self.time_refused(time, &point, &error),
        };
        let target = match report.cut {
            Some(cut) if !report.recovered => cut.target,
            _ => return Err(format!("a recovery to time {time} did not wait for its loss to be accepted")),
        };
        self.trace(|| format!("the log is to be cut at {target}, for time {time}"));
        self.model.check_cut_of_time(time, target)?;
        let Some(model) = self.model.cut(target) else { return Ok(()) };
        let random = self.random.next_u64();
        let recovered = self.recover_from(point.directory, Vec::new(), to(true, random))?;
        let cut = recovered.cut.unwrap_or(target);
        self.totals.count(Event::CutAtTime);
        self.note("cut at a time", &[time, target.0]);
        self.continue_from(target, cut, recovered.again, model);
        if self.random.coin() { self.off_the_line() } else { Ok(()) }
    }

    /// A time that the point serves, mostly.
    fn choose_time(&mut self, point: &MadePoint) -> u64 {
        let (from, now) = (point.done_at, self.model.clock().max(point.done_at));
        let times: Vec<u64> =
            self.model.commit_times().into_iter().filter(|time| *time >= point.done_at).collect();
        match self.random.below(10) {
            0 => self.random.between(now, now + AROUND),
            1 => self.random.between(from.saturating_sub(AROUND), from),
            2 => self.random.pick(&self.model.commit_times()).copied().unwrap_or(now),
            3 => self.random.between(from, now),
            // Exactly when something happened, or just before.
            _ => self.random.pick(&times).copied().unwrap_or(now) - self.random.below(2),
        }
    }

    /// There is a good reason why a recovery to `time` cannot be.
    fn time_refused(&mut self, time: u64, point: &MadePoint, error: &str) -> Result<(), Broken> {
        self.trace(|| format!("refused: {error}"));
        if error.contains("HWT528E") && !self.model.commits_after(time) {
            self.totals.count(Event::NoLaterCommit);
            return Ok(());
        }
        let too_late = error.contains("HWT527E") || error.contains("HWT903E");
        if too_late && time < point.done_at {
            self.totals.count(Event::PointTooLate);
            return Ok(());
        }
        Err(format!("a recovery from {} to time {time} was refused: {error}", point.directory.display()))
    }
}
