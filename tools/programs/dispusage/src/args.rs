//! What was typed.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};
use console::{Common, HasCommon};
use format_types::PageSetId;

/// Which part of the listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Kind {
    /// CSQI010I and CSQI065I: page sets and buffer pools
    #[value(name = "pageset")]
    PageSet,
    /// CSQI070I, CSQI024I, CSQI025I: log data sets and restart RBAs
    #[value(name = "dataset")]
    DataSet,
    /// Everything
    #[default]
    All,
}

/// Show the use of page sets, and from where the log is needed and by whom; of a running queue manager, or from the files of one
/// that is down
#[derive(Debug, Parser)]
#[command(name = "dispusage", version)]
pub(crate) struct Arguments {
    /// Directory of the queue manager
    #[arg(value_name = "QMGR")]
    pub(crate) directory: PathBuf,

    /// Which part
    #[arg(long = "type", value_enum, default_value_t)]
    pub(crate) kind: Kind,

    /// Only this page set
    #[arg(long, value_name = "N")]
    pub(crate) psid: Option<PageSetId>,

    #[command(flatten)]
    common: Common,
}

impl HasCommon for Arguments {
    fn common(&self) -> &Common {
        &self.common
    }
}
