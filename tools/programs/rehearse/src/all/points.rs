//! The full method of making a recovery point.

use console::{Failure, now};
use operation_points::{CreatedPoint, FullSettings, create_full_point, stop_for_copy};

use super::trial::Trial;
use crate::run::of_point;

/// Bytes of each page set.
const PAGE_SETS: u64 = 4 << 20;

/// Stops the queue manager, makes the full point P1, and starts it again.
pub(super) fn full_point(trial: &mut Trial<'_>) -> Result<CreatedPoint, Failure> {
    let timeout = trial.session.common.timeout;
    let settings = FullSettings {
        dir: trial.dir(),
        to: trial.scratch.beside("P1"),
        name: "P1".to_owned(),
        allow_in_doubt: false,
        include_log: false,
    };
    let stopped = stop_for_copy(&trial.storage, &settings, timeout, &mut |_| {})
        .map_err(|error| of_point(&error.error))?;
    trial.ended()?;
    let said = stopped.map(|stopped| stopped.stop_messages).unwrap_or_default();
    let made = create_full_point(&trial.storage, &settings, &said, timeout, now(), &|_| {})
        .map_err(|error| of_point(&error))?;
    let manifest = &made.manifest;
    trial.did(format!("stopped, full recovery point P1 made at {}, started again", manifest.end));
    trial.expect(manifest.log_needed_from() == manifest.end, || {
        format!("the full point needs log from {}, it ends at {}", manifest.log_needed_from(), manifest.end)
    });
    trial.start()?;
    Ok(made)
}

/// Stop, copy at rest, start; then everything but the log since is lost.
pub(super) fn full(trial: &mut Trial<'_>) -> Result<(), Failure> {
    trial.make(PAGE_SETS)?;
    trial.load()?;
    let made = full_point(trial)?;
    let manifest = &made.manifest;
    trial.load_and_kill()?;
    let bsds = trial.bsds()?;
    // Not even the archives below the point are needed.
    let mut lost: Vec<String> = bsds.page_sets.iter().map(|set| format!("PSID{}", set.page_set)).collect();
    let below = bsds.archives.iter().filter(|log| log.range.end <= manifest.end);
    lost.extend(below.map(|log| log.name.clone()));
    trial.lose(&lost)?;
    let report = trial.recover(&made.directory, &[])?;
    trial.expect(report.needed.start >= manifest.end, || {
        format!("recovery asked for log from {}, before the point's end", report.needed.start)
    });
    trial.prove()
}
