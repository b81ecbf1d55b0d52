//! Sends each command, prints what it answers.

use console::{Failure, Outcome, Session, say};
use engine_queue_manager::client::Client;
use format_protocol::{Reply, Request};
use format_types::ConditionCode;
use serde::Serialize;

use crate::args::Arguments;
use crate::plan::{Step, plan};

#[derive(Serialize)]
struct Answer {
    statement: String,
    condition_code: ConditionCode,
    lines: Vec<String>,
}

#[derive(Serialize)]
struct Report {
    condition_code: ConditionCode,
    statements: Vec<Answer>,
}

/// Runs the commands. The condition code is the highest of theirs; 8 where some were done and others refused.
pub(crate) fn run(arguments: Arguments, session: &mut Session) -> Outcome {
    let Arguments { directory, statements, check, .. } = arguments;
    let steps = plan(&statements)?;
    let mut client = if check || steps.iter().all(|step| step.error.is_some()) {
        None
    } else {
        let connected = Client::connect(&directory, "MQSC", session.common.timeout);
        Some(connected.map_err(|error| Failure::of(&error).with_code(error.code()))?)
    };
    let mut answers: Vec<Answer> = Vec::new();
    let mut end = None;
    for step in steps {
        match send(client.as_mut(), &step) {
            Ok(answer) => {
                // What does not read was told on standard error.
                if !session.common.json && step.error.is_none() {
                    session.out.lines(&answer.lines);
                    session.out.flush();
                }
                answers.push(answer);
            }
            Err(failure) => {
                end = Some(failure);
                break;
            }
        }
    }
    let code = overall(&answers);
    if session.common.json {
        session.out.json(&Report { condition_code: code, statements: answers });
        session.failure_printed = true;
    }
    end.map_or(Ok(code), Err)
}

fn send(client: Option<&mut Client>, step: &Step) -> Result<Answer, Failure> {
    let answer = |condition_code, lines| Answer { statement: step.text.clone(), condition_code, lines };
    if let Some(error) = &step.error {
        say(error);
        return Ok(answer(ConditionCode::Refused, vec![error.clone()]));
    }
    let Some(client) = client else {
        return Ok(answer(ConditionCode::Done, Vec::new()));
    };
    match client.call(&Request::Mqsc { text: step.text.clone() }) {
        Ok(Reply::Lines { code, lines }) => Ok(answer(code, lines)),
        Ok(_) => Err(Failure::refused("HWT705E", "UNEXPECTED ANSWER to MQSC")),
        Err(error) => Err(Failure::of(&error).with_code(error.code())),
    }
}

fn overall(answers: &[Answer]) -> ConditionCode {
    let highest = answers.iter().map(|answer| answer.condition_code).max().unwrap_or_default();
    let some_done = answers.iter().any(|answer| answer.condition_code < ConditionCode::Partial);
    if highest == ConditionCode::Refused && some_done { ConditionCode::Partial } else { highest }
}
