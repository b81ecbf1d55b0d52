//! Page sets lost or damaged, and recovered from a recovery point by the shipped operation.

use std::path::{Path, PathBuf};

use engine_storage::OpenMode;
use format_pageset::page_zero;
use format_types::{PAGE_SIZE, PageSetId, Rba};
use operation_points::{Driver, PointInTime, RecoverReport, RecoverSettings, recover_to};

use crate::event::Event;
use crate::model::Broken;
use crate::verify::UNREADABLE;
use crate::world::World;

/// Recoveries in a row that may be cut off; the next one is not.
const CUT_OFF: u32 = 3;

/// Most bytes that rot at once.
const ROT: u64 = 6;

/// A recovery that was let through.
pub(super) struct Recovered {
    /// Where the log was cut.
    pub(super) cut: Option<Rba>,
    /// It was cut off before: the log may have been cut then too, in the history before.
    pub(super) again: bool,
}

impl World {
    fn some_page_sets(&mut self) -> Vec<PageSetId> {
        let all: Vec<PageSetId> = (0..self.setup.page_sets).filter_map(PageSetId::new).collect();
        match self.random.below(3) {
            0 => all,
            1 => self.random.pick(&all).copied().into_iter().collect(),
            _ => {
                let mut some = all;
                some.retain(|_| self.random.coin());
                if some.is_empty() { vec![PageSetId::ZERO] } else { some }
            }
        }
    }

    fn page_set_path(&self, page_set: PageSetId) -> PathBuf {
        self.dir.join(format!("PSID{page_set}"))
    }

    /// Some page sets are gone; they come back from a recovery point.
    pub(crate) fn lose_page_sets(&mut self) -> Result<(), Broken> {
        let lost = self.remove_page_sets()?;
        self.recover(lost)
    }

    /// Some page sets are gone.
    pub(super) fn remove_page_sets(&mut self) -> Result<Vec<PageSetId>, Broken> {
        let lost = self.some_page_sets();
        self.trace(|| format!("page sets {lost:?} are lost"));
        self.totals.add(Event::PageSetLost, lost.len() as u64);
        for page_set in &lost {
            self.shared.remove(&self.page_set_path(*page_set)).map_err(|error| error.to_string())?;
        }
        self.shared.sync_dir(&self.dir).map_err(|error| error.to_string())?;
        Ok(lost)
    }

    /// Recovers all page sets from a point, undisturbed; the error is the operation's.
    pub(super) fn recover_plainly(
        &mut self,
        from: &Path,
        end: Option<PointInTime>,
    ) -> Result<RecoverReport, String> {
        let settings = self.recovery(from.to_owned(), Vec::new());
        let now = self.time();
        recover_to(&self.shared, &settings, end, now, &mut |_| {}).map_err(|error| error.to_string())
    }

    fn recovery(&self, from: PathBuf, page_sets: Vec<PageSetId>) -> RecoverSettings {
        RecoverSettings {
            dir: self.dir.clone(),
            from,
            page_sets,
            frames: None,
            driver: Driver::Steps,
            dry_run: false,
        }
    }

    /// Recovers `page_sets` from one of the points.
    fn recover(&mut self, page_sets: Vec<PageSetId>) -> Result<(), Broken> {
        let Some(from) = self.pick_point() else { return Err("there is no recovery point".to_owned()) };
        self.recover_from(from, page_sets, None).map(drop)
    }

    /// Recovers `page_sets`, all when there are none, from a point, to a point in time perhaps; cut off a few times perhaps.
    pub(super) fn recover_from(
        &mut self,
        from: PathBuf,
        page_sets: Vec<PageSetId>,
        end: Option<PointInTime>,
    ) -> Result<Recovered, Broken> {
        let frames = if self.random.coin() { None } else { Some(64) };
        let settings = RecoverSettings { frames, ..self.recovery(from, page_sets) };
        for attempt in 0..=CUT_OFF {
            let cut_off = attempt < CUT_OFF && self.random.below(3) == 0;
            if cut_off {
                let ahead = self.random.between(1, 200);
                self.control.stop_at(Some(self.control.operations() + ahead));
            }
            let now = self.time();
            let recovered = recover_to(&self.shared, &settings, end, now, &mut |_| {});
            let stopped = self.control.stopped();
            self.control.stop_at(None);
            match recovered {
                Ok(report) => {
                    self.totals.count(Event::Recover);
                    self.note("recovered", &[report.forward.start.0, report.forward.end.0, report.records]);
                    self.trace(|| format!("recovered from {}: {}", report.point, report.forward));
                    return Ok(Recovered { cut: report.cut.map(|cut| cut.cut), again: attempt > 0 });
                }
                Err(error) if cut_off && stopped => {
                    self.totals.count(Event::RecoverInterrupted);
                    self.trace(|| format!("recovery cut off: {error}"));
                    self.crash();
                }
                Err(error) => {
                    return Err(format!(
                        "recovery of {:?} from {} failed: {error}",
                        settings.page_sets,
                        settings.from.display()
                    ));
                }
            }
        }
        Err("no recovery was let through".to_owned())
    }

    /// A few bytes of a page set have changed by themselves. The queue manager may refuse to start or end; it must not
    /// return or change a message. Then the page set is recovered.
    pub(crate) fn rot_page(&mut self) -> Result<(), Broken> {
        let page_set = self.some_page_sets().first().copied().unwrap_or(PageSetId::ZERO);
        let path = self.page_set_path(page_set);
        let file = self.shared.open(&path, OpenMode::Read).map_err(|error| error.to_string())?;
        let mut zero = vec![0; PAGE_SIZE];
        file.read_at(0, &mut zero).map_err(|error| error.to_string())?;
        // Torn or not written yet: something else is the matter with it.
        let Ok(read) = page_zero::decode(&zero) else { return Ok(()) };
        let used = u64::from(read.zero.pages_used) * PAGE_SIZE as u64;
        for _ in 0..self.random.between(1, ROT) {
            let offset = self.random.below(used);
            let flip = self.random.between(1, 255) as u8;
            self.control.rot(&path, offset, &[flip]).map_err(|error| error.to_string())?;
        }
        self.totals.count(Event::PageRot);
        self.trace(|| format!("page set {page_set} rots"));
        match self.try_start() {
            Ok(()) => {
                self.drain()?;
                match self.check_restarted() {
                    Err(broken) if broken != UNREADABLE => {
                        return Err(format!("a page rotted, then {broken}"));
                    }
                    _ => {}
                }
                if self.random.coin() {
                    // It may end or not stop, with pages that it cannot read.
                    if let Err(error) = self.stop() {
                        self.trace(|| error);
                    }
                }
            }
            Err(error) => self.trace(|| format!("the start was refused: {error}")),
        }
        self.crash();
        self.recover(vec![page_set])
    }
}
