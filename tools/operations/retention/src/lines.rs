//! Lines of log: a history with its ancestors up to their cuts.

use std::collections::HashMap;

use format_inventory::Inventory;
use format_types::{Rba, RbaRange};

use crate::InventoryError;
use crate::planted::{self, Defect};

/// A piece of a line: log of one history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    /// Place of the history in the list.
    pub(crate) history: usize,
    /// Its log.
    pub(crate) range: RbaRange,
}

/// The histories and what each was cut from.
#[derive(Debug, Clone)]
pub(crate) struct Lines {
    names: HashMap<String, usize>,
    /// Of each history: its parent and the cut.
    parents: Vec<Option<(usize, Rba)>>,
    /// Of each history: its first RBA, the cut rounded up to a control interval.
    pub(crate) first: Vec<Rba>,
    /// Of each line, of each history: the log below is of the line; zero when no log of that history is.
    limits: Vec<Vec<Rba>>,
    /// The history that is written.
    pub(crate) current: usize,
}

impl Lines {
    pub(crate) fn new(inventory: &Inventory<'_>) -> Result<Self, InventoryError> {
        let mut names = HashMap::new();
        let (mut parents, mut first) = (Vec::new(), Vec::new());
        for (place, history) in inventory.histories.iter().enumerate() {
            let parent = match (&history.parent, history.cut) {
                (None, None) => None,
                (Some(parent), Some(cut)) => {
                    let known = names.get(parent).copied();
                    Some((known.ok_or_else(|| InventoryError::UnknownHistory(parent.clone()))?, cut))
                }
                _ => return Err(InventoryError::HalfACut(history.id.clone())),
            };
            first.push(parent.map_or(Rba::ZERO, |(_, cut)| cut.ci_ceiling()));
            parents.push(parent);
            if names.insert(history.id.clone(), place).is_some() {
                return Err(InventoryError::HistoryTwice(history.id.clone()));
            }
        }
        let last = parents.len().checked_sub(1).ok_or(InventoryError::NoHistory)?;
        let mut lines = Self { names, parents, first, limits: Vec::new(), current: last };
        if let Some(name) = &inventory.now.history {
            lines.current = lines.place(name)?;
        }
        for line in 0..lines.parents.len() {
            let mut limits = vec![Rba::ZERO; lines.parents.len()];
            let (mut at, mut limit) = (line, Rba::MAX);
            limits[at] = limit;
            while let Some((parent, cut)) = lines.parents[at] {
                limit = limit.min(cut);
                limits[parent] = limit;
                at = parent;
            }
            lines.limits.push(limits);
        }
        Ok(lines)
    }

    /// Place of a history in the list.
    pub(crate) fn place(&self, name: &str) -> Result<usize, InventoryError> {
        self.names.get(name).copied().ok_or_else(|| InventoryError::UnknownHistory(name.to_owned()))
    }

    /// How many histories there are.
    pub(crate) fn count(&self) -> usize {
        self.parents.len()
    }

    /// The log of `history` below this is of line `line`; zero when none is.
    pub(crate) fn limit(&self, line: usize, history: usize) -> Rba {
        if planted::active(Defect::HistoryIgnored) && line != history {
            return Rba::ZERO;
        }
        self.limits[line][history]
    }

    /// The cuts made in `history`.
    pub(crate) fn cuts_in(&self, history: usize) -> impl Iterator<Item = Rba> {
        self.parents.iter().flatten().filter(move |(parent, _)| *parent == history).map(|(_, cut)| *cut)
    }

    /// The log of line `line` in `range`, piece by piece, the newest history first.
    pub(crate) fn pieces(&self, line: usize, range: RbaRange) -> impl Iterator<Item = Piece> {
        (0..=line).rev().filter_map(move |history| {
            let limit = self.limit(line, history);
            let range = RbaRange::new(range.start.max(self.first[history]), range.end.min(limit));
            (!range.is_empty()).then_some(Piece { history, range })
        })
    }

    /// The history of line `line` that an RBA lies in.
    pub(crate) fn history_at(&self, line: usize, rba: Rba) -> usize {
        let mut at = line;
        while let Some((parent, cut)) = self.parents[at] {
            if rba >= cut.ci_ceiling() {
                break;
            }
            at = parent;
        }
        at
    }

    /// Whether a place in `history`, with all before `end`, is on line `line`.
    pub(crate) fn is_on(&self, line: usize, history: usize, end: Rba) -> bool {
        let limit = self.limits[line][history];
        limit > Rba::ZERO && end <= limit
    }
}
