//! The two files of the BSDS.

use std::io;
use std::path::{Path, PathBuf};

use engine_storage::planted::{self, Defect};
use engine_storage::{OpenMode, SharedFile, SharedStorage, durable};
use format_bsds::{Bsds, BsdsFile, SlotDamage, decode_file, encode_file, encode_slot, least_capacity, slot};

use crate::names::BSDS_NAMES;
use crate::{LogError, messages};

/// Far above any BSDS: what is longer is none.
const LONGEST_FILE: u64 = 2 << 30;

/// The pair, read.
pub(crate) struct Pair {
    /// The newest valid image.
    pub(crate) bsds: Bsds,
    /// For each copy, what is wrong with it; none when it is as it should be and holds the newest image.
    pub(crate) faults: [Option<String>; 2],
}

/// What is known of a copy without its newest image.
#[derive(Clone)]
struct CopyRead {
    slots: [Result<u64, SlotDamage>; 2],
    sequence: Option<u64>,
}

/// Reads both copies; the newest valid slot of either is the truth.
pub(crate) fn read_pair(storage: &SharedStorage, dir: &Path) -> Result<Pair, LogError> {
    let files = BSDS_NAMES.map(|name| durable::read_file(storage.as_ref(), &dir.join(name), LONGEST_FILE));
    // As a rule copy 2 has the same bytes and nothing more to say.
    let same = matches!(&files, [Ok(first), Ok(second)] if first == second);
    let mut newest: Option<Bsds> = None;
    let mut reads: Vec<io::Result<CopyRead>> = Vec::new();
    for (file, name) in files.into_iter().zip(BSDS_NAMES) {
        let read = match (reads.first(), file) {
            (Some(Ok(first)), _) if same => Ok(first.clone()),
            (_, Ok(bytes)) => Ok(take_newest(decode_file(&bytes), name, &mut newest)?),
            (_, Err(error)) => Err(error),
        };
        reads.push(read);
    }
    let mut faults = reads.iter().zip(BSDS_NAMES).map(|(read, name)| fault(read, name, newest.as_ref()));
    let faults = [faults.next().flatten(), faults.next().flatten()];
    match newest {
        Some(bsds) => Ok(Pair { bsds, faults }),
        None => {
            let [first, second] = faults.map(Option::unwrap_or_default);
            Err(LogError::Bsds { first, second })
        }
    }
}

/// Takes the newest image out of `file`, should it be newer than `newest`.
fn take_newest(file: BsdsFile, name: &str, newest: &mut Option<Bsds>) -> Result<CopyRead, LogError> {
    let newer = file.slots.iter().find_map(|slot| match slot {
        Err(why @ SlotDamage::NewerVersion(_)) => Some(why.to_string()),
        _ => None,
    });
    if let Some(why) = newer {
        return Err(LogError::NewerBsds { name: name.to_owned(), why });
    }
    let sequence = file.newest.as_ref().map(|bsds| bsds.sequence);
    if let Some(found) = file.newest {
        match newest {
            Some(best) if best.queue_manager != found.queue_manager => {
                return Err(LogError::Inventory(format!(
                    "{} belongs to queue manager {} ({}), {} to {} ({})",
                    BSDS_NAMES[0],
                    best.name,
                    best.queue_manager,
                    BSDS_NAMES[1],
                    found.name,
                    found.queue_manager
                )));
            }
            Some(best) if best.sequence >= found.sequence => {}
            _ => *newest = Some(found),
        }
    }
    Ok(CopyRead { slots: file.slots, sequence })
}

/// Whether neither copy has an image newer than `sequence`: asked of the slots' headers alone, far cheaper than [`read_pair`]. A copy
/// with anything unusual about it makes this false.
pub(crate) fn is_newest(storage: &SharedStorage, dir: &Path, sequence: u64) -> bool {
    let older = |name: &str| -> io::Result<bool> {
        let file = storage.open(&dir.join(name), OpenMode::Read)?;
        let capacity = file.len()? / 2;
        for at in [0, capacity] {
            let mut header = [0; slot::SLOT_HEADER];
            file.read_at(at, &mut header)?;
            if slot::claimed_sequence(&header, capacity).is_none_or(|claimed| claimed > sequence) {
                return Ok(false);
            }
        }
        Ok(true)
    };
    BSDS_NAMES.iter().all(|name| older(name).unwrap_or(false))
}

fn fault(read: &io::Result<CopyRead>, name: &str, newest: Option<&Bsds>) -> Option<String> {
    let copy = match read {
        Ok(copy) => copy,
        Err(error) => return Some(format!("{name}: {error}")),
    };
    let bad: Vec<String> = (0..)
        .zip(&copy.slots)
        .filter_map(|(number, slot)| match slot {
            Ok(_) | Err(SlotDamage::Empty) => None,
            Err(why) => Some(format!("{name} slot {number}: {why}")),
        })
        .collect();
    if !bad.is_empty() {
        return Some(bad.join(", "));
    }
    match (copy.sequence, newest) {
        (None, _) => Some(format!("{name}: nothing was ever written there")),
        (Some(found), Some(newest)) if found < newest.sequence => {
            Some(format!("{name} is at sequence {found}, behind {}", newest.sequence))
        }
        _ => None,
    }
}

struct Copy {
    file: SharedFile,
    capacity: usize,
}

/// The two files, open for updates.
pub(crate) struct BsdsFiles {
    storage: SharedStorage,
    dir: PathBuf,
    copies: [Option<Copy>; 2],
}

impl BsdsFiles {
    /// Makes both files, durably but for the directory.
    pub(crate) fn create(storage: &SharedStorage, dir: &Path, bsds: &Bsds) -> Result<(), LogError> {
        for name in BSDS_NAMES {
            write_whole(storage, &dir.join(name), bsds)?;
        }
        Ok(())
    }

    /// Opens both files for updates, repairs what is wrong with them by `faults`, and writes each anew: afterwards all four slots are valid
    /// and both copies equal. `bsds` is brought to the sequence that was written last.
    pub(crate) fn open(
        storage: &SharedStorage,
        dir: &Path,
        faults: &[Option<String>; 2],
        bsds: &mut Bsds,
        messages: &mut Vec<String>,
    ) -> Result<Self, LogError> {
        let mut files =
            Self::open_each(storage, dir, messages, |number, path, messages| match &faults[number] {
                Some(fault) => {
                    // The other copy holds the truth while this one is written anew.
                    messages.push(messages::bsds_repaired(fault));
                    write_whole(storage, path, bsds)
                }
                None => Ok(()),
            })?;
        let updates = if faults.iter().any(Option::is_some) { 2 } else { 1 };
        for _ in 0..updates {
            bsds.sequence += 1;
            files.write(bsds, messages)?;
        }
        Ok(files)
    }

    /// Opens both files, which are as they should be, for updates.
    pub(crate) fn open_sound(
        storage: &SharedStorage,
        dir: &Path,
        messages: &mut Vec<String>,
    ) -> Result<Self, LogError> {
        Self::open_each(storage, dir, messages, |_, _, _| Ok(()))
    }

    /// Opens each copy after `before` was done to it. A copy where either fails is given up; when both are, that is the error.
    fn open_each(
        storage: &SharedStorage,
        dir: &Path,
        messages: &mut Vec<String>,
        before: impl Fn(usize, &Path, &mut Vec<String>) -> Result<(), LogError>,
    ) -> Result<Self, LogError> {
        let mut files = Self { storage: storage.clone(), dir: dir.to_owned(), copies: [None, None] };
        let mut errors = [String::new(), String::new()];
        for (number, (name, error)) in BSDS_NAMES.iter().zip(&mut errors).enumerate() {
            let path = dir.join(name);
            let opened = before(number, &path, messages)
                .and_then(|()| open_copy(storage, &path).map_err(|error| LogError::at("open", &path, error)));
            match opened {
                Ok(open) => files.copies[number] = Some(open),
                Err(why) => {
                    messages.push(messages::single_bsds(name, &why.to_string()));
                    *error = why.to_string();
                }
            }
        }
        if files.copies.iter().all(Option::is_none) {
            let [first, second] = errors;
            return Err(LogError::Bsds { first, second });
        }
        Ok(files)
    }

    /// Writes `bsds` durably to copy 1, then to copy 2. A copy that fails is given up until the next start; when it was the last one,
    /// that is the error.
    pub(crate) fn write(&mut self, bsds: &Bsds, messages: &mut Vec<String>) -> Result<(), LogError> {
        let mut errors = [String::new(), String::new()];
        let mut slot = None;
        for (index, name) in BSDS_NAMES.iter().enumerate() {
            if planted::active(Defect::BsdsCopiesAlternate) && bsds.sequence % 2 != index as u64 {
                continue;
            }
            let Some(copy) = &mut self.copies[index] else {
                errors[index] = format!("{name} was given up before");
                continue;
            };
            if let Err(error) = write_copy(&self.storage, &self.dir.join(name), copy, bsds, &mut slot) {
                messages.push(messages::single_bsds(name, &error.to_string()));
                errors[index] = error.to_string();
                self.copies[index] = None;
            }
        }
        if self.copies.iter().all(Option::is_none) {
            let [first, second] = errors;
            return Err(LogError::Bsds { first, second });
        }
        Ok(())
    }
}

fn open_copy(storage: &SharedStorage, path: &Path) -> io::Result<Copy> {
    let file = storage.open(path, OpenMode::ReadWrite)?;
    let capacity = usize::try_from(file.len()? / 2).unwrap_or(0);
    Ok(Copy { file, capacity })
}

fn write_whole(storage: &SharedStorage, path: &Path, bsds: &Bsds) -> Result<(), LogError> {
    let bytes = encode_file(bsds, least_capacity(bsds)).ok_or_else(too_large)?;
    durable::write_file(storage.as_ref(), path, &bytes).map_err(|error| LogError::at("write", path, error))
}

fn too_large() -> LogError {
    LogError::Inventory("it has outgrown every file; forget recovery points or archives".to_owned())
}

/// Writes `bsds` to a copy; `slot` goes from one copy to the next, for most have the same capacity and so the same bytes.
fn write_copy(
    storage: &SharedStorage,
    path: &Path,
    copy: &mut Copy,
    bsds: &Bsds,
    slot: &mut Option<Vec<u8>>,
) -> Result<(), LogError> {
    if slot.as_ref().is_none_or(|bytes| bytes.len() != copy.capacity) {
        *slot = encode_slot(bsds, copy.capacity);
    }
    match slot {
        Some(bytes) => {
            let offset = (slot::slot_of(bsds.sequence) * copy.capacity) as u64;
            let written = copy.file.write_at(offset, bytes).and_then(|()| copy.file.sync());
            written.map_err(|error| LogError::at("write", path, error))
        }
        None => {
            write_whole(storage, path, bsds)?;
            *copy = open_copy(storage, path).map_err(|error| LogError::at("open", path, error))?;
            Ok(())
        }
    }
}
