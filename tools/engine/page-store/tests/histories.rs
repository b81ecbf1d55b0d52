//! Page sets of another log history: taken over when nothing in them is from behind the cut, else refused with the page.

mod memory_log;

use std::path::Path;

use engine_page_store::{PageError, PageStore, check_reach, page_set_path, take_over_copy};
use engine_storage::{MemoryStorage, OpenMode, SharedFile, SharedStorage};
use format_pageset::page_zero::{decode, encode_page};
use format_pageset::{PageBytes, PageType, PageZero, page};
use format_types::{Expand, HistoryId, PAGE_SIZE, PageAddress, PageNumber, Rba};
use memory_log::{dir, identity, set, store};

const PARENT: HistoryId = HistoryId { number: 77, random: 1 };
const CUT: Rba = Rba(5000);
const END: Rba = Rba(9000);

fn file(storage: &SharedStorage) -> SharedFile {
    storage.open(&page_set_path(dir(), set(1)), OpenMode::ReadWrite).unwrap()
}

fn zero(storage: &SharedStorage) -> PageZero {
    let mut bytes = [0; PAGE_SIZE];
    file(storage).read_at(0, &mut bytes).unwrap();
    decode(&bytes).unwrap().zero
}

/// A page set of the parent history that was stamped long behind the cut.
fn parents() -> SharedStorage {
    let storage = MemoryStorage::shared();
    storage.create_dir(dir()).unwrap();
    PageStore::create_page_set(&storage, dir(), &identity(), set(1), 50, Expand::User, Rba(4096)).unwrap();
    let zero = PageZero {
        history: PARENT,
        highest_synced: Rba(8000),
        recovery_rba: Rba(7500),
        closed_cleanly: Some(Rba(8000)),
        ..zero(&storage)
    };
    file(&storage).write_at(0, &encode_page(&zero, 5)).unwrap();
    storage
}

/// Writes page `number` as one that was last changed at `rba`.
fn change(storage: &SharedStorage, number: u32, rba: Rba) {
    let mut bytes: PageBytes = [0; PAGE_SIZE];
    page::format(&mut bytes, PageAddress::new(set(1), PageNumber(number)), PageType::Free, rba, rba);
    page::seal(&mut bytes);
    file(storage).write_at(PageNumber(number).offset(), &bytes).unwrap();
}

fn open(storage: &SharedStorage) -> Result<(PageStore, Rba), PageError> {
    let mut store = store(storage, 10);
    store.set_relatives(vec![(PARENT, CUT)]);
    let opened = store.open_page_set(set(1), END, Some(Rba(8000)))?;
    assert!(!opened.clean, "it was closed cleanly in another history");
    Ok((store, opened.recovery_rba))
}

#[test]
fn what_holds_nothing_from_behind_the_cut_is_stamped_with_the_new_history_and_opened() {
    let storage = parents();
    change(&storage, 9, CUT);
    let (mut store, recovery_rba) = open(&storage).unwrap();
    // All below the cut is in it; what page zero said of log behind the cut is not believed.
    assert_eq!(recovery_rba, CUT);
    assert!(store.take_messages()[0].starts_with("HWT292I PAGE SET 01 "));
    let zero = zero(&storage);
    assert_eq!((zero.history, zero.closed_cleanly), (identity().history, None));
    assert_eq!((zero.recovery_rba, zero.highest_synced), (CUT, CUT));
}

#[test]
fn a_page_from_behind_the_cut_is_named_wherever_it_lies() {
    // In use, the last one, and in the tail of the file that is not in use yet.
    for number in [2, 49, 60] {
        let storage = parents();
        file(&storage).set_len(64 * PAGE_SIZE as u64).unwrap();
        change(&storage, number, CUT.plus(1));
        let error = open(&storage).map(drop).unwrap_err();
        let expected = PageNumber(number);
        assert!(matches!(&error, PageError::BehindCut { at, .. } if at.page == expected), "{error}");
        assert!(matches!(check_reach(&storage, dir(), set(1), CUT), Err(PageError::BehindCut { .. })));
        assert!(check_reach(&storage, dir(), set(1), CUT.plus(1)).is_ok());
        assert_eq!(zero(&storage).history, PARENT, "it was stamped all the same");
    }
}

#[test]
fn a_page_that_cannot_be_believed_is_not_passed_over() {
    let storage = parents();
    file(&storage).set_len(64 * PAGE_SIZE as u64).unwrap();
    // Behind the pages in use nothing needs to be a page.
    file(&storage).write_at(PageNumber(60).offset() + 100, &[1]).unwrap();
    assert!(check_reach(&storage, dir(), set(1), CUT).is_ok());
    file(&storage).write_at(PageNumber(20).offset() + 100, &[1]).unwrap();
    let error = open(&storage).map(drop).unwrap_err();
    assert!(matches!(&error, PageError::CannotBeShown { at, .. } if at.page == PageNumber(20)), "{error}");
}

#[test]
fn an_unrelated_history_is_refused() {
    let storage = parents();
    let mut store = store(&storage, 10);
    store.set_relatives(vec![(HistoryId { number: 78, random: 1 }, CUT)]);
    assert!(matches!(store.open_page_set(set(1), END, None), Err(PageError::OtherHistory { .. })));
    let taken = take_over_copy(&storage, dir(), set(1), identity().history, &[], CUT);
    assert!(matches!(taken, Err(PageError::OtherHistory { .. })));
}

#[test]
fn a_copy_that_ended_before_the_cut_needs_no_look_at_its_pages() {
    let relatives = [(PARENT, CUT)];
    let take = |storage: &SharedStorage, end: Rba| {
        take_over_copy(storage, Path::new(dir()), set(1), identity().history, &relatives, end)
    };
    let storage = parents();
    assert!(take(&storage, CUT).unwrap());
    assert!(!take(&storage, CUT).unwrap(), "it is of this history already");
    assert_eq!((zero(&storage).history, zero(&storage).recovery_rba), (identity().history, CUT));
    // One that ended later is looked through.
    let storage = parents();
    change(&storage, 30, CUT.plus(1));
    assert!(matches!(take(&storage, CUT.plus(1)), Err(PageError::BehindCut { .. })));
}
