//! Run the program of that name beside this one.

mod args;
mod run;
mod tools;

fn main() -> std::process::ExitCode {
    console::run(run::run)
}
