//! A queue manager on faulty storage, programs that use it, and trouble, all from one seed.

use std::collections::BTreeSet;
use std::io::Write;
use std::path::{Path, PathBuf};

use engine_queue_manager::{ConnectionId, Core, Job, JobDone, StartOptions, State, files};
use engine_storage::{Control, FaultRates, FaultyStorage, FileLock, Random, SharedStorage, Storage};
use format_protocol::Reply;
use format_types::{Rba, Timestamp};

use crate::client::{Client, page_set_of};
use crate::digest::Digest;
use crate::event::{Event, Totals};
use crate::model::{Broken, Model, Stretch};
use crate::point::{MadePoint, PointMaker};
use crate::settings::Watch;
use crate::setup::{BEGIN, DIRECTORY, POINTS, Setup};
use crate::trouble::UnderWay;

/// Steps without an answer after which a queue manager that nothing hinders is taken for stuck.
const STUCK: u32 = 2_000;

/// How often in a million a racing read sees a block that is being written as it was, wholly or in part.
const TORN_READS: u32 = 500_000;

/// Everything of one seed.
pub(crate) struct World {
    /// Decides what happens; the storage has luck of its own.
    pub(crate) random: Random,
    pub(crate) setup: Setup,
    pub(crate) shared: SharedStorage,
    pub(crate) control: Control,
    pub(crate) dir: PathBuf,
    pub(crate) core: Option<Core>,
    lock: Option<Box<dyn FileLock>>,
    pub(crate) jobs: Vec<Job>,
    pub(crate) clients: Vec<Client>,
    pub(crate) connects: u64,
    pub(crate) prepares: u64,
    /// Queues that are defined for certain, and where in the log.
    pub(crate) queues: Vec<Stretch>,
    pub(crate) model: Model,
    pub(crate) point: Option<PointMaker>,
    /// Another one, which takes longer.
    pub(crate) slow_point: Option<PointMaker>,
    /// Directories of the recovery points that a recovery can be made from, oldest first.
    pub(crate) points: Vec<MadePoint>,
    pub(crate) point_number: u64,
    now: u64,
    /// Faults injected when the last start was done, if that start was not disturbed: as long as no more came, both copies of
    /// BSDS and log are whole.
    pub(crate) sound: Option<u64>,
    /// Steps until faults end.
    pub(crate) faults_for: u64,
    /// Trouble that lasts.
    pub(crate) lasting: Option<UnderWay>,
    /// Faults of lasting trouble that is over and must not have been noticed.
    pub(crate) harmless: u64,
    /// Data sets of the copy that may be damaged were damaged, or made anew.
    pub(crate) rotted: bool,
    /// All faults, when the only ones since the last start were of a page set that is repaired.
    pub(crate) only_page_set_failed: Option<u64>,
    /// A page set is back; what its absence did to programs is still to be settled.
    pub(crate) page_set_returned: bool,
    /// Page sets that are offline.
    pub(crate) offline: BTreeSet<u8>,
    /// Recovery points that a cut left behind.
    pub(crate) off_line: Vec<PathBuf>,
    /// Units wait for log or a page set, and may wait for the next start.
    pub(crate) unfinished: bool,
    /// How often, since the last checkpoint was complete, syncs of page sets were begun while none was under way: first those of pages
    /// and then those of page zeros that say what the pages have.
    pub(crate) sync_rounds: u32,
    /// A copy of the log was given up since the last step.
    pub(crate) copy_just_stopped: bool,
    /// The queue manager says that it is out of log.
    pub(crate) log_is_full: bool,
    /// Requests made.
    pub(crate) operations: u64,
    pub(crate) totals: Totals,
    digest: Digest,
    pub(crate) watch: Watch,
}

impl World {
    /// A world for `seed`, with its queue manager made but not started.
    pub(crate) fn new(seed: u64, watch: &Watch) -> Result<Self, Broken> {
        let mut random = Random::new(seed);
        let setup = Setup::draw(&mut random);
        let storage = FaultyStorage::new(random.next_u64());
        let control = storage.control();
        setup.create(&storage)?;
        storage
            .create_dir(Path::new(POINTS))
            .and_then(|()| storage.sync_dir(Path::new("")))
            .map_err(|error| error.to_string())?;
        control.set_rates(FaultRates { torn_read: TORN_READS, ..FaultRates::default() });
        let clients = (0..setup.clients).map(|_| Client::default()).collect();
        Ok(Self {
            random,
            shared: storage.shared(),
            control,
            dir: PathBuf::from(DIRECTORY),
            core: None,
            lock: None,
            jobs: Vec::new(),
            clients,
            connects: 0,
            prepares: 0,
            queues: Vec::new(),
            model: Model::default(),
            point: None,
            slow_point: None,
            points: Vec::new(),
            point_number: 0,
            now: BEGIN.0,
            sound: None,
            faults_for: 0,
            lasting: None,
            harmless: 0,
            rotted: false,
            sync_rounds: 0,
            copy_just_stopped: false,
            unfinished: false,
            only_page_set_failed: None,
            page_set_returned: false,
            offline: BTreeSet::new(),
            off_line: Vec::new(),
            log_is_full: false,
            operations: 0,
            totals: Totals::default(),
            digest: Digest::default(),
            watch: watch.clone(),
            setup,
        })
    }

    /// Takes a fact into the digest.
    pub(crate) fn note(&mut self, what: &str, numbers: &[u64]) {
        self.digest.bytes(what.as_bytes());
        for number in numbers {
            self.digest.number(*number);
        }
    }

    /// Prints a line where lines are wanted.
    pub(crate) fn trace(&self, line: impl FnOnce() -> String) {
        if self.watch.trace {
            // Whoever closed the talk does not want it; the run goes on.
            let _ = writeln!(std::io::stderr(), "{:>8} {}", self.control.operations(), line());
        }
    }

    /// The digest of all that happened, the storage's totals included.
    pub(crate) fn digest(&self) -> u64 {
        let mut digest = self.digest;
        for (name, times) in self.control.counters().totals() {
            digest.bytes(name.as_bytes());
            digest.number(times);
        }
        digest.value()
    }

    /// End of the log, or where it ended when the queue manager was last there.
    pub(crate) fn log_end(&self) -> Rba {
        self.core.as_ref().map_or(self.model.log_end, Core::log_end)
    }

    /// Time passes and nothing happens.
    pub(crate) fn let_pass(&mut self, microseconds: u64) {
        self.now += microseconds;
        self.pass_time();
    }

    /// The queue manager is told the time.
    fn pass_time(&mut self) {
        let time = self.time();
        if let Some(core) = &mut self.core {
            core.set_time(time);
            self.model.set_clock(time.0);
        }
    }

    /// Tries something out with the files as they are, the queue manager down before and after; then everything is as it was. What is
    /// found broken stays, to be looked at.
    pub(crate) fn try_out<T>(
        &mut self,
        what: impl FnOnce(&mut Self) -> Result<T, Broken>,
    ) -> Result<T, Broken> {
        let image = self.control.image();
        let before = (self.model.clone(), self.queues.clone(), self.points.clone());
        let (off_line, dir) = (self.off_line.clone(), self.dir.clone());
        let outcome = what(self)?;
        self.vanish();
        self.control.stop_at(None);
        self.control.put_back(&image);
        (self.model, self.queues, self.points) = before;
        (self.off_line, self.dir) = (off_line, dir);
        Ok(outcome)
    }

    /// The time, a little later than at the last call.
    pub(crate) fn time(&mut self) -> Timestamp {
        self.now += self.random.between(1, 5_000);
        Timestamp(self.now)
    }

    /// Takes out of the core what it has to say: answers, jobs, console lines.
    pub(crate) fn drain(&mut self) -> Result<(), Broken> {
        let Some(core) = &mut self.core else { return Ok(()) };
        let messages = core.take_messages();
        let replies = core.take_replies();
        let jobs = core.take_jobs();
        for line in messages {
            self.console(&line);
        }
        let begun = jobs.iter().any(|job| matches!(job, Job::PageSync(_)));
        if begun && !self.syncs_page_sets() {
            self.sync_rounds += 1;
        }
        self.jobs.extend(jobs);
        for (connection, reply) in replies {
            self.answered(connection, reply)?;
        }
        Ok(())
    }

    /// Takes a console line in: some events are known by nothing else.
    pub(crate) fn console(&mut self, line: &str) {
        self.note(line, &[]);
        self.trace(|| format!("  {line}"));
        let event = match line.split(' ').next().unwrap_or_default() {
            "CSQP018I" => {
                self.sync_rounds = 0;
                Event::Checkpoint
            }
            "CSQJ002I" => Event::LogSwitch,
            "CSQJ004I" => {
                self.copy_just_stopped = true;
                Event::CopyStopped
            }
            "CSQJ128E" => Event::OffloadFailed,
            "CSQJ111A" => {
                self.log_is_full = true;
                Event::LogFull
            }
            "CSQJ139I" => {
                self.log_is_full = false;
                self.offline.clear();
                self.only_page_set_failed = None;
                self.page_set_returned = false;
                Event::OffloadEnded
            }
            "HWT438W" => {
                self.unfinished = true;
                Event::UnitWaits
            }
            "CSQJ114I" => Event::SingleArchive,
            "HWT450I" => {
                if let Some(Ok(page_set)) = line.split(' ').nth(4).map(str::parse) {
                    self.page_set_is_back(page_set);
                }
                return;
            }
            "CSQI005I" => {
                if let Some(Ok(page_set)) = line.split(' ').nth(4).map(str::parse::<u8>) {
                    self.offline.insert(page_set);
                    let sets = self.setup.page_sets;
                    self.model.page_set_lost(|queue| page_set_of(queue, sets) == page_set);
                }
                Event::PageSetOffline
            }
            "CSQP014E" => Event::ExpansionDisabled,
            "CSQI032I" => Event::ExpansionTailUsed,
            _ => return,
        };
        self.totals.count(event);
    }

    /// One step of whatever comes first: a program, a job, the core itself, a recovery point.
    pub(crate) fn step(&mut self) -> Result<(), Broken> {
        self.pass_time();
        match self.random.below(10) {
            0 | 1 if self.point.is_some() => self.step_point()?,
            0..=4 => {
                if !self.act()? {
                    self.work()?;
                }
            }
            5 | 6 => self.work().map(drop)?,
            7 => self.step_point()?,
            _ => self.step_job().map(drop)?,
        }
        self.notice_end()?;
        Ok(())
    }

    /// Lets the core work; true when it has more to do.
    pub(crate) fn work(&mut self) -> Result<bool, Broken> {
        let more = self.core.as_mut().is_some_and(Core::work);
        self.drain()?;
        Ok(more)
    }

    /// A step of one of the jobs; true when there was one.
    pub(crate) fn step_job(&mut self) -> Result<bool, Broken> {
        if self.jobs.is_empty() {
            return Ok(false);
        }
        let at = self.random.below(self.jobs.len() as u64) as usize;
        // Page sets take longest: much is written while one is synced.
        if matches!(self.jobs.get(at), Some(Job::PageSync(_))) && self.random.below(3) != 0 {
            return Ok(true);
        }
        match self.jobs.swap_remove(at).step() {
            Err(job) => self.jobs.push(job),
            Ok(done) => {
                match &done {
                    JobDone::Offload(_) => self.totals.count(Event::Offload),
                    JobDone::Expand(_) => self.totals.count(Event::Expansion),
                    JobDone::LogSync(_) | JobDone::PageSync(_) | JobDone::Create(_) => {}
                }
                if let Some(core) = &mut self.core {
                    core.finish(done);
                }
                self.drain()?;
            }
        }
        Ok(true)
    }

    /// Whether a page set is being synced.
    pub(crate) fn syncs_page_sets(&self) -> bool {
        self.jobs.iter().any(|job| matches!(job, Job::PageSync(_)))
    }

    /// Whether the queue manager works.
    pub(crate) fn running(&self) -> bool {
        self.core.as_ref().is_some_and(|core| matches!(core.state(), State::Running | State::Quiescing))
    }

    /// A queue manager that has ended by itself is gone, as its process would be.
    ///
    /// # Errors
    /// When it left a request without an answer.
    fn notice_end(&mut self) -> Result<(), Broken> {
        if self.core.as_ref().is_some_and(|core| core.state() == State::Failed) {
            self.totals.count(Event::Ended);
            self.trace(|| "the queue manager has ended".to_owned());
            if self.clients.iter().any(|client| client.waiting.is_some()) {
                return Err(format!("the queue manager ended and did not answer; {}", self.waiting()));
            }
            self.vanish();
        }
        Ok(())
    }

    /// The process is gone.
    pub(crate) fn vanish(&mut self) {
        self.sync_rounds = 0;
        self.model.log_end = self.log_end();
        self.log_is_full = false;
        self.offline.clear();
        self.only_page_set_failed = None;
        self.page_set_returned = false;
        self.core = None;
        self.lock = None;
        self.jobs.clear();
        self.abandon_point();
        self.forget_clients();
    }

    /// Cuts the power, or ends the process alone.
    pub(crate) fn crash(&mut self) {
        self.vanish();
        if self.control.stopped() || self.random.below(4) != 0 {
            self.trace(|| "power cut".to_owned());
            self.control.crash();
        } else {
            self.trace(|| "kill".to_owned());
            self.control.kill();
        }
        self.note("crash", &[self.control.operations()]);
    }

    /// Starts the queue manager once.
    ///
    /// # Errors
    /// What it was refused for.
    pub(crate) fn try_start(&mut self) -> Result<(), String> {
        let now = self.time();
        self.model.set_clock(now.0);
        let path = self.dir.join(files::LOCK);
        let lock = self.shared.lock(&path).map_err(|error| error.to_string())?;
        let lock = lock.ok_or("the directory is locked by nobody known")?;
        let options =
            StartOptions { index: true, read_from: None, frames: self.setup.frames, progress: &mut |_| {} };
        let core = Core::start(&self.shared, &self.dir, options, now).map_err(|error| error.to_string())?;
        self.lock = Some(lock);
        self.core = Some(core);
        self.unfinished = false;
        self.totals.count(Event::Start);
        Ok(())
    }

    /// Does everything that waits for nothing but work, until nothing is left.
    ///
    /// # Errors
    /// When the queue manager is stuck: something still waits, and nothing more is to be done.
    pub(crate) fn settle_down(&mut self) -> Result<(), Broken> {
        let mut idle = 0;
        for _ in 0..STUCK {
            let more = self.work()?;
            let stepped = self.step_job()?;
            self.notice_end()?;
            if self.core.is_none() {
                return Ok(());
            }
            // Two rounds: what a job leads to is begun by the work after it.
            idle = if more || stepped || !self.jobs.is_empty() { 0 } else { idle + 1 };
            if idle > 2 {
                break;
            }
        }
        Ok(())
    }

    /// Stops the queue manager cleanly; false when it failed to.
    pub(crate) fn stop(&mut self) -> Result<bool, Broken> {
        self.abandon_point();
        if let Some(core) = &mut self.core {
            core.stop(true);
        }
        self.drain()?;
        for _ in 0..STUCK {
            self.work()?;
            self.step_job()?;
            match self.core.as_ref().map(Core::state) {
                Some(State::Stopped) => {
                    self.totals.count(Event::CleanStop);
                    self.note("stopped", &[]);
                    self.vanish();
                    return Ok(true);
                }
                Some(State::Failed) | None => {
                    self.notice_end()?;
                    return Ok(false);
                }
                Some(_) => {}
            }
        }
        let text = self.waiting();
        Err(format!("the queue manager does not stop; {text}"))
    }

    /// Who waits for what, for messages.
    pub(crate) fn waiting(&self) -> String {
        let waits: Vec<String> = self
            .clients
            .iter()
            .enumerate()
            .filter_map(|(at, client)| client.waiting.map(|asked| format!("client {at} waits for {asked:?}")))
            .collect();
        format!("{} jobs; {}", self.jobs.len(), waits.join(", "))
    }

    /// An answer to a connection that is none of the programs'.
    pub(crate) fn point_answered(&mut self, connection: ConnectionId, reply: &Reply) -> Result<(), Broken> {
        let durable = self.core.as_ref().map_or(Rba::ZERO, Core::log_synced);
        for point in [&mut self.point, &mut self.slow_point].into_iter().flatten() {
            point.answered(connection, reply, durable);
        }
        Ok(())
    }
}
