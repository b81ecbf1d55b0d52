//! A random queue sharing group of the host, record by record, written as its listings by rules of its own: nothing here reads, or is
//! written by, what is tested.

use std::collections::BTreeSet;
use std::fmt::Write;

use crate::host::{Archive, Host, HostPoint, Random};

/// A second, in an LRSN.
pub(crate) const SECOND: u64 = 1_000_000 << 12;

/// The LRSN at which everything begins, in November 2026.
pub(crate) const EPOCH: u64 = 0xE300_0000_0000_0000;

/// A queue manager of the group.
#[derive(Clone)]
pub(crate) struct Member {
    pub(crate) host: Host,
    pub(crate) group: String,
    /// Records of the log: RBA and LRSN, which is none from before the group.
    pub(crate) records: Vec<(u64, Option<u64>)>,
    /// The first RBA that it wrote in the group.
    pub(crate) joined: u64,
    /// Its map prints 16 digits of LRSNs.
    pub(crate) wide: bool,
    /// Its map prints zeros, not nothing, where there is no LRSN.
    pub(crate) zeros: bool,
    /// Its map prints LRSNs of active logs.
    pub(crate) active_lrsns: bool,
    /// Each volume of an archive prints the LRSNs of all of it.
    pub(crate) whole_archives: bool,
    /// The third row of its usage.
    pub(crate) oldest: Option<u64>,
}

/// A structure, as DISPLAY CFSTRUCT and CFSTATUS show it.
#[derive(Clone)]
pub(crate) struct Shared {
    pub(crate) name: String,
    /// RECOVER, where it is printed.
    pub(crate) recover: Option<bool>,
    pub(crate) backups: Vec<Option<Backup>>,
}

#[derive(Clone)]
pub(crate) struct Backup {
    /// The place of the member that took it.
    pub(crate) by: usize,
    pub(crate) start: u64,
    pub(crate) end: u64,
    /// When it began, and how long before that what changed is not in it.
    pub(crate) lrsn: u64,
    pub(crate) exclude: u64,
    /// Places of the members whose logs it needs.
    pub(crate) logs: Vec<usize>,
}

/// A row of a log map that has log: its first RBA, and its first LRSN as printed, where it is.
pub(crate) struct Row {
    pub(crate) start: u64,
    pub(crate) lrsn: Option<u64>,
}

impl Member {
    fn random(random: &mut Random, number: u64, group: &str) -> Self {
        let host = loop {
            let host = Host::random(random, number);
            if host.named {
                break host;
            }
        };
        let mut starts: BTreeSet<u64> = BTreeSet::new();
        for (_, start, _) in host.archives.iter().flatten().flat_map(|archive| &archive.volumes) {
            starts.insert(*start);
        }
        starts.insert(host.offloaded + 1);
        let starts: Vec<u64> = starts.into_iter().collect();
        let joined = match random.below(3) {
            0 => starts[random.below(starts.len() as u64 / 2) as usize],
            _ => starts[0],
        };
        let mut records = Vec::new();
        let mut clock = EPOCH + random.below(30_000 * SECOND);
        for (place, start) in starts.iter().enumerate() {
            let end = starts.get(place + 1).copied().unwrap_or(host.written + 1);
            let mut rbas: BTreeSet<u64> =
                (0..random.below(6)).map(|_| start + random.below(end - start)).collect();
            rbas.insert(*start);
            for rba in rbas {
                clock += 1 + random.below(600 * SECOND);
                records.push((rba, (rba >= joined).then_some(clock)));
            }
        }
        Self {
            host,
            group: group.to_owned(),
            records,
            joined,
            wide: random.below(2) == 0,
            zeros: random.below(2) == 0,
            active_lrsns: random.below(4) > 0,
            whole_archives: random.below(2) == 0,
            oldest: None,
        }
    }

    /// A quiet member: thirty archives of one copy, each of an hour that begins `late` seconds after the full one; a point over the last.
    pub(crate) fn quiet(number: u64, late: u64) -> Self {
        let (size, name) = (0x1_0000, format!("Q{number:03}"));
        let end = 30 * size;
        let archive = |place: u64| Archive {
            name: format!("ARC1.{name}.ARCHLOG1.A{:07}", place + 1),
            volumes: vec![(format!("V{place:05}"), place * size, (place + 1) * size - 1)],
            disk: true,
        };
        let active = (format!("{name}.LOGCOPY1.DS01"), end, end + size - 1, "NOT REUSABLE");
        let point = end - 0x1000;
        let host = Host {
            named: true,
            digits: 16,
            archives: [(0..30).map(archive).collect(), Vec::new()],
            actives: [vec![active], Vec::new()],
            written: end + 0x8FF,
            offloaded: end - 1,
            checkpoints: (0..30).map(|place| place * size + 0x10).chain([end + 0x10, end + 0x20]).collect(),
            points: vec![HostPoint {
                name: "P0".to_owned(),
                online: point,
                with_offline: point,
                end: end - 1,
                day: 1,
            }],
            online: end + 0x100,
            with_offline: end + 0x100,
            unit: None,
            page_sets: 1,
            name,
        };
        let hour = |place: u64| (place * size, Some(EPOCH + (place * 3600 + late) * SECOND));
        Self {
            host,
            group: "QSG1".to_owned(),
            records: (0..31).map(hour).collect(),
            joined: 0,
            wide: false,
            zeros: true,
            active_lrsns: true,
            whole_archives: false,
            oldest: None,
        }
    }

    /// What its map prints of an LRSN.
    fn printed(&self, lrsn: u64) -> u64 {
        if self.wide { lrsn } else { lrsn & !0xFFFF }
    }

    fn digits(&self, lrsn: u64) -> String {
        if self.wide { format!("{lrsn:016X}") } else { format!("{:012X}", lrsn >> 16) }
    }

    /// The LRSNs of the first and the last record of a row, as far as the map prints them.
    fn lrsns(&self, name: &str, start: u64, last: u64) -> Option<(u64, u64)> {
        let archive = self.host.archives.iter().flatten().find(|archive| archive.name == name);
        let (start, last) = match archive {
            Some(archive) if self.whole_archives => (archive.volumes[0].1, archive.last()),
            Some(_) => (start, last),
            None if self.active_lrsns => (start, last),
            None => return None,
        };
        let inside = self.records.iter().filter(|(rba, _)| (start..=last).contains(rba));
        let lrsns: Vec<u64> = inside.filter_map(|(_, lrsn)| *lrsn).collect();
        (start >= self.joined).then_some((*lrsns.first()?, *lrsns.last()?))
    }

    /// The rows of its map that have log, in the order of their beginnings.
    pub(crate) fn rows(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        let mut row = |name: &str, start, last| {
            let lrsn = self.lrsns(name, start, last).map(|(first, _)| self.printed(first));
            rows.push(Row { start, lrsn });
        };
        for archive in self.host.archives.iter().flatten() {
            archive.volumes.iter().for_each(|(_, start, last)| row(&archive.name, *start, *last));
        }
        for (name, start, last, _) in self.host.actives.iter().flatten().filter(|(_, _, last, _)| *last > 0) {
            row(name, *start, *last);
        }
        rows.sort_by_key(|row| row.start);
        rows
    }

    /// What CSQJU004 prints: the map with its group, and LRSNs below each row.
    pub(crate) fn map(&self) -> String {
        let mut out = String::new();
        let group = format!("OF GROUP '{:<8}'", self.group);
        for line in self.host.map().replace("OF GROUP 'NO NAME '", &group).lines() {
            writeln!(out, "{line}").unwrap();
            let words: Vec<&str> = line.split_whitespace().collect();
            let Some(name) = words.last().and_then(|word| word.strip_prefix("DSN=")) else { continue };
            if words[1] != "/" {
                continue;
            }
            let rba = |word| u64::from_str_radix(word, 16).unwrap();
            match self.lrsns(name, rba(words[0]), rba(words[2])) {
                Some((first, last)) => {
                    writeln!(out, " {} /   {} /", self.digits(first), self.digits(last)).unwrap();
                }
                None if self.zeros => writeln!(out, " {} /   {} /", self.digits(0), self.digits(0)).unwrap(),
                None => {}
            }
        }
        out
    }

    /// What DISPLAY USAGE TYPE(ALL) answers.
    pub(crate) fn usage(&self) -> String {
        let row = match self.oldest {
            Some(lrsn) => format!("          {}  Not found", self.digits(lrsn)),
            None => "                            None".to_owned(),
        };
        let end = "End of data set report";
        self.host.usage().replace(end, &format!("Log, oldest for CF structure recovery\n{row}\n{end}"))
    }

    pub(crate) fn listings(&self) -> String {
        self.map() + &self.usage()
    }
}

/// A group of members, with its structures.
#[derive(Clone)]
pub(crate) struct Group {
    pub(crate) members: Vec<Member>,
    pub(crate) structures: Vec<Shared>,
}

impl Group {
    pub(crate) fn random(random: &mut Random) -> Self {
        let mut members: Vec<Member> =
            (0..2 + random.below(3)).map(|number| Member::random(random, number, "QSG1")).collect();
        let mut structures = Vec::new();
        for number in 0..random.below(5) {
            let count = 1 + random.below(5) / 4;
            let backups = (0..count)
                .map(|_| if random.below(12) > 0 { Backup::random(random, &members) } else { None })
                .collect();
            structures.push(Shared {
                name: format!("APP{number}"),
                recover: [Some(true), Some(true), Some(true), Some(false), None][random.below(5) as usize],
                backups,
            });
        }
        let backups = structures.iter().filter(|shared| shared.recover != Some(false));
        let oldest =
            backups.flat_map(|shared| shared.backups.iter().flatten()).map(|backup| backup.lrsn).min();
        for member in &mut members {
            member.oldest = oldest.filter(|_| random.below(3) > 0);
        }
        Self { members, structures }
    }

    fn answer(member: &Member, noun: &str, objects: &[String]) -> String {
        let (name, mut out) = (&member.host.name, String::new());
        if objects.is_empty() {
            writeln!(out, "CSQM297I !{name} CSQMDRTC NO {noun} FOUND MATCHING REQUEST CRITERIA").unwrap();
        } else {
            let count = objects.len();
            writeln!(out, "CSQM293I !{name} CSQMDRTC {count} {noun} FOUND MATCHING REQUEST CRITERIA")
                .unwrap();
        }
        for object in objects {
            writeln!(out, "CSQM201I !{name} CSQMDRTC  DISPLAY {noun} DETAILS").unwrap();
            writeln!(out, "{object}\n END {noun} DETAILS").unwrap();
        }
        writeln!(out, "CSQ9022I !{name} CSQMDRTC ' DISPLAY {noun}' NORMAL COMPLETION").unwrap();
        out
    }

    /// What DISPLAY CFSTRUCT(*) ALL answers to a member, behind the command as a console or CSQUTIL echoes it.
    pub(crate) fn cfstruct(&self, member: usize) -> String {
        let name = &self.members[member].host.name;
        let command = match member % 3 {
            0 => format!("!{name} DIS CFSTRUCT(*) ALL"),
            1 => "  DISPLAY CFSTRUCT(*) ALL".to_owned(),
            _ => "display cfstruct('*') +\n  recover".to_owned(),
        };
        format!("{command}\n{}", self.structures_answer(member))
    }

    /// What DISPLAY CFSTRUCT answers to a member, without the command.
    pub(crate) fn structures_answer(&self, member: usize) -> String {
        let objects: Vec<String> = self
            .structures
            .iter()
            .map(|shared| {
                let recover = match shared.recover {
                    Some(true) => "\nRECOVER(YES)",
                    Some(false) => "\nRECOVER(NO)",
                    None => "",
                };
                format!("CFSTRUCT({})\nDESCR( )\nCFLEVEL(5){recover}", shared.name)
            })
            .collect();
        Self::answer(&self.members[member], "CFSTRUCT", &objects)
    }

    /// What DISPLAY CFSTATUS(*) TYPE(BACKUP) answers to a member; `moment` tells backups of one structure apart.
    pub(crate) fn cfstatus(&self, member: usize, moment: usize) -> String {
        let objects: Vec<String> = self
            .structures
            .iter()
            .map(|shared| {
                let backup = shared.backups.get(moment).unwrap_or(&shared.backups[0]);
                let said = match backup {
                    Some(backup) => {
                        let logs: Vec<&str> =
                            backup.logs.iter().map(|place| self.members[*place].host.name.as_str()).collect();
                        format!(
                            "STATUS(ACTIVE)\nBKUPDATE(2026-11-25)\nBKUPTIME(10.00.00)\nBKUPSIZE(1)\nBKUPSRBA({:016X})\n\
                             BKUPERBA({:016X})\nLOGS({})\nQMNAME({})",
                            backup.start,
                            backup.end,
                            logs.join(","),
                            self.members[backup.by].host.name
                        )
                    }
                    None => "STATUS(NONE)\nBKUPDATE( )\nBKUPTIME( )\nBKUPSIZE( )\nBKUPSRBA(000000000000)\n\
                             BKUPERBA(000000000000)\nLOGS( )\nQMNAME( )"
                        .to_owned(),
                };
                format!("CFSTATUS({})\nTYPE(BACKUP)\n{said}\nFAILDATE( )\nFAILTIME( )", shared.name)
            })
            .collect();
        Self::answer(&self.members[member], "CFSTATUS", &objects)
    }

    /// Everything, with the answers of one member.
    pub(crate) fn listings(&self, member: usize) -> String {
        let own: String = self.members.iter().map(Member::listings).collect();
        let mut all = own + &self.cfstruct(member);
        let moments = self.structures.iter().map(|shared| shared.backups.len()).max().unwrap_or(1);
        (0..moments).for_each(|moment| all += &self.cfstatus(member, moment));
        all
    }

    pub(crate) fn ledger(&self) -> String {
        Host::ledger(&self.members.iter().map(|member| &member.host).collect::<Vec<_>>())
    }
}

impl Backup {
    /// One that begins at a record of a member that was in the group then, where there is one.
    fn random(random: &mut Random, members: &[Member]) -> Option<Self> {
        let by = random.below(members.len() as u64) as usize;
        let known: Vec<(u64, u64)> =
            members[by].records.iter().filter_map(|(rba, lrsn)| Some((*rba, (*lrsn)?))).collect();
        // Most backups are of late.
        let oldest = if random.below(4) > 0 { known.len() / 2 } else { 0 };
        let (start, lrsn) = *known.get(oldest + random.below((known.len() - oldest) as u64) as usize)?;
        let mut logs: Vec<usize> = (0..members.len()).filter(|_| random.below(3) > 0).collect();
        if logs.is_empty() {
            logs.push(by);
        }
        let end = start + random.below(members[by].host.written - start + 1);
        Some(Self { by, start, end, lrsn, exclude: (30 + random.below(571)) * SECOND, logs })
    }
}
