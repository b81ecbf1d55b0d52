//! Recovery manager: units of recovery, checkpoints, restart, and the system recovery RBA.
//!
//! What must be true after a restart is small: every unit whose commit reached the log is there whole, every other unit has left
//! nothing. The log alone decides; page sets are brought to agree with it by one forward pass and one backward pass.

mod checkpoint;
mod error;
mod restart;
pub mod status;
mod system_recovery;
mod units;

pub use checkpoint::{Checkpoint, CheckpointPhase};
pub use error::RecoveryError;
pub use restart::{
    RestartOptions, RestartOutcome, RestartPhase, RestartProgress, UnitHistory, history_of, make_room,
    restart,
};
pub use system_recovery::{data_set_usage, system_recovery};
pub use units::{Action, Unit, UnitTable};
