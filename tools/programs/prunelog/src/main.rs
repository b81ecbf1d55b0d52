//! Say which log data sets recovery needs, why, and which may go; delete those.

mod apply;
mod args;
mod confirm;
mod explain;
mod files;
mod inventory;
mod jobs;
mod listings;
mod metrics;
mod plan;
mod policies;
mod prove;
mod report;
mod run;
mod settings;

fn main() -> std::process::ExitCode {
    console::run(run::run)
}
