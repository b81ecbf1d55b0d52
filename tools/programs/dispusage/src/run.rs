//! Asks the running queue manager, or reads the files of one that is down.

use console::{Failure, Outcome, Session};
use engine_storage::RealStorage;
use format_types::ConditionCode;
use operation_inventory::Usage;

use crate::args::{Arguments, Kind};
use crate::report::Report;

/// Does what was asked.
pub(crate) fn run(arguments: Arguments, session: &mut Session) -> Outcome {
    let Arguments { directory, kind, psid, .. } = arguments;
    if psid.is_some() && kind == Kind::DataSet {
        return Err(Failure::refused("CSQI003I", "'PSID' NOT ALLOWED WITH TYPE (DATASET)"));
    }
    let storage = RealStorage::shared();
    let found = operation_inventory::usage(&storage, &directory, "DISPUSAGE", session.common.timeout);
    let Usage { name, live, report: mut usage } =
        found.map_err(|error| Failure::of(&error).with_code(error.code()))?;
    if let Some(wanted) = psid {
        usage.page_sets.retain(|set| set.page_set == wanted);
        if usage.page_sets.is_empty() {
            return Err(Failure::refused("HWT751E", format!("PAGE SET {wanted} IS NOT DEFINED to {name}")));
        }
    }
    let report = Report { name, live, kind, usage };
    session.answer(&report.document(), || report.lines());
    Ok(ConditionCode::Done)
}
