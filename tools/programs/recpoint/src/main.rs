//! Make, list, show, verify, hold and forget recovery points.

mod args;
mod backup_job;
mod create;
mod forget;
mod full;
mod hold;
mod list;
mod register;
mod restart;
mod run;
mod show;
mod verify;

fn main() -> std::process::ExitCode {
    console::run(|arguments, session| run::run(&arguments, session))
}
