//! What was typed.

use std::path::PathBuf;

use clap::Parser;
use console::{Bytes, Common, HasCommon};
use format_types::PageSetId;

/// Restore page sets from a recovery point and bring them forward
///
/// The queue manager must be down. Everything that is needed is checked first: the point, whose it is, and every byte of log from the
/// point's recorded system recovery RBA to the log's end, in either copy; if anything is missing it is named and nothing is touched.
/// What is replaced is kept as PSIDnn.replaced until the recovery is done. Killed at any moment, it can be run again and finishes.
#[derive(Debug, Parser)]
#[command(name = "recover", version)]
pub(crate) struct Arguments {
    /// Directory of the queue manager
    #[arg(value_name = "QMGR")]
    pub(crate) directory: PathBuf,

    /// Directory of the recovery point
    #[arg(long, value_name = "DIR")]
    pub(crate) from: PathBuf,

    /// Restore these page sets only; all of the point unless given
    #[arg(long, value_name = "N")]
    pub(crate) psid: Vec<PageSetId>,

    /// Size of the buffer pool; the queue manager's own unless given
    #[arg(long, value_name = "SIZE")]
    pub(crate) buffer_pool: Option<Bytes>,

    /// Check, say what would be done, and touch nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    common: Common,
}

impl HasCommon for Arguments {
    fn common(&self) -> &Common {
        &self.common
    }
}
