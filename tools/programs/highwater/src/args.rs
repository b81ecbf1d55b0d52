//! What was typed.

use std::ffi::OsString;

use clap::Parser;
use console::{Common, HasCommon};

/// Copy, recover and keep page sets and recovery logs; without TOOL the tools are listed
#[derive(Debug, Parser)]
#[command(name = "highwater", version, override_usage = "highwater [OPTIONS] [TOOL [ARGUMENT]...]")]
pub(crate) struct Arguments {
    /// The tool, and what it is to be given
    #[arg(value_name = "TOOL", trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) command: Vec<OsString>,

    #[command(flatten)]
    common: Common,
}

impl HasCommon for Arguments {
    fn common(&self) -> &Common {
        &self.common
    }
}
