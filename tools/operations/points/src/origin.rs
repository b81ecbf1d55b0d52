//! Where a recovery takes a page set from: its copy in the recovery point, or, empty, from the log alone.
//!
//! A page set may have been deleted and defined again since the point was made, perhaps larger: its copy is then of another page set, of
//! which the log behind the definition says nothing. And one that the point lacks was defined after the point was begun. Both are made
//! anew at their initial size, and brought forward by the log like all others.

use format_bsds::{Line, PageSetEntry};
use format_manifest::{CopiedPageSet, Manifest};
use format_types::{HistoryId, Rba};

/// A page set that is made anew, empty, and filled from the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MadeAnew {
    /// What it is to be.
    pub entry: PageSetEntry,
    /// The log says all about it from here on, and nothing before.
    pub at: Rba,
    /// The log history of that.
    pub history: HistoryId,
}

/// Where a page set comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Origin {
    /// Its copy in the point.
    Copy(CopiedPageSet),
    /// The log.
    Log(MadeAnew),
}

/// Where page set `entry` comes from in a recovery from the point of `manifest`, on `line`, that ends at `cut` or at the end of the log.
pub(crate) fn origin(line: &Line, entry: &PageSetEntry, manifest: &Manifest, cut: Option<Rba>) -> Origin {
    // A definition that lies behind a cut says nothing of what was before it.
    let reached =
        |(history, at): &(HistoryId, Rba)| line.holds(*history, *at) && cut.is_none_or(|cut| *at <= cut);
    let defined = entry.defined.filter(reached);
    let anew = |(history, at)| Origin::Log(MadeAnew { entry: entry.clone(), at, history });
    match (manifest.page_set(entry.page_set), defined) {
        (Some(_), Some((history, at))) if at > manifest.end => anew((history, at)),
        (Some(copy), _) => Origin::Copy(copy.clone()),
        // It was not in use yet when the point was begun, so nothing before that is about it.
        (None, Some((history, at))) if at > manifest.start => anew((history, at)),
        (None, _) => anew((manifest.history, manifest.start)),
    }
}
