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
    /// Copy the page sets of a running queue manager and record what log they need
    ///
    /// The backup is registered in the BSDS before the first page is copied, and holds the log it needs from then on. The log is archived
    /// last. The point appears under its name only when all of it is durable.
    Create(Create),
    /// List the recovery points that the queue manager knows
    List(Directory),
    /// Show what a recovery point holds and needs
    Show(Named),
    /// Look at every page of a recovery point, and at every byte of log that it needs
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
    /// Its name; the directory's name unless given
    #[arg(long, value_name = "NAME")]
    pub(crate) name: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct Named {
    #[command(flatten)]
    pub(crate) at: Directory,
    /// The point: its name in the BSDS, or its directory
    #[arg(value_name = "POINT")]
    pub(crate) point: PathBuf,
}
