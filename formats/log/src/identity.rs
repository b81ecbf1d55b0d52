//! Whose log it is.

use format_types::{HistoryId, QueueManagerId};

/// The queue manager and the line of log that bytes belong to; part of every segment's checksum.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LogIdentity {
    /// The queue manager.
    pub queue_manager: QueueManagerId,
    /// The log history.
    pub history: HistoryId,
}
