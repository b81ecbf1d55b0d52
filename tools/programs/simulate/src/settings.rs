//! What the arguments mean.

use std::ops::Range;
use std::path::PathBuf;
use std::str::FromStr;

use console::Failure;

use crate::args::Arguments;
use crate::defect::{Defect, UnknownDefect};

/// What to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) seeds: Range<u64>,
    pub(crate) operations: u64,
    pub(crate) every_stop: bool,
    pub(crate) defect: Option<Defect>,
    pub(crate) first: bool,
    pub(crate) threads: usize,
    /// Write totals and digests here.
    pub(crate) totals: Option<PathBuf>,
    pub(crate) watch: Watch,
}

/// How a run is watched; none of it changes what happens.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Watch {
    /// Tell on standard error what happens.
    pub(crate) trace: bool,
    /// Keep the files of failing seeds here.
    pub(crate) keep: Option<PathBuf>,
}

impl Settings {
    /// Checks everything that was typed.
    pub(crate) fn of(arguments: &Arguments) -> Result<Self, Failure> {
        let seeds = parse_seeds(&arguments.seeds)?;
        if arguments.operations == 0 {
            return Err(Failure::refused("HWT781E", "--operations 0 runs nothing: 1 or more is wanted"));
        }
        let defect = arguments.defect.as_deref().map(parse_defect).transpose()?;
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let threads = if arguments.trace { 1 } else { arguments.threads.unwrap_or(processors).clamp(1, 256) };
        Ok(Self {
            seeds,
            operations: arguments.operations,
            every_stop: arguments.every_stop,
            defect,
            first: arguments.first,
            threads,
            totals: arguments.totals.clone(),
            watch: Watch { trace: arguments.trace, keep: arguments.keep.clone() },
        })
    }

    /// The command that runs `seed` alone, as here.
    pub(crate) fn reproduce(&self, seed: u64) -> String {
        let mut command = format!("simulate --seeds {seed}..{}", seed.saturating_add(1));
        if self.every_stop {
            command.push_str(" --every-stop");
        } else {
            command.push_str(&format!(" --operations {}", self.operations));
        }
        if let Some(defect) = self.defect {
            command.push_str(&format!(" --defect {defect}"));
        }
        command
    }
}

fn parse_seeds(text: &str) -> Result<Range<u64>, Failure> {
    let refused =
        |why: &str| Failure::refused("HWT780E", format!("--seeds {text}: {why}; 0..1000 is an example"));
    let (from, to) =
        text.split_once("..").ok_or_else(|| refused("two numbers with .. between are wanted"))?;
    let number = |part: &str| u64::from_str(part).map_err(|_| refused("that is no number"));
    let seeds = number(from)?..number(to)?;
    if seeds.is_empty() { Err(refused("there is no seed in it")) } else { Ok(seeds) }
}

fn parse_defect(name: &str) -> Result<Defect, Failure> {
    let names = || Defect::all().map(|defect| defect.to_string()).collect::<Vec<_>>().join(", ");
    let defect: Defect = name.parse().map_err(|error: UnknownDefect| {
        Failure::refused("HWT782E", error).hint(format!("known are: {}", names()))
    })?;
    if cfg!(feature = "planted-defects") {
        Ok(defect)
    } else {
        Err(Failure::refused("HWT783E", "this build cannot make mistakes on purpose")
            .hint("build it with --features planted-defects"))
    }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    fn settings(line: &str) -> Result<Settings, Failure> {
        let words = std::iter::once("simulate").chain(line.split_whitespace());
        Settings::of(&Arguments::try_parse_from(words).unwrap())
    }

    #[test]
    fn seeds_are_a_half_open_range() {
        assert_eq!(settings("--seeds 3..9").unwrap().seeds, 3..9);
        for bad in ["3", "3..3", "9..3", "a..b", "..", "-1..2"] {
            assert_eq!(settings(&format!("--seeds={bad}")).unwrap_err().id, "HWT780E", "{bad}");
        }
        assert!(settings("--operations 0").is_err());
    }

    #[test]
    fn the_command_of_a_seed_says_all_that_decides_it() {
        let settings = settings("--seeds 3..9 --operations 50").unwrap();
        assert_eq!(settings.reproduce(4), "simulate --seeds 4..5 --operations 50");
    }

    #[test]
    fn unknown_defects_are_refused_and_known_ones_wanted_in_their_builds_only() {
        assert_eq!(settings("--defect nonsense").unwrap_err().id, "HWT782E");
        let known = settings("--defect no-reread");
        assert_eq!(known.is_ok(), cfg!(feature = "planted-defects"));
    }
}
