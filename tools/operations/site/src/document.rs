//! The inventory of a queue manager, from its listings and the ledger.

use std::borrow::Cow;
use std::collections::BTreeSet;

use format_inventory::{
    History, Inventory, Ledger, LogDataSet, LogKind, LrsnRange, Now, PageSetNow, Plan, UnitNow, VERSION,
    WarningEntry,
};
use format_listing::{ActiveStatus, AddressWidth, ArchiveVolume, LogMap, LogRow, PageSetCondition};
use format_types::{PointState, QueueManagerName, Rba, Timestamp};

use crate::catalog::{Catalogs, Existence};
use crate::continuity::{self, Hole};
use crate::error::SiteError;
use crate::gather::{Listings, Site, place};
use crate::outlook::{Expiring, Outlook};

/// A real queue manager's log has one history: what a conditional restart gave up is no longer in its inventory.
pub(crate) const HISTORY: &str = "1";

/// The highest RBA of 6 bytes.
const LIMIT_OF_SIX: Rba = Rba(0xFFFF_FFFF_FFFF);

/// An inventory, and what a plan of it must not overlook. Names of data sets are those of the listings.
#[derive(Debug, Clone)]
pub struct SiteInventory<'s> {
    /// The inventory document.
    pub inventory: Inventory<'s>,
    /// What to look at.
    pub warnings: Vec<WarningEntry>,
    holes: Vec<Hole>,
    map: String,
    outlook: Outlook,
}

impl<'s> Site<'s> {
    /// The inventory of `queue_manager`, one of the site's, with the points of `ledger` and so many checkpoints before
    /// each need, as far as they are known.
    ///
    /// # Errors
    /// When the log map contradicts itself, or the ledger's points are of other log.
    pub fn inventory(
        &self,
        queue_manager: &Listings<'s>,
        ledger: &Ledger,
        checkpoints: u32,
    ) -> Result<SiteInventory<'s>, SiteError> {
        queue_manager.inventory(&self.catalogs, ledger, checkpoints)
    }
}

impl<'s> Listings<'s> {
    fn inventory(
        &self,
        catalogs: &Catalogs<'_>,
        ledger: &Ledger,
        checkpoints: u32,
    ) -> Result<SiteInventory<'s>, SiteError> {
        let name = &self.queue_manager;
        let end = self.map.header.highest_written.plus(1);
        let map = place(self.map_at);
        let ((checked, holes, outlook), logs) = rayon::join(
            || (self.check_map(), continuity::holes(self.map, end), Outlook::of(self, catalogs)),
            || self.logs(catalogs),
        );
        checked?;
        let mut warnings = self.warnings.clone();
        let mut points = Vec::new();
        for point in ledger.points.iter().filter(|point| point.queue_manager == *name) {
            if point.end >= end {
                let text = format!(
                    "{name}: POINT {} OF THE LEDGER ENDS AT {}, HIGHEST RBA WRITTEN IS {} AT {map}",
                    point.name, point.end, self.map.header.highest_written
                );
                return Err(SiteError::new(
                    "HWT913E",
                    text,
                    "print the log map anew; or this is the ledger of another queue manager of that name",
                ));
            }
            points.push(self.point(point, catalogs, &mut warnings));
        }
        let parts = points.iter().filter_map(|point| point.system_recovery.page_sets.as_ref());
        let needs: Vec<Rba> = parts.map(|part| part.rba).chain([self.restart.lowest(), end]).collect();
        let inventory = Inventory {
            version: VERSION,
            queue_manager: name.clone(),
            histories: vec![History { id: HISTORY.to_owned(), parent: None, cut: None }],
            logs,
            points,
            now: self.now(end, self.checkpoints(&needs, checkpoints as usize)),
            holds: Vec::new(),
            in_progress: Vec::new(),
            holes: Vec::new(),
        };
        Ok(SiteInventory { inventory, warnings, holes, map, outlook })
    }

    /// Refuses a map that contradicts itself.
    fn check_map(&self) -> Result<(), SiteError> {
        let wrong = if let Some(row) = continuity::impossible(self.map) {
            let (name, start, last) = (&row.data_set, row.start, row.last);
            format!("{name} CANNOT HOLD {start} TO {last}: log data sets hold whole control intervals")
        } else if let Some([one, other]) = continuity::overlap(self.map) {
            format!("{one} AND {other} HOLD PARTLY THE SAME LOG")
        } else if let Some(data_set) = continuity::twice(self.map) {
            format!("{data_set} IS LISTED TWICE: a log data set is of one copy")
        } else {
            return Ok(());
        };
        let text = format!("{}: {}: {wrong}", self.queue_manager, place(self.map_at));
        Err(SiteError::new("HWT917E", text, "look at the log inventory; nothing can be planned from it"))
    }

    fn logs(&self, catalogs: &Catalogs<'_>) -> Vec<LogDataSet<'s>> {
        let map: &'s LogMap = self.map;
        let mut logs = Vec::with_capacity(map.archives.iter().map(Vec::len).sum());
        for (copy, volumes) in (1..).zip(&map.archives) {
            for volume in volumes {
                let (present, catalogued) = existence(volume, catalogs);
                let place = volume.volume.as_deref().map(Cow::Borrowed);
                logs.push(LogDataSet {
                    present,
                    catalogued,
                    volume: place,
                    ..log(&volume.row, copy, LogKind::Archive)
                });
            }
        }
        for (copy, actives) in (1..).zip(&map.active) {
            for active in actives.iter().filter(|active| !active.row.range().is_empty()) {
                // One that may be used again holds no log for certain: it may be written over at any time.
                if active.status.contains(&ActiveStatus::Reusable) {
                    continue;
                }
                let stopped = active.status.contains(&ActiveStatus::Stopped);
                let state = if stopped { PointState::Damaged } else { PointState::Unverified };
                logs.push(LogDataSet { state, ..log(&active.row, copy, LogKind::Active) });
            }
        }
        logs
    }

    fn now(&self, end: Rba, checkpoints: Vec<Rba>) -> Now {
        let lowest = self.restart.lowest();
        // When a page set was made no listing says. Without a backup all log that there is counts; what went before is gone anyway.
        let oldest = self.used_rows().map(|row| row.start).min();
        let page_sets = self.page_sets.iter().filter_map(|row| {
            let online = match row.condition {
                PageSetCondition::Online(_) => true,
                PageSetCondition::Offline | PageSetCondition::Suspended => false,
                // Nothing was ever written there.
                PageSetCondition::NotDefined | PageSetCondition::NeverOnline => return None,
            };
            // DISPLAY USAGE gives the lowest of all page sets alone.
            Some(PageSetNow {
                psid: row.page_set,
                recovery_rba: lowest,
                online,
                created: oldest,
                system_value: true,
            })
        });
        let units = self.units.iter().collect::<BTreeSet<_>>().into_iter();
        Now {
            log_end: end,
            checkpoints,
            page_sets: page_sets.collect(),
            structures: self.structures.clone(),
            units: units
                .map(|urid| UnitNow { urid: *urid, state: "active".to_owned(), shunted: None })
                .collect(),
            at: None,
            history: Some(HISTORY.to_owned()),
            rba_limit: (self.map.width == AddressWidth::Six).then_some(LIMIT_OF_SIX),
            rates: None,
        }
    }

    /// Begins of checkpoints. A checkpoint is taken whenever the log is switched, so that below the checkpoint queue the beginning of each
    /// data set stands for one: `count` before each of `needs`.
    fn checkpoints(&self, needs: &[Rba], count: usize) -> Vec<Rba> {
        let queue = self.map.checkpoints.as_deref().unwrap_or_default();
        let mut begins: Vec<Rba> = queue.iter().map(|checkpoint| checkpoint.begin).collect();
        let oldest = begins.iter().min().copied().unwrap_or(Rba::MAX);
        let mut starts: Vec<Rba> =
            self.data_set_starts().into_iter().filter(|start| *start < oldest).collect();
        starts.sort_unstable();
        starts.dedup();
        for need in needs {
            let before = starts.partition_point(|start| start <= need);
            begins.extend(starts.iter().take(before).rev().take(count));
        }
        begins.sort_unstable();
        begins.dedup();
        begins
    }

    /// Where the used data sets begin. The volumes of one do not count by themselves: no checkpoint is taken between them.
    fn data_set_starts(&self) -> Vec<Rba> {
        let actives = self.map.active.iter().flatten().map(|active| &active.row);
        let mut starts: Vec<Rba> =
            actives.filter(|row| !row.range().is_empty()).map(|row| row.start).collect();
        for volumes in &self.map.archives {
            let mut rows: Vec<&LogRow> = volumes.iter().map(|volume| &volume.row).collect();
            rows.sort_by_key(|row| row.start);
            rows.dedup_by(|next, row| next.data_set == row.data_set);
            starts.extend(rows.into_iter().map(|row| row.start));
        }
        starts
    }

    fn used_rows(&self) -> impl Iterator<Item = &LogRow> {
        let actives = self.map.active.iter().flatten().map(|active| &active.row);
        let archives = self.map.archives.iter().flatten().map(|volume| &volume.row);
        actives.chain(archives).filter(|row| !row.range().is_empty())
    }
}

fn log(row: &LogRow, copy: u8, kind: LogKind) -> LogDataSet<'_> {
    let range = row.range();
    LogDataSet {
        name: Cow::Borrowed(row.data_set.as_str()),
        kind,
        copy,
        history: Cow::Borrowed(HISTORY),
        start: range.start,
        end: range.last(),
        bytes: range.len(),
        present: true,
        state: PointState::Unverified,
        registered: true,
        volume: None,
        catalogued: true,
        lrsn: row.lrsns.map(|[start, end]| Box::new(LrsnRange { start: Rba(start.0), end: Rba(end.0) })),
        time: None,
    }
}

/// Whether an archive is there, and whether it can be deleted by name. What only the log map says of it is believed where that says that
/// it is catalogued, on no tape.
fn existence(volume: &ArchiveVolume, catalogs: &Catalogs<'_>) -> (bool, bool) {
    match catalogs.existence(&volume.row.data_set) {
        Existence::OnDisk => (true, true),
        // What the name of something else leads to is not what the log map means.
        Existence::OnTape | Existence::OfOther => (true, false),
        Existence::Absent if volume.catalogued == Some(true) => (false, true),
        // The catalog never had it.
        Existence::Absent => (true, false),
        Existence::Unknown => {
            let tape = volume.unit.as_deref().is_some_and(is_tape);
            (true, volume.catalogued == Some(true) && !tape)
        }
    }
}

/// Names of units are each site's own; these are the usual ones of tapes.
fn is_tape(unit: &str) -> bool {
    ["TAPE", "CART", "VTS"].iter().any(|word| unit.contains(word))
        || ["3480", "3490", "3590", "3592"].iter().any(|word| unit.starts_with(word))
}

impl SiteInventory<'_> {
    /// Days until the log inventory (MAXARCH entries of each copy) drops an archive that is kept when log is kept from `boundary`; none
    /// when MAXARCH, or how fast log is archived, is not known.
    #[must_use]
    pub fn days_until_it_wraps(&self, boundary: Option<Rba>) -> Option<u64> {
        self.outlook.days_left(boundary)
    }

    /// The archives that `plan` keeps and that have expired at `at`, or will within a week, by their expiration dates in the catalog.
    #[must_use]
    pub fn expiring(&self, plan: &Plan<'_>, at: Timestamp) -> Option<Expiring> {
        self.outlook.expiring(plan, at)
    }

    /// Refuses a plan that rests on log which the map does not list: needed log that is in no data set, or a hole in a copy at or above
    /// the boundary, may be a row that the listing has lost, or an inventory that has wrapped.
    ///
    /// # Errors
    /// The first such log.
    pub fn check(&self, plan: &Plan<'_>) -> Result<(), SiteError> {
        let name: &QueueManagerName = &plan.queue_manager;
        let hint = "when the log inventory has wrapped (MAXARCH), enter the archives again with NEWLOG; else print the log map anew";
        if let Some(gap) = plan.gaps.first() {
            let by = gap.needed_by.iter().chain(&gap.destroys).next().map_or("", String::as_str);
            let gone = self.inventory.logs.iter().filter(|log| !log.present);
            if let Some(log) = gone.into_iter().find(|log| log.start <= gap.end && gap.start <= log.end) {
                let text = format!(
                    "{name}: {} TO {} IS NEEDED ({by}), AND ITS ARCHIVE {} IS NOT IN THE CATALOG BY LISTCAT",
                    gap.start, gap.end, log.name
                );
                let hint = "look whether the LISTCAT is of this system and whole; else bring the archive back, or make a new backup now";
                return Err(SiteError::new("HWT918E", text, hint));
            }
            let text = format!(
                "{name}: {} TO {} IS NEEDED ({by}) AND IN NO DATA SET OF {}",
                gap.start, gap.end, self.map
            );
            return Err(SiteError::new("HWT918E", text, hint));
        }
        let boundary = plan.boundary.unwrap_or(Rba::ZERO);
        if let Some(hole) = self.holes.iter().find(|hole| hole.range.end > boundary) {
            let text = format!(
                "{name}: COPY {} HAS NO DATA SET FOR {} TO {} AT {}, AND LOG IS KEPT FROM {boundary}",
                hole.copy,
                hole.range.start,
                hole.range.last(),
                self.map
            );
            return Err(SiteError::new("HWT918E", text, hint));
        }
        Ok(())
    }
}
