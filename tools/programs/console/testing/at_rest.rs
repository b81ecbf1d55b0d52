//! Waits until a queue manager that was on a thread of the test has given up its directory.

use std::path::Path;
use std::time::{Duration, Instant};

use engine_queue_manager::server;
use engine_storage::RealStorage;

/// A program that another test is starting was made with all files that this process has open, and holds the lock as long as it has not
/// begun.
pub(crate) fn wait_until_free(directory: &Path) {
    let begun = Instant::now();
    while let Err(error) = server::lock(&RealStorage::shared(), directory) {
        assert!(begun.elapsed() < Duration::from_secs(30), "{error}");
        std::thread::sleep(Duration::from_millis(2));
    }
}
