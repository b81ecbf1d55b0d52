//! Describe page sets, logs and bootstrap data sets as LISTCAT does.

fn main() {}
