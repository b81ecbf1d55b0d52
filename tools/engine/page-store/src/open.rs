//! Opening a page set: everything that must be true of it before its pages are used.

use std::io;
use std::sync::Arc;

use engine_storage::{OpenMode, StorageFile, durable};
use format_pageset::page_zero::{self, ReadPageZero, encode_slot, slot_offset};
use format_pageset::{PageZero, PageZeroError};
use format_types::{PAGE_SIZE, PageSetId, Rba};

use crate::create::page_set_path;
use crate::error::PageError;
use crate::page_set::{Growth, PageSet};
use crate::store::PageStore;

/// A page set that was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenedPageSet {
    /// Log from here on may be missing in it.
    pub recovery_rba: Rba,
    /// Highest RBA that it has seen durable.
    pub highest_synced: Rba,
    /// It was closed cleanly where the log's last clean stop is, and is intact: nothing is missing in it.
    pub clean: bool,
    /// Pages usable.
    pub used_pages: u32,
    /// How it grows.
    pub expand: format_types::Expand,
    /// Pages at creation.
    pub initial_pages: u32,
}

impl PageStore {
    /// Opens a page set. `log_end` is the end of the log, `clean_stop` the log's last clean stop if nothing follows it.
    ///
    /// The current slot of page zero is written again and synced: a process that was killed may have left it in the file
    /// but not on the disk, and the other slot is the next to be overwritten.
    ///
    /// # Errors
    /// In this order: open already, missing, not a page set, newer format, both slots of page zero damaged, of a related history with
    /// a page from behind the cut, another queue manager's, another page set's, another history's, beyond the log, truncated; or the
    /// storage's. One damaged slot is a message, and repaired when page zero is stamped next.
    pub fn open_page_set(
        &mut self,
        page_set: PageSetId,
        log_end: Rba,
        clean_stop: Option<Rba>,
    ) -> Result<OpenedPageSet, PageError> {
        let path = page_set_path(&self.dir, page_set);
        if self.set(page_set).is_ok() {
            return Err(PageError::AlreadyThere { page_set, path });
        }
        let file = match self.storage.open(&path, OpenMode::ReadWrite) {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => {
                return Err(PageError::Missing { page_set, path });
            }
            Err(e) => return Err(PageError::io(page_set, "opening the page set")(e)),
        };
        let bytes = file.len().map_err(PageError::io(page_set, "looking at the page set"))?;
        let read = read_page_zero(file.as_ref(), bytes, page_set)?.map_err(|source| PageError::PageZero {
            page_set,
            path: path.clone(),
            source,
        })?;
        let read = self.take_over(page_set, file.as_ref(), read)?;
        let zero = &read.zero;
        self.check_owner(page_set, &path, zero)?;
        check_log(page_set, zero, log_end)?;
        if bytes < u64::from(zero.pages_used) * PAGE_SIZE as u64 {
            return Err(PageError::Truncated { page_set, path, bytes, used: zero.pages_used });
        }
        for damage in &read.damage {
            self.messages.push(format!(
                "HWT322W PAGE SET {page_set}: {}: {damage}; the other slot is used, page zero is repaired when it is stamped",
                path.display()
            ));
        }
        file.write_at(slot_offset(read.slot), &encode_slot(zero, read.slot, read.sequence))
            .and_then(|()| file.sync())
            .map_err(PageError::io(page_set, "making page zero durable"))?;
        let clean = read.is_intact() && clean_stop.is_some() && zero.closed_cleanly == clean_stop;
        let opened = OpenedPageSet {
            recovery_rba: zero.recovery_rba,
            highest_synced: zero.highest_synced,
            clean,
            used_pages: zero.pages_used,
            expand: zero.expand,
            initial_pages: zero.initial_pages,
        };
        self.log_limit = self.log_limit.max(log_end);
        let recovery_rba = zero.recovery_rba;
        let mut set = PageSet {
            id: page_set,
            file,
            gate: Arc::default(),
            zero: read.zero,
            sequence: read.sequence,
            durable_slot: read.slot,
            recovery_rba,
            redo_from: recovery_rba,
            online: true,
            returning: false,
            written: false,
            unsynced: None,
            stamped: None,
            syncing: None,
            space: None,
            inserting: [None; 3],
            growth: Growth::Possible,
            raised: Vec::new(),
            shortage: false,
            empty: Vec::new(),
        };
        // Without redo the maps are final; otherwise they are read when they are first needed.
        set.space = crate::space::Space::read(&set);
        self.sets[usize::from(page_set.number())] = Some(set);
        Ok(opened)
    }

    /// Forgets a page set and removes its file, durably. Nothing may use it any more.
    ///
    /// # Errors
    /// When a sync of it is under way, or the storage refuses.
    pub fn remove_page_set(&mut self, page_set: PageSetId) -> Result<(), PageError> {
        let set = self.set(page_set)?;
        if set.syncing.is_some() {
            return Err(PageError::io(page_set, "removing the page set")(io::ErrorKind::ResourceBusy.into()));
        }
        let path = page_set_path(&self.dir, page_set);
        self.pool.discard_set(page_set);
        self.sets[usize::from(page_set.number())] = None;
        // Somebody may have removed it already.
        durable::remove_if_there(self.storage.as_ref(), &path)
            .and_then(|_| self.storage.sync_dir(&self.dir))
            .map_err(PageError::io(page_set, "removing the page set"))
    }

    /// Forgets a page set and its pages, written or not. What must stay is written, synced and stamped before.
    pub fn close_page_set(&mut self, page_set: PageSetId) {
        self.pool.discard_set(page_set);
        if let Some(set) = self.sets.get_mut(usize::from(page_set.number())) {
            *set = None;
        }
    }

    fn check_owner(
        &self,
        page_set: PageSetId,
        path: &std::path::Path,
        zero: &PageZero,
    ) -> Result<(), PageError> {
        let path = path.to_owned();
        let identity = &self.identity;
        if zero.queue_manager != identity.queue_manager {
            return Err(PageError::Foreign {
                page_set,
                path,
                found_name: zero.name.clone(),
                found: zero.queue_manager,
                expected_name: identity.name.clone(),
                expected: identity.queue_manager,
            });
        }
        if zero.page_set != page_set {
            return Err(PageError::WrongNumber { page_set, path, found: zero.page_set });
        }
        if zero.history != identity.history {
            let (found, expected) = (zero.history, identity.history);
            return Err(PageError::OtherHistory { page_set, path, found, expected });
        }
        Ok(())
    }
}

fn check_log(page_set: PageSetId, zero: &PageZero, log_end: Rba) -> Result<(), PageError> {
    for (what, rba) in [
        ("the highest RBA in page zero", zero.highest_synced),
        ("the recovery RBA in page zero", zero.recovery_rba),
    ] {
        if rba > log_end {
            return Err(PageError::BeyondLog { page_set, what: what.to_owned(), rba, log_end });
        }
    }
    Ok(())
}

pub(crate) fn read_page_zero(
    file: &dyn StorageFile,
    bytes: u64,
    page_set: PageSetId,
) -> Result<Result<ReadPageZero, PageZeroError>, PageError> {
    let mut page = [0; PAGE_SIZE];
    if bytes < PAGE_SIZE as u64 {
        return Ok(Err(PageZeroError::Length(usize::try_from(bytes).unwrap_or_default())));
    }
    file.read_at(0, &mut page).map_err(PageError::io(page_set, "reading page zero"))?;
    Ok(page_zero::decode(&page))
}
