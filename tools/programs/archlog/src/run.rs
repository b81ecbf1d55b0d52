//! Asks for ARCHIVE LOG, prints what it answers.

use std::time::Duration;

use console::{Failure, Outcome, Session};
use engine_queue_manager::client::Client;
use format_protocol::{Reply, Request};
use format_types::{ConditionCode, Rba};
use serde::Serialize;

use crate::args::Arguments;

/// Seconds that a quiesce takes at most when none are given, as QUIESCE of CSQ6ARVP.
const QUIESCE_SECONDS: u16 = 5;

#[derive(Serialize)]
struct Archived {
    queue_manager: String,
    /// End of the log that was truncated; none where that is still to come, or nothing was truncated.
    log_end: Option<Rba>,
    /// Whether it is archived already.
    archived: bool,
    lines: Vec<String>,
}

/// Does what was asked.
pub(crate) fn run(arguments: Arguments, session: &mut Session) -> Outcome {
    let Arguments { directory, mode, time, wait, cancel_offload, wait_offload, .. } = arguments;
    let quiesce = mode.map(|_| time.unwrap_or(QUIESCE_SECONDS));
    // The quiesce comes on top of what the answer itself may take.
    let timeout = session.common.timeout + Duration::from_secs(u64::from(quiesce.unwrap_or(0)));
    let failed =
        |error: engine_queue_manager::client::ClientError| Failure::of(&error).with_code(error.code());
    let mut client = Client::connect(&directory, "ARCHLOG", timeout).map_err(failed)?;
    let request = match quiesce {
        // Nobody waits for the end of the quiesce, so all there is to say is that it has begun: that is the command's answer.
        Some(seconds) if !wait && !wait_offload => {
            Request::Mqsc { text: format!("ARCHIVE LOG MODE(QUIESCE) TIME({seconds})") }
        }
        quiesce => Request::ArchiveLog { quiesce, wait_offload, cancel_offload },
    };
    let queue_manager = client.name().to_string();
    match client.call(&request).map_err(failed)? {
        Reply::LogArchived { end, lines } => {
            let log_end = (!cancel_offload).then_some(end);
            let report = Archived { queue_manager, log_end, archived: wait_offload, lines };
            session.answer(&report, || report.lines.clone());
            Ok(ConditionCode::Done)
        }
        Reply::Lines { code: ConditionCode::Done, lines } => {
            let report = Archived { queue_manager, log_end: None, archived: false, lines };
            session.answer(&report, || report.lines.clone());
            Ok(ConditionCode::Done)
        }
        Reply::Lines { lines, .. } => Err(Failure::of(lines.first().map_or("HWT705E", String::as_str))),
        _ => Err(Failure::refused("HWT705E", "UNEXPECTED ANSWER to ARCHIVE LOG")),
    }
}
