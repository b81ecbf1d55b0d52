//! Whether a log map and a usage are of one queue manager and one moment.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use format_listing::{LogAddress, LogMap, Section};
use format_types::{QueueManagerName, Rba};

use crate::error::SiteError;
use crate::gather::{Kinds, place};

const AGAIN: &str = "print the log map anew, after DISPLAY USAGE, and give both";

/// The data sets of a map, each with its log.
pub(crate) fn rows(map: &LogMap) -> impl Iterator<Item = &format_listing::LogRow> {
    let actives = map.active.iter().flatten().map(|log| &log.row);
    actives.chain(map.archives.iter().flatten().map(|volume| &volume.row))
}

/// The queue managers whose usage names data sets, by those names: a map that does not name its queue manager has its data sets.
pub(crate) struct Owners(HashMap<String, Option<QueueManagerName>>);

impl Owners {
    pub(crate) fn of(found: &BTreeMap<QueueManagerName, Kinds<'_>>) -> Self {
        let mut owners: HashMap<String, Option<QueueManagerName>> = HashMap::new();
        for (owner, kinds) in found {
            for (_, _, data_set) in kinds.named_data_sets() {
                let known = owners.entry(data_set.to_owned()).or_insert_with(|| Some(owner.clone()));
                if known.as_ref() != Some(owner) {
                    // A name that two of them have says nothing.
                    *known = None;
                }
            }
        }
        Self(owners)
    }

    pub(crate) fn of_map(&self, section: &Section, map: &LogMap) -> Result<QueueManagerName, SiteError> {
        let named = rows(map).filter_map(|row| self.0.get(row.data_set.as_str())?.as_ref());
        let owners: BTreeSet<&QueueManagerName> = named.collect();
        match (owners.first(), owners.len()) {
            (Some(owner), 1) => Ok((*owner).clone()),
            _ => Err(SiteError::new(
                "HWT910E",
                format!(
                    "{}: THE LOG MAP NAMES NO QUEUE MANAGER, AND NO USAGE NAMES ITS DATA SETS",
                    place(section)
                ),
                "give the answer to DISPLAY USAGE TYPE(ALL) of its queue manager with it",
            )),
        }
    }
}

/// The map, where several were printed: those of the two copies of the BSDS say the same.
pub(crate) fn one_of_two<'s>(
    name: &QueueManagerName,
    maps: &[(&'s Section, &'s LogMap)],
) -> Result<(&'s Section, &'s LogMap), SiteError> {
    let Some(((at, map), others)) = maps.split_first() else {
        return Err(SiteError::new("HWT911E", format!("{name}: THE LOG MAP IS MISSING"), AGAIN));
    };
    for (other_at, other) in others {
        let same = map.active == other.active
            && map.archives == other.archives
            && map.restarts == other.restarts
            && map.checkpoints == other.checkpoints
            && map.header.highest_written == other.header.highest_written
            && map.header.highest_offloaded == other.header.highest_offloaded;
        if !same {
            let text = format!("{name}: THE LOG MAPS AT {} AND {} DIFFER", place(at), place(other_at));
            return Err(SiteError::new("HWT912E", text, "give one, the newest, or both of one moment"));
        }
    }
    Ok((at, map))
}

/// Refuses a map and a usage that do not fit.
pub(crate) fn check(
    name: &QueueManagerName,
    map_at: &Section,
    map: &LogMap,
    kinds: &Kinds<'_>,
) -> Result<(), SiteError> {
    if map.restarts.iter().any(format_listing::ConditionalRestart::is_active) {
        let text = format!("{name}: {}: A CONDITIONAL RESTART IS WAITING FOR THE NEXT START", place(map_at));
        return Err(SiteError::new("HWT915E", text, "plan after the restart, from listings made then"));
    }
    let highest = map.header.highest_written;
    let stale = |section: &Section, what: &str, rba: Rba| {
        let text = format!(
            "{name}: {} IS OLDER THAN THE USAGE: {}: {what} IS {rba}, HIGHEST RBA WRITTEN IS {highest}",
            place(map_at),
            place(section)
        );
        Err(SiteError::new("HWT913E", text, AGAIN))
    };
    let rbas = kinds.online.iter().map(|(at, rba)| (*at, "CSQI024I", *rba));
    let rbas = rbas.chain(kinds.with_offline.iter().map(|(at, rba)| (*at, "CSQI025I", *rba)));
    let rows_of_usage = kinds.data_sets.iter().filter_map(|(at, row)| match row.from {
        Some(LogAddress::Rba(rba)) => Some((*at, row.row.title(), rba)),
        _ => None,
    });
    let ends = kinds.log_ends.iter().map(|(at, rba)| (*at, "DISPLAY LOG", *rba));
    let units = kinds.units.iter().map(|(at, rba)| (*at, "A UNIT OF DISPLAY CONN", *rba));
    for (at, what, rba) in rbas.chain(rows_of_usage).chain(ends).chain(units) {
        if rba > highest {
            return stale(at, what, rba);
        }
    }
    for (at, row, data_set) in kinds.named_data_sets() {
        let mut of_name = rows(map).filter(|row| row.data_set.as_str() == data_set).peekable();
        if of_name.peek().is_none() {
            let text = format!(
                "{name}: {} NAMES {data_set}, WHICH THE LOG MAP AT {} DOES NOT HAVE",
                place(at),
                place(map_at)
            );
            return Err(SiteError::new(
                "HWT914E",
                text,
                "give the log map of this queue manager, made after the usage",
            ));
        }
        if let Some(LogAddress::Rba(rba)) = row.from
            && !of_name.any(|row| row.range().contains(rba))
        {
            let text = format!(
                "{name}: {}: {rba} IS IN {data_set}, BUT NOT BY THE LOG MAP AT {}",
                place(at),
                place(map_at)
            );
            return Err(SiteError::new("HWT914E", text, AGAIN));
        }
    }
    Ok(())
}
