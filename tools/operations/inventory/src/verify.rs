//! Archives of copy 1 looked at to their last byte, for policies that let copy 2 go where copy 1 is whole.

use std::collections::HashSet;
use std::path::Path;

use engine_storage::{OpenMode, SharedStorage};
use format_bsds::ArchiveLog;
use format_log::LogIdentity;
use format_log::ci::{self, CiPlace};
use format_log::segment::SegmentChecksum;
use format_types::{CI_SIZE, QueueManagerId};

use crate::facts::Facts;

/// Bytes read at once: whole control intervals.
const CHUNK: usize = 256 * CI_SIZE;

impl Facts {
    /// Reads every archive of copy 1 whose log copy 2 has as well, and notes those of which every control interval is whole and in its
    /// place.
    pub fn verify_copy1(&mut self, storage: &SharedStorage, dir: &Path) {
        let both = self.bsds.archives.iter().zip(&self.archives);
        let there = both.filter(|(archive, file)| archive.copy == 2 && file.present);
        let twins: HashSet<_> = there.map(|(archive, _)| (archive.history, archive.range)).collect();
        let queue_manager = self.bsds.queue_manager;
        for (archive, file) in self.bsds.archives.iter().zip(&mut self.archives) {
            if archive.copy == 1 && file.present && twins.contains(&(archive.history, archive.range)) {
                file.verified = is_whole(storage, dir, queue_manager, archive);
            }
        }
    }
}

fn is_whole(
    storage: &SharedStorage,
    dir: &Path,
    queue_manager: QueueManagerId,
    archive: &ArchiveLog,
) -> bool {
    let identity = LogIdentity { queue_manager, history: archive.history };
    let checksum = SegmentChecksum::new(identity);
    let Ok(file) = storage.open(&dir.join(&archive.name), OpenMode::Read) else { return false };
    let length = archive.range.len();
    if !file.len().is_ok_and(|found| found == length) {
        return false;
    }
    let mut bytes = vec![0; CHUNK];
    let mut at = 0;
    while at < length {
        let part = usize::try_from(length - at).unwrap_or(CHUNK).min(CHUNK);
        let Some(some) = bytes.get_mut(..part) else { return false };
        if file.read_at(at, some).is_err() {
            return false;
        }
        for (interval, number) in some.chunks_exact(CI_SIZE).zip(0_u64..) {
            let rba = archive.range.start.plus(at + number * CI_SIZE as u64);
            if ci::verify_closed(interval, &CiPlace { rba, identity, instance: None }, &checksum).is_err() {
                return false;
            }
        }
        at += part as u64;
    }
    true
}
