//! Any bytes as a journal: read to its end or refused at a line.
#![no_main]

use format_journal::{Reader, encode_entry};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(mut reader) = Reader::open(bytes) else { return };
    let mut number = 1;
    while let Ok(Some(entry)) = reader.next_entry() {
        number += 1;
        let line = encode_entry(number, &entry);
        assert!(bytes.windows(line.len()).any(|part| part == line.as_bytes()), "two lines say the same");
    }
});
