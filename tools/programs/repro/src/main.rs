//! Copy a page set, log or BSDS image, also while its owner writes it.

mod args;
mod output;
mod report;
mod run;
mod settings;

fn main() -> std::process::ExitCode {
    console::run(|arguments, session| run::run(&arguments, session))
}
