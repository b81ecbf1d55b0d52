//! What a copy turned out to be.

use format_types::{ConditionCode, HistoryId, PageSetId, QueueManagerId, QueueManagerName, Rba};

/// Damaged records that a report names; further ones are only counted.
pub const NAMED_AT_MOST: usize = 1000;

/// What an image is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ImageKind {
    /// A page set.
    PageSet,
    /// An active log data set or an archive.
    Log,
    /// A bootstrap data set.
    Bsds,
    /// 4096-byte records of another making: copied as they are, nothing in them can be verified.
    Records,
}

impl ImageKind {
    /// Name for people.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::PageSet => "page set",
            Self::Log => "log",
            Self::Bsds => "BSDS",
            Self::Records => "records",
        }
    }
}

/// A page or control interval that never verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DamagedRecord {
    /// Its number in the image, from 0.
    pub number: u64,
    /// What is wrong with it.
    pub why: String,
}

/// Page zero as it was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageSetFacts {
    /// The page set.
    pub page_set: PageSetId,
    /// Name of its queue manager.
    pub queue_manager: QueueManagerName,
    /// Identity of its queue manager.
    pub queue_manager_id: QueueManagerId,
    /// The log history that its RBAs lie in.
    pub history: HistoryId,
    /// The log needed to bring the copy forward begins there.
    pub recovery_rba: Rba,
    /// No page of it had changes beyond this RBA when page zero was written.
    pub highest_synced: Rba,
}

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CopyReport {
    /// What the image is.
    pub kind: ImageKind,
    /// 4096-byte records copied.
    pub records: u64,
    /// Bytes of the copy.
    pub length: u64,
    /// CRC-32C of the copy.
    pub checksum: u32,
    /// Records that never verified, the first [`NAMED_AT_MOST`].
    pub damaged: Vec<DamagedRecord>,
    /// How many never verified.
    pub damaged_count: u64,
    /// Things to know that are no damage.
    pub warnings: Vec<String>,
    /// Records that were caught half-written, read again, and then verified.
    pub reread: u64,
    /// Page zero, when it is a page set.
    pub page_set: Option<PageSetFacts>,
}

impl CopyReport {
    pub(crate) fn new(kind: ImageKind) -> Self {
        Self {
            kind,
            records: 0,
            length: 0,
            checksum: 0,
            damaged: Vec::new(),
            damaged_count: 0,
            warnings: Vec::new(),
            reread: 0,
            page_set: None,
        }
    }

    pub(crate) fn add_damage(&mut self, number: u64, why: impl Into<String>) {
        self.damaged_count += 1;
        if self.damaged.len() < NAMED_AT_MOST {
            self.damaged.push(DamagedRecord { number, why: why.into() });
        }
    }

    /// 8 when a record is damaged, 4 when there is a warning, else 0.
    #[must_use]
    pub fn code(&self) -> ConditionCode {
        if self.damaged_count > 0 {
            ConditionCode::Partial
        } else if self.warnings.is_empty() {
            ConditionCode::Done
        } else {
            ConditionCode::Warning
        }
    }
}
