//! Load: many connections at once, and the journal of what was acknowledged.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use engine_queue_manager::client::Client;
use engine_storage::RealStorage;
use format_journal::{Entry, Header, MAX_CONNECTIONS, MAX_QUEUES, Unit};
use serde::Serialize;

use crate::connection::{Connection, Ending, Shared};
use crate::error::WorkloadError;
use crate::journal::JournalFile;
use crate::queues;

/// What a load does.
#[derive(Debug, Clone)]
pub struct LoadSettings {
    /// Ends after this time; none: only by `messages` or by being told to stop.
    pub seconds: Option<f64>,
    /// Ends once so many puts and gets are acknowledged.
    pub messages: Option<u64>,
    /// Connections, each a thread.
    pub connections: u32,
    /// Bytes of every body; none for the mix from 0 to 1 MiB.
    pub message_size: Option<u32>,
    /// Queues are named `PREFIX.0`, `PREFIX.1` ...
    pub queue_prefix: String,
    /// How many queues.
    pub queues: u16,
    /// Gets among the operations, in percent.
    pub get_percent: u8,
    /// With more messages than this in the queues, most operations are gets (unless there are to be none).
    pub keep: u64,
    /// Seed of all choices.
    pub seed: u64,
    /// Bounds every wait for an answer; after it the server counts as vanished.
    pub timeout: Duration,
    /// The journal; must not be there.
    pub journal: PathBuf,
}

impl LoadSettings {
    /// Settings of a mixed load that writes this journal: 8 connections, 8 queues, two gets among five operations.
    #[must_use]
    pub fn new(journal: &Path) -> Self {
        Self {
            seconds: Some(10.0),
            messages: None,
            connections: 8,
            message_size: None,
            queue_prefix: "LOAD".to_owned(),
            queues: 8,
            get_percent: 40,
            keep: 50_000,
            seed: 1,
            timeout: Duration::from_secs(60),
            journal: journal.to_owned(),
        }
    }
}

/// What happens while a load runs; may be looked at, and told to stop, from another thread.
#[derive(Debug)]
pub struct LoadCounters {
    /// Set it to end the load.
    pub stop: AtomicBool,
    /// Units acknowledged.
    pub units: AtomicU64,
    /// Puts acknowledged.
    pub puts: AtomicU64,
    /// Gets acknowledged.
    pub gets: AtomicU64,
    /// Bytes of acknowledged puts.
    pub bytes: AtomicU64,
    /// Units backed out on purpose.
    pub backouts: AtomicU64,
    /// Units whose outcome is unknown.
    pub unknown: AtomicU64,
    /// Requests refused.
    pub refused: AtomicU64,
    /// Bodies got that did not prove themselves.
    pub altered: AtomicU64,
    /// Longest time between two acknowledgements, in microseconds.
    pub longest_pause: AtomicU64,
    started: Instant,
    last: AtomicU64,
}

impl Default for LoadCounters {
    fn default() -> Self {
        Self {
            stop: AtomicBool::new(false),
            units: AtomicU64::new(0),
            puts: AtomicU64::new(0),
            gets: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            backouts: AtomicU64::new(0),
            unknown: AtomicU64::new(0),
            refused: AtomicU64::new(0),
            altered: AtomicU64::new(0),
            longest_pause: AtomicU64::new(0),
            started: Instant::now(),
            last: AtomicU64::new(0),
        }
    }
}

impl LoadCounters {
    /// Messages that should be in the queues by the acknowledgements so far.
    #[must_use]
    pub fn outstanding(&self) -> u64 {
        self.puts.load(Ordering::Relaxed).saturating_sub(self.gets.load(Ordering::Relaxed))
    }

    /// Puts and gets acknowledged.
    #[must_use]
    pub fn messages(&self) -> u64 {
        self.puts.load(Ordering::Relaxed) + self.gets.load(Ordering::Relaxed)
    }

    pub(crate) fn acknowledge(&self, unit: &Unit) {
        self.units.fetch_add(1, Ordering::Relaxed);
        self.puts.fetch_add(unit.puts.len() as u64, Ordering::Relaxed);
        self.gets.fetch_add(unit.gets.len() as u64, Ordering::Relaxed);
        let bytes = unit.puts.iter().map(|put| u64::from(put.length)).sum();
        self.bytes.fetch_add(bytes, Ordering::Relaxed);
        let now = u64::try_from(self.started.elapsed().as_micros()).unwrap_or(u64::MAX);
        let before = self.last.swap(now, Ordering::Relaxed);
        if before > 0 {
            self.longest_pause.fetch_max(now.saturating_sub(before), Ordering::Relaxed);
        }
    }
}

/// What a load did.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct LoadReport {
    /// Its identity, as in the journal.
    pub load: String,
    /// Units acknowledged.
    pub acknowledged_units: u64,
    /// Puts acknowledged.
    pub acknowledged_puts: u64,
    /// Gets acknowledged.
    pub acknowledged_gets: u64,
    /// Bytes of the acknowledged puts.
    pub bytes: u64,
    /// Units whose outcome is unknown.
    pub unknown_units: u64,
    /// Units backed out on purpose.
    pub backouts: u64,
    /// Requests refused.
    pub refused: u64,
    /// Bodies got that did not prove themselves.
    pub altered: u64,
    /// Seconds that it ran.
    pub seconds: f64,
    /// Longest time between two acknowledgements, in seconds.
    pub longest_pause: f64,
    /// Why connections ended before their time; each reason once.
    pub endings: Vec<String>,
    /// Whether the server vanished.
    pub vanished: bool,
}

/// Runs a load against the queue manager in `dir` until it is over, is told to stop, or the server vanishes.
///
/// # Errors
/// When the settings make no sense, the queue manager cannot be reached at the start, or the journal cannot be written. A server
/// that vanishes later is no error: that is what the journal is for.
pub fn run_load(
    dir: &Path,
    load: u64,
    settings: &LoadSettings,
    counters: &LoadCounters,
) -> Result<LoadReport, WorkloadError> {
    check(settings)?;
    let mut client = Client::connect(dir, "LOAD", settings.timeout)?;
    let queues = queues::define(&mut client, &settings.queue_prefix, settings.queues)?;
    drop(client);
    // The same until the queue manager ends, and with it the load.
    let history = Some(engine_log::read_bsds(&RealStorage::shared(), dir)?.history());
    let (seed, connections) = (settings.seed, settings.connections);
    let header = Header { load, seed, connections, queues: queues.clone(), history };
    let journal = JournalFile::create(&settings.journal, &header)?;
    let shared = Shared { dir, settings, load, queues: &queues, journal: &journal, counters };
    let started = Instant::now();
    let mut connections = Vec::new();
    for number in 0..settings.connections {
        connections.push(Connection::open(&shared, number)?);
    }
    let endings = std::thread::scope(|scope| {
        let threads: Vec<_> =
            connections.into_iter().map(|mut connection| scope.spawn(move || connection.run())).collect();
        watch(settings, counters, started, &|| {
            threads.iter().all(std::thread::ScopedJoinHandle::is_finished)
        });
        let joined = threads.into_iter().map(|thread| match thread.join() {
            Ok(ending) => ending,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        joined.collect::<Result<Vec<Ending>, WorkloadError>>()
    })?;
    let seconds = started.elapsed().as_secs_f64();
    let count = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    let (acknowledged, unknown) = (count(&counters.units), count(&counters.unknown));
    journal.append(&Entry::End { acknowledged, unknown })?;
    journal.sync()?;
    let vanished = endings.iter().any(|ending| matches!(ending, Ending::Vanished(_)));
    Ok(LoadReport {
        load: format!("{load:016X}"),
        acknowledged_units: acknowledged,
        acknowledged_puts: count(&counters.puts),
        acknowledged_gets: count(&counters.gets),
        bytes: count(&counters.bytes),
        unknown_units: unknown,
        backouts: count(&counters.backouts),
        refused: count(&counters.refused),
        altered: count(&counters.altered),
        seconds,
        longest_pause: Duration::from_micros(count(&counters.longest_pause)).as_secs_f64(),
        endings: reasons(&endings),
        vanished,
    })
}

fn check(settings: &LoadSettings) -> Result<(), WorkloadError> {
    let wrong = |text: String| Err(WorkloadError::Settings(text));
    if !(1..=MAX_CONNECTIONS).contains(&settings.connections) {
        return wrong(format!("{} connections: 1 to {MAX_CONNECTIONS} are possible", settings.connections));
    }
    if settings.queues == 0 || usize::from(settings.queues) > MAX_QUEUES {
        return wrong(format!("{} queues: 1 to {MAX_QUEUES} are possible", settings.queues));
    }
    if settings.get_percent > 100 {
        return wrong(format!("{} percent of gets are not possible", settings.get_percent));
    }
    if settings.message_size.is_some_and(|size| size > 4 << 20) {
        return wrong("messages of more than 4 MiB are not possible".to_owned());
    }
    Ok(())
}

/// Waits until the load is over and tells the connections to stop.
fn watch(settings: &LoadSettings, counters: &LoadCounters, started: Instant, all_ended: &dyn Fn() -> bool) {
    let over = || {
        settings.seconds.is_some_and(|seconds| started.elapsed().as_secs_f64() >= seconds)
            || settings.messages.is_some_and(|messages| counters.messages() >= messages)
    };
    while !over() && !all_ended() && !counters.stop.load(Ordering::Relaxed) {
        std::thread::sleep(Duration::from_millis(5));
    }
    counters.stop.store(true, Ordering::Relaxed);
}

fn reasons(endings: &[Ending]) -> Vec<String> {
    let mut reasons: Vec<String> = endings
        .iter()
        .filter_map(|ending| match ending {
            Ending::Stopped => None,
            Ending::Vanished(error) => Some(error.to_string()),
            Ending::Refused(text) => Some(text.clone()),
        })
        .collect();
    reasons.sort();
    reasons.dedup();
    reasons
}
