//! An inventory looked at under a policy: points, what is kept of them, what is held.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use format_inventory::Inventory;
use format_types::Timestamp;

use crate::InventoryError;
use crate::logs::Logs;
use crate::needs::{self, Needs};
use crate::places::Places;
use crate::points::{self, PageSets, PointView};
use crate::policy::Policy;
use crate::selection::{Imagined, Keeps, Selection};

/// What is kept of the points, as sets of their places.
#[derive(Debug)]
pub(crate) struct Kept {
    /// Kept, to recover to the end of their lines.
    pub(crate) to_end: Places,
    /// Kept, to recover to the end of their copies only.
    pub(crate) to_copy: Places,
    /// Of those, the ones that are kept by more than a hold.
    pub(crate) to_end_by_policy: Places,
    pub(crate) to_copy_by_policy: Places,
}

impl Kept {
    fn new(kept: &[Keeps]) -> Self {
        let places = |is_in: &dyn Fn(&Keeps) -> bool| {
            Places::of(kept.len(), |place| kept.get(place).is_some_and(is_in))
        };
        Self {
            to_end: places(&|keeps| keeps.any() && !keeps.consistent_only),
            to_copy: places(&|keeps| keeps.any() && keeps.consistent_only),
            to_end_by_policy: places(&|keeps| keeps.by_policy() && !keeps.consistent_only),
            to_copy_by_policy: places(&|keeps| keeps.by_policy() && keeps.consistent_only),
        }
    }
}

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
    after: Mutex<HashMap<u32, Arc<Kept>>>,
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
        Ok(Self { inventory, logs, policy, at, points, kept, needs, after: Mutex::default() })
    }

    /// What would be kept after so many new verified points of all page sets.
    pub(crate) fn kept_after(&self, new: u32) -> Arc<Kept> {
        let choose = || Arc::new(Kept::new(&self.selection().choose(Imagined { new })));
        self.after.lock().unwrap_or_else(PoisonError::into_inner).entry(new).or_insert_with(choose).clone()
    }

    /// The same choice, for asking what would be kept if.
    pub(crate) fn selection(&self) -> Selection<'_> {
        Selection::new(&self.points, self.policy, self.at, PageSets::today(self.inventory))
    }
}
