//! What the files of a log say of themselves, where no inventory does.
//!
//! Every control interval names its queue manager, its history, its RBA and the instance of its data set, so a file of log says what it
//! holds. A data set that was used again holds control intervals of several instances; the highest is what it holds now, and the
//! others are left over.

use std::path::Path;

use engine_storage::{OpenMode, SharedFile, SharedStorage, durable};
use format_bsds::{ArchiveLog, Bsds, decode_file};
use format_log::LogIdentity;
use format_log::ci::CiTrailer;
use format_types::{CI_SIZE, Lrsn, Rba, RbaRange, Timestamp};

use crate::chunks::CHUNK;
use crate::data_sets::CI;
use crate::extract::note_lrsns;
use crate::{Inventories, LogError};

/// What is wrong with a copy of the BSDS that is none.
const NO_BSDS: &str = "it holds no BSDS";

/// What is wrong with an archive in which nothing stands.
const NO_LOG: &str = "it holds no log";

/// Far above any BSDS.
const LONGEST_BSDS: u64 = 2 << 30;

/// What a file's name says that it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogFileKind {
    /// An active log data set.
    Active,
    /// An archive log.
    Archive,
}

/// A file that holds log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogFile {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: LogFileKind,
    /// Copy 1 or 2.
    pub copy: u8,
    /// Its number.
    pub number: u32,
    /// Bytes in it.
    pub length: u64,
    /// What it holds; none when nothing was ever written there.
    pub content: Option<LogContent>,
}

/// What a file of log holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogContent {
    /// Whose log it is.
    pub identity: LogIdentity,
    /// RBA of the file's first byte.
    pub start: Rba,
    /// RBA after the last control interval of this instance.
    pub end: Rba,
    /// How often the data set had been begun.
    pub instance: u32,
    /// LRSN of the first record.
    pub start_lrsn: Lrsn,
    /// LRSN of the last record.
    pub end_lrsn: Lrsn,
    /// Highest RBA that a control interval states to have been synced.
    pub synced: Rba,
}

/// Files of log in a directory, and copies of the BSDS beside archives.
#[derive(Debug, Clone, Default)]
pub struct LogSurvey {
    /// Active logs and archives, by name.
    pub files: Vec<LogFile>,
    /// Copies of the BSDS.
    pub inventories: Inventories,
    /// Files that should hold log or a BSDS, and do not, or cannot be read.
    pub unusable: Vec<UnusableFile>,
}

/// A file that is there and of no use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnusableFile {
    /// Its name.
    pub name: String,
    /// Whether it should hold log; else a copy of the BSDS.
    pub is_log: bool,
    /// What is wrong with it.
    pub why: String,
}

/// What a name in the directory stands for.
enum Name {
    Log(LogFileKind, u8, u32),
    Inventory,
}

fn read_name(name: &str) -> Option<Name> {
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok()).flatten();
    let copy =
        |text: &str| digits(text).and_then(|copy| u8::try_from(copy).ok()).filter(|c| matches!(c, 1 | 2));
    let (first, second) = name.split_once('.')?;
    if let Some(number) = first.strip_prefix("LOGCOPY") {
        return Some(Name::Log(LogFileKind::Active, copy(number)?, digits(second.strip_prefix("DS")?)?));
    }
    let number = copy(first.strip_prefix("ARCHLOG")?)?;
    if let Some(archive) = second.strip_prefix('A') {
        return Some(Name::Log(LogFileKind::Archive, number, digits(archive)?));
    }
    second.strip_prefix('B').and_then(digits).map(|_: u32| Name::Inventory)
}

/// The log copy of a file whose name is that of an archive; none for other names.
#[must_use]
pub fn archive_copy(name: &str) -> Option<u8> {
    match read_name(name)? {
        Name::Log(LogFileKind::Archive, copy, _) => Some(copy),
        _ => None,
    }
}

impl LogSurvey {
    /// Looks at every file in `dir` whose name is that of a log data set or of a BSDS copy beside an archive. Reads trailers of all control
    /// intervals of active logs, and the ends of archives; `progress` hears of files looked at and files in all.
    ///
    /// # Errors
    /// When the directory cannot be listed, or storage refuses to read. A file that can be read and makes no sense is in the survey.
    pub fn of(
        storage: &SharedStorage,
        dir: &Path,
        progress: &mut dyn FnMut(u64, u64),
    ) -> Result<Self, LogError> {
        let names = storage.list(dir).map_err(|error| LogError::at("list", dir, error))?;
        let names: Vec<(String, Name)> = names
            .iter()
            .filter_map(|path| path.file_name()?.to_str())
            .filter_map(|name| Some((name.to_owned(), read_name(name)?)))
            .collect();
        let mut survey = Self::default();
        for ((name, what), number) in names.iter().zip(0u64..) {
            progress(number, names.len() as u64);
            let path = dir.join(name);
            match what {
                Name::Inventory => {
                    let read = durable::read_file(storage.as_ref(), &path, LONGEST_BSDS);
                    let read = read.map_err(|error| error.to_string());
                    match read.and_then(|bytes| decode_file(&bytes).newest.ok_or_else(|| NO_BSDS.to_owned()))
                    {
                        Ok(bsds) => survey.inventories.add(name.clone(), bsds),
                        Err(why) => survey.unusable(name, false, why),
                    }
                }
                Name::Log(kind, copy, number) => {
                    let file = storage.open(&path, OpenMode::Read);
                    let file = file.map_err(|error| LogError::at("open", &path, error))?;
                    let length = file.len().map_err(|error| LogError::at("look at", &path, error))?;
                    let mut look = Look { file: &file, refused: None };
                    let content = match kind {
                        LogFileKind::Active => look.at_all(length),
                        LogFileKind::Archive => look.at_ends(length),
                    };
                    // An active log in which nothing stands may have been begun never; one that cannot be read may hold anything.
                    let nothing = look.refused.or((*kind == LogFileKind::Archive).then(|| NO_LOG.to_owned()));
                    if let (None, Some(why)) = (content, nothing) {
                        survey.unusable(name, true, why);
                        continue;
                    }
                    survey.files.push(LogFile {
                        name: name.clone(),
                        kind: *kind,
                        copy: *copy,
                        number: *number,
                        length,
                        content,
                    });
                }
            }
        }
        progress(names.len() as u64, names.len() as u64);
        Ok(survey)
    }

    fn unusable(&mut self, name: &str, is_log: bool, why: String) {
        self.unusable.push(UnusableFile { name: name.to_owned(), is_log, why });
    }

    /// Brings `bsds` up to the archives that are there: names those that it does not name yet. Archives of another queue manager are
    /// passed over; so are those of which one of the same copy and content is named already.
    ///
    /// # Errors
    /// An archive that is not what the inventory says; one of a history that it does not know; two that claim the same log.
    pub fn add_archives(&self, bsds: &mut Bsds, now: Timestamp) -> Result<(), LogError> {
        for file in self.files.iter().filter(|file| file.kind == LogFileKind::Archive) {
            let Some(content) = file.content else { continue };
            if content.identity.queue_manager != bsds.queue_manager {
                continue;
            }
            bsds.next_archive = bsds.next_archive.max(file.number.saturating_add(1));
            let range = content.range();
            let history = content.identity.history;
            if let Some(named) = bsds.archives.iter().find(|archive| archive.name == file.name) {
                if named.history == history && named.range == range {
                    continue;
                }
                return Err(LogError::Ambiguous(format!(
                    "{} holds log {range} of history {history}, the BSDS says {} of {}",
                    file.name, named.range, named.history
                )));
            }
            if !bsds.histories.iter().any(|entry| entry.id == history) {
                return Err(LogError::UnknownHistory { name: file.name.clone(), history });
            }
            let same = |a: &ArchiveLog| a.copy == file.copy && a.history == history && a.range == range;
            if bsds.archives.iter().any(same) {
                continue;
            }
            let other = bsds.archives.iter().find(|archive| {
                archive.copy == file.copy && archive.history == history && archive.range.meets(&range)
            });
            if let Some(other) = other {
                let (name, other, theirs) = (&file.name, &other.name, other.range);
                return Err(LogError::Ambiguous(format!("{name} holds log {range}, {other} holds {theirs}")));
            }
            bsds.archives.push(file.archive(content, now, &self.inventories));
        }
        // A deletion that got as far as their files ends here: what is gone was to go, what is there may have to stay.
        let is_there = |name: &str| self.files.iter().any(|file| file.name == name);
        bsds.drop_archives(|archive| archive.deleting && !is_there(&archive.name));
        bsds.archives.iter_mut().for_each(|archive| archive.deleting = false);
        // In the order in which they were written.
        bsds.archives.sort_by_key(|archive| (archive.history.number, archive.range.start, archive.copy));
        Ok(())
    }
}

impl LogContent {
    /// The log from the file's first byte to the end of what it holds.
    #[must_use]
    pub const fn range(&self) -> RbaRange {
        RbaRange::new(self.start, self.end)
    }
}

impl LogFile {
    fn archive(&self, content: LogContent, now: Timestamp, inventories: &Inventories) -> ArchiveLog {
        let beside = crate::archive_bsds_name(self.copy, self.number);
        let is_there = inventories.is_there(&beside);
        ArchiveLog {
            copy: self.copy,
            name: self.name.clone(),
            history: content.identity.history,
            range: content.range(),
            start_lrsn: content.start_lrsn,
            end_lrsn: content.end_lrsn,
            written_at: if content.end_lrsn == Lrsn::default() { now } else { content.end_lrsn.timestamp() },
            unit: "DISK".to_owned(),
            volume: String::new(),
            bsds_name: if is_there { beside } else { String::new() },
            deleting: false,
        }
    }
}

/// The trailers of a chunk's control intervals that stand where they say, with their place in the chunk.
fn trailers(bytes: &[u8]) -> impl Iterator<Item = (u64, &[u8], CiTrailer)> {
    let intervals = bytes.chunks_exact(CI_SIZE).zip(0u64..);
    intervals.filter_map(|(interval, index)| Some((index * CI, interval, CiTrailer::take(interval).ok()?)))
}

impl LogContent {
    fn of(trailer: &CiTrailer, start: Rba) -> Self {
        Self {
            identity: trailer.identity,
            start,
            end: start,
            instance: trailer.instance,
            start_lrsn: Lrsn::default(),
            end_lrsn: Lrsn::default(),
            synced: Rba::ZERO,
        }
    }

    /// Takes a control interval of it in.
    fn take(&mut self, interval: &[u8], trailer: &CiTrailer) {
        let mut first = Some(self.start_lrsn).filter(|lrsn| *lrsn != Lrsn::default());
        note_lrsns(interval, u64::from(trailer.used), &mut first, &mut self.end_lrsn);
        self.start_lrsn = first.unwrap_or_default();
        self.end = self.end.max(trailer.rba.plus(CI));
        self.synced = self.synced.max(trailer.synced);
    }
}

/// A file that is looked at.
struct Look<'a> {
    file: &'a SharedFile,
    /// The first answer of storage that refused a control interval.
    refused: Option<String>,
}

impl Look<'_> {
    fn chunk(&mut self, at: u64, length: u64) -> Vec<u8> {
        let mut bytes = vec![0; usize::try_from(length).unwrap_or(usize::MAX)];
        if self.file.read_at(at, &mut bytes).is_err() {
            // A bad sector hides its control interval and no other.
            for (interval, index) in bytes.chunks_mut(CI_SIZE).zip(0u64..) {
                if let Err(error) = self.file.read_at(at + index * CI, interval) {
                    interval.fill(0);
                    self.refused.get_or_insert(error.to_string());
                }
            }
        }
        bytes
    }

    /// What a data set that is used again and again holds: all its trailers are looked at.
    fn at_all(&mut self, length: u64) -> Option<LogContent> {
        let mut found: Option<LogContent> = None;
        let mut at = 0;
        while at < length {
            let bytes = self.chunk(at, (length - at).min(CHUNK as u64));
            for (offset, interval, trailer) in trailers(&bytes) {
                let Some(start) = trailer.rba.0.checked_sub(at + offset) else { continue };
                let rank = (trailer.instance, trailer.identity.history.number, start);
                let newer = found.is_none_or(|content| {
                    rank > (content.instance, content.identity.history.number, content.start.0)
                });
                if newer {
                    found = Some(LogContent::of(&trailer, Rba(start)));
                }
                if let Some(content) = &mut found
                    && rank == (content.instance, content.identity.history.number, content.start.0)
                    && content.identity == trailer.identity
                {
                    content.take(interval, &trailer);
                }
            }
            at += bytes.len() as u64;
        }
        found
    }

    /// What an archive holds: it is written once and whole, so its length says where it ends. Only the chunks at its ends are read, unless
    /// nothing in them can be.
    fn at_ends(&mut self, length: u64) -> Option<LogContent> {
        let whole = length / CI * CI;
        let mut found: Option<LogContent> = None;
        let mut at = 0;
        while at < whole {
            let bytes = self.chunk(at, (whole - at).min(CHUNK as u64));
            for (offset, interval, trailer) in trailers(&bytes) {
                let Some(start) = trailer.rba.0.checked_sub(at + offset) else { continue };
                let content = found.get_or_insert_with(|| LogContent::of(&trailer, Rba(start)));
                if content.start.0 == start && content.identity == trailer.identity {
                    content.take(interval, &trailer);
                }
            }
            let read = at + bytes.len() as u64;
            let last = (whole.saturating_sub(CHUNK as u64) / CI) * CI;
            at = if found.is_some() && read < last { last } else { read };
        }
        found.map(|content| LogContent { end: content.start.plus(whole), ..content })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_log_files_are_known() {
        for (name, known) in [
            ("LOGCOPY1.DS01", true),
            ("LOGCOPY2.DS310", true),
            ("LOGCOPY3.DS01", false),
            ("ARCHLOG2.A0000007", true),
            ("ARCHLOG1.B0000007", true),
            ("ARCHLOG1.A0000007.tmp", false),
            ("LOGCOPY1.DS01.tmp", false),
            ("LOGCOPY1.DS", false),
            ("PSID00", false),
            ("BSDS01", false),
        ] {
            assert_eq!(read_name(name).is_some(), known, "{name}");
        }
    }
}
