//! Telling what an image is by its first bytes.

use format_log::ci::CiTrailer;
use format_pageset::page_zero::{self, PageZeroError};
use format_types::CI_SIZE;

use crate::report::ImageKind;

/// Bytes that [`recognise`] wants to see, fewer only when the image is shorter.
pub const RECOGNISED_BY: usize = 1 << 20;

/// What the image that begins with `start` is. A page set with a damaged page zero is still one as long as a slot has its
/// eye-catcher; a log is one as long as one of its first two control intervals has a trailer.
#[must_use]
pub fn recognise(start: &[u8]) -> ImageKind {
    let record = |number: usize| start.get(number * CI_SIZE..(number + 1) * CI_SIZE).unwrap_or_default();
    match page_zero::decode(record(0)) {
        Err(PageZeroError::NotAPageSet | PageZeroError::Length(_)) => {}
        _ => return ImageKind::PageSet,
    }
    if format_bsds::is_bsds(start) {
        return ImageKind::Bsds;
    }
    if (0..2).any(|number| CiTrailer::take(record(number)).is_ok()) {
        return ImageKind::Log;
    }
    ImageKind::Records
}
