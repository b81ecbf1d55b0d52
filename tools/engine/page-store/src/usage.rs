//! How full page sets and the buffer pool are.

use std::io::ErrorKind;
use std::path::Path;

use engine_storage::{OpenMode, SharedStorage};
use format_pageset::PageState;
use format_types::{BufferPoolUsage, Expand, PageSetId, PageSetUsage, Rba};

use crate::create::page_set_path;
use crate::error::PageError;
use crate::open::read_page_zero;
use crate::space::Space;
use crate::store::PageStore;

/// The use of page sets that nobody has open, read from their files: page zero and space maps. A page set whose file is missing or
/// damaged is shown offline, with recovery RBA zero when its page zero cannot be read.
///
/// # Errors
/// When the storage refuses, other than for a missing file.
pub fn usage_at_rest(
    storage: &SharedStorage,
    dir: &Path,
    page_sets: &[PageSetId],
) -> Result<Vec<PageSetUsage>, PageError> {
    page_sets.iter().map(|page_set| one_at_rest(storage, dir, *page_set)).collect()
}

fn one_at_rest(storage: &SharedStorage, dir: &Path, page_set: PageSetId) -> Result<PageSetUsage, PageError> {
    let mut usage = PageSetUsage {
        page_set,
        buffer_pool: 0,
        online: false,
        total_pages: 0,
        unused_pages: 0,
        persistent_pages: 0,
        nonpersistent_pages: 0,
        expand: Expand::None,
        expansions: 0,
        recovery_rba: Rba::ZERO,
    };
    let file = match storage.open(&page_set_path(dir, page_set), OpenMode::Read) {
        Ok(file) => file,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(usage),
        Err(error) => return Err(PageError::io(page_set, "opening the page set")(error)),
    };
    let bytes = file.len().map_err(PageError::io(page_set, "looking at the page set"))?;
    let Ok(read) = read_page_zero(file.as_ref(), bytes, page_set)? else { return Ok(usage) };
    let zero = read.zero;
    usage.online = true;
    usage.total_pages = u64::from(zero.pages_used);
    usage.expand = zero.expand;
    usage.expansions = u32::from(zero.expansions);
    usage.recovery_rba = zero.recovery_rba;
    if let Some(space) = Space::read_from(file.as_ref(), page_set, zero.pages_used) {
        let count = |state: PageState| u64::from(space.counts[usize::from(state.code())]);
        usage.unused_pages = count(PageState::Free);
        usage.nonpersistent_pages = count(PageState::NonPersistent);
    }
    usage.persistent_pages = usage.total_pages.saturating_sub(usage.unused_pages + usage.nonpersistent_pages);
    Ok(usage)
}

impl PageStore {
    /// The page sets that are open and online, in order.
    #[must_use]
    pub fn online_page_sets(&self) -> Vec<PageSetId> {
        self.sets.iter().flatten().filter(|set| set.online).map(|set| set.id).collect()
    }

    /// The open page sets, offline ones included. A page set whose maps were not read since redo changed them, or that is offline,
    /// shows no unused and no nonpersistent pages; [`Self::finish_redo`] and every insertion read them.
    #[must_use]
    pub fn usage(&self) -> Vec<PageSetUsage> {
        self.sets
            .iter()
            .flatten()
            .map(|set| {
                let count = |state: PageState| {
                    let counts = set.space.as_ref().map(|space| space.counts[usize::from(state.code())]);
                    u64::from(counts.unwrap_or_default())
                };
                let total_pages = u64::from(set.used());
                let unused_pages = count(PageState::Free);
                let nonpersistent_pages = count(PageState::NonPersistent);
                PageSetUsage {
                    page_set: set.id,
                    buffer_pool: 0,
                    online: set.online,
                    total_pages,
                    unused_pages,
                    persistent_pages: total_pages.saturating_sub(unused_pages + nonpersistent_pages),
                    nonpersistent_pages,
                    expand: set.zero.expand,
                    expansions: u32::from(set.zero.expansions),
                    recovery_rba: set.recovery_rba,
                }
            })
            .collect()
    }

    /// The buffer pool.
    #[must_use]
    pub fn pool_usage(&self) -> BufferPoolUsage {
        let available = self.pool.len() as u64;
        let stealable = available - self.pool.dirty_frames() as u64;
        BufferPoolUsage { buffer_pool: 0, available, stealable }
    }
}
