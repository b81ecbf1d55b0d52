//! Recovery points: made while the load goes on, a step at a time, as the operation's own machines allow.

use std::path::{Path, PathBuf};

use engine_queue_manager::ConnectionId;
use format_manifest::{CopiedLog, Manifest};
use format_protocol::{Reply, Request, VERSION};
use format_types::{PointMethod, PointState, Rba};
use operation_points::{
    CopiedSet, FullPoint, FullSettings, FullStep, LogInclusion, PointCopy, PointPlan, PointStep,
    publish_with_log, registration,
};

use crate::client::brief;
use crate::event::Event;
use crate::model::Broken;
use crate::setup::POINTS;
use crate::world::World;

/// A recovery point that recoveries can be made from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MadePoint {
    pub(crate) directory: PathBuf,
    /// Its end: it serves targets from here on.
    pub(crate) end: Rba,
    /// When it was done, by the queue manager's clock and its maker's: it serves times from then on.
    pub(crate) done_at: u64,
    pub(crate) method: PointMethod,
    /// It was made after a stop.
    pub(crate) at_rest: bool,
    /// It holds the log that it needs.
    pub(crate) holds_log: bool,
    /// Log was durable up to there when its start had been registered: units that ended behind it were active.
    pub(crate) durable: Rba,
}

impl MadePoint {
    /// Its name.
    pub(crate) fn name(&self) -> Option<String> {
        self.directory.file_name().map(|name| name.to_string_lossy().into_owned())
    }

    /// Whether that is its name.
    pub(crate) fn is(&self, name: &str) -> bool {
        self.directory.file_name().is_some_and(|own| own == name)
    }
}

/// How far a point is.
enum Stage {
    Registering,
    Copying(Box<PointCopy>),
    Describing {
        plan: PointPlan,
        copied: Vec<CopiedSet>,
    },
    Archiving {
        plan: PointPlan,
        copied: Vec<CopiedSet>,
        definitions: Vec<String>,
    },
    IncludingLog {
        plan: PointPlan,
        copied: Vec<CopiedSet>,
        definitions: Vec<String>,
        end: Rba,
        log: Box<LogInclusion>,
    },
    Finishing {
        plan: PointPlan,
        manifest: Box<Manifest>,
    },
    GivingUp,
}

/// What is copied of a point.
struct Copies {
    copied: Vec<CopiedSet>,
    definitions: Vec<String>,
    end: Rba,
    log: Option<Vec<CopiedLog>>,
}

/// A recovery point in the making.
pub(crate) struct PointMaker {
    connection: ConnectionId,
    name: String,
    stage: Stage,
    answers: Vec<Reply>,
    /// What it will be, once it is registered.
    plan: Option<PointPlan>,
    /// It is to hold the log that it needs.
    with_log: bool,
    /// An answer is awaited.
    waiting: bool,
    /// How far the log was durable when its start had been registered.
    durable: Rba,
}

impl PointMaker {
    /// Its name, once the queue manager holds log for it.
    pub(crate) fn registered(&self) -> Option<&str> {
        self.plan.as_ref().map(|plan| plan.name.as_str())
    }

    /// Takes an answer in, of a queue manager whose log is durable below `durable`.
    pub(crate) fn answered(&mut self, connection: ConnectionId, reply: &Reply, durable: Rba) {
        if connection == self.connection {
            if matches!(reply, Reply::Backup { .. }) {
                self.durable = durable;
            }
            self.answers.push(reply.clone());
        }
    }
}

/// One step in so many turns to the other of two points that are made side by side.
const TURNS: u64 = 12;

impl World {
    /// Begins a recovery point now and then, or takes the next step of one in the making.
    pub(crate) fn step_point(&mut self) -> Result<(), Broken> {
        if self.random.below(TURNS) == 0 {
            std::mem::swap(&mut self.point, &mut self.slow_point);
        }
        self.go_on_with_point()
    }

    /// The same without turning to the other one.
    pub(crate) fn go_on_with_point(&mut self) -> Result<(), Broken> {
        match self.point.take() {
            None if self.random.below(if self.setup.stormy { 40 } else { 5 }) == 0 => self.begin_point(),
            None => self.work().map(drop),
            Some(maker) => self.go_on(maker),
        }
    }

    /// The queue manager or the program that makes the point is gone.
    pub(crate) fn abandon_point(&mut self) {
        for maker in [self.point.take(), self.slow_point.take()].into_iter().flatten() {
            self.totals.count(Event::PointAbandoned);
            if let Some(core) = &mut self.core {
                core.disconnect(maker.connection);
            }
        }
    }

    pub(crate) fn begin_point(&mut self) -> Result<(), Broken> {
        let Some(core) = &mut self.core else { return Ok(()) };
        let connection = core.connect();
        self.point_number += 1;
        let name = format!("P{}", self.point_number);
        let with_log = self.random.below(3) == 0;
        self.trace(|| format!("recovery point {name} begins"));
        let mut maker = PointMaker {
            connection,
            name: name.clone(),
            stage: Stage::Registering,
            answers: Vec::new(),
            plan: None,
            with_log,
            waiting: false,
            durable: Rba::ZERO,
        };
        let hello = Request::Hello { version: VERSION, application: format!("RECPOINT {name}") };
        if let Some(core) = &mut self.core {
            core.request(connection, hello);
        }
        // The answer to it says nothing that matters.
        self.point = Some(maker);
        self.drain()?;
        let Some(taken) = self.point.take() else { return Ok(()) };
        maker = taken;
        maker.answers.clear();
        self.ask_for_point(maker, Request::RegisterBackup { name })
    }

    fn ask_for_point(&mut self, mut maker: PointMaker, request: Request) -> Result<(), Broken> {
        maker.waiting = true;
        let connection = maker.connection;
        self.point = Some(maker);
        self.operations += 1;
        if let Some(core) = &mut self.core {
            core.request(connection, request);
        }
        self.drain()
    }

    fn go_on(&mut self, mut maker: PointMaker) -> Result<(), Broken> {
        let answer = maker.answers.pop();
        if maker.waiting && answer.is_none() {
            self.point = Some(maker);
            return self.work().map(drop);
        }
        maker.waiting = false;
        if let Some(reply) = &answer {
            self.trace(|| format!("  answer to {}: {}", maker.name, brief(reply)));
        }
        let stage = std::mem::replace(&mut maker.stage, Stage::GivingUp);
        match (stage, answer) {
            (Stage::Registering, Some(Reply::Backup { usage, start, history, page_sets })) => {
                let Some(core) = &self.core else { return Ok(()) };
                let plan = PointPlan {
                    name: maker.name.clone(),
                    directory: Path::new(POINTS).join(&maker.name),
                    source: self.dir.clone(),
                    queue_manager: self.setup.new.name.clone(),
                    queue_manager_id: core.bsds().queue_manager,
                    history,
                    method: PointMethod::Fuzzy,
                    at: self.time(),
                    start,
                    page_sets,
                    system_recovery: usage.system_recovery,
                };
                maker.plan = Some(plan.clone());
                // Another process copies, and races with the queue manager's writes.
                match PointCopy::begin(&self.control.racing(), plan) {
                    Ok(copy) => maker.stage = Stage::Copying(Box::new(copy)),
                    Err(error) => return self.point_failed(&maker, &error.to_string()),
                }
                self.point = Some(maker);
                Ok(())
            }
            (Stage::Copying(mut copy), None) => {
                let stepped = copy.step();
                self.trace(|| format!("  {} copies", maker.name));
                match stepped {
                    Ok(PointStep::More | PointStep::Pause(_)) => maker.stage = Stage::Copying(copy),
                    Ok(PointStep::Done(copied)) => {
                        maker.stage = Stage::Describing { plan: copy.plan().clone(), copied };
                        return self.ask_for_point(maker, Request::Definitions);
                    }
                    Err(error) => return self.point_failed(&maker, &error.to_string()),
                }
                self.point = Some(maker);
                self.go_on_meanwhile()
            }
            (Stage::Describing { plan, copied }, Some(Reply::Definitions(definitions))) => {
                maker.stage = Stage::Archiving { plan, copied, definitions };
                self.ask_for_point(maker, archive_log())
            }
            (Stage::Archiving { plan, copied, definitions }, Some(Reply::LogArchived { end, .. })) => {
                if !maker.with_log {
                    return self.publish_point(maker, plan, &Copies { copied, definitions, end, log: None });
                }
                match LogInclusion::begin(&self.control.racing(), &plan, &copied, end) {
                    Ok(log) => {
                        let log = Box::new(log);
                        maker.stage = Stage::IncludingLog { plan, copied, definitions, end, log };
                        self.point = Some(maker);
                        Ok(())
                    }
                    Err(error) => self.point_failed(&maker, &error.to_string()),
                }
            }
            (Stage::IncludingLog { plan, copied, definitions, end, mut log }, None) => match log.step() {
                Ok(None) => {
                    maker.stage = Stage::IncludingLog { plan, copied, definitions, end, log };
                    self.point = Some(maker);
                    self.go_on_meanwhile()
                }
                Ok(log) => self.publish_point(maker, plan, &Copies { copied, definitions, end, log }),
                Err(error) => self.point_failed(&maker, &error.to_string()),
            },
            (Stage::Archiving { plan, copied, definitions }, Some(Reply::Error { id, .. }))
                if id == "CSQJ319I" =>
            {
                // The next active log is still being offloaded: it passes.
                maker.stage = Stage::Archiving { plan, copied, definitions };
                maker.waiting = false;
                if self.random.below(20) == 0 {
                    self.ask_for_point(maker, archive_log())
                } else {
                    self.ask_again(maker)
                }
            }
            (Stage::Finishing { plan, manifest }, Some(Reply::BackupFinished { .. })) => {
                self.disconnect_point(&maker);
                self.finish_point(&plan, &manifest, maker.durable);
                Ok(())
            }
            (_, Some(Reply::Error { id, text, .. })) => self.point_failed(&maker, &format!("{id} {text}")),
            (Stage::GivingUp, _) => Ok(()),
            (_, answer) => {
                let answer = answer.as_ref().map(brief);
                Err(format!("recovery point {} got the answer {answer:?}", maker.name))
            }
        }
    }

    /// All is copied: the point gets its name, and the queue manager is told.
    fn publish_point(&mut self, mut maker: PointMaker, plan: PointPlan, made: &Copies) -> Result<(), Broken> {
        let (copied, log) = (&made.copied, made.log.clone());
        match publish_with_log(&self.control.racing(), &plan, copied, &made.definitions, made.end, log) {
            Ok(manifest) => {
                let entry = registration(&plan, &manifest);
                maker.stage = Stage::Finishing { plan, manifest: Box::new(manifest) };
                self.ask_for_point(maker, Request::FinishBackup { entry })
            }
            Err(error) => self.point_failed(&maker, &error.to_string()),
        }
    }

    /// A copy takes its time: the queue manager and its programs go on between two of its steps.
    fn go_on_meanwhile(&mut self) -> Result<(), Broken> {
        if self.random.below(3) == 0 {
            return Ok(());
        }
        if self.random.coin() {
            // Pages that were changed before the last checkpoint but one are written.
            for _ in 0..2 {
                self.switch_log()?;
                self.settle_a_little()?;
            }
        }
        for _ in 0..self.random.between(1, 40) {
            if !self.running() || self.control.stopped() {
                break;
            }
            match self.random.below(4) {
                0 | 1 => self.work().map(drop)?,
                2 => self.step_job().map(drop)?,
                _ => self.act().map(drop)?,
            }
        }
        Ok(())
    }

    /// Archiving is asked for again after some work was done.
    fn ask_again(&mut self, maker: PointMaker) -> Result<(), Broken> {
        self.settle_a_little()?;
        self.ask_for_point(maker, archive_log())
    }

    pub(crate) fn settle_a_little(&mut self) -> Result<(), Broken> {
        for _ in 0..10 {
            self.work()?;
            self.step_job()?;
        }
        Ok(())
    }

    fn disconnect_point(&mut self, maker: &PointMaker) {
        if let Some(core) = &mut self.core {
            core.disconnect(maker.connection);
        }
    }

    fn finish_point(&mut self, plan: &PointPlan, manifest: &Manifest, durable: Rba) {
        self.note("point", &[plan.start.0]);
        self.trace(|| format!("recovery point {} is {:?}", plan.name, manifest.state));
        if manifest.state == PointState::Verified {
            self.totals.count(match (manifest.method, manifest.log.is_some()) {
                (PointMethod::Full, _) => Event::FullPoint,
                (PointMethod::Fuzzy, true) => Event::PointWithLog,
                (PointMethod::Fuzzy, false) => Event::Point,
            });
            self.points.push(MadePoint {
                directory: plan.directory.clone(),
                end: manifest.end,
                done_at: self.model.clock().max(plan.at.0),
                method: manifest.method,
                at_rest: !manifest.stopped.is_empty(),
                holds_log: manifest.log.is_some(),
                durable,
            });
        } else {
            self.totals.count(Event::PointRefused);
        }
    }

    /// A point that cannot be made is given up: a refusal, or a fault of the storage.
    fn point_failed(&mut self, maker: &PointMaker, why: &str) -> Result<(), Broken> {
        self.trace(|| format!("recovery point {} is given up: {why}", maker.name));
        self.totals.count(Event::PointRefused);
        self.note(why, &[]);
        if let Some(plan) = &maker.plan {
            // As the operation does: what cannot be cleared now, the next attempt clears.
            let _ = plan.abandon(&self.shared);
        }
        self.disconnect_point(maker);
        self.drain()
    }

    /// The directory of a point to recover from.
    pub(crate) fn pick_point(&mut self) -> Option<PathBuf> {
        self.pick_made_point(|_| true).map(|point| point.directory)
    }

    /// One of the points that `wanted` names.
    pub(crate) fn pick_made_point(&mut self, wanted: impl Fn(&MadePoint) -> bool) -> Option<MadePoint> {
        let points: Vec<&MadePoint> = self.points.iter().filter(|point| wanted(point)).collect();
        self.random.pick(&points).map(|point| (*point).clone())
    }

    /// Makes a full point of the queue manager, which has just stopped; cut off perhaps.
    pub(crate) fn make_full_point(&mut self) -> Result<(), Broken> {
        self.point_number += 1;
        let name = format!("P{}", self.point_number);
        let settings = FullSettings {
            dir: self.dir.clone(),
            to: Path::new(POINTS).join(&name),
            name,
            allow_in_doubt: self.random.coin(),
            include_log: self.random.below(3) == 0,
        };
        let in_doubt = !self.model.in_doubt().is_empty();
        let cut_off = self.random.below(4) == 0;
        if cut_off {
            let ahead = self.random.between(1, 60);
            self.control.stop_at(Some(self.control.operations() + ahead));
        }
        let now = self.time();
        let made = FullPoint::begin(&self.shared, &settings, &[], now).and_then(|mut machine| {
            loop {
                if let FullStep::Done(finished) = machine.step()? {
                    return Ok((machine.plan().clone(), finished));
                }
            }
        });
        let stopped = self.control.stopped();
        self.control.stop_at(None);
        match made {
            Ok((plan, finished)) => {
                let wanted = if in_doubt { PointMethod::Fuzzy } else { PointMethod::Full };
                if finished.manifest.method != wanted {
                    return Err(format!("a full point over in-doubt units {in_doubt} is {:?}", plan.method));
                }
                self.finish_point(&plan, &finished.manifest, Rba::MAX);
                Ok(())
            }
            Err(error) => {
                self.trace(|| format!("no full point: {error}"));
                self.totals.count(Event::FullPointRefused);
                if stopped {
                    self.crash();
                    Ok(())
                } else if in_doubt && !settings.allow_in_doubt {
                    Ok(())
                } else {
                    Err(format!("a full point cannot be made: {error}"))
                }
            }
        }
    }
}

fn archive_log() -> Request {
    Request::ArchiveLog { quiesce: None, wait_offload: true, cancel_offload: false }
}
