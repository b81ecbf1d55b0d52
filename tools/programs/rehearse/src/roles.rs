//! What the program does when it runs itself: the queue manager's process, and the load's.
//!
//! Both talk to their parent through standard output, a line each: `ready`; `messages N` now and then; `end` and a text.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use console::{Failure, Outcome, Session};
use engine_queue_manager::{files, server};
use engine_storage::{RealStorage, SharedStorage};
use format_types::ConditionCode;
use operation_workload::{LoadCounters, LoadSettings, run_load};

use crate::args::{LoadRole, Role};
use crate::failing::FailingSyncs;

/// Time between two reports of a load.
const REPORT: Duration = Duration::from_millis(20);

pub(crate) fn run(role: &Role, session: &mut Session) -> Outcome {
    // Nobody waits for us once the rehearsal is gone.
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    match role {
        Role::ServeRole { directory, failing, flag } => {
            let storage = match (failing, flag) {
                (Some(failing), Some(flag)) => FailingSyncs::shared(failing, flag),
                _ => RealStorage::shared(),
            };
            serve(&storage, directory, session)
        }
        Role::LoadRole(load) => self::load(load, session),
    }
}

fn serve(storage: &SharedStorage, directory: &Path, session: &mut Session) -> Outcome {
    let path = directory.join(files::CONSOLE);
    let mut log = OpenOptions::new().create(true).append(true).open(&path).map_err(Failure::of)?;
    let mut say = |line: &str| {
        // The console's log is for people; the queue manager runs without it.
        let _ = writeln!(log, "{line}");
    };
    let mut ready = || {
        session.out.line("ready");
        session.out.flush();
    };
    let ran = server::run(storage, directory, &mut say, &mut ready);
    ran.map_err(|error| Failure::of(error).with_code(ConditionCode::Severe))?;
    Ok(ConditionCode::Done)
}

fn load(load: &LoadRole, session: &mut Session) -> Outcome {
    let settings = LoadSettings {
        seconds: None,
        messages: load.messages,
        connections: load.connections,
        queue_prefix: load.prefix.clone(),
        seed: load.seed,
        timeout: session.common.timeout,
        ..LoadSettings::new(&load.journal)
    };
    let counters = LoadCounters::default();
    let over = AtomicBool::new(false);
    let out = &mut session.out;
    let report = std::thread::scope(|scope| {
        let loading = scope.spawn(|| {
            let report = run_load(&load.directory, load.seed, &settings, &counters);
            over.store(true, Ordering::Release);
            report
        });
        while !over.load(Ordering::Acquire) {
            out.line(format!("messages {}", counters.messages()));
            out.flush();
            std::thread::sleep(REPORT);
        }
        match loading.join() {
            Ok(report) => report,
            Err(panic) => std::panic::resume_unwind(panic),
        }
    });
    let report = report.map_err(|error| Failure::of(&error).with_code(error.code()))?;
    let pause = report.longest_pause;
    session.out.line(format!("messages {}", counters.messages()));
    session.out.line(format!("bytes {}", report.bytes));
    session.out.line(format!("pause {pause}"));
    for ending in report.endings {
        session.out.line(format!("end {}", ending.replace('\n', " ")));
    }
    let altered = report.altered > 0;
    Ok(if altered { ConditionCode::Partial } else { ConditionCode::Done })
}
