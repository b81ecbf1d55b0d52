//! Restore page sets from a recovery point and bring them forward.

fn main() {}
