//! What was typed.

use std::path::PathBuf;

use clap::Parser;
use console::{Common, HasCommon};

/// Copy a page set, log or BSDS image, also while its owner writes it
///
/// Every page and every closed control interval is verified on the way. A page set is copied up to its HI-U-RBA: page zero first, until
/// it verifies, then the rest; a page caught half-written is read again. One that never verifies is named, and the condition code is
/// 8. Holes stay holes. The copy is synced before it gets its name.
#[derive(Debug, Parser)]
#[command(name = "repro", version)]
pub(crate) struct Arguments {
    /// The image to copy; - or a pipe is read once, in order
    #[arg(long, value_name = "PATH")]
    pub(crate) infile: PathBuf,

    /// The copy; - or a pipe is written in order
    #[arg(long, value_name = "PATH")]
    pub(crate) outfile: PathBuf,

    /// Replace an outfile that is not empty
    #[arg(long)]
    pub(crate) reuse: bool,

    /// Check, say what would be done, and copy nothing
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
