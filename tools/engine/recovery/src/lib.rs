//! Units of recovery, checkpoints, restart, the system recovery RBA.
