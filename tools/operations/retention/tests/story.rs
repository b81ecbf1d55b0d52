//! The worked example: who holds which log at T1 to T6.

#[path = "../testing/story.rs"]
mod story;

use format_inventory::{HolderKind, Inputs, Inventory, Plan};
use format_types::Rba;
use operation_retention::{Policy, plan};
use story::{KEEP_LAST, STEPS, Step};

fn planned(step: &Step, check: impl FnOnce(&Plan<'_>)) {
    let document = step.document();
    let inventory = Inventory::parse(document.as_bytes()).unwrap();
    let inputs = Inputs { inventory: String::new(), inventory_bytes: 0, policy: String::new() };
    let policy = Policy { keep_last: Some(KEEP_LAST), ..Policy::default() };
    check(&plan(&inventory, &policy, inventory.now.at.unwrap(), inputs).unwrap());
}

/// The holders of the archive of copy 1 that begins at `start`: kind, who, from.
fn holders(plan: &Plan<'_>, start: u64) -> Vec<(HolderKind, String, u64)> {
    let entry = plan.keep.iter().find(|entry| entry.copy == 1 && entry.start == Rba(start)).unwrap();
    entry.holders.iter().map(|holder| (holder.kind, holder.what.clone(), holder.from.0)).collect()
}

#[test]
fn log_is_kept_from_where_the_table_says() {
    for step in &STEPS {
        planned(step, |plan| {
            assert_eq!(plan.boundary, Some(Rba(step.keep_from)), "{}", step.name);
            for copy in [1, 2] {
                let mut gone: Vec<u64> = plan
                    .delete
                    .iter()
                    .filter(|entry| entry.copy == copy)
                    .map(|entry| entry.start.0)
                    .collect();
                gone.sort_unstable();
                let wanted: Vec<u64> = (0..step.keep_from / 0x1000).map(|number| number * 0x1000).collect();
                assert_eq!(gone, wanted, "{} copy {copy}", step.name);
            }
            let needed = plan.keep.iter().flat_map(|entry| entry.holders.iter());
            let today =
                needed.filter(|holder| holder.what.contains("today") && !holder.what.contains("active"));
            assert_eq!(today.map(|holder| holder.from.0).min(), Some(step.now), "{}", step.name);
        });
    }
}

#[test]
fn holders_are_named_with_their_kind() {
    use HolderKind::{Needed, Rule};
    let is = |kind, what: &str, from| (kind, what.to_owned(), from);
    planned(&STEPS[0], |plan| {
        let wanted = [
            is(Needed, "structure S1 today", 0x1000),
            is(Rule, "recovery point T1: structures (S1)", 0x1000),
            is(Needed, "structure S2 today", 0x1400),
        ];
        assert_eq!(holders(plan, 0x1000), wanted);
    });
    // The structures were backed up: what is left is IBM's rule.
    planned(&STEPS[1], |plan| {
        assert_eq!(holders(plan, 0x1000), [is(Rule, "recovery point T1: structures (S1)", 0x1000)]);
        let wanted = [
            is(Rule, "recovery point T1: structures (S1)", 0x1000),
            is(Needed, "recovery point T1: units of recovery (UOWB1)", 0x2200),
            is(Needed, "recovery point T1: page sets (page set 00)", 0x2600),
            is(Needed, "restart today: unit of recovery 0000000000002C00 (in-flight)", 0x2C00),
            is(Needed, "restart today: page set 00", 0x2E00),
            is(Needed, "restart today: page set 01", 0x2E00),
        ];
        assert_eq!(holders(plan, 0x2000), wanted);
    });
    planned(&STEPS[4], |plan| {
        let wanted = [
            is(Rule, "recovery point T3: structures (S1)", 0x3000),
            is(Needed, "recovery point T3: units of recovery (UOWA1)", 0x3900),
        ];
        assert_eq!(holders(plan, 0x3000), wanted);
        let released = plan.keep.iter().find(|entry| entry.start == Rba(0x3000)).unwrap();
        assert_eq!(released.released_by[..], ["1 new verified recovery point of all page sets"]);
    });
    planned(&STEPS[5], |plan| {
        let wanted = [
            is(Needed, "structure S2 today", 0x5000),
            is(Rule, "recovery point T6: structures (S2)", 0x5000),
        ];
        assert_eq!(holders(plan, 0x5000), wanted);
    });
}

#[test]
fn without_a_policy_nothing_goes() {
    for step in &STEPS {
        let document = step.document();
        let inventory = Inventory::parse(document.as_bytes()).unwrap();
        let inputs = Inputs { inventory: String::new(), inventory_bytes: 0, policy: String::new() };
        let plan = plan(&inventory, &Policy::default(), inventory.now.at.unwrap(), inputs).unwrap();
        assert!(plan.delete.is_empty());
        assert_eq!(plan.boundary, Some(Rba::ZERO));
        assert!(plan.warnings.iter().any(|warning| warning.id == "HWT812W"));
    }
}
