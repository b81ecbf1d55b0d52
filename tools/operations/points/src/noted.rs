//! What was found of recovery points, remembered in the BSDS; and which of them to look at next.

use std::path::Path;
use std::time::{Duration, Instant};

use engine_queue_manager::BsdsChanged;
use engine_storage::SharedStorage;
use format_protocol::Request;
use format_types::{PointState, Rba};

use crate::error::PointError;
use crate::forget::Registry;
use crate::list::{KnownPoint, read_bsds};
use crate::point::Point;

impl Registry<'_> {
    /// Notes in the BSDS that `point` was found to be in `state`; none when the BSDS does not name it, so that there is nothing to note.
    ///
    /// # Errors
    /// When the BSDS cannot be changed.
    pub fn note(&self, point: &Point, state: PointState) -> Result<Option<BsdsChanged>, PointError> {
        let manifest = &point.manifest;
        let bsds = match read_bsds(self.storage, self.dir) {
            // A point that holds its log can be looked at where no queue manager is.
            Err(PointError::NoQueueManager(_)) => return Ok(None),
            bsds => bsds?,
        };
        let named = bsds.queue_manager == manifest.queue_manager_id
            && bsds
                .recovery_points
                .iter()
                .any(|entry| entry.name == manifest.name && entry.at == manifest.at);
        if !named {
            return Ok(None);
        }
        self.change(&Request::NotePoint {
            point: manifest.name.clone(),
            made: manifest.at,
            state,
            at: self.now,
        })
        .map(Some)
    }

    /// The same of a point that the BSDS names and whose manifest cannot be read.
    ///
    /// # Errors
    /// When the BSDS cannot be changed.
    pub fn note_unreadable(&self, known: &KnownPoint, error: &PointError) -> Result<BsdsChanged, PointError> {
        let entry = &known.entry;
        // What is not there may come back.
        let damaged = matches!(error, PointError::Manifest { .. });
        let state = if damaged { PointState::Damaged } else { PointState::Unverified };
        let known_damaged = entry.state == PointState::Damaged;
        self.change(&Request::NotePoint {
            point: entry.name.clone(),
            made: entry.at,
            state: if known_damaged { entry.state } else { state },
            at: self.now,
        })
    }
}

/// The order in which points are looked at: those never looked at first, then the one looked at longest ago; damaged ones last of all.
pub fn least_recently_verified(points: &mut [KnownPoint]) {
    points.sort_by_key(|known| {
        let entry = &known.entry;
        (entry.state == PointState::Damaged, entry.verified_at, entry.at)
    });
}

/// A time in which points are looked at, and what was seen of how long that takes.
#[derive(Debug, Clone, Copy)]
pub struct Budget {
    ends: Instant,
    took: Duration,
    bytes: u64,
}

impl Budget {
    /// The time from now on.
    #[must_use]
    pub fn begin(time: Duration) -> Self {
        let now = Instant::now();
        let ends = now.checked_add(time).unwrap_or_else(|| now + Duration::from_secs(u64::from(u32::MAX)));
        Self { ends, took: Duration::ZERO, bytes: 0 }
    }

    /// What is left of it.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.ends.saturating_duration_since(Instant::now())
    }

    /// Notes that `bytes` were looked at in `took`.
    pub fn note(&mut self, bytes: u64, took: Duration) {
        self.bytes += bytes;
        self.took += took;
    }

    /// How long looking at `bytes` will take, by what was seen; none while nothing was.
    #[must_use]
    pub fn expected(&self, bytes: u64) -> Option<Duration> {
        if self.bytes == 0 {
            return None;
        }
        Some(self.took.mul_f64(bytes as f64 / self.bytes as f64))
    }
}

/// Bytes that a look at `point` reads: its copies, and twice the log that it needs where `queue_manager` has it, once to find it whole,
/// once to compare its copies.
#[must_use]
pub fn bytes_to_verify(storage: &SharedStorage, point: &Point, queue_manager: &Path) -> u64 {
    let manifest = &point.manifest;
    let copies: u64 = manifest.page_sets.iter().map(|copy| copy.length).sum();
    let end = read_bsds(storage, queue_manager).map_or(Rba::ZERO, |bsds| bsds.highest_written);
    let log = end.0.saturating_sub(manifest.log_needed_from().0);
    copies.saturating_add(log.saturating_mul(2))
}
