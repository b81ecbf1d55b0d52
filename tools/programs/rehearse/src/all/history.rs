//! Back to a point in time.

use console::{Failure, now};
use engine_queue_manager::client::Client;
use format_types::Rba;
use operation_points::{Driver, PointInTime, RecoverSettings, RecoveryTarget, recover_to};

use super::trial::Trial;
use crate::run::of_point;
use crate::stages;

/// Bytes of each page set.
const PAGE_SETS: u64 = 4 << 20;

/// The end of the log at some moment of a load is the target: what was committed before it is there exactly, what came later is gone; work
/// goes on, and a second point and a second recovery follow.
pub(super) fn point_in_time(trial: &mut Trial<'_>) -> Result<(), Failure> {
    trial.make(PAGE_SETS)?;
    trial.load()?;
    let point = trial.point("P1")?;
    let mut load = trial.begin_load(None)?;
    stages::wait_for_messages(&mut load, trial.messages / 2)?;
    let mut client = trial.connect()?;
    let target = log_end(&mut client)?;
    drop(client);
    stages::wait_for_messages(&mut load, trial.messages)?;
    trial.kill()?;
    stages::end_load(&mut load)?;
    trial.did(format!("killed under load; back to RBA {target}"));
    let settings = RecoverSettings {
        dir: trial.dir(),
        from: point,
        page_sets: Vec::new(),
        frames: None,
        driver: Driver::Threads,
        dry_run: false,
    };
    let end =
        PointInTime { target: RecoveryTarget::Rba(target), accept_loss: true, random: trial.random.next() };
    let report = recover_to(&trial.storage, &settings, Some(end), now(), &mut |_| {})
        .map_err(|error| of_point(&error))?;
    trial.expect(report.recovered, || "the recovery was not done".to_owned());
    if let Some(cut) = &report.cut {
        trial.did(format!("the log cut at {}, it had ended at {}", cut.cut, cut.end));
    }
    trial.start()?;
    trial.audit()?;
    trial.load()?;
    let second = trial.point("P2")?;
    trial.load_and_kill()?;
    let sets: Vec<String> =
        trial.bsds()?.page_sets.iter().map(|set| format!("PSID{}", set.page_set)).collect();
    trial.lose(&sets)?;
    trial.recover(&second, &[])?;
    trial.prove()
}

fn log_end(client: &mut Client) -> Result<Rba, Failure> {
    Ok(stages::look(client)?.1)
}
