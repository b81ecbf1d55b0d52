//! The state of a queue manager that is down, read from its files without changing them.
//!
//! After a clean stop the answer is the one that stop printed. After a crash it is what a restart would start from at worst: page sets'
//! recovery RBAs from the last complete checkpoint, or from page zero where that is lower, for a page zero that was being written
//! may be in the file and not on the disk; active units from that checkpoint and the log behind it.

use std::collections::BTreeMap;
use std::path::Path;

use engine_log::LogReader;
use engine_page_store::usage_at_rest;
use engine_storage::SharedStorage;
use format_log::Body;
use format_types::{PageSetId, Rba, UnitUsage, UsageReport};

use crate::{RecoveryError, Unit, UnitTable, data_set_usage, restart::follow, system_recovery};

/// Reads the usage of the queue manager in `dir`.
///
/// # Errors
/// When BSDS, log or a page zero cannot be read.
pub fn at_rest(storage: &SharedStorage, dir: &Path) -> Result<UsageReport, RecoveryError> {
    at_rest_by(&mut LogReader::open(storage, dir)?, storage, dir)
}

/// The same with the log in `dir` read by `reader`.
///
/// # Errors
/// As those of [`at_rest`].
pub fn at_rest_by(
    reader: &mut LogReader,
    storage: &SharedStorage,
    dir: &Path,
) -> Result<UsageReport, RecoveryError> {
    let log_end = reader.find_end()?.end;
    let bsds = reader.bsds().clone();
    let mut page_sets =
        usage_at_rest(storage, dir, &bsds.page_sets.iter().map(|set| set.page_set).collect::<Vec<_>>())?;
    let clean = bsds.clean_stop.is_some_and(|stop| stop == log_end);
    let mut table = UnitTable::new();
    let mut durable: BTreeMap<PageSetId, (Rba, bool)> = BTreeMap::new();
    let from = bsds.checkpoints.last().map_or_else(|| bsds.line().start(), |checkpoint| checkpoint.begin);
    // A clean stop leaves in-doubt units at most; they are in its checkpoint like after a crash.
    if from < log_end {
        let mut stream = reader.stream(from, log_end)?;
        while let Some((at, record)) = stream.next()? {
            follow(&mut table, at, &record.header, &record.body);
            if let Body::CheckpointPageSets { sets } = &record.body {
                durable.extend(sets.iter().map(|(page_set, rba, online)| (*page_set, (*rba, *online))));
            }
            if clean && matches!(record.body, Body::CleanStop) {
                break;
            }
        }
    }
    for set in &mut page_sets {
        // A clean stop has stamped the page sets after its checkpoint, those that were offline excepted.
        if let Some((rba, online)) = durable.get(&set.page_set)
            && !(clean && *online)
        {
            set.recovery_rba = set.recovery_rba.min(*rba);
        }
    }
    let units: Vec<UnitUsage> = table.iter().map(unit_usage).collect();
    let sets: Vec<_> = page_sets.iter().map(|set| (set.page_set, set.recovery_rba, set.online)).collect();
    let system_recovery = system_recovery(&sets, &units, log_end);
    Ok(UsageReport {
        oldest_unit: units.first().map(|unit| data_set_usage(&bsds, unit.urid.0)),
        oldest_page_set: data_set_usage(&bsds, system_recovery.page_sets.rba),
        page_sets,
        buffer_pools: Vec::new(),
        units,
        system_recovery,
        log_end,
    })
}

/// A unit as DISPLAY USAGE shows it.
#[must_use]
pub fn unit_usage(unit: &Unit) -> UnitUsage {
    UnitUsage { urid: unit.link.urid, state: unit.state, connection: unit.connection.clone() }
}
