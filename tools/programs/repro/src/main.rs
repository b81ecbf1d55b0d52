//! Copy a page set or log image, also while its owner writes.

fn main() {}
