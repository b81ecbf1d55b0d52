//! What was typed.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Load, kills every few seconds, recovery points, recoveries, and an audit after each, for a long time
///
/// Two queue managers are at work. One is killed every few seconds, robbed of page sets now and then, and recovered. The other runs through
/// without a stop while its clients are killed; its memory and descriptors are what must not grow. A line is printed each minute. Ends with
/// 0 when every audit was clean and the line is flat, else with 8.
///
/// Flat: the median of the last third of minutes is in memory at most a tenth and 8 MiB above the second minute, for both queue managers,
/// and in descriptors not above it, for the one that runs through.
#[derive(Debug, Parser)]
#[command(name = "soak")]
pub(crate) struct Arguments {
    /// How long; 3 at least
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(3..))]
    pub(crate) minutes: u32,

    /// Seed of all choices; from the clock unless given
    #[arg(long)]
    pub(crate) seed: Option<u64>,

    /// The directory to work in; a temporary one unless given. It stays when something went wrong
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: Option<PathBuf>,

    /// Seconds that a minute has, to try the program itself
    #[arg(long, value_name = "SECONDS", default_value_t = 60, hide = true,
          value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) minute: u64,

    /// Small buffer pools and logs, which are full in no time
    #[arg(long, hide = true)]
    pub(crate) small: bool,

    /// Makes something grow on purpose: the soak must fail
    #[arg(long, hide = true)]
    pub(crate) plant: Option<Plant>,
}

/// What grows on purpose.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Plant {
    /// Connections that nobody closes.
    Descriptors,
    /// Messages that nobody gets.
    Memory,
}
