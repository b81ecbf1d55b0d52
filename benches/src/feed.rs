//! Feeds a queue with incompressible messages over its socket and says how fast that went.
//!
//! ```text
//! feed QM1 QUEUE --connections 8 --seconds 10 --size 1024            one put and one commit, over and over
//! feed QM1 QUEUE --connections 8 --threads 2 --seconds 10            the same, driven by two threads as `pgbench -c 8 -j 2` is
//! feed QM1 QUEUE --connections 8 --messages 400000 --batch 100       so many messages, so many to a unit of recovery
//! feed QM1 QUEUE --size 3000 --batch 50 --until-full                 until the page set is full
//! ```
//!
//! It prints one line, `messages N bytes B seconds S per-second R`, counting acknowledged commits only.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::Parser;
use engine_queue_manager::client::{Client, ClientError};
use format_protocol::{Reply, Request};
use format_types::ObjectName;
use rustix::event::{PollFd, PollFlags, poll};

/// Feeds a queue and says how fast that went.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Directory of a running queue manager.
    queue_manager: PathBuf,
    /// The queue.
    queue: ObjectName,
    /// Connections.
    #[arg(long, default_value_t = 1)]
    connections: u64,
    /// Threads that the connections are shared out to; one for each connection unless said.
    #[arg(long)]
    threads: Option<u64>,
    /// Bytes in a message.
    #[arg(long, default_value_t = 1024)]
    size: usize,
    /// Messages to a unit of recovery; 1 is a put outside syncpoint.
    #[arg(long, default_value_t = 1)]
    batch: u64,
    /// Ends after so many seconds.
    #[arg(long)]
    seconds: Option<u64>,
    /// Ends after so many messages in all.
    #[arg(long)]
    messages: Option<u64>,
    /// Ends when there is no more room.
    #[arg(long)]
    until_full: bool,
}

/// What all connections share.
#[derive(Debug, Default)]
struct Tally {
    begun: AtomicU64,
    committed: AtomicU64,
    full: AtomicBool,
}

/// Bytes that no compression makes smaller: xorshift64*, another stream for each connection.
struct Noise(u64);

impl Noise {
    fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            self.0 ^= self.0 >> 12;
            self.0 ^= self.0 << 25;
            self.0 ^= self.0 >> 27;
            let word = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D).to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let tally = Tally::default();
    let begun = Instant::now();
    let end = arguments.seconds.map(|seconds| begun + Duration::from_secs(seconds));
    let threads = arguments.threads.unwrap_or(arguments.connections).clamp(1, arguments.connections.max(1));
    thread::scope(|scope| {
        let feeders: Vec<_> = (0..threads)
            .map(|thread| {
                let numbers = (thread..arguments.connections).step_by(threads as usize).collect::<Vec<_>>();
                scope.spawn({
                    let (arguments, tally) = (&arguments, &tally);
                    move || feed(arguments, &numbers, end, tally)
                })
            })
            .collect();
        feeders.into_iter().try_for_each(|feeder| feeder.join().expect("a feeder ends in order"))
    })?;
    let seconds = begun.elapsed().as_secs_f64();
    let messages = tally.committed.load(Ordering::Relaxed);
    let bytes = messages * arguments.size as u64;
    #[allow(clippy::cast_precision_loss)]
    let rate = messages as f64 / seconds;
    println!("messages {messages} bytes {bytes} seconds {seconds:.3} per-second {rate:.0}");
    Ok(())
}

/// A connection and how far it is in its unit of recovery.
struct Feeder {
    client: Client,
    noise: Noise,
    put: u64,
    state: Feeding,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Feeding {
    Putting,
    Committing,
    BackingOut,
    Over,
}

impl Feeder {
    fn new(arguments: &Arguments, number: u64) -> Result<Self> {
        let application = format!("FEED-{number}");
        let client = Client::connect(&arguments.queue_manager, &application, Duration::from_secs(120))
            .context("the queue manager does not answer")?;
        let noise = Noise(0x9E37_79B9_7F4A_7C15 ^ (number + 1));
        Ok(Self { client, noise, put: 0, state: Feeding::Putting })
    }

    /// Sends the put that is next.
    fn send_put(&mut self, arguments: &Arguments) -> Result<()> {
        let mut body = vec![0; arguments.size];
        self.noise.fill(&mut body);
        self.state = Feeding::Putting;
        self.client.send(&Request::Put {
            queue: arguments.queue.clone(),
            priority: None,
            persistent: Some(true),
            syncpoint: arguments.batch > 1,
            body,
        })?;
        Ok(())
    }

    /// Begins a unit of recovery, unless it is time to end.
    fn begin(&mut self, arguments: &Arguments, end: Option<Instant>, tally: &Tally) -> Result<()> {
        let over = end.is_some_and(|end| Instant::now() >= end) || tally.full.load(Ordering::Relaxed);
        let wanted = arguments.messages.unwrap_or(u64::MAX);
        if over || tally.begun.fetch_add(arguments.batch, Ordering::Relaxed) >= wanted {
            self.state = Feeding::Over;
            return Ok(());
        }
        self.put = 0;
        self.send_put(arguments)
    }

    /// Takes the reply that has begun to arrive and sends what comes after it.
    fn advance(&mut self, arguments: &Arguments, end: Option<Instant>, tally: &Tally) -> Result<()> {
        match (self.state, self.client.receive()) {
            (Feeding::Putting, Ok(Reply::Put { .. })) => {
                self.put += 1;
                if self.put < arguments.batch {
                    return self.send_put(arguments);
                }
                if arguments.batch > 1 {
                    self.state = Feeding::Committing;
                    self.client.send(&Request::Commit)?;
                    return Ok(());
                }
                tally.committed.fetch_add(1, Ordering::Relaxed);
                self.begin(arguments, end, tally)
            }
            (Feeding::Putting, Err(ClientError::Refused { .. })) if arguments.until_full => {
                tally.full.store(true, Ordering::Relaxed);
                self.state = Feeding::Over;
                if arguments.batch > 1 {
                    self.state = Feeding::BackingOut;
                    self.client.send(&Request::Backout)?;
                }
                Ok(())
            }
            (Feeding::Committing, Ok(Reply::Committed { .. })) => {
                tally.committed.fetch_add(arguments.batch, Ordering::Relaxed);
                self.begin(arguments, end, tally)
            }
            (Feeding::BackingOut, Ok(_)) => {
                self.state = Feeding::Over;
                Ok(())
            }
            (_, other) => bail!("a request is answered by {other:?}"),
        }
    }
}

/// Drives the connections of these numbers, whichever is answered first.
fn feed(arguments: &Arguments, numbers: &[u64], end: Option<Instant>, tally: &Tally) -> Result<()> {
    let mut feeders =
        numbers.iter().map(|number| Feeder::new(arguments, *number)).collect::<Result<Vec<_>>>()?;
    for feeder in &mut feeders {
        feeder.begin(arguments, end, tally)?;
    }
    feeders.retain(|feeder| feeder.state != Feeding::Over);
    while !feeders.is_empty() {
        let ready: Vec<bool> = if feeders.len() == 1 {
            vec![true]
        } else {
            let mut sockets: Vec<_> =
                feeders.iter().map(|feeder| PollFd::new(&feeder.client, PollFlags::IN)).collect();
            poll(&mut sockets, None)?;
            sockets.iter().map(|socket| !socket.revents().is_empty()).collect()
        };
        for (feeder, _) in feeders.iter_mut().zip(ready).filter(|(_, ready)| *ready) {
            feeder.advance(arguments, end, tally)?;
        }
        feeders.retain(|feeder| feeder.state != Feeding::Over);
    }
    Ok(())
}
