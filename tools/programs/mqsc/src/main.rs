//! Run MQSC commands.

mod args;
mod plan;
mod run;

fn main() -> std::process::ExitCode {
    console::run(run::run)
}
