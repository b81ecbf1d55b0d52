//! Any bytes as a fragment of a message: refused, or a fragment that encodes and reads as the same.
#![no_main]

use format_pageset::Fragment;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(fragment) = Fragment::decode(bytes) {
        let mut again = Vec::new();
        fragment.encode(&mut again);
        assert_eq!(Fragment::decode(&again).as_ref(), Ok(&fragment));
    }
});
