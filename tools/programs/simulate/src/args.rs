//! What was typed.

use std::path::PathBuf;

use clap::Parser;
use console::{Common, HasCommon};

/// Run the shipped core and operations on storage that loses, tears and refuses writes, from seeds, and look for lost messages
///
/// Exit code 8 when a promise was broken in any seed; 4 when, over many seeds, some kind of event never happened. The same
/// seed with the same options always does the same.
#[derive(Debug, Clone, Parser)]
#[command(name = "simulate", version)]
pub(crate) struct Arguments {
    /// Seeds A to B, B not included
    #[arg(long, value_name = "A..B", default_value = "0..1000")]
    pub(crate) seeds: String,

    /// Requests in each seed's run
    #[arg(long, value_name = "N", default_value_t = 300)]
    pub(crate) operations: u64,

    /// Short runs instead, each stopped at every single storage operation in turn
    #[arg(long, conflicts_with = "operations")]
    pub(crate) every_stop: bool,

    /// Make this deliberate mistake, to see it caught (builds with planted-defects only)
    #[arg(long, value_name = "NAME")]
    pub(crate) defect: Option<String>,

    /// End at the first seed in which a promise is broken
    #[arg(long)]
    pub(crate) first: bool,

    /// Threads; default: as many as the machine has processors
    #[arg(long, value_name = "N")]
    pub(crate) threads: Option<usize>,

    /// Tell on standard error what happens, one seed at a time
    #[arg(long)]
    pub(crate) trace: bool,

    /// Write the files that a failing seed leaves to DIR/SEED, for a look with other programs
    #[arg(long, value_name = "DIR")]
    pub(crate) keep: Option<PathBuf>,

    /// Write the range, totals of all kinds of events, and a digest of each thousand seeds and of all to FILE
    #[arg(long, value_name = "FILE")]
    pub(crate) totals: Option<PathBuf>,

    #[command(flatten)]
    pub(crate) common: Common,
}

impl HasCommon for Arguments {
    fn common(&self) -> &Common {
        &self.common
    }
}
