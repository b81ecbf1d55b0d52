//! prunelog apply.

use std::sync::atomic::{AtomicUsize, Ordering};

use console::{Failure, Outcome, Progress, Session, format_size, message, now, say};
use engine_storage::RealStorage;
use operation_inventory::{Applied, Decided, Orders, Site, apply};

use crate::args::Apply;
use crate::plan::APPLICATION;
use crate::policies::Policies;
use crate::prove::Prover;
use crate::run::read_plan;
use crate::{files, report, settings};

/// Threads that look at files and remove them, at most.
const THREADS: usize = 4;

/// Code 0; 4 with warnings; 8 when something stays that was to go; 12 when nothing was deleted.
pub(crate) fn run(asked: &Apply, session: &mut Session) -> Outcome {
    let bytes = asked.plan.as_ref().map(|path| files::read(path, "HWT822E")).transpose()?;
    let plan = bytes.as_deref().zip(asked.plan.as_deref());
    let plan = plan.map(|(bytes, path)| read_plan(bytes, path)).transpose()?;
    let policy = match &plan {
        Some(plan) => settings::policy_of_plan(&asked.policy, plan)?,
        None => Policies::read(&asked.policy)?.only()?.clone(),
    };
    let storage = RealStorage::shared();
    let site = Site {
        storage: &storage,
        dir: &asked.directory,
        application: APPLICATION,
        timeout: session.common.timeout,
        now: now(),
    };
    let threads = std::thread::available_parallelism().map_or(1, |threads| threads.get().min(THREADS));
    let orders = Orders { policy: &policy, plan: plan.as_ref(), dry_run: asked.dry_run, threads };
    let mut prover = match asked.prove {
        true => Some(Prover::new(&storage, &asked.directory, asked.scratch.as_deref())?),
        false => None,
    };
    let bar = Progress::count("deleting archives", 0);
    let done = AtomicUsize::new(0);
    let applied = apply(
        &site,
        &orders,
        &mut |decided: &Decided<'_>| {
            bar.set_total(decided.decision.doomed.len() as u64);
            prover.as_mut().map_or(Ok(()), |prover| prover.prove(decided))
        },
        &|_| bar.set(done.fetch_add(1, Ordering::Relaxed) as u64),
    );
    bar.finish();
    let applied = applied.map_err(|error| Failure::of(&error).with_code(error.code()))?;
    for warning in &applied.warnings {
        message(&warning.id, &warning.text);
    }
    talk(&applied);
    session.answer(&Document::of(&applied), || lines(&applied));
    Ok(applied.code())
}

#[derive(serde::Serialize)]
struct Document<'a> {
    #[serde(flatten)]
    applied: &'a Applied,
    bytes: u64,
    condition_code: format_types::ConditionCode,
}

impl<'a> Document<'a> {
    fn of(applied: &'a Applied) -> Self {
        Self { applied, bytes: applied.bytes(), condition_code: applied.code() }
    }
}

fn talk(applied: &Applied) {
    applied.messages.iter().for_each(|line| say(line));
    for name in &applied.spared {
        let text = format!("{name} WAS BEING DELETED AND IS NEEDED: it stays");
        message("HWT838W", &text);
    }
    for name in &applied.missing {
        message("HWT839W", &format!("{name} WAS NOT THERE: its entry is dropped"));
    }
    for stays in &applied.stays {
        let text = format!("{} STAYS: {}; nothing of it was touched, look what it is", stays.name, stays.why);
        message("HWT835E", &text);
    }
}

fn lines(applied: &Applied) -> Vec<String> {
    let (count, size) = (applied.deleted.len(), format_size(applied.bytes()));
    let (name, kept) = (&applied.queue_manager, applied.kept);
    let mut lines = vec![if applied.dry_run {
        format!("HWT842I {name} WOULD DELETE {count} ARCHIVES, {size}; {kept} STAY")
    } else {
        format!("HWT836I {name} {count} ARCHIVES DELETED, {size}; {kept} STAY")
    }];
    lines.extend(report::gone(&applied.deleted));
    if applied.finished > 0 {
        let finished = applied.finished;
        lines.push(format!("HWT837I {finished} OF THEM AN EARLIER RUN HAD BEGUN TO DELETE"));
    }
    if applied.already_gone > 0 {
        lines.push(format!("HWT846I {} ARCHIVES OF THE PLAN WERE GONE BEFORE", applied.already_gone));
    }
    lines
}
