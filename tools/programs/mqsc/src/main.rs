//! Run MQSC commands.

fn main() {}
