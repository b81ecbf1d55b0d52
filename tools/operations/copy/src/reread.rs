//! How often and after which pauses a record that does not verify is read again.

use std::time::Duration;

/// Readings of a record that an owner may be in the middle of writing, beyond the first.
const REREADS: u32 = 8;

/// Readings when many records of one stretch fail: an owner is not writing all of them, they are damaged.
const REREADS_OF_MANY: u32 = 3;

/// More failing records than this in a stretch are many.
const MANY: usize = 16;

/// Counts the attempts for one stretch.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Rereads {
    made: u32,
    limit: u32,
}

impl Default for Rereads {
    fn default() -> Self {
        Self { made: 0, limit: REREADS }
    }
}

impl Rereads {
    /// For a source that nobody writes: a device may still answer better the second time.
    pub(crate) fn few() -> Self {
        Self { made: 0, limit: REREADS_OF_MANY }
    }

    /// Begins the next stretch.
    pub(crate) fn reset(&mut self) {
        self.made = 0;
    }

    /// The pause before the next reading of `failing` records; none when there is no point in another. Pauses double from one
    /// millisecond: a writer may have lost its processor in the middle of a page.
    pub(crate) fn next(&mut self, failing: usize) -> Option<Duration> {
        let limit = if failing > MANY { self.limit.min(REREADS_OF_MANY) } else { self.limit };
        if self.made >= limit {
            return None;
        }
        let pause = Duration::from_millis(1 << self.made);
        self.made += 1;
        Some(pause)
    }
}
