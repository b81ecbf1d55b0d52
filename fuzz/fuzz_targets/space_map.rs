//! Any bytes as a space map: states are read or refused, runs are set inside the map or refused.
#![no_main]

use format_pageset::{PageBytes, PageState, space_map};
use format_types::PageNumber;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (Vec<u8>, u32, u32, u16, u8)| {
    let (bytes, map, first, count, state) = input;
    let mut page: PageBytes = [0; 4096];
    let length = bytes.len().min(page.len());
    page[..length].copy_from_slice(&bytes[..length]);
    let before = space_map::count_states(&page, u32::MAX);
    if let Some(found) = space_map::find_free(&page, first % 9000, u32::MAX) {
        assert_eq!(space_map::state(&page, found), Some(PageState::Free));
    }
    if let Some(state) = PageState::from_code(state % 8) {
        let result = space_map::set_run(&mut page, PageNumber(map), PageNumber(first), count, state);
        match result {
            Ok(()) if count > 0 => assert_eq!(space_map::state(&page, first - map), Some(state)),
            Ok(()) => {}
            Err(_) => assert_eq!(space_map::count_states(&page, u32::MAX), before),
        }
    }
});
