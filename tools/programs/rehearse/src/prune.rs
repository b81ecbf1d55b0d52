//! The log that only an older recovery point needs is deleted, by a plan; and a loss once more.

use std::time::Instant;

use console::{Failure, Session, now};
use engine_storage::SharedStorage;
use format_types::ConditionCode;
use operation_inventory::{Applied, ApplyError, Orders, Site, apply};
use operation_points::RecoverReport;
use operation_retention::Policy;
use operation_workload::{AuditReport, Random};

use crate::child::Process;
use crate::run::{make_point, recover_page_sets, say};
use crate::scratch::Scratch;
use crate::{damage, stages};

/// Threads that delete.
const THREADS: usize = 2;

/// What was deleted, and what the recovery with the rest came to.
pub(crate) struct Pruned {
    pub(crate) archives: u64,
    pub(crate) bytes: u64,
    pub(crate) kept: u64,
    pub(crate) seconds: f64,
    pub(crate) recovered: RecoverReport,
    pub(crate) audit: AuditReport,
}

/// Makes the recovery point `name`, deletes what only older ones need while `server` runs, kills it, and recovers from that point with the
/// log that is left. Gives back the new process.
pub(crate) fn rehearse(
    storage: &SharedStorage,
    scratch: &Scratch,
    name: &str,
    mut server: Process,
    random: &mut Random,
    session: &Session,
) -> Result<(Pruned, Process), Failure> {
    let (dir, point) = (scratch.queue_manager(), scratch.beside("POINT2"));
    say(session, "making another recovery point, and deleting the log that only the first one needs");
    make_point(storage, scratch, &point, name, session)?;
    let begun = Instant::now();
    let policy = Policy { keep_last: Some(1), max_delete: Some(100), ..Policy::default() };
    let site =
        Site { storage, dir: &dir, application: "REHEARSE", timeout: session.common.timeout, now: now() };
    let orders = Orders { policy: &policy, plan: None, dry_run: false, threads: THREADS };
    let applied = apply(&site, &orders, &mut |_| Ok(()), &|_| {}).map_err(|error| of_apply(&error))?;
    if let Some(stays) = applied.stays.first() {
        return Err(broke_off(format!("{} was to be deleted and stays: {}", stays.name, stays.why)));
    }
    let seconds = begun.elapsed().as_secs_f64();
    let (_, _, page_sets) = stages::look(&mut stages::connect(scratch, session)?)?;
    say(session, "killing it again, and recovering with the log that is left");
    server.kill()?;
    let damage = damage::inflict(storage, &dir, &page_sets, random)?;
    let recovered = recover_page_sets(storage, &dir, &point, &[damage.corrupted, damage.removed])?;
    let server = stages::start(scratch)?;
    let audit = stages::audit(scratch, 2, session)?;
    let Applied { deleted, kept, .. } = applied;
    let bytes = deleted.iter().map(|gone| gone.bytes).sum();
    Ok((Pruned { archives: deleted.len() as u64, bytes, kept, seconds, recovered, audit }, server))
}

fn broke_off(text: String) -> Failure {
    Failure::new(ConditionCode::Severe, "HWT799S", text)
}

fn of_apply(error: &ApplyError) -> Failure {
    broke_off(error.to_string())
}
