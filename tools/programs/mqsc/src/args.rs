//! What was typed.

use std::path::PathBuf;

use clap::Parser;
use console::{Common, HasCommon};

/// Run MQSC commands on a running queue manager
#[derive(Debug, Parser)]
#[command(name = "mqsc", version)]
pub(crate) struct Arguments {
    /// Directory of the queue manager
    #[arg(value_name = "QMGR")]
    pub(crate) directory: PathBuf,

    /// Commands; without any they are read from standard input
    #[arg(value_name = "STATEMENT")]
    pub(crate) statements: Vec<String>,

    /// Only read the commands and say what is wrong with them; no queue manager is needed
    #[arg(long)]
    pub(crate) check: bool,

    #[command(flatten)]
    common: Common,
}

impl HasCommon for Arguments {
    fn common(&self) -> &Common {
        &self.common
    }
}
