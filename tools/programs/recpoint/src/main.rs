//! Make, list, show and verify recovery points.

mod args;
mod create;
mod full;
mod list;
mod restart;
mod run;
mod show;
mod verify;

fn main() -> std::process::ExitCode {
    console::run(|arguments, session| run::run(&arguments, session))
}
