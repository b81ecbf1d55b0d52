//! How the core behaves where things go wrong or run short, through its public door.

mod bench;
mod faults;
mod model;
mod objects;
mod random;
mod shortage;
mod stopping;
mod units;
