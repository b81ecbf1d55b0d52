//! Any bytes as an object definition: refused, or a definition that encodes and reads as the same.
#![no_main]

use format_pageset::ObjectRecord;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(object) = ObjectRecord::decode(bytes) {
        let mut again = Vec::new();
        object.encode(&mut again);
        assert_eq!(ObjectRecord::decode(&again).as_ref(), Ok(&object));
    }
});
