//! Each deliberate mistake is seen by the story or by the reference.
#![cfg(feature = "planted-defects")]

mod random;
mod reference;
#[path = "../testing/story.rs"]
mod story;

use std::collections::BTreeSet;

use format_inventory::{Inputs, Inventory};
use operation_retention::planted::{Defect, plant};
use operation_retention::{Policy, plan};
use random::Dice;
use reference::Reference;

/// Random inventories that are looked at until the mistake is seen.
const SEEDS: u64 = 2_000;

fn deleted(inventory: &Inventory<'_>, policy: &Policy) -> BTreeSet<String> {
    let inputs = Inputs { inventory: String::new(), inventory_bytes: 0, policy: String::new() };
    let plan = plan(inventory, policy, inventory.now.at.unwrap(), inputs).unwrap();
    plan.delete.iter().map(|entry| entry.name.to_string()).collect()
}

fn seen_by_story() -> bool {
    story::STEPS.iter().any(|step| {
        let document = step.document();
        let inventory = Inventory::parse(document.as_bytes()).unwrap();
        let policy = Policy { keep_last: Some(story::KEEP_LAST), ..Policy::default() };
        let wanted = Reference::new(&inventory, &policy, inventory.now.at.unwrap()).deleted();
        assert_eq!(wanted.len() as u64, step.keep_from / 0x1000 * 2, "the reference follows the table");
        step.now > 0 && deleted(&inventory, &policy) != wanted
    })
}

fn seen_by_seed() -> Option<u64> {
    (0..SEEDS).find(|seed| {
        let mut dice = Dice(*seed);
        let inventory = random::inventory(&mut dice);
        let policy = random::policy(&mut dice);
        deleted(&inventory, &policy) != Reference::new(&inventory, &policy, random::now()).deleted()
    })
}

#[test]
fn an_honest_library_is_not_accused() {
    plant(None);
    assert!(!seen_by_story());
    assert_eq!(seen_by_seed(), None);
}

#[test]
fn every_planted_mistake_is_seen() {
    for &defect in Defect::ALL {
        plant(Some(defect));
        let (story, seed) = (seen_by_story(), seen_by_seed());
        plant(None);
        assert!(seed.is_some(), "{defect} is not seen by any seed");
        let in_story =
            matches!(defect, Defect::TodaysValueUsed | Defect::StructurePartDropped | Defect::Copy2Forgotten);
        assert!(story || !in_story, "{defect} is not seen by the story");
    }
}
