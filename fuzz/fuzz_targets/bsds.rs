//! Any bytes as a BSDS: every slot is believed or refused with a reason, and what is believed encodes and reads as the same. An input
//! is an image first, put behind a header that is right for it, and a whole file second.
#![no_main]

use format_bsds::{decode_file, decode_slot, encode_slot, least_capacity};
use format_types::crc32c_combine_parts;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let file = decode_file(bytes);
    assert_eq!(file.newest.is_some(), file.slots.iter().any(Result::is_ok));
    // Most inputs fail at the checksum: the image of a seed, changed, behind a header that fits it goes further.
    let Some(image) = bytes.get(32..).filter(|image| image.len() < 60_000) else { return };
    let capacity = 65_536_u32;
    let mut slot = bytes[..24].to_vec();
    slot[12..16].copy_from_slice(&capacity.to_be_bytes());
    slot.extend_from_slice(&(image.len() as u32).to_be_bytes());
    let crc = crc32c_combine_parts(&[&slot, image]);
    slot.extend_from_slice(&crc.to_be_bytes());
    slot.extend_from_slice(image);
    slot.resize(capacity as usize, 0);
    for number in 0..2 {
        if let Ok(bsds) = decode_slot(&slot, number) {
            let again = encode_slot(&bsds, least_capacity(&bsds)).expect("what was read fits");
            assert_eq!(decode_slot(&again, number).as_ref(), Ok(&bsds));
        }
    }
});
