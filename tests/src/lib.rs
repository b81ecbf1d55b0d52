//! What the suite-wide tests stand on: the source tree, the built programs, a queue manager under test, and what the machine offers.
//!
//! Nothing here is shipped. The tests beside it run the programs as people run them, over their command lines, and kill, damage and
//! starve them.

pub mod aged;
pub mod flat;
pub mod folder;
pub mod ground;
pub mod held;
pub mod loaded;
pub mod memory;
pub mod owner;
pub mod programs;
pub mod tree;
pub mod trouble;
