//! Truncate, switch and offload the active log.

mod args;
mod run;

fn main() -> std::process::ExitCode {
    console::run(run::run)
}
