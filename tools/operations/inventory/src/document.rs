//! The inventory document of the facts.

use std::borrow::Cow;

use format_bsds::ActiveLog;
use format_inventory::{
    History, Hold, Hole, InProgress, InProgressKind, Inventory, LogDataSet, LogKind, LrsnRange, Now,
    PageSetNow, Part, Point, PointPageSet, Rates, RecordedParts, TimeRange, UnitNow, VERSION,
};
use format_types::{HistoryId, Lrsn, PageSetId, PointState, Rba, RbaRange, RecoveryPart};

use crate::facts::Facts;
use crate::files::{ArchiveFile, Stray};

/// A log history as documents name it: number and random bits, for numbers alone collide once a system is copied.
#[must_use]
pub fn history_name(history: HistoryId) -> String {
    history.to_string()
}

impl Facts {
    /// The inventory, ready for a plan.
    #[must_use]
    pub fn document(&self) -> Inventory<'static> {
        let bsds = &self.bsds;
        let actives = bsds.active_logs.iter().filter_map(|log| self.active(log));
        let both = bsds.archives.iter().zip(&self.archives);
        // What a deletion has taken is no archive any more, and its log no gap.
        let archives = both.filter(|(log, file)| !log.deleting || file.present);
        let archives = archives.map(|(log, file)| archive(log, *file));
        let strays = self.strays.iter().filter_map(stray);
        Inventory {
            version: VERSION,
            queue_manager: bsds.name.clone(),
            histories: bsds
                .histories
                .iter()
                .map(|history| History {
                    id: history_name(history.id),
                    parent: history.parent.map(|(parent, _)| history_name(parent)),
                    cut: history.parent.map(|(_, cut)| cut),
                })
                .collect(),
            logs: archives.chain(strays).chain(actives).collect(),
            points: self.points(),
            now: self.now(),
            holds: bsds
                .holds
                .iter()
                .map(|hold| Hold {
                    point: hold.point.clone(),
                    reason: hold.reason.clone(),
                    until: hold.until,
                })
                .collect(),
            in_progress: bsds
                .backups_in_progress
                .iter()
                .map(|backup| InProgress {
                    kind: InProgressKind::Backup,
                    name: backup.name.clone(),
                    history: None,
                    rba: backup.system_recovery_rba.min(backup.start_rba),
                })
                .collect(),
            holes: self.holes(),
        }
    }

    fn holes(&self) -> Vec<Hole> {
        let noted = self.bsds.holes.iter().map(|hole| (hole.history, hole.range));
        let both = self.bsds.archives.iter().zip(&self.archives);
        let taken = both.filter(|(log, file)| log.deleting && !file.present);
        noted
            .chain(taken.map(|(log, _)| (log.history, log.range)))
            .map(|(history, range)| Hole {
                history: history_name(history),
                start: range.start,
                end: range.last(),
            })
            .collect()
    }

    /// An active log as far as it holds log that is nowhere else for certain: one that may be used again holds none, for it may be
    /// written over at any time.
    fn active(&self, log: &ActiveLog) -> Option<LogDataSet<'static>> {
        let range = log.range.filter(|range| !range.is_empty() && !log.status.is_available())?;
        let lacks = self.bsds.lacks_from(log).map(Rba::ci_start);
        // A copy that stopped has what lies before.
        let (end, state) = match lacks {
            Some(lacks) if lacks > range.start => (lacks, PointState::Unverified),
            Some(_) => (range.end, PointState::Damaged),
            None => (range.end, PointState::Unverified),
        };
        Some(LogDataSet {
            name: Cow::Owned(log.name.clone()),
            kind: LogKind::Active,
            copy: log.copy,
            history: Cow::Owned(history_name(log.history)),
            start: range.start,
            end: end.minus(1),
            bytes: log.size,
            present: true,
            state,
            registered: true,
            volume: None,
            catalogued: true,
            lrsn: None,
            time: None,
        })
    }

    fn points(&self) -> Vec<Point> {
        let entries = self.bsds.recovery_points.iter().zip(&self.points);
        entries
            .map(|(entry, check)| {
                let recorded = &entry.system_recovery;
                Point {
                    name: entry.name.clone(),
                    method: entry.method,
                    state: check.state,
                    at: entry.at,
                    history: history_name(entry.history),
                    start: entry.start,
                    end: entry.end.minus(1),
                    page_sets: entry
                        .page_sets
                        .iter()
                        .map(|(psid, recovery_rba)| PointPageSet { psid: *psid, recovery_rba: *recovery_rba })
                        .collect(),
                    system_recovery: RecordedParts {
                        page_sets: Some(part(&recorded.page_sets)),
                        structures: recorded.structures.as_ref().map(part),
                        units: recorded.units.as_ref().map(part),
                    },
                }
            })
            .collect()
    }

    /// Where in the log of the current line a page set was defined: of one that was there from the beginning nothing records it.
    fn defined_at(&self, page_set: PageSetId) -> Option<Rba> {
        let entry = self.bsds.page_sets.iter().find(|entry| entry.page_set == page_set)?;
        let (history, rba) = entry.defined?;
        self.bsds.line().holds(history, rba.plus(1)).then_some(rba)
    }

    fn now(&self) -> Now {
        let usage = &self.usage;
        Now {
            log_end: usage.log_end,
            checkpoints: self.bsds.checkpoints.iter().map(|checkpoint| checkpoint.begin).collect(),
            page_sets: usage
                .page_sets
                .iter()
                .map(|set| PageSetNow {
                    psid: set.page_set,
                    recovery_rba: set.recovery_rba,
                    online: set.online,
                    created: self.defined_at(set.page_set),
                    system_value: false,
                })
                .collect(),
            structures: Vec::new(),
            units: usage
                .units
                .iter()
                .map(|unit| UnitNow { urid: unit.urid.0, state: unit.state.to_string(), shunted: None })
                .collect(),
            at: Some(self.at),
            history: Some(history_name(self.bsds.history())),
            rba_limit: None,
            rates: Some(self.rates()).filter(|rates| *rates != Rates::default()),
        }
    }
}

fn part(part: &RecoveryPart) -> Part {
    Part { rba: part.rba, holder: part.holder.clone() }
}

fn archive(log: &format_bsds::ArchiveLog, file: ArchiveFile) -> LogDataSet<'static> {
    // Records without a time, of an archive that was never looked into.
    let known = log.start_lrsn != Lrsn::default();
    let lrsn = LrsnRange { start: Rba(log.start_lrsn.0), end: Rba(log.end_lrsn.0) };
    let time = TimeRange { start: log.start_lrsn.timestamp(), end: log.end_lrsn.timestamp() };
    LogDataSet {
        name: Cow::Owned(log.name.clone()),
        kind: LogKind::Archive,
        copy: log.copy,
        history: Cow::Owned(history_name(log.history)),
        start: log.range.start,
        end: log.range.last(),
        bytes: file.bytes,
        present: file.present,
        state: if file.verified { PointState::Verified } else { PointState::Unverified },
        registered: true,
        volume: Some(log.volume.clone()).filter(|volume| !volume.is_empty()).map(Cow::Owned),
        catalogued: true,
        lrsn: known.then(|| Box::new(lrsn)),
        time: known.then(|| Box::new(time)),
    }
}

/// A file of this queue manager's log that is in no inventory.
fn stray(stray: &Stray) -> Option<LogDataSet<'static>> {
    let (history, range): &(HistoryId, RbaRange) = stray.log.as_ref().ok()?;
    Some(LogDataSet {
        name: Cow::Owned(stray.name.clone()),
        kind: LogKind::Archive,
        copy: stray.copy,
        history: Cow::Owned(history_name(*history)),
        start: range.start,
        end: range.last(),
        bytes: range.len(),
        present: true,
        state: PointState::Unverified,
        registered: false,
        volume: None,
        catalogued: true,
        lrsn: None,
        time: None,
    })
}
