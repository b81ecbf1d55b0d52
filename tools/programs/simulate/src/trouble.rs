//! A whole run of a seed: load, and everything that can go wrong with it.

use std::path::{Path, PathBuf};

use engine_queue_manager::Job;
use engine_storage::{FaultRates, durable};
use format_protocol::Request;
use format_types::PageSetId;

use crate::client::{class_name, queue_name};
use crate::event::Event;
use crate::model::Broken;
use crate::pages;
use crate::seeds::Outcome;
use crate::settings::Watch;
use crate::world::World;

/// Queues defined before the load begins.
const FIRST_QUEUES: usize = 3;

/// Starts in a row that may be disturbed; the next one is not.
const DISTURBED_STARTS: u32 = 3;

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
        let mut calm = 0;
        while self.operations < operations {
            if self.running() && !self.control.stopped() {
                self.disturb(&mut calm)?;
                self.step()?;
            }
            if self.control.stopped() || self.core.is_none() {
                self.calm();
                self.come_back()?;
            }
        }
        self.calm();
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
        self.defined = FIRST_QUEUES;
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

    /// No faults from now on.
    pub(crate) fn calm(&mut self) {
        let torn_read = self.control.rates().torn_read;
        self.control.set_rates(FaultRates { torn_read, ..FaultRates::default() });
    }

    /// Perhaps something goes wrong, or is checked, or is stopped.
    fn disturb(&mut self, calm_in: &mut u64) -> Result<(), Broken> {
        if *calm_in > 0 {
            *calm_in -= 1;
            if *calm_in == 0 {
                self.calm();
            }
        }
        // Syncs of page sets under way: the moments that matter most.
        let syncing = self.jobs.iter().any(|job| matches!(job, Job::PageSync(_)));
        let cut_while_syncing = if self.setup.stormy { 950 } else { 997 };
        let cut = if self.setup.stormy { 3 } else { 1 };
        match self.random.below(1_000) {
            chance if (syncing && chance >= cut_while_syncing) || chance < cut => {
                self.crash();
                self.come_back()
            }
            6..=9 if self.setup.stormy || self.random.coin() => {
                let ahead = self.random.between(1, 300);
                self.control.stop_at(Some(self.control.operations() + ahead));
                Ok(())
            }
            14..=16 => {
                self.make_faults();
                *calm_in = self.random.between(5, 80);
                Ok(())
            }
            20..=27 => {
                self.calm();
                self.control.stop_at(None);
                self.check_quiet()?;
                self.check_answered()
            }
            28 | 29 => self.stop_and_start(),
            _ => Ok(()),
        }
    }

    fn make_faults(&mut self) {
        let torn_read = self.control.rates().torn_read;
        let mut rates = FaultRates { torn_read, ..FaultRates::default() };
        let only = ["LOGCOPY1", "LOGCOPY2", "PSID", "BSDS", "ARCHLOG", "PSID00"];
        if self.random.below(3) != 0 {
            rates.only = self.random.pick(&only).map(|name| (*name).to_owned());
        }
        let rate = [2_000, 20_000, 200_000, 1_000_000];
        let rate = self.random.pick(&rate).copied().unwrap_or_default();
        if self.random.coin() {
            rates.times = Some(self.random.between(1, 3));
        }
        match self.random.below(6) {
            0 | 1 => rates.sync_error = rate,
            2 => rates.write_error = rate,
            3 => rates.read_error = rate,
            4 => rates.name_error = rate,
            _ => rates.capacity = Some(self.random.below(1 << 22)),
        }
        self.trace(|| format!("faults: {rates:?}"));
        self.control.set_rates(rates);
    }

    /// Faults that were injected so far.
    pub(crate) fn faults(&self) -> u64 {
        let c = self.control.counters();
        c.read_errors + c.write_errors + c.sync_errors + c.name_errors + c.no_space
    }

    /// Whether a fault may have left its mark since the last start: a page set offline, a copy given up.
    pub(crate) fn hindered(&self) -> bool {
        self.control.stopped() || self.sound != Some(self.faults())
    }

    /// When nothing hinders, every request is answered sooner or later.
    fn check_answered(&mut self) -> Result<(), Broken> {
        self.settle_down()?;
        if self.running() && self.clients.iter().any(|client| client.waiting.is_some()) {
            // A failed offload or expansion is tried again only after something else has happened.
            if !self.hindered() {
                return Err(format!("requests are not answered though nothing hinders: {}", self.waiting()));
            }
        }
        Ok(())
    }

    /// Stops cleanly, checks the pages, does to the files what may be done to them, and starts.
    fn stop_and_start(&mut self) -> Result<(), Broken> {
        self.calm();
        self.control.stop_at(None);
        let hindered = self.hindered();
        if self.stop()? {
            if !hindered {
                self.check_pages()?;
            }
        } else if !hindered {
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
    fn come_back(&mut self) -> Result<(), Broken> {
        self.come_back_with(true)
    }

    fn come_back_with(&mut self, crash: bool) -> Result<(), Broken> {
        self.calm();
        if crash
            && (self.core.is_some() || self.control.stopped() || !self.jobs.is_empty() || self.random.coin())
        {
            self.crash();
        } else {
            self.vanish();
        }
        self.control.stop_at(None);
        self.lose_something()?;
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
        self.control.stop_at(None);
        if self.core.is_none() {
            self.come_back()?;
        }
        self.check_quiet()?;
        if !self.points.is_empty() && self.random.coin() {
            self.crash();
            self.lose_page_sets()?;
            self.come_back_with(false)?;
        }
        let hindered = self.hindered();
        if self.stop()? && !hindered {
            self.check_pages()?;
        }
        self.vanish();
        self.control.kill();
        self.try_start().map_err(|error| format!("the last start was refused: {error}"))?;
        self.drain()?;
        self.check_restarted()
    }

    /// While the queue manager is down, files may be lost or damaged; what the promise covers is brought back.
    fn lose_something(&mut self) -> Result<(), Broken> {
        let sound = self.sound.take() == Some(self.faults());
        match self.random.below(12) {
            5.. if !self.points.is_empty() && self.random.coin() => self.lose_page_sets(),
            2 if sound => self.lose_bsds_copy(),
            3 if sound && self.setup.dual_logs => self.rot_log_copy(),
            4 if !self.points.is_empty() => self.rot_page(),
            _ => Ok(()),
        }
    }

    /// One copy of the BSDS is enough.
    fn lose_bsds_copy(&mut self) -> Result<(), Broken> {
        let name = if self.random.coin() { "BSDS01" } else { "BSDS02" };
        let path = self.dir.join(name);
        self.trace(|| format!("{name} is lost"));
        self.totals.count(Event::BsdsCopyLost);
        self.shared
            .remove(&path)
            .and_then(|()| self.shared.sync_dir(&self.dir))
            .map_err(|error| error.to_string())
    }

    /// One copy of the log is enough: a stretch of the other is damaged.
    fn rot_log_copy(&mut self) -> Result<(), Broken> {
        let copy = format!("LOGCOPY{}.", self.setup.rotting_copy);
        let Some((path, length)) = self.pick_file(&copy)? else { return Ok(()) };
        let mut flip = vec![0; self.random.between(1, 3_000) as usize];
        self.random.fill(&mut flip);
        let offset = self.random.below(length.saturating_sub(flip.len() as u64));
        self.trace(|| format!("{} is damaged at {offset}, {} bytes", path.display(), flip.len()));
        self.totals.count(Event::LogCopyRot);
        self.control.rot(&path, offset, &flip).map_err(|error| error.to_string())
    }

    /// One of the files whose name begins with `prefix`, and its length.
    pub(crate) fn pick_file(&mut self, prefix: &str) -> Result<Option<(PathBuf, u64)>, Broken> {
        let names = self.shared.list(&self.dir).map_err(|error| error.to_string())?;
        let names: Vec<PathBuf> =
            names.into_iter().filter(|name| name.to_string_lossy().starts_with(prefix)).collect();
        let Some(name) = self.random.pick(&names) else { return Ok(None) };
        let path = self.dir.join(name);
        let file = self.shared.open(&path, engine_storage::OpenMode::Read).map_err(|e| e.to_string())?;
        let length = file.len().map_err(|error| error.to_string())?;
        Ok(Some((path, length)))
    }
}
