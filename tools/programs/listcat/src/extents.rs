//! Space and extents of an image.

use format_listing::{RbaExtent, Space};
use format_pageset::page_zero::PageZero;
use format_types::{Expand, PAGE_SIZE};

/// The space that a page set was given, and grows by.
pub(crate) fn page_set_space(zero: &PageZero) -> Space {
    let initial = u64::from(zero.initial_pages) * PAGE_SIZE as u64;
    let secondary = if zero.expand == Expand::User { initial } else { 0 };
    Space::of_bytes(initial, secondary)
}

/// Extents of a page set: the first is as large as the page set was made. Where all others are of the same size they are told apart,
/// else what was added since is one.
pub(crate) fn page_set_extents(zero: &PageZero, allocated: u64) -> Vec<RbaExtent> {
    let initial = u64::from(zero.initial_pages) * PAGE_SIZE as u64;
    if initial == 0 || initial >= allocated {
        return whole(allocated);
    }
    let equal = initial * u64::from(zero.extents) == allocated;
    let added = if equal { initial } else { allocated - initial };
    let mut extents = vec![RbaExtent { low: 0, high: initial }];
    let mut low = initial;
    while low < allocated {
        let high = (low + added).min(allocated);
        extents.push(RbaExtent { low, high });
        low = high;
    }
    extents
}

/// One extent.
pub(crate) fn whole(allocated: u64) -> Vec<RbaExtent> {
    vec![RbaExtent { low: 0, high: allocated }]
}
