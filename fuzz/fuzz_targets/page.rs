//! Any bytes as a page: refused with a reason, or a page that is what it says. Five bytes in front say where it is expected.
#![no_main]

use format_pageset::page;
use format_pageset::{PageBytes, verify_page};
use format_types::{PageAddress, PageNumber, PageSetId};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((address, bytes)) = bytes.split_first_chunk::<5>() else { return };
    let [set, number @ ..] = *address;
    let set = PageSetId::new(set % 100).unwrap_or(PageSetId::ZERO);
    let address = PageAddress::new(set, PageNumber(u32::from_be_bytes(number)));
    let _ = verify_page(bytes, address);
    let _ = page::read_header(bytes, address);
    // Most inputs fail at the checksum: a sealed one goes further.
    let mut sealed: PageBytes = [0; 4096];
    let length = bytes.len().min(sealed.len());
    sealed[..length].copy_from_slice(&bytes[..length]);
    page::seal(&mut sealed);
    if let Ok(header) = verify_page(&sealed, address) {
        assert_eq!(page::page_rba(&sealed), header.page_rba);
        assert_eq!(page::page_type(&sealed), Some(header.page_type));
    }
});
