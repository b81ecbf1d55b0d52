//! Operators archive the log at a moment when no unit of recovery is under way, or give an offload up that does not come to an end.

use format_protocol::{Reply, Request};

use crate::client::Asked;
use crate::event::Event;
use crate::model::Broken;
use crate::world::World;

/// Microseconds in a second.
const SECOND: u64 = 1_000_000;

impl World {
    /// ARCHIVE LOG MODE(QUIESCE), by a program that is in no unit of recovery itself.
    pub(super) fn quiesce(&mut self) -> Result<(), Broken> {
        let idle = |at: &usize| {
            let client = &self.clients[*at];
            client.waiting.is_none() && client.connection.is_some() && client.unit.is_none()
        };
        let Some(at) = (0..self.clients.len()).find(idle) else { return Ok(()) };
        let seconds = self.random.between(1, 10) as u16;
        let wait_offload = self.random.coin();
        let request = Request::ArchiveLog { quiesce: Some(seconds), wait_offload, cancel_offload: false };
        self.ask(at, Asked::Quiesce, request)?;
        if self.random.coin() {
            // Longer than anybody waits.
            for _ in 0..4 {
                self.settle_a_little()?;
                self.let_pass(u64::from(seconds) * SECOND / 3);
            }
        }
        Ok(())
    }

    /// Takes the answer to that in.
    pub(crate) fn quiesced(&mut self, reply: &Reply) {
        match reply {
            Reply::LogArchived { .. } => self.totals.count(Event::Quiesced),
            _ => self.totals.count(Event::QuiesceFailed),
        }
    }

    /// ARCHIVE LOG CANCEL OFFLOAD.
    pub(super) fn cancel_offload(&mut self) -> Result<(), Broken> {
        let Some(at) = self.idle_client() else { return Ok(()) };
        let request = Request::ArchiveLog { quiesce: None, wait_offload: false, cancel_offload: true };
        self.ask(at, Asked::CancelOffload, request)
    }

    /// Takes the answer to that in.
    pub(crate) fn offload_cancelled(&mut self, reply: &Reply) {
        if matches!(reply, Reply::LogArchived { .. } | Reply::Lines { .. }) {
            self.totals.count(Event::OffloadCancelled);
        }
    }
}
