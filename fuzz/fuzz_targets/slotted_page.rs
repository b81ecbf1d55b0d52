//! Operations on a slotted page, from a consistent page and from any bytes: nothing panics, a consistent page stays consistent, and a
//! refused operation changes nothing.
#![no_main]

use format_pageset::{PageBytes, slotted};
use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;

#[derive(Debug, Arbitrary)]
enum Operation {
    Insert { slot: u16, length: u16, fill: u8 },
    Append { length: u16, fill: u8 },
    Remove { slot: u16 },
}

fuzz_target!(|input: (Option<Vec<u8>>, Vec<Operation>)| {
    let (start, operations) = input;
    let mut page: PageBytes = [0; 4096];
    slotted::initialise(&mut page);
    if let Some(bytes) = start {
        let length = bytes.len().min(page.len());
        page[..length].copy_from_slice(&bytes[..length]);
    }
    for operation in operations {
        let consistent = slotted::check(&page).is_ok();
        let before = page;
        let result = match operation {
            Operation::Insert { slot, length, fill } => {
                slotted::insert(&mut page, slot % 512, &vec![fill; usize::from(length % 4200)])
            }
            Operation::Append { length, fill } => {
                let length = usize::from(length % 4200);
                match slotted::slot_for(&page, length) {
                    Some(slot) => {
                        let result = slotted::insert(&mut page, slot, &vec![fill; length]);
                        assert!(
                            !consistent || length == 0 || result.is_ok(),
                            "room was promised: {result:?}"
                        );
                        result
                    }
                    None => continue,
                }
            }
            Operation::Remove { slot } => slotted::remove(&mut page, slot % 512),
        };
        if consistent {
            slotted::check(&page).expect("a consistent page stays consistent");
            assert!(result.is_ok() || page == before, "a refused operation changed the page");
        }
        for (slot, record) in slotted::iter(&page) {
            assert_eq!(slotted::record(&page, slot), Some(record));
        }
        let _ = slotted::free_bytes(&page);
    }
});
