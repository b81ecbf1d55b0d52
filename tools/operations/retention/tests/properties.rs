//! Properties of plans over random inventories and policies, against a reference that goes byte by byte.

mod random;
mod reference;

use std::collections::BTreeSet;

use format_inventory::{Hole, Inputs, Inventory};
use operation_retention::{Fact, Policy, perform, plan, releasing_sets};
use proptest::prelude::*;
use random::Dice;
use reference::Reference;

fn inputs() -> Inputs {
    Inputs { inventory: String::new(), inventory_bytes: 0, policy: String::new() }
}

fn deleted(inventory: &Inventory<'_>, policy: &Policy) -> BTreeSet<String> {
    let plan = plan(inventory, policy, random::now(), inputs()).unwrap();
    plan.delete.iter().map(|entry| entry.name.to_string()).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, max_global_rejects: 100_000, ..ProptestConfig::default() })]

    #[test]
    fn the_reference_decides_the_same(seed in any::<u64>()) {
        let mut dice = Dice(seed);
        let inventory = random::inventory(&mut dice);
        let policy = random::policy(&mut dice);
        let wanted = Reference::new(&inventory, &policy, random::now()).deleted();
        prop_assert_eq!(deleted(&inventory, &policy), wanted, "seed {} policy {:?}", seed, policy.lines());
    }

    #[test]
    fn what_stays_brings_every_kept_point_back(seed in any::<u64>()) {
        let mut dice = Dice(seed);
        let mut inventory = random::inventory(&mut dice);
        let policy = random::policy(&mut dice);
        let before = Reference::new(&inventory, &policy, random::now()).broken();
        let gone = deleted(&inventory, &policy);
        for log in inventory.logs.iter_mut().filter(|log| gone.contains(&*log.name)) {
            log.present = false;
            // As applying a plan records it.
            let history = log.history.to_string();
            inventory.holes.push(Hole { history, start: log.start, end: log.end });
        }
        let after = Reference::new(&inventory, &policy, random::now()).broken();
        let news: Vec<_> = after.iter().filter(|place| !before.contains(place)).collect();
        prop_assert!(news.is_empty(), "seed {seed} policy {:?}: {news:?}", policy.lines());
    }

    #[test]
    fn more_points_kept_never_deletes_more(seed in any::<u64>()) {
        let mut dice = Dice(seed);
        let inventory = random::inventory(&mut dice);
        let policy = random::policy(&mut dice);
        let first = plan(&inventory, &policy, random::now(), inputs()).unwrap();
        // Where no point covers a page set, all log is kept: a point that does lets log go.
        let bare = ["HWT813W", "HWT814W"];
        prop_assume!(!first.warnings.iter().any(|warning| bare.contains(&warning.id.as_str())));
        prop_assume!(!first.keep.iter().any(|e| e.holders.iter().any(|h| h.what.contains("--back-to-full, and"))));
        let few = deleted(&inventory, &policy);
        let more = |change: &dyn Fn(&mut Policy)| {
            let mut policy = policy.clone();
            change(&mut policy);
            deleted(&inventory, &policy)
        };
        let chosen = policy.chooses_points();
        let wider: [&dyn Fn(&mut Policy); 4] = [
            &|policy| policy.keep_last = policy.keep_last.map(|count| count + 1),
            &|policy| policy.daily = policy.daily.map(|count| count + 1),
            &|policy| policy.min_archives = policy.min_archives.map(|count| count + 1),
            &|policy| policy.consistent_only = false,
        ];
        for change in wider {
            let gone = more(change);
            prop_assert!(policy.is_empty() || gone.is_subset(&few), "seed {seed} policy {:?}", policy.lines());
        }
        if chosen {
            let gone = more(&|policy| policy.keep_last = policy.keep_last.or(Some(1)));
            prop_assert!(gone.is_subset(&few), "seed {seed} policy {:?}", policy.lines());
        }
    }
}

proptest! {
    // Each case makes a plan for every archive of its inventory.
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_releasing_set_releases(seed in any::<u64>()) {
        let mut dice = Dice(seed);
        let inventory = random::inventory(&mut dice);
        let policy = random::policy(&mut dice);
        for (log, facts) in releasing_sets(&inventory, &policy, random::now()).unwrap() {
            let name = inventory.logs[log].name.to_string();
            let (mut then, mut policy) = (inventory.clone(), policy.clone());
            perform(&facts, &mut then, &mut policy, random::now());
            prop_assert!(
                deleted(&then, &policy).contains(&name),
                "seed {seed} policy {:?}: {name} stays after {facts:?}", policy.lines()
            );
        }
    }

    /// Without any one of its facts a set does not release.
    #[test]
    fn a_releasing_set_has_no_idle_fact(seed in any::<u64>()) {
        let mut dice = Dice(seed);
        let inventory = random::inventory(&mut dice);
        let policy = random::policy(&mut dice);
        for (log, facts) in releasing_sets(&inventory, &policy, random::now()).unwrap() {
            let name = inventory.logs[log].name.to_string();
            for idle in 0..facts.len() {
                let mut rest: Vec<Fact> = facts.clone();
                match &mut rest[idle] {
                    Fact::NewPoints { count, .. } | Fact::Archives { count, .. } if *count > 1 => *count -= 1,
                    _ => drop(rest.remove(idle)),
                }
                let (mut then, mut policy) = (inventory.clone(), policy.clone());
                perform(&rest, &mut then, &mut policy, random::now());
                prop_assert!(
                    !deleted(&then, &policy).contains(&name),
                    "seed {seed} policy {:?}: {name} goes already after {rest:?} of {facts:?}", policy.lines()
                );
            }
        }
    }
}
