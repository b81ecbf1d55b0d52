//! What was typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use console::{Common, HasCommon};

/// Rehearse a whole loss and recovery on a throwaway queue manager, or on a copy of yours
///
/// Makes a queue manager, loads it from another process, makes a recovery point meanwhile, kills the queue manager's process, removes
/// one page set and damages another, recovers, starts, audits every message, and loads on. The condition code is 0 only when every
/// acknowledged message is there once and nothing else is. With --all every kind of loss is rehearsed: condition code 8 when one
/// of them lost or made up anything.
#[derive(Debug, Parser)]
#[command(name = "rehearse", version)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) rehearsal: Rehearsal,

    #[command(subcommand)]
    pub(crate) role: Option<Role>,

    #[command(flatten)]
    common: Common,
}

impl HasCommon for Arguments {
    fn common(&self) -> &Common {
        &self.common
    }
}

#[derive(Debug, Args)]
pub(crate) struct Rehearsal {
    /// Rehearse on a copy of this queue manager, which is only read
    #[arg(long, value_name = "QMGR", requires = "scratch")]
    pub(crate) copy_of: Option<PathBuf>,

    /// Work in this directory, which must be missing or empty, and keep it; else in a temporary one
    #[arg(long, value_name = "DIR")]
    pub(crate) scratch: Option<PathBuf>,

    /// Rehearse every kind of loss, each on a throwaway queue manager of its own, and report
    #[arg(long, conflicts_with = "copy_of")]
    pub(crate) all: bool,

    /// Puts and gets to be acknowledged before the queue manager is killed; an eighth for each load of --all
    #[arg(long, value_name = "N", default_value_t = 24_000, value_parser = clap::value_parser!(u64).range(100..))]
    pub(crate) messages: u64,

    /// Connections of the load
    #[arg(long, value_name = "C", default_value_t = 8, value_parser = clap::value_parser!(u32).range(1..=256))]
    pub(crate) connections: u32,
}

/// What the program is when it runs itself.
#[derive(Debug, Subcommand)]
pub(crate) enum Role {
    /// The queue manager's process
    #[command(hide = true)]
    ServeRole {
        /// Its directory
        directory: PathBuf,
        /// A file whose syncs fail while `flag` is there
        #[arg(long, requires = "flag")]
        failing: Option<PathBuf>,
        /// See there
        #[arg(long)]
        flag: Option<PathBuf>,
    },
    /// The load's process
    #[command(hide = true)]
    LoadRole(LoadRole),
}

#[derive(Debug, Args)]
pub(crate) struct LoadRole {
    /// Directory of the queue manager
    pub(crate) directory: PathBuf,
    /// The journal
    #[arg(long)]
    pub(crate) journal: PathBuf,
    /// Identity and seed of the load
    #[arg(long)]
    pub(crate) seed: u64,
    /// Names of the queues begin with this
    #[arg(long)]
    pub(crate) prefix: String,
    /// Connections
    #[arg(long)]
    pub(crate) connections: u32,
    /// End after so many puts and gets; never unless given
    #[arg(long)]
    pub(crate) messages: Option<u64>,
}
