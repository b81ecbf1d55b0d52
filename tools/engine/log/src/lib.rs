//! The log manager: the writer of the recovery log, the reader that stands alone, offload, and the BSDS.
//!
//! [`LogManager`] is the one writer. It keeps the unwritten end of the log in memory, cuts records into control intervals, writes
//! both copies, hands out syncs as [`SyncJob`]s and offloads as [`OffloadJob`]s, and switches data sets by itself. [`LogReader`] reads
//! the files of a queue manager that is down, or those of a running one as far as they are on disk, and repairs nothing.
//!
//! What must hold at any moment, so that any crash leaves a log that can be read:
//! - a record is acknowledged when every working copy is synced past it; a copy that failed is named in the BSDS before that;
//! - at most [`LogManager::buffer_limit`] bytes are unsynced, and they lie in one data set: the next one is begun when all before
//!   is synced and the BSDS names it;
//! - a failed sync is never tried again: the copy is given up, and with the last copy the log manager;
//! - a data set is reused only when both copies of the BSDS name its archive.

mod agreement;
mod append;
mod archive_header;
mod bsds_at_rest;
mod bsds_files;
mod buffer;
mod chunks;
mod compare;
mod completion;
mod copies;
mod create;
mod data_sets;
mod end;
mod error;
mod extract;
pub mod history;
mod inventories;
mod manager;
mod messages;
mod missing;
mod names;
mod new_history;
mod offload;
mod offload_job;
mod offload_target;
mod reader;
mod rebuild;
mod rebuild_gaps;
mod rebuild_records;
mod restart;
mod stream;
mod survey;
mod switch;
mod sync;

pub use archive_header::{ArchiveHeader, NotTheArchive, check_archive, check_bsds_copy};
pub use bsds_at_rest::{BsdsAtRest, update_bsds_at_rest};
pub use compare::{Comparison, CopyFault, compare_copies, compare_copies_while};
pub use create::NewLog;
pub use end::LogEnd;
pub use error::LogError;
pub use extract::{ExtractedLog, LogExtract};
pub use inventories::Inventories;
pub use manager::LogManager;
pub use missing::Missing;
pub use names::{BSDS_NAMES, active_name, archive_bsds_name, archive_name, bsds_name_beside};
pub use new_history::NewHistory;
pub use offload_job::{OffloadJob, OffloadOutcome, OffloadStep};
pub use reader::{LogReader, OwnedRecord};
pub use rebuild::{PageSetWitness, RebuiltBsds, rebuild_bsds, refuse_good_bsds, write_rebuilt_bsds};
pub use rebuild_gaps::LogGap;
pub use stream::RecordStream;
pub use survey::{LogContent, LogFile, LogFileKind, LogSurvey, UnusableFile, archive_copy};
pub use sync::{SyncJob, SyncOutcome, SyncPart, SyncPartOutcome};

/// Reads the BSDS of the queue manager in `dir`: the newest valid image of either copy. Repairs nothing.
///
/// # Errors
/// When neither copy can be read, or one is of a newer version.
pub fn read_bsds(
    storage: &engine_storage::SharedStorage,
    dir: &std::path::Path,
) -> Result<format_bsds::Bsds, LogError> {
    Ok(bsds_files::read_pair(storage, dir)?.bsds)
}

/// Whether the BSDS of the queue manager in `dir` is not newer than `sequence`; false also when that takes reading it whole.
#[must_use]
pub fn bsds_is_newest(storage: &engine_storage::SharedStorage, dir: &std::path::Path, sequence: u64) -> bool {
    bsds_files::is_newest(storage, dir, sequence)
}
