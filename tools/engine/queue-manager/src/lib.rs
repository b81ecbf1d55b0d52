//! A queue manager: the deterministic core, its commands, and the process around it.
//!
//! [`Core`] is one state machine. It reads and writes files through the storage contract; log and page set syncs, offload and the
//! formatting of extents leave it as [`Job`]s and come back as [`JobDone`]s; requests, the clock and the randomness of creation are handed
//! in. Nothing in it waits, and no thread runs in it: [`server`] puts threads and a socket around it, the simulator a seed.

mod at_rest;
mod bring_forward;
mod catalog;
pub mod client;
mod command;
pub mod core;
mod create;
mod error;
mod inventory;
mod job;
mod queue;
pub mod server;

pub use crate::core::{ConnectionId, Core, StartOptions, State, restart_rba_messages};
pub use at_rest::definitions_at_rest;
pub use bring_forward::{BringForward, BroughtForward, bring_forward};
pub use create::{NewQueueManager, create};
pub use error::CoreError;
pub use inventory::{
    BsdsChanged, ChangeError, change_at_rest, change_bsds, change_under_lock, foresee_change,
};
pub use job::{Job, JobDone};

/// Largest message: 4 MiB.
pub const MAXIMUM_MESSAGE: usize = 4 << 20;

/// Most uncommitted operations of one unit of recovery, as the queue manager attribute MAXUMSGS (IBM MQ default: 10,000).
pub const MAXUMSGS: usize = 10_000;

/// Names of the files in a queue manager's directory that are not data sets.
pub mod files {
    /// Kernel lock of the owner.
    pub const LOCK: &str = "LOCK";
    /// Unix socket of the queue manager.
    pub const SOCKET: &str = "SOCKET";
    /// Process number of the owner; informs only.
    pub const PID: &str = "PID";
    /// What the queue manager printed.
    pub const CONSOLE: &str = "CONSOLE.LOG";
}
