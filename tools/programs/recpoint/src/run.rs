//! From a command to its work.

use std::path::Path;

use console::{Failure, Outcome, Session};
use engine_storage::{RealStorage, SharedStorage};
use operation_points::{Point, PointError, Registry, list_points};

use crate::args::{Arguments, Command};

pub(crate) fn run(arguments: &Arguments, session: &mut Session) -> Outcome {
    let storage = RealStorage::shared();
    match &arguments.command {
        Command::Create(create) => crate::create::run(create, &storage, session),
        Command::List(at) => crate::list::run(at, &storage, session),
        Command::Show(named) => crate::show::run(named, &storage, session),
        Command::Verify(verify) => crate::verify::run(verify, &storage, session),
        Command::Hold(hold) => crate::hold::hold(hold, &storage, session),
        Command::Release(kept) => crate::hold::release(kept, &storage, session),
        Command::Forget(forget) => crate::forget::run(forget, &storage, session),
        Command::Register(register) => crate::register::run(register, &storage, session),
    }
}

/// The inventory of the queue manager in `dir`, to be changed.
pub(crate) fn registry<'a>(storage: &'a SharedStorage, dir: &'a Path, session: &Session) -> Registry<'a> {
    Registry { storage, dir, timeout: session.common.timeout, now: console::now() }
}

/// A library's error as a program's end.
#[allow(clippy::needless_pass_by_value)]
pub(crate) fn failure(error: PointError) -> Failure {
    Failure::of(&error).with_code(error.code())
}

/// The point that was named: one of the BSDS by its name, else a directory.
pub(crate) fn find(storage: &SharedStorage, queue_manager: &Path, point: &Path) -> Result<Point, Failure> {
    let known = match list_points(storage, queue_manager) {
        Ok(known) => known,
        // A point that holds its log needs nobody, and can be looked at where no queue manager is.
        Err(error) => {
            let moved = Point::open(storage, point).ok().filter(|point| point.manifest.log.is_some());
            return moved.ok_or_else(|| failure(error));
        }
    };
    let entry = known.iter().rev().find(|entry| point.as_os_str() == entry.name.as_str());
    let directory = entry.map_or(point, |entry| Path::new(&entry.directory));
    Point::open(storage, directory).map_err(|error| {
        let failure = failure(error);
        if entry.is_none() && !directory.exists() {
            return failure.hint("recpoint list shows the names that the queue manager knows");
        }
        failure
    })
}
