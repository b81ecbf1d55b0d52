//! Describe page sets, logs and bootstrap data sets as LISTCAT does.

mod args;
mod describe;
mod extents;
mod log_end;
mod report;
mod run;

fn main() -> std::process::ExitCode {
    console::run(run::run)
}
