//! The queue manager that a seed gets: small, so that logs fill, page sets grow and buffers run out in a short run.

use std::path::Path;

use engine_queue_manager::{NewQueueManager, create};
use engine_storage::{FaultyStorage, Random};
use format_types::{Expand, Timestamp};

/// Directory of the queue manager.
pub(crate) const DIRECTORY: &str = "QM1";

/// Directory of the recovery points.
pub(crate) const POINTS: &str = "POINTS";

/// When every run begins: 2026-11-22 00:00:00 UTC.
pub(crate) const BEGIN: Timestamp = Timestamp(1_795_305_600_000_000);

/// Choices of a seed.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) dual_logs: bool,
    /// The copy of the log that may be damaged: always the same one, so that the other is whole.
    pub(crate) rotting_copy: u8,
    /// Power cuts come often, above all while page sets are synced; else there is peace for recovery points.
    pub(crate) stormy: bool,
    /// Messages are long and many: more pages than buffers.
    pub(crate) bulky: bool,
    /// Buffers that starts are given; none for the queue manager's own number.
    pub(crate) frames: Option<usize>,
    pub(crate) page_sets: u8,
    pub(crate) clients: usize,
    pub(crate) new: NewQueueManager,
}

impl Setup {
    /// Draws a queue manager.
    pub(crate) fn draw(random: &mut Random) -> Self {
        let dual_logs = random.coin();
        let dual_archives = random.coin();
        let stormy = random.coin();
        let bulky = stormy || random.coin();
        let page_sets = random.between(2, 4) as u8;
        let expand = match random.below(4) {
            0 => Expand::System,
            1 => Expand::None,
            _ => Expand::User,
        };
        let new = NewQueueManager {
            name: "QM1".parse().unwrap_or_else(|_| unreachable!("QM1 is a name")),
            page_sets,
            page_set_size: 4096 * if bulky { random.between(48, 160) } else { random.between(16, 96) },
            expand,
            log_size: 4096 * random.between(64, 128),
            active_logs: random.between(3, 4) as u16,
            dual_logs,
            dual_archives,
            buffer_pool: 4096 * if bulky { 64 } else { random.between(64, 96) },
            log_load: random.between(200, 400) as u32,
            random: [random.next_u64(), random.next_u64()],
        };
        let frames = (stormy || random.coin()).then(|| random.between(16, 48) as usize);
        let rotting_copy = random.between(1, 2) as u8;
        Self {
            dual_logs,
            rotting_copy,
            stormy,
            bulky,
            frames,
            page_sets,
            clients: random.between(2, 6) as usize,
            new,
        }
    }

    /// Makes the queue manager, durably and without faults.
    pub(crate) fn create(&self, storage: &FaultyStorage) -> Result<(), String> {
        let made = create(&storage.shared(), Path::new(DIRECTORY), &self.new, BEGIN);
        made.map_err(|error| format!("the queue manager cannot be created: {error}"))
    }
}
