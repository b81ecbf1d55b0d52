//! ARCHIVE LOG and STOP QMGR.

use crate::StatementError;
use crate::parameters::Parameters;

/// ARCHIVE LOG.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveLog {
    /// Truncate, switch and offload at once.
    Now,
    /// MODE(QUIESCE): wait for all units of recovery first.
    Quiesce {
        /// TIME: how many seconds at most; none for the queue manager's own limit.
        seconds: Option<u16>,
        /// WAIT(YES): the command ends only when the quiesce does.
        wait: bool,
    },
    /// CANCEL OFFLOAD: cancel and restart the offload.
    CancelOffload,
}

/// MODE of STOP QMGR.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StopMode {
    /// Wait until connections end.
    #[default]
    Quiesce,
    /// Back out what is under way.
    Force,
}

impl ArchiveLog {
    pub(crate) fn read(rest: &mut Parameters) -> Result<Self, StatementError> {
        let cancel = rest.take(&["CANCEL"])?;
        let mode = rest.take(&["MODE"])?;
        let time = rest.take(&["TIME"])?;
        let wait = rest.take(&["WAIT"])?;
        if let Some(cancel) = cancel {
            cancel.bare()?;
            if !rest.flag(&["OFFLOAD"])? {
                return Err(StatementError::missing("OFFLOAD", rest.end()));
            }
            return match [mode, time, wait].into_iter().flatten().next() {
                Some(other) => Err(StatementError::conflict("CANCEL OFFLOAD", &other.keyword, other.column)),
                None => Ok(Self::CancelOffload),
            };
        }
        let Some(mode) = mode else {
            return match [time, wait].into_iter().flatten().next() {
                Some(_) => Err(StatementError::missing("MODE", rest.end())),
                None => Ok(Self::Now),
            };
        };
        let value = mode.value()?;
        if value.text != "QUIESCE" {
            return Err(mode.unacceptable(value, "QUIESCE"));
        }
        let seconds = time.map(|time| time.number(1, 999)).transpose()?;
        let wait = wait.map(|wait| wait.either("YES", "NO")).transpose()?;
        let seconds = seconds.and_then(|seconds| u16::try_from(seconds).ok());
        Ok(Self::Quiesce { seconds, wait: wait.unwrap_or(false) })
    }
}

impl StopMode {
    pub(crate) fn read(rest: &mut Parameters) -> Result<Self, StatementError> {
        match rest.take(&["MODE"])? {
            Some(mode) if mode.either("FORCE", "QUIESCE")? => Ok(Self::Force),
            _ => Ok(Self::Quiesce),
        }
    }
}
