//! qmgr get and qmgr browse: each message a line.
//!
//! A unit of recovery is committed only once its messages are written out: what could not be written stays in the queue.

use console::{Failure, Outcome, Session, message};
use engine_queue_manager::client::Client;
use format_protocol::{Reply, Request};
use format_types::ConditionCode;

use crate::args::{Browse, Get};
use crate::connect::{call, connect, unexpected};
use crate::message::Message;

pub(crate) fn get(arguments: &Get, session: &mut Session) -> Outcome {
    let mut committed = 0;
    get_all(arguments, session, &mut committed)
        .map_err(|failure| some_done(failure, committed, "are got and committed"))
}

/// Gets until there is enough; `committed` counts the messages that are gone from the queue for good.
fn get_all(arguments: &Get, session: &mut Session, committed: &mut u64) -> Outcome {
    let mut client = connect(&arguments.at.directory, &format!("GET-{}", std::process::id()), session)?;
    let keeps_open = arguments.hold.is_some() || arguments.prepare.is_some();
    let unit = match arguments.commit_every {
        Some(count) => u64::from(count),
        None if keeps_open => u64::MAX,
        None => 1,
    };
    let wanted = arguments.count.unwrap_or(u64::MAX);
    let (mut got, mut open) = (0, 0);
    while got < wanted && session.out.wanted() {
        if open == unit {
            if !end_unit(&mut client, session)? {
                return Ok(ConditionCode::Done);
            }
            *committed = got;
            open = 0;
        }
        let request = Request::Get { queue: arguments.queue.clone(), syncpoint: true, message_id: None };
        let Some(message) = answer(&mut client, &request, "GET")? else {
            break;
        };
        message.write(&mut session.out, session.common.json);
        got += 1;
        open += 1;
        // The last unit is the one to be held open, or prepared.
        if open == unit && !keeps_open {
            open = 0;
            if !end_unit(&mut client, session)? {
                return Ok(ConditionCode::Done);
            }
            *committed = got;
        }
    }
    if open > 0 {
        if let Some(hold) = arguments.hold {
            session.out.flush();
            std::thread::sleep(hold);
        }
        match &arguments.prepare {
            Some(xid) => prepare_unit(&mut client, xid, session)?,
            None => end_unit(&mut client, session)?,
        };
    }
    Ok(shortfall(got, arguments.count))
}

/// Prepares what was got, or backs it out when it could not be written; whether it was prepared.
fn prepare_unit(client: &mut Client, xid: &str, session: &mut Session) -> Result<bool, Failure> {
    session.out.flush();
    if !session.out.wanted() {
        return end_unit(client, session);
    }
    match call(client, &Request::Prepare { xid: xid.as_bytes().to_vec() })? {
        Reply::Prepared => Ok(true),
        _ => Err(unexpected("PREPARE")),
    }
}

/// Commits what was got, or backs it out when it could not be written; whether it was committed.
fn end_unit(client: &mut Client, session: &mut Session) -> Result<bool, Failure> {
    session.out.flush();
    let request = if session.out.wanted() { Request::Commit } else { Request::Backout };
    match call(client, &request)? {
        Reply::Committed { .. } => Ok(true),
        Reply::BackedOut => Ok(false),
        _ => Err(unexpected("COMMIT")),
    }
}

pub(crate) fn browse(arguments: &Browse, session: &mut Session) -> Outcome {
    let mut client = connect(&arguments.at.directory, &format!("BROWSE-{}", std::process::id()), session)?;
    let mut seen = 0;
    browse_all(&mut client, arguments, session, &mut seen)
        .map_err(|failure| some_done(failure, seen, "were shown before"))?;
    Ok(shortfall(seen, arguments.count))
}

fn browse_all(
    client: &mut Client,
    arguments: &Browse,
    session: &mut Session,
    seen: &mut u64,
) -> Result<(), Failure> {
    let wanted = arguments.count.unwrap_or(u64::MAX);
    let mut after = None;
    while *seen < wanted && session.out.wanted() {
        let request = Request::Browse { queue: arguments.queue.clone(), after };
        let Some(message) = answer(client, &request, "BROWSE")? else {
            break;
        };
        message.write(&mut session.out, session.common.json);
        after = Some((message.priority, message.key));
        *seen += 1;
    }
    Ok(())
}

/// Code 8 instead of 12, which says that nothing was done, and how far it came.
fn some_done(failure: Failure, done: u64, what: &str) -> Failure {
    if done == 0 {
        return failure;
    }
    let code = match failure.code {
        ConditionCode::Refused => ConditionCode::Partial,
        code => code,
    };
    let so_far = format!("{done} messages {what}");
    let hint = failure.hint.as_ref().map_or(so_far.clone(), |hint| format!("{hint}; {so_far}"));
    failure.with_code(code).hint(hint)
}

/// Code 4 when there were fewer messages than asked for.
fn shortfall(seen: u64, wanted: Option<u64>) -> ConditionCode {
    match wanted {
        Some(wanted) if seen < wanted => {
            message("HWT719W", &format!("{seen} OF {wanted} MESSAGES: the queue has no more"));
            ConditionCode::Warning
        }
        _ => ConditionCode::Done,
    }
}

fn answer(client: &mut Client, request: &Request, name: &str) -> Result<Option<Message>, Failure> {
    match call(client, request)? {
        Reply::Message { message_id, key, priority, persistent, put_time, body, .. } => {
            Ok(Some(Message { message_id, key, priority, persistent, put_time, body }))
        }
        Reply::NoMessage => Ok(None),
        _ => Err(unexpected(name)),
    }
}
