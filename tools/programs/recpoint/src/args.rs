//! What was typed.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use console::{Common, HasCommon};

/// Make, list, show and verify recovery points
#[derive(Debug, Parser)]
#[command(name = "recpoint", version)]
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
    /// Copy the page sets of a queue manager and record what log they need
    ///
    /// With --method fuzzy the queue manager works on: the backup is registered in the BSDS before the first page is copied, and holds the
    /// log it needs from then on; the log is archived last. With --method full the applications are waited for, the log is archived, the
    /// queue manager is stopped, copied at rest, and started again: recovery from such a point needs no log before its end. Either way
    /// the point appears under its name only when all of it is durable.
    Create(Create),
    /// List the recovery points that the queue manager knows
    List(Directory),
    /// Show what a recovery point holds and needs
    Show(Named),
    /// Look at every page of a recovery point, and at every byte of log that it needs
    ///
    /// A point that holds its log is looked at anywhere: name any directory in the queue manager's place, for instance '.'.
    Verify(Named),
}

/// Directory of the queue manager.
#[derive(Debug, Args)]
pub(crate) struct Directory {
    /// Directory of the queue manager
    #[arg(value_name = "QMGR")]
    pub(crate) directory: PathBuf,
}

/// How a point is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Method {
    /// While the queue manager runs
    Fuzzy,
    /// From a queue manager that is stopped for it, or is down after a clean stop
    Full,
}

#[derive(Debug, Args)]
pub(crate) struct Create {
    #[command(flatten)]
    pub(crate) at: Directory,
    /// The directory that the point will be; must not be there
    #[arg(long, value_name = "DIR")]
    pub(crate) to: PathBuf,
    /// How it is made
    #[arg(long, value_enum, default_value_t = Method::Fuzzy)]
    pub(crate) method: Method,
    /// Copy the log that it needs into it as well: it can then be moved, and recovered where nothing else is
    #[arg(long)]
    pub(crate) include_log: bool,
    /// Its name; the directory's name unless given
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// With --method full: go on where units of recovery are in doubt; the point is then a fuzzy one
    #[arg(long)]
    pub(crate) allow_in_doubt: bool,
}

#[derive(Debug, Args)]
pub(crate) struct Named {
    #[command(flatten)]
    pub(crate) at: Directory,
    /// The point: its name in the BSDS, or its directory
    #[arg(value_name = "POINT")]
    pub(crate) point: PathBuf,
}
