//! What a recovery point will be: everything that is known when it is begun.

use std::path::{Path, PathBuf};

use engine_storage::SharedStorage;
use format_types::{
    HistoryId, PageSetId, PointMethod, QueueManagerId, QueueManagerName, Rba, SystemRecovery, Timestamp,
};

use crate::error::PointError;

/// Name of the BSDS copy in a point's directory.
pub const BSDS_FILE: &str = "BSDS";

/// Name of the DEFINE statements in a point's directory.
pub const DEFINITIONS_FILE: &str = "DEFINITIONS";

/// Ends the name of a point's directory until it is published.
const MAKING: &str = ".making";

/// A recovery point that is being made. Registered in the BSDS before this exists, so that the log it needs is held.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PointPlan {
    /// Its name.
    pub name: String,
    /// The directory that it will be.
    pub directory: PathBuf,
    /// The queue manager's directory.
    pub source: PathBuf,
    /// The queue manager.
    pub queue_manager: QueueManagerName,
    /// Its identity.
    pub queue_manager_id: QueueManagerId,
    /// The log history of all RBAs here.
    pub history: HistoryId,
    /// How it is made.
    pub method: PointMethod,
    /// When it was begun.
    pub at: Timestamp,
    /// End of the log when the backup was registered.
    pub start: Rba,
    /// The page sets to be copied.
    pub page_sets: Vec<PageSetId>,
    /// The system recovery RBA when the backup was registered.
    pub system_recovery: SystemRecovery,
}

impl PointPlan {
    /// The directory that the point is made in until it is published.
    #[must_use]
    pub fn temporary(&self) -> PathBuf {
        let mut name = self.directory.file_name().unwrap_or_default().to_owned();
        name.push(MAKING);
        self.directory.with_file_name(name)
    }

    /// Name of a page set's copy.
    #[must_use]
    pub fn page_set_file(page_set: PageSetId) -> String {
        format!("PSID{page_set}")
    }

    /// Makes the temporary directory, empty; what a killed attempt left there goes.
    ///
    /// # Errors
    /// When the point's directory is there already, or storage refuses.
    pub fn begin(&self, storage: &SharedStorage) -> Result<(), PointError> {
        check_free(storage, &self.directory)?;
        self.abandon(storage)?;
        let temporary = self.temporary();
        storage.create_dir(&temporary).map_err(|e| PointError::storage("making directory", &temporary, e))
    }

    /// Removes the temporary directory with all that is in it.
    ///
    /// # Errors
    /// When storage refuses.
    pub fn abandon(&self, storage: &SharedStorage) -> Result<(), PointError> {
        let temporary = self.temporary();
        let failed = |error| PointError::storage("clearing directory", &temporary, error);
        if !storage.exists(&temporary).map_err(failed)? {
            return Ok(());
        }
        for name in storage.list(&temporary).map_err(failed)? {
            storage.remove(&temporary.join(name)).map_err(failed)?;
        }
        storage.remove_dir(&temporary).map_err(failed)
    }
}

/// Refuses a directory that is there.
pub(crate) fn check_free(storage: &SharedStorage, directory: &Path) -> Result<(), PointError> {
    match storage.exists(directory) {
        Ok(false) => Ok(()),
        Ok(true) => Err(PointError::Exists(directory.to_owned())),
        Err(error) => Err(PointError::storage("looking for", directory, error)),
    }
}
