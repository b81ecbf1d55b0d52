//! Queue sharing groups: what structures need of the logs of the members.
//!
//! RECOVER CFSTRUCT reads the newest backup of a structure from the log of the queue manager that took it, and all changes since then
//! from the logs of all queue managers that used the structure. A structure that was never backed up needs all log since it was made.
//! So a member's log is held for backups that it never saw; what ties the logs together is the LRSN.

use std::collections::{BTreeMap, BTreeSet};

use format_inventory::{StructureNow, WarningEntry};
use format_listing::{
    BackupRange, DataSetRow, EchoedDisplay, LogAddress, LogEvent, LogMap, Report, Section, Structure,
    StructureBackup,
};
use format_types::{Lrsn, QueueManagerName, Rba, StructureName};
use jiff::civil::DateTime;

use crate::error::SiteError;
use crate::gather::{Kinds, Listings, place};
use crate::member_log::{MemberLog, Older, check_lrsn};
use crate::pairing::rows;
use crate::print_order::{self, is_a_day_before};

fn shown(at: Option<DateTime>) -> String {
    at.map_or_else(String::new, |at| at.to_string())
}

/// The structure of the group itself. It has no messages, and is no object of DISPLAY CFSTRUCT.
const ADMINISTRATION: &str = "CSQ_ADMIN";

/// The name under which the third row of CSQI070I holds log.
const OLDEST: &str = "with the oldest backup (CSQI070I)";

const ANSWERS: &str = "give the whole answers to DISPLAY CFSTRUCT(*) ALL and DISPLAY CFSTATUS(*) TYPE(BACKUP) of a member, made together";

const WHOLE_ANSWER: &str =
    "give what DISPLAY CFSTRUCT(*) ALL answers, with the command above it as CSQUTIL prints it";

/// What a queue manager's listings say of a queue sharing group.
#[derive(Debug, Clone, Default)]
pub(crate) struct GroupListings<'s> {
    structures: Vec<(&'s Section, &'s [Structure])>,
    backups: Vec<(&'s Section, &'s [StructureBackup])>,
    /// Structures, as any listing names them.
    named: Vec<(&'s Section, &'s str)>,
    /// The third row of CSQI070I.
    oldest: Vec<(&'s Section, Lrsn)>,
    /// Answers of CSQI070I.
    usage: Vec<&'s Section>,
}

impl<'s> GroupListings<'s> {
    /// Takes in what `section` says of the group, if it does.
    pub(crate) fn take(&mut self, section: &'s Section) {
        let mut named: Vec<&str> = Vec::new();
        match &section.report {
            Report::Structures(found) => {
                self.structures.push((section, found));
                named.extend(found.iter().map(|structure| structure.name.as_str()));
            }
            Report::StructureBackups(found) => {
                self.backups.push((section, found));
                named.extend(found.iter().map(|backup| backup.name.as_str()));
            }
            Report::SharedMessageDataSets(rows) => {
                named.extend(rows.iter().map(|row| row.structure.as_str()));
            }
            Report::SharedMessageBuffers(rows) => named.extend(rows.iter().map(|row| row.structure.as_str())),
            Report::Objects(answer) if ["CFSTATUS", "SMDS", "SMDSCONN"].contains(&answer.noun.as_str()) => {
                let names = answer.objects.iter().filter_map(|object| {
                    ["CFSTATUS", "CFSTRUCT"].iter().find_map(|keyword| object.get(keyword))
                });
                named.extend(names.filter(|name| !name.is_empty() && *name != ADMINISTRATION));
            }
            Report::Event(
                LogEvent::BackupStarted { structure, .. } | LogEvent::BackupCompleted { structure, .. },
            ) => named.push(structure.as_str()),
            Report::DataSets(rows) => {
                self.usage.push(section);
                self.oldest.extend(rows.iter().filter_map(|row| match (row.row, row.from) {
                    (DataSetRow::OldestStructure, Some(LogAddress::Lrsn(lrsn)))
                        if lrsn != Lrsn::default() =>
                    {
                        Some((section, lrsn))
                    }
                    _ => None,
                }));
            }
            _ => {}
        }
        self.named.extend(named.into_iter().map(|name| (section, name)));
    }

    /// Where something of a group stands.
    fn sign(&self) -> Option<&'s Section> {
        let named = self.named.first().map(|(section, _)| *section);
        named.or_else(|| self.oldest.first().map(|(section, _)| *section))
    }
}

/// The queue sharing group that the log maps of a queue manager name.
///
/// # Errors
/// When its listings show a group and no map names it, or two maps name two.
pub(crate) fn group_of(name: &QueueManagerName, kinds: &Kinds<'_>) -> Result<Option<String>, SiteError> {
    let groups: BTreeSet<_> = kinds.maps.iter().map(|(_, map)| map.header.group.as_deref()).collect();
    let sharing = kinds.maps.iter().find(|(_, map)| map.header.sharing == Some(true)).map(|(at, _)| *at);
    let found = match (groups.first(), groups.len()) {
        (Some(group), 1) => *group,
        _ => None,
    };
    let has_lrsns = |map: &LogMap| {
        rows(map).any(|row| row.lrsns.is_some_and(|lrsns| lrsns.iter().any(|lrsn| *lrsn != Lrsn::default())))
    };
    let with_lrsns = || kinds.maps.iter().find(|(_, map)| has_lrsns(map)).map(|(at, _)| *at);
    let sign = match found {
        Some(_) => None,
        None => sharing.or_else(|| kinds.group.sign()).or_else(with_lrsns),
    };
    match (found, sign) {
        (None, None) if groups.len() < 2 => Ok(None),
        (Some(group), _) => Ok(Some(group.to_owned())),
        (None, shown) => {
            let shown = shown.or_else(|| kinds.maps.first().map(|(at, _)| *at)).map(place);
            let text = format!(
                "{name} IS IN A QUEUE SHARING GROUP BY {}, AND ITS LOG MAP DOES NOT SAY IN WHICH",
                shown.unwrap_or_default()
            );
            let hint =
                "give the log map with its title, OF GROUP '...'; nothing of its log may be deleted before";
            Err(SiteError::new("HWT916E", text, hint))
        }
    }
}

/// What holds the log of a member for the structures of its group, and what to look at.
#[derive(Debug, Default, Clone)]
pub(crate) struct Needs {
    pub(crate) structures: Vec<StructureNow>,
    pub(crate) warnings: Vec<WarningEntry>,
}

/// What the groups of `found` need of each of them, in their order.
///
/// # Errors
/// When a listing is missing, the answers do not fit together, or needed log is lost.
pub(crate) fn needs(found: &[Listings<'_>]) -> Result<Vec<Needs>, SiteError> {
    let groups: BTreeSet<&str> = found.iter().filter_map(|listings| listings.group.as_deref()).collect();
    let mut of_members = BTreeMap::new();
    for name in groups {
        of_members.extend(Group::of(name, found)?.needs()?);
    }
    let of = |listings: &Listings<'_>| of_members.remove(&listings.queue_manager).unwrap_or_default();
    Ok(found.iter().map(of).collect())
}

/// From where on the log of each member is held, by the name of what holds it.
type Held = BTreeMap<QueueManagerName, BTreeMap<String, (Rba, String)>>;

/// A group, with the listings of its members.
struct Group<'f, 's> {
    name: &'f str,
    found: &'f [Listings<'s>],
    members: Vec<&'f Listings<'s>>,
    logs: BTreeMap<&'f QueueManagerName, MemberLog<'s>>,
}

impl<'f, 's> Group<'f, 's> {
    fn of(name: &'f str, found: &'f [Listings<'s>]) -> Result<Self, SiteError> {
        let members: Vec<_> =
            found.iter().filter(|listings| listings.group.as_deref() == Some(name)).collect();
        let log = |member: &&'f Listings<'s>| {
            let log = MemberLog::of(&member.queue_manager, member.map_at, member.map)?;
            Ok((&member.queue_manager, log))
        };
        let logs = members.iter().map(log).collect::<Result<_, SiteError>>()?;
        Ok(Self { name, found, members, logs })
    }

    /// Structures that can be recovered: those that no answer says cannot.
    fn recoverable(&self) -> Result<BTreeSet<&'s StructureName>, SiteError> {
        let answers = || self.members.iter().flat_map(|member| &member.shared.structures);
        if answers().next().is_none() {
            return Err(self.missing("CFSTRUCT", "give what DISPLAY CFSTRUCT(*) ALL answers to a member"));
        }
        // A structure that no answer has holds no log, so that one answer is to be of all of them.
        let is_of_all = |at: &Section| at.command.as_ref().is_some_and(EchoedDisplay::is_of_all);
        if let (false, Some((at, _))) = (answers().any(|(at, _)| is_of_all(at)), answers().next()) {
            let asked = match &at.command {
                Some(command) => format!("{command} IS NOT OF ALL STRUCTURES"),
                None => "THE COMMAND IS NOT ABOVE THE ANSWER TO DISPLAY CFSTRUCT, WHICH MAY BE OF SOME STRUCTURES ALONE".to_owned(),
            };
            let text = format!("GROUP {}: {}: {asked}", self.name, place(at));
            return Err(SiteError::new("HWT923E", text, WHOLE_ANSWER));
        }
        // What came to the group since the answer is in none.
        let usages = || self.members.iter().flat_map(|member| &member.shared.usage);
        let newest = usages().filter_map(|at| print_order::dated(at)).max();
        let of_all = || answers().filter(|(at, _)| is_of_all(at)).map(|(at, _)| *at);
        let is_old = |at: &Section| {
            print_order::dated(at).is_some_and(|at| newest.is_some_and(|usage| is_a_day_before(at, usage)))
        };
        if let (true, Some(at)) = (of_all().all(is_old), of_all().next()) {
            let text = format!(
                "GROUP {}: {}: THE ANSWER TO DISPLAY CFSTRUCT WAS PRINTED ON {}, AND A USAGE ON {}",
                self.name,
                place(at),
                shown(print_order::dated(at)),
                shown(newest)
            );
            return Err(SiteError::new("HWT923E", text, ANSWERS));
        }
        let structures = || answers().flat_map(|(_, found)| found.iter());
        let known: BTreeSet<&str> = structures().map(|s| s.name.as_str()).collect();
        let mut named = self.members.iter().flat_map(|member| &member.shared.named);
        if let Some((at, name)) = named.find(|(_, name)| !known.contains(name)) {
            let text = format!(
                "GROUP {}: {}: STRUCTURE {name} IS IN NO ANSWER TO DISPLAY CFSTRUCT",
                self.name,
                place(at)
            );
            return Err(SiteError::new("HWT923E", text, ANSWERS));
        }
        let recoverable = structures().filter(|found| found.recover != Some(false));
        Ok(recoverable.map(|found| &found.name).collect())
    }

    fn missing(&self, what: &str, hint: &'static str) -> SiteError {
        let text = format!("GROUP {}: THE ANSWER TO DISPLAY {what} IS MISSING", self.name);
        SiteError::new("HWT911E", text, hint)
    }

    fn needs(&self) -> Result<BTreeMap<QueueManagerName, Needs>, SiteError> {
        let recoverable = self.recoverable()?;
        let answers = || self.members.iter().flat_map(|member| &member.shared.backups);
        if answers().next().is_none() {
            let hint = "give what DISPLAY CFSTATUS(*) TYPE(BACKUP) answers to a member";
            return Err(self.missing("CFSTATUS TYPE(BACKUP)", hint));
        }
        let oldest = self.members.iter().find_map(|member| member.shared.oldest.first());
        if let (true, Some((at, lrsn))) = (recoverable.is_empty(), oldest) {
            let text = format!(
                "GROUP {}: {}: A STRUCTURE WAS BACKED UP AT LRSN {lrsn}, AND THE ANSWERS TO DISPLAY CFSTRUCT HAVE NONE WITH RECOVER(YES)",
                self.name,
                place(at)
            );
            return Err(SiteError::new("HWT923E", text, ANSWERS));
        }
        let backups: Vec<_> =
            answers().flat_map(|(at, found)| found.iter().map(move |backup| (*at, backup))).collect();
        let mut held = Held::new();
        let mut never = BTreeSet::new();
        for name in recoverable {
            let of_it: Vec<_> = backups.iter().filter(|(_, backup)| backup.name == *name).collect();
            if of_it.is_empty() {
                let text =
                    format!("GROUP {}: STRUCTURE {name} IS IN NO ANSWER TO DISPLAY CFSTATUS", self.name);
                return Err(SiteError::new("HWT923E", text, ANSWERS));
            }
            for (at, backup) in of_it {
                match &backup.backup {
                    Some(range) => self.hold(&mut held, name, at, range)?,
                    None => {
                        never.insert(name.as_str());
                    }
                }
            }
        }
        self.hold_oldest(&mut held)?;
        Ok(self
            .logs
            .iter()
            .map(|(name, log)| ((*name).clone(), of_member(log, held.remove(*name), &never)))
            .collect())
    }

    /// Holds the logs that the recovery of `structure` from `backup` reads.
    fn hold(
        &self,
        held: &mut Held,
        structure: &StructureName,
        at: &Section,
        backup: &BackupRange,
    ) -> Result<(), SiteError> {
        let by = &backup.taken_by;
        let what = format!("the backup of structure {structure} by {by}");
        let log = self.log_of(by, structure, at)?;
        if backup.start.max(backup.end) > log.highest() {
            let text = format!(
                "{} IS OLDER THAN {}: {what} ENDS AT {}, HIGHEST RBA WRITTEN IS {}",
                log.place(),
                place(at),
                backup.end,
                log.highest()
            );
            let hint = "print the log maps anew, after DISPLAY CFSTATUS, and give all of them";
            return Err(SiteError::new("HWT913E", text, hint));
        }
        let lrsn = log.lrsn_at(backup.start, &what)?;
        let title = format!("{structure} (backed up by {by})");
        let readers: BTreeSet<&QueueManagerName> = backup.logs.iter().chain([by]).collect();
        for reader in &readers {
            // In the log of who took it that is at or below the backup's first record.
            let from = self.log_of(reader, structure, at)?.since(lrsn, &what, Older::Refuse)?;
            lower(held, reader, structure.as_str(), from, title.clone());
        }
        // LOGS is of the moment of the answer. Who began to use the structure since then has the third row in its usage; one that has none
        // may be such.
        let unsure = self.members.iter().filter(|member| member.shared.oldest.is_empty());
        for member in unsure.filter(|member| !readers.contains(&member.queue_manager)) {
            let from =
                self.log_of(&member.queue_manager, structure, at)?.since(lrsn, &what, Older::HoldAll)?;
            lower(held, &member.queue_manager, structure.as_str(), from, title.clone());
        }
        Ok(())
    }

    /// Holds the log of each member from what its usage says is the oldest backup of the group.
    fn hold_oldest(&self, held: &mut Held) -> Result<(), SiteError> {
        for member in &self.members {
            let (name, what) = (&member.queue_manager, "CSQI070I");
            let Some(log) = self.logs.get(name) else { continue };
            for (at, lrsn) in &member.shared.oldest {
                check_lrsn(&format!("{name}: {}", place(at)), *lrsn)?;
                lower(held, name, OLDEST, log.since(*lrsn, what, Older::HoldAll)?, OLDEST.to_owned());
            }
        }
        Ok(())
    }

    /// The log of a queue manager that a recovery of `structure` reads.
    fn log_of(
        &self,
        name: &QueueManagerName,
        structure: &StructureName,
        at: &Section,
    ) -> Result<&MemberLog<'s>, SiteError> {
        if let Some(log) = self.logs.get(name) {
            return Ok(log);
        }
        let needed =
            format!("{}: STRUCTURE {structure} OF GROUP {} NEEDS THE LOG OF {name}", place(at), self.name);
        if self.found.iter().any(|listings| listings.queue_manager == *name) {
            let text = format!("{needed}, WHICH IS NOT IN THE GROUP BY ITS LOG MAP");
            let hint = "give the listings of the members of the group, of one moment";
            return Err(SiteError::new("HWT916E", text, hint));
        }
        let text = format!("{needed}, AND ITS LISTINGS ARE MISSING");
        let hint = "give the log map and the answer to DISPLAY USAGE TYPE(ALL) of every member of the group";
        Err(SiteError::new("HWT911E", text, hint))
    }
}

/// Holds the log of `member` from `from` on for `key`, unless it is held from below.
fn lower(held: &mut Held, member: &QueueManagerName, key: &str, from: Rba, title: String) {
    let entries = held.entry(member.clone()).or_default();
    match entries.get(key) {
        Some((lowest, _)) if *lowest <= from => {}
        _ => {
            entries.insert(key.to_owned(), (from, title));
        }
    }
}

/// What holds the log of one member: `held`, and all of it for structures that were `never` backed up.
fn of_member(
    log: &MemberLog<'_>,
    held: Option<BTreeMap<String, (Rba, String)>>,
    never: &BTreeSet<&str>,
) -> Needs {
    let mut needs = Needs::default();
    for name in never {
        let lowest = log.lowest();
        // When the structure was made no listing says: all log that there is counts, and what went before is gone anyway.
        needs.structures.push(if lowest == Rba::ZERO {
            StructureNow { name: (*name).to_owned(), rba: None }
        } else {
            let text =
                format!("STRUCTURE {name} WAS NEVER BACKED UP: it holds all log that there is; back it up");
            needs.warnings.push(WarningEntry { id: "HWT809W".to_owned(), text });
            StructureNow { name: format!("{name} (never backed up)"), rba: Some(lowest) }
        });
    }
    let held = held.unwrap_or_default().into_values();
    needs.structures.extend(held.map(|(from, name)| StructureNow { name, rba: Some(from) }));
    needs
}
