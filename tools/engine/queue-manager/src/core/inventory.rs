//! Changes of the inventory that programs ask for.

use format_bsds::Bsds;
use format_protocol::{Reply, Request};
use format_types::Rba;

use super::message::refused;
use super::request::Outcome;
use super::{Core, start};
use crate::CoreError;
use crate::inventory::{Circumstances, change, needed_from};

impl Core {
    /// Makes the change in both copies of the BSDS. No log is written, so it waits for nothing.
    pub(super) fn change_inventory(&mut self, request: &Request) -> Result<Outcome, CoreError> {
        let needed_from = match request {
            Request::MarkArchives { .. } => {
                let usage = self.durable_usage()?;
                needed_from(self.log.bsds(), &usage.system_recovery)
            }
            _ => Rba::ZERO,
        };
        let before = self.log.bsds();
        let mut changed = before.clone();
        let circumstances = Circumstances { now: self.now, needed_from };
        let lines = match change(&mut changed, request, &circumstances) {
            Ok(lines) => lines,
            Err(refusal) => return Ok(refused(refusal.id, refusal.text)),
        };
        if changed != *before {
            self.log.update_bsds(|bsds| {
                let Bsds { sequence, highest_written, .. } = *bsds;
                *bsds = Bsds { sequence, highest_written, ..changed };
            })?;
            let name = self.log.bsds().name.as_str();
            self.messages.extend(lines.iter().map(|line| start::name_behind_id(line, name)));
        }
        let bsds = self.log.bsds();
        Ok(Outcome::Reply(Reply::BsdsChanged { sequence: bsds.sequence, facts: bsds.facts(), lines }))
    }
}
