//! Checks: what the queues hold against the model, after every restart and now and then between.

use std::collections::BTreeSet;

use format_protocol::{Reply, Request, VERSION};
use format_types::{ConditionCode, UnitState};

use crate::client::{brief, queue_name};
use crate::event::Event;
use crate::model::{Broken, QueueNumber, Seen};
use crate::world::World;

/// What a check says when the queue manager refused to read on; whether that is an excuse, the caller knows.
pub(crate) const UNREADABLE: &str = "the queues cannot be read";

impl World {
    /// One request on a connection of its own whose answer must come at once, and be no refusal.
    fn at_once(&mut self, request: Request) -> Result<Reply, Broken> {
        match self.answer_at_once(request)? {
            Reply::Error { .. } => Err(UNREADABLE.to_owned()),
            reply => Ok(reply),
        }
    }

    /// One request on a connection of its own whose answer must come at once, be it a refusal.
    pub(crate) fn answer_at_once(&mut self, request: Request) -> Result<Reply, Broken> {
        let core = self.core.as_mut().ok_or("the queue manager is gone")?;
        let connection = core.connect();
        let hello = Request::Hello { version: VERSION, application: "CHECK".to_owned() };
        core.request(connection, hello);
        core.request(connection, request);
        let mut answers = Vec::new();
        let mut others = Vec::new();
        for (to, reply) in core.take_replies() {
            if to == connection { answers.push(reply) } else { others.push((to, reply)) }
        }
        core.disconnect(connection);
        for (to, reply) in others {
            self.answered(to, reply)?;
        }
        self.drain()?;
        match answers.pop() {
            Some(Reply::Error { code, id, text }) => {
                self.trace(|| format!("  {code:?} {id} {text}"));
                self.note(&id, &[]);
                Ok(Reply::Error { code, id, text })
            }
            Some(reply) if !answers.is_empty() => Ok(reply),
            _ => Err("a request that waits for nothing was not answered at once".to_owned()),
        }
    }

    /// Runs a command; none when it was refused, which is noted.
    pub(crate) fn command(&mut self, text: &str) -> Result<Option<Vec<String>>, Broken> {
        self.operations += 1;
        self.trace(|| format!("command: {text}"));
        match self.at_once(Request::Mqsc { text: text.to_owned() }) {
            Ok(Reply::Lines { code: ConditionCode::Done, lines }) => Ok(Some(lines)),
            Ok(other) => {
                self.trace(|| format!("  refused: {}", brief(&other)));
                self.note(text, &[]);
                Ok(None)
            }
            Err(broken) if broken == UNREADABLE => Ok(None),
            Err(broken) => Err(broken),
        }
    }

    /// All messages of a queue, in its order.
    fn browse_all(&mut self, queue: QueueNumber) -> Result<Vec<Seen>, Broken> {
        let mut seen: Vec<Seen> = Vec::new();
        loop {
            let after = seen.last().map(|message| (message.priority, message.key));
            match self.at_once(Request::Browse { queue: queue_name(queue), after })? {
                Reply::Message { key, priority, persistent, body, .. } => {
                    self.note("browsed", &[key]);
                    if after.is_some_and(|(above, before)| (9 - priority, key) <= (9 - above, before)) {
                        return Err(format!("a browse of queue {queue} goes backward at key {key:016X}"));
                    }
                    seen.push(Seen { key, priority, persistent, body });
                }
                Reply::NoMessage => return Ok(seen),
                other => return Err(format!("queue {queue} cannot be browsed: {}", brief(&other))),
            }
        }
    }

    /// After a start, before any load: decides what became of unknown units, and checks every message.
    pub(crate) fn check_restarted(&mut self) -> Result<(), Broken> {
        let mut queues = Vec::new();
        for queue in 0..self.queues.len() {
            queues.push(self.browse_all(queue)?);
        }
        let in_doubt = match self.at_once(Request::Usage)? {
            Reply::Usage(usage) => {
                let others = usage.units.iter().find(|unit| unit.state != UnitState::InDoubt);
                if let Some(unit) = others {
                    return Err(format!("unit {} is {} after a restart", unit.urid, unit.state));
                }
                usage.units.into_iter().map(|unit| unit.connection).collect::<BTreeSet<String>>()
            }
            other => return Err(format!("usage cannot be displayed: {}", brief(&other))),
        };
        let settled = self.model.restarted(&queues, &in_doubt)?;
        self.totals.add(Event::UnknownCommitted, settled.committed);
        self.totals.add(Event::UnknownBackedOut, settled.backed_out);
        self.totals.add(Event::UnitBackedOut, settled.undone);
        self.totals.add(Event::InDoubtKept, settled.in_doubt);
        self.trace(|| format!("restarted: {settled:?}"));
        Ok(())
    }

    /// While nothing is under way: compares every queue with the model.
    pub(crate) fn check_quiet(&mut self) -> Result<(), Broken> {
        self.settle_down()?;
        if self.core.is_none()
            || self.hindered()
            || self.clients.iter().any(|client| client.waiting.is_some())
        {
            return Ok(());
        }
        self.model.quiet();
        for queue in 0..self.queues.len() {
            match self.browse_all(queue) {
                Ok(seen) => self.model.compare(queue, &seen)?,
                // A page set went offline while its pages were brought in.
                Err(broken) if broken == UNREADABLE && self.hindered() => return Ok(()),
                Err(broken) => return Err(broken),
            }
        }
        self.totals.count(Event::QuietCheck);
        Ok(())
    }
}
