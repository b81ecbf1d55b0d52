//! A page set whose writes or syncs fail goes offline, and comes back.

use format_protocol::{Reply, Request};
use format_types::{ConditionCode, PageSetId};

use super::Lasting;
use crate::client::{Asked, brief, page_set_of};
use crate::event::Event;
use crate::model::Broken;
use crate::world::World;

impl World {
    /// One page set begins to fail.
    pub(super) fn fail_page_set(&mut self) {
        if self.lasting.is_some() {
            return;
        }
        let number = self.random.below(u64::from(self.setup.page_sets)) as u8;
        let Some(page_set) = PageSetId::new(number) else { return };
        let rates = self.writing_fails(&format!("PSID{page_set}"));
        let steps = self.random.between(10, 80);
        self.begin_lasting(Lasting::PageSet, rates, steps);
    }

    /// The device of the page set is repaired; an operator starts it again, or leaves it to the next start.
    pub(super) fn page_set_repaired(&mut self) -> Result<(), Broken> {
        self.end_lasting();
        let offline: Vec<u8> = self.offline.iter().copied().collect();
        for page_set in offline {
            if let Some(at) = self.idle_client()
                && self.random.below(4) != 0
            {
                let text = format!("START PSID({page_set})");
                self.ask(at, Asked::StartPageSet { page_set }, Request::Mqsc { text })?;
            }
        }
        Ok(())
    }

    /// Takes the answer to START PSID in.
    pub(crate) fn page_set_started(&mut self, page_set: u8, reply: &Reply) -> Result<(), Broken> {
        if !matches!(reply, Reply::Lines { code: ConditionCode::Done, .. }) {
            self.trace(|| format!("page set {page_set} does not come back: {}", brief(reply)));
            return Ok(());
        }
        Ok(())
    }

    /// The console says that a page set is online again, without its nonpersistent messages. When nothing else was the matter, nothing is
    /// any more, and everything must be there.
    pub(crate) fn page_set_is_back(&mut self, page_set: u8) {
        self.totals.count(Event::PageSetStarted);
        self.offline.remove(&page_set);
        let sets = self.setup.page_sets;
        self.model.drop_nonpersistent_of(|queue| page_set_of(queue, sets) == page_set);
        self.page_set_returned = true;
    }

    /// All page sets are back: when nothing else was the matter, nothing is any more, once the programs whose units may have been backed
    /// out without their asking have begun anew.
    pub(super) fn settle_returned(&mut self) -> Result<(), Broken> {
        if !self.page_set_returned
            || !self.offline.is_empty()
            || self.clients.iter().any(|client| client.waiting.is_some())
        {
            return Ok(());
        }
        self.page_set_returned = false;
        if self.only_page_set_failed != Some(self.faults()) || self.model.is_resolving() {
            return Ok(());
        }
        for at in 0..self.clients.len() {
            if self.clients[at].connection.is_some() {
                self.disconnect(at)?;
            }
        }
        self.settle_down()?;
        if self.running() && self.only_page_set_failed == Some(self.faults()) && self.offline.is_empty() {
            self.sound = self.only_page_set_failed.take();
        }
        Ok(())
    }
}
