//! Units of recovery in doubt.

use console::Failure;
use engine_queue_manager::client::Client;
use format_protocol::{Reply, Request};
use format_types::ObjectName;

use super::trial::Trial;

/// Bytes of each page set.
const PAGE_SETS: u64 = 4 << 20;

/// Messages of the unit in doubt.
const MESSAGES: usize = 20;

/// The queue that they are put to.
const QUEUE: &str = "INDOUBT.Q";

/// A prepared unit outlives a crash and a recovery of all page sets: its messages are absent until it is committed.
pub(super) fn in_doubt(trial: &mut Trial<'_>) -> Result<(), Failure> {
    trial.make(PAGE_SETS)?;
    let queue: ObjectName = QUEUE.parse().map_err(Failure::of)?;
    let mut client = trial.connect()?;
    trial.mqsc(&mut client, &format!("DEFINE QLOCAL({QUEUE}) DEFPSIST(YES)"))?;
    let point = trial.point("P1")?;
    for number in 0..MESSAGES {
        let put = Request::Put {
            queue: queue.clone(),
            priority: None,
            persistent: Some(true),
            syncpoint: true,
            body: format!("in doubt {number}").into_bytes(),
        };
        client.call(&put).map_err(Failure::of)?;
    }
    client.call(&Request::Prepare { xid: b"REHEARSAL".to_vec() }).map_err(Failure::of)?;
    drop(client);
    trial.did(format!("{MESSAGES} messages put and prepared"));
    trial.load_and_kill()?;

    // First a restart alone, then one after the loss of all page sets.
    trial.start()?;
    let first = unresolved(trial, &queue)?;
    trial.kill()?;
    let page_sets = trial.bsds()?.page_sets;
    let lost: Vec<String> = page_sets.iter().map(|set| format!("PSID{}", set.page_set)).collect();
    trial.lose(&lost)?;
    trial.recover(&point, &[])?;
    trial.start()?;
    let again = unresolved(trial, &queue)?;
    trial.expect(first == again, || format!("the unit in doubt is {again:?}, it was {first:?}"));
    let Some((urid, connection)) = again else { return Ok(()) };
    let mut client = trial.connect()?;
    trial.mqsc(&mut client, &format!("RESOLVE INDOUBT('{connection}') ACTION(COMMIT) NID({urid})"))?;
    let there = browse(&mut client, &queue)?;
    drop(client);
    trial.expect(there == MESSAGES, || format!("{there} of {MESSAGES} messages are there after the commit"));
    trial.did(format!("unit {urid} resolved: its {there} messages are there"));
    trial.audited += there as u64;
    trial.audit()?;
    trial.load()?;
    trial.audit()?;
    trial.stop()
}

/// The unit of recovery in doubt, and its connection; none of its messages may be seen.
fn unresolved(trial: &mut Trial<'_>, queue: &ObjectName) -> Result<Option<(String, String)>, Failure> {
    let mut client = trial.connect()?;
    let (units, seen) = match client.call(&Request::Applications).map_err(Failure::of)? {
        Reply::Applications { unresolved, .. } => (unresolved, browse(&mut client, queue)?),
        _ => return Err(Failure::refused("HWT705E", "unexpected answer to APPLICATIONS")),
    };
    trial.expect(seen == 0, || format!("{seen} messages of the unit in doubt can be seen"));
    trial.expect(units.len() == 1, || format!("{} units are in doubt, one should be", units.len()));
    Ok(units.first().map(|unit| (unit.urid.to_string(), unit.connection.clone())))
}

fn browse(client: &mut Client, queue: &ObjectName) -> Result<usize, Failure> {
    let mut after = None;
    let mut count = 0;
    loop {
        match client.call(&Request::Browse { queue: queue.clone(), after }).map_err(Failure::of)? {
            Reply::Message { priority, key, .. } => {
                after = Some((priority, key));
                count += 1;
            }
            Reply::NoMessage => return Ok(count),
            _ => return Err(Failure::refused("HWT705E", "unexpected answer to BROWSE")),
        }
    }
}
