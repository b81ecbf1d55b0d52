//! One connection of a load: units of puts and gets until it is told to stop or the server vanishes.

use std::path::Path;
use std::sync::atomic::Ordering;
use std::time::Duration;

use engine_queue_manager::client::{Client, ClientError};
use format_journal::{Entry, Put, Unit};
use format_protocol::{Reply, Request};
use format_types::{ObjectName, Rba};

use crate::body::{self, PROOF_SIZE, Proof};
use crate::choice::{self, Random};
use crate::error::WorkloadError;
use crate::journal::JournalFile;
use crate::load::{LoadCounters, LoadSettings};

/// Operations of a unit at most.
const UNIT: u64 = 8;

/// Refusals in a row after which a connection gives up.
const REFUSALS: u32 = 200;

/// Priorities given to puts.
const PRIORITIES: u64 = 4;

/// How a connection ended.
#[derive(Debug)]
pub(crate) enum Ending {
    /// It was told to stop.
    Stopped,
    /// The server vanished, or answers no longer came.
    Vanished(ClientError),
    /// The server refused everything.
    Refused(String),
}

/// What a connection shares with the others.
pub(crate) struct Shared<'a> {
    pub(crate) dir: &'a Path,
    pub(crate) settings: &'a LoadSettings,
    pub(crate) load: u64,
    pub(crate) queues: &'a [ObjectName],
    pub(crate) journal: &'a JournalFile,
    pub(crate) counters: &'a LoadCounters,
}

/// Why a unit did not end as it should.
enum Trouble {
    Client(ClientError),
    Journal(WorkloadError),
}

impl From<ClientError> for Trouble {
    fn from(error: ClientError) -> Self {
        Self::Client(error)
    }
}

pub(crate) struct Connection<'a> {
    shared: &'a Shared<'a>,
    number: u32,
    client: Client,
    random: Random,
    unit: u64,
    sequence: u64,
    /// A message put and acknowledged not long ago, to be got by its identifier.
    recent: Option<(u16, [u8; 24])>,
}

impl<'a> Connection<'a> {
    pub(crate) fn open(shared: &'a Shared<'a>, number: u32) -> Result<Self, ClientError> {
        let application = format!("LOAD-{number}");
        let client = Client::connect(shared.dir, &application, shared.settings.timeout)?;
        let random = Random::new(shared.settings.seed ^ (u64::from(number) << 32));
        Ok(Self { shared, number, client, random, unit: 0, sequence: 0, recent: None })
    }

    pub(crate) fn run(&mut self) -> Result<Ending, WorkloadError> {
        let mut refusals = 0;
        while !self.shared.counters.stop.load(Ordering::Relaxed) {
            let outcome = if self.alone() { self.put_alone() } else { self.work_unit() };
            match outcome {
                Ok(()) => refusals = 0,
                Err(Trouble::Journal(error)) => {
                    // Without a journal the other connections only make messages that nobody can account for.
                    self.shared.counters.stop.store(true, Ordering::Relaxed);
                    return Err(error);
                }
                Err(Trouble::Client(ClientError::Refused { id, text, .. })) => {
                    refusals += 1;
                    self.shared.counters.refused.fetch_add(1, Ordering::Relaxed);
                    if refusals >= REFUSALS {
                        return Ok(Ending::Refused(format!("{id} {text}")));
                    }
                    std::thread::sleep(Duration::from_millis(u64::from(refusals.min(50))));
                    match self.client.call(&Request::Backout) {
                        Ok(_) | Err(ClientError::Refused { .. }) => {}
                        Err(error) => return Ok(Ending::Vanished(error)),
                    }
                }
                Err(Trouble::Client(error)) => return Ok(Ending::Vanished(error)),
            }
        }
        Ok(Ending::Stopped)
    }

    /// Whether the next unit is a single put outside of syncpoint. Its body must say who put it: when no answer comes, nothing else
    /// tells.
    fn alone(&mut self) -> bool {
        let small = self.shared.settings.message_size.is_some_and(|size| (size as usize) < PROOF_SIZE);
        !small && self.random.percent(10)
    }

    fn size(&mut self) -> u32 {
        self.shared.settings.message_size.unwrap_or_else(|| choice::size(&mut self.random))
    }

    fn queue(&mut self) -> u16 {
        let count = self.shared.queues.len() as u64;
        u16::try_from(self.random.below(count)).unwrap_or_default()
    }

    fn name(&self, queue: u16) -> Result<ObjectName, ClientError> {
        self.shared.queues.get(usize::from(queue)).cloned().ok_or(ClientError::Unexpected("QUEUE"))
    }

    /// A put request with its journal line to be.
    fn prepare_put(&mut self, least: u32, syncpoint: bool) -> Result<(Request, Put), ClientError> {
        let queue = self.queue();
        let length = self.size().max(least);
        self.sequence += 1;
        let proof =
            Proof { load: self.shared.load, connection: self.number, sequence: self.sequence, length };
        let request = Request::Put {
            queue: self.name(queue)?,
            priority: u8::try_from(self.random.below(PRIORITIES)).ok(),
            persistent: Some(true),
            syncpoint,
            body: body::body(&proof),
        };
        Ok((request, Put { queue, message_id: None, sequence: self.sequence, length }))
    }

    fn put_alone(&mut self) -> Result<(), Trouble> {
        let (request, mut put) = self.prepare_put(PROOF_SIZE as u32, false)?;
        self.unit += 1;
        let mut unit = Unit { connection: self.number, unit: self.unit, ..Unit::default() };
        match self.client.call(&request) {
            Ok(Reply::Put { message_id, commit, .. }) => {
                put.message_id = Some(message_id);
                unit.puts.push(put);
                self.acknowledged(commit, unit)
            }
            Ok(_) => Err(ClientError::Unexpected("PUT").into()),
            Err(error @ ClientError::Refused { .. }) => Err(error.into()),
            Err(error) => {
                unit.puts.push(put);
                self.unknown(unit)?;
                Err(error.into())
            }
        }
    }

    fn work_unit(&mut self) -> Result<(), Trouble> {
        self.unit += 1;
        let mut unit = Unit { connection: self.number, unit: self.unit, ..Unit::default() };
        for _ in 0..=self.random.below(UNIT) {
            if self.wants_get() {
                if let Some(id) = self.get()? {
                    unit.gets.push(id);
                }
            } else {
                let (request, mut put) = self.prepare_put(0, true)?;
                let Reply::Put { message_id, .. } = self.client.call(&request)? else {
                    return Err(ClientError::Unexpected("PUT").into());
                };
                put.message_id = Some(message_id);
                unit.puts.push(put);
            }
        }
        if unit.puts.is_empty() && unit.gets.is_empty() {
            return Ok(());
        }
        if self.random.percent(10) {
            self.client.call(&Request::Backout)?;
            self.shared.counters.backouts.fetch_add(1, Ordering::Relaxed);
            return Ok(());
        }
        match self.client.call(&Request::Commit) {
            Ok(Reply::Committed { rba }) => self.acknowledged(rba, unit),
            other => {
                self.unknown(unit)?;
                Err(Trouble::Client(other.err().unwrap_or(ClientError::Unexpected("COMMIT"))))
            }
        }
    }

    fn wants_get(&mut self) -> bool {
        let settings = self.shared.settings;
        let full = self.shared.counters.outstanding() > settings.keep;
        let percent = if full && settings.get_percent > 0 { 90 } else { u64::from(settings.get_percent) };
        self.random.percent(percent)
    }

    /// Gets the first message of some queue, or now and then one named; none when there is none.
    fn get(&mut self) -> Result<Option<[u8; 24]>, ClientError> {
        let named = if self.random.percent(10) { self.recent.take() } else { None };
        let queue = match named {
            Some((queue, _)) => queue,
            None => self.queue(),
        };
        let request =
            Request::Get { queue: self.name(queue)?, syncpoint: true, message_id: named.map(|(_, id)| id) };
        match self.client.call(&request)? {
            Reply::Message { message_id, body, .. } => {
                if body.len() >= PROOF_SIZE && body::prove(&body).is_none() {
                    self.shared.counters.altered.fetch_add(1, Ordering::Relaxed);
                }
                Ok(Some(message_id))
            }
            Reply::NoMessage => Ok(None),
            _ => Err(ClientError::Unexpected("GET")),
        }
    }

    fn acknowledged(&mut self, commit: Rba, unit: Unit) -> Result<(), Trouble> {
        if let Some(put) = unit.puts.last() {
            self.recent = put.message_id.map(|id| (put.queue, id));
        }
        self.shared.counters.acknowledge(&unit);
        self.shared.journal.append(&Entry::Acknowledged { commit, unit }).map_err(Trouble::Journal)
    }

    fn unknown(&mut self, unit: Unit) -> Result<(), Trouble> {
        self.shared.counters.unknown.fetch_add(1, Ordering::Relaxed);
        self.shared.journal.append(&Entry::Unknown(unit)).map_err(Trouble::Journal)
    }
}
