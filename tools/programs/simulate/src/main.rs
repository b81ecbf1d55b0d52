//! Run the shipped core on faulty storage from a seed.

fn main() {}
