//! Restore page sets from a recovery point and bring them forward.

mod args;
mod report;
mod run;

fn main() -> std::process::ExitCode {
    console::run(|arguments, session| run::run(&arguments, session))
}
