//! Why the facts of a queue manager cannot be had.

use engine_log::LogError;
use engine_queue_manager::CoreError;
use engine_queue_manager::client::ClientError;
use engine_recovery::RecoveryError;
use format_types::ConditionCode;

/// Why the facts of a queue manager cannot be had. Each carries its message identifier.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// The running queue manager did not answer, or refused.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// It is starting or ending, or another program has it; or there is none.
    #[error(transparent)]
    Core(#[from] CoreError),
    /// Its BSDS or log cannot be read.
    #[error(transparent)]
    Log(#[from] LogError),
    /// What a restart needs cannot be found out.
    #[error(transparent)]
    Recovery(#[from] RecoveryError),
    /// The directory cannot be read.
    #[error("HWT826E THE DIRECTORY OF THE QUEUE MANAGER CANNOT BE READ: {0}; nothing was planned")]
    Directory(#[from] std::io::Error),
    /// It changed while it was looked at, again and again.
    #[error(
        "HWT827E THE QUEUE MANAGER CHANGED WHILE ITS FACTS WERE READ, {0} times: nothing was planned; try again when fewer logs are switched"
    )]
    Changing(u32),
}

impl SourceError {
    /// The condition code that this deserves.
    #[must_use]
    pub fn code(&self) -> ConditionCode {
        match self {
            Self::Client(error) => error.code(),
            _ => ConditionCode::Refused,
        }
    }
}
