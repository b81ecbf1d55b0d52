//! Arguments, messages, condition codes, JSON and progress of every program.
//!
//! A program's `main` is [`run`] with the function that does its work. That function gets what was typed and a [`Session`]; it
//! answers with a condition code or a [`Failure`], and `run` alone makes the exit code of it:
//!
//! - condition codes are exit codes; usage errors are 12, `--help` and `--version` 0; `--fail-on` maps what is below it to 0;
//! - data goes to standard output through [`Output`], talk to standard error; JSON is one document, or one a line for streams;
//! - standard output that cannot be written (a full device) raises the code to 8 at least, with a message; one that was closed by its
//!   reader ends the writing quietly;
//! - colour and progress appear on a terminal only.

mod arguments;
mod failure;
mod finish;
mod messages;
mod output;
mod progress;
mod units;

pub use arguments::{Common, FailOn, HasCommon};
pub use failure::Failure;
pub use finish::{Outcome, Session, finish, run};
pub use messages::{message, say};
pub use output::Output;
pub use progress::Progress;
pub use units::{
    Bytes, format_duration, format_rate, format_size, format_time, now, parse_duration, parse_size,
    parse_time,
};
