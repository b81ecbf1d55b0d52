//! What was typed.

use std::path::PathBuf;

use clap::Parser;
use console::{Bytes, Common, HasCommon, parse_time};
use format_types::{PageSetId, Rba, Timestamp};
use operation_points::RecoveryTarget;

/// Restore page sets from a recovery point and bring them forward
///
/// The queue manager must be down. Everything that is needed is checked first: the point, whose it is, and every byte of log from the
/// point's recorded system recovery RBA to the log's end, in either copy; if anything is missing it is named and nothing is touched.
/// What is replaced is kept as PSIDnn.replaced until the recovery is done. Killed at any moment, it can be run again and finishes.
///
/// A point made with --include-log becomes a queue manager in a directory that is not there or is empty. That, --archives and --logs-lost
/// make it in QMGR.making beside and name it when it is whole; its log goes on in a new history.
#[derive(Debug, Parser)]
#[command(name = "recover", version)]
pub(crate) struct Arguments {
    /// Directory of the queue manager
    #[arg(value_name = "QMGR")]
    pub(crate) directory: PathBuf,

    /// Directory of the recovery point
    #[arg(long, value_name = "DIR", required_unless_present = "rebuild_bsds")]
    pub(crate) from: Option<PathBuf>,

    /// Restore these page sets only; all of the point unless given
    #[arg(long, value_name = "N")]
    pub(crate) psid: Vec<PageSetId>,

    /// At another site: make the queue manager anew from the point and the archives, with their BSDS copies, in this directory
    #[arg(long, value_name = "DIR", conflicts_with = "psid")]
    pub(crate) archives: Option<PathBuf>,

    /// The logs are lost: make the queue manager anew from a full point, with a log begun anew; what is there is kept as QMGR.lost
    #[arg(long, conflicts_with_all = ["psid", "archives"])]
    pub(crate) logs_lost: bool,

    /// Both copies of the BSDS are lost: make them anew from the logs, archives and page sets that are there, and do nothing else
    #[arg(long, conflicts_with_all = ["from", "psid", "archives", "logs_lost", "buffer_pool"])]
    pub(crate) rebuild_bsds: bool,

    /// To a point in time: keep exactly the units of recovery whose commit record's RBA is below this one. The log goes on in a new
    /// history; what is behind is archived and kept
    #[arg(long, value_name = "RBA", conflicts_with_all = ["to_time", "archives", "logs_lost", "rebuild_bsds"])]
    pub(crate) to_rba: Option<Rba>,

    /// To a point in time: keep what was committed before the first commit later than this, as 2026-11-22T10:15:00Z
    #[arg(long, value_name = "TIME", value_parser = parse_time, conflicts_with_all = ["archives", "logs_lost", "rebuild_bsds"])]
    pub(crate) to_time: Option<Timestamp>,

    /// Go on although something is lost; without it the loss is listed and nothing is touched
    #[arg(long)]
    pub(crate) accept_loss: bool,

    /// Size of the buffer pool; the queue manager's own unless given
    #[arg(long, value_name = "SIZE")]
    pub(crate) buffer_pool: Option<Bytes>,

    /// Check, say what would be done, and touch nothing
    #[arg(long)]
    pub(crate) dry_run: bool,

    #[command(flatten)]
    common: Common,
}

impl Arguments {
    /// Directory of the recovery point; given unless the BSDS is rebuilt.
    pub(crate) fn point(&self) -> PathBuf {
        self.from.clone().unwrap_or_default()
    }

    /// Where the recovery ends; none when it goes to the end of the log.
    pub(crate) fn target(&self) -> Option<RecoveryTarget> {
        self.to_rba.map(RecoveryTarget::Rba).or(self.to_time.map(RecoveryTarget::Time))
    }
}

impl HasCommon for Arguments {
    fn common(&self) -> &Common {
        &self.common
    }
}
