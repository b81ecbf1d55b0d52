//! The persistent messages of a copied queue manager's own queues: they must be the same after the recovery.

use std::collections::BTreeMap;

use console::Failure;
use engine_queue_manager::client::Client;
use format_protocol::{Reply, Request};
use format_types::{Crc32c, ObjectName};

/// By queue: persistent messages, and a checksum over their identifiers and bodies in order.
pub(crate) type Inventory = BTreeMap<ObjectName, (u64, u32)>;

/// Browses every queue whose name does not begin with `without`.
pub(crate) fn take(client: &mut Client, without: &str) -> Result<Inventory, Failure> {
    let definitions = match client.call(&Request::Definitions).map_err(Failure::of)? {
        Reply::Definitions(definitions) => definitions,
        _ => return Err(Failure::refused("HWT705E", "unexpected answer to DEFINITIONS")),
    };
    let mut inventory = Inventory::new();
    for queue in definitions.iter().filter_map(|statement| queue_of(statement)) {
        if !queue.as_str().starts_with(without) {
            let contents = browse(client, &queue)?;
            inventory.insert(queue, contents);
        }
    }
    Ok(inventory)
}

/// The queue that a DEFINE statement defines.
fn queue_of(statement: &str) -> Option<ObjectName> {
    let rest = statement.strip_prefix("DEFINE QLOCAL(")?;
    rest.split_once(')')?.0.trim_matches('\'').parse().ok()
}

fn browse(client: &mut Client, queue: &ObjectName) -> Result<(u64, u32), Failure> {
    let mut after = None;
    let mut crc = Crc32c::new();
    let mut count = 0;
    loop {
        match client.call(&Request::Browse { queue: queue.clone(), after }).map_err(Failure::of)? {
            Reply::Message { message_id, key, priority, persistent, body, .. } => {
                after = Some((priority, key));
                if persistent {
                    crc.update(&message_id);
                    crc.update(&body);
                    count += 1;
                }
            }
            Reply::NoMessage => return Ok((count, crc.finish())),
            _ => return Err(Failure::refused("HWT705E", "unexpected answer to BROWSE")),
        }
    }
}

/// Queues whose contents differ.
pub(crate) fn differences(before: &Inventory, after: &Inventory) -> Vec<String> {
    let mut differences = Vec::new();
    for (queue, contents) in before {
        match after.get(queue) {
            Some(now) if now == contents => {}
            Some(now) => differences.push(format!(
                "queue {queue} had {} persistent messages with checksum {:08X}, now {} with {:08X}",
                contents.0, contents.1, now.0, now.1
            )),
            None => differences.push(format!("queue {queue} is gone")),
        }
    }
    for queue in after.keys().filter(|queue| !before.contains_key(*queue)) {
        differences.push(format!("queue {queue} has appeared"));
    }
    differences
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn queues_are_found_in_statements() {
        let queue = |text| queue_of(text).map(|queue| queue.to_string());
        assert_eq!(queue("DEFINE QLOCAL('APP.IN') REPLACE DESCR('a (b)')"), Some("APP.IN".to_owned()));
        assert_eq!(queue("DEFINE STGCLASS('DEFAULT') PSID(01)"), None);
    }

    #[test]
    fn differences_are_named() {
        let queue = |name: &str| name.parse::<ObjectName>().unwrap();
        let before = Inventory::from([(queue("A"), (1, 2)), (queue("B"), (3, 4)), (queue("C"), (0, 0))]);
        let after = Inventory::from([(queue("A"), (1, 2)), (queue("B"), (3, 5)), (queue("D"), (0, 0))]);
        let found = differences(&before, &after);
        assert_eq!(found.len(), 3);
        assert!(differences(&before, &before).is_empty());
    }
}
