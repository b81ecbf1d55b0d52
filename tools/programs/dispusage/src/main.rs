//! Show page set usage and the system recovery RBA with its holders.

fn main() {}
