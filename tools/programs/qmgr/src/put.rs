//! qmgr put: each line a message.

use console::{Failure, Outcome, Session};
use engine_queue_manager::client::Client;
use format_protocol::{Reply, Request};
use format_types::{ConditionCode, ObjectName, Rba};
use serde::Serialize;

use crate::args::Put;
use crate::connect::{call, connect, unexpected};
use crate::input::Lines;

#[derive(Serialize)]
struct Report {
    queue: ObjectName,
    messages: u64,
    units: u64,
    last_commit: Option<Rba>,
    #[serde(skip_serializing_if = "Option::is_none")]
    prepared: Option<String>,
}

/// Puts that are under way.
struct Putting<'a> {
    client: Client,
    arguments: &'a Put,
    /// Messages of the open unit of recovery.
    open: u64,
    /// Their lines, where they are to be printed.
    lines: Vec<Vec<u8>>,
    report: Report,
}

pub(crate) fn put(arguments: &Put, session: &mut Session) -> Outcome {
    if arguments.acknowledge && session.common.json {
        return Err(Failure::refused("HWT700E", "--acknowledge and --json cannot both be given"));
    }
    let client = connect(&arguments.at.directory, &format!("PUT-{}", std::process::id()), session)?;
    let report =
        Report { queue: arguments.queue.clone(), messages: 0, units: 0, last_commit: None, prepared: None };
    let mut putting = Putting { client, arguments, open: 0, lines: Vec::new(), report };
    let mut input = Lines::new(std::io::stdin().lock());
    let result = putting.put_all(&mut input, session);
    if session.common.json {
        session.out.json(&putting.report);
        session.failure_printed = true;
    }
    match result {
        Ok(()) => Ok(ConditionCode::Done),
        Err(failure) => Err(putting.explain(failure, input.number())),
    }
}

impl Putting<'_> {
    fn put_all(
        &mut self,
        input: &mut Lines<impl std::io::BufRead>,
        session: &mut Session,
    ) -> Result<(), Failure> {
        let arguments = self.arguments;
        let keeps_open = arguments.hold.is_some() || arguments.prepare.is_some();
        let unit = match arguments.commit_every {
            Some(count) => u64::from(count),
            None if keeps_open => u64::MAX,
            None => 1,
        };
        while let Some(line) = input.next()? {
            // The last unit is not known before the input ends, so a unit that may be kept open is ended by the line behind it.
            if keeps_open && self.open == unit {
                self.commit(session)?;
            }
            self.one(line, unit > 1 || keeps_open, session)?;
            if !keeps_open && self.open == unit {
                self.commit(session)?;
            }
        }
        if let Some(hold) = arguments.hold {
            std::thread::sleep(hold);
        }
        match &arguments.prepare {
            Some(xid) if self.open > 0 => {
                match call(&mut self.client, &Request::Prepare { xid: xid.clone().into_bytes() })? {
                    Reply::Prepared => {
                        self.open = 0;
                        self.report.prepared = Some(xid.clone());
                        Ok(())
                    }
                    _ => Err(unexpected("PREPARE")),
                }
            }
            _ if self.open > 0 => self.commit(session),
            _ => Ok(()),
        }
    }

    fn one(&mut self, line: Vec<u8>, syncpoint: bool, session: &mut Session) -> Result<(), Failure> {
        let printed = self.arguments.acknowledge.then(|| line.clone());
        let request = Request::Put {
            queue: self.arguments.queue.clone(),
            priority: self.arguments.priority,
            persistent: self.arguments.nonpersistent.then_some(false),
            syncpoint,
            body: line,
        };
        match call(&mut self.client, &request)? {
            Reply::Put { commit, .. } => {
                self.lines.extend(printed);
                if syncpoint {
                    self.open += 1;
                } else {
                    self.committed(1, commit, session);
                }
                Ok(())
            }
            _ => Err(unexpected("PUT")),
        }
    }

    fn commit(&mut self, session: &mut Session) -> Result<(), Failure> {
        match call(&mut self.client, &Request::Commit)? {
            Reply::Committed { rba } => {
                self.committed(self.open, rba, session);
                self.open = 0;
                Ok(())
            }
            _ => Err(unexpected("COMMIT")),
        }
    }

    fn committed(&mut self, messages: u64, rba: Rba, session: &mut Session) {
        self.report.messages += messages;
        self.report.units += 1;
        self.report.last_commit = Some(rba);
        if self.arguments.acknowledge {
            for line in self.lines.drain(..) {
                session.out.bytes(&line);
                session.out.bytes(b"\n");
            }
            session.out.flush();
        }
    }

    /// Says how far it came; 8 instead of 12 when something was done.
    fn explain(&self, failure: Failure, line: u64) -> Failure {
        let done = self.report.messages;
        let hint = match &failure.hint {
            Some(hint) => format!("{hint}; line {line}, {done} messages are committed"),
            None => format!("line {line}, {done} messages are committed"),
        };
        let code = match failure.code {
            ConditionCode::Refused if done > 0 => ConditionCode::Partial,
            code => code,
        };
        failure.with_code(code).hint(hint)
    }
}
