//! Which listing is of which queue manager.

use std::collections::BTreeMap;

use format_inventory::{RestartRbas, StructureNow, WarningEntry};
use format_listing::{
    DataSetRow, DataSetUsageRow, LogAddress, LogMap, PageSetCondition, PageSetRow, Report, Section,
};
use format_types::{PageSetId, QueueManagerName, Rba};

use crate::catalog::Catalogs;
use crate::error::SiteError;
use crate::group::{self, GroupListings};
use crate::pairing;

/// All queue managers of the listings.
#[derive(Debug)]
pub struct Site<'s> {
    /// In the order of their names.
    pub queue_managers: Vec<Listings<'s>>,
    /// What LISTCAT says, of all of them together.
    pub(crate) catalogs: Catalogs<'s>,
}

/// What the listings say of one queue manager.
#[derive(Debug)]
pub struct Listings<'s> {
    /// Its name.
    pub queue_manager: QueueManagerName,
    pub(crate) map: &'s LogMap,
    pub(crate) map_at: &'s Section,
    /// The rows of its page sets, each as it was printed last: an answer may be of some of them alone.
    pub(crate) page_sets: Vec<&'s PageSetRow>,
    /// The lowest that any of its usages gives.
    pub(crate) restart: RestartRbas,
    /// First records of active units of recovery: the oldest one by the usage, and those that DISPLAY CONN shows. The two may disagree
    /// once a unit was shunted.
    pub(crate) units: Vec<Rba>,
    /// MAXARCH, where DISPLAY LOG says it.
    pub(crate) max_archives: Option<u64>,
    /// The queue sharing group that its map names.
    pub(crate) group: Option<String>,
    /// What its listings say of the group.
    pub(crate) shared: GroupListings<'s>,
    /// What the structures of the group need of its log.
    pub(crate) structures: Vec<StructureNow>,
    /// What to look at in the group.
    pub(crate) warnings: Vec<WarningEntry>,
}

/// The sections of one queue manager, kind by kind.
#[derive(Debug, Default)]
pub(crate) struct Kinds<'s> {
    pub(crate) maps: Vec<(&'s Section, &'s LogMap)>,
    pub(crate) page_sets: BTreeMap<PageSetId, &'s PageSetRow>,
    pub(crate) data_sets: Vec<(&'s Section, &'s DataSetUsageRow)>,
    pub(crate) online: Vec<(&'s Section, Rba)>,
    pub(crate) with_offline: Vec<(&'s Section, Rba)>,
    pub(crate) log_ends: Vec<(&'s Section, Rba)>,
    /// First records of units of connections.
    pub(crate) units: Vec<(&'s Section, Rba)>,
    /// MAXARCH.
    pub(crate) max_archives: Option<u64>,
    /// What they say of a queue sharing group.
    pub(crate) group: GroupListings<'s>,
}

impl<'s> Kinds<'s> {
    fn take(&mut self, section: &'s Section) {
        self.group.take(section);
        match &section.report {
            Report::LogMap(map) => self.maps.push((section, map)),
            Report::PageSets(rows) => rows.iter().for_each(|row| self.take_page_set(row)),
            Report::DataSets(rows) => self.data_sets.extend(rows.iter().map(|row| (section, row))),
            Report::RestartRba(rba) => self.online.push((section, *rba)),
            Report::RestartRbaWithOffline(rba) => self.with_offline.push((section, *rba)),
            Report::LogParameters(rows) => {
                let row = rows.iter().find(|row| row.name == "MAXARCH");
                let value = row.map(|row| row.set.as_ref().unwrap_or(&row.initial));
                self.max_archives = value.and_then(|value| value.parse().ok()).or(self.max_archives);
            }
            Report::LogStatus(log) => self.log_ends.push((section, log.latest)),
            Report::Connections(connections) => {
                let units = connections.iter().filter_map(|connection| connection.unit.as_ref());
                // A connection that has changed nothing yet has none.
                let begun = units.map(|unit| unit.urid.0).filter(|urid| *urid > Rba::ZERO);
                self.units.extend(begun.map(|urid| (section, urid)));
            }
            // These say nothing that decides beside what the group takes: the usage says it, and of this moment.
            Report::Structures(_)
            | Report::StructureBackups(_)
            | Report::SharedMessageDataSets(_)
            | Report::SharedMessageBuffers(_)
            | Report::BufferPools(_)
            | Report::Objects(_)
            | Report::Event(_)
            | Report::Idcams(_)
            | Report::LogInventory(_) => {}
        }
    }

    fn take_page_set(&mut self, row: &'s PageSetRow) {
        let is_used = |row: &PageSetRow| {
            !matches!(row.condition, PageSetCondition::NotDefined | PageSetCondition::NeverOnline)
        };
        let known = self.page_sets.entry(row.page_set).or_insert(row);
        // One that was used once may hold messages, whatever another answer says.
        if is_used(row) || !is_used(known) {
            *known = row;
        }
    }

    /// Names of log data sets that its usage gives.
    pub(crate) fn named_data_sets(
        &self,
    ) -> impl Iterator<Item = (&'s Section, &'s DataSetUsageRow, &'s str)> {
        let named = |(section, row): &(&'s Section, &'s DataSetUsageRow)| {
            row.data_set.as_ref().map(|name| (*section, *row, name.as_str()))
        };
        self.data_sets.iter().filter_map(named)
    }
}

/// `FILE line N`, for messages.
pub(crate) fn place(section: &Section) -> String {
    format!("{} line {}", section.file, section.line)
}

/// Groups `sections` by queue manager, in the order of their names; each has one log map and the answer to DISPLAY USAGE, and they fit
/// together.
///
/// # Errors
/// When something is missing or does not fit, in a queue manager's listings or between those of a queue sharing group.
pub fn gather(sections: &[Section]) -> Result<Site<'_>, SiteError> {
    let mut found: BTreeMap<QueueManagerName, Kinds<'_>> = BTreeMap::new();
    let mut unnamed = Vec::new();
    for section in sections {
        match (&section.queue_manager, &section.report) {
            (Some(name), _) => found.entry(name.clone()).or_default().take(section),
            (None, Report::LogMap(map)) => unnamed.push((section, &**map)),
            (None, Report::Idcams(_) | Report::LogInventory(_)) => {}
            (None, _) => {
                return Err(SiteError::new(
                    "HWT910E",
                    format!("{}: THE REPORT DOES NOT SAY WHOSE IT IS", place(section)),
                    "print it with the command prefix, so that every line names its queue manager",
                ));
            }
        }
    }
    let owners = pairing::Owners::of(&found);
    for (section, map) in unnamed {
        let owner = owners.of_map(section, map)?;
        if let Some(kinds) = found.get_mut(&owner) {
            kinds.maps.push((section, map));
        }
    }
    if found.is_empty() {
        return Err(SiteError::new(
            "HWT911E",
            "THE LISTINGS HOLD NO LOG MAP AND NO USAGE",
            "give what CSQJU004 and DISPLAY USAGE TYPE(ALL) print",
        ));
    }
    let queue_managers = found.into_iter().map(|(name, kinds)| listings(name, kinds));
    let mut queue_managers = queue_managers.collect::<Result<Vec<_>, _>>()?;
    let needs = group::needs(&queue_managers)?;
    for (listings, needs) in queue_managers.iter_mut().zip(needs) {
        (listings.structures, listings.warnings) = (needs.structures, needs.warnings);
    }
    Ok(Site { queue_managers, catalogs: Catalogs::of(sections) })
}

fn listings<'s>(name: QueueManagerName, kinds: Kinds<'s>) -> Result<Listings<'s>, SiteError> {
    let missing =
        |what: &str, hint| Err(SiteError::new("HWT911E", format!("{name}: {what} IS MISSING"), hint));
    let usage = "give the whole answer to DISPLAY USAGE TYPE(ALL)";
    let (map_at, map) = match kinds.maps.as_slice() {
        [] => return missing("THE LOG MAP", "print it with CSQJU004"),
        [(at, map)] => (*at, *map),
        maps => pairing::one_of_two(&name, maps)?,
    };
    if kinds.page_sets.is_empty() {
        return missing("CSQI010I", usage);
    }
    // Every queue manager has it; an answer of others alone would leave out what may hold log.
    let of_page_set_0 = kinds.page_sets.values().find(|row| row.page_set.number() == 0);
    if of_page_set_0.is_none_or(|row| {
        matches!(row.condition, PageSetCondition::NotDefined | PageSetCondition::NeverOnline)
    }) {
        return missing("PAGE SET 0 IN CSQI010I", usage);
    }
    let lowest = |rbas: &[(&Section, Rba)]| rbas.iter().map(|(_, rba)| *rba).min();
    let Some(online) = lowest(&kinds.online) else { return missing("CSQI024I", usage) };
    let Some(with_offline) = lowest(&kinds.with_offline) else { return missing("CSQI025I", usage) };
    if kinds.data_sets.is_empty() {
        return missing("CSQI070I", usage);
    }
    for row in [DataSetRow::OldestUnit, DataSetRow::OldestPageSet] {
        if kinds.data_sets.iter().all(|(_, found)| found.row != row) {
            return missing(&format!("'{}' IN CSQI070I", row.title()), usage);
        }
    }
    let group = group::group_of(&name, &kinds)?;
    pairing::check(&name, map_at, map, &kinds)?;
    // The row of the oldest page set says what one of the two does; the lowest of what is said counts.
    let of_page_sets = kinds.data_sets.iter().filter_map(|(_, row)| match (row.row, row.from) {
        (DataSetRow::OldestPageSet, Some(LogAddress::Rba(rba))) => Some(rba),
        _ => None,
    });
    let with_offline = of_page_sets.fold(with_offline, Rba::min);
    let oldest_unit = kinds.data_sets.iter().filter_map(|(_, row)| match (row.row, row.from) {
        (DataSetRow::OldestUnit, Some(LogAddress::Rba(rba))) => Some(rba),
        _ => None,
    });
    Ok(Listings {
        queue_manager: name,
        map,
        map_at,
        page_sets: kinds.page_sets.values().copied().collect(),
        restart: RestartRbas { online, with_offline },
        units: oldest_unit.chain(kinds.units.iter().map(|(_, urid)| *urid)).collect(),
        max_archives: kinds.max_archives,
        group,
        shared: kinds.group,
        structures: Vec::new(),
        warnings: Vec::new(),
    })
}
