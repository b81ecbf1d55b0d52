//! Sets of recovery points, by their places among the points: asked about all at once, 64 to a word.

/// Bits of a word.
const WORD: usize = 64;

/// Some of the points.
#[derive(Debug, Clone, Default)]
pub(crate) struct Places(Vec<u64>);

impl Places {
    /// The places for which `is_in` holds, of so many.
    pub(crate) fn of(count: usize, mut is_in: impl FnMut(usize) -> bool) -> Self {
        let word = |number: usize| {
            let places = number * WORD..count.min((number + 1) * WORD);
            places.fold(0, |word, place| word | u64::from(is_in(place)) << (place % WORD))
        };
        Self((0..count.div_ceil(WORD)).map(word).collect())
    }

    /// Whether a place is in it.
    pub(crate) fn contains(&self, place: usize) -> bool {
        self.0.get(place / WORD).is_some_and(|word| word >> (place % WORD) & 1 == 1)
    }

    /// How many places are in both.
    pub(crate) fn in_both(&self, other: &Self) -> usize {
        self.0.iter().zip(&other.0).map(|(a, b)| (a & b).count_ones() as usize).sum()
    }

    /// Whether both have a place.
    pub(crate) fn meets(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).any(|(a, b)| a & b != 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_as_one_by_one() {
        for count in [0, 1, 63, 64, 65, 200] {
            let thirds = Places::of(count, |place| place % 3 == 0);
            let even = Places::of(count, |place| place % 2 == 0);
            let both = (0..count).filter(|place| place % 6 == 0).count();
            assert_eq!(thirds.in_both(&even), both, "{count}");
            assert_eq!(thirds.meets(&even), both > 0);
            assert!((0..count + 70).all(|place| thirds.contains(place) == (place < count && place % 3 == 0)));
        }
        let (odd, even) = (Places::of(99, |place| place % 2 == 1), Places::of(99, |place| place % 2 == 0));
        assert!(!odd.meets(&even));
    }
}
