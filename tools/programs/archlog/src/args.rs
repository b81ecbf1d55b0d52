//! What was typed.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use console::{Common, HasCommon};

/// How the log is archived.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Mode {
    /// Wait until no unit of recovery is active
    Quiesce,
}

/// Truncate the current active log, switch to the next one and offload
#[derive(Debug, Parser)]
#[command(name = "archlog", version)]
pub(crate) struct Arguments {
    /// Directory of the queue manager
    #[arg(value_name = "QMGR")]
    pub(crate) directory: PathBuf,

    /// Archive only once all units of recovery have ended; new ones wait meanwhile, and nothing is archived when time is up before
    #[arg(long)]
    pub(crate) mode: Option<Mode>,

    /// Wait so many seconds for that at most, 1 to 999; 5 unless given
    #[arg(long, value_name = "SECONDS", requires = "mode", value_parser = clap::value_parser!(u16).range(1..=999))]
    pub(crate) time: Option<u16>,

    /// End only when the units have ended or time is up, and say which; else what becomes of it is said on the console
    #[arg(long, requires = "mode")]
    pub(crate) wait: bool,

    /// Cancel the offload that is under way and start it again
    #[arg(long, conflicts_with_all = ["mode", "time", "wait", "wait_offload"])]
    pub(crate) cancel_offload: bool,

    /// End only when the log is archived
    #[arg(long)]
    pub(crate) wait_offload: bool,

    #[command(flatten)]
    common: Common,
}

impl HasCommon for Arguments {
    fn common(&self) -> &Common {
        &self.common
    }
}
