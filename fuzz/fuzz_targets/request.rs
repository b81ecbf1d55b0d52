//! Any bytes as a request to a queue manager: refused, or one that encodes to the same bytes.
#![no_main]

use format_protocol::{FRAME_HEADER, Request, split_frame};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = split_frame(bytes);
    if let Ok(request) = Request::decode(bytes) {
        let again = request.encode().expect("what was read can be written");
        assert_eq!(Request::decode(&again[FRAME_HEADER..]).as_ref(), Ok(&request));
    }
});
