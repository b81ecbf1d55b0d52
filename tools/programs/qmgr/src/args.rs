//! What was typed.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand, ValueEnum};
use console::{Bytes, Common, HasCommon, parse_duration};
use format_types::{Expand, ObjectName, QueueManagerName, Rba};

/// Create, start, stop and feed a queue manager
#[derive(Debug, Parser)]
#[command(name = "qmgr", version)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    pub(crate) command: Command,

    #[command(flatten)]
    common: Common,
}

impl HasCommon for Arguments {
    fn common(&self) -> &Common {
        &self.common
    }
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Create a queue manager in a new directory
    Create(Create),
    /// Start it; ends when it is ready
    Start(Start),
    /// Stop it; prints from where its log is needed
    Stop(Stop),
    /// Say whether it runs
    Status(Directory),
    /// Put each line of standard input as a message
    Put(Put),
    /// Get messages, one a line
    Get(Get),
    /// Show messages without getting them, one a line
    Browse(Browse),
    /// Put and get from many connections, and journal what was acknowledged
    Load(Load),
    /// Compare the messages that are there with journals of loads
    Audit(Audit),
}

/// Directory of the queue manager.
#[derive(Debug, Args)]
pub(crate) struct Directory {
    /// Directory of the queue manager
    #[arg(value_name = "QMGR")]
    pub(crate) directory: PathBuf,
}

/// One copy or two.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Copies {
    /// One copy
    Single,
    /// Two copies
    Dual,
}

/// How page sets grow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Growth {
    /// By the size that they were created with
    User,
    /// By about a tenth
    System,
    /// Not at all
    None,
}

impl From<Growth> for Expand {
    fn from(growth: Growth) -> Self {
        match growth {
            Growth::User => Self::User,
            Growth::System => Self::System,
            Growth::None => Self::None,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) at: Directory,
    /// Its name, 1 to 4 characters; the directory's name unless given
    #[arg(long)]
    pub(crate) name: Option<QueueManagerName>,
    /// Number of page sets
    #[arg(long, value_name = "N", default_value_t = 4)]
    pub(crate) page_sets: u8,
    /// Size of each page set
    #[arg(long, value_name = "SIZE", default_value = "16MiB")]
    pub(crate) page_set_size: Bytes,
    /// How page sets grow
    #[arg(long, value_enum, default_value_t = Growth::User)]
    pub(crate) expand: Growth,
    /// Size of each active log data set
    #[arg(long, value_name = "SIZE", default_value = "16MiB")]
    pub(crate) log_size: Bytes,
    /// Active log data sets of each copy
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub(crate) active_logs: u16,
    /// Copies of the active log
    #[arg(long, value_enum, default_value_t = Copies::Single)]
    pub(crate) logs: Copies,
    /// Copies of archives
    #[arg(long, value_enum, default_value_t = Copies::Single)]
    pub(crate) archives: Copies,
    /// Size of the buffer pool
    #[arg(long, value_name = "SIZE", default_value = "64MiB")]
    pub(crate) buffer_pool: Bytes,
    /// Log records between checkpoints
    #[arg(long, value_name = "N", default_value_t = 500_000)]
    pub(crate) log_load: u32,
}

#[derive(Debug, Args)]
pub(crate) struct Start {
    #[command(flatten)]
    pub(crate) at: Directory,
    /// Stay, and print what the queue manager's console says
    #[arg(long)]
    pub(crate) foreground: bool,
    /// How `start` runs the queue manager itself
    #[arg(long, hide = true, conflicts_with = "foreground")]
    pub(crate) detached: bool,
}

/// How a queue manager is stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum StopMode {
    /// Wait for units of recovery to end
    Quiesce,
    /// Back them out
    Force,
}

#[derive(Debug, Args)]
pub(crate) struct Stop {
    #[command(flatten)]
    pub(crate) at: Directory,
    /// What becomes of units of recovery
    #[arg(long, value_enum, default_value_t = StopMode::Quiesce)]
    pub(crate) mode: StopMode,
}

#[derive(Debug, Args)]
pub(crate) struct Put {
    #[command(flatten)]
    pub(crate) at: Directory,
    /// The queue
    pub(crate) queue: ObjectName,
    /// Messages in a unit of recovery; 1 unless --hold or --prepare keep all in one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) commit_every: Option<u32>,
    /// Leave the last unit of recovery open so long before it is committed
    #[arg(long, value_name = "SECONDS", value_parser = parse_duration)]
    pub(crate) hold: Option<Duration>,
    /// Prepare the last unit of recovery under this name instead of committing it
    #[arg(long, value_name = "XID", conflicts_with = "hold")]
    pub(crate) prepare: Option<String>,
    /// Messages that do not survive a restart, whatever the queue's DEFPSIST says
    #[arg(long)]
    pub(crate) nonpersistent: bool,
    /// Priority 0 to 9; the queue's DEFPRTY unless given
    #[arg(long, value_name = "P", value_parser = clap::value_parser!(u8).range(0..=9))]
    pub(crate) priority: Option<u8>,
    /// Print each line once its message is committed
    #[arg(long)]
    pub(crate) acknowledge: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Get {
    #[command(flatten)]
    pub(crate) at: Directory,
    /// The queue
    pub(crate) queue: ObjectName,
    /// Messages wanted; all that are there unless given
    #[arg(long, value_name = "N")]
    pub(crate) count: Option<u64>,
    /// Messages in a unit of recovery; 1 unless --hold or --prepare keep all in one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) commit_every: Option<u32>,
    /// Leave the last unit of recovery open so long before it is committed
    #[arg(long, value_name = "SECONDS", value_parser = parse_duration)]
    pub(crate) hold: Option<Duration>,
    /// Prepare the last unit of recovery under this name instead of committing it
    #[arg(long, value_name = "XID", conflicts_with = "hold")]
    pub(crate) prepare: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Browse {
    #[command(flatten)]
    pub(crate) at: Directory,
    /// The queue
    pub(crate) queue: ObjectName,
    /// Messages wanted; all that are there unless given
    #[arg(long, value_name = "N")]
    pub(crate) count: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct Load {
    #[command(flatten)]
    pub(crate) at: Directory,
    /// Where the journal is written; must not be there
    #[arg(long, value_name = "FILE")]
    pub(crate) journal: PathBuf,
    /// How long it goes on; 10 seconds unless --messages is given
    #[arg(long, value_name = "SECONDS", value_parser = parse_duration)]
    pub(crate) seconds: Option<Duration>,
    /// End once so many puts and gets are acknowledged
    #[arg(long, value_name = "N")]
    pub(crate) messages: Option<u64>,
    /// Connections, each with units of recovery of its own
    #[arg(long, value_name = "C", default_value_t = 8)]
    pub(crate) connections: u32,
    /// Size of every message; a mix from 0 to 1 MiB unless given
    #[arg(long, value_name = "SIZE")]
    pub(crate) message_size: Option<Bytes>,
    /// Queues are named PREFIX.0, PREFIX.1 ...
    #[arg(long, value_name = "PREFIX")]
    pub(crate) queue_prefix: Option<ObjectName>,
    /// How many queues
    #[arg(long, value_name = "N")]
    pub(crate) queues: Option<u16>,
    /// Gets among the operations, in percent
    #[arg(long, value_name = "P", value_parser = clap::value_parser!(u8).range(0..=100))]
    pub(crate) get_percent: Option<u8>,
    /// Get rather than put while more messages than this are there
    #[arg(long, value_name = "N")]
    pub(crate) keep: Option<u64>,
    /// Seed of all choices; random unless given
    #[arg(long)]
    pub(crate) seed: Option<u64>,
}

#[derive(Debug, Args)]
pub(crate) struct Audit {
    #[command(flatten)]
    pub(crate) at: Directory,
    /// Journals of all loads that used the queues, oldest first
    #[arg(long, value_name = "FILE", required = true)]
    pub(crate) journal: Vec<PathBuf>,
    /// The queue manager was recovered to this RBA: what committed there or later did not happen
    #[arg(long, value_name = "RBA")]
    pub(crate) to_rba: Option<Rba>,
}
