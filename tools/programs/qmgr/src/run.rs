//! Which command does what.

use console::{Outcome, Session};

use crate::args::{Arguments, Command};
use crate::{create, get, put, serve, start, status, stop, workload};

/// Does what was asked.
pub(crate) fn run(arguments: Arguments, session: &mut Session) -> Outcome {
    match arguments.command {
        Command::Create(create) => create::create(&create, session),
        Command::Start(start) if start.detached => serve::detached(&start.at.directory),
        Command::Start(start) if start.foreground => serve::foreground(&start.at.directory, session),
        Command::Start(start) => start::start(&start.at.directory, session),
        Command::Stop(stop) => stop::stop(&stop, session),
        Command::Status(at) => status::status(&at.directory, session),
        Command::Put(put) => put::put(&put, session),
        Command::Get(get) => get::get(&get, session),
        Command::Browse(browse) => get::browse(&browse, session),
        Command::Load(load) => workload::load(&load, session),
        Command::Audit(audit) => workload::audit(&audit, session),
    }
}
