//! What was typed.

use std::path::PathBuf;

use clap::Parser;
use console::{Common, HasCommon};

/// Describe page sets, logs and bootstrap data sets as LISTCAT does: HI-A-RBA, HI-U-RBA, space, extents
#[derive(Debug, Parser)]
#[command(name = "listcat", version)]
pub(crate) struct Arguments {
    /// Images, or directories of them
    #[arg(value_name = "PATH", required = true)]
    pub(crate) paths: Vec<PathBuf>,

    /// Every group of fields instead of ALLOCATION and VOLUME
    #[arg(long)]
    pub(crate) all: bool,

    #[command(flatten)]
    common: Common,
}

impl HasCommon for Arguments {
    fn common(&self) -> &Common {
        &self.common
    }
}
