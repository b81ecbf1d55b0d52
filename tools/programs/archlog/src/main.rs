//! Truncate, switch and offload the active log.

fn main() {}
