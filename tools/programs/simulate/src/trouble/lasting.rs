//! Trouble with one file or one disk that lasts, while everything else goes on: at most one at a time.

use engine_storage::{Counters, FaultRates};

use crate::event::Event;
use crate::model::Broken;
use crate::world::World;

/// What fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Lasting {
    /// One copy of the log or of the BSDS: the files whose names begin so.
    Copy(&'static str),
    /// Both copies of the log, or the only one.
    BothCopies,
    /// The archives.
    Archives,
    /// The disk of the page sets is full.
    Disk,
    /// A page set.
    PageSet,
}

impl Lasting {
    /// Whether nobody who uses the queue manager may notice it, if all else is sound.
    fn is_harmless(self) -> bool {
        matches!(self, Self::Copy(_) | Self::Archives | Self::Disk)
    }
}

/// Lasting trouble under way.
#[derive(Debug, Clone, Copy)]
pub(crate) struct UnderWay {
    kind: Lasting,
    /// Steps until it is over.
    steps: u64,
    /// Lasting faults before it began.
    before: u64,
    /// All other faults before it began, when everything was sound.
    others: Option<u64>,
}

impl World {
    /// Begins lasting trouble, for about `steps` steps or until the queue manager is down.
    pub(super) fn begin_lasting(&mut self, kind: Lasting, rates: FaultRates, steps: u64) {
        self.trace(|| format!("lasting: {kind:?} for {steps} steps, {rates:?}"));
        let before = self.control.counters().lasting_faults;
        self.control.set_lasting(rates);
        let others = (!self.hindered()).then(|| self.faults());
        self.lasting = Some(UnderWay { kind, steps, before, others });
    }

    /// One step less of lasting trouble; what must be true when it ends.
    pub(super) fn lasting_passes(&mut self) -> Result<(), Broken> {
        let Some(under_way) = &mut self.lasting else { return Ok(()) };
        let kind = under_way.kind;
        under_way.steps = under_way.steps.saturating_sub(1);
        let over = under_way.steps == 0;
        match kind {
            Lasting::Archives => self.archives_fail(over),
            Lasting::Disk if over => self.disk_has_room(),
            Lasting::PageSet if over => self.page_set_repaired(),
            // A copy that failed stays under suspicion until the queue manager is down.
            Lasting::Copy(_) if over => {
                self.control.set_lasting(FaultRates::default());
                Ok(())
            }
            Lasting::BothCopies if over => {
                self.end_lasting();
                Ok(())
            }
            _ => Ok(()),
        }
    }

    /// Ends lasting trouble. Gives back what it was, if it came to a fault.
    pub(crate) fn end_lasting(&mut self) -> Option<Lasting> {
        let under_way = self.lasting.take()?;
        self.control.set_lasting(FaultRates::default());
        let faults = self.control.counters().lasting_faults - under_way.before;
        self.trace(|| format!("lasting: {:?} is over after {faults} faults", under_way.kind));
        if under_way.kind.is_harmless() {
            self.harmless += faults;
        }
        let event = match under_way.kind {
            Lasting::Copy(_) => Event::CopyFailing,
            Lasting::BothCopies => Event::BothCopiesFailing,
            Lasting::Archives => Event::ArchivesFailing,
            Lasting::Disk => Event::DiskFull,
            Lasting::PageSet => Event::PageSetFailing,
        };
        if faults == 0 {
            return None;
        }
        if under_way.kind == Lasting::PageSet {
            let all = self.faults();
            self.only_page_set_failed = under_way.others.map(|others| others + faults).filter(|n| *n == all);
        }
        self.totals.count(event);
        Some(under_way.kind)
    }

    /// Faults so far that must not have been noticed.
    pub(super) fn harmless_faults(&self, counters: &Counters) -> u64 {
        let now = self.lasting.as_ref().filter(|under_way| under_way.kind.is_harmless());
        self.harmless + now.map_or(0, |under_way| counters.lasting_faults - under_way.before)
    }

    /// Whether the trouble that lasts allows the queue manager to end.
    pub(crate) fn may_end(&self) -> bool {
        self.lasting.as_ref().is_some_and(|under_way| under_way.kind == Lasting::BothCopies)
    }
}
