//! The listings of `testdata/listings`, and a random number generator for what is done to them.

use std::hash::{BuildHasher, Hasher};

/// Each listing with its name.
pub(crate) const LISTINGS: [(&str, &str); 9] = [
    ("log-map-6-byte.txt", include_str!("../../../../testdata/listings/log-map-6-byte.txt")),
    ("log-map-8-byte.txt", include_str!("../../../../testdata/listings/log-map-8-byte.txt")),
    ("log-map-two-line.txt", include_str!("../../../../testdata/listings/log-map-two-line.txt")),
    ("usage-console.txt", include_str!("../../../../testdata/listings/usage-console.txt")),
    ("usage-csqutil.txt", include_str!("../../../../testdata/listings/usage-csqutil.txt")),
    ("listcat.txt", include_str!("../../../../testdata/listings/listcat.txt")),
    ("idcams-job.txt", include_str!("../../../../testdata/listings/idcams-job.txt")),
    ("log-inventory.txt", include_str!("../../../../testdata/listings/log-inventory.txt")),
    ("objects.txt", include_str!("../../../../testdata/listings/objects.txt")),
];

/// SplitMix64.
#[derive(Clone, Copy)]
pub(crate) struct Random(u64);

impl Random {
    /// A generator of a seed that is another one in every run; it is printed.
    #[must_use]
    pub(crate) fn seeded(name: &str) -> Self {
        let given = std::env::var("HIGHWATER_SEED").ok().and_then(|seed| seed.parse().ok());
        let seed =
            given.unwrap_or_else(|| std::collections::hash_map::RandomState::new().build_hasher().finish());
        eprintln!("{name}: seed {seed}; HIGHWATER_SEED={seed} makes the same choices again");
        Self(seed)
    }

    /// The next number.
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// A number below `limit`.
    pub(crate) fn below(&mut self, limit: usize) -> usize {
        (self.next() % limit.max(1) as u64) as usize
    }
}
