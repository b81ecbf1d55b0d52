//! recpoint create --method full: stop, copy, start again.

use std::path::Path;
use std::time::{Duration, Instant};

use console::{Failure, Outcome, Progress, Session, message, now};
use engine_queue_manager::{files, server};
use engine_storage::SharedStorage;
use format_types::{ConditionCode, PointMethod};
use operation_points::{
    CreatedPoint, FullSettings, NotStopped, PointError, Quiescing, StoppedForCopy, create_full_point,
    resolve, stop_for_copy,
};

use crate::args::Create;
use crate::create::{document, lines, name_damage};
use crate::restart::{find_qmgr, hold_signals, start_again};
use crate::run::failure;

/// Time that a queue manager which has stopped is given to let go of its directory.
const LET_GO: Duration = Duration::from_secs(30);

/// Pause between two looks at a queue manager that is ending.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

pub(crate) fn run(
    arguments: &Create,
    dir: &Path,
    to: &Path,
    storage: &SharedStorage,
    session: &mut Session,
) -> Outcome {
    let (to, name) = resolve(to, arguments.name.as_deref()).map_err(failure)?;
    let settings = FullSettings {
        dir: dir.to_owned(),
        to,
        name,
        allow_in_doubt: arguments.allow_in_doubt,
        include_log: arguments.include_log,
    };
    // Nothing is stopped that could not be started again.
    let qmgr = match find_qmgr() {
        Err(failure) if dir.join(files::SOCKET).exists() => return Err(failure),
        found => found.unwrap_or_default(),
    };
    let timeout = session.common.timeout;
    let mut held = false;
    let mut tell = |how: Quiescing<'_>| match how {
        Quiescing::Waiting(who) => {
            let text = format!("WAITING UP TO {timeout:?} FOR APPLICATIONS TO LEAVE: {}", who.join(", "));
            message("HWT580I", &text);
        }
        Quiescing::Stopping => {
            if !std::mem::replace(&mut held, true) {
                hold_signals();
            }
        }
    };
    let stopped = match stop_for_copy(storage, &settings, timeout, &mut tell) {
        Ok(stopped) => stopped,
        Err(error) => return Err(not_stopped(error, storage, dir, &qmgr, timeout)),
    };
    // However short people want to wait for applications: a process that has stopped lets go of its directory soon.
    let made = copy(storage, &settings, stopped.as_ref(), timeout.max(LET_GO));
    let started = stopped.as_ref().map(|_| start_again(&qmgr, dir));
    let made = match (made, &started) {
        (Ok(made), _) => made,
        (Err(error), None) => return Err(failure(error)),
        (Err(error), Some(Ok(_))) => {
            return Err(failure(error).hint("the queue manager was started again"));
        }
        (Err(error), Some(Err(why))) => {
            message(&why.id, &why.text);
            return Err(failure(error).with_code(ConditionCode::Severe));
        }
    };
    report(&made, stopped.as_ref(), started, session)
}

fn copy(
    storage: &SharedStorage,
    settings: &FullSettings,
    stopped: Option<&StoppedForCopy>,
    timeout: Duration,
) -> Result<CreatedPoint, PointError> {
    let bar = Progress::bytes("copying page sets", 0);
    let said = stopped.map_or(&[][..], |stopped| &stopped.stop_messages);
    let made = create_full_point(storage, settings, said, timeout, now(), &|progress| {
        bar.set_total(progress.total);
        bar.set(progress.done);
    });
    bar.finish();
    made
}

/// Says what was done; the code is 16 when the queue manager is down and should not be.
fn report(
    made: &CreatedPoint,
    stopped: Option<&StoppedForCopy>,
    started: Option<Result<Vec<String>, Failure>>,
    session: &mut Session,
) -> Outcome {
    name_damage(made);
    let in_doubt = made.manifest.method == PointMethod::Fuzzy;
    if in_doubt {
        message(
            "HWT590W",
            "units of recovery are in doubt: the point is recorded as fuzzy, and needs the log from the oldest of them on",
        );
    }
    let (after, severe) = match started {
        None => (Vec::new(), None),
        Some(Ok(lines)) => (lines, None),
        Some(Err(why)) => (Vec::new(), Some(why)),
    };
    let restarted = stopped.is_some() && severe.is_none();
    session.answer(&document(made, restarted), || {
        let before =
            stopped.map(|stopped| [stopped.archive_messages.clone(), stopped.stop_messages.clone()].concat());
        [before.unwrap_or_default(), lines(made), after.clone()].concat()
    });
    if let Some(why) = severe {
        message(&why.id, &why.text);
        return Ok(ConditionCode::Severe);
    }
    let code = made.code();
    Ok(if in_doubt && code == ConditionCode::Done { ConditionCode::Warning } else { code })
}

/// Nothing was stopped; or the stop was asked for and nobody knows what became of it: then the queue manager is started again as soon as it
/// has ended.
fn not_stopped(
    error: NotStopped,
    storage: &SharedStorage,
    dir: &Path,
    qmgr: &Path,
    timeout: Duration,
) -> Failure {
    let NotStopped { error, stop_sent } = error;
    let failure = failure(error);
    if !stop_sent {
        return failure;
    }
    let since = Instant::now();
    while server::lock(storage, dir).is_err() {
        if since.elapsed() >= timeout {
            return failure
                .hint("the queue manager is stopping still; start it with 'qmgr start' when it has ended");
        }
        std::thread::sleep(LOOK_AGAIN);
    }
    match start_again(qmgr, dir) {
        Ok(_) => failure.hint("no recovery point was made; the queue manager was started again"),
        Err(why) => {
            message(&why.id, &why.text);
            failure.with_code(ConditionCode::Severe)
        }
    }
}
