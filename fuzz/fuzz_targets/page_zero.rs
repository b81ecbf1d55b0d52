//! Any bytes as page zero: refused with a reason, or a slot that encodes and reads as the same.
#![no_main]

use format_pageset::page_zero;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(read) = page_zero::decode(bytes) {
        let again =
            page_zero::decode(&page_zero::encode_page(&read.zero, read.sequence)).map(|read| read.zero);
        assert_eq!(again.as_ref(), Ok(&read.zero));
    }
});
