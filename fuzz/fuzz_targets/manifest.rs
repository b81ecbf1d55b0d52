//! Any bytes as a manifest: refused, or one that encodes and reads as the same.
#![no_main]

use format_manifest::Manifest;
use format_types::crc32c;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    check(bytes);
    // With a right last line, so that the document itself is reached.
    let mut sealed = bytes.to_vec();
    let checksum = crc32c(&sealed);
    sealed.extend_from_slice(format!("  \"checksum\": \"{checksum:08X}\"}}\n").as_bytes());
    check(&sealed);
});

fn check(bytes: &[u8]) {
    if let Ok(manifest) = Manifest::decode(bytes) {
        let again = manifest.encode().expect("what was read can be written");
        assert_eq!(Manifest::decode(&again).as_ref(), Ok(&manifest));
    }
}
