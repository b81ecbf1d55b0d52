//! The deterministic core of a queue manager, its commands, and the process around it.
