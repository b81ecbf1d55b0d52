//! Any bytes as a log record: refused, or a record that encodes and reads as the same.
#![no_main]

use format_log::Record;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(record) = Record::decode(bytes) {
        let mut again = Vec::new();
        record.to_bytes(&mut again);
        assert_eq!(Record::decode(&again).as_ref(), Ok(&record));
        let _ = record.body.page();
    }
});
