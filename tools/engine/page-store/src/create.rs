//! New page sets.

use std::io;
use std::path::{Path, PathBuf};

use engine_storage::{OpenMode, SharedStorage, Storage, StorageFile, durable};
use format_pageset::page::{self, MAX_PAGES};
use format_pageset::{PageZero, page_zero};
use format_types::{Expand, PAGE_SIZE, PageNumber, PageSetId, Rba};

use crate::error::PageError;
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

impl PageStore {
    /// Makes a new page set of `initial_pages` pages (4 to 16 Mi), all formatted. It needs the log from `at` on. When this returns it is
    /// durable; until then the file has a temporary name.
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
        let path = page_set_path(dir, page_set);
        let failed = |operation| PageError::io(page_set, operation);
        if storage.exists(&path).map_err(failed("looking for the page set"))? {
            return Err(PageError::AlreadyThere { page_set, path });
        }
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
        let temporary = durable::temporary_name(&path);
        let written = write_whole(storage.as_ref(), &temporary, &zero, at);
        if let Err(e) = written {
            // The first error tells more than one of cleaning up.
            let _ = storage.remove(&temporary);
            return Err(failed("formatting the page set")(e));
        }
        durable::rename(storage.as_ref(), &temporary, &path).map_err(failed("naming the page set"))
    }
}

fn write_whole(storage: &dyn Storage, path: &Path, zero: &PageZero, at: Rba) -> io::Result<()> {
    durable::remove_if_there(storage, path)?;
    let file = storage.open(path, OpenMode::CreateNew)?;
    file.allocate(u64::from(zero.pages_used) * PAGE_SIZE as u64)?;
    let mut buffer = Vec::new();
    let mut next = 1;
    while next < zero.pages_used {
        let count = FORMAT_PAGES.min(zero.pages_used - next);
        write_fresh(file.as_ref(), zero.page_set, next, count, at, &mut buffer)?;
        next += count;
    }
    file.write_at(0, &page_zero::encode_page(zero, 1))?;
    file.sync()
}
