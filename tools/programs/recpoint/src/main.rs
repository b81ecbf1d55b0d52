//! Make, list, show and verify recovery points.

mod args;
mod create;
mod list;
mod run;
mod show;
mod verify;

fn main() -> std::process::ExitCode {
    console::run(|arguments, session| run::run(&arguments, session))
}
