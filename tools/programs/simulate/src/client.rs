//! Programs at work: what they ask of the queue manager, and what they make of its answers.

use engine_queue_manager::ConnectionId;
use format_protocol::{Reply, Request, VERSION};
use format_types::{ConditionCode, ObjectName, Rba};

use crate::body;
use crate::event::Event;
use crate::model::{Broken, Number, Phase, QueueNumber, Seen, Stretch, UnitNumber};
use crate::world::World;

/// A request that waits for its answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Put { unit: UnitNumber, number: Number, alone: bool },
    Get { unit: UnitNumber, queue: QueueNumber, alone: bool },
    Browse { queue: QueueNumber },
    Commit { unit: UnitNumber },
    Backout { unit: UnitNumber },
    Prepare { unit: UnitNumber },
    Resolve { unit: UnitNumber, commit: bool },
    StartPageSet { page_set: u8 },
    Quiesce,
    CancelOffload,
    Define { queue: QueueNumber, from: Rba },
    ArchiveLog,
    Other,
}

/// A program.
#[derive(Debug, Default)]
pub(crate) struct Client {
    pub(crate) connection: Option<ConnectionId>,
    /// What it calls itself; another after every connect.
    pub(crate) name: String,
    pub(crate) unit: Option<UnitNumber>,
    pub(crate) waiting: Option<Asked>,
    /// What was answered by saying that the queue manager has ended: it may have been done.
    unknown: Option<Asked>,
}

impl Client {
    /// Whether it may ask for something.
    fn is_idle(&self) -> bool {
        self.waiting.is_none() && self.unknown.is_none()
    }
}

/// Most queues of a run.
pub(crate) const QUEUES: usize = 6;

/// Most operations before a program commits or backs out.
const UNIT: usize = 12;

/// Most units in doubt at a time.
const IN_DOUBT: usize = 3;

/// Messages above this number make programs get more than they put.
const DEEP: usize = 60;

/// Name of queue `number`.
pub(crate) fn queue_name(number: QueueNumber) -> ObjectName {
    format!("APP.Q{number}").parse().unwrap_or_else(|_| unreachable!("a name of letters and digits"))
}

/// The page set that queue `number` lies on, where there are `page_sets`.
pub(crate) fn page_set_of(number: QueueNumber, page_sets: u8) -> u8 {
    (number % usize::from(page_sets - 1) + 1) as u8
}

/// Storage class of a page set.
pub(crate) fn class_name(page_set: u8) -> String {
    format!("CLASS{page_set}")
}

impl World {
    /// A program without a request under way makes one; false when all wait.
    pub(crate) fn act(&mut self) -> Result<bool, Broken> {
        let idle: Vec<usize> = (0..self.clients.len()).filter(|at| self.clients[*at].is_idle()).collect();
        let Some(at) = self.random.pick(&idle).copied() else { return Ok(false) };
        if self.clients[at].connection.is_none() {
            self.connect(at)?;
            return Ok(true);
        }
        let operations = self.clients[at].unit.map_or(0, |unit| self.model.operations(unit));
        let deep = self.model.depth() > if self.setup.bulky { 3 * DEEP } else { DEEP };
        match self.random.below(100) {
            0..=2 if operations > 0 => self.disconnect(at),
            0 | 3 if operations > 1 && self.model.in_doubt().len() < IN_DOUBT => self.prepare(at),
            3..=16 if operations > 0 => self.end_unit(at, Phase::Committing),
            17..=21 if operations > 0 => self.end_unit(at, Phase::BackingOut),
            _ if operations >= UNIT => self.end_unit(at, Phase::Committing),
            22..=27 => self.browse(at),
            28 => self.other(at, Request::Usage, Event::Usage),
            29 => self.archive_log(at),
            71..=73 if self.setup.stormy => self.archive_log(at),
            30 if self.queues.len() < QUEUES => self.define(at),
            31 if operations > 1 && self.model.in_doubt().len() < IN_DOUBT => self.prepare(at),
            32..=70 if deep => self.get(at),
            32..=50 => self.get(at),
            _ => self.put(at),
        }?;
        Ok(true)
    }

    fn connect(&mut self, at: usize) -> Result<(), Broken> {
        let Some(core) = &mut self.core else { return Ok(()) };
        self.connects += 1;
        let name = format!("C{at}-{}", self.connects);
        self.clients[at] =
            Client { connection: Some(core.connect()), name: name.clone(), ..Client::default() };
        self.ask(at, Asked::Other, Request::Hello { version: VERSION, application: name })
    }

    pub(crate) fn disconnect(&mut self, at: usize) -> Result<(), Broken> {
        let client = std::mem::take(&mut self.clients[at]);
        if let Some(unit) = client.unit {
            self.model.phase(unit, Phase::BackingOut);
            self.refresh_gets();
        }
        self.totals.count(Event::Disconnect);
        self.note("disconnect", &[at as u64]);
        if let (Some(core), Some(connection)) = (&mut self.core, client.connection) {
            core.disconnect(connection);
        }
        self.drain()
    }

    /// Hands a request to the core.
    pub(crate) fn ask(&mut self, at: usize, asked: Asked, request: Request) -> Result<(), Broken> {
        self.operations += 1;
        self.model.log_end = self.log_end();
        self.note("request", &[at as u64]);
        self.trace(|| format!("client {at}: {asked:?}"));
        self.clients[at].waiting = Some(asked);
        self.refresh_gets();
        if let (Some(core), Some(connection)) = (&mut self.core, self.clients[at].connection) {
            core.request(connection, request);
        }
        self.drain()
    }

    fn unit_of(&mut self, at: usize) -> UnitNumber {
        match self.clients[at].unit {
            Some(unit) => unit,
            None => {
                let unit = self.model.new_unit(&self.clients[at].name);
                self.clients[at].unit = Some(unit);
                unit
            }
        }
    }

    fn length(&mut self) -> usize {
        let length = match self.random.below(20) {
            0..=11 if self.setup.bulky => self.random.between(1_500, 12_000),
            0 => self.random.between(4_000, 30_000),
            1..=3 => self.random.between(1_000, 4_200),
            _ => self.random.between(8, 400),
        };
        length as usize
    }

    fn put(&mut self, at: usize) -> Result<(), Broken> {
        let queue = self.random.below(self.queues.len() as u64) as usize;
        let priority = if self.random.coin() { 5 } else { self.random.below(10) as u8 };
        let persistent = self.random.below(8) != 0;
        let length = self.length();
        let alone = self.random.below(3) == 0;
        let number = self.model.new_message(queue, priority, persistent, length);
        let unit = if alone { self.model.new_unit(&self.clients[at].name) } else { self.unit_of(at) };
        self.model.putting(unit, number);
        if alone {
            self.model.phase(unit, Phase::Committing);
        }
        let request = Request::Put {
            queue: queue_name(queue),
            priority: Some(priority),
            persistent: Some(persistent),
            syncpoint: !alone,
            body: body::of(number, length),
        };
        self.ask(at, Asked::Put { unit, number, alone }, request)
    }

    fn get(&mut self, at: usize) -> Result<(), Broken> {
        let queue = self.random.below(self.queues.len() as u64) as usize;
        let alone = self.random.below(3) == 0;
        let unit = if alone { self.model.new_unit(&self.clients[at].name) } else { self.unit_of(at) };
        if alone {
            self.model.getting(unit, queue);
        }
        let request = Request::Get { queue: queue_name(queue), syncpoint: !alone, message_id: None };
        self.ask(at, Asked::Get { unit, queue, alone }, request)
    }

    fn browse(&mut self, at: usize) -> Result<(), Broken> {
        let queue = self.random.below(self.queues.len() as u64) as usize;
        self.ask(at, Asked::Browse { queue }, Request::Browse { queue: queue_name(queue), after: None })
    }

    pub(crate) fn end_unit(&mut self, at: usize, phase: Phase) -> Result<(), Broken> {
        let unit = self.unit_of(at);
        self.model.phase(unit, phase);
        self.clients[at].unit = None;
        if phase == Phase::Committing {
            self.ask(at, Asked::Commit { unit }, Request::Commit)
        } else {
            self.ask(at, Asked::Backout { unit }, Request::Backout)
        }
    }

    fn prepare(&mut self, at: usize) -> Result<(), Broken> {
        self.prepares += 1;
        let unit = self.unit_of(at);
        self.model.phase(unit, Phase::Preparing);
        self.clients[at].unit = None;
        let xid = format!("XID{}", self.prepares).into_bytes();
        self.ask(at, Asked::Prepare { unit }, Request::Prepare { xid })
    }

    fn define(&mut self, at: usize) -> Result<(), Broken> {
        if self.clients.iter().any(|client| matches!(client.waiting, Some(Asked::Define { .. }))) {
            return Ok(());
        }
        let queue = self.queues.len();
        let text = self.define_text(queue);
        let from = self.log_end();
        self.ask(at, Asked::Define { queue, from }, Request::Mqsc { text })
    }

    /// The statement that defines queue `queue`.
    pub(crate) fn define_text(&self, queue: QueueNumber) -> String {
        let class = class_name(page_set_of(queue, self.setup.page_sets));
        format!("DEFINE QLOCAL({}) STGCLASS({class}) MAXDEPTH(100000) REPLACE", queue_name(queue))
    }

    /// A connected program without a request under way, if there is one.
    pub(crate) fn idle_client(&self) -> Option<usize> {
        let idle = |client: &Client| client.is_idle() && client.connection.is_some();
        let at = self.clients.iter().position(idle)?;
        (self.running() && !self.control.stopped()).then_some(at)
    }

    /// A program without a request under way asks for the log to be archived, if there is one.
    pub(crate) fn switch_log(&mut self) -> Result<(), Broken> {
        self.idle_client().map_or(Ok(()), |at| self.archive_log(at))
    }

    fn archive_log(&mut self, at: usize) -> Result<(), Broken> {
        let wait_offload = self.random.coin();
        let request = Request::ArchiveLog { quiesce: None, wait_offload, cancel_offload: false };
        self.totals.count(Event::ArchiveLog);
        self.ask(at, Asked::ArchiveLog, request)
    }

    fn other(&mut self, at: usize, request: Request, event: Event) -> Result<(), Broken> {
        self.totals.count(event);
        self.ask(at, Asked::Other, request)
    }

    /// Takes an answer in.
    pub(crate) fn answered(&mut self, connection: ConnectionId, reply: Reply) -> Result<(), Broken> {
        let Some(at) = self.clients.iter().position(|client| client.connection == Some(connection)) else {
            return self.point_answered(connection, &reply);
        };
        let Some(asked) = self.clients[at].waiting.take() else {
            return Err(format!("client {at} got an answer without a request: {reply:?}"));
        };
        self.model.log_end = self.log_end();
        self.note("reply", &[at as u64]);
        self.trace(|| format!("  answer to client {at}: {}", brief(&reply)));
        if let Reply::Error { code, id, .. } = &reply
            && *code == ConditionCode::Severe
        {
            // For the model it is not answered; a second answer would be one too many all the same.
            self.note(id, &[]);
            self.clients[at].unknown = Some(asked);
            return Ok(());
        }
        self.settle(at, asked, reply)?;
        self.refresh_gets();
        Ok(())
    }

    /// What may be seen is about to change, or has changed: gets that are not answered may get what is first now.
    fn refresh_gets(&mut self) {
        let unanswered: Vec<(UnitNumber, QueueNumber)> = self
            .clients
            .iter()
            .filter_map(|client| match client.waiting.or(client.unknown) {
                Some(Asked::Get { unit, queue, alone: true }) => Some((unit, queue)),
                _ => None,
            })
            .collect();
        self.model.refresh(&unanswered);
    }

    fn settle(&mut self, at: usize, asked: Asked, reply: Reply) -> Result<(), Broken> {
        match (asked, reply) {
            (Asked::Put { unit, number, alone }, Reply::Put { key, commit, .. }) => {
                self.model.put_answered(number, key)?;
                let message = self.model.message(number);
                let (persistent, length) = message.map_or((true, 0), |m| (m.persistent, m.length));
                self.totals.count(if persistent { Event::Put } else { Event::PutNonpersistent });
                if length > 4_096 {
                    self.totals.count(Event::PutLong);
                }
                self.note("put", &[number, key]);
                if alone {
                    self.model.committed(unit, Some(commit));
                }
            }
            (Asked::Put { unit, number, alone }, Reply::Error { .. }) => {
                self.totals.count(Event::PutRefused);
                self.model.put_refused(unit, number);
                if alone {
                    self.model.backed_out(unit);
                }
            }
            (
                Asked::Get { unit, queue, alone },
                Reply::Message { key, priority, persistent, commit, body, .. },
            ) => {
                let number = self.model.got(unit, queue, &Seen { key, priority, persistent, body })?;
                self.totals.count(Event::Get);
                self.note("got", &[number, key]);
                if alone {
                    self.model.committed(unit, Some(commit));
                }
            }
            (Asked::Get { unit, queue, alone }, Reply::NoMessage) => {
                self.model.got_nothing(unit, queue)?;
                self.totals.count(Event::GetNothing);
                if alone {
                    self.model.backed_out(unit);
                }
            }
            // A get that waited for log is refused when the queue manager stops.
            (Asked::Get { unit, alone, .. }, Reply::Error { id, .. })
                if self.hindered() || id == "HWT431E" =>
            {
                if alone {
                    self.model.backed_out(unit);
                }
            }
            (Asked::Browse { queue }, Reply::Message { key, priority, persistent, body, .. }) => {
                self.model.check(queue, &Seen { key, priority, persistent, body })?;
                self.totals.count(Event::Browse);
            }
            (Asked::Browse { .. }, Reply::NoMessage) => {}
            (Asked::Browse { .. }, Reply::Error { .. }) if self.hindered() => {}
            (Asked::Commit { unit }, Reply::Committed { .. }) if self.model.is_given_back(unit) => {
                return Err(format!("unit {unit} was committed, but others got what it had got"));
            }
            (Asked::Commit { unit }, Reply::Committed { rba }) => {
                self.totals.count(Event::Commit);
                self.note("committed", &[rba.0]);
                self.model.committed(unit, Some(rba));
            }
            // A fault took a page set from it: it is backed out, as far as that can be done now.
            (Asked::Commit { unit }, Reply::Error { .. }) if self.hindered() => {
                self.model.phase(unit, Phase::BackingOut);
            }
            (Asked::Backout { unit }, Reply::BackedOut) => {
                self.totals.count(Event::Backout);
                // Where a page set is offline, what is left of the unit waits for it.
                if !self.hindered() {
                    self.model.backed_out(unit);
                }
            }
            (Asked::Prepare { unit }, Reply::Prepared) => {
                self.totals.count(Event::Prepare);
                self.model.phase(unit, Phase::InDoubt);
                // The next unit of this program is known by another name.
                let gone = std::mem::take(&mut self.clients[at]);
                if let (Some(core), Some(connection)) = (&mut self.core, gone.connection) {
                    core.disconnect(connection);
                }
            }
            (Asked::Prepare { unit }, Reply::Error { .. }) => {
                // Refused: the unit is as it was.
                self.model.phase(unit, Phase::Working);
                self.clients[at].unit = Some(unit);
            }
            (Asked::Define { queue, from }, Reply::Lines { code, lines }) => {
                if code == ConditionCode::Done {
                    self.totals.count(Event::Define);
                    if queue == self.queues.len() {
                        self.queues.push(Stretch { from, to: self.log_end() });
                    }
                } else {
                    self.note(&lines.concat(), &[]);
                }
            }
            (Asked::Resolve { unit, commit }, reply) => self.resolved(unit, commit, &reply)?,
            (Asked::StartPageSet { page_set }, reply) => self.page_set_started(page_set, &reply)?,
            (Asked::Quiesce, reply) => self.quiesced(&reply),
            (Asked::CancelOffload, reply) => self.offload_cancelled(&reply),
            (Asked::Define { .. } | Asked::ArchiveLog | Asked::Other, _) => {}
            (asked, reply) => return Err(format!("{asked:?} was answered with {}", brief(&reply))),
        }
        Ok(())
    }

    /// After the queue manager is gone: nobody is connected, nobody waits.
    pub(crate) fn forget_clients(&mut self) {
        for client in &mut self.clients {
            *client = Client::default();
        }
    }
}

/// A reply without the body of its message.
pub(crate) fn brief(reply: &Reply) -> String {
    match reply {
        Reply::Message { key, priority, persistent, body, .. } => {
            format!(
                "Message {:?} key {key:016X} priority {priority} persistent {persistent}",
                body::number(body)
            )
        }
        other => {
            let mut text = format!("{other:?}");
            text.truncate(300);
            text
        }
    }
}
