//! Changing the BSDS of a queue manager that is down.

use std::path::{Path, PathBuf};

use engine_storage::SharedStorage;
use format_bsds::Bsds;

use crate::LogError;
use crate::bsds_files::{BsdsFiles, Pair, read_pair};

/// The BSDS of a queue manager that is down, read to be changed, once or several times. Whoever has it holds the directory's lock all the
/// while: nobody else may write there.
pub struct BsdsAtRest {
    storage: SharedStorage,
    dir: PathBuf,
    pair: Pair,
    /// Open since the first change. None also when something was odd about the last one: then both copies are read anew.
    files: Option<BsdsFiles>,
    stale: bool,
}

impl BsdsAtRest {
    /// Reads both copies in `dir`.
    ///
    /// # Errors
    /// When neither can be read, or one is of a newer version.
    pub fn read(storage: &SharedStorage, dir: &Path) -> Result<Self, LogError> {
        let pair = read_pair(storage, dir)?;
        Ok(Self { storage: storage.clone(), dir: dir.to_owned(), pair, files: None, stale: false })
    }

    /// What it says.
    #[must_use]
    pub const fn bsds(&self) -> &Bsds {
        &self.pair.bsds
    }

    /// Changes it, durably in copy 1 and then in copy 2 when this returns, and repairs a copy that is not as it should be; gives what
    /// `change` says, and messages for people. A change that is refused writes nothing, nor does one that changes nothing where both
    /// copies are as they should be. Killed at any moment, the change is made or not made.
    ///
    /// # Errors
    /// What `change` says; or when neither copy can be read or written.
    pub fn update<T, E: From<LogError>>(
        &mut self,
        change: impl FnOnce(&mut Bsds) -> Result<T, E>,
    ) -> Result<(T, Vec<String>), E> {
        if self.stale {
            *self = Self::read(&self.storage, &self.dir)?;
        }
        let sound = self.pair.faults.iter().all(Option::is_none);
        let mut changed = self.pair.bsds.clone();
        let answer = change(&mut changed)?;
        let mut messages = Vec::new();
        if sound && changed == self.pair.bsds {
            return Ok((answer, messages));
        }
        self.stale = true;
        let mut files = match self.files.take() {
            Some(files) => files,
            // The change overwrites what is older in either copy, one copy at a time.
            None if sound => BsdsFiles::open_sound(&self.storage, &self.dir, &mut messages)?,
            None => {
                let Pair { bsds, faults } = &mut self.pair;
                BsdsFiles::open(&self.storage, &self.dir, faults, bsds, &mut messages)?
            }
        };
        changed.sequence = self.pair.bsds.sequence + 1;
        files.write(&changed, &mut messages)?;
        self.pair.bsds = changed;
        if messages.is_empty() {
            self.files = Some(files);
            self.stale = false;
        }
        Ok((answer, messages))
    }
}

/// Reads the BSDS in `dir` and changes it: see [`BsdsAtRest::update`]. Gives also what it says then.
///
/// # Errors
/// What `change` says; or when neither copy can be read or written.
pub fn update_bsds_at_rest<T, E: From<LogError>>(
    storage: &SharedStorage,
    dir: &Path,
    change: impl FnOnce(&mut Bsds) -> Result<T, E>,
) -> Result<(T, Bsds, Vec<String>), E> {
    let mut at_rest = BsdsAtRest::read(storage, dir)?;
    let (answer, messages) = at_rest.update(change)?;
    Ok((answer, at_rest.pair.bsds, messages))
}
