//! Rehearse a whole loss and recovery.

fn main() {}
