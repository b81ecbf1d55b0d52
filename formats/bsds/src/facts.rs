//! The facts that a retention plan rests on, as one number.

use format_types::{Rba, digest64};

use crate::{Bsds, RecoveryPointEntry, image};

impl Bsds {
    /// A digest of what decides which log must be kept: histories, recovery points, holds, backups in progress, page sets, settings. The
    /// growth of the log, an offload, a checkpoint or a deletion does not change it, nor does a point that is found whole once more.
    #[must_use]
    pub fn facts(&self) -> u64 {
        let point = |point: &RecoveryPointEntry| RecoveryPointEntry { verified_at: None, ..point.clone() };
        let facts = Self {
            sequence: 0,
            queue_manager: self.queue_manager,
            name: self.name.clone(),
            created: self.created,
            settings: self.settings.clone(),
            histories: self.histories.clone(),
            active_logs: Vec::new(),
            copy_stopped: [None, None],
            archives: Vec::new(),
            next_archive: 0,
            highest_written: Rba::ZERO,
            highest_offloaded: Rba::ZERO,
            checkpoints: Vec::new(),
            clean_stop: None,
            conditional_restarts: Vec::new(),
            backups_in_progress: self.backups_in_progress.clone(),
            recovery_points: self.recovery_points.iter().map(point).collect(),
            holds: self.holds.clone(),
            page_sets: self.page_sets.clone(),
            holes: Vec::new(),
        };
        digest64(&image::encode(&facts))
    }
}
