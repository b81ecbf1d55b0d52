//! Any bytes as a reply of a queue manager: refused, or one that encodes and reads as the same.
#![no_main]

use format_protocol::{FRAME_HEADER, Reply};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(reply) = Reply::decode(bytes) {
        let again = reply.encode().expect("what was read can be written");
        assert_eq!(Reply::decode(&again[FRAME_HEADER..]).as_ref(), Ok(&reply));
    }
});
