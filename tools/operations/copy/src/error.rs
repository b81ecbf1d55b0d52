//! Why a copy was not made.

use std::io;

use format_types::ConditionCode;

/// A copy that ended before it was complete.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// The source could not be read.
    #[error(
        "HWT501S {name}: reading at byte {offset} failed: {error}. Look after the device, then copy again"
    )]
    Read {
        /// The source.
        name: String,
        /// Where.
        offset: u64,
        /// Why.
        error: io::Error,
    },
    /// The target could not be written.
    #[error("HWT502S {name}: writing failed: {error}. Make room or look after the device, then copy again")]
    Write {
        /// The target.
        name: String,
        /// Why.
        error: io::Error,
    },
    /// Page zero never verified.
    #[error(
        "HWT503E {name}: page zero is damaged ({why}), so it is not known how much of the page set is in use. Restore \
            it from a recovery point with recover"
    )]
    PageZero {
        /// The source.
        name: String,
        /// What is wrong with its slots.
        why: String,
    },
    /// The source ends before the pages in use do.
    #[error(
        "HWT504E {name}: it ends at byte {length}, page zero says that {used} bytes are in use: it has been cut \
            short. Restore it from a recovery point with recover"
    )]
    Truncated {
        /// The source.
        name: String,
        /// Bytes that there are.
        length: u64,
        /// Bytes that page zero promises.
        used: u64,
    },
    /// The source is no whole number of records.
    #[error(
        "HWT505E {name}: {length} bytes are not a whole number of 4096-byte records: it is no page set, log or BSDS \
            image, or has been cut short"
    )]
    NotRecords {
        /// The source.
        name: String,
        /// Bytes that there are.
        length: u64,
    },
    /// A newer release wrote the source.
    #[error(
        "HWT506E {name}: its format version is {version}, newer than any known here: use a newer release"
    )]
    Newer {
        /// The source.
        name: String,
        /// The version found.
        version: u64,
    },
    /// The page set is not the one that was wanted.
    #[error("HWT507E {name}: {why}. Nothing was copied")]
    Foreign {
        /// The source.
        name: String,
        /// How it differs.
        why: String,
    },
}

impl CopyError {
    /// How bad it is.
    #[must_use]
    pub const fn code(&self) -> ConditionCode {
        match self {
            Self::Read { .. } | Self::Write { .. } => ConditionCode::Severe,
            _ => ConditionCode::Refused,
        }
    }
}
