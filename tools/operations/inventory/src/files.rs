//! The archives in a queue manager's directory, by name and size.

use std::collections::HashMap;
use std::io;
use std::path::Path;

use engine_log::{ArchiveHeader, archive_copy};
use engine_storage::{NameFacts, NameKind, OpenMode, SharedStorage};
use format_bsds::Bsds;
use format_types::{HistoryId, RbaRange};

/// An archive of the BSDS, as it is found in the directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ArchiveFile {
    /// Whether a recovery finds it there.
    pub present: bool,
    /// Bytes in it; those that it should have where it is not there.
    pub bytes: u64,
    /// Every control interval of it was looked at and is whole.
    pub verified: bool,
}

/// A file that has the name of an archive, and is in no inventory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stray {
    /// Its name.
    pub name: String,
    /// Log copy, by its name.
    pub copy: u8,
    /// Its log; the reason where it is none of this queue manager's.
    pub log: Result<(HistoryId, RbaRange), String>,
}

/// Each archive of `bsds`, in its order, as it is found in `dir`, and the files there that look like archives and are not in it.
pub(crate) fn look(
    storage: &SharedStorage,
    dir: &Path,
    bsds: &Bsds,
) -> io::Result<(Vec<ArchiveFile>, Vec<Stray>)> {
    let mut there: HashMap<String, NameFacts> = HashMap::new();
    for (name, facts) in storage.look_into(dir)? {
        if let Ok(name) = name.into_os_string().into_string() {
            there.insert(name, facts);
        }
    }
    let mut archives = Vec::with_capacity(bsds.archives.len());
    for archive in &bsds.archives {
        let found = there.remove(&archive.name).and_then(|facts| length(storage, dir, &archive.name, facts));
        archives.push(ArchiveFile {
            present: found.is_some(),
            bytes: found.unwrap_or_else(|| archive.range.len()),
            verified: false,
        });
    }
    let names = there.into_keys().filter(|name| archive_copy(name).is_some());
    let mut strays: Vec<Stray> = names.filter_map(|name| stray(storage, dir, bsds, name)).collect();
    strays.sort_by(|a, b| a.name.cmp(&b.name));
    Ok((archives, strays))
}

/// Bytes of a file; none when nothing of that name can be read. A link counts as what it leads to, for recovery follows it.
fn length(storage: &SharedStorage, dir: &Path, name: &str, facts: NameFacts) -> Option<u64> {
    match facts.kind {
        NameKind::File => Some(facts.len),
        NameKind::Link => storage.open(&dir.join(name), OpenMode::Read).and_then(|file| file.len()).ok(),
        NameKind::Directory | NameKind::Other => None,
    }
}

fn stray(storage: &SharedStorage, dir: &Path, bsds: &Bsds, name: String) -> Option<Stray> {
    let copy = archive_copy(&name)?;
    let log = match ArchiveHeader::read(storage.as_ref(), &dir.join(&name)) {
        Err(why) => Err(why.to_string()),
        Ok(header) if header.identity.queue_manager != bsds.queue_manager => {
            Err(format!("it holds log of queue manager {}", header.identity.queue_manager))
        }
        Ok(header) => {
            let history = header.identity.history;
            let known = bsds.histories.iter().any(|entry| entry.id == history);
            let range = RbaRange::new(header.start, header.start.plus(header.length));
            if known {
                Ok((history, range))
            } else {
                Err(format!("it holds log of history {history}, which the BSDS does not know"))
            }
        }
    };
    Some(Stray { name, copy, log })
}
