//! Choices from a seed, and the mix of sizes.

/// Pseudo-random numbers (xorshift64*), the same from the same seed everywhere.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// Numbers from `seed`; every seed will do.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        // One round of splitmix64, so that neighbouring seeds do not begin alike; the state must not be zero.
        let mut mixed = seed.wrapping_add(0x9E37_79B9_7F4A_7C15);
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^= mixed >> 31;
        Self(if mixed == 0 { 1 } else { mixed })
    }

    /// The next 64 bits.
    pub const fn next(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_F491_4F6C_DD1D)
    }

    /// A number from 0 to just below `limit`; 0 when `limit` is 0.
    pub const fn below(&mut self, limit: u64) -> u64 {
        if limit == 0 { 0 } else { (self.next() >> 11) % limit }
    }

    /// Whether an event of this many percent happens.
    pub const fn percent(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// Fills `bytes`.
    pub fn fill(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(8) {
            let word = self.next().to_le_bytes();
            for (to, from) in chunk.iter_mut().zip(word) {
                *to = from;
            }
        }
    }
}

/// Largest body of a mixed load.
pub(crate) const LARGEST: u64 = 1 << 20;

/// A size of the mix: mostly small, some of every size up to a mebibyte, a tenth empty.
pub(crate) fn size(random: &mut Random) -> u32 {
    let limit = match random.below(1000) {
        0..100 => return 0,
        100..130 => 32,
        130..700 => 1 << 10,
        700..950 => 8 << 10,
        950..996 => 64 << 10,
        _ => LARGEST,
    };
    u32::try_from(random.below(limit) + 1).unwrap_or_default()
}
