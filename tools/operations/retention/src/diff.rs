//! What differs between two plans.

use std::collections::HashMap;

use format_inventory::Plan;
use format_types::Rba;
use serde::Serialize;

/// A data set whose lot changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Changed {
    /// Its name.
    pub name: String,
    /// Log copy.
    pub copy: u8,
    /// Its first RBA.
    pub start: Rba,
    /// Its last RBA.
    pub end: Rba,
    /// Its bytes.
    pub bytes: u64,
    /// Who holds it in the plan that keeps it: the one furthest back.
    pub holder: Option<String>,
}

/// What differs.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize)]
pub struct Difference {
    /// The boundary before.
    pub boundary_before: Option<Rba>,
    /// The boundary now.
    pub boundary_now: Option<Rba>,
    /// Kept before, deleted now.
    pub now_deleted: Vec<Changed>,
    /// Deleted before, kept now.
    pub now_kept: Vec<Changed>,
    /// In the plan before and not in the inventory any more, or not there.
    pub gone: u64,
    /// Only in the plan now.
    pub new: u64,
    /// Points that were kept and are not.
    pub points_given_up: Vec<String>,
    /// Points that are kept and were not.
    pub points_taken_up: Vec<String>,
}

impl Difference {
    /// Whether both say the same of every data set that both have.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.now_deleted.is_empty() && self.now_kept.is_empty()
    }
}

/// What one plan says of a data set.
struct Lot {
    deleted: bool,
    holder: Option<String>,
}

fn lots<'p>(plan: &'p Plan<'_>, holders: bool) -> HashMap<(&'p str, u8, Rba), Lot> {
    let keep = plan.keep.iter().map(|entry| {
        let holder = entry.holders.first().filter(|_| holders).map(|holder| holder.what.clone());
        ((&*entry.name, entry.copy, entry.start), Lot { deleted: false, holder })
    });
    let delete = plan
        .delete
        .iter()
        .map(|entry| ((&*entry.name, entry.copy, entry.start), Lot { deleted: true, holder: None }));
    keep.chain(delete).collect()
}

/// What differs from the plan `before` to the plan `now`.
#[must_use]
pub fn diff(before: &Plan<'_>, now: &Plan<'_>) -> Difference {
    let mut old = lots(before, true);
    let mut difference =
        Difference { boundary_before: before.boundary, boundary_now: now.boundary, ..Difference::default() };
    for entry in &now.delete {
        let Some(lot) = old.remove(&(&*entry.name, entry.copy, entry.start)) else {
            difference.new += 1;
            continue;
        };
        if !lot.deleted {
            difference.now_deleted.push(Changed {
                name: entry.name.to_string(),
                copy: entry.copy,
                start: entry.start,
                end: entry.end,
                bytes: entry.bytes,
                holder: lot.holder,
            });
        }
    }
    for entry in &now.keep {
        let Some(lot) = old.remove(&(&*entry.name, entry.copy, entry.start)) else {
            difference.new += 1;
            continue;
        };
        if lot.deleted {
            difference.now_kept.push(Changed {
                name: entry.name.to_string(),
                copy: entry.copy,
                start: entry.start,
                end: entry.end,
                bytes: entry.bytes,
                holder: entry.holders.first().map(|holder| holder.what.clone()),
            });
        }
    }
    difference.gone = old.len() as u64;
    let kept = |plan: &Plan<'_>| -> Vec<String> {
        plan.points.iter().filter(|point| point.kept).map(|point| point.name.clone()).collect()
    };
    let (kept_before, kept_now) = (kept(before), kept(now));
    difference.points_given_up =
        kept_before.iter().filter(|name| !kept_now.contains(name)).cloned().collect();
    difference.points_taken_up =
        kept_now.iter().filter(|name| !kept_before.contains(name)).cloned().collect();
    difference
}
