//! Needed log that is in no data set, and what it destroys.

use format_inventory::{GapEntry, HolderKind};

use crate::evaluation::Evaluation;
use crate::logs::{meets, within};
use crate::needs::{Holder, Subject};

/// Gaps that are listed one by one.
const LISTED: usize = 1_000;

/// The gaps in what is needed, and how many more there are than are listed. What only rules keep is not needed.
pub(crate) fn gaps(evaluation: &Evaluation<'_>) -> (Vec<GapEntry>, usize) {
    let (needs, logs) = (&evaluation.needs, evaluation.logs);
    let (mut entries, mut more) = (Vec::new(), 0);
    for (history, gaps) in logs.gaps.iter().enumerate() {
        let held = &needs.held[history];
        for gap in gaps.iter().filter(|gap| meets(&held.joined, **gap)) {
            if entries.len() >= LISTED {
                more += 1;
                continue;
            }
            let holders: Vec<&Holder> = held
                .holders(*gap)
                .map(|holder| &needs.holders[holder as usize])
                .filter(|holder| holder.kind == HolderKind::Needed)
                .collect();
            let Some(from) = holders.iter().map(|holder| holder.range.start).min() else { continue };
            let parts = within(std::slice::from_ref(gap), format_types::RbaRange::new(from, gap.end));
            let to = holders.iter().map(|holder| holder.range.end).max().unwrap_or(gap.end);
            let (mut destroys, mut needed_by) = (Vec::new(), Vec::new());
            for holder in holders {
                let entry = holder.entry(evaluation.inventory, &evaluation.points);
                match holder.subject {
                    Subject::Point(place, _) => {
                        let view = &evaluation.points[place];
                        destroys.push(evaluation.inventory.points[view.place].name.clone());
                    }
                    _ => needed_by.push(entry.what),
                }
            }
            destroys.dedup();
            destroys.sort();
            destroys.dedup();
            for part in parts {
                entries.push(GapEntry {
                    history: evaluation.inventory.histories[history].id.clone(),
                    start: part.start,
                    end: part.end.min(to).minus(1),
                    destroys: destroys.clone(),
                    needed_by: needed_by.clone(),
                });
            }
        }
    }
    (entries, more)
}
