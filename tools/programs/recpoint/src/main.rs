//! Make, list, show and verify recovery points.

fn main() {}
