//! Rehearse a whole loss and recovery on a throwaway queue manager, or on a copy of yours.

mod all;
mod args;
mod child;
mod copy_of;
mod damage;
mod failing;
mod inventory;
mod prune;
mod report;
mod roles;
mod run;
mod scratch;
mod stages;

fn main() -> std::process::ExitCode {
    console::run(|arguments, session| run::run(&arguments, session))
}
