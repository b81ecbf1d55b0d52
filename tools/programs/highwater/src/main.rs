//! Run the program of that name beside this one.

fn main() {}
