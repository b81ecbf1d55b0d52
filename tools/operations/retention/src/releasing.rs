//! The releasing sets of a whole inventory, as facts that can be made so.

use format_inventory::Inventory;
use format_types::Timestamp;

use crate::InventoryError;
use crate::evaluation::Evaluation;
use crate::fact::Fact;
use crate::logs::Logs;
use crate::plan::Planned;
use crate::policy::Policy;
use crate::release::Release;

/// For each archive that stays and that something releases: its place in the inventory, and the facts that release it.
///
/// # Errors
/// When what the inventory says cannot be.
pub fn releasing_sets<'i>(
    inventory: &'i Inventory<'i>,
    policy: &Policy,
    at: Timestamp,
) -> Result<Vec<(usize, Vec<Fact>)>, InventoryError> {
    let logs = Logs::new(inventory)?;
    let evaluation = Evaluation::new(inventory, &logs, policy, at)?;
    let planned = Planned::new(inventory, &evaluation);
    let kept = planned.verdicts.of.iter().enumerate().filter(|(_, verdict)| verdict.is_kept());
    let released = kept.filter_map(|(place, _)| {
        let row = planned.evaluation.logs.rows.get(place)?;
        match planned.released_by(place, usize::MAX) {
            Release::By(facts) => Some((row.log as usize, facts)),
            _ => None,
        }
    });
    Ok(released.collect())
}
