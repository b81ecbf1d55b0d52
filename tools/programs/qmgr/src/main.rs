//! Create, start, stop and feed a queue manager.

mod args;
mod connect;
mod create;
mod get;
mod input;
mod message;
mod put;
mod run;
mod serve;
mod start;
mod status;
mod stop;
mod workload;

fn main() -> std::process::ExitCode {
    console::run(run::run)
}
