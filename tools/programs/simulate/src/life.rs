//! A whole run of a seed: load, stops and starts, and trouble in between.

use std::path::{Path, PathBuf};

use engine_storage::{FaultRates, durable};
use format_protocol::Request;
use format_types::PageSetId;

use crate::client::{class_name, queue_name};
use crate::event::Event;
use crate::model::{Broken, Stretch};
use crate::pages;
use crate::seeds::Outcome;
use crate::settings::Watch;
use crate::world::World;

/// Queues defined before the load begins.
const FIRST_QUEUES: usize = 3;

/// Starts in a row that may be disturbed; the next one is not.
const DISTURBED_STARTS: u32 = 3;

/// Microseconds after which whatever was put off is tried again.
pub(crate) const PATIENCE: u64 = 60_000_000;

/// Runs `seed` until about `operations` requests were made.
pub(crate) fn run(seed: u64, operations: u64, watch: &Watch) -> Outcome {
    let mut world = match World::new(seed, watch) {
        Ok(world) => world,
        Err(broken) => {
            let totals = crate::event::Totals::default();
            return Outcome { seed, digest: 0, operations: 0, totals, failure: Some(broken) };
        }
    };
    let failure = world.live(operations).err();
    world.outcome(seed, failure)
}

impl World {
    /// What became of this world.
    pub(crate) fn outcome(mut self, seed: u64, failure: Option<Broken>) -> Outcome {
        let at = self.control.operations();
        if failure.is_some()
            && let Some(keep) = &self.watch.keep
            && let Err(error) = self.keep(&keep.join(seed.to_string()))
        {
            console::message("HWT786E", &format!("the files of seed {seed} were not kept: {error}"));
        }
        let failure = failure.map(|broken| format!("after {at} storage operations: {broken}"));
        self.note(failure.as_deref().unwrap_or("held"), &[]);
        let digest = self.digest();
        self.totals.add_storage(self.control.counters().totals());
        Outcome { seed, digest, operations: self.operations, totals: self.totals, failure }
    }

    /// Writes the files as they are now to a real directory.
    fn keep(&self, to: &Path) -> std::io::Result<()> {
        self.control.set_rates(FaultRates::default());
        self.control.set_lasting(FaultRates::default());
        let mut directories = vec![PathBuf::new()];
        while let Some(from) = directories.pop() {
            std::fs::create_dir_all(to.join(&from))?;
            for name in self.shared.list(&from)? {
                let path = from.join(name);
                match durable::read_file(self.shared.as_ref(), &path, u64::MAX) {
                    Ok(bytes) => std::fs::write(to.join(&path), bytes)?,
                    Err(error) if error.kind() == std::io::ErrorKind::IsADirectory => directories.push(path),
                    Err(error) => return Err(error),
                }
            }
        }
        Ok(())
    }

    fn live(&mut self, operations: u64) -> Result<(), Broken> {
        self.begin()?;
        while self.operations < operations {
            if self.running() && !self.control.stopped() {
                self.disturb()?;
                self.step()?;
            }
            if self.control.stopped() || self.core.is_none() {
                self.come_back()?;
            }
        }
        self.end()
    }

    /// Starts for the first time and defines the first objects.
    pub(crate) fn begin(&mut self) -> Result<(), Broken> {
        self.try_start().map_err(|error| format!("the first start was refused: {error}"))?;
        self.sound = Some(self.faults());
        self.drain()?;
        let mut statements = Vec::new();
        for page_set in 1..self.setup.page_sets {
            statements.push(format!("DEFINE STGCLASS({}) PSID({page_set}) REPLACE", class_name(page_set)));
        }
        statements.extend((0..FIRST_QUEUES).map(|queue| self.define_text(queue)));
        let from = self.log_end();
        for text in statements {
            let core = self.core.as_mut().ok_or("the queue manager is gone")?;
            let connection = core.connect();
            core.request(connection, Request::Mqsc { text: text.clone() });
            let mut answer = None;
            for _ in 0..100 {
                let core = self.core.as_mut().ok_or("the queue manager is gone")?;
                core.work();
                self.jobs.extend(core.take_jobs());
                answer = core.take_replies().pop();
                if answer.is_some() {
                    break;
                }
                self.step_job_alone();
            }
            if let Some(core) = &mut self.core {
                core.disconnect(connection);
            }
            match answer {
                Some((_, format_protocol::Reply::Lines { code: format_types::ConditionCode::Done, .. })) => {}
                other => return Err(format!("{text} was answered with {other:?}")),
            }
        }
        self.queues = vec![Stretch { from, to: self.log_end() }; FIRST_QUEUES];
        self.drain()?;
        self.trace(|| format!("begun; the first queue is {}", queue_name(0)));
        Ok(())
    }

    /// Runs one job before anybody waits for answers.
    fn step_job_alone(&mut self) {
        if let (Some(job), Some(core)) = (self.jobs.pop(), &mut self.core) {
            core.finish(job.run());
        }
    }

    /// When nothing hinders, every request is answered sooner or later.
    pub(crate) fn check_answered(&mut self) -> Result<(), Broken> {
        self.settle_down()?;
        self.let_pass(PATIENCE);
        self.settle_down()?;
        if self.running()
            && !self.hindered()
            && self.lasting.is_none()
            && self.clients.iter().any(|client| client.waiting.is_some())
        {
            return Err(format!("requests are not answered though nothing hinders: {}", self.waiting()));
        }
        Ok(())
    }

    /// Stops cleanly, checks the pages, does to the files what may be done to them, and starts.
    pub(crate) fn stop_and_start(&mut self) -> Result<(), Broken> {
        self.calm();
        self.control.stop_at(None);
        if self.stop()? {
            if !self.hindered() && !self.unfinished {
                self.check_pages()?;
                if self.lasting.is_none() && self.random.coin() {
                    self.control.kill();
                    self.make_full_point()?;
                }
            }
        } else if !self.hindered() && !self.may_end() {
            return Err("the queue manager ended while it stopped, though nothing hindered it".to_owned());
        }
        self.vanish();
        self.control.kill();
        self.come_back_with(false)
    }

    /// Page sets at rest after a clean stop.
    pub(crate) fn check_pages(&mut self) -> Result<(), Broken> {
        for number in 0..self.setup.page_sets {
            if let Some(page_set) = PageSetId::new(number) {
                pages::check(&self.shared, &self.dir, page_set)?;
            }
        }
        self.totals.count(Event::PageCheck);
        Ok(())
    }

    /// After a crash: perhaps something is lost too; then a start, and the check of all messages.
    pub(crate) fn come_back(&mut self) -> Result<(), Broken> {
        self.come_back_with(true)
    }

    pub(crate) fn come_back_with(&mut self, crash: bool) -> Result<(), Broken> {
        self.calm();
        if crash
            && (self.core.is_some() || self.control.stopped() || !self.jobs.is_empty() || self.random.coin())
        {
            self.crash();
        } else {
            self.vanish();
        }
        self.control.stop_at(None);
        self.meddle()?;
        self.start_again()
    }

    /// Starts, after a few starts that are disturbed perhaps, and checks all messages.
    pub(crate) fn start_again(&mut self) -> Result<(), Broken> {
        for attempt in 0..=DISTURBED_STARTS {
            let disturbed = attempt < DISTURBED_STARTS && self.random.below(4) == 0;
            let faults = self.faults();
            if disturbed {
                self.disturb_start();
            }
            let started = self.try_start();
            let excused = self.control.stopped() || self.faults() > faults;
            self.control.stop_at(None);
            self.calm();
            match started {
                // It did without something that the fault took, a page set or a copy: the next start has it again.
                Ok(()) if excused => {
                    self.totals.count(Event::StartInterrupted);
                    self.drain()?;
                    self.crash();
                }
                Ok(()) => {
                    self.drain()?;
                    self.sound = Some(faults);
                    return self.check_restarted();
                }
                Err(error) if disturbed && excused => {
                    self.totals.count(Event::StartInterrupted);
                    self.note(&error, &[]);
                    self.trace(|| format!("start interrupted: {error}"));
                    self.crash();
                }
                Err(error) => return Err(format!("a start was refused: {error}")),
            }
        }
        Err("no start was let through".to_owned())
    }

    fn disturb_start(&mut self) {
        if self.random.coin() {
            let ahead = self.random.between(1, 120);
            self.control.stop_at(Some(self.control.operations() + ahead));
        } else {
            self.make_faults();
        }
    }

    /// Stops, checks, starts and checks again: the end of every run.
    pub(crate) fn end(&mut self) -> Result<(), Broken> {
        self.calm();
        self.control.stop_at(None);
        if self.core.is_none() {
            self.come_back()?;
        }
        self.end_lasting();
        self.check_quiet()?;
        if !self.points.is_empty() && self.random.coin() {
            self.crash();
            self.lose_page_sets()?;
            self.come_back_with(false)?;
        }
        if self.stop()? && !self.hindered() && !self.unfinished {
            self.check_pages()?;
        }
        self.vanish();
        self.control.kill();
        self.try_start().map_err(|error| format!("the last start was refused: {error}"))?;
        self.drain()?;
        self.check_restarted()
    }
}
