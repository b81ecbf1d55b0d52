//! The process of a queue manager.
//!
//! Started by `qmgr start`, it is detached from the terminal and tells its starter through standard output, a line each:
//! `M message`, then `R` once requests are taken, or `F` and a JSON failure. After `R` its standard output is gone. What the
//! console says is in CONSOLE.LOG, each line behind its time.

use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use console::{Failure, Outcome, Output, Session, format_time, now};
use engine_queue_manager::{files, server};
use engine_storage::RealStorage;
use format_types::ConditionCode;

/// Refuses a directory that holds no queue manager, before anything is written into it.
pub(crate) fn check_directory(dir: &Path) -> Result<(), Failure> {
    let mut there = false;
    for name in ["BSDS01", "BSDS02"] {
        let path = dir.join(name);
        there |= path.try_exists().map_err(|error| {
            Failure::refused("HWT713E", format!("{} cannot be looked at: {error}", path.display()))
        })?;
    }
    if there {
        return Ok(());
    }
    let text = format!("NO QUEUE MANAGER IN {}: it has no BSDS", dir.display());
    Err(Failure::refused("HWT413E", text).hint("check the directory's name, or make one with 'qmgr create'"))
}

/// CONSOLE.LOG of the queue manager, opened for lines at its end.
pub(crate) fn console_log(dir: &Path) -> Result<File, Failure> {
    let path = dir.join(files::CONSOLE);
    OpenOptions::new().create(true).append(true).mode(0o640).open(&path).map_err(|error| {
        Failure::refused("HWT713E", format!("{} could not be opened: {error}", path.display()))
    })
}

/// Where the console's lines go.
trait Listener {
    fn line(&mut self, line: &str);
    fn ready(&mut self) {}
}

impl Listener for &mut Output {
    fn line(&mut self, line: &str) {
        Output::line(self, line);
        self.flush();
    }
}

/// The starter, for as long as it listens.
struct Starter(Option<File>);

impl Starter {
    fn tell(&mut self, kind: char, text: &str) {
        if let Some(pipe) = &mut self.0 {
            // A starter that has gone is no reason not to run.
            let _ = pipe.write_all(format!("{kind} {text}\n").as_bytes());
        }
    }
}

impl Listener for Starter {
    fn line(&mut self, line: &str) {
        self.tell('M', line);
    }

    fn ready(&mut self) {
        self.tell('R', "");
        self.0 = None;
        if let Ok(nothing) = OpenOptions::new().write(true).open("/dev/null") {
            let _ = rustix::stdio::dup2_stdout(&nothing);
        }
    }
}

/// Runs the queue manager here until it is stopped.
pub(crate) fn foreground(dir: &Path, session: &mut Session) -> Outcome {
    check_directory(dir)?;
    serve(dir, &mut &mut session.out)
}

/// Runs the queue manager as `start` has it run.
pub(crate) fn detached(dir: &Path) -> Outcome {
    // Fails only where the process leads a session already, which serves as well.
    let _ = rustix::process::setsid();
    let pipe = rustix::stdio::stdout().try_clone_to_owned().ok().map(File::from);
    let mut starter = Starter(pipe);
    let outcome = serve(dir, &mut starter);
    if let Err(failure) = &outcome
        && let Ok(text) = serde_json::to_string(failure)
    {
        starter.tell('F', &text);
    }
    outcome
}

fn serve(dir: &Path, listener: &mut dyn Listener) -> Outcome {
    let log = console_log(dir)?;
    let listener = RefCell::new(listener);
    let was_ready = RefCell::new(false);
    let mut say = |line: &str| {
        let _ = (&log).write_all(format!("{} {line}\n", format_time(now())).as_bytes());
        listener.borrow_mut().line(line);
    };
    let mut ready = || {
        *was_ready.borrow_mut() = true;
        listener.borrow_mut().ready();
    };
    match server::run(&RealStorage::shared(), dir, &mut say, &mut ready) {
        Ok(()) => Ok(ConditionCode::Done),
        Err(error) => {
            let code = if *was_ready.borrow() { ConditionCode::Severe } else { ConditionCode::Refused };
            let failure = Failure::of(error).with_code(code);
            let _ = (&log)
                .write_all(format!("{} {} {}\n", format_time(now()), failure.id, failure.text).as_bytes());
            Err(failure)
        }
    }
}
