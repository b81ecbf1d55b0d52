//! Whether page sets that were copied belong to the queue manager whose usage was displayed.
//!
//! Neither the usage nor the print of a copy says it, so that the output of two queue managers may come together unnoticed. Names do: a
//! page set has the queue manager's name as a qualifier, or was typed, or is in an earlier point of that queue manager.

use format_inventory::{CopiedPageSet, Ledger};
use format_types::{DataSetName, PageSetId, QueueManagerName};

use crate::error::SiteError;

/// Refuses page sets that nothing ties to `queue_manager`. `typed` are those that were typed.
pub(crate) fn check(
    page_sets: &[CopiedPageSet],
    queue_manager: &QueueManagerName,
    typed: &[(PageSetId, DataSetName)],
    ledger: &Ledger,
) -> Result<(), SiteError> {
    let known = |set: &CopiedPageSet| {
        let points = ledger.points.iter().filter(|point| point.queue_manager == *queue_manager);
        let mut sets = points.flat_map(|point| &point.page_sets);
        set.data_set.split('.').any(|qualifier| qualifier == queue_manager.as_str())
            || typed.iter().any(|(psid, name)| *psid == set.psid && name.as_str() == set.data_set)
            || sets.any(|old| old.psid == set.psid && old.data_set == set.data_set)
    };
    let Some(stranger) = page_sets.iter().find(|set| !known(set)) else {
        return Ok(());
    };
    let text = format!(
        "NOTHING SAYS THAT {}, PAGE SET {}, IS OF {queue_manager}: ITS NAME DOES NOT, NOR DOES AN EARLIER POINT OF THE LEDGER",
        stranger.data_set, stranger.psid
    );
    let hint = "give the output of one queue manager; if it is its page set, say so once with --page-set 0=DSN, the ledger keeps it";
    Err(SiteError::new("HWT920E", text, hint))
}
