//! How one names an archive log data set to whoever has it in an inventory.

use crate::{HistoryId, RbaRange};

/// An archive log data set. It is the one that an inventory has when all four agree: a name alone may have been given again.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ArchiveReference {
    /// Copy 1 or 2.
    pub copy: u8,
    /// Its name.
    pub name: String,
    /// The history of its log.
    pub history: HistoryId,
    /// The log it holds.
    pub range: RbaRange,
}
