//! Sends each command, prints what it answers.

use console::{Failure, Outcome, Session, say};
use engine_queue_manager::client::{Client, ClientError};
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
    /// Told on standard error: it is no listing.
    #[serde(skip)]
    told: bool,
}

#[derive(Serialize)]
struct Report {
    condition_code: ConditionCode,
    statements: Vec<Answer>,
    #[serde(flatten)]
    end: Option<End>,
}

/// The end of a run that could not be gone on with.
#[derive(Serialize)]
struct End {
    /// Why.
    failure: Failure,
    /// The command that was under way.
    unanswered: String,
    /// Commands behind it.
    not_sent: Vec<String>,
}

/// Runs the commands. The condition code is the highest of theirs; 8 where some were done and others not, 12 where none was.
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
    let mut left = steps.iter();
    while let Some(step) = left.next() {
        match send(client.as_mut(), step) {
            Ok(answer) => {
                if answer.told {
                    answer.lines.iter().for_each(|line| say(line));
                } else if !session.common.json {
                    session.out.lines(&answer.lines);
                    session.out.flush();
                }
                answers.push(answer);
            }
            Err(error) => {
                let not_sent: Vec<String> = left.map(|step| step.text.clone()).collect();
                let failure = explain(&error, &answers, step, not_sent.len());
                end = Some(End { failure, unanswered: step.text.clone(), not_sent });
                break;
            }
        }
    }
    let condition_code = end.as_ref().map_or_else(|| overall(&answers), |end| end.failure.code);
    let failure = end.as_ref().map(|end| end.failure.clone());
    if session.common.json {
        session.out.json(&Report { condition_code, statements: answers, end });
        session.failure_printed = true;
    }
    failure.map_or(Ok(condition_code), Err)
}

/// What became of a command; an error when none can be sent behind it.
fn send(client: Option<&mut Client>, step: &Step) -> Result<Answer, ClientError> {
    let answer =
        |condition_code, lines, told| Answer { statement: step.text.clone(), condition_code, lines, told };
    if let Some(error) = &step.error {
        return Ok(answer(ConditionCode::Refused, vec![error.clone()], true));
    }
    let Some(client) = client else {
        return Ok(answer(ConditionCode::Done, Vec::new(), false));
    };
    match client.call(&Request::Mqsc { text: step.text.clone() }) {
        Ok(Reply::Lines { code, lines }) => Ok(answer(code, lines, false)),
        Ok(_) => Err(ClientError::Unexpected("MQSC")),
        // This one is refused, and the next is another matter.
        Err(ClientError::Refused { code, id, text }) if code < ConditionCode::Severe => {
            Ok(answer(code, vec![format!("{id} {text}")], true))
        }
        Err(error) => Err(error),
    }
}

fn is_done(answer: &Answer) -> bool {
    answer.condition_code < ConditionCode::Partial
}

fn overall(answers: &[Answer]) -> ConditionCode {
    let highest = answers.iter().map(|answer| answer.condition_code).max().unwrap_or_default();
    match (answers.iter().any(is_done), highest) {
        (_, ConditionCode::Done | ConditionCode::Warning | ConditionCode::Severe) => highest,
        (true, _) => ConditionCode::Partial,
        (false, _) => ConditionCode::Refused,
    }
}

/// Says what was done before a failure: never 12 then, which says that nothing was.
fn explain(error: &ClientError, answers: &[Answer], step: &Step, not_sent: usize) -> Failure {
    let done = answers.iter().filter(|answer| is_done(answer)).count();
    let code = match error.code() {
        ConditionCode::Refused if done > 0 => ConditionCode::Partial,
        code => code,
    };
    let fate = match error {
        ClientError::Refused { .. } => "was not done",
        _ => "may have been done or not",
    };
    Failure::of(error).with_code(code).hint(format!(
        "{done} of {} commands were done before; {} {fate}; {not_sent} behind it were not sent",
        answers.len() + 1 + not_sent,
        step.text,
    ))
}
