//! What a queue manager that was stopped cleanly would answer: its DEFINE statements, read from its files without changing them.

use std::path::Path;

use engine_page_store::{RecordAddress, page_set_path};
use engine_storage::{OpenMode, SharedStorage};
use format_bsds::Bsds;
use format_pageset::{ObjectRecord, PageType, page_zero, slotted, verify_page};
use format_types::{PAGE_SIZE, PageAddress, PageNumber, PageSetId};

use crate::catalog::Catalog;
use crate::{CoreError, command};

/// Pages read at once.
const RUN: u32 = 256;

/// DEFINE statements of all objects, as the running queue manager gives them. After a clean stop page set 00 holds the objects and nothing
/// that is to be undone; after a crash the answer would be worth nothing, so callers look for the clean stop first. A page that does not
/// verify is left out: whoever copies the page set is told of it.
///
/// # Errors
/// When page set 00 cannot be read, or an object on a sound page does not read.
pub fn definitions_at_rest(
    storage: &SharedStorage,
    dir: &Path,
    bsds: &Bsds,
) -> Result<Vec<String>, CoreError> {
    let path = page_set_path(dir, PageSetId::ZERO);
    let io = |source| CoreError::Io { what: "READ", path: path.clone(), source };
    let file = storage.open(&path, OpenMode::Read).map_err(io)?;
    let mut first = vec![0; PAGE_SIZE];
    file.read_at(0, &mut first).map_err(io)?;
    let zero = page_zero::decode(&first)
        .map_err(|error| CoreError::Contradiction(format!("{}: {error}", path.display())))?
        .zero;
    let mut catalog = Catalog::default();
    let mut at = 1;
    let mut bytes = vec![0; RUN as usize * PAGE_SIZE];
    while at < zero.pages_used {
        let count = RUN.min(zero.pages_used - at);
        let run = bytes.get_mut(..count as usize * PAGE_SIZE).unwrap_or_default();
        file.read_at(PageNumber(at).offset(), run).map_err(io)?;
        for (number, page) in (at..).zip(run.chunks_exact(PAGE_SIZE)) {
            take_objects(&mut catalog, PageNumber(number), page)?;
        }
        at += count;
    }
    Ok(command::definitions_of(&bsds.page_sets, &catalog))
}

fn take_objects(catalog: &mut Catalog, number: PageNumber, bytes: &[u8]) -> Result<(), CoreError> {
    let Ok(header) = verify_page(bytes, PageAddress::new(PageSetId::ZERO, number)) else { return Ok(()) };
    let Ok(whole) = bytes.try_into() else { return Ok(()) };
    if header.page_type != PageType::Object {
        return Ok(());
    }
    for (slot, record) in slotted::iter(whole) {
        let at = RecordAddress { page_set: PageSetId::ZERO, page: number, slot };
        let object = ObjectRecord::decode(record).map_err(|error| {
            CoreError::Contradiction(format!(
                "RECORD {slot} ON PAGE SET 00 PAGE {number} CANNOT BE READ ({error}): recover the page set"
            ))
        })?;
        catalog.insert(at, object);
    }
    Ok(())
}
