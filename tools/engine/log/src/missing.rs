//! Log that can be read from nowhere.

use format_types::RbaRange;

use crate::chunks::{Chunks, Need, ahead, names};
use crate::data_sets::CI;

/// A stretch of log that can be read from no data set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Missing {
    /// The stretch.
    pub range: RbaRange,
    /// The data sets that should hold it; empty when the BSDS names none.
    pub data_sets: Vec<String>,
    /// What is wrong with each, at the start of the stretch.
    pub why: String,
}

/// Verifies every control interval of `range`.
pub(crate) fn find(mut chunks: Chunks, range: RbaRange) -> Vec<Missing> {
    let mut all: Vec<Missing> = Vec::new();
    let mut at = range.start.ci_start();
    while at < range.end {
        let need = Need::up_to(at, chunks.sets().wanted(at, range.end));
        let Err(unreadable) = chunks.prepare(at, need, ahead(at, range.end)) else {
            at = at.plus(CI);
            continue;
        };
        let until = unreadable.until.min(range.end);
        let start = at.max(range.start);
        let data_sets = names(chunks.sets().holding(at));
        match all.last_mut() {
            Some(last) if last.range.end == start && last.data_sets == data_sets => last.range.end = until,
            _ => {
                let why = if unreadable.tried.is_empty() {
                    "no data set that the BSDS names holds it".to_owned()
                } else {
                    unreadable.why()
                };
                all.push(Missing { range: RbaRange::new(start, until), data_sets, why });
            }
        }
        at = until.ci_ceiling().max(at.plus(CI));
    }
    all
}
