//! A random site of the host, written as its listings by rules of its own: nothing here reads, or is written by, what is tested.
#![allow(dead_code, reason = "each test file uses its part of it")]

use std::fmt::Write;

/// Splitmix64, so that a seed says everything.
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }

    /// 0 to `limit`, `limit` not included.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit.max(1)
    }
}

/// An archive of one copy: its volumes, each with first and last RBA.
#[derive(Clone)]
pub(crate) struct Archive {
    pub(crate) name: String,
    pub(crate) volumes: Vec<(String, u64, u64)>,
    pub(crate) disk: bool,
}

impl Archive {
    pub(crate) fn last(&self) -> u64 {
        self.volumes.last().unwrap().2
    }
}

#[derive(Clone)]
pub(crate) struct HostPoint {
    pub(crate) name: String,
    pub(crate) online: u64,
    pub(crate) with_offline: u64,
    pub(crate) end: u64,
    pub(crate) day: u32,
}

#[derive(Clone)]
pub(crate) struct Host {
    pub(crate) name: String,
    pub(crate) named: bool,
    pub(crate) digits: usize,
    pub(crate) archives: [Vec<Archive>; 2],
    /// Name, first RBA, last RBA, status.
    pub(crate) actives: [Vec<(String, u64, u64, &'static str)>; 2],
    pub(crate) written: u64,
    pub(crate) offloaded: u64,
    pub(crate) checkpoints: Vec<u64>,
    pub(crate) points: Vec<HostPoint>,
    pub(crate) online: u64,
    pub(crate) with_offline: u64,
    pub(crate) unit: Option<u64>,
    pub(crate) page_sets: u64,
}

impl Host {
    /// A queue manager whose log has been written evenly; `number` keeps its names apart from those of others.
    pub(crate) fn random(random: &mut Random, number: u64) -> Self {
        let name = format!("Q{number:03}");
        let dual = random.below(3) > 0;
        let count = 6 + random.below(20);
        let first = random.below(3) * 0x10_0000;
        let size = 0x1_0000 * (1 + random.below(4));
        let offloaded = first + count * size - 1;
        let written = offloaded + 1 + random.below(size);
        let mut archives = [Vec::new(), Vec::new()];
        let mut actives = [Vec::new(), Vec::new()];
        for copy in 0..=usize::from(dual) {
            let disk = random.below(2) == 0;
            for place in 0..count {
                let (start, last) = (first + place * size, first + (place + 1) * size - 1);
                let split = !disk && random.below(4) == 0;
                let volume = |part: u64| format!("V{copy}{:04}", place * 2 + part);
                let volumes = if split {
                    let middle = start + size / 2;
                    vec![(volume(0), start, middle - 1), (volume(1), middle, last)]
                } else {
                    vec![(volume(0), start, last)]
                };
                let name = format!("ARC{}.{name}.ARCHLOG{}.A{:07}", copy + 1, copy + 1, place + 1);
                archives[copy].push(Archive { name, volumes, disk });
            }
            let log = |number: u64| format!("{name}.LOGCOPY{}.DS{number:02}", copy + 1);
            let last = first + (count - 1) * size;
            actives[copy].push((log(1), last, offloaded, "REUSABLE"));
            actives[copy].push((log(2), offloaded + 1, offloaded + size, "NOT REUSABLE"));
            actives[copy].push((log(3), 0, 0, "NEW"));
        }
        let log = written - first;
        let mut checkpoints: Vec<u64> = (0..40).map(|_| first + random.below(log)).collect();
        checkpoints.extend((0..count).map(|place| first + place * size + 0x10));
        checkpoints.sort_unstable();
        checkpoints.dedup();
        let mut points = Vec::new();
        let mut at = first;
        for number in 0..random.below(5) {
            at += random.below((written - at).max(2) / 2) + 1;
            let online = at - random.below((at - first).clamp(1, size));
            let with_offline = online - random.below((online - first + 1).min(3));
            points.push(HostPoint {
                name: format!("P{number}"),
                online,
                with_offline,
                end: (at + 0x100).min(written),
                day: 1 + number as u32,
            });
        }
        let online = written - random.below(size.min(log));
        let with_offline = online - random.below(size.min(online - first + 1));
        let unit = (random.below(2) == 0).then(|| online + random.below(written - online + 1));
        Self {
            name,
            named: random.below(4) > 0,
            digits: if random.below(2) == 0 { 12 } else { 16 },
            archives,
            actives,
            written,
            offloaded,
            checkpoints,
            points,
            online,
            with_offline,
            unit,
            page_sets: 1 + random.below(4),
        }
    }

    /// A quiet site: thirty archives of one copy on disk, point P0 over the middle of them.
    pub(crate) fn plain() -> Self {
        let size = 0x1_0000;
        let archive = |number: u64| Archive {
            name: format!("ARC1.Q000.ARCHLOG1.A{:07}", number + 1),
            volumes: vec![(format!("V{number:05}"), number * size, (number + 1) * size - 1)],
            disk: true,
        };
        let end = 30 * size;
        Self {
            name: "Q000".to_owned(),
            named: true,
            digits: 16,
            archives: [(0..30).map(archive).collect(), Vec::new()],
            actives: [
                vec![("Q000.LOGCOPY1.DS01".to_owned(), end, end + size - 1, "NOT REUSABLE")],
                Vec::new(),
            ],
            written: end + 0x800,
            offloaded: end - 1,
            checkpoints: (0..30).map(|number| number * size + 0x10).collect(),
            points: vec![HostPoint {
                name: "P0".to_owned(),
                online: 20 * size + 0x400,
                with_offline: 20 * size + 0x400,
                end: 21 * size - 1,
                day: 1,
            }],
            online: end + 0x100,
            with_offline: end + 0x100,
            unit: None,
            page_sets: 1,
        }
    }

    fn hex(&self, rba: u64) -> String {
        format!("{rba:0width$X}", width = self.digits)
    }

    /// What CSQJU004 prints.
    pub(crate) fn map(&self) -> String {
        let mut out = String::new();
        let name = &self.name;
        writeln!(out, " LOG MAP OF BSDS DATA SET COPY 1, DSN={name}.BSDS01").unwrap();
        if self.named {
            writeln!(
                out,
                " LOG MAP OF THE BSDS DATA SET BELONGING TO QUEUE MANAGER '{name:<8}' OF GROUP 'NO NAME '."
            )
            .unwrap();
        }
        writeln!(out, "         HIGHEST RBA WRITTEN         {}", self.hex(self.written)).unwrap();
        writeln!(out, "         HIGHEST RBA OFFLOADED       {}", self.hex(self.offloaded)).unwrap();
        for copy in 0..2 {
            writeln!(out, "                          ACTIVE LOG COPY {} DATA SETS", copy + 1).unwrap();
            if self.actives[copy].is_empty() {
                writeln!(out, " NO ACTIVE DATA SETS DEFINED FOR THIS COPY").unwrap();
            }
            for (name, start, last, status) in &self.actives[copy] {
                self.row(&mut out, *start, *last, name, &format!("STATUS={status}"));
            }
            writeln!(out, "                          ARCHIVE LOG COPY {} DATA SETS", copy + 1).unwrap();
            if self.archives[copy].is_empty() {
                writeln!(out, " NO ARCHIVE DATA SETS DEFINED FOR THIS COPY").unwrap();
            }
            for archive in &self.archives[copy] {
                let unit = if archive.disk { "SYSDA" } else { "TAPE" };
                for (volume, start, last) in &archive.volumes {
                    let more = format!("VOL={volume} UNIT={unit} CATALOGUED=YES");
                    self.row(&mut out, *start, *last, &archive.name, &more);
                }
            }
        }
        writeln!(out, " CSQJ401E CSQJU004 RECORD NOT FOUND - RESTART CONTROL").unwrap();
        writeln!(out, "                                 CHECKPOINT QUEUE").unwrap();
        for begin in self.checkpoints.iter().rev() {
            writeln!(out, " TIME OF CHECKPOINT             18:19:12 NOVEMBER 25, 2026").unwrap();
            writeln!(out, " BEGIN CHECKPOINT RBA           {}", self.hex(*begin)).unwrap();
            writeln!(out, " END CHECKPOINT RBA             {}", self.hex(*begin + 8)).unwrap();
        }
        out
    }

    fn row(&self, out: &mut String, start: u64, last: u64, name: &str, more: &str) {
        writeln!(out, " {} /   {} /  2026-09-29 DSN={name}", self.hex(start), self.hex(last)).unwrap();
        writeln!(out, "                                            PASSWORD=(NULL) {more}").unwrap();
    }

    fn holder(&self, rba: u64) -> String {
        let active =
            self.actives[0].iter().find(|(_, start, last, _)| *start <= rba && rba <= *last && *last > 0);
        let archive = self.archives[0]
            .iter()
            .find(|archive| archive.volumes.iter().any(|(_, start, last)| *start <= rba && rba <= *last));
        active.map(|(name, ..)| name.clone()).or(archive.map(|archive| archive.name.clone())).unwrap()
    }

    /// What DISPLAY USAGE TYPE(ALL) answers.
    pub(crate) fn usage(&self) -> String {
        let (name, mut out) = (&self.name, String::new());
        writeln!(out, "CSQI010I !{name} Page set usage ...").unwrap();
        writeln!(out, "Page Buffer   Total   Unused  Persistent NonPersist Expansion    Encr-").unwrap();
        writeln!(out, " set  pool    pages    pages  data pages data pages        count   ypt").unwrap();
        for page_set in 0..self.page_sets {
            writeln!(out, "_{page_set:>3}     0     1078     1045          33          0 USER       0   NO")
                .unwrap();
        }
        writeln!(out, " End of page set report").unwrap();
        writeln!(out, "CSQI070I !{name} Data set usage ...").unwrap();
        writeln!(out, "Data set    RBA/LRSN         DSName").unwrap();
        writeln!(out, "Log, oldest with active unit of work").unwrap();
        match self.unit {
            Some(unit) => writeln!(out, "          {unit:016X} {}", self.holder(unit)).unwrap(),
            None => writeln!(out, "                            None").unwrap(),
        }
        writeln!(out, "Log, oldest for page set recovery").unwrap();
        writeln!(out, "          {:016X} {}", self.with_offline, self.holder(self.with_offline)).unwrap();
        writeln!(out, "End of data set report").unwrap();
        writeln!(out, "CSQI024I !{name} CSQIDUSE Restart RBA for system as").unwrap();
        writeln!(out, "configured={:016X}", self.online).unwrap();
        writeln!(
            out,
            "CSQI025I !{name} CSQIDUSE Restart RBA including offline page sets={:016X}",
            self.with_offline
        )
        .unwrap();
        writeln!(out, "CSQ9022I !{name} CSQIDUSE ' DISPLAY USAGE' NORMAL COMPLETION").unwrap();
        out
    }

    /// Its part of the ledger, as JSON text between brackets.
    pub(crate) fn ledger(hosts: &[&Self]) -> String {
        let mut points = Vec::new();
        for host in hosts {
            for point in &host.points {
                let sets: Vec<String> = (0..host.page_sets)
                    .map(|set| {
                        format!(
                            r#"{{"psid": {set}, "data_set": "{n}.PSID{set:02}", "copy": "BK.{n}.P{set:02}.{p}"}}"#,
                            n = host.name,
                            p = point.name
                        )
                    })
                    .collect();
                points.push(format!(
                    r#"{{"queue_manager": "{}", "name": "{}", "method": "fuzzy", "at": "2026-10-{:02}T00:00:00Z", "start": "{:016X}",
                     "end": "{:016X}", "restart": {{"online": "{:016X}", "with_offline": "{:016X}"}}, "copied_by": "repro",
                     "evidence": "clean", "page_sets": [{}]}}"#,
                    host.name,
                    point.name,
                    point.day,
                    point.online.min(point.with_offline),
                    point.end,
                    point.online,
                    point.with_offline,
                    sets.join(", ")
                ));
            }
        }
        format!(r#"{{"points": [{}]}}"#, points.join(", "))
    }

    /// IBM's rule: of each copy, archives older than the volume that holds the lowest RBA needed may go: that of the oldest page set
    /// backup kept, as displayed when it was taken, with so many checkpoints before it; never what a restart needs today. Without any
    /// backup nothing may go. An archive on several volumes goes as one.
    pub(crate) fn may_go(&self, keep_last: usize, margin: usize) -> Option<(u64, Vec<String>)> {
        let kept = &self.points[self.points.len().saturating_sub(keep_last)..];
        let needed = kept.iter().map(|point| point.online.min(point.with_offline)).min()?;
        let mut floors = vec![needed, self.online, self.with_offline];
        floors.extend(self.unit);
        let before = |rba: u64, count: usize| {
            let older: Vec<u64> =
                self.checkpoints.iter().copied().filter(|begin| *begin <= rba).rev().collect();
            older.get(count - 1).copied()
        };
        if margin > 0 {
            floors.push(before(needed, margin)?);
        }
        // A restart needs the last two complete checkpoints, and the margin of it.
        floors.push(before(self.written, margin.max(2))?);
        let floor = floors.into_iter().min()?;
        let old = self.archives.iter().flatten().filter(|archive| archive.last() < floor);
        let mut names: Vec<String> = old.map(|archive| archive.name.clone()).collect();
        names.sort();
        Some((floor, names))
    }
}
