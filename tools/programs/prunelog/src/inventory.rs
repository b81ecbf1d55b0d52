//! prunelog inventory.

use console::{Failure, Outcome, Session, message};
use format_types::ConditionCode;

use crate::args::InventoryArgs;
use crate::files::Out;
use crate::plan;
use crate::settings::Origin;

/// Code 4 when something of it is in doubt.
pub(crate) fn run(asked: &InventoryArgs, session: &mut Session) -> Outcome {
    let origin = Origin::QueueManager(asked.directory.clone());
    let more = plan::More { reading: asked.measure, ..plan::More::default() };
    let read = plan::read_queue_manager(&asked.directory, more, session)?;
    let (inventory, _) = plan::parse(&read, &origin)?;
    for warning in &read.warnings {
        message(&warning.id, &warning.text);
    }
    format_inventory::write(&mut Out(&mut session.out), &inventory)
        .map_err(|error| Failure::of(error.to_string()))?;
    Ok(if read.warnings.is_empty() { ConditionCode::Done } else { ConditionCode::Warning })
}
