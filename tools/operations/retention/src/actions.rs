//! What doing something would let go.

use format_inventory::{ActionEntry, Inventory};

use crate::InventoryError;
use crate::decide::{Cursors, Verdict, held, only_today};
use crate::evaluation::Evaluation;
use crate::fact::{Fact, perform};
use crate::plan::Planned;

/// Actions that are looked at.
const LOOKED_AT: usize = 32;
/// Of the points that are kept, the oldest that are looked at.
const POINTS: usize = 4;

/// The inventory without its data sets.
fn without_logs(inventory: &Inventory<'_>) -> Inventory<'static> {
    Inventory {
        version: inventory.version,
        queue_manager: inventory.queue_manager.clone(),
        histories: inventory.histories.clone(),
        logs: Vec::new(),
        points: inventory.points.clone(),
        now: inventory.now.clone(),
        holds: inventory.holds.clone(),
        in_progress: inventory.in_progress.clone(),
        holes: inventory.holes.clone(),
    }
}

/// Everything that somebody could do about it.
fn candidates(evaluation: &Evaluation<'_>) -> Vec<Fact> {
    let inventory = evaluation.inventory;
    let uncovered = evaluation.needs.uncovered.iter();
    let mut facts: Vec<Fact> = uncovered.map(|psid| Fact::PageSetBackup { page_set: *psid }).collect();
    // Over units that are active no full one can be made.
    let full = evaluation.policy.back_to_full && inventory.now.units.is_empty();
    facts.push(Fact::NewPoints { count: 1, full });
    facts.extend(inventory.holds.iter().map(|hold| Fact::HoldEnds { point: hold.point.clone() }));
    let kept = evaluation.points.iter().zip(&evaluation.kept).rev().filter(|(_, keeps)| keeps.any());
    let name = |place: usize| inventory.points[place].name.clone();
    facts.extend(kept.take(POINTS).map(|(view, _)| Fact::GivenUp { point: name(view.place) }));
    let offline = inventory.now.page_sets.iter().filter(|set| !set.online);
    facts.extend(offline.map(|set| Fact::Online { page_set: set.psid }));
    let oldest = inventory.now.units.iter().min_by_key(|unit| unit.from());
    facts.extend(oldest.map(|unit| Fact::UnitEnds { urid: unit.urid }));
    let structures = inventory.now.structures.iter();
    facts.extend(structures.map(|found| Fact::StructureBackup { structure: found.name.clone() }));
    facts.extend(inventory.in_progress.iter().map(|found| Fact::Ends { name: found.name.clone() }));
    facts.extend(evaluation.policy.margin().map(|_| Fact::NoMargin));
    facts.push(Fact::Checkpoints { count: evaluation.policy.checkpoints() });
    facts.truncate(LOOKED_AT);
    facts
}

/// The actions that let something go, each alone.
pub(crate) fn actions(planned: &Planned<'_, '_>) -> Result<Vec<ActionEntry>, InventoryError> {
    let evaluation = planned.evaluation;
    let mut entries: Vec<ActionEntry> = Vec::new();
    if evaluation.policy.is_empty() {
        return Ok(entries);
    }
    let count = evaluation.policy.checkpoints();
    for fact in candidates(evaluation) {
        // What is brought forward of a page set is on disk only after checkpoints.
        let after = matches!(fact, Fact::Online { .. }).then_some(Fact::Checkpoints { count });
        let facts: Vec<Fact> = std::iter::once(fact).chain(after).collect();
        let mut inventory = without_logs(evaluation.inventory);
        let mut policy = evaluation.policy.clone();
        perform(&facts, &mut inventory, &mut policy, evaluation.at);
        let then = Evaluation::new(&inventory, evaluation.logs, &policy, evaluation.at)?;
        let (data_sets, bytes) = freed(planned, &then);
        let action = facts.iter().map(Fact::to_string).collect::<Vec<_>>().join("; ");
        if data_sets > 0 && entries.iter().all(|entry| entry.action != action) {
            entries.push(ActionEntry { action, data_sets, bytes });
        }
    }
    entries.sort_by_key(|entry| std::cmp::Reverse(entry.bytes));
    Ok(entries)
}

/// How many of the archives that are held now nobody holds then, and their bytes.
fn freed(planned: &Planned<'_, '_>, then: &Evaluation<'_>) -> (u64, u64) {
    let now = planned.evaluation;
    let joined = |needs: &crate::needs::Needs| -> Vec<_> {
        needs.held.iter().chain(&needs.held_today).map(|held| held.joined.clone()).collect()
    };
    if joined(&now.needs) == joined(&then.needs) {
        return (0, 0);
    }
    let (mut data_sets, mut bytes) = (0, 0);
    let mut cursors = Cursors::new(now.logs);
    for (place, (row, verdict)) in now.logs.rows.iter().zip(&planned.verdicts.of).enumerate() {
        if !matches!(verdict, Verdict::Held(_)) || planned.verdicts.newer.contains_key(&place) {
            continue;
        }
        let today = only_today(now.logs, row, then.policy);
        if held(&then.needs, row, today).meeting_near(row.range, cursors.of(row, today)).is_none() {
            data_sets += 1;
            bytes += row.bytes;
        }
    }
    (data_sets, bytes)
}
