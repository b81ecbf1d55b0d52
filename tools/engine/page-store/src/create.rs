//! New page sets.

use std::io;
use std::path::{Path, PathBuf};

use engine_storage::{OpenMode, SharedFile, SharedStorage, StorageFile, durable};
use format_pageset::page::{self, MAX_PAGES};
use format_pageset::{PageState, PageZero, page_zero};
use format_types::{Expand, PAGE_SIZE, PageNumber, PageSetId, Rba};

use crate::error::PageError;
use crate::open::read_page_zero;
use crate::space::Space;
use crate::store::{PageStore, StoreIdentity};

/// Pages formatted by one write: 1 MiB.
pub(crate) const FORMAT_PAGES: u32 = 256;

/// Fewest pages of a page set: page zero, a space map and two to use.
const MIN_PAGES: u32 = 4;

/// The file of a page set in a queue manager's directory.
#[must_use]
pub fn page_set_path(dir: &Path, page_set: PageSetId) -> PathBuf {
    dir.join(format!("PSID{page_set}"))
}

/// Writes fresh pages, `count` from `first` on, in one write.
pub(crate) fn write_fresh(
    file: &dyn StorageFile,
    page_set: PageSetId,
    first: u32,
    count: u32,
    rba: Rba,
    buffer: &mut Vec<u8>,
) -> io::Result<()> {
    buffer.clear();
    buffer.reserve(count as usize * PAGE_SIZE);
    for number in first..first + count {
        buffer.extend_from_slice(&page::fresh(page_set, PageNumber(number), rba));
    }
    file.write_at(PageNumber(first).offset(), buffer)
}

/// The formatting of a new page set: step it on any thread. Until the last step the file has a temporary name; then it is durable.
pub struct CreateJob {
    storage: SharedStorage,
    path: PathBuf,
    temporary: PathBuf,
    zero: PageZero,
    file: Option<SharedFile>,
    next: u32,
    buffer: Vec<u8>,
    replaces_unused: bool,
}

/// What a step came to.
#[derive(Debug)]
pub enum CreateStep {
    /// There is more to do.
    More,
    /// It is over.
    Done(CreateOutcome),
}

/// What came of making a page set.
#[derive(Debug)]
pub struct CreateOutcome {
    /// The page set.
    pub page_set: PageSetId,
    /// Whether it is there now, under its name.
    pub result: Result<(), PageError>,
}

impl CreateJob {
    /// A page set of `initial_pages` pages (4 to 16 Mi) that needs the log from `at` on.
    #[must_use]
    pub fn new(
        storage: &SharedStorage,
        dir: &Path,
        identity: &StoreIdentity,
        page_set: PageSetId,
        initial_pages: u32,
        expand: Expand,
        at: Rba,
    ) -> Self {
        let path = page_set_path(dir, page_set);
        let pages = initial_pages.clamp(MIN_PAGES, MAX_PAGES);
        let zero = PageZero {
            queue_manager: identity.queue_manager,
            name: identity.name.clone(),
            page_set,
            history: identity.history,
            recovery_rba: at,
            highest_synced: at,
            pages_used: pages,
            extents: 1,
            expansions: 0,
            expand,
            initial_pages: pages,
            closed_cleanly: None,
        };
        Self {
            storage: storage.clone(),
            temporary: durable::temporary_name(&path),
            path,
            zero,
            file: None,
            next: 1,
            buffer: Vec::new(),
            replaces_unused: false,
        }
    }

    /// A file of this name that an interrupted making left behind, and that was never used, is replaced. The caller knows that nobody
    /// lists it and nobody has it open.
    #[must_use]
    pub fn replacing_unused(mut self) -> Self {
        self.replaces_unused = true;
        self
    }

    /// The file gets this name instead of the page set's own: it is to take the place of another later.
    #[must_use]
    pub fn named(mut self, path: PathBuf) -> Self {
        self.temporary = durable::temporary_name(&path);
        self.path = path;
        self
    }

    /// Formats the next 1 MiB; after the last, syncs and gives the file its name.
    pub fn step(&mut self) -> CreateStep {
        let page_set = self.zero.page_set;
        match self.advance() {
            Ok(false) => CreateStep::More,
            Ok(true) => CreateStep::Done(CreateOutcome { page_set, result: Ok(()) }),
            Err(error) => {
                if self.file.take().is_some() {
                    // The first error tells more than one of cleaning up.
                    let _ = self.storage.remove(&self.temporary);
                }
                CreateStep::Done(CreateOutcome { page_set, result: Err(error) })
            }
        }
    }

    fn advance(&mut self) -> Result<bool, PageError> {
        let page_set = self.zero.page_set;
        let failed = |operation| PageError::io(page_set, operation);
        let Some(file) = &self.file else {
            let there = self.storage.exists(&self.path).map_err(failed("looking for the page set"))?;
            if there && !self.is_unused() {
                return Err(PageError::AlreadyThere { page_set, path: self.path.clone() });
            }
            let file = durable::remove_if_there(self.storage.as_ref(), &self.temporary)
                .and_then(|_| self.storage.open(&self.temporary, OpenMode::CreateNew))
                .map_err(failed("making the page set"))?;
            self.file = Some(file.clone());
            file.allocate(u64::from(self.zero.pages_used) * PAGE_SIZE as u64)
                .map_err(failed("making room for the page set"))?;
            return Ok(false);
        };
        if self.next < self.zero.pages_used {
            let count = FORMAT_PAGES.min(self.zero.pages_used - self.next);
            let at = self.zero.recovery_rba;
            write_fresh(file.as_ref(), page_set, self.next, count, at, &mut self.buffer)
                .map_err(failed("formatting the page set"))?;
            self.next += count;
            return Ok(false);
        }
        file.write_at(0, &page_zero::encode_page(&self.zero, FIRST_SEQUENCE))
            .and_then(|()| file.sync())
            .map_err(failed("formatting the page set"))?;
        // Another may have come by the name meanwhile.
        if self.storage.exists(&self.path).map_err(failed("looking for the page set"))? && !self.is_unused() {
            return Err(PageError::AlreadyThere { page_set, path: self.path.clone() });
        }
        durable::rename(self.storage.as_ref(), &self.temporary, &self.path)
            .map_err(failed("naming the page set"))?;
        Ok(true)
    }

    /// Whether the file of this name may be replaced, for it is what an interrupted making left behind: a page set of this queue manager
    /// that was never opened for work, with nothing on it. Its inventory entry was to follow, and never came.
    fn is_unused(&self) -> bool {
        if !self.replaces_unused {
            return false;
        }
        let Ok(file) = self.storage.open(&self.path, OpenMode::Read) else { return false };
        let Ok(bytes) = file.len() else { return false };
        let Ok(Ok(read)) = read_page_zero(file.as_ref(), bytes, self.zero.page_set) else { return false };
        let zero = &read.zero;
        let fresh = zero.queue_manager == self.zero.queue_manager
            && zero.page_set == self.zero.page_set
            && zero.closed_cleanly.is_none()
            && (zero.extents, zero.expansions) == (1, 0)
            && zero.recovery_rba == zero.highest_synced
            && read.sequence <= FIRST_SEQUENCE + 1;
        let empty = |space: Space| {
            let used = |state: PageState| space.counts[usize::from(state.code())] > 0;
            !used(PageState::Object) && !used(PageState::Persistent) && !used(PageState::NonPersistent)
        };
        fresh && Space::read_from(file.as_ref(), zero.page_set, zero.pages_used).is_some_and(empty)
    }
}

/// Sequence number of the first slot of a new page zero; the second has the next one.
const FIRST_SEQUENCE: u64 = 1;

impl PageStore {
    /// Makes a new page set as a [`CreateJob`] does, here and now.
    ///
    /// # Errors
    /// When the file exists already, or the storage refuses.
    pub fn create_page_set(
        storage: &SharedStorage,
        dir: &Path,
        identity: &StoreIdentity,
        page_set: PageSetId,
        initial_pages: u32,
        expand: Expand,
        at: Rba,
    ) -> Result<(), PageError> {
        let mut job = CreateJob::new(storage, dir, identity, page_set, initial_pages, expand, at);
        loop {
            if let CreateStep::Done(outcome) = job.step() {
                return outcome.result;
            }
        }
    }
}
