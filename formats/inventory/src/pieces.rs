//! A plan document in pieces that can be put into words beside each other.

use serde::Serialize;
use serde::ser::Error;

use crate::layout;
use crate::plan::{AbsentEntry, DeleteEntry, KeepEntry, Plan};

/// Entries of a piece.
const ENTRIES: usize = 4_096;

/// How a document without entries ends.
const NO_ENTRIES: &str = "\n  \"delete\": [],\n  \"keep\": [],\n  \"absent\": []\n}\n";

/// Part of the text of a plan document.
#[derive(Debug)]
pub struct Piece<'p, 'a>(Part<'p, 'a>);

#[derive(Debug)]
enum Part<'p, 'a> {
    /// All fields before the long lists.
    Head(&'p Plan<'a>),
    Text(&'static str),
    Delete(&'p [DeleteEntry<'a>]),
    Keep(&'p [KeepEntry<'a>]),
    Absent(&'p [AbsentEntry<'a>]),
}

impl Piece<'_, '_> {
    /// Its bytes.
    ///
    /// # Errors
    /// When a value cannot be written as JSON.
    pub fn text(&self) -> serde_json::Result<Vec<u8>> {
        match &self.0 {
            Part::Head(plan) => head(plan),
            Part::Text(text) => Ok(text.as_bytes().to_vec()),
            Part::Delete(some) => layout::entries(some),
            Part::Keep(some) => layout::entries(some),
            Part::Absent(some) => layout::entries(some),
        }
    }
}

fn head(plan: &Plan<'_>) -> serde_json::Result<Vec<u8>> {
    let mut text = Vec::new();
    layout::write(&mut text, &plan.without_entries()).map_err(serde_json::Error::custom)?;
    let length = text.strip_suffix(NO_ENTRIES.as_bytes()).map(<[u8]>::len);
    text.truncate(length.ok_or_else(|| serde_json::Error::custom("the lists of a plan do not end it"))?);
    Ok(text)
}

/// Adds a list of entries to `pieces`; `names` are the texts that begin it with entries and without.
fn list<'p, 'a, T: Serialize>(
    pieces: &mut Vec<Piece<'p, 'a>>,
    [begin, empty]: [&'static str; 2],
    entries: &'p [T],
    part: impl Fn(&'p [T]) -> Part<'p, 'a>,
) {
    if entries.is_empty() {
        pieces.push(Piece(Part::Text(empty)));
        return;
    }
    pieces.push(Piece(Part::Text(begin)));
    for (number, some) in entries.chunks(ENTRIES).enumerate() {
        if number > 0 {
            pieces.push(Piece(Part::Text(",\n")));
        }
        pieces.push(Piece(part(some)));
    }
    pieces.push(Piece(Part::Text("\n  ]")));
}

impl<'a> Plan<'a> {
    /// The document in pieces: one after the other they are what [`write`](crate::write) writes.
    #[must_use]
    pub fn pieces(&self) -> Vec<Piece<'_, 'a>> {
        let mut pieces = vec![Piece(Part::Head(self))];
        list(&mut pieces, ["\n  \"delete\": [\n", "\n  \"delete\": []"], &self.delete, Part::Delete);
        list(&mut pieces, [",\n  \"keep\": [\n", ",\n  \"keep\": []"], &self.keep, Part::Keep);
        list(&mut pieces, [",\n  \"absent\": [\n", ",\n  \"absent\": []"], &self.absent, Part::Absent);
        pieces.push(Piece(Part::Text("\n}\n")));
        pieces
    }

    fn without_entries(&self) -> Plan<'static> {
        Plan {
            version: self.version,
            queue_manager: self.queue_manager.clone(),
            at: self.at,
            policy: self.policy.clone(),
            boundary: self.boundary,
            boundary_history: self.boundary_history.clone(),
            boundary_holder: self.boundary_holder.clone(),
            totals: self.totals,
            max_delete_percent: self.max_delete_percent,
            over_max_delete: self.over_max_delete,
            points: self.points.clone(),
            actions: self.actions.clone(),
            gaps: self.gaps.clone(),
            warnings: self.warnings.clone(),
            inputs: self.inputs.clone(),
            delete: Vec::new(),
            keep: Vec::new(),
            absent: Vec::new(),
        }
    }
}
