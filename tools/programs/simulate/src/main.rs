//! Run the shipped core on faulty storage from a seed.

mod args;
mod body;
mod client;
mod defect;
mod digest;
mod event;
mod life;
mod model;
mod pages;
mod point;
mod reference;
mod report;
mod run;
mod seeds;
mod settings;
mod setup;
mod short;
mod trouble;
mod verify;
mod world;

fn main() -> std::process::ExitCode {
    run::main()
}
