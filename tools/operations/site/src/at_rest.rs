//! What shows that a queue manager was down while its page sets were copied: the log maps before and after the copies.
//!
//! A clean stop takes a checkpoint as the last thing that it writes. A map whose newest checkpoint is that one, at the log's end, is of
//! a queue manager that had stopped; a second map that says the same shows that nothing was written until then. Page sets at rest after it
//! need no log from before it - but for units of recovery that were left unresolved, page sets that were offline, and
//! backups of structures. These only the usage before the stop shows.

use format_inventory::RestartRbas;
use format_listing::{DataSetRow, DataSetUsageRow, LogMap, PageSetCondition, PageSetRow, QueuedCheckpoint};
use format_types::{CI_SIZE, Rba};

/// The log of a queue manager at rest.
pub(crate) struct AtRest {
    /// First record of the checkpoint of the stop.
    pub(crate) checkpoint: Rba,
    /// The last RBA written.
    pub(crate) end: Rba,
}

/// The log that both maps show, or why they show no queue manager at rest.
pub(crate) fn at_rest(before: &LogMap, after: &LogMap) -> Result<AtRest, String> {
    let (one, other) = (&before.header, &after.header);
    if one.bsds.is_none() || one.bsds != other.bsds {
        return Err("THE LOG MAPS BEFORE AND AFTER THE COPIES ARE NOT OF ONE BSDS DATA SET".to_owned());
    }
    if one.highest_written != other.highest_written {
        return Err(format!(
            "THE LOG WENT ON DURING THE COPIES: HIGHEST RBA WRITTEN IS {} BEFORE AND {} AFTER THEM",
            one.highest_written, other.highest_written
        ));
    }
    // What was printed of one that did not change is the same, the time of the print left out.
    let same = one.highest_offloaded == other.highest_offloaded
        && one.system_timestamp == other.system_timestamp
        && one.utility_timestamp == other.utility_timestamp
        && before.active == after.active
        && before.archives == after.archives
        && before.restarts == after.restarts
        && before.checkpoints == after.checkpoints;
    if !same {
        return Err(
            "THE LOG MAPS BEFORE AND AFTER THE COPIES DIFFER: THE QUEUE MANAGER WAS NOT DOWN".to_owned()
        );
    }
    if before.restarts.iter().any(format_listing::ConditionalRestart::is_active) {
        return Err("A CONDITIONAL RESTART IS WAITING FOR THE NEXT START".to_owned());
    }
    let end = one.highest_written;
    let newest = before.checkpoints.iter().flatten().max_by_key(|checkpoint| checkpoint.begin);
    let Some(newest) = newest else {
        return Err("THE LOG MAP HAS NO CHECKPOINT QUEUE: NOTHING SHOWS THAT THE QUEUE MANAGER HAD STOPPED"
            .to_owned());
    };
    if !newest.shutdown {
        return Err(format!(
            "THE NEWEST CHECKPOINT, AT {}, IS NONE OF A STOP: THE QUEUE MANAGER WAS NOT STOPPED, OR ENDED ABNORMALLY",
            newest.begin
        ));
    }
    if !ends_at(newest, end) {
        return Err(format!(
            "THE CHECKPOINT OF THE STOP ENDS AT {}, AND HIGHEST RBA WRITTEN IS {end}: IT IS NOT THE LAST THING WRITTEN",
            newest.end
        ));
    }
    Ok(AtRest { checkpoint: newest.begin, end })
}

/// Whether the log ends with the checkpoint: its last record may cross into the next control interval, and nothing begins behind that.
fn ends_at(checkpoint: &QueuedCheckpoint, end: Rba) -> bool {
    let next = checkpoint.end.ci_start().plus(CI_SIZE as u64);
    end >= checkpoint.end && end.ci_start() <= next
}

/// From where copies at rest need the log, or why the usage before the stop does not say so.
pub(crate) fn restart(
    log: &AtRest,
    usage: RestartRbas,
    page_sets: &[PageSetRow],
    data_sets: &[DataSetUsageRow],
    map: &LogMap,
) -> Result<RestartRbas, String> {
    for wanted in [DataSetRow::OldestUnit, DataSetRow::OldestPageSet] {
        if !data_sets.iter().any(|row| row.row == wanted) {
            return Err(format!("CSQI070I HAS NO ROW '{}'", wanted.title()));
        }
    }
    let unit = data_sets.iter().find(|row| row.row == DataSetRow::OldestUnit && row.from.is_some());
    if unit.is_some() {
        return Err(
            "A UNIT OF WORK WAS ACTIVE WHEN DISPLAY USAGE WAS ANSWERED: ITS LOG WOULD BE NEEDED".to_owned()
        );
    }
    let of_map = |name: &format_types::DataSetName| {
        let actives = map.active.iter().flatten().map(|active| &active.row.data_set);
        let archives = map.archives.iter().flatten().map(|volume| &volume.row.data_set);
        actives.chain(archives).any(|known| known == name)
    };
    let mut named = data_sets.iter().filter_map(|row| row.data_set.as_ref()).peekable();
    if named.peek().is_none() {
        return Err(
            "THE USAGE NAMES NO LOG DATA SET: NOTHING SHOWS THAT THE LOG MAP IS OF ITS QUEUE MANAGER"
                .to_owned(),
        );
    }
    if let Some(name) = named.find(|name| !of_map(name)) {
        return Err(format!("THE USAGE NAMES {name}, WHICH IS NOT IN THE LOG MAP"));
    }
    if usage.online > log.end {
        return Err(format!(
            "THE RESTART RBA {} OF THE USAGE IS BEYOND HIGHEST RBA WRITTEN {}",
            usage.online, log.end
        ));
    }
    let rested =
        |row: &PageSetRow| matches!(row.condition, PageSetCondition::Offline | PageSetCondition::Suspended);
    let offline = page_sets.iter().any(rested);
    let with_offline = if offline { usage.with_offline.min(log.checkpoint) } else { log.checkpoint };
    // Backups of structures are in the log, whether the queue manager is down or not.
    let structure = data_sets.iter().any(|row| row.row == DataSetRow::OldestStructure && row.from.is_some());
    let online = if structure { usage.online.min(log.checkpoint) } else { log.checkpoint };
    Ok(RestartRbas { online, with_offline: with_offline.min(online) })
}
