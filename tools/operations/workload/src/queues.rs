//! The queues of a load, spread over the page sets.

use engine_queue_manager::client::{Client, ClientError};
use format_protocol::{Reply, Request};
use format_types::{ConditionCode, ObjectName, PageSetId};

use crate::error::WorkloadError;

/// Runs a command and gives its condition code and lines.
fn command(client: &mut Client, text: String) -> Result<(ConditionCode, Vec<String>), ClientError> {
    match client.call(&Request::Mqsc { text }) {
        Ok(Reply::Lines { code, lines }) => Ok((code, lines)),
        Ok(_) => Err(ClientError::Unexpected("MQSC")),
        Err(ClientError::Refused { code, id, text }) => Ok((code, vec![format!("{id} {text}")])),
        Err(error) => Err(error),
    }
}

/// Defines what is missing of `count` queues `PREFIX.0`, `PREFIX.1` ..., in turn over the page sets that are not 00 (over 00 when
/// there is no other).
pub(crate) fn define(
    client: &mut Client,
    prefix: &str,
    count: u16,
) -> Result<Vec<ObjectName>, WorkloadError> {
    let page_sets = page_sets(client)?;
    let mut queues = Vec::new();
    for number in 0..count {
        let name: ObjectName = format!("{prefix}.{number}")
            .parse()
            .map_err(|e: format_types::NameError| WorkloadError::Settings(e.to_string()))?;
        let page_set =
            page_sets.get(usize::from(number) % page_sets.len().max(1)).copied().unwrap_or(PageSetId::ZERO);
        if !is_there(client, &format!("DISPLAY QLOCAL({name})"))? {
            let class = format!("LOADPS{page_set}");
            if !is_there(client, &format!("DISPLAY STGCLASS({class})"))? {
                make(client, &class, format!("DEFINE STGCLASS({class}) PSID({page_set})"))?;
            }
            let text = format!(
                "DEFINE QLOCAL({name}) STGCLASS({class}) MAXDEPTH(999999999) MAXMSGL(4194304) DESCR('Load queue {number}')"
            );
            make(client, name.as_str(), text)?;
        }
        queues.push(name);
    }
    Ok(queues)
}

fn page_sets(client: &mut Client) -> Result<Vec<PageSetId>, WorkloadError> {
    let usage = match client.call(&Request::Usage)? {
        Reply::Usage(usage) => usage,
        _ => return Err(ClientError::Unexpected("USAGE").into()),
    };
    let online = usage.page_sets.iter().filter(|set| set.online).map(|set| set.page_set);
    let (zero, others): (Vec<PageSetId>, Vec<PageSetId>) = online.partition(|set| *set == PageSetId::ZERO);
    Ok(if others.is_empty() { zero } else { others })
}

fn is_there(client: &mut Client, display: &str) -> Result<bool, WorkloadError> {
    // That nothing has the name is an answer, not a failure: CSQM297I, then NORMAL COMPLETION.
    let (code, lines) = command(client, display.to_owned())?;
    Ok(code == ConditionCode::Done && !lines.iter().any(|line| line.starts_with("CSQM297I")))
}

fn make(client: &mut Client, name: &str, define: String) -> Result<(), WorkloadError> {
    let (code, lines) = command(client, define)?;
    if code > ConditionCode::Warning {
        return Err(WorkloadError::Define { queue: name.to_owned(), why: lines.join(" / ") });
    }
    Ok(())
}
