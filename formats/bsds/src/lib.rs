//! The bootstrap data set: inventory of logs, checkpoints, recovery points.
