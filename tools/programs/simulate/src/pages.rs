//! Page sets at rest, after a clean stop: every page against its checksum, the space maps, and the chains of messages.

use std::collections::BTreeMap;
use std::path::Path;

use engine_storage::{OpenMode, SharedFile, SharedStorage};
use format_pageset::page::PageBytes;
use format_pageset::record::{TAG_MESSAGE_HEAD, TAG_MESSAGE_REST};
use format_pageset::{
    PageState, PageType, RecordPrefix, SlotAddress, page_zero, slotted, space_map, verify_page,
};
use format_types::{PAGE_SIZE, PageAddress, PageNumber, PageSetId};

use crate::model::Broken;

/// Records of messages on a page set, by place.
type Fragments = BTreeMap<SlotAddress, RecordPrefix>;

fn read(file: &SharedFile, page: u32) -> Result<PageBytes, Broken> {
    let mut bytes = [0; PAGE_SIZE];
    let offset = u64::from(page) * PAGE_SIZE as u64;
    file.read_at(offset, &mut bytes).map_err(|error| error.to_string())?;
    Ok(bytes)
}

/// Checks page set `page_set` of the queue manager in `dir`.
///
/// # Errors
/// What contradicts what.
pub(crate) fn check(storage: &SharedStorage, dir: &Path, page_set: PageSetId) -> Result<(), Broken> {
    let path = dir.join(format!("PSID{page_set}"));
    let at = |what: String| format!("page set {page_set}: {what}");
    let file = storage.open(&path, OpenMode::Read).map_err(|error| at(error.to_string()))?;
    let zero = page_zero::decode(&read(&file, 0)?).map_err(|error| at(error.to_string()))?.zero;
    if zero.closed_cleanly.is_none() {
        return Err(at("page zero does not say that it was closed cleanly".to_owned()));
    }
    let mut map = [0; PAGE_SIZE];
    let mut fragments = Fragments::new();
    for number in 1..zero.pages_used {
        let page = read(&file, number)?;
        let on_page = |what: String| at(format!("page {number}: {what}"));
        let address = PageAddress::new(page_set, PageNumber(number));
        let header = verify_page(&page, address).map_err(|error| on_page(error.to_string()))?;
        if space_map::is_map(PageNumber(number)) {
            if header.page_type != PageType::Map {
                return Err(on_page(format!("a space map belongs there, not a {:?} page", header.page_type)));
            }
            map = page;
            continue;
        }
        let index = (number - 1) % space_map::COVERED;
        let state =
            space_map::state(&map, index).ok_or_else(|| on_page("no state in the space map".to_owned()))?;
        let records = if header.page_type.is_slotted() {
            slotted::check(&page).map_err(|error| on_page(error.to_string()))?;
            slotted::records(&page)
        } else {
            0
        };
        let agrees = match state {
            PageState::Free => records == 0,
            state => state.page_type() == header.page_type,
        };
        if !agrees {
            let what = header.page_type;
            return Err(on_page(format!(
                "the space map says {state:?}, it is a {what:?} page of {records} records"
            )));
        }
        collect(&page, header.page_type, number, &mut fragments).map_err(on_page)?;
    }
    check_chains(&fragments).map_err(at)
}

fn collect(page: &PageBytes, kind: PageType, number: u32, fragments: &mut Fragments) -> Result<(), Broken> {
    if !kind.is_slotted() {
        return Ok(());
    }
    for (slot, record) in slotted::iter(page) {
        let prefix = RecordPrefix::decode(record).map_err(|error| format!("slot {slot}: {error}"))?;
        let message = matches!(prefix.tag, TAG_MESSAGE_HEAD | TAG_MESSAGE_REST);
        let belongs = match kind {
            PageType::Object => !message,
            PageType::Persistent => message && prefix.flags == 1,
            _ => message && prefix.flags == 0,
        };
        if !belongs {
            return Err(format!(
                "slot {slot}: record tag {:02X} does not belong on a {kind:?} page",
                prefix.tag
            ));
        }
        if message {
            fragments.insert(SlotAddress { page: PageNumber(number), slot }, prefix);
        }
    }
    Ok(())
}

/// Every message is whole, and every fragment belongs to one.
fn check_chains(fragments: &Fragments) -> Result<(), Broken> {
    let mut reached = 0;
    for (place, head) in fragments.iter().filter(|(_, prefix)| prefix.tag == TAG_MESSAGE_HEAD) {
        reached += 1;
        let mut next = head.next;
        while let Some(at) = next {
            match fragments.get(&at) {
                Some(rest) if rest.tag == TAG_MESSAGE_REST && rest.key == head.key => {
                    reached += 1;
                    next = rest.next;
                }
                other => {
                    return Err(format!(
                        "message {:016X} at {place:?} goes on at {at:?}, where {other:?} is",
                        head.key
                    ));
                }
            }
        }
    }
    if reached == fragments.len() {
        return Ok(());
    }
    let heads: Vec<u64> =
        fragments.values().filter(|prefix| prefix.tag == TAG_MESSAGE_HEAD).map(|prefix| prefix.key).collect();
    let orphan = fragments.iter().find(|(_, prefix)| !heads.contains(&prefix.key));
    Err(format!("{} fragments belong to no message, the first is {orphan:?}", fragments.len() - reached))
}
