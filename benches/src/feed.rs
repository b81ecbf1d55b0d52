//! Feeds a queue with incompressible messages over its socket and says how fast that went.
//!
//! ```text
//! feed QM1 QUEUE --connections 8 --seconds 10 --size 1024            one put and one commit, over and over
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

/// Feeds a queue and says how fast that went.
#[derive(Debug, Parser)]
#[command(version)]
struct Arguments {
    /// Directory of a running queue manager.
    queue_manager: PathBuf,
    /// The queue.
    queue: ObjectName,
    /// Connections, each with a thread of its own.
    #[arg(long, default_value_t = 1)]
    connections: u64,
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
    thread::scope(|scope| {
        let feeders: Vec<_> = (0..arguments.connections)
            .map(|number| {
                scope.spawn({
                    let (arguments, tally) = (&arguments, &tally);
                    move || feed(arguments, number, end, tally)
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

fn feed(arguments: &Arguments, number: u64, end: Option<Instant>, tally: &Tally) -> Result<()> {
    let application = format!("FEED-{number}");
    let mut client = Client::connect(&arguments.queue_manager, &application, Duration::from_secs(120))
        .context("the queue manager does not answer")?;
    let mut noise = Noise(0x9E37_79B9_7F4A_7C15 ^ (number + 1));
    let mut body = vec![0; arguments.size];
    let wanted = arguments.messages.unwrap_or(u64::MAX);
    let over = || end.is_some_and(|end| Instant::now() >= end) || tally.full.load(Ordering::Relaxed);
    while !over() && tally.begun.fetch_add(arguments.batch, Ordering::Relaxed) < wanted {
        for _ in 0..arguments.batch {
            noise.fill(&mut body);
            let put = Request::Put {
                queue: arguments.queue.clone(),
                priority: None,
                persistent: Some(true),
                syncpoint: arguments.batch > 1,
                body: body.clone(),
            };
            match client.call(&put) {
                Ok(Reply::Put { .. }) => {}
                Err(ClientError::Refused { .. }) if arguments.until_full => {
                    tally.full.store(true, Ordering::Relaxed);
                    if arguments.batch > 1 {
                        client.call(&Request::Backout)?;
                    }
                    return Ok(());
                }
                other => bail!("a put is answered by {other:?}"),
            }
        }
        if arguments.batch > 1 {
            match client.call(&Request::Commit)? {
                Reply::Committed { .. } => {}
                other => bail!("a commit is answered by {other:?}"),
            }
        }
        tally.committed.fetch_add(arguments.batch, Ordering::Relaxed);
    }
    Ok(())
}
