//! Messages as they were read, one by one and queue by queue, against those that were put.

use super::{Broken, Model, Number, Place, QueueNumber, Seen};
use crate::body;

impl Model {
    /// The number of a message that was read, if it is a message of this run, on its queue, as it was put.
    ///
    /// # Errors
    /// When it is not.
    pub(crate) fn check(&mut self, queue: QueueNumber, seen: &Seen) -> Result<Number, Broken> {
        let number = body::number(&seen.body)
            .filter(|number| self.messages.contains_key(number))
            .ok_or_else(|| format!("queue {queue} holds a message that nobody put, key {:016X}", seen.key))?;
        let Some((message, _)) = self.messages.get(&number) else { return Ok(number) };
        if message.queue != queue {
            return Err(format!("message {number} is on queue {queue}, it was put to {}", message.queue));
        }
        if seen.body != body::of(number, message.length) {
            return Err(format!(
                "message {number} is altered: {} bytes, key {:016X}",
                seen.body.len(),
                seen.key
            ));
        }
        if seen.priority != message.priority || seen.persistent != message.persistent {
            return Err(format!("message {number} has another priority or persistence than it was put with"));
        }
        if message.key.is_some_and(|key| key != seen.key) || seen.key <= message.key_above {
            return Err(format!("message {number} has key {:016X}, not its own {:?}", seen.key, message.key));
        }
        Ok(number)
    }

    /// Compares what a browse of a whole queue saw, while nothing was under way.
    ///
    /// # Errors
    /// When it is not exactly what must be there, in order.
    pub(crate) fn compare(&mut self, queue: QueueNumber, seen: &[Seen]) -> Result<(), Broken> {
        let found = self.read(queue, seen)?;
        let expected = self.in_order(queue, |place| place == Place::There);
        if found == expected {
            return Ok(());
        }
        Err(describe(queue, &expected, &found))
    }

    /// Numbers of the messages read, checked one by one and for order.
    pub(super) fn read(&mut self, queue: QueueNumber, seen: &[Seen]) -> Result<Vec<Number>, Broken> {
        let mut found = Vec::with_capacity(seen.len());
        for message in seen {
            found.push(self.check(queue, message)?);
        }
        let order = |seen: &Seen| (9 - seen.priority.min(9), seen.key);
        if let Some(pair) = seen.windows(2).find(|pair| order(&pair[0]) >= order(&pair[1])) {
            return Err(format!(
                "queue {queue} is out of order: key {:016X} of priority {} before key {:016X} of priority {}",
                pair[0].key, pair[0].priority, pair[1].key, pair[1].priority
            ));
        }
        Ok(found)
    }
}

pub(super) fn describe(queue: QueueNumber, expected: &[Number], found: &[Number]) -> Broken {
    let missing: Vec<&Number> = expected.iter().filter(|number| !found.contains(number)).take(8).collect();
    let extra: Vec<&Number> = found.iter().filter(|number| !expected.contains(number)).take(8).collect();
    format!(
        "queue {queue} holds {} messages, {} are expected; lost {missing:?}, not expected {extra:?}",
        found.len(),
        expected.len()
    )
}
