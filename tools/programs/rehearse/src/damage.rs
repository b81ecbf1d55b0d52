//! The loss that is rehearsed.

use std::path::Path;

use console::Failure;
use engine_page_store::page_set_path;
use engine_storage::{OpenMode, SharedStorage, durable};
use format_types::{PAGE_SIZE, PageSetId};
use operation_workload::Random;

/// Pages that are overwritten.
const PAGES: u64 = 25;

/// What was done to the page sets.
pub(crate) struct Damage {
    pub(crate) removed: PageSetId,
    pub(crate) corrupted: PageSetId,
    pub(crate) pages: u64,
}

/// Removes one page set, overwrites pages of another (page zero among them).
pub(crate) fn inflict(
    storage: &SharedStorage,
    dir: &Path,
    page_sets: &[PageSetId],
    random: &mut Random,
) -> Result<Damage, Failure> {
    let (Some(&removed), Some(&corrupted)) = (page_sets.last(), page_sets.iter().rev().nth(1)) else {
        return Err(Failure::refused("HWT792E", "a queue manager with two page sets at least is wanted"));
    };
    let failed = |error: std::io::Error| Failure::of(error);
    durable::remove(storage.as_ref(), &page_set_path(dir, removed)).map_err(failed)?;
    let file = storage.open(&page_set_path(dir, corrupted), OpenMode::ReadWrite).map_err(failed)?;
    let pages = file.len().map_err(failed)? / PAGE_SIZE as u64;
    let mut noise = vec![0; PAGE_SIZE];
    for number in 0..PAGES {
        random.fill(&mut noise);
        let page = if number == 0 { 0 } else { random.below(pages) };
        file.write_at(page * PAGE_SIZE as u64, &noise).map_err(failed)?;
    }
    file.sync().map_err(failed)?;
    Ok(Damage { removed, corrupted, pages: PAGES })
}
