//! What the page store needs of a log.

use engine_log::{LogError, LogManager};
use format_log::Body;
use format_types::{Rba, RbaRange, Urid};

/// How far a log is durable: the write-ahead rule asks before a page is written.
pub trait WriteAhead {
    /// Everything below this RBA is durable.
    fn synced(&self) -> Rba;

    /// Makes everything below `rba` durable, in line.
    ///
    /// # Errors
    /// The log's.
    fn sync_to(&mut self, rba: Rba) -> Result<(), LogError>;
}

/// A log that takes records.
pub trait PageLog: WriteAhead {
    /// Appends a record and says where it lies.
    ///
    /// # Errors
    /// The log's; nothing is appended then.
    fn append(&mut self, urid: Urid, link: Rba, body: &Body<'_>) -> Result<RbaRange, LogError>;

    /// Where the next record will lie, or a little below.
    fn end(&self) -> Rba;
}

/// A log that is only read: all of it is durable.
#[derive(Debug, Clone, Copy, Default)]
pub struct LogAtRest;

impl WriteAhead for LogAtRest {
    fn synced(&self) -> Rba {
        Rba::MAX
    }

    fn sync_to(&mut self, _rba: Rba) -> Result<(), LogError> {
        Ok(())
    }
}

impl WriteAhead for LogManager {
    fn synced(&self) -> Rba {
        Self::synced(self)
    }

    fn sync_to(&mut self, rba: Rba) -> Result<(), LogError> {
        if Self::synced(self) < rba {
            self.sync_now()?;
        }
        Ok(())
    }
}

impl PageLog for LogManager {
    fn append(&mut self, urid: Urid, link: Rba, body: &Body<'_>) -> Result<RbaRange, LogError> {
        Self::append(self, urid, link, body)
    }

    fn end(&self) -> Rba {
        Self::end(self)
    }
}
