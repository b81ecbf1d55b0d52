//! From a program's work to its exit code.

use std::ffi::OsString;
use std::process::ExitCode;

use clap::Parser;
use clap::error::ErrorKind;
use format_types::ConditionCode;

use crate::{Common, FailOn, Failure, HasCommon, Output, say};

/// What a program's work ends with.
pub type Outcome = Result<ConditionCode, Failure>;

/// What a program's work writes to, and the common options.
#[derive(Debug)]
pub struct Session {
    /// Standard output.
    pub out: Output,
    /// The common options.
    pub common: Common,
    /// Whether the failure was printed already, as a part of a listing.
    pub failure_printed: bool,
}

impl Session {
    /// Prints `document` with `--json`, else the lines of `text`.
    pub fn answer<T: serde::Serialize + ?Sized>(&mut self, document: &T, text: impl FnOnce() -> Vec<String>) {
        if self.common.json {
            self.out.json(document);
        } else {
            self.out.lines(text());
        }
    }
}

/// Runs a program: reads its arguments, does its work, ends with its exit code.
pub fn run<A: Parser + HasCommon>(work: impl FnOnce(A, &mut Session) -> Outcome) -> ExitCode {
    run_with(std::env::args_os(), work)
}

fn run_with<A: Parser + HasCommon>(
    arguments: impl IntoIterator<Item = OsString>,
    work: impl FnOnce(A, &mut Session) -> Outcome,
) -> ExitCode {
    match A::try_parse_from(arguments) {
        Ok(arguments) => {
            let common = arguments.common().clone();
            let fail_on = common.fail_on;
            let mut session = Session { out: Output::standard(), common, failure_printed: false };
            let outcome = work(arguments, &mut session);
            if let Err(failure) = &outcome
                && session.common.json
                && !session.failure_printed
            {
                session.out.json(failure);
            }
            finish(outcome, session.out, fail_on)
        }
        Err(error) => {
            let mut out = Output::standard();
            let outcome = match error.kind() {
                ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => {
                    out.bytes(error.render().to_string().as_bytes());
                    Ok(ConditionCode::Done)
                }
                _ => {
                    let text = error.render().to_string();
                    let text = text.trim_end();
                    Err(Failure::refused("HWT700E", text.strip_prefix("error: ").unwrap_or(text)))
                }
            };
            finish(outcome, out, None)
        }
    }
}

/// The exit code of a program whose work has ended so: the failure is printed on standard error, standard output is flushed, and
/// an output that could not be written makes the code 8 at least. `fail_on` applies last.
pub fn finish(outcome: Outcome, out: Output, fail_on: Option<FailOn>) -> ExitCode {
    let mut code = match outcome {
        Ok(code) => code,
        Err(failure) => {
            say(&failure.to_string());
            failure.code
        }
    };
    if let Err(error) = out.close() {
        say(&format!("HWT708E standard output could not be written: {error}"));
        code = code.max(ConditionCode::Partial);
    }
    let kept = fail_on.is_none_or(|lowest| code >= lowest.lowest());
    ExitCode::from(if kept { code.number() } else { 0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Parser)]
    #[command(name = "probe", version)]
    struct Arguments {
        #[command(flatten)]
        common: Common,
        #[arg(long)]
        code: Option<u8>,
    }

    impl HasCommon for Arguments {
        fn common(&self) -> &Common {
            &self.common
        }
    }

    fn exit(line: &str) -> String {
        let arguments = line.split(' ').map(OsString::from);
        let code = run_with(arguments, |arguments: Arguments, _| {
            Ok(match arguments.code {
                Some(4) => ConditionCode::Warning,
                Some(8) => ConditionCode::Partial,
                Some(_) => return Err(Failure::refused("HWT999E", "no")),
                None => ConditionCode::Done,
            })
        });
        format!("{code:?}")
    }

    fn number(code: u8) -> String {
        format!("{:?}", ExitCode::from(code))
    }

    #[test]
    fn exit_codes_are_condition_codes() {
        assert_eq!(exit("probe"), number(0));
        assert_eq!(exit("probe --code 4"), number(4));
        assert_eq!(exit("probe --code 12"), number(12));
        assert_eq!(exit("probe --frob"), number(12));
        assert_eq!(exit("probe --fail-on 5"), number(12));
        assert_eq!(exit("probe --timeout x"), number(12));
    }

    #[test]
    fn fail_on_maps_what_is_below_to_zero() {
        assert_eq!(exit("probe --code 4 --fail-on 4"), number(4));
        assert_eq!(exit("probe --code 4 --fail-on 8"), number(0));
        assert_eq!(exit("probe --code 8 --fail-on 12"), number(0));
        assert_eq!(exit("probe --code 12 --fail-on 12"), number(12));
    }
}
