//! An inventory looked at under a policy: points, what is kept of them, what is held.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use format_inventory::Inventory;
use format_types::Timestamp;

use crate::InventoryError;
use crate::logs::Logs;
use crate::needs::{self, Needs};
use crate::points::{self, PageSets, PointView};
use crate::policy::Policy;
use crate::selection::{Imagined, Keeps, Selection};

/// Everything that decides, but the data sets themselves.
#[derive(Debug)]
pub(crate) struct Evaluation<'i> {
    pub(crate) inventory: &'i Inventory<'i>,
    pub(crate) logs: &'i Logs,
    pub(crate) policy: &'i Policy,
    pub(crate) at: Timestamp,
    /// Newest first.
    pub(crate) points: Vec<PointView>,
    /// What is kept of them.
    pub(crate) kept: Vec<Keeps>,
    pub(crate) needs: Needs,
    /// What would be kept after so many new points, once asked.
    after: RefCell<HashMap<u32, Rc<[Keeps]>>>,
}

impl<'i> Evaluation<'i> {
    pub(crate) fn new(
        inventory: &'i Inventory<'i>,
        logs: &'i Logs,
        policy: &'i Policy,
        at: Timestamp,
    ) -> Result<Self, InventoryError> {
        let points = points::views(inventory, logs, at)?;
        let selection = Selection::new(&points, policy, at, PageSets::today(inventory));
        let kept = selection.choose(Imagined::default());
        let needs = needs::needs(inventory, logs, &points, &kept, policy)?;
        Ok(Self { inventory, logs, policy, at, points, kept, needs, after: RefCell::default() })
    }

    /// What would be kept after so many new verified points of all page sets.
    pub(crate) fn kept_after(&self, new: u32) -> Rc<[Keeps]> {
        let choose = || self.selection().choose(Imagined { new }).into();
        self.after.borrow_mut().entry(new).or_insert_with(choose).clone()
    }

    /// The same choice, for asking what would be kept if.
    pub(crate) fn selection(&self) -> Selection<'_> {
        Selection::new(&self.points, self.policy, self.at, PageSets::today(self.inventory))
    }
}
