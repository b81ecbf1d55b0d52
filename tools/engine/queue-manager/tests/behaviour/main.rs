//! How the core behaves where things go wrong or run short, through its public door.

mod answers;
mod bench;
mod clock;
mod damage;
mod faults;
mod in_doubt;
mod inventory;
mod log_copies;
mod model;
mod moved_queues;
mod objects;
mod page_sets;
mod quiesce;
mod random;
mod returning;
mod shortage;
mod stopping;
mod units;
mod waiting_units;
