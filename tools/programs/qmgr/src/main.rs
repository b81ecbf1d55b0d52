//! Create, start, stop and feed a queue manager.

fn main() {}
