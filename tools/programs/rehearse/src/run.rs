//! The rehearsal, stage after stage.

use std::path::Path;
use std::time::Instant;

use console::{Failure, Outcome, Session, message, now};
use engine_storage::{RealStorage, SharedStorage};
use format_types::ConditionCode;
use operation_points::{
    CreateSettings, Driver, PointError, RecoverReport, RecoverSettings, create_point, recover,
};
use operation_workload::Random;

use crate::args::{Arguments, Rehearsal};
use crate::child::Process;
use crate::inventory;
use crate::report::Report;
use crate::scratch::Scratch;
use crate::stages::{self, LoadPlan};
use crate::{all, copy_of, damage, prune, roles};

/// Code 0 when clean, 8 when the audit is not, 12 when the rehearsal could not begin, 16 when it broke off.
pub(crate) fn run(arguments: &Arguments, session: &mut Session) -> Outcome {
    if let Some(role) = &arguments.role {
        return roles::run(role, session);
    }
    if arguments.rehearsal.all {
        return all::run(&arguments.rehearsal, session);
    }
    let scratch = Scratch::new(arguments.rehearsal.scratch.as_deref())?;
    match rehearse(&arguments.rehearsal, &scratch, session) {
        Ok(mut report) => {
            report.judge();
            report.kept = match scratch.kept() {
                Some(kept) => Some(kept.display().to_string()),
                None if !report.clean => Some(scratch.keep().display().to_string()),
                None => None,
            };
            session.answer(&report, || report.lines());
            Ok(report.condition_code)
        }
        Err(failure) => {
            let kept = scratch.keep();
            Err(failure.hint(format!("what there is to see is in {}", kept.display())))
        }
    }
}

pub(crate) fn say(session: &Session, text: &str) {
    if !session.common.json {
        message("HWT798I", text);
    }
}

fn rehearse(rehearsal: &Rehearsal, scratch: &Scratch, session: &mut Session) -> Result<Report, Failure> {
    let started = Instant::now();
    let storage = RealStorage::shared();
    let seed = now().0 ^ (u64::from(std::process::id()) << 40);
    let mut random = Random::new(seed);
    let dir = scratch.queue_manager();
    match &rehearsal.copy_of {
        Some(original) => {
            say(session, &format!("copying {}", original.display()));
            copy_of::copy_of(&storage, original, &dir)?;
        }
        None => stages::make(&storage, &dir, [random.next(), random.next()])?,
    }
    let mut server = stages::start(scratch)?;
    let mut client = stages::connect(scratch, session)?;
    // Queues of our own, so that nothing of a copied queue manager is got.
    let prefix = format!("REHEARSE.{:08X}", random.next() >> 32);
    let before = inventory::take(&mut client, &prefix)?;
    let (name, log_start, page_sets) = stages::look(&mut client)?;

    say(session, &format!("loading {name}"));
    let first = LoadPlan {
        scratch,
        number: 1,
        seed: random.next(),
        prefix: &prefix,
        connections: rehearsal.connections,
        messages: None,
    };
    let mut load = first.start()?;
    stages::wait_for_messages(&mut load, rehearsal.messages / 3)?;
    say(session, "making a recovery point under load");
    let point = make_point(&storage, scratch, &scratch.point(), &prefix, session)?;
    let reached = stages::wait_for_messages(&mut load, 0)?;
    stages::wait_for_messages(&mut load, rehearsal.messages.max(reached + rehearsal.messages / 3))?;
    let (_, log_end, _) = stages::look(&mut client)?;
    drop(client);

    say(session, &format!("killing process {}", server.id()));
    let killed_process = server.id();
    server.kill()?;
    let ended = stages::end_load(&mut load)?;
    let damage = damage::inflict(&storage, &dir, &page_sets, &mut random)?;

    say(session, &format!("recovering page sets {} and {}", damage.corrupted, damage.removed));
    let back = Instant::now();
    let recovered = recover_page_sets(&storage, &dir, &scratch.point(), &[damage.corrupted, damage.removed])?;
    let server = stages::start(scratch)?;
    let back_seconds = back.elapsed().as_secs_f64();

    say(session, "auditing");
    let audit = stages::audit(scratch, 1, session)?;
    let after = inventory::take(&mut stages::connect(scratch, session)?, &prefix)?;

    say(session, "loading on");
    let second = LoadPlan { number: 2, seed: random.next(), messages: Some(rehearsal.messages / 4), ..first };
    let on = stages::end_load(&mut second.start()?)?;
    let audit_after = stages::audit(scratch, 2, session)?;
    let (pruned, mut server) =
        prune::rehearse(&storage, scratch, &format!("{prefix}.2"), server, &mut random, session)?;
    let troubles = troubles(&mut server, scratch, session, &on, ended.altered)?;
    Ok(Report {
        queue_manager: name,
        messages: ended.messages,
        message_bytes: ended.bytes,
        longest_pause_seconds: ended.pause,
        log_bytes: log_end.since(log_start),
        point_bytes: point.bytes,
        point_seconds: point.seconds,
        killed_process,
        page_set_removed: damage.removed,
        page_set_corrupted: damage.corrupted,
        pages_corrupted: damage.pages,
        restored_bytes: recovered.bytes,
        restore_seconds: recovered.restore_seconds,
        log_needed_from: recovered.needed.start,
        log_read_bytes: recovered.forward.len(),
        log_records: recovered.records,
        forward_seconds: recovered.forward_seconds,
        back_seconds,
        audit,
        messages_after: on.messages,
        audit_after,
        archives_deleted: pruned.archives,
        archive_bytes_deleted: pruned.bytes,
        archives_kept: pruned.kept,
        delete_seconds: pruned.seconds,
        restored_bytes_after: pruned.recovered.bytes,
        log_needed_from_after: pruned.recovered.needed.start,
        log_read_bytes_after: pruned.recovered.forward.len(),
        audit_deleted: pruned.audit,
        differences: inventory::differences(&before, &after),
        troubles,
        seconds: started.elapsed().as_secs_f64(),
        kept: None,
        clean: false,
        condition_code: ConditionCode::Partial,
    })
}

pub(crate) struct Made {
    bytes: u64,
    seconds: f64,
}

/// Makes the recovery point `name` in the new directory `to`.
pub(crate) fn make_point(
    storage: &SharedStorage,
    scratch: &Scratch,
    to: &Path,
    name: &str,
    session: &Session,
) -> Result<Made, Failure> {
    let settings = CreateSettings {
        dir: scratch.queue_manager(),
        to: to.to_owned(),
        // A copied queue manager may know points of any name.
        name: Some(name.to_owned()),
        timeout: session.common.timeout,
        include_log: false,
    };
    let made = create_point(storage, &settings, now(), &|_| {}).map_err(|error| of_point(&error))?;
    let bytes = made.manifest.page_sets.iter().map(|copy| copy.length).sum();
    Ok(Made { bytes, seconds: made.copy_seconds })
}

pub(crate) fn recover_page_sets(
    storage: &SharedStorage,
    dir: &Path,
    from: &Path,
    page_sets: &[format_types::PageSetId],
) -> Result<RecoverReport, Failure> {
    let settings = RecoverSettings {
        dir: dir.to_owned(),
        from: from.to_owned(),
        page_sets: page_sets.to_vec(),
        frames: None,
        driver: Driver::Threads,
        dry_run: false,
    };
    recover(storage, &settings, now(), &mut |_| {}).map_err(|error| of_point(&error))
}

pub(crate) fn of_point(error: &PointError) -> Failure {
    Failure::of(error).with_code(ConditionCode::Severe)
}

/// Stops the queue manager, and gathers what did not go as it should.
fn troubles(
    server: &mut Process,
    scratch: &Scratch,
    session: &Session,
    on: &stages::LoadEnd,
    altered: bool,
) -> Result<Vec<String>, Failure> {
    let mut troubles: Vec<String> = stages::stop(server, scratch, session)?.into_iter().collect();
    troubles.extend(on.endings.iter().map(|ending| format!("the second load: {ending}")));
    if altered || on.altered {
        troubles.push("a message that was got did not prove itself".to_owned());
    }
    Ok(troubles)
}
