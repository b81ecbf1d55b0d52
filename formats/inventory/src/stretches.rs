//! An inventory document whose log data sets are read in stretches, beside each other.
//!
//! Text is cut where an entry seems to end, and the list is looked for where it seems to begin. Neither can be wrong unnoticed: a stretch
//! must be whole entries from its first byte to its last, and then what follows is the next entry; what is left of the document without
//! the list must be an inventory. Whatever does not read so is read again as one document, so that errors are the same and name the same
//! places.

use crate::inventory::{DocumentError, Inventory, LogDataSet};

/// Bytes of a stretch, about.
const STRETCH: usize = 1 << 20;

/// How the list begins, without the spaces between.
const KEY: &str = "\"logs\"";

/// Entries of log data sets, one after the other.
#[derive(Debug, Clone, Copy)]
pub struct Stretch<'a>(&'a str);

/// The log data sets of a stretch.
#[derive(Debug)]
pub struct StretchRead<'a> {
    logs: Vec<LogDataSet<'a>>,
    /// What follows the bracket that ends the list, when it ends in this stretch.
    behind: Option<&'a str>,
}

impl<'a> Stretch<'a> {
    /// The log data sets; none when it is not whole entries.
    #[must_use]
    pub fn read(&self) -> Option<StretchRead<'a>> {
        let mut rest = self.0.trim_ascii_start();
        // A byte more than an entry is likely to have would cost more than it saves.
        let mut logs = Vec::with_capacity(rest.len() / 256);
        loop {
            let mut entries = serde_json::Deserializer::from_str(rest).into_iter::<LogDataSet<'a>>();
            logs.push(entries.next()?.ok()?);
            rest = rest.get(entries.byte_offset()..)?.trim_ascii_start();
            if rest.is_empty() {
                return Some(StretchRead { logs, behind: None });
            }
            if let Some(behind) = rest.strip_prefix(']') {
                return Some(StretchRead { logs, behind: Some(behind) });
            }
            rest = rest.strip_prefix(',')?;
        }
    }
}

/// The text of a document before its list of log data sets, and from the first entry on.
fn list(text: &str) -> Option<(&str, &str)> {
    let mut from = 0;
    loop {
        let key = from + text.get(from..)?.find(KEY)?;
        from = key + KEY.len();
        let value = text.get(from..)?.trim_ascii_start().strip_prefix(':').map(str::trim_ascii_start);
        if let Some(entries) = value.and_then(|value| value.strip_prefix('[')) {
            let bracket = text.len().checked_sub(entries.len())?.checked_sub(1)?;
            return Some((text.get(..bracket)?, entries));
        }
    }
}

/// Cuts what begins with entries into stretches. Those behind the list's end are none.
fn cut(entries: &str) -> Vec<Stretch<'_>> {
    let mut stretches = Vec::new();
    let mut rest = entries;
    while let Some(comma) = end_of_entry(rest, STRETCH) {
        let Some((some, other)) = rest.split_at_checked(comma) else { break };
        stretches.push(Stretch(some));
        rest = other.get(1..).unwrap_or_default();
    }
    stretches.push(Stretch(rest));
    stretches
}

/// The first comma behind a brace, from byte `from` on.
fn end_of_entry(text: &str, from: usize) -> Option<usize> {
    let bytes = text.as_bytes();
    let mut at = from;
    loop {
        at += bytes.get(at..)?.iter().position(|byte| *byte == b'}')? + 1;
        at += bytes.get(at..)?.iter().position(|byte| !byte.is_ascii_whitespace())?;
        if bytes.get(at) == Some(&b',') {
            return Some(at);
        }
    }
}

impl<'a> Inventory<'a> {
    /// Reads a document as [`Inventory::parse`] does. `read_all` reads its stretches, beside each other where it can, and gives what they
    /// read in their order.
    ///
    /// # Errors
    /// The same.
    pub fn parse_in_stretches(
        bytes: &'a [u8],
        read_all: impl FnOnce(&[Stretch<'a>]) -> Vec<Option<StretchRead<'a>>>,
    ) -> Result<Self, DocumentError> {
        match in_stretches(bytes, read_all) {
            Some(inventory) => inventory.checked(),
            None => Self::parse(bytes),
        }
    }
}

/// None when it is to be read as one document.
fn in_stretches<'a>(
    bytes: &'a [u8],
    read_all: impl FnOnce(&[Stretch<'a>]) -> Vec<Option<StretchRead<'a>>>,
) -> Option<Inventory<'a>> {
    if bytes.len() < 2 * STRETCH {
        return None;
    }
    let (before, entries) = list(std::str::from_utf8(bytes).ok()?)?;
    let mut read = read_all(&cut(entries));
    let ends_in = read.iter().position(|read| read.as_ref().is_none_or(|read| read.behind.is_some()))?;
    read.truncate(ends_in + 1);
    let behind = read.last()?.as_ref()?.behind?;
    let without_list = [before, "[]", behind].concat();
    let rest = Inventory::parse(without_list.as_bytes()).ok()?;
    let mut logs = Vec::new();
    logs.try_reserve_exact(read.iter().flatten().map(|read| read.logs.len()).sum()).ok()?;
    for some in &mut read {
        logs.append(&mut some.as_mut()?.logs);
    }
    Some(Inventory {
        version: rest.version,
        queue_manager: rest.queue_manager,
        histories: rest.histories,
        logs,
        points: rest.points,
        now: rest.now,
        holds: rest.holds,
        in_progress: rest.in_progress,
        holes: rest.holes,
    })
}
