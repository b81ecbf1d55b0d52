//! A throwaway queue manager, and what is done to it to rehearse one kind of loss.

use std::path::{Path, PathBuf};

use console::{Failure, Session, now};
use engine_log::read_bsds;
use engine_queue_manager::client::Client;
use engine_queue_manager::{NewQueueManager, create};
use engine_storage::{RealStorage, SharedStorage, durable};
use format_bsds::Bsds;
use format_protocol::{Reply, Request};
use format_types::{ConditionCode, Expand, PageSetId};
use operation_points::{CreateSettings, RecoverReport, create_point};
use operation_workload::Random;

use crate::args::Rehearsal;
use crate::child::Process;
use crate::run::{of_point, recover_page_sets};
use crate::scratch::Scratch;
use crate::stages::{self, LoadPlan};

/// Names of the load's queues begin with this.
const PREFIX: &str = "REHEARSE";

/// While a file of this name is there, syncs of one page set fail.
const FAIL: &str = "FAIL";

/// Most files that are named one by one.
const NAMED: usize = 8;

/// The share of `--messages` that one load of one kind puts and gets.
const SHARE: u64 = 8;

/// One kind of loss on a queue manager of its own.
pub(super) struct Trial<'a> {
    pub(super) scratch: &'a Scratch,
    pub(super) session: &'a Session,
    pub(super) storage: SharedStorage,
    pub(super) random: Random,
    /// Puts and gets of one load.
    pub(super) messages: u64,
    connections: u32,
    server: Option<Process>,
    /// Name of the page set whose syncs can be made to fail.
    failing: Option<String>,
    loads: u32,
    /// What was done, for the report.
    pub(super) steps: Vec<String>,
    /// What went wrong.
    pub(super) problems: Vec<String>,
    /// Puts and gets compared with what was promised.
    pub(super) audited: u64,
}

impl<'a> Trial<'a> {
    pub(super) fn new(
        scratch: &'a Scratch,
        number: u64,
        rehearsal: &Rehearsal,
        session: &'a Session,
    ) -> Self {
        Self {
            scratch,
            session,
            storage: RealStorage::shared(),
            random: Random::new(now().0 ^ (u64::from(std::process::id()) << 40) ^ (number << 32)),
            messages: (rehearsal.messages / SHARE).max(100),
            connections: rehearsal.connections,
            server: None,
            failing: None,
            loads: 0,
            steps: Vec::new(),
            problems: Vec::new(),
            audited: 0,
        }
    }

    pub(super) fn did(&mut self, step: impl Into<String>) {
        self.steps.push(step.into());
    }

    /// A failure unless `holds`.
    pub(super) fn expect(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds {
            self.problems.push(otherwise());
        }
    }

    pub(super) fn dir(&self) -> PathBuf {
        self.scratch.queue_manager()
    }

    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    /// Makes the queue manager: everything twice, and log data sets so small that most of the log is in archives.
    pub(super) fn make(&mut self, page_set_size: u64) -> Result<(), Failure> {
        self.create(page_set_size)?;
        self.start()
    }

    /// The same, and from now on syncs of a page set fail while [`Self::fail_syncs`] says so.
    pub(super) fn make_failing(&mut self, page_set_size: u64, page_set: u8) -> Result<(), Failure> {
        self.create(page_set_size)?;
        self.failing = Some(format!("PSID{page_set:02}"));
        self.start()
    }

    /// Whether syncs of that page set fail.
    pub(super) fn fail_syncs(&self, fail: bool) -> Result<(), Failure> {
        let flag = self.scratch.beside(FAIL);
        let done = if fail { std::fs::write(&flag, "") } else { std::fs::remove_file(&flag) };
        done.map_err(Failure::of)
    }

    fn create(&mut self, page_set_size: u64) -> Result<(), Failure> {
        let random = [self.random.next(), self.random.next()];
        let new = NewQueueManager {
            name: "RHRS".parse().map_err(Failure::of)?,
            page_sets: 4,
            page_set_size,
            expand: Expand::User,
            log_size: 2 << 20,
            active_logs: 4,
            dual_logs: true,
            dual_archives: true,
            buffer_pool: 8 << 20,
            log_load: 5_000,
            random,
        };
        create(&self.storage, &self.dir(), &new, now()).map_err(Failure::of)
    }

    pub(super) fn start(&mut self) -> Result<(), Failure> {
        self.server = Some(match &self.failing {
            Some(name) => stages::start_failing(self.scratch, &self.file(name), &self.scratch.beside(FAIL))?,
            None => stages::start(self.scratch)?,
        });
        Ok(())
    }

    pub(super) fn connect(&self) -> Result<Client, Failure> {
        stages::connect(self.scratch, self.session)
    }

    pub(super) fn bsds(&self) -> Result<Bsds, Failure> {
        read_bsds(&self.storage, &self.dir()).map_err(Failure::of)
    }

    fn server(&mut self) -> Result<&mut Process, Failure> {
        let none = || Failure::new(ConditionCode::Severe, "HWT791S", "the queue manager is not running");
        self.server.as_mut().ok_or_else(none)
    }

    /// `kill -9`.
    pub(super) fn kill(&mut self) -> Result<(), Failure> {
        self.server()?.kill()?;
        self.server = None;
        Ok(())
    }

    /// Begins a load that ends when it is told to, or after `messages`.
    pub(super) fn begin_load(&mut self, messages: Option<u64>) -> Result<Process, Failure> {
        self.loads += 1;
        let plan = LoadPlan {
            scratch: self.scratch,
            number: self.loads,
            seed: self.random.next(),
            prefix: PREFIX,
            connections: self.connections,
            messages,
        };
        plan.start()
    }

    /// A load of the usual length, to its end.
    pub(super) fn load(&mut self) -> Result<(), Failure> {
        let mut load = self.begin_load(Some(self.messages))?;
        let end = stages::end_load(&mut load)?;
        self.expect(!end.altered, || "a message that was got did not prove itself".to_owned());
        self.problems.extend(end.endings.iter().map(|ending| format!("the load: {ending}")));
        Ok(())
    }

    /// A load of the usual length, and the queue manager killed under it.
    pub(super) fn load_and_kill(&mut self) -> Result<(), Failure> {
        let mut load = self.begin_load(None)?;
        stages::wait_for_messages(&mut load, self.messages)?;
        self.kill()?;
        let end = stages::end_load(&mut load)?;
        self.expect(!end.altered, || "a message that was got did not prove itself".to_owned());
        self.did(format!("{} messages put and got, killed meanwhile", end.messages));
        Ok(())
    }

    /// A fuzzy recovery point of the running queue manager, under `name`.
    pub(super) fn point(&mut self, name: &str) -> Result<PathBuf, Failure> {
        let to = self.scratch.beside(name);
        let settings = CreateSettings {
            dir: self.dir(),
            to: to.clone(),
            name: Some(name.to_owned()),
            timeout: self.session.common.timeout,
            include_log: false,
        };
        create_point(&self.storage, &settings, now(), &|_| {}).map_err(|error| of_point(&error))?;
        self.did(format!("fuzzy recovery point {name}"));
        Ok(to)
    }

    /// Recovers page sets from a point; all when none is named.
    pub(super) fn recover(
        &mut self,
        point: &Path,
        page_sets: &[PageSetId],
    ) -> Result<RecoverReport, Failure> {
        let report = recover_page_sets(&self.storage, &self.dir(), point, page_sets)?;
        self.did(format!(
            "recovered page sets {}, log read from {} to {}",
            report.page_sets.iter().map(ToString::to_string).collect::<Vec<_>>().join(" "),
            report.forward.start,
            report.forward.end
        ));
        Ok(report)
    }

    /// Loses files of the queue manager, which is down.
    pub(super) fn lose(&mut self, names: &[String]) -> Result<(), Failure> {
        for name in names {
            durable::remove(self.storage.as_ref(), &self.file(name)).map_err(Failure::of)?;
        }
        self.did(match names {
            [first, .., last] if names.len() > NAMED => {
                format!("lost {} files, {first} to {last}", names.len())
            }
            _ => format!("lost {}", names.join(" ")),
        });
        Ok(())
    }

    /// Compares every message with what all loads so far were promised.
    pub(super) fn audit(&mut self) -> Result<(), Failure> {
        let audit = stages::audit(self.scratch, self.loads, self.session)?;
        let operations = audit.acknowledged_puts + audit.acknowledged_gets;
        self.audited += operations;
        if audit.is_clean() {
            self.did(format!("audit of {operations} puts and gets: clean, {} messages there", audit.present));
        } else {
            self.problems.push(format!(
                "audit: lost {}, duplicated {}, reordered {}, altered {}, resurrected {}, foreign {}, torn {}",
                audit.lost,
                audit.duplicated,
                audit.reordered,
                audit.altered,
                audit.resurrected,
                audit.foreign,
                audit.torn_units
            ));
            self.problems.extend(audit.findings);
        }
        Ok(())
    }

    /// Starts, audits, loads on, audits again and stops: what every kind ends with.
    pub(super) fn prove(&mut self) -> Result<(), Failure> {
        self.start()?;
        self.audit()?;
        self.load()?;
        self.audit()?;
        self.stop()
    }

    /// Stops the queue manager in order.
    pub(super) fn stop(&mut self) -> Result<(), Failure> {
        let (scratch, session) = (self.scratch, self.session);
        let trouble = stages::stop(self.server()?, scratch, session)?;
        self.server = None;
        self.problems.extend(trouble);
        Ok(())
    }

    /// Waits for the queue manager's process after somebody else has stopped it.
    pub(super) fn ended(&mut self) -> Result<(), Failure> {
        let (status, _) = self.server()?.end(stages::STAGE)?;
        self.server = None;
        self.expect(status.success(), || format!("the queue manager's process ended with {status}"));
        Ok(())
    }

    /// Runs an MQSC statement; its lines.
    pub(super) fn mqsc(&self, client: &mut Client, statement: &str) -> Result<Vec<String>, Failure> {
        match client.call(&Request::Mqsc { text: statement.to_owned() }).map_err(Failure::of)? {
            Reply::Lines { code: ConditionCode::Done, lines } => Ok(lines),
            Reply::Lines { lines, .. } => {
                let text = format!("{statement}: {}", lines.join("; "));
                Err(Failure::new(ConditionCode::Severe, "HWT754S", text))
            }
            _ => Err(Failure::refused("HWT705E", "unexpected answer to MQSC")),
        }
    }

    /// The end, whatever came of it: no process stays.
    pub(super) fn over(&mut self) {
        self.server = None;
    }
}
