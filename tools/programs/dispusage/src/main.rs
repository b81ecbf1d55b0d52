//! Show page set usage and the system recovery RBA with its holders.

mod args;
mod report;
mod run;

fn main() -> std::process::ExitCode {
    console::run(run::run)
}
