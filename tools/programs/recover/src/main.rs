//! Restore page sets from a recovery point and bring them forward.

mod anew;
mod args;
mod random;
mod rebuild;
mod report;
mod run;

fn main() -> std::process::ExitCode {
    console::run(|arguments, session| run::run(&arguments, session))
}
