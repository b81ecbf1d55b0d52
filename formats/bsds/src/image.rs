//! The image: the inventory, field after field.
//!
//! Numbers are big-endian; a text or list is preceded by its length (u16 bytes, u32 entries); an optional field by one byte, 0 or 1.
//!
//! | Field | Layout |
//! |---|---|
//! | queue manager | identity u64, name, created u64 |
//! | settings | dual active u8, dual archive u8, data set size u64, log load u32, buffer pool pages u32 |
//! | histories | id (number u32, random u64), parent (optional: id, cut u64), first u64 |
//! | active logs | copy u8, name, size u64, range (optional: start u64, end u64), status u8, instance u32, history |
//! | stopped copies | two optional RBAs |
//! | archives | copy u8, name, history, start, end, start LRSN, end LRSN, written at (u64 each), unit, volume, BSDS name, deleting u8 |
//! | counters | next archive u32, highest written u64, highest offloaded u64 |
//! | checkpoints | begin, end, at (u64 each) |
//! | clean stop | optional RBA |
//! | conditional restarts | at u64, end u64, active u8 |
//! | backups in progress | name, started, system recovery RBA, start RBA (u64 each) |
//! | recovery points | name, directory, method u8, state u8, at u64, history, start, end (u64), page sets (u8, u64), next row |
//! | ... system recovery | page sets part, optional structures and units parts, RBA without offline u64; a part: RBA u64, holder |
//! | ... verified | when it was last found whole (optional u64) |
//! | holds | point, reason, until (optional u64) |
//! | page sets | page set u8, initial pages u32, expand u8, defined (optional: history, u64) |
//! | holes | history, start u64, end u64 |

use format_types::{
    Cursor, DataSetName, Expand, HistoryId, LogHistory, Lrsn, PageSetId, QueueManagerId, Rba, RbaRange,
    RecoveryPart, ShortInput, SystemRecovery, Timestamp, put_bytes16,
};

use crate::{
    ActiveLog, ActiveStatus, ArchiveLog, BackupInProgress, Bsds, CheckpointEntry, ConditionalRestart, Hold,
    Hole, PageSetEntry, PointMethod, PointState, RecoveryPointEntry, Settings,
};

/// Why bytes are not an inventory.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BsdsError {
    /// The bytes end too early.
    #[error(transparent)]
    Short(#[from] ShortInput),
    /// Bytes follow the last field.
    #[error("{0} bytes follow the last field")]
    Long(usize),
    /// A field with an impossible value.
    #[error("{field} cannot be {value}")]
    Field {
        /// The field.
        field: &'static str,
        /// Its value.
        value: String,
    },
}

type Result<T> = std::result::Result<T, BsdsError>;

fn wrong(field: &'static str, value: &dyn std::fmt::Display) -> BsdsError {
    BsdsError::Field { field, value: value.to_string() }
}

// Writing. Lists are far shorter than 4 Gi entries.

struct Writer(Vec<u8>);

impl Writer {
    fn u8(&mut self, value: u8) {
        self.0.push(value);
    }
    fn u32(&mut self, value: u32) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }
    fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_be_bytes());
    }
    fn bool(&mut self, value: bool) {
        self.u8(u8::from(value));
    }
    fn rba(&mut self, value: Rba) {
        self.u64(value.0);
    }
    fn time(&mut self, value: Timestamp) {
        self.u64(value.0);
    }
    fn text(&mut self, value: &str) {
        let end = (0..=value.len().min(usize::from(u16::MAX)))
            .rev()
            .find(|&at| value.is_char_boundary(at))
            .unwrap_or(0);
        put_bytes16(&mut self.0, &value.as_bytes()[..end]);
    }
    fn history(&mut self, value: HistoryId) {
        self.u32(value.number);
        self.u64(value.random);
    }
    fn range(&mut self, value: RbaRange) {
        self.rba(value.start);
        self.rba(value.end);
    }
    fn optional<T>(&mut self, value: Option<T>, put: impl FnOnce(&mut Self, T)) {
        self.bool(value.is_some());
        if let Some(value) = value {
            put(self, value);
        }
    }
    fn list<T>(&mut self, values: &[T], mut put: impl FnMut(&mut Self, &T)) {
        self.u32(u32::try_from(values.len()).unwrap_or(u32::MAX));
        for value in values {
            put(self, value);
        }
    }
    fn part(&mut self, value: &RecoveryPart) {
        self.rba(value.rba);
        self.text(&value.holder);
    }

    fn active(&mut self, log: &ActiveLog) {
        self.u8(log.copy);
        self.text(&log.name);
        self.u64(log.size);
        self.optional(log.range, Self::range);
        let ActiveStatus { new, reusable, stopped, truncated, incomplete } = log.status;
        let flags = [new, reusable, stopped, truncated, incomplete];
        self.u8((0..).zip(flags).fold(0, |status, (bit, flag)| status | u8::from(flag) << bit));
        self.u32(log.instance);
        self.history(log.history);
    }

    fn archive(&mut self, log: &ArchiveLog) {
        self.u8(log.copy);
        self.text(&log.name);
        self.history(log.history);
        self.range(log.range);
        self.u64(log.start_lrsn.0);
        self.u64(log.end_lrsn.0);
        self.time(log.written_at);
        self.text(&log.unit);
        self.text(&log.volume);
        self.text(&log.bsds_name);
        self.bool(log.deleting);
    }

    fn point(&mut self, point: &RecoveryPointEntry) {
        self.text(&point.name);
        self.text(&point.directory);
        self.u8(match point.method {
            PointMethod::Fuzzy => 1,
            PointMethod::Full => 2,
        });
        self.u8(match point.state {
            PointState::Verified => 1,
            PointState::Unverified => 2,
            PointState::Damaged => 3,
        });
        self.time(point.at);
        self.history(point.history);
        self.rba(point.start);
        self.rba(point.end);
        self.list(&point.page_sets, |w, (page_set, recovery)| {
            w.u8(page_set.number());
            w.rba(*recovery);
        });
        let recovery = &point.system_recovery;
        self.part(&recovery.page_sets);
        self.optional(recovery.structures.as_ref(), Self::part);
        self.optional(recovery.units.as_ref(), Self::part);
        self.rba(recovery.page_sets_online);
        self.optional(point.verified_at, Self::time);
    }
}

/// The image of `bsds`; its sequence is not in it, the slot's header has it.
pub(crate) fn encode(bsds: &Bsds) -> Vec<u8> {
    let mut w = Writer(Vec::with_capacity(4096));
    w.u64(bsds.queue_manager.0);
    w.text(bsds.name.as_str());
    w.time(bsds.created);
    w.bool(bsds.settings.dual_active);
    w.bool(bsds.settings.dual_archive);
    w.u64(bsds.settings.log_data_set_size);
    w.u32(bsds.settings.log_load);
    w.u32(bsds.settings.buffer_pool_pages);
    w.list(&bsds.histories, |w, entry| {
        w.history(entry.id);
        w.optional(entry.parent, |w, (parent, cut)| {
            w.history(parent);
            w.rba(cut);
        });
        w.rba(entry.first);
    });
    w.list(&bsds.active_logs, Writer::active);
    for stopped in bsds.copy_stopped {
        w.optional(stopped, Writer::rba);
    }
    w.list(&bsds.archives, Writer::archive);
    w.u32(bsds.next_archive);
    w.rba(bsds.highest_written);
    w.rba(bsds.highest_offloaded);
    w.list(&bsds.checkpoints, |w, entry| {
        w.rba(entry.begin);
        w.rba(entry.end);
        w.time(entry.at);
    });
    w.optional(bsds.clean_stop, Writer::rba);
    w.list(&bsds.conditional_restarts, |w, entry| {
        w.time(entry.at);
        w.rba(entry.end);
        w.bool(entry.active);
    });
    w.list(&bsds.backups_in_progress, |w, backup| {
        w.text(&backup.name);
        w.time(backup.started);
        w.rba(backup.system_recovery_rba);
        w.rba(backup.start_rba);
    });
    w.list(&bsds.recovery_points, Writer::point);
    w.list(&bsds.holds, |w, hold| {
        w.text(&hold.point);
        w.text(&hold.reason);
        w.optional(hold.until, Writer::time);
    });
    w.list(&bsds.page_sets, |w, entry| {
        w.u8(entry.page_set.number());
        w.u32(entry.initial_pages);
        w.u8(match entry.expand {
            Expand::User => 1,
            Expand::System => 2,
            Expand::None => 3,
        });
        w.optional(entry.defined, |w, (history, rba)| {
            w.history(history);
            w.rba(rba);
        });
    });
    w.list(&bsds.holes, |w, hole| {
        w.history(hole.history);
        w.range(hole.range);
    });
    w.0
}

// Reading. Every list entry takes at least one byte, so a false count runs out of input before it runs out of memory.

struct Reader<'a>(Cursor<'a>);

impl Reader<'_> {
    fn u8(&mut self) -> Result<u8> {
        Ok(self.0.u8()?)
    }
    fn u32(&mut self) -> Result<u32> {
        Ok(self.0.u32()?)
    }
    fn u64(&mut self) -> Result<u64> {
        Ok(self.0.u64()?)
    }
    fn bool(&mut self, field: &'static str) -> Result<bool> {
        match self.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            other => Err(wrong(field, &other)),
        }
    }
    fn rba(&mut self) -> Result<Rba> {
        Ok(Rba(self.u64()?))
    }
    fn time(&mut self) -> Result<Timestamp> {
        Ok(Timestamp(self.u64()?))
    }
    fn text(&mut self, field: &'static str) -> Result<String> {
        let bytes = self.0.bytes16()?;
        let text = std::str::from_utf8(bytes).map_err(|_| wrong(field, &"text that is not UTF-8"))?;
        Ok(text.to_owned())
    }
    /// Names become file names, so nothing but a data set name will do.
    fn data_set(&mut self, field: &'static str) -> Result<String> {
        let name: DataSetName =
            self.text(field)?.parse().map_err(|error: format_types::NameError| wrong(field, &error))?;
        Ok(name.into())
    }
    fn bsds_copy(&mut self) -> Result<String> {
        let name = self.text("BSDS copy name")?;
        if name.is_empty() || name.parse::<DataSetName>().is_ok() {
            Ok(name)
        } else {
            Err(wrong("BSDS copy name", &name))
        }
    }
    fn history(&mut self) -> Result<HistoryId> {
        Ok(HistoryId { number: self.u32()?, random: self.u64()? })
    }
    fn range(&mut self) -> Result<RbaRange> {
        let (start, end) = (self.rba()?, self.rba()?);
        if end < start || start.ci_start() != start || end.ci_start() != end {
            return Err(wrong("log range", &format!("{start} to {end}")));
        }
        Ok(RbaRange::new(start, end))
    }
    fn copy(&mut self) -> Result<u8> {
        match self.u8()? {
            copy @ (1 | 2) => Ok(copy),
            other => Err(wrong("copy", &other)),
        }
    }
    fn page_set(&mut self) -> Result<PageSetId> {
        let number = self.u8()?;
        PageSetId::new(number).ok_or_else(|| wrong("page set", &number))
    }
    fn optional<T>(
        &mut self,
        field: &'static str,
        take: impl FnOnce(&mut Self) -> Result<T>,
    ) -> Result<Option<T>> {
        if self.bool(field)? { take(self).map(Some) } else { Ok(None) }
    }
    fn list<T>(&mut self, mut take: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let count = self.u32()?;
        let mut values = Vec::new();
        for _ in 0..count {
            values.push(take(self)?);
        }
        Ok(values)
    }
    fn part(&mut self) -> Result<RecoveryPart> {
        Ok(RecoveryPart { rba: self.rba()?, holder: self.text("holder")? })
    }

    fn active(&mut self) -> Result<ActiveLog> {
        let copy = self.copy()?;
        let name = self.data_set("active log name")?;
        let size = self.u64()?;
        let range = self.optional("range", Self::range)?;
        if !size.is_multiple_of(format_types::CI_SIZE as u64) || range.is_some_and(|range| range.len() > size)
        {
            return Err(wrong("active log size", &size));
        }
        let status = self.u8()?;
        if status & !0x1F != 0 {
            return Err(wrong("active log status", &status));
        }
        let flag = |bit: u8| status >> bit & 1 == 1;
        let status = ActiveStatus {
            new: flag(0),
            reusable: flag(1),
            stopped: flag(2),
            truncated: flag(3),
            incomplete: flag(4),
        };
        Ok(ActiveLog { copy, name, size, range, status, instance: self.u32()?, history: self.history()? })
    }

    fn archive(&mut self) -> Result<ArchiveLog> {
        Ok(ArchiveLog {
            copy: self.copy()?,
            name: self.data_set("archive log name")?,
            history: self.history()?,
            range: self.range()?,
            start_lrsn: Lrsn(self.u64()?),
            end_lrsn: Lrsn(self.u64()?),
            written_at: self.time()?,
            unit: self.text("unit")?,
            volume: self.text("volume")?,
            bsds_name: self.bsds_copy()?,
            deleting: self.bool("deleting")?,
        })
    }

    fn point(&mut self) -> Result<RecoveryPointEntry> {
        let name = self.text("recovery point name")?;
        let directory = self.text("recovery point directory")?;
        let method = match self.u8()? {
            1 => PointMethod::Fuzzy,
            2 => PointMethod::Full,
            other => return Err(wrong("method", &other)),
        };
        let state = match self.u8()? {
            1 => PointState::Verified,
            2 => PointState::Unverified,
            3 => PointState::Damaged,
            other => return Err(wrong("state", &other)),
        };
        Ok(RecoveryPointEntry {
            name,
            directory,
            method,
            state,
            at: self.time()?,
            history: self.history()?,
            start: self.rba()?,
            end: self.rba()?,
            page_sets: self.list(|r| Ok((r.page_set()?, r.rba()?)))?,
            system_recovery: SystemRecovery {
                page_sets: self.part()?,
                structures: self.optional("structures part", Self::part)?,
                units: self.optional("units part", Self::part)?,
                page_sets_online: self.rba()?,
            },
            verified_at: self.optional("verified at", Self::time)?,
        })
    }
}

/// Reads the image of a slot whose header says `sequence`.
pub(crate) fn decode(bytes: &[u8], sequence: u64) -> Result<Bsds> {
    let mut r = Reader(Cursor::new(bytes));
    let bsds = Bsds {
        sequence,
        queue_manager: QueueManagerId(r.u64()?),
        name: r
            .text("queue manager name")?
            .parse()
            .map_err(|error: format_types::NameError| wrong("queue manager name", &error))?,
        created: r.time()?,
        settings: Settings {
            dual_active: r.bool("dual active")?,
            dual_archive: r.bool("dual archive")?,
            log_data_set_size: r.u64()?,
            log_load: r.u32()?,
            buffer_pool_pages: r.u32()?,
        },
        histories: r.list(|r| {
            Ok(LogHistory {
                id: r.history()?,
                parent: r.optional("parent", |r| Ok((r.history()?, r.rba()?)))?,
                first: r.rba()?,
            })
        })?,
        active_logs: r.list(Reader::active)?,
        copy_stopped: [
            r.optional("copy 1 stopped", Reader::rba)?,
            r.optional("copy 2 stopped", Reader::rba)?,
        ],
        archives: r.list(Reader::archive)?,
        next_archive: r.u32()?,
        highest_written: r.rba()?,
        highest_offloaded: r.rba()?,
        checkpoints: r.list(|r| Ok(CheckpointEntry { begin: r.rba()?, end: r.rba()?, at: r.time()? }))?,
        clean_stop: r.optional("clean stop", Reader::rba)?,
        conditional_restarts: r.list(|r| {
            Ok(ConditionalRestart { at: r.time()?, end: r.rba()?, active: r.bool("conditional restart")? })
        })?,
        backups_in_progress: r.list(|r| {
            Ok(BackupInProgress {
                name: r.text("backup name")?,
                started: r.time()?,
                system_recovery_rba: r.rba()?,
                start_rba: r.rba()?,
            })
        })?,
        recovery_points: r.list(Reader::point)?,
        holds: r.list(|r| {
            Ok(Hold {
                point: r.text("held point")?,
                reason: r.text("reason of a hold")?,
                until: r.optional("until", Reader::time)?,
            })
        })?,
        page_sets: r.list(|r| {
            Ok(PageSetEntry {
                page_set: r.page_set()?,
                initial_pages: r.u32()?,
                expand: match r.u8()? {
                    1 => Expand::User,
                    2 => Expand::System,
                    3 => Expand::None,
                    other => return Err(wrong("expand", &other)),
                },
                defined: r.optional("defined", |r| Ok((r.history()?, r.rba()?)))?,
            })
        })?,
        holes: r.list(|r| Ok(Hole { history: r.history()?, range: r.range()? }))?,
    };
    let left = r.0.rest().len();
    if left > 0 {
        return Err(BsdsError::Long(left));
    }
    if bsds.histories.is_empty() {
        return Err(wrong("list of log histories", &"empty"));
    }
    Ok(bsds)
}
